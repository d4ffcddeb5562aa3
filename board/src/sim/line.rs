//! One analog line as the exchange sees it: battery, ringing cadence, loop supervision, release, and the cable.
//!
//! A release takes the battery away for 800 ms, as exchanges with calling-party control do. Dial tone, busy tone and
//! caller identity are not there yet: a line seized by the box stays silent.

use base::time::Instant;
use core::time::Duration;

use super::si3050::Sense;

/// Ring voltage within each [`CADENCE`].
pub const RING_ON: Duration = Duration::from_secs(1);
/// One second on, four off.
pub const CADENCE: Duration = Duration::from_secs(5);
/// Half a period of 25 Hz.
const RING_HALF: Duration = Duration::from_millis(20);
/// The loop must be open so long before the exchange takes it for the end of the call.
const HANG_UP: Duration = Duration::from_millis(200);
/// Battery is away so long at a release.
const RELEASE_BREAK: Duration = Duration::from_millis(800);
const ON_HOOK_MV: i32 = 48_000;
const OFF_HOOK_MV: i32 = 8_000;
const LOOP_MA: u32 = 20;

/// What the exchange does with the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exchange {
    /// Feeds it and waits.
    Idle,
    /// Rings it.
    Ringing {
        /// Start of the first burst.
        since: Instant,
    },
    /// A caller is connected.
    Talking {
        /// When the loop closed.
        since: Instant,
    },
    /// The box closed the loop without being rung.
    Seized,
    /// The caller hung up: no battery until then.
    Released {
        /// Battery comes back.
        until: Instant,
    },
    /// The call is over for the exchange, the box still holds the loop.
    Held,
}

impl Exchange {
    /// One word for the status.
    pub fn name(self) -> &'static str {
        match self {
            Exchange::Idle => "idle",
            Exchange::Ringing { .. } => "ringing",
            Exchange::Talking { .. } => "talking",
            Exchange::Seized => "seized",
            Exchange::Released { .. } => "released",
            Exchange::Held => "held",
        }
    }
}

/// What the caller notices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Notice {
    /// The box answered.
    Answered,
    /// The box hung up, or the cable was cut.
    Ended,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Line {
    exchange: Exchange,
    cut: bool,
    reversed: bool,
    open_since: Option<Instant>,
}

impl Default for Line {
    fn default() -> Line {
        Line { exchange: Exchange::Idle, cut: false, reversed: false, open_since: None }
    }
}

impl Line {
    /// What the exchange does with it.
    pub fn exchange(&self) -> Exchange {
        self.exchange
    }

    /// The cable is cut.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Cuts (true) or mends the cable.
    pub fn cut(&mut self, cut: bool) {
        self.cut = cut;
    }

    /// Changes TIP and RING.
    pub fn reverse(&mut self) {
        self.reversed = !self.reversed;
    }

    /// Rings the line; the reason when that is not possible.
    pub fn ring(&mut self, now: Instant) -> Result<(), &'static str> {
        match self.exchange {
            Exchange::Idle => {
                self.exchange = Exchange::Ringing { since: now };
                Ok(())
            }
            Exchange::Ringing { .. } => Err("it rings already; wait for off-hook, or release it"),
            Exchange::Talking { .. } => Err("a caller is on it; release it first"),
            Exchange::Seized | Exchange::Held => Err("the box holds it; wait for on-hook"),
            Exchange::Released { .. } => Err("it is being released; wait for on-hook"),
        }
    }

    /// The caller hangs up: ringing stops, a call is released.
    pub fn release(&mut self, now: Instant) -> Result<(), &'static str> {
        match self.exchange {
            Exchange::Ringing { .. } => {
                self.exchange = Exchange::Idle;
                Ok(())
            }
            Exchange::Talking { .. } | Exchange::Seized | Exchange::Held => {
                self.exchange = Exchange::Released { until: now + RELEASE_BREAK };
                Ok(())
            }
            Exchange::Idle => Err("nobody is on it; ring it first"),
            Exchange::Released { .. } => Err("it is being released already"),
        }
    }

    /// Follows the loop, which the box's chip closes or opens.
    pub fn step(&mut self, now: Instant, chip_closes: bool) -> Option<Notice> {
        let closed = chip_closes && !self.cut;
        self.open_since = if closed { None } else { self.open_since.or(Some(now)) };
        let hung_up = self.open_since.is_some_and(|since| now.since(since) >= HANG_UP);
        match self.exchange {
            Exchange::Idle if closed => self.exchange = Exchange::Seized,
            Exchange::Ringing { .. } if closed => {
                self.exchange = Exchange::Talking { since: now };
                return Some(Notice::Answered);
            }
            Exchange::Talking { .. } if hung_up => {
                self.exchange = Exchange::Idle;
                return Some(Notice::Ended);
            }
            Exchange::Seized | Exchange::Held if hung_up => self.exchange = Exchange::Idle,
            Exchange::Released { until } if now >= until => {
                self.exchange = if closed { Exchange::Held } else { Exchange::Idle };
            }
            Exchange::Idle
            | Exchange::Ringing { .. }
            | Exchange::Talking { .. }
            | Exchange::Seized
            | Exchange::Released { .. }
            | Exchange::Held => {}
        }
        None
    }

    /// What the chip finds between TIP and RING.
    pub fn sense(&self, now: Instant, chip_closes: bool) -> Sense {
        if self.cut || matches!(self.exchange, Exchange::Released { .. }) {
            return Sense::default();
        }
        let volts = if chip_closes { OFF_HOOK_MV } else { ON_HOOK_MV };
        let millivolts = if self.reversed { -volts } else { volts };
        let milliamps = if chip_closes { LOOP_MA } else { 0 };
        let ring = match self.exchange {
            Exchange::Ringing { since } if !chip_closes => half_wave(now.since(since)),
            _ => None,
        };
        Sense { millivolts, milliamps, ring }
    }

    /// Caller and box are connected.
    pub fn is_talking(&self) -> bool {
        matches!(self.exchange, Exchange::Talking { .. }) && !self.cut
    }
}

fn half_wave(ringing_for: Duration) -> Option<bool> {
    let into = ringing_for.as_micros() % CADENCE.as_micros();
    (into < RING_ON.as_micros()).then(|| (into / RING_HALF.as_micros()).is_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_micros(ms * 1_000)
    }

    #[test]
    fn rings_in_cadence_and_stops_when_answered() {
        let mut line = Line::default();
        line.ring(at(0)).unwrap();
        assert_eq!(line.sense(at(10), false).ring, Some(true));
        assert_eq!(line.sense(at(30), false).ring, Some(false));
        assert_eq!(line.sense(at(1_500), false).ring, None);
        assert_eq!(line.sense(at(5_010), false).ring, Some(true));
        assert!(line.ring(at(5_010)).is_err());
        assert_eq!(line.step(at(5_020), true), Some(Notice::Answered));
        assert_eq!(line.sense(at(5_020), true), Sense { millivolts: 8_000, milliamps: 20, ring: None });
    }

    #[test]
    fn a_short_opening_is_no_hang_up() {
        let mut line = Line::default();
        line.ring(at(0)).unwrap();
        line.step(at(100), true);
        assert_eq!(line.step(at(200), false), None);
        assert_eq!(line.step(at(350), true), None);
        assert_eq!(line.step(at(400), false), None);
        assert_eq!(line.step(at(600), false), Some(Notice::Ended));
        assert_eq!(line.exchange(), Exchange::Idle);
    }

    #[test]
    fn release_takes_the_battery_for_a_while() {
        let mut line = Line::default();
        line.ring(at(0)).unwrap();
        line.step(at(100), true);
        line.release(at(1_000)).unwrap();
        assert_eq!(line.sense(at(1_400), true).millivolts, 0);
        line.step(at(1_800), true);
        assert_eq!((line.exchange(), line.sense(at(1_800), true).millivolts), (Exchange::Held, 8_000));
        line.step(at(2_000), false);
        line.step(at(2_300), false);
        assert_eq!(line.exchange(), Exchange::Idle);
    }

    #[test]
    fn a_cut_cable_ends_the_call() {
        let mut line = Line::default();
        line.ring(at(0)).unwrap();
        line.step(at(100), true);
        line.cut(true);
        line.step(at(200), true);
        assert_eq!(line.step(at(400), true), Some(Notice::Ended));
        assert_eq!(line.sense(at(400), false), Sense::default());
    }
}
