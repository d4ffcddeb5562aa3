//! Ladders as data: each file of `tests/ladders/` is a scenario (lines that begin with `>`) with the ladder that
//! follows from it. `UPDATE_LADDERS=1 cargo test -p pbx --test ladders` writes what happened into the files; the diff is then read by a
//! person. Phones are real SIP endpoints talking bytes to the core; media is a list of commands.

#![cfg(test)]

use base::id::{LegKey, Uid};
use base::line::{LineEvent, PortId};
use base::media::{Command, Counters, Digit, DigitSource, LegFailure, PlayId, Report};
use base::time::{Instant, Now, Wall};
use core::net::SocketAddr;
use core::time::Duration;
use md5::{Digest, Md5};
use pbx::Pbx;
use pbx::config::Config;
use pbx::door::{Act, Boot, Input, Output};
use pbx::switch::Mode;
use signaling::sdp::{Audio, Direction, Format};
use signaling::sip::Endpoint;
use signaling::sip::door::{self as sip, Event, Hop, Invite, Settings, Target};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

#[test]
fn ladders() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ladders");
    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let update = std::env::var_os("UPDATE_LADDERS").is_some();
    let mut wrong = String::new();
    for path in files {
        let wanted = std::fs::read_to_string(&path).unwrap();
        let got = play(&wanted);
        if got != wanted {
            if update {
                std::fs::write(&path, &got).unwrap();
            } else {
                let at = wanted.lines().zip(got.lines()).position(|(w, g)| w != g);
                let line = at.unwrap_or(wanted.lines().count().min(got.lines().count()));
                let _ = writeln!(
                    wrong,
                    "{} line {}:\n  wanted {:?}\n  got    {:?}",
                    path.display(),
                    line + 1,
                    wanted.lines().nth(line),
                    got.lines().nth(line)
                );
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Whatever is typed after a request for a PIN stays out of what is told, also when the ladders are written anew.
#[test]
fn no_ladder_shows_the_digits_of_a_pin() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ladders");
    let pins = |text: &str| {
        let words: Vec<String> = text.split_whitespace().map(|w| w.trim_end_matches(';').to_string()).collect();
        words.windows(2).filter(|two| two[0] == "pin").map(|two| two[1].clone()).collect::<Vec<_>>()
    };
    let mut typed = 0;
    for entry in std::fs::read_dir(&dir).unwrap() {
        let path = entry.unwrap().path();
        let file = std::fs::read_to_string(&path).unwrap();
        let told = play(&file);
        let rows = told.lines().filter(|line| !line.starts_with(['>', '@', '#']));
        let digits: String =
            rows.clone().filter_map(|row| row.split("digit: '").nth(1).and_then(|r| r.chars().next())).collect();
        for pin in pins(SITE).into_iter().chain(pins(&file)) {
            typed += usize::from(file.contains(&format!("{pin}#")));
            assert!(!digits.contains(&pin), "{}: {pin} in {digits}", path.display());
            assert!(rows.clone().all(|row| !row.contains(&format!("\"{pin}"))), "{}: {pin}", path.display());
        }
    }
    assert!(typed >= 2, "no ladder types a PIN any more");
}

fn play(file: &str) -> String {
    let beside = |mark: &str| {
        let lines = file.lines().filter_map(|l| l.strip_prefix(mark));
        lines.map(|l| format!("{l}\n")).collect::<String>()
    };
    let mut site = Site::new(config(&beside("@queue "), &beside("@ "), beside("@ports ").trim()));
    let mut text = String::new();
    for line in file.lines() {
        if let Some(step) = line.strip_prefix("> ") {
            let _ = writeln!(text, "{line}");
            site.step(step);
            text.push_str(&core::mem::take(&mut site.ladder));
        } else if line.starts_with(['#', '@']) || line.is_empty() {
            let _ = writeln!(text, "{line}");
        }
    }
    text
}

fn milliseconds(time: &str) -> u64 {
    match time.strip_suffix("ms") {
        Some(ms) => ms.parse().unwrap(),
        None => time.strip_suffix('s').unwrap().parse::<u64>().unwrap() * 1_000,
    }
}

struct Phone {
    user: String,
    addr: SocketAddr,
    endpoint: Endpoint,
    dialog: Option<sip::DialogKey>,
    offer: Option<Audio>,
}

fn registration(user: &str, addr: SocketAddr, cseq: u32, authorization: &str) -> String {
    format!(
        "REGISTER sip:{BOX} SIP/2.0\r\nVia: SIP/2.0/UDP {addr};branch=z9hG4bKr{user}{cseq}\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@{BOX}>;tag=t{user}\r\nTo: <sip:{user}@{BOX}>\r\nCall-ID: reg-{user}\r\n\
         CSeq: {cseq} REGISTER\r\nContact: <sip:{user}@{addr}>\r\nExpires: 3600\r\n{authorization}\
         Content-Length: 0\r\n\r\n"
    )
}

struct Site {
    pbx: Pbx,
    /// Challenges asked for so far.
    asked: u32,
    now: Now,
    phones: BTreeMap<String, Phone>,
    ladder: String,
    uids: Vec<Uid>,
    legs: Vec<LegKey>,
    plays: BTreeMap<LegKey, PlayId>,
}

const BOX: &str = "127.0.0.1:5060";

/// The site of every scenario. `@queue …` lines of a file stand in its queue, `@ …` lines at the top level, `@ports …` is
/// its range of RTP ports.
const SITE: &str = r#"
system { name test; language en-US; }
sip { listen 127.0.0.1:5060; }
media { rtp-ports {ports}; }
card 1 { port 1 { label "line 1"; did 4001234; } }
extension 2001 { secret "a long secret"; }
extension 2002 { secret "a long secret"; }
extension 2003 { secret "a long secret"; }
agent 1001 { name "Agent 2001"; extension 2001; logged-in yes; pin 4711; }
agent 1002 { name "Agent 2002"; extension 2002; logged-in yes; }
queue support { title Support; max-wait-s 60; {queue} }
menu main {
    languages [ zh-CN en-US ]; prompt menu-main; retries 1;
    key 1 { to extension 2003; }
    key 2 { to queue support; }
}
number 8000 { to queue support; }
number 9000 { to menu main; }
did 4001234 { to menu main; }
{more}
"#;

fn config(queue: &str, more: &str, ports: &str) -> Config {
    let agents = if queue.contains("agents") { "" } else { "agents [ 1001 1002 ]; " };
    let ports = if ports.is_empty() { "20000-20099" } else { ports };
    let text = SITE.replace("{ports}", ports).replace("{queue}", &format!("{agents}{queue}")).replace("{more}", more);
    pbx::config::parse(&text).unwrap_or_else(|problems| panic!("{text}\n{problems:#?}"))
}

impl Site {
    fn new(config: Config) -> Site {
        let now = Now { at: Instant::from_micros(1_000_000), wall: Wall::from_millis(1_800_000_000_000) };
        let (phones, ladder) = (BTreeMap::new(), String::new());
        let mut site =
            Site { pbx: Pbx::new(), asked: 0, now, phones, ladder, uids: vec![], legs: vec![], plays: BTreeMap::new() };
        site.give(Input::Boot(Boot {
            seed: [7; 32],
            build: "test".into(),
            recovered: false,
            machine_restarted: false,
            events_from: 1,
        }));
        site.give(Input::Configured(Arc::new(config), 1));
        site.ladder.clear();
        site
    }

    fn step(&mut self, step: &str) {
        let words: Vec<&str> = step.split_whitespace().collect();
        match words.as_slice() {
            ["wait", time] => self.wait(time),
            ["line", what] => self.line(what),
            ["press", leg, digit] => {
                let leg = self.legs[leg.parse::<usize>().unwrap()];
                let digit = Digit::from_char(digit.chars().next().unwrap()).unwrap();
                self.give(Input::Media(Report::Digit { leg, digit, source: DigitSource::Inband }));
            }
            ["press-all", leg, digits] => {
                for digit in digits.chars() {
                    self.step(&format!("press {leg} {digit}"));
                }
            }
            ["played", leg] => {
                let leg = self.legs[leg.parse::<usize>().unwrap()];
                let play = self.plays[&leg];
                self.give(Input::Media(Report::PlayDone { leg, play }));
            }
            ["port-taken", leg] => {
                let leg = self.legs[leg.parse::<usize>().unwrap()];
                self.give(Input::Media(Report::Failed { leg, why: LegFailure::PortTaken }));
            }
            ["prompt-missing", leg, name] => {
                let leg = self.legs[leg.parse::<usize>().unwrap()];
                self.give(Input::Media(Report::PromptMissing { leg, name: (*name).into() }));
            }
            ["silent", leg] => {
                let leg = self.legs[leg.parse::<usize>().unwrap()];
                self.give(Input::Media(Report::Silent { leg, for_ms: 30_000 }));
            }
            ["restart"] => self.restart(),
            ["mode", mode] => self.mode(mode, None),
            ["mode", mode, "for", time] => self.mode(mode, Some(milliseconds(time))),
            ["stop"] => self.give(Input::Stop { end_calls: true }),
            ["phone", user, "registers"] => self.register(user),
            ["phone", user, "listens"] => {
                self.phone(user);
            }
            ["phone", user, "dials", number] => self.dial(user, number),
            ["phone", user, act] => self.act(user, act),
            other => panic!("no such step: {other:?}"),
        }
    }

    fn wait(&mut self, time: &str) {
        let until = self.now.at + Duration::from_millis(milliseconds(time));
        loop {
            let phones = self.phones.values().filter_map(|p| p.endpoint.deadline());
            let next = phones.chain(self.pbx.deadline()).min().filter(|at| *at <= until);
            let at = next.unwrap_or(until).max(self.now.at);
            self.now.wall = Wall::from_millis(self.now.wall.as_millis() + at.since(self.now.at).as_millis() as i64);
            self.now.at = at;
            if next.is_none() {
                return;
            }
            if self.pbx.deadline().is_some_and(|d| d <= at) {
                self.give(Input::Timer);
            }
            for user in self.phones.keys().cloned().collect::<Vec<_>>() {
                self.with_phone(&user, |p, now, out| p.endpoint.handle(now, sip::Input::Timer, out));
            }
        }
    }

    fn mode(&mut self, mode: &str, for_ms: Option<u64>) {
        let mode = Mode::ALL.into_iter().find(|known| known.word() == mode).unwrap();
        let until = for_ms.map(|ms| Wall::from_millis(self.now.wall.as_millis() + ms as i64));
        self.give(Input::Operator { actor: "panel".into(), act: Act::Mode { mode, until } });
    }

    fn line(&mut self, what: &str) {
        let event = match what {
            "rings" => LineEvent::RingBegan,
            "stops" => LineEvent::RingEnded,
            "drops" => LineEvent::BatteryLost,
            "returns" => LineEvent::BatteryBack,
            "attached-off-hook" => LineEvent::Attached { off_hook: true, battery: true },
            "attached-on-hook" => LineEvent::Attached { off_hook: false, battery: true },
            other => panic!("no such line event: {other}"),
        };
        self.give(Input::Line(PortId { card: 1, port: 1 }, event));
    }

    fn restart(&mut self) {
        let saved = postcard::to_allocvec(&self.pbx).unwrap();
        self.pbx = postcard::from_bytes(&saved).unwrap();
        self.now.at += Duration::from_millis(400);
        let boot =
            Boot { seed: [8; 32], build: "test".into(), recovered: true, machine_restarted: false, events_from: 1 };
        self.give(Input::Boot(boot));
    }

    fn phone(&mut self, user: &str) -> &mut Phone {
        let port = 30_000 + user.parse::<u16>().unwrap();
        self.phones.entry(user.to_string()).or_insert_with(|| {
            let addr = SocketAddr::from(([127, 0, 0, 1], port));
            let mut endpoint = Endpoint::new();
            endpoint.seed([port as u8; 32]);
            let peer = sip::Peer { name: "box".into(), ip: addr.ip(), port: None };
            endpoint.configure(Settings {
                local: addr,
                realm: "phone".into(),
                product: "phone".into(),
                accounts: BTreeMap::new(),
                peers: vec![peer],
                expires_min_s: 30,
                expires_max_s: 3600,
            });
            Phone { user: user.to_string(), addr, endpoint, dialog: None, offer: None }
        })
    }

    fn with_phone(&mut self, user: &str, act: impl FnOnce(&mut Phone, Now, &mut Vec<sip::Output>)) {
        let now = self.now;
        let mut out = vec![];
        let phone = self.phone(user);
        act(phone, now, &mut out);
        let local = phone.addr;
        for output in out {
            match output {
                sip::Output::Datagram { bytes, .. } => self.give(Input::Sip(sip::Input::Datagram {
                    local: BOX.parse().unwrap(),
                    remote: local,
                    bytes,
                    shed: false,
                })),
                sip::Output::Event(event) => self.phone_hears(user, event),
                other => panic!("a phone does not {other:?}"),
            }
        }
    }

    fn phone_hears(&mut self, user: &str, event: Event) {
        let what = match event {
            Event::Incoming(i) => {
                let phone = self.phone(user);
                (phone.dialog, phone.offer) = (Some(i.dialog), i.offer);
                format!("is called by {}", i.caller)
            }
            Event::Reoffered { .. } => "is offered another session".into(),
            Event::Progress { code, .. } => format!("hears {code}"),
            Event::Answered { .. } => "is answered".into(),
            Event::Refused { code, .. } => format!("is refused {code}"),
            Event::Cancelled { .. } => "is cancelled".into(),
            Event::Ended { .. } => "is hung up on".into(),
            _ => return,
        };
        let _ = writeln!(self.ladder, "  phone {user} {what}");
    }

    fn audio(&self, addr: SocketAddr) -> Audio {
        Audio {
            session: (1, 1),
            addr: SocketAddr::new(addr.ip(), addr.port() + 1_000),
            formats: vec![Format { payload_type: 8, codec: base::media::Codec::Pcma }],
            dtmf: Some(101),
            direction: Direction::SendRecv,
        }
    }

    fn dial(&mut self, user: &str, number: &str) {
        let addr = self.phone(user).addr;
        let offer = self.audio(addr);
        let target =
            Target { uri: format!("sip:{number}@{BOX}"), hop: Hop::Udp { local: addr, remote: BOX.parse().unwrap() } };
        let authorization = self.authorization(user, "INVITE", &target.uri);
        let headers = vec![("Authorization".to_string(), authorization)];
        let invite = Invite { target, from: user.into(), from_name: String::new(), offer: Some(offer), headers };
        self.with_phone(user, |p, now, out| p.dialog = Some(p.endpoint.invite(now, invite, out)));
    }

    fn act(&mut self, user: &str, act: &str) {
        let addr = self.phone(user).addr;
        let answer = self.audio(addr);
        let Some(dialog) = self.phone(user).dialog else { panic!("phone {user} has no call") };
        self.with_phone(user, |p, now, out| match act {
            "rings" => p.endpoint.progress(now, dialog, 180, None, out),
            "answers" => p.endpoint.accept(now, dialog, Some(answer), out),
            "declines" => p.endpoint.refuse(now, dialog, 603, out),
            "is-busy" => p.endpoint.refuse(now, dialog, 486, out),
            "has-no-such" => p.endpoint.refuse(now, dialog, 404, out),
            "fails" => p.endpoint.refuse(now, dialog, 500, out),
            "hangs-up" => p.endpoint.hangup(now, dialog, None, out),
            "holds" => p.endpoint.reoffer(now, dialog, Some(Audio { direction: Direction::SendOnly, ..answer }), out),
            other => panic!("a phone cannot {other}"),
        });
    }

    fn register(&mut self, user: &str) {
        let addr = self.phone(user).addr;
        let authorization = self.authorization(user, "REGISTER", &format!("sip:{BOX}"));
        self.asked += 1;
        let answer = self
            .raw(addr, &registration(user, addr, 1_000 + self.asked, &format!("Authorization: {authorization}\r\n")));
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
    }

    /// What a phone answers to a challenge; the nonce is fetched by a REGISTER without one.
    fn authorization(&mut self, user: &str, method: &str, uri: &str) -> String {
        let addr = self.phone(user).addr;
        self.asked += 1;
        let challenge = self.raw(addr, &registration(user, addr, 1_000 + self.asked, ""));
        let nonce =
            challenge.split("nonce=\"").nth(1).and_then(|r| r.split('"').next()).expect("a challenge").to_string();
        let hex = |text: String| Md5::digest(text).iter().map(|b| format!("{b:02x}")).collect::<String>();
        let ha1 = hex(format!("{user}:cordboard:a long secret"));
        let ha2 = hex(format!("{method}:{uri}"));
        let response = hex(format!("{ha1}:{nonce}:00000001:c:auth:{ha2}"));
        format!(
            "Digest username=\"{user}\", realm=\"cordboard\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, \
             nc=00000001, cnonce=\"c\", response=\"{response}\""
        )
    }

    /// Sends one message by hand and returns the box's answer to it.
    fn raw(&mut self, remote: SocketAddr, message: &str) -> String {
        let bytes = message.as_bytes().to_vec();
        let input = sip::Input::Datagram { local: BOX.parse().unwrap(), remote, bytes, shed: false };
        let mut out = vec![];
        self.pbx.handle(self.now, Input::Sip(input), &mut out);
        let mut answer = String::new();
        out.retain(|output| match output {
            Output::Sip(sip::Output::Datagram { bytes, .. }) if answer.is_empty() => {
                answer = String::from_utf8(bytes.clone()).unwrap();
                false
            }
            _ => true,
        });
        self.deliver(out);
        answer
    }

    fn give(&mut self, input: Input) {
        let mut out = vec![];
        self.pbx.handle(self.now, input, &mut out);
        self.deliver(out);
    }

    fn deliver(&mut self, out: Vec<Output>) {
        for output in &out {
            self.show(output);
        }
        for output in out {
            match output {
                Output::Sip(sip::Output::Datagram { remote, bytes, .. }) => {
                    let user = self.phones.values().find(|p| p.addr == remote).map(|p| p.user.clone());
                    let local = BOX.parse().unwrap();
                    if let Some(user) = user {
                        self.with_phone(&user, |p, now, out| {
                            let input = sip::Input::Datagram { local: p.addr, remote: local, bytes, shed: false };
                            p.endpoint.handle(now, input, out);
                        });
                    }
                }
                Output::Media(Command::Destroy { leg }) => {
                    self.give(Input::Media(Report::Counters { leg, counters: Counters::default() }));
                }
                Output::Media(Command::Play { leg, play, .. }) => {
                    self.plays.insert(leg, play);
                }
                _ => {}
            }
        }
    }

    fn show(&mut self, output: &Output) {
        let line = match output {
            Output::Record(event) => {
                let call = event.call.map(|c| format!("call {} ", self.number(c))).unwrap_or_default();
                let leg = event.leg.map(|l| format!("leg {l} ")).unwrap_or_default();
                format!("{call}{leg}[{}] {:?}", event.actor, event.detail)
            }
            Output::Media(command) => {
                let mut text = format!("media {command:?}");
                let leg = command_leg(command).filter(|leg| !self.legs.contains(leg));
                self.legs.extend(leg);
                for (i, leg) in self.legs.iter().enumerate() {
                    text = text.replace(&format!("{leg:?}"), &format!("#{i}"));
                }
                text
            }
            Output::Line(port, command) => format!("line {}/{} {command:?}", port.card, port.port),
            Output::Recording(change) => format!("recording {change:?}"),
            Output::Alarm(alarm) => format!("alarm {} {} raised={}", alarm.name, alarm.subject, alarm.raised),
            Output::Sip(_) | Output::MayStop | Output::CommitConfirmed(_) | Output::InForce(_) | Output::Answer(..) => {
                return;
            }
            Output::StoreCommit(row) => format!("store: commit {}", row.number),
        };
        let mut line = line;
        for (i, uid) in self.uids.iter().enumerate() {
            line = line.replace(&uid.to_string(), &format!("uid{i}"));
        }
        let _ = writeln!(self.ladder, "  {line}");
    }

    fn number(&mut self, uid: Uid) -> usize {
        match self.uids.iter().position(|u| *u == uid) {
            Some(i) => i,
            None => {
                self.uids.push(uid);
                self.uids.len() - 1
            }
        }
    }
}

fn command_leg(command: &Command) -> Option<LegKey> {
    match command {
        Command::CreateRtp { leg, .. } | Command::CreateTdm { leg, .. } => Some(*leg),
        _ => None,
    }
}
