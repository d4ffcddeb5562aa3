//! How things stand: who waits where, what every agent does, which calls there are. Plain values, made here from the
//! live tables; whoever folds the leg events up to a moment makes the same values for that moment. Not the tables
//! themselves, and nothing is decided from it.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::id::Uid;
use base::time::Instant;

use crate::Pbx;
use crate::agent::State;
use crate::call::{Call, CallKey, Origin, Phase};
use crate::offer::{OfferKey, Purpose};
use crate::supervise::mode_name;

/// Queues, agents and calls at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// Calls that wait, by queue, the next to be served first; queues without callers are left out.
    pub queues: BTreeMap<String, Vec<Uid>>,
    /// Agents by id.
    pub agents: BTreeMap<String, AgentNow>,
    /// Calls that are not over.
    pub calls: BTreeMap<Uid, CallNow>,
}

/// One agent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AgentNow {
    /// `ready`, `not-ready 2`, `talking`: as in the leg events.
    pub state: String,
    /// Since when.
    pub since: Instant,
    /// Extension of the phone; empty when none, and when logged out.
    pub phone: String,
    /// The queue call that is offered to the agent, or that the agent talks in.
    pub call: Option<Uid>,
}

/// One call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallNow {
    /// Who calls; empty when withheld.
    pub caller: String,
    /// What was dialled.
    pub called: String,
    /// `line 1/1`, `extension 2001`, `trunk carrier`.
    pub origin: String,
    /// What it does.
    pub phase: PhaseNow,
}

/// What a call does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PhaseNow {
    /// With the box alone: menu, announcement, feature code.
    Reception,
    /// A supervisor who hears another call.
    Monitoring {
        /// `listen`, `whisper`, `barge`.
        mode: String,
        /// The call heard.
        target: Option<Uid>,
    },
    /// In a queue.
    Waiting {
        /// Queue name.
        queue: String,
        /// In this queue since.
        since: Instant,
        /// 0-10.
        priority: u8,
        /// Agents whose phones ring, in the order in which they were chosen.
        ringing: Vec<String>,
    },
    /// The phones of an extension ring.
    Ringing {
        /// Which.
        extension: String,
    },
    /// Somebody outside is called.
    Outside {
        /// As it was sent.
        number: String,
    },
    /// Connected.
    Talking {
        /// Queue that it came through; empty outside queues.
        queue: String,
    },
}

impl Pbx {
    /// How things stand at `now`.
    pub fn standing(&self, now: Instant) -> Standing {
        let waiting =
            |name: &String| self.in_order(name, now).into_iter().filter_map(|call| self.uid_of(call)).collect();
        let live = self.calls.iter().filter(|(_, call)| !call.is_over());
        Standing {
            queues: self.queues.iter().filter(|(_, q)| !q.is_empty()).map(|(n, _)| (n.clone(), waiting(n))).collect(),
            agents: self.agents.iter().map(|(_, agent)| (agent.id.clone(), self.agent_now(agent))).collect(),
            calls: live.map(|(_, call)| (call.uid, self.call_now(call))).collect(),
        }
    }

    fn uid_of(&self, call: CallKey) -> Option<Uid> {
        self.calls.get(call).map(|call| call.uid)
    }

    fn agent_now(&self, agent: &crate::roster::Agent) -> AgentNow {
        let call = match agent.state {
            State::Reserved { offer, .. } | State::Ringing { offer, .. } => self.offers.get(offer).map(|o| o.call),
            State::Talking { call } | State::Hold { call } => Some(call),
            State::LoggedOut
            | State::NotReady { .. }
            | State::Ready { .. }
            | State::WrapUp(_)
            | State::Personal
            | State::Outbound => None,
        };
        AgentNow {
            state: agent.state.name(),
            since: agent.state_since,
            phone: if agent.state == State::LoggedOut { "" } else { agent.phone().unwrap_or_default() }.to_string(),
            call: call.and_then(|call| self.uid_of(call)),
        }
    }

    fn call_now(&self, call: &Call) -> CallNow {
        let origin = match &call.origin {
            Origin::Line(port) => format!("line {}/{}", port.card, port.port),
            Origin::Extension(name) => format!("extension {name}"),
            Origin::Trunk(name) => format!("trunk {name}"),
        };
        let phase = match &call.phase {
            Phase::Arriving
            | Phase::Menu(_)
            | Phase::Asking(_)
            | Phase::Echo { .. }
            | Phase::Announcement { .. }
            | Phase::Over => PhaseNow::Reception,
            Phase::Monitoring(monitoring) => PhaseNow::Monitoring {
                mode: mode_name(monitoring.mode).to_string(),
                target: self.uid_of(monitoring.target),
            },
            Phase::Waiting { place, offers } => PhaseNow::Waiting {
                queue: place.queue.clone(),
                since: place.since,
                priority: place.priority,
                ringing: offers.iter().map(|offer| self.offered_to(*offer)).collect(),
            },
            Phase::Ringing { offer } if self.is_outside(*offer) => {
                PhaseNow::Outside { number: self.offered_to(*offer) }
            }
            Phase::Ringing { offer } => PhaseNow::Ringing { extension: self.offered_to(*offer) },
            Phase::Talking { served, .. } => {
                PhaseNow::Talking { queue: served.as_ref().map_or_else(String::new, |s| s.queue.clone()) }
            }
        };
        CallNow { caller: call.caller.clone(), called: call.called.clone(), origin, phase }
    }

    /// Agent, extension or number outside of an offer.
    fn offered_to(&self, offer: OfferKey) -> String {
        match self.offers.get(offer).map(|offer| &offer.purpose) {
            Some(Purpose::Agent { index, .. }) => self.agents.get(*index).map_or_else(String::new, |a| a.id.clone()),
            Some(Purpose::Extension(name) | Purpose::Outside(name)) => name.clone(),
            None => String::new(),
        }
    }
}
