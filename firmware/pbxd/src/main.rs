//! `pbxd`, the daemon, and the few commands that read its data. Everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    pbxd::cli::main(pbxd::control::core::nobody)
}
