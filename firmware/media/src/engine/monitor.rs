//! Supervisors: who monitors whom, and the mix that a leg hears then.
//!
//! A conversation is a leg and the other side of its bridge, if it is in one. Who monitors a leg hears its conversation;
//! who whispers is heard by that leg; who barges is heard by the conversation and by all who monitor it. Each listener's
//! mix is added up apart: there are few, and none hears itself.

use super::{Engine, find};
use crate::effects::Effects;
use crate::leg::{Leg, Partner, Voice};
use crate::{Pcm, SILENCE};
use base::id::LegKey;
use base::limits::{FRAME_SAMPLES, MONITORS_PER_BRIDGE_MAX};
use base::media::{LegFailure, MonitorMode, Report};

/// Two sides, those who monitor one and those who monitor the other; and those who monitor a monitor.
const SPEAKERS_MAX: usize = 2 + 3 * MONITORS_PER_BRIDGE_MAX;

type Legs = [Option<Box<Leg>>];

impl Engine {
    /// `leg` begins to monitor `of`, or goes on in another mode.
    pub(super) fn monitor(&mut self, leg: LegKey, of: LegKey, mode: MonitorMode, out: &mut Effects) {
        if leg == of || self.leg(leg).is_none() {
            return;
        }
        let Some(watched) = self.leg(of) else { return };
        let across = across(watched).filter(|peer| *peer != leg).and_then(|peer| self.leg(peer));
        let present = across.iter().chain([&watched]).flat_map(|side| &side.monitoring.watchers);
        if present.filter(|other| **other != leg).count() >= MONITORS_PER_BRIDGE_MAX {
            out.reports.push(Report::Failed { leg, why: LegFailure::Exhausted });
            return;
        }
        self.part(leg);
        self.stop_monitor(leg);
        self.with(leg, |leg| leg.monitoring.watches = Some((of, mode)));
        self.with(of, |of| {
            // There is room: it was counted above.
            let _ = of.monitoring.watchers.push(leg);
        });
        self.renew(leg);
        self.renew_conversation(of);
    }

    /// `leg` monitors nobody any more.
    pub(super) fn stop_monitor(&mut self, leg: LegKey) {
        let Some((of, _)) = self.leg_mut(leg).and_then(|leg| leg.monitoring.watches.take()) else { return };
        self.with(of, |of| of.monitoring.watchers.retain(|watcher| *watcher != leg));
        self.renew(leg);
        self.renew_conversation(of);
    }

    /// Nobody monitors `of` any more: it ends.
    pub(super) fn leave_watchers(&mut self, of: LegKey) {
        while let Some(watcher) = self.leg(of).and_then(|of| of.monitoring.watchers.last().copied()) {
            self.stop_monitor(watcher);
        }
    }

    fn renew_conversation(&mut self, key: LegKey) {
        self.renew(key);
        if let Some(peer) = self.leg(key).and_then(across) {
            self.renew(peer);
        }
    }

    /// Finds the flags of a leg anew. A bridge that begins or ends renews both its sides.
    pub(super) fn renew(&mut self, key: LegKey) {
        let Some(leg) = self.leg(key) else { return };
        let mine = &leg.monitoring;
        let barged = barging(&self.legs, leg).next().is_some();
        let spoken_to = whispering(&self.legs, leg).next().is_some();
        let peer = across(leg).and_then(|peer| self.leg(peer));
        let heard = !mine.watchers.is_empty() || peer.is_some_and(|peer| !peer.monitoring.watchers.is_empty());
        let speaks = match mine.watches {
            Some((_, MonitorMode::Whisper | MonitorMode::Barge)) => true,
            Some((_, MonitorMode::Listen)) | None => false,
        };
        let mixed = mine.watches.is_some() || barged || spoken_to;
        self.with(key, |leg| {
            leg.monitoring.sampled = heard || speaks;
            leg.monitoring.mixed = mixed;
            leg.monitoring.barged = barged;
        });
    }
}

/// The other side of a leg's bridge.
fn across(leg: &Leg) -> Option<LegKey> {
    match leg.partner {
        Partner::Peer(peer) => Some(peer),
        Partner::Nobody | Partner::Itself => None,
    }
}

/// Who monitors `leg` in this mode.
fn watchers<'a>(legs: &'a Legs, leg: &'a Leg, mode: MonitorMode) -> impl Iterator<Item = LegKey> + 'a {
    let told = leg.monitoring.watchers.iter().copied();
    told.filter(move |watcher| find(legs, *watcher).is_some_and(|w| w.monitoring.watches == Some((leg.key, mode))))
}

/// Who is heard by `leg` alone.
fn whispering<'a>(legs: &'a Legs, leg: &'a Leg) -> impl Iterator<Item = LegKey> + 'a {
    watchers(legs, leg, MonitorMode::Whisper)
}

/// Who barges in on the conversation of `leg`, itself in `legs` or not.
fn barging<'a>(legs: &'a Legs, leg: &'a Leg) -> impl Iterator<Item = LegKey> + 'a {
    let peer = across(leg).and_then(|peer| find(legs, peer));
    let of_peer = peer.into_iter().flat_map(|peer| watchers(legs, peer, MonitorMode::Barge));
    watchers(legs, leg, MonitorMode::Barge).chain(of_peer)
}

/// A sum that cannot overflow: a few voices of 16 bits in 32.
struct Sum {
    samples: [i32; FRAME_SAMPLES],
    any: bool,
}

impl Sum {
    fn new() -> Sum {
        Sum { samples: [0; FRAME_SAMPLES], any: false }
    }

    fn add(&mut self, voice: Option<&Pcm>) {
        let Some(voice) = voice else { return };
        self.any = true;
        self.samples.iter_mut().zip(voice).for_each(|(sum, sample)| *sum += i32::from(*sample));
    }

    /// Too loud is cut off at full scale, as a codec would.
    fn write(&self, pcm: &mut Pcm) -> bool {
        let (min, max) = (i32::from(i16::MIN), i32::from(i16::MAX));
        pcm.iter_mut().zip(&self.samples).for_each(|(sample, sum)| *sample = (*sum).clamp(min, max) as i16);
        self.any
    }
}

/// What a leg says to its partner and to those who monitor it.
fn voice(leg: &Leg) -> Option<&Pcm> {
    leg.audible.then_some(&leg.heard)
}

/// What `leg` hears in this tick, beside keys, playlist and beep; `leg` itself is not in `legs` meanwhile.
// Not part of the tick's own code, which is the faster the less it holds on its stack.
#[inline(never)]
pub(super) fn mix(legs: &Legs, leg: &Leg, pcm: &mut Pcm) -> Voice {
    let mut sum = Sum::new();
    let mut told: heapless::Vec<LegKey, SPEAKERS_MAX> = heapless::Vec::new();
    // Nobody is heard twice, also when two supervisors monitor each other.
    let mut first = |key: LegKey| !told.contains(&key) && told.push(key).is_ok();
    if leg.partner == Partner::Itself {
        sum.add(voice(leg));
    }
    let centre = match leg.monitoring.watches {
        Some((of, _)) => find(legs, of),
        None => Some(leg),
    };
    for side in [centre.map(|leg| leg.key), centre.and_then(across)].into_iter().flatten() {
        if side != leg.key && first(side) {
            sum.add(find(legs, side).and_then(voice));
        }
    }
    let of_conversation = centre.into_iter().flat_map(|centre| barging(legs, centre));
    let of_leg = barging(legs, leg).chain(whispering(legs, leg));
    for monitor in of_conversation.chain(of_leg) {
        if monitor != leg.key && first(monitor) {
            sum.add(find(legs, monitor).and_then(Leg::says_as_monitor));
        }
    }
    if sum.write(pcm) { Voice::Sound } else { Voice::Silence }
}

/// What goes into the recording for `leg`: what it says, with those who barge in; `None` when all are silent. `leg` itself
/// is not in `legs` meanwhile.
#[inline(never)]
pub(super) fn recorded(legs: &Legs, leg: &Leg) -> Option<Pcm> {
    let mut sum = Sum::new();
    sum.add(voice(leg));
    for monitor in barging(legs, leg) {
        sum.add(find(legs, monitor).and_then(Leg::says_as_monitor));
    }
    let mut pcm = SILENCE;
    sum.write(&mut pcm).then_some(pcm)
}
