//! A box that stands still, with the whole of what a console can ask of it, and what must hold for any bytes at that
//! console, as a function that panics when it does not. Used by the fuzz target `console_bytes` and by the tests of `pbxd`.

use base::time::{Instant, Now, Wall};
use pbx::commit::{CommitNow, Label};
use pbx::config::{Config, Language, Written};
use pbx::door::Act;
use pbx::equipment::PhoneNow;
use pbx::standing::{AgentNow, Standing};
use pbx::text::{Text, admin};
use pbxd::admin::{Ask, Checked, Desk, Desks, Done, Editing, Failures, Refused};
use pbxd::console::draft::Stored;
use pbxd::console::session::Session;
use pbxd::console::show::{Glance, Machine};
use pbxd::console::sources::{Sources, Stop};
use pbxd::store::ConfigCommit;
use pbxd::store::read::RecordingRow;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// Its configuration.
pub const SITE: &str = "system { name box; language zh-CN; }\nsip { listen 127.0.0.1:5060; }\nextension 2001 { secret amber-kite; }\n\
    agent 1001 { name 王芳; extension 2001; }\nqueue support { title 客服; agents [ 1001 ]; }\nqueue sales { agents [ 1001 ]; }\n";

/// A box that answers from a text, takes commits, and can be made to forget how.
pub struct Still {
    /// Of the commit in force.
    pub number: u64,
    /// Its text.
    pub text: String,
    /// It goes back to this one.
    pub reverts: Option<u64>,
    /// Who edits.
    pub desks: Desks,
    /// Since the start.
    pub now_s: u64,
    /// Of users and lines.
    pub failures: BTreeMap<String, Failures>,
    /// What was done and by whom.
    pub record: Vec<String>,
    /// Name of the line.
    pub line: &'static str,
    /// The core answers.
    pub answers: bool,
    /// The core has room for acts.
    pub room: bool,
    /// Why echoes fail; none: those to the box itself are heard.
    pub no_ping: Option<ErrorKind>,
    /// How often the core was looked at.
    pub looks: usize,
    /// What was last saved.
    pub written: String,
}

impl Still {
    /// Somebody else commits: an admin is none any more, and another one is there instead.
    pub fn demote(&mut self, name: &str) {
        let (was, is) = (format!("user {name} {{ role admin"), format!("user {name} {{ role operator"));
        if self.text.contains(&was) {
            let other = format!("user {name}-s-heir {{ role admin; password \"{}\"; }}\n", hashed("blueheron"));
            self.text = self.text.replace(&was, &is) + &other;
        }
    }
}

/// Stands for the hash of a password without blanks.
pub fn hashed(password: &str) -> String {
    format!("$argon2id$v=19$m=8,t=1,p=1${password}$aGFzaA")
}

impl Default for Still {
    fn default() -> Still {
        Still {
            number: 7,
            text: SITE.into(),
            reverts: None,
            desks: Desks::default(),
            now_s: 0,
            failures: BTreeMap::new(),
            record: Vec::new(),
            line: "console",
            answers: true,
            room: true,
            no_ping: None,
            looks: 0,
            written: String::new(),
        }
    }
}

impl Sources for Still {
    fn glance(&mut self) -> Option<Glance> {
        let config = self.config()?;
        let agent = AgentNow { state: "talking".into(), since: Instant::BOOT, phone: "2001".into(), call: None };
        let standing = Standing { agents: BTreeMap::from([("1001".to_string(), agent)]), ..Standing::default() };
        Some(Glance {
            now: Now { at: Instant::BOOT, wall: Wall::from_millis(0) },
            config,
            standing,
            phones: vec![PhoneNow { extension: "2001".into(), registered: 1 }],
            alarms: Vec::new(),
            lines: Vec::new(),
            trunks: Vec::new(),
            switches: pbx::switch::Switches::default(),
        })
    }

    fn machine(&mut self) -> Machine {
        Machine::default()
    }

    fn in_force(&mut self, _: Language) -> Result<Option<Stored>, String> {
        Ok(Some(Stored { number: self.number, text: self.text.clone() }))
    }

    fn line(&self) -> &'static str {
        self.line
    }

    fn now(&mut self) -> Instant {
        Instant::from_micros(self.now_s * 1_000_000)
    }

    fn config(&mut self) -> Option<Arc<Config>> {
        self.looks += 1;
        pbx::config::parse(&self.text).ok().map(Arc::new).filter(|_| self.answers)
    }

    fn is_password(&mut self, password: &str, hash: &str) -> bool {
        hash.contains(&format!("${password}$"))
    }

    fn hash(&mut self, password: &str) -> Result<String, String> {
        Ok(hashed(password))
    }

    fn failures(&mut self, of: &str) -> Failures {
        self.failures.get(of).copied().unwrap_or_default()
    }

    fn set_failures(&mut self, of: &str, failures: Failures) {
        self.failures.insert(of.into(), failures);
    }

    fn operate(&mut self, actor: &str, act: Act) -> bool {
        if self.room {
            self.record.push(match act {
                Act::Audit { what, about } => format!("{actor}: {what} {about}"),
                act => format!("{actor}: {act:?}"),
            });
        }
        self.room
    }

    fn commit_now(&mut self) -> Option<CommitNow> {
        Some(CommitNow { number: self.number, storing: None, reverts: self.reverts.map(|back| (Instant::BOOT, back)) })
    }

    fn history(&mut self, _: Language) -> Result<Vec<ConfigCommit>, String> {
        let label = Label { author: "alice".into(), origin: "console".into(), comment: "ticket 4711".into() };
        let row = |number| ConfigCommit {
            number,
            wall_ms: 0,
            label: label.clone(),
            hash: String::new(),
            text: String::new(),
            unconfirmed: None,
        };
        Ok((1..=self.number).rev().map(row).collect())
    }

    fn back(&mut self, steps: u32, _: Language) -> Result<Stored, String> {
        match steps {
            0 => Ok(Stored { number: self.number, text: self.text.clone() }),
            1 => Ok(Stored { number: self.number - 1, text: SITE.replace("客服", "以前") }),
            _ => Err("no such commit".into()),
        }
    }

    fn rescue(&mut self, _: Language) -> Result<Stored, String> {
        Err("no rescue".into())
    }

    fn set_rescue(&mut self, _: Option<u64>, _: &str) -> Result<(), Text> {
        Ok(())
    }

    fn check(&mut self, text: &str) -> Checked {
        match Written::of(text) {
            Ok(site) => Checked { site: Some(site), ..Checked::default() },
            Err(problems) => Checked { problems, ..Checked::default() },
        }
    }

    fn commit(&mut self, ask: Ask, site: Written) -> Result<Done, Refused> {
        if ask.base != self.number {
            return Err(Refused::Because(Text::new(admin::BUSY)));
        }
        self.reverts = ask.confirm_within_min.map(|_| self.number);
        self.number += 1;
        self.text = site.text.to_string();
        Ok(Done { number: self.number, reverts_in_s: ask.confirm_within_min.unwrap_or(0) * 60 })
    }

    fn confirm(&mut self, _: &str) -> Result<u64, Refused> {
        self.reverts.take().map(|_| self.number).ok_or(Refused::Because(Text::new(admin::NOTHING_TO_CONFIRM)))
    }

    fn enter(&mut self, who: &str, exclusive: bool) -> Result<(Desk, Vec<Editing>), Box<Editing>> {
        self.desks.enter(who, "console", exclusive, Instant::BOOT)
    }

    fn save(&mut self, place: &str, text: &str, _: Language) -> Result<String, String> {
        self.written = text.into();
        Ok(place.into())
    }

    fn load(&mut self, _: &str, _: Language) -> Result<String, String> {
        Ok("queue loaded { agents [ 1001 ]; }\n".into())
    }

    fn recent(&mut self, count: u64, _: Language) -> Result<String, String> {
        let from = (self.now_s + 1).saturating_sub(count.min(1_000));
        Ok((from..=self.now_s).map(|at| format!("13800138000 at {at}\n")).collect())
    }

    fn ended(&mut self, _: u32, _: Language) -> Result<String, String> {
        Ok("13800138000 → 4001234\n".into())
    }

    fn recordings(&mut self, _: u32, _: Language) -> Result<Vec<RecordingRow>, String> {
        Ok(Vec::new())
    }

    fn ping(&mut self, address: Ipv4Addr) -> io::Result<Duration> {
        match self.no_ping {
            Some(why) => Err(why.into()),
            None if address.is_loopback() => Ok(Duration::from_millis(2)),
            None => Err(ErrorKind::TimedOut.into()),
        }
    }

    fn stop(&mut self, when: Stop) -> bool {
        self.record.push(format!("stop {when:?}"));
        true
    }

    fn save_support(&mut self, place: &str, text: &str, _: Language) -> Result<String, String> {
        self.written = text.into();
        Ok(place.into())
    }

    fn log_tail(&mut self) -> String {
        "WARN call from 13800138000 refused\n".into()
    }

    fn files(&mut self) -> String {
        "  journal/segment-00000000000000000001  4096\n".into()
    }

    fn restart(&mut self) -> bool {
        self.record.push("restart".into());
        true
    }

    fn factory(&mut self, who: &str, erase: bool, _: Language) -> Result<(), Refused> {
        self.record.push(format!("factory {who} {erase}"));
        Ok(())
    }

    fn find_call(&mut self, wanted: &str, _: Language) -> Result<String, String> {
        match wanted {
            "last" => Ok("01NEWEST".into()),
            "01NEWEST" => Ok(wanted.into()),
            _ => Err(format!("no call {wanted}")),
        }
    }

    fn ladder(&mut self, call: &str, _: Language) -> Result<String, String> {
        let rows = (0..=self.now_s.min(100)).map(|row| format!("{row}.000 s 13800138000\n"));
        Ok(format!("ladder of {call}\n{}", rows.collect::<String>()))
    }

    fn story(&mut self, call: &str, _: Language) -> Result<String, String> {
        Ok(format!("story of {call}: 13800138000\n"))
    }

    fn explain(&mut self, call: &str, _: Language) -> Result<String, String> {
        Err(format!("no call {call}"))
    }

    fn state_at(&mut self, time: &str, _: Language) -> Result<String, String> {
        Ok((0..100).map(|line| format!("{line} at {time}\n")).collect())
    }
}

/// Bytes that a line can bring and no text has: they stand for what happens meanwhile.
const SECOND: u8 = 0xf8;
const MINUTES: u8 = 0xf9;
const SILENCE: u8 = 0xfa;
const ROLE: u8 = 0xfb;
const GONE: u8 = 0xfc;
/// A number of a person in the answers of the box, and nowhere else.
const NUMBER: &str = "13800138000";
/// Most bytes that are sent for one that came: a page of the widest answers with its colours.
const SENT_MAX: usize = 300_000;

/// Any bytes at a console: it does not panic, sends no more than an answer for each, asks the core only so often, tells
/// no password's hash, and no whole number unless that is on record. The first byte says whether the box has users.
pub fn console_bytes(bytes: &[u8]) {
    let Some((first, bytes)) = bytes.split_first() else { return };
    let (mut box_, mut passwords) = (Still::default(), Vec::new());
    if first % 2 == 0 {
        for (name, role, numbers) in [("alice", "admin", "masked"), ("bob", "viewer", "shown")] {
            let hash = hashed("amberkite");
            box_.text.push_str(&format!("user {name} {{ role {role}; numbers {numbers}; password \"{hash}\"; }}\n"));
            passwords.push(hash);
        }
    }
    // Who types digits may see them again.
    let types_numbers = bytes.iter().filter(|byte| byte.is_ascii_digit()).count() >= NUMBER.len();
    let mut session = Session::new(box_);
    for byte in bytes.iter().take(4_000) {
        let looks = session.sources().looks;
        let said = happen(&mut session, *byte);
        assert!(said.len() <= SENT_MAX, "{} bytes for {byte:#x}", said.len());
        assert!(passwords.iter().all(|hash| !said.contains(hash)), "a hash is told: {said}");
        let asked = session.sources().looks - looks;
        assert!(asked <= 20, "{asked} looks for {byte:#x}");
        let recorded = session.sources().record.iter().any(|row| row.contains("numbers-shown"));
        assert!(types_numbers || recorded || !said.contains(NUMBER), "a whole number: {said}");
        assert!(session.sources().desks.all().len() <= 1, "one session, one desk");
        if session.is_over() {
            assert!(session.take(b"show calls\r").is_empty() && session.tick().is_empty(), "it is over");
            assert!(session.sources().desks.all().is_empty(), "nobody edits any more");
            session = Session::new(session.into_sources());
        }
    }
    session.hang_up();
    assert!(session.is_over() && session.sources().desks.all().is_empty());
}

fn happen(session: &mut Session<Still>, byte: u8) -> String {
    let still = session.sources_mut();
    match byte {
        SECOND => still.now_s += 1,
        MINUTES => still.now_s += 11 * 60,
        SILENCE => still.answers = !still.answers,
        ROLE => still.demote("alice"),
        GONE => still.text = still.text.replace("user bob", "user bill"),
        byte => return session.take(&[byte]),
    }
    session.tick()
}
