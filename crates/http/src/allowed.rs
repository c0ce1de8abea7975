//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// What the operator opened besides the public Internet: networks, addresses and names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    networks: Vec<IpNet>,
    names: Vec<String>,
}

/// An entry that is neither an address, nor a network, nor a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadEntry(pub String);

impl Allowed {
    /// Reads entries such as `10.0.0.0/8`, `192.0.2.7`, `::1`, `hooks.example.com`, `*.example.com`.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn read<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, BadEntry> {
        let mut read = Self::default();
        for entry in entries.into_iter().map(str::trim).filter(|entry| !entry.is_empty()) {
            if let Ok(network) = entry.parse::<IpNet>() {
                read.networks.push(network);
            } else if let Ok(address) = entry.parse::<IpAddr>() {
                read.networks.push(address.into());
            } else if is_name(entry.strip_prefix("*.").unwrap_or(entry)) {
                read.names.push(entry.to_ascii_lowercase());
            } else {
                return Err(BadEntry(entry.to_owned()));
            }
        }
        Ok(read)
    }

    /// Whether a server of this name may have an address that is not public.
    pub fn name(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.names.iter().any(|entry| match entry.strip_prefix('*') {
            Some(ending) => name.ends_with(ending),
            None => *entry == name,
        })
    }

    /// Whether this address may be connected to.
    pub fn address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        is_public(address) || self.networks.iter().any(|network| network.contains(&address))
    }
}

fn is_name(text: &str) -> bool {
    let letters = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(letters)
}

/// Whether an address is reachable by everybody on the Internet, by IANA's registries of special-purpose addresses.
/// Addresses of IPv6 that carry one of IPv4 are as public as that one.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 88, 99)
            | (192, 168, _)
            | (192, 175, 48)
            | (198, 18..=19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let s = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match s {
        // NAT64 and 6to4 carry an address of IPv4.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // Teredo, benchmarking, ORCHID, documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only this block is handed out for the Internet.
        [first, ..] => (first & 0xe000) == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn private_local_and_special_addresses_are_not_public_in_any_spelling() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "100.64.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.2.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:db8::1",
            "2001::1",
            "100::1",
        ] {
            assert!(!is_public(ip(text)), "{text}");
        }
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ] {
            assert!(is_public(ip(text)), "{text}");
        }
    }

    #[test]
    fn an_operator_opens_networks_addresses_and_names() {
        let allowed = Allowed::read(["10.0.0.0/8", "::1", "hooks.example.com", "*.intern.example", " "])
            .expect("entries");
        assert!(
            allowed.address(ip("10.9.9.9"))
                && allowed.address(ip("::ffff:10.9.9.9"))
                && allowed.address(ip("::1"))
        );
        assert!(!allowed.address(ip("127.0.0.1")) && !allowed.address(ip("192.168.0.1")));
        assert!(allowed.name("HOOKS.example.com.") && allowed.name("a.b.intern.example"));
        assert!(!allowed.name("intern.example") && !allowed.name("example.com"));
    }

    #[test]
    fn an_entry_that_means_nothing_is_refused() {
        assert_eq!(Allowed::read(["http://x/"]), Err(BadEntry("http://x/".to_owned())));
        assert!(Allowed::read(["10.0.0.0/99"]).is_err());
    }
}
