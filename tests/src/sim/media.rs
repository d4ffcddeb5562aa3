//! A media engine without audio: it follows the commands, knows who would hear whom, and reports what the real one
//! would report. It keeps a list of what no engine should be told.

use base::id::{LegKey, Uid};
use base::limits::MONITORS_PER_BRIDGE_MAX;
use base::line::PortId;
use base::media::{Command, Counters, Item, MonitorMode, PlayId, Report, RtpRemote, Side, Tone};
use std::collections::{BTreeMap, BTreeSet};
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
    /// Monitors this one, in this mode.
    pub monitors: Option<(LegKey, MonitorMode)>,
    /// Tones mixed over what it heard, so far.
    pub beeps: u32,
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

    /// Every leg that `leg` hears now, itself included in an echo; nobody while something is played to it.
    pub fn heard_by(&self, leg: LegKey) -> BTreeSet<LegKey> {
        let Some(own) = self.legs.get(&leg).filter(|own| own.playing.is_none()) else { return BTreeSet::new() };
        let centre = own.monitors.map_or(leg, |(of, _)| of);
        let across = self.legs.get(&centre).and_then(|l| l.bridge);
        let mut heard: BTreeSet<LegKey> = across.into_iter().chain([centre]).collect();
        heard.extend(self.monitors().filter_map(|(monitor, of, mode)| match mode {
            MonitorMode::Listen => None,
            MonitorMode::Whisper => (of == leg).then_some(monitor),
            // Who barges is heard by all who are in the conversation or monitor it.
            MonitorMode::Barge => (of == leg || of == centre || Some(of) == across).then_some(monitor),
        }));
        if !own.echo {
            heard.remove(&leg);
        }
        heard
    }

    /// Who monitors whom, and how.
    pub fn monitors(&self) -> impl Iterator<Item = (LegKey, LegKey, MonitorMode)> {
        self.legs.iter().filter_map(|(k, l)| l.monitors.map(|(of, mode)| (*k, of, mode)))
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
            Command::Monitor { leg, of, mode } => self.monitor(*leg, *of, *mode),
            Command::StopMonitor { leg } => self.stop_monitor(*leg),
            Command::Beep { leg, tone: _ } => {
                if let Some(l) = self.legs.get_mut(leg) {
                    l.beeps += 1;
                }
            }
            Command::Echo { leg } => {
                self.part(*leg);
                self.stop_monitor(*leg);
                if let Some(l) = self.legs.get_mut(leg) {
                    l.playing = None;
                    l.echo = true;
                }
            }
            Command::SendDigit { .. } | Command::Configure { .. } => {}
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
        for l in self.legs.values_mut() {
            l.monitors = l.monitors.filter(|(of, _)| *of != leg);
        }
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
                l.monitors = None;
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

    fn monitor(&mut self, leg: LegKey, of: LegKey, mode: MonitorMode) {
        if leg == of || !self.legs.contains_key(&leg) || !self.legs.contains_key(&of) {
            self.complaints.push(format!("{leg:?} is to monitor {of:?}: itself, or one of them is not there"));
            return;
        }
        let across = self.legs.get(&of).and_then(|l| l.bridge).filter(|other| *other != leg);
        let others = self.monitors().filter(|(m, on, _)| *m != leg && (*on == of || Some(*on) == across)).count();
        if others >= MONITORS_PER_BRIDGE_MAX {
            self.complaints.push(format!("{leg:?} is to monitor {of:?}, as {others} others do already"));
            return;
        }
        self.part(leg);
        if let Some(l) = self.legs.get_mut(&leg) {
            l.echo = false;
            l.monitors = Some((of, mode));
        }
    }

    fn stop_monitor(&mut self, leg: LegKey) {
        if let Some(l) = self.legs.get_mut(&leg) {
            l.monitors = None;
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
            Item::Tone(Tone::Monitor) => 200_000,
            Item::Tone(_) | Item::Music => return None,
            Item::Pause(ms) => u64::from(*ms) * 1_000,
        };
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::slab::Key;

    const AGENT: u32 = 0;
    const CALLER: u32 = 1;
    const FIRST: u32 = 2;
    const SECOND: u32 = 3;

    fn key(index: u32) -> LegKey {
        LegKey::from_parts(index, 0)
    }

    fn told(media: &mut FakeMedia, command: Command) {
        media.command(&command, &mut Vec::new());
    }

    fn heard(media: &FakeMedia) -> [Vec<u32>; 4] {
        [AGENT, CALLER, FIRST, SECOND].map(|leg| media.heard_by(key(leg)).iter().map(|k| k.index()).collect())
    }

    #[test]
    fn monitors_hear_and_are_heard_by_their_mode() {
        let mut media = FakeMedia::new((1_000, 2_000));
        for index in 0..4 {
            told(&mut media, Command::CreateTdm { leg: key(index), port: PortId { card: 1, port: index as u8 + 1 } });
        }
        let monitor = |leg, mode| Command::Monitor { leg: key(leg), of: key(AGENT), mode };
        told(&mut media, Command::Join { a: key(AGENT), b: key(CALLER) });
        told(&mut media, monitor(FIRST, MonitorMode::Listen));
        told(&mut media, monitor(SECOND, MonitorMode::Whisper));
        assert_eq!(heard(&media), [vec![1, 3], vec![0], vec![0, 1], vec![0, 1]]);
        told(&mut media, monitor(FIRST, MonitorMode::Barge));
        assert_eq!(heard(&media), [vec![1, 2, 3], vec![0, 2], vec![0, 1], vec![0, 1, 2]]);
        // The first takes the caller over; the second stays with the agent.
        told(&mut media, Command::Part { leg: key(CALLER) });
        told(&mut media, Command::Join { a: key(FIRST), b: key(CALLER) });
        assert_eq!(heard(&media), [vec![3], vec![2], vec![1], vec![0]]);
        told(&mut media, Command::Destroy { leg: key(AGENT) });
        assert_eq!(heard(&media), [vec![], vec![2], vec![1], vec![]]);
        told(&mut media, Command::StopMonitor { leg: key(SECOND) });
        assert_eq!(media.complaints, [""; 0]);
        told(&mut media, monitor(SECOND, MonitorMode::Listen));
        assert_eq!(media.complaints.len(), 1, "of one that is gone");
    }
}
