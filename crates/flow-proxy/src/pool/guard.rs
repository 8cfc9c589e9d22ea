//! The monitor's own listeners, which the relay never connects to.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;

use parking_lot::RwLock;

/// The addresses of the monitor's own listeners.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnListeners(Arc<RwLock<Vec<SocketAddr>>>);

impl OwnListeners {
    pub(crate) fn add(&self, address: SocketAddr) {
        let mut addresses = self.0.write();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }

    /// Returns whether a connection to this address might reach one of the listeners.
    pub(crate) fn contains(&self, address: SocketAddr) -> bool {
        let ip = address.ip().to_canonical();
        self.0.read().iter().any(|own| {
            let own_ip = own.ip().to_canonical();
            own.port() == address.port()
                && (own_ip == ip
                    || ip.is_loopback()
                    || ip.is_unspecified()
                    || (own_ip.is_unspecified() && is_local(ip)))
        })
    }
}

/// Returns whether the address is one of this machine's: only then can a socket be bound to it.
fn is_local(ip: IpAddr) -> bool {
    UdpSocket::bind((ip, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(own: &str, address: &str, expect: bool) {
        let listeners = OwnListeners::default();
        listeners.add(own.parse().unwrap());
        assert_eq!(
            listeners.contains(address.parse().unwrap()),
            expect,
            "{own} {address}"
        );
    }

    #[test]
    fn every_way_to_a_listener_is_known() {
        check("127.0.0.1:8377", "127.0.0.1:8377", true);
        check("127.0.0.1:8377", "[::ffff:127.0.0.1]:8377", true);
        check("127.0.0.1:8377", "[::1]:8377", true);
        check("127.0.0.1:8377", "127.9.9.9:8377", true);
        check("127.0.0.1:8377", "0.0.0.0:8377", true);
        check("127.0.0.1:8377", "[::]:8377", true);
        check("0.0.0.0:8377", "127.0.0.1:8377", true);
        check("127.0.0.1:8377", "127.0.0.1:8378", false);
        check("0.0.0.0:8377", "192.0.2.1:8377", false);
        check("127.0.0.1:8377", "192.0.2.1:8377", false);
    }
}
