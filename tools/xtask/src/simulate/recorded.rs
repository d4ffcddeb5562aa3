//! The callers of a recorded day, from the leg-event journal of a data directory: when they came, for which queue, how
//! long they waited and talked, and what the agents' time was. Read beside a running box; changes nothing.

use super::arrivals::{Arrival, Interval, Profile};
use super::chance::{index, share};
use super::patience::{Patience, Wait};
use super::tally::{End, Ledger, Shifts};
use ::tests::sim::dice::Dice;
use pbx::config::{Config, Language};
use pbx::event::Detail;
use pbxd::store::read::{Reader, open_readonly};
use std::path::Path;

/// Rows read at once.
const ROWS: u64 = 50_000;
/// Intervals of the profile that the models are given.
const INTERVAL_S: i64 = 1_800;
const DAY_S: i64 = 86_400;
/// Rows before the day in which the last state of each agent is looked for.
const ROWS_BACK: i64 = 1_000_000;

/// One recorded day.
#[derive(Clone, PartialEq, Debug)]
pub struct Recorded {
    /// `2026-11-22`, by the site's local time.
    pub day: String,
    /// The first interval with a call to the last one, half hours with the calls that came.
    pub profile: Profile,
    /// Every caller who entered a queue, and the agents' time; counted from the profile's beginning to its end.
    pub ledger: Ledger,
    /// How patient callers were; `None` when nobody hung up.
    pub patience: Option<Patience>,
}

/// When the day's callers entered their queues.
struct Span {
    day: String,
    /// First second of the profile, local time.
    from_s: i64,
    to_s: i64,
    first_seq: u64,
    last_seq: u64,
    /// The box's clock at `from_s`; negative when it was started later.
    zero_us: i64,
}

/// Reads a day, or the last one with calls, and the last configuration.
///
/// # Errors
/// Words for the operator.
pub fn read(
    data: &Path,
    day: Option<&str>,
    queue: Option<&str>,
    language: Language,
) -> Result<(Config, Recorded), String> {
    let unusable = |why: String| format!("{}: {why}", data.display());
    let reader = open_readonly(data).map_err(|e| unusable(e.to_string()))?;
    let config = last_config(&reader, language).map_err(unusable)?;
    let span = span(&reader, day, i64::from(config.system.utc_offset_min) * 60, queue).map_err(unusable)?;
    let ledger = fold(&reader, &span, queue).map_err(unusable)?;
    let waits = ledger.lives.iter().filter(|l| l.end != End::Waiting);
    let waits: Vec<Wait> = waits.map(|l| Wait { us: l.wait_us, hung_up: l.end == End::Abandoned }).collect();
    let profile = profile(&span, &ledger).ok_or_else(|| unusable("no time passed between the calls".into()))?;
    Ok((config, Recorded { day: span.day, profile, ledger, patience: Patience::of(&waits) }))
}

fn last_config(reader: &Reader, language: Language) -> Result<Config, String> {
    let query = "SELECT text FROM config_commit ORDER BY number DESC LIMIT 1";
    let text: String = reader.connection().query_row(query, [], |row| row.get(0)).map_err(|e| e.to_string())?;
    pbx::config::parse(&text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(|p| p.render(language)).collect();
        lines.join("\n")
    })
}

fn span(reader: &Reader, day: Option<&str>, offset_s: i64, queue: Option<&str>) -> Result<Span, String> {
    let connection = reader.connection();
    // The date of a call is that of the moment at which it entered its queue.
    let entered = "FROM leg_event WHERE kind = 'Queued' AND (?2 IS NULL OR json_extract(detail_json, '$.queue') = ?2)";
    let day = match day {
        Some(day) => day.to_string(),
        None => {
            let query = format!("SELECT date(wall_ms / 1000 + ?1, 'unixepoch') {entered} ORDER BY seq DESC LIMIT 1");
            let found = connection.query_row(&query, (offset_s, queue), |row| row.get(0));
            found.map_err(|_| "no caller entered a queue".to_string())?
        }
    };
    let query = "SELECT CAST(strftime('%s', ?1) AS INTEGER)";
    let midnight_s: Option<i64> = connection.query_row(query, [&day], |row| row.get(0)).map_err(|e| e.to_string())?;
    let midnight_s =
        midnight_s.filter(|_| day.len() == 10).ok_or_else(|| format!("{day} is not a date as 2026-11-22"))?;
    let from_ms = (midnight_s - offset_s) * 1_000;
    let query = format!(
        "SELECT min(seq), max(seq), min(wall_ms), max(wall_ms), min(ts_us) {entered} AND wall_ms >= ?1 AND wall_ms < ?1 + 86400000"
    );
    type Found = (Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let found: Found = connection
        .query_row(&query, (from_ms, queue), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))
        .map_err(|e| e.to_string())?;
    let (Some(first), Some(last), Some(first_ms), Some(last_ms), Some(first_us)) = found else {
        return Err(format!("no caller entered a queue on {day}"));
    };
    let from_s = (first_ms - from_ms) / 1_000 / INTERVAL_S * INTERVAL_S;
    let to_s = ((last_ms - from_ms) / 1_000 / INTERVAL_S + 1) * INTERVAL_S;
    let zero_us = first_us - (first_ms - from_ms - from_s * 1_000) * 1_000;
    Ok(Span { day, from_s, to_s: to_s.min(DAY_S), first_seq: first as u64, last_seq: last as u64, zero_us })
}

/// Reads the day's rows, and on until the last of its calls is over.
fn fold(reader: &Reader, span: &Span, queue: Option<&str>) -> Result<Ledger, String> {
    let shifts = Shifts::new(span.zero_us, 0..(span.to_s - span.from_s) as u64 * 1_000_000);
    let mut ledger = Ledger::new(Vec::new(), shifts);
    states_before(reader, span.first_seq, &mut ledger)?;
    let end = reader.last_seq().map_err(|e| e.to_string())? + 1;
    let (mut seq, mut last_us) = (span.first_seq, 0);
    while seq < end && (seq <= span.last_seq || ledger.open() > 0) {
        let to = (seq + ROWS).min(end);
        for row in reader.events_between(seq, to).map_err(|e| e.to_string())? {
            if let (Detail::Queued { queue: entered, .. }, Some(uid)) = (&row.detail, row.call)
                && row.seq <= span.last_seq
                && queue.is_none_or(|q| q == entered)
            {
                ledger.take(uid, row.at.as_micros(), entered);
            }
            last_us = row.at.as_micros();
            ledger.row(&row);
        }
        seq = to;
    }
    ledger.shifts.finish(last_us);
    Ok(ledger)
}

/// What each agent was doing when the day's first caller came.
fn states_before(reader: &Reader, seq: u64, ledger: &mut Ledger) -> Result<(), String> {
    let query = "SELECT max(seq) FROM leg_event WHERE kind = 'AgentState' AND seq < ?1 AND seq >= ?2
                 GROUP BY json_extract(detail_json, '$.agent') ORDER BY 1";
    let mut statement = reader.connection().prepare(query).map_err(|e| e.to_string())?;
    let found = statement
        .query_map([seq as i64, seq as i64 - ROWS_BACK], |row| row.get::<_, i64>(0))
        .map_err(|e| e.to_string())?;
    for last in found {
        let last = last.map_err(|e| e.to_string())? as u64;
        for row in reader.events_between(last, last + 1).map_err(|e| e.to_string())? {
            ledger.row(&row);
        }
    }
    Ok(())
}

/// Half hours with the calls that came in each.
fn profile(span: &Span, ledger: &Ledger) -> Option<Profile> {
    let count = ((span.to_s - span.from_s) / INTERVAL_S) as usize;
    let mut calls = vec![0u32; count];
    for life in &ledger.lives {
        let n = (life.arrived_us / (INTERVAL_S as u64 * 1_000_000)) as usize;
        if let Some(calls) = calls.get_mut(n) {
            *calls += 1;
        }
    }
    let interval = |(n, calls): (usize, &u32)| {
        let from_s = (span.from_s + n as i64 * INTERVAL_S) as u32;
        let calls_per_hour = f64::from(*calls) * 3_600.0 / INTERVAL_S as f64;
        Interval { from_s, to_s: from_s + INTERVAL_S as u32, calls_per_hour }
    };
    Profile::of(calls.iter().enumerate().map(interval).collect())
}

impl Recorded {
    /// Mean talk time of the answered, seconds.
    pub fn talk_s(&self) -> f64 {
        let talks = self.talks();
        talks.iter().sum::<u64>() as f64 / 1e6 / talks.len().max(1) as f64
    }

    fn talks(&self) -> Vec<u64> {
        self.ledger.lives.iter().filter(|l| l.end == End::Answered).map(|l| l.talk_us).collect()
    }

    /// The same callers once more. Who hung up has the same patience again; of the others it is only known that they
    /// would have waited longer than they did, so it is drawn from what is left of the estimate (`patience_s`, when
    /// given, draws all of them anew from an exponential). Who was not answered talks as long as somebody who was,
    /// drawn by lot. Talk times are stretched by `talk_factor`.
    pub fn arrivals(&self, talk_factor: f64, patience_s: Option<Option<f64>>, seed: u64) -> Vec<Arrival> {
        let [mut talk, mut wait] = [21, 22].map(|part| Dice::new(seed, part));
        let talks = self.talks();
        let patience_of = |us: u64, hung_up: bool, u: f64| match (patience_s, &self.patience) {
            (Some(mean_s), _) => mean_s.map(|mean_s| (-u.ln() * mean_s * 1e6) as u64),
            (None, _) if hung_up => Some(us),
            (None, Some(patience)) => Some(patience.draw_beyond(us, u)),
            (None, None) => None,
        };
        let arrival = |life: &super::tally::Life| {
            let lot = index(&mut talk, talks.len());
            let talk_us = match life.end {
                End::Answered => life.talk_us,
                End::Waiting | End::Abandoned | End::Left | End::Refused => talks.get(lot).copied().unwrap_or(0),
            };
            Arrival {
                at_us: life.arrived_us,
                queue: life.queue.clone(),
                talk_us: (talk_us as f64 * talk_factor) as u64,
                patience_us: patience_of(life.wait_us, life.end == End::Abandoned, share(&mut wait)),
            }
        };
        self.ledger.lives.iter().map(arrival).collect()
    }
}
