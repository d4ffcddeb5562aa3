//! The world: owns virtual time, the box and all around it. The box is driven through its door alone; every output is
//! carried to where it belongs and shown to the checkers.

use super::agent;
use super::caller::{self, Caller, CallerId, Way};
use super::check::Checks;
use super::dice::Dice;
use super::faults::{Fault, Shadow};
use super::line::{AnalogLine, Seen};
use super::media::FakeMedia;
use super::network::{Network, Weather};
pub use super::outcome::{Journal, Outcome, Stats};
use super::phone::{Act, CallNo, Identity, News, Phone};
use super::plan::{BOX, CARRIER, DAWN, Plan, START_US, Site};
use super::script::Script;
use super::store::{COMMIT_US, FakeStore, Kept};
use super::tally;
use super::wire::Links;
use base::line::{LineCommand, LineEvent, PortId};
use base::media::{Command, Report};
use base::time::{Instant, Now, Wall};
use pbx::Pbx;
use pbx::config::Config;
use pbx::door::{Boot, Input, Output};
use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// What is going to happen.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// Something arrives at the box's SIP socket; over this connection of the world, if any.
    ToBox(signaling::sip::door::Input),
    /// A datagram arrives at a phone.
    ToPhone(usize, Vec<u8>),
    /// Bytes arrive at a phone over a connection.
    ByStream(signaling::sip::door::ConnId, Vec<u8>),
    /// A phone's timer.
    Phone(usize),
    /// Somebody calls.
    Arrival,
    /// A caller acts.
    Caller(CallerId, caller::Step),
    /// A person at a phone acts.
    Desk(usize, agent::Step),
    /// The phone that speaks at this address hangs up.
    HangUp(SocketAddr),
    /// The phone that speaks at this address holds, or takes back.
    Hold(SocketAddr, bool),
    /// A line's exchange or driver reports.
    Line(PortId, LineEvent),
    /// The exchange takes the line out of service when it has been held for nothing.
    LockOut(PortId),
    /// The media engine reports.
    Media(Report),
    /// The store commits.
    Commit,
    /// Nobody may have spoken at this address for too long.
    Silence(SocketAddr),
    /// A phone talks for a while: does it hear whom it should?
    Probe(usize, CallNo),
    /// A phone talked to nobody: has it been told since?
    Orphan(usize, CallNo),
    /// Something breaks.
    Fault,
    /// Something that broke is mended.
    Mend(Fault),
    /// The program is back after a restart.
    Back,
    /// A supervisor acts.
    Supervise,
    /// What was over long ago is forgotten.
    Sweep,
    /// Phase two.
    Heal,
    /// Phase two: everybody hangs up.
    AllHangUp,
    /// Phase two: the phones register no more.
    Quiet,
    /// Phase two: nothing may be left.
    Verify,
}

/// Lines of the ladder that are kept, unless `CORDBOARD_LADDER` says another number.
const LADDER_MAX: u64 = 400;

/// How often what was over long ago is forgotten.
const SWEEP_US: u64 = 120_000_000;

/// The world.
pub struct World {
    pub(super) plan: Plan,
    pub(super) now_us: u64,
    pub(super) wall_offset_ms: i64,
    pub(super) dice: Dice,
    pub(super) pbx: Pbx,
    /// The program is down; its state as it was left.
    pub(super) away: Option<Vec<u8>>,
    events: BTreeMap<(u64, u64), Event>,
    planned: u64,
    pub(super) phones: Vec<Phone>,
    pub(super) phone_at: BTreeMap<SocketAddr, usize>,
    pub(super) phone_of: BTreeMap<IpAddr, usize>,
    timer_of: Vec<Option<u64>>,
    pub(super) trunk: usize,
    pub(super) network: Network,
    pub(super) links: Links,
    pub(super) media: FakeMedia,
    store: FakeStore,
    pub(super) lines: BTreeMap<PortId, AnalogLine>,
    pub(super) callers: BTreeMap<CallerId, Caller>,
    pub(super) caller_by_way: BTreeMap<Way, CallerId>,
    pub(super) arrived: u64,
    /// The last caller of each number.
    pub(super) by_number: BTreeMap<String, CallerId>,
    /// Who works at, or owns, each phone.
    pub(super) seats: BTreeMap<String, String>,
    /// Calls to the box that are worked by keys.
    pub(super) scripts: BTreeMap<(usize, CallNo), Script>,
    /// The site.
    pub(super) config: Arc<Config>,
    /// A snapshot of the box and all its inputs since.
    pub(super) shadow: Option<Shadow>,
    /// Somebody began or ceased to monitor in this turn.
    monitors_changed: bool,
    /// State of each agent as the phone's display shows it.
    pub(super) display: BTreeMap<String, String>,
    pub(super) healing: bool,
    /// The next input is set aside.
    pub(super) set_aside_next: bool,
    /// The last input that was set aside.
    pub(super) set_aside: Option<u64>,
    /// The machine, not only the program, is down.
    pub(super) power_was_cut: bool,
    /// When faults were injected.
    pub(super) fault_times: Vec<u64>,
    /// The machine went down once: phones were left alone in their calls.
    pub(super) machine_restarted: bool,
    /// Connected in this turn: the call and whom with.
    pub(super) connected: Vec<(base::id::Uid, String)>,
    /// When each phone last saw an INVITE.
    pub(super) rang: BTreeMap<usize, u64>,
    /// When each agent was offered a caller.
    pub(super) offered: BTreeMap<String, u64>,
    done: bool,
    pub(super) check: Checks,
    pub(super) stats: Stats,
    ladder: VecDeque<String>,
    ladder_max: usize,
    journal: Journal,
    same_instant: u32,
}

impl World {
    /// A world at rest, its box not yet switched on.
    pub fn new(plan: Plan) -> World {
        let seed = plan.seed;
        let config = plan.config();
        let phones = phones(&plan);
        let trunk = phones.len() - 1;
        World {
            now_us: START_US,
            wall_offset_ms: plan.dawn_ms,
            dice: Dice::new(seed, 2),
            pbx: Pbx::new(),
            away: None,
            events: BTreeMap::new(),
            planned: 0,
            phone_at: phones.iter().enumerate().map(|(n, p)| (p.identity.addr, n)).collect(),
            phone_of: phones.iter().enumerate().map(|(n, p)| (p.identity.addr.ip(), n)).collect(),
            timer_of: vec![None; phones.len()],
            trunk,
            phones,
            network: Network::new(plan.weather, Dice::new(seed, 3)),
            links: Links::default(),
            media: FakeMedia::new(config.media.rtp_ports),
            store: FakeStore::default(),
            lines: plan.ports().into_iter().map(|p| (p, AnalogLine::idle())).collect(),
            callers: BTreeMap::new(),
            caller_by_way: BTreeMap::new(),
            arrived: 0,
            by_number: BTreeMap::new(),
            seats: config.agents.iter().filter_map(|(id, a)| Some((a.extension.clone()?, id.clone()))).collect(),
            scripts: BTreeMap::new(),
            shadow: None,
            monitors_changed: false,
            display: BTreeMap::new(),
            healing: false,
            set_aside_next: false,
            set_aside: None,
            power_was_cut: false,
            fault_times: Vec::new(),
            machine_restarted: false,
            connected: Vec::new(),
            rang: BTreeMap::new(),
            offered: BTreeMap::new(),
            done: false,
            check: Checks::new(&config),
            config: Arc::new(config),
            stats: Stats::default(),
            ladder: VecDeque::new(),
            ladder_max: super::run::number_from("CORDBOARD_LADDER").unwrap_or(LADDER_MAX) as usize,
            journal: Journal::default(),
            same_instant: 0,
            plan,
        }
    }

    /// Runs both phases and says what was wrong.
    pub fn run(mut self) -> Outcome {
        self.switch_on();
        while !self.done && (self.check.well() || self.plan.journal) {
            self.step();
        }
        self.stats.virtual_us = self.now_us - START_US;
        self.stats.callers = self.arrived;
        self.stats.rows = self.store.last().unwrap_or(0);
        Outcome { violations: self.check.take(), ladder: self.ladder.into(), stats: self.stats, journal: self.journal }
    }

    fn switch_on(&mut self) {
        let config = self.config.clone();
        let (seed, build) = (self.dice.key(), "simulation".into());
        self.feed(Input::Boot(Boot { seed, build, recovered: false, machine_restarted: false, events_from: 1 }));
        self.feed(Input::Configured(config, 1));
        for port in self.plan.ports() {
            let event = LineEvent::Attached { off_hook: false, battery: true };
            self.plan_event(100_000, Event::Line(port, event));
        }
        for index in 0..self.trunk {
            let at_us = self.dice.below(2_000_000);
            self.phones[index].connection_lost(self.now_us + at_us);
            self.plan_phone(index);
            if index < self.plan.agents as usize {
                let at_us = 4_000_000 + self.dice.below(4_000_000);
                self.plan_event(at_us, Event::Desk(index, agent::Step::Look));
            }
        }
        self.plan_event(5_000_000, Event::Arrival);
        if self.plan.fault_us_mean > 0 {
            self.plan_event(self.plan.fault_us_mean, Event::Fault);
        }
        if self.plan.supervise_us_mean > 0 {
            self.plan_event(20_000_000, Event::Supervise);
        }
        if self.plan.site == Site::Centre {
            self.plan_event(SWEEP_US, Event::Sweep);
        }
        let busy_us = self.plan.calls * self.plan.gap_us_mean + 30_000_000;
        self.plan_event(busy_us, Event::Heal);
    }

    /// Both readings of the clocks.
    pub(super) fn now(&self) -> Now {
        let ms = (self.now_us / 1_000) as i64;
        Now {
            at: Instant::from_micros(self.now_us),
            wall: Wall::from_millis(DAWN.as_millis() + ms + self.wall_offset_ms),
        }
    }

    /// Plans an event so many microseconds from now.
    pub(super) fn plan_event(&mut self, after_us: u64, event: Event) {
        self.planned += 1;
        self.events.insert((self.now_us + after_us, self.planned), event);
    }

    /// Plans an event at a moment, not before now.
    pub(super) fn plan_event_at(&mut self, at_us: u64, event: Event) {
        self.plan_event(at_us.saturating_sub(self.now_us), event);
    }

    /// A line of the ladder.
    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if self.plan.ladder {
            if self.ladder.len() >= self.ladder_max {
                self.ladder.pop_front();
            }
            let us = self.now_us;
            self.ladder.push_back(format!("{:>6}.{:06} {}", us / 1_000_000, us % 1_000_000, line()));
        }
    }

    fn step(&mut self) {
        let event_us = self.events.first_key_value().map(|((at, _), _)| *at);
        let timer_us = if self.away.is_some() { None } else { self.pbx.deadline().map(Instant::as_micros) };
        let Some(next_us) = [event_us, timer_us].into_iter().flatten().min() else {
            self.done = true;
            return;
        };
        if next_us > self.now_us {
            self.now_us = next_us;
            self.same_instant = 0;
            self.check.time(next_us);
        }
        self.same_instant += 1;
        if self.same_instant > 20_000 {
            self.check.say(self.now_us, "time stands still: 20,000 steps at one instant".into());
        }
        if timer_us.is_some_and(|at| at <= next_us) {
            self.feed(Input::Timer);
        } else if let Some((_, event)) = self.events.pop_first() {
            self.happen(event);
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::ToBox(input) => self.reaches_box(input),
            Event::ToPhone(index, bytes) => {
                self.heard_ringing(index, &bytes);
                self.with_phone(index, |phone, now_us, out| phone.receive(now_us, &bytes, out));
            }
            Event::ByStream(conn, bytes) => self.by_stream(conn, &bytes),
            Event::Phone(index) => {
                if self.timer_of[index] == Some(self.now_us) {
                    self.timer_of[index] = None;
                    self.with_phone(index, |phone, now_us, out| phone.timer(now_us, out));
                }
            }
            Event::Arrival => self.arrival(),
            Event::Caller(id, step) => self.caller_step(id, step),
            Event::Desk(index, step) => self.desk_step(index, step),
            Event::HangUp(rtp) => {
                if let Some((index, no)) = self.party(rtp) {
                    self.note(|| format!("phone {index} hangs up"));
                    self.with_phone(index, |phone, now_us, out| phone.hang_up(now_us, no, out));
                }
            }
            Event::Hold(rtp, hold) => {
                if let Some((index, no)) = self.party(rtp) {
                    self.with_phone(index, |phone, now_us, out| phone.hold(now_us, no, hold, out));
                }
            }
            Event::Line(port, event) => self.line_reports(port, event),
            Event::LockOut(port) => self.lock_out(port),
            Event::Media(report) => self.media_reports(report),
            Event::Commit => {
                if let Some(seq) = self.store.commit() {
                    self.feed(Input::Stored(seq));
                }
            }
            Event::Silence(rtp) => self.silence(rtp),
            Event::Probe(index, no) => self.probe(index, no),
            Event::Orphan(index, no) => self.orphan(index, no),
            Event::Fault => self.fault(),
            Event::Mend(fault) => self.mend(fault),
            Event::Back => self.back(),
            Event::Supervise => self.supervise(),
            Event::Sweep => self.sweep(),
            Event::Heal => self.heal(),
            Event::AllHangUp => self.all_hang_up(),
            Event::Quiet => self.phones.iter_mut().for_each(Phone::register_no_more),
            Event::Verify => self.verify(),
        }
    }

    /// Gives the box an input and carries away what comes out. While the program is down the input is lost.
    pub(super) fn feed(&mut self, input: Input) {
        if self.away.is_some() {
            return;
        }
        let now = self.now();
        let input = self.perhaps_set_aside(input);
        self.note(|| format!("  > {}", super::ladder::input(&input)));
        if self.plan.journal {
            self.journal.inputs.push((now, input.clone()));
        }
        if self.plan.shadow {
            self.keep_shadow(now, &input);
        }
        let mut outputs = Vec::new();
        self.pbx.handle(now, input, &mut outputs);
        self.stats.inputs += 1;
        self.stats.outputs += outputs.len() as u64;
        if self.plan.journal {
            let bytes = postcard::to_allocvec(&outputs).unwrap_or_default();
            self.journal.outputs.push(bytes);
        }
        for output in outputs {
            self.note(|| format!("  < {}", super::ladder::output(&output)));
            self.carry(output);
        }
        for (uid, with) in std::mem::take(&mut self.connected) {
            self.hears_whom(uid, &with);
        }
        for id in std::mem::take(&mut self.check.ended) {
            self.hears_nothing(id);
        }
        if std::mem::take(&mut self.monitors_changed) {
            self.monitors_rightly();
        }
        self.check.turn_over(self.now_us);
    }

    fn sweep(&mut self) {
        if !self.healing {
            self.plan_event(SWEEP_US, Event::Sweep);
        }
        let fair = self.plan.weather == Weather::FAIR;
        self.check.sweep(self.now_us, &mut self.callers, fair, &self.fault_times);
    }

    fn carry(&mut self, output: Output) {
        let now_us = self.now_us;
        match output {
            Output::Sip(output) => self.box_sends(output),
            Output::Media(command) => {
                self.monitors_changed |= matches!(command, Command::Monitor { .. } | Command::StopMonitor { .. });
                let mut effects = Vec::new();
                self.media.command(&command, &mut effects);
                for complaint in std::mem::take(&mut self.media.complaints) {
                    self.check.say(now_us, format!("media engine: {complaint}"));
                }
                self.check.command(now_us, &command);
                for effect in effects {
                    self.media_effect(effect);
                }
            }
            Output::Line(port, command) => self.line_commanded(port, command),
            Output::Record(row) => match self.store.keep(&row) {
                Kept::New(commit) => {
                    if commit {
                        self.plan_event(COMMIT_US, Event::Commit);
                    }
                    self.watch(&row);
                    if self.plan.site == Site::Centre {
                        tally::count(&mut self.stats.tally, &row);
                    }
                    let caller = self.caller_behind(&row);
                    self.check.row(now_us, &row, caller);
                }
                Kept::Again => {}
                Kept::Wrong(why) => self.check.say(now_us, format!("store: {why}")),
            },
            Output::Recording(change) => self.check.recording(now_us, &change),
            Output::Alarm(alarm) => {
                let asked = self.set_aside.is_some_and(|seq| alarm.subject == format!("input {seq}"));
                if alarm.name.contains("bug") && alarm.raised && !asked {
                    self.check.say(now_us, format!("alarm {}: {}", alarm.name, alarm.detail));
                }
            }
            Output::MayStop
            | Output::StoreCommit(_)
            | Output::CommitConfirmed(_)
            | Output::InForce(_)
            | Output::Answer(..) => {}
        }
    }

    fn line_reports(&mut self, port: PortId, event: LineEvent) {
        let Some(line) = self.lines.get_mut(&port) else { return };
        match event {
            LineEvent::BatteryLost => line.battery = false,
            LineEvent::BatteryBack => line.battery = true,
            LineEvent::RingBegan if !line.ringing => return,
            LineEvent::RingBegan
            | LineEvent::RingEnded
            | LineEvent::Attached { .. }
            | LineEvent::PolarityReversed
            | LineEvent::Fault(_) => {}
        }
        self.feed(Input::Line(port, event));
    }

    fn lock_out(&mut self, port: PortId) {
        if self.lines.get(&port).is_some_and(|l| l.off_hook && l.caller.is_none()) {
            self.plan_event(0, Event::Line(port, LineEvent::BatteryLost));
            self.plan_event(1_000_000, Event::Line(port, LineEvent::BatteryBack));
            self.plan_event(20_000_000, Event::LockOut(port));
        }
    }

    pub(super) fn line_commanded(&mut self, port: PortId, command: LineCommand) {
        let now_us = self.now_us;
        let Some(line) = self.lines.get_mut(&port) else {
            return self.check.say(now_us, format!("{command:?} for {port:?}, which does not exist"));
        };
        match line.command(now_us, command) {
            Seen::Answered(caller) => self.caller_answered(caller),
            Seen::Left(caller) => {
                self.caller_by_way.remove(&Way::Line(port));
                self.caller_left_by_box(caller);
            }
            Seen::Pointless => {
                self.plan_event(20_000_000, Event::LockOut(port));
            }
            Seen::Nothing => {}
        }
    }

    /// Lets a phone act and carries what it says.
    pub(super) fn with_phone(&mut self, index: usize, act: impl FnOnce(&mut Phone, u64, &mut Vec<Act>)) {
        let now_us = self.now_us;
        let mut acts = Vec::new();
        let Some(phone) = self.phones.get_mut(index).filter(|p| p.alive) else { return };
        act(phone, now_us, &mut acts);
        for act in acts {
            match act {
                Act::Send(bytes) => self.phone_sends(index, bytes),
                Act::Tell(news) => self.tell(index, news),
            }
        }
        self.plan_phone(index);
    }

    fn plan_phone(&mut self, index: usize) {
        let due = self.phones[index].deadline_us().map(|at| at.max(self.now_us));
        if let Some(at_us) = due.filter(|at| self.timer_of[index].is_none_or(|planned| *at < planned)) {
            self.timer_of[index] = Some(at_us);
            self.plan_event_at(at_us, Event::Phone(index));
        }
    }

    fn tell(&mut self, index: usize, news: News) {
        self.note(|| format!("phone {index}: {news:?}"));
        match &news {
            News::Protest(what) => self.check.say(self.now_us, format!("phone {index} protests: {what}")),
            News::Missed(what) => {
                // A box that lost its power has forgotten.
                if !self.machine_restarted {
                    self.check.say(self.now_us, format!("phone {index} misses: {what}"));
                }
            }
            News::Ended(no) | News::Refused(no, _) | News::Cancelled(no) => {
                if let Some(rtp) = self.phones[index].call(*no).map(|c| c.rtp) {
                    self.plan_silence(rtp);
                }
            }
            News::Registered
            | News::NotRegistered(_)
            | News::Offered(_)
            | News::Progress(..)
            | News::Answered(_)
            | News::Confirmed(_) => {}
        }
        if !self.caller_news(index, &news) {
            self.desk_news(index, &news);
        }
    }

    /// Done; called by the last event.
    pub(super) fn finish(&mut self) {
        self.done = true;
    }
}

/// Desk phones, the agents' first, and the trunk's far end as the last.
fn phones(plan: &Plan) -> Vec<Phone> {
    let agents = (0..plan.agents).map(Plan::extension);
    let office = (0..plan.office).map(Plan::office_extension);
    // Extensions with two phones: whoever is first takes the call.
    let twice = (0..plan.office / 2).map(Plan::office_extension);
    let users = agents.chain(office).chain(twice).enumerate();
    users.map(|(index, user)| desk_phone(plan, &user, index)).chain([carrier(plan.seed)]).collect()
}

fn desk_phone(plan: &Plan, user: &str, index: usize) -> Phone {
    let mut dice = Dice::new(plan.seed, 1_000 + index as u64);
    let ip = format!("10.1.{}.{}", index / 200, index % 200 + 1);
    let addr = SocketAddr::new(ip.parse().unwrap_or(BOX.ip()), 5060);
    let identity = Identity {
        user: user.to_string(),
        secret: Plan::secret(user),
        addr,
        server: BOX,
        stream: dice.permille(300),
        call_waiting: false,
        expires_s: plan.expires_s,
    };
    Phone::new(identity, dice)
}

fn carrier(seed: u64) -> Phone {
    let identity = Identity {
        user: "carrier".into(),
        secret: String::new(),
        addr: CARRIER,
        server: BOX,
        stream: false,
        call_waiting: true,
        expires_s: 0,
    };
    Phone::new(identity, Dice::new(seed, 999))
}
