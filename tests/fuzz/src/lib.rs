//! Only the checks; the targets are in `fuzz_targets/`.

pub mod checks;
pub mod config;
pub mod console;
pub mod panel;
