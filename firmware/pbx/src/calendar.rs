//! When a queue is open: weekly hours, days off and extra hours, on integers. Not a clock: UTC and the site's fixed
//! distance from it go in, nothing is asked. There is no daylight saving time.
//!
//! An opening belongs to the date on which it begins: `fri/22:00-06:00` on a Friday lasts into Saturday, also when that
//! Saturday is a day off, and does not begin on a Friday off. Extra hours hold on days off, too.

use alloc::vec::Vec;
use base::time::Wall;
use serde::{Deserialize, Serialize};

use crate::config::Calendar;

/// Minutes of a day; the end of hours that last to midnight.
pub const DAY_MIN: u16 = 1_440;
/// Days that [`next_change`] looks ahead.
pub const SEARCH_DAYS: i64 = 400;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = DAY_MIN as i64 * MINUTE_MS;
/// Farther from 1970 no date is told from another, so that a clock gone astray overflows nothing.
const FAR_MS: i64 = 10_000 * 366 * DAY_MS;

/// A day of the week.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Weekday {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Weekday {
    /// All, from Monday.
    pub const ALL: [Weekday; 7] =
        [Weekday::Mon, Weekday::Tue, Weekday::Wed, Weekday::Thu, Weekday::Fri, Weekday::Sat, Weekday::Sun];

    /// As written in a configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Weekday::Mon => "mon",
            Weekday::Tue => "tue",
            Weekday::Wed => "wed",
            Weekday::Thu => "thu",
            Weekday::Fri => "fri",
            Weekday::Sat => "sat",
            Weekday::Sun => "sun",
        }
    }

    /// Of a count of days since 1970-01-01, a Thursday.
    pub(crate) const fn of(days: i64) -> Weekday {
        Weekday::ALL[(days + 3).rem_euclid(7) as usize]
    }
}

/// A date of the civil (Gregorian) calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Date {
    /// 1970-9999.
    year: u16,
    /// 1-12.
    month: u8,
    /// 1-31.
    day: u8,
}

impl Date {
    /// None when there is no such day, or before 1970 or after 9999.
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Date> {
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let last = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if year < 1970 || year > 9999 || day < 1 || day > last {
            return None;
        }
        Some(Date { year, month, day })
    }

    /// The date at a place `utc_offset_min` minutes east of Greenwich.
    pub fn of(wall: Wall, utc_offset_min: i32) -> Date {
        Date::of_days(local_ms(wall, utc_offset_min).div_euclid(DAY_MS))
    }

    /// 1970-9999.
    pub const fn year(self) -> u16 {
        self.year
    }

    /// 1-12.
    pub const fn month(self) -> u8 {
        self.month
    }

    /// 1-31.
    pub const fn day(self) -> u8 {
        self.day
    }

    /// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year.
    pub(crate) const fn days(self) -> i64 {
        let (month, day) = (self.month as i64, self.day as i64);
        let year = self.year as i64 - (month <= 2) as i64;
        let month_from_march = (month + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
        // 719,468 days lie between 0000-03-01 and 1970-01-01.
        year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
    }

    /// The reverse of [`Date::days`]; the first or last date there is when it lies beyond.
    pub(crate) const fn of_days(days: i64) -> Date {
        const FIRST: Date = Date { year: 1970, month: 1, day: 1 };
        const LAST: Date = Date { year: 9999, month: 12, day: 31 };
        if days <= FIRST.days() {
            return FIRST;
        } else if days >= LAST.days() {
            return LAST;
        }
        // At most a year too early, then counted on: a year never has more than 366 days.
        let mut date = Date { year: 1970 + (days / 366) as u16, ..FIRST };
        while (Date { year: date.year + 1, ..FIRST }).days() <= days {
            date.year += 1;
        }
        while date.month < 12 && (Date { month: date.month + 1, ..date }).days() <= days {
            date.month += 1;
        }
        date.day += (days - date.days()) as u8;
        date
    }
}

/// A stretch of a day.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Span {
    /// Minute of the day at which it begins, 0-1439.
    from_min: u16,
    /// Minute at which it is over, 1-1440; at or below `from_min` it is a minute of the next day.
    to_min: u16,
}

impl Span {
    /// None when a minute is no minute of a day, or both are the same.
    pub const fn new(from_min: u16, to_min: u16) -> Option<Span> {
        let fits = from_min < DAY_MIN && to_min >= 1 && to_min <= DAY_MIN && from_min != to_min;
        if fits { Some(Span { from_min, to_min }) } else { None }
    }

    /// Minute of the day at which it begins.
    pub const fn from_min(self) -> u16 {
        self.from_min
    }

    /// Minute at which it is over; below [`Span::from_min`] it is of the next day.
    pub const fn to_min(self) -> u16 {
        self.to_min
    }

    /// First minute and the minute after the last, counted from the midnight before.
    const fn minutes(self) -> (i64, i64) {
        let (from, to) = (self.from_min as i64, self.to_min as i64);
        (from, if to > from { to } else { to + DAY_MIN as i64 })
    }
}

/// `mon-fri/09:00-18:00`: hours of each week.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hours {
    /// First day.
    pub first: Weekday,
    /// Last day; before `first` the days go over the end of the week (`sat-mon`).
    pub last: Weekday,
    /// The hours of each of these days.
    pub span: Span,
}

impl Hours {
    fn is_on(&self, day: Weekday) -> bool {
        if self.first <= self.last {
            (self.first..=self.last).contains(&day)
        } else {
            day >= self.first || day <= self.last
        }
    }
}

/// `2026-10-01` or `2026-10-01/2026-10-07`: days on which the weekly hours do not begin.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DaysOff {
    /// First day.
    pub first: Date,
    /// Last day, at or after the first.
    pub last: Date,
}

/// `2026-10-10/09:00-18:00`: hours of one date, beside the weekly ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Extra {
    /// The date.
    pub date: Date,
    /// Its hours.
    pub span: Span,
}

/// Whether a calendar is open at `wall`, at a place `utc_offset_min` minutes east of Greenwich.
pub fn is_open(calendar: &Calendar, wall: Wall, utc_offset_min: i32) -> bool {
    is_open_at(calendar, local_ms(wall, utc_offset_min))
}

/// The first moment after `wall` at which a calendar opens or closes; none within [`SEARCH_DAYS`] days.
pub fn next_change(calendar: &Calendar, wall: Wall, utc_offset_min: i32) -> Option<Wall> {
    let now = local_ms(wall, utc_offset_min);
    let before = is_open_at(calendar, now);
    let today = now.div_euclid(DAY_MS);
    let mut edges: Vec<i64> = Vec::new();
    for day in today..=today + SEARCH_DAYS {
        edges.clear();
        for begun in [day - 1, day] {
            each_opening(calendar, begun, |from, to| edges.extend([from, to]));
        }
        edges.sort_unstable();
        let ahead = edges.iter().filter(|edge| **edge > now && edge.div_euclid(DAY_MS) == day);
        if let Some(edge) = ahead.copied().find(|edge| is_open_at(calendar, *edge) != before) {
            return Some(Wall::from_millis(edge - i64::from(utc_offset_min) * MINUTE_MS));
        }
    }
    None
}

/// When a calendar is open in `days` days from `first`, in minutes of local time since 1970: beginnings and ends, in order,
/// apart from each other.
pub(crate) fn openings(calendar: &Calendar, first: i64, days: i64) -> Vec<(i64, i64)> {
    let (begin, end) = (first * i64::from(DAY_MIN), (first + days) * i64::from(DAY_MIN));
    let mut found: Vec<(i64, i64)> = Vec::new();
    for day in first - 1..first + days {
        each_opening(calendar, day, |from, to| found.push((from / MINUTE_MS, to / MINUTE_MS)));
    }
    found.sort_unstable();
    let mut out: Vec<(i64, i64)> = Vec::new();
    for (from, to) in found.into_iter().map(|(from, to)| (from.max(begin), to.min(end))).filter(|(from, to)| from < to)
    {
        match out.last_mut().filter(|(_, last)| *last >= from) {
            Some((_, last)) => *last = to.max(*last),
            None => out.push((from, to)),
        }
    }
    out
}

fn local_ms(wall: Wall, utc_offset_min: i32) -> i64 {
    wall.as_millis().clamp(-FAR_MS, FAR_MS) + i64::from(utc_offset_min) * MINUTE_MS
}

fn is_open_at(calendar: &Calendar, local_ms: i64) -> bool {
    let today = local_ms.div_euclid(DAY_MS);
    let mut open = false;
    for begun in [today - 1, today] {
        each_opening(calendar, begun, |from, to| open |= (from..to).contains(&local_ms));
    }
    open
}

/// The openings that begin on a day, given in days since 1970: local milliseconds of their beginning and end.
fn each_opening(calendar: &Calendar, day: i64, mut found: impl FnMut(i64, i64)) {
    let mut tell = |span: Span| {
        let (from, to) = span.minutes();
        found(day * DAY_MS + from * MINUTE_MS, day * DAY_MS + to * MINUTE_MS);
    };
    let off = calendar.closed.iter().any(|c| (c.first.days()..=c.last.days()).contains(&day));
    let weekday = Weekday::of(day);
    if !off {
        calendar.hours.iter().filter(|h| h.is_on(weekday)).for_each(|h| tell(h.span));
    }
    calendar.extra.iter().filter(|e| e.date.days() == day).for_each(|e| tell(e.span));
}

#[cfg(test)]
mod tests;
