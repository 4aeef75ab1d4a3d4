//! The progress bar, for people who wait: on standard error, and only where that is a terminal.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ocireg::{CallOptions, Progress};

use crate::args::Options;

/// Fewer than these are answered before a bar is of use.
const FEW: u64 = 20;

/// A bar that draws itself once there are more than a few items, or nothing at all.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    bar: ProgressBar,
    allowed: bool,
}

impl Bar {
    pub(crate) fn new(options: &Options) -> Bar {
        // Whoever reads JSON with a program, or the requests, wants nothing between.
        let allowed = options.verbose == 0
            && io::stderr().is_terminal()
            && (!options.json || io::stdout().is_terminal());
        Bar {
            bar: ProgressBar::hidden(),
            allowed,
        }
    }

    /// There are so many in all. Where more may come, only how many are done is shown.
    pub(crate) fn expect(&self, items: u64, all: bool) {
        if !self.allowed || items <= FEW {
            return;
        }
        self.bar.set_length(items);
        if self.bar.is_hidden() {
            let template = match all {
                true => "{wide_bar} {pos}/{len} {eta}",
                false => "{pos} answered, {per_sec}",
            };
            // The templates are fixed, and right.
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar.set_style(style.progress_chars("=> "));
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Prints without the bar in between.
    pub(crate) fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows how far calls with these settings have come.
    pub(crate) fn follow(&self, call: CallOptions) -> CallOptions {
        if !self.allowed {
            return call;
        }
        let bar = self.clone();
        call.progress(move |Progress { done, total, .. }| {
            if let Some(total) = total {
                bar.expect(total, true);
                bar.bar.set_position(done);
            }
            ControlFlow::Continue(())
        })
    }
}
