//! What was expected against what the journal says, row by row; and, when it did not happen, what did, in words.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::time::Instant;
use core::time::Duration;

use super::world::World;
use super::{Failure, LONGEST};
use crate::config::test::{Expectation, Goal, Test};
use crate::event::{Candidate, Detail, LegEvent};
use crate::text::{Text, Value, trial as key, word};

/// What is told of a call at most.
const TOLD_MAX: usize = 12;
/// Agents whose reasons are told at most.
const AGENTS_TOLD_MAX: usize = 4;

pub(super) struct Judge<'t> {
    expected: &'t [Expectation],
    began: Instant,
    /// How many of what is expected have happened.
    met: usize,
    /// When the last of them did.
    since: Instant,
    /// The one that comes next came too late.
    late: bool,
    /// Rows that were looked at.
    seen: usize,
    answered: bool,
    recorded: bool,
    over: bool,
    /// The trunk and number to which it goes.
    outside: Option<(String, String)>,
}

impl<'t> Judge<'t> {
    pub fn new(expected: &'t [Expectation], began: Instant) -> Judge<'t> {
        Judge {
            expected,
            began,
            met: 0,
            since: began,
            late: false,
            seen: 0,
            answered: false,
            recorded: false,
            over: false,
            outside: None,
        }
    }

    /// Looks at the rows that are new.
    pub fn look(&mut self, rows: &[LegEvent]) {
        for row in rows.get(self.seen..).unwrap_or_default() {
            self.row(row);
        }
        self.seen = rows.len();
    }

    /// Nothing can change the verdict any more.
    pub fn is_decided(&self) -> bool {
        self.late || self.over || self.met == self.expected.len()
    }

    /// When what is expected next must have happened.
    pub fn deadline(&self) -> Option<Instant> {
        let within_s = self.expected.get(self.met)?.within_s?;
        // Whatever happens in the last moment has happened in time.
        Some(self.since + Duration::from_secs(u64::from(within_s)) + Duration::from_micros(1))
    }

    fn row(&mut self, row: &LegEvent) {
        if let Detail::Routed { to, .. } = &row.detail {
            let trunk = to.strip_prefix("trunk ").and_then(|way| way.split_once(' '));
            self.outside = trunk.map(|(trunk, number)| (trunk.to_string(), number.to_string()));
        }
        self.answered |= row.leg == Some(0) && row.detail == Detail::Answered;
        self.recorded |= matches!(row.detail, Detail::RecordingBegan { .. });
        while let Some(next) = self.expected.get(self.met).filter(|_| !self.late) {
            let lasting = next.goal == Goal::Recorded;
            if !(lasting && self.recorded || !lasting && self.happens(&next.goal, row)) {
                break;
            }
            self.late = self.deadline().is_some_and(|deadline| row.at > deadline);
            if !self.late {
                (self.met, self.since) = (self.met + 1, row.at);
            }
            // One row is one thing; only what lasts may be true beside it.
            if !lasting && self.expected.get(self.met).is_none_or(|next| next.goal != Goal::Recorded) {
                break;
            }
        }
        self.over |= matches!(row.detail, Detail::CallEnded { .. });
    }

    fn happens(&self, goal: &Goal, row: &LegEvent) -> bool {
        let routed = |sort: &str, name: &str| match &row.detail {
            Detail::Routed { to, .. } => to.split_once(' ') == Some((sort, name)),
            _ => false,
        };
        let turned = |kind: &str| matches!(&row.detail, Detail::Overflowed { rule, .. } if rule == kind);
        match goal {
            Goal::Queue(name) => matches!(&row.detail, Detail::Queued { queue, .. } if queue == name),
            Goal::Agent(id) => {
                matches!(&row.detail, Detail::Connected { with, queue, .. } if with == id && !queue.is_empty())
            }
            Goal::Menu(name) => routed("menu", name),
            Goal::Extension(name) => {
                let inside = self.outside.is_none();
                matches!(&row.detail, Detail::Connected { with, queue, .. } if with == name && queue.is_empty() && inside)
            }
            Goal::Trunk(name, sent) => {
                let way = self.outside.as_ref().filter(|(trunk, _)| trunk == name);
                let fits = way.is_some_and(|(_, number)| sent.as_ref().is_none_or(|sent| sent == number));
                matches!(&row.detail, Detail::Connected { queue, .. } if queue.is_empty()) && fits
            }
            Goal::Prompt(name) => row.leg == Some(0) && played(&row.detail).any(|prompt| prompt == name),
            Goal::Closed => turned("closed"),
            Goal::Full => turned("full"),
            Goal::Empty => turned("empty"),
            Goal::Overflow => turned("wait"),
            Goal::Echo => matches!(&row.detail, Detail::Routed { to, .. } if to == "echo"),
            Goal::Recorded => self.recorded,
            Goal::Hangup => self.answered && matches!(row.detail, Detail::CallEnded { .. }),
            Goal::Refused => !self.answered && matches!(row.detail, Detail::CallEnded { .. }),
        }
    }

    /// None when everything happened.
    pub fn failure(&self, world: &World, test: &Test) -> Option<Box<Failure>> {
        let next = self.expected.get(self.met)?;
        let mut told: Vec<Text> = Vec::new();
        for row in world.rows() {
            if let Some(words) = self.words(row) {
                let at_s = row.at.since(self.began).as_secs();
                told.push(Text::new(key::AT).with("at", at_s).with("what", words));
            }
        }
        if told.len() > TOLD_MAX {
            told.drain(1..told.len() - (TOLD_MAX - 1));
        }
        if !self.over && !self.late && world.now() >= self.began + LONGEST {
            told.push(key::STILL_ON.into());
        }
        if world.is_stuck() {
            told.push(key::STUCK.into());
        }
        match world.keys_left() {
            0 => {}
            left => {
                let unpressed = test.press.get(test.press.len().saturating_sub(left)..).unwrap_or_default();
                told.push(Text::new(key::KEYS_LEFT).with("keys", unpressed.join(" ")));
            }
        }
        let told = told.into_iter().reduce(|all, next| Text::new(key::AND).with("before", all).with("next", next));
        let told = told.unwrap_or_else(|| key::NOTHING.into());
        let reason = Text::new(key::NOT_MET).with("expected", next.words().join(" ")).with("what", told);
        Some(Failure::new("expect", reason, key::NOT_MET_REMEDY))
    }

    /// What a row is to people; none for steps on the way.
    fn words(&self, row: &LegEvent) -> Option<Text> {
        Some(match &row.detail {
            Detail::Routed { to, why } if to == "none" => Text::new(key::NOWHERE).with("why", why),
            Detail::Routed { to, .. } if to.starts_with("queue ") || to == "code" => return None,
            Detail::Routed { to, .. } => Text::new(key::SENT).with("to", to),
            Detail::Queued { queue, .. } => Text::new(key::QUEUED).with("queue", queue),
            Detail::OfferEnded { agent, cause, .. } => {
                Text::new(key::OFFER_ENDED).with("agent", agent).with("cause", worded(cause))
            }
            Detail::Connected { with, queue, .. } if queue.is_empty() => Text::new(key::TALKS).with("with", with),
            Detail::Connected { with, queue, .. } => Text::new(key::SERVED).with("agent", with).with("queue", queue),
            Detail::Overflowed { queue, rule, to, .. } => {
                let rule = Text::new(key::TURNED).with("queue", queue).with("rule", turned(rule));
                return Some(rule.with("to", worded(to)));
            }
            Detail::Unserved { queue, candidates, .. } => {
                Text::new(key::UNSERVED).with("queue", queue).with("agents", excluded(candidates))
            }
            Detail::Abandoned { queue, by, .. } => Text::new(key::LEFT).with("queue", queue).with("by", worded(by)),
            Detail::Digit { digit, .. } if row.leg == Some(0) => Text::new(key::PRESSED).with("key", digit.to_string()),
            Detail::Media { .. } if row.leg == Some(0) => {
                let heard: Vec<&str> = played(&row.detail).collect();
                if heard.is_empty() {
                    return None;
                }
                Text::new(key::HEARD).with("prompts", heard.join(", "))
            }
            Detail::CallEnded { .. } if self.answered => key::HUNG_UP.into(),
            Detail::CallEnded { disposition, .. } => {
                let why = disposition.to_ascii_lowercase().replace(' ', "-");
                Text::new(key::REFUSED).with("why", worded(&why))
            }
            _ => return None,
        })
    }
}

/// The prompts of a row that tells of a playlist: `play menu-main (zh-CN), music`.
fn played(detail: &Detail) -> impl Iterator<Item = &str> {
    let what = if let Detail::Media { what } = detail { what.strip_prefix("play ") } else { None };
    what.into_iter().flat_map(|items| items.split(", ")).filter_map(|item| Some(item.split_once(" (")?.0))
}

/// What the journal stores as an identifier.
fn worded(identifier: &str) -> Value {
    word::key(identifier).map_or_else(|| identifier.into(), Value::from)
}

fn turned(rule: &str) -> Value {
    match rule {
        "closed" => key::CLOSED.into(),
        "full" => key::FULL.into(),
        "empty" => key::EMPTY.into(),
        "wait" => key::WAITED.into(),
        other => other.into(),
    }
}

/// `1001 skill-missing billing, 1002 not-ready logged-out`
fn excluded(candidates: &[Candidate]) -> Value {
    let one = |candidate: &Candidate| {
        let excluded = candidate.excluded.as_ref()?;
        let rule =
            Text::new(key::EXCLUDED).with("agent", &candidate.agent).with("rule", worded(excluded.rule.as_str()));
        Some(rule.with("detail", worded(&excluded.detail)))
    };
    let told = candidates.iter().filter_map(one).take(AGENTS_TOLD_MAX);
    let told = told.reduce(|all, next| Text::new(key::COMMA).with("before", all).with("next", next));
    told.map_or_else(|| key::NO_MEMBERS.into(), Value::from)
}
