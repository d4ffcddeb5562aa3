//! Deadlines of the core: one per key, earliest first. Not a clock: it is told the time.

use alloc::collections::{BTreeMap, BTreeSet};
use base::id::LegKey;
use base::line::PortId;
use base::time::Instant;
use serde::{Deserialize, Serialize};

use crate::call::CallKey;
use crate::offer::OfferKey;
use crate::roster::AgentIndex;

/// What is due. Setting a key again moves it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Timer {
    /// Nobody answered the offer in time.
    Offer(OfferKey),
    /// The caller pressed nothing after the menu's prompt.
    MenuSilence(CallKey),
    /// The caller waited as long as the queue allows.
    MaxWait(CallKey),
    /// The queue sends the caller on.
    OverflowWait(CallKey),
    /// More agents may serve the caller than before.
    Widen(CallKey),
    /// Strategy ring-progressively: the next phone joins.
    NextRing(CallKey),
    /// The caller did not press what was asked for.
    Asking(CallKey),
    /// An announcement should have been over by now.
    Announcement(CallKey),
    /// Wrap-up is over.
    WrapUp(AgentIndex),
    /// Time alone makes an agent eligible again: pause after a missed offer, calls per hour.
    AgentAgain(AgentIndex),
    /// A leg that is over leaves the tables.
    LegClose(LegKey),
    /// Agents are offered callers again: there may be RTP ports now.
    PortsAgain,
    /// The caller should have heard the notice of monitoring by now.
    Notice(CallKey),
    /// The oldest memory of who spoke to whom is as old as the site allows.
    Forget,
    /// A line without battery is broken rather than released.
    LineBattery(PortId),
    /// Nobody confirmed the commit in force.
    Unconfirmed,
    /// Day and night or the surge profile go back.
    SwitchBack,
}

/// The table of deadlines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timers {
    at: BTreeMap<Timer, Instant>,
    order: BTreeSet<(Instant, Timer)>,
}

impl Timers {
    /// `timer` is due at `at`, and not at an earlier setting any more.
    pub fn set(&mut self, timer: Timer, at: Instant) {
        if let Some(old) = self.at.insert(timer, at) {
            self.order.remove(&(old, timer));
        }
        self.order.insert((at, timer));
    }

    /// `timer` is not wanted any more.
    pub fn clear(&mut self, timer: Timer) {
        if let Some(old) = self.at.remove(&timer) {
            self.order.remove(&(old, timer));
        }
    }

    /// Takes the earliest timer that is due.
    pub fn pop(&mut self, now: Instant) -> Option<Timer> {
        let (at, timer) = *self.order.first()?;
        if at > now {
            return None;
        }
        self.clear(timer);
        Some(timer)
    }

    /// When the next one is due.
    pub fn next(&self) -> Option<Instant> {
        self.order.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::slab::Key;

    #[test]
    fn a_timer_set_again_fires_once_at_its_new_time() {
        let call = Timer::MaxWait(CallKey::from_parts(0, 0));
        let mut timers = Timers::default();
        timers.set(call, Instant::from_micros(10));
        timers.set(call, Instant::from_micros(20));
        assert_eq!(timers.pop(Instant::from_micros(15)), None);
        assert_eq!(timers.pop(Instant::from_micros(20)), Some(call));
        assert_eq!(timers.pop(Instant::from_micros(30)), None);
        assert_eq!(timers.next(), None);
    }
}
