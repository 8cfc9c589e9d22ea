//! The same flows are selected as by one look at each of them.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::*;

const WORDS: [&str; 10] = [
    "alpha",
    "beta",
    "Gamma_x",
    "数据库",
    "delta",
    "据",
    "x",
    "ok",
    "alphabet",
    "user_id",
];

const SCOPES: [Scope; 6] = [
    Scope::Content,
    Scope::Request,
    Scope::Response,
    Scope::System,
    Scope::Thinking,
    Scope::ToolText,
];

/// What is done next in a conversation.
#[derive(Clone, Debug)]
enum Step {
    /// The answer is repeated, and the user goes on.
    Next(Vec<Value>),
    /// The user goes on from an earlier place.
    Branch(Index, Vec<Value>),
    /// The same again.
    Retry,
    /// The system prompt changes.
    System(Option<Value>),
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(select(&WORDS[..]), 1..6).prop_map(|words| words.join(" "))
}

/// A text that is long enough for a node, or too short for one.
fn prose() -> impl Strategy<Value = String> {
    (words(), any::<bool>()).prop_map(|(words, long)| {
        if long {
            format!("{words} {}", "filler ".repeat(12))
        } else {
            words
        }
    })
}

fn asked() -> impl Strategy<Value = Value> {
    prop_oneof![
        prose().prop_map(|prose| text(&prose)),
        prose()
            .prop_map(|prose| json!({"type": "tool_result", "tool_use_id": "t", "content": prose})),
    ]
}

fn answered() -> impl Strategy<Value = Value> {
    prop_oneof![
        prose().prop_map(|prose| text(&prose)),
        prose().prop_map(|prose| json!({"type": "thinking", "thinking": prose, "signature": "s"})),
        prose().prop_map(
            |prose| json!({"type": "tool_use", "id": "t", "name": "n", "input": {"q": prose}})
        ),
    ]
}

fn system() -> impl Strategy<Value = Option<Value>> {
    prop::option::of(prop_oneof![
        prose().prop_map(Value::String),
        prose().prop_map(|prose| json!([text(&prose)])),
    ])
}

fn step() -> impl Strategy<Value = Step> {
    let parts = || prop::collection::vec(asked(), 1..3);
    prop_oneof![
        4 => parts().prop_map(Step::Next),
        2 => (any::<Index>(), parts()).prop_map(|(at, parts)| Step::Branch(at, parts)),
        1 => Just(Step::Retry),
        1 => system().prop_map(Step::System),
    ]
}

type Steps = Vec<(bool, Step, Vec<Value>)>;

fn steps() -> impl Strategy<Value = Steps> {
    let answer = prop::collection::vec(answered(), 0..3);
    prop::collection::vec((any::<bool>(), step(), answer), 1..10)
}

fn needles() -> impl Strategy<Value = Vec<String>> {
    let needle = prop_oneof![
        select(&WORDS[..]).prop_map(str::to_owned),
        words(),
        Just("alph".to_owned()),
        Just("库 del".to_owned()),
        Just("_".to_owned()),
    ];
    prop::collection::vec(needle, 1..5)
}

fn run(made: &mut Made, steps: &Steps) {
    let mut turns = [Turn::default(), Turn::default()];
    for (which, step, answer) in steps {
        let turn = &mut turns[usize::from(*which)];
        match step {
            Step::Next(parts) => {
                if !turn.answer.is_empty() {
                    turn.messages.push(said("assistant", &turn.answer));
                }
                turn.messages.push(said("user", parts));
            }
            Step::Branch(at, parts) => {
                turn.messages.truncate(at.index(turn.messages.len() + 1));
                turn.messages.push(said("user", parts));
            }
            Step::Retry => {}
            Step::System(system) => turn.system.clone_from(system),
        }
        turn.answer.clone_from(answer);
        made.record(Some(u64::from(*which)), turn);
    }
}

fn check_all(made: &Made, needles: &[String]) {
    for needle in needles {
        for scope in SCOPES {
            let expect = made.expect(needle, scope);
            assert_eq!(
                made.select(needle, scope),
                expect,
                "{needle:?} in {scope:?}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_way_selects_the_same_flows(steps in steps(), needles in needles(), flows_max in 2_u64..12) {
        let mut made = Made::new(small(flows_max));
        run(&mut made, &steps);
        check_all(&made, &needles);
        wait_sealed(&made.store);
        made.settle();
        check_all(&made, &needles);
    }

    #[test]
    fn and_so_does_a_store_in_memory(steps in steps(), needles in needles()) {
        let mut made = Made::in_memory();
        run(&mut made, &steps);
        check_all(&made, &needles);
    }
}
