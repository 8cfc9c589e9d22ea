//! Scheme, host and port of an upstream.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use bytes::Bytes;
use http::HeaderValue;

/// Scheme of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Clear text.
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// Returns its name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// Scheme, host and port: what a connection belongs to.
#[derive(Clone, Debug)]
pub struct Origin {
    scheme: Scheme,
    host: String,
    port: u16,
    authority: HeaderValue,
}

impl Origin {
    /// Returns the origin of a host name or an address; an IPv6 address stands without brackets.
    ///
    /// Hosts come from the built-in table, from templates filled with a host label, or from a parsed URL.
    pub(crate) fn new(scheme: Scheme, host: &str, port: u16) -> Self {
        let shown = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.to_owned()
        };
        let authority = if port == scheme.port() {
            shown
        } else {
            format!("{shown}:{port}")
        };
        Self {
            scheme,
            host: host.to_owned(),
            port,
            authority: HeaderValue::from_maybe_shared(Bytes::from(authority))
                .unwrap_or_else(|_| HeaderValue::from_static("invalid")),
        }
    }

    /// Returns the scheme.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns what the `Host` header says: the port stands only where it is not the scheme's own.
    pub const fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    pub(crate) fn authority_text(&self) -> &str {
        self.authority.to_str().unwrap_or_default()
    }

    /// Returns whether the host is this machine by its name or address.
    pub(crate) fn is_loopback(&self) -> bool {
        self.host.eq_ignore_ascii_case("localhost")
            || self
                .host
                .parse()
                .is_ok_and(|address: IpAddr| address.to_canonical().is_loopback())
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.port == other.port && self.host == other.host
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.host.hash(state);
        self.port.hash(state);
        self.scheme.hash(state);
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority_text())
    }
}
