//! Who hears whom, as the world sees it: a phone that talks must hear exactly the other side of its call, and be
//! heard by it; and when the box says that a call is over, nobody of it is heard any more.

use super::caller::{CallerId, Way};
use super::dialog::Stage;
use super::media::Effect;
use super::phone::CallNo;
use super::plan::BOX;
use super::world::{Event, World};
use base::id::{LegKey, Uid};
use base::media::Report;
use pbx::door::Input;
use std::net::SocketAddr;

/// After a restart the media are set up again within this time.
const AFTER_RESTART_US: u64 = 1_000_000;

/// A phone that is told something is looked at again after this time.
const PROBE_US: u64 = 3_000_000;

/// A BYE is repeated for 32 s; after this time it has come.
const BYE_US: u64 = 40_000_000;

impl World {
    pub(super) fn media_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Later(us, report) => self.plan_event(us, Event::Media(report)),
            Effect::Listens(rtp) => {
                if self.party(rtp).is_none() {
                    self.plan_silence(rtp);
                }
                let leg = self.media.leg_at(rtp);
                let bridge = leg.and_then(|leg| self.media.leg(leg)).and_then(|l| l.bridge);
                if let (Some(a), Some(b)) = (leg, bridge) {
                    self.bridged(a, b);
                }
            }
            Effect::Bridged(a, b) => self.bridged(a, b),
        }
    }

    fn bridged(&mut self, a: LegKey, b: LegKey) {
        for (one, other) in [(a, b), (b, a)] {
            let caller = self.caller_of_leg(one);
            let remote = self.media.leg(other).and_then(|l| l.remote).map(|r| r.addr);
            if let (Some(id), Some(rtp)) = (caller, remote) {
                self.caller_hears(id, rtp);
            }
        }
    }

    /// Whose leg this is, when it is a caller's.
    pub(super) fn caller_of_leg(&self, leg: base::id::LegKey) -> Option<CallerId> {
        let leg = self.media.leg(leg)?;
        let way = match (leg.line, leg.remote) {
            (Some(port), _) => Way::Line(port),
            (None, Some(remote)) => {
                let (index, no) = self.party(remote.addr)?;
                Way::Phone(index, no)
            }
            (None, None) => return None,
        };
        self.caller_by_way.get(&way).copied()
    }

    /// The phone and call that speak at this RTP address.
    pub(super) fn party(&self, rtp: SocketAddr) -> Option<(usize, CallNo)> {
        let index = *self.phone_of.get(&rtp.ip())?;
        let phone = &self.phones[index];
        phone.live().find(|(_, c)| c.rtp == rtp).map(|(no, _)| (index, no)).filter(|_| phone.alive)
    }

    pub(super) fn plan_silence(&mut self, rtp: SocketAddr) {
        let timeout_s = u64::from(self.check.silence_timeout_s);
        self.plan_event(timeout_s * 1_000_000, Event::Silence(rtp));
    }

    pub(super) fn silence(&mut self, rtp: SocketAddr) {
        let speaks = self.phone_of.get(&rtp.ip()).is_some_and(|n| self.phones[*n].speaks_at(rtp));
        if let (false, Some(leg)) = (speaks, self.media.leg_at(rtp)) {
            let for_ms = self.check.silence_timeout_s * 1_000;
            self.feed(Input::Media(Report::Silent { leg, for_ms }));
        }
    }

    pub(super) fn media_reports(&mut self, report: Report) {
        if let Report::PlayDone { leg, play } = &report
            && !self.media.play_done(*leg, *play)
        {
            return;
        }
        self.feed(Input::Media(report));
    }

    /// A phone has talked for a while.
    pub(super) fn probe(&mut self, index: usize, no: CallNo) {
        let settled = self.check.restarted_us.is_none_or(|at| self.now_us > at + AFTER_RESTART_US);
        let Some(call) = self.phones[index].call(no).filter(|c| c.stage == Stage::Talking) else { return };
        if self.away.is_some() || !settled || call.holding || call.reinviting {
            return;
        }
        let (rtp, speech) = (call.rtp, call.speech);
        // Without a leg the box has ended the call and its BYE is under way.
        let Some(leg) = self.media.leg_at(rtp) else { return self.plan_event(BYE_US, Event::Orphan(index, no)) };
        let ours = self.media.leg(leg).and_then(|l| l.local_port).map(|port| SocketAddr::new(BOX.ip(), port));
        if ours != speech.map(|s| s.addr) {
            let what = format!("phone {index} speaks to {speech:?}, but its leg {leg:?} listens at {ours:?}");
            return self.check.say(self.now_us, what);
        }
        match self.media.hears(leg) {
            None if self.on_hold(leg) => {}
            // Is told something first, or listens to the call of somebody else.
            None if self.media.leg(leg).is_some_and(|l| l.playing.is_some() || l.monitors.is_some()) => {
                self.plan_event(PROBE_US, Event::Probe(index, no));
            }
            None => {
                let state = self.media.leg(leg);
                let what = format!("phone {index} talks in {no:?} and hears nobody: {leg:?} {state:?}");
                self.check.say(self.now_us, what);
            }
            Some(other) if self.media.hears(other) != Some(leg) && !self.on_hold(other) => {
                let what = format!("phone {index} hears {other:?}, which does not hear it ({leg:?})");
                self.check.say(self.now_us, what);
            }
            Some(_) => {}
        }
    }

    /// The box ended this phone's call a while ago: the phone must know by now.
    pub(super) fn orphan(&mut self, index: usize, no: CallNo) {
        let phone = &self.phones[index];
        let rtp = phone.call(no).filter(|c| c.stage == Stage::Talking).map(|c| c.rtp);
        let alone = rtp.is_some_and(|rtp| self.media.leg_at(rtp).is_none());
        if alone && !phone.identity.stream && self.away.is_none() && !self.machine_restarted {
            self.check.say(self.now_us, format!("phone {index} talks in {no:?} to nobody, and no BYE came"));
        }
    }

    /// One of the two phones of this bridge is on hold, as the phones see it or as the box does.
    fn on_hold(&self, leg: LegKey) -> bool {
        let other = self.media.leg(leg).and_then(|l| l.bridge);
        [Some(leg), other].into_iter().flatten().any(|leg| {
            let remote = self.media.leg(leg).and_then(|l| l.remote);
            let held = remote.is_some_and(|r| !r.send || !r.receive);
            let party = remote.and_then(|r| self.party(r.addr));
            let call = party.and_then(|(index, no)| self.phones[index].call(no));
            held || call.is_some_and(|c| c.holding || c.reinviting)
        })
    }

    /// The box said that a caller is connected: it must hear that agent or extension, and be heard, in the same turn.
    pub(super) fn hears_whom(&mut self, uid: Uid, with: &str) {
        let Some(id) = self.check.caller_of(uid) else { return };
        let Some(leg) = self.callers.get(&id).and_then(|c| self.leg_of_way(c.way)) else { return };
        let other = self.media.hears(leg);
        let mutual = other.is_some_and(|other| self.media.hears(other) == Some(leg));
        let remote = other.and_then(|other| self.media.leg(other)).and_then(|l| l.remote).map(|r| r.addr.ip());
        let heard = remote.and_then(|ip| self.phone_of.get(&ip)).map(|n| self.phones[*n].identity.user.as_str());
        let extension = self.check.extension_of(with);
        let held = self.on_hold(leg);
        let supervisor = with.starts_with("supervisor ");
        let rightly = mutual && (supervisor || heard == Some(extension.as_str()));
        if !held && !rightly {
            let what = format!("{id:?} is connected with {with}, but hears {heard:?} on {other:?}, mutual: {mutual}");
            self.check.say(self.now_us, what);
        }
    }

    fn leg_of_way(&self, way: Way) -> Option<LegKey> {
        match way {
            Way::Line(port) => self.media.leg_on(port),
            Way::Phone(index, no) => self.phones[index].call(no).and_then(|c| self.media.leg_at(c.rtp)),
        }
    }

    /// The box said that this caller's call is over: its leg must be gone in the same turn.
    pub(super) fn hears_nothing(&mut self, id: CallerId) {
        let Some(caller) = self.callers.get(&id) else { return };
        let leg = self.leg_of_way(caller.way);
        let bridged = leg.filter(|leg| self.media.leg(*leg).is_some_and(|l| l.bridge.is_some()));
        if let Some(leg) = bridged {
            self.check.say(self.now_us, format!("the call of {id:?} is over, but {leg:?} is still bridged"));
        }
    }
}
