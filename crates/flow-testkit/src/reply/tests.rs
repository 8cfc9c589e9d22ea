use serde_json::json;

use super::*;

fn reply(api: Api, words: &str, body: &Value) -> Option<Reply> {
    let library = Library::built_in().unwrap();
    let ask = Ask::read(api, body);
    let mut behaviour = Behaviour::default();
    behaviour.add_header(words).unwrap();
    let choice = choose(&library, &ask, &behaviour)?;
    Some(Reply::compose(api, &choice, &ask, &behaviour, 7))
}

fn text(reply: &Reply) -> String {
    let texts = reply.parts.iter().filter_map(|part| match part {
        Part::Text(text) | Part::Refusal(text) => Some(text.as_str()),
        _ => None,
    });
    texts.collect()
}

fn user(words: &str) -> Value {
    json!({"messages": [{"role": "user", "content": words}]})
}

#[test]
fn a_conversation_is_chosen_by_name_then_by_its_opening_then_hello() {
    let check = |words: &str, opening: &str, expect: &str| {
        let reply = reply(Api::OpenAi, words, &user(opening)).unwrap();
        assert!(
            text(&reply).starts_with(expect),
            "{words} {opening}: {}",
            text(&reply)
        );
    };
    let opening = "List every prime below ten thousand. Ref: FM-1";
    check("", opening, "2, 3, 5");
    check("conversation=text", opening, "A write-ahead log");
    check("", "something else", "Hello! I am");
    assert!(reply(Api::OpenAi, "conversation=none", &user("x")).is_none());
}

#[test]
fn answers_in_the_request_count_the_turns() {
    let body = json!({"messages": [
        {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"},
        {"role": "tool", "content": "17"}, {"role": "tool", "content": "18"}]});
    let first = reply(Api::OpenAi, "conversation=tools", &user("q")).unwrap();
    assert_eq!(first.stop, Stop::Tools);
    let second = reply(Api::OpenAi, "conversation=tools", &body).unwrap();
    assert_eq!((second.turn, second.stop), (1, Stop::End));
    assert!(text(&second).contains("17; 18"), "{}", text(&second));
}

#[test]
fn images_are_acknowledged() {
    let body = json!({"messages": [{"role": "user", "content": [
        {"type": "image", "source": {"media_type": "image/png", "data": "AAEC"}}]}]});
    let reply = reply(Api::Anthropic, "conversation=image", &body).unwrap();
    assert!(
        text(&reply).contains("image/png of 3 bytes"),
        "{}",
        text(&reply)
    );
}

#[test]
fn stops_differ() {
    let stop = |name: &str| {
        let words = format!("conversation={name}");
        reply(Api::Gemini, &words, &json!({})).unwrap().stop
    };
    assert_eq!(stop("text"), Stop::End);
    assert_eq!(stop("tools"), Stop::Tools);
    assert_eq!(stop("length"), Stop::Length);
    assert_eq!(stop("refusal"), Stop::Refusal);
}

#[test]
fn a_title_is_asked_for_without_tools() {
    let body = json!({"system": "Write a short title for this conversation.",
        "messages": [{"role": "user", "content": "List every prime below ten thousand."}]});
    let reply = reply(Api::Anthropic, "", &body).unwrap();
    assert_eq!((text(&reply).as_str(), reply.stop), ("Cut off", Stop::End));
}

#[test]
fn usage_adds_up_and_caches_what_was_there_before() {
    let long = "word ".repeat(2000);
    let mut body = json!({"messages": [
        {"role": "user", "content": [{"type": "text", "text": long, "cache_control": {"type": "ephemeral"}}]},
        {"role": "assistant", "content": "a"}, {"role": "user", "content": "more"}]});
    let usage = reply(Api::Anthropic, "conversation=thinking", &body)
        .unwrap()
        .usage;
    assert!(usage.cache_read >= CACHED_TOKENS_MIN, "{usage:?}");
    assert_eq!(usage.cache_read % CACHED_TOKENS_STEP, 0);
    assert_eq!(usage.cache_read + usage.cache_write, usage.input);
    assert!(
        usage.reasoning > 0 && usage.output > usage.reasoning,
        "{usage:?}"
    );
    body["messages"][0]["content"] = long.into();
    let usage = reply(Api::Anthropic, "", &body).unwrap().usage;
    assert_eq!(
        (usage.cache_read, usage.cache_write),
        (0, 0),
        "no marks, no cache"
    );
    let usage = reply(Api::OpenAi, "", &body).unwrap().usage;
    assert!(usage.cache_read > 0 && usage.cache_write == 0, "{usage:?}");
}

#[test]
fn huge_pads_the_text() {
    let reply = reply(Api::OpenAi, "huge=2", &user("x")).unwrap();
    assert!(text(&reply).len() > 2 * MEGABYTE);
}

#[test]
fn a_command_is_run_by_the_tool_that_the_agent_has() {
    let check = |tools: Value, expect: &str, argument: &str| {
        let body = json!({"tools": tools, "messages": []});
        let reply = reply(Api::Anthropic, "conversation=shell", &body).unwrap();
        let call = reply.parts.iter().find_map(|part| match part {
            Part::Call { name, input, .. } => Some((name.as_str(), input)),
            _ => None,
        });
        let (name, input) = call.unwrap();
        assert_eq!(name, expect);
        let command = input[argument].as_str().unwrap();
        assert!(command.starts_with("expr"), "{expect}: {command}");
    };
    check(json!([]), "Bash", "command");
    check(
        json!([{"name": "Bash"}, {"name": "bash"}]),
        "Bash",
        "command",
    );
    check(
        json!([{"name": "Read"}, {"name": "exec_command"}]),
        "exec_command",
        "cmd",
    );
    check(
        json!([{"name": "run_shell_command"}]),
        "run_shell_command",
        "command",
    );
}

#[test]
fn caches_are_read_and_written_where_the_provider_does() {
    let long = "word ".repeat(2000);
    let marked = json!({"messages": [
        {"role": "user", "content": [{"text": long}, {"cachePoint": {"type": "default"}}]},
        {"role": "assistant", "content": [{"text": "a"}]}, {"role": "user", "content": [{"text": "more"}]}]});
    let usage = |api: Api| reply(api, "", &marked).unwrap().usage;
    let converse = usage(Api::Converse);
    assert!(
        converse.cache_read > 0 && converse.cache_write > 0,
        "{converse:?}"
    );
    let cohere = usage(Api::Cohere);
    assert!(
        cohere.cache_read > 0 && cohere.cache_write == 0,
        "{cohere:?}"
    );
    let ollama = usage(Api::Ollama);
    assert_eq!((ollama.cache_read, ollama.cache_write), (0, 0));
}
