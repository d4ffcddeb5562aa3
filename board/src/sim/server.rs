//! The world as a process: sockets, signals and the clock around [`World`]. One thread, one `ppoll`; periods end at
//! absolute deadlines, whoever listens. Nothing that arrives on a socket can end it but SIGTERM and SIGINT.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use base::time::Instant;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::{self, AddressFamily, Backlog, SockFlag, SockType, UnixAddr};
use nix::sys::time::TimeSpec;
use serde_json::json;

use super::boot_now;
use super::control::{Answer, Command};
use super::wire::{
    CONTROL_SOCKET, Direction, I2C_NO_ACKNOWLEDGE, I2C_READ_MAX, PANEL_BYTES_MAX, PANEL_I2C, PANEL_PIN, PANEL_SOCKET,
    PANEL_SPI, Period, SPI_BYTES_MAX, SPI_MALFORMED, SPI_OK, SPI_SOCKET, TDM_BYTES_MAX, TDM_SOCKET, ToClient, ToWorld,
};
use super::world::World;

/// Connections at once on each socket; more are closed at once.
const CLIENTS_MAX: usize = 16;
/// Periods that playback may queue; more is a client that does not keep time, and is dropped.
const QUEUE_PERIODS_MAX: usize = 64;
/// Longest line of text.
const LINE_BYTES_MAX: usize = 4_096;
/// Messages taken from one connection before the others have their turn.
const BURST_MAX: usize = 32;
const LOCK_FILE: &str = "world.lock";

/// A running world.
pub struct Server {
    world: World,
    spi: Vec<UnixStream>,
    panel: Vec<UnixStream>,
    tdm: Vec<TdmClient>,
    control: Vec<ControlClient>,
    counts: Counts,
    sockets: Sockets,
}

#[derive(Default)]
struct Counts {
    played: u64,
    underruns: u64,
    undelivered: u64,
    nonsense: u64,
}

/// The listening sockets; their files go with them.
struct Sockets {
    spi: UnixListener,
    panel: UnixListener,
    tdm: UnixListener,
    control: UnixListener,
    paths: Vec<PathBuf>,
    _lock: Flock<File>,
}

impl Drop for Sockets {
    fn drop(&mut self) {
        for path in &self.paths {
            // A socket that somebody removed before us is gone as wanted.
            let _ = fs::remove_file(path);
        }
    }
}

struct TdmClient {
    stream: UnixStream,
    direction: Option<Direction>,
    run: Option<u32>,
    queue: VecDeque<Box<Period>>,
}

struct ControlClient {
    stream: UnixStream,
    text: Vec<u8>,
    waiting: Option<Answer>,
}

/// What became of a connection after its turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum After {
    Keep,
    Close,
}

impl Sockets {
    fn open(dir: &Path) -> Result<Sockets, String> {
        fs::create_dir_all(dir).map_err(|why| format!("cannot make the directory {}: {why}", dir.display()))?;
        let lock_path = dir.join(LOCK_FILE);
        let place = |why: &dyn std::fmt::Display| format!("{}: {why}; name a writable --dir", lock_path.display());
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path);
        let lock = Flock::lock(file.map_err(|why| place(&why))?, FlockArg::LockExclusiveNonblock);
        let _lock = lock.map_err(|(_, why)| match why {
            Errno::EWOULDBLOCK => {
                format!(
                    "a world runs in {} already; end it, or choose another directory (world --dir, tools/run --data)",
                    dir.display()
                )
            }
            why => place(&why),
        })?;
        let paths: Vec<PathBuf> =
            [SPI_SOCKET, TDM_SOCKET, CONTROL_SOCKET, PANEL_SOCKET].map(|name| dir.join(name)).to_vec();
        for path in paths.iter().filter(|path| path.exists()) {
            fs::remove_file(path).map_err(|why| format!("cannot remove the old socket {}: {why}", path.display()))?;
        }
        let spi = listen(&paths[0], SockType::SeqPacket)?;
        let tdm = listen(&paths[1], SockType::SeqPacket)?;
        let control = listen(&paths[2], SockType::Stream)?;
        let panel = listen(&paths[3], SockType::SeqPacket)?;
        Ok(Sockets { spi, panel, tdm, control, paths, _lock })
    }
}

fn listen(path: &Path, kind: SockType) -> Result<UnixListener, String> {
    let open = || -> io::Result<UnixListener> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let fd = socket::socket(AddressFamily::Unix, kind, flags, None)?;
        socket::bind(std::os::fd::AsRawFd::as_raw_fd(&fd), &UnixAddr::new(path)?)?;
        socket::listen(&fd, Backlog::new(CLIENTS_MAX as i32)?)?;
        Ok(UnixListener::from(fd))
    };
    open().map_err(|why| {
        format!("cannot listen on {}: {why}; name a writable --dir with a path of less than 90 bytes", path.display())
    })
}

/// Runs a world in `dir` until SIGTERM or SIGINT. `ready` is called when all sockets listen. Errors are sentences for
/// people. Call it before other threads are started: it blocks the two signals.
pub fn serve(dir: &Path, ready: impl FnOnce()) -> Result<(), String> {
    let signals = signals().map_err(|why| format!("cannot receive signals: {why}"))?;
    serve_until(dir, signals.as_fd(), ready)
}

fn signals() -> Result<SignalFd, Errno> {
    let mut mask = SigSet::empty();
    mask.add(Signal::SIGTERM);
    mask.add(Signal::SIGINT);
    mask.thread_block()?;
    SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
}

/// Runs a world in `dir` until `stop` is readable or closed at its other end.
pub fn serve_until(dir: &Path, stop: BorrowedFd<'_>, ready: impl FnOnce()) -> Result<(), String> {
    let sockets = Sockets::open(dir)?;
    let world = World::new(boot_now());
    let (spi, panel, tdm, control) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut server = Server { world, spi, panel, tdm, control, counts: Counts::default(), sockets };
    ready();
    server.run(stop).map_err(|why| format!("cannot wait for events: {why}"))
}

impl Server {
    fn run(&mut self, stop: BorrowedFd<'_>) -> Result<(), Errno> {
        loop {
            let woken = self.wait(stop)?;
            if woken.stop {
                return Ok(());
            }
            self.serve_clients(&woken);
            self.accept();
            self.end_periods();
            self.settle_waits();
        }
    }

    /// Sleeps until something arrives or a period ends.
    fn wait(&self, stop: BorrowedFd<'_>) -> Result<Woken, Errno> {
        let Sockets { spi, panel, tdm, control, .. } = &self.sockets;
        let sockets = [spi.as_fd(), panel.as_fd(), tdm.as_fd(), control.as_fd()];
        let clients = self.spi.iter().chain(&self.panel).map(AsFd::as_fd);
        let clients = clients.chain(self.tdm.iter().map(|c| c.stream.as_fd()));
        let clients = clients.chain(self.control.iter().map(|c| c.stream.as_fd()));
        let fds = std::iter::once(stop).chain(sockets).chain(clients);
        let mut fds: Vec<PollFd<'_>> = fds.map(|fd| PollFd::new(fd, PollFlags::POLLIN)).collect();
        let left = self.world.next_period().since(boot_now());
        match ppoll(&mut fds, Some(TimeSpec::from_duration(left)), None) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(why) => return Err(why),
        }
        let mut active = fds.iter().map(|fd| fd.any().unwrap_or(true));
        let stop = active.next().unwrap_or(false);
        let mut active = active.skip(sockets.len());
        let mut take = |count: usize| active.by_ref().take(count).collect::<Vec<bool>>();
        let (spi, panel) = (take(self.spi.len()), take(self.panel.len()));
        Ok(Woken { stop, spi, panel, tdm: take(self.tdm.len()), control: take(self.control.len()) })
    }

    fn serve_clients(&mut self, woken: &Woken) {
        let Server { world, spi, panel, tdm, control, counts, .. } = self;
        let mut turn = woken.spi.iter();
        spi.retain_mut(|stream| !turn.next().unwrap_or(&false) || serve_spi(world, stream, counts) == After::Keep);
        let mut turn = woken.panel.iter();
        panel.retain_mut(|stream| !turn.next().unwrap_or(&false) || serve_panel(world, stream, counts) == After::Keep);
        let mut turn = woken.control.iter();
        control.retain_mut(|client| {
            !turn.next().unwrap_or(&false) || serve_control(world, tdm, client, counts) == After::Keep
        });
        let mut turn = woken.tdm.iter();
        let mut taken = Vec::new();
        let mut before = std::mem::take(tdm);
        for mut client in before.drain(..) {
            let keep = !turn.next().unwrap_or(&false) || serve_tdm(world, &mut client, &taken, counts) == After::Keep;
            if keep {
                taken.extend(client.direction);
                tdm.push(client);
            }
        }
    }

    fn accept(&mut self) {
        let accept = |listener: &UnixListener, room: bool| -> Option<UnixStream> {
            let (stream, _) = listener.accept().ok()?;
            (room && stream.set_nonblocking(true).is_ok()).then_some(stream)
        };
        self.spi.extend(accept(&self.sockets.spi, self.spi.len() < CLIENTS_MAX));
        self.panel.extend(accept(&self.sockets.panel, self.panel.len() < CLIENTS_MAX));
        let tdm = accept(&self.sockets.tdm, self.tdm.len() < CLIENTS_MAX);
        self.tdm.extend(tdm.map(|stream| TdmClient { stream, direction: None, run: None, queue: VecDeque::new() }));
        let control = accept(&self.sockets.control, self.control.len() < CLIENTS_MAX);
        self.control.extend(control.map(|stream| ControlClient { stream, text: Vec::new(), waiting: None }));
    }

    /// Ends every period whose deadline has passed.
    fn end_periods(&mut self) {
        let now = boot_now();
        let skipped = self.world.skip_if_late(now);
        if skipped > 0 {
            eprintln!("world: the machine slept; {skipped} periods of 20 ms are left out");
        }
        while self.world.next_period() <= now {
            self.end_period(now);
        }
    }

    fn end_period(&mut self, now: Instant) {
        let ended = self.world.current_period();
        let player = self.tdm.iter_mut().find(|c| c.direction == Some(Direction::Playback) && c.run.is_some());
        let playback = player.and_then(|client| {
            let period = client.queue.pop_front();
            if period.is_some() {
                self.counts.played += 1
            } else {
                self.counts.underruns += 1
            }
            period
        });
        let mut captured = Some(self.world.period(now, playback.as_deref()));
        let counts = &mut self.counts;
        self.tdm.retain_mut(|client| {
            let (Some(direction), Some(run)) = (client.direction, client.run) else { return true };
            let samples = if direction == Direction::Capture { captured.take() } else { None };
            let tick = ToClient::Tick { run, period: ended, samples };
            match client.stream.write(&tick.to_bytes()) {
                Ok(_) => true,
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => {
                    counts.undelivered += 1;
                    true
                }
                Err(_) => false,
            }
        });
    }

    fn settle_waits(&mut self) {
        let now = boot_now();
        let Server { world, tdm, control, counts, .. } = self;
        control.retain_mut(|client| {
            let Some(result) = client.waiting.as_ref().and_then(|answer| answer.settle(world, now)) else {
                return true;
            };
            client.waiting = None;
            client.reply(&result) == After::Keep && client.obey(world, tdm, counts) == After::Keep
        });
    }
}

struct Woken {
    stop: bool,
    spi: Vec<bool>,
    panel: Vec<bool>,
    tdm: Vec<bool>,
    control: Vec<bool>,
}

/// Reads one message or some text; `None` when nothing is there now.
fn receive<'a>(stream: &mut UnixStream, buffer: &'a mut [u8]) -> Result<Option<&'a [u8]>, After> {
    match stream.read(buffer) {
        Ok(0) => Err(After::Close),
        Ok(length) => Ok(Some(&buffer[..length])),
        Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Ok(None),
        Err(_) => Err(After::Close),
    }
}

fn serve_spi(world: &mut World, stream: &mut UnixStream, counts: &mut Counts) -> After {
    let mut buffer = [0u8; SPI_BYTES_MAX + 3];
    for _ in 0..BURST_MAX {
        let request = match receive(stream, &mut buffer) {
            Ok(Some(request)) => request,
            Ok(None) => return After::Keep,
            Err(after) => return after,
        };
        let answer = match request {
            [card, chip_select, mosi @ ..] if !mosi.is_empty() && mosi.len() <= SPI_BYTES_MAX => {
                let mut answer = vec![SPI_OK];
                answer.extend(world.spi(boot_now(), *card, *chip_select, mosi));
                answer
            }
            _ => {
                counts.nonsense += 1;
                vec![SPI_MALFORMED]
            }
        };
        if stream.write(&answer).is_err() {
            return After::Close;
        }
    }
    After::Keep
}

fn serve_panel(world: &mut World, stream: &mut UnixStream, counts: &mut Counts) -> After {
    let mut buffer = [0u8; PANEL_BYTES_MAX + 1];
    for _ in 0..BURST_MAX {
        let request = match receive(stream, &mut buffer) {
            Ok(Some(request)) => request,
            Ok(None) => return After::Keep,
            Err(after) => return after,
        };
        let answer = panel_answer(world, request).unwrap_or_else(|| {
            counts.nonsense += 1;
            vec![SPI_MALFORMED]
        });
        if stream.write(&answer).is_err() {
            return After::Close;
        }
    }
    After::Keep
}

/// Carries a request of the panel out; none for one that makes no sense.
fn panel_answer(world: &mut World, request: &[u8]) -> Option<Vec<u8>> {
    let (now, front) = (boot_now(), &mut world.front);
    let ok = |rest: &[u8]| [&[SPI_OK], rest].concat();
    match request {
        [PANEL_SPI, mosi @ ..] if !mosi.is_empty() && request.len() <= PANEL_BYTES_MAX => {
            front.spi(now, mosi);
            Some(ok(&vec![0xFF; mosi.len()]))
        }
        [PANEL_I2C, address, read, written @ ..]
            if *read <= I2C_READ_MAX && written.len() <= usize::from(I2C_READ_MAX) =>
        {
            let done = front.i2c(now, *address, written, usize::from(*read));
            Some(done.map_or(vec![I2C_NO_ACKNOWLEDGE], |read| ok(&read)))
        }
        [PANEL_PIN, pin, level @ (0 | 1)] => front.pin(now, *pin, *level == 1).then(|| ok(&[])),
        _ => None,
    }
}

fn serve_tdm(world: &World, client: &mut TdmClient, taken: &[Direction], counts: &mut Counts) -> After {
    let mut buffer = [0u8; TDM_BYTES_MAX + 1];
    for _ in 0..BURST_MAX {
        let message = match receive(&mut client.stream, &mut buffer) {
            Ok(Some(bytes)) => ToWorld::from_bytes(bytes),
            Ok(None) => return After::Keep,
            Err(after) => return after,
        };
        let after = match (message, client.direction) {
            (Some(ToWorld::Hello { direction, card }), None) => client.welcome(world, direction, card, taken),
            (Some(ToWorld::Start { run }), Some(_)) => {
                client.run = Some(run);
                After::Keep
            }
            (Some(ToWorld::Stop), Some(_)) => {
                client.run = None;
                client.queue.clear();
                After::Keep
            }
            (Some(ToWorld::Play(period)), Some(Direction::Playback)) if client.queue.len() < QUEUE_PERIODS_MAX => {
                client.queue.push_back(period);
                After::Keep
            }
            _ => {
                counts.nonsense += 1;
                After::Close
            }
        };
        if after == After::Close {
            return After::Close;
        }
    }
    After::Keep
}

impl TdmClient {
    fn welcome(&mut self, world: &World, direction: Direction, card: u8, taken: &[Direction]) -> After {
        let refusal = if card != super::CARD {
            Some(format!("no card {card}; the simulated appliance has card {}", super::CARD))
        } else if taken.contains(&direction) {
            Some("busy: another program has this direction open".into())
        } else {
            None
        };
        let (answer, after) = match refusal {
            Some(text) => (ToClient::Refused(text), After::Close),
            None => (ToClient::Welcome { period: world.current_period() }, After::Keep),
        };
        if self.stream.write(&answer.to_bytes()).is_err() {
            return After::Close;
        }
        self.direction = (after == After::Keep).then_some(direction);
        after
    }
}

fn serve_control(world: &mut World, tdm: &[TdmClient], client: &mut ControlClient, counts: &mut Counts) -> After {
    let mut buffer = [0u8; LINE_BYTES_MAX];
    match receive(&mut client.stream, &mut buffer) {
        Ok(Some(text)) => client.text.extend_from_slice(text),
        Ok(None) => return After::Keep,
        Err(after) => return after,
    }
    client.obey(world, tdm, counts)
}

impl ControlClient {
    /// Carries out the complete lines, until one has to wait.
    fn obey(&mut self, world: &mut World, tdm: &[TdmClient], counts: &mut Counts) -> After {
        while self.waiting.is_none() {
            let Some(end) = self.text.iter().position(|byte| *byte == b'\n') else { break };
            let line: Vec<u8> = self.text.drain(..=end).collect();
            let now = boot_now();
            let answer = match Command::parse(&String::from_utf8_lossy(&line)) {
                Ok(Command::Status) => Answer::Now(Ok(status(world, tdm, counts, now))),
                Ok(command) => command.run(world, now),
                Err(problem) => Answer::Now(Err(problem)),
            };
            match answer.settle(world, now) {
                Some(result) => {
                    if self.reply(&result) == After::Close {
                        return After::Close;
                    }
                }
                None => self.waiting = Some(answer),
            }
        }
        if self.text.len() <= LINE_BYTES_MAX {
            return After::Keep;
        }
        counts.nonsense += 1;
        self.reply(&Err(format!("a line has at most {LINE_BYTES_MAX} bytes; send commands one by one")));
        After::Close
    }

    fn reply(&mut self, result: &Result<String, String>) -> After {
        let line = match result {
            Ok(text) if text.is_empty() => "ok\n".to_string(),
            Ok(text) => format!("ok {text}\n"),
            Err(text) => format!("error: {text}\n"),
        };
        if self.stream.write_all(line.as_bytes()).is_ok() { After::Keep } else { After::Close }
    }
}

fn status(world: &World, tdm: &[TdmClient], counts: &Counts, now: Instant) -> String {
    let open = |direction| tdm.iter().any(|c| c.direction == Some(direction));
    let mut status = world.status(now);
    status["highway"] = json!({
        "capture": open(Direction::Capture),
        "playback": open(Direction::Playback),
        "played": counts.played,
        "underruns": counts.underruns,
        "undelivered": counts.undelivered,
        "nonsense": counts.nonsense,
    });
    status.to_string()
}
