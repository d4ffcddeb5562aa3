//! Commits of the configuration: one at a time from a person's wish over the disk into force, and back by itself when it
//! is not confirmed. What a configuration means, and whether it may be committed at all, was found out before, off the
//! control thread; what being in force means for calls is in [`crate::restart`].

use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use base::media::Command;
use base::time::{Instant, Wall};
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::config::{Config, Media, Written};
use crate::door::Output;
use crate::event::Detail;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// Somebody wants a configuration in force. It was examined and proved already.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Commit {
    /// Who waits for the answer; means nothing after a restart.
    pub ticket: u64,
    /// Number of the commit that the change was made from: another one in force meanwhile is not overwritten.
    pub base: u64,
    /// What is to be in force.
    pub site: Written,
    /// Who and from where, why.
    pub label: Label,
    /// It goes back by itself after so many seconds unless it is confirmed; 0: it stays.
    pub confirm_within_s: u32,
}

/// What stands beside a commit in the history.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Label {
    /// `alice`; `box` when nobody asked.
    pub author: String,
    /// `console`, `panel`, `file`, `box`.
    pub origin: String,
    /// Why; may be empty.
    pub comment: String,
}

/// A commit for the store. Idempotent by its number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CommitRow {
    /// From 1, rising.
    pub number: u64,
    /// When it was asked for.
    pub wall: Wall,
    /// Who, from where, why.
    pub label: Label,
    /// What.
    pub text: CommitText,
    /// Until when it must be confirmed, and the number of the commit that comes back otherwise.
    pub unconfirmed: Option<(Wall, u64)>,
}

/// The text of a commit.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum CommitText {
    /// This.
    New(Arc<str>),
    /// That of the commit with this number.
    Of(u64),
}

/// To whoever asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// It is stored and in force.
    InForce {
        /// Its number.
        number: u64,
        /// It goes back after so long; 0: it stays.
        reverts_in_s: u32,
    },
    /// It stays.
    Confirmed {
        /// Its number.
        number: u64,
    },
    /// Another commit came into force since the change was begun.
    Stale {
        /// Its number.
        current: u64,
    },
    /// Another commit is being stored.
    Busy,
    /// A commit that was not confirmed went back meanwhile, and this one was overtaken.
    Overtaken,
    /// Nothing waits to be confirmed.
    NothingToConfirm,
}

/// A commit that must be confirmed yet, told at the start of the program by whoever reads the store.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Unconfirmed {
    /// Its number: the one in force.
    pub number: u64,
    /// The number of the one that comes back.
    pub back: u64,
    /// The values of that one.
    #[serde(with = "crate::config::as_text")]
    pub config: Arc<Config>,
    /// Until when.
    pub until: Wall,
}

/// How commits stand, for people.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommitNow {
    /// The one in force; 0 before the first.
    pub number: u64,
    /// One that the disk has not taken yet.
    pub storing: Option<u64>,
    /// The one in force goes back then, to that number.
    pub reverts: Option<(Instant, u64)>,
}

/// The part of the core's state that is about commits.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Commits {
    number: u64,
    storing: Option<Storing>,
    trial: Option<Trial>,
}

/// A commit on its way to the disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Storing {
    number: u64,
    commit: Box<Commit>,
}

/// The commit in force has to be confirmed.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Trial {
    number: u64,
    back: u64,
    config: Arc<Config>,
    due: Instant,
}

impl Pbx {
    /// How commits stand.
    pub fn commit_now(&self) -> CommitNow {
        let Commits { number, storing, trial } = &self.commits;
        CommitNow {
            number: *number,
            storing: storing.as_ref().map(|storing| storing.number),
            reverts: trial.as_ref().map(|trial| (trial.due, trial.back)),
        }
    }

    /// Somebody commits: to the disk first.
    pub(crate) fn commit(&mut self, turn: &mut Turn<'_>, commit: Box<Commit>) {
        let current = self.commits.number;
        let refused = match () {
            () if self.commits.storing.is_some() => Some(Answer::Busy),
            () if commit.base != current => Some(Answer::Stale { current }),
            () => None,
        };
        if let Some(answer) = refused {
            turn.out.push(Output::Answer(commit.ticket, answer));
            return;
        }
        let number = current + 1;
        let back = self.commits.trial.as_ref().map_or(current, |trial| trial.back);
        let until = Wall::from_millis(turn.now.wall.as_millis() + i64::from(commit.confirm_within_s) * 1_000);
        turn.out.push(Output::StoreCommit(CommitRow {
            number,
            wall: turn.now.wall,
            label: commit.label.clone(),
            text: CommitText::New(commit.site.text.clone()),
            unconfirmed: (commit.confirm_within_s > 0).then_some((until, back)),
        }));
        self.commits.storing = Some(Storing { number, commit });
    }

    /// The disk has it: it is in force now.
    pub(crate) fn commit_stored(&mut self, turn: &mut Turn<'_>, number: u64) {
        let Some(Storing { commit, .. }) = self.commits.storing.take_if(|storing| storing.number == number) else {
            return;
        };
        let Commit { ticket, site, label, confirm_within_s, .. } = *commit;
        let reverts_in_s = confirm_within_s;
        let before = self.commits.trial.take();
        if reverts_in_s > 0 {
            // Two in a row that nobody confirmed: back to where somebody last was sure.
            let back = match before {
                Some(Trial { back, config, .. }) => Some((back, config)),
                None => self.configs.now().map(|config| (self.commits.number, config)),
            };
            if let Some((back, config)) = back {
                let due = turn.now.at + Duration::from_secs(u64::from(reverts_in_s));
                self.begin_trial(Trial { number, back, config, due });
            }
        } else {
            self.timers.clear(Timer::Unconfirmed);
            if let Some(trial) = before {
                turn.out.push(Output::CommitConfirmed(trial.number));
            }
        }
        let what = if reverts_in_s > 0 { "commit confirmed" } else { "commit" };
        let about = format!("{number} {}", label.comment);
        self.come_into_force(turn, number, site.config, &actor(&label), what, about.trim_end());
        turn.out.push(Output::Answer(ticket, Answer::InForce { number, reverts_in_s }));
    }

    /// Somebody has seen that it is well.
    pub(crate) fn confirm(&mut self, turn: &mut Turn<'_>, ticket: u64, actor: &str) {
        let Some(Trial { number, .. }) = self.commits.trial.take() else {
            turn.out.push(Output::Answer(ticket, Answer::NothingToConfirm));
            return;
        };
        self.timers.clear(Timer::Unconfirmed);
        self.audit(turn, actor, "confirm", &number.to_string());
        turn.out.push(Output::CommitConfirmed(number));
        turn.out.push(Output::Answer(ticket, Answer::Confirmed { number }));
    }

    /// Nobody has: back, at once; the disk follows.
    pub(crate) fn not_confirmed(&mut self, turn: &mut Turn<'_>) {
        let Some(Trial { number: failed, back, config, .. }) = self.commits.trial.take() else { return };
        let overtaken = self.commits.storing.take();
        if let Some(Storing { commit, .. }) = &overtaken {
            turn.out.push(Output::Answer(commit.ticket, Answer::Overtaken));
        }
        let number = overtaken.map_or(self.commits.number, |storing| storing.number) + 1;
        let comment = format!("{failed} not confirmed, back to {back}");
        let label = Label { author: "box".to_string(), origin: "box".to_string(), comment: comment.clone() };
        let row = CommitRow { number, wall: turn.now.wall, label, text: CommitText::Of(back), unconfirmed: None };
        turn.out.push(Output::StoreCommit(row));
        self.come_into_force(turn, number, config, "box", "revert", &comment);
    }

    /// The program starts and the store says that the commit in force was not confirmed. A recovered state knows that
    /// already, but its clock stood still while the machine was off.
    pub(crate) fn unconfirmed(&mut self, turn: &mut Turn<'_>, told: Unconfirmed) {
        if told.number != self.commits.number {
            return;
        }
        let left_ms = told.until.as_millis().saturating_sub(turn.now.wall.as_millis()).max(0);
        let by_wall = turn.now.at + Duration::from_millis(left_ms.unsigned_abs());
        let due = self.commits.trial.as_ref().map_or(by_wall, |trial| trial.due.min(by_wall));
        self.begin_trial(Trial { number: told.number, back: told.back, config: told.config, due });
    }

    /// A configuration comes from the store or a file at the start. It is the one in force, whatever was before.
    pub(crate) fn begun_with(&mut self, turn: &mut Turn<'_>, config: Arc<Config>, number: u64) {
        if self.commits.storing.as_ref().is_some_and(|storing| storing.number == number) {
            self.commit_stored(turn, number);
            return;
        }
        self.commits.number = number;
        if self.commits.trial.take_if(|trial| trial.number != number).is_some() {
            self.timers.clear(Timer::Unconfirmed);
        }
        self.configured(turn, config, number);
    }

    fn begin_trial(&mut self, trial: Trial) {
        self.timers.set(Timer::Unconfirmed, trial.due);
        self.commits.trial = Some(trial);
    }

    fn come_into_force(
        &mut self,
        turn: &mut Turn<'_>,
        number: u64,
        config: Arc<Config>,
        actor: &str,
        what: &str,
        about: &str,
    ) {
        self.commits.number = number;
        self.audit(turn, actor, what, about);
        if self.configs.now().is_none_or(|before| before.media != config.media) {
            let Media { address: bind, jitter_ms, silence_timeout_s, .. } = config.media;
            let silence_timeout_ms = silence_timeout_s.saturating_mul(1_000);
            turn.out.push(Output::Media(Command::Configure { bind, jitter_ms, silence_timeout_ms }));
        }
        self.configured(turn, config, number);
        turn.out.push(Output::InForce(number));
    }

    /// An administrative fact.
    pub(crate) fn audit(&mut self, turn: &mut Turn<'_>, actor: &str, what: &str, about: &str) {
        self.note(turn, None, None, actor, Detail::Audit { what: what.to_string(), about: about.to_string() });
    }
}

/// As in the journal: `console alice`; `panel`, whose only author is the person before it.
fn actor(label: &Label) -> String {
    if label.author == label.origin { label.origin.clone() } else { format!("{} {}", label.origin, label.author) }
}

#[cfg(test)]
mod tests;
