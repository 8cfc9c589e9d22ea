//! Who may speak to the API.
//!
//! It owns the token, the cookie made from it, the one-time codes of links and the count of wrong attempts. It
//! refuses: a host that is not the monitor's (a page that rebinds its name to loopback), a request that a page of
//! another origin makes, and a request to the API without token or cookie. The page's files need no token; every
//! path under `/api` does, but for the exchange of a code.
//!
//! ```text
//! start link  http://127.0.0.1:8378/#code=…      the fragment never reaches a server or a log
//!   page      POST /api/session {code}           single use, ten minutes
//!   answer    Set-Cookie: flow_monitor_8378=…; HttpOnly; SameSite=Strict; Path=/
//! ```
//!
//! The cookie is a MAC of its own name under the token: it survives a restart, it does not give the token away,
//! and a new token ends it. Secrets are compared in constant time and are in no URL, log or `Debug` output.

mod attempts;
mod codes;
mod host;

use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::{hmac, rand};
use http::{HeaderMap, Method, Uri, header};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;
use thiserror::Error;

use self::attempts::Attempts;
use self::codes::Codes;
use self::host::{Authority, HostPattern};
use crate::error::{ApiError, ErrorCode};

/// Shortest token: below it guessing would be conceivable.
const TOKEN_CHARS_MIN: usize = 32;
/// How long a browser keeps the cookie.
const COOKIE_AGE_S_MAX: u32 = 30 * 24 * 3600;
/// Random bytes of a one-time code.
const CODE_BYTES: usize = 32;

/// The guard of one listener. Clones share their codes and counts.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

/// Why a guard cannot be made.
#[derive(Debug, Error)]
pub enum AccessError {
    /// The token is too short to be safe.
    #[error("the token has {chars} characters, it needs at least {TOKEN_CHARS_MIN}")]
    TokenTooShort {
        /// Its length.
        chars: usize,
    },
    /// An entry of `allowed_hosts` is no host.
    #[error("`{host}` is not a host name, an address, or one of them with a port")]
    Host {
        /// The entry.
        host: String,
    },
    /// The system gave no random bytes.
    #[error("the system gave no random bytes")]
    Random,
}

struct Inner {
    token: String,
    /// `http://host:port` of the page, without a slash at the end.
    ui_url: String,
    /// Port of the listener; names the cookie where a host names none.
    port: u16,
    allowed: Vec<HostPattern>,
    codes: Mutex<Codes>,
    attempts: Mutex<Attempts>,
}

/// What a path asks of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    /// Files of the page and the sign of life.
    Nothing,
    /// The exchange of a code: the code is the credential.
    Code,
    Token,
}

/// What a request showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Wrong,
    Bearer,
    Cookie,
}

// === impl Access ===

impl Access {
    /// Returns the guard of the listener on `port`, whose page is at `ui_url`.
    pub fn new(
        token: String,
        ui_url: &str,
        port: u16,
        allowed_hosts: &[String],
    ) -> Result<Self, AccessError> {
        let chars = token.chars().count();
        if chars < TOKEN_CHARS_MIN {
            return Err(AccessError::TokenTooShort { chars });
        }
        let allowed = allowed_hosts
            .iter()
            .map(|host| {
                HostPattern::parse(host).ok_or_else(|| AccessError::Host { host: host.clone() })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner {
            token,
            ui_url: ui_url.trim_end_matches('/').to_owned(),
            port,
            allowed,
            codes: Mutex::new(Codes::default()),
            attempts: Mutex::new(Attempts::new(Instant::now())),
        })))
    }

    /// Returns a link that signs a browser in, once.
    pub fn link(&self) -> Result<String, AccessError> {
        let code = random_code()?;
        let link = format!("{}/#code={code}", self.0.ui_url);
        self.0.codes.lock().add(code, Instant::now());
        Ok(link)
    }

    /// Decides whether a request may go on to its route.
    pub(crate) fn admit(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<(), ApiError> {
        let host = self.own_host(uri, headers)?;
        let need = need(method, uri.path());
        if need == Need::Nothing {
            return Ok(());
        }
        let origin = same_origin(headers, host)?;
        let shown = self.shown(headers, host, now)?;
        if need == Need::Token && !matches!(shown, Shown::Bearer | Shown::Cookie) {
            return Err(self.unauthorized(shown, now));
        }
        // A browser sends `Origin` with every write and upgrade; what has none must prove not to be a browser.
        if changes(method, headers) && !origin && shown == Shown::Cookie {
            return Err(ApiError::new(
                ErrorCode::CrossOrigin,
                "a write with a cookie needs the header `Origin`",
            ));
        }
        Ok(())
    }

    /// Takes a one-time code and returns the `Set-Cookie` that it buys.
    pub(crate) fn redeem(
        &self,
        code: &str,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<String, ApiError> {
        self.0.attempts.lock().check(now)?;
        if !self.0.codes.lock().redeem(code, now) {
            self.0.attempts.lock().note(now);
            return Err(ApiError::new(
                ErrorCode::CodeExpired,
                "the code is unknown, used already or older than ten minutes",
            ));
        }
        let host = single(headers, &header::HOST).and_then(Authority::parse);
        let name = self.cookie_name(host);
        let value = self.cookie_value(&name);
        Ok(format!(
            "{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={COOKIE_AGE_S_MAX}"
        ))
    }

    /// Returns the host that the request names, where it is the monitor's.
    fn own_host<'a>(
        &self,
        uri: &'a Uri,
        headers: &'a HeaderMap,
    ) -> Result<Authority<'a>, ApiError> {
        let refused = |what: &str| ApiError::new(ErrorCode::HostNotAllowed, what);
        let field = headers.get_all(header::HOST).iter().count();
        let named = single(headers, &header::HOST);
        if field > 1 || (field == 1 && named.is_none()) {
            return Err(refused("the header `Host` is not one host"));
        }
        // An absolute request target and HTTP/2's `:authority` stand in the URI; both must be ours then.
        let target = uri.authority().map(http::uri::Authority::as_str);
        let mut own = None;
        for text in named.into_iter().chain(target) {
            let host = Authority::parse(text).filter(|host| self.is_own(*host));
            own = Some(host.ok_or_else(|| refused("this host is not the monitor's"))?);
        }
        own.ok_or_else(|| refused("the request names no host"))
    }

    fn is_own(&self, host: Authority<'_>) -> bool {
        host.is_loopback() || self.0.allowed.iter().any(|pattern| pattern.matches(host))
    }

    /// Returns what the request shows, a right token included only while wrong ones are few.
    fn shown(
        &self,
        headers: &HeaderMap,
        host: Authority<'_>,
        now: Instant,
    ) -> Result<Shown, ApiError> {
        if headers.contains_key(header::AUTHORIZATION) {
            self.0.attempts.lock().check(now)?;
            let token = single(headers, &header::AUTHORIZATION).and_then(bearer);
            let right = token.is_some_and(|token| same_secret(token, &self.0.token));
            return Ok(if right { Shown::Bearer } else { Shown::Wrong });
        }
        let name = self.cookie_name(Some(host));
        let mut cookies = cookies(headers, &name).peekable();
        if cookies.peek().is_none() {
            return Ok(Shown::Nothing);
        }
        let expected = self.cookie_value(&name);
        // A stale cookie of an earlier token may stand beside the right one, and is no attempt at guessing.
        let right = cookies.fold(false, |right, cookie| {
            right | same_secret(cookie, &expected)
        });
        Ok(if right { Shown::Cookie } else { Shown::Nothing })
    }

    fn unauthorized(&self, shown: Shown, now: Instant) -> ApiError {
        if shown == Shown::Wrong {
            self.0.attempts.lock().note(now);
            return ApiError::new(ErrorCode::Unauthorized, "the token is wrong");
        }
        ApiError::new(ErrorCode::Unauthorized, "this needs the monitor's token")
    }

    /// Returns the cookie's name. Browsers share cookies between the ports of a host, so the port that the
    /// browser sees is part of it: behind a port mapping that is not the listener's.
    fn cookie_name(&self, host: Option<Authority<'_>>) -> String {
        let port = host.and_then(|host| host.port).unwrap_or(self.0.port);
        format!("flow_monitor_{port}")
    }

    fn cookie_value(&self, name: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.token.as_bytes());
        hex(hmac::sign(&key, name.as_bytes()).as_ref())
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("ui_url", &self.0.ui_url)
            .field("allowed", &self.0.allowed)
            .finish_non_exhaustive()
    }
}

// === helpers ===

/// Returns what a path asks of a request. Whatever could be a route of the API asks for a token.
fn need(method: &Method, path: &str) -> Need {
    if path == "/api/session" && method == Method::POST {
        Need::Code
    } else if path == "/events" || path == "/api" || path.starts_with("/api/") {
        Need::Token
    } else {
        Need::Nothing
    }
}

/// Returns whether the request changes something, or opens a connection that CORS does not guard.
fn changes(method: &Method, headers: &HeaderMap) -> bool {
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS].contains(method);
    !reads || headers.contains_key(header::UPGRADE)
}

/// Refuses what a page of another origin sends; returns whether the request says that it is of this origin.
///
/// Another port of the same host is another origin too, though browsers send it the cookie.
fn same_origin(headers: &HeaderMap, host: Authority<'_>) -> Result<bool, ApiError> {
    let refused = |what: &str| Err(ApiError::new(ErrorCode::CrossOrigin, what));
    for site in headers.get_all("sec-fetch-site") {
        if site != "same-origin" && site != "none" {
            return refused("the request comes from a page of another origin");
        }
    }
    if !headers.contains_key(header::ORIGIN) {
        return Ok(false);
    }
    let own = single(headers, &header::ORIGIN).is_some_and(|origin| host.is_origin(origin));
    if own {
        Ok(true)
    } else {
        refused("the request comes from a page of another origin")
    }
}

/// Returns the value of a header that is there once and is text.
fn single<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.to_str().ok())?
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim_start_matches(' '))
}

fn cookies<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter_map(move |(key, value)| (key == name).then_some(value))
}

fn same_secret(shown: &str, secret: &str) -> bool {
    shown.as_bytes().ct_eq(secret.as_bytes()).into()
}

fn random_code() -> Result<String, AccessError> {
    let mut bytes = [0; CODE_BYTES];
    rand::fill(&mut bytes).map_err(|_| AccessError::Random)?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

#[cfg(test)]
mod tests;
