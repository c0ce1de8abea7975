//! How many connections may be open, in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;

/// Bounds on open live connections.
#[derive(Clone, Copy, Debug)]
pub struct CapLimits {
    /// In all. Default 100,000.
    pub total: usize,
    /// From one address (a /64 counts as one address). Generous by default (1,000): whole offices and
    /// mobile networks share one.
    pub per_address: u32,
}

impl Default for CapLimits {
    fn default() -> Self {
        Self { total: 100_000, per_address: 1_000 }
    }
}

/// Which cap was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// The server is full.
    Total,
    /// This address has its share.
    Address,
}

/// Counts open connections against the caps.
#[derive(Debug)]
pub struct Caps {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limits: CapLimits,
    total: usize,
    by_address: HashMap<IpAddr, u32>,
}

impl Caps {
    /// Nobody is in yet.
    pub fn new(limits: CapLimits) -> Arc<Self> {
        let state = State { limits, total: 0, by_address: HashMap::new() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Takes a seat for a connection from this address, until the seat is dropped.
    pub fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Seat, Full> {
        let address = network_of(address);
        let mut state = self.state.lock();
        let limits = state.limits;
        if state.total >= limits.total {
            return Err(Full::Total);
        }
        let seats = state.by_address.entry(address).or_default();
        if *seats >= limits.per_address {
            return Err(Full::Address);
        }
        *seats += 1;
        state.total += 1;
        Ok(Seat { caps: self.clone(), address })
    }

    /// Changes the caps; who is in stays in.
    pub fn set(&self, limits: CapLimits) {
        self.state.lock().limits = limits;
    }

    /// Seats taken now.
    pub fn taken(&self) -> usize {
        self.state.lock().total
    }
}

/// A connection's place under the caps, given back by drop.
#[derive(Debug)]
pub struct Seat {
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.caps.state.lock();
        state.total -= 1;
        if let Some(seats) = state.by_address.get_mut(&self.address) {
            *seats -= 1;
            if *seats == 0 {
                state.by_address.remove(&self.address);
            }
        }
    }
}

/// What counts as one address: IPv4 as it is (also when written as IPv6), IPv6 by its /64, which is what a
/// single customer gets.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_gets_its_share_and_others_still_get_theirs() {
        let caps = Caps::new(CapLimits { total: 3, per_address: 2 });
        let first = caps.enter(ip("10.0.0.1")).unwrap();
        let _second = caps.enter(ip("::ffff:10.0.0.1")).unwrap();
        assert_eq!(caps.enter(ip("10.0.0.1")).unwrap_err(), Full::Address);
        let _other = caps.enter(ip("10.0.0.2")).unwrap();
        assert_eq!(caps.enter(ip("10.0.0.3")).unwrap_err(), Full::Total);
        drop(first);
        assert_eq!(caps.taken(), 2);
        caps.enter(ip("10.0.0.1")).unwrap();
        assert_eq!(caps.taken(), 2);
    }

    #[test]
    fn a_network_of_64_bits_is_one_address() {
        let caps = Caps::new(CapLimits { total: 9, per_address: 1 });
        let _one = caps.enter(ip("2001:db8:1:2:3::1")).unwrap();
        assert_eq!(caps.enter(ip("2001:db8:1:2:ffff::9")).unwrap_err(), Full::Address);
        caps.enter(ip("2001:db8:1:3::1")).unwrap();
    }
}
