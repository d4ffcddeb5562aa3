//! The demo's verdict: each promise of the main job, measured.

use pbx::config::Language;
use pbx::text::{Key, story as key, text};

/// Promises kept and broken, in order.
pub struct Checks {
    language: Language,
    lines: Vec<String>,
    passed: usize,
    failed: Vec<String>,
}

impl Checks {
    /// None yet.
    pub fn new(language: Language) -> Checks {
        Checks { language, lines: Vec::new(), passed: 0, failed: Vec::new() }
    }

    /// One promise: its words, their gaps, and what was found against it.
    pub fn check(&mut self, what: Key, values: &[(&str, &str)], found: Result<(), String>) {
        let what = text(what, self.language, values);
        match found {
            Ok(()) => {
                self.passed += 1;
                self.lines.push(format!("  ✓ {}", text(key::CHECK_PASSED, self.language, &[("what", &what)])));
            }
            Err(why) => {
                let values = [("what", what.as_str()), ("why", &why)];
                self.lines.push(format!("  ✗ {}", text(key::CHECK_FAILED, self.language, &values)));
                self.failed.push(format!("{what}: {why}"));
            }
        }
    }

    /// All lines and the verdict; the error is the verdict when a promise was broken.
    pub fn verdict(self) -> Result<String, String> {
        let heading = text(key::HEADING_CHECKS, self.language, &[]);
        let count = (self.passed + self.failed.len()).to_string();
        let words = match self.failed.first() {
            None => text(key::VERDICT_PASSED, self.language, &[("count", &count)]),
            Some(why) => {
                let failed = self.failed.len().to_string();
                text(key::VERDICT_FAILED, self.language, &[("count", &count), ("failed", &failed), ("why", why)])
            }
        };
        let told = format!("{heading}\n{}\n\n{words}", self.lines.join("\n"));
        if self.failed.is_empty() { Ok(told) } else { Err(told) }
    }
}

/// A promise as yes or no.
pub fn so(kept: bool, otherwise: impl Into<String>) -> Result<(), String> {
    if kept { Ok(()) } else { Err(otherwise.into()) }
}
