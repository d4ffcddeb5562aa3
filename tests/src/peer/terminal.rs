//! A person at the console of a running box: types, and waits for what must come.

use super::appliance::Appliance;
use super::{At, Outcome, Trouble};
use crate::ensure;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// For one step on a busy machine.
pub const LONG: Duration = Duration::from_secs(20);

/// A person at a terminal.
pub struct Terminal {
    line: File,
    /// What came and was not looked at yet.
    said: String,
}

impl Terminal {
    /// Attaches, and asks for a prompt.
    pub fn attach(appliance: &Appliance) -> Outcome<Terminal> {
        Terminal::attach_in(appliance.data())
    }

    /// The same by the box's data directory.
    pub fn attach_in(data: &Path) -> Outcome<Terminal> {
        let path = data.join("console");
        let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
        let line = OpenOptions::new().read(true).write(true).custom_flags(flags.bits()).open(&path);
        let mut terminal = Terminal { line: line.at(path.display())?, said: String::new() };
        terminal.types("\x03")?;
        Ok(terminal)
    }

    /// Attaches after a session that has ended; the new one has a line of its own, which may take a moment.
    pub fn attach_again(appliance: &Appliance) -> Outcome<Terminal> {
        let until = Instant::now() + LONG;
        loop {
            let tried = Terminal::attach(appliance).and_then(|mut terminal| {
                let heard = terminal.hear(Instant::now() + Duration::from_secs(1))?;
                Ok(Some(terminal).filter(|_| heard))
            });
            match tried {
                Ok(Some(terminal)) => return Ok(terminal),
                Ok(None) | Err(_) if Instant::now() < until => std::thread::yield_now(),
                Ok(None) => return Err(Trouble("the console does not come back".into())),
                Err(why) => return Err(why),
            }
        }
    }

    /// Types.
    pub fn types(&mut self, text: &str) -> Outcome {
        self.bytes(text.as_bytes())
    }

    /// Puts bytes on the line, whatever they are.
    pub fn bytes(&mut self, bytes: &[u8]) -> Outcome {
        self.line.write_all(bytes).at("typing")
    }

    /// Reads until `wanted` comes; what stood before it.
    pub fn sees(&mut self, wanted: &str) -> Outcome<String> {
        let until = Instant::now() + LONG;
        loop {
            if let Some(at) = self.said.find(wanted) {
                let rest = self.said.split_off(at + wanted.len());
                return Ok(std::mem::replace(&mut self.said, rest));
            }
            if !self.hear(until)? {
                return Err(Trouble(format!("waited for {wanted:?}, the terminal shows:\n{}", self.said)));
            }
        }
    }

    /// Reads until one of them comes, the earliest.
    pub fn sees_any(&mut self, wanted: &[&str]) -> Outcome<String> {
        let until = Instant::now() + LONG;
        loop {
            let found = wanted.iter().filter_map(|one| Some((self.said.find(one)?, one.len()))).min();
            if let Some((at, length)) = found {
                let rest = self.said.split_off(at + length);
                return Ok(std::mem::replace(&mut self.said, rest));
            }
            if !self.hear(until)? {
                return Err(Trouble(format!("waited for {wanted:?}, the terminal shows:\n{}", self.said)));
            }
        }
    }

    /// Types a line and gives what is printed up to the next prompt.
    pub fn ask(&mut self, line: &str, prompt: &str) -> Outcome<String> {
        self.types(&format!("{line}\r"))?;
        self.sees(&format!("{line}\r\n"))?;
        self.sees(prompt)
    }

    /// Takes what comes; false when nothing came in time, or the box has hung up.
    fn hear(&mut self, until: Instant) -> Outcome<bool> {
        let left = until.saturating_duration_since(Instant::now()).as_millis();
        let wait = PollTimeout::try_from(left.min(60_000) as u32).at("time left")?;
        let mut fds = [PollFd::new(self.line.as_fd(), PollFlags::POLLIN)];
        if poll(&mut fds, wait).at("the console")? == 0 {
            return Ok(false);
        }
        let mut bytes = [0; 4_096];
        match self.line.read(&mut bytes) {
            Ok(0) => Ok(false),
            Ok(count) => {
                self.said.push_str(&String::from_utf8_lossy(&bytes[..count]));
                Ok(true)
            }
            Err(why) if why.kind() == ErrorKind::WouldBlock || why.kind() == ErrorKind::Interrupted => Ok(true),
            // EIO: hung up.
            Err(_) => Ok(false),
        }
    }

    /// Waits until the box hangs up.
    pub fn hung_up(&mut self) -> Outcome {
        let until = Instant::now() + LONG;
        while self.hear(until)? {}
        ensure!(Instant::now() < until, "the box did not hang up; the terminal shows:\n{}", self.said);
        Ok(())
    }
}
