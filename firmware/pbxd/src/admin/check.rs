//! Everything that is found out about a candidate before it may be in force: what is wrong with it, and what it will do.
//! Takes as long as it takes, on the thread of whoever asks, against looks at the core.

use std::path::Path;
use std::sync::Arc;

use pbx::calendar::Date;
use pbx::config::{Config, Examination, Language, Problem, Severity, Written, examine_and_prove, locate};
use pbx::effect::effects;
use pbx::text::{Text, admin as key, text};
use pbx::trial;

use super::{Admin, LOOK_PATIENCE};
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
    /// Finds out everything about a text: what its parts say, the ways of callers through a year, its own tests, and what it
    /// does to whoever is on the box now.
    pub fn check(&self, text: &str) -> Checked {
        let Examination { config, mut problems } = examined(text, &self.share);
        let Some(config) = config else { return Checked { problems, ..Checked::default() } };
        let now = self.config();
        problems.extend(now.iter().filter_map(|now| address_taken(now, &config)));
        problems.extend(now.iter().filter_map(|now| opened(now, &config)));
        let config = Arc::new(config);
        if !refused(&problems) {
            problems.extend(tried(&config));
        }
        locate(&mut problems, text);
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if refused(&problems) {
            return Checked { problems, ..Checked::default() };
        }
        let now = clock::instant();
        let live = self.lookout.look(LOOK_PATIENCE, move |pbx| Some((pbx.config()?, pbx.live(now)))).flatten();
        let effects = live.map(|(old, live)| effects(&old, &config, &live)).unwrap_or_default();
        Checked { problems, effects, site: Some(Written { text: text.into(), config }) }
    }
}

/// An address for SIP that this machine does not have, or somebody else holds, is found before it is needed.
fn address_taken(now: &Config, config: &Config) -> Option<Problem> {
    if now.sip.listen == config.sip.listen {
        return None;
    }
    let why = datagrams::can_bind(config.sip.listen).err()?;
    let reason = Text::new(key::LISTEN_TAKEN).with("address", config.sip.listen.to_string());
    Some(Problem::error("sip listen", reason.with("why", why.to_string()), key::LISTEN_TAKEN_REMEDY))
}

/// The last user goes, and with him every lock.
fn opened(now: &Config, config: &Config) -> Option<Problem> {
    let opens = !now.users.is_empty() && config.users.is_empty();
    opens.then(|| Problem::warning("user", key::NO_USERS, key::NO_USERS_REMEDY))
}

/// Whether one of them is an error.
pub fn refused(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

/// A text with the flow proof for a year from today; `share` is where the prompts are.
pub fn examined(text: &str, share: &Path) -> Examination {
    let prompts = library::names(&share.join("prompts"));
    let available: Option<Vec<&str>> = prompts.as_ref().map(|names| names.iter().map(String::as_str).collect());
    examine_and_prove(text, today, available.as_deref())
}

/// The tests of a configuration that failed.
pub fn tried(config: &Arc<Config>) -> Vec<Problem> {
    trial::problems(&trial::run_all(config, today(config), &mut |_, _| {}))
}

fn today(config: &Config) -> Date {
    Date::of(clock::wall(), config.system.utc_offset_min)
}

/// All problems, one line each under a heading that counts the errors.
pub fn listed(problems: &[Problem], language: Language) -> String {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count().to_string();
    let warnings = problems.iter().filter(|problem| problem.severity != Severity::Error).count().to_string();
    let heading = text(key::PROBLEMS, language, &[("errors", &errors), ("warnings", &warnings)]);
    let lines: String = problems.iter().map(|problem| format!("  {}\n", problem.render(language))).collect();
    format!("{heading}\n{lines}")
}
