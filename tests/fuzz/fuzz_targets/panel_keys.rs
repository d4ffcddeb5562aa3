//! Fuzz target: see `panel::panel_keys`.
#![no_main]

#[path = "../src/panel.rs"]
mod panel;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    panel::panel_keys(bytes);
});
