//! Back to factory settings: with recordings kept, which is a commit like any other after which nobody finds the old ones,
//! or with everything erased, which happens at the next start, before anything is opened.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use pbx::commit::Label;
use pbx::config::{Language, Written};
use pbx::door::Act;
use pbx::text::{Text, admin as key, text};

use super::{Admin, Done, Refused};
use crate::store::Request;

/// File in the data directory: erase everything at the start.
const MARK: &str = "erase";
/// Stays: it is held.
const LOCK: &str = "pbxd.lock";

impl Admin {
    /// Factory settings; recordings and records of calls stay, earlier configurations with their secrets do not.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn reset_configuration(&self, author: &str, origin: &str, language: Language) -> Result<Done, Refused> {
        let base = self.commit_now().map(|now| now.number).ok_or(Refused::Because(key::SILENT.into()))?;
        let site = Written::of(&self.factory).map_err(Refused::Problems)?;
        let comment = key::FACTORY_COMMENT.raw(language).to_string();
        let done =
            self.put_in_force(base, site, Label { author: author.into(), origin: origin.into(), comment }, None)?;
        // A store that is full now keeps rows of old configurations; its alarm is up.
        let _ = self.store.request(Request::ForgetCommits(done.number));
        Ok(done)
    }

    /// Erases everything: the program begins anew with nothing.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub fn erase_all(&self, actor: &str) -> Result<(), Refused> {
        let path = self.data.join(MARK);
        let failed = |why: io::Error| {
            let shown = path.display().to_string();
            Refused::Because(Text::new(key::ERASE_FAILED).with("path", shown).with("why", why.to_string()))
        };
        fs::write(&path, actor).and_then(|()| fs::File::open(&path)?.sync_all()).map_err(failed)?;
        self.operate(actor, Act::Audit { what: "erase".into(), about: String::new() });
        if self.restart(true) { Ok(()) } else { Err(Refused::Because(key::SILENT.into())) }
    }
}

/// Erases the data directory when somebody asked for it. The mark goes last: what is cut short is done again.
///
/// # Errors
/// Which file cannot be erased.
pub fn erase_if_marked(data: &Path, language: Language) -> io::Result<()> {
    let mark = data.join(MARK);
    if !mark.exists() {
        return Ok(());
    }
    let mut places: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(data)? {
        let path = entry?.path();
        let stays = [MARK, LOCK, "world"].iter().any(|name| path.file_name().is_some_and(|file| file == *name));
        places.extend((!stays).then_some(path));
    }
    // The key first: what is sealed with it is nothing any more, whatever becomes of the rest.
    places.sort_by_key(|path| path.file_name().is_none_or(|name| name != "chassis.key"));
    let total = places.len().to_string();
    for (done, path) in places.iter().enumerate() {
        let shown = path.display().to_string();
        let done = (done + 1).to_string();
        tracing::warn!("{}", text(key::ERASING, language, &[("done", &done), ("total", &total), ("path", &shown)]));
        let is_dir = fs::symlink_metadata(path)?.is_dir();
        if is_dir { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    fs::remove_file(&mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_goes_but_the_lock_and_only_when_it_was_asked_for() {
        let data = std::env::temp_dir().join(format!("pbxd-erase-{}", std::process::id()));
        fs::create_dir_all(data.join("recordings/old")).unwrap();
        for name in ["main.db", "chassis.key", LOCK, "recordings/old/a"] {
            fs::write(data.join(name), "x").unwrap();
        }
        erase_if_marked(&data, Language::En).unwrap();
        assert!(data.join("main.db").exists());
        fs::write(data.join(MARK), "panel").unwrap();
        erase_if_marked(&data, Language::En).unwrap();
        let left: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [LOCK]);
        fs::remove_dir_all(&data).unwrap();
    }
}
