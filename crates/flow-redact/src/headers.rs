//! Credentials in header fields.

use flow_model::Header;

use crate::{Fingerprints, is_key_shaped};

/// Names of headers that carry a credential.
const CREDENTIAL_NAMES: [&str; 6] = [
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "chatgpt-account-id",
    "ocp-apim-subscription-key",
    "x-amz-security-token",
];

/// Parts of a name that mark a credential whoever invented the header.
const CREDENTIAL_NAME_PARTS: [&str; 5] = ["secret", "password", "api-key", "apikey", "credential"];

impl Fingerprints {
    /// Replaces every credential in the values of header fields; names and everything else stay.
    pub fn headers(&self, headers: &mut [Header]) {
        for header in headers {
            let name = header.name.to_ascii_lowercase();
            let value = match name.as_str() {
                "cookie" => Some(self.cookies(&header.value)),
                "set-cookie" => Some(self.set_cookie(&header.value)),
                "authorization" | "proxy-authorization" => Some(self.credential(&header.value)),
                _ if is_credential_name(&name) => Some(self.of(header.value.trim())),
                _ => self.words(&header.value),
            };
            if let Some(value) = value {
                header.value = value;
            }
        }
    }

    /// Returns a credential's value with its scheme kept and the rest replaced.
    fn credential(&self, value: &str) -> String {
        match value.trim().split_once(' ') {
            Some((scheme, rest)) if scheme.len() <= 20 && !is_key_shaped(scheme) => {
                format!("{scheme} {}", self.of(rest.trim()))
            }
            _ => self.of(value.trim()),
        }
    }

    fn cookies(&self, value: &str) -> String {
        let pairs = value.split(';').map(|pair| self.cookie(pair.trim()));
        pairs.collect::<Vec<_>>().join("; ")
    }

    fn cookie(&self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, value)) => format!("{name}={}", self.of(value)),
            None => self.of(pair),
        }
    }

    fn set_cookie(&self, value: &str) -> String {
        match value.split_once(';') {
            Some((pair, attributes)) => format!("{};{attributes}", self.cookie(pair)),
            None => self.cookie(value),
        }
    }

    /// Returns the value without what looks like a credential in any header, or none where nothing does.
    fn words(&self, value: &str) -> Option<String> {
        for scheme in ["Bearer ", "bearer ", "Basic ", "AWS4-HMAC-SHA256 "] {
            if let Some(rest) = value.strip_prefix(scheme) {
                return Some(format!("{scheme}{}", self.of(rest.trim())));
            }
        }
        let separators = [' ', ',', ';', '=', '"', '\'', '&', '?', '/', ':'];
        let mut result = None;
        for word in value.split(separators).filter(|word| is_key_shaped(word)) {
            let text = result.get_or_insert_with(|| value.to_owned());
            *text = text.replace(word, &self.of(word));
        }
        let text = result.as_deref().unwrap_or(value);
        if text.contains('=') && (text.contains('?') || text.contains("://")) {
            let redacted = self.url(text);
            if redacted != text {
                result = Some(redacted);
            }
        }
        result
    }
}

/// Returns whether a header of this lower-case name carries a credential.
fn is_credential_name(name: &str) -> bool {
    CREDENTIAL_NAMES.contains(&name)
        || CREDENTIAL_NAME_PARTS.iter().any(|part| name.contains(part))
        || name.ends_with("-token")
        || name.ends_with("-auth-key")
}
