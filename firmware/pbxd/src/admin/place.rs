//! Configurations on a stick: `usb:/site.conf`, a file of that name on the stick that is mounted at `/media/usb`, or, on a
//! machine without one, in the folder `usb` of the data directory.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use pbx::config::{Language, TEXT_BYTES_MAX};
use pbx::text::{Key, admin as key, text};

use super::Admin;

/// Where the box mounts a stick.
const STICK: &str = "/media/usb";
/// What a place there begins with.
const ON_STICK: &str = "usb:";

impl Admin {
    /// Writes a text, durably; where it is now.
    ///
    /// # Errors
    /// Why not; for people.
    pub fn save(&self, place: &str, content: &str, language: Language) -> Result<String, String> {
        write(&self.file(place, language)?, content, language)
    }

    /// Writes diagnostics, durably: to the stick, or below `support` in the data directory; where they are now.
    ///
    /// # Errors
    /// Why not; for people.
    pub fn save_support(&self, place: &str, content: &str, language: Language) -> Result<String, String> {
        if place.starts_with(ON_STICK) {
            return self.save(place, content, language);
        }
        let name = plain(place).ok_or_else(|| text(key::SUPPORT_PLACE_BAD, language, &[("word", place)]))?;
        write(&self.data.join("support").join(name), content, language)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// Why not; for people.
    pub fn load(&self, place: &str, language: Language) -> Result<String, String> {
        let path = self.file(place, language)?;
        let unreadable = |why: String| failed(key::PLACE_UNREADABLE, &path, &why, language);
        let file = File::open(&path).map_err(|why| unreadable(why.to_string()))?;
        let mut content = Vec::new();
        // One byte more tells that it is too long.
        let most = TEXT_BYTES_MAX as u64 + 1;
        file.take(most).read_to_end(&mut content).map_err(|why| unreadable(why.to_string()))?;
        if content.len() > TEXT_BYTES_MAX {
            let (path, bytes) = (path.display().to_string(), fs::metadata(&path).map_or(most, |about| about.len()));
            let values = [("path", path), ("bytes", bytes.to_string()), ("max", TEXT_BYTES_MAX.to_string())];
            let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
            return Err(text(key::PLACE_LONG, language, &values));
        }
        String::from_utf8(content).map_err(|why| unreadable(why.to_string()))
    }

    fn file(&self, place: &str, language: Language) -> Result<PathBuf, String> {
        let name = named(place).ok_or_else(|| text(key::PLACE_BAD, language, &[("word", place)]))?;
        let stick = Path::new(STICK);
        let folder = if stick.is_dir() { stick.to_path_buf() } else { self.data.join("usb") };
        Ok(folder.join(name))
    }
}

/// A file of that content, whole or not at all; where it is.
fn write(path: &Path, content: &str, language: Language) -> Result<String, String> {
    let fresh = path.with_extension("new");
    let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
        let mut file = File::create(&fresh)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, path)
    });
    written.map_err(|why| failed(key::PLACE_UNWRITABLE, path, &why.to_string(), language))?;
    Ok(path.display().to_string())
}

/// The file's name; one that leads elsewhere is none.
fn named(place: &str) -> Option<&str> {
    plain(place.strip_prefix(ON_STICK).map(|rest| rest.strip_prefix('/').unwrap_or(rest))?)
}

fn plain(name: &str) -> Option<&str> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    (!name.is_empty() && name.len() <= 128 && !name.starts_with('.') && name.chars().all(plain)).then_some(name)
}

fn failed(key: Key, path: &Path, why: &str, language: Language) -> String {
    text(key, language, &[("path", &path.display().to_string()), ("why", why)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_file_on_the_stick() {
        assert_eq!(named("usb:/site.conf"), Some("site.conf"));
        assert_eq!(named("usb:站点.conf"), Some("站点.conf"));
        for bad in ["usb:", "usb:/", "usb:/../etc", "usb:/.hidden", "usb:/a/b", "/etc/passwd", "site.conf", ""] {
            assert_eq!(named(bad), None, "{bad}");
        }
        for bad in ["", ".hidden", "../main.db", "a/b", "usb:/a"] {
            assert_eq!(plain(bad), None, "{bad}");
        }
    }
}
