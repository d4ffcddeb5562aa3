//! SIPp runs the scenarios of `tests/scenarios`: peers with a message order that no phone offers (races, a trunk, lies).
//! Each run has an address of its own; the exit status is the verdict and the message log is the reason.

use super::audio::Pcm;
use super::pcap;
use super::process::{Process, program};
use super::{At, Outcome, Trouble};
use nix::sys::signal::Signal;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// RTP port of every scenario, at its own address.
pub const MEDIA_PORT: u16 = 26_400;

/// One run of one scenario.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// File in `tests/scenarios`, without ending.
    pub name: String,
    /// SIPp's own address.
    pub address: Ipv4Addr,
    /// SIPp's own port.
    pub port: u16,
    /// The box.
    pub remote: SocketAddr,
    /// `[service]` in the scenario: the number called or the extension.
    pub service: String,
    /// `[keyword]` replacements, by `-key`.
    pub keys: Vec<(String, String)>,
    /// Digest user and secret.
    pub credentials: Option<(String, String)>,
    /// Calls to make or take.
    pub calls: u32,
    /// New calls per second.
    pub rate: u32,
    /// Over TCP instead of UDP.
    pub tcp: bool,
    /// What the scenario's `voice.pcap` says, and keys with their moments in ms.
    pub voice: Option<(Pcm, Vec<(usize, char)>)>,
}

/// SIPp at work.
pub struct Sipp {
    name: String,
    process: Process,
    dir: PathBuf,
}

/// What SIPp counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls that followed the scenario to its end.
    pub successful: u64,
    /// Calls that did not.
    pub failed: u64,
    /// Messages repeated because no answer came in time.
    pub retransmissions: u64,
}

/// The directory with the scenarios.
pub fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

impl Scenario {
    /// One call over UDP from `address`, without credentials.
    pub fn new(name: &str, address: Ipv4Addr, remote: SocketAddr, service: &str) -> Scenario {
        let (name, service) = (name.to_owned(), service.to_owned());
        Scenario {
            name,
            address,
            port: 15_200,
            remote,
            service,
            keys: Vec::new(),
            credentials: None,
            calls: 1,
            rate: 10,
            tcp: false,
            voice: None,
        }
    }

    /// With digest credentials.
    pub fn with_credentials(mut self, user: &str, secret: &str) -> Scenario {
        self.credentials = Some((user.to_owned(), secret.to_owned()));
        self
    }

    /// Speaks `voice` and presses `keys` (ms, key).
    pub fn saying(mut self, voice: Pcm, keys: &[(usize, char)]) -> Scenario {
        self.voice = Some((voice, keys.to_vec()));
        self
    }

    /// With a value for `[key]`.
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Scenario {
        self.keys.push((key.to_owned(), value.into()));
        self
    }

    /// Starts it; logs go to `dir`.
    pub fn start(&self, dir: &Path) -> Outcome<Sipp> {
        let name = format!("sipp {} at {}", self.name, self.address);
        let dir = dir.join(format!("sipp-{}-{}", self.name, self.address));
        std::fs::create_dir_all(&dir).at(dir.display())?;
        // SIPp looks for the files a scenario names beside the scenario.
        let file = dir.join("scenario.xml");
        let source = scenarios().join(format!("{}.xml", self.name));
        std::fs::copy(&source, &file).at(source.display())?;
        if let Some((voice, keys)) = &self.voice {
            pcap::write(&dir.join("voice.pcap"), voice, keys)?;
        }
        let mut args: Vec<String> = vec![self.remote.to_string(), "-sf".into(), file.display().to_string()];
        let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
        option("-i", self.address.to_string());
        option("-mi", self.address.to_string());
        option("-p", self.port.to_string());
        option("-mp", MEDIA_PORT.to_string());
        option("-s", self.service.clone());
        option("-m", self.calls.to_string());
        option("-r", self.rate.to_string());
        option("-t", if self.tcp { "t1" } else { "u1" }.into());
        option("-timeout", "60s".into());
        option("-recv_timeout", "20000".into());
        option("-stf", "statistics.csv".into());
        option("-message_file", "messages.log".into());
        option("-error_file", "errors.log".into());
        if let Some((user, secret)) = &self.credentials {
            option("-au", user.clone());
            option("-ap", secret.clone());
        }
        for (key, value) in &self.keys {
            args.extend(["-key".to_owned(), key.clone(), value.clone()]);
        }
        args.extend(["-trace_stat", "-trace_msg", "-trace_err", "-timeout_error", "-nostdin"].map(str::to_owned));
        let process = Process::start(&name, &program("sipp", "sip-tester")?, args, &dir, &[])?;
        Ok(Sipp { name, process, dir })
    }

    /// Runs it to its end.
    pub fn run(&self, dir: &Path, limit: Duration) -> Outcome<Counts> {
        self.start(dir)?.finish(limit)
    }
}

impl Sipp {
    /// Waits for the end; a run in which a call left the scenario is a trouble that shows SIPp's own words.
    pub fn finish(mut self, limit: Duration) -> Outcome<Counts> {
        let status = self.process.wait_end(limit)?;
        let read = |file: &str| std::fs::read_to_string(self.dir.join(file)).unwrap_or_default();
        if !status.success() {
            let (errors, messages) = (read("errors.log"), read("messages.log"));
            let tail: String =
                messages.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("\n");
            return Err(Trouble(format!("{} ended with {status}:\n{errors}\nlast messages:\n{tail}", self.name)));
        }
        counts(&read("statistics.csv")).at(format!("statistics of {}", self.name))
    }

    /// Every message it sent and received so far.
    pub fn messages(&self) -> String {
        std::fs::read_to_string(self.dir.join("messages.log")).unwrap_or_default()
    }

    /// The directory with its logs.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Asks it to end now (SIPp's soft exit) and does not judge.
    pub fn abandon(mut self) -> Outcome {
        self.process.signal(Signal::SIGKILL)?;
        self.process.wait_end(Duration::from_secs(10)).map(|_| ())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_row_of_the_statistics_counts() {
        let csv = "StartTime;SuccessfulCall(C);FailedCall(C);Retransmissions(C);\na;0;0;0;\nb;7;1;2;\n";
        assert_eq!(counts(csv), Some(Counts { successful: 7, failed: 1, retransmissions: 2 }));
        assert_eq!(counts("StartTime;\n"), None);
    }
}
