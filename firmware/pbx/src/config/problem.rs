//! What is wrong in a configuration: where, why and what to do. The words are in [`crate::text::problem`].

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::config::Language;
use crate::text::{Text, problem, text};

/// Most problems reported at once; a last one then says that there are more.
pub const PROBLEMS_MAX: usize = 1_000;
/// Characters of a foreign word repeated in a message.
const SHOWN_CHARS_MAX: usize = 48;

/// One problem of a configuration text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// Line in the text, from 1; 0 when the place is not known.
    pub line: u32,
    /// Column in characters, from 1; 0 when the place is not known.
    pub column: u32,
    /// The section and item, e.g. `queue support agents`, in JSON the pointer to it; empty outside any.
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
    /// An error about this path, its place in the text not yet known; see [`crate::config::locate`].
    pub fn error(path: &str, reason: impl Into<Text>, remedy: impl Into<Text>) -> Problem {
        let (reason, remedy) = (reason.into(), remedy.into());
        Problem { line: 0, column: 0, path: path.into(), reason, remedy, severity: Severity::Error }
    }

    /// The same as a warning.
    pub fn warning(path: &str, reason: impl Into<Text>, remedy: impl Into<Text>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(path, reason, remedy) }
    }

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

/// Problems as they are found; bounded.
#[derive(Default)]
pub(super) struct Report {
    problems: Vec<Problem>,
    more: bool,
}

impl Report {
    /// Adds an error.
    pub fn error(&mut self, at: (u32, u32), path: &str, reason: impl Into<Text>, remedy: impl Into<Text>) {
        let (reason, remedy) = (reason.into(), remedy.into());
        self.add(Problem { line: at.0, column: at.1, path: path.into(), reason, remedy, severity: Severity::Error });
    }

    /// Adds any problem, or remembers that there were too many.
    pub fn add(&mut self, problem: Problem) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        } else {
            self.more = true;
        }
    }

    /// All, in order of place.
    pub fn finish(mut self) -> Vec<Problem> {
        self.problems.sort_by_key(|p| (p.line, p.column));
        if self.more {
            let last = self.problems.last().map_or((0, 0), |p| (p.line, p.column));
            self.problems.push(Problem {
                line: last.0,
                column: last.1,
                path: String::new(),
                reason: problem::TOO_MANY.into(),
                remedy: problem::TOO_MANY_REMEDY.into(),
                severity: Severity::Error,
            });
        }
        self.problems
    }
}

/// A foreign word as it is repeated in a message: cut when long, control characters escaped.
pub(super) fn shown(word: &str) -> String {
    let mut out = String::new();
    for (count, c) in word.chars().enumerate() {
        if count == SHOWN_CHARS_MAX {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}
