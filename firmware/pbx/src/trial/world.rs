//! The world of a test: the real core, one SIP endpoint that is all phones of the house, one that is all trunks, and of
//! the media engine only what matters to calls: ends of prompts and keys. Nothing is lost or late on the way; phones that
//! ring are answered.

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::id::{LegKey, Uid};
use base::media::{Codec, Command, Counters, Digit, DigitSource, Item, PlayId, Report};
use base::time::{Instant, Now, Wall};
use core::net::SocketAddr;
use core::time::Duration;
use signaling::sdp::{Audio, Direction, Format};
use signaling::sip::door::{self as sip, DialogKey, Event, Hop, Invite, Target};
use signaling::sip::{Endpoint, Login};

use crate::Pbx;
use crate::call::{CallKey, Phase};
use crate::config::Config;
use crate::config::test::TestCall;
use crate::door::{AgentWas, Boot, Input, Output, Rebuilt};
use crate::event::{Detail, LegEvent};
use crate::offer::{Purpose, Stage};

/// Until a phone that rings is answered.
const RING: Duration = Duration::from_secs(2);
/// From the first word of the box to a key.
const THINK: Duration = Duration::from_secs(1);
/// How long a prompt lasts, whichever it is: the core does not know either.
const PROMPT: Duration = Duration::from_secs(5);
/// Until nothing is left of the registrations but the contacts (RFC 3261 §17.2.2, timer J).
const REGISTERED: Duration = Duration::from_secs(40);
/// Whatever circles does so no longer than this many inputs.
const INPUTS_MAX: u32 = 50_000;
/// Rows of the watched call that are kept.
const ROWS_MAX: usize = 2_000;
/// First port at which the trial's phones want audio; nobody listens there.
const AUDIO_PORT: u16 = 40_000;

/// Who is where in the trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    pub site: SocketAddr,
    pub phones: SocketAddr,
    /// Where callers from outside come from.
    pub carrier: SocketAddr,
}

/// Something that the world will do.
#[derive(Clone, Copy, Debug)]
enum Plan {
    Answer(Side, DialogKey),
    Played(LegKey, PlayId),
    /// The caller of this number presses what comes next.
    Press(usize),
    Key(LegKey, Digit),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    House,
    Outside,
}

/// Somebody who has called.
#[derive(Clone, Debug)]
struct Caller {
    call: Option<Uid>,
    /// What is still to be pressed.
    keys: VecDeque<String>,
    /// What was heard when a key was pressed last.
    heard: Option<PlayId>,
    /// A key will be pressed.
    thinks: bool,
}

/// See the module text.
#[derive(Clone)]
pub(super) struct World {
    pbx: Pbx,
    config: Arc<Config>,
    places: Places,
    house: Endpoint,
    outside: Endpoint,
    now: Now,
    inbox: VecDeque<Input>,
    plans: BTreeMap<(Instant, u32), Plan>,
    planned: u32,
    playing: BTreeMap<LegKey, PlayId>,
    /// The last that the box said to each leg.
    said: BTreeMap<LegKey, PlayId>,
    /// Legs of agents who were asked to accept a call by key.
    asked: BTreeSet<LegKey>,
    callers: Vec<Caller>,
    /// Nonce of each extension, and how often it was used.
    nonces: BTreeMap<String, (String, u32)>,
    audio_port: u16,
    inputs: u32,
    watches: bool,
    rows: Vec<LegEvent>,
}

impl World {
    pub fn new(config: Arc<Config>, places: Places, now: Now) -> World {
        let mut world = World {
            pbx: Pbx::new(),
            house: endpoint(places.phones, places.site, 1),
            outside: endpoint(places.carrier, places.site, 2),
            config,
            places,
            now,
            inbox: VecDeque::new(),
            plans: BTreeMap::new(),
            planned: 0,
            playing: BTreeMap::new(),
            said: BTreeMap::new(),
            asked: BTreeSet::new(),
            callers: Vec::new(),
            nonces: BTreeMap::new(),
            audio_port: AUDIO_PORT,
            inputs: 0,
            watches: false,
            rows: Vec::new(),
        };
        world.give(Input::Boot(Boot {
            seed: [3; 32],
            build: "trial".to_string(),
            recovered: false,
            machine_restarted: false,
            events_from: 1,
        }));
        world.give(Input::Configured(world.config.clone(), 1));
        world
    }

    pub fn now(&self) -> Instant {
        self.now.at
    }

    pub fn set_wall(&mut self, wall: Wall) {
        self.now.wall = wall;
        self.inputs = 0;
    }

    /// Rows of the watched call so far.
    pub fn rows(&self) -> &[LegEvent] {
        &self.rows
    }

    pub fn into_ladder(self) -> Vec<LegEvent> {
        self.rows
    }

    /// Keys that the last caller never came to press.
    pub fn keys_left(&self) -> usize {
        self.callers.last().map_or(0, |caller| caller.keys.len())
    }

    /// So much happened at once that it was broken off.
    pub fn is_stuck(&self) -> bool {
        self.inputs >= INPUTS_MAX
    }

    // People.

    /// A phone for every extension, registered.
    pub fn register_all(&mut self) {
        let config = self.config.clone();
        for (number, extension) in &config.extensions {
            self.register(number, &extension.secret);
        }
        self.pass(REGISTERED);
    }

    fn register(&mut self, number: &str, secret: &str) {
        let mut nonce = String::new();
        for count in 1..=2 {
            let Places { site, phones, .. } = self.places;
            let uri = format!("sip:{site}");
            let login = Login { user: number, realm: &self.config.sip.realm, secret, nonce: &nonce, count: 1 };
            let proof = match count {
                1 => String::new(),
                _ => format!("Authorization: {}\r\n", login.authorization("REGISTER", &uri)),
            };
            let request = format!(
                "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {phones};branch=z9hG4bKr{number}-{count}\r\nMax-Forwards: 70\r\n\
                 From: <sip:{number}@{site}>;tag=t{number}\r\nTo: <sip:{number}@{site}>\r\nCall-ID: reg-{number}\r\n\
                 CSeq: {count} REGISTER\r\nContact: <sip:{number}@{phones}>\r\nExpires: 86400\r\n{proof}Content-Length: 0\r\n\r\n"
            );
            let input = sip::Input::Datagram { local: site, remote: phones, bytes: request.into_bytes(), shed: false };
            let mut out = Vec::new();
            self.pbx.handle(self.now, Input::Sip(input), &mut out);
            if let Some(challenge) = out.iter().find_map(nonce_of) {
                nonce = challenge;
            }
        }
        self.nonces.insert(number.to_string(), (nonce, 1));
    }

    /// These agents are at work, everybody else is not.
    pub fn log_in(&mut self, agents: Vec<AgentWas>) {
        self.give(Input::Rebuilt(Rebuilt { agents, ..Rebuilt::default() }));
    }

    /// The rows of the next call are kept.
    pub fn watch(&mut self) {
        self.watches = true;
    }

    /// Somebody calls.
    pub fn dial(&mut self, call: &TestCall, keys: &[String]) {
        self.callers.push(Caller { call: None, keys: keys.iter().cloned().collect(), heard: None, thinks: false });
        let config = self.config.clone();
        let site = self.places.site;
        let uri = format!("sip:{}@{site}", call.to.replace('#', "%23"));
        let (side, local, headers) = match config.extensions.get(&call.from) {
            None => (Side::Outside, self.places.carrier, Vec::new()),
            Some(extension) => {
                let (nonce, count) = self.nonces.entry(call.from.clone()).or_default();
                *count += 1;
                let (user, realm, secret) = (&call.from, &config.sip.realm, &extension.secret);
                let login = Login { user, realm, secret, nonce, count: *count };
                let proof = login.authorization("INVITE", &uri);
                (Side::House, self.places.phones, [("Authorization".to_string(), proof)].into())
            }
        };
        let offer = Some(self.audio(local));
        let target = Target { uri, hop: Hop::Udp { local, remote: site } };
        let invite = Invite { target, from: call.from.clone(), from_name: String::new(), offer, headers };
        self.peer(side, |endpoint, now, out| {
            endpoint.invite(now, invite, out);
        });
        self.drain();
    }

    fn audio(&mut self, local: SocketAddr) -> Audio {
        self.audio_port = self.audio_port.checked_add(2).unwrap_or(AUDIO_PORT);
        Audio {
            session: (1, 1),
            addr: SocketAddr::new(local.ip(), self.audio_port),
            formats: [Format { payload_type: 8, codec: Codec::Pcma }].into(),
            dtmf: Some(101),
            direction: Direction::SendRecv,
        }
    }

    // Time.

    /// So much time passes.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now.at + time;
        while self.step(until) {}
    }

    /// On to the next thing that happens, no farther than `until`; false when nothing does before, or too much did.
    pub fn step(&mut self, until: Instant) -> bool {
        self.listen();
        let planned = self.plans.first_key_value().map(|((at, _), _)| *at);
        let due = [self.pbx.deadline(), self.house.deadline(), self.outside.deadline(), planned];
        let next = due.into_iter().flatten().min().filter(|next| *next < until);
        self.clock_to(next.unwrap_or(until));
        if next.is_none() || self.is_stuck() {
            return false;
        }
        self.inputs += 1;
        let at = self.now.at;
        if self.pbx.deadline().is_some_and(|due| due <= at) {
            self.give(Input::Timer);
        }
        for side in [Side::House, Side::Outside] {
            if self.endpoint(side).deadline().is_some_and(|due| due <= at) {
                self.peer(side, |endpoint, now, out| endpoint.handle(now, sip::Input::Timer, out));
                self.drain();
            }
        }
        while let Some(first) = self.plans.first_entry().filter(|first| first.key().0 <= at) {
            let plan = first.remove();
            self.happen(plan);
        }
        true
    }

    fn clock_to(&mut self, at: Instant) {
        let passed_ms = |at: Instant| at.as_micros() / 1_000;
        let ms = passed_ms(at.max(self.now.at)) - passed_ms(self.now.at);
        self.now.wall = Wall::from_millis(self.now.wall.as_millis().saturating_add_unsigned(ms));
        self.now.at = at.max(self.now.at);
    }

    fn plan(&mut self, after: Duration, plan: Plan) {
        self.planned += 1;
        self.plans.insert((self.now.at + after, self.planned), plan);
    }

    fn happen(&mut self, plan: Plan) {
        match plan {
            Plan::Answer(side, dialog) => {
                let local = if side == Side::House { self.places.phones } else { self.places.carrier };
                let answer = Some(self.audio(local));
                self.peer(side, |endpoint, now, out| endpoint.accept(now, dialog, answer, out));
            }
            Plan::Played(leg, play) => {
                if self.playing.get(&leg) == Some(&play) {
                    self.playing.remove(&leg);
                    self.inbox.push_back(Input::Media(Report::PlayDone { leg, play }));
                }
            }
            Plan::Press(caller) => self.press(caller),
            Plan::Key(leg, digit) => self.key(leg, digit),
        }
        self.drain();
    }

    // Keys.

    /// Whoever is asked for a key will press it.
    fn listen(&mut self) {
        for caller in 0..self.callers.len() {
            let waits = self.callers.get(caller).is_some_and(|c| !c.thinks && !c.keys.is_empty());
            if waits && self.asks(caller).is_some() {
                if let Some(caller) = self.callers.get_mut(caller) {
                    caller.thinks = true;
                }
                self.plan(THINK, Plan::Press(caller));
            }
        }
        let confirming = self.pbx.offers.iter().filter_map(|(_, offer)| match (&offer.stage, &offer.purpose) {
            (Stage::Confirming { leg, .. }, Purpose::Agent { queue, .. }) => {
                Some((*leg, self.config.queues.get(queue)?.confirm_key?))
            }
            _ => None,
        });
        let confirming: Vec<(LegKey, char)> = confirming.filter(|(leg, _)| !self.asked.contains(leg)).collect();
        for (leg, key) in confirming {
            self.asked.insert(leg);
            if let Some(digit) = Digit::from_char(key) {
                self.plan(THINK, Plan::Key(leg, digit));
            }
        }
    }

    fn call_of(&self, caller: &Caller) -> Option<CallKey> {
        self.pbx.calls.iter().find(|(_, call)| Some(call.uid) == caller.call).map(|(key, _)| key)
    }

    /// The leg of a caller to whom the box said something new, if it takes the next key now.
    fn asks(&self, caller: usize) -> Option<LegKey> {
        let caller = self.callers.get(caller)?;
        let call = self.call_of(caller)?;
        let leg = self.pbx.caller_leg(call)?;
        let said = self.said.get(&leg).copied();
        if said.is_none() || said == caller.heard {
            return None;
        }
        let takes = match &self.pbx.calls.get(call)?.phase {
            Phase::Menu(_) | Phase::Asking(_) => true,
            Phase::Waiting { place, .. } => {
                let mut keys = caller.keys.front()?.chars();
                let (key, rest) = (keys.next()?, keys.next());
                let exits = self.config.queues.get(&place.queue).is_some_and(|queue| queue.exits.contains_key(&key));
                place.notice.is_none() && rest.is_none() && exits
            }
            Phase::Arriving
            | Phase::Ringing { .. }
            | Phase::Talking { .. }
            | Phase::Monitoring(_)
            | Phase::Echo { .. }
            | Phase::Announcement { .. }
            | Phase::Over => false,
        };
        takes.then_some(leg)
    }

    fn press(&mut self, number: usize) {
        let leg = self.asks(number);
        let said = leg.and_then(|leg| self.said.get(&leg).copied());
        let Some(caller) = self.callers.get_mut(number) else { return };
        caller.thinks = false;
        let Some(leg) = leg else { return };
        caller.heard = said;
        let keys = caller.keys.pop_front().unwrap_or_default();
        for digit in keys.chars().filter_map(Digit::from_char) {
            self.key(leg, digit);
        }
    }

    fn key(&mut self, leg: LegKey, digit: Digit) {
        self.give(Input::Media(Report::Digit { leg, digit, source: DigitSource::Rfc4733 }));
    }

    // What goes to and fro.

    fn give(&mut self, input: Input) {
        self.inbox.push_back(input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(input) = self.inbox.pop_front() {
            self.inputs += 1;
            if self.is_stuck() {
                self.inbox.clear();
                return;
            }
            let mut out = Vec::new();
            self.pbx.handle(self.now, input, &mut out);
            for output in out {
                self.carry(output);
            }
        }
    }

    fn carry(&mut self, output: Output) {
        match output {
            Output::Sip(sip::Output::Datagram { local, remote, bytes }) => {
                let side = if remote == self.places.phones { Side::House } else { Side::Outside };
                let input = sip::Input::Datagram { local: remote, remote: local, bytes, shed: false };
                self.peer(side, |endpoint, now, out| endpoint.handle(now, input, out));
            }
            Output::Media(command) => self.media(command),
            Output::Record(row) => self.row(row),
            // Nothing else decides about a call.
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

    fn endpoint(&mut self, side: Side) -> &mut Endpoint {
        match side {
            Side::House => &mut self.house,
            Side::Outside => &mut self.outside,
        }
    }

    /// Phones or trunks act; what they send waits in the inbox.
    fn peer(&mut self, side: Side, act: impl FnOnce(&mut Endpoint, Now, &mut Vec<sip::Output>)) {
        let now = self.now;
        let mut out = Vec::new();
        act(self.endpoint(side), now, &mut out);
        self.sent(side, out);
    }

    fn sent(&mut self, side: Side, out: Vec<sip::Output>) {
        let (now, site) = (self.now, self.places.site);
        for output in out {
            match output {
                sip::Output::Datagram { local, bytes, .. } => {
                    let input = sip::Input::Datagram { local: site, remote: local, bytes, shed: false };
                    self.inbox.push_back(Input::Sip(input));
                }
                sip::Output::Event(Event::Incoming(incoming)) => {
                    let dialog = incoming.dialog;
                    let mut rings = Vec::new();
                    self.endpoint(side).progress(now, dialog, 180, None, &mut rings);
                    self.sent(side, rings);
                    self.plan(RING, Plan::Answer(side, dialog));
                }
                // Who is hung up on, or no longer called, has nothing to do.
                sip::Output::Event(_)
                | sip::Output::Bytes { .. }
                | sip::Output::Connect { .. }
                | sip::Output::Close { .. } => {}
            }
        }
    }

    fn media(&mut self, command: Command) {
        match command {
            Command::Play { leg, play, items, repeat, .. } => {
                self.said.insert(leg, play);
                self.playing.insert(leg, play);
                if let Some(length) = length(&items).filter(|_| !repeat) {
                    self.plan(length, Plan::Played(leg, play));
                }
            }
            Command::StopPlay { leg } => {
                self.playing.remove(&leg);
            }
            Command::Destroy { leg } => {
                self.playing.remove(&leg);
                let counters = Counters::default();
                self.inbox.push_back(Input::Media(Report::Counters { leg, counters }));
            }
            _ => {}
        }
    }

    fn row(&mut self, row: LegEvent) {
        let Some(caller) = self.callers.last_mut() else { return };
        if let (None, Detail::CallBegan { .. }) = (caller.call, &row.detail) {
            caller.call = row.call;
        }
        if self.watches && row.call.is_some() && row.call == caller.call && self.rows.len() < ROWS_MAX {
            self.rows.push(row);
        }
    }
}

/// How long a playlist lasts; none for one without end.
fn length(items: &[Item]) -> Option<Duration> {
    items.iter().try_fold(Duration::ZERO, |sum, item| match item {
        Item::Prompt { .. } => Some(sum + PROMPT),
        Item::Pause(ms) => Some(sum + Duration::from_millis(u64::from(*ms))),
        Item::Tone(_) | Item::Music => None,
    })
}

fn nonce_of(output: &Output) -> Option<String> {
    let Output::Sip(sip::Output::Datagram { bytes, .. }) = output else { return None };
    let answer = core::str::from_utf8(bytes).ok()?;
    let (nonce, _) = answer.split_once("nonce=\"")?.1.split_once('"')?;
    Some(nonce.to_string())
}

fn endpoint(local: SocketAddr, site: SocketAddr, seed: u8) -> Endpoint {
    let mut endpoint = Endpoint::new();
    endpoint.seed([seed; 32]);
    endpoint.configure(sip::Settings {
        local,
        realm: String::new(),
        product: String::new(),
        accounts: BTreeMap::new(),
        peers: [sip::Peer { name: "site".to_string(), ip: site.ip(), port: None }].into(),
        expires_min_s: 60,
        expires_max_s: 3_600,
    });
    endpoint
}
