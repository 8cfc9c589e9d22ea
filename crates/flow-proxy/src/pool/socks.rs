//! `CONNECT` through a SOCKS5 proxy (RFC 1928, with user name and password of RFC 1929).

use std::io;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::upstreams::Origin;

const VERSION: u8 = 5;
const LOGIN_VERSION: u8 = 1;
const METHOD_NONE: u8 = 0;
const METHOD_LOGIN: u8 = 2;
const METHOD_REFUSED: u8 = 0xff;
const COMMAND_CONNECT: u8 = 1;
const ADDRESS_V4: u8 = 1;
const ADDRESS_NAME: u8 = 3;
const ADDRESS_V6: u8 = 4;

/// Why a proxy opens no way.
#[derive(Debug, thiserror::Error)]
pub(super) enum SocksError {
    #[error("its connection broke")]
    Io(#[from] io::Error),
    #[error("it asks for a user name and a password")]
    LoginAsked,
    #[error("it does not accept the user name and the password")]
    LoginRefused,
    #[error("its answer is not SOCKS5")]
    Malformed,
    #[error("the name, the user name or the password is longer than 255 bytes")]
    TooLong,
    #[error("it says: {0}")]
    Refused(&'static str),
}

/// Asks the proxy for a way to the origin, whose name it resolves itself.
pub(super) async fn open<S>(
    stream: &mut S,
    origin: &Origin,
    login: Option<&(String, String)>,
) -> Result<(), SocksError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let methods: &[u8] = match login {
        Some(_) => &[VERSION, 2, METHOD_NONE, METHOD_LOGIN],
        None => &[VERSION, 1, METHOD_NONE],
    };
    send(stream, methods).await?;
    let [version, method] = read(stream).await?;
    match (version, method, login) {
        (VERSION, METHOD_NONE, _) => {}
        (VERSION, METHOD_LOGIN, Some((user, password))) => log_in(stream, user, password).await?,
        (VERSION, METHOD_LOGIN | METHOD_REFUSED, _) => return Err(SocksError::LoginAsked),
        _ => return Err(SocksError::Malformed),
    }
    let mut request = vec![VERSION, COMMAND_CONNECT, 0];
    match origin.host().parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(ADDRESS_V4);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(ADDRESS_V6);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.push(ADDRESS_NAME);
            push_text(&mut request, origin.host())?;
        }
    }
    request.extend_from_slice(&origin.port().to_be_bytes());
    send(stream, &request).await?;
    read_reply(stream).await
}

async fn log_in<S>(stream: &mut S, user: &str, password: &str) -> Result<(), SocksError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = vec![LOGIN_VERSION];
    push_text(&mut request, user)?;
    push_text(&mut request, password)?;
    send(stream, &request).await?;
    match read(stream).await? {
        [_, 0] => Ok(()),
        [_, _] => Err(SocksError::LoginRefused),
    }
}

async fn read_reply<S: AsyncRead + Unpin>(stream: &mut S) -> Result<(), SocksError> {
    let [version, reply, _, kind] = read(stream).await?;
    if version != VERSION {
        return Err(SocksError::Malformed);
    }
    match reply {
        0 => {}
        1 => return Err(SocksError::Refused("general failure")),
        2 => return Err(SocksError::Refused("its rules do not allow the connection")),
        3 => return Err(SocksError::Refused("the network cannot be reached")),
        4 => return Err(SocksError::Refused("the host cannot be reached")),
        5 => return Err(SocksError::Refused("the connection was refused")),
        6 => return Err(SocksError::Refused("the way was too long")),
        _ => return Err(SocksError::Refused("it cannot do what was asked")),
    }
    // The address that the proxy bound stands behind, and must be read though nobody needs it.
    let rest = match kind {
        ADDRESS_V4 => 4,
        ADDRESS_V6 => 16,
        ADDRESS_NAME => {
            let [length] = read(stream).await?;
            usize::from(length)
        }
        _ => return Err(SocksError::Malformed),
    };
    let mut bound = [0; 255 + 2];
    let bound = bound.get_mut(..rest + 2).ok_or(SocksError::Malformed)?;
    stream.read_exact(bound).await?;
    Ok(())
}

fn push_text(request: &mut Vec<u8>, text: &str) -> Result<(), SocksError> {
    request.push(u8::try_from(text.len()).map_err(|_| SocksError::TooLong)?);
    request.extend_from_slice(text.as_bytes());
    Ok(())
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, bytes: &[u8]) -> Result<(), SocksError> {
    stream.write_all(bytes).await?;
    Ok(stream.flush().await?)
}

async fn read<S: AsyncRead + Unpin, const N: usize>(stream: &mut S) -> Result<[u8; N], SocksError> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstreams::Scheme;

    async fn check(
        host: &str,
        login: Option<(&str, &str)>,
        answer: &[u8],
        expect: Result<&[u8], &str>,
    ) {
        let (mut near, mut far) = tokio::io::duplex(4096);
        far.write_all(answer).await.unwrap();
        far.shutdown().await.unwrap();
        let login = login.map(|(user, password)| (user.to_owned(), password.to_owned()));
        let origin = Origin::new(Scheme::Https, host, 443);
        let opened = open(&mut near, &origin, login.as_ref()).await;
        drop(near);
        let mut asked = Vec::new();
        far.read_to_end(&mut asked).await.unwrap();
        match (opened, expect) {
            (Ok(()), Ok(expect)) => assert_eq!(asked, expect),
            (Err(error), Err(expect)) => assert_eq!(error.to_string(), expect),
            (opened, expect) => panic!("{opened:?} is not {expect:?}"),
        }
    }

    #[tokio::test]
    async fn a_way_is_asked_for() {
        let done = b"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
        check(
            "a.b",
            None,
            done,
            Ok(b"\x05\x01\x00\x05\x01\x00\x03\x03a.b\x01\xbb"),
        )
        .await;
        check(
            "1.2.3.4",
            None,
            done,
            Ok(b"\x05\x01\x00\x05\x01\x00\x01\x01\x02\x03\x04\x01\xbb"),
        )
        .await;
        let named = b"\x05\x00\x05\x00\x00\x03\x01x\x00\x00";
        let v6 = b"\x05\x01\x00\x05\x01\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\xbb";
        check("::1", None, named, Ok(v6)).await;
        let login = b"\x05\x02\x01\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
        let asked = b"\x05\x02\x00\x02\x01\x01u\x02pw\x05\x01\x00\x03\x03a.b\x01\xbb";
        check("a.b", Some(("u", "pw")), login, Ok(asked)).await;
    }

    #[tokio::test]
    async fn refusals_say_why() {
        check(
            "a.b",
            None,
            b"\x05\xff",
            Err("it asks for a user name and a password"),
        )
        .await;
        check(
            "a.b",
            Some(("u", "p")),
            b"\x05\x02\x01\x01",
            Err("it does not accept the user name and the password"),
        )
        .await;
        check("a.b", None, b"\x04\x00", Err("its answer is not SOCKS5")).await;
        check(
            "a.b",
            None,
            b"\x05\x00\x05\x05\x00\x01",
            Err("it says: the connection was refused"),
        )
        .await;
        check(
            "a.b",
            None,
            b"\x05\x00\x05\x00\x00\x09",
            Err("its answer is not SOCKS5"),
        )
        .await;
        check("a.b", None, b"\x05", Err("its connection broke")).await;
        let long = "u".repeat(256);
        let too_long = "the name, the user name or the password is longer than 255 bytes";
        check("a.b", Some((&long, "p")), b"\x05\x02", Err(too_long)).await;
    }
}
