//! How a configuration stands in the input journal: as its text. A build that knows other leaves, or has them in another
//! order, reads it all the same, so that a journal can be replayed by another build. Snapshots are read by the build that
//! wrote them and hold the values themselves.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use super::problem::{Report, Severity};
use super::{Config, Language, print, read_text};

/// Writes the text; leaves that have their default are left out.
pub fn serialize<S: Serializer>(config: &Arc<Config>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print(config))
}

/// Reads a text. What does not fit together was said when it was put in force and is no reason to refuse it now.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Config>, D::Error> {
    values(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// The values of a text; the error lists what cannot be read.
pub(super) fn values(text: &str) -> Result<Arc<Config>, String> {
    let mut report = Report::default();
    let config = read_text(text, &mut report).map(|(config, _)| config);
    let problems: Vec<String> = report
        .finish()
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .map(|problem| problem.render(Language::En))
        .collect();
    match config {
        Some(config) if problems.is_empty() => Ok(Arc::new(config)),
        Some(_) | None => Err(problems.join("\n")),
    }
}
