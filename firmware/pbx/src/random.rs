//! The seeded stream behind every identity that the core makes. The only source of chance in here; its seed comes in
//! with `Boot` and its position is part of the state.

use base::id::Uid;
use base::time::Wall;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

/// The stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Random(ChaCha20Rng);

impl Random {
    /// Keyed by the operating system's chance, or by the seed of a test.
    pub fn new(seed: [u8; 32]) -> Random {
        Random(ChaCha20Rng::from_seed(seed))
    }

    /// 32 bits.
    pub fn u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// 64 bits.
    pub fn u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// An identity made now.
    pub fn uid(&mut self, wall: Wall) -> Uid {
        let high = self.0.next_u64() as u128;
        let low = self.0.next_u64() as u128;
        Uid::new(wall, (high << 64) | low)
    }

    /// A seed for another stream.
    pub fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill_bytes(&mut seed);
        seed
    }
}
