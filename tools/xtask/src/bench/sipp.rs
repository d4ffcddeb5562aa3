//! SIPp as a load: many users from a list, a rate, a bound of calls at once, and counting instead of judging. Its message
//! log is off, because writing it costs more than the calls.

use super::stage::SIP;
use ::tests::peer::process::{Process, program};
use ::tests::peer::sipp::{Counts, scenarios};
use ::tests::peer::{At, Outcome, Trouble};
use nix::sys::signal::Signal;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How one SIPp is to work.
#[derive(Clone, Debug)]
pub struct Load {
    /// File in `tests/scenarios`, without ending.
    pub scenario: &'static str,
    /// The box.
    pub remote: SocketAddr,
    /// Its own SIP address.
    pub own: SocketAddr,
    /// RTP port that its SDP names.
    pub rtp: u16,
    /// One line of fields for each user; taken in turn.
    pub users: Vec<String>,
    /// New calls per second.
    pub rate: u32,
    /// Calls at once.
    pub at_once: u32,
    /// Calls in all; none for taking calls until asked to end.
    pub calls: Option<u32>,
    /// Length of a call, in ms.
    pub talk_ms: u32,
    /// More options of SIPp.
    pub options: Vec<(&'static str, String)>,
}

/// A SIPp at work.
pub struct Working {
    process: Process,
    dir: PathBuf,
    scenario: &'static str,
}

impl Load {
    /// Calls of `scenario` from `own`, as many at once as come up.
    pub fn new(scenario: &'static str, own: (Ipv4Addr, u16), rtp: u16) -> Load {
        let own = SocketAddr::from(own);
        Load {
            scenario,
            remote: SIP,
            own,
            rtp,
            users: Vec::new(),
            rate: 50,
            at_once: 2000,
            calls: None,
            talk_ms: 0,
            options: Vec::new(),
        }
    }

    /// Starts it with its files in `dir`.
    pub fn start(&self, dir: &Path) -> Outcome<Working> {
        let dir = dir.join(format!("{}-{}-{}", self.scenario, self.own.port(), self.rate));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).at(dir.display())?;
        let mut args: Vec<String> = vec![self.remote.to_string()];
        let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
        option("-sf", scenarios().join(format!("{}.xml", self.scenario)).display().to_string());
        option("-i", self.own.ip().to_string());
        option("-p", self.own.port().to_string());
        option("-t", "u1".into());
        option("-r", self.rate.to_string());
        option("-l", self.at_once.to_string());
        option("-d", self.talk_ms.to_string());
        // Messages of calls that are over: as long as it takes the box to repeat one.
        option("-deadcall_wait", "2000".into());
        option("-stf", "statistics.csv".into());
        option("-fd", "1".into());
        option("-log_file", "ports.log".into());
        option("-error_file", "errors.log".into());
        if let Some(calls) = self.calls {
            option("-m", calls.to_string());
        }
        self.options.iter().for_each(|(name, value)| option(name, value.clone()));
        args.extend(["-key".to_owned(), "rtp".to_owned(), self.rtp.to_string()]);
        if !self.users.is_empty() {
            let list = dir.join("users.csv");
            std::fs::write(&list, format!("SEQUENTIAL\n{}\n", self.users.join("\n"))).at(list.display())?;
            args.extend(["-inf".to_owned(), list.display().to_string()]);
        }
        args.extend(["-trace_stat", "-trace_logs", "-trace_err", "-nostdin"].map(str::to_owned));
        let process = Process::start(self.scenario, &program("sipp", "sip-tester")?, args, &dir, &[])?;
        Ok(Working { process, dir, scenario: self.scenario })
    }
}

impl Working {
    /// Waits until all calls are over.
    pub fn finish(&mut self, limit: Duration) -> Outcome<Counts> {
        self.process.wait_end(limit)?;
        self.counts()
    }

    /// Takes no more calls, waits a little for those it has.
    pub fn close(mut self) -> Outcome<Counts> {
        self.process.signal(Signal::SIGUSR1)?;
        if self.process.wait_end(Duration::from_secs(5)).is_err() {
            self.process.kill9()?;
        }
        self.counts()
    }

    /// What it counted so far.
    pub fn counts(&self) -> Outcome<Counts> {
        let text = std::fs::read_to_string(self.dir.join("statistics.csv")).unwrap_or_default();
        counts(&text).ok_or_else(|| {
            let errors = std::fs::read_to_string(self.dir.join("errors.log")).unwrap_or_default();
            Trouble(format!("sipp {} counted nothing: {} {errors}", self.scenario, self.process.output()))
        })
    }

    /// Its log: what the scenario told line by line.
    pub fn log(&self) -> PathBuf {
        self.dir.join("ports.log")
    }

    /// All that it complained about.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.dir.join("errors.log")).unwrap_or_default()
    }

    /// First lines of what it complained about.
    pub fn complaints(&self) -> String {
        self.errors().lines().take(12).collect::<Vec<_>>().join("\n")
    }

    /// The box's RTP ports of its calls, by the number of the call.
    pub fn ports(&self) -> BTreeMap<u32, u16> {
        let text = std::fs::read_to_string(self.dir.join("ports.log")).unwrap_or_default();
        let pair = |line: &str| {
            let (call, port) = line.trim().split_once(' ')?;
            Some((call.parse().ok()?, port.parse().ok()?))
        };
        text.lines().filter_map(pair).collect()
    }

    /// Waits until `calls` calls are up.
    pub fn up(&self, calls: usize, limit: Duration) -> Outcome<Vec<u16>> {
        let what = format!("{calls} calls of {}", self.scenario);
        ::tests::peer::record::until(&self.dir, limit, &what, || {
            let ports = self.ports();
            Ok((ports.len() >= calls).then(|| ports.into_values().collect()))
        })
        .map_err(|trouble| Trouble(format!("{trouble}; {} are\n{}", self.ports().len(), self.complaints())))
    }
}

/// The last row of SIPp's statistics by the names in the first.
fn counts(csv: &str) -> Option<Counts> {
    let mut rows = csv.lines();
    let names: Vec<&str> = rows.next()?.split(';').collect();
    let last: Vec<&str> = rows.last()?.split(';').collect();
    let cell = |name: &str| last.get(names.iter().position(|n| *n == name)?)?.parse().ok();
    Some(Counts {
        successful: cell("SuccessfulCall(C)")?,
        failed: cell("FailedCall(C)")?,
        retransmissions: cell("Retransmissions(C)")?,
    })
}
