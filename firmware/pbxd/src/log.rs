//! The program's own log: one line per event on standard error, none per packet; its last lines for diagnostics; and what a
//! panic leaves behind.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tracing::Level;

/// Lines kept for diagnostics, and bytes of one.
const TAIL_LINES: usize = 300;
const LINE_BYTES: usize = 500;

static TAIL: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());

/// Nothing is left half done behind the lock, whoever panicked.
fn kept() -> MutexGuard<'static, VecDeque<String>> {
    TAIL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The last lines, oldest first.
pub fn tail() -> String {
    kept().iter().map(String::as_str).collect()
}

/// Standard error, with its last lines kept. The log writes a whole event at once.
struct Kept;

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = bytes.get(..LINE_BYTES).unwrap_or(bytes);
        let mut tail = kept();
        if tail.len() >= TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(format!("{}\n", String::from_utf8_lossy(line).trim_end()));
        drop(tail);
        io::stderr().write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

/// Sends `tracing` events up to `level` to standard error. A second call changes nothing.
pub fn start(level: Level) {
    let lines =
        tracing_subscriber::fmt().with_max_level(level).with_writer(|| Kept).with_target(false).with_ansi(false);
    let installed = if std::io::stderr().is_terminal() || std::env::var_os("JOURNAL_STREAM").is_none() {
        lines.try_init()
    } else {
        lines.without_time().try_init()
    };
    // The only error is that somebody installed a subscriber before; then the lines go there.
    drop(installed);
}

/// A panic anywhere is a bug in shared state: name the place and abort, so that the supervisor starts the program
/// again and recovery goes on from the records. Without it a dead thread would leave half a box running.
pub fn abort_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let backtrace = std::backtrace::Backtrace::force_capture();
        eprintln!("pbxd: bug: {panic}\nthread {}\n{backtrace}", thread.name().unwrap_or("without name"));
        std::process::abort();
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_no_more() {
        for number in 0..2 * TAIL_LINES {
            let line = format!("line {number} {}\n", "客".repeat(LINE_BYTES));
            assert_eq!(Kept.write(line.as_bytes()).unwrap(), line.len(), "all of it goes to standard error");
        }
        let tail = tail();
        assert_eq!(tail.lines().count(), TAIL_LINES);
        assert!(tail.lines().all(|line| line.len() <= LINE_BYTES + 3));
        assert!(tail.lines().last().is_some_and(|line| line.starts_with(&format!("line {} ", 2 * TAIL_LINES - 1))));
    }
}
