//! The progress bar on standard error. It is shown only on a terminal.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ocireg::{CallOptions, Progress};

use crate::options::Options;

/// So few items are answered before a bar is useful.
const FEW: u64 = 20;

/// A bar that appears when there are more than a few items, or never.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    bar: ProgressBar,
    allowed: bool,
}

impl Bar {
    pub(crate) fn new(options: &Options) -> Bar {
        // A program that reads JSON, and a user who reads the requests, want no bar in between.
        let allowed = options.verbose == 0
            && io::stderr().is_terminal()
            && (!options.json || io::stdout().is_terminal());
        Bar {
            bar: ProgressBar::hidden(),
            allowed,
        }
    }

    /// Sets the number of items. The bar shows how many are done, and how long the rest will take.
    pub(crate) fn expect(&self, total: u64) {
        self.show(total, "{wide_bar} {pos}/{len} {eta}");
    }

    /// Sets the number of items so far, of a total that is not known. The bar shows only how many
    /// are done.
    pub(crate) fn expect_at_least(&self, so_far: u64) {
        self.show(so_far, "{pos} answered, {per_sec}");
    }

    fn show(&self, items: u64, template: &str) {
        if !self.allowed || items <= FEW {
            return;
        }
        self.bar.set_length(items);
        if self.bar.is_hidden() {
            // Both templates are valid, so the default is never used.
            let style = ProgressStyle::with_template(template)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar.set_style(style.progress_chars("=> "));
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    pub(crate) fn advance(&self) {
        self.bar.inc(1);
    }

    /// Hides the bar while `print` runs.
    pub(crate) fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    /// Shows the progress of calls with these settings.
    pub(crate) fn follow(&self, call: CallOptions) -> CallOptions {
        if !self.allowed {
            return call;
        }
        let bar = self.clone();
        call.progress(move |Progress { done, total, .. }| {
            if let Some(total) = total {
                bar.expect(total);
                bar.bar.set_position(done);
            }
            ControlFlow::Continue(())
        })
    }
}
