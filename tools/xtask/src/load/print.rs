//! A load as a person reads it: a table whose sums are printed with it, and a picture of the queue over time.

use super::tally::{FATES, Fate, Fates, Tally};
use ::tests::peer::load_ears::Seen;
use std::fmt::Write;
use std::time::Duration;

const COLUMNS: u32 = 60;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The table.
pub fn table(tally: &Tally) -> String {
    let mut text = format!("{:<28}{:>10}{:>10}\n", "", "phones", "box");
    let mut row = |what: &str, phones: u64, host: u64| {
        let _ = writeln!(text, "{what:<28}{phones:>10}{host:>10}");
    };
    let of = |fates: &Fates, fate: Fate| u64::from(fates.get(&fate).copied().unwrap_or(0));
    let sum = |fates: &Fates| fates.values().map(|count| u64::from(*count)).sum::<u64>();
    row("attempts (SIPp)", tally.attempts, tally.attempts);
    for (fate, what) in FATES.into_iter().zip(["= answered by a phone", "+ abandoned", "+ refused", "+ lost"]) {
        row(what, of(&tally.phones, fate), of(&tally.host, fate));
    }
    row("sum", sum(&tally.phones), sum(&tally.host));
    let adds_up = sum(&tally.phones) == tally.attempts && sum(&tally.host) == tally.attempts;
    let _ = writeln!(text, "adds up: {}", if adds_up { "yes" } else { "NO" });
    let talks = tally.phones.get(&Fate::Answered).copied().unwrap_or(0);
    let mut line = |what: &str, value: String| {
        let _ = writeln!(text, "{what:<36} {value}");
    };
    line(
        "answered by menu or queue",
        format!("{} of {} ({})", tally.met, tally.attempts, permille(tally.met.into(), tally.attempts)),
    );
    line(
        "dropped while waiting or talking",
        format!("{} ({})", tally.dropped, permille(tally.dropped.into(), tally.met.into())),
    );
    line("hung up as the agent answered", tally.crossed.to_string());
    line("waits of the answered", waits(&tally.waits));
    line(
        "talks heard both ways, nobody else",
        format!("{} of {} ({} too short to judge)", tally.both_ways, talks, tally.short),
    );
    let audio = tally.audio;
    line(
        "frames mouth to ear",
        format!("{} heard, {} missing ({} ppm)", audio.heard, audio.missing, audio.missing_ppm()),
    );
    line("packets box to phones", format!("{} came, {} lost ({} ppm)", audio.received, audio.lost, audio.lost_ppm()));
    let first = tally.audio_first;
    line(
        "  of the first 50 calls",
        format!("{} ppm mouth to ear, {} ppm box to phones", first.missing_ppm(), first.lost_ppm()),
    );
    line("phones behind their time, at worst", format!("{} ms", tally.late_max.as_millis()));
    line("packets to ports without a call", tally.strays.to_string());
    line("calls with exactly one record", tally.records.to_string());
    let (read, whole) = tally.recordings;
    line("recordings", format!("{}; of {read} read, {whole} hold both voices and no other", tally.recordings_all));
    text
}

fn permille(part: u64, whole: u64) -> String {
    format!("{:.1} %", part as f64 * 100.0 / whole.max(1) as f64)
}

fn waits(sorted: &[Duration]) -> String {
    let at = |part: usize| sorted.get(sorted.len().saturating_sub(1) * part / 100).map_or(0, Duration::as_millis);
    format!("median {} ms, 95 of 100 within {} ms, longest {} ms", at(50), at(95), at(100))
}

/// Callers waiting and callers talking over time, one bar for each sixtieth of it.
pub fn picture(seen: &Seen) -> String {
    let ends = seen.callers.iter().filter_map(|caller| caller.over.map(|(at, _)| at));
    let length = ends.max().unwrap_or_default();
    let at = |column: u32| length * (2 * column + 1) / (2 * COLUMNS);
    let count = |from: fn(&::tests::peer::load_log::Caller) -> Option<(Duration, Duration)>| -> Vec<usize> {
        let spans: Vec<_> = seen.callers.iter().filter_map(from).collect();
        (0..COLUMNS).map(|c| spans.iter().filter(|(from, to)| (*from..*to).contains(&at(c))).count()).collect()
    };
    let waiting = count(|c| c.met.zip(c.served.or(c.over.map(|(at, _)| at))));
    let talking = count(|c| c.served.zip(c.over.map(|(at, _)| at)));
    let mut text = String::new();
    for (what, counts) in [("waiting", waiting), ("talking", talking)] {
        let most = counts.iter().copied().max().unwrap_or(0);
        let bar = |count: &usize| {
            if *count == 0 { ' ' } else { BARS[(count * (BARS.len() - 1)).div_ceil(most.max(1)).min(7)] }
        };
        let bars: String = counts.iter().map(bar).collect();
        let _ = writeln!(text, "{what} │{bars}│ up to {most}, over {:.1} s", length.as_secs_f64());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_that_is_wrong_is_said() {
        let mut tally = Tally { attempts: 3, ..Tally::default() };
        tally.phones = [(Fate::Answered, 2), (Fate::Abandoned, 1)].into();
        tally.host = tally.phones.clone();
        assert!(table(&tally).contains("adds up: yes"));
        tally.host.insert(Fate::Abandoned, 0);
        assert!(table(&tally).contains("adds up: NO"));
    }
}
