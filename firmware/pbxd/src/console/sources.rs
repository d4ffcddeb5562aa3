//! Where the answers of the console come from: one look at the core, and the records. Nothing is kept here.

use super::draft::Stored;
use super::show::{Glance, Machine};
use crate::admin::{Admin, Ask, Checked, Desk, Done, Editing, Failures, Refused};
use crate::panel::task::storage;
use crate::store::ConfigCommit;
use crate::store::read::RecordingRow;
use crate::story::ladder::ladder;
use crate::story::say::Say;
use crate::{build_id, clock, log, password, reach, story, tell};
use base::time::Instant;
use pbx::commit::CommitNow;
use pbx::config::{Config, Language, Written};
use pbx::door::Act;
use pbx::text::Text;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{fs, io};

/// How long an answer of the core is waited for. While the journal cannot be written it answers once a second.
const PATIENCE: Duration = Duration::from_millis(1_500);

fn stored(commit: ConfigCommit) -> Stored {
    Stored { number: commit.number, text: commit.text }
}

/// Names and sizes of files; one that cannot be read has none.
fn files_in(dir: &Path, below: &str) -> String {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten().take(FILES_MAX);
    let mut files: Vec<(String, u64)> = entries
        .filter_map(|entry| {
            let about = entry.metadata().ok().filter(|about| about.is_file())?;
            Some((entry.file_name().to_string_lossy().into_owned(), about.len()))
        })
        .collect();
    files.sort();
    files.into_iter().map(|(name, bytes)| format!("  {below}{name}  {bytes}\n")).collect()
}

/// Files of a directory that are listed at most.
const FILES_MAX: usize = 500;
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
    /// The line that this is about, as others are told of it: `console`, `serial console`.
    fn line(&self) -> &'static str;
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
    /// Lets the core do something in somebody's name. False when it has no room for it.
    fn operate(&mut self, actor: &str, act: Act) -> bool;
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
    /// The records of the newest `limit` calls as far as they have ended, newest last.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn ended(&mut self, limit: u32, language: Language) -> Result<String, String>;
    /// The newest recordings, newest first.
    ///
    /// # Errors
    /// When the records cannot be read.
    fn recordings(&mut self, limit: u32, language: Language) -> Result<Vec<RecordingRow>, String>;
    /// How long an address took to answer.
    ///
    /// # Errors
    /// `TimedOut` when nothing was heard, otherwise why nothing can be sent.
    fn ping(&mut self, address: Ipv4Addr) -> io::Result<Duration>;
    /// The program stops. False when the box has no room for it.
    fn stop(&mut self, when: Stop) -> bool;
    /// Writes diagnostics; where they are now.
    ///
    /// # Errors
    /// Why they cannot be written.
    fn save_support(&mut self, place: &str, text: &str, language: Language) -> Result<String, String>;
    /// The last lines of the program's own log.
    fn log_tail(&mut self) -> String;
    /// The files that the program keeps its state in, a line each with its size.
    fn files(&mut self) -> String;
    /// The program begins anew; calls talk on. False when the box has no room for it.
    fn restart(&mut self) -> bool;
    /// Factory settings: with recordings kept, or with everything erased.
    ///
    /// # Errors
    /// Why nothing was changed.
    fn factory(&mut self, who: &str, erase: bool, language: Language) -> Result<(), Refused>;
    /// The call that a person means: its whole identity.
    ///
    /// # Errors
    /// When there is none, or there are several.
    fn find_call(&mut self, wanted: &str, language: Language) -> Result<String, String>;
    /// The ladder of a call so far.
    ///
    /// # Errors
    /// When there is no such call.
    fn ladder(&mut self, call: &str, language: Language) -> Result<String, String>;
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

/// When the program is to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// Now.
    Now,
    /// As soon as there is no call.
    WhenIdle,
    /// Not as soon as there is no call, as was wanted before.
    Not,
}

/// The box.
pub struct Live {
    admin: Admin,
    line: &'static str,
    began: Instant,
}

impl Live {
    /// Over the box, for the line of this name.
    pub fn new(admin: Admin, line: &'static str) -> Live {
        Live { admin, line, began: clock::instant() }
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

    fn line(&self) -> &'static str {
        self.line
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

    fn operate(&mut self, actor: &str, act: Act) -> bool {
        let taken = self.admin.operate(actor, act.clone());
        if !taken {
            // Without room in the inbox the log has it.
            tracing::error!("not on record for want of room: {actor} {act:?}");
        }
        taken
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
        self.admin.desks().enter(who, self.line, exclusive, clock::instant())
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

    fn ended(&mut self, limit: u32, language: Language) -> Result<String, String> {
        Ok(story::records(&tell::records(self.admin.data(), limit, language)?, language))
    }

    fn recordings(&mut self, limit: u32, language: Language) -> Result<Vec<RecordingRow>, String> {
        tell::recordings(self.admin.data(), limit, language)
    }

    fn ping(&mut self, address: Ipv4Addr) -> io::Result<Duration> {
        reach::ping(address, PING_PATIENCE)
    }

    fn stop(&mut self, when: Stop) -> bool {
        match when {
            Stop::Now => return self.admin.stop(),
            Stop::WhenIdle => self.admin.stop_when_idle(true),
            Stop::Not => self.admin.stop_when_idle(false),
        }
        true
    }

    fn save_support(&mut self, place: &str, text: &str, language: Language) -> Result<String, String> {
        self.admin.save_support(place, text, language)
    }

    fn log_tail(&mut self) -> String {
        log::tail()
    }

    fn files(&mut self) -> String {
        let data = self.admin.data();
        files_in(data, "") + &files_in(&data.join("journal"), "journal/")
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

    fn find_call(&mut self, wanted: &str, language: Language) -> Result<String, String> {
        tell::find_call(self.admin.data(), Some(wanted), language).map(|call| call.to_string())
    }

    fn ladder(&mut self, call: &str, language: Language) -> Result<String, String> {
        let call = tell::find_call(self.admin.data(), Some(call), language)?;
        let (events, _) = tell::call_events(self.admin.data(), call, language)?;
        Ok(ladder(&events, Say(language)))
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
