//! Fuzz target: see `config::config_text`.
#![no_main]

#[path = "../src/config.rs"]
#[allow(dead_code, reason = "each target uses one of the checks")]
mod config;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| config::config_text(bytes));
