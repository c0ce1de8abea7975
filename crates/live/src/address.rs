//! Who is calling, through trusted proxies.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

/// A client's address, resolved through trusted proxies. The accept loop puts it into each request; handlers
/// may extract it (0.0.0.0 when the request did not come through the accept loop).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl<S: Sync> FromRequestParts<S> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(IpAddr::V4(Ipv4Addr::UNSPECIFIED))))
    }
}

/// The client's address behind `proxies` trusted proxies, each of which appends to `X-Forwarded-For` whom it
/// was called by. Entries further left were written by whoever liked to, and are not looked at. With fewer
/// entries than proxies (one of them was called directly) the leftmost counts; without any, or with one
/// that is no address, the peer.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: usize) -> IpAddr {
    let peer = peer.to_canonical();
    if proxies == 0 {
        return peer;
    }
    let lines = headers.get_all("x-forwarded-for").iter().rev();
    let entries = lines.flat_map(|line| line.to_str().unwrap_or("").rsplit(','));
    let entry = entries.take(proxies).last();
    entry.and_then(parse).map_or(peer, |address| address.to_canonical())
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(entry);
    bare.parse().ok().or_else(|| entry.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "10.0.0.9";

    fn resolved(lines: &[&str], proxies: usize) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        client_address(PEER.parse().unwrap(), &headers, proxies).to_string()
    }

    #[test]
    fn without_proxies_the_header_is_not_believed() {
        assert_eq!(resolved(&["1.2.3.4"], 0), PEER);
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let lines = ["6.6.6.6, 1.2.3.4", "10.1.1.1"];
        assert_eq!(resolved(&lines, 1), "10.1.1.1");
        assert_eq!(resolved(&lines, 2), "1.2.3.4");
        assert_eq!(resolved(&["1.2.3.4"], 2), "1.2.3.4");
        assert_eq!(resolved(&[], 2), PEER);
    }

    #[test]
    fn an_address_may_have_a_port_and_nonsense_is_the_peer() {
        assert_eq!(resolved(&["1.2.3.4:5678"], 1), "1.2.3.4");
        assert_eq!(resolved(&["[2001:db8::1]:443"], 1), "2001:db8::1");
        assert_eq!(resolved(&["2001:db8::1"], 1), "2001:db8::1");
        assert_eq!(resolved(&["::ffff:1.2.3.4"], 1), "1.2.3.4");
        assert_eq!(resolved(&["unknown"], 1), PEER);
        assert_eq!(resolved(&["1.2.3.4,"], 1), PEER);
    }
}
