use std::collections::BTreeSet;

use super::*;

fn words(command: &str) -> Vec<OsString> {
    command.split(' ').map(OsString::from).collect()
}

fn around(environment: &[(&str, &str)]) -> Surroundings {
    let pairs = environment.iter();
    Surroundings {
        environment: pairs
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        home: None,
        root: "http://127.0.0.1:9/run/r".to_owned(),
        upstreams: [
            ("openai", "https://api.openai.com"),
            ("openrouter", "https://openrouter.ai/api"),
            ("odd", "https://openrouter.ai"),
            ("local", "http://127.0.0.1:8000"),
        ]
        .map(|(name, url)| (name.to_owned(), url.to_owned()))
        .to_vec(),
    }
}

#[test]
fn the_recipes_of_the_tree_make_sense() {
    let recipes = Recipes::load().unwrap();
    let mut names = BTreeSet::new();
    for recipe in recipes.all() {
        assert!(names.insert(&recipe.name), "{} stands twice", recipe.name);
        assert!(
            !recipe.unseen.is_empty(),
            "{} explains nothing",
            recipe.name
        );
        assert!(!recipe.checked.is_empty() && !recipe.label.is_empty());
        assert_eq!(recipe.programs.is_empty(), recipe.name == GENERAL);
        let values = recipe.set.iter().map(|group| &group.value);
        for value in values.chain(recipe.args.iter().filter(|arg| arg.contains("http"))) {
            assert!(value.contains("{root}/"), "{value} leads elsewhere");
        }
        for watch in &recipe.watch {
            assert_ne!(watch.env.is_some(), watch.file.is_some(), "{watch:?}");
            assert_eq!(watch.file.is_some(), watch.holds.is_some(), "{watch:?}");
        }
    }
    recipes.general().unwrap();
}

#[test]
fn commands_find_their_recipe() {
    let recipes = Recipes::load().unwrap();
    let check = |command: &str, expect: &str, args_at: usize| {
        let chosen = recipes.choose(&words(command)).unwrap();
        let found = (chosen.recipe.name.as_str(), chosen.args_at);
        assert_eq!(found, (expect, args_at), "{command}");
    };
    check("claude -p hi", "claude", 1);
    check("/opt/bin/claude", "claude", 1);
    check("codex.cmd exec hi", "codex", 1);
    check("npx @openai/codex exec hi", "codex", 2);
    check("npx -y @openai/codex@latest exec", "codex", 3);
    check("npx -p @openai/codex codex exec", "codex", 4);
    check("uvx --from aider-chat aider", "aider", 4);
    check("env A=b claude", "claude", 3);
    check("python agent.py", "sdk", 2);
    check("npx vitest claude", "sdk", 3);
    check("echo claude", "sdk", 2);
}

#[test]
fn variables_of_a_group_follow_the_one_that_is_set() {
    let recipes = Recipes::load().unwrap();
    let check = |environment: &[(&str, &str)], name: &str, expect: Option<&str>| {
        let plan = Plan::new(recipes.general().unwrap(), &around(environment));
        let found = plan.set.iter().find(|(set, _)| set == name);
        assert_eq!(found.map(|(_, value)| value.as_str()), expect, "{name}");
    };
    let openai = "OPENAI_BASE_URL";
    check(&[], openai, Some("http://127.0.0.1:9/run/r/openai/v1"));
    check(
        &[(openai, "https://openrouter.ai/api/v1/")],
        openai,
        Some("http://127.0.0.1:9/run/r/openrouter/v1"),
    );
    check(
        &[(openai, "HTTPS://API.openai.com")],
        openai,
        Some("http://127.0.0.1:9/run/r/openai"),
    );
    check(
        &[(openai, "http://127.0.0.1:8000/v1")],
        openai,
        Some("http://127.0.0.1:9/run/r/local/v1"),
    );
    check(&[(openai, "http://127.0.0.1:80001/v1")], openai, None);
    check(&[(openai, "https://llm.example.org/v1")], openai, None);
    check(
        &[(openai, "https://llm.example.org/v1")],
        "OPENAI_API_BASE",
        None,
    );
    check(&[("NO_PROXY", "a")], "NO_PROXY", None);
    check(
        &[("NO_PROXY", "a"), ("https_proxy", "http://p:3128")],
        "NO_PROXY",
        Some("a,127.0.0.1,localhost"),
    );
    check(
        &[("NO_PROXY", "*"), ("https_proxy", "http://p:3128")],
        "NO_PROXY",
        None,
    );
}

#[test]
fn a_value_that_stays_is_told_without_its_text() {
    let recipes = Recipes::load().unwrap();
    let environment = [("OPENAI_BASE_URL", "https://name:secret@llm.example.org")];
    let plan = Plan::new(recipes.general().unwrap(), &around(&environment));
    assert_eq!(plan.warnings.len(), 1);
    assert!(plan.warnings.iter().all(|text| !text.contains("secret")));
}

#[test]
fn arguments_stand_in_front_of_the_clients_own() {
    let recipes = Recipes::load().unwrap();
    let command = words("npx @openai/codex exec hi");
    let chosen = recipes.choose(&command).unwrap();
    let plan = Plan::new(chosen.recipe, &around(&[]));
    let expect =
        "npx @openai/codex -c openai_base_url=\"http://127.0.0.1:9/run/r/openai/v1\" exec hi";
    assert_eq!(plan.command(&chosen, &command), words(expect));
}

#[test]
fn what_would_break_a_client_is_not_applied() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().to_string_lossy().into_owned();
    let recipes = Recipes::load().unwrap();
    let plan = |auth: &str, key: &str| {
        std::fs::write(dir.path().join("auth.json"), auth).unwrap();
        let codex = recipes.named("codex").unwrap();
        let environment = [("CODEX_HOME", home.as_str()), ("CODEX_API_KEY", key)];
        Plan::new(codex, &around(&environment))
    };
    let by_key = plan(r#"{"auth_mode":"apikey","tokens":null}"#, "");
    assert_eq!((by_key.args.len(), by_key.warnings.len()), (2, 0));
    let login = r#"{"auth_mode":"chatgpt","tokens":{"access_token":"secret"}}"#;
    let by_login = plan(login, "");
    assert_eq!((by_login.args.len(), by_login.warnings.len()), (0, 1));
    assert_eq!(plan(login, "key").args.len(), 2);
    assert!(!by_login.warnings.concat().contains("secret"));
    let claude = recipes.named("claude").unwrap();
    let warned = |value: &str| {
        let plan = Plan::new(claude, &around(&[("CLAUDE_CODE_USE_BEDROCK", value)]));
        plan.warnings.len()
    };
    assert_eq!((warned("1"), warned("0"), warned("")), (1, 0, 0));
}
