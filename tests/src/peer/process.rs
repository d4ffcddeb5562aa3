//! One child program: started with its own output watched line by line, and gone when the test is gone, even when the
//! test itself is killed.

use super::watch::Watch;
use super::{At, Outcome, Trouble};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

/// A running program and what it printed.
pub struct Process {
    name: String,
    child: Child,
    reaped: bool,
    /// Lines of standard output and standard error in the order they came, without colour codes.
    pub lines: Watch<String>,
}

impl Process {
    /// Starts `program` with `args` in `dir`. `setpriv` (util-linux) asks the kernel to kill it when this process dies,
    /// so that a test run that is interrupted leaves nothing behind.
    pub fn start<I, S>(name: &str, program: &Path, args: I, dir: &Path, env: &[(&str, String)]) -> Outcome<Process>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        let mut command = Command::new("setpriv");
        command.arg("--pdeathsig").arg("KILL").arg("--").arg(program).args(args);
        command.current_dir(dir).envs(env.iter().map(|(key, value)| (*key, value.as_str())));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().at(format!("cannot start {name} by setpriv (Debian package util-linux)"))?;
        let lines = Watch::default();
        let readers = [
            child.stdout.take().map(|pipe| read_lines(pipe, lines.clone())),
            child.stderr.take().map(|pipe| read_lines(pipe, lines.clone())),
        ];
        let watched = lines.clone();
        std::thread::spawn(move || {
            readers.into_iter().flatten().for_each(|thread| {
                let _ = thread.join();
            });
            watched.close();
        });
        Ok(Process { name: name.to_owned(), child, reaped: false, lines })
    }

    /// Process id: of the program itself, because `setpriv` becomes it.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The pipe to its standard input, once.
    pub fn stdin(&mut self) -> Outcome<std::process::ChildStdin> {
        self.child.stdin.take().at(format!("standard input of {}", self.name))
    }

    /// Waits until a line contains `text`.
    pub fn wait_line(&self, text: &str, limit: Duration) -> Outcome<String> {
        let what = format!("{} to print `{text}`", self.name);
        self.lines.wait(0, limit, &what, |line| line.contains(text)).map(|(_, line)| line)
    }

    /// Sends one signal.
    pub fn signal(&self, signal: Signal) -> Outcome {
        let pid = i32::try_from(self.pid()).at("process id")?;
        kill(Pid::from_raw(pid), signal).at(format!("signal {signal} to {}", self.name))
    }

    /// Waits for the end: first for both outputs to close, then for the exit status.
    pub fn wait_end(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        let what = format!("the end of {}", self.name);
        match self.lines.wait(0, limit, &what, |_| false) {
            Err(trouble) if !trouble.0.contains("it ended first") => Err(trouble),
            _ => {
                self.reaped = true;
                self.child.wait().at(what)
            }
        }
    }

    /// SIGTERM and the exit status.
    pub fn stop(&mut self, limit: Duration) -> Outcome<ExitStatus> {
        self.signal(Signal::SIGTERM)?;
        self.wait_end(limit)
    }

    /// For programs with children of their own, which a SIGKILL would leave behind: SIGTERM, unless it has ended.
    pub fn end_with_children(&mut self) {
        if !self.reaped {
            let _ = self.stop(Duration::from_secs(5));
        }
    }

    /// SIGKILL, and wait until the kernel has taken its sockets back.
    pub fn kill9(&mut self) -> Outcome {
        self.signal(Signal::SIGKILL)?;
        self.reaped = true;
        self.child.wait().at(format!("the end of {}", self.name)).map(|_| ())
    }

    /// Everything it printed, as one text.
    pub fn output(&self) -> String {
        self.lines.since(0).join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read_lines(pipe: impl Read + Send + 'static, lines: Watch<String>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|count| count > 0) {
            lines.push(plain(&String::from_utf8_lossy(&bytes)));
            bytes.clear();
        }
    })
}

/// The line without its end and without terminal colour sequences.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line.trim_end();
    while let Some(start) = rest.find('\u{1b}') {
        text.push_str(&rest[..start]);
        rest = rest[start..].split_once('m').map_or("", |(_, after)| after);
    }
    text + rest
}

/// Runs a short program to its end and gives what it printed on standard output.
pub fn run<I, S>(program: &Path, args: I) -> Outcome<String>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let name = program.display();
    let done = Command::new(program).args(args).stdin(Stdio::null()).output().at(format!("cannot start {name}"))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(text);
    }
    Err(Trouble(format!("{name} ended with {}: {text}{}", done.status, String::from_utf8_lossy(&done.stderr))))
}

/// Where a program of Debian lies, or a sentence with the package to install.
pub fn program(name: &str, package: &str) -> Outcome<std::path::PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
        .at(format!("the program {name} is not installed; remedy: apt-get install --no-install-recommends {package}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_watched_and_the_end_is_seen() {
        let args = ["-c", "printf '\\033[31mred\\033[0m line\\n'; read answer; echo got $answer >&2"];
        let mut shell = Process::start("sh", Path::new("/bin/sh"), args, Path::new("/"), &[]).unwrap();
        assert_eq!(shell.wait_line("red", Duration::from_secs(5)).unwrap(), "red line");
        std::io::Write::write_all(&mut shell.stdin().unwrap(), b"it\n").unwrap();
        assert!(shell.wait_end(Duration::from_secs(5)).unwrap().success());
        assert!(shell.output().contains("got it"));
    }

    #[test]
    fn a_missing_program_is_told_with_its_package() {
        let trouble = program("no-such-program", "no-such-package").unwrap_err();
        assert!(trouble.0.contains("apt-get install --no-install-recommends no-such-package"));
    }
}
