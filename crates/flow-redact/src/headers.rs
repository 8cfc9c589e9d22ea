//! Credentials in header fields and in other short texts of a head.

use flow_model::Header;

use crate::{Fingerprints, is_key_shaped};

/// Words of a header's name that mark a credential whoever invented the header.
const CREDENTIAL_WORDS: [&str; 20] = [
    "apikey",
    "auth",
    "authentication",
    "authorization",
    "credential",
    "credentials",
    "csrf",
    "jwt",
    "pass",
    "passwd",
    "password",
    "pwd",
    "secret",
    "sig",
    "signature",
    "token",
    "accesskey",
    "secretkey",
    "sessionkey",
    "xsrf",
];

/// Names that end in a word for a secret and hold none.
const HARMLESS_NAMES: [&str; 7] = [
    "idempotency-key",
    "x-idempotency-key",
    "sec-websocket-key",
    "cache-key",
    "x-cache-key",
    "surrogate-key",
    "x-surrogate-key",
];

/// Schemes of `Authorization`, in lower case, that are looked for in every header.
const SCHEMES: [&str; 7] = [
    "bearer",
    "basic",
    "token",
    "apikey",
    "digest",
    "negotiate",
    "aws4-hmac-sha256",
];

/// Characters between which a word of a header's value stands.
const SEPARATORS: [char; 19] = [
    ' ', '\t', ',', ';', '=', '"', '\'', '&', '?', '/', ':', '(', ')', '<', '>', '[', ']', '{', '}',
];

/// Shortest text behind a scheme that is taken for a credential in a header that is not made for one.
const SCHEME_REST_CHARS_MIN: usize = 8;

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

    /// Returns a short text, such as a reason phrase, without what looks like a credential in it.
    pub fn text(&self, text: &str) -> String {
        self.words(text).unwrap_or_else(|| text.to_owned())
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
        if let Some((scheme, rest)) = value.trim().split_once(' ')
            && SCHEMES.contains(&scheme.to_ascii_lowercase().as_str())
            && rest.len() >= SCHEME_REST_CHARS_MIN
        {
            return Some(format!("{scheme} {}", self.of(rest.trim())));
        }
        let mut result = None;
        for word in value.split(SEPARATORS).filter(|word| is_key_shaped(word)) {
            let text = result.get_or_insert_with(|| value.to_owned());
            *text = text.replace(word, &self.of(word));
        }
        let text = result.as_deref().unwrap_or(value);
        if text.contains(['=', '?', '@', '%']) {
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
    if HARMLESS_NAMES.contains(&name) {
        return false;
    }
    let mut words = name.split(['-', '_', '.']);
    let last = name.rsplit(['-', '_', '.']).next().unwrap_or(name);
    // A session's id is how clients tell their conversations apart; a session alone is a cookie by another name.
    words.any(|word| CREDENTIAL_WORDS.contains(&word))
        || matches!(last, "key" | "session")
        || name == "chatgpt-account-id"
}
