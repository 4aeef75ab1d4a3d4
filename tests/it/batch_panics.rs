//! A callback that panics stops its batch like one that says so, and the panic goes on.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::Duration;

use ocireg::{CallOptions, Reference};
use raw_http::Answer;

use crate::auth_support::{builder, reference, says};

/// So many that a busy machine can't ask for half of them before the panic is noticed.
const IMAGES: usize = 400;

/// The callback that panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Callback {
    Each,
    Progress,
}

const WORDS: &str = "no more of this";

/// Panics without a word on standard error: to print a backtrace takes as long as many requests.
fn panic_quietly() -> ! {
    resume_unwind(Box::new(WORDS))
}

#[test]
fn r34_a_panic_in_a_callback_stops_the_batch() {
    for callback in [Callback::Each, Callback::Progress] {
        let server = says(None, |_| {
            std::thread::sleep(Duration::from_millis(10));
            Answer::new(404, "Docker-Distribution-Api-Version: registry/2.0", "")
        });
        let at = server.address();
        let images: Vec<Reference> = (0..IMAGES)
            .map(|number| reference(&format!("{at}/t/r{number}:v1")))
            .collect();
        let client = builder().build().unwrap();
        let options = CallOptions::new().concurrency(2);
        let options = match callback {
            Callback::Each => options,
            Callback::Progress => options.progress(|progress| match progress.done {
                3.. => panic_quietly(),
                _ => ControlFlow::Continue(()),
            }),
        };
        let mut seen = 0;
        let batch = client.with(options);
        let ended = catch_unwind(AssertUnwindSafe(|| match callback {
            Callback::Each => batch.lookup_each(&images, |_, _| {
                seen += 1;
                match seen {
                    3.. => panic_quietly(),
                    _ => ControlFlow::Continue(()),
                }
            }),
            Callback::Progress => drop(batch.lookup_all(&images)),
        }));
        let panic = ended.expect_err("the panic goes on");
        let words = panic.downcast_ref::<&str>().copied();
        assert_eq!(words, Some(WORDS), "{callback:?}");
        let requests = server.request_count();
        assert!(requests < IMAGES / 2, "{callback:?}: {requests} requests");
        // Its client can still be used, and has no thread left that asks.
        assert_eq!(client.lookup_all(&images[..1]).len(), 1);
        assert_eq!(server.request_count(), requests + 1, "{callback:?}");
    }
}
