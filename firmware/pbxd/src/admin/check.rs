//! Everything that is found out about a candidate before it may be in force: what is wrong with it, and what it will do.
//! Takes as long as it takes, on the thread of whoever asks, against looks at the core.

use pbx::config::{Examination, Language, Problem, Severity, Written, examine, locate, prove};
use pbx::text::{Text, admin as key, text};

use super::Admin;
use crate::clock;
use crate::control::datagrams;
use crate::media_thread::library;

/// What was found out.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Errors and warnings, in order of place.
    pub problems: Vec<Problem>,
    /// What it will do to calls, callers, phones and people, most serious first; empty when there are errors.
    pub effects: Vec<Text>,
    /// What may be put in force; none when there are errors.
    pub site: Option<Written>,
}

impl Admin {
    /// Finds out everything about a text.
    pub fn check(&self, text: &str) -> Checked {
        let Examination { config, mut problems } = examine(text);
        let Some(config) = config else { return Checked { problems, ..Checked::default() } };
        let prompts = library::names(&self.share.join("prompts"));
        let available: Option<Vec<&str>> = prompts.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let today = pbx::calendar::Date::of(clock::wall(), config.system.utc_offset_min);
        problems.extend(prove(&config, today, available.as_deref()));
        problems.extend(self.address_taken(&config));
        locate(&mut problems, text);
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if problems.iter().any(|problem| problem.severity == Severity::Error) {
            return Checked { problems, ..Checked::default() };
        }
        Checked { problems, effects: Vec::new(), site: Some(Written { text: text.into(), config: config.into() }) }
    }

    /// An address for SIP that this machine does not have, or somebody else holds, is found before it is needed.
    fn address_taken(&self, config: &pbx::config::Config) -> Option<Problem> {
        let now = self.config()?;
        if now.sip.listen == config.sip.listen {
            return None;
        }
        let why = datagrams::can_bind(config.sip.listen).err()?;
        let reason = Text::new(key::LISTEN_TAKEN).with("address", config.sip.listen.to_string());
        Some(Problem::error("sip listen", reason.with("why", why.to_string()), key::LISTEN_TAKEN_REMEDY))
    }
}

/// All problems, one line each under a heading that counts the errors.
pub fn listed(problems: &[Problem], language: Language) -> String {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count().to_string();
    let warnings = problems.iter().filter(|problem| problem.severity != Severity::Error).count().to_string();
    let heading = text(key::PROBLEMS, language, &[("errors", &errors), ("warnings", &warnings)]);
    let lines: String = problems.iter().map(|problem| format!("  {}\n", problem.render(language))).collect();
    format!("{heading}\n{lines}")
}
