//! A whole site that can be copied: the real core, real phones, what is on its way between them, and a media engine of
//! which only ends of announcements, keys and bridges matter. Every choice the world has is a [`Step`]; a step taken is
//! the only thing that moves it.

use base::id::LegKey;
use base::media::{Command, Counters, Digit, DigitSource, Item, PlayId, Report};
use base::time::{Instant, Now, Wall};
use core::time::Duration;
use pbx::Pbx;
use pbx::config::Config;
use pbx::door::{Boot, Input, Output};
use pbx::event::Detail;
use serde_json::{Map, Value};
use signaling::sip::door as sip;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;

use crate::fingerprint::Print;
use crate::phone::{Act, BOX, Phone, Stage};

/// A deadline that far away is of no call: a registration lapses.
const FAR: Duration = Duration::from_secs(300);

/// What an agent hears of a call before being joined.
pub const ANNOUNCEMENT: &str = "sales-call";
/// Why a phone is told that it does not get the call after all.
const GIVEN_AWAY: [&str; 4] = ["picked by a supervisor", "moved by a supervisor", "answered elsewhere", "max-wait"];

/// How often what is rare may happen on the way to one world.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Budget {
    /// Datagrams lost, doubled or overtaken.
    pub faults: u8,
    /// Times the clock reaches a deadline while something is on its way.
    pub hastes: u8,
    /// The program is killed and comes back.
    pub kills: u8,
}

/// One way to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The oldest datagram to a phone arrives.
    ToPhone(usize),
    /// The oldest datagram from a phone arrives.
    ToBox(usize),
    /// The oldest report of the media engine arrives.
    Report,
    /// The oldest datagram from (true) or to a phone is lost.
    Lose(usize, bool),
    /// It arrives and is still on its way.
    Double(usize, bool),
    /// It goes behind all others.
    Delay(usize, bool),
    /// The owner of a phone does something.
    Owner(usize, Act),
    /// The owner presses the key that accepts a call.
    Press(usize),
    /// The media engine has played to its end what a leg hears.
    Played(LegKey),
    /// The clock goes on to the next deadline.
    Time,
    /// The program is killed and recovers.
    Kill,
}

/// A datagram with what of it is compared.
type Letter = Rc<(Vec<u8>, Print)>;

/// See the module text.
#[derive(Clone)]
pub struct World {
    pbx: Pbx,
    pub now: Now,
    pub phones: Vec<Rc<Phone>>,
    prints: Vec<Option<Rc<Print>>>,
    to_box: Vec<VecDeque<Letter>>,
    to_phone: Vec<VecDeque<Letter>>,
    reports: VecDeque<(Report, Print)>,
    /// What plays and will end by itself.
    playing: BTreeMap<LegKey, PlayId>,
    /// Who hears whom.
    pub bridges: BTreeMap<LegKey, LegKey>,
    /// Agents' legs that accepted a call and hear what it is about: nobody else may get it.
    winners: BTreeSet<LegKey>,
    last_cause: String,
    /// Where a leg's peer wants its audio.
    pub ports: BTreeMap<LegKey, u16>,
    pub budget: Budget,
    /// A datagram was lost, doubled or overtaken on the way here.
    pub is_disturbed: bool,
    pub complaint: Option<String>,
    /// Written while a trace is shown.
    pub story: Option<Vec<String>>,
}

impl World {
    /// A box with this configuration and these phones; those of the house are registered.
    pub fn new(config: Config, phones: Vec<Phone>, budget: Budget) -> World {
        let now = Now { at: Instant::from_micros(1_000_000), wall: Wall::from_millis(1_800_000_000_000) };
        let count = phones.len();
        let phones = phones.into_iter().map(Rc::new).collect();
        let links = || vec![VecDeque::new(); count];
        let mut world = World {
            pbx: Pbx::new(),
            now,
            phones,
            prints: vec![None; count],
            to_box: links(),
            to_phone: links(),
            reports: VecDeque::new(),
            playing: BTreeMap::new(),
            bridges: BTreeMap::new(),
            winners: BTreeSet::new(),
            last_cause: String::new(),
            ports: BTreeMap::new(),
            budget,
            is_disturbed: false,
            complaint: None,
            story: None,
        };
        world.give(Input::Boot(boot(false)));
        world.give(Input::Configured(Arc::new(config), 1));
        for at in 0..count {
            world.register(at);
        }
        // Nothing is left of the registrations but the contacts.
        world.advance(world.now.at + Duration::from_secs(40));
        world
    }

    fn register(&mut self, at: usize) {
        // A trunk is known by its address.
        if self.phones[at].addr.ip() != BOX.parse::<core::net::SocketAddr>().unwrap().ip() {
            return;
        }
        for count in [1, 2] {
            let request = self.phones[at].register(count);
            self.datagram(at, request);
            let answer = self.to_phone[at].pop_front().expect("an answer");
            if count == 1 {
                Rc::make_mut(&mut self.phones[at]).challenged(&answer.0);
            }
        }
    }

    /// Every step that is possible now and matters. What goes to a phone whose owner cannot do anything now, and an answer
    /// to BYE or CANCEL, commutes with all that happens elsewhere: where there is such a thing, it is all that happens,
    /// or is disturbed, next.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps = vec![];
        if let Some((at, to_box)) = self.commuting() {
            self.link_steps(at, to_box, &mut steps);
            if self.budget.hastes > 0 && self.deadline().is_some() {
                steps.push(Step::Time);
            }
            return steps;
        }
        for at in 0..self.phones.len() {
            self.link_steps(at, true, &mut steps);
            self.link_steps(at, false, &mut steps);
            self.owner_steps(at, &mut steps);
        }
        if !self.reports.is_empty() {
            steps.push(Step::Report);
        }
        steps.extend(self.playing.keys().map(|leg| Step::Played(*leg)));
        if (self.is_still() || self.budget.hastes > 0) && self.deadline().is_some() {
            steps.push(Step::Time);
        }
        if self.budget.kills > 0 {
            steps.push(Step::Kill);
        }
        steps
    }

    fn owner_steps(&self, at: usize, steps: &mut Vec<Step>) {
        let phone = &self.phones[at];
        for act in [Act::Answer, Act::Decline, Act::HangUp] {
            steps.extend(phone.call_for(act).map(|_| Step::Owner(at, act)));
        }
        steps.extend(phone.will.dials.map(|_| Step::Owner(at, Act::Dial)));
        steps.extend(phone.will.presses.and(self.leg_of(at)).map(|_| Step::Press(at)));
    }

    /// A link whose oldest datagram commutes with everything else.
    fn commuting(&self) -> Option<(usize, bool)> {
        (0..self.phones.len()).find_map(|at| {
            let mut acts = vec![];
            if !self.to_phone[at].is_empty() {
                self.owner_steps(at, &mut acts);
                if acts.is_empty() {
                    return Some((at, false));
                }
            }
            let ends = |letter: &Letter| {
                let line = first_line(&letter.0);
                line.starts_with("SIP/2.0 200") && (line.contains(" BYE") || line.contains(" CANCEL"))
            };
            self.to_box[at].front().filter(|letter| ends(letter)).map(|_| (at, true))
        })
    }

    fn link_steps(&self, at: usize, to_box: bool, steps: &mut Vec<Step>) {
        let link = if to_box { &self.to_box[at] } else { &self.to_phone[at] };
        if link.is_empty() {
            return;
        }
        steps.push(if to_box { Step::ToBox(at) } else { Step::ToPhone(at) });
        if self.budget.faults > 0 {
            steps.extend([Step::Lose(at, to_box), Step::Double(at, to_box)]);
            if link.len() > 1 {
                steps.push(Step::Delay(at, to_box));
            }
        }
    }

    /// Nothing is on its way.
    pub fn is_still(&self) -> bool {
        self.to_box.iter().chain(&self.to_phone).all(VecDeque::is_empty) && self.reports.is_empty()
    }

    /// Nothing is on its way and no clock will change anything about a call.
    pub fn is_calm(&self) -> bool {
        self.is_still() && self.deadline().is_none()
    }

    /// What happens when nobody does anything any more: all datagrams arrive, the clock goes on; when that is over, too,
    /// somebody hangs up. None when no call and no transaction is left.
    pub fn fair(&self) -> Option<Step> {
        for at in 0..self.phones.len() {
            if !self.to_box[at].is_empty() {
                return Some(Step::ToBox(at));
            }
            if !self.to_phone[at].is_empty() {
                return Some(Step::ToPhone(at));
            }
        }
        if !self.reports.is_empty() {
            return Some(Step::Report);
        }
        if self.deadline().is_some() {
            return Some(Step::Time);
        }
        let up = (0..self.phones.len()).find(|at| self.phones[*at].live_call().is_some());
        up.map(|at| Step::Owner(at, Act::HangUp))
    }

    fn deadline(&self) -> Option<Instant> {
        let phones = self.phones.iter().filter_map(|p| p.deadline());
        phones.chain(self.pbx.deadline()).min().filter(|at| *at < self.now.at + FAR)
    }

    /// No call, dialog or transaction anywhere, nothing on its way and nothing plays.
    pub fn is_empty(&self) -> bool {
        let phones = self.phones.iter().all(|p| p.is_empty());
        phones && self.pbx.is_empty() && self.is_still() && self.bridges.is_empty() && self.playing.is_empty()
    }

    /// Nobody is in a call any more; what is left is the clock's.
    pub fn is_over(&self) -> bool {
        self.is_still() && self.pbx.calls_live() == 0 && self.phones.iter().all(|p| p.calls.is_empty())
    }

    /// Takes one step.
    pub fn take(&mut self, step: Step) {
        match step {
            Step::ToPhone(at) => {
                let letter = self.to_phone[at].pop_front();
                self.arrive(at, false, letter);
            }
            Step::ToBox(at) => {
                let letter = self.to_box[at].pop_front();
                self.arrive(at, true, letter);
            }
            Step::Report => {
                if let Some((report, _)) = self.reports.pop_front() {
                    self.give(Input::Media(report));
                }
            }
            Step::Lose(at, to_box) => {
                self.disturb();
                self.link(at, to_box).pop_front();
            }
            Step::Double(at, to_box) => {
                self.disturb();
                let letter = self.link(at, to_box).front().cloned();
                self.arrive(at, to_box, letter);
            }
            Step::Delay(at, to_box) => {
                self.disturb();
                self.link(at, to_box).rotate_left(1);
            }
            Step::Owner(at, act) => {
                let now = self.now;
                self.with_phone(at, |phone| phone.act(now, act));
            }
            Step::Press(at) => {
                let (leg, key) = (self.leg_of(at), self.phones[at].will.presses);
                Rc::make_mut(&mut self.phones[at]).will.presses = None;
                self.prints[at] = None;
                if let (Some(leg), Some(digit)) = (leg, key.and_then(Digit::from_char)) {
                    self.report(Report::Digit { leg, digit, source: DigitSource::Rfc4733 });
                }
            }
            Step::Played(leg) => {
                if let Some(play) = self.playing.remove(&leg) {
                    self.report(Report::PlayDone { leg, play });
                }
            }
            Step::Time => self.time(),
            Step::Kill => {
                self.budget.kills -= 1;
                let saved = postcard::to_allocvec(&self.pbx).unwrap();
                self.pbx = postcard::from_bytes(&saved).unwrap();
                self.playing.clear();
                self.bridges.clear();
                self.ports.clear();
                self.give(Input::Boot(boot(true)));
            }
        }
    }

    fn disturb(&mut self) {
        self.budget.faults -= 1;
        self.is_disturbed = true;
    }

    fn link(&mut self, at: usize, to_box: bool) -> &mut VecDeque<Letter> {
        if to_box { &mut self.to_box[at] } else { &mut self.to_phone[at] }
    }

    fn report(&mut self, report: Report) {
        let print = Print::of(&report, 0, 0);
        self.reports.push_back((report, print));
    }

    /// The leg of a phone's call that is up, as the media engine knows it.
    fn leg_of(&self, at: usize) -> Option<LegKey> {
        let call = self.phones[at].calls.iter().find(|c| matches!(c.stage, Stage::Answered | Stage::Up))?;
        self.ports.iter().find(|(_, port)| **port == call.port).map(|(leg, _)| *leg)
    }

    fn arrive(&mut self, at: usize, to_box: bool, letter: Option<Letter>) {
        let Some(letter) = letter else { return };
        if to_box {
            self.datagram(at, letter.0.clone());
        } else {
            let now = self.now;
            let (local, remote) = (self.phones[at].addr, BOX.parse().unwrap());
            let input = sip::Input::Datagram { local, remote, bytes: letter.0.clone(), shed: false };
            self.with_phone(at, |phone| phone.handle(now, input));
        }
    }

    fn datagram(&mut self, at: usize, bytes: Vec<u8>) {
        let (local, remote) = (BOX.parse().unwrap(), self.phones[at].addr);
        self.give(Input::Sip(sip::Input::Datagram { local, remote, bytes, shed: false }));
    }

    fn with_phone(&mut self, at: usize, act: impl FnOnce(&mut Phone) -> Vec<Vec<u8>>) {
        self.prints[at] = None;
        let sent = act(Rc::make_mut(&mut self.phones[at]));
        for bytes in sent {
            self.tell(|w| format!("phone {} sends {}", w.phones[at].user, first_line(&bytes)));
            let print = Print::of_text(&bytes);
            self.to_box[at].push_back(Rc::new((bytes, print)));
        }
    }

    /// On to the next deadline; when nothing is on its way, to the next whole second after it, and whatever is due by
    /// then happens at once: fewer moments, the same orders.
    fn time(&mut self) {
        let Some(mut at) = self.deadline() else { return };
        if self.is_still() {
            at = Instant::from_micros(at.as_micros().next_multiple_of(1_000_000));
        } else {
            self.budget.hastes -= 1;
        }
        self.advance(at);
    }

    /// The clock goes on to `at`, and everybody hears of it.
    pub fn advance(&mut self, at: Instant) {
        let at = at.max(self.now.at);
        self.now.wall = Wall::from_millis(self.now.wall.as_millis() + at.since(self.now.at).as_millis() as i64);
        self.now.at = at;
        self.prints.fill(None);
        if self.pbx.deadline().is_some_and(|d| d <= at) {
            self.give(Input::Timer);
        }
        let now = self.now;
        for phone in 0..self.phones.len() {
            if self.phones[phone].deadline().is_some_and(|d| d <= at) {
                self.with_phone(phone, |p| p.handle(now, sip::Input::Timer));
            }
        }
    }

    fn give(&mut self, input: Input) {
        let mut out = vec![];
        self.pbx.handle(self.now, input, &mut out);
        for output in out {
            match output {
                Output::Sip(sip::Output::Datagram { remote, bytes, .. }) => {
                    self.tell(|_| format!("box sends {} to {remote}", first_line(&bytes)));
                    let print = Print::of_text(&bytes);
                    if let Some(at) = self.phones.iter().position(|p| p.addr == remote) {
                        self.to_phone[at].push_back(Rc::new((bytes, print)));
                    }
                }
                Output::Media(command) => self.media(command),
                Output::Record(event) => {
                    self.tell(|_| format!("[{}] {:?}", event.actor, event.detail));
                    if let Detail::LegEnded { cause } = event.detail {
                        self.last_cause = cause;
                    }
                }
                Output::Alarm(alarm) if alarm.raised => {
                    self.complaint = Some(format!("alarm {} {}", alarm.name, alarm.detail));
                }
                Output::Alarm(_) => {}
                Output::Sip(_)
                | Output::Line(..)
                | Output::Recording(_)
                | Output::MayStop
                | Output::StoreCommit(_)
                | Output::CommitConfirmed(_)
                | Output::InForce(_)
                | Output::Answer(..) => {}
            }
        }
    }

    fn media(&mut self, command: Command) {
        self.tell(|_| format!("media {command:?}"));
        match command {
            Command::SetRemote { leg, remote } => {
                self.ports.insert(leg, remote.addr.port());
            }
            Command::Play { leg, play, items, repeat, .. } => {
                if items.iter().any(|i| matches!(i, Item::Prompt { name, .. } if name == ANNOUNCEMENT)) {
                    self.winners.insert(leg);
                }
                let ends = !repeat && items.iter().all(|i| matches!(i, Item::Prompt { .. } | Item::Pause(_)));
                if ends {
                    self.playing.insert(leg, play);
                } else {
                    self.playing.remove(&leg);
                }
            }
            Command::StopPlay { leg } => {
                self.playing.remove(&leg);
            }
            Command::Join { a, b } => {
                self.winners.remove(&b);
                for (one, other) in [(a, b), (b, a)] {
                    if let Some(third) = self.bridges.insert(one, other).filter(|third| *third != other) {
                        self.complaint = Some(format!("{one:?} was joined to {other:?} while it heard {third:?}"));
                    }
                }
            }
            Command::Destroy { leg } => {
                if self.winners.remove(&leg) && GIVEN_AWAY.contains(&self.last_cause.as_str()) {
                    self.complaint = Some(format!("an agent had accepted, and the call went: {}", self.last_cause));
                }
                self.playing.remove(&leg);
                self.ports.remove(&leg);
                if let Some(other) = self.bridges.remove(&leg) {
                    self.bridges.remove(&other);
                }
                self.give(Input::Media(Report::Counters { leg, counters: Counters::default() }));
            }
            _ => {}
        }
    }

    fn tell(&mut self, line: impl FnOnce(&World) -> String) {
        if self.story.is_some() {
            let line = line(self);
            self.story.get_or_insert_default().push(line);
        }
    }

    /// Two worlds with the same number are the same; and what the checks read of the core.
    pub fn print(&mut self) -> (u64, Map<String, Value>) {
        let now = self.now.at.as_micros();
        let mut whole = Print::of(&self.pbx, now, 0);
        for (at, phone) in self.phones.iter().enumerate() {
            let own = self.prints[at].get_or_insert_with(|| Rc::new(Print::of(&**phone, now, at as u64 + 1)));
            whole.append(own);
            for link in [&self.to_box[at], &self.to_phone[at]] {
                whole.number(link.len() as u64);
                link.iter().for_each(|letter| whole.append(&letter.1));
            }
        }
        whole.number(self.reports.len() as u64);
        self.reports.iter().for_each(|(_, print)| whole.append(print));
        let Budget { faults, hastes, kills } = self.budget;
        whole.append(&Print::of(&(&self.playing, &self.bridges, &self.ports, faults, hastes, kills), now, 0));
        let seen = std::mem::take(&mut whole.seen);
        (whole.hash(), seen)
    }
}

fn boot(recovered: bool) -> Boot {
    let seed = [if recovered { 8 } else { 7 }; 32];
    Boot { seed, build: "test".into(), recovered, machine_restarted: false, events_from: 1 }
}

/// What a person reads of a message.
pub fn first_line(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let cseq = text.lines().find(|l| l.starts_with("CSeq")).unwrap_or_default();
    format!("{} ({cseq})", text.lines().next().unwrap_or_default())
}
