//! The leg-event journal: facts with a versioned schema, kept for the whole retention period. CDR, agent times, call
//! ladder and every report are derived from these rows and from nothing else.

mod table;

use alloc::string::String;
use alloc::vec::Vec;
use base::id::Uid;
use base::time::{Instant, Wall};
use serde::{Deserialize, Serialize};

use crate::config::Strategy;
use crate::precedence::Precedence;
use crate::switch::Mode;

/// One row of the table `leg_event`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LegEvent {
    /// Gap-free for the life of the box.
    pub seq: u64,
    /// Monotonic time, for order and durations.
    pub at: Instant,
    /// UTC, for people.
    pub wall: Wall,
    /// The call; none for facts about agents, phones or lines alone.
    pub call: Option<Uid>,
    /// Leg within the call, from 0 (the caller); none for facts about the whole call.
    pub leg: Option<u32>,
    /// Who caused it: `line 1/1`, `sip`, `agent 1001`, `router`, `timer`, `recovery`.
    pub actor: String,
    /// What happened.
    pub detail: Detail,
}

/// What happened. Variants are only ever added at the end; the name of the variant is the row's `kind`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Detail {
    /// A call came in: the first row of each call.
    CallBegan {
        /// Who calls, as signalled; empty when withheld.
        caller: String,
        /// What was dialled.
        called: String,
        /// `line 1/1`, `extension 2001`, `trunk carrier`.
        origin: String,
    },
    /// Where the dialplan sent it, and why.
    Routed {
        /// `menu main`, `queue support`, `extension 2002`, `echo`, `none`.
        to: String,
        /// The rule and where it stands in the configuration.
        why: String,
    },
    /// A line event of the call's port.
    Line {
        /// `ring began`, `off-hook`, `battery lost`.
        what: String,
    },
    /// A SIP message of one leg.
    Sip {
        /// True when we sent it.
        sent: bool,
        /// First line.
        message: String,
    },
    /// The leg began to be ours: off-hook, or 2xx sent or received.
    Answered,
    /// A key was pressed.
    Digit {
        /// Which.
        digit: char,
        /// `rfc4733`, `inband`, `info`.
        how: String,
    },
    /// A media step: `create`, `play menu-main`, `join`, `record`.
    Media {
        /// What.
        what: String,
    },
    /// Entered a queue.
    Queued {
        /// Queue name.
        queue: String,
        /// Priority.
        priority: u8,
        /// Position, from 1.
        position: u32,
    },
    /// Offered to an agent; with the reason `select` gave.
    Offered {
        /// Queue name.
        queue: String,
        /// Agent id.
        agent: String,
        /// The caller's priority, 0-10.
        priority: u8,
        /// Time in queue so far, in ms.
        wait_ms: u64,
        /// How the queue orders its agents.
        strategy: Strategy,
        /// Rings of relaxation that were open: 0 before the first.
        ring: u32,
        /// The caller came first because the starvation bound was reached.
        starved: bool,
        /// Every candidate looked at, with the terms that decided: [`crate::select::decide`] over them names the winner
        /// again.
        #[serde(with = "table")]
        candidates: Vec<Candidate>,
        /// Why this caller and no other; none where the table of the offer before counts (ring-all), and in rows of
        /// earlier versions.
        #[serde(default)]
        callers: Option<Precedence>,
        /// In words.
        why: String,
    },
    /// An offer ended without an answer.
    OfferEnded {
        /// Agent id.
        agent: String,
        /// `no-answer`, `not-confirmed` (answered, but the confirm key was not pressed), `busy`, `rejected`,
        /// `unreachable`, `caller-gone`.
        cause: String,
        /// How long it rang, in ms: until a phone was answered, or the end of the offer.
        ring_ms: u64,
    },
    /// Caller and agent, or two extensions, hear each other. A supervisor who takes a call over is a second row of the
    /// same visit to the queue, with `wait_ms` 0: not another answered call.
    Connected {
        /// Agent id or extension.
        with: String,
        /// Queue name, empty outside queues.
        queue: String,
        /// Time in queue in ms.
        wait_ms: u64,
    },
    /// The caller left the queue unanswered.
    Abandoned {
        /// Queue name.
        queue: String,
        /// Time in queue in ms.
        wait_ms: u64,
        /// `caller`, `max-wait`, `fault`.
        by: String,
    },
    /// A leg is over. SIP messages of its tear-down and its media counts may follow.
    LegEnded {
        /// Cause: `bye`, `battery-lost`, `media-timeout`, `refused 486`, `cancelled`, `no-answer`.
        cause: String,
    },
    /// The call is over; its times end here. Rows about its tear-down may follow: `Sip`, `LegMedia`, `Media`, and
    /// `SetAside` when that is why it ended.
    CallEnded {
        /// Who or what ended it.
        by: String,
        /// `ANSWERED`, `NO ANSWER`, `BUSY`, `FAILED` (Asterisk's dispositions).
        disposition: String,
    },
    /// A recording of the call.
    RecordingBegan {
        /// Its identity.
        recording: Uid,
    },
    /// It ended.
    RecordingEnded {
        /// Its identity.
        recording: Uid,
        /// Length by the clock, in ms.
        length_ms: u64,
    },
    /// An agent changed state.
    AgentState {
        /// Agent id.
        agent: String,
        /// State left.
        from: String,
        /// State entered.
        to: String,
        /// Why.
        why: String,
        /// Extension of the phone that the agent works at; empty when none.
        phone: String,
    },
    /// An extension's contacts changed.
    Registered {
        /// Extension.
        extension: String,
        /// Contacts now.
        contacts: u32,
    },
    /// The program came back in the middle of the call.
    Recovered {
        /// Time since the last input before, in ms: it was away for no longer.
        gap_ms_max: u64,
    },
    /// A bug of ours ended the call.
    SetAside {
        /// Journal number of the input that was set aside.
        input_seq: u64,
    },
    /// Final media counts of a leg, once the engine has closed it.
    LegMedia {
        /// Packets sent.
        sent: u64,
        /// Packets taken from the peer.
        received: u64,
        /// Sequence numbers that never came.
        lost: u64,
        /// Packets from strangers, dropped.
        strangers: u64,
    },
    /// The peer put the call on hold (true) or took it back.
    Held {
        /// On hold.
        held: bool,
    },
    /// Nobody could serve a waiting caller: told at the first attempt, and again when a ring of relaxation did not help.
    Unserved {
        /// Queue name.
        queue: String,
        /// Rings of relaxation that were open.
        ring: u32,
        /// Every member of the queue and why it was not eligible.
        #[serde(with = "table")]
        candidates: Vec<Candidate>,
    },
    /// The caller left the queue, or was not let in, and goes elsewhere.
    Overflowed {
        /// Queue name.
        queue: String,
        /// Time in this queue, in ms; 0 when not let in.
        wait_ms: u64,
        /// `wait`, `full`, `empty`, `closed`, `exit 9`, `moved`.
        rule: String,
        /// `queue sales`; `none` when the caller is told so and released.
        to: String,
    },
    /// What an agent will be once the present call is over.
    AgentWish {
        /// Agent id.
        agent: String,
        /// `not-ready 2`, `logged-out`; `ready` takes a wish back.
        wish: String,
    },
    /// What came of a call, as its agent said.
    Disposition {
        /// Agent id.
        agent: String,
        /// Queue name.
        queue: String,
        /// Code of the configuration; 0 when one was due and none was given.
        code: u8,
    },
    /// A supervisor did something, or was refused.
    Supervised {
        /// Id of the supervisor.
        supervisor: String,
        /// `listen`, `whisper`, `barge`, `monitor-end`, `take-over`, `pick`, `move-caller`, `re-prioritise`,
        /// `force-state`, `surge`.
        act: String,
        /// Id of the agent, or name of the queue, that it concerns; may be empty.
        whom: String,
        /// Name of the prompt that told why not; empty when it was done.
        refused: String,
        /// `listen`, `whisper`, `barge`, `monitor-end`: the supervisor's own call. None in rows of earlier versions.
        #[serde(default)]
        own: Option<Uid>,
    },
    /// A waiting caller was given another priority.
    Prioritised {
        /// Queue name.
        queue: String,
        /// From now on.
        priority: u8,
        /// Position that follows, from 1.
        position: u32,
    },
    /// The surge profile was switched.
    Surge {
        /// On.
        on: bool,
        /// It goes off by itself then. None in rows of earlier versions.
        #[serde(default)]
        until: Option<Wall>,
    },
    /// An administrator did something, or was refused.
    Audit {
        /// `commit`, `commit confirmed`, `confirm`, `revert`, `login`, `login-failed`, `numbers-shown`.
        what: String,
        /// Number and comment of a commit; whom or what it concerns.
        about: String,
    },
    /// Day and night were switched over every calendar.
    Mode {
        /// From now on.
        mode: Mode,
        /// The calendars hold again from then on; none: when somebody switches back.
        until: Option<Wall>,
    },
}

/// One agent as the router saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// Agent id.
    pub agent: String,
    /// What it is compared by, most important first; the same names for every eligible candidate of a list. Empty when
    /// excluded.
    pub terms: Vec<Term>,
    /// Why it was not eligible; none when it was.
    pub excluded: Option<Exclusion>,
}

/// One number that agents are compared by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Term {
    /// What it counts, in which unit, and which end wins.
    pub name: TermName,
    /// The number.
    pub value: i64,
}

/// What a term counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TermName {
    /// 1 for the agent that the caller prefers (the one he spoke to last, or the one of his VIP entry), 0 for others.
    Preferred,
    /// Sum of the agent's levels over the skills that are preferred; those that are required only let in or keep out.
    Skill,
    /// Ready for so long, in ms.
    IdleMs,
    /// Calls taken.
    Calls,
    /// Time talked, in ms.
    TalkMs,
    /// Share of the time logged in that was spent on calls, in parts of a thousand.
    OccupancyPermille,
    /// Places in the queue's list between the agent served last and this one, cyclically.
    Distance,
    /// Offers of this call that the agent has had already.
    Tries,
    /// A number drawn for this agent and this decision, 0-4,294,967,295.
    Draw,
    /// Weighted draw: how far the drawn ticket is before the agent's own tickets, cyclically; 0 when it is one of them.
    Ticket,
    /// Place in the queue's list of agents, from 0; unique, so the order is total.
    Position,
}

impl TermName {
    /// Every name, in the order in which a decision compares.
    pub const ALL: [TermName; 11] = [
        TermName::Preferred,
        TermName::Skill,
        TermName::IdleMs,
        TermName::Calls,
        TermName::TalkMs,
        TermName::OccupancyPermille,
        TermName::Distance,
        TermName::Tries,
        TermName::Draw,
        TermName::Ticket,
        TermName::Position,
    ];

    /// Whether the larger number wins; otherwise the smaller does.
    pub const fn higher_wins(self) -> bool {
        match self {
            TermName::Preferred | TermName::Skill | TermName::IdleMs => true,
            TermName::Calls
            | TermName::TalkMs
            | TermName::OccupancyPermille
            | TermName::Distance
            | TermName::Tries
            | TermName::Draw
            | TermName::Ticket
            | TermName::Position => false,
        }
    }

    /// As it stands in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            TermName::Preferred => "preferred",
            TermName::Skill => "skill",
            TermName::IdleMs => "idle-ms",
            TermName::Calls => "calls",
            TermName::TalkMs => "talk-ms",
            TermName::OccupancyPermille => "occupancy-permille",
            TermName::Distance => "distance",
            TermName::Tries => "tries",
            TermName::Draw => "draw",
            TermName::Ticket => "ticket",
            TermName::Position => "position",
        }
    }
}

/// Why an agent was not eligible.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Exclusion {
    /// The rule.
    pub rule: Rule,
    /// What the rule looked at: the name of a state (`wrap-up`), a skill (`billing`), a skill with the level that the
    /// agent has and the one that is required (`billing 3 < 5`).
    pub detail: String,
    /// Path of the line in the configuration that decided: `queue support skill billing`; empty when none did.
    pub config: String,
}

/// The rules that keep an agent out of a decision.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// In a state that takes no offers; the detail is its name.
    NotReady,
    /// No phone of the agent can be reached.
    PhoneNotRegistered,
    /// Does not have a skill that is required.
    SkillMissing,
    /// Has the skill, below the level that is required now.
    SkillLevel,
    /// The caller waits for the agent it prefers.
    WaitsForPreferred,
    /// Has had as many calls in the last hour as it may.
    CallsPerHour,
    /// Did not answer a moment ago; the pause before the next offer is not over.
    RetryDelay,
    /// Not yet among the agents that ring-progressively has reached.
    RingStep,
    /// Does not serve the queue (yet: a ring of relaxation may add it).
    NotMember,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Rule; 9] = [
        Rule::NotReady,
        Rule::PhoneNotRegistered,
        Rule::SkillMissing,
        Rule::SkillLevel,
        Rule::WaitsForPreferred,
        Rule::CallsPerHour,
        Rule::RetryDelay,
        Rule::RingStep,
        Rule::NotMember,
    ];

    /// As it stands in the journal.
    pub const fn as_str(self) -> &'static str {
        match self {
            Rule::NotReady => "not-ready",
            Rule::PhoneNotRegistered => "phone-not-registered",
            Rule::SkillMissing => "skill-missing",
            Rule::SkillLevel => "skill-level",
            Rule::WaitsForPreferred => "waits-for-preferred",
            Rule::CallsPerHour => "calls-per-hour",
            Rule::RetryDelay => "retry-delay",
            Rule::RingStep => "ring-step",
            Rule::NotMember => "not-member",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_code_are_those_of_the_journal() {
        for name in TermName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
        for rule in Rule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), rule.as_str());
        }
        assert!(TermName::ALL.is_sorted());
    }
}
