//! The commands that read: configuration check, stories, call records, recordings. They work beside a running box and
//! change nothing.

use crate::admin::check;
use crate::recorder::export::{ExportReport, Gap};
use crate::recorder::export_wav;
use crate::seal::MasterKey;
use crate::store;
use crate::store::read::{Reader, RecordingRow, open_readonly};
use crate::story::cdr::{Cdr, cdr};
use crate::{control, story};
use base::id::Uid;
use base::media::Side;
use base::time::Wall;

use pbx::config::{Examination, Language};
use pbx::event::{Detail, LegEvent};
use pbx::text::{explain as explain_key, ladder as key, state as state_key, text, trial as trial_key};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Calls that are looked through and listed at most, newest first.
pub const CALLS_MAX: u32 = 10_000;

/// Prints all problems of a configuration, those of the flow proof for a year from today and of its own tests among them;
/// the error is the list when it cannot be used. `share` is where the prompts are.
pub fn check(config: &Path, share: Option<&Path>, language: Language) -> Result<String, String> {
    let site = control::start::read_file(config, language)?;
    let Examination { config: values, mut problems } = check::examined(&site, &control::threads::share(share));
    let tests = values.as_ref().map_or(0, |values| values.tests.len());
    let mut failed = values.map(|values| check::tried(&Arc::new(values))).unwrap_or_default();
    pbx::config::locate(&mut failed, &site);
    problems.extend(failed);
    problems.sort_by_key(|problem| (problem.line, problem.column));
    let mut listed = control::start::listed(config, &problems, language);
    if check::refused(&problems) {
        return Err(listed);
    }
    if tests > 0 {
        let passed = text(trial_key::PASSED, language, &[("count", &tests.to_string())]);
        listed = [listed, passed].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join("\n");
    }
    Ok(listed)
}

fn reader(data: &Path, language: Language) -> Result<Reader, String> {
    open_readonly(data).map_err(|why| control::start::data_words(data, &why, language))
}

fn words(data: &Path, language: Language) -> impl Fn(store::StoreError) -> String + Copy {
    move |why| control::start::data_words(data, &why, language)
}

/// The newest facts of the journal, a line each with its time (UTC) and who caused it.
pub fn recent(data: &Path, count: u64, language: Language) -> Result<String, String> {
    let reader = reader(data, language)?;
    let last = reader.last_seq().map_err(words(data, language))?;
    let from = (last + 1).saturating_sub(count);
    let events = reader.events_between(from, last + 1).map_err(words(data, language))?;
    Ok(story::log(&events, language))
}

/// The newest recordings, newest first.
pub fn recordings(data: &Path, limit: u32, language: Language) -> Result<Vec<RecordingRow>, String> {
    reader(data, language)?.newest_recordings(limit).map_err(words(data, language))
}

/// The call that a person means: `last` or nothing, a whole identity, or how it begins or ends.
pub fn find_call(data: &Path, wanted: Option<&str>, language: Language) -> Result<Uid, String> {
    let reader = reader(data, language)?;
    let wanted = wanted.filter(|w| *w != "last").map(str::to_ascii_uppercase);
    let Some(wanted) = wanted else {
        let newest = reader.calls(1).map_err(words(data, language))?;
        return newest.first().copied().ok_or_else(|| text(key::NO_CALLS, language, &[]));
    };
    match reader.calls_with_prefix(&wanted).map_err(words(data, language))?.as_slice() {
        [] => {}
        [call] => return Ok(*call),
        [..] => return Err(text(key::SEVERAL, language, &[("call", &wanted)])),
    }
    let calls = reader.calls(CALLS_MAX).map_err(words(data, language))?;
    let mut fitting = calls.iter().filter(|call| call.to_string().ends_with(&wanted));
    match (fitting.next(), fitting.next()) {
        (Some(call), None) => Ok(*call),
        (Some(_), Some(_)) => Err(text(key::SEVERAL, language, &[("call", &wanted)])),
        (None, _) => Err(text(key::NO_CALL, language, &[("call", &wanted)])),
    }
}

/// All events of a call, and what its agents went through until their wrap-up was over.
pub fn call_events(data: &Path, call: Uid, language: Language) -> Result<(Vec<LegEvent>, Vec<LegEvent>), String> {
    let reader = reader(data, language)?;
    let events = reader.call_events(call).map_err(words(data, language))?;
    let from = events.first().map_or(0, |e| e.seq);
    let states = reader.agent_events(from, u64::MAX).map_err(words(data, language))?;
    let states = states_of_call(&events, states);
    Ok((events, states))
}

/// State changes of the agents that were offered the call: up to the first after the end of the call that is not part
/// of it any more.
fn states_of_call(events: &[LegEvent], states: Vec<LegEvent>) -> Vec<LegEvent> {
    let offered =
        |agent: &str| events.iter().any(|e| matches!(&e.detail, Detail::Offered { agent: a, .. } if a == agent));
    let ended = events.iter().find(|e| matches!(e.detail, Detail::CallEnded { .. })).map(|e| e.seq);
    let mut settled: Vec<String> = Vec::new();
    let mut kept = Vec::new();
    for state in states {
        let Detail::AgentState { agent, to, .. } = &state.detail else { continue };
        if !offered(agent) || settled.contains(agent) {
            continue;
        }
        if ended.is_some_and(|end| state.seq > end) && to != "wrap-up" {
            settled.push(agent.clone());
        }
        kept.push(state);
    }
    kept
}

/// Tells a call.
pub fn tell(data: &Path, wanted: Option<&str>, language: Language) -> Result<String, String> {
    let call = find_call(data, wanted, language)?;
    let (events, states) = call_events(data, call, language)?;
    Ok(story::story(&events, &states, language))
}

/// The last call, and the last one of which there is something to explain, where that is another.
fn last_decided(data: &Path, language: Language) -> Result<(Uid, Option<Uid>), String> {
    let newest = find_call(data, None, language)?;
    let decided = reader(data, language)?.last_call_offered().map_err(words(data, language))?;
    Ok((newest, decided.filter(|call| *call != newest)))
}

/// Explains every decision of a call; of the last one that had a decision when none is named.
pub fn explain(data: &Path, wanted: Option<&str>, language: Language) -> Result<String, String> {
    let (call, passed_over) = match wanted.filter(|wanted| *wanted != "last") {
        Some(wanted) => (find_call(data, Some(wanted), language)?, None),
        None => match last_decided(data, language)? {
            (newest, Some(decided)) => (decided, Some(newest)),
            (newest, None) => (newest, None),
        },
    };
    let reader = reader(data, language)?;
    let later = match passed_over {
        Some(newest) => {
            let began = reader.call_events(newest).map_err(words(data, language))?.first().map(|event| event.wall);
            let time = began.map_or_else(String::new, story::say::utc);
            let values = [("call", newest.to_string()), ("time", time)];
            let later = text(explain_key::LATER_WITHOUT, language, &values.each_ref().map(|(n, v)| (*n, v.as_str())));
            format!("{later}\n\n")
        }
        None => String::new(),
    };
    let events = reader.call_events(call).map_err(words(data, language))?;
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Err(text(key::NO_CALLS, language, &[]));
    };
    let commits = reader.commits_between(first.wall, last.wall).map_err(words(data, language))?;
    Ok(format!("{later}{}", story::explain::explain(&events, &commits, language)))
}

/// What is said of a moment that is not there yet; `last` is the last that is known.
pub fn ahead(wall: Wall, now: Wall, last: Option<Wall>, language: Language) -> String {
    let last = last.map_or_else(|| "-".to_string(), story::say::utc);
    let (time, now) = (story::say::utc(wall), story::say::utc(now));
    text(state_key::AHEAD, language, &[("time", &time), ("now", &now), ("last", &last)])
}

/// Tells how queues, agents and calls stood at a moment, as a person writes it; nothing or `now`: at the last event.
pub fn state(data: &Path, time: Option<&str>, language: Language) -> Result<String, String> {
    let no_time = |time: &str| text(state_key::NO_TIME, language, &[("time", time)]);
    let now = crate::clock::wall();
    let wall = match time.filter(|time| *time != "now") {
        Some(time) => story::moment::parse(time).ok_or_else(|| no_time(time))?,
        None => now,
    };
    let reader = reader(data, language)?;
    let moment = reader.moment(wall).map_err(words(data, language))?;
    if wall > now {
        return Err(ahead(wall, now, moment.last.as_ref().map(|last| last.wall), language));
    }
    let Some(last) = &moment.last else {
        return Err(text(state_key::NOT_YET, language, &[("time", &story::say::utc(wall))]));
    };
    let commit = reader.commits_between(wall, wall).map_err(words(data, language))?.pop();
    let site = commit.and_then(|commit| pbx::config::parse(&commit.text).ok());
    let shown = story::state::Shown::after(last, wall);
    Ok(story::state::state(&story::state::Fold::of(moment.rows()), shown, site.as_ref(), language))
}

/// The records of the newest `limit` calls as far as they have ended, newest last.
pub fn records(data: &Path, limit: u32, language: Language) -> Result<Vec<Cdr>, String> {
    let reader = reader(data, language)?;
    let calls = reader.calls(limit).map_err(words(data, language))?;
    let mut records = Vec::new();
    for call in calls.into_iter().rev() {
        records.extend(cdr(&reader.call_events(call).map_err(words(data, language))?));
    }
    Ok(records)
}

/// The recording that a person means, by its identity or how that ends.
fn find_recording(data: &Path, wanted: &str, language: Language) -> Result<Uid, String> {
    if let Ok(uid) = wanted.parse() {
        return Ok(uid);
    }
    let wanted = wanted.to_ascii_uppercase();
    let all = records(data, CALLS_MAX, language)?.into_iter().flat_map(|r| r.recordings).map(|(uid, _)| uid);
    let fitting: Vec<Uid> = all.filter(|uid| uid.to_string().ends_with(&wanted)).collect();
    match fitting.as_slice() {
        [one] => Ok(*one),
        _ => Err(text(key::NO_RECORDING, language, &[("recording", &wanted)])),
    }
}

fn load(data: &Path, wanted: &str, out: &Path, language: Language) -> Result<ExportReport, String> {
    // A directory that holds no data must not get a key of its own.
    reader(data, language)?;
    let recording = find_recording(data, wanted, language)?;
    let unusable = |why: &dyn std::fmt::Display| control::start::data_words(data, why, language);
    let master = MasterKey::open_or_create(&data.join("chassis.key")).map_err(|e| unusable(&e))?;
    export_wav(&store::Options::new(data), &master, recording, out).map_err(|e| e.to_string())
}

/// Writes a recording as stereo WAV; in words what was written.
pub fn export(data: &Path, wanted: &str, out: &Path, language: Language) -> Result<String, String> {
    let report = load(data, wanted, out, language)?;
    let length = story::say::seconds(Duration::from_millis(report.duration_ms));
    Ok(format!("{}: {length}{}", out.display(), found(&report)))
}

/// Gaps and breaks in words.
fn found(report: &ExportReport) -> String {
    let mut words: Vec<String> = report.gaps.iter().map(gap_words).collect();
    if !report.chain_ok() {
        words.push(format!("chain: {:?}", report.chain));
    }
    words.iter().map(|w| format!("\n  {w}")).collect()
}

fn gap_words(gap: &Gap) -> String {
    let side = match gap.side {
        Side::Caller => "caller",
        Side::Agent => "agent",
    };
    let at = |ms| story::say::seconds(Duration::from_millis(ms));
    format!("{side}: nothing recorded for {} from {}", at(gap.len_ms), at(gap.from_ms))
}

/// Checks seals and chain of a recording; the error says what is wrong.
pub fn verify(data: &Path, wanted: &str, language: Language) -> Result<String, String> {
    let report = load(data, wanted, Path::new("/dev/null"), language)?;
    let words = format!("{} chunks, {} ms{}", report.chunks, report.duration_ms, found(&report));
    if report.chain_ok() { Ok(words) } else { Err(words) }
}

#[cfg(test)]
mod tests;
