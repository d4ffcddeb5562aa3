//! How distances from UTC, dates and hours look in the text form: `+08:00`, `mon-fri/09:00-18:00`,
//! `2026-10-01/2026-10-07`, `2026-10-10/09:00-18:00`. What they mean is in [`crate::calendar`].

use alloc::format;
use alloc::string::{String, ToString};

use crate::calendar::{DAY_MIN, Date, DaysOff, Extra, Hours, Span, Weekday};

/// Farthest distances from UTC, in minutes.
pub(super) const UTC_OFFSET_MIN: (i32, i32) = (-720, 840);
/// Instead of `mon-sun`.
const DAILY: &str = "daily";

/// `+08:00`, `-03:30`; none when it is not one or too far.
pub(super) fn utc_offset(word: &str) -> Option<i32> {
    let (sign, clock) = match word.strip_prefix('-') {
        Some(clock) => (-1, clock),
        None => (1, word.strip_prefix('+')?),
    };
    let minutes = sign * i32::from(minute(clock)?);
    (UTC_OFFSET_MIN.0..=UTC_OFFSET_MIN.1).contains(&minutes).then_some(minutes)
}

pub(super) fn print_utc_offset(minutes: i32) -> String {
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes.unsigned_abs() / 60, minutes.unsigned_abs() % 60)
}

pub(super) fn hours(word: &str) -> Option<Hours> {
    let (days, hours) = word.split_once('/')?;
    let (first, last) = match days.split_once('-') {
        Some((first, last)) => (weekday(first)?, weekday(last)?),
        None if days.eq_ignore_ascii_case(DAILY) => (Weekday::Mon, Weekday::Sun),
        None => (weekday(days)?, weekday(days)?),
    };
    Some(Hours { first, last, span: span(hours)? })
}

pub(super) fn print_hours(hours: &Hours) -> String {
    let days = match (hours.first, hours.last) {
        (Weekday::Mon, Weekday::Sun) => DAILY.to_string(),
        (first, last) if first == last => first.word().to_string(),
        (first, last) => format!("{}-{}", first.word(), last.word()),
    };
    format!("{days}/{}", print_span(hours.span))
}

pub(super) fn days_off(word: &str) -> Option<DaysOff> {
    let (first, last) = word.split_once('/').unwrap_or((word, word));
    let (first, last) = (date(first)?, date(last)?);
    (first <= last).then_some(DaysOff { first, last })
}

pub(super) fn print_days_off(days: &DaysOff) -> String {
    if days.first == days.last {
        return print_date(days.first);
    }
    format!("{}/{}", print_date(days.first), print_date(days.last))
}

pub(super) fn extra(word: &str) -> Option<Extra> {
    let (day, hours) = word.split_once('/')?;
    Some(Extra { date: date(day)?, span: span(hours)? })
}

pub(super) fn print_extra(extra: &Extra) -> String {
    format!("{}/{}", print_date(extra.date), print_span(extra.span))
}

pub(super) fn weekday(word: &str) -> Option<Weekday> {
    Weekday::ALL.into_iter().find(|day| day.word().eq_ignore_ascii_case(word))
}

fn span(word: &str) -> Option<Span> {
    let (from, to) = word.split_once('-')?;
    Span::new(minute(from)?, minute(to)?)
}

fn print_span(span: Span) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    format!("{}-{}", clock(span.from_min()), clock(span.to_min()))
}

/// `09:30`, up to `24:00`.
pub(super) fn minute(word: &str) -> Option<u16> {
    let (hour, minute) = word.split_once(':')?;
    let minute = digits(minute, 2).filter(|m| *m < 60)?;
    let minutes = digits(hour, 2)? * 60 + minute;
    (minutes <= DAY_MIN).then_some(minutes)
}

pub(super) fn date(word: &str) -> Option<Date> {
    let mut parts = word.split('-');
    let (year, month, day) = (digits(parts.next()?, 4)?, digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    if parts.next().is_some() {
        return None;
    }
    Date::new(year, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
}

pub(super) fn print_date(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
}

/// Exactly so many digits.
fn digits(word: &str, count: usize) -> Option<u16> {
    let fits = word.len() == count && word.bytes().all(|b| b.is_ascii_digit());
    if fits { word.parse().ok() } else { None }
}
