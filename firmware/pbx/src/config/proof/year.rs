//! A year in stretches in which no calendar opens or closes. Minutes of local time since 1970; there is no daylight saving
//! time.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::calendar::{self, DAY_MIN, Date};
use crate::config::{Calendar, when};

/// Days looked at: a year, leap or not.
const DAYS: i64 = 366;
/// Minutes looked at.
pub(super) const YEAR_MIN: u64 = DAYS.unsigned_abs() * 24 * 60;

/// Which calendars are open, by their place in the list.
pub(super) type Open = Vec<bool>;

/// A stretch.
pub(super) struct Stretch {
    /// First minute.
    pub from: i64,
    /// The minute after the last.
    pub to: i64,
    /// Place in [`Year::states`].
    pub state: usize,
}

/// All stretches, in order and without gaps.
pub(super) struct Year {
    pub stretches: Vec<Stretch>,
    /// What can be open at once, each once, in the order of appearance.
    pub states: Vec<Open>,
}

impl Year {
    /// Of the calendars from a day on.
    pub fn of(calendars: &[&Calendar], first: Date) -> Year {
        let first = first.days();
        let (begin, end) = (first * i64::from(DAY_MIN), (first + DAYS) * i64::from(DAY_MIN));
        let mut changes: Vec<(i64, usize)> = Vec::new();
        for (n, calendar) in calendars.iter().enumerate() {
            let openings = calendar::openings(calendar, first, DAYS);
            changes.extend(openings.into_iter().flat_map(|(from, to)| [(from, n), (to, n)]));
        }
        changes.sort_unstable();
        let mut year = Year { stretches: Vec::new(), states: Vec::new() };
        let mut known: BTreeMap<Open, usize> = BTreeMap::new();
        let mut open: Open = vec![false; calendars.len()];
        let mut changes = changes.into_iter().filter(|(at, _)| *at < end).peekable();
        let mut from = begin;
        while from < end {
            while let Some((_, n)) = changes.next_if(|(at, _)| *at <= from) {
                if let Some(open) = open.get_mut(n) {
                    *open = !*open;
                }
            }
            let to = changes.peek().map_or(end, |(at, _)| *at);
            let state = *known.entry(open.clone()).or_insert_with(|| {
                year.states.push(open.clone());
                year.states.len() - 1
            });
            year.stretches.push(Stretch { from, to, state });
            from = to;
        }
        year
    }

    /// Whether a calendar is ever open.
    pub fn ever_open(&self, calendar: usize) -> bool {
        self.states.iter().any(|open| open.get(calendar) == Some(&true))
    }
}

/// A minute in words: `2026-11-22 18:00`.
pub(super) fn moment(minute: i64) -> String {
    let day = Date::of_days(minute.div_euclid(i64::from(DAY_MIN)));
    let minute = minute.rem_euclid(i64::from(DAY_MIN));
    format!("{} {:02}:{:02}", when::print_date(day), minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{Hours, Span, Weekday};

    fn calendar(first: Weekday, last: Weekday, from: u16, to: u16) -> Calendar {
        let span = Span::new(from, to).unwrap();
        Calendar { hours: vec![Hours { first, last, span }], closed: vec![], extra: vec![] }
    }

    #[test]
    fn stretches_cover_the_year_and_agree_with_the_calendars_at_every_minute() {
        let day = calendar(Weekday::Mon, Weekday::Fri, 540, 1080);
        let night = calendar(Weekday::Fri, Weekday::Mon, 1320, 360);
        let always = calendar(Weekday::Mon, Weekday::Sun, 0, 1440);
        let calendars = [&day, &night, &always];
        let first = Date::new(2027, 12, 31).unwrap();
        let year = Year::of(&calendars, first);
        let mut at = first.days() * 1440;
        for stretch in &year.stretches {
            assert_eq!(stretch.from, at);
            for minute in stretch.from..stretch.to {
                let wall = base::time::Wall::from_millis(minute * 60_000);
                let open: Open = calendars.iter().map(|c| calendar::is_open(c, wall, 0)).collect();
                assert_eq!(open, year.states[stretch.state], "{}", moment(minute));
            }
            at = stretch.to;
        }
        assert_eq!(at, (first.days() + DAYS) * 1440);
        assert!(year.states.iter().all(|open| open[2]), "no seam at midnight");
        assert_eq!(year.states.len(), 3);
    }

    #[test]
    fn days_and_dates_are_inverse() {
        for days in (0..2_932_897).step_by(97).chain([59, 60, 789, 790, 2_932_896]) {
            assert_eq!(Date::of_days(days).days(), days);
        }
        assert_eq!(moment(Date::new(2028, 2, 29).unwrap().days() * 1440 + 61), "2028-02-29 01:01");
    }
}
