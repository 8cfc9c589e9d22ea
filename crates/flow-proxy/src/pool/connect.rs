//! From an origin to a stream on which HTTP can be spoken: name lookup, TCP, proxy, TLS.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use flow_capture::ConnectTimings;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::guard::OwnListeners;
use super::proxies::{ProxyEnvironment, ProxyKind, Via};
use super::roots::TlsSettings;
use super::transport::Transport;
use super::{socks, tunnel};
use crate::heads::Leg;
use crate::settings::Settings;
use crate::upstreams::{Origin, Scheme};

/// Longest time for one address while others have not been tried.
const ATTEMPT_TIME_MAX: Duration = Duration::from_secs(3);

/// Why no connection stands. Messages are shown to users and hold no credentials.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("the name {host} could not be resolved")]
    Lookup { host: String, source: io::Error },
    #[error("the name {host} has no address")]
    NoAddress { host: String },
    #[error("{host} is a listener of the monitor's own, which it does not connect to")]
    OwnListener { host: String },
    #[error("no connection to {host} port {port}")]
    Tcp {
        host: String,
        port: u16,
        source: io::Error,
    },
    #[error("no connection to {host} within {} ms", limit.as_millis())]
    Timeout { host: String, limit: Duration },
    #[error("no TLS connection to {host}: {reason}")]
    Tls { host: String, reason: String },
    #[error("no TLS connection to {host} within {} ms", limit.as_millis())]
    TlsTimeout { host: String, limit: Duration },
    #[error("the proxy {proxy} opens no way to {host}: {reason}")]
    Proxy {
        proxy: String,
        host: String,
        reason: String,
    },
    #[error("no HTTP connection to {host}")]
    Http { host: String, source: hyper::Error },
}

/// Makes connections.
#[derive(Debug)]
pub(crate) struct Connector {
    environment: ProxyEnvironment,
    tls: TlsSettings,
    own_listeners: OwnListeners,
}

/// A stream that stands.
pub(super) struct Made {
    pub(super) transport: Transport,
    pub(super) leg: Leg,
    pub(super) timings: ConnectTimings,
}

impl Connector {
    pub(crate) fn new(
        environment: ProxyEnvironment,
        extra_roots: Vec<CertificateDer<'static>>,
        own_listeners: OwnListeners,
    ) -> Self {
        Self {
            environment,
            tls: TlsSettings::new(extra_roots),
            own_listeners,
        }
    }

    pub(super) async fn connect(
        &self,
        origin: &Origin,
        settings: &Settings,
    ) -> Result<Made, ConnectError> {
        let mut timings = ConnectTimings::default();
        let transport = match self.environment.via(origin) {
            Some(via) => self.through(&via, origin, settings, &mut timings).await?,
            None => {
                self.tcp(origin.host(), origin.port(), settings, &mut timings)
                    .await?
            }
        };
        if origin.scheme() == Scheme::Http {
            return Ok(Made {
                transport,
                leg: Leg::Http1,
                timings,
            });
        }
        let config = self.tls.upstream().await;
        let started = Instant::now();
        let stream = tls(origin.host(), config, transport, settings.tls_timeout).await?;
        timings.tls_us = Some(micros(started));
        let leg = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Leg::Http2,
            _ => Leg::Http1,
        };
        let transport = Transport::Tls(Box::new(stream));
        Ok(Made {
            transport,
            leg,
            timings,
        })
    }

    /// Returns a way through a proxy to the upstream's port. The proxy's steps count as connecting.
    async fn through(
        &self,
        via: &Via,
        origin: &Origin,
        settings: &Settings,
        timings: &mut ConnectTimings,
    ) -> Result<Transport, ConnectError> {
        let started = Instant::now();
        let mut transport = self.tcp(&via.host, via.port, settings, timings).await?;
        if matches!(via.kind, ProxyKind::Http { tls: true, .. }) {
            let config = self.tls.proxy().await;
            let stream = tls(&via.host, config, transport, settings.tls_timeout).await?;
            transport = Transport::Tls(Box::new(stream));
        }
        let asked = async {
            match &via.kind {
                ProxyKind::Http { authorization, .. } => {
                    let opened = tunnel::open(&mut transport, origin, authorization.as_ref()).await;
                    opened.map_err(|error| error.to_string())
                }
                ProxyKind::Socks5 { login } => {
                    let opened = socks::open(&mut transport, origin, login.as_ref()).await;
                    opened.map_err(|error| error.to_string())
                }
            }
        };
        let refused = |reason| ConnectError::Proxy {
            proxy: via.host.clone(),
            host: origin.host().to_owned(),
            reason,
        };
        match timeout(settings.connect_timeout, asked).await {
            Ok(Ok(())) => {}
            Ok(Err(reason)) => return Err(refused(reason)),
            Err(_) => return Err(refused("it did not answer in time".to_owned())),
        }
        timings.connect_us = Some(micros(started));
        Ok(transport)
    }

    async fn tcp(
        &self,
        host: &str,
        port: u16,
        settings: &Settings,
        timings: &mut ConnectTimings,
    ) -> Result<Transport, ConnectError> {
        let limit = settings.connect_timeout;
        let late = || ConnectError::Timeout {
            host: host.to_owned(),
            limit,
        };
        let addresses = match host.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => {
                let started = Instant::now();
                let found = timeout(limit, lookup(host, port))
                    .await
                    .map_err(|_| late())??;
                timings.dns_us = Some(micros(started));
                found
            }
        };
        if addresses
            .iter()
            .any(|address| self.own_listeners.contains(*address))
        {
            return Err(ConnectError::OwnListener {
                host: host.to_owned(),
            });
        }
        let started = Instant::now();
        let stream = timeout(limit, try_each(&addresses))
            .await
            .map_err(|_| late())?;
        let stream = stream.map_err(|source| ConnectError::Tcp {
            host: host.to_owned(),
            port,
            source,
        })?;
        timings.connect_us = Some(micros(started));
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        Ok(Transport::Tcp(stream))
    }
}

async fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    let found = tokio::net::lookup_host((host, port)).await;
    let found = found.map_err(|source| ConnectError::Lookup {
        host: host.to_owned(),
        source,
    })?;
    let addresses: Vec<_> = found.collect();
    if addresses.is_empty() {
        return Err(ConnectError::NoAddress {
            host: host.to_owned(),
        });
    }
    Ok(alternate(addresses))
}

/// Returns the addresses with the two families in turn, so that a family without a route costs one attempt.
fn alternate(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == first_is_v6);
    for (index, address) in second.into_iter().enumerate() {
        first.insert((2 * index + 1).min(first.len()), address);
    }
    first
}

/// Returns a connection to the first address that answers. The last one has all the time that is left.
async fn try_each(addresses: &[SocketAddr]) -> io::Result<TcpStream> {
    let Some((last, others)) = addresses.split_last() else {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    };
    for address in others {
        match timeout(ATTEMPT_TIME_MAX, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => tracing::debug!(%address, %error, "an address does not answer"),
            Err(_) => tracing::debug!(%address, "an address does not answer in time"),
        }
    }
    TcpStream::connect(last).await
}

async fn tls(
    host: &str,
    config: std::sync::Arc<rustls::ClientConfig>,
    transport: Transport,
    limit: Duration,
) -> Result<tokio_rustls::client::TlsStream<Transport>, ConnectError> {
    let failed = |reason: String| ConnectError::Tls {
        host: host.to_owned(),
        reason,
    };
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| failed("its name cannot stand in a certificate".to_owned()))?;
    match timeout(limit, TlsConnector::from(config).connect(name, transport)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(failed(tls_words(&error))),
        Err(_) => Err(ConnectError::TlsTimeout {
            host: host.to_owned(),
            limit,
        }),
    }
}

/// Returns why the handshake failed, in words for the reasons that people meet.
fn tls_words(error: &io::Error) -> String {
    use rustls::{CertificateError, Error};
    let cause = error
        .get_ref()
        .and_then(|source| source.downcast_ref::<Error>());
    let words = match cause {
        Some(Error::InvalidCertificate(certificate)) => match certificate {
            CertificateError::UnknownIssuer => {
                "its certificate comes from an authority that is not trusted here"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet; is this machine's clock right?"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "its certificate is for another name"
            }
            CertificateError::Revoked => "its certificate has been revoked",
            _ => return format!("its certificate is not valid ({certificate})"),
        },
        Some(Error::InvalidMessage(_)) => "it does not speak TLS on this port",
        Some(other) => return other.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it closed the connection during the handshake"
        }
        None => return error.to_string(),
    };
    words.to_owned()
}

pub(super) fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_are_tried_in_turn() {
        let parse = |list: &[&str]| {
            list.iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<SocketAddr>>()
        };
        let check =
            |list: &[&str], expect: &[&str]| assert_eq!(alternate(parse(list)), parse(expect));
        check(
            &["[::1]:1", "[::2]:1", "1.1.1.1:1"],
            &["[::1]:1", "1.1.1.1:1", "[::2]:1"],
        );
        check(
            &["1.1.1.1:1", "[::1]:1", "[::2]:1"],
            &["1.1.1.1:1", "[::1]:1", "[::2]:1"],
        );
        check(&["1.1.1.1:1", "2.2.2.2:1"], &["1.1.1.1:1", "2.2.2.2:1"]);
        check(&[], &[]);
    }
}
