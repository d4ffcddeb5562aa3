//! Where the answers of the console come from: one look at the core, and the records. Nothing is kept here.

use super::draft::Stored;
use super::show::{Glance, Machine};
use crate::admin::{Admin, Ask, Checked, Desk, Done, Editing, Failures, Refused};
use crate::panel::task::storage;
use crate::store::ConfigCommit;
use crate::{build_id, clock, password, reach, tell};
use base::time::Instant;
use pbx::commit::CommitNow;
use pbx::config::{Config, Language, Written};
use pbx::door::Act;
use pbx::text::Text;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

/// How long an answer of the core is waited for. While the journal cannot be written it answers once a second.
const PATIENCE: Duration = Duration::from_millis(1_500);

fn stored(commit: ConfigCommit) -> Stored {
    Stored { number: commit.number, text: commit.text }
}

/// How long an address may take to answer.
const PING_PATIENCE: Duration = Duration::from_secs(1);

/// Answers; each error is for the person who asked.
pub trait Sources {
    /// One look at the core; none when it does not answer.
    fn glance(&mut self) -> Option<Glance>;
    /// The machine.
    fn machine(&mut self) -> Machine;
    /// The configuration in force as it is stored; none when there is none.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn in_force(&mut self, language: Language) -> Result<Option<Stored>, String>;
    /// The clock of this program.
    fn now(&mut self) -> Instant;
    /// The configuration in force; none when the core does not answer.
    fn config(&mut self) -> Option<Arc<Config>>;
    /// Whether a password belongs to a hash. Takes the same time for the hash of nobody.
    fn is_password(&mut self, password: &str, hash: &str) -> bool;
    /// The hash of a password.
    ///
    /// # Errors
    /// When it cannot be made; for people.
    fn hash(&mut self, password: &str) -> Result<String, String>;
    /// Failures of this name, or at this line.
    fn failures(&mut self, of: &str) -> Failures;
    /// Remembers them.
    fn set_failures(&mut self, of: &str, failures: Failures);
    /// Lets the core do something in somebody's name.
    fn operate(&mut self, actor: &str, act: Act);
    /// How commits stand; none when the core does not answer.
    fn commit_now(&mut self) -> Option<CommitNow>;
    /// Newest commits, newest first, without texts.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn history(&mut self, language: Language) -> Result<Vec<ConfigCommit>, String>;
    /// A commit by how far back it is.
    ///
    /// # Errors
    /// When there is none.
    fn back(&mut self, steps: u32, language: Language) -> Result<Stored, String>;
    /// The commit that is kept for need.
    ///
    /// # Errors
    /// When there is none.
    fn rescue(&mut self, language: Language) -> Result<Stored, String>;
    /// Keeps a commit for need, or none.
    ///
    /// # Errors
    /// When the store does not take it.
    fn set_rescue(&mut self, number: Option<u64>, actor: &str) -> Result<(), Text>;
    /// All about a candidate.
    fn check(&mut self, text: &str) -> Checked;
    /// Puts what was checked in force.
    ///
    /// # Errors
    /// Why it is not.
    fn commit(&mut self, ask: Ask, site: Written) -> Result<Done, Refused>;
    /// The commit in force stays; its number.
    ///
    /// # Errors
    /// When nothing waits for it.
    fn confirm(&mut self, actor: &str) -> Result<u64, Refused>;
    /// Begins to edit; the others who do.
    ///
    /// # Errors
    /// Who keeps one out.
    fn enter(&mut self, who: &str, exclusive: bool) -> Result<(Desk, Vec<Editing>), Box<Editing>>;
    /// Writes a configuration; where it is now.
    ///
    /// # Errors
    /// Why it cannot be written.
    fn save(&mut self, place: &str, text: &str, language: Language) -> Result<String, String>;
    /// Reads a configuration.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn load(&mut self, place: &str, language: Language) -> Result<String, String>;
    /// The newest `count` facts of the journal, a line each.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn recent(&mut self, count: u64, language: Language) -> Result<String, String>;
    /// How long an address took to answer; the error says why it did not.
    ///
    /// # Errors
    /// Why nothing was heard.
    fn ping(&mut self, address: Ipv4Addr) -> Result<Duration, String>;
    /// The program begins anew; calls talk on. False when the box has no room for it.
    fn restart(&mut self) -> bool;
    /// Factory settings: with recordings kept, or with everything erased.
    ///
    /// # Errors
    /// Why nothing was changed.
    fn factory(&mut self, who: &str, erase: bool, language: Language) -> Result<(), Refused>;
    /// The story of a call.
    ///
    /// # Errors
    /// When there is no such call.
    fn story(&mut self, call: &str, language: Language) -> Result<String, String>;
    /// Why a call went where it went.
    ///
    /// # Errors
    /// When there is no such call.
    fn explain(&mut self, call: &str, language: Language) -> Result<String, String>;
    /// How things stood.
    ///
    /// # Errors
    /// When that is no time, or one before the records.
    fn state_at(&mut self, time: &str, language: Language) -> Result<String, String>;
}

/// The box.
pub struct Live {
    admin: Admin,
    began: Instant,
}

impl Live {
    /// Over the box.
    pub fn new(admin: Admin) -> Live {
        Live { admin, began: clock::instant() }
    }
}

impl Sources for Live {
    fn glance(&mut self) -> Option<Glance> {
        let now = clock::now();
        self.admin.lookout().look(PATIENCE, move |pbx| Glance::of(pbx, now)).flatten()
    }

    fn machine(&mut self) -> Machine {
        Machine {
            version: format!("{} ({})", env!("CARGO_PKG_VERSION"), build_id::identity()),
            up: clock::instant().since(self.began),
            disk: storage(self.admin.data()).map(|disk| (disk.free_bytes, disk.total_bytes)),
        }
    }

    fn in_force(&mut self, language: Language) -> Result<Option<Stored>, String> {
        self.admin.in_force(language).map(stored).map(Some)
    }

    fn now(&mut self) -> Instant {
        clock::instant()
    }

    fn config(&mut self) -> Option<Arc<Config>> {
        self.admin.config()
    }

    fn is_password(&mut self, password: &str, hash: &str) -> bool {
        password::is(password, hash)
    }

    fn hash(&mut self, password: &str) -> Result<String, String> {
        password::hash(password)
    }

    fn failures(&mut self, of: &str) -> Failures {
        self.admin.guard().of(of)
    }

    fn set_failures(&mut self, of: &str, failures: Failures) {
        self.admin.guard().set(of, failures, clock::instant());
    }

    fn operate(&mut self, actor: &str, act: Act) {
        // Without room in the inbox the log has it.
        if !self.admin.operate(actor, act.clone()) {
            tracing::error!("not on record for want of room: {actor} {act:?}");
        }
    }

    fn commit_now(&mut self) -> Option<CommitNow> {
        self.admin.commit_now()
    }

    fn history(&mut self, language: Language) -> Result<Vec<ConfigCommit>, String> {
        self.admin.history(language)
    }

    fn back(&mut self, steps: u32, language: Language) -> Result<Stored, String> {
        self.admin.back(steps, language).map(stored)
    }

    fn rescue(&mut self, language: Language) -> Result<Stored, String> {
        self.admin.rescue(language).map(stored)
    }

    fn set_rescue(&mut self, number: Option<u64>, actor: &str) -> Result<(), Text> {
        self.admin.set_rescue(number, actor)
    }

    fn check(&mut self, text: &str) -> Checked {
        self.admin.check(text)
    }

    fn commit(&mut self, ask: Ask, site: Written) -> Result<Done, Refused> {
        self.admin.put_in_force(ask.base, site, ask.label, ask.confirm_within_min)
    }

    fn confirm(&mut self, actor: &str) -> Result<u64, Refused> {
        self.admin.confirm(actor)
    }

    fn enter(&mut self, who: &str, exclusive: bool) -> Result<(Desk, Vec<Editing>), Box<Editing>> {
        self.admin.desks().enter(who, "console", exclusive, clock::instant())
    }

    fn save(&mut self, place: &str, text: &str, language: Language) -> Result<String, String> {
        self.admin.save(place, text, language)
    }

    fn load(&mut self, place: &str, language: Language) -> Result<String, String> {
        self.admin.load(place, language)
    }

    fn recent(&mut self, count: u64, language: Language) -> Result<String, String> {
        tell::recent(self.admin.data(), count, language)
    }

    fn ping(&mut self, address: Ipv4Addr) -> Result<Duration, String> {
        reach::ping(address, PING_PATIENCE).map_err(|why| why.to_string())
    }

    fn restart(&mut self) -> bool {
        self.admin.restart(false)
    }

    fn factory(&mut self, who: &str, erase: bool, language: Language) -> Result<(), Refused> {
        match erase {
            true => self.admin.erase_all(&format!("console {who}")),
            false => self.admin.reset_configuration(who, "console", language).map(|_| ()),
        }
    }

    fn story(&mut self, call: &str, language: Language) -> Result<String, String> {
        tell::tell(self.admin.data(), Some(call), language)
    }

    fn explain(&mut self, call: &str, language: Language) -> Result<String, String> {
        tell::explain(self.admin.data(), Some(call), language)
    }

    fn state_at(&mut self, time: &str, language: Language) -> Result<String, String> {
        tell::state(self.admin.data(), Some(time), language)
    }
}
