//! Upstreams that the user defines as `NAME=URL`.

use std::str::FromStr;
use std::sync::Arc;

use url::{Host, Url};

use super::version::{VersionRule, is_version};
use super::{LABEL_BYTES_MAX, Origin, Place, Scheme, Upstream, built_in};

/// Why a user's upstream is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UpstreamError {
    /// The text has no equals sign.
    #[error("an upstream is given as NAME=URL, such as local=http://127.0.0.1:8000/v1")]
    NoName,
    /// The name cannot stand in a path.
    #[error(
        "the upstream name {name:?} may hold lower-case letters, digits, `-` and `_` only, at most 63"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The name means something else in a path.
    #[error("the upstream name {name:?} is reserved")]
    Reserved {
        /// The name.
        name: String,
    },
    /// The URL cannot be read.
    #[error("the URL of the upstream {name:?} cannot be read")]
    Url {
        /// The upstream's name.
        name: String,
        /// What is wrong with it.
        #[source]
        source: url::ParseError,
    },
    /// The URL is of another kind than an upstream's.
    #[error("the URL of the upstream {name:?} must {must}")]
    Kind {
        /// The upstream's name.
        name: String,
        /// What it must do.
        must: &'static str,
    },
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let (name, url) = text.split_once('=').ok_or(UpstreamError::NoName)?;
        Self::defined(name.trim(), url.trim())
    }
}

impl Upstream {
    /// Returns the upstream that a user defined. It takes the place of a built-in one of the same name.
    pub fn defined(name: &str, url: &str) -> Result<Self, UpstreamError> {
        check_name(name)?;
        let url = Url::parse(url).map_err(|source| UpstreamError::Url {
            name: name.to_owned(),
            source,
        })?;
        let origin = origin(&url).map_err(|must| UpstreamError::Kind {
            name: name.to_owned(),
            must,
        })?;
        let (base_path, version) = split_version(url.path());
        let same = built_in().find(|upstream| upstream.name == name);
        let api = same.as_ref().and_then(|same| same.api);
        let rule = same.map(|same| same.version);
        let rule = match (version, rule) {
            (Some(version), rule) => rule.unwrap_or(VersionRule::AsReceived).named(version),
            (None, rule) => rule.unwrap_or(VersionRule::OPENAI),
        };
        Ok(Self {
            name: name.to_owned(),
            provider: name.to_owned(),
            api,
            place: Place::Fixed(Arc::new(origin)),
            base_path: base_path.to_owned(),
            version: rule,
        })
    }
}

/// Returns the URL's origin, or what the URL must do to be an upstream's.
fn origin(url: &Url) -> Result<Origin, &'static str> {
    let scheme = match url.scheme() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err("begin with http:// or https://"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("hold no user name or password: clients send their own credentials");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("end with its path, without `?` and `#`");
    }
    let host = match url.host() {
        Some(Host::Domain(host)) => host.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err("name a host"),
    };
    let port = url.port_or_known_default().ok_or("name a port")?;
    Ok(Origin::new(scheme, &host, port))
}

fn check_name(name: &str) -> Result<(), UpstreamError> {
    let plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let owned = || name.to_owned();
    if name.is_empty() || name.len() > LABEL_BYTES_MAX || !name.bytes().all(plain) {
        return Err(UpstreamError::Name { name: owned() });
    }
    if name == "run" || is_version(name) {
        return Err(UpstreamError::Reserved { name: owned() });
    }
    Ok(())
}

/// Returns the path before the version segment, and the version where the path ends with one.
fn split_version(path: &str) -> (&str, Option<&str>) {
    let path = path.trim_end_matches('/');
    match path.rsplit_once('/') {
        Some((before, last)) if is_version(last) => (before, Some(last)),
        _ => (path, None),
    }
}
