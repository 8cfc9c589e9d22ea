//! Settings that can change while the relay runs.

use std::time::Duration;

/// What happens upstream when a client goes away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnClientAbort {
    /// The upstream's connection or stream is closed at once, so that it stops working.
    #[default]
    Cancel,
    /// The answer is read to its end, so that its usage is recorded.
    Drain,
}

/// Settings of the relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Longest time to connect to one address, and to all addresses of a name together.
    pub connect_timeout: Duration,
    /// Longest time for a TLS handshake.
    pub tls_timeout: Duration,
    /// Longest time from the request sent to the response's head.
    pub head_timeout: Duration,
    /// Longest time without any byte of the response's body.
    pub idle_timeout: Duration,
    /// Time for exchanges to end once the shutdown has begun.
    pub shutdown_timeout: Duration,
    /// What happens upstream when a client goes away.
    pub on_client_abort: OnClientAbort,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            tls_timeout: Duration::from_secs(10),
            head_timeout: Duration::from_mins(10),
            idle_timeout: Duration::from_mins(5),
            shutdown_timeout: Duration::from_secs(5),
            on_client_abort: OnClientAbort::Cancel,
        }
    }
}
