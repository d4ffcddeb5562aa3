//! `xtask`, what `tools/run` and `tools/test` start. Everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::cli::main()
}
