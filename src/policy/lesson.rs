//! What the client learns of a registry from its answers, and when it forgets that again.

use std::time::{Duration, Instant};

/// How long a lesson holds. A proxy's bad hour should not cost a long-lived process more requests
/// for the rest of its life.
pub(crate) const LESSON: Duration = Duration::from_secs(10 * 60);

/// An oddity that the client believes once it has seen it twice in a row: a single odd answer may
/// come from one bad backend of several.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lesson {
    /// Whether it was seen once.
    suspected: bool,
    /// Since when it is believed.
    since: Option<Instant>,
}

impl Lesson {
    /// Records that the oddity was seen. Returns whether it is believed now.
    pub(crate) fn seen(&mut self, now: Instant) -> bool {
        if self.holds(now) {
            return true;
        }
        // What is forgotten is not half known.
        let forgotten = self.since.is_some();
        self.since = (self.suspected && !forgotten).then_some(now);
        self.suspected = true;
        self.since.is_some()
    }

    /// Records an answer without the oddity.
    pub(crate) fn refuted(&mut self) {
        *self = Lesson::default();
    }

    pub(crate) fn holds(&self, now: Instant) -> bool {
        self.since
            .is_some_and(|since| now.saturating_duration_since(since) < LESSON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twice_in_a_row_teaches_for_ten_minutes() {
        let start = Instant::now();
        let mut lesson = Lesson::default();
        assert!(!lesson.seen(start) && !lesson.holds(start));
        lesson.refuted();
        assert!(!lesson.seen(start), "not in a row");
        assert!(lesson.seen(start) && lesson.holds(start));
        let last = start + LESSON - Duration::from_secs(1);
        assert!(lesson.holds(last) && lesson.seen(last));
        let over = start + LESSON;
        assert!(!lesson.holds(over));
        assert!(!lesson.seen(over) && lesson.seen(over), "as at first");
        lesson.refuted();
        assert!(!lesson.holds(over));
    }
}
