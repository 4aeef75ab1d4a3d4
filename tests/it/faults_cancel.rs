//! Whatever a call waits for, it can be stopped: by its cancel token, its timeout and its progress
//! callback (R2, R9, R34).

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ocireg::{CallOptions, Cancel, Client, Error, ErrorKind};

use super::faults_stages::{Bound, Stage};
use super::faults_support::{Ask, PROMPT, once, time_to_end, time_to_stop};
use fake_registry::{Config, FakeRegistry, Script, ScriptServer};

/// Runs a test that measures a time, up to five times. Load of the machine only adds to the time,
/// so the best result counts.
#[track_caller]
fn is_prompt(stage: fn() -> Stage, test: impl Fn(&Stage) -> Duration) {
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let stage = stage();
        best = best.min(test(&stage));
        if best < PROMPT {
            return;
        }
        eprintln!("{}: {best:?}", stage.name);
    }
    panic!("{}: {best:?}", stage().name);
}

#[track_caller]
fn stopped(stage: &Stage, result: Result<String, Error>, kind: ErrorKind) {
    let error = result.expect_err(stage.name);
    assert_eq!(error.kind(), kind, "{}: {error}", stage.name);
    // The connecting thread and the waiting thread have the same timeout; either may report it.
    let named = [stage.doing, "no address accepted a connection in time"];
    assert!(
        named.iter().any(|doing| error.message().contains(doing)),
        "{}: {error}",
        stage.name
    );
}

#[test]
fn r34_a_cancel_ends_every_wait_within_half_a_second() {
    Stage::each(|stage| {
        is_prompt(stage, |stage| {
            let client = stage.client(|settings| settings);
            let took = time_to_stop(stage.arrived(), |cancel| {
                let call = client.with(CallOptions::new().cancel(cancel));
                stopped(
                    stage,
                    stage.ask.run(&call, &stage.authority),
                    ErrorKind::Cancelled,
                );
            });
            stage.works_again(&client);
            took
        });
    });
}

#[test]
fn a_shutdown_ends_every_wait_within_half_a_second() {
    Stage::each(|stage| {
        is_prompt(stage, |stage| {
            let client = stage.client(|settings| settings);
            let clone = client.clone();
            time_to_end(
                stage.arrived(),
                || clone.shutdown(),
                || {
                    let result = stage.ask.run(&client, &stage.authority);
                    stopped(stage, result, ErrorKind::Cancelled);
                },
            )
        });
    });
}

#[test]
fn r9_the_timeout_of_a_call_ends_every_wait() {
    Stage::each(|stage| {
        is_prompt(stage, |stage| {
            let client = stage.client(|settings| settings);
            let call = client.with(CallOptions::new().timeout(stage.arrived()));
            let started = Instant::now();
            let result = stage.ask.run(&call, &stage.authority);
            let late = started.elapsed().saturating_sub(stage.arrived());
            if stage.bound == Bound::RetryAfter {
                // The registry asks for a longer wait than the timeout allows.
                let error = result.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
                assert!(
                    error.retry_after() > Some(Duration::from_secs(10)),
                    "{error}"
                );
                assert!(started.elapsed() < stage.arrived());
            } else {
                stopped(stage, result, ErrorKind::Timeout);
            }
            stage.works_again(&client);
            late
        });
    });
}

#[test]
fn r2_r9_each_limit_of_the_client_ends_its_waits() {
    Stage::each(|stage| {
        is_prompt(stage, |stage| {
            let limit = Duration::from_millis(300);
            let client = stage.client(|settings| {
                let settings = settings.retries(0);
                match stage.bound {
                    Bound::Connect => settings.connect_timeout(limit),
                    Bound::Idle => settings.idle_timeout(limit),
                    Bound::None | Bound::RetryAfter => settings.timeout(limit),
                }
            });
            if stage.bound == Bound::RetryAfter {
                return Duration::ZERO;
            }
            let started = Instant::now();
            let result = stage.ask.run(&client, &stage.authority);
            let late = started.elapsed().saturating_sub(limit);
            stopped(stage, result, ErrorKind::Timeout);
            if stage.bound != Bound::None {
                stage.works_again(&client);
            }
            // The idle time starts at the last byte that the buffers took.
            if stage.name == "send" {
                Duration::ZERO
            } else {
                late
            }
        });
    });
}

#[test]
fn r34_the_callback_comes_at_least_every_200_ms_on_the_calling_thread() {
    Stage::each(|stage| {
        is_prompt(stage, |stage| {
            let client = stage.client(|settings| settings);
            let calls = Arc::new(Mutex::new(Vec::new()));
            let seen = calls.clone();
            let watching = CallOptions::new()
                .timeout(Duration::MAX)
                .progress(move |_| {
                    seen.lock()
                        .unwrap()
                        .push((Instant::now(), thread::current().id()));
                    match seen.lock().unwrap().len() {
                        ..10 => ControlFlow::Continue(()),
                        _ => ControlFlow::Break(()),
                    }
                });
            let started = Instant::now();
            let result = stage.ask.run(&client.with(watching), &stage.authority);
            stopped(stage, result, ErrorKind::Callback);
            stage.works_again(&client);
            let calls = calls.lock().unwrap();
            assert_eq!(calls.len(), 10, "{}: none after the break", stage.name);
            assert!(
                calls
                    .iter()
                    .all(|(_, thread)| *thread == thread::current().id())
            );
            // The first wait begins a while after the start of the call: `send` first has to fill
            // the buffers with its 5 MB.
            let begun = if stage.name == "send" {
                calls[0].0
            } else {
                started
            };
            let times = || calls.iter().map(|(time, _)| *time);
            let gaps = [begun]
                .into_iter()
                .chain(times())
                .zip(times())
                .map(|(a, b)| b - a);
            // 200 ms are promised. The rest is for a busy machine.
            gaps.max().unwrap() + (PROMPT - Duration::from_millis(400))
        });
    });
}

#[test]
fn r34_a_triggered_token_stops_later_calls_before_they_send_a_request() {
    let registry = FakeRegistry::start(Config::new());
    let client = once();
    let authority = registry.authority();
    Ask::Ping.run(&client, &authority).unwrap();
    let cancel = Cancel::new();
    cancel.trigger();
    let stopped = client.with(CallOptions::new().cancel(&cancel));
    for ask in [Ask::Head, Ask::Tags, Ask::Ping] {
        let error = ask.run(&stopped, &authority).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{ask:?}: {error}");
    }
    assert_eq!(registry.request_count(), 1);
    Ask::Ping.run(&client, &authority).unwrap();
}

#[test]
fn a_client_that_was_shut_down_sends_no_request() {
    let registry = FakeRegistry::start(Config::new());
    let client = once();
    let authority = registry.authority();
    Ask::Ping.run(&client, &authority).unwrap();
    client.clone().shutdown();
    for ask in [Ask::Head, Ask::Tags, Ask::Ping] {
        let error = ask.run(&client, &authority).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::State, "{ask:?}: {error}");
        assert!(error.subject().is_some(), "{ask:?}: {error}");
    }
    let references = ["a:1", "b:1"].map(|name| format!("{authority}/{name}").parse().unwrap());
    for answer in client.lookup_all(&references) {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::State);
    }
    assert_eq!(registry.request_count(), 1);
    // Another client still works.
    Ask::Ping.run(&once(), &authority).unwrap();
}

#[test]
fn a_batch_keeps_what_it_has_when_its_client_is_shut_down() {
    let silent = Script::new().read_request().stall();
    let server = ScriptServer::start(vec![Ask::Head.good(), silent]);
    let references: Vec<_> = (1..=3)
        .map(|tag| {
            format!("{}/team/app:{tag}", server.authority())
                .parse()
                .unwrap()
        })
        .collect();
    let client = once();
    let clone = client.clone();
    let mut answers = Vec::new();
    let one_by_one = client.with(CallOptions::new().concurrency(1));
    one_by_one.lookup_each(&references, |_, answer| {
        clone.shutdown();
        answers.push(answer);
        ControlFlow::Continue(())
    });
    assert_eq!(answers.len(), references.len());
    assert!(answers[0].is_ok(), "{:?}", answers[0]);
    for answer in &answers[1..] {
        let error = answer.as_ref().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    }
}

#[test]
fn the_shortest_and_longest_limits_do_what_they_say() {
    let server = ScriptServer::start(vec![Ask::Head.good()]);
    let authority = server.authority();
    let forever = || {
        Client::builder()
            .timeout(Duration::MAX)
            .connect_timeout(Duration::MAX)
    };
    let patient = forever()
        .idle_timeout(Duration::MAX)
        .retry_delay(Duration::MAX)
        .build()
        .unwrap();
    assert_eq!(
        Ask::Head.run(&patient, &authority).unwrap(),
        Ask::Head.expected()
    );
    let options = CallOptions::new().timeout(Duration::MAX);
    assert_eq!(
        Ask::Head.run(&patient.with(options), &authority).unwrap(),
        Ask::Head.expected()
    );

    let zero = Duration::ZERO;
    let settings = [
        Client::builder().timeout(zero),
        Client::builder().connect_timeout(zero).retry_delay(zero),
        Client::builder().timeout(Duration::from_nanos(1)),
    ];
    for settings in settings {
        let error = Ask::Head
            .run(&settings.build().unwrap(), &authority)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    }
    let call = patient.with(CallOptions::new().timeout(zero));
    assert_eq!(
        Ask::Head.run(&call, &authority).unwrap_err().kind(),
        ErrorKind::Timeout
    );
}
