//! A media engine without audio: it follows the commands, knows who would hear whom, and reports what the real one
//! would report. It keeps a list of what no engine should be told.

use base::id::{LegKey, Uid};
use base::line::PortId;
use base::media::{Command, Counters, Item, PlayId, Report, RtpRemote, Side, Tone};
use std::collections::BTreeMap;
use std::net::SocketAddr;

/// One leg.
#[derive(Clone, Debug, Default)]
pub struct Leg {
    /// RTP port of ours; none on a timeslot.
    pub local_port: Option<u16>,
    /// Timeslot.
    pub line: Option<PortId>,
    /// What was agreed with the peer.
    pub remote: Option<RtpRemote>,
    /// Hears this one, and is heard by it.
    pub bridge: Option<LegKey>,
    /// Hears itself.
    pub echo: bool,
    /// Hears this instead of its bridge.
    pub playing: Option<PlayId>,
    /// Is recorded.
    pub recording: Option<(Uid, Side)>,
}

/// What a command leads to.
#[derive(Clone, PartialEq, Debug)]
pub enum Effect {
    /// A report after so many microseconds.
    Later(u64, Report),
    /// Two legs hear each other from now on.
    Bridged(LegKey, LegKey),
    /// We listen to this address.
    Listens(SocketAddr),
}

/// The engine.
#[derive(Debug, Default)]
pub struct FakeMedia {
    legs: BTreeMap<LegKey, Leg>,
    by_remote: BTreeMap<SocketAddr, LegKey>,
    by_line: BTreeMap<PortId, LegKey>,
    ports: BTreeMap<u16, LegKey>,
    range: (u16, u16),
    /// What no engine should be told; taken by the world.
    pub complaints: Vec<String>,
}

impl FakeMedia {
    /// An engine that may use these ports.
    pub fn new(range: (u16, u16)) -> FakeMedia {
        FakeMedia { range, ..FakeMedia::default() }
    }

    /// The program was killed: all legs are gone.
    pub fn forget(&mut self) {
        self.legs.clear();
        self.by_remote.clear();
        self.by_line.clear();
        self.ports.clear();
    }

    /// Live legs.
    pub fn legs(&self) -> impl Iterator<Item = (LegKey, &Leg)> {
        self.legs.iter().map(|(k, l)| (*k, l))
    }

    /// A leg by its key.
    pub fn leg(&self, leg: LegKey) -> Option<&Leg> {
        self.legs.get(&leg)
    }

    /// The leg that listens to this address.
    pub fn leg_at(&self, remote: SocketAddr) -> Option<LegKey> {
        self.by_remote.get(&remote).copied()
    }

    /// The leg on this timeslot.
    pub fn leg_on(&self, port: PortId) -> Option<LegKey> {
        self.by_line.get(&port).copied()
    }

    /// The leg that `leg` hears now: bridged, and neither side is played to.
    pub fn hears(&self, leg: LegKey) -> Option<LegKey> {
        let own = self.legs.get(&leg)?;
        let other = own.bridge?;
        let back = self.legs.get(&other)?.bridge;
        (own.playing.is_none() && back == Some(leg)).then_some(other)
    }

    /// Follows one command.
    pub fn command(&mut self, command: &Command, out: &mut Vec<Effect>) {
        match command {
            Command::CreateRtp { leg, local_port, .. } => self.create_rtp(*leg, *local_port),
            Command::CreateTdm { leg, port } => self.create_tdm(*leg, *port),
            Command::SetRemote { leg, remote } => self.set_remote(*leg, *remote, out),
            Command::Destroy { leg } => self.destroy(*leg, out),
            Command::Play { leg, play, items, repeat, since: _ } => {
                if let Some(l) = self.legs.get_mut(leg) {
                    l.playing = Some(*play);
                    l.echo = false;
                    if let (false, Some(us)) = (*repeat, length_us(items)) {
                        out.push(Effect::Later(us, Report::PlayDone { leg: *leg, play: *play }));
                    }
                }
            }
            Command::StopPlay { leg } => {
                if let Some(l) = self.legs.get_mut(leg) {
                    l.playing = None;
                }
            }
            Command::Join { a, b } => self.join(*a, *b, out),
            Command::Part { leg } => self.part(*leg),
            Command::Echo { leg } => {
                self.part(*leg);
                if let Some(l) = self.legs.get_mut(leg) {
                    l.playing = None;
                    l.echo = true;
                }
            }
            Command::SendDigit { .. } => {}
            Command::RecordStart { leg, recording, side, .. } => self.record(*leg, *recording, *side),
            Command::RecordStop { leg } => {
                if let Some(l) = self.legs.get_mut(leg) {
                    l.recording = None;
                }
            }
        }
    }

    /// Whether a `PlayDone` that was planned still tells the truth; it then ends the playing.
    pub fn play_done(&mut self, leg: LegKey, play: PlayId) -> bool {
        match self.legs.get_mut(&leg) {
            Some(l) if l.playing == Some(play) => {
                l.playing = None;
                true
            }
            _ => false,
        }
    }

    fn create_rtp(&mut self, leg: LegKey, port: u16) {
        if !port.is_multiple_of(2) || port < self.range.0 || port + 1 > self.range.1 {
            self.complaints.push(format!("{leg:?}: RTP port {port} is odd or out of the range"));
        }
        if let Some(other) = self.ports.insert(port, leg) {
            self.complaints.push(format!("{leg:?}: RTP port {port} is in use by {other:?}"));
        }
        if self.legs.insert(leg, Leg { local_port: Some(port), ..Leg::default() }).is_some() {
            self.complaints.push(format!("{leg:?} created twice"));
        }
    }

    fn create_tdm(&mut self, leg: LegKey, port: PortId) {
        if let Some(other) = self.by_line.insert(port, leg) {
            self.complaints.push(format!("{leg:?}: timeslot of {port:?} is in use by {other:?}"));
        }
        if self.legs.insert(leg, Leg { line: Some(port), ..Leg::default() }).is_some() {
            self.complaints.push(format!("{leg:?} created twice"));
        }
    }

    fn set_remote(&mut self, leg: LegKey, remote: RtpRemote, out: &mut Vec<Effect>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        if l.local_port.is_none() {
            self.complaints.push(format!("{leg:?}: remote address for a timeslot"));
            return;
        }
        if let Some(old) = l.remote.replace(remote) {
            self.by_remote.remove(&old.addr);
        }
        if let Some(other) = self.by_remote.insert(remote.addr, leg).filter(|o| *o != leg) {
            self.complaints.push(format!("{leg:?}: listens to {} as {other:?} does", remote.addr));
        }
        out.push(Effect::Listens(remote.addr));
    }

    fn destroy(&mut self, leg: LegKey, out: &mut Vec<Effect>) {
        self.part(leg);
        let Some(l) = self.legs.remove(&leg) else { return };
        if let Some(port) = l.local_port {
            self.ports.remove(&port);
        }
        if let Some(line) = l.line.filter(|p| self.by_line.get(p) == Some(&leg)) {
            self.by_line.remove(&line);
        }
        if let Some(remote) = l.remote.filter(|r| self.by_remote.get(&r.addr) == Some(&leg)) {
            self.by_remote.remove(&remote.addr);
        }
        out.push(Effect::Later(20_000, Report::Counters { leg, counters: Counters::default() }));
    }

    fn join(&mut self, a: LegKey, b: LegKey, out: &mut Vec<Effect>) {
        if a == b {
            self.complaints.push(format!("{a:?} joined with itself"));
            return;
        }
        if !self.legs.contains_key(&a) || !self.legs.contains_key(&b) {
            self.complaints.push(format!("{a:?} joined with {b:?}, one of which is not there"));
            return;
        }
        for (leg, other) in [(a, b), (b, a)] {
            // The engine would part it first; a box that knows what it does never asks for that.
            if let Some(old) = self.legs.get(&leg).and_then(|l| l.bridge).filter(|old| *old != other) {
                self.complaints.push(format!("{leg:?} joined with {other:?} while in a bridge with {old:?}"));
                self.part(leg);
            }
        }
        for (leg, other) in [(a, b), (b, a)] {
            if let Some(l) = self.legs.get_mut(&leg) {
                l.bridge = Some(other);
                l.echo = false;
            }
        }
        out.push(Effect::Bridged(a, b));
    }

    fn part(&mut self, leg: LegKey) {
        if let Some(other) = self.legs.get_mut(&leg).and_then(|l| l.bridge.take())
            && let Some(l) = self.legs.get_mut(&other)
        {
            l.bridge = None;
        }
    }

    fn record(&mut self, leg: LegKey, recording: Uid, side: Side) {
        let twin = self.legs.iter().find(|(k, l)| **k != leg && l.recording == Some((recording, side)));
        if let Some((other, _)) = twin {
            self.complaints.push(format!("{leg:?} and {other:?} both are the {side:?} of {recording}"));
        }
        if let Some(l) = self.legs.get_mut(&leg) {
            l.recording = Some((recording, side));
        }
    }
}

/// Length of a playlist; none when it has no end.
fn length_us(items: &[Item]) -> Option<u64> {
    let mut sum = 0;
    for item in items {
        sum += match item {
            Item::Prompt { name, .. } => 1_000_000 + 50_000 * name.len() as u64,
            Item::Tone(Tone::Confirm) => 400_000,
            Item::Tone(_) | Item::Music => return None,
            Item::Pause(ms) => u64::from(*ms) * 1_000,
        };
    }
    Some(sum)
}
