//! Offers: phones that ring for one call. All contacts of one extension ring at once; the first answer wins, the
//! others are told that the call was completed elsewhere. An answer names its offer, so a late one finds nothing.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use base::id::LegKey;
use base::media::{Item, Tone};
use base::time::Instant;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use signaling::sdp::Audio;
use signaling::sip::door::{Contact, DialogKey, Invite};

use crate::agent::{AgentIndex, Happening, REASON_RONA, REASON_UNREACHABLE};
use crate::call::{CallKey, Disposition, Phase};
use crate::event::Detail;
use crate::leg::{Goodbye, Role, Signalling};
use crate::timers::Timer;
use crate::{Pbx, Turn};

const ELSEWHERE: &str = "SIP;cause=200;text=\"Call completed elsewhere\"";

base::typed_key!(
    /// An offer, until it is answered, lost or withdrawn.
    OfferKey
);

/// Why an offer found no taker; the worst of its phones' answers counts last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(crate) enum Cause {
    /// No phone could be reached.
    Unreachable,
    /// Nobody answered in time.
    NoAnswer,
    /// Busy here or everywhere.
    Busy,
    /// Declined by a person.
    Rejected,
}

impl Cause {
    fn as_str(self) -> &'static str {
        match self {
            Cause::Unreachable => "unreachable",
            Cause::NoAnswer => "no-answer",
            Cause::Busy => "busy",
            Cause::Rejected => "rejected",
        }
    }

    fn of_code(code: u16) -> Cause {
        match code {
            486 | 600 => Cause::Busy,
            403 | 480 | 603 | 607 => Cause::Rejected,
            487 => Cause::NoAnswer,
            _ => Cause::Unreachable,
        }
    }
}

/// Whom an offer is for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// An agent of a queue.
    Agent { index: AgentIndex, queue: String, wrap_up_s: u32 },
    /// Whoever is at an extension.
    Extension(String),
}

/// An agent chosen by a queue, before the phones ring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Chosen {
    pub index: AgentIndex,
    pub queue: String,
    pub wrap_up_s: u32,
}

/// One offer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub call: CallKey,
    pub purpose: Purpose,
    /// Set when `purpose` is an agent: whose leg it is is asked often.
    pub agent: Option<AgentIndex>,
    pub legs: Vec<LegKey>,
    pub began: Instant,
    pub worst: Cause,
    pub rings: bool,
}

impl Pbx {
    /// Rings every contact of an extension. None when none could be rung.
    pub(crate) fn begin_offer(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        extension: &str,
        chosen: Option<Chosen>,
        timeout: Duration,
    ) -> Option<OfferKey> {
        let contacts = self.sip.contacts(extension).to_vec();
        let agent = chosen.as_ref().map(|c| c.index);
        let purpose = match chosen {
            Some(Chosen { index, queue, wrap_up_s }) => Purpose::Agent { index, queue, wrap_up_s },
            None => Purpose::Extension(extension.to_string()),
        };
        let offer = self.offers.insert(Offer {
            call,
            purpose,
            agent,
            legs: vec![],
            began: turn.now.at,
            worst: Cause::Unreachable,
            rings: false,
        });
        for contact in contacts {
            self.ring_contact(turn, offer, call, extension, contact);
        }
        if self.offers.get(offer).is_none_or(|o| o.legs.is_empty()) {
            self.offers.remove(offer);
            return None;
        }
        self.timers.set(Timer::Offer(offer), turn.now.at + timeout);
        Some(offer)
    }

    fn ring_contact(&mut self, turn: &mut Turn<'_>, offer: OfferKey, call: CallKey, extension: &str, contact: Contact) {
        let Some(config) = self.config_of(call) else { return };
        let Some(record) = self.calls.get(call) else { return };
        let (caller, caller_name) = (record.caller.clone(), record.caller_name.clone());
        // The leg must exist before its INVITE, because the offer in it names the leg's port.
        let unborn = Signalling::Sip { dialog: None, offer: None, ours: None };
        let Some(leg) = self.new_leg(turn, call, Role::Offered(offer), unborn, Some(extension.to_string())) else {
            return;
        };
        let our_offer = if self.open_media(turn, leg) { self.our_offer(&config, leg) } else { None };
        let Some(our_offer) = our_offer else {
            self.end_leg(turn, leg, "no media port free", Goodbye::None);
            return;
        };
        let from = if caller.is_empty() { "anonymous".to_string() } else { caller };
        let headers = match self.offers.get(offer).map(|o| &o.purpose) {
            Some(Purpose::Agent { queue, .. }) => vec![("X-PBX-Queue".to_string(), queue.clone())],
            Some(Purpose::Extension(_)) | None => vec![],
        };
        let invite =
            Invite { target: contact.target, from, from_name: caller_name, offer: Some(our_offer.clone()), headers };
        let dialog = self.with_sip(turn, |sip, now, out| sip.invite(now, invite, out));
        self.dialogs.insert(dialog, leg);
        if let Some(record) = self.legs.get_mut(leg) {
            record.signalling = Signalling::Sip { dialog: Some(dialog), offer: None, ours: Some(our_offer) };
        }
        if let Some(offer) = self.offers.get_mut(offer) {
            offer.legs.push(leg);
        }
    }

    /// A phone of the offer rings: tell the caller, and the agent's state.
    pub(crate) fn offer_rings(&mut self, turn: &mut Turn<'_>, key: OfferKey) {
        let Some(offer) = self.offers.get_mut(key).filter(|o| !o.rings) else { return };
        offer.rings = true;
        let (call, agent) = (offer.call, offer.agent);
        match agent {
            Some(index) => {
                self.agent(turn, index, Happening::Rings(key), "phone rings");
            }
            None => self.ringback(turn, call),
        }
    }

    fn ringback(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        let Some(caller) = self.caller_leg(call) else { return };
        let answered = self.calls.get(call).is_some_and(|c| c.answered);
        let dialog = self.legs.get(caller).and_then(|l| l.dialog());
        match dialog {
            _ if answered => {
                self.play(turn, caller, vec![Item::Tone(Tone::Ringback)], false);
            }
            Some(dialog) => self.with_sip(turn, |sip, now, out| sip.progress(now, dialog, 180, None, out)),
            // The exchange plays ring-back to a line that we have not answered.
            None => {}
        }
    }

    /// A phone of the offer answered.
    pub(crate) fn offer_answered(&mut self, turn: &mut Turn<'_>, leg: LegKey, key: OfferKey, answer: Option<&Audio>) {
        let agreed = answer.is_some_and(|a| self.their_answer(turn, leg, a));
        if self.offers.get(key).is_none() {
            return self.end_leg(turn, leg, "answered too late", Goodbye::HangUp(Some(ELSEWHERE)));
        }
        if !agreed {
            self.end_leg(turn, leg, "no common codec", Goodbye::HangUp(None));
            return self.offer_leg_gone(turn, key, leg, Cause::Unreachable);
        }
        let Some(offer) = self.offers.remove(key) else { return };
        self.timers.clear(Timer::Offer(key));
        for other in offer.legs.iter().copied().filter(|l| *l != leg) {
            self.end_leg(turn, other, "answered elsewhere", Goodbye::HangUp(Some(ELSEWHERE)));
        }
        if let Some(index) = offer.agent {
            self.agent(turn, index, Happening::Answered(key, offer.call), "answered");
        }
        self.connect(turn, offer.call, leg, &offer.purpose);
    }

    /// A phone of the offer refused or failed with a status code.
    pub(crate) fn offer_refused(&mut self, turn: &mut Turn<'_>, leg: LegKey, key: OfferKey, code: u16) {
        self.end_leg(turn, leg, &format!("refused {code}"), Goodbye::None);
        self.offer_leg_gone(turn, key, leg, Cause::of_code(code));
    }

    /// A phone of the offer is out for another reason.
    pub(crate) fn offer_leg_over(&mut self, turn: &mut Turn<'_>, leg: LegKey, cause: Cause, why: &str) {
        let Some(Role::Offered(key)) = self.legs.get(leg).map(|l| l.role) else { return };
        self.end_leg(turn, leg, why, Goodbye::HangUp(None));
        self.offer_leg_gone(turn, key, leg, cause);
    }

    fn offer_leg_gone(&mut self, turn: &mut Turn<'_>, key: OfferKey, leg: LegKey, cause: Cause) {
        let Some(offer) = self.offers.get_mut(key) else { return };
        offer.legs.retain(|l| *l != leg);
        offer.worst = offer.worst.max(cause);
        if offer.legs.is_empty() {
            let worst = offer.worst;
            self.offer_lost(turn, key, worst);
        }
    }

    /// Nobody answered in time.
    pub(crate) fn offer_timed_out(&mut self, turn: &mut Turn<'_>, key: OfferKey) {
        self.offer_lost(turn, key, Cause::NoAnswer);
    }

    fn offer_lost(&mut self, turn: &mut Turn<'_>, key: OfferKey, cause: Cause) {
        let Some(offer) = self.end_offer(turn, key, cause.as_str()) else { return };
        if let Some(index) = offer.agent {
            let (reason, why) = match cause {
                Cause::Unreachable => (REASON_UNREACHABLE, "phone unreachable"),
                Cause::NoAnswer => (REASON_RONA, "RONA: no answer"),
                Cause::Busy => (REASON_RONA, "RONA: busy"),
                Cause::Rejected => (REASON_RONA, "RONA: rejected"),
            };
            self.agent(turn, index, Happening::OfferLost(key, reason), why);
        }
        match self.calls.get(offer.call).map(|c| c.phase.clone()) {
            Some(Phase::Waiting { place, .. }) => {
                // Back at the head: the place in the queue is kept.
                self.enter(offer.call, Phase::Waiting { place, offer: None });
                self.unmatched = true;
            }
            Some(Phase::Ringing { .. }) => {
                let (disposition, code) = match cause {
                    Cause::Busy | Cause::Rejected => (Disposition::Busy, 486),
                    Cause::NoAnswer => (Disposition::NoAnswer, 480),
                    Cause::Unreachable => (Disposition::Failed, 480),
                };
                self.cannot_connect(turn, offer.call, cause.as_str(), disposition, code);
            }
            Some(
                Phase::Arriving
                | Phase::Menu(_)
                | Phase::Talking { .. }
                | Phase::Echo { .. }
                | Phase::Announcement { .. }
                | Phase::Over,
            )
            | None => {}
        }
    }

    /// The offer is taken back through no fault of its phones.
    pub(crate) fn withdraw_offer(&mut self, turn: &mut Turn<'_>, key: OfferKey, why: &str) {
        let Some(offer) = self.end_offer(turn, key, why) else { return };
        if let Some(index) = offer.agent {
            self.agent(turn, index, Happening::OfferWithdrawn(key), why);
        }
    }

    fn end_offer(&mut self, turn: &mut Turn<'_>, key: OfferKey, cause: &str) -> Option<Offer> {
        let offer = self.offers.remove(key)?;
        self.timers.clear(Timer::Offer(key));
        for leg in offer.legs.iter().copied() {
            self.end_leg(turn, leg, cause, Goodbye::HangUp(None));
        }
        let uid = self.calls.get(offer.call).map(|c| c.uid);
        let agent = match &offer.purpose {
            Purpose::Agent { index, .. } => self.agents.get(*index).map_or_else(String::new, |a| a.id.clone()),
            Purpose::Extension(name) => name.clone(),
        };
        let ring_ms = turn.now.at.since(offer.began).as_millis() as u64;
        self.note(turn, uid, None, "router", Detail::OfferEnded { agent, cause: cause.to_string(), ring_ms });
        Some(offer)
    }

    /// The leg of a dialog, while it is not over.
    pub(crate) fn leg_of(&self, dialog: DialogKey) -> Option<LegKey> {
        let leg = *self.dialogs.get(&dialog)?;
        self.legs.get(leg).filter(|l| !l.is_closing()).map(|_| leg)
    }
}
