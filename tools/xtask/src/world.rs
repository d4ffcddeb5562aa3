//! `xtask world …`: passes a command to the running world and prints its answer.

use crate::programs::built;
use crate::run::{absolute, world_dir};
use board::sim::wire::CONTROL_SOCKET;
use pbx::config::Language;
use pbx::text::{start as key, text};
use std::path::Path;
use std::process::Command;

/// Sends `words` to the world of `data`; what it answered.
pub fn act(data: &Path, words: &[String], language: Language) -> Result<String, String> {
    let dir = world_dir(&absolute(data)?);
    if !dir.join(CONTROL_SOCKET).exists() {
        return Err(text(key::NO_WORLD, language, &[("path", &dir.display().to_string())]));
    }
    let output =
        Command::new(built("world")?).arg("--dir").arg(&dir).args(words).output().map_err(|e| format!("world: {e}"))?;
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_string();
    if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
}
