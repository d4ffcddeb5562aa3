//! How quiet the machine is: its load averages and the speed of a loop that does the same on every machine.

use std::hint::black_box;
use std::time::Instant;

/// Rounds of one timing; some tens of milliseconds.
const ROUNDS: u32 = 20_000_000;
/// Timings taken; the best is the machine's speed, the worst tells how often somebody else was on.
const TIMINGS: usize = 7;

/// Wall time of one round of a chain of dependent shifts and additions, in ps.
#[derive(Clone, Copy, Debug)]
pub struct Calibration {
    /// In the best timing.
    pub best_ps: u64,
    /// In the worst.
    pub worst_ps: u64,
}

/// Times the loop.
pub fn calibrate() -> Calibration {
    let timings = (0..TIMINGS).map(|_| {
        let begun = Instant::now();
        let mut state = black_box(0x9e37_79b9_7f4a_7c15_u64);
        for _ in 0..ROUNDS {
            state ^= state << 13;
            state ^= state >> 7;
            state = state.wrapping_add(state << 17);
        }
        black_box(state);
        u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX) / u64::from(ROUNDS / 1000)
    });
    let (best_ps, worst_ps) = timings.fold((u64::MAX, 0), |(best, worst), t| (t.min(best), t.max(worst)));
    Calibration { best_ps, worst_ps }
}

/// The load averages of 1, 5 and 15 minutes as the kernel prints them.
pub fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().take(3).collect::<Vec<_>>().join(" ")
}
