//! Calendars against dates and hours worked out by hand, and against a search minute by minute.

use super::*;
use alloc::vec;

const BEIJING: i32 = 480;
/// 2026-01-01T00:00:00Z, a Thursday.
const NEW_YEAR_2026_MS: i64 = 1_767_225_600_000;

fn date(year: u16, month: u8, day: u8) -> Date {
    Date::new(year, month, day).unwrap()
}

fn span(from: &str, to: &str) -> Span {
    let minute = |clock: &str| clock[..2].parse::<u16>().unwrap() * 60 + clock[3..].parse::<u16>().unwrap();
    Span::new(minute(from), minute(to)).unwrap()
}

fn hours(first: Weekday, last: Weekday, from: &str, to: &str) -> Hours {
    Hours { first, last, span: span(from, to) }
}

/// A local time at a place `offset` minutes east of Greenwich.
fn at(date: Date, clock: &str, offset: i32) -> Wall {
    let minute = i64::from(span(clock, if clock == "00:00" { "24:00" } else { "00:01" }).from_min());
    Wall::from_millis(date.days() * DAY_MS + (minute - i64::from(offset)) * MINUTE_MS)
}

fn calendar(hours: Vec<Hours>) -> Calendar {
    Calendar { hours, closed: vec![], extra: vec![] }
}

#[test]
fn days_are_counted_right() {
    assert_eq!(date(1970, 1, 1).days(), 0);
    assert_eq!(date(2026, 1, 1).days() * DAY_MS, NEW_YEAR_2026_MS);
    assert_eq!(date(9999, 12, 31).days(), 2_932_896);
    let mut days = 0;
    for year in 1970..=2400 {
        for month in 1..=12 {
            for day in (1..=31).filter_map(|day| Date::new(year, month, day)) {
                assert_eq!(day.days(), days, "{day:?}");
                days += 1;
            }
        }
    }
    let weekdays =
        [(date(2026, 11, 22), Weekday::Sun), (date(2000, 2, 29), Weekday::Tue), (date(1970, 1, 1), Weekday::Thu)];
    for (day, weekday) in weekdays {
        assert_eq!(Weekday::of(day.days()), weekday, "{day:?}");
    }
}

#[test]
fn only_days_that_exist_are_dates() {
    for (year, month, day) in
        [(2026, 2, 29), (2100, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 0, 1), (2026, 1, 0), (1969, 12, 31)]
    {
        assert_eq!(Date::new(year, month, day), None);
    }
    assert!(Date::new(2028, 2, 29).is_some() && Date::new(2000, 2, 29).is_some());
    assert_eq!(
        (Span::new(540, 540), Span::new(1440, 60), Span::new(0, 0), Span::new(0, 1441)),
        (None, None, None, None)
    );
}

#[test]
fn office_hours_open_and_close_on_local_time() {
    let office = calendar(vec![
        hours(Weekday::Mon, Weekday::Fri, "09:00", "18:00"),
        hours(Weekday::Sat, Weekday::Sat, "10:00", "14:00"),
    ]);
    let (monday, saturday) = (date(2026, 11, 23), date(2026, 11, 28));
    let open = |day, clock, offset| is_open(&office, at(day, clock, BEIJING), offset);
    assert!(!open(monday, "08:59", BEIJING) && open(monday, "09:00", BEIJING) && open(monday, "17:59", BEIJING));
    assert!(!open(monday, "18:00", BEIJING) && open(saturday, "10:00", BEIJING) && !open(saturday, "14:00", BEIJING));
    // At 09:00 in Beijing it is 01:00 in Greenwich.
    assert!(!open(monday, "09:00", 0) && open(monday, "17:00", 0));
    let friday_evening = at(date(2026, 11, 27), "18:00", BEIJING);
    let changes: Vec<Wall> = core::iter::successors(Some(friday_evening), |wall| next_change(&office, *wall, BEIJING))
        .skip(1)
        .take(4)
        .collect();
    let next_monday = date(2026, 11, 30);
    let expected = [(saturday, "10:00"), (saturday, "14:00"), (next_monday, "09:00"), (next_monday, "18:00")];
    assert_eq!(changes, expected.map(|(day, clock)| at(day, clock, BEIJING)));
}

#[test]
fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
    let night = Calendar {
        hours: vec![hours(Weekday::Fri, Weekday::Fri, "22:00", "06:00")],
        closed: vec![DaysOff { first: date(2026, 11, 28), last: date(2026, 11, 28) }],
        extra: vec![],
    };
    let (friday, saturday) = (date(2026, 11, 27), date(2026, 11, 28));
    let open = |calendar: &Calendar, day, clock| is_open(calendar, at(day, clock, -210), -210);
    assert!(!open(&night, friday, "05:59") && open(&night, friday, "22:00") && open(&night, saturday, "05:59"));
    assert!(!open(&night, saturday, "06:00") && !open(&night, saturday, "22:00"));
    assert_eq!(next_change(&night, at(friday, "23:00", -210), -210), Some(at(saturday, "06:00", -210)));
    let off = DaysOff { first: friday, last: friday };
    let closed = Calendar { closed: vec![off], ..night };
    assert!(!open(&closed, friday, "22:00") && !open(&closed, saturday, "05:59"));
}

#[test]
fn days_go_round_the_end_of_the_week() {
    let weekend = calendar(vec![hours(Weekday::Sat, Weekday::Mon, "10:00", "12:00")]);
    let open: Vec<bool> = (23..=29).map(|day| is_open(&weekend, at(date(2026, 11, day), "11:00", 0), 0)).collect();
    assert_eq!(open, [true, false, false, false, false, true, true]);
}

#[test]
fn days_off_and_extra_hours_override_the_week() {
    // A week off in October, its Saturday worked later.
    let site = Calendar {
        hours: vec![hours(Weekday::Mon, Weekday::Fri, "09:00", "18:00")],
        closed: vec![DaysOff { first: date(2026, 10, 1), last: date(2026, 10, 7) }],
        extra: vec![
            Extra { date: date(2026, 10, 10), span: span("09:00", "18:00") },
            Extra { date: date(2026, 10, 5), span: span("12:00", "13:00") },
        ],
    };
    let open = |day, clock| is_open(&site, at(date(2026, 10, day), clock, BEIJING), BEIJING);
    assert!(!open(1, "10:00") && !open(7, "10:00") && open(8, "10:00") && open(10, "10:00") && !open(17, "10:00"));
    assert!(!open(5, "11:59") && open(5, "12:00") && !open(5, "13:00"));
    let eve = at(date(2026, 9, 30), "18:00", BEIJING);
    assert_eq!(next_change(&site, eve, BEIJING), Some(at(date(2026, 10, 5), "12:00", BEIJING)));
}

#[test]
fn a_leap_day_is_a_day() {
    let leap = Calendar {
        hours: vec![],
        closed: vec![],
        extra: vec![Extra { date: date(2028, 2, 29), span: span("23:00", "01:00") }],
    };
    let before = at(date(2028, 2, 28), "12:00", BEIJING);
    let from = next_change(&leap, before, BEIJING).unwrap();
    assert_eq!(from, at(date(2028, 2, 29), "23:00", BEIJING));
    assert_eq!(next_change(&leap, from, BEIJING), Some(at(date(2028, 3, 1), "01:00", BEIJING)));
    // 400 days are searched, no more.
    assert_eq!(next_change(&leap, at(date(2027, 1, 1), "00:00", BEIJING), BEIJING), None);
}

#[test]
fn what_never_changes_has_no_next_change() {
    let always = calendar(vec![hours(Weekday::Mon, Weekday::Sun, "00:00", "24:00")]);
    let never = calendar(vec![]);
    for wall in [Wall::from_millis(NEW_YEAR_2026_MS), Wall::from_millis(-1), Wall::from_millis(i64::MAX)] {
        assert!(!is_open(&never, wall, BEIJING));
        assert_eq!((next_change(&always, wall, BEIJING), next_change(&never, wall, BEIJING)), (None, None));
    }
    assert!(is_open(&always, Wall::from_millis(NEW_YEAR_2026_MS), -720));
}

proptest::proptest! {
    /// Beside a search that asks minute by minute.
    #[test]
    fn the_next_change_is_the_first(
        rows in proptest::collection::vec((0..7usize, 0..7usize, 0..96u16, 1..=96u16), 0..4),
        off in proptest::option::of(1..=10u8), extra in proptest::option::of((1..=10u8, 0..96u16, 1..=96u16)),
        start in 0..10_000i64, offset in -720..=840i32,
    ) {
        let site = Calendar {
            hours: rows.into_iter().filter_map(|(first, last, from, to)| {
                let span = Span::new(from * 15, to * 15)?;
                Some(Hours { first: Weekday::ALL[first], last: Weekday::ALL[last], span })
            }).collect(),
            closed: off.map(|day| DaysOff { first: date(2026, 1, day), last: date(2026, 1, day + 1) }).into_iter().collect(),
            extra: extra.and_then(|(day, from, to)| {
                Some(Extra { date: date(2026, 1, day), span: Span::new(from * 15, to * 15)? })
            }).into_iter().collect(),
        };
        let wall = Wall::from_millis(NEW_YEAR_2026_MS + start * MINUTE_MS);
        let before = is_open(&site, wall, offset);
        let later = |minutes: i64| Wall::from_millis(wall.as_millis() + minutes * MINUTE_MS);
        let found = (1..=30 * 1_440).map(later).find(|wall| is_open(&site, *wall, offset) != before);
        proptest::prop_assert_eq!(next_change(&site, wall, offset), found);
    }
}
