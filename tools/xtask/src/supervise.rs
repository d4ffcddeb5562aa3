//! Keeps the world and the box running, as systemd does on the box: a program that dies is started again at once, one
//! that keeps dying is given a rest. Each runs in a process group of its own, so that Ctrl-C reaches only this program,
//! which then ends them in order.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// So many deaths …
const DEATHS_MAX: usize = 5;
/// … within so long mean that starting again at once does not help.
const DEATHS_WITHIN: Duration = Duration::from_secs(10);
/// Rest then.
const REST: Duration = Duration::from_secs(10);
/// How long a program may take to end when asked.
const STOP_WAIT: Duration = Duration::from_secs(10);

/// Which of the two programs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Who {
    /// The simulated world; started first, ended last.
    World,
    /// The box.
    Pbxd,
}

/// How to start a program.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The file.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Added to the environment.
    pub env: Vec<(String, String)>,
}

/// What happens around the two programs.
#[derive(Debug)]
pub enum Event {
    /// One of them printed a line on standard output.
    Line(Who, String),
    /// One of them ended.
    Ended(Who, ExitStatus),
    /// Somebody wants the end.
    Stop,
}

/// What the supervisor tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Word {
    /// Started, with its process id.
    Started(Who, u32),
    /// It printed the line that says it is ready; true from the second time on.
    Ready(Who, String, bool),
    /// Any other line.
    Line(Who, String),
    /// It died and is started again after this rest.
    Died(Who, String, Duration),
}

/// Decides when a program that died is started again.
#[derive(Debug, Default)]
pub struct Patience {
    deaths: VecDeque<Instant>,
}

impl Patience {
    /// It died; the rest before the next start.
    pub fn after_death(&mut self, now: Instant) -> Duration {
        while self.deaths.front().is_some_and(|d| now.duration_since(*d) >= DEATHS_WITHIN) {
            self.deaths.pop_front();
        }
        self.deaths.push_back(now);
        if self.deaths.len() >= DEATHS_MAX { REST } else { Duration::ZERO }
    }
}

/// One program.
struct Kept {
    launch: Launch,
    pid: Option<u32>,
    ready_before: bool,
    patience: Patience,
    again_at: Option<Instant>,
}

/// Both programs and what they report.
pub struct Supervisor {
    kept: BTreeMap<Who, Kept>,
    events: Receiver<Event>,
    reports: Sender<Event>,
}

impl Supervisor {
    /// For these programs; `events` are reported through `reports`, which others may use to say `Stop`.
    pub fn new(launches: Vec<(Who, Launch)>, events: Receiver<Event>, reports: Sender<Event>) -> Supervisor {
        let keep =
            |launch| Kept { launch, pid: None, ready_before: false, patience: Patience::default(), again_at: None };
        let kept = launches.into_iter().map(|(who, launch)| (who, keep(launch))).collect();
        Supervisor { kept, events, reports }
    }

    /// Starts all and keeps them up until `Event::Stop`. Everything is told to `tell`. A program that ends with an exit
    /// code before it was ever ready has said why; then all end and that is the error.
    pub fn run(mut self, tell: &mut dyn FnMut(Word)) -> Result<(), String> {
        let outcome = self.keep(tell);
        let stopped = self.stop(tell);
        outcome.and(stopped)
    }

    fn keep(&mut self, tell: &mut dyn FnMut(Word)) -> Result<(), String> {
        let first = self.kept.keys().next().copied();
        if let Some(first) = first {
            self.start(first, tell)?;
        }
        loop {
            let wait = self
                .kept
                .values()
                .filter_map(|k| k.again_at)
                .min()
                .map(|at| at.saturating_duration_since(Instant::now()));
            match self.events.recv_timeout(wait.unwrap_or(Duration::from_secs(3600))) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Ok(Event::Line(who, line)) => self.line(who, line, tell)?,
                Ok(Event::Ended(who, status)) => self.ended(who, status, tell)?,
                Err(RecvTimeoutError::Timeout) => {}
            }
            let now = Instant::now();
            let due: Vec<Who> =
                self.kept.iter().filter(|(_, k)| k.again_at.is_some_and(|at| at <= now)).map(|(who, _)| *who).collect();
            for who in due {
                self.start(who, tell)?;
            }
        }
    }

    fn start(&mut self, who: Who, tell: &mut dyn FnMut(Word)) -> Result<(), String> {
        let Some(kept) = self.kept.get_mut(&who) else { return Ok(()) };
        kept.again_at = None;
        let pid = spawn(who, &kept.launch, self.reports.clone())?;
        kept.pid = Some(pid);
        tell(Word::Started(who, pid));
        Ok(())
    }

    fn line(&mut self, who: Who, line: String, tell: &mut dyn FnMut(Word)) -> Result<(), String> {
        let Some(kept) = self.kept.get_mut(&who) else { return Ok(()) };
        if !line.contains("ready") {
            tell(Word::Line(who, line));
            return Ok(());
        }
        let again = std::mem::replace(&mut kept.ready_before, true);
        tell(Word::Ready(who, line, again));
        let next = self.kept.iter().find(|(_, k)| k.pid.is_none() && k.again_at.is_none()).map(|(who, _)| *who);
        match next {
            Some(next) => self.start(next, tell),
            None => Ok(()),
        }
    }

    fn ended(&mut self, who: Who, status: ExitStatus, tell: &mut dyn FnMut(Word)) -> Result<(), String> {
        let Some(kept) = self.kept.get_mut(&who) else { return Ok(()) };
        kept.pid = None;
        let why = in_words(status);
        if status.code().is_some() && !kept.ready_before {
            return Err(format!("{} could not start ({why})", name(who)));
        }
        let rest = kept.patience.after_death(Instant::now());
        kept.again_at = Some(Instant::now() + rest);
        tell(Word::Died(who, why, rest));
        Ok(())
    }

    /// Ends the box, then the world.
    fn stop(&mut self, tell: &mut dyn FnMut(Word)) -> Result<(), String> {
        let mut trouble = Ok(());
        for who in [Who::Pbxd, Who::World] {
            let Some(pid) = self.kept.get_mut(&who).and_then(|k| k.pid.take()) else { continue };
            // Told by a person, the box ends its calls; told by a service manager it would let them talk on.
            let signal = if who == Who::Pbxd { Signal::SIGINT } else { Signal::SIGTERM };
            let ended = send(pid, signal).is_ok() && self.wait_for(who, tell);
            if !ended {
                trouble = Err(format!("{} did not end when asked and was killed", name(who)));
                // Its end is near in any case; an error means that it is gone already.
                let _ = send(pid, Signal::SIGKILL);
            }
        }
        trouble
    }

    fn wait_for(&self, who: Who, tell: &mut dyn FnMut(Word)) -> bool {
        let by = Instant::now() + STOP_WAIT;
        loop {
            match self.events.recv_timeout(by.saturating_duration_since(Instant::now())) {
                Ok(Event::Ended(ended, _)) if ended == who => return true,
                Ok(Event::Line(from, line)) => tell(Word::Line(from, line)),
                Ok(Event::Ended(..) | Event::Stop) => {}
                Err(_) => return false,
            }
        }
    }
}

/// How people call it.
pub fn name(who: Who) -> &'static str {
    match who {
        Who::World => "world",
        Who::Pbxd => "pbxd",
    }
}

fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal().and_then(|s| Signal::try_from(s).ok())) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => signal.as_str().to_string(),
        (None, None) => status.to_string(),
    }
}

/// Sends a signal to a process that this program started.
pub fn send(pid: u32, signal: Signal) -> Result<(), String> {
    let pid = i32::try_from(pid).map_err(|e| e.to_string())?;
    kill(Pid::from_raw(pid), signal).map_err(|e| format!("{signal} to process {pid}: {e}"))
}

fn spawn(who: Who, launch: &Launch, reports: Sender<Event>) -> Result<u32, String> {
    let mut child = Command::new(&launch.program)
        .args(&launch.args)
        .envs(launch.env.iter().map(|(k, v)| (k, v)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|e| format!("{}: {e}", launch.program.display()))?;
    let pid = child.id();
    let lines = child.stdout.take();
    let watch = move || {
        if let Some(lines) = lines {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                // Nobody listens any more once the supervisor is done; the end is still waited for.
                let _ = reports.send(Event::Line(who, line));
            }
        }
        if let Ok(status) = child.wait() {
            let _ = reports.send(Event::Ended(who, status));
        }
    };
    std::thread::Builder::new().name(name(who).into()).spawn(watch).map_err(|e| format!("no thread: {e}"))?;
    Ok(pid)
}

/// Turns Ctrl-C, SIGTERM and the closing of the terminal into `Event::Stop`. By handlers, not by blocking: children would inherit a mask.
pub fn stop_on_signals(reports: Sender<Event>) -> Result<(), String> {
    let no_signals = |e: std::io::Error| format!("no signals from the kernel: {e}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_signals)?;
    let [mut interrupt, mut terminate, mut hangup] = {
        let _inside = runtime.enter();
        let of = |kind| signal(kind).map_err(no_signals);
        [of(SignalKind::interrupt())?, of(SignalKind::terminate())?, of(SignalKind::hangup())?]
    };
    let watch = move || {
        runtime.block_on(async {
            loop {
                let told = tokio::select! {
                    told = interrupt.recv() => told,
                    told = terminate.recv() => told,
                    told = hangup.recv() => told,
                };
                if told.is_none() || reports.send(Event::Stop).is_err() {
                    return;
                }
            }
        });
    };
    std::thread::Builder::new().name("signals".into()).spawn(watch).map(drop).map_err(no_signals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn shell(script: &str) -> Launch {
        Launch { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()], env: Vec::new() }
    }

    #[test]
    fn a_program_that_keeps_dying_gets_a_rest() {
        let mut patience = Patience::default();
        let begin = Instant::now();
        for second in 0..4 {
            assert_eq!(patience.after_death(begin + Duration::from_secs(second)), Duration::ZERO);
        }
        assert_eq!(patience.after_death(begin + Duration::from_secs(4)), REST);
        assert_eq!(patience.after_death(begin + Duration::from_secs(60)), Duration::ZERO);
    }

    #[test]
    fn a_killed_program_is_started_again_at_once() {
        let (reports, events) = channel();
        let stop = reports.clone();
        // A test run in the background ignores SIGINT, and so would its children; the box does not.
        let box_ = shell("exec env --default-signal=INT sh -c 'echo ready; exec sleep 60'");
        let mut starts = 0;
        let mut tell = |word: Word| match word {
            Word::Started(..) => starts += 1,
            Word::Ready(Who::Pbxd, _, false) => {}
            Word::Ready(Who::Pbxd, _, true) => stop.send(Event::Stop).expect("listening"),
            _ => {}
        };
        let mut pid = 0;
        let mut both = |word: Word| {
            if let Word::Started(_, started) = word {
                pid = started;
            }
            if let Word::Ready(_, _, false) = word {
                send(pid, Signal::SIGKILL).expect("ours");
            }
            tell(word);
        };
        let supervisor = Supervisor::new(vec![(Who::Pbxd, box_)], events, reports);
        supervisor.run(&mut both).expect("clean stop");
        assert_eq!(starts, 2);
    }

    #[test]
    fn the_box_waits_for_the_world_and_a_refusal_ends_all() {
        let (reports, events) = channel();
        let launches = vec![(Who::World, shell("echo ready; exec sleep 60")), (Who::Pbxd, shell("exit 1"))];
        let mut told = Vec::new();
        let outcome = Supervisor::new(launches, events, reports).run(&mut |word| told.push(word));
        assert_eq!(outcome, Err("pbxd could not start (exit code 1)".into()));
        assert!(matches!(told[0], Word::Started(Who::World, _)) && matches!(told[1], Word::Ready(Who::World, ..)));
    }
}
