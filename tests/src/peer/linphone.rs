//! A second make of phone, for interoperability: linphonec, driven over its standard input. It needs no sound card and
//! goes on recording across a hold, which baresip does not.

use super::audio::Pcm;
use super::process::{Process, program};
use super::{At, Outcome};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ChildStdin;
use std::time::Duration;

/// Its SIP port, on all addresses: linphonec binds the wildcard.
const SIP_PORT: u16 = 15_290;
/// Its RTP port.
const RTP_PORT: u16 = 26_900;
/// How long it may take for what needs no other party.
const SOON: Duration = Duration::from_secs(20);

/// A running linphonec.
pub struct Linphone {
    process: Process,
    stdin: ChildStdin,
    heard: PathBuf,
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
        let mut phone = Linphone { process, stdin, heard: heard.clone() };
        phone.process.wait_line("Ready", SOON)?;
        let host = registrar.ip();
        phone.say(&format!("register sip:{extension}@{host} sip:{registrar} {secret}"))?;
        phone.process.wait_line("successful", SOON)?;
        phone.say("soundcard use files")?;
        phone.say(&format!("play {}", said.display()))?;
        phone.say(&format!("record {}", heard.display()))?;
        Ok(phone)
    }

    fn say(&mut self, line: &str) -> Outcome {
        writeln!(self.stdin, "{line}").and_then(|()| self.stdin.flush()).at(format!("linphonec `{line}`"))
    }

    /// Calls `uri`.
    pub fn call(&mut self, uri: &str) -> Outcome {
        self.say(&format!("call {uri}"))
    }

    /// Waits for an incoming call.
    pub fn ringing(&mut self) -> Outcome<String> {
        self.process.wait_line("is contacting you", SOON)
    }

    /// Lifts the receiver.
    pub fn answer(&mut self) -> Outcome {
        self.say("answer")
    }

    /// Waits until the call is up.
    pub fn connected(&mut self) -> Outcome<String> {
        self.process.wait_line("connected", SOON)
    }

    /// Ends the call.
    pub fn terminate(&mut self) -> Outcome {
        self.say("terminate")
    }

    /// Waits until the call is gone.
    pub fn ended(&mut self) -> Outcome<String> {
        self.process.wait_line("ended", SOON)
    }

    /// What it heard.
    pub fn heard(&self) -> Outcome<Pcm> {
        Pcm::read(&self.heard, 0)
    }

    /// The directory its recording grows in.
    pub fn heard_path(&self) -> &Path {
        &self.heard
    }

    /// Ends the program.
    pub fn stop(mut self) -> Outcome {
        self.say("quit")?;
        self.process.wait_end(SOON).map(|_| ())
    }

    /// What it printed.
    pub fn log(&self) -> String {
        self.process.output()
    }
}
