//! PINs: nobody who reads the journal, or the network, learns one.

use super::Findings;
use base::id::Uid;
use pbx::event::{Detail, LegEvent};
use std::collections::BTreeMap;

/// PINs that are being typed, or were a moment ago.
#[derive(Debug, Default)]
pub struct Secrets {
    typed: Vec<(u64, String)>,
    digits: BTreeMap<Uid, String>,
}

/// So long after it was typed a PIN could turn up.
const FRESH_US: u64 = 30_000_000;

impl Secrets {
    /// Somebody types a PIN.
    pub fn typed(&mut self, now_us: u64, pin: &str) {
        self.typed.push((now_us + FRESH_US, pin.to_string()));
    }

    fn fresh(&mut self, now_us: u64) -> bool {
        if !self.typed.is_empty() {
            self.typed.retain(|(until, _)| now_us < *until);
            if self.typed.is_empty() {
                self.digits.clear();
            }
        }
        !self.typed.is_empty()
    }

    /// A row.
    pub fn row(&mut self, now_us: u64, row: &LegEvent, found: &mut Findings) {
        if !self.fresh(now_us) {
            return;
        }
        let mut text = format!("{:?}", row.detail);
        if let (Detail::Digit { digit, .. }, Some(uid)) = (&row.detail, row.call) {
            let digits = self.digits.entry(uid).or_default();
            digits.push(*digit);
            text.push_str(digits);
        }
        if let Some((_, pin)) = self.typed.iter().find(|(_, pin)| text.contains(pin.as_str())) {
            found.push(format!("PIN {pin} stands in row {}: {text}", row.seq));
        }
    }

    /// Bytes that leave the box.
    pub fn leaves(&mut self, now_us: u64, bytes: &[u8], found: &mut Findings) {
        if !self.fresh(now_us) {
            return;
        }
        let inside = |pin: &str| bytes.windows(pin.len()).any(|w| w == pin.as_bytes());
        if let Some((_, pin)) = self.typed.iter().find(|(_, pin)| inside(pin)) {
            found.push(format!("PIN {pin} leaves the box: {}", String::from_utf8_lossy(bytes)));
        }
    }
}
