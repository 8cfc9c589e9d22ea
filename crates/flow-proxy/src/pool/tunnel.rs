//! `CONNECT` through an HTTP proxy.

use std::io;

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::proxies::tunnel_authority;
use crate::upstreams::Origin;

/// Longest head of a proxy's answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024;
const HEADERS_MAX: usize = 64;

/// Why a proxy opens no tunnel.
#[derive(Debug, thiserror::Error)]
pub(super) enum TunnelError {
    #[error("its connection broke")]
    Io(#[from] io::Error),
    #[error("it closed the connection")]
    Closed,
    #[error("it asks for a user name and a password that it accepts (407)")]
    Login,
    #[error("it answered with status {0}")]
    Status(u16),
    #[error("its answer is not HTTP")]
    Malformed,
}

/// Asks the proxy for a tunnel to the origin.
pub(super) async fn open<S>(
    stream: &mut S,
    origin: &Origin,
    authorization: Option<&HeaderValue>,
) -> Result<(), TunnelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let authority = tunnel_authority(origin);
    let mut request = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n").into_bytes();
    if let Some(authorization) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(authorization.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    stream.write_all(&request).await?;
    stream.flush().await?;
    let mut answer = Vec::new();
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(TunnelError::Closed);
        }
        if let Some(status) = status(&answer)? {
            return match status {
                200..=299 => Ok(()),
                407 => Err(TunnelError::Login),
                _ => Err(TunnelError::Status(status)),
            };
        }
        if answer.len() > ANSWER_BYTES_MAX {
            return Err(TunnelError::Malformed);
        }
    }
}

/// Returns the answer's status once its head is whole. Nobody speaks in a tunnel before the client does, so that
/// bytes behind a good head are not HTTP.
fn status(answer: &[u8]) -> Result<Option<u16>, TunnelError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut response = httparse::Response::new(&mut headers);
    match response.parse(answer) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete(end)) => match response.code {
            Some(200..=299) if end != answer.len() => Err(TunnelError::Malformed),
            code => Ok(code),
        },
        Err(_) => Err(TunnelError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstreams::Scheme;

    /// Answers whatever is asked and returns what was asked.
    async fn check(answer: &str, expect: Result<(), &str>) -> String {
        let (mut near, mut far) = tokio::io::duplex(64 * 1024);
        far.write_all(answer.as_bytes()).await.unwrap();
        far.shutdown().await.unwrap();
        let origin = Origin::new(Scheme::Https, "::1", 443);
        let login = HeaderValue::from_static("Basic eDp5");
        let opened = open(&mut near, &origin, Some(&login)).await;
        assert_eq!(
            opened.map_err(|error| error.to_string()),
            expect.map_err(str::to_owned)
        );
        drop(near);
        let mut asked = String::new();
        far.read_to_string(&mut asked).await.unwrap();
        asked
    }

    #[tokio::test]
    async fn a_tunnel_is_asked_for() {
        let asked = check("HTTP/1.1 200 Connection established\r\n\r\n", Ok(())).await;
        let expect = "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic eDp5\r\n\r\n";
        assert_eq!(asked, expect);
    }

    #[tokio::test]
    async fn refusals_say_why() {
        let login = "it asks for a user name and a password that it accepts (407)";
        check("HTTP/1.1 407 Who\r\n\r\n", Err(login)).await;
        check(
            "HTTP/1.1 502 No\r\ncontent-length: 3\r\n\r\nwhy",
            Err("it answered with status 502"),
        )
        .await;
        check(
            "HTTP/1.1 200 OK\r\n\r\nhello",
            Err("its answer is not HTTP"),
        )
        .await;
        check("SSH-2.0\r\n\r\n", Err("its answer is not HTTP")).await;
        check("HTTP/1.1 200", Err("it closed the connection")).await;
        check(
            &format!("HTTP/1.1 200 OK\r\na: {}", "b".repeat(17_000)),
            Err("its answer is not HTTP"),
        )
        .await;
    }
}
