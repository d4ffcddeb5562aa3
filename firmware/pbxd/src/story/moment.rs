//! A moment as a person writes it: `2026-11-22 09:30:00`, UTC unless an offset follows. Only reads; moments are written
//! by [`super::say::utc`].

use base::time::Wall;

const DAY_MS: i64 = 86_400_000;

/// Reads a moment: date, time of day to the minute, second or millisecond, then `Z`, `UTC` or an offset like `+08:00`.
/// Date and time may be joined by `T`. None when it is not one.
pub fn parse(text: &str) -> Option<Wall> {
    let text = text.trim();
    let (text, offset_min) = offset(text)?;
    let (date, time) = text.split_once([' ', 'T'])?;
    let [year, month, day] = numbers(date, '-')?;
    let (time, ms) = match time.trim().split_once('.') {
        Some((time, fraction)) => (time, millis(fraction)?),
        None => (time.trim(), 0),
    };
    let [hour, minute, second] = numbers(time, ':').or_else(|| {
        let [hour, minute] = numbers(time, ':')?;
        Some([hour, minute, 0])
    })?;
    let in_range = (1..=9999).contains(&year) && hour < 24 && minute < 60 && second < 60;
    let days = days(year, month, day).filter(|_| in_range)?;
    let of_day = ((hour * 60 + minute - offset_min) * 60 + second) * 1_000 + ms;
    Some(Wall::from_millis(days * DAY_MS + of_day))
}

/// Cuts the offset off the end, in minutes east of UTC.
fn offset(text: &str) -> Option<(&str, i64)> {
    if let Some(rest) = text.strip_suffix("UTC").or_else(|| text.strip_suffix('Z')) {
        return Some((rest.trim_end(), 0));
    }
    // A date has hyphens of its own: an offset stands behind the time of day.
    let sign = text.rfind(['+', '-']).filter(|at| text.get(..*at).is_some_and(|before| before.contains(':')));
    let Some(sign) = sign else { return Some((text, 0)) };
    let (rest, offset) = text.split_at(sign);
    let [hours, minutes] = numbers(offset.get(1..)?, ':')?;
    let east = hours * 60 + minutes;
    (hours < 15 && minutes < 60).then_some((rest.trim_end(), if offset.starts_with('-') { -east } else { east }))
}

/// Exactly `N` numbers of digits alone.
fn numbers<const N: usize>(text: &str, between: char) -> Option<[i64; N]> {
    let numbers: Option<Vec<i64>> = text.split(between).map(digits).collect();
    numbers?.try_into().ok()
}

fn digits(text: &str) -> Option<i64> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

fn millis(fraction: &str) -> Option<i64> {
    let value = digits(fraction)?;
    match fraction.len() {
        1 => Some(value * 100),
        2 => Some(value * 10),
        3 => Some(value),
        _ => None,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar; none for a day that its month does not have. Years are counted
/// from March, so that the leap day is the last of its year.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let since_march_0000 = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    (1..=length).contains(&day).then_some(since_march_0000 - 719_468)
}

#[cfg(test)]
mod tests {
    use super::super::say::utc;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for ms in [0, 951_782_400_000, 1_795_295_625_250, 4_107_542_399_999, 4_107_542_400_000] {
            assert_eq!(parse(&utc(Wall::from_millis(ms))), Some(Wall::from_millis(ms)));
        }
        let day_by_day = (0..150_000).map(|day| Wall::from_millis(day * DAY_MS));
        assert!(day_by_day.into_iter().all(|wall| parse(&utc(wall)) == Some(wall)));
    }

    #[test]
    fn offsets_and_shorter_forms_are_understood() {
        let noon = parse("2026-11-22 12:00:00.000 UTC");
        for same in [
            "2026-11-22 12:00",
            "2026-11-22T12:00:00Z",
            " 2026-11-22 20:00:00 +08:00 ",
            "2026-11-22T20:00:00.0+08:00",
            "2026-11-21 21:30 -14:30",
        ] {
            assert_eq!(parse(same), noon, "{same}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            "",
            "now",
            "12:00",
            "2026-11-22",
            "2026-02-29 12:00",
            "2026-13-01 12:00",
            "2026-11-22 24:00",
            "2026-11-22 12:60",
            "2026-11-22 12:00:00.1234",
            "2026-11-22 12:00 +25:00",
            "2026-11-22 1x:00",
            "-1-1-1 1:1",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
