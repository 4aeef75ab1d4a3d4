//! The addresses of a name (R1): all are tried, however many there are.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use fake_registry::ScriptServer;
use ocireg::{ErrorKind, Resolver};

use crate::faults_connections::dead;
use crate::faults_support::{Ask, hasty};

/// Every name has these addresses.
pub(crate) struct Everywhere(pub(crate) Vec<SocketAddr>);

impl Resolver for Everywhere {
    fn resolve(&self, _: &str, _: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(self.0.clone())
    }
}

#[test]
fn r1_all_addresses_of_a_name_are_tried() {
    let dead = dead();
    for before in [15, 16, 33, 300] {
        let server = ScriptServer::start(vec![Ask::Head.good()]);
        let mut addresses = vec![dead; before];
        addresses.push(server.authority().parse().unwrap());
        let builder = hasty().retries(0).plain_http("many.example:5000");
        let client = builder.resolver(Everywhere(addresses)).build().unwrap();
        let found = Ask::Head.run(&client, "many.example:5000").unwrap();
        assert_eq!(found, Ask::Head.expected(), "behind {before} others");
    }
}

#[test]
fn r1_when_none_answers_the_call_ends_within_the_connect_timeout() {
    let connect_timeout = Duration::from_secs(5);
    let builder = hasty().retries(0).connect_timeout(connect_timeout);
    let builder = builder.plain_http("many.example:5000");
    let builder = builder.resolver(Everywhere(vec![dead(); 1000]));
    let client = builder.build().unwrap();
    let begun = Instant::now();
    let error = Ask::Head.run(&client, "many.example:5000").unwrap_err();
    assert!(matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Timeout
    ));
    assert!(begun.elapsed() < connect_timeout + Duration::from_secs(1));
}
