//! What those who may change the box ask of it: console, front panel, later HTTP. One handle, cheap to clone, usable from any
//! thread but the control task's; calls wait for the disk and take as long as a proof takes. It decides nothing about
//! calls and keeps no configuration: what is in force is the core's, what was is the store's.

pub mod check;
pub mod desk;
mod guard;
mod place;
pub mod reset;
mod tickets;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pbx::commit::{Answer, Commit, CommitNow, Label};
use pbx::config::{Config, Language, Problem, Written};
use pbx::door::{Act, Input};
use pbx::text::{Text, admin as key};

use crate::control::inbox::Inbox;
use crate::control::start::data_words;
use crate::journal::lookout::Lookout;
use crate::store::read::open_readonly;
use crate::store::{ConfigCommit, Request, StoreClient};

pub use check::Checked;
pub use desk::{Desk, Desks, Editing};
pub use guard::{Failures, Guard};
pub use tickets::Tickets;

/// How long an answer of the core is waited for. While the journal cannot be written it answers once a second.
const LOOK_PATIENCE: Duration = Duration::from_millis(1_500);
/// How long the disk may take for a commit before the person is told that it takes long.
const COMMIT_PATIENCE: Duration = Duration::from_secs(10);
/// Commits that can be gone back to, the one in force among them.
pub const ROLLBACKS: u32 = 50;

/// The handle.
#[derive(Clone)]
pub struct Admin {
    inbox: Inbox,
    lookout: Lookout,
    store: StoreClient,
    tickets: Tickets,
    desks: Desks,
    guard: Guard,
    data: PathBuf,
    /// Prompts and music.
    share: PathBuf,
    /// Factory settings.
    factory: Arc<str>,
    /// The program begins anew when it has stopped.
    again: Arc<AtomicBool>,
    /// It stops as soon as there is no call.
    stop_when_idle: Arc<AtomicBool>,
}

/// A change that somebody wants in force.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Number of the commit that it was made from.
    pub base: u64,
    /// The whole text.
    pub text: String,
    /// Who, from where, why.
    pub label: Label,
    /// It goes back by itself after so many minutes unless it is confirmed; none: it stays.
    pub confirm_within_min: Option<u32>,
}

/// It is in force.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done {
    /// Number of the commit.
    pub number: u64,
    /// It goes back after so long unless it is confirmed; 0: it stays.
    pub reverts_in_s: u32,
}

/// Why not.
#[derive(Clone, PartialEq, Debug)]
pub enum Refused {
    /// The configuration is wrong: all errors, and the warnings among them.
    Problems(Vec<Problem>),
    /// For another reason.
    Because(Text),
}

impl Refused {
    /// In words, one line for each problem.
    pub fn render(&self, language: Language) -> String {
        match self {
            Refused::Because(text) => text.render(language),
            Refused::Problems(problems) => check::listed(problems, language),
        }
    }
}

/// What the handle is made of.
pub struct Parts {
    /// The way to the control task.
    pub inbox: Inbox,
    /// Where the core is looked at.
    pub lookout: Lookout,
    /// For what is about the history itself.
    pub store: StoreClient,
    /// Shared with the control task, which answers.
    pub tickets: Tickets,
    /// The data directory.
    pub data: PathBuf,
    /// Prompts and music.
    pub share: PathBuf,
    /// Factory settings.
    pub factory: String,
    /// Shared with the control task: begin anew after the stop.
    pub again: Arc<AtomicBool>,
}

impl Admin {
    /// A handle.
    pub fn new(parts: Parts) -> Admin {
        let Parts { inbox, lookout, store, tickets, data, share, factory, again } = parts;
        let (desks, guard, factory, stop_when_idle) =
            (Desks::default(), Guard::default(), factory.into(), Arc::default());
        Admin { inbox, lookout, store, tickets, desks, guard, data, share, factory, again, stop_when_idle }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Where the core is looked at.
    pub fn lookout(&self) -> &Lookout {
        &self.lookout
    }

    /// Who edits what.
    pub fn desks(&self) -> &Desks {
        &self.desks
    }

    /// Who failed to log in.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// How commits stand; none when the core does not answer.
    pub fn commit_now(&self) -> Option<CommitNow> {
        self.lookout.look(LOOK_PATIENCE, pbx::Pbx::commit_now)
    }

    /// The commit in force with its text.
    ///
    /// # Errors
    /// When the records cannot be read or there is none yet; for people.
    pub fn in_force(&self, language: Language) -> Result<ConfigCommit, String> {
        let reader = open_readonly(&self.data).map_err(|why| data_words(&self.data, &why, language))?;
        let number = self.commit_now().map(|now| now.number);
        let commit = match number {
            Some(number) => reader.commit(number),
            None => reader.last_commit(),
        };
        let commit = commit.map_err(|why| data_words(&self.data, &why, language))?;
        // One that went back a moment ago is in force before its row is written; the text is that of the row before.
        let commit = match commit {
            Some(commit) => Some(commit),
            None => reader.last_commit().map_err(|why| data_words(&self.data, &why, language))?,
        };
        commit.ok_or_else(|| key::NO_COMMIT.raw(language).to_string())
    }

    /// The newest commits without their texts, newest first.
    ///
    /// # Errors
    /// When the records cannot be read; for people.
    pub fn history(&self, language: Language) -> Result<Vec<ConfigCommit>, String> {
        let words = |why| data_words(&self.data, &why, language);
        open_readonly(&self.data).and_then(|reader| reader.commits(ROLLBACKS)).map_err(words)
    }

    /// A commit by how far it lies back: 0 is the one in force.
    ///
    /// # Errors
    /// When there is none, or the records cannot be read; for people.
    pub fn back(&self, steps: u32, language: Language) -> Result<ConfigCommit, String> {
        let history = self.history(language)?;
        let number = history.get(steps as usize).map(|commit| commit.number);
        let newest = history.len().saturating_sub(1).to_string();
        let none =
            || Text::new(key::NO_SUCH_COMMIT).with("number", steps.to_string()).with("last", newest).render(language);
        self.numbered(number.ok_or_else(none)?, language)
    }

    fn numbered(&self, number: u64, language: Language) -> Result<ConfigCommit, String> {
        let words = |why| data_words(&self.data, &why, language);
        let commit = open_readonly(&self.data).and_then(|reader| reader.commit(number)).map_err(words)?;
        commit.ok_or_else(|| key::NO_COMMIT.raw(language).to_string())
    }

    /// The commit that was kept for when nothing else helps.
    ///
    /// # Errors
    /// When none was kept, or the records cannot be read; for people.
    pub fn rescue(&self, language: Language) -> Result<ConfigCommit, String> {
        let words = |why| data_words(&self.data, &why, language);
        let number = open_readonly(&self.data).and_then(|reader| reader.rescue()).map_err(words)?;
        self.numbered(number.ok_or_else(|| key::NO_RESCUE.raw(language).to_string())?, language)
    }

    /// Keeps the commit of this number for when nothing else helps; none: keeps none any more.
    ///
    /// # Errors
    /// When the store does not take it.
    pub fn set_rescue(&self, number: Option<u64>, actor: &str) -> Result<(), Text> {
        let about = number.map_or_else(|| "delete".to_string(), |number| number.to_string());
        self.operate(actor, Act::Audit { what: "rescue".into(), about });
        self.store.request(Request::Rescue(number)).map_err(|_| Text::new(key::STORE_FULL))
    }

    /// Puts a change in force. It is examined, proved and tried first.
    ///
    /// # Errors
    /// Why it is not in force.
    pub fn commit(&self, ask: Ask) -> Result<Done, Refused> {
        let checked = self.check(&ask.text);
        let Some(site) = checked.site else { return Err(Refused::Problems(checked.problems)) };
        self.put_in_force(ask.base, site, ask.label, ask.confirm_within_min)
    }

    /// The same with what [`Admin::check`] found good a moment ago.
    ///
    /// # Errors
    /// Why it is not in force.
    pub fn put_in_force(
        &self,
        base: u64,
        site: Written,
        label: Label,
        confirm_within_min: Option<u32>,
    ) -> Result<Done, Refused> {
        let confirm_within_s = confirm_within_min.unwrap_or(0).saturating_mul(60);
        let ask = |ticket| Input::Commit(Box::new(Commit { ticket, base, site, label, confirm_within_s }));
        match self.asked(ask)? {
            Answer::InForce { number, reverts_in_s } => Ok(Done { number, reverts_in_s }),
            Answer::Stale { current } => {
                let text = Text::new(key::STALE).with("current", current).with("base", base);
                Err(Refused::Because(text))
            }
            Answer::Busy => Err(Refused::Because(key::BUSY.into())),
            Answer::Overtaken => Err(Refused::Because(key::OVERTAKEN.into())),
            Answer::Confirmed { .. } | Answer::NothingToConfirm => Err(Refused::Because(key::SILENT.into())),
        }
    }

    /// Says that the commit in force is well. Its number.
    ///
    /// # Errors
    /// When nothing waits to be confirmed, or nobody answers.
    pub fn confirm(&self, actor: &str) -> Result<u64, Refused> {
        let actor = actor.to_string();
        match self.asked(|ticket| Input::Confirm { ticket, actor })? {
            Answer::Confirmed { number } => Ok(number),
            _ => Err(Refused::Because(key::NOTHING_TO_CONFIRM.into())),
        }
    }

    fn asked(&self, input: impl FnOnce(u64) -> Input) -> Result<Answer, Refused> {
        let silent = || Refused::Because(key::SILENT.into());
        let (ticket, answered) = self.tickets.draw();
        self.inbox.offer(ticket, input).map_err(|_| silent())?;
        let answer = answered.recv_timeout(COMMIT_PATIENCE);
        self.tickets.forget(ticket);
        answer.map_err(|_| silent())
    }

    /// Lets somebody act. False when the box has no room for it now.
    pub fn operate(&self, actor: &str, act: Act) -> bool {
        self.inbox.offer((actor.to_string(), act), |(actor, act)| Input::Operator { actor, act }).is_ok()
    }

    /// Stops the program and begins it anew. With `end_calls` parties are told, otherwise calls talk on meanwhile.
    pub fn restart(&self, end_calls: bool) -> bool {
        self.again.store(true, Ordering::Release);
        self.inbox.offer((), |()| Input::Stop { end_calls }).is_ok()
    }

    /// Stops the program as its supervisor does: calls talk on until it is started again.
    pub fn stop(&self) -> bool {
        self.inbox.offer((), |()| Input::Stop { end_calls: false }).is_ok()
    }

    /// The same as soon as there is no call, or not any more.
    pub fn stop_when_idle(&self, wanted: bool) {
        self.stop_when_idle.store(wanted, Ordering::Release);
    }

    /// Where the control task sees that wish.
    pub fn wish_to_stop(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop_when_idle)
    }

    /// The configuration in force, as values; none when the core does not answer.
    pub fn config(&self) -> Option<Arc<Config>> {
        self.lookout.look(LOOK_PATIENCE, pbx::Pbx::config).flatten()
    }
}
