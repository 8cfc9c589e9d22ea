//! Which program sent a request.

use flow_model::{Client, Header, exchange};

/// Reads what a request says of the program that sent it. The body is content-decoded, and may be missing.
pub fn read(headers: &[Header], _body: &[u8]) -> Client {
    let other = exchange::header(headers, "user-agent").map(str::to_owned);
    Client {
        other,
        ..Client::default()
    }
}
