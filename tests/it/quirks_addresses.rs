//! Addresses that a redirect leads to (S5): each is checked when the client connects.

use std::io;
use std::net::SocketAddr;

use fake_registry::FakeRegistry;
use ocireg::{ErrorKind, Resolver};

use crate::quirks_support::*;

/// `IP:PORT` with the port of this registry.
fn on_port_of(registry: &FakeRegistry, ip: &str) -> SocketAddr {
    SocketAddr::new(ip.parse().unwrap(), registry.address().port())
}

/// Where a registry on loopback must not lead, as an address and as a name.
#[test]
fn s5_addresses_that_no_registry_may_lead_to() {
    let target = registry([]);
    let port = target.address().port();
    let metadata = SocketAddr::new("169.254.169.254".parse().unwrap(), port);
    let unspecified = on_port_of(&target, "0.0.0.0");
    let names = || {
        Names::default()
            .with("metadata.example.com", &[metadata])
            .with("unspecified.example.com", &[unspecified])
            .with("both.example.com", &[metadata, unspecified])
            .with(
                "mapped.example.com",
                &[on_port_of(&target, "::ffff:0.0.0.0")],
            )
            .with(
                "alibaba.example.com",
                &[on_port_of(&target, "100.100.100.200")],
            )
            .with("multicast.example.com", &[on_port_of(&target, "224.0.0.1")])
    };
    for host in [
        "169.254.169.254",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        // Linux connects these to loopback, where the target listens.
        "0.0.0.0",
        "[::]",
        "[::ffff:0.0.0.0]",
        "0.1.2.3",
        "255.255.255.255",
        "metadata.example.com",
        "unspecified.example.com",
        "both.example.com",
        "mapped.example.com",
        "alibaba.example.com",
        "multicast.example.com",
    ] {
        for scheme in ["http", "https"] {
            let source = registry([redirect(307, format!("{scheme}://{host}:{port}"))]);
            let client = builder().resolver(names()).build().unwrap();
            let error = assert_refused(
                &client,
                &source,
                "leads to a link-local or otherwise special address",
            );
            assert_eq!(source.request_count(), 1, "{host}");
            assert!(!error.is_transient(), "{host}");
        }
    }
    assert_eq!(target.connection_count(), 0, "no connection was made");
}

/// Also if a forbidden address is the first one.
#[test]
fn s5_of_several_addresses_only_the_allowed_ones_are_tried() {
    let (target, forbidden) = (registry([]), registry([]));
    let mixed = [
        on_port_of(&forbidden, "0.0.0.0"),
        "169.254.169.254:80".parse().unwrap(),
        target.address(),
        on_port_of(&forbidden, "0.0.0.0"),
    ];
    let names = Names::default().with("cdn.example.com", &mixed);
    let source = registry([redirect(302, "http://cdn.example.com")]);
    let client = builder().resolver(names).build().unwrap();
    let found = client.digest(&image(&source, "t/a:v1")).unwrap();
    assert_eq!(found, sha256_of_image());
    let there = target.take_requests();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].header("host").unwrap(), "cdn.example.com");
    assert_eq!(forbidden.connection_count(), 0);
}

/// A registry on loopback may lead to loopback, by any name.
#[test]
fn s5_loopback_may_lead_to_loopback() {
    let target = registry([]);
    let names = || {
        Names::default()
            .with("cdn.example.com", &[target.address()])
            .with("localhost", &[target.address()])
    };
    let port = target.address().port();
    for base in [
        target.url(),
        format!("//127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("HTTP://LOCALHOST:{port}"),
        "http://cdn.example.com".to_owned(),
    ] {
        let source = registry([redirect(302, base.clone())]);
        let client = builder().resolver(names()).build().unwrap();
        let found = client.digest(&image(&source, "t/a:v1"));
        assert_eq!(found.expect(&base), sha256_of_image());
        assert_eq!(target.take_requests().len(), 1, "{base}");
    }
}

/// The registry's own host with another port. Its name must not have another address by then
/// (rebinding), unless the caller has named such an address.
#[test]
fn s5_another_port_of_the_own_host() {
    let target = registry([]);
    let source = registry([]);
    let port = target.address().port();
    let own = format!("registry.example.com:{}", source.address().port());
    /// Another address at the second resolution.
    struct Rebinding(std::sync::Mutex<Vec<SocketAddr>>);
    impl Resolver for Rebinding {
        fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.lock().unwrap().pop().into_iter().collect())
        }
    }
    source.add_quirk(redirect(307, format!("http://registry.example.com:{port}")));
    let reference = parse(&format!("{own}/t/a:v1"));
    for (second, good) in [
        ("127.0.0.1", true),
        ("0.0.0.0", false),
        ("169.254.169.254", false),
    ] {
        let addresses = vec![on_port_of(&target, second), source.address()];
        let client = builder()
            .plain_http(&own)
            .resolver(Rebinding(addresses.into()))
            .build()
            .unwrap();
        let result = client.digest(&reference);
        assert_eq!(target.connection_count(), 1, "{second}");
        match result {
            Ok(found) if good => assert_eq!(found, sha256_of_image()),
            Err(error) if !good => assert_eq!(error.kind(), ErrorKind::Protocol, "{second}"),
            other => panic!("{second}: {other:?}"),
        }
    }

    // The caller has named this machine by a special address.
    let named = format!("0.0.0.0:{}", source.address().port());
    let client = builder().plain_http(&named).build().unwrap();
    let reference = parse(&format!("{named}/t/a:v1"));
    for (host, good) in [
        ("0.0.0.0", true),
        ("127.0.0.1", true),
        ("169.254.169.254", false),
    ] {
        source.set_quirks([redirect(307, format!("http://{host}:{port}"))]);
        match client.digest(&reference) {
            Ok(found) if good => assert_eq!(found, sha256_of_image()),
            Err(error) if !good => assert_eq!(error.kind(), ErrorKind::Protocol, "{host}"),
            other => panic!("{host}: {other:?}"),
        }
    }
}
