//! Agents and their states: one machine, changed by [`Pbx::agent_by`] alone. What an agent does is decided elsewhere;
//! what follows from it for the state is decided here. Who the agents are and where they sit: `roster.rs`.

use alloc::format;
use alloc::string::{String, ToString};
use base::time::Instant;
use serde::{Deserialize, Serialize};

use crate::call::CallKey;
use crate::event::Detail;
use crate::offer::OfferKey;
use crate::roster::AgentIndex;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// Not-ready reason when none was given (other).
pub const REASON_NONE_GIVEN: u8 = 9;
/// Not-ready reason set by the box: offers were not taken (redirection on no answer).
pub const REASON_RONA: u8 = 90;
/// Not-ready reason set by the box: the phone could not be reached; cleared when it registers again.
pub const REASON_UNREACHABLE: u8 = 91;
/// Not-ready reason set by a supervisor.
pub const REASON_SUPERVISOR: u8 = 92;

/// What an agent does now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum State {
    /// Not at work.
    LoggedOut,
    /// At work, takes no calls; reasons 1-89 are the agent's, from 90 on the box's.
    NotReady {
        /// Reason code.
        reason: u8,
    },
    /// Takes the next call.
    Ready {
        /// Since when; decides who is longest idle.
        since: Instant,
    },
    /// Chosen; the phone does not ring yet.
    Reserved {
        /// The offer.
        offer: OfferKey,
        /// Since when ready before: the place in line comes back when the offer is withdrawn.
        since: Instant,
    },
    /// The phone rings.
    Ringing {
        /// The offer.
        offer: OfferKey,
        /// As in `Reserved`.
        since: Instant,
    },
    /// Connected with a caller of a queue.
    Talking {
        /// The call.
        call: CallKey,
    },
    /// Connected, and the agent has put the caller on hold.
    Hold {
        /// The call.
        call: CallKey,
    },
    /// After a call, until its time is over or the agent ends it.
    WrapUp(WrapUp),
    /// Would be ready, but the agent's phone is in a call of its own.
    Personal,
    /// The agent's phone is in a call to the outside. What the agent was before, or wished since, comes after it.
    Outbound,
}

/// A call of a phone that no queue made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum OwnCall {
    /// With somebody in the house, with the box, or from the outside.
    Inside,
    /// To the outside.
    Outside,
}

/// Terms of a wrap-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WrapUp {
    /// When it ends by itself, unless a disposition is owed.
    pub until: Instant,
    /// When it ends whatever is owed, and the latest that it can be extended to.
    pub latest: Instant,
    /// The queue demands a disposition that has not been given.
    pub owes: bool,
}

/// What an agent will be once the call and its wrap-up are over, instead of ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Wish {
    /// Not ready, with a reason.
    NotReady(u8),
    /// Logged out.
    LogOut,
}

impl Wish {
    /// Its name in events.
    pub fn name(self) -> String {
        match self {
            Wish::NotReady(reason) => format!("not-ready {reason}"),
            Wish::LogOut => "logged-out".into(),
        }
    }
}

impl State {
    /// The state's name in events and reports.
    pub fn name(self) -> String {
        match self {
            State::LoggedOut => "logged-out".into(),
            State::NotReady { reason } => format!("not-ready {reason}"),
            State::Ready { .. } => "ready".into(),
            State::Reserved { .. } => "reserved".into(),
            State::Ringing { .. } => "ringing".into(),
            State::Talking { .. } => "talking".into(),
            State::Hold { .. } => "hold".into(),
            State::WrapUp(_) => "wrap-up".into(),
            State::Personal => "personal".into(),
            State::Outbound => "outbound".into(),
        }
    }

    /// The offer that is under way to the agent.
    pub fn offer(self) -> Option<OfferKey> {
        match self {
            State::Reserved { offer, .. } | State::Ringing { offer, .. } => Some(offer),
            State::LoggedOut
            | State::NotReady { .. }
            | State::Ready { .. }
            | State::Talking { .. }
            | State::Hold { .. }
            | State::WrapUp(_)
            | State::Personal
            | State::Outbound => None,
        }
    }

    /// The queue call that the agent is connected with.
    pub fn call(self) -> Option<CallKey> {
        match self {
            State::Talking { call } | State::Hold { call } => Some(call),
            State::LoggedOut
            | State::NotReady { .. }
            | State::Ready { .. }
            | State::Reserved { .. }
            | State::Ringing { .. }
            | State::WrapUp(_)
            | State::Personal
            | State::Outbound => None,
        }
    }

    /// Busy with a call of a queue or what follows it, or with a call to the outside: a wish waits until then.
    pub(crate) fn is_engaged(self) -> bool {
        match self {
            State::Talking { .. } | State::Hold { .. } | State::Outbound => true,
            State::WrapUp(wrap_up) => wrap_up.owes,
            State::LoggedOut
            | State::NotReady { .. }
            | State::Ready { .. }
            | State::Reserved { .. }
            | State::Ringing { .. }
            | State::Personal => false,
        }
    }
}

/// What happens to an agent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happening {
    /// Login code, or `logged-in yes` at the first start.
    LogIn,
    /// Login code while logged in.
    LogOut,
    /// Not-ready code with a reason.
    GoNotReady(u8),
    /// Not-ready code while not ready.
    GoReady,
    /// Chosen by the router.
    Chosen(OfferKey),
    /// The phone says that it rings.
    Rings(OfferKey),
    /// The offer ended without an answer; not ready for this reason, or ready again, at the end of the line.
    OfferLost(OfferKey, Option<u8>),
    /// The offer was withdrawn through no fault of the agent.
    OfferWithdrawn(OfferKey),
    /// The agent and the caller are joined.
    Answered(OfferKey, CallKey),
    /// The agent put the caller on hold (true) or took it back.
    Held(CallKey, bool),
    /// The call is over; with what follows.
    CallOver(CallKey, Option<WrapUp>),
    /// Wrap-up code: until then.
    WrapUpExtended(Instant),
    /// A disposition was given.
    Disposed,
    /// The agent ends wrap-up.
    WrapUpFinished,
    /// Wrap-up timer.
    WrapUpTimeOver,
    /// The phone's own calls are others now.
    OwnCalls,
    /// The phone registered.
    PhoneBack,
}

/// What else decides about the next state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Around {
    /// The time.
    pub now: Instant,
    /// The agent's phone is in a call of its own; one to the outside counts before others.
    pub own: Option<OwnCall>,
    /// What the agent, or a supervisor, wanted while that was not possible.
    pub wish: Option<Wish>,
}

impl Around {
    /// The state of an agent whom nothing occupies any more.
    fn free(&self) -> State {
        match (self.own, self.wish) {
            (Some(OwnCall::Outside), _) => State::Outbound,
            (Some(OwnCall::Inside) | None, Some(Wish::NotReady(reason))) => State::NotReady { reason },
            (Some(OwnCall::Inside) | None, Some(Wish::LogOut)) => State::LoggedOut,
            (Some(OwnCall::Inside), None) => State::Personal,
            (None, None) => State::Ready { since: self.now },
        }
    }
}

/// The state that follows; none when nothing changes.
pub fn next(state: State, happening: Happening, around: &Around) -> Option<State> {
    use Happening as H;
    use State as S;
    let now = around.now;
    match (happening, state) {
        (H::LogIn, S::LoggedOut) => Some(around.free()),
        // During an offer or a call nothing changes at once: `Pbx::agent_wants` withdraws the offer or keeps the wish.
        (H::LogOut, S::NotReady { .. } | S::Ready { .. } | S::Personal) => Some(S::LoggedOut),
        (H::LogOut, S::WrapUp(wrap_up)) => (!wrap_up.owes).then_some(S::LoggedOut),
        (H::GoNotReady(reason), S::NotReady { .. } | S::Ready { .. } | S::Personal) => Some(S::NotReady { reason }),
        (H::GoNotReady(reason), S::WrapUp(wrap_up)) => (!wrap_up.owes).then_some(S::NotReady { reason }),
        (H::GoReady, S::NotReady { .. }) => Some(around.free()),
        // Whoever asks to be ready takes a wish back by it.
        (H::GoReady, S::WrapUp(wrap_up)) => (!wrap_up.owes).then(|| Around { wish: None, ..*around }.free()),
        (H::WrapUpFinished, S::WrapUp(wrap_up)) => (!wrap_up.owes).then(|| around.free()),
        (H::Chosen(offer), S::Ready { since }) => Some(S::Reserved { offer, since }),
        (H::Rings(rung), S::Reserved { offer, since }) => (rung == offer).then_some(S::Ringing { offer, since }),
        (H::OfferLost(lost, reason), S::Reserved { offer, .. } | S::Ringing { offer, .. }) => {
            (lost == offer).then(|| reason.map_or_else(|| around.free(), |reason| S::NotReady { reason }))
        }
        (H::OfferWithdrawn(gone), S::Reserved { offer, since } | S::Ringing { offer, since }) => (gone == offer)
            .then_some(match around.own {
                Some(OwnCall::Outside) => S::Outbound,
                Some(OwnCall::Inside) => S::Personal,
                None => S::Ready { since },
            }),
        (H::Answered(taken, call), S::Reserved { offer, .. } | S::Ringing { offer, .. }) => {
            (taken == offer).then_some(S::Talking { call })
        }
        (H::Held(on, true), S::Talking { call }) => (on == call).then_some(S::Hold { call }),
        (H::Held(on, false), S::Hold { call }) => (on == call).then_some(S::Talking { call }),
        (H::CallOver(over, after), S::Talking { call } | S::Hold { call }) => {
            let after = after.filter(|w| w.until > now || w.owes);
            (over == call).then(|| after.map_or_else(|| around.free(), S::WrapUp))
        }
        (H::WrapUpExtended(until), S::WrapUp(w)) => {
            let until = until.min(w.latest);
            (until > w.until).then_some(S::WrapUp(WrapUp { until, ..w }))
        }
        (H::Disposed, S::WrapUp(w)) => {
            let after = if w.until > now { S::WrapUp(WrapUp { owes: false, ..w }) } else { around.free() };
            w.owes.then_some(after)
        }
        (H::WrapUpTimeOver, S::WrapUp(w)) => {
            if w.owes && now < w.latest {
                None
            } else {
                Some(around.free())
            }
        }
        (H::OwnCalls, S::NotReady { .. }) => (around.own == Some(OwnCall::Outside)).then_some(S::Outbound),
        (H::OwnCalls, S::Ready { .. }) => around.own.is_some().then(|| around.free()),
        (H::OwnCalls, S::Personal) => (around.own != Some(OwnCall::Inside)).then(|| around.free()),
        (H::OwnCalls, S::Outbound) => (around.own != Some(OwnCall::Outside)).then(|| around.free()),
        (H::PhoneBack, S::NotReady { reason: REASON_UNREACHABLE }) => Some(around.free()),
        (H::PhoneBack, S::NotReady { .. }) => None,
        (
            H::GoReady
            | H::Chosen(_)
            | H::Rings(_)
            | H::OfferLost(..)
            | H::OfferWithdrawn(_)
            | H::Answered(..)
            | H::Held(..)
            | H::CallOver(..)
            | H::WrapUpExtended(_)
            | H::Disposed
            | H::WrapUpFinished
            | H::WrapUpTimeOver
            | H::OwnCalls
            | H::PhoneBack
            | H::LogOut
            | H::GoNotReady(_),
            S::LoggedOut,
        )
        | (
            H::LogIn
            | H::Chosen(_)
            | H::Rings(_)
            | H::OfferLost(..)
            | H::OfferWithdrawn(_)
            | H::Answered(..)
            | H::Held(..)
            | H::CallOver(..)
            | H::WrapUpExtended(_)
            | H::Disposed
            | H::WrapUpFinished
            | H::WrapUpTimeOver,
            S::NotReady { .. },
        )
        | (
            H::LogIn
            | H::GoReady
            | H::Rings(_)
            | H::OfferLost(..)
            | H::OfferWithdrawn(_)
            | H::Answered(..)
            | H::Held(..)
            | H::CallOver(..)
            | H::WrapUpExtended(_)
            | H::Disposed
            | H::WrapUpFinished
            | H::WrapUpTimeOver
            | H::PhoneBack,
            S::Ready { .. },
        )
        | (
            H::LogIn
            | H::LogOut
            | H::GoNotReady(_)
            | H::GoReady
            | H::Chosen(_)
            | H::Held(..)
            | H::CallOver(..)
            | H::WrapUpExtended(_)
            | H::Disposed
            | H::WrapUpFinished
            | H::WrapUpTimeOver
            | H::OwnCalls
            | H::PhoneBack,
            S::Reserved { .. } | S::Ringing { .. },
        )
        | (H::Rings(_), S::Ringing { .. })
        | (
            H::LogIn
            | H::LogOut
            | H::GoNotReady(_)
            | H::GoReady
            | H::Chosen(_)
            | H::Rings(_)
            | H::OfferLost(..)
            | H::OfferWithdrawn(_)
            | H::Answered(..)
            | H::WrapUpExtended(_)
            | H::Disposed
            | H::WrapUpFinished
            | H::WrapUpTimeOver
            | H::OwnCalls
            | H::PhoneBack,
            S::Talking { .. } | S::Hold { .. },
        )
        | (H::Held(_, false), S::Talking { .. })
        | (H::Held(_, true), S::Hold { .. })
        | (
            H::LogIn
            | H::Chosen(_)
            | H::Rings(_)
            | H::OfferLost(..)
            | H::OfferWithdrawn(_)
            | H::Answered(..)
            | H::Held(..)
            | H::CallOver(..)
            | H::OwnCalls
            | H::PhoneBack,
            S::WrapUp(_),
        )
        | (
            H::LogIn
            | H::GoReady
            | H::Chosen(_)
            | H::Rings(_)
            | H::OfferLost(..)
            | H::OfferWithdrawn(_)
            | H::Answered(..)
            | H::Held(..)
            | H::CallOver(..)
            | H::WrapUpExtended(_)
            | H::Disposed
            | H::WrapUpFinished
            | H::WrapUpTimeOver
            | H::PhoneBack,
            S::Personal,
        )
        | (
            H::LogIn
            | H::LogOut
            | H::GoNotReady(_)
            | H::GoReady
            | H::Chosen(_)
            | H::Rings(_)
            | H::OfferLost(..)
            | H::OfferWithdrawn(_)
            | H::Answered(..)
            | H::Held(..)
            | H::CallOver(..)
            | H::WrapUpExtended(_)
            | H::Disposed
            | H::WrapUpFinished
            | H::WrapUpTimeOver
            | H::PhoneBack,
            S::Outbound,
        ) => None,
    }
}

impl Pbx {
    /// Something happened to an agent; who does such things ordinarily ([`usual_actor`]) has done it.
    pub(crate) fn agent(&mut self, turn: &mut Turn<'_>, index: AgentIndex, happening: Happening, why: &str) -> bool {
        self.agent_by(turn, index, happening, None, why)
    }

    /// Something happened to an agent: the only writer of an agent's state. Says whether it changed.
    pub(crate) fn agent_by(
        &mut self,
        turn: &mut Turn<'_>,
        index: AgentIndex,
        happening: Happening,
        actor: Option<&str>,
        why: &str,
    ) -> bool {
        let now = turn.now.at;
        let (own, seat_taken) = (self.agents.own_call_of(index), self.agents.seat_taken(index));
        let Some(agent) = self.agents.get_mut(index) else { return false };
        let from = agent.state;
        let Some(to) = next(from, happening, &Around { now, own, wish: agent.wish }) else { return false };
        if from == State::LoggedOut && seat_taken {
            return false;
        }
        match (happening, from, to) {
            (Happening::GoReady, ..) => agent.wish = None,
            // Back to the same after the call.
            (Happening::OwnCalls, State::NotReady { reason }, State::Outbound) => {
                agent.wish = Some(Wish::NotReady(reason));
            }
            (_, _, _) => {}
        }
        // Where the agent was is told also of the one who leaves.
        let phone = agent.phone().unwrap_or_default().to_string();
        agent.enter(to, now);
        if to == State::LoggedOut {
            self.agents.sit_at(index, None);
        } else if from == State::LoggedOut {
            self.agents.begins_work(index);
        }
        match from {
            State::WrapUp(_) => self.timers.clear(Timer::WrapUp(index)),
            State::LoggedOut
            | State::NotReady { .. }
            | State::Ready { .. }
            | State::Reserved { .. }
            | State::Ringing { .. }
            | State::Talking { .. }
            | State::Hold { .. }
            | State::Personal
            | State::Outbound => {}
        }
        match to {
            State::WrapUp(wrap_up) => {
                let at = if wrap_up.owes && wrap_up.until <= now { wrap_up.latest } else { wrap_up.until };
                self.timers.set(Timer::WrapUp(index), at);
            }
            // Who waits for an agent that is not at work any more may be served by others.
            State::Ready { .. } | State::NotReady { .. } | State::LoggedOut => self.unmatched = true,
            State::Reserved { .. }
            | State::Ringing { .. }
            | State::Talking { .. }
            | State::Hold { .. }
            | State::Personal
            | State::Outbound => {}
        }
        self.staffing_changed = true;
        let actor = actor.map_or_else(|| self.usual_actor(index, happening), ToString::to_string);
        self.note_agent(turn, index, from, (&actor, phone), why);
        true
    }

    /// Who brings a happening about, unless somebody else is named: the agent, the agent's phone, a timer or the router.
    fn usual_actor(&self, index: AgentIndex, happening: Happening) -> String {
        let Some(agent) = self.agents.get(index) else { return String::new() };
        match happening {
            Happening::LogIn
            | Happening::LogOut
            | Happening::GoNotReady(_)
            | Happening::GoReady
            | Happening::Answered(..)
            | Happening::Held(..)
            | Happening::WrapUpExtended(_)
            | Happening::Disposed
            | Happening::WrapUpFinished => format!("agent {}", agent.id),
            Happening::Chosen(_)
            | Happening::OfferLost(..)
            | Happening::OfferWithdrawn(_)
            | Happening::CallOver(..) => "router".into(),
            Happening::WrapUpTimeOver => "timer wrap-up".into(),
            Happening::Rings(_) | Happening::OwnCalls | Happening::PhoneBack => {
                format!("phone {}", agent.phone().unwrap_or_default())
            }
        }
    }

    fn note_agent(
        &mut self,
        turn: &mut Turn<'_>,
        index: AgentIndex,
        from: State,
        (actor, phone): (&str, String),
        why: &str,
    ) {
        let Some(agent) = self.agents.get(index) else { return };
        let (id, to) = (agent.id.clone(), agent.state);
        // What belongs to a call, from its answer to the end of its wrap-up, is told with it.
        let of_a_call = |state: State| state.call().is_some() || matches!(state, State::WrapUp(_));
        let joined = to.call().or(from.call()).and_then(|call| self.calls.get(call)).map(|c| c.uid);
        let last = agent.last.as_ref().map(|l| l.call);
        let call = if of_a_call(from) || of_a_call(to) { joined.or(last) } else { None };
        let detail = Detail::AgentState { agent: id, from: from.name(), to: to.name(), why: why.to_string(), phone };
        self.note(turn, call, None, actor, detail);
        self.agent_lamp(turn, index);
    }

    /// Wrap-up's time has come.
    pub(crate) fn wrap_up_due(&mut self, turn: &mut Turn<'_>, index: AgentIndex) {
        let Some(agent) = self.agents.get(index) else { return };
        let State::WrapUp(wrap_up) = agent.state else { return };
        let (id, last) = (agent.id.clone(), agent.last.clone());
        if wrap_up.owes && turn.now.at < wrap_up.latest {
            self.timers.set(Timer::WrapUp(index), wrap_up.latest);
            return;
        }
        if let (true, Some(last)) = (wrap_up.owes, last) {
            let detail = Detail::Disposition { agent: id, queue: last.queue, code: 0 };
            self.note(turn, Some(last.call), None, "timer", detail);
        }
        self.agent(turn, index, Happening::WrapUpTimeOver, "wrap-up time over");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::slab::Key;

    fn offer(n: u32) -> OfferKey {
        OfferKey::from_parts(n, 0)
    }

    fn at(us: u64) -> Around {
        Around { now: Instant::from_micros(us), own: None, wish: None }
    }

    fn call() -> CallKey {
        CallKey::from_parts(0, 0)
    }

    #[test]
    fn a_late_answer_to_another_offer_changes_nothing() {
        let around = at(5);
        let state = State::Ringing { offer: offer(2), since: around.now };
        assert_eq!(next(state, Happening::Answered(offer(1), call()), &around), None);
        assert_eq!(next(state, Happening::Answered(offer(2), call()), &around), Some(State::Talking { call: call() }));
    }

    #[test]
    fn a_withdrawn_offer_gives_the_place_in_line_back() {
        let since = Instant::from_micros(3);
        let chosen = next(State::Ready { since }, Happening::Chosen(offer(1)), &at(9)).unwrap();
        let rings = next(chosen, Happening::Rings(offer(1)), &at(9)).unwrap();
        assert_eq!(next(rings, Happening::OfferWithdrawn(offer(1)), &at(9)), Some(State::Ready { since }));
        let lost = next(rings, Happening::OfferLost(offer(1), None), &at(9));
        assert_eq!(lost, Some(State::Ready { since: at(9).now }), "a missed offer goes to the end of the line");
    }

    #[test]
    fn no_wrap_up_means_ready_at_once_and_an_own_call_means_personal() {
        let talking = State::Talking { call: call() };
        let over = Happening::CallOver(call(), None);
        assert_eq!(next(talking, over, &at(5)), Some(State::Ready { since: at(5).now }));
        assert_eq!(next(talking, over, &Around { own: Some(OwnCall::Inside), ..at(5) }), Some(State::Personal));
        assert_eq!(next(State::Personal, Happening::OwnCalls, &at(5)), Some(State::Ready { since: at(5).now }));
    }

    #[test]
    fn a_wish_is_granted_when_the_call_and_its_wrap_up_are_over() {
        let wrap_up = WrapUp { until: at(9).now, latest: at(20).now, owes: false };
        let wishing = Around { wish: Some(Wish::NotReady(2)), ..at(5) };
        let after = next(State::Hold { call: call() }, Happening::CallOver(call(), Some(wrap_up)), &wishing);
        assert_eq!(after, Some(State::WrapUp(wrap_up)));
        let free = next(State::WrapUp(wrap_up), Happening::WrapUpTimeOver, &Around { now: at(9).now, ..wishing });
        assert_eq!(free, Some(State::NotReady { reason: 2 }));
        let asks = next(State::WrapUp(wrap_up), Happening::GoReady, &wishing);
        assert_eq!(asks, Some(State::Ready { since: at(5).now }), "asking to be ready takes the wish back");
    }

    #[test]
    fn an_owed_disposition_keeps_wrap_up_open_until_its_latest_end() {
        let owing = State::WrapUp(WrapUp { until: at(9).now, latest: at(20).now, owes: true });
        assert_eq!(next(owing, Happening::WrapUpFinished, &at(5)), None);
        assert_eq!(next(owing, Happening::WrapUpTimeOver, &at(9)), None);
        assert_eq!(next(owing, Happening::Disposed, &at(10)), Some(State::Ready { since: at(10).now }));
        assert_eq!(next(owing, Happening::WrapUpTimeOver, &at(20)), Some(State::Ready { since: at(20).now }));
        let extended = next(owing, Happening::WrapUpExtended(at(99).now), &at(5));
        assert_eq!(extended, Some(State::WrapUp(WrapUp { until: at(20).now, latest: at(20).now, owes: true })));
    }

    #[test]
    fn only_the_unreachable_reason_heals_by_registration() {
        let back = |reason| next(State::NotReady { reason }, Happening::PhoneBack, &at(5));
        assert_eq!(back(REASON_UNREACHABLE), Some(State::Ready { since: at(5).now }));
        assert_eq!(back(REASON_RONA), None);
        assert_eq!(back(1), None);
    }

    #[test]
    fn a_call_to_the_outside_gives_back_what_was_before_or_what_was_wished() {
        let outside = |wish| Around { own: Some(OwnCall::Outside), wish, ..at(5) };
        let after = |wish| next(State::Outbound, Happening::OwnCalls, &Around { wish, ..at(9) });
        for before in [State::Ready { since: at(1).now }, State::NotReady { reason: 6 }, State::Personal] {
            assert_eq!(next(before, Happening::OwnCalls, &outside(None)), Some(State::Outbound), "{before:?}");
        }
        assert_eq!(next(State::Outbound, Happening::OwnCalls, &outside(None)), None, "a second one");
        assert_eq!(after(None), Some(State::Ready { since: at(9).now }));
        assert_eq!(after(Some(Wish::NotReady(6))), Some(State::NotReady { reason: 6 }));
        assert_eq!(after(Some(Wish::LogOut)), Some(State::LoggedOut));
        let inside = Around { own: Some(OwnCall::Inside), ..at(9) };
        assert_eq!(next(State::Outbound, Happening::OwnCalls, &inside), Some(State::Personal), "another call goes on");
        assert!(State::Outbound.is_engaged(), "wishes wait");
        assert_eq!(next(State::Outbound, Happening::Chosen(offer(1)), &outside(None)), None);
    }

    #[test]
    fn whoever_is_free_during_a_call_to_the_outside_is_in_it() {
        let outside = Around { own: Some(OwnCall::Outside), wish: Some(Wish::NotReady(2)), ..at(5) };
        let over = Happening::CallOver(call(), None);
        assert_eq!(next(State::Talking { call: call() }, over, &outside), Some(State::Outbound));
        let ringing = State::Ringing { offer: offer(1), since: at(1).now };
        assert_eq!(next(ringing, Happening::OfferWithdrawn(offer(1)), &outside), Some(State::Outbound));
        assert_eq!(next(State::LoggedOut, Happening::LogIn, &outside), Some(State::Outbound));
    }
}
