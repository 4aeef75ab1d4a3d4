//! Whether the connections to an origin may be used again.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::url::Origin;

/// How long no connection to an origin is used again after bytes have come that nobody asked for.
const BAN: Duration = Duration::from_secs(10 * 60);

/// Bytes that nobody asked for may be the answer to a request of somebody else, and the next
/// request would get one that is not its own. What sends them, a proxy for instance, does so on
/// other connections too, and they may come at any time. So for a while each request to the origin
/// goes over a connection of its own.
pub(super) struct ReuseBan {
    origin: Origin,
    /// Looked at for each request, and nearly always `false`.
    ever: AtomicBool,
    since: Mutex<Option<Instant>>,
    untold: AtomicBool,
}

impl ReuseBan {
    pub(super) fn new(origin: Origin) -> ReuseBan {
        ReuseBan {
            origin,
            ever: AtomicBool::new(false),
            since: Mutex::default(),
            untold: AtomicBool::new(false),
        }
    }

    pub(super) fn begin(&self) {
        self.untold.store(!self.holds(), Ordering::Relaxed);
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.ever.store(true, Ordering::Release);
    }

    /// Tells the program's log that a ban has begun. It names no server, since a registry may have
    /// put a secret into the name of a host that it leads to. Not while a lock is held: the logger
    /// may use the client.
    pub(super) fn tell(&self) {
        if self.untold.load(Ordering::Relaxed) && self.untold.swap(false, Ordering::Relaxed) {
            log::warn!(
                "a server sends bytes that nobody asked for: each request to it uses a new \
                 connection for the next {} minutes",
                BAN.as_secs() / 60
            );
        }
    }

    pub(super) fn holds(&self) -> bool {
        if !self.ever.load(Ordering::Acquire) {
            return false;
        }
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < BAN)
    }
}

impl fmt::Debug for ReuseBan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReuseBan({})", self.origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::url::Url;

    #[test]
    fn r8_a_ban_ends_after_ten_minutes() {
        let ban = ReuseBan::new(
            Url::parse("https://registry.example.com/")
                .unwrap()
                .origin(),
        );
        assert!(!ban.holds());
        ban.begin();
        assert!(ban.holds());
        for (minutes, holds) in [(9, true), (10, false)] {
            let since = Instant::now().checked_sub(Duration::from_secs(minutes * 60));
            *ban.since.lock().unwrap() = since;
            assert_eq!(ban.holds(), holds, "{minutes}");
        }
    }
}
