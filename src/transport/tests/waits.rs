//! Uploads that wait: each can be stopped, and each has an idle limit.

use std::ops::ControlFlow;
use std::time::Instant;

use raw_http::{Script, ScriptServer};

use super::*;
use crate::interrupt::{Progress, ProgressCallback, Stopped};

/// What is promised of every stop.
const PROMPT: Duration = Duration::from_millis(500);

/// Uploads to a server that does not read, until `context` ends the upload. Also says when it
/// ended.
fn ends(context: ExchangeContext, content: Content<'_>, tls: Option<&Ca>) -> (WireError, Instant) {
    let script = Script::new().read_some().stall();
    let (_server, peer) = match tls {
        Some(ca) => {
            let server = ScriptServer::start_tls(&identity(ca), vec![script]);
            let peer = Peer::https(&server.authority(), ca);
            (server, peer)
        }
        None => {
            let server = ScriptServer::start(vec![script]);
            let peer = Peer::http(&server.authority());
            (server, peer)
        }
    };
    let context = Arc::new(context);
    let error = peer.send_in(&context, Method::Put, content).unwrap_err();
    let ended = Instant::now();
    assert!(context.seen().sent);
    (error, ended)
}

fn large() -> Content<'static> {
    stream(Zeros::new(LARGE), Some(LARGE))
}

#[test]
fn a_cancelled_upload_ends_promptly() {
    let ca = Ca::new();
    for tls in [None, Some(&ca)] {
        let cancel = Cancel::new();
        let interrupt = Interrupt::new(Cancel::new(), Some(cancel.clone()), None, None);
        let zeros = Zeros::new(LARGE);
        let asked = zeros.seen.clone();
        let trigger = thread::spawn(move || {
            while asked.given.load(Ordering::Relaxed) == 0 {
                thread::sleep(Duration::from_millis(10));
            }
            // By then the writes are blocked.
            thread::sleep(Duration::from_millis(300));
            cancel.trigger();
            Instant::now()
        });
        let content = stream(zeros, Some(LARGE));
        let (error, ended) = ends(limited(interrupt, PATIENCE), content, tls);
        assert_eq!(error.failure, Failure::Stopped(Stopped::Cancelled));
        assert!(ended - trigger.join().unwrap() < PROMPT);
    }
}

#[test]
fn an_upload_that_never_blocks_ends_promptly() {
    let (authority, _server) = serve(|mut stream| {
        let mut buffer = vec![0; 1 << 20];
        while stream.read(&mut buffer)? > 0 {}
        Ok(())
    });
    let cancel = Cancel::new();
    let interrupt = Interrupt::new(Cancel::new(), Some(cancel.clone()), None, None);
    let trigger = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        cancel.trigger();
        Instant::now()
    });
    let context = Arc::new(limited(interrupt, PATIENCE));
    let peer = Peer::http(&authority);
    let endless = stream(io::repeat(0), None);
    let error = peer.send_in(&context, Method::Put, endless).unwrap_err();
    let ended = Instant::now();
    assert_eq!(error.failure, Failure::Stopped(Stopped::Cancelled));
    assert!(ended - trigger.join().unwrap() < PROMPT);
}

/// A source that belongs to the same call may fail first.
#[test]
fn a_cancelled_call_says_so_even_if_its_source_fails() {
    let cancel = Cancel::new();
    let interrupt = Interrupt::new(Cancel::new(), Some(cancel.clone()), None, None);
    let source = scripted(move |_, _| {
        cancel.trigger();
        Err(io::Error::other("cancelled"))
    });
    let (error, _) = ends(limited(interrupt, PATIENCE), stream(source, Some(1)), None);
    assert_eq!(error.failure, Failure::Stopped(Stopped::Cancelled));
}

#[test]
fn the_deadline_ends_an_upload() {
    let limit = Duration::from_millis(400);
    let deadline = Instant::now() + limit;
    let interrupt = Interrupt::new(Cancel::new(), None, Some(deadline), None);
    let (error, ended) = ends(limited(interrupt, PATIENCE), large(), None);
    assert_eq!(error.failure, Failure::Stopped(Stopped::Deadline));
    assert!(ended < deadline + PROMPT);
}

#[test]
fn the_progress_callback_is_called_during_an_upload_and_can_end_it() {
    let ticks = Arc::new(AtomicUsize::new(0));
    let seen = ticks.clone();
    let callback: ProgressCallback = Arc::new(move |_: Progress| {
        if seen.fetch_add(1, Ordering::Relaxed) < 5 {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    });
    let interrupt = Interrupt::new(Cancel::new(), None, None, Some(callback));
    let started = Instant::now();
    let (error, ended) = ends(limited(interrupt, PATIENCE), large(), None);
    assert_eq!(error.failure, Failure::Stopped(Stopped::Callback));
    assert_eq!(ticks.load(Ordering::Relaxed), 6);
    assert!(ended - started < Duration::from_secs(3));
}

#[test]
fn a_server_that_does_not_read_is_waited_for_no_longer_than_the_idle_limit() {
    let ca = Ca::new();
    let idle = Duration::from_millis(400);
    for tls in [None, Some(&ca)] {
        let started = Instant::now();
        let (error, ended) = ends(limited(unstoppable(), idle), large(), tls);
        assert_eq!(error.failure, Failure::TimedOut);
        assert_eq!(error.phase, Phase::Send);
        assert!(ended - started < Duration::from_secs(4));
    }
}

/// The limit is for each wait: an upload that makes progress may take longer in total.
#[test]
fn the_idle_limit_does_not_limit_the_whole_upload() {
    let idle = Duration::from_millis(400);
    let script = Script::new().read_request().send(CREATED);
    let server = ScriptServer::start(vec![script]);
    let source = scripted(|read, buffer| match read {
        1..=10 => {
            thread::sleep(idle / 5);
            give(b"1", buffer)
        }
        _ => Ok(0),
    });
    let started = Instant::now();
    let context = Arc::new(limited(unstoppable(), idle));
    let peer = Peer::http(&server.authority());
    let reply = peer.send_in(&context, Method::Put, stream(source, Some(10)));
    assert_eq!(reply.unwrap().status, 201);
    assert!(started.elapsed() > idle);
}

/// After an early answer ureq still counts the bytes of the body that are not sent.
#[test]
fn the_rest_of_a_large_body_that_is_not_sent_takes_little_time() {
    let script = Script::new().read_some().send(TOO_LARGE).stall();
    let server = ScriptServer::start(vec![script]);
    let peer = Peer::http(&server.authority());
    let started = Instant::now();
    let gigabytes = 100 << 30;
    let content = stream(Zeros::new(gigabytes), Some(gigabytes));
    let reply = peer.send(Method::Put, content).unwrap();
    assert_eq!(reply, Reply::too_large());
    assert!(started.elapsed() < PATIENCE / 2);

    let interrupt = Interrupt::new(
        Cancel::new(),
        None,
        Some(Instant::now() + Duration::from_millis(300)),
        None,
    );
    let context = Arc::new(limited(interrupt, PATIENCE));
    let content = stream(Zeros::new(u64::MAX), Some(u64::MAX));
    let reply = peer.send_in(&context, Method::Put, content).unwrap();
    assert_eq!(reply, Reply::too_large());
}
