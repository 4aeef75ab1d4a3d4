//! The connections that a client keeps open.

use ocireg::Presence;

use crate::quirks_support::{client, image, registry};

#[test]
fn close_idle_closes_idle_connections_and_keeps_what_was_learned() {
    let registry = registry([]);
    let (client, reference) = (client(), image(&registry, "t/a:v1"));
    let there = |expected: u64| {
        assert!(matches!(
            client.exists(&reference).unwrap(),
            Presence::Exists(_)
        ));
        assert_eq!(registry.connection_count(), expected);
    };
    there(1);
    there(1);
    client.close_idle();
    there(2);
    // A clone shares the connections, so it closes them too.
    client.clone().close_idle();
    there(3);
    there(3);
}
