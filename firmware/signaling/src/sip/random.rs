//! The seeded stream behind tags, branches, Call-IDs, nonce secrets and random waits.

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// See the module text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Random(ChaCha20Rng);

impl Random {
    /// A stream from its key.
    pub fn new(seed: [u8; 32]) -> Random {
        Random(ChaCha20Rng::from_seed(seed))
    }

    /// 64 bits.
    pub fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// 16 bytes.
    pub fn block(&mut self) -> [u8; 16] {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// 20 hexadecimal digits: 80 bit, more than the 32 of RFC 3261 §19.3.
    pub fn token(&mut self) -> String {
        let (high, low) = (self.word(), self.word());
        format!("{high:016x}{:04x}", low & 0xffff)
    }

    /// Between 0 and `below`, `below` not included.
    pub fn below(&mut self, below: u64) -> u64 {
        if below == 0 { 0 } else { self.word() % below }
    }
}
