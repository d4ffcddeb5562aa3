//! The one thread that holds the console's terminal line: a pseudoterminal whose name stands in the data directory as
//! `console`. It stays open whoever attaches and goes; after `exit` it hangs up, and a new one takes its place. A reader
//! who does not read loses what is sent, and nothing else waits for him.

use super::session::Session;
use super::sources::Sources;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;
use std::fs::{File, Permissions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

/// Name of the link in the data directory.
pub const LINK: &str = "console";
/// How often a session that nobody touches is told that time passes, in milliseconds.
const TICK_MS: u16 = 1_000;
/// How long a reader may take to make room, in milliseconds.
const DRAIN_MS: u16 = 1_000;

/// The running thread.
pub struct ConsoleThread {
    /// Its other end is watched by the thread.
    stop: UnixStream,
    thread: JoinHandle<()>,
    link: PathBuf,
}

impl ConsoleThread {
    /// Ends it; whoever is attached is hung up.
    pub fn stop(self) {
        drop(self.stop);
        // A thread that panicked has said so on stderr; there is nothing left to end.
        let _ = self.thread.join();
        let _ = std::fs::remove_file(self.link);
    }
}

/// Opens the line in `data` and starts the thread.
///
/// # Errors
/// When the machine gives no pseudoterminal, or the link cannot be made.
pub fn spawn<S: Sources + Send + 'static>(data: &Path, sources: S) -> io::Result<ConsoleThread> {
    let link = data.join(LINK);
    let line = Line::open(&link)?;
    let (stop, stopped) = UnixStream::pair()?;
    let place = link.clone();
    let run = move || {
        if let Err(why) = attend(line, &place, sources, &stopped) {
            tracing::warn!("the console has ended: {why}");
        }
    };
    let thread = std::thread::Builder::new().name("console".into()).spawn(run)?;
    Ok(ConsoleThread { stop, thread, link })
}

/// Both ends of the line; ours keeps the other one open, so that nobody's leaving ends it.
struct Line {
    ours: File,
    _theirs: OwnedFd,
}

impl Line {
    fn open(link: &Path) -> io::Result<Line> {
        let pair = openpty(None, None)?;
        for end in [&pair.master, &pair.slave] {
            fcntl(end.as_fd(), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        }
        let flags = OFlag::from_bits_truncate(fcntl(pair.master.as_fd(), FcntlArg::F_GETFL)?);
        fcntl(pair.master.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        let mut raw = tcgetattr(pair.slave.as_fd())?;
        cfmakeraw(&mut raw);
        tcsetattr(pair.slave.as_fd(), SetArg::TCSANOW, &raw)?;
        let name = ttyname(pair.slave.as_fd())?;
        // Whoever may use it is in the box: only the owner of the program.
        std::fs::set_permissions(&name, Permissions::from_mode(0o600))?;
        let fresh = link.with_extension("new");
        let _ = std::fs::remove_file(&fresh);
        symlink(&name, &fresh)?;
        std::fs::rename(&fresh, link)?;
        Ok(Line { ours: File::from(pair.master), _theirs: pair.slave })
    }
}

/// Session after session, until it is stopped.
fn attend<S: Sources>(mut line: Line, link: &Path, mut sources: S, stopped: &UnixStream) -> io::Result<()> {
    loop {
        let mut session = Session::new(sources);
        while !session.is_over() {
            let Some(bytes) = typed(&mut line, stopped)? else { return Ok(()) };
            let answer = if bytes.is_empty() { session.tick() } else { session.take(&bytes) };
            if !send(&mut line, answer.as_bytes(), stopped)? {
                return Ok(());
            }
        }
        sources = session.into_sources();
        line = Line::open(link)?;
    }
}

/// What was typed, nothing in a second without a key; none when the thread is to end.
fn typed(line: &mut Line, stopped: &UnixStream) -> io::Result<Option<Vec<u8>>> {
    loop {
        match ready(line, PollFlags::POLLIN, PollTimeout::from(TICK_MS), stopped)? {
            Some(true) => {}
            Some(false) => return Ok(Some(Vec::new())),
            None => return Ok(None),
        }
        let mut bytes = [0; 256];
        match line.ours.read(&mut bytes) {
            Ok(count) => return Ok(Some(bytes.get(..count).unwrap_or_default().to_vec())),
            Err(why) if why.kind() == ErrorKind::WouldBlock || why.kind() == ErrorKind::Interrupted => {}
            Err(why) => return Err(why),
        }
    }
}

/// Sends, as far as somebody reads. False when the thread is to end.
fn send(line: &mut Line, mut bytes: &[u8], stopped: &UnixStream) -> io::Result<bool> {
    while !bytes.is_empty() {
        match line.ours.write(bytes) {
            Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
            Err(why) if why.kind() == ErrorKind::Interrupted => {}
            Err(why) if why.kind() == ErrorKind::WouldBlock => {
                match ready(line, PollFlags::POLLOUT, PollTimeout::from(DRAIN_MS), stopped)? {
                    Some(true) => {}
                    // Nobody reads.
                    Some(false) => return Ok(true),
                    None => return Ok(false),
                }
            }
            Err(why) => return Err(why),
        }
    }
    Ok(true)
}

/// Whether the line is ready within the time; none when the thread is to end.
fn ready(line: &Line, flags: PollFlags, wait: PollTimeout, stopped: &UnixStream) -> io::Result<Option<bool>> {
    let mut fds = [PollFd::new(line.ours.as_fd(), flags), PollFd::new(stopped.as_fd(), PollFlags::POLLIN)];
    let count = match poll(&mut fds, wait) {
        Err(nix::errno::Errno::EINTR) => return Ok(Some(true)),
        other => other?,
    };
    let ended = fds.get(1).and_then(PollFd::any).unwrap_or(false);
    Ok((!ended).then_some(count > 0))
}
