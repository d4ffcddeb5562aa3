//! Where the answers of the console come from: one look at the core, and the records. Nothing is kept here.

use super::draft::Stored;
use super::show::{Glance, Machine};
use crate::admin::Admin;
use crate::panel::task::storage;
use crate::{build_id, clock, tell};
use base::time::Instant;
use pbx::config::Language;
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
        let commit = self.admin.in_force(language)?;
        Ok(Some(Stored { number: commit.number, text: commit.text }))
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
