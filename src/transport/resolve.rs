//! Name resolution.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Turns a host name into addresses.
///
/// The client's own asks the operating system. Give another with
/// [`ClientBuilder::resolver`](crate::ClientBuilder::resolver) to reach a registry under a name that
/// only you know, or to test. It is called on a helper thread, only when a connection is
/// made, never for a host that is an IP address; a call that is stopped meanwhile does not wait for
/// it.
///
/// # Errors
///
/// An error ends the call with [`ErrorKind::Resolve`](crate::ErrorKind::Resolve); one of kind
/// [`TimedOut`](io::ErrorKind::TimedOut) is retried. An empty list is the same as "no such name".
pub trait Resolver: Send + Sync {
    /// The addresses of `host`, in the order to try them, each with `port`.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;
}

impl fmt::Debug for dyn Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

/// The operating system's resolver.
pub(crate) struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (host, port).to_socket_addrs().map(Iterator::collect)
    }
}

/// Whether asking again may help. The standard library keeps EAI_AGAIN only in its text.
pub(super) fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    ) || error.to_string().contains("Temporary failure")
}
