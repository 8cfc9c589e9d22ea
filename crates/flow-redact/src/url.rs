//! Credentials in URLs and request targets.

use percent_encoding::percent_decode_str;

use crate::{Fingerprints, is_key_shaped};

/// Names of query parameters that carry a credential: lower-case letters and digits of the name alone.
const CREDENTIAL_NAMES: [&str; 9] = [
    "auth",
    "authorization",
    "bearer",
    "code",
    "jwt",
    "pass",
    "session",
    "sig",
    "signature",
];

/// Parts of such names.
const CREDENTIAL_PARTS: [&str; 6] = [
    "secret",
    "passw",
    "pwd",
    "credential",
    "signature",
    "apikey",
];

/// Parameters that end like a secret and hold none.
const HARMLESS_NAMES: [&str; 3] = ["maxtokens", "numtokens", "tokens"];

impl Fingerprints {
    /// Returns a URL or request target without user information and with every credential in its path, query
    /// and fragment replaced. Everything else stays as it is, byte for byte.
    pub fn url(&self, url: &str) -> String {
        let (base, rest) = match url.find(['?', '#']) {
            Some(at) => url.split_at(at),
            // A header may hold parameters without a URL in front.
            None if url.contains('=') && !url.contains('/') => ("", url),
            None => (url, ""),
        };
        let mut result = self.path(&self.without_user_info(base));
        let mut start = 0;
        for (at, separator) in rest.match_indices(['?', '#', '&', ';']) {
            result.push_str(&self.parameter(rest.get(start..at).unwrap_or_default()));
            result.push_str(separator);
            start = at + separator.len();
        }
        result.push_str(&self.parameter(rest.get(start..).unwrap_or_default()));
        result
    }

    fn without_user_info(&self, base: &str) -> String {
        let (scheme, rest) = match base.split_once("://") {
            Some((scheme, rest)) => (Some(scheme), rest),
            None => (None, base),
        };
        let authority = rest.split('/').next().unwrap_or(rest);
        // Without a scheme only a password tells user information from a mail address.
        let Some((user_info, _)) = authority
            .rsplit_once('@')
            .filter(|(user_info, _)| scheme.is_some() || user_info.contains(':'))
        else {
            return base.to_owned();
        };
        let after = rest.get(user_info.len()..).unwrap_or_default();
        let scheme = scheme
            .map(|scheme| format!("{scheme}://"))
            .unwrap_or_default();
        format!("{scheme}{}{after}", self.of(user_info))
    }

    fn path(&self, base: &str) -> String {
        if !base.split('/').any(is_secret_word) {
            return base.to_owned();
        }
        let segments = base.split('/').map(|segment| {
            if is_secret_word(segment) {
                self.of(segment)
            } else {
                segment.to_owned()
            }
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn parameter(&self, parameter: &str) -> String {
        let Some((name, value)) = parameter.split_once('=') else {
            if is_secret_word(parameter) {
                return self.of(parameter);
            }
            return parameter.to_owned();
        };
        if !value.is_empty() && (is_credential_name(name) || self.holds_credential(value)) {
            format!("{name}={}", self.of(value))
        } else {
            parameter.to_owned()
        }
    }

    /// Returns whether a parameter's value is or contains a credential, decoded once.
    fn holds_credential(&self, value: &str) -> bool {
        let plain = decoded(value);
        let scheme = plain.get(..7).unwrap_or_default();
        let nested = plain != value && (plain.contains('=') || plain.contains('@'));
        plain.split([' ', ',', '/', ':', '"']).any(is_key_shaped)
            || scheme.eq_ignore_ascii_case("bearer ")
            || (nested && self.url(&plain) != plain)
    }
}

/// Returns the text with percent signs and plus signs undone.
fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

fn is_secret_word(word: &str) -> bool {
    is_key_shaped(word) || (word.contains('%') && is_key_shaped(&decoded(word)))
}

/// Returns whether a parameter of this name carries a credential, however the name is spelled.
fn is_credential_name(name: &str) -> bool {
    let decoded = decoded(name);
    let letters = decoded.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    !HARMLESS_NAMES.contains(&plain.as_str())
        && (CREDENTIAL_NAMES.contains(&plain.as_str())
            || plain.ends_with("key")
            || plain.ends_with("token")
            || CREDENTIAL_PARTS.iter().any(|part| plain.contains(part)))
}
