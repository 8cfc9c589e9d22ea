//! Header fields as the record holds them.

use flow_model::Header;
use http::{HeaderMap, Version};

/// Returns the field with a value that is UTF-8, or else one Latin-1 character a byte.
pub(crate) fn header(name: &str, value: &[u8]) -> Header {
    let (value, latin1) = match std::str::from_utf8(value) {
        Ok(value) => (value.to_owned(), false),
        Err(_) => (value.iter().map(|byte| char::from(*byte)).collect(), true),
    };
    Header {
        name: name.to_owned(),
        value,
        latin1,
    }
}

/// Returns the fields of a map: lower-case names, those of one name together.
pub(crate) fn map_headers(map: &HeaderMap) -> Vec<Header> {
    map.iter()
        .map(|(name, value)| header(name.as_str(), value.as_bytes()))
        .collect()
}

/// Returns the protocol's name as the record shows it.
pub(crate) const fn version_name(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_not_utf8_stand_as_latin1() {
        let expect = Header {
            name: "a".to_owned(),
            value: "caf\u{e9}".to_owned(),
            latin1: true,
        };
        assert_eq!(header("a", b"caf\xe9"), expect);
        let expect = Header {
            name: "a".to_owned(),
            value: "café".to_owned(),
            latin1: false,
        };
        assert_eq!(header("a", "café".as_bytes()), expect);
    }
}
