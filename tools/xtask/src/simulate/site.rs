//! The real router in virtual time: one `pbx::Pbx`, the virtual phones of the tests for agents and trunk, and callers who
//! do what was drawn for them. All signalling goes through the box's door as on the network; who gets which call when
//! is decided by the box alone. No faults, no weather: those are the tests' job.

use super::arrivals::Arrival;
use super::staffing::Staffed;
use super::tally::{End, Ledger, Life, Shifts, Step};
use ::tests::sim::dice::Dice;
use ::tests::sim::media::{Effect, FakeMedia};
use ::tests::sim::phone::{Act, CallNo, Identity, News, Phone};
use ::tests::sim::plan::{BOX, CARRIER, DAWN, START_US};
use base::media::Report;
use base::time::{Instant, Now, Wall};
use pbx::Pbx;
use pbx::door::{Boot, Input, Output};
use pbx::event::{Detail, LegEvent};
use signaling::sip::door::{Input as SipInput, Output as SipOutput};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Range;

/// From one end of the network to the other.
const NETWORK_US: u64 = 100;
/// From the start of the box to the first second of the profile: phones register.
const OPENING_US: u64 = 10_000_000;
/// How often the store says what is durable.
const COMMIT_US: u64 = 500_000;
/// Callers who are still there so long after the last arrival are counted as waiting.
const CLOSING_US: u64 = 24 * 3_600_000_000;
/// A caller who left the queue for somewhere else hangs up after this time, unless queued again.
const ELSEWHERE_US: u64 = 60_000_000;

/// One run.
#[derive(Clone, Debug)]
pub struct Scene<'a> {
    /// The site with its agents.
    pub staffed: &'a Staffed,
    /// Who calls, in order.
    pub arrivals: &'a [Arrival],
    /// How long an agent lets it ring on average; each time between half of it and one and a half.
    pub ring_us: u64,
    /// Of all dice.
    pub seed: u64,
    /// Agents' time counts in this part of the run, in microseconds after its beginning.
    pub counted_us: Range<u64>,
}

#[derive(Debug)]
enum Event {
    ToBox(SocketAddr, Vec<u8>),
    ToPhone(usize, Vec<u8>),
    PhoneTimer(usize),
    Arrival(usize),
    GiveUp(usize),
    Goodbye(usize),
    Elsewhere(usize),
    PickUp(usize, CallNo),
    Media(Report),
    Commit,
}

struct Site<'a> {
    scene: &'a Scene<'a>,
    journal: &'a mut dyn FnMut(&LegEvent),
    now_us: u64,
    pbx: Pbx,
    dice: Dice,
    phones: Vec<Phone>,
    timer_of: Vec<Option<u64>>,
    by_addr: BTreeMap<SocketAddr, usize>,
    media: FakeMedia,
    events: BTreeMap<(u64, u64), Event>,
    planned: u64,
    rows: u64,
    commit_planned: bool,
    ledger: Ledger,
    calls: Vec<Option<CallNo>>,
    by_call: BTreeMap<CallNo, usize>,
    open: usize,
    trouble: Option<String>,
}

/// Plays a run to the end of its last call.
///
/// # Errors
/// What the box or a phone complained about; the figures would mean nothing.
pub fn play(scene: &Scene<'_>) -> Result<Ledger, String> {
    play_told(scene, &mut |_| {})
}

/// As [`play`]; every row of the journal is shown to `journal`, too.
///
/// # Errors
/// As [`play`].
pub fn play_told(scene: &Scene<'_>, journal: &mut dyn FnMut(&LegEvent)) -> Result<Ledger, String> {
    let mut site = Site::new(scene, journal);
    site.open_doors();
    let close_us = site.zero_us() + scene.arrivals.last().map_or(0, |a| a.at_us) + CLOSING_US;
    while (site.open > 0 || site.now_us < site.zero_us() + scene.counted_us.end) && site.now_us < close_us {
        if !site.step() {
            break;
        }
    }
    site.ledger.shifts.finish(site.now_us);
    match site.trouble {
        Some(trouble) => Err(format!("seed {}, second {}: {trouble}", scene.seed, site.now_us / 1_000_000)),
        None => Ok(site.ledger),
    }
}

impl<'a> Site<'a> {
    fn new(scene: &'a Scene<'a>, journal: &'a mut dyn FnMut(&LegEvent)) -> Site<'a> {
        let phone = |index: usize, user: &str, secret: &str, addr: SocketAddr| {
            let identity = Identity {
                user: user.to_string(),
                secret: secret.to_string(),
                addr,
                server: BOX,
                stream: false,
                call_waiting: secret.is_empty(),
                expires_s: scene.staffed.config.sip.expires_max_s,
            };
            Phone::new(identity, Dice::new(scene.seed, 1_000 + index as u64))
        };
        let desks = scene.staffed.desks.iter().enumerate();
        let mut phones: Vec<Phone> =
            desks.map(|(n, desk)| phone(n, &desk.extension, &desk.secret, desk_addr(n))).collect();
        phones.push(phone(phones.len(), "carrier", "", CARRIER));
        Site {
            scene,
            journal,
            now_us: START_US,
            pbx: Pbx::new(),
            dice: Dice::new(scene.seed, 2),
            timer_of: vec![None; phones.len()],
            by_addr: phones.iter().enumerate().map(|(n, p)| (p.identity.addr, n)).collect(),
            phones,
            media: FakeMedia::new(scene.staffed.config.media.rtp_ports),
            events: BTreeMap::new(),
            planned: 0,
            rows: 0,
            commit_planned: false,
            ledger: Ledger::new(
                scene.arrivals.iter().map(|a| Life::new(a.at_us, &a.queue)).collect(),
                Shifts::new((START_US + OPENING_US) as i64, scene.counted_us.clone()),
            ),
            calls: vec![None; scene.arrivals.len()],
            by_call: BTreeMap::new(),
            open: scene.arrivals.len(),
            trouble: None,
        }
    }

    /// When the profile begins.
    fn zero_us(&self) -> u64 {
        START_US + OPENING_US
    }

    fn open_doors(&mut self) {
        let seed = self.dice.key();
        let build = "simulation".to_string();
        self.feed(Input::Boot(Boot { seed, build, recovered: false, machine_restarted: false, events_from: 1 }));
        self.feed(Input::Configured(self.scene.staffed.config.clone(), 1));
        for index in 0..self.phones.len() - 1 {
            self.phones[index].connection_lost(self.now_us);
            self.plan_phone(index);
        }
        if let Some(first) = self.scene.arrivals.first() {
            self.plan_at(self.zero_us() + first.at_us, Event::Arrival(0));
        }
    }

    fn plan(&mut self, after_us: u64, event: Event) {
        self.plan_at(self.now_us + after_us, event);
    }

    fn plan_at(&mut self, at_us: u64, event: Event) {
        self.planned += 1;
        self.events.insert((at_us.max(self.now_us), self.planned), event);
    }

    fn step(&mut self) -> bool {
        let event_us = self.events.first_key_value().map(|((at, _), _)| *at);
        let timer_us = self.pbx.deadline().map(Instant::as_micros);
        let Some(next_us) = [event_us, timer_us].into_iter().flatten().min() else { return false };
        self.now_us = self.now_us.max(next_us);
        if timer_us == Some(next_us) {
            self.feed(Input::Timer);
        } else if let Some((_, event)) = self.events.pop_first() {
            self.happen(event);
        }
        self.trouble.is_none()
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToBox(remote, bytes) => {
                self.feed(Input::Sip(SipInput::Datagram { local: BOX, remote, bytes, shed: false }));
            }
            Event::ToPhone(index, bytes) => self.with_phone(index, |phone, now, out| phone.receive(now, &bytes, out)),
            Event::PhoneTimer(index) => {
                if self.timer_of[index] == Some(self.now_us) {
                    self.timer_of[index] = None;
                    self.with_phone(index, |phone, now, out| phone.timer(now, out));
                }
            }
            Event::Arrival(n) => self.arrives(n),
            Event::GiveUp(n) if self.ledger.lives[n].end != End::Waiting => {}
            Event::Elsewhere(n) if self.ledger.lives[n].end == End::Waiting => {}
            Event::GiveUp(n) | Event::Elsewhere(n) | Event::Goodbye(n) => self.hangs_up(n),
            Event::PickUp(index, no) => self.with_phone(index, |phone, now, out| phone.answer(now, no, out)),
            Event::Media(report) => {
                if let Report::PlayDone { leg, play } = &report
                    && !self.media.play_done(*leg, *play)
                {
                    return;
                }
                self.feed(Input::Media(report));
            }
            Event::Commit => {
                self.commit_planned = false;
                self.feed(Input::Stored(self.rows));
            }
        }
    }

    fn arrives(&mut self, n: usize) {
        let arrival = &self.scene.arrivals[n];
        if let Some(next) = self.scene.arrivals.get(n + 1) {
            self.plan_at(self.zero_us() + next.at_us, Event::Arrival(n + 1));
        }
        let Some(did) = self.scene.staffed.dids.get(&arrival.queue) else {
            self.trouble = Some(format!("no number leads to queue {}", arrival.queue));
            return;
        };
        let (trunk, mut no) = (self.phones.len() - 1, CallNo(0));
        self.with_phone(trunk, |phone, now, out| no = phone.dial(now, did, &number_of(n), false, out));
        self.calls[n] = Some(no);
        self.by_call.insert(no, n);
    }

    fn hangs_up(&mut self, n: usize) {
        let trunk = self.phones.len() - 1;
        if let Some(no) = self.calls[n] {
            self.with_phone(trunk, |phone, now, out| phone.hang_up(now, no, out));
        }
    }

    fn with_phone(&mut self, index: usize, act: impl FnOnce(&mut Phone, u64, &mut Vec<Act>)) {
        let mut acts = Vec::new();
        act(&mut self.phones[index], self.now_us, &mut acts);
        for act in acts {
            match act {
                Act::Send(bytes) => {
                    let from = self.phones[index].identity.addr;
                    self.plan(NETWORK_US, Event::ToBox(from, bytes));
                }
                Act::Tell(news) => self.told(index, news),
            }
        }
        self.plan_phone(index);
    }

    fn plan_phone(&mut self, index: usize) {
        let Some(due_us) = self.phones[index].deadline_us().map(|at| at.max(self.now_us)) else { return };
        if self.timer_of[index].is_none_or(|planned| due_us < planned) {
            self.timer_of[index] = Some(due_us);
            self.plan_at(due_us, Event::PhoneTimer(index));
        }
    }

    fn told(&mut self, index: usize, news: News) {
        let trunk = self.phones.len() - 1;
        match news {
            News::Offered(no) if index != trunk => {
                let ring_us = self.scene.ring_us / 2 + self.dice.below(self.scene.ring_us + 1);
                self.plan(ring_us, Event::PickUp(index, no));
            }
            News::Refused(no, _) | News::Ended(no) if index == trunk => {
                if let Some(n) = self.by_call.remove(&no) {
                    self.calls[n] = None;
                    self.open -= 1;
                    let life = &mut self.ledger.lives[n];
                    if life.queued_at_us.is_none() && life.end == End::Waiting {
                        life.end = End::Refused;
                    }
                }
            }
            News::NotRegistered(code) => self.trouble = Some(format!("phone {index} cannot register: {code}")),
            News::Missed(what) => self.trouble = Some(format!("phone {index} misses: {what}")),
            News::Protest(what) => self.trouble = Some(format!("phone {index} protests: {what}")),
            News::Registered
            | News::Offered(_)
            | News::Progress(..)
            | News::Answered(_)
            | News::Refused(..)
            | News::Confirmed(_)
            | News::Cancelled(_)
            | News::Ended(_) => {}
        }
    }

    fn feed(&mut self, input: Input) {
        let ms = (self.now_us / 1_000) as i64;
        let now = Now { at: Instant::from_micros(self.now_us), wall: Wall::from_millis(DAWN.as_millis() + ms) };
        let mut outputs = Vec::new();
        self.pbx.handle(now, input, &mut outputs);
        for output in outputs {
            self.carry(output);
        }
    }

    fn carry(&mut self, output: Output) {
        match output {
            Output::Sip(SipOutput::Datagram { remote, bytes, .. }) => {
                if let Some(index) = self.by_addr.get(&remote).copied() {
                    self.plan(NETWORK_US, Event::ToPhone(index, bytes));
                }
            }
            Output::Media(command) => {
                let mut effects = Vec::new();
                self.media.command(&command, &mut effects);
                for effect in effects {
                    if let Effect::Later(us, report) = effect {
                        self.plan(us, Event::Media(report));
                    }
                }
            }
            Output::Record(row) => {
                self.rows = self.rows.max(row.seq);
                if !std::mem::replace(&mut self.commit_planned, true) {
                    self.plan(COMMIT_US, Event::Commit);
                }
                (self.journal)(&row);
                self.recorded(&row);
            }
            Output::Alarm(alarm) if alarm.raised && alarm.name.contains("bug") => {
                self.trouble = Some(format!("alarm {}: {}", alarm.name, alarm.detail));
            }
            Output::Sip(_)
            | Output::Line(..)
            | Output::Recording(_)
            | Output::Alarm(_)
            | Output::MayStop
            | Output::StoreCommit(_)
            | Output::CommitConfirmed(_)
            | Output::InForce(_)
            | Output::Answer(..) => {}
        }
    }

    /// The figures come from the journal, as those of the box itself do.
    fn recorded(&mut self, row: &LegEvent) {
        if let (Detail::CallBegan { caller, .. }, Some(uid)) = (&row.detail, row.call)
            && let Some(n) = index_of(caller)
        {
            self.ledger.know(uid, n);
        }
        let Some((n, step)) = self.ledger.row(row) else { return };
        let arrival = &self.scene.arrivals[n];
        match step {
            Step::Queued { first } => {
                if let Some(patience_us) = arrival.patience_us.filter(|_| first) {
                    self.plan(patience_us, Event::GiveUp(n));
                }
            }
            Step::Answered => self.plan(arrival.talk_us, Event::Goodbye(n)),
            Step::Left => self.plan(ELSEWHERE_US, Event::Elsewhere(n)),
            Step::Over => {}
        }
    }
}

/// Address of desk `n`.
fn desk_addr(n: usize) -> SocketAddr {
    let ip = std::net::Ipv4Addr::new(10, 1, (n / 200) as u8, (n % 200 + 1) as u8);
    SocketAddr::new(ip.into(), 5060)
}

/// What caller `n` shows.
fn number_of(n: usize) -> String {
    format!("138{n:08}")
}

fn index_of(number: &str) -> Option<usize> {
    number.strip_prefix("138")?.parse().ok()
}
