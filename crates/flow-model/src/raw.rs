//! JSON that is kept as it stood on the wire.

use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON value as its text on the wire: nothing is parsed before somebody asks for it, so that a tool's schema
/// of 40 KB costs one copy. Text that turns out to be no JSON is served as a string.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = Value))]
pub struct Raw(Box<str>);

impl Raw {
    /// Returns the value with this text.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the value, parsed; a string where the text is no JSON.
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_else(|_| Value::String(self.0.to_string()))
    }
}

/// Values are compared, not their spelling.
impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0 || self.value() == other.value()
    }
}

impl From<Value> for Raw {
    fn from(value: Value) -> Self {
        Self(value.to_string().into())
    }
}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // What is no value, such as a number out of range or half a character, would break whoever reads it.
        let is_value = serde_json::from_str::<Value>(&self.0).is_ok();
        let raw = serde_json::from_str::<&RawValue>(&self.0).ok();
        match raw.filter(|_| is_value) {
            Some(raw) => raw.serialize(serializer).map_err(S::Error::custom),
            None => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `RawValue`: parts are tagged, and serde buffers those before it knows their kind.
        Value::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Part;

    #[test]
    fn the_wires_spelling_is_served() {
        let raw = Raw::new("{\"b\": 1.50, \"a\":[ ]}");
        let part = Part::Other {
            name: "x".to_owned(),
            raw,
        };
        let text = serde_json::to_string(&part).unwrap();
        assert_eq!(
            text,
            r#"{"kind":"other","name":"x","raw":{"b": 1.50, "a":[ ]}}"#
        );
        let back: Part = serde_json::from_str(&text).unwrap();
        let Part::Other { raw, .. } = back else {
            panic!("another part came back")
        };
        assert_eq!(raw.value(), json!({"b": 1.5, "a": []}));
    }

    #[test]
    fn what_is_no_json_is_served_as_text() {
        let raw = Raw::new("{\"a\":");
        assert_eq!(serde_json::to_string(&raw).unwrap(), r#""{\"a\":""#);
        assert_eq!(raw.value(), json!("{\"a\":"));
        for text in ["{\"a\":1e400}", "\"\\ud800\""] {
            let raw = Raw::new(text);
            assert_eq!(serde_json::to_value(&raw).unwrap(), json!(text));
            assert_eq!(
                serde_json::to_string(&raw).unwrap(),
                json!(text).to_string()
            );
        }
    }
}
