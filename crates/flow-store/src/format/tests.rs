use proptest::prelude::*;

use super::*;
use crate::testing::{begun, ended};

#[test]
fn a_version_survives_its_number() {
    for (major, minor) in [(1, 0), (1, 999), (7, 42)] {
        let version = Version { major, minor };
        assert_eq!(Version::from_code(version.code()), version);
    }
}

#[test]
fn any_single_change_breaks_a_seal() {
    let mut blob = b"a body of some length".to_vec();
    seal(&mut blob);
    assert_eq!(unseal(&blob), Some(&b"a body of some length"[..]));
    for index in 0..blob.len() {
        for bit in 0..8 {
            let mut hurt = blob.clone();
            hurt[index] ^= 1 << bit;
            assert_eq!(unseal(&hurt), None, "byte {index}, bit {bit}");
        }
    }
    for length in 0..blob.len() {
        assert_eq!(unseal(&blob[..length]), None, "cut at {length}");
    }
    blob.push(0);
    assert_eq!(unseal(&blob), None, "longer by a zero");
}

#[test]
fn an_outcome_leaves_out_the_head_that_did_not_change() {
    let (begun, ended) = (begun(1), ended(1));
    let short = seal_json(&Outcome::new(&ended, Some(&begun)), Compression::On).unwrap();
    let long = seal_json(&Outcome::new(&ended, None), Compression::On).unwrap();
    let json = dictionary::decompress(unseal(&short).unwrap(), JSON_BYTES_MAX).unwrap();
    let text = String::from_utf8_lossy(&json);
    assert!(
        text.contains("response")
            && !text.contains("Content-Type")
            && !text.contains("api.openai.com"),
        "{text}"
    );
    for blob in [short, long] {
        let outcome: Outcome<'_> = open_json(&blob).unwrap();
        assert_eq!(outcome.apply(begun.clone()), ended);
    }
}

#[test]
fn json_is_read_as_either_format_has_it() {
    let exchange = ended(1);
    let plain = serde_json::to_vec(&exchange).unwrap();
    let mut old = plain.clone();
    seal(&mut old);
    let new = seal_json(&exchange, Compression::On).unwrap();
    assert!(new.len() * 2 < plain.len(), "{} bytes", new.len());
    for blob in [&old, &new] {
        assert_eq!(open_json::<Exchange>(blob).as_ref(), Some(&exchange));
    }
    assert_eq!(open_json::<Exchange>(&plain), None, "it has no seal");
    let row = crate::testing::row(&exchange);
    let text = serde_json::to_vec(&row).unwrap();
    for stored in [&text, &seal_json(&row, Compression::On).unwrap()] {
        assert_eq!(open_row(stored).as_ref(), Some(&row));
    }
    assert_eq!(open_row(&text[1..]), None);
}

#[test]
fn what_changed_after_the_request_is_kept() {
    let begun = begun(1);
    let mut ended = ended(1);
    ended.peer = Some("127.0.0.1:1".to_owned());
    ended.route.provider = Some("other".to_owned());
    ended.request.headers.clear();
    let blob = seal_json(&Outcome::new(&ended, Some(&begun)), Compression::On).unwrap();
    assert_eq!(open_json::<Outcome<'_>>(&blob).unwrap().apply(begun), ended);
}

proptest! {
    #[test]
    fn chunks_come_back(fields in prop::collection::vec(any::<(u64, u32, u64)>(), 0..50)) {
        let chunk = |(at_us, wire_bytes, bytes_end)| Chunk { at_us, wire_bytes, bytes_end };
        let chunks: Vec<Chunk> = fields.into_iter().map(chunk).collect();
        let mut back = Vec::new();
        open_chunks(&seal_chunks(&chunks), &mut back).unwrap();
        prop_assert_eq!(back, chunks);
    }

    #[test]
    fn any_bytes_are_read_as_chunks_or_refused(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        seal(&mut bytes);
        let mut chunks = Vec::new();
        if open_chunks(&bytes, &mut chunks).is_some() {
            let mut again = Vec::new();
            open_chunks(&seal_chunks(&chunks), &mut again).unwrap();
            prop_assert_eq!(again, chunks);
        }
    }
}
