//! Whether to ask again, and when.

use std::time::Duration;

/// Longer waits than this are left to the caller: an error that says "in an hour" at once is worth
/// more than a call that sleeps for a minute and then says it.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// The longest back-off of our own.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// Statuses that may be different next time (RFC 9110; 499 and 522 come from nginx and Cloudflare,
/// J4).
pub(crate) fn is_retryable_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}

/// How often, and how patiently.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    /// Requests in all, the first included.
    pub(crate) attempts: u32,
    /// The first back-off; it doubles from there.
    pub(crate) base: Duration,
}

impl RetryPolicy {
    /// How long to wait before the next attempt, or `None` to give up.
    ///
    /// `made` attempts were made, the server asked for `retry_after`, the call has `left` to live,
    /// and `random` is in 0..1.
    pub(crate) fn next_delay(
        &self,
        made: u32,
        retry_after: Option<Duration>,
        left: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if made >= self.attempts || retry_after.is_some_and(|asked| asked > MAX_RETRY_AFTER) {
            return None;
        }
        let doublings = made.saturating_sub(1).min(16);
        let backoff = self.base.saturating_mul(1 << doublings).min(MAX_BACKOFF);
        // Between half and all of it: spreads clients that failed together, and still backs off.
        let jittered = backoff.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
        // Asking earlier than the server said is an attempt wasted.
        let delay = retry_after.map_or(jittered, |asked| asked.max(jittered));
        match left {
            Some(left) if delay >= left => None,
            _ => Some(delay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(value: u64) -> Duration {
        Duration::from_millis(value)
    }

    #[test]
    fn r10_r11_when_to_ask_again() {
        let policy = RetryPolicy {
            attempts: 4,
            base: ms(200),
        };
        // made, Retry-After, time left, random, the delay
        let cases = [
            (1, None, None, 0.0, Some(ms(100))),
            (1, None, None, 1.0, Some(ms(200))),
            (2, None, None, 1.0, Some(ms(400))),
            (3, None, None, 1.0, Some(ms(800))),
            (4, None, None, 1.0, None),
            (9, None, None, 1.0, None),
            (1, Some(ms(5_000)), None, 0.0, Some(ms(5_000))),
            (3, Some(ms(1)), None, 1.0, Some(ms(800))),
            (1, Some(ms(60_000)), None, 0.0, Some(ms(60_000))),
            (1, Some(ms(60_001)), None, 0.0, None),
            (1, Some(Duration::MAX), None, 0.0, None),
            (1, None, Some(ms(150)), 1.0, None),
            (1, None, Some(ms(201)), 1.0, Some(ms(200))),
            (1, Some(ms(5_000)), Some(ms(4_000)), 0.0, None),
        ];
        for (made, retry_after, left, random, expected) in cases {
            assert_eq!(
                policy.next_delay(made, retry_after, left, random),
                expected,
                "{made} {retry_after:?} {left:?}"
            );
        }
    }

    #[test]
    fn the_back_off_has_a_ceiling() {
        let policy = RetryPolicy {
            attempts: u32::MAX,
            base: ms(200),
        };
        assert_eq!(
            policy.next_delay(1_000_000, None, None, 1.0),
            Some(MAX_BACKOFF)
        );
    }

    #[test]
    fn r11_statuses_worth_another_attempt() {
        let again = [408, 429, 499, 500, 502, 503, 504, 522];
        for status in 100..=599 {
            assert_eq!(
                is_retryable_status(status),
                again.contains(&status),
                "{status}"
            );
        }
    }
}
