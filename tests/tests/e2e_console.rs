//! The console end to end, over the real pseudoterminal of a running box: greeted, asked, answered, a draft compared and
//! checked; garbage, leaving and coming back, hanging up and a killed box do it no harm.

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::ensure;
use tests::peer::appliance::Appliance;
use tests::peer::floor::Floor;
use tests::peer::site::Site;
use tests::peer::{At, Outcome, Trouble};

/// For one step on a busy machine.
const LONG: Duration = Duration::from_secs(20);

/// A person at a terminal.
struct Terminal {
    line: File,
    /// What came and was not looked at yet.
    said: String,
}

impl Terminal {
    /// Attaches, and asks for a prompt.
    fn attach(appliance: &Appliance) -> Outcome<Terminal> {
        let path = appliance.data().join("console");
        let flags = OFlag::O_NOCTTY | OFlag::O_NONBLOCK;
        let line = OpenOptions::new().read(true).write(true).custom_flags(flags.bits()).open(&path);
        let mut terminal = Terminal { line: line.at(path.display())?, said: String::new() };
        terminal.types("\x03")?;
        Ok(terminal)
    }

    fn types(&mut self, text: &str) -> Outcome {
        self.line.write_all(text.as_bytes()).at("typing")
    }

    /// Reads until `wanted` comes; what stood before it.
    fn expect(&mut self, wanted: &str) -> Outcome<String> {
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

    /// Types a line and gives what is printed up to the next prompt.
    fn ask(&mut self, line: &str, prompt: &str) -> Outcome<String> {
        self.types(&format!("{line}\r"))?;
        self.expect(&format!("{line}\r\n"))?;
        self.expect(prompt)
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
    fn hung_up(&mut self) -> Outcome {
        let until = Instant::now() + LONG;
        while self.hear(until)? {}
        ensure!(Instant::now() < until, "the box did not hang up; the terminal shows:\n{}", self.said);
        Ok(())
    }
}

fn site() -> Site {
    let mut site = Site::new(17).agent("1001", "2001");
    site.extra.push_str("queue sales {\n    agents [ 1001 ];\n}\n");
    site
}

fn link(data: &Path) -> Outcome<std::path::PathBuf> {
    std::fs::read_link(data.join("console")).at("the link to the console")
}

#[test]
fn an_admin_looks_drafts_and_comes_back() -> Outcome {
    let mut floor = Floor::open("console", site())?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.expect("`?` shows what can follow")?;
    terminal.expect("> ")?;

    let said = terminal.ask("show agent", "> ")?;
    ensure!(said.contains("1001") && said.contains("ready") && said.contains("2001"), "show agent: {said}");
    let said = terminal.ask("sh q sales", "> ")?;
    ensure!(said.contains("1001"), "show queue: {said}");
    // At the very first start the commit is on the disk half a second later.
    let until = Instant::now() + LONG;
    while !terminal.ask("show system", "> ")?.contains("configuration commit  1") {
        ensure!(Instant::now() < until, "show system never names the commit");
    }
    let said = terminal.ask("show phones | match 2004 | count", "> ")?;
    ensure!(said.contains("1 lines"), "show phones: {said}");
    let said = terminal.ask("show configuration extension 2001 | display set", "> ")?;
    ensure!(said.contains("secret ********") && !said.contains("secret-2001"), "show configuration: {said}");
    let said = terminal.ask("show state at now", "> ")?;
    ensure!(said.contains("state at") && said.contains("1001"), "show state: {said}");
    let said = terminal.ask("explain call last", "> ")?;
    ensure!(!said.trim().is_empty(), "explain says that there is none");
    terminal.types("show al\t")?;
    terminal.expect("arms ")?;
    terminal.types("\x15show ?")?;
    terminal.expect("the configuration in force")?;
    terminal.types("\x03")?;
    terminal.expect("> ")?;

    // A terminal that tells its size gets the site's language.
    terminal.types("\x0c")?;
    terminal.expect("\x1b[6n")?;
    terminal.types("\x1b[40;100R")?;
    terminal.expect("> ")?;
    let said = terminal.ask("show agent", "> ")?;
    ensure!(said.contains("座席") && said.contains("示闲"), "show agent in Chinese: {said}");

    terminal.ask("configure", "# ")?;
    terminal.ask("set queue sales max-length 30", "# ")?;
    terminal.ask("set did 4001239 to queue nobody", "# ")?;
    let said = terminal.ask("compare", "# ")?;
    ensure!(said.contains("+        max-length 30;"), "compare: {said}");
    let said = terminal.ask("commit check", "# ")?;
    ensure!(said.contains("nobody"), "commit check: {said}");

    // Whoever comes next finds what was left, whatever the cable brought meanwhile.
    terminal
        .line
        .write_all(b"\x00\xff\xfe\x1b[\x1b]junk\x07\xe5\xae\x1b[99999999999999999999999999999999z")
        .at("garbage")?;
    drop(terminal);
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.expect("# ")?;
    let said = terminal.ask("compare", "# ")?;
    ensure!(said.contains("+        max-length 30;"), "the draft is still there: {said}");
    terminal.ask("exit discard", "> ")?;

    let before = link(floor.appliance.data())?;
    terminal.types("exit\r")?;
    terminal.hung_up()?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.expect("> ")?;
    ensure!(
        link(floor.appliance.data())?.starts_with("/dev/pts") && before.starts_with("/dev/pts"),
        "a terminal's name"
    );

    floor.appliance.kill9()?;
    terminal.hung_up()?;
    floor.appliance.restart()?;
    let mut terminal = Terminal::attach(&floor.appliance)?;
    terminal.expect("> ")?;
    let said = terminal.ask("show calls", "> ")?;
    ensure!(said.contains("none"), "show calls: {said}");
    floor.close(Vec::new(), 0).map(|_| ())
}
