//! TCP connections. Every wait is cut into slices, so that a call can be stopped at any time. A
//! connection is made only to addresses that the call's address policy permits.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::connection::{Found, Stream};
use super::context::{ExchangeContext, Wait, WaitLimit};
use super::error::{Failure, Phase, WireError};
use super::resolve::Resolver;
use crate::address::AddressClass;
use crate::interrupt::SLICE;

/// How long to wait for one address before the next one is tried in parallel (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);
/// The most addresses of a name that are tried at the same time: each takes a thread.
const MAX_AT_ONCE: u32 = 32;

/// A TCP connection and the class of address it leads to.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    class: AddressClass,
    mode: Mode,
    /// The read timeout of the socket. Each change costs a system call, so it changes only when a
    /// deadline is near.
    read_slice: Duration,
}

/// Whether a call on the socket waits. Each change costs a system call, so the mode stays as it is
/// until the other one is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// It waits for at most a slice.
    Blocking,
    /// It returns at once.
    NonBlocking,
}

impl Socket {
    /// Resolves, checks the addresses and connects, within the connect timeout.
    pub(super) fn open(
        host: &str,
        port: u16,
        resolver: &Arc<dyn Resolver>,
        context: &ExchangeContext,
        limit: WaitLimit,
    ) -> Result<Socket, WireError> {
        let addresses = permitted(resolve(host, port, resolver, context, limit)?, context)?;
        let (stream, address) = connect(&addresses, context, limit)?;
        let class = AddressClass::of(address.ip());
        prepare(&stream).map_err(|error| WireError::from_io(error, Phase::Connect))?;
        Ok(Socket {
            stream,
            class,
            mode: Mode::Blocking,
            read_slice: SLICE,
        })
    }

    fn set_mode(&mut self, mode: Mode) -> io::Result<()> {
        if self.mode != mode {
            self.stream.set_nonblocking(mode == Mode::NonBlocking)?;
            self.mode = mode;
        }
        Ok(())
    }

    fn set_read_slice(&mut self, slice: Duration) -> io::Result<()> {
        // A slice longer than needed is harmless until the deadline is near.
        let changed = if slice < SLICE {
            slice != self.read_slice
        } else {
            self.read_slice != SLICE
        };
        if changed {
            self.stream.set_read_timeout(Some(slice))?;
            self.read_slice = slice;
        }
        Ok(())
    }
}

impl Stream for Socket {
    const IS_TLS: bool = false;

    fn read(&mut self, buffer: &mut [u8], wait: Wait<'_>) -> Result<usize, WireError> {
        let failed = |error| WireError::from_io(error, wait.phase);
        self.set_mode(Mode::Blocking).map_err(failed)?;
        let since = Instant::now();
        loop {
            self.set_read_slice(wait.context.interrupt.slice())
                .map_err(failed)?;
            match self.stream.read(buffer) {
                Ok(amount) => {
                    // Without this check a server that sends one byte at a time could keep a call
                    // that was told to stop (R9).
                    wait.check(Instant::now())?;
                    return Ok(amount);
                }
                Err(error) if is_pause(&error) => wait.check(since)?,
                Err(error) => return Err(failed(error)),
            }
        }
    }

    fn read_now(&mut self, buffer: &mut [u8], phase: Phase) -> Result<Found, WireError> {
        let read = self
            .set_mode(Mode::NonBlocking)
            .and_then(|()| self.stream.read(buffer));
        match read {
            Ok(0) => Ok(Found::End),
            Ok(amount) => Ok(Found::Bytes(amount)),
            Err(error) if is_pause(&error) => Ok(Found::Nothing),
            Err(error) => Err(WireError::from_io(error, phase)),
        }
    }

    fn write_slice(&mut self, bytes: &[u8], wait: Wait<'_>) -> Result<Option<usize>, WireError> {
        let failed = |error| WireError::from_io(error, wait.phase);
        loop {
            // Only `write`: it sends with MSG_NOSIGNAL, while a vectored write would raise SIGPIPE
            // in a C host (R26).
            match self.stream.write(bytes) {
                Ok(0) => return Err(failed(io::ErrorKind::WriteZero.into())),
                Ok(amount) => return Ok(Some(amount)),
                // `read_now` has left the socket in this mode.
                Err(error) if is_pause(&error) && self.mode == Mode::NonBlocking => {
                    self.set_mode(Mode::Blocking).map_err(failed)?;
                }
                Err(error) if is_pause(&error) => return Ok(None),
                Err(error) => return Err(failed(error)),
            }
        }
    }

    fn peer(&self) -> AddressClass {
        self.class
    }
}

/// Whether a call on the socket ended without a result: the slice is over, or a signal interrupted
/// it (EINTR).
fn is_pause(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(SLICE))?;
    stream.set_write_timeout(Some(SLICE))
}

fn resolve(
    host: &str,
    port: u16,
    resolver: &Arc<dyn Resolver>,
    context: &ExchangeContext,
    limit: WaitLimit,
) -> Result<Vec<SocketAddr>, WireError> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let (resolver, name) = (resolver.clone(), host.to_owned());
    let (sender, receiver) = mpsc::channel();
    // getaddrinfo can't be stopped. The thread owns only the name, and ends after the resolver's
    // own timeout.
    spawn("ocireg-resolve", Phase::Resolve, move || {
        // Sending fails when the call was stopped in the meantime and nobody waits any more.
        let _ = sender.send(resolver.resolve(&name, port));
    })?;
    let wait = Wait {
        context,
        phase: Phase::Resolve,
        limit,
    };
    match wait_for(&receiver, wait, None)? {
        Some(Ok(addresses)) if addresses.is_empty() => Err(WireError::new(
            Failure::Resolve { transient: false },
            Phase::Resolve,
            "the host name has no address",
        )),
        Some(Ok(addresses)) => Ok(addresses),
        Some(Err(error)) => {
            let transient = super::resolve::is_transient(&error);
            Err(WireError::new(
                Failure::Resolve { transient },
                Phase::Resolve,
                "the host name can't be resolved",
            )
            .caused_by(error))
        }
        None => Err(WireError::new(
            Failure::Resolve { transient: true },
            Phase::Resolve,
            "the resolver gave up",
        )),
    }
}

/// Removes the addresses that the address policy does not permit. The connection is made to the
/// addresses checked here: a second look-up could return others.
fn permitted(
    addresses: Vec<SocketAddr>,
    context: &ExchangeContext,
) -> Result<Vec<SocketAddr>, WireError> {
    let mut refused = None;
    let permitted: Vec<SocketAddr> = addresses
        .into_iter()
        .filter(|address| {
            let class = AddressClass::of(address.ip());
            let permits = context.address_policy.permits(class);
            if !permits {
                refused = Some(class);
            }
            permits
        })
        .collect();
    match refused {
        Some(class) if permitted.is_empty() => Err(WireError::new(
            Failure::AddressRefused(class),
            Phase::Connect,
            format!(
                "the registry's answer leads to a {} address, which it may not",
                named(class)
            ),
        )),
        _ => Ok(permitted),
    }
}

fn named(class: AddressClass) -> &'static str {
    match class {
        AddressClass::Public => "public",
        AddressClass::Private => "private",
        AddressClass::Loopback => "loopback",
        AddressClass::Never => "link-local or otherwise special",
    }
}

type Connected = (SocketAddr, io::Result<TcpStream>);

/// How the addresses of a name share the connect timeout, so that each is tried.
#[derive(Debug, PartialEq, Eq)]
struct Pace {
    /// How long to wait for one before the next one is tried in parallel.
    head_start: Duration,
    /// How long one may take.
    each: Duration,
}

impl Pace {
    fn of(addresses: usize, timeout: Duration) -> Pace {
        let addresses = u32::try_from(addresses).unwrap_or(u32::MAX).max(1);
        let at_once = addresses.min(MAX_AT_ONCE);
        // The last one needs time too.
        let share = timeout / addresses.saturating_add(at_once);
        let head_start = HEAD_START.min(share);
        let each = match addresses > MAX_AT_ONCE {
            true => head_start * at_once,
            false => timeout,
        };
        Pace { head_start, each }
    }
}

/// Connects to the first address that answers. Each address is tried in a thread of its own, since
/// a connect can't be stopped. The thread owns only the address, and ends after the connect
/// timeout.
fn connect(
    addresses: &[SocketAddr],
    context: &ExchangeContext,
    limit: WaitLimit,
) -> Result<(TcpStream, SocketAddr), WireError> {
    let wait = Wait {
        context,
        phase: Phase::Connect,
        limit,
    };
    let pace = Pace::of(addresses.len(), context.connect_timeout);
    let (sender, receiver) = mpsc::channel::<Connected>();
    let mut waiting = addresses.iter().copied();
    let mut running = 0;
    let mut last_error = None;
    loop {
        let next = (running < MAX_AT_ONCE).then(|| waiting.next()).flatten();
        if let Some(address) = next {
            let (sender, timeout) = (sender.clone(), pace.each);
            spawn("ocireg-connect", Phase::Connect, move || {
                let _ = sender.send((address, TcpStream::connect_timeout(&address, timeout)));
            })?;
            running += 1;
        } else if running == 0 {
            break;
        }
        let may_start = waiting.len() > 0 && running < MAX_AT_ONCE;
        let head_start = may_start.then(|| Instant::now() + pace.head_start);
        match wait_for(&receiver, wait, head_start)? {
            Some((address, Ok(stream))) => return Ok((stream, address)),
            Some((address, Err(error))) => {
                running -= 1;
                last_error = Some((address, error));
            }
            // The head start is over: the next address is tried in parallel.
            None => {}
        }
    }
    Err(match last_error {
        Some((_, error)) if error.kind() == io::ErrorKind::TimedOut => WireError::new(
            Failure::TimedOut,
            Phase::Connect,
            "no address accepted a connection in time",
        )
        .caused_by(error),
        Some((address, error)) => WireError::new(
            Failure::Connect,
            Phase::Connect,
            format!("can't connect to {address}"),
        )
        .caused_by(error),
        None => WireError::new(
            Failure::Connect,
            Phase::Connect,
            "there is no address to connect to",
        ),
    })
}

/// Runs `work` on a helper thread that nobody waits for.
pub(super) fn spawn(
    name: &str,
    phase: Phase,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), WireError> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|error| {
        WireError::new(Failure::Local, phase, "no thread could be started").caused_by(error)
    })
}

/// Waits for the result of a helper thread. `None` when `pause` has come, or when the thread has
/// ended without a result.
pub(super) fn wait_for<T>(
    receiver: &Receiver<T>,
    wait: Wait<'_>,
    pause: Option<Instant>,
) -> Result<Option<T>, WireError> {
    let since = Instant::now();
    loop {
        let mut slice = wait.context.interrupt.slice();
        if let Some(pause) = pause {
            slice = slice.min(pause.saturating_duration_since(Instant::now()));
        }
        match receiver.recv_timeout(slice) {
            Ok(result) => return Ok(Some(result)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        wait.check(since)?;
        if pause.is_some_and(|pause| Instant::now() >= pause) {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r1_r2_each_address_of_a_name_gets_a_share_of_the_connect_timeout() {
        let ms = Duration::from_millis;
        let timeout = ms(10_000);
        // The number of addresses, the head start and the time for each.
        for (addresses, head_start, each) in [
            (1, 250, 10_000),
            (2, 250, 10_000),
            (16, 250, 10_000),
            (32, 156, 10_000),
            (100, 75, 2424),
            (4000, 2, 79),
        ] {
            let pace = Pace::of(addresses, timeout);
            assert_eq!(pace.head_start.as_millis(), head_start, "{addresses}");
            assert_eq!(pace.each.as_millis(), each, "{addresses}");
        }
        for addresses in [1, 2, 31, 32, 33, 64, 1000, 100_000] {
            let pace = Pace::of(addresses, timeout);
            // When the last one begins, and none has answered.
            let begins = pace.head_start * u32::try_from(addresses).unwrap();
            assert!(begins < timeout, "{addresses}");
            if addresses > 32 {
                assert!(begins + pace.each <= timeout, "{addresses}");
            }
        }
        assert_eq!(Pace::of(1, Duration::MAX).head_start, HEAD_START);
    }
}
