//! Agents and their states: one machine, changed by [`Pbx::agent`] alone. What an agent does is decided elsewhere;
//! what follows from it for the state is decided here.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::time::Instant;
use serde::{Deserialize, Serialize};

use crate::call::CallKey;
use crate::config::Config;
use crate::event::Detail;
use crate::offer::OfferKey;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// Not-ready reason set by the box: an offer was not taken (redirection on no answer).
pub const REASON_RONA: u8 = 90;
/// Not-ready reason set by the box: the phone could not be reached; cleared when it registers again.
pub const REASON_UNREACHABLE: u8 = 91;

/// Place in the table of agents; never used for another agent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct AgentIndex(u32);

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
    /// After a call, until the wrap-up timer or code.
    WrapUp {
        /// When it ends by itself.
        until: Instant,
    },
    /// Would be ready, but the agent's phone is in a call of its own.
    Personal,
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
            State::WrapUp { .. } => "wrap-up".into(),
            State::Personal => "personal".into(),
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
    /// The offer ended without an answer, for this reason code.
    OfferLost(OfferKey, u8),
    /// The offer was withdrawn through no fault of the agent.
    OfferWithdrawn(OfferKey),
    /// The agent answered the offer.
    Answered(OfferKey, CallKey),
    /// The call is over; wrap-up until then (now: none).
    CallOver(CallKey, Instant),
    /// Wrap-up timer or code.
    WrapUpOver,
    /// The phone began its first own call.
    OwnCallBegan,
    /// The phone's last own call ended.
    OwnCallsOver,
    /// The phone registered.
    PhoneBack,
}

/// The state that follows; none when nothing changes.
pub fn next(state: State, happening: Happening, now: Instant, own_call: bool) -> Option<State> {
    use Happening as H;
    use State as S;
    let ready = if own_call { S::Personal } else { S::Ready { since: now } };
    match (happening, state) {
        (H::LogIn, S::LoggedOut) => Some(ready),
        (
            H::LogIn,
            S::NotReady { .. }
            | S::Ready { .. }
            | S::Reserved { .. }
            | S::Ringing { .. }
            | S::Talking { .. }
            | S::WrapUp { .. }
            | S::Personal,
        ) => None,
        // During an offer or a call the phone cannot dial a code for its agent: the offer is taken or lost first.
        (H::LogOut | H::GoNotReady(_), S::LoggedOut | S::Reserved { .. } | S::Ringing { .. } | S::Talking { .. }) => {
            None
        }
        (H::LogOut, S::NotReady { .. } | S::Ready { .. } | S::WrapUp { .. } | S::Personal) => Some(S::LoggedOut),
        (H::GoNotReady(reason), S::NotReady { .. } | S::Ready { .. } | S::WrapUp { .. } | S::Personal) => {
            Some(S::NotReady { reason })
        }
        (H::GoReady, S::NotReady { .. } | S::WrapUp { .. }) => Some(ready),
        (
            H::GoReady,
            S::LoggedOut | S::Ready { .. } | S::Reserved { .. } | S::Ringing { .. } | S::Talking { .. } | S::Personal,
        ) => None,
        (H::Chosen(offer), S::Ready { since }) => Some(S::Reserved { offer, since }),
        (
            H::Chosen(_),
            S::LoggedOut
            | S::NotReady { .. }
            | S::Reserved { .. }
            | S::Ringing { .. }
            | S::Talking { .. }
            | S::WrapUp { .. }
            | S::Personal,
        ) => None,
        (H::Rings(rung), S::Reserved { offer, since }) => (rung == offer).then_some(S::Ringing { offer, since }),
        (H::OfferLost(lost, reason), S::Reserved { offer, .. } | S::Ringing { offer, .. }) => {
            (lost == offer).then_some(S::NotReady { reason })
        }
        (H::OfferWithdrawn(gone), S::Reserved { offer, since } | S::Ringing { offer, since }) => {
            (gone == offer).then_some(if own_call { S::Personal } else { S::Ready { since } })
        }
        (H::Answered(taken, call), S::Reserved { offer, .. } | S::Ringing { offer, .. }) => {
            (taken == offer).then_some(S::Talking { call })
        }
        (
            H::Rings(_),
            S::LoggedOut
            | S::NotReady { .. }
            | S::Ready { .. }
            | S::Ringing { .. }
            | S::Talking { .. }
            | S::WrapUp { .. }
            | S::Personal,
        )
        | (
            H::OfferLost(..) | H::OfferWithdrawn(_) | H::Answered(..),
            S::LoggedOut | S::NotReady { .. } | S::Ready { .. } | S::Talking { .. } | S::WrapUp { .. } | S::Personal,
        ) => None,
        (H::CallOver(over, until), S::Talking { call }) => {
            let after = if until > now { S::WrapUp { until } } else { ready };
            (over == call).then_some(after)
        }
        (
            H::CallOver(..),
            S::LoggedOut
            | S::NotReady { .. }
            | S::Ready { .. }
            | S::Reserved { .. }
            | S::Ringing { .. }
            | S::WrapUp { .. }
            | S::Personal,
        ) => None,
        (H::WrapUpOver, S::WrapUp { .. }) => Some(ready),
        (
            H::WrapUpOver,
            S::LoggedOut
            | S::NotReady { .. }
            | S::Ready { .. }
            | S::Reserved { .. }
            | S::Ringing { .. }
            | S::Talking { .. }
            | S::Personal,
        ) => None,
        (H::OwnCallBegan, S::Ready { .. }) => Some(S::Personal),
        (H::OwnCallsOver, S::Personal) => Some(S::Ready { since: now }),
        (H::PhoneBack, S::NotReady { reason: REASON_UNREACHABLE }) => Some(ready),
        (
            H::OwnCallBegan,
            S::LoggedOut
            | S::NotReady { .. }
            | S::Reserved { .. }
            | S::Ringing { .. }
            | S::Talking { .. }
            | S::WrapUp { .. }
            | S::Personal,
        )
        | (
            H::OwnCallsOver,
            S::LoggedOut
            | S::NotReady { .. }
            | S::Ready { .. }
            | S::Reserved { .. }
            | S::Ringing { .. }
            | S::Talking { .. }
            | S::WrapUp { .. },
        )
        | (
            H::PhoneBack,
            S::LoggedOut
            | S::NotReady { .. }
            | S::Ready { .. }
            | S::Reserved { .. }
            | S::Ringing { .. }
            | S::Talking { .. }
            | S::WrapUp { .. }
            | S::Personal,
        ) => None,
    }
}

/// One agent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Agent {
    /// Id in the configuration.
    pub id: String,
    /// The phone.
    pub extension: String,
    /// Changed by [`Pbx::agent`] alone.
    pub state: State,
    /// Legs of the agent's phone that are not offers of a queue.
    pub own_legs: u32,
}

/// All agents, by place, id and extension.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Agents {
    list: Vec<Agent>,
    by_id: BTreeMap<String, AgentIndex>,
    by_extension: BTreeMap<String, AgentIndex>,
}

impl Agents {
    /// Takes over a configuration: new agents come, changed ones move. Returns who is new and begins logged in, and
    /// who is named no longer.
    pub fn configure(&mut self, config: &Config) -> (Vec<AgentIndex>, Vec<AgentIndex>) {
        let mut begin = Vec::new();
        self.by_extension.clear();
        for (id, wanted) in &config.agents {
            let index = match self.by_id.get(id) {
                Some(index) => *index,
                None => {
                    let index = AgentIndex(self.list.len() as u32);
                    self.list.push(Agent {
                        id: id.clone(),
                        extension: String::new(),
                        state: State::LoggedOut,
                        own_legs: 0,
                    });
                    self.by_id.insert(id.clone(), index);
                    if wanted.logged_in {
                        begin.push(index);
                    }
                    index
                }
            };
            if let Some(agent) = self.list.get_mut(index.0 as usize) {
                agent.extension = wanted.extension.clone().unwrap_or_default();
            }
            if let Some(extension) = &wanted.extension {
                self.by_extension.insert(extension.clone(), index);
            }
        }
        let gone = self.iter().filter(|(_, a)| !config.agents.contains_key(&a.id)).map(|(i, _)| i).collect();
        (begin, gone)
    }

    /// By place.
    pub fn get(&self, index: AgentIndex) -> Option<&Agent> {
        self.list.get(index.0 as usize)
    }

    /// By id.
    pub fn find(&self, id: &str) -> Option<AgentIndex> {
        self.by_id.get(id).copied()
    }

    /// Whose phone this is.
    pub fn at_extension(&self, extension: &str) -> Option<AgentIndex> {
        self.by_extension.get(extension).copied()
    }

    /// All, by place.
    pub fn iter(&self) -> impl Iterator<Item = (AgentIndex, &Agent)> {
        self.list.iter().enumerate().map(|(i, a)| (AgentIndex(i as u32), a))
    }

    fn get_mut(&mut self, index: AgentIndex) -> Option<&mut Agent> {
        self.list.get_mut(index.0 as usize)
    }
}

impl Pbx {
    /// Something happened to an agent: the only writer of an agent's state. Says whether it changed.
    pub(crate) fn agent(&mut self, turn: &mut Turn<'_>, index: AgentIndex, happening: Happening, why: &str) -> bool {
        let now = turn.now.at;
        let Some(agent) = self.agents.get_mut(index) else { return false };
        let Some(state) = next(agent.state, happening, now, agent.own_legs > 0) else { return false };
        let from = core::mem::replace(&mut agent.state, state);
        if let State::WrapUp { .. } = from {
            self.timers.clear(Timer::WrapUp(index));
        }
        match state {
            State::WrapUp { until } => self.timers.set(Timer::WrapUp(index), until),
            State::Ready { .. } => self.unmatched = true,
            State::LoggedOut
            | State::NotReady { .. }
            | State::Reserved { .. }
            | State::Ringing { .. }
            | State::Talking { .. }
            | State::Personal => {}
        }
        let id = agent.id.clone();
        let call = match state {
            State::Talking { call } => self.calls.get(call).map(|c| c.uid),
            _ => None,
        };
        let actor = format!("agent {id}");
        let detail = Detail::AgentState { agent: id, from: from.name(), to: state.name(), why: why.to_string() };
        self.note(turn, call, None, &actor, detail);
        true
    }

    /// A leg of this extension's phone began or ended outside queue offers.
    pub(crate) fn own_leg(&mut self, turn: &mut Turn<'_>, extension: &str, began: bool) {
        let Some(index) = self.agents.at_extension(extension) else { return };
        let Some(agent) = self.agents.get_mut(index) else { return };
        agent.own_legs = if began { agent.own_legs + 1 } else { agent.own_legs.saturating_sub(1) };
        match (began, agent.own_legs) {
            (true, 1) => self.agent(turn, index, Happening::OwnCallBegan, "own call"),
            (false, 0) => self.agent(turn, index, Happening::OwnCallsOver, "own call over"),
            (true | false, _) => false,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::slab::Key;

    fn offer(n: u32) -> OfferKey {
        OfferKey::from_parts(n, 0)
    }

    #[test]
    fn a_late_answer_to_another_offer_changes_nothing() {
        let now = Instant::from_micros(5);
        let state = State::Ringing { offer: offer(2), since: now };
        let call = CallKey::from_parts(0, 0);
        assert_eq!(next(state, Happening::Answered(offer(1), call), now, false), None);
        assert_eq!(next(state, Happening::Answered(offer(2), call), now, false), Some(State::Talking { call }));
    }

    #[test]
    fn a_withdrawn_offer_gives_the_place_in_line_back() {
        let (since, now) = (Instant::from_micros(3), Instant::from_micros(9));
        let chosen = next(State::Ready { since }, Happening::Chosen(offer(1)), now, false).unwrap();
        let rings = next(chosen, Happening::Rings(offer(1)), now, false).unwrap();
        let back = next(rings, Happening::OfferWithdrawn(offer(1)), now, false);
        assert_eq!(back, Some(State::Ready { since }));
    }

    #[test]
    fn no_wrap_up_means_ready_at_once_and_an_own_call_means_personal() {
        let now = Instant::from_micros(5);
        let call = CallKey::from_parts(0, 0);
        let talking = State::Talking { call };
        assert_eq!(next(talking, Happening::CallOver(call, now), now, false), Some(State::Ready { since: now }));
        assert_eq!(next(talking, Happening::CallOver(call, now), now, true), Some(State::Personal));
        assert_eq!(next(State::Personal, Happening::OwnCallsOver, now, false), Some(State::Ready { since: now }));
    }

    #[test]
    fn only_the_unreachable_reason_heals_by_registration() {
        let now = Instant::from_micros(5);
        let back = |reason| next(State::NotReady { reason }, Happening::PhoneBack, now, false);
        assert_eq!(back(REASON_UNREACHABLE), Some(State::Ready { since: now }));
        assert_eq!(back(REASON_RONA), None);
        assert_eq!(back(1), None);
    }
}
