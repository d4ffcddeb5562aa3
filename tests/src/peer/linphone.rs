//! A second make of phone, for interoperability: linphonec, driven over its standard input and watched through its log,
//! because what it prints ends in no line. It needs no sound card and goes on recording across a hold, which baresip does
//! not.

use super::audio::Pcm;
use super::process::{Process, program};
use super::record::until;
use super::{At, Outcome};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ChildStdin;
use std::time::Duration;

/// Its SIP port, on all addresses: linphonec binds the wildcard.
const SIP_PORT: u16 = 15_290;
/// Its RTP port.
pub const RTP_PORT: u16 = 26_900;
/// How long it may take for what needs no other party.
const SOON: Duration = Duration::from_secs(20);

/// A running linphonec.
pub struct Linphone {
    process: Process,
    stdin: ChildStdin,
    home: PathBuf,
    log_mark: usize,
}

impl Linphone {
    /// Starts it with its own home directory and registers `extension` at `registrar`. It says `voice` and records what
    /// it hears.
    pub fn start(extension: &str, secret: &str, registrar: SocketAddr, voice: &Pcm, dir: &Path) -> Outcome<Linphone> {
        let home = dir.join(format!("linphone-{extension}"));
        for part in [".local/share/linphone", ".config/linphone"] {
            std::fs::create_dir_all(home.join(part)).at(home.display())?;
        }
        let (said, heard) = (home.join("voice.wav"), home.join("heard.wav"));
        voice.write(&said)?;
        let settings = format!(
            "[sip]\nsip_port={SIP_PORT}\nsip_tcp_port={SIP_PORT}\nsip_tls_port=-2\nguess_hostname=1\nuse_ipv6=0\n\
             contact=\"L\" <sip:{extension}@127.0.0.1>\ndefault_proxy=-1\n[rtp]\naudio_rtp_port={RTP_PORT}\n\
             [video]\nenabled=0\n"
        );
        std::fs::write(home.join("rc"), settings).at(home.display())?;
        let program = program("linphonec", "linphone-cli")?;
        let env = [("HOME", home.display().to_string())];
        let mut process = Process::start("linphonec", &program, ["-c", "rc", "-d", "1", "-l", "log"], &home, &env)?;
        let stdin = process.stdin()?;
        let mut phone = Linphone { process, stdin, home, log_mark: 0 };
        let host = registrar.ip();
        phone.say(&format!("register sip:{extension}@{host} sip:{registrar} {secret}"))?;
        phone.reaches("LinphoneRegistrationOk")?;
        phone.say("soundcard use files")?;
        phone.say(&format!("play {}", said.display()))?;
        phone.say(&format!("record {}", heard.display()))?;
        Ok(phone)
    }

    fn say(&mut self, line: &str) -> Outcome {
        writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush()).at(format!("linphonec `{line}`"))
    }

    /// Waits until the log tells of this state, after the last one waited for.
    fn reaches(&mut self, state: &str) -> Outcome {
        let log = self.home.join("log");
        let from = self.log_mark;
        self.log_mark = until(&self.home, SOON, &format!("linphonec to reach {state}"), || {
            let text = String::from_utf8_lossy(&std::fs::read(&log).at(log.display())?).into_owned();
            let rest = text.get(from..).unwrap_or_default();
            Ok(rest.lines().any(|line| line.contains("to ") && line.contains(state)).then_some(text.len()))
        })?;
        Ok(())
    }

    /// Calls `uri`.
    pub fn call(&mut self, uri: &str) -> Outcome {
        self.say(&format!("call {uri}"))
    }

    /// Waits for an incoming call.
    pub fn ringing(&mut self) -> Outcome {
        self.reaches("LinphoneCallIncomingReceived")
    }

    /// Lifts the receiver.
    pub fn answer(&mut self) -> Outcome {
        self.say("answer")
    }

    /// Waits until the call is up and its voice runs.
    pub fn talking(&mut self) -> Outcome {
        self.reaches("LinphoneCallStreamsRunning")
    }

    /// Ends the call.
    pub fn terminate(&mut self) -> Outcome {
        self.say("terminate")
    }

    /// Waits until the call is gone.
    pub fn ended(&mut self) -> Outcome {
        self.reaches("LinphoneCallReleased")
    }

    /// What it heard.
    pub fn heard(&self) -> Outcome<Pcm> {
        Pcm::read(&self.home.join("heard.wav"), 0)
    }

    /// Ends the program.
    pub fn stop(mut self) -> Outcome {
        self.say("quit")?;
        self.process.wait_end(SOON).map(|_| ())
    }
}
