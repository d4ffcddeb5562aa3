//! Offers: phones that ring for one call. All contacts of one extension ring at once; the first answer wins, the
//! others are told that the call was completed elsewhere. An answer names its offer, so a late one finds nothing.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use base::id::LegKey;
use base::media::{Item, PlayId, Tone};
use base::time::Instant;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use signaling::sdp::Audio;
use signaling::sip::door::{Contact, DialogKey, Invite};

use crate::agent::{Happening, REASON_RONA, REASON_UNREACHABLE};
use crate::call::{CallKey, Disposition, Phase};
use crate::config::Queue;
use crate::event::Detail;
use crate::leg::{Goodbye, Role, Signalling};
use crate::port::NO_PORT;
use crate::roster::{AgentIndex, LastCall};
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// Longest announcement to an agent; a playlist that never reports its end does not keep the caller waiting.
const ANNOUNCEMENT_TIME: Duration = Duration::from_secs(10);
/// From the answer to the key that accepts the call.
const CONFIRM_TIME: Duration = Duration::from_secs(10);
/// Between two requests to press the key that accepts a call.
const CONFIRM_PAUSE_MS: u32 = 1_500;
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
    /// A phone answered, and the key that accepts the call was not pressed in time.
    NotConfirmed,
    /// Busy here or everywhere.
    Busy,
    /// Declined by a person.
    Rejected,
}

impl Cause {
    pub fn as_str(self) -> &'static str {
        match self {
            Cause::Unreachable => "unreachable",
            Cause::NoAnswer => "no-answer",
            Cause::NotConfirmed => "not-confirmed",
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
    Agent { index: AgentIndex, queue: String },
    /// Whoever is at an extension.
    Extension(String),
    /// This number outside.
    Outside(String),
}

/// An agent chosen by a queue, before the phones ring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Chosen {
    pub index: AgentIndex,
    pub queue: String,
}

/// Why no phone of an offer rings.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unrung {
    /// None can be reached.
    NoPhone,
    /// We have no port for its audio.
    NoPort,
}

/// How far an offer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// Nobody has answered.
    Ringing,
    /// A phone answered; the key that accepts the call is awaited. Other offers of the call ring on.
    Confirming { leg: LegKey, since: Instant },
    /// This offer has the call; its agent, who answered then, hears the announcement first.
    Won { leg: LegKey, play: Option<PlayId>, since: Instant },
}

impl Stage {
    /// When a phone was answered: it rings no longer.
    fn answered(self) -> Option<Instant> {
        match self {
            Stage::Ringing => None,
            Stage::Confirming { since, .. } | Stage::Won { since, .. } => Some(since),
        }
    }
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
    pub stage: Stage,
}

impl Pbx {
    /// The caller is to reach whoever is at an extension.
    pub(crate) fn ring_extension(&mut self, turn: &mut Turn<'_>, call: CallKey, name: &str) {
        let Some(config) = self.config_of(call) else { return };
        let Some(extension) = config.extensions.get(name) else { return self.unknown_number(turn, call) };
        let timeout = Duration::from_secs(u64::from(extension.ring_timeout_s));
        match self.begin_offer(turn, call, name, None, timeout) {
            Ok(offer) => self.enter(call, Phase::Ringing { offer }),
            Err(Unrung::NoPhone) => self.cannot_connect(turn, call, "phone not registered", Disposition::Failed, 480),
            Err(Unrung::NoPort) => self.cannot_connect(turn, call, NO_PORT, Disposition::Failed, 503),
        }
    }

    /// Rings every contact of an extension, or says why none could be rung.
    pub(crate) fn begin_offer(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        extension: &str,
        chosen: Option<Chosen>,
        timeout: Duration,
    ) -> Result<OfferKey, Unrung> {
        let contacts = self.sip.contacts(extension).to_vec();
        if contacts.is_empty() {
            return Err(Unrung::NoPhone);
        }
        let agent = chosen.as_ref().map(|c| c.index);
        let purpose = match chosen {
            Some(Chosen { index, queue }) => Purpose::Agent { index, queue },
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
            stage: Stage::Ringing,
        });
        for contact in contacts {
            self.ring_contact(turn, offer, call, extension, contact);
        }
        if self.offers.get(offer).is_none_or(|o| o.legs.is_empty()) {
            self.offers.remove(offer);
            return Err(Unrung::NoPort);
        }
        self.timers.set(Timer::Offer(offer), turn.now.at + timeout);
        Ok(offer)
    }

    fn ring_contact(&mut self, turn: &mut Turn<'_>, offer: OfferKey, call: CallKey, extension: &str, contact: Contact) {
        let Some(record) = self.calls.get(call) else { return };
        let from = if record.caller.is_empty() { "anonymous".to_string() } else { record.caller.clone() };
        let headers = match self.offers.get(offer).map(|o| &o.purpose) {
            Some(Purpose::Agent { queue, .. }) => vec![("X-PBX-Queue".to_string(), queue.clone())],
            Some(Purpose::Extension(_) | Purpose::Outside(_)) | None => vec![],
        };
        let invite =
            Invite { target: contact.target, from, from_name: record.caller_name.clone(), offer: None, headers };
        self.ring(turn, offer, call, Some(extension.to_string()), invite);
    }

    /// Sends an INVITE of an offer, with our session description, on a leg of its own.
    pub(crate) fn ring(
        &mut self,
        turn: &mut Turn<'_>,
        offer: OfferKey,
        call: CallKey,
        extension: Option<String>,
        invite: Invite,
    ) {
        let Some(config) = self.config_of(call) else { return };
        // The leg must exist before its INVITE, because the offer in it names the leg's port.
        let unborn = Signalling::Sip { dialog: None, offer: None, ours: None };
        let Some(leg) = self.new_leg(turn, call, Role::Offered(offer), unborn, extension) else { return };
        let our_offer = if self.open_media(turn, leg) { self.our_offer(&config, leg) } else { None };
        let Some(our_offer) = our_offer else {
            self.end_leg(turn, leg, NO_PORT, Goodbye::None);
            return;
        };
        let invite = Invite { offer: Some(our_offer.clone()), ..invite };
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
        let Some(offer) = self.offers.get_mut(key) else {
            return self.end_leg(turn, leg, "answered too late", Goodbye::HangUp(Some(ELSEWHERE)));
        };
        if !agreed {
            self.end_leg(turn, leg, "no common codec", Goodbye::HangUp(None));
            return self.offer_leg_gone(turn, key, leg, Cause::Unreachable);
        }
        for other in core::mem::replace(&mut offer.legs, vec![leg]).into_iter().filter(|l| *l != leg) {
            self.end_leg(turn, other, "answered elsewhere", Goodbye::HangUp(Some(ELSEWHERE)));
        }
        self.leg_up(turn, leg);
        self.tell_port(turn, leg);
        if self.with_queue_of(key, |queue| queue.confirm_key).flatten().is_some() {
            self.ask_to_confirm(turn, key, leg);
        } else {
            self.offer_won(turn, key, leg);
        }
    }

    /// What the configuration says of the queue that an offer came from; none for an extension.
    fn with_queue_of<R>(&self, key: OfferKey, read: impl FnOnce(&Queue) -> R) -> Option<R> {
        let offer = self.offers.get(key)?;
        match &offer.purpose {
            Purpose::Agent { queue, .. } => {
                self.config_of_queue(offer.call, queue).and_then(|config| config.queues.get(queue).map(read))
            }
            Purpose::Extension(_) | Purpose::Outside(_) => None,
        }
    }

    fn ask_to_confirm(&mut self, turn: &mut Turn<'_>, key: OfferKey, leg: LegKey) {
        if let Some(offer) = self.offers.get_mut(key) {
            offer.stage = Stage::Confirming { leg, since: turn.now.at };
            let call = offer.call;
            let words = self.prompt(call, "agent-confirm");
            self.play(turn, leg, vec![words, Item::Pause(CONFIRM_PAUSE_MS)], true);
            // Whoever answers in the last moment of ringing has time for the key, too.
            self.timers.set(Timer::Offer(key), turn.now.at + CONFIRM_TIME);
        }
    }

    /// A key was pressed on a phone of the offer.
    pub(crate) fn offer_key(&mut self, turn: &mut Turn<'_>, key: OfferKey, digit: char) {
        let Some(Stage::Confirming { leg, .. }) = self.offers.get(key).map(|o| o.stage) else { return };
        if self.with_queue_of(key, |queue| queue.confirm_key).flatten() == Some(digit) {
            self.stop_play(turn, leg);
            self.offer_won(turn, key, leg);
        }
    }

    /// Whether an offer has its call already.
    pub(crate) fn is_won(&self, key: OfferKey) -> bool {
        matches!(self.offers.get(key).map(|o| o.stage), Some(Stage::Won { .. }))
    }

    /// The first to accept has the call: all other phones stop. The agent hears the announcement, if there is one, while
    /// the caller's music goes on.
    fn offer_won(&mut self, turn: &mut Turn<'_>, key: OfferKey, leg: LegKey) {
        let Some(call) = self.offers.get(key).map(|o| o.call) else { return };
        for other in self.offers_of(call).into_iter().filter(|other| *other != key) {
            self.withdraw_offer_because(turn, other, "answered elsewhere", Some(ELSEWHERE));
        }
        let Some(name) = self.with_queue_of(key, |queue| queue.agent_announce.clone()).flatten() else {
            return self.offer_joined(turn, key, leg);
        };
        let words = self.prompt(call, &name);
        let play = self.play(turn, leg, vec![words], false);
        if let Some(offer) = self.offers.get_mut(key) {
            let since = offer.stage.answered().unwrap_or(turn.now.at);
            offer.stage = Stage::Won { leg, play, since };
        }
        self.timers.set(Timer::Offer(key), turn.now.at + ANNOUNCEMENT_TIME);
    }

    /// The announcement to the agent is over.
    pub(crate) fn offer_told(&mut self, turn: &mut Turn<'_>, key: OfferKey, said: PlayId) {
        if let Some(Stage::Won { leg, play, .. }) = self.offers.get(key).map(|o| o.stage)
            && play == Some(said)
        {
            self.offer_joined(turn, key, leg);
        }
    }

    fn offer_joined(&mut self, turn: &mut Turn<'_>, key: OfferKey, leg: LegKey) {
        let Some(offer) = self.offers.remove(key) else { return };
        self.timers.clear(Timer::Offer(key));
        if let (Purpose::Agent { index, queue }, Some(call)) = (&offer.purpose, self.calls.get(offer.call)) {
            let last = LastCall { call: call.uid, queue: queue.clone(), disposed: false };
            if let Some(agent) = self.agents.get_mut(*index) {
                agent.last = Some(last);
            }
            self.agent(turn, *index, Happening::Answered(key, offer.call), "answered");
            self.set_again_timer(*index, turn.now.at);
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

    /// A phone of the offer cannot be heard because we have no port for it. With the last one the offer is taken back: it is
    /// no fault of its agent, who stays ready.
    pub(crate) fn offer_without_port(&mut self, turn: &mut Turn<'_>, key: OfferKey, leg: LegKey) {
        self.end_leg(turn, leg, NO_PORT, Goodbye::HangUp(None));
        let Some(offer) = self.offers.get_mut(key) else { return };
        offer.legs.retain(|l| *l != leg);
        if !offer.legs.is_empty() {
            return;
        }
        let (call, of_agent) = (offer.call, offer.agent.is_some());
        if of_agent {
            self.pause_offers(turn);
        }
        self.withdraw_offer(turn, key, NO_PORT);
        if !of_agent {
            self.cannot_connect(turn, call, NO_PORT, Disposition::Failed, 503);
        }
    }

    /// Nobody answered or confirmed in time, or the announcement to the agent took too long.
    pub(crate) fn offer_timed_out(&mut self, turn: &mut Turn<'_>, key: OfferKey) {
        match self.offers.get(key).map(|o| o.stage) {
            Some(Stage::Won { leg, .. }) => self.offer_joined(turn, key, leg),
            Some(Stage::Ringing) => self.offer_lost(turn, key, Cause::NoAnswer),
            Some(Stage::Confirming { .. }) => self.offer_lost(turn, key, Cause::NotConfirmed),
            None => {}
        }
    }

    fn offer_lost(&mut self, turn: &mut Turn<'_>, key: OfferKey, cause: Cause) {
        let limits = self.with_queue_of(key, |q| {
            let limit = match cause {
                Cause::Unreachable => q.rona_unreachable,
                Cause::NoAnswer | Cause::NotConfirmed => q.rona_no_answer,
                Cause::Busy => q.rona_busy,
                Cause::Rejected => q.rona_reject,
            };
            (limit, q.retry_delay_s)
        });
        let Some(offer) = self.end_offer(turn, key, cause.as_str(), None) else { return };
        if let Some(index) = offer.agent {
            let (reason, why) = match cause {
                Cause::Unreachable => (REASON_UNREACHABLE, "phone unreachable"),
                Cause::NoAnswer => (REASON_RONA, "RONA: no answer"),
                Cause::NotConfirmed => (REASON_RONA, "RONA: not confirmed"),
                Cause::Busy => (REASON_RONA, "RONA: busy"),
                Cause::Rejected => (REASON_RONA, "RONA: rejected"),
            };
            let reason = self.missed(turn, index, cause, limits.unwrap_or((1, 0)), reason);
            self.agent(turn, index, Happening::OfferLost(key, reason), why);
        }
        match self.calls.get(offer.call).map(|c| c.phase.clone()) {
            // Back at the head: the place in the queue is kept.
            Some(Phase::Waiting { .. }) => self.unmatched = true,
            Some(Phase::Ringing { .. }) => {
                let (disposition, code) = match cause {
                    Cause::Busy | Cause::Rejected => (Disposition::Busy, 486),
                    Cause::NoAnswer | Cause::NotConfirmed => (Disposition::NoAnswer, 480),
                    Cause::Unreachable => (Disposition::Failed, 480),
                };
                self.cannot_connect(turn, offer.call, cause.as_str(), disposition, code);
            }
            Some(
                Phase::Arriving
                | Phase::Menu(_)
                | Phase::Asking(_)
                | Phase::Talking { .. }
                | Phase::Monitoring(_)
                | Phase::Echo { .. }
                | Phase::Announcement { .. }
                | Phase::Over,
            )
            | None => {}
        }
    }

    /// The offer is taken back through no fault of its phones.
    pub(crate) fn withdraw_offer(&mut self, turn: &mut Turn<'_>, key: OfferKey, why: &str) {
        self.withdraw_offer_because(turn, key, why, None);
    }

    /// All these offers are taken back.
    pub(crate) fn withdraw_offers(&mut self, turn: &mut Turn<'_>, keys: &[OfferKey], why: &str) {
        for key in keys {
            self.withdraw_offer(turn, *key, why);
        }
    }

    /// The agent of this offer cannot take it after all; the caller is offered to somebody else.
    pub(crate) fn take_offer_back(&mut self, turn: &mut Turn<'_>, key: OfferKey, why: &str) {
        self.withdraw_offer(turn, key, why);
        self.unmatched = true;
    }

    fn withdraw_offer_because(&mut self, turn: &mut Turn<'_>, key: OfferKey, why: &str, reason: Option<&str>) {
        let Some(offer) = self.end_offer(turn, key, why, reason) else { return };
        if let Some(index) = offer.agent {
            self.agent(turn, index, Happening::OfferWithdrawn(key), why);
        }
    }

    pub(crate) fn end_offer(
        &mut self,
        turn: &mut Turn<'_>,
        key: OfferKey,
        cause: &str,
        reason: Option<&str>,
    ) -> Option<Offer> {
        let offer = self.offers.remove(key)?;
        self.timers.clear(Timer::Offer(key));
        self.with_place(offer.call, |_, offers| offers.retain(|other| *other != key));
        for leg in offer.legs.iter().copied() {
            self.end_leg(turn, leg, cause, Goodbye::HangUp(reason));
        }
        let uid = self.calls.get(offer.call).map(|c| c.uid);
        let agent = match &offer.purpose {
            Purpose::Agent { index, .. } => self.agents.get(*index).map_or_else(String::new, |a| a.id.clone()),
            Purpose::Extension(name) | Purpose::Outside(name) => name.clone(),
        };
        let rang_until = offer.stage.answered().unwrap_or(turn.now.at);
        let ring_ms = rang_until.since(offer.began).as_millis() as u64;
        self.note(turn, uid, None, "router", Detail::OfferEnded { agent, cause: cause.to_string(), ring_ms });
        Some(offer)
    }

    /// The leg of a dialog, while it is not over.
    pub(crate) fn leg_of(&self, dialog: DialogKey) -> Option<LegKey> {
        let leg = *self.dialogs.get(&dialog)?;
        self.legs.get(leg).filter(|l| !l.is_closing()).map(|_| leg)
    }
}
