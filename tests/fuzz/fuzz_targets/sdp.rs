//! Fuzz target: see `checks::sdp`.
#![no_main]

#[path = "../src/checks.rs"]
#[allow(dead_code, reason = "each target uses one of the checks")]
mod checks;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| checks::sdp(bytes));
