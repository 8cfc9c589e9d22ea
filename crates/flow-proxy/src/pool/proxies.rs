//! The proxy on the way to upstreams, as the environment names it.

use std::fmt;
use std::sync::Arc;

use http::{HeaderValue, Uri};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use crate::upstreams::Origin;

/// Why a variable of the environment names no proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// The value is no URL of a proxy.
    #[error("{variable} holds no URL of an http, https or socks5 proxy")]
    Url {
        /// The variable's name.
        variable: &'static str,
    },
}

/// The proxy on the way to upstreams. Upstreams on this machine are always reached directly.
#[derive(Clone)]
pub struct ProxyEnvironment(Option<Arc<Matcher>>);

/// How to speak to the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ProxyKind {
    /// `CONNECT` over clear text or TLS.
    Http {
        tls: bool,
        authorization: Option<HeaderValue>,
    },
    /// SOCKS5; the upstream's name is resolved by the proxy.
    Socks5 { login: Option<(String, String)> },
}

/// A proxy to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Via {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) kind: ProxyKind,
}

impl ProxyEnvironment {
    /// Returns no proxy.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Returns the proxies that these values of `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` name.
    pub fn new(http: &str, https: &str, all: &str, no: &str) -> Result<Self, EnvironmentError> {
        let probe = Uri::from_static("https://upstream.invalid/");
        for (variable, value) in [
            ("http_proxy", http),
            ("https_proxy", https),
            ("all_proxy", all),
        ] {
            let found = Matcher::builder().all(value).build().intercept(&probe);
            if !value.is_empty() && found.as_ref().and_then(via).is_none() {
                return Err(EnvironmentError::Url { variable });
            }
        }
        if http.is_empty() && https.is_empty() && all.is_empty() {
            return Ok(Self::none());
        }
        let matcher = Matcher::builder()
            .http(http)
            .https(https)
            .all(all)
            .no(no)
            .build();
        Ok(Self(Some(Arc::new(matcher))))
    }

    /// Returns the proxy for an upstream.
    pub(super) fn via(&self, origin: &Origin) -> Option<Via> {
        let matcher = self.0.as_ref().filter(|_| !origin.is_loopback())?;
        let uri = Uri::try_from(origin.to_string()).ok()?;
        matcher.intercept(&uri).as_ref().and_then(via)
    }
}

fn via(intercept: &Intercept) -> Option<Via> {
    let uri = intercept.uri();
    let host = uri
        .host()?
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    let login = || {
        intercept
            .raw_auth()
            .map(|(user, password)| (user.to_owned(), password.to_owned()))
    };
    let authorization = || intercept.basic_auth().cloned();
    let (kind, port) = match uri.scheme_str()? {
        "http" => (
            ProxyKind::Http {
                tls: false,
                authorization: authorization(),
            },
            80,
        ),
        "https" => (
            ProxyKind::Http {
                tls: true,
                authorization: authorization(),
            },
            443,
        ),
        "socks5" | "socks5h" => (ProxyKind::Socks5 { login: login() }, 1080),
        _ => return None,
    };
    let port = uri.port_u16().unwrap_or(port);
    Some(Via { host, port, kind })
}

impl fmt::Debug for ProxyEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyEnvironment")
            .field("is_set", &self.0.is_some())
            .finish_non_exhaustive()
    }
}

/// Returns the port-bearing authority that a tunnel is asked for.
pub(super) fn tunnel_authority(origin: &Origin) -> String {
    if origin.host().contains(':') {
        format!("[{}]:{}", origin.host(), origin.port())
    } else {
        format!("{}:{}", origin.host(), origin.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstreams::Scheme;

    fn check(values: [&str; 4], origin: (Scheme, &str), expect: Option<(&str, u16)>) {
        let [http, https, all, no] = values;
        let environment = ProxyEnvironment::new(http, https, all, no).unwrap();
        let via = environment.via(&Origin::new(origin.0, origin.1, 443));
        let shown = via.as_ref().map(|via| (via.host.as_str(), via.port));
        assert_eq!(shown, expect, "{values:?} {origin:?}");
    }

    #[test]
    fn the_environment_chooses_the_proxy() {
        let api = (Scheme::Https, "api.openai.com");
        check(["", "", "", ""], api, None);
        check(["", "http://p:3128", "", ""], api, Some(("p", 3128)));
        check(["http://p:3128", "", "", ""], api, None);
        check(["", "", "socks5://p", ""], api, Some(("p", 1080)));
        check(["", "https://p", "socks5://q", ""], api, Some(("p", 443)));
        check(["", "http://p:3128", "", "openai.com"], api, None);
        check(["", "http://p:3128", "", "*"], api, None);
        check(["", "http://[::1]:3128", "", ""], api, Some(("::1", 3128)));
    }

    #[test]
    fn this_machine_is_reached_directly() {
        for host in ["localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            check(
                ["http://p:1", "http://p:1", "http://p:1", ""],
                (Scheme::Http, host),
                None,
            );
        }
    }

    #[test]
    fn a_value_that_names_no_proxy_is_an_error() {
        for value in ["ftp://p", "socks4://p:1", "http://", "::"] {
            let found = ProxyEnvironment::new("", value, "", "").err();
            assert_eq!(
                found,
                Some(EnvironmentError::Url {
                    variable: "https_proxy"
                }),
                "{value}"
            );
        }
    }
}
