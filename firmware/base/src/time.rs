//! The three clocks. They never convert into each other: an NTP step moves [`Wall`] alone and ends no call,
//! wrap-up or timer.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;
use serde::{Deserialize, Serialize};

/// Microseconds since the machine booted (`CLOCK_BOOTTIME`). Survives a restart of the program, not of the machine.
/// The only clock of timers, waits and media positions.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Instant(u64);

impl Instant {
    /// The moment of boot.
    pub const BOOT: Instant = Instant(0);

    /// `us` microseconds after boot.
    pub const fn from_micros(us: u64) -> Instant {
        Instant(us)
    }

    /// Microseconds since boot.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Time passed since `earlier`; zero when `earlier` lies ahead.
    pub const fn since(self, earlier: Instant) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;
    fn add(self, d: Duration) -> Instant {
        Instant(self.0.saturating_add(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, d: Duration) {
        *self = *self + d;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;
    fn sub(self, d: Duration) -> Instant {
        Instant(self.0.saturating_sub(u64::try_from(d.as_micros()).unwrap_or(u64::MAX)))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// UTC milliseconds since 1970. Only calendars, CDRs and logs read it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Wall(i64);

impl Wall {
    /// `ms` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(ms: i64) -> Wall {
        Wall(ms)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> i64 {
        self.0
    }
}

/// Both readings taken for one input: `at` drives timers, `wall` is only written down.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Now {
    /// Monotonic.
    pub at: Instant,
    /// UTC, may step.
    pub wall: Wall,
}

/// A count of samples at a stated rate; positions inside recordings and prompts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct MediaTime {
    /// Samples since the start of the medium.
    pub samples: u64,
}

impl MediaTime {
    /// Position at 8,000 samples a second after `elapsed`.
    pub const fn at_8khz(elapsed: Duration) -> MediaTime {
        MediaTime { samples: elapsed.as_micros() as u64 / 125 }
    }
}
