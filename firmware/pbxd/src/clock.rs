//! The two clocks of the machine as the core reads them. The only place of the program that asks the kernel for time
//! on behalf of the core, the journal and the media engine.
//!
//! `Instant` is `CLOCK_BOOTTIME` plus an offset that is zero until the machine has restarted: the recovered state
//! speaks of instants of the former boot, and time must not run backwards for it.

use base::time::{Instant, Now, Wall};
use nix::time::{ClockId, clock_gettime};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Microseconds added to `CLOCK_BOOTTIME`; set once, before any thread starts.
static OFFSET_US: AtomicU64 = AtomicU64::new(0);

/// File in the data directory: boot id of the kernel and the offset in microseconds that belongs to it.
const FILE: &str = "clock";

fn micros(clock: ClockId) -> u64 {
    match clock_gettime(clock) {
        Ok(t) => (t.tv_sec().max(0) as u64).saturating_mul(1_000_000).saturating_add(t.tv_nsec().max(0) as u64 / 1_000),
        // Both clocks exist on every kernel since 2.6.39, and the pointer is good: nothing is left that can fail.
        Err(_) => 0,
    }
}

/// Monotonic time, as every timer of the box counts it.
pub fn instant() -> Instant {
    Instant::from_micros(micros(ClockId::CLOCK_BOOTTIME).saturating_add(OFFSET_US.load(Ordering::Relaxed)))
}

/// UTC, for people.
pub fn wall() -> Wall {
    Wall::from_millis((micros(ClockId::CLOCK_REALTIME) / 1_000) as i64)
}

/// Both readings for one input.
pub fn now() -> Now {
    Now { at: instant(), wall: wall() }
}

/// Offset in microseconds between `CLOCK_BOOTTIME` and [`instant`], for those who arm kernel timers.
pub fn offset_us() -> u64 {
    OFFSET_US.load(Ordering::Relaxed)
}

/// Makes time go on where the records in `data` end. `last` is the time of the last journaled input; none when there
/// is no journal. After a restart of the machine the time away is taken from the UTC clock, as far as that moved
/// forward. Call it before threads start. True when the machine has restarted since the records were made.
pub fn go_on(data: &Path, last: Option<Now>) -> io::Result<bool> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    let here = Now { at: Instant::from_micros(micros(ClockId::CLOCK_BOOTTIME)), wall: wall() };
    let file = data.join(FILE);
    let known = std::fs::read_to_string(&file).unwrap_or_default();
    let offset_us = offset(boot.trim(), &known, last, here);
    OFFSET_US.store(offset_us, Ordering::Relaxed);
    let text = format!("{} {offset_us}\n", boot.trim());
    if text != known {
        let fresh = data.join("clock.new");
        std::fs::write(&fresh, text)?;
        std::fs::rename(fresh, file)?;
    }
    Ok(last.is_some() && known.split_whitespace().next() != Some(boot.trim()))
}

/// The offset in microseconds: the known one within the same boot, otherwise one that lets time go on after `last`.
fn offset(boot: &str, known: &str, last: Option<Now>, here: Now) -> u64 {
    let mut words = known.split_whitespace();
    if words.next() == Some(boot)
        && let Some(offset_us) = words.next().and_then(|w| w.parse().ok())
    {
        return offset_us;
    }
    let Some(last) = last else { return 0 };
    let away_ms = here.wall.as_millis().saturating_sub(last.wall.as_millis()).max(0) as u64;
    let resume = last.at + Duration::from_millis(away_ms) + Duration::from_micros(1);
    resume.as_micros().saturating_sub(here.at.as_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(us: u64, ms: i64) -> Now {
        Now { at: Instant::from_micros(us), wall: Wall::from_millis(ms) }
    }

    #[test]
    fn time_goes_on_after_the_records_of_a_former_boot() {
        let last = Some(at(9_000_000, 1_000));
        let here = at(2_000_000, 4_000);
        let fresh = offset("b", "a 0", last, here);
        assert_eq!(2_000_000 + fresh, 12_000_001, "three seconds away by the wall clock");
        assert_eq!(offset("b", &format!("b {fresh}"), last, here), fresh, "the same within one boot");
        assert_eq!(offset("b", "a 0", None, here), 0, "no records");
        assert_eq!(offset("b", "rubbish", Some(at(1, 9_000)), here), 0, "a UTC clock set back is not trusted");
    }
}
