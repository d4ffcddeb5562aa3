//! What the panel asks for that takes time: changes of the configuration, resets, a look at the network. Plain values, and
//! the words of a change; who does it is [`super::work`].

use pbx::config::Language;
use pbx::text::{Key, panel as key};

/// Minutes within which a change of the network must be confirmed.
pub const CONFIRM_WITHIN_MIN: u32 = 5;

/// The user that is made at the panel.
pub const ADMIN: &str = "admin";

/// Something that is done beside the panel's thread, one at a time.
#[derive(Clone, PartialEq, Eq)]
pub enum Job {
    /// A change of the configuration in force.
    Change(Change),
    /// The change that this panel made is well.
    Confirm,
    /// Factory settings; recordings stay.
    Factory,
    /// Everything is erased.
    Erase,
    /// Gateway and name server are asked.
    Probe,
}

/// Lines of `set` and `delete`, and a password that becomes a hash before it is a line.
#[derive(Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is called while it is checked, and in the history.
    pub about: Key,
    /// Words of each line. What is to be deleted may be missing.
    pub lines: Vec<Vec<String>>,
    /// Of the administrator, in clear.
    pub password: Option<String>,
    /// It goes back by itself after so many minutes unless it is confirmed.
    pub confirm_within_min: Option<u32>,
    /// For a person who cannot get in otherwise: done also while somebody has locked the configuration.
    pub recovers: bool,
}

impl std::fmt::Debug for Change {
    /// A password is in no log and in no failed test.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let password = self.password.as_ref().map(|_| "********");
        let Change { about, lines, confirm_within_min, .. } = self;
        write!(f, "{} {lines:?} {password:?} {confirm_within_min:?}", about.raw(Language::En))
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Job::Change(change) => change.fmt(f),
            Job::Confirm | Job::Factory | Job::Erase | Job::Probe => f.write_str(self.about().raw(Language::En)),
        }
    }
}

impl Job {
    /// What it is called.
    pub fn about(&self) -> Key {
        match self {
            Job::Change(change) => change.about,
            Job::Confirm => key::KEEP,
            Job::Factory => key::RESET_FACTORY,
            Job::Erase => key::RESET_ERASE,
            Job::Probe => key::NETWORK_TEST,
        }
    }
}

/// What came of a job.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// The change is in force.
    InForce {
        /// It goes back by itself unless it is confirmed.
        reverts: bool,
    },
    /// It stays.
    Confirmed,
    /// The program begins anew, with nothing.
    Erasing,
    /// Why not, in words.
    Refused(String),
    /// How gateway and name server answered, in words.
    Probed(String),
}

/// A line from its words.
pub fn line(words: &str) -> Vec<String> {
    words.split(' ').map(str::to_string).collect()
}
