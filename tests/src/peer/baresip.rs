//! A desk phone: one baresip process with a directory, an address and a voice of its own, told what to do over its
//! control socket (ctrl_tcp, netstrings of JSON). What it hears is written to WAV files by baresip itself.
//!
//! Limits of baresip 1.0.0 that shape this file: its recording stops at the first hold for good, so what is heard after
//! one must come from a capture; it takes no digest challenge but MD5; and its source file must have the codec's rate.

use super::audio::Pcm;
use super::process::{Process, program};
use super::record::until;
use super::watch::Watch;
use super::{At, Outcome, Trouble};
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All phones are at 127.0.0.1, told apart by port: baresip binds its RTP sockets to no address, so that its packets come
/// from 127.0.0.1 whatever its SDP says.
const ADDRESS: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// Port of the control socket, on an address of its own.
const CONTROL_PORT: u16 = 15_300;
/// How long a phone may take for what needs no other party.
const SOON: Duration = Duration::from_secs(10);

/// How the phone reaches its registrar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// One connection, kept open.
    Tcp,
}

/// Who lifts the receiver.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// The test, by [`Baresip::accept`].
    Manual,
    /// The phone, at once.
    Auto,
}

/// What a phone is given.
#[derive(Clone, Debug)]
pub struct Phone {
    /// Extension and digest user.
    pub extension: String,
    /// Digest password.
    pub secret: String,
    /// SIP port at 127.0.0.1; baresip takes the next one, too.
    pub sip_port: u16,
    /// First of four ports for two RTP streams.
    pub rtp_port: u16,
    /// Where its control socket is: an address that is this phone's alone.
    pub control: Ipv4Addr,
    /// The box.
    pub registrar: SocketAddr,
    /// UDP or TCP.
    pub transport: Transport,
    /// Answer mode.
    pub answer: Answer,
    /// What it says: 8 kHz mono. It hangs up at the end of it.
    pub voice: Pcm,
    /// Seconds between registrations; 0 does not register.
    pub register_s: u32,
}

/// One event of the phone.
#[derive(Clone, Debug)]
pub struct Event {
    /// `CALL_INCOMING`, `CALL_RINGING`, `CALL_ESTABLISHED`, `CALL_DTMF_START`, `CALL_CLOSED`, `REGISTER_OK`,
    /// `REGISTER_FAIL`; or `response` for the answer to a command.
    pub kind: String,
    /// Everything that came with it.
    pub body: Value,
}

impl Event {
    /// The reason or parameter of the event.
    pub fn param(&self) -> &str {
        self.body["param"].as_str().unwrap_or_default()
    }
}

/// A running phone.
pub struct Baresip {
    name: String,
    dir: PathBuf,
    process: Process,
    control: TcpStream,
    events: Watch<Event>,
    mark: usize,
    token: u64,
}

impl Baresip {
    /// Writes the phone's directory, starts it and joins its control socket. It registers on its own when asked to.
    pub fn start(phone: &Phone, dir: &Path) -> Outcome<Baresip> {
        let name = format!("baresip {}", phone.extension);
        let dir = dir.join(format!("phone-{}", phone.extension));
        let recordings = dir.join("heard");
        let _ = fs::remove_dir_all(&recordings);
        fs::create_dir_all(&recordings).at(dir.display())?;
        phone.voice.write(&dir.join("voice.wav"))?;
        fs::write(dir.join("contacts"), "").at(dir.display())?;
        fs::write(dir.join("config"), config(phone, &dir)).at(dir.display())?;
        fs::write(dir.join("accounts"), account(phone)).at(dir.display())?;
        let program = program("baresip", "baresip-core")?;
        let process = Process::start(&name, &program, ["-f", ".", "-4", "-v", "-s"], &dir, &[])?;
        process.wait_line("baresip is ready", SOON)?;
        let address = SocketAddr::from((phone.control, CONTROL_PORT));
        let control = TcpStream::connect(address).at(format!("control socket of {name}"))?;
        let events = Watch::default();
        let (stream, sink) = (control.try_clone().at(&name)?, events.clone());
        std::thread::spawn(move || read_events(stream, &sink));
        Ok(Baresip { name, dir, process, control, events, mark: 0, token: 0 })
    }

    /// Gives one command and waits for the phone's answer to it.
    pub fn command(&mut self, command: &str, parameters: &str) -> Outcome<Event> {
        let token = self.send(command, parameters)?;
        let what = format!("{} to answer `{command}`", self.name);
        let (_, answer) = self.events.wait(0, SOON, &what, |event| event.body["token"] == token.as_str())?;
        if answer.body["ok"] == Value::Bool(true) {
            return Ok(answer);
        }
        Err(Trouble(format!("{} refused `{command} {parameters}`: {}", self.name, answer.body)))
    }

    /// Gives one command without waiting; its token.
    fn send(&mut self, command: &str, parameters: &str) -> Outcome<String> {
        self.token += 1;
        let token = format!("t{}", self.token);
        let body = json!({"command": command, "params": parameters, "token": token}).to_string();
        let netstring = format!("{}:{body},", body.len());
        self.control.write_all(netstring.as_bytes()).at(format!("command `{command}` to {}", self.name))?;
        Ok(token)
    }

    /// Waits for the next event of `kind` after those already waited for.
    pub fn event(&mut self, kind: &str, limit: Duration) -> Outcome<Event> {
        let what = format!("{} to report {kind}", self.name);
        let (place, event) = self.events.wait(self.mark, limit, &what, |event| event.kind == kind)?;
        self.mark = place + 1;
        Ok(event)
    }

    /// Forgets the events so far: the next [`event`](Self::event) looks at later ones only.
    pub fn from_now(&mut self) {
        self.mark = self.events.len();
    }

    /// Events not yet waited for.
    pub fn pending(&self) -> Vec<Event> {
        self.events.since(self.mark)
    }

    /// Waits until the box has taken the registration.
    pub fn registered(&mut self) -> Outcome {
        // The control socket may join after the first answer has come; the log of the phone tells that case.
        let what = format!("{} to be registered", self.name);
        self.process.lines.wait(0, SOON, &what, |line| line.contains("200 OK") && line.contains(" binding")).map(|_| ())
    }

    /// Calls `number` at the box.
    pub fn dial(&mut self, number: &str) -> Outcome {
        self.from_now();
        self.command("dial", number).map(|_| ())
    }

    /// Waits for the ringing and tells who calls.
    pub fn ringing(&mut self, limit: Duration) -> Outcome<Event> {
        self.event("CALL_INCOMING", limit)
    }

    /// Lifts the receiver.
    pub fn accept(&mut self) -> Outcome {
        self.command("accept", "").map(|_| ())
    }

    /// Lifts the receiver and does not wait for the phone's word on it: whoever is first.
    pub fn answer_unasked(&mut self) -> Outcome {
        self.send("accept", "").map(|_| ())
    }

    /// Waits until the call is up on this side.
    pub fn established(&mut self) -> Outcome<Event> {
        self.event("CALL_ESTABLISHED", SOON)
    }

    /// Puts the receiver down, or refuses (486), or cancels.
    pub fn hangup(&mut self) -> Outcome {
        self.command("hangup", "").map(|_| ())
    }

    /// Waits until the call is gone on this side.
    pub fn closed(&mut self, limit: Duration) -> Outcome<Event> {
        self.event("CALL_CLOSED", limit)
    }

    /// Holds the call.
    pub fn hold(&mut self) -> Outcome {
        self.command("hold", "").map(|_| ())
    }

    /// Takes it back.
    pub fn resume(&mut self) -> Outcome {
        self.command("resume", "").map(|_| ())
    }

    /// Sends one key by RFC 4733.
    pub fn digit(&mut self, key: char) -> Outcome {
        self.command("sndcode", &key.to_string()).map(|_| ())
    }

    /// Whether the phone has a call of any state, by its own word.
    pub fn has_call(&mut self) -> Outcome<bool> {
        let answer = self.command("listcalls", "")?;
        Ok(!answer.body["data"].as_str().unwrap_or_default().contains("(0)"))
    }

    /// What was heard in each call so far, oldest first.
    pub fn heard_files(&self) -> Outcome<Vec<PathBuf>> {
        let dir = self.dir.join("heard");
        let entries = fs::read_dir(&dir).at(dir.display())?.flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with("-dec.wav")).collect();
        files.sort();
        Ok(files)
    }

    /// What was heard in the last call. Complete once the call is closed.
    pub fn heard(&self) -> Outcome<Pcm> {
        let files = self.heard_files()?;
        let last = files.last().at(format!("{} has no recording of what it heard", self.name))?;
        Pcm::read(last, 0)
    }

    /// Waits until the phone has heard at least `ms` in its last call: the way to let a call talk on without a clock.
    pub fn hears(&self, ms: i64, limit: Duration) -> Outcome {
        let dir = self.dir.join("heard");
        until(&dir, limit, &format!("{} to hear {ms} ms", self.name), || {
            Ok(self.heard_files()?.last().and_then(|file| fs::metadata(file).ok()).filter(|m| m.len() as i64 > ms * 16))
        })
        .map(|_| ())
    }

    /// The SIP messages and remarks it printed.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// The phone loses power: no BYE, no un-REGISTER.
    pub fn vanish(&mut self) -> Outcome {
        self.process.kill9()
    }

    /// Ends the program in order.
    pub fn stop(mut self) -> Outcome {
        self.send("quit", "")?;
        self.process.wait_end(SOON).map(|_| ())
    }
}

fn config(phone: &Phone, dir: &Path) -> String {
    let (sip, rtp, control, dir) = (phone.sip_port, phone.rtp_port, phone.control, dir.display());
    let rtp_last = rtp + 3;
    format!(
        "poll_method epoll\nsip_listen {ADDRESS}:{sip}\nnet_interface {ADDRESS}\ncall_max_calls 8\n\
         audio_source aufile,{dir}/voice.wav\naudio_player aubridge,p1\naudio_alert aubridge,p2\naudio_buffer 40\n\
         rtp_ports {rtp}-{rtp_last}\nrtp_stats yes\njitter_buffer_delay 1-3\nmodule_path /usr/lib/baresip/modules\n\
         module g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule aubridge.so\n\
         module_tmp uuid.so\nmodule_tmp account.so\nmodule_app menu.so\nmodule_app ctrl_tcp.so\nmodule_app contact.so\n\
         ctrl_tcp_listen {control}:{CONTROL_PORT}\nsnd_path {dir}/heard\n"
    )
}

fn account(phone: &Phone) -> String {
    let transport = match phone.transport {
        Transport::Udp => "udp",
        Transport::Tcp => "tcp",
    };
    let answer = match phone.answer {
        Answer::Manual => "manual",
        Answer::Auto => "auto",
    };
    let Phone { extension, secret, registrar, register_s, .. } = phone;
    format!(
        "<sip:{extension}@{registrar};transport={transport}>;auth_user={extension};auth_pass={secret};\
         regint={register_s};answermode={answer};audio_codecs=PCMA/8000/1,PCMU/8000/1\n"
    )
}

/// Netstrings (`LENGTH:BODY,`) to events, until the socket closes.
fn read_events(mut stream: TcpStream, sink: &Watch<Event>) {
    let mut buffer: Vec<u8> = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        buffer.extend_from_slice(&chunk[..count]);
        while let Some((body, used)) = netstring(&buffer) {
            let kind = body["type"].as_str().unwrap_or("response").to_owned();
            sink.push(Event { kind, body });
            buffer.drain(..used);
        }
    }
    sink.close();
}

/// The first whole netstring as JSON, and how many bytes it took.
fn netstring(buffer: &[u8]) -> Option<(Value, usize)> {
    let colon = buffer.iter().position(|byte| *byte == b':')?;
    let size: usize = std::str::from_utf8(&buffer[..colon]).ok()?.parse().ok()?;
    let body = buffer.get(colon + 1..colon + 1 + size)?;
    buffer.get(colon + 1 + size)?;
    Some((serde_json::from_slice(body).unwrap_or(Value::Null), colon + 2 + size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netstrings_may_come_in_pieces_and_in_heaps() {
        let bytes = b"12:{\"type\":\"A\"},12:{\"type\":\"B\"},5:{\"t";
        let (first, used) = netstring(bytes).unwrap();
        assert_eq!((first["type"].as_str(), used), (Some("A"), 16));
        let (second, more) = netstring(&bytes[used..]).unwrap();
        assert_eq!(second["type"], "B");
        assert!(netstring(&bytes[used + more..]).is_none());
    }
}
