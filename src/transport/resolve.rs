//! Name resolution.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Turns a host name into addresses.
///
/// By default the client asks the operating system. Set another resolver with
/// [`ClientBuilder::resolver`](crate::ClientBuilder::resolver) to use a name that only your program
/// knows, or to test. It is called on a helper thread, and only when a connection is made. It is
/// never called for a host that is an IP address. A call that is stopped does not wait for it.
///
/// # Errors
///
/// An error ends the call with [`ErrorKind::Resolve`](crate::ErrorKind::Resolve). An error of kind
/// [`TimedOut`](io::ErrorKind::TimedOut) is retried first. An empty list means that there is no
/// such name.
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

/// Whether another attempt may help. The standard library shows EAI_AGAIN only in the text of the
/// error.
pub(super) fn is_transient(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    ) || error.to_string().contains("Temporary failure")
}
