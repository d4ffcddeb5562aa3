//! A directory of its own for each test, and waiting for files in it to change.

use super::{At, Outcome, Trouble};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A directory that is removed when the test succeeds and kept, with its path printed, when it does not.
pub struct Workplace {
    path: PathBuf,
    passed: bool,
}

impl Workplace {
    /// A fresh directory below the system's directory for temporary files. `CORDBOARD_KEEP=1` keeps it in any case.
    pub fn new(name: &str) -> Outcome<Workplace> {
        let path = std::env::temp_dir().join(format!("cordboard-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).at(path.display())?;
        Ok(Workplace { path, passed: false })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A path inside it.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The test reached its end: nobody needs the files.
    pub fn passed(mut self) {
        self.passed = true;
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        if self.passed && std::env::var_os("CORDBOARD_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.path);
        } else {
            eprintln!("kept for inspection: {}", self.path.display());
        }
    }
}

/// Asks `look` at once and after each change in `dir`, until it gives something or `limit` is over. What `look` finds
/// missing in the end is the trouble told.
pub fn until<T>(dir: &Path, limit: Duration, what: &str, mut look: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    let notes = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC).at("inotify")?;
    let changes = AddWatchFlags::IN_MODIFY
        | AddWatchFlags::IN_CREATE
        | AddWatchFlags::IN_DELETE
        | AddWatchFlags::IN_CLOSE_WRITE
        | AddWatchFlags::IN_MOVED_TO;
    notes.add_watch(dir, changes).at(format!("watching {}", dir.display()))?;
    let end = Instant::now() + limit;
    loop {
        let last = look();
        if let Ok(Some(found)) = last {
            return Ok(found);
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let why = last.err().map(|trouble| format!(": {trouble}")).unwrap_or_default();
            return Err(Trouble(format!("waited {limit:?} for {what} in {}{why}", dir.display())));
        }
        // Writes through shared memory make no note, so look again after at most a second in any case.
        let wait = PollTimeout::try_from(left.min(Duration::from_secs(1))).unwrap_or(PollTimeout::ZERO);
        poll(&mut [PollFd::new(notes.as_fd(), PollFlags::POLLIN)], wait).at("poll")?;
        while notes.read_events().is_ok_and(|events| !events.is_empty()) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_appears_is_noticed() {
        let place = Workplace::new("until").unwrap();
        let file = place.join("late");
        let writer = file.clone();
        let thread = std::thread::spawn(move || std::fs::write(writer, "x").unwrap());
        until(place.path(), Duration::from_secs(5), "the file", || Ok(file.exists().then_some(()))).unwrap();
        thread.join().unwrap();
        place.passed();
    }
}
