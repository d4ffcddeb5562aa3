//! Fuzz target: see `console::console_bytes`.
#![no_main]

#[path = "../src/console.rs"]
mod console;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    console::console_bytes(bytes);
});
