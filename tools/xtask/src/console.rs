//! `xtask console`: this terminal on the console of the running box, raw, both ways, until Ctrl-] or until the box hangs
//! up. Without a terminal (in a script) what is read is typed, and it ends when nothing more is answered.

use crate::panel::Raw;
use crate::run::absolute;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::termios::{FlushArg, tcflush};
use pbx::config::Language;
use pbx::text::{start as key, text};
use pbxd::console::port::LINK;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Ctrl-], as telnet has it.
const DETACH: u8 = 0x1d;
/// Gives up what somebody left half typed, and asks for a prompt and the size of this terminal.
const HELLO: &[u8] = b"\x03\x0c";
/// How long a script waits for more of an answer, in milliseconds.
const QUIET_MS: u16 = 2_000;

/// Attaches until the person detaches or the box hangs up.
///
/// # Errors
/// When there is no console, or somebody is at it.
pub fn attach(data: &Path, language: Language) -> Result<(), String> {
    let path = absolute(&data.join(LINK))?;
    let shown = path.display().to_string();
    let missing = |why: io::Error| text(key::NO_CONSOLE, language, &[("path", &shown), ("why", &why.to_string())]);
    let line = OpenOptions::new().read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(&path);
    let mut line =
        Flock::lock(line.map_err(missing)?, FlockArg::LockExclusiveNonblock).map_err(|(_, why)| match why {
            Errno::EWOULDBLOCK => text(key::CONSOLE_TAKEN, language, &[("path", &shown)]),
            why => missing(why.into()),
        })?;
    // What was said to nobody.
    let _ = tcflush(&*line, FlushArg::TCIFLUSH);
    let terminal = io::stdin().is_terminal();
    if terminal {
        println!("{}", text(key::ATTACHED, language, &[("path", &shown)]));
    }
    let raw = if terminal { Some(Raw::enter().map_err(|why| format!("terminal: {why}"))?) } else { None };
    let outcome = line.write_all(if terminal { HELLO } else { b"\x03" }).and_then(|()| carry(&mut line));
    let was_raw = raw.is_some();
    drop(raw);
    if was_raw {
        println!("\n{}", text(key::DETACHED, language, &[]));
    }
    outcome.map_err(|why| format!("{shown}: {why}"))
}

/// Bytes both ways.
fn carry(line: &mut File) -> io::Result<()> {
    let (mut input, mut output) = (io::stdin(), io::stdout());
    let mut typing = true;
    loop {
        let (typed, said) = {
            let mut fds = vec![PollFd::new(line.as_fd(), PollFlags::POLLIN)];
            // A pipe that has ended would be ready for ever.
            if typing {
                fds.push(PollFd::new(input.as_fd(), PollFlags::POLLIN));
            }
            let wait = if typing { PollTimeout::NONE } else { PollTimeout::from(QUIET_MS) };
            match poll(&mut fds, wait) {
                Err(Errno::EINTR) => continue,
                Ok(0) => return Ok(()),
                other => drop(other?),
            }
            let ready = |at: usize| fds.get(at).and_then(PollFd::any).unwrap_or(false);
            (ready(1), ready(0))
        };
        let mut bytes = [0; 4_096];
        if said {
            match line.read(&mut bytes) {
                // The box has hung up.
                Ok(0) => return Ok(()),
                Err(why) if why.raw_os_error() == Some(Errno::EIO as i32) => return Ok(()),
                Err(why) if why.kind() == ErrorKind::Interrupted => {}
                Ok(count) => output.write_all(&bytes[..count]).and_then(|()| output.flush())?,
                Err(why) => return Err(why),
            }
        }
        if typed {
            let count = input.read(&mut bytes)?;
            let typed = &bytes[..count];
            let end = typed.iter().position(|byte| *byte == DETACH);
            line.write_all(&typed[..end.unwrap_or(count)])?;
            if end.is_some() {
                return Ok(());
            }
            typing = count > 0;
        }
    }
}
