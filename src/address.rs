//! Address classes: how far inside a network an address lies.
//!
//! A registry can name URLs to its clients: a token realm, a `Location`, a redirect. Such a URL
//! could make a client send requests inside the client's own network. The class of its address
//! decides whether a client connects. It is checked on the resolved address, right before the
//! connect, because a host name may resolve to any address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name in DNS (RFC 1035).
pub(crate) const MAX_HOST_BYTES: usize = 253;

/// How far inside a network an address lies, from public addresses to those that no registry may
/// send a client to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum AddressClass {
    /// The Internet.
    Public,
    /// A network that the Internet has no route to.
    Private,
    /// This machine.
    Loopback,
    /// No server may send a client there. Above all, it is the address of a cloud's metadata
    /// service, which gives out credentials.
    Never,
}

impl AddressClass {
    /// The class of an address. An IPv6 address that holds an IPv4 address has the class of that
    /// one, because packets go there.
    pub(crate) fn of(address: IpAddr) -> AddressClass {
        match address {
            IpAddr::V4(address) => class_of_v4(address),
            IpAddr::V6(address) => class_of_v6(address),
        }
    }
}

/// Whether a registry at an address of class `registry` may send a client to another host, at an
/// address of class `target`.
pub(crate) fn may_follow(target: AddressClass, registry: AddressClass) -> bool {
    target != AddressClass::Never && target <= registry
}

/// Whether a registry at an address of class `registry` may send a client to the registry's own
/// host, whose address now has class `target`. "Never" is allowed if the registry itself was at
/// such an address, since then the caller named it.
pub(crate) fn may_follow_to_own_host(target: AddressClass, registry: AddressClass) -> bool {
    target <= registry
}

/// An IPv6 address as it stands in the brackets of references and URLs. It is the shortest form
/// (RFC 5952), but all hexadecimal, because the grammar of references has no dots there.
pub(crate) fn ipv6_text(address: Ipv6Addr) -> String {
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => format!("::ffff:{high:x}:{low:x}"),
        _ => address.to_string(),
    }
}

/// Whether a host name ends in a number and is not an IPv4 address in its usual form:
/// `2130706433`, `0x7f.1`, `127.1`. No domain name does, but many resolvers read such a name as an
/// address. It could hide an internal address, so it is refused.
pub(crate) fn ends_in_a_number(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let last = host.rsplit('.').next().unwrap_or(host);
    let hexadecimal = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let no_letter = !last.bytes().any(|b| b.is_ascii_alphabetic());
    (hexadecimal || no_letter) && host.parse::<Ipv4Addr>().is_err()
}

fn class_of_v4(address: Ipv4Addr) -> AddressClass {
    use AddressClass::{Loopback, Never, Private, Public};
    if METADATA_V4.contains(&address) {
        return Never;
    }
    match address.octets() {
        [0, ..] | [224..=239, ..] | [255, 255, 255, 255] => Never,
        [169, 254, ..] => Never,
        [127, ..] => Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Private,
        // Carrier-grade NAT (RFC 6598). VPNs and clouds also use it as a private network.
        [100, 64..=127, ..] => Private,
        // Protocol assignments (RFC 6890, used inside DS-Lite) and benchmark networks (RFC 2544).
        // The Internet does not route them, so an answer comes from a private network.
        [192, 0, 0, _] | [198, 18 | 19, ..] => Private,
        // Documentation (RFC 5737) and class E. The Internet does not route them either, and some
        // clouds use class E inside.
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [240..=255, ..] => Private,
        _ => Public,
    }
}

fn class_of_v6(address: Ipv6Addr) -> AddressClass {
    use AddressClass::{Loopback, Never, Private, Public};
    if METADATA_V6.contains(&address) {
        return Never;
    }
    let low =
        |high: u16, low: u16| class_of_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Never,
        [0, 0, 0, 0, 0, 0, 0, 1] => Loopback,
        // An IPv4 address inside an IPv6 one: IPv4-compatible and IPv4-mapped (RFC 4291),
        // IPv4-translated (RFC 2765), NAT64 (RFC 6052).
        [0, 0, 0, 0, 0, 0 | 0xffff, a, b] => low(a, b),
        [0, 0, 0, 0, 0xffff, 0, a, b] => low(a, b),
        [0x64, 0xff9b, 0, 0, 0, 0, a, b] => low(a, b),
        // NAT64 of a single site (RFC 8215), which is private at least.
        [0x64, 0xff9b, 1, _, _, _, a, b] => low(a, b).max(Private),
        // 6to4 (RFC 3056), and Teredo (RFC 4380), which inverts the bits of the address.
        [0x2002, a, b, ..] => low(a, b),
        [0x2001, 0, _, _, _, _, a, b] => low(!a, !b),
        [0xfe80..=0xfebf, ..] | [0xff00..=0xffff, ..] => Never,
        // Documentation (RFC 3849, RFC 9637) and benchmark networks (RFC 5180), as for IPv4.
        [0x2001, 0xdb8 | 2, ..] | [0x3fff, 0..=0xfff, ..] => Private,
        [0x2000..=0x3fff, ..] => Public,
        // Unique local fc00::/7, site-local fec0::/10, and everything unassigned. The Internet
        // routes none of it.
        _ => Private,
    }
}

/// Metadata services that are not link-local: Alibaba Cloud, Azure's WireServer, Oracle Cloud (its
/// old address).
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Metadata services over IPv6: Amazon EC2 and Google Cloud.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

#[cfg(test)]
mod tests {
    use super::AddressClass::{Loopback, Never, Private, Public};
    use super::*;

    #[track_caller]
    fn assert_class(class: AddressClass, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(
                AddressClass::of(address.parse().unwrap()),
                class,
                "{address}"
            );
        }
    }

    #[test]
    fn s5_public_ipv4_addresses_next_to_each_range() {
        assert_class(
            Public,
            &[
                "1.1.1.1",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.0.1.0",
                "192.167.255.255",
                "192.169.0.0",
                "198.17.255.255",
                "198.20.0.0",
                "223.255.255.255",
            ],
        );
    }

    #[test]
    fn s5_other_ipv4_classes_at_both_edges_of_each_range() {
        assert_class(
            Private,
            &[
                "10.0.0.0",
                "10.255.255.255",
                "172.16.0.0",
                "172.31.255.255",
                "192.168.0.0",
                "192.168.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "192.0.0.0",
                "192.0.0.255",
                "198.18.0.0",
                "198.19.255.255",
                "192.0.2.1",
                "198.51.100.1",
                "203.0.113.1",
                "240.0.0.0",
                "255.255.255.254",
            ],
        );
        assert_class(Loopback, &["127.0.0.0", "127.0.0.1", "127.255.255.255"]);
        assert_class(
            Never,
            &[
                "0.0.0.0",
                "0.255.255.255",
                "169.254.0.0",
                "169.254.169.254",
                "169.254.255.255",
                "224.0.0.0",
                "239.255.255.255",
                "255.255.255.255",
                "100.100.100.200",
                "168.63.129.16",
                "192.0.0.192",
            ],
        );
    }

    #[test]
    fn s5_ipv6_classes() {
        assert_class(
            Public,
            &[
                "2000::1",
                "2606:4700::1111",
                "2a00::1",
                "3ffe::1",
                "3fff:1000::1",
            ],
        );
        assert_class(
            Private,
            &[
                "fc00::1",
                "fdff:ffff::1",
                "fec0::1",
                "feff::1",
                "2001:db8::1",
                "2001:2::1",
                "3fff:fff::1",
                "100::1",
                "4000::1",
                "fe00::1",
            ],
        );
        assert_class(Loopback, &["::1"]);
        assert_class(
            Never,
            &[
                "::",
                "fe80::1",
                "febf::1",
                "ff00::",
                "ff02::1",
                "fd00:ec2::254",
                "fd20:ce::254",
            ],
        );
    }

    #[test]
    fn s5_an_ipv4_address_inside_an_ipv6_one_decides() {
        assert_class(
            Public,
            &[
                "::ffff:1.1.1.1",
                "::1.1.1.1",
                "64:ff9b::1.1.1.1",
                "2002:101:101::1",
                "2001::fefe:fefe",
            ],
        );
        assert_class(
            Private,
            &[
                "::ffff:10.0.0.1",
                "64:ff9b::10.0.0.1",
                "64:ff9b:1::1.1.1.1",
                "2002:a00:1::1",
            ],
        );
        assert_class(
            Loopback,
            &[
                "::ffff:127.0.0.1",
                "::127.0.0.1",
                "64:ff9b::7f00:1",
                "2002:7f00:1::",
                "::ffff:0:127.0.0.1",
            ],
        );
        assert_class(
            Never,
            &[
                "::ffff:169.254.169.254",
                "::169.254.169.254",
                "64:ff9b::a9fe:a9fe",
                "64:ff9b:1::a9fe:a9fe",
                "2002:a9fe:a9fe::",
                "2001::5601:5601",
                "::ffff:0.0.0.0",
                "::2",
            ],
        );
    }

    #[test]
    fn s5_a_registry_leads_no_further_in_than_its_own_address() {
        let classes = [Public, Private, Loopback, Never];
        for target in classes {
            for registry in classes {
                let outward = target <= registry;
                assert_eq!(
                    may_follow(target, registry),
                    outward && target != Never,
                    "{target:?} {registry:?}"
                );
                assert_eq!(
                    may_follow_to_own_host(target, registry),
                    outward,
                    "{target:?} {registry:?}"
                );
            }
        }
        assert!(may_follow(Public, Public));
        assert!(!may_follow(Private, Public));
        assert!(!may_follow(Loopback, Private));
        assert!(!may_follow(Never, Never));
        assert!(may_follow_to_own_host(Never, Never));
    }

    #[test]
    fn s4_a_host_name_that_hides_an_address_is_seen() {
        for host in [
            "2130706433",
            "127.1",
            "0x7f000001",
            "0X7F.1",
            "0177.0.0.1",
            "1.2.3.4.5",
            "300.1.1.1",
            "a.1",
            "a.1.",
            "1-2",
            "0x",
        ] {
            assert!(ends_in_a_number(host), "{host}");
        }
        for host in [
            "127.0.0.1",
            "a",
            "1.example",
            "x.0xg",
            "registry-2",
            "3com.com",
            "xn--p1ai",
            "a.1b",
        ] {
            assert!(!ends_in_a_number(host), "{host}");
        }
    }

    #[test]
    fn an_ipv6_text_is_short_and_has_no_dots() {
        for (address, expected) in [
            ("0:0:0:0:0:0:0:1", "::1"),
            ("2001:DB8::0001", "2001:db8::1"),
            ("::ffff:127.0.0.1", "::ffff:7f00:1"),
            ("::127.0.0.1", "::7f00:1"),
        ] {
            assert_eq!(ipv6_text(address.parse().unwrap()), expected);
        }
    }
}
