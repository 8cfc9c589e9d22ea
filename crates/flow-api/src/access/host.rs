//! Hosts as requests name them.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A host that is allowed besides loopback, at one port or at any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostPattern {
    name: String,
    port: Option<u16>,
}

/// A host and perhaps a port, as in the header `Host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Authority<'a> {
    /// Name or address, an IPv6 address in its brackets.
    pub(super) name: &'a str,
    pub(super) port: Option<u16>,
}

// === impl HostPattern ===

impl HostPattern {
    /// Returns the pattern that a setting spells, `name` or `name:port`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let Authority { name, port } = Authority::parse(text)?;
        Some(Self {
            name: name.to_owned(),
            port,
        })
    }

    pub(super) fn matches(&self, host: Authority<'_>) -> bool {
        let port = self.port.is_none() || self.port == host.port;
        port && self.name.eq_ignore_ascii_case(host.name)
    }
}

// === impl Authority ===

impl<'a> Authority<'a> {
    /// Returns the parts of a host; none for anything that is not plainly one, such as user information.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let end = if text.starts_with('[') {
            text.find(']')? + 1
        } else {
            text.find(':').unwrap_or(text.len())
        };
        let (name, rest) = text.split_at_checked(end)?;
        let port = match rest.strip_prefix(':') {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
            None if rest.is_empty() => None,
            None => return None,
        };
        let known = if name.starts_with('[') {
            ipv6(name).is_some()
        } else {
            let plain =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            !name.is_empty() && name.bytes().all(plain)
        };
        known.then_some(Self { name, port })
    }

    /// Returns whether the host is this machine by a name that no other name server can give away.
    pub(super) fn is_loopback(self) -> bool {
        self.name.eq_ignore_ascii_case("localhost")
            || self
                .name
                .parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
            || ipv6(self.name) == Some(Ipv6Addr::LOCALHOST)
    }

    /// Returns whether `origin` is the origin of this host.
    pub(super) fn is_origin(self, origin: &str) -> bool {
        let Some((scheme, rest)) = origin.split_once("://") else {
            return false;
        };
        let port = match scheme {
            "http" => 80,
            "https" => 443,
            _ => return false,
        };
        Authority::parse(rest).is_some_and(|other| {
            other.name.eq_ignore_ascii_case(self.name)
                && other.port.unwrap_or(port) == self.port.unwrap_or(port)
        })
    }
}

fn ipv6(name: &str) -> Option<Ipv6Addr> {
    name.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_by_its_own_names_only() {
        let check = |text: &str, expect: Option<bool>| {
            let loopback = Authority::parse(text).map(Authority::is_loopback);
            assert_eq!(loopback, expect, "{text}");
        };
        check("localhost", Some(true));
        check("LOCALHOST:8378", Some(true));
        check("127.0.0.1:1", Some(true));
        check("127.8.9.10", Some(true));
        check("[::1]:8378", Some(true));
        check("[0:0:0:0:0:0:0:1]", Some(true));
        check("localhost.", Some(false));
        check("127.1", Some(false));
        check("0x7f.0.0.1", Some(false));
        check("128.0.0.1", Some(false));
        check("0.0.0.0:8378", Some(false));
        check("[::ffff:127.0.0.1]", Some(false));
        check("localhost.evil.example", Some(false));
        check("evil.example:8378", Some(false));
        check("", None);
        check(":8378", None);
        check("localhost:", None);
        check("localhost:+80", None);
        check("localhost:99999", None);
        check("localhost:80:80", None);
        check("user@localhost", None);
        check("[::1", None);
        check("[::1]x", None);
        check("[localhost]", None);
        check("local host", None);
    }

    #[test]
    fn patterns_match_their_port_or_any() {
        let check = |pattern: &str, host: &str, expect: bool| {
            let pattern = HostPattern::parse(pattern).unwrap();
            let matches = pattern.matches(Authority::parse(host).unwrap());
            assert_eq!(matches, expect, "{pattern:?} {host}");
        };
        check("monitor.lan", "monitor.lan:9000", true);
        check("monitor.lan", "Monitor.LAN", true);
        check("monitor.lan:9000", "monitor.lan:9000", true);
        check("monitor.lan:9000", "monitor.lan:9001", false);
        check("monitor.lan:9000", "monitor.lan", false);
        check("monitor.lan", "a.monitor.lan", false);
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let check = |host: &str, origin: &str, expect: bool| {
            let host = Authority::parse(host).unwrap();
            assert_eq!(host.is_origin(origin), expect, "{host:?} {origin}");
        };
        check("localhost:8378", "http://localhost:8378", true);
        check("monitor.lan", "https://monitor.lan", true);
        check("monitor.lan:443", "https://monitor.lan", true);
        check("localhost:8378", "http://localhost:8377", false);
        check("localhost:8378", "http://127.0.0.1:8378", false);
        check("localhost:8378", "http://localhost", false);
        check("localhost:8378", "null", false);
        check("localhost:8378", "file://localhost:8378", false);
        check("localhost:8378", "http://localhost:8378/", false);
        check(
            "localhost:8378",
            "http://localhost:8378@evil.example",
            false,
        );
    }
}
