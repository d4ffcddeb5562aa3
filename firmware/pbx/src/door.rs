//! Doors D1, D4 and D5 as values: everything that goes into [`crate::Pbx`] and everything that comes out.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::id::Uid;
use base::line::{LineCommand, LineEvent, PortId};
use base::media;
use base::time::Wall;
use serde::{Deserialize, Serialize};
use signaling::sip::door as sip;

use crate::commit::{Answer, Commit, CommitRow, Unconfirmed};
use crate::config::Config;
use crate::event::LegEvent;
use crate::switch::{Mode, Switches};

/// Into the core. Every input is journaled before it is handled.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Input {
    /// First of all, and again after each restart of the program.
    Boot(Boot),
    /// A configuration is in force: after each `Boot`; with the number of its commit. Changes come as `Commit`.
    Configured(#[serde(with = "crate::config::as_text")] Arc<Config>, u64),
    /// What the leg-event journal knows and the recovered state does not. Comes after `Boot` and `Configured`.
    Rebuilt(Rebuilt),
    /// Network.
    Sip(sip::Input),
    /// Media engine.
    Media(media::Report),
    /// Line card.
    Line(PortId, LineEvent),
    /// The store has made everything up to and including this leg event durable.
    Stored(u64),
    /// The world outside is in trouble, or well again.
    Trouble(Trouble),
    /// Somebody at the box acts.
    Operator {
        /// Who, for the journal: `panel`, `console alice`.
        actor: String,
        /// What.
        act: Act,
    },
    /// Recovery set the journaled input of this number aside because handling it killed the program twice;
    /// its call, when known, is ended.
    SetAside {
        /// Journal sequence number.
        seq: u64,
        /// The input itself, unhandled, boxed so that its call can be found.
        input: alloc::boxed::Box<Input>,
    },
    /// The program is asked to stop; answered with `MayStop`.
    Stop {
        /// By a person who switches the box off: parties are told. Otherwise calls talk on until the next start.
        end_calls: bool,
    },
    /// `deadline()` has come.
    Timer,
    /// Somebody wants another configuration in force; answered by `Output::Answer`.
    Commit(alloc::boxed::Box<Commit>),
    /// The commit of this number is on the disk.
    CommitStored(u64),
    /// Somebody has seen that a commit that would go back by itself is well; answered by `Output::Answer`.
    Confirm {
        /// Who waits for the answer.
        ticket: u64,
        /// Who, for the journal.
        actor: String,
    },
    /// After `Configured`: that commit was not confirmed yet.
    Unconfirmed(Unconfirmed),
}

/// What an operator does at the box itself. Repeating an act is harmless.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Act {
    /// The surge profile on or off.
    Surge {
        /// Wanted.
        on: bool,
        /// It goes off by itself then; none: it stays on.
        until: Option<Wall>,
    },
    /// An alarm was seen.
    Acknowledge {
        /// Name of the alarm.
        name: String,
        /// What it concerns.
        subject: String,
    },
    /// Day and night over every calendar.
    Mode {
        /// Wanted.
        mode: Mode,
        /// The calendars hold again from then on; none: when somebody switches back.
        until: Option<Wall>,
    },
    /// A call is ended.
    HangUp {
        /// Which.
        call: Uid,
    },
    /// An agent is logged out; one who talks, after it.
    LogOut {
        /// Id.
        agent: String,
    },
    /// Something was done that the core has no part in, and that must be on record.
    Audit {
        /// `login`, `login-failed`, `numbers-shown`.
        what: String,
        /// Whom or what it concerns.
        about: String,
    },
}

/// What the program knows at its start. The first input of all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Boot {
    /// From the operating system; keys the random stream.
    pub seed: [u8; 32],
    /// Build identity, for replay.
    pub build: String,
    /// True when state was recovered: media legs, timers and line states are then set up again.
    pub recovered: bool,
    /// True when the machine itself was started anew since the state was saved: no call can have survived. The shell
    /// keeps [`base::time::Instant`] monotonic across it.
    pub machine_restarted: bool,
    /// Leg events are numbered from here at least: the store may hold rows whose inputs a power cut took from the
    /// input journal, and a number must not be used twice.
    pub events_from: u64,
}

/// What the leg-event journal tells of a state that was lost, wholly or (by a power cut) in its last moments.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Rebuilt {
    /// Calls that began and did not end: they get their last row now.
    pub calls_open: Vec<Uid>,
    /// Recordings that were opened and not closed.
    pub recordings_open: Vec<Uid>,
    /// Last state of each agent; empty when the state of agents was recovered.
    pub agents: Vec<AgentWas>,
    /// How hours and surge stood; as without anybody when their state was recovered.
    pub switches: Switches,
}

/// An agent as its last `AgentState` row tells.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgentWas {
    /// Agent id.
    pub id: String,
    /// Name of the state.
    pub state: String,
    /// Extension of the phone; empty when none.
    pub phone: String,
}

/// Trouble of the shell, raised (true) and cleared (false).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum TroubleKind {
    /// The store cannot write (disk full, file damaged).
    StoreWrite,
    /// The recorder had to drop audio.
    RecorderOverrun,
    /// Datagrams were dropped because the inbox was full.
    InboxFull,
    /// The SIP socket cannot be used.
    SipSocket,
    /// No TDM highway.
    Highway,
    /// The hardware thread lost its bus.
    HardwareBus,
    /// The second core value came to other outputs than the first one.
    Diverged,
}

/// One report of trouble.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Trouble {
    /// What.
    pub kind: TroubleKind,
    /// Raised or cleared.
    pub raised: bool,
    /// For people: the place and the remedy.
    pub detail: String,
}

/// Out of the core.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Output {
    /// Network; never `sip::Output::Event`, which stays inside.
    Sip(sip::Output),
    /// Media engine.
    Media(media::Command),
    /// Line card.
    Line(PortId, LineCommand),
    /// Append to the leg-event journal. Idempotent by its `seq`.
    Record(LegEvent),
    /// Open or close a recording's index entry. Idempotent.
    Recording(RecordingChange),
    /// For the operator's log: an alarm raised or cleared.
    Alarm(Alarm),
    /// Answer to `Stop`: nothing keeps the program.
    MayStop,
    /// Append to the history of commits; answered with `CommitStored`.
    StoreCommit(CommitRow),
    /// The commit of this number stays. Idempotent.
    CommitConfirmed(u64),
    /// The commit of this number is in force: what the shell has of it (addresses, languages) follows it.
    InForce(u64),
    /// To whoever holds the ticket, if he still waits.
    Answer(u64, Answer),
}

/// Life of a recording as the store's index sees it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum RecordingChange {
    /// It begins; its key is made now.
    Open {
        /// Its identity, as in the media command.
        recording: Uid,
        /// The call.
        call: Uid,
        /// UTC ms of sample 0.
        began: Wall,
    },
    /// It is complete.
    Close {
        /// Which.
        recording: Uid,
        /// Its length in samples at 8 kHz, by the clock.
        samples: u64,
    },
    /// Its end was never noted; its length is what its chunks hold.
    Lost {
        /// Which.
        recording: Uid,
    },
}

/// Something an operator must know, until it is cleared.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Alarm {
    /// Stable name, e.g. `line-battery`.
    pub name: String,
    /// What it concerns, e.g. `card 1 port 1`.
    pub subject: String,
    /// Raised or cleared.
    pub raised: bool,
    /// Cause and remedy in the configured language.
    pub detail: String,
}
