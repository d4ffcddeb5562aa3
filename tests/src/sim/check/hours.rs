//! Whether a queue is open, for calendars of weekly hours within one day, written apart from the product's own.

use base::time::Wall;
use pbx::config::{Config, Queue};

/// Open at this moment.
pub fn is_open(config: &Config, queue: &Queue, wall: Wall) -> bool {
    let Some(calendar) = queue.calendar.as_ref().and_then(|name| config.calendars.get(name)) else { return true };
    let (day, minute) = local(config, wall);
    calendar.hours.iter().any(|hours| {
        let (first, last) = (hours.first as i64, hours.last as i64);
        let (from, to) = (i64::from(hours.span.from_min()), i64::from(hours.span.to_min()));
        (first..=last).contains(&day) && (from..to).contains(&minute)
    })
}

/// Day of the week from Monday (0), and minute of the day.
pub fn local(config: &Config, wall: Wall) -> (i64, i64) {
    let minutes = wall.as_millis().div_euclid(60_000) + i64::from(config.system.utc_offset_min);
    // 1970-01-01 was a Thursday.
    ((minutes.div_euclid(1_440) + 3).rem_euclid(7), minutes.rem_euclid(1_440))
}
