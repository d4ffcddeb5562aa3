//! The leg-event journal: facts with a versioned schema, kept for the whole retention period. CDR, agent times, call
//! ladder and every report are derived from these rows and from nothing else.

use alloc::string::String;
use alloc::vec::Vec;
use base::id::Uid;
use base::time::{Instant, Wall};
use serde::{Deserialize, Serialize};

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
        /// Every candidate looked at, with the terms that decided.
        candidates: Vec<Candidate>,
        /// In words.
        why: String,
    },
    /// An offer ended without an answer.
    OfferEnded {
        /// Agent id.
        agent: String,
        /// `no-answer`, `busy`, `rejected`, `unreachable`, `caller-gone`.
        cause: String,
        /// How long it rang, in ms.
        ring_ms: u64,
    },
    /// Caller and agent, or two extensions, hear each other.
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
}

/// One agent as the router saw it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// Agent id.
    pub agent: String,
    /// Ready for this long, in ms; the score of longest-idle.
    pub idle_ms: u64,
    /// Empty when eligible, otherwise the rule that excluded it: `not ready (wrap-up)`, `phone not registered`.
    pub excluded: String,
}
