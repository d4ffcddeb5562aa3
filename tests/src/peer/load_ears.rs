//! The mouths, ears and patience of all the phones of a load. SIPp signals for them; this thread gives each call a port
//! of its own, says its pattern there every 20 ms, listens, and decides when a person answers or has had enough:
//! then it sends SIPp a MESSAGE with the Call-ID, upon which the scenario answers or hangs up.
//!
//! It judges nothing. What was heard, missed, and what came to a port that has no call is told at the end.

use super::load_log::{By, Caller, Ear, Ring, Step, Tail, voice_of_caller, voice_of_ring};
use super::load_pattern::{Spoken, listen};
use super::{At, Outcome, Trouble};
use crate::sim::dice::Dice;
use base::limits::FRAME_SAMPLES;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// First RTP port of the callers; each has an even one (RFC 3550 §11).
pub const CALLER_PORT: u16 = 24_000;
/// Persons answer at multiples of this, so that those who rang together answer together.
const ANSWER_GRID_MS: u64 = 20;
/// Frames are sent in so many slots of 1 ms.
const SLOTS: usize = 20;
const SLOT: Duration = Duration::from_millis(1);
/// Further behind its time the thread goes on from now.
const LATE_MAX: Duration = Duration::from_millis(60);
const HEADER_BYTES: usize = 12;
/// What was on its way when a call ended is no stray.
const GRACE: Duration = Duration::from_millis(300);
/// Ready sockets taken at a time.
const READY: usize = 256;
/// The box speaks as soon as it has answered, and SIPp's word of it may take so long.
const EARLY: Duration = Duration::from_secs(1);
/// Strays told in words.
const STRAYS_TOLD: usize = 5;

/// Where everybody is.
#[derive(Clone, Copy, Debug)]
pub struct Town {
    /// The box.
    pub host: Ipv4Addr,
    /// SIPp that calls.
    pub callers: SocketAddr,
    /// SIPp that is called.
    pub phones: SocketAddr,
    /// Where the persons' nudges come from.
    pub person: SocketAddr,
    /// Ports for callers, each two apart from the one before.
    pub caller_ports: u16,
    /// Phones: the contacts 3001 to 3NNN, with their audio at 20010 to 2NNN0.
    pub seats: u16,
}

/// What people do. Lengths are exponential where the mean is not exact.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Habits {
    /// How long a phone rings before its person answers, in ms.
    pub ring_ms: u64,
    /// How long a caller waits to be served, on average, in ms; none for ever.
    pub patience_ms: Option<u64>,
    /// How long a phone talks, on average, in ms; none until the other side hangs up.
    pub talk_ms: Option<u64>,
    /// Every talk is exactly as long.
    pub talk_exact: bool,
}

/// What there is to tell in the end.
#[derive(Debug, Default)]
pub struct Seen {
    /// Callers, by number from 1.
    pub callers: Vec<Caller>,
    /// Offers that rang, by number from 1.
    pub rings: Vec<Ring>,
    /// How far the thread was behind its time at worst: a machine so busy makes everything else worth less.
    pub late_max: Duration,
    /// Packets at a port that had no such call.
    pub strays: u64,
    /// The first of them in words.
    pub strays_told: Vec<String>,
}

enum Order {
    Follow([PathBuf; 2]),
    Tell(Sender<Seen>),
}

/// The thread.
pub struct Ears {
    orders: Sender<Order>,
    thread: JoinHandle<()>,
    /// The moment from which it counts.
    pub begun: Instant,
}

impl Ears {
    /// Takes all ports and begins to count the time. `seed` makes the lengths of talks and patience.
    pub fn open(town: Town, habits: Habits, seed: u64) -> Outcome<Ears> {
        let field = Field::open(town, habits, seed)?;
        let begun = field.begun;
        let (orders, taken) = channel();
        let run = move || field.run(&taken);
        let thread = std::thread::Builder::new().name("ears".into()).spawn(run).at("no thread")?;
        Ok(Ears { orders, thread, begun })
    }

    /// From now on reads the steps of the callers' and the phones' SIPp from these files.
    pub fn follow(&self, callers: PathBuf, phones: PathBuf) -> Outcome {
        self.orders.send(Order::Follow([callers, phones])).at("ears")
    }

    /// Ends, and tells everything.
    pub fn close(self) -> Outcome<Seen> {
        let (tell, told) = channel();
        self.orders.send(Order::Tell(tell)).at("ears")?;
        let seen = told.recv().at("ears")?;
        self.thread.join().map_err(|_| Trouble("the ears' thread died".into()))?;
        Ok(seen)
    }
}

/// Whose leg.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Whose {
    Caller(usize),
    Ring(usize),
}

/// What a person does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Nudge {
    Answer,
    HangUp,
}

/// One RTP port.
struct Port {
    socket: UdpSocket,
    /// The leg that has it or had it last, the box's end of it, and when it was over.
    leg: Option<(Whose, SocketAddr, Option<Instant>)>,
    /// The box's end of the leg before, and since when it is not.
    before: Option<(SocketAddr, Instant)>,
}

struct Field {
    town: Town,
    habits: Habits,
    dice: Dice,
    begun: Instant,
    epoll: Epoll,
    ports: Vec<Port>,
    person: UdpSocket,
    tails: Vec<Tail>,
    /// Legs that talk, with their port.
    live: Vec<(Whose, usize)>,
    nudges: BTreeSet<(Instant, Whose, Nudge)>,
    /// Packets at ports without such a call: port, sender, when. A call that begins may take them back.
    strays: Vec<(usize, SocketAddr, Instant)>,
    seen: Seen,
}

impl Field {
    fn open(town: Town, habits: Habits, seed: u64) -> Outcome<Field> {
        // A port for each call at once is more than the usual 1,024 descriptors.
        let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).at("limit of descriptors")?;
        setrlimit(Resource::RLIMIT_NOFILE, most, most).at("limit of descriptors")?;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).at("epoll")?;
        let caller = |n: u16| (town.callers.ip(), CALLER_PORT + 2 * n).into();
        let phone = |seat: u16| (town.phones.ip(), 20_000 + 10 * seat).into();
        let addresses = (0..town.caller_ports).map(caller).chain((1..=town.seats).map(phone));
        let mut ports = Vec::new();
        for address in addresses {
            let address: SocketAddr = address;
            let socket = UdpSocket::bind(address).at(address)?;
            socket.set_nonblocking(true).at(address)?;
            epoll.add(&socket, EpollEvent::new(EpollFlags::EPOLLIN, ports.len() as u64)).at(address)?;
            ports.push(Port { socket, leg: None, before: None });
        }
        Ok(Field {
            town,
            habits,
            dice: Dice::new(seed, 1),
            begun: Instant::now(),
            epoll,
            ports,
            person: UdpSocket::bind(town.person).at(town.person)?,
            tails: Vec::new(),
            live: Vec::new(),
            nudges: BTreeSet::new(),
            strays: Vec::new(),
            seen: Seen::default(),
        })
    }

    fn run(mut self, orders: &Receiver<Order>) {
        let (mut due, mut slot) = (Instant::now(), 0);
        loop {
            match orders.recv_timeout(due.saturating_duration_since(Instant::now())) {
                Ok(Order::Follow(paths)) => self.tails = paths.into_iter().map(Tail::new).collect(),
                Ok(Order::Tell(tell)) => {
                    self.read_steps();
                    self.tell_strays();
                    // Who asked may have given up.
                    let _ = tell.send(self.seen);
                    return;
                }
                Err(RecvTimeoutError::Timeout) => {
                    let late = due.elapsed();
                    self.seen.late_max = self.seen.late_max.max(late);
                    // A phone that could not speak does not say it all at once afterwards.
                    if late > LATE_MAX {
                        due = Instant::now();
                    }
                    self.read_steps();
                    self.nudge();
                    self.speak(slot);
                    self.hear();
                    slot = (slot + 1) % SLOTS;
                    due += SLOT;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn read_steps(&mut self) {
        for (index, from_callers) in [(0, true), (1, false)] {
            let lines = self.tails.get_mut(index).map(Tail::lines).unwrap_or_default();
            let steps = lines.iter().filter_map(|line| Step::read(line));
            steps.for_each(|step| self.step(step, from_callers));
        }
    }

    fn step(&mut self, step: Step, from_callers: bool) {
        let now = self.begun.elapsed();
        match step {
            Step::Begun(number, port) => {
                let caller = self.caller(number);
                caller.begun = Some(now);
                caller.port = port;
            }
            Step::Met(number, port) => self.met(number, port),
            Step::Refused(number, code) => self.caller(number).refused = Some(code),
            Step::Rings { ring, seat, port, caller, call_id } => {
                let over = None;
                let (answered, confirmed, withdrawn, too_late) = (None, None, false, false);
                let rang = now;
                let ear = Ear::default();
                let new = Ring { seat, caller, call_id, rang, answered, confirmed, withdrawn, too_late, over, ear };
                // Rings are told in their order, because they are counted when they come.
                self.seen.rings.push(new);
                let whose = Whose::Ring(ring as usize - 1);
                self.open_leg(whose, self.phone_port(seat), port);
                let answer_ms = (now.as_millis() as u64 + self.habits.ring_ms).next_multiple_of(ANSWER_GRID_MS);
                self.nudges.insert((self.begun + Duration::from_millis(answer_ms), whose, Nudge::Answer));
            }
            Step::Answered(ring) => self.ring(ring, |ring| ring.answered = Some(now)),
            Step::Confirmed(ring) => self.confirmed(ring),
            Step::Withdrawn(ring) => {
                self.ring(ring, |ring| (ring.withdrawn, ring.over) = (true, Some((now, By::Box))));
                self.close_leg(Whose::Ring(ring as usize - 1));
            }
            Step::TooLate(ring) => self.ring(ring, |ring| ring.too_late = true),
            Step::Over(number, by) if from_callers => {
                self.caller(number).over = Some((now, by));
                self.close_leg(Whose::Caller(number as usize - 1));
            }
            Step::Over(ring, by) => {
                self.ring(ring, |ring| ring.over = Some((now, by)));
                self.close_leg(Whose::Ring(ring as usize - 1));
            }
        }
    }

    fn caller(&mut self, number: u32) -> &mut Caller {
        let index = (number as usize).saturating_sub(1);
        if index >= self.seen.callers.len() {
            self.seen.callers.resize_with(index + 1, Caller::default);
        }
        &mut self.seen.callers[index]
    }

    fn ring(&mut self, number: u32, change: impl FnOnce(&mut Ring)) {
        if let Some(ring) = self.seen.rings.get_mut((number as usize).wrapping_sub(1)) {
            change(ring);
        }
    }

    fn met(&mut self, number: u32, port_box: u16) {
        let now = self.begun.elapsed();
        let caller = self.caller(number);
        caller.met = Some(now);
        let port = usize::from(caller.port.saturating_sub(CALLER_PORT) / 2);
        let whose = Whose::Caller(number as usize - 1);
        self.open_leg(whose, port, port_box);
        self.live.push((whose, port));
        if let Some(mean) = self.habits.patience_ms {
            self.plan(whose, mean, false);
        }
    }

    fn confirmed(&mut self, number: u32) {
        let now = self.begun.elapsed();
        let whose = Whose::Ring(number as usize - 1);
        let Some(ring) = self.seen.rings.get_mut(number as usize - 1) else { return };
        ring.confirmed = Some(now);
        let (seat, caller) = (ring.seat, ring.caller);
        self.caller(caller).served.get_or_insert(now);
        self.live.push((whose, self.phone_port(seat)));
        if let Some(mean) = self.habits.talk_ms {
            self.plan(whose, mean, self.habits.talk_exact);
        }
    }

    fn plan(&mut self, whose: Whose, mean_ms: u64, exact: bool) {
        let ms = if exact { mean_ms } else { self.dice.exponential(mean_ms) };
        self.nudges.insert((Instant::now() + Duration::from_millis(ms), whose, Nudge::HangUp));
    }

    fn phone_port(&self, seat: u16) -> usize {
        usize::from(self.town.caller_ports) + usize::from(seat).saturating_sub(1)
    }

    fn open_leg(&mut self, whose: Whose, port: usize, port_box: u16) {
        let host = (self.town.host, port_box).into();
        if let Some(port) = self.ports.get_mut(port) {
            port.before = port.leg.map(|(_, host, _)| (host, Instant::now()));
            port.leg = Some((whose, host, None));
        }
        self.strays.retain(|(at, from, when)| (*at, *from) != (port, host) || when.elapsed() > EARLY);
    }

    fn tell_strays(&mut self) {
        self.seen.strays = self.strays.len() as u64;
        for (port, from, when) in self.strays.iter().take(STRAYS_TOLD) {
            let at = when.saturating_duration_since(self.begun);
            let to = self.ports.get(*port).and_then(|port| port.socket.local_addr().ok());
            self.seen.strays_told.push(format!("{at:?}: from {from} to {to:?}"));
        }
    }

    fn close_leg(&mut self, whose: Whose) {
        self.live.retain(|(leg, _)| *leg != whose);
        // A phone that was offered another call meanwhile has a new leg at its port.
        let port = match whose {
            Whose::Caller(index) => {
                self.seen.callers.get(index).map(|c| usize::from(c.port.saturating_sub(CALLER_PORT) / 2))
            }
            Whose::Ring(index) => self.seen.rings.get(index).map(|ring| self.phone_port(ring.seat)),
        };
        let port = port.and_then(|port| self.ports.get_mut(port)).and_then(|port| port.leg.as_mut());
        if let Some((_, _, over)) = port.filter(|(leg, ..)| *leg == whose) {
            *over = Some(Instant::now());
        }
    }

    /// Lets those answer whose phone has rung long enough, and those hang up whose patience or talk is over.
    fn nudge(&mut self) {
        while let Some((at, whose, nudge)) = self.nudges.first().copied().filter(|(at, ..)| *at <= Instant::now()) {
            self.nudges.remove(&(at, whose, nudge));
            let (over, call_id, to) = match whose {
                Whose::Caller(index) => {
                    let done = self.seen.callers.get(index).is_none_or(|c| c.over.is_some() || c.served.is_some());
                    (done, call_id_of_caller(index + 1), self.town.callers)
                }
                Whose::Ring(index) => {
                    let Some(ring) = self.seen.rings.get(index) else { continue };
                    (ring.over.is_some(), ring.call_id.clone(), self.town.phones)
                }
            };
            if !over {
                // Over loopback nothing is lost but on the way to a program that has ended.
                let _ = self.person.send_to(message(&call_id, nudge, self.town.person).as_bytes(), to);
            }
        }
    }

    fn speak(&mut self, slot: usize) {
        let mut packet = [0; HEADER_BYTES + FRAME_SAMPLES];
        for place in 0..self.live.len() {
            let (whose, port) = self.live[place];
            let (index, speaker, ear) = match whose {
                Whose::Caller(index) => {
                    let voice = voice_of_caller(index as u32 + 1);
                    (index, voice, self.seen.callers.get_mut(index).map(|caller| &mut caller.ear))
                }
                Whose::Ring(index) => {
                    let voice = voice_of_ring(index as u32 + 1);
                    (index, voice, self.seen.rings.get_mut(index).map(|ring| &mut ring.ear))
                }
            };
            let (Some(ear), true) = (ear, index % SLOTS == slot) else { continue };
            let Some(Port { socket, leg: Some((has, to, _)), .. }) = self.ports.get(port) else { continue };
            // The port may have the phone's next call already.
            if *has != whose {
                continue;
            }
            write_packet(&mut packet, Spoken { speaker, frame: ear.sent });
            ear.sent += 1;
            // As on a network: what cannot be sent is lost.
            let _ = socket.send_to(&packet, to);
        }
    }

    fn hear(&mut self) {
        let mut ready = [EpollEvent::empty(); READY];
        while let Ok(count @ 1..) = self.epoll.wait(&mut ready, EpollTimeout::ZERO) {
            ready.iter().take(count).for_each(|event| self.hear_at(event.data() as usize));
        }
    }

    fn hear_at(&mut self, port: usize) {
        let mut bytes = [0; 2048];
        let Some(Port { socket, leg, before }) = self.ports.get(port) else { return };
        while let Ok((size, from)) = socket.recv_from(&mut bytes) {
            let packet = &bytes[..size];
            let known = leg.filter(|(_, host, over)| *host == from && over.is_none_or(|at| at.elapsed() < GRACE));
            let Some((whose, _, over)) = known else {
                if !before.is_some_and(|(host, at)| host == from && at.elapsed() < GRACE) {
                    self.strays.push((port, from, Instant::now()));
                }
                continue;
            };
            let ear = match whose {
                Whose::Caller(index) => self.seen.callers.get_mut(index).map(|caller| &mut caller.ear),
                Whose::Ring(index) => self.seen.rings.get_mut(index).map(|ring| &mut ring.ear),
            };
            if let (Some(ear), None) = (ear, over) {
                take(ear, packet);
            }
        }
    }
}

/// An RTP packet of G.711 (payload type 8), or something else that is not counted.
fn take(ear: &mut Ear, packet: &[u8]) {
    let (Some([first, second, s0, s1]), Some(payload)) = (packet.first_chunk(), packet.get(HEADER_BYTES..)) else {
        return;
    };
    if *first >> 6 == 2 && second & 0x7f == 8 {
        ear.took(u16::from_be_bytes([*s0, *s1]));
        listen(payload, |spoken| ear.heard.take(spoken));
    }
}

fn write_packet(packet: &mut [u8; HEADER_BYTES + FRAME_SAMPLES], spoken: Spoken) {
    // Version 2, payload type 8 (RFC 3550 §5.1); sixteen bits of the frame's number are its sequence number.
    packet[0] = 0x80;
    packet[1] = 8;
    packet[2..4].copy_from_slice(&(spoken.frame as u16).to_be_bytes());
    packet[4..8].copy_from_slice(&spoken.frame.wrapping_mul(FRAME_SAMPLES as u32).to_be_bytes());
    packet[8..12].copy_from_slice(&(spoken.speaker ^ 0x5a00_0000).to_be_bytes());
    spoken.write(&mut packet[HEADER_BYTES..]);
}

/// The Call-ID that SIPp's option `-cid_str %u-load` makes.
fn call_id_of_caller(number: usize) -> String {
    format!("{number}-load")
}

/// What makes a scenario answer or hang up. SIPp finds the call by its Call-ID and asks for nothing else; two that are
/// the same would be one repeated.
fn message(call_id: &str, nudge: Nudge, from: SocketAddr) -> String {
    let number = nudge as u8 + 1;
    format!(
        "MESSAGE sip:load SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-{number}-{call_id}\r\n\
         From: <sip:person@{from}>;tag=1\r\nTo: <sip:load>\r\nCall-ID: {call_id}\r\nCSeq: {number} MESSAGE\r\n\
         Max-Forwards: 1\r\nContent-Length: 0\r\n\r\n"
    )
}
