//! What a site says about its queues, agents and supervisors, as typed values. Only the values: their keywords, bounds and
//! defaults stand in [`super::leaves`], what they do in the modules beside `config`.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::{Config, Destination};
use crate::calendar::{DaysOff, Extra, Hours};
use crate::config::Language;
use crate::text::reason;

/// An enum of which each value is one word of the text form.
macro_rules! words {
    ($(#[$about:meta])* $name:ident $words:ident { $($(#[$doc:meta])* $value:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$doc])* $value,)*
        }

        /// Its words, in the order of its values.
        pub(super) const $words: &[&str] = &[$($word),*];

        impl $name {
            /// All values.
            pub const ALL: &[$name] = &[$($name::$value),*];

            /// As written in a configuration.
            pub const fn word(self) -> &'static str {
                match self {
                    $($name::$value => $word,)*
                }
            }

            /// The value of a word; none when there is no such word.
            pub fn of_word(word: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.word() == word)
            }
        }
    };
}

words! {
    /// How a queue chooses among its ready agents.
    Strategy STRATEGY_WORDS {
        /// Offers the call to all at once; the first to answer has it.
        RingAll = "ring-all",
        /// Who has been idle longest.
        LongestIdle = "longest-idle",
        /// Who has answered the fewest calls.
        FewestCalls = "fewest-calls",
        /// Who has talked least.
        LeastTalkTime = "least-talk-time",
        /// Whose occupancy is lowest.
        LeastOccupied = "least-occupied",
        /// The next after the one served last, over all calls.
        RoundRobin = "round-robin",
        /// The first in the order of `agents`.
        Linear = "linear",
        /// In the order of `agents`, each once per call before the first is tried again.
        TopDown = "top-down",
        /// By lot.
        Random = "random",
        /// By lot, better skilled agents more often.
        WeightedRandom = "weighted-random",
        /// The first, then one more every `ring-step-s`, those before going on to ring.
        RingProgressively = "ring-progressively",
    }
}

words! {
    /// A reason why an agent does not count when a queue is asked whether anybody serves it. Names of Asterisk.
    EmptyFactor EMPTY_FACTOR_WORDS {
        /// Not ready.
        Paused = "paused",
        /// Known for import only; there are no penalties here.
        Penalty = "penalty",
        /// In a call.
        Inuse = "inuse",
        /// Being offered a call.
        Ringing = "ringing",
        /// Logged out, or the phone is not registered.
        Unavailable = "unavailable",
        /// Has no phone.
        Invalid = "invalid",
        /// Known for import only; every state is known here.
        Unknown = "unknown",
        /// In wrap-up.
        Wrapup = "wrapup",
    }
}

words! {
    /// Why a caller leaves a queue for another place.
    OverflowKind OVERFLOW_KIND_WORDS {
        /// He waited `overflow-wait-s`.
        Wait = "wait",
        /// `max-length` callers wait already.
        Full = "full",
        /// Nobody serves the queue, by `join-empty` or `leave-empty`.
        Empty = "empty",
        /// The calendar is closed.
        Closed = "closed",
    }
}

words! {
    /// What the parties of a call are told before a supervisor listens.
    Consent CONSENT_WORDS {
        /// Nothing.
        None = "none",
        /// A notice is played to the caller.
        Notice = "notice",
    }
}

/// `routing { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Routing {
    /// `priority-step-s`, 0-3600, default 60: one level of priority counts as so many seconds of waiting. 0: priority is
    /// absolute.
    pub priority_step_s: u32,
    /// `starvation-s`, 0-7200, default 300: priority delays nobody by more than this; below every `max-wait-s`. 0: no
    /// bound.
    pub starvation_s: u32,
    /// `sticky-days`, 0-365, default 30: the agent whom a caller spoke to last is remembered for so long. 0: not at all.
    pub sticky_days: u32,
    /// `emergency-numbers [ 110 119 120 122 ]`, 2-8 digits each, default those of mainland China: they go out as dialled, by
    /// the first route whose trunk can be called, whatever its prefix, and are never barred.
    pub emergency_numbers: Vec<String>,
}

/// `calendar office { … }`; what it means is in [`crate::calendar`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Calendar {
    /// `hours [ mon-fri/09:00-18:00 ]`; default none.
    pub hours: Vec<Hours>,
    /// `closed [ 2026-10-01/2026-10-07 ]`; default none.
    pub closed: Vec<DaysOff>,
    /// `extra [ 2026-10-10/09:00-18:00 ]`; default none.
    pub extra: Vec<Extra>,
}

/// `skill billing { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Skill {
    /// `title`: for people; default its name.
    pub title: String,
}

/// `agent 1001 { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Agent {
    /// `name`; default its number.
    pub name: String,
    /// `extension`: the phone at which the agent is without logging in by id; default none. One agent per extension.
    pub extension: Option<String>,
    /// `pin`, 4-8 digits: for logging in at any phone; default none, then the agent cannot.
    pub pin: Option<String>,
    /// `logged-in yes|no`, default no: state at the first start, before the agent used a phone. Needs an extension.
    pub logged_in: bool,
    /// `skills [ billing:7 english:5 ]`: levels 1-10; default none.
    pub skills: BTreeMap<String, u8>,
    /// `calls-per-hour-max`, 0-240: no offer beyond so many answered calls in the last hour; default 0, no bound.
    pub calls_per_hour_max: u32,
}

/// `queue support { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Queue {
    /// `title`: for people; default its name.
    pub title: String,
    /// `agents [ 1001 1002 ]`, in the order that [`Strategy::Linear`] and others use; default none.
    pub agents: Vec<String>,
    /// `strategy`, default `longest-idle`.
    pub strategy: Strategy,
    /// `skill billing { level 5; }`: what callers of this queue want.
    pub skills: BTreeMap<String, Wanted>,
    /// `relax 30 { … }`: after so many seconds of waiting less is asked for.
    pub relax: BTreeMap<u32, Relax>,
    /// `priority`, 0-10, default 5; higher is served first where an agent serves several queues.
    pub priority: u8,
    /// `weight`, 0-100, default 0: callers of a heavier queue are served first, before any priority; the starvation bound still
    /// holds.
    pub weight: u8,
    /// `ring-timeout-s`, 3-120, default 15: an offer not answered by then is withdrawn (RONA).
    pub ring_timeout_s: u32,
    /// `ring-step-s`, 1-60, default 5: [`Strategy::RingProgressively`] adds an agent so often.
    pub ring_step_s: u32,
    /// `retry-delay-s`, 0-120, default 0: an agent who missed a call and stays ready is offered none for so long; never less than
    /// 1 s, so that a phone that refuses at once is not rung in a circle.
    pub retry_delay_s: u32,
    /// `rona-no-answer`, 0-9, default 1: so many unanswered offers in a row make the agent not ready. 0: never.
    pub rona_no_answer: u8,
    /// `rona-busy`, 0-9, default 1: the same for a phone that says that it is busy.
    pub rona_busy: u8,
    /// `rona-reject`, 0-9, default 1: the same for offers that the agent declines.
    pub rona_reject: u8,
    /// `rona-unreachable`, 0-9, default 1: the same for a phone that does not react.
    pub rona_unreachable: u8,
    /// `wrap-up-s`, 0-600, default 10.
    pub wrap_up_s: u32,
    /// `wrap-up-extend-s`, 0-600, default 60: what one dialled extension adds.
    pub wrap_up_extend_s: u32,
    /// `wrap-up-max-s`, 0-7200, default 600: wrap-up with its extensions is over then; not below `wrap-up-s`.
    pub wrap_up_max_s: u32,
    /// `disposition-required yes|no`, default no: wrap-up does not end before a result was dialled, or `wrap-up-max-s`.
    pub disposition_required: bool,
    /// `max-wait-s`, 0-7200, default 600; 0 is no bound. Afterwards the caller hears busy and is released.
    pub max_wait_s: u32,
    /// `max-length`, 0-1000, default 0: no more callers wait at once. 0: no bound.
    pub max_length: u32,
    /// `overflow-wait-s`, 0-7200, default 0: who waited so long goes where `overflow wait` says. 0: nobody.
    pub overflow_wait_s: u32,
    /// `calendar office`: when it is closed, nobody is let in; default always open.
    pub calendar: Option<String>,
    /// `join-empty [ paused … ]`: agents to whom one of these applies do not count; when none counts, callers are not let
    /// in. Default none: callers are always let in.
    pub join_empty: BTreeSet<EmptyFactor>,
    /// `leave-empty [ … ]`: the same for callers who wait already; default none: they wait on.
    pub leave_empty: BTreeSet<EmptyFactor>,
    /// `overflow full { to queue sales; }`; without it the caller hears busy and is released.
    pub overflow: BTreeMap<OverflowKind, Destination>,
    /// `exit 0 { to extension 2005; }`: a waiting caller leaves by this key.
    pub exits: BTreeMap<char, Destination>,
    /// `sticky-wait-s`, 0-600, default 0: the caller waits so long for the agent to whom he spoke last. 0: not at all.
    pub sticky_wait_s: u32,
    /// `agent-announce sales-call`: prompt played to the agent before the caller is joined; default none.
    pub agent_announce: Option<String>,
    /// `confirm-key 1`: the agent must press it before the caller is joined; default none.
    pub confirm_key: Option<char>,
    /// `monitor yes|no`, default yes: whether supervisors may listen to its calls, whisper and barge in. Taking over is
    /// always allowed: nobody listens unseen, the caller and the agent notice it at once.
    pub monitor: bool,
    /// `monitor-tone yes|no`, default yes: the agent hears a tone when a supervisor comes.
    pub monitor_tone: bool,
    /// `monitor-consent none|notice`, default `none`. With `notice` the caller is told at the beginning, and offered to
    /// nobody before he has heard it to its end; should it fail, he is served, and nobody listens to him.
    pub monitor_consent: Consent,
    /// `surge-agents [ 1005 ]`: serve the queue, too, while the surge profile is on; default none.
    pub surge_agents: Vec<String>,
    /// `surge-wrap-up-s`, 0-600: in place of `wrap-up-s` while the surge profile is on; default unchanged.
    pub surge_wrap_up_s: Option<u32>,
    /// `record yes|no`, default yes.
    pub record: bool,
}

/// `skill billing { level 5; need required; }` in a queue.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// `level`, 1-10, default 1: the least that a required skill must have; of no effect on a preferred one.
    pub level: u8,
    /// `need required|preferred`, default `required`: whether agents without it are passed over (all who have the level are
    /// then equal, and the strategy decides), or only come later, whoever has most of it first.
    pub required: bool,
}

/// `relax 30 { … }` in a queue. Steps add up: what a former step dropped or added stays so.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Relax {
    /// `level-minus`, 0-9, default 0: from now on required levels are lower by so much, but not below 1.
    pub level_minus: u8,
    /// `drop [ billing ]`: no longer required; default none.
    pub drop: Vec<String>,
    /// `agents [ 1003 ]`: from now on these serve the caller, too; default none.
    pub agents: Vec<String>,
}

/// `supervisor 9001 { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Supervisor {
    /// `name`; default its number.
    pub name: String,
    /// `extension`: the phone at which the supervisor is without a PIN; default none.
    pub extension: Option<String>,
    /// `pin`, 4-8 digits: for any phone; default none.
    pub pin: Option<String>,
    /// `queues [ support ]`: those supervised; default none, which means all.
    pub queues: Vec<String>,
}

impl Supervisor {
    /// Whether a queue is supervised.
    pub fn supervises(&self, queue: &str) -> bool {
        self.queues.is_empty() || self.queues.iter().any(|name| name == queue)
    }
}

/// `reason 3 { … }`: why an agent is not ready.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reason {
    /// `zh`: in Chinese.
    pub zh: String,
    /// `en`: in English.
    pub en: String,
    /// `paid yes|no`: whether the time is paid.
    pub paid: bool,
}

impl Reason {
    /// In one language.
    pub fn name(&self, language: Language) -> &str {
        match language {
            Language::Zh => &self.zh,
            Language::En => &self.en,
        }
    }

    /// The built-in reason of a code: 1-9 for agents, 90-93 set by the box itself.
    pub fn built_in(code: u8) -> Option<Reason> {
        let (key, paid) = match code {
            1 => (reason::BREAK, true),
            2 => (reason::LUNCH, false),
            3 => (reason::TRAINING, true),
            4 => (reason::MEETING, true),
            5 => (reason::PAPERWORK, true),
            6 => (reason::OUTBOUND, true),
            7 => (reason::COACHING, true),
            8 => (reason::TECHNICAL, true),
            9 => (reason::OTHER, false),
            90 => (reason::RONA, true),
            91 => (reason::UNREACHABLE, true),
            92 => (reason::SUPERVISOR, true),
            93 => (reason::SHIFT_END, false),
            _ => return None,
        };
        Some(Reason { zh: key.raw(Language::Zh).into(), en: key.raw(Language::En).into(), paid })
    }
}

/// `disposition 1 { … }`: what came of a call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Disposition {
    /// `zh`: in Chinese.
    pub zh: String,
    /// `en`: in English.
    pub en: String,
}

/// `vip +8613800138000 { … }`: a caller who is known.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Vip {
    /// `priority`, 0-10, default 10: in place of the queue's.
    pub priority: u8,
    /// `agent`: preferred for this caller in each of the agent's queues; default none.
    pub agent: Option<String>,
}

/// `did 4001234 { … }`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Did {
    /// `to`.
    pub to: Destination,
    /// `priority`, 0-10: in place of the queue's; default the queue's own.
    pub priority: Option<u8>,
}

impl Queue {
    /// Whether an agent may come to serve the queue: as a member, by a ring of relaxation, or while the surge profile is on.
    pub fn may_be_served_by(&self, agent: &str) -> bool {
        let relaxed = self.relax.values().flat_map(|ring| &ring.agents);
        self.agents.iter().chain(relaxed).chain(&self.surge_agents).any(|id| id == agent)
    }
}

impl Config {
    /// The not-ready reason of a code: as written, or built in, or its number.
    pub fn reason(&self, code: u8) -> Reason {
        let known = self.reasons.get(&code).cloned().or_else(|| Reason::built_in(code));
        known.unwrap_or_else(|| {
            let words =
                |language| crate::text::text(reason::NUMBERED, language, &[("code", &alloc::format!("{code}"))]);
            Reason { zh: words(Language::Zh), en: words(Language::En), paid: true }
        })
    }
}
