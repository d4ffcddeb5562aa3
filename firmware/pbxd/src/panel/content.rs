//! The words of the screens: rows of the lists, lines of an alarm, the text of the code. No pixels but widths.

use base::time::Instant;
use pbx::alarm::AlarmNow;
use pbx::config::Language;
use pbx::equipment::LineState;
use pbx::standing::{CallNow, PhaseNow};
use pbx::switch::Mode;
use pbx::text::{Key, panel as key, text};
use std::time::Duration;

use super::canvas::{WIDTH, wrap};
use super::machine::AlarmId;
use super::menu::Page;
use super::view::{Facts, Scene, View, mask};

/// A row of a list: what stands left and right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// What.
    pub left: String,
    /// How it is.
    pub right: String,
}

/// Most characters of the code: version 3 of the QR code with the lowest correction, alphanumeric.
pub const CODE_CHARS_MAX: usize = 77;
const GIGABYTE: u64 = 1_000_000_000;

fn word(key: Key, language: Language) -> String {
    key.raw(language).to_string()
}

/// How many alarms are up.
pub fn alarm_count(count: usize, language: Language) -> String {
    match count {
        1 => word(key::ALARM_UP, language),
        many => text(key::ALARMS_UP, language, &[("count", &many.to_string())]),
    }
}

/// The signs beside the clock, the rightmost first: alarms where the foot is taken, what is switched, and that the buzzer is
/// mute.
pub fn signs(scene: &Scene, buzzer: bool, language: Language) -> Vec<String> {
    let switches = scene.view().map(|view| view.switches).unwrap_or_default();
    let mode = match switches.mode {
        Mode::Auto => None,
        Mode::Day => Some(key::DAY_SIGN),
        Mode::Night => Some(key::NIGHT_SIGN),
    };
    let until = switches.mode_until.map_or(String::new(), |until| format!("→{}", scene.clock(until.as_millis())));
    let mode = mode.map(|sign| format!("{}{until}", sign.raw(language)));
    let surge = Some(word(key::SURGE_SIGN, language)).filter(|_| switches.surge);
    let mute = Some(word(key::MUTED_SIGN, language)).filter(|_| !buzzer);
    let alarms = scene.view().filter(|_| scene.is_unset()).map_or(0, |view| view.alarms.len());
    let alarms = Some(alarm_count(alarms, language)).filter(|_| alarms > 0);
    alarms.into_iter().chain(mode).chain(surge).chain(mute).collect()
}

/// Rows of a list, never none.
pub fn rows(page: Page, scene: &Scene, language: Language) -> Vec<Row> {
    let view = scene.view();
    let now = scene.now.at;
    let rows: Vec<Row> = match page {
        Page::Calls => view.map(|view| view.calls.iter().map(|call| call_row(call, now, language)).collect()),
        Page::Queues => view.map(|view| queue_rows(view, now, language)),
        Page::Lines => view.map(|view| line_rows(view, language)),
        Page::Phones => view.map(|view| phone_rows(view, language)),
        Page::Storage => Some(storage_rows(&scene.facts, language)),
        Page::About => Some(about_rows(&scene.facts, language)),
    }
    .unwrap_or_default();
    let none = Row { left: word(key::NONE, language), right: String::new() };
    if rows.is_empty() { vec![none] } else { rows }
}

fn call_row(call: &CallNow, now: Instant, language: Language) -> Row {
    let caller = if call.caller.is_empty() { word(key::CALLER_UNKNOWN, language) } else { call.caller.clone() };
    let right = match &call.phase {
        PhaseNow::Reception => word(key::RECEPTION, language),
        PhaseNow::Waiting { queue, since, .. } => {
            let words = text(key::WAITS, language, &[("queue", queue)]);
            format!("{words} {}", minutes(now.since(*since)))
        }
        PhaseNow::Ringing { extension } => text(key::RINGS, language, &[("whom", extension)]),
        PhaseNow::Outside { .. } => word(key::OUTSIDE, language),
        PhaseNow::Talking { .. } => word(key::TALKS, language),
        PhaseNow::Monitoring { .. } => word(key::LISTENS, language),
    };
    // Where a caller waits says more than what was dialled.
    let waits = matches!(call.phase, PhaseNow::Waiting { .. });
    Row { left: if waits { caller } else { format!("{caller} → {}", call.called) }, right }
}

fn queue_rows(view: &View, now: Instant, language: Language) -> Vec<Row> {
    let row = |queue: &super::view::QueueRow| {
        let longest = queue.oldest.map_or("–".into(), |since| minutes(now.since(since)));
        let (waiting, ready) = (queue.waiting.to_string(), queue.ready.to_string());
        let values = [("waiting", waiting.as_str()), ("longest", &longest), ("ready", &ready)];
        Row { left: queue.title.clone(), right: text(key::QUEUE_ROW, language, &values) }
    };
    view.queues.iter().map(row).collect()
}

fn line_rows(view: &View, language: Language) -> Vec<Row> {
    let row = |line: &pbx::equipment::LineNow| {
        let port = format!("{}/{}", line.port.card, line.port.port);
        let state = match line.state {
            LineState::Idle => key::LINE_IDLE,
            LineState::Busy => key::LINE_BUSY,
            LineState::OutOfService => key::LINE_DOWN,
        };
        Row { left: text(key::LINE, language, &[("port", &port)]), right: word(state, language) }
    };
    view.lines.iter().map(row).collect()
}

fn phone_rows(view: &View, language: Language) -> Vec<Row> {
    let row = |phone: &pbx::equipment::PhoneNow| {
        let right = match phone.registered {
            0 => word(key::NOT_REGISTERED, language),
            1 => word(key::REGISTERED, language),
            count => text(key::REGISTERED_MANY, language, &[("count", &count.to_string())]),
        };
        Row { left: phone.extension.clone(), right }
    };
    view.phones.iter().map(row).collect()
}

fn storage_rows(facts: &Facts, language: Language) -> Vec<Row> {
    let alone = |left: String| Row { left, right: String::new() };
    let Some(storage) = facts.storage.filter(|storage| storage.total_bytes > 0) else {
        return vec![alone(word(key::STORAGE_UNKNOWN, language))];
    };
    let gigabytes = |bytes: u64| format!("{}.{}", bytes / GIGABYTE, bytes % GIGABYTE / (GIGABYTE / 10));
    let (free, total) = (gigabytes(storage.free_bytes), gigabytes(storage.total_bytes));
    let percent = u128::from(storage.free_bytes) * 100 / u128::from(storage.total_bytes);
    vec![
        alone(text(key::STORAGE_FREE, language, &[("free", &free), ("total", &total)])),
        alone(text(key::STORAGE_PCT, language, &[("percent", &percent.to_string())])),
    ]
}

fn about_rows(facts: &Facts, language: Language) -> Vec<Row> {
    let seconds = facts.up.as_secs();
    let (days, minutes) = (seconds / 86_400, seconds / 60 % 1_440);
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let values = [("days", days.to_string()), ("time", time)];
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let build: String = facts.build.chars().take(16).collect();
    [
        text(key::VERSION, language, &[("version", &facts.version)]),
        text(key::BUILD, language, &[("build", &build)]),
        text(key::UPTIME, language, &values),
    ]
    .into_iter()
    .map(|left| Row { left, right: String::new() })
    .collect()
}

/// `M:SS`, or hours and minutes of what is longer.
pub fn minutes(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 3_600 {
        format!("{}:{:02}", seconds / 60, seconds % 60)
    } else {
        format!("{}h{:02}", seconds / 3_600, seconds / 60 % 60)
    }
}

/// Title of an alarm.
pub fn alarm_name(alarm: &AlarmNow, language: Language) -> String {
    key::title(&alarm.name).map_or(alarm.name.clone(), |key| word(key, language))
}

/// Title of an alarm with what it concerns.
pub fn alarm_title(alarm: &AlarmNow, language: Language) -> String {
    let title = alarm_name(alarm, language);
    let subject = subject_words(&alarm.subject, language);
    if subject.is_empty() { title } else { format!("{title} {subject}") }
}

/// The core names ports in identifiers of its own; everything else is shown as it is, people's numbers hidden.
fn subject_words(subject: &str, language: Language) -> String {
    let words: Vec<&str> = subject.split(' ').collect();
    match words[..] {
        ["card", card, "port", port] => text(key::CARD_PORT, language, &[("card", card), ("port", port)]),
        _ => mask(subject),
    }
}

/// Cause and remedy of an alarm in lines of the display; none when it is over.
pub fn alarm_lines(scene: &Scene, id: &AlarmId, language: Language) -> Vec<String> {
    let alarm = scene.view().and_then(|view| view.alarm(&id.name, &id.subject));
    let words = |alarm: &AlarmNow| {
        let subject = subject_words(&alarm.subject, language);
        AlarmNow { subject, ..alarm.clone() }.words(language)
    };
    alarm.map(|alarm| wrap(&mask(&words(alarm)), WIDTH - 6)).unwrap_or_default()
}

/// Words in lines of the display; a line feed is one.
pub fn lines(words: &str) -> Vec<String> {
    words.lines().flat_map(|line| wrap(line, WIDTH - 6)).collect()
}

/// A time of day at which something goes back, with its day when that is far.
pub fn until(scene: &Scene, wall_ms: i64) -> String {
    let far = wall_ms - scene.now.wall.as_millis() > 24 * 3_600_000;
    let clock = scene.clock(wall_ms);
    if far { format!("{} {clock}", stamp(scene, wall_ms)) } else { clock }
}

/// Where an alarm stands in the list.
pub fn alarm_row(scene: &Scene, id: &AlarmId) -> usize {
    let is_it = |alarm: &AlarmNow| alarm.name == id.name && alarm.subject == id.subject;
    scene.view().and_then(|view| view.alarms.iter().position(is_it)).unwrap_or(0)
}

/// Diagnostics for a technician elsewhere, read by a telephone: form, build, UTC, days up, calls, waiting, alarms, and
/// the alarm at hand. Only characters of the alphanumeric mode; no number of a person, no address, no name of the site.
pub fn code_text(scene: &Scene, alarm: Option<&AlarmId>) -> String {
    let build: String = scene.facts.build.chars().take(8).collect();
    let mut words = format!("CB1 {build} {} U{}", utc(scene.now.wall.as_millis()), scene.facts.up.as_secs() / 86_400);
    match scene.view() {
        Some(view) => {
            let (calls, waiting, alarms) = (view.calls.len(), view.waiting(), view.alarms.len());
            let surge = if view.switches.surge { " S" } else { "" };
            words.push_str(&format!(" C{calls} W{waiting} A{alarms}{surge}"));
        }
        None => words.push_str(" NO-CORE"),
    }
    let newest = scene.view().and_then(|view| view.alarms.first());
    let named = alarm.map(|id| (&id.name, &id.subject)).or(newest.map(|alarm| (&alarm.name, &alarm.subject)));
    if let Some((name, subject)) = named {
        words.push_str(&format!(" {name} {}", mask(subject)));
    }
    let fit = |char: char| match char.to_ascii_uppercase() {
        char @ ('0'..='9' | 'A'..='Z' | ' ' | '$' | '%' | '*' | '+' | '-' | '.' | '/' | ':') => char,
        _ => '-',
    };
    words.trim_end().chars().map(fit).take(CODE_CHARS_MAX).collect()
}

/// `HH:MM` of today, `MM-DD` of another day, local.
pub fn stamp(scene: &Scene, wall_ms: i64) -> String {
    let day = |wall_ms| scene.local_ms(wall_ms).div_euclid(86_400_000);
    if day(wall_ms) == day(scene.now.wall.as_millis()) {
        return scene.clock(wall_ms);
    }
    let (_, month, day) = date(day(wall_ms));
    format!("{month:02}-{day:02}")
}

/// `YYMMDDTHHMMZ`.
fn utc(wall_ms: i64) -> String {
    let (days, minutes) = (wall_ms.div_euclid(86_400_000), wall_ms.div_euclid(60_000).rem_euclid(1_440));
    let (year, month, day) = date(days);
    format!("{:02}{month:02}{day:02}T{:02}{:02}Z", year.rem_euclid(100), minutes / 60, minutes % 60)
}

/// Year, month and day of so many days after 1970-01-01, in the Gregorian calendar.
fn date(days: i64) -> (i64, i64, i64) {
    // Counted from 0000-03-01, so that the leap day ends its year: eras of 400 years are 146,097 days.
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, late) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + late, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_gregorian() {
        assert_eq!((date(0), date(59), date(11_016)), ((1970, 1, 1), (1970, 3, 1), (2000, 2, 29)));
        assert_eq!(utc(1_795_318_380_000), "261122T0333Z");
    }

    #[test]
    fn times_are_short() {
        let shown = |s| minutes(Duration::from_secs(s));
        assert_eq!(
            (shown(5), shown(83), shown(3_599), shown(7_380)),
            ("0:05".into(), "1:23".into(), "59:59".into(), "2h03".into())
        );
    }
}
