//! Whether to send a request again, and when.

use std::time::Duration;

/// The longest wait that a server may ask for. A longer one ends the call at once: an error that
/// says "in an hour" is better now than after a minute of sleep.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);
/// The longest back-off if the server asks for no wait.
const MAX_BACKOFF: Duration = Duration::from_secs(8);

/// Whether the same request may get another status next time. 499 and 522 are not in RFC 9110:
/// nginx and Cloudflare send them.
pub(crate) fn is_retryable_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 499 | 500 | 502 | 503 | 504 | 522)
}

/// How often a request is sent, and how long the client waits in between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    /// The number of attempts, including the first.
    pub(crate) attempts: u32,
    /// The first back-off. Each further one is twice as long.
    pub(crate) base: Duration,
}

impl RetryPolicy {
    /// How long to wait before the next attempt, or `None` to stop.
    ///
    /// `made` is the number of attempts so far, `retry_after` the wait that the server asked for,
    /// `left` the time until the call's deadline, and `random` a number from 0 to 1.
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
        // A random part between half and all of it, so that clients that failed at the same moment
        // do not come back at the same moment.
        let jittered = backoff.mul_f64(0.5 + random.clamp(0.0, 1.0) / 2.0);
        // An attempt before the time that the server named would be wasted.
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
