//! How much a warm lookup allocates. It is not in `tests/it`, since counting needs a global
//! allocator, which is unsafe code.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use ocireg::{Client, Presence, Reference};

/// The most allocations of a warm lookup, and the most bytes. Twice what it took when this was
/// written: a bound against accidents, such as a client, a buffer or a list of root certificates
/// made anew for each request.
const MAX_ALLOCATIONS: u64 = 120;
const MAX_BYTES: u64 = 12 * 1024;

#[test]
fn a_warm_lookup_allocates_little_and_always_the_same() {
    let client = Client::new().unwrap();
    let image: Reference = format!("127.0.0.1:{}/app:1", start_server())
        .parse()
        .unwrap();
    let lookup = || {
        let before = (ALLOCATIONS.get(), BYTES.get());
        let presence = client.exists(&image).unwrap();
        assert!(matches!(presence, Presence::Exists(_)), "{presence:?}");
        (ALLOCATIONS.get() - before.0, BYTES.get() - before.1)
    };
    for _ in 0..20 {
        lookup();
    }
    let (allocations, bytes) = lookup();
    println!("a warm lookup: {allocations} allocations, {bytes} bytes");
    assert!(allocations > 0, "the allocator counts");
    assert!(allocations <= MAX_ALLOCATIONS, "{allocations} allocations");
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    for _ in 0..100 {
        assert_eq!(lookup(), (allocations, bytes), "it grows");
    }
}

/// A registry that has every image, on another thread, whose allocations do not count.
fn start_server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        for line in BufReader::new(stream.try_clone().unwrap()).lines() {
            if line.unwrap().is_empty() {
                let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\
                    Content-Type: application/vnd.oci.image.manifest.v1+json\r\n\
                    Docker-Distribution-Api-Version: registry/2.0\r\n\
                    Docker-Content-Digest: sha256:\
                    44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\r\n\r\n";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    port
}

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<u64> = const { Cell::new(0) };
}

/// The system's allocator, which counts the allocations of each thread.
struct Counting;

fn count(size: usize) {
    ALLOCATIONS.set(ALLOCATIONS.get() + 1);
    BYTES.set(BYTES.get() + size as u64);
}

// SAFETY: every call goes to the system's allocator as it came. The counters are thread-local cells
// without a destructor and with a constant initial value, so touching them neither allocates nor
// fails, however early or late in a thread's life.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller keeps this function's promises, which are the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above; `pointer` came from `System`.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: as above; `pointer` came from `System`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;
