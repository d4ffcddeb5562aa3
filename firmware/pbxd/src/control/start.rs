//! What can go wrong at the start, in words with place and remedy; and the configuration file.

use pbx::config::{Config, Examination, Language, Severity};
use pbx::text::{Key, start as key, text};
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
}

/// Reads a configuration file; the error lists every problem in it.
pub fn read_site(path: &Path, language: Language) -> Result<Site, String> {
    let shown = path.display().to_string();
    let unreadable = |why: String| text(key::CONFIG_UNREADABLE, language, &[("path", &shown), ("why", &why)]);
    let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
    let Examination { config, problems } = pbx::config::examine(&text);
    let listed = |heading: Key, severity: Severity| {
        let count = problems.iter().filter(|p| p.severity == severity).count();
        let mut lines = vec![pbx::text::text(heading, language, &[("path", &shown), ("count", &count.to_string())])];
        lines.extend(problems.iter().map(|p| format!("  {}", p.render(language))));
        if problems.is_empty() { String::new() } else { lines.join("\n") }
    };
    match config {
        Some(config) => Ok(Site { config, text, warnings: listed(key::CONFIG_WARNED, Severity::Warning) }),
        None => Err(listed(key::CONFIG_REFUSED, Severity::Error)),
    }
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
