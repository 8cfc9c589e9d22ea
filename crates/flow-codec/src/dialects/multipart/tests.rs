use proptest::prelude::*;

use super::*;

/// Returns the fields of a form: name, file, type and data, and whether it broke off.
fn fields(body: &str) -> (Vec<[String; 4]>, bool) {
    let mut found = Vec::new();
    let mut form = Form::new(body.as_bytes()).unwrap();
    while let Some(field) = form.next() {
        let data = lossy(field.data).into_owned();
        let start = usize::try_from(field.start).unwrap();
        assert_eq!(body.get(start..start + data.len()), Some(data.as_str()));
        let (file, mime) = (
            field.file.unwrap_or_default(),
            field.mime.unwrap_or_default(),
        );
        found.push([field.name, file, mime, data]);
    }
    (found, form.truncated)
}

#[track_caller]
fn check(body: &str, expect: &[[&str; 4]], truncated: bool) {
    let (found, cut) = fields(body);
    assert_eq!(found, expect, "{body:?}");
    assert_eq!(cut, truncated, "{body:?}");
}

#[test]
fn reads_names_types_and_data() {
    // Only a line that starts with the delimiter ends the data.
    let body = concat!(
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm-1\r\n",
        "--b\r\ncontent-type: audio/wav\r\n",
        "content-disposition: form-data; name=\"file\"; filename=\"a \\\"b\\\".wav\"\r\n",
        "\r\n\r\n--x\nb--b\r\nend\r\n--b--\r\n",
    );
    check(
        body,
        &[
            ["model", "", "", "m-1"],
            ["file", "a \"b\".wav", "audio/wav", "\r\n--x\nb--b\r\nend"],
        ],
        false,
    );
}

#[test]
fn clients_write_forms_by_hand() {
    check(
        "--b\nContent-Disposition: form-data; name=prompt; filename=a.txt\n\na\nb\n--b--",
        &[["prompt", "a.txt", "", "a\nb"]],
        false,
    );
    check(
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"; filename*=UTF-8''a%20%C3%A4%zz\r\nContent-Type: \r\n\r\n\r\n--b--\r\n",
        &[["f", "a ä%zz", "", ""]],
        false,
    );
    check("--b\r\n\r\n--b--\r\n", &[["", "", "", ""]], false);
}

#[test]
fn a_form_that_breaks_off_says_so() {
    check("--b\r\nContent-Disposition: form-data; na", &[], true);
    check(
        "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhalf",
        &[["a", "", "", "half"]],
        true,
    );
    let reading = read(b"--b\r\n\r\nhalf", Depth::Whole, |_| None);
    let codes: Vec<_> = reading
        .diagnostics
        .iter()
        .map(|found| &found.code)
        .collect();
    assert_eq!(codes, ["truncated"]);
}

#[test]
fn other_bodies_are_no_forms() {
    for body in ["", "--", "--\r\n", "{\"a\": 1}\n", "x--b\r\n"] {
        assert!(!is_form(body.as_bytes()), "{body:?}");
    }
}

#[test]
fn fields_become_parameters() {
    let field = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = [
        field("model", "m"),
        field("stream", "True"),
        field("x[]", "1"),
        field("x[]", "2"),
        field("x[]", "3"),
        "--b--".to_owned(),
    ];
    let reading = read(body.concat().as_bytes(), Depth::Whole, |_| None);
    assert_eq!(
        (reading.model.as_deref(), reading.stream),
        (Some("m"), Some(true))
    );
    let expect = serde_json::json!({"x[]": ["1", "2", "3"]});
    assert_eq!(Some(&reading.parameters), expect.as_object());
}

#[test]
fn limits_hold() {
    let one = "--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n";
    let reading = read(one.repeat(FIELDS_MAX + 9).as_bytes(), Depth::Whole, |_| {
        None
    });
    let list = reading.parameters.get("x").and_then(|list| list.as_array());
    assert_eq!(list.map(Vec::len), Some(FIELDS_MAX));
    let long = format!("--b\r\n\r\n{}\r\n--b--", "x".repeat(TEXT_BYTES_MAX + 1));
    let reading = read(long.as_bytes(), Depth::Whole, |_| None);
    let word = reading.parameters.get("").and_then(|word| word.as_str());
    assert_eq!(word.map(str::len), Some(TEXT_BYTES_MAX));
    assert_eq!(reading.diagnostics.len(), 1);
}

proptest! {
    #[test]
    fn no_bytes_break_it(body in "(--b\r?\n?|name=|\"|;|:|\r\n|\n|filename\\*?=|Content-Disposition: |[a-c%]){0,40}") {
        read(body.as_bytes(), Depth::Whole, |field| Some(Part::Image { media: field.media() }));
    }

    #[test]
    fn whatever_is_sent_comes_back(data in proptest::collection::vec(any::<u8>(), 0..100)) {
        let mut body = b"--bound\r\nContent-Disposition: form-data; name=\"f\"; filename=\"n\"\r\n\r\n".to_vec();
        body.extend_from_slice(&data);
        body.extend_from_slice(b"\r\n--bound--\r\n");
        let field = Form::new(&body).and_then(|mut form| form.next()).unwrap();
        prop_assert_eq!(field.data, &data);
    }
}
