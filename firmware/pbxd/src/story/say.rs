//! Shorthand for the catalogue in one language, and how times and lengths are written for people.

use base::time::Wall;
use pbx::config::{Config, Language, Reason};
use pbx::text::{Key, ladder, text, word};
use std::time::Duration;

/// Speaks one language.
#[derive(Clone, Copy, Debug)]
pub struct Say(pub Language);

impl Say {
    /// A text of the catalogue with its gaps filled.
    pub fn text(self, key: Key, values: &[(&str, &str)]) -> String {
        text(key, self.0, values)
    }

    /// A text without gaps.
    pub fn plain(self, key: Key) -> &'static str {
        key.raw(self.0)
    }

    /// The state of an agent, a not-ready reason (`not-ready 2`) in the words of the site, or else of the box.
    pub fn state(self, name: &str, site: Option<&Config>) -> String {
        let Some((state, code)) = name.split_once(' ').and_then(|(s, code)| Some((s, code.parse::<u8>().ok()?))) else {
            return self.word(name).to_string();
        };
        let reason = site.map(|site| site.reason(code)).or_else(|| Reason::built_in(code));
        let code = code.to_string();
        let reason = reason.as_ref().map_or(code.as_str(), |reason| match self.0 {
            Language::Zh => &reason.zh,
            Language::En => &reason.en,
        });
        self.text(ladder::STATE_WITH_REASON, &[("state", self.word(state)), ("reason", reason)])
    }

    /// The word for an identifier of the journal.
    pub fn word(self, identifier: &str) -> &str {
        word::word(identifier, self.0)
    }
}

/// `1.250 s`.
pub fn seconds(length: Duration) -> String {
    format!("{}.{:03} s", length.as_secs(), length.subsec_millis())
}

/// `1.250 s` of milliseconds.
pub fn seconds_of_ms(ms: u64) -> String {
    seconds(Duration::from_millis(ms))
}

/// `2026-11-21 21:13:45.250 UTC`: proleptic Gregorian calendar, days counted from 1970-01-01 (the 400-year cycle has
/// 146,097 days and begins on 1 March).
pub fn utc(wall: Wall) -> String {
    let ms = wall.as_millis();
    let (day, of_day) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000));
    let from_march_0000 = day + 719_468;
    let (cycle, of_cycle) = (from_march_0000.div_euclid(146_097), from_march_0000.rem_euclid(146_097));
    let year = (of_cycle - of_cycle / 1_460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year + 400 * cycle + i64::from(month <= 2);
    let (hour, minute, second, milli) = (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1_000 % 60, of_day % 1_000);
    format!("{year:04}-{month:02}-{day_of_month:02} {hour:02}:{minute:02}:{second:02}.{milli:03} UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (ms, expected) in [
            (0, "1970-01-01 00:00:00.000 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00.000 UTC"),
            (1_795_295_625_250, "2026-11-21 21:13:45.250 UTC"),
            (4_107_542_399_999, "2100-02-28 23:59:59.999 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00:00.000 UTC"),
            (-1, "1969-12-31 23:59:59.999 UTC"),
        ] {
            assert_eq!(utc(Wall::from_millis(ms)), expected);
        }
    }

    #[test]
    fn states_have_their_reason() {
        let say = Say(Language::En);
        assert_eq!(say.state("not-ready 2", None), "not ready (Lunch)");
        assert_eq!(say.state("not-ready 55", None), "not ready (55)");
        assert_eq!(say.state("wrap-up", None), "wrap-up");
        assert_eq!(Say(Language::Zh).state("not-ready 90", None), "示忙 (未应答)");
    }

    #[test]
    fn lengths_have_milliseconds() {
        assert_eq!(seconds_of_ms(61_007), "61.007 s");
    }
}
