//! What can go wrong at the start, in words with place and remedy; and the configuration file.

use pbx::config::{Config, Examination, Language, Problem, Severity};
use pbx::text::{start as key, text};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;

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

/// Reads a configuration file; the error lists every problem in it.
pub fn read_site(path: &Path, language: Language) -> Result<Site, String> {
    let shown = path.display().to_string();
    let unreadable = |why: String| text(key::CONFIG_UNREADABLE, language, &[("path", &shown), ("why", &why)]);
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
    let Examination { config, problems } = pbx::config::examine(&text);
    let listed = listed(path, &problems, language);
    match config {
        Some(config) => Ok(Site { config, text, warnings: listed, problems }),
        None => Err(listed),
    }
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
