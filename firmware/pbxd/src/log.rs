//! The program's own log: one line per event on standard error, none per packet; and what a panic leaves behind.

use std::io::IsTerminal;
use tracing::Level;

/// Sends `tracing` events up to `level` to standard error. A second call changes nothing.
pub fn start(level: Level) {
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(false);
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
