use serde_json::json;

use super::*;

fn given(dir: &Path, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Given {
    Given {
        data_dir: Some(dir.to_owned()),
        environment: environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        flags: flags
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()))
            .collect(),
        ..Given::default()
    }
}

#[test]
fn later_sources_win_and_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = "max_memory = 5\nui_listen = \"127.0.0.1:1\"\n[upstreams]\na = \"http://a\"\n[recording]\nsampling_rate = 0.5\n";
    std::fs::write(dir.path().join(CONFIG_FILE), file).unwrap();
    let config = Config::load(&given(
        dir.path(),
        &[
            ("FLOW_MONITOR_UI_LISTEN", "127.0.0.1:2"),
            ("FLOW_MONITOR_UPSTREAMS", "b=http://b"),
            ("FLOW_MONITOR_NONSENSE", "1"),
        ],
        &[("ui_listen", "127.0.0.1:3")],
    ))
    .unwrap();
    assert_eq!(config.value("max_memory"), (&json!(5), Source::File));
    assert_eq!(
        config.value("ui_listen"),
        (&json!("127.0.0.1:3"), Source::Flag)
    );
    assert_eq!(
        config.value("recording.paused"),
        (&json!(false), Source::Default)
    );
    assert!((config.policy().sampling_rate - 0.5).abs() < f64::EPSILON);
    assert_eq!(
        config.upstreams(),
        [
            ("b".to_owned(), "http://b".to_owned()),
            ("a".to_owned(), "http://a".to_owned())
        ]
    );
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("FLOW_MONITOR_NONSENSE"));
}

#[test]
fn mistakes_are_refused_with_a_suggestion() {
    let check = |file: &str, expect: &str| {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(CONFIG_FILE), file).unwrap();
        let error = Config::load(&given(dir.path(), &[], &[])).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains(expect), "{file} gave {text}");
    };
    check(
        "[recording]\npausd = true",
        "did you mean `recording.paused`?",
    );
    check("max_memry = 3", "did you mean `max_memory`?");
    check("zzz = 3", "there is no setting `zzz`");
    check("max_memory = \"many\"", "expected a whole number");
    check("max_memory = ", "is not TOML");
}

#[test]
fn changes_are_all_or_nothing_and_last_except_a_pause() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::load(&given(dir.path(), &[], &[])).unwrap();
    let object = |value: Value| value.as_object().unwrap().clone();
    let wrong = config
        .change(&object(
            json!({"recording.paused": true, "ui_listen": "127.0.0.1:9", "x": 1}),
        ))
        .unwrap_err();
    assert_eq!(wrong.len(), 2);
    assert!(!config.switch("recording.paused"));
    config
        .change(&object(
            json!({"recording.paused": true, "recording.sampling_rate": 0.1}),
        ))
        .unwrap();
    assert!(config.policy().paused);
    config.save_changed().unwrap();
    let again = Config::load(&given(dir.path(), &[], &[])).unwrap();
    assert_eq!(
        again.value("recording.sampling_rate"),
        (&json!(0.1), Source::Runtime)
    );
    assert!(!again.policy().paused);
}

#[test]
fn a_key_comes_from_one_place_and_excludes_lines() {
    let dir = tempfile::tempdir().unwrap();
    let key = "ab".repeat(32);
    let variable = (KEY_VARIABLE, key.as_str());
    let check = |environment: &[(&str, &str)], encrypted: bool, expect: Result<bool, &str>| {
        let config = Config::load(&given(dir.path(), environment, &[])).unwrap();
        assert!(config.warnings.is_empty(), "{:?}", config.warnings);
        assert_eq!(config.is_encrypted(), encrypted);
        assert!(!format!("{config:?}").contains(&key));
        match (config.encryption_key(), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found.is_some(), expect),
            (Err(error), Err(text)) => {
                let error = format!("{error:#}");
                assert!(error.contains(text) && !error.contains(&key), "{error}");
            }
            (found, _) => panic!("{environment:?} gave {found:?}"),
        }
    };
    check(&[], false, Ok(false));
    check(&[variable], true, Ok(true));
    check(&[(KEY_VARIABLE, "ab")], true, Err("64 hexadecimal digits"));
    let file = ("FLOW_MONITOR_ENCRYPTION_KEY_FILE", "nowhere");
    check(&[file], true, Err("nowhere"));
    check(&[file, variable], true, Err("keep one"));

    let lines = ("FLOW_MONITOR_TEE_JSONL", "true");
    let tee = |environment: &[(&str, &str)]| {
        Config::load(&given(dir.path(), environment, &[]))
            .unwrap()
            .tee()
    };
    assert!(tee(&[lines]).unwrap().jsonl);
    assert!(tee(&[lines, variable]).is_err());
    assert!(!tee(&[variable]).unwrap().jsonl);
}

#[test]
fn the_home_directory_is_the_last_resort() {
    let home = Given {
        home: Some(PathBuf::from("home")),
        ..Given::default()
    };
    assert_eq!(
        Config::load(&home).unwrap().data_dir,
        Path::new("home/.flow-monitor")
    );
    assert!(Config::load(&Given::default()).is_err());
}
