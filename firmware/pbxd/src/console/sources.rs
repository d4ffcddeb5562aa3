//! Where the answers of the console come from: one look at the core, and the records. Nothing is kept here.

use super::draft::Stored;
use super::show::{Glance, Machine};
use crate::journal::lookout::Lookout;
use crate::panel::task::storage;
use crate::store::read::open_readonly;
use crate::{build_id, clock, control, tell};
use base::time::Instant;
use pbx::config::Language;
use std::path::PathBuf;
use std::time::Duration;

/// How long an answer of the core is waited for. While the journal cannot be written it answers once a second.
const PATIENCE: Duration = Duration::from_millis(1_500);

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
    lookout: Lookout,
    data: PathBuf,
    began: Instant,
}

impl Live {
    /// Over the core seen by `lookout` and the records in `data`.
    pub fn new(lookout: Lookout, data: PathBuf) -> Live {
        Live { lookout, data, began: clock::instant() }
    }
}

impl Sources for Live {
    fn glance(&mut self) -> Option<Glance> {
        let now = clock::now();
        self.lookout.look(PATIENCE, move |pbx| Glance::of(pbx, now)).flatten()
    }

    fn machine(&mut self) -> Machine {
        Machine {
            version: format!("{} ({})", env!("CARGO_PKG_VERSION"), build_id::identity()),
            up: clock::instant().since(self.began),
            disk: storage(&self.data).map(|disk| (disk.free_bytes, disk.total_bytes)),
        }
    }

    fn in_force(&mut self, language: Language) -> Result<Option<Stored>, String> {
        let words = |why| control::start::data_words(&self.data, &why, language);
        let now = clock::wall();
        let mut commits = open_readonly(&self.data).and_then(|r| r.commits_between(now, now)).map_err(words)?;
        Ok(commits.pop().map(|commit| Stored { number: commit.number, text: commit.text }))
    }

    fn story(&mut self, call: &str, language: Language) -> Result<String, String> {
        tell::tell(&self.data, Some(call), language)
    }

    fn explain(&mut self, call: &str, language: Language) -> Result<String, String> {
        tell::explain(&self.data, Some(call), language)
    }

    fn state_at(&mut self, time: &str, language: Language) -> Result<String, String> {
        tell::state(&self.data, Some(time), language)
    }
}
