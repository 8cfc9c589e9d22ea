//! What is secret in a head or a URL, found and replaced by a fingerprint.
//!
//! A fingerprint is `redacted-<last four characters>-<keyed hash>`: enough to tell two keys apart and to
//! recognise one's own, useless to whoever reads the record. The hash is keyed with a secret of the
//! installation, so that a short or guessable credential cannot be found by trying. Secrets inside bodies are
//! not looked for here.

mod headers;
mod url;

use aws_lc_rs::hmac;

/// Secrets shorter than this show none of their characters.
const LAST_FOUR_CHARS_MIN: usize = 16;
/// Bytes of the keyed hash that a fingerprint shows.
const HASH_BYTES: usize = 6;

/// Makes fingerprints of credentials.
pub struct Fingerprints {
    key: hmac::Key,
}

impl Fingerprints {
    /// Returns the maker of fingerprints keyed with the installation's secret.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
        }
    }

    /// Returns the fingerprint of a secret. It consists of characters that need no escaping in a URL.
    pub fn of(&self, secret: &str) -> String {
        let mut text = String::from("redacted-");
        let count = secret.chars().count();
        if count >= LAST_FOUR_CHARS_MIN {
            text.extend(secret.chars().skip(count - 4).map(plain));
            text.push('-');
        }
        let tag = hmac::sign(&self.key, secret.as_bytes());
        for byte in tag.as_ref().iter().take(HASH_BYTES) {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        text
    }
}

/// Returns the character itself where it needs no escaping anywhere, else an underscore.
const fn plain(character: char) -> char {
    if character.is_ascii_alphanumeric() {
        character
    } else {
        '_'
    }
}

/// Prefixes by which vendors mark their keys, with the shortest length of such a key.
const KEY_PREFIXES: [(&str, usize); 14] = [
    ("sk-", 20),
    ("sk_", 20),
    ("AIza", 30),
    ("xai-", 20),
    ("gsk_", 20),
    ("hf_", 20),
    ("pplx-", 20),
    ("r8_", 20),
    ("ghp_", 20),
    ("github_pat_", 20),
    ("AKIA", 20),
    ("ASIA", 20),
    ("ya29.", 20),
    ("eyJ", 40),
];

/// Returns whether a word has the shape of a vendor's key or of a signed token.
fn is_key_shaped(word: &str) -> bool {
    KEY_PREFIXES
        .iter()
        .any(|(prefix, chars_min)| word.len() >= *chars_min && word.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use flow_model::Header;

    use super::*;

    fn fingerprints() -> Fingerprints {
        Fingerprints::new([7; 32])
    }

    fn header(name: &str, value: &str) -> Header {
        Header {
            name: name.to_owned(),
            value: value.to_owned(),
            latin1: false,
        }
    }

    #[test]
    fn fingerprint_tells_secrets_apart_and_hides_short_ones() {
        let prints = fingerprints();
        let long = prints.of("sk-live-0123456789abcdEFGH");
        assert!(long.starts_with("redacted-EFGH-"), "{long}");
        assert_eq!(long.len(), "redacted-EFGH-".len() + 12);
        assert_eq!(long, prints.of("sk-live-0123456789abcdEFGH"));
        assert_ne!(long, prints.of("sk-live-0123456789abcdEFGI"));
        assert_ne!(
            long,
            Fingerprints::new([8; 32]).of("sk-live-0123456789abcdEFGH")
        );
        let short = prints.of("hunter2");
        assert!(
            !short.contains("ter2") && short.starts_with("redacted-"),
            "{short}"
        );
        assert!(prints.of("密码密码密码密码密码密码密码密码密码").is_ascii());
    }

    #[test]
    fn headers_lose_credentials_and_keep_the_rest() {
        let key = "sk-ant-0123456789abcdefghijkl";
        let secret = [
            header("Authorization", &format!("Bearer {key}")),
            header("authorization", &format!("Basic {key}")),
            header("authorization", key),
            header("X-Api-Key", key),
            header("api-key", key),
            header("x-goog-api-key", key),
            header("X-Amz-Security-Token", key),
            header("chatgpt-account-id", key),
            header("Cookie", &format!("sid={key}; theme=dark")),
            header("Set-Cookie", &format!("sid={key}; Path=/; HttpOnly")),
            header("x-anything", &format!("Bearer {key}")),
            header("x-forwarded-auth", &format!("token={key}")),
            header("x-client-secret", "hunter2"),
            header("referer", &format!("https://host/path?a=1&key={key}")),
            header(
                "authorization",
                &format!("AWS4-HMAC-SHA256 Credential={key}/x, Signature=abc"),
            ),
        ];
        for one in secret {
            let mut headers = vec![one.clone()];
            fingerprints().headers(&mut headers);
            let value = &headers[0].value;
            assert!(
                !value.contains(key) && !value.contains("hunter2"),
                "{one:?} became {value}"
            );
            assert!(value.contains("redacted-"), "{one:?} became {value}");
            assert_eq!(headers[0].name, one.name);
        }
        let plain = [
            header("content-type", "application/json"),
            header("anthropic-ratelimit-tokens-remaining", "4000"),
            header("x-ratelimit-limit-tokens", "30000"),
            header("idempotency-key", "stainless-retry-1"),
            header("openai-organization", "org-1"),
            header("user-agent", "OpenAI/Python 3.52.0"),
            header("x-claude-code-session-id", "2b1f-44"),
        ];
        for one in plain {
            let mut headers = vec![one.clone()];
            fingerprints().headers(&mut headers);
            assert_eq!(headers[0], one);
        }
    }

    #[test]
    fn scheme_and_cookie_names_stay() {
        let mut headers = vec![
            header("authorization", "Bearer abcdefghijklmnopqrst"),
            header("cookie", "a=1; b=2"),
        ];
        fingerprints().headers(&mut headers);
        assert!(
            headers[0].value.starts_with("Bearer redacted-qrst-"),
            "{}",
            headers[0].value
        );
        let cookie = &headers[1].value;
        assert!(
            cookie.starts_with("a=redacted-") && cookie.contains("; b=redacted-"),
            "{cookie}"
        );
    }

    #[test]
    fn urls_lose_keys_and_user_info() {
        let prints = fingerprints();
        let check = |url: &str, secret: &str| {
            let redacted = prints.url(url);
            assert!(!redacted.contains(secret), "{url} became {redacted}");
            assert!(redacted.contains("redacted-"), "{url} became {redacted}");
        };
        check(
            "/v1beta/models/m:generateContent?key=AIzaSecretSecret",
            "AIzaSecretSecret",
        );
        check("/v1/x?alt=sse&%6Bey=AIzaSecretSecret", "AIzaSecretSecret");
        check("/v1/x?API_KEY=hunter2hunter2", "hunter2hunter2");
        check("/v1/x?X-Amz-Signature=deadbeef", "deadbeef");
        check("https://user:hunter2@host/v1", "hunter2");
        check("/x#access_token=hunter2", "hunter2");
        check("/x?q=sk-0123456789abcdefghijk", "sk-0123456789");
        for same in [
            "/v1/chat/completions",
            "/v1/x?alt=sse&beta=true",
            "https://host/a?b",
            "/x?y=a%20b&&z=",
            "",
            "?",
        ] {
            assert_eq!(prints.url(same), same);
        }
    }
}
