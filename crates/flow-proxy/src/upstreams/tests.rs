use super::*;

/// The table for people.
const TABLE: &str = include_str!("../../../../docs/upstreams.md");

#[test]
fn the_table_for_people_says_the_same() {
    for info in built_in().map(|upstream| upstream.info()) {
        let line = format!("| `{}` | `{}` | `{}` |", info.name, info.path, info.url);
        assert!(TABLE.contains(&line), "docs/upstreams.md lacks {line}");
    }
    let lines = TABLE.lines().filter(|line| line.starts_with("| `"));
    assert_eq!(lines.count(), BUILT_IN.len());
}

fn check_defined(text: &str, expect: Result<(&str, &str), &str>) {
    let shown = text.parse::<Upstream>().map(|upstream| {
        let info = upstream.info();
        (info.url, upstream.version().apply("/chat/completions"))
    });
    let expect = expect.map(|(url, path)| (url.to_owned(), path.to_owned()));
    assert_eq!(
        shown.map_err(|error| error.to_string()),
        expect.map_err(str::to_owned),
        "{text}"
    );
}

#[test]
fn a_users_url_may_end_with_a_version() {
    let path = "/v1/chat/completions";
    check_defined(
        "my=http://127.0.0.1:8000",
        Ok(("http://127.0.0.1:8000", path)),
    );
    check_defined(
        "my=http://127.0.0.1:8000/",
        Ok(("http://127.0.0.1:8000", path)),
    );
    check_defined(
        "my=http://127.0.0.1:8000/v1",
        Ok(("http://127.0.0.1:8000", path)),
    );
    check_defined(
        "my=http://127.0.0.1:8000/v1/",
        Ok(("http://127.0.0.1:8000", path)),
    );
    check_defined(
        "my = https://h.example/a/b/v1",
        Ok(("https://h.example/a/b", path)),
    );
    check_defined(
        "my=https://h.example/v4",
        Ok(("https://h.example", "/v4/chat/completions")),
    );
    check_defined("my=https://h.example:443/", Ok(("https://h.example", path)));
    check_defined("my=http://[::1]:9/v1", Ok(("http://[::1]:9", path)));
    check_defined(
        "openai=http://127.0.0.1:9",
        Ok(("http://127.0.0.1:9", path)),
    );
    check_defined(
        "azure=http://127.0.0.1:9/openai/v1",
        Ok(("http://127.0.0.1:9/openai", path)),
    );
}

#[test]
fn what_is_no_upstream_is_refused() {
    let must = |what: &str| format!("the URL of the upstream \"my\" must {what}");
    let no_name = "an upstream is given as NAME=URL, such as local=http://127.0.0.1:8000/v1";
    check_defined("http://127.0.0.1", Err(no_name));
    check_defined("run=http://h", Err("the upstream name \"run\" is reserved"));
    check_defined("v1=http://h", Err("the upstream name \"v1\" is reserved"));
    for name in ["", "A", "a/b", "a.b", "ä", &"a".repeat(64)] {
        let expect = format!(
            "the upstream name {name:?} may hold lower-case letters, digits, `-` and `_` only, at most 63"
        );
        check_defined(&format!("{name}=http://h"), Err(&expect));
    }
    check_defined("my=ftp://h", Err(&must("begin with http:// or https://")));
    check_defined(
        "my=http://u:p@h",
        Err(&must(
            "hold no user name or password: clients send their own credentials",
        )),
    );
    check_defined(
        "my=http://h?a=b",
        Err(&must("end with its path, without `?` and `#`")),
    );
    check_defined(
        "my=nonsense",
        Err("the URL of the upstream \"my\" cannot be read"),
    );
}

#[test]
fn a_parameter_is_a_host_label_and_nothing_else() {
    let bedrock = built_in()
        .find(|upstream| upstream.name() == "bedrock")
        .unwrap();
    let host = |value: &str| {
        bedrock
            .origin(Some(value))
            .map(|origin| origin.host().to_owned())
    };
    assert_eq!(
        host("eu-west-1").as_deref(),
        Some("bedrock-runtime.eu-west-1.amazonaws.com")
    );
    let long = "a".repeat(64);
    let bad = [
        "",
        "a.b",
        "evil.example#",
        "a/b",
        "a@b",
        "a:1",
        "A",
        "a%2e",
        "-a",
        "a-",
        "ä",
        "a b",
        &long,
    ];
    for value in bad {
        assert_eq!(host(value), None, "{value}");
    }
    assert!(bedrock.origin(None).is_none());
}

#[test]
fn the_global_location_of_vertex_has_a_host_of_its_own() {
    let vertex = built_in()
        .find(|upstream| upstream.name() == "vertex")
        .unwrap();
    let host = |value: &str| vertex.origin(Some(value)).unwrap().host().to_owned();
    assert_eq!(host("global"), "aiplatform.googleapis.com");
    assert_eq!(
        host("europe-west4"),
        "europe-west4-aiplatform.googleapis.com"
    );
}

#[test]
fn versions_are_told_from_other_segments() {
    for segment in ["v1", "v1beta", "v1beta1", "v1alpha", "v4", "v12"] {
        assert!(is_version(segment), "{segment}");
    }
    for segment in ["", "v", "vision", "v1x", "1", "V1", "v1beta-1", "videos"] {
        assert!(!is_version(segment), "{segment}");
    }
}
