//! What the box begins with: the configuration, from a file or from the store; and what can go wrong at the start, in
//! words with place and remedy.

use crate::admin::ROLLBACKS;
use crate::store::main_db::text_hash;
use crate::store::read::Reader;
use crate::store::{ConfigCommit, StoreError};
use base::time::Wall;
use pbx::commit::{CommitRow, CommitText, Label, Unconfirmed};
use pbx::config::{Config, Examination, Language, Problem, Severity};
use pbx::text::{admin as words, start as key, text};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::lock::LockError;

/// A configuration with the text that it came from.
pub struct Site {
    /// The values.
    pub config: Config,
    /// The text.
    pub text: String,
    /// What is probably not meant so, in words; empty when there is nothing.
    pub warnings: String,
    /// The same, each by itself.
    pub problems: Vec<Problem>,
}

/// The text of a configuration file; the error is for people.
pub fn read_file(path: &Path, language: Language) -> Result<String, String> {
    let shown = path.display().to_string();
    let unreadable = |why: String| text(key::CONFIG_UNREADABLE, language, &[("path", &shown), ("why", &why)]);
    std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))
}

/// Reads a configuration file; the error lists every problem in it.
pub fn read_site(path: &Path, language: Language) -> Result<Site, String> {
    let text = read_file(path, language)?;
    let Examination { config, problems } = pbx::config::examine(&text);
    let listed = listed(path, &problems, language);
    match config {
        Some(config) => Ok(Site { config, text, warnings: listed, problems }),
        None => Err(listed),
    }
}

/// What the box begins with: a file that is new, otherwise the newest commit that can be read, otherwise factory settings.
pub struct Beginning {
    /// The configuration.
    pub site: Site,
    /// Its number.
    pub number: u64,
    /// It is not in the store yet.
    pub fresh: Option<CommitRow>,
    /// It was not confirmed yet.
    pub unconfirmed: Option<Unconfirmed>,
    /// Why it is not the newest commit; for the log.
    pub note: Option<String>,
}

/// Finds what to begin with. `file` is what was given on the command line and read without an error.
///
/// # Errors
/// When the store has commits and none of them can be read by this build.
pub fn begin_with(
    reader: &Reader,
    file: Option<(Site, &Path)>,
    factory: &str,
    language: Language,
    wall: Wall,
) -> Result<Result<Beginning, String>, StoreError> {
    let last = reader.last_commit()?;
    let next = last.as_ref().map_or(1, |commit| commit.number + 1);
    let fresh = |site: Site, label: Label| {
        let text = CommitText::New(site.text.as_str().into());
        let row = CommitRow { number: next, wall, label, text, unconfirmed: None };
        Beginning { site, number: next, fresh: Some(row), unconfirmed: None, note: None }
    };
    let file = match (file, reader.last_file_hash()?) {
        (Some((site, _)), Some(known)) if last.is_some() && known == text_hash(&site.text) => None,
        (file, _) => file,
    };
    if let Some((site, path)) = file {
        let label = Label { author: "file".into(), origin: "file".into(), comment: path.display().to_string() };
        return Ok(Ok(fresh(site, label)));
    }
    let Some(last) = last else {
        let label = Label { author: "box".into(), origin: "box".into(), comment: "factory settings".into() };
        return Ok(read_text(factory).map(|site| fresh(site, label)).map_err(|problems| rendered(&problems, language)));
    };
    let read = match read_text(&last.text) {
        Ok(site) => return Ok(Ok(stored(reader, last, site)?)),
        Err(problems) => rendered(&problems, language),
    };
    // A box that does not start because of one commit helps nobody.
    let number = last.number.to_string();
    for older in reader.commits(ROLLBACKS)?.into_iter().skip(1) {
        let Some(commit) = reader.commit(older.number)? else { continue };
        let Ok(site) = read_text(&commit.text) else { continue };
        let used = commit.number.to_string();
        let values = [("number", number.as_str()), ("used", &used), ("why", &read)];
        let note = Some(text(words::OLD_COMMIT_USED, language, &values));
        let label = Label { author: "box".into(), origin: "box".into(), comment: format!("commit {used} again") };
        return Ok(Ok(Beginning { note, ..fresh(site, label) }));
    }
    Ok(Err(text(words::NO_COMMIT_READS, language, &[("number", &number), ("why", &read)])))
}

fn stored(reader: &Reader, commit: ConfigCommit, site: Site) -> Result<Beginning, StoreError> {
    let mut unconfirmed = None;
    if let Some((until_ms, back)) = commit.unconfirmed
        && let Some(before) = reader.commit(back)?
        && let Ok(before) = read_text(&before.text)
    {
        let (config, until) = (Arc::new(before.config), Wall::from_millis(until_ms));
        unconfirmed = Some(Unconfirmed { number: commit.number, back, config, until });
    }
    Ok(Beginning { site, number: commit.number, fresh: None, unconfirmed, note: None })
}

fn read_text(text: &str) -> Result<Site, Vec<Problem>> {
    let Examination { config, problems } = pbx::config::examine(text);
    match config {
        Some(config) => Ok(Site { config, text: text.into(), warnings: String::new(), problems }),
        None => Err(problems),
    }
}

fn rendered(problems: &[Problem], language: Language) -> String {
    problems.iter().map(|problem| problem.render(language)).collect::<Vec<_>>().join("; ")
}

/// Problems of a configuration file under a heading that counts the errors or, when there are none, the warnings; empty
/// when there is nothing.
pub fn listed(path: &Path, problems: &[Problem], language: Language) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    let (heading, count) =
        if errors > 0 { (key::CONFIG_REFUSED, errors) } else { (key::CONFIG_WARNED, problems.len()) };
    let shown = path.display().to_string();
    let mut lines = vec![text(heading, language, &[("path", &shown), ("count", &count.to_string())])];
    lines.extend(problems.iter().map(|p| format!("  {}", p.render(language))));
    lines.join("\n")
}

/// Why the data directory cannot be had.
pub fn lock_words(data: &Path, why: &LockError, language: Language) -> String {
    let shown = data.display().to_string();
    match why {
        LockError::Taken(pid) => text(key::SECOND_INSTANCE, language, &[("path", &shown), ("pid", pid)]),
        LockError::Io(path, e) => {
            let path = path.display().to_string();
            text(key::DATA_UNUSABLE, language, &[("path", &path), ("why", &e.to_string())])
        }
    }
}

/// Why something under the data directory cannot be used.
pub fn data_words(data: &Path, why: &dyn std::fmt::Display, language: Language) -> String {
    let (shown, why) = (data.display().to_string(), why.to_string());
    text(key::DATA_UNUSABLE, language, &[("path", &shown), ("why", &why)])
}

/// Why the SIP address cannot be had.
pub fn address_words(address: SocketAddr, why: &std::io::Error, language: Language) -> String {
    let shown = address.to_string();
    match why.kind() {
        ErrorKind::AddrInUse => text(key::ADDRESS_TAKEN, language, &[("address", &shown)]),
        ErrorKind::AddrNotAvailable => text(key::ADDRESS_FOREIGN, language, &[("address", &shown)]),
        _ => format!("{shown}: {why}"),
    }
}
