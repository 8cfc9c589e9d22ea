use super::*;
use crate::behaviour::Behaviour;

fn library() -> Library {
    Library::built_in().unwrap()
}

#[test]
fn every_file_is_read_and_has_its_own_name_and_opening() {
    let library = library();
    let conversations = library.conversations();
    for (index, conversation) in conversations.iter().enumerate() {
        assert!(!conversation.turns.is_empty(), "{}", conversation.name);
        let opening = conversation.opening().unwrap();
        for other in &conversations[..index] {
            assert_ne!(other.name, conversation.name);
            let apart = !other.opening().unwrap().contains(opening);
            assert!(apart, "{} and {}", other.name, conversation.name);
        }
        let said = [
            "Hello, this is the agent.".to_owned(),
            format!("{opening}\n\nRef: 1"),
        ];
        let found = library.opened_by(&said).unwrap();
        assert_eq!(found.name, conversation.name);
    }
    assert!(library.named(DEFAULT_NAME).is_some());
}

#[test]
fn turns_follow_from_each_other() {
    for conversation in library().conversations() {
        let mut calls_before = false;
        for (index, turn) in conversation.turns.iter().enumerate() {
            let place = format!("{} turn {index}", conversation.name);
            assert_eq!(
                turn.user.is_none(),
                calls_before,
                "{place}: results or words"
            );
            assert!(!turn.answer.is_empty(), "{place}");
            calls_before = false;
            for piece in &turn.answer {
                if let Piece::Call { tool, result, .. } = piece {
                    calls_before = true;
                    assert!(conversation.tools.contains(tool), "{place}: {tool}");
                    assert!(!result.is_empty(), "{place}: {tool} returns something");
                }
            }
        }
        assert!(
            !calls_before,
            "{}: the last answer calls a tool",
            conversation.name
        );
    }
}

#[test]
fn tools_are_defined() {
    let library = library();
    for conversation in library.conversations() {
        let tools = library.tools_of(conversation);
        assert_eq!(
            tools.len(),
            conversation.tools.len(),
            "{}",
            conversation.name
        );
    }
}

#[test]
fn faults_are_behaviours() {
    for conversation in library().conversations() {
        for fault in conversation.turns.iter().flat_map(|turn| &turn.faults) {
            let mut behaviour = Behaviour::default();
            assert_eq!(behaviour.add_header(fault), Ok(()), "{}", conversation.name);
        }
    }
}

#[test]
fn the_last_turn_answers_whatever_follows() {
    let library = library();
    let conversation = library.named("tools").unwrap();
    assert_eq!(conversation.turn(0).map(|(index, _)| index), Some(0));
    assert_eq!(conversation.turn(1).map(|(index, _)| index), Some(1));
    assert_eq!(conversation.turn(9).map(|(index, _)| index), Some(1));
}
