//! What is wrong in a configuration: where, why and what to do. The words are in [`crate::text::problem`].

use alloc::string::{String, ToString};

use crate::config::Language;
use crate::text::{Text, problem, text};

/// One problem of a configuration text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line in the text, from 1; 0 when the place is not known.
    pub line: u32,
    /// Column in characters, from 1; 0 when the place is not known.
    pub column: u32,
    /// The section and item, e.g. `queue support agents`; empty outside any.
    pub path: String,
    /// What is wrong.
    pub reason: Text,
    /// What to do.
    pub remedy: Text,
    /// Whether the configuration can be used nevertheless.
    pub severity: Severity,
}

/// Weight of a problem.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is taken, but probably not what was meant.
    Warning,
}

impl Problem {
    /// In words: line, place, reason, remedy.
    pub fn render(&self, language: Language) -> String {
        let frame = match (self.line > 0, self.path.is_empty()) {
            (true, false) => problem::LINE,
            (true, true) => problem::LINE_ONLY,
            (false, false) => problem::NO_LINE,
            (false, true) => problem::BARE,
        };
        let line = self.line.to_string();
        let reason = self.reason.render(language);
        let remedy = self.remedy.render(language);
        let values = [("line", line.as_str()), ("path", self.path.as_str()), ("reason", &reason), ("remedy", &remedy)];
        let message = text(frame, language, &values);
        match self.severity {
            Severity::Error => message,
            Severity::Warning => text(problem::WARNING, language, &[("message", &message)]),
        }
    }
}
