//! Credentials in URLs and request targets.

use percent_encoding::percent_decode_str;

use crate::{Fingerprints, is_key_shaped};

/// Query parameters that carry a credential, in lower case with `-` for `_`.
const CREDENTIAL_PARAMETERS: [&str; 17] = [
    "key",
    "api-key",
    "apikey",
    "access-token",
    "refresh-token",
    "id-token",
    "auth-token",
    "token",
    "auth",
    "authorization",
    "secret",
    "client-secret",
    "password",
    "sig",
    "signature",
    "x-amz-signature",
    "x-amz-security-token",
];

impl Fingerprints {
    /// Returns a URL or request target without user information and with every credential in its query and
    /// fragment replaced. Everything else stays as it is, byte for byte.
    pub fn url(&self, url: &str) -> String {
        let (base, rest) = match url.find(['?', '#']) {
            Some(at) => url.split_at(at),
            None => (url, ""),
        };
        let mut result = self.without_user_info(base);
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
        let Some((scheme, rest)) = base.split_once("://") else {
            return base.to_owned();
        };
        let authority = rest.split('/').next().unwrap_or(rest);
        let Some((user_info, _)) = authority.rsplit_once('@') else {
            return base.to_owned();
        };
        let after = rest.get(user_info.len()..).unwrap_or_default();
        format!("{scheme}://{}{after}", self.of(user_info))
    }

    fn parameter(&self, parameter: &str) -> String {
        let Some((name, value)) = parameter.split_once('=') else {
            return parameter.to_owned();
        };
        let plain = percent_decode_str(name)
            .decode_utf8_lossy()
            .to_ascii_lowercase()
            .replace('_', "-");
        let secret = CREDENTIAL_PARAMETERS.contains(&plain.as_str())
            || plain == "x-amz-credential"
            || is_key_shaped(value);
        if secret && !value.is_empty() {
            format!("{name}={}", self.of(value))
        } else {
            parameter.to_owned()
        }
    }
}
