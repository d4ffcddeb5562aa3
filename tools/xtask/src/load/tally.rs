//! Holds what the phones noticed against what the box wrote, call by call: each caller comes to exactly one end, both
//! say the same one, whoever was connected heard the other and nobody else, in the call and in its recording.

use super::books::{Books, Recordings, Written};
use super::floor::Played;
use ::tests::peer::Outcome;
use ::tests::peer::load_log::{By, Caller, Ear, Ring, voice_of_caller, voice_of_ring};
use ::tests::peer::load_pattern::Heard;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Shorter talks need not have been heard.
const TALK_MIN: Duration = Duration::from_millis(300);
/// Frames of a talk that may be on their way when it begins and ends, at each side.
const EDGE_FRAMES: u32 = 12;
/// The first calls, whose loss is told apart: as many as the box is rated for.
const FIRST: usize = 50;
/// Faults told in words.
const TOLD: usize = 20;

/// What became of a caller.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fate {
    /// An agent's phone took the call.
    Answered,
    /// The caller hung up while it waited.
    Abandoned,
    /// The box refused the call.
    Refused,
    /// Anything else: no answer, cut off while waiting, never ended.
    Lost,
}

/// All fates, in the order of the table.
pub const FATES: [Fate; 4] = [Fate::Answered, Fate::Abandoned, Fate::Refused, Fate::Lost];

/// How many came to each end.
pub type Fates = BTreeMap<Fate, u32>;

/// Frames from mouth to ear, and packets from the box.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Audio {
    /// Frames of the other party that were heard.
    pub heard: u64,
    /// Frames of it between the first and the last heard that were not.
    pub missing: u64,
    /// Packets of the box that came.
    pub received: u64,
    /// Packets of the box, by their sequence numbers, that did not.
    pub lost: u64,
}

impl Audio {
    fn add(&mut self, ear: &Ear, speaker: u32) {
        let voice = ear.heard.voices().iter().find(|voice| voice.speaker == speaker);
        self.heard += u64::from(voice.map_or(0, |voice| voice.frames));
        self.missing += u64::from(voice.map_or(0, |voice| voice.missing()));
        self.received += u64::from(ear.received);
        self.lost += u64::from(ear.lost);
    }

    /// Missing of a million from mouth to ear.
    pub fn missing_ppm(&self) -> u64 {
        self.missing * 1_000_000 / (self.heard + self.missing).max(1)
    }

    /// Lost of a million between the box and the phones.
    pub fn lost_ppm(&self) -> u64 {
        self.lost * 1_000_000 / (self.received + self.lost).max(1)
    }
}

/// What was not as it must be.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// How many.
    pub count: usize,
    /// The first in words.
    pub told: Vec<String>,
}

impl Faults {
    /// One more when `fine` is false.
    pub fn demand(&mut self, fine: bool, what: impl FnOnce() -> String) {
        if fine {
            return;
        }
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(what());
        }
    }
}

/// Everything counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls that the callers' SIPp made.
    pub attempts: u64,
    /// The phones' view.
    pub phones: Fates,
    /// The box's.
    pub host: Fates,
    /// Callers that the box answered: menu or queue.
    pub met: u32,
    /// Connected calls that nobody hung up, and callers that were answered and cut off while they waited.
    pub dropped: u32,
    /// Waits of the answered by their phones, sorted.
    pub waits: Vec<Duration>,
    /// Abandoned for the phones and answered for the box: the caller's BYE crossed with the answer.
    pub crossed: u32,
    /// Talks heard both ways.
    pub both_ways: u32,
    /// Talks of less than 300 ms.
    pub short: u32,
    /// All audio of the answered.
    pub audio: Audio,
    /// That of the first callers.
    pub audio_first: Audio,
    /// How far the phones were behind their time at worst.
    pub late_max: Duration,
    /// Packets to ports without such a call.
    pub strays: u64,
    /// Recordings read, with both voices and no other.
    pub recordings: (u32, u32),
    /// Recordings there are.
    pub recordings_all: u32,
    /// Whether every call must have one.
    pub recorded: bool,
    /// Calls with exactly one call record.
    pub records: u32,
    /// What is wrong.
    pub faults: Faults,
}

/// Which phone a caller talked with.
struct Winners<'a>(BTreeMap<u32, Vec<(u32, &'a Ring)>>);

impl<'a> Winners<'a> {
    fn of(rings: &'a [Ring]) -> Winners<'a> {
        let mut winners: BTreeMap<u32, Vec<(u32, &Ring)>> = BTreeMap::new();
        for (ring, number) in rings.iter().zip(1..) {
            // A phone whose answer came too late is confirmed and released in one go.
            let heard = ring.ear.heard.voices().iter().any(|voice| voice.speaker == voice_of_caller(ring.caller));
            let by_itself = ring.over.is_some_and(|(_, by)| by == By::Himself);
            if ring.confirmed.is_some() && (heard || by_itself || ring.over.is_none() || talk(ring) >= TALK_MIN) {
                winners.entry(ring.caller).or_default().push((number, ring));
            }
        }
        Winners(winners)
    }

    fn of_caller(&self, number: u32) -> &[(u32, &'a Ring)] {
        self.0.get(&number).map_or(&[], Vec::as_slice)
    }
}

fn talk(ring: &Ring) -> Duration {
    let over = ring.over.map(|(at, _)| at);
    ring.confirmed.zip(over).map_or(Duration::ZERO, |(from, to)| to.saturating_sub(from))
}

/// Counts and compares everything. Every call must have a recording when it is `recorded`, otherwise none; at most
/// `recordings_max` of them are read, spread over all.
pub fn tally(played: &Played, recorded: bool, recordings_max: usize) -> Outcome<Tally> {
    let books = Books::read(&played.place.join("data"))?;
    let attempts = played.callers.successful + played.callers.failed;
    let mut tally = Tally { attempts, recorded, ..Tally::default() };
    let winners = Winners::of(&played.seen.rings);
    let recordings = Recordings::open(&played.place.join("data"))?;
    let every = (books.calls.len() / recordings_max.max(1)).max(1);
    let mut first: Vec<u32> = Vec::new();
    for (caller, number) in played.seen.callers.iter().zip(1..) {
        if caller.begun.is_none() {
            continue;
        }
        let written = books.calls.get(&number).map_or(&[][..], Vec::as_slice);
        let rings = winners.of_caller(number);
        tally.one(number, caller, rings, written);
        if !rings.is_empty() {
            first.push(number);
        }
        if let (true, [(number_of_ring, ring)], [one]) = ((number as usize).is_multiple_of(every), rings, written)
            && talk(ring) >= TALK_MIN
        {
            tally.recording(&recordings, number, *number_of_ring, one);
        }
    }
    tally.first(&first, &played.seen.callers, &winners);
    tally.whole(played, &books);
    tally.waits.sort_unstable();
    Ok(tally)
}

impl Tally {
    fn one(&mut self, number: u32, caller: &Caller, rings: &[(u32, &Ring)], written: &[Written]) {
        let fate = fate(caller, rings);
        *self.phones.entry(fate).or_default() += 1;
        self.met += u32::from(caller.met.is_some());
        let by_box = fate_by_box(caller, written);
        *self.host.entry(by_box).or_default() += 1;
        let crossed = fate == Fate::Abandoned && by_box == Fate::Answered && written.iter().all(over_at_once);
        self.crossed += u32::from(crossed);
        self.faults.demand(fate == by_box || crossed, || {
            format!("caller {number}: {fate:?} by the phones, {by_box:?} by the box: {caller:?} {written:?}")
        });
        self.faults.demand(fate != Fate::Lost, || format!("caller {number} is lost: {caller:?} {written:?}"));
        self.faults.demand(rings.len() <= 1, || format!("caller {number} talked with {} phones", rings.len()));
        if let Some(one) = written.first() {
            self.records += u32::from(written.len() == 1 && one.records.len() == 1 && one.ended.len() == 1);
            let count = one.recordings.len();
            self.recordings_all += count as u32;
            self.faults.demand(count == usize::from(self.recorded), || format!("caller {number}: {count} recordings"));
        }
        if let [(ring_number, ring)] = rings {
            self.talked((number, caller), (*ring_number, ring));
        } else if fate == Fate::Lost && caller.met.is_some() {
            self.dropped += 1;
        }
    }

    /// A talk: both ears, and who ended it.
    fn talked(&mut self, (number, caller): (u32, &Caller), (ring_number, ring): (u32, &Ring)) {
        self.waits.extend(ring.confirmed.zip(caller.met).map(|(served, met)| served.saturating_sub(met)));
        let nobody_hung_up = [caller.over, ring.over].iter().all(|over| !over.is_some_and(|(_, by)| by == By::Himself));
        self.dropped += u32::from(nobody_hung_up);
        self.faults.demand(!nobody_hung_up, || format!("caller {number}: nobody hung up, the box ended the call"));
        self.audio.add(&caller.ear, voice_of_ring(ring_number));
        self.audio.add(&ring.ear, voice_of_caller(number));
        let length = talk(ring);
        if length < TALK_MIN {
            self.short += 1;
            return;
        }
        // Both speak at the same pace, but for a machine too busy to let them.
        let least = ring.ear.sent.saturating_sub(2 * EDGE_FRAMES);
        let one = only(&caller.ear.heard, voice_of_ring(ring_number), least);
        let other = only(&ring.ear.heard, voice_of_caller(number), least);
        self.both_ways += u32::from(one && other);
        self.faults.demand(one, || {
            format!("caller {number} must hear ring {ring_number} for {length:?} and heard {:?}", caller.ear.heard)
        });
        self.faults.demand(other, || {
            format!("ring {ring_number} must hear caller {number} for {length:?} and heard {:?}", ring.ear.heard)
        });
    }

    fn recording(&mut self, recordings: &Recordings, number: u32, ring: u32, written: &Written) {
        let [recording] = written.recordings.as_slice() else { return };
        self.recordings.0 += 1;
        match recordings.heard(recording) {
            Ok([left, right]) => {
                let fine = only(&left, voice_of_caller(number), 1) && only(&right, voice_of_ring(ring), 1);
                self.recordings.1 += u32::from(fine);
                self.faults.demand(fine, || {
                    format!("the recording of caller {number} with ring {ring} holds {left:?} and {right:?}")
                });
            }
            Err(trouble) => self.faults.demand(false, || format!("the recording of caller {number}: {trouble}")),
        }
    }

    fn first(&mut self, answered: &[u32], callers: &[Caller], winners: &Winners<'_>) {
        let begun = |number: &u32| callers.get(*number as usize - 1).and_then(|caller| caller.begun);
        let mut order = answered.to_vec();
        order.sort_by_key(begun);
        for number in order.into_iter().take(FIRST) {
            let (Some(caller), [(ring_number, ring)]) = (callers.get(number as usize - 1), winners.of_caller(number))
            else {
                continue;
            };
            self.audio_first.add(&caller.ear, voice_of_ring(*ring_number));
            self.audio_first.add(&ring.ear, voice_of_caller(number));
        }
    }

    fn whole(&mut self, played: &Played, books: &Books) {
        let attempts = self.attempts;
        for (who, fates) in [("phones", &self.phones), ("box", &self.host)] {
            let sum: u64 = fates.values().map(|count| u64::from(*count)).sum();
            self.faults.demand(sum == attempts, || {
                format!("it does not add up: SIPp made {attempts} calls, the {who} know the end of {sum}")
            });
        }
        let failed = played.callers.failed;
        self.faults.demand(failed == 0, || format!("{failed} callers left their scenario:\n{}", played.complaints));
        let failed = played.phones.failed;
        self.faults.demand(failed == 0, || {
            format!("{failed} calls of the phones left their scenario:\n{}", played.complaints)
        });
        let unfinished = played.unfinished.as_deref();
        self.faults.demand(unfinished.is_none(), || format!("not over in time: {}", unfinished.unwrap_or_default()));
        played.unexpected.iter().for_each(|told| self.faults.demand(false, || format!("unexpected: {told}")));
        let (calls, records) = (books.calls.values().map(Vec::len).sum::<usize>(), self.records as usize);
        self.faults.demand(calls == records, || format!("{calls} calls, of which {records} have exactly one record"));
        let known: BTreeSet<u32> =
            played.seen.callers.iter().zip(1..).filter(|(c, _)| c.begun.is_some()).map(|(_, n)| n).collect();
        let unknown = books.calls.keys().filter(|number| !known.contains(number)).count() + books.strangers as usize;
        self.faults.demand(unknown == 0, || format!("the box knows {unknown} calls that nobody made"));
        self.late_max = played.seen.late_max;
        self.strays = played.seen.strays;
        self.faults.demand(self.strays == 0, || {
            format!("{} packets came to ports without a call: {:?}", played.seen.strays, played.seen.strays_told)
        });
    }
}

/// Connected and ended in one go.
fn over_at_once(written: &Written) -> bool {
    let times = written.connected.first().zip(written.ended.first());
    times.is_some_and(|((from, ..), (to, ..))| (to - from) < TALK_MIN.as_micros() as i64)
}

/// Nobody but `speaker` was heard, for at least `frames`.
fn only(heard: &Heard, speaker: u32, frames: u32) -> bool {
    matches!(heard.voices(), [voice] if voice.speaker == speaker && voice.frames + voice.missing() >= frames)
}

fn fate(caller: &Caller, rings: &[(u32, &Ring)]) -> Fate {
    let over = caller.over.map(|(_, by)| by);
    match (caller.refused, rings.is_empty(), caller.met, over) {
        (Some(_), ..) => Fate::Refused,
        (None, false, _, Some(_)) => Fate::Answered,
        (None, true, Some(_), Some(By::Himself)) => Fate::Abandoned,
        (None, ..) => Fate::Lost,
    }
}

fn fate_by_box(caller: &Caller, written: &[Written]) -> Fate {
    let one = match written {
        // What is refused at the door becomes no call.
        [] if caller.refused.is_some() => return Fate::Refused,
        [one] if one.ended.len() == 1 => one,
        _ => return Fate::Lost,
    };
    match (one.connected.as_slice(), one.abandoned_ms) {
        ([_], None) => Fate::Answered,
        ([], Some(_)) => Fate::Abandoned,
        ([], None) if caller.refused.is_some() => Fate::Refused,
        _ => Fate::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_comes_to_one_end() {
        let at = Some(Duration::from_secs(1));
        let over = |by| Some((Duration::from_secs(2), by));
        let waiting = Caller { begun: at, met: at, ..Caller::default() };
        assert_eq!(fate(&waiting, &[]), Fate::Lost);
        assert_eq!(fate(&Caller { over: over(By::Box), ..waiting.clone() }, &[]), Fate::Lost);
        assert_eq!(fate(&Caller { over: over(By::Himself), ..waiting.clone() }, &[]), Fate::Abandoned);
        assert_eq!(fate(&Caller { refused: Some(503), begun: at, ..Caller::default() }, &[]), Fate::Refused);
        let gone = Written {
            abandoned_ms: Some(7),
            ended: vec![(1, "caller".into(), "NO ANSWER".into())],
            ..Written::default()
        };
        assert_eq!(fate_by_box(&waiting, std::slice::from_ref(&gone)), Fate::Abandoned);
        let twice =
            Written { connected: vec![(1, 1, "5001".into()), (2, 1, "5002".into())], abandoned_ms: None, ..gone };
        assert_eq!(fate_by_box(&waiting, &[twice]), Fate::Lost);
    }
}
