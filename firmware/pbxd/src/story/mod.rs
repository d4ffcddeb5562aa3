//! The story of a call as plain text: ladder, call record, agent states and recordings, told from the leg-event journal
//! alone. Pure: events in, text out; where the events come from is the store's business.

mod callers;
pub mod cdr;
pub mod explain;
pub mod ladder;
pub mod layout;
pub mod moment;
pub mod say;
pub mod state;
pub mod terms;

use cdr::Cdr;
use layout::table;
use pbx::config::Language;
use pbx::event::{Detail, LegEvent};
use pbx::text::{ladder as key, story as heading, word};
use say::{Say, seconds, seconds_of_ms, utc};

/// Tells one call. `call` are its events in order; `agents` are the `AgentState` rows to show beside it.
pub fn story(call: &[LegEvent], agents: &[LegEvent], language: Language) -> String {
    let say = Say(language);
    let mut text = String::new();
    let record = cdr::cdr(call);
    if let Some(record) = &record {
        text.push_str(&format!("{} {}  {}\n\n", say.plain(word::CALL), record.call, utc(record.began)));
    }
    section(&mut text, say.plain(heading::HEADING_LADDER), &ladder::ladder(call, say));
    if let Some(record) = &record {
        section(&mut text, say.plain(heading::HEADING_CDR), &call_record(record, say));
    }
    if !agents.is_empty() {
        section(&mut text, say.plain(heading::HEADING_AGENTS), &agent_states(agents, say));
    }
    if let Some(record) = record.filter(|r| !r.recordings.is_empty()) {
        section(&mut text, say.plain(heading::HEADING_RECORDING), &recordings(&record, say));
    }
    text
}

/// Facts as lines of a log.
pub fn log(events: &[LegEvent], language: Language) -> String {
    let say = Say(language);
    let line = |event: &LegEvent| {
        let call = event.call.map(|call| call.to_string()).unwrap_or_default();
        let told = ladder::describe(event, say).join(" ");
        format!("{}  {}  {call}  {told}\n", say::utc(event.wall), event.actor)
    };
    events.iter().map(line).collect()
}

fn section(text: &mut String, heading: &str, body: &str) {
    text.push_str(&format!("{heading}\n{}\n{body}\n", "─".repeat(layout::width(heading))));
}

/// The record of one call, a line for each field.
fn call_record(record: &Cdr, say: Say) -> String {
    let length = |d: Option<std::time::Duration>| d.map_or_else(|| "-".to_string(), seconds);
    let fields = [
        (word::CALLER, or_dash(&record.caller)),
        (word::CALLED, record.called.clone()),
        (word::ORIGIN, record.origin.clone()),
        (word::BEGAN, utc(record.began)),
        (word::DURATION, length(record.duration)),
        (word::BILLED, length(record.billed)),
        (word::QUEUE, or_dash(&record.queue)),
        (word::AGENT, or_dash(&record.with)),
        (word::OFFERS, record.offers.to_string()),
        (word::WAIT, seconds(record.wait)),
        (word::TALK, seconds(record.talk)),
        (word::DISPOSITION, or_dash(say.word(&record.disposition))),
        (word::ENDED_BY, or_dash(say.word(&record.ended_by))),
    ];
    let wide = fields.iter().map(|(name, _)| layout::width(say.plain(*name))).max().unwrap_or(0);
    fields.iter().map(|(name, value)| format!("  {}  {value}\n", layout::left(say.plain(*name), wide, ' '))).collect()
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_string() } else { text.to_string() }
}

/// The states that agents passed through.
fn agent_states(rows: &[LegEvent], say: Say) -> String {
    let lines: Vec<Vec<String>> = rows
        .iter()
        .filter_map(|row| match &row.detail {
            Detail::AgentState { agent, from, to, why, .. } => Some(vec![
                utc(row.wall),
                agent.clone(),
                say.state(from, None),
                say.state(to, None),
                say.word(why).to_string(),
            ]),
            _ => None,
        })
        .collect();
    let names = [key::TIME, word::AGENT, key::FROM, key::TO, key::REASON].map(|k| say.plain(k));
    table(&names, &lines)
}

fn recordings(record: &Cdr, say: Say) -> String {
    let lines: Vec<Vec<String>> = record
        .recordings
        .iter()
        .map(|(uid, length)| {
            let length = length.map_or_else(|| say.plain(key::STILL_RECORDING).to_string(), seconds_of_ms);
            vec![uid.to_string(), length]
        })
        .collect();
    table(&[say.plain(word::RECORDING), say.plain(key::LENGTH)], &lines)
}

/// All calls, one line each.
pub fn records(records: &[Cdr], language: Language) -> String {
    let say = Say(language);
    let names = [
        word::BEGAN,
        word::CALL,
        word::ORIGIN,
        word::CALLER,
        word::CALLED,
        word::QUEUE,
        word::AGENT,
        word::WAIT,
        word::TALK,
        word::DURATION,
        word::DISPOSITION,
        word::ENDED_BY,
        word::RECORDING,
    ];
    let lines: Vec<Vec<String>> = records
        .iter()
        .map(|r| {
            vec![
                utc(r.began),
                r.call.to_string(),
                r.origin.clone(),
                or_dash(&r.caller),
                or_dash(&r.called),
                or_dash(&r.queue),
                or_dash(&r.with),
                seconds(r.wait),
                seconds(r.talk),
                r.duration.map_or_else(|| "-".to_string(), seconds),
                or_dash(say.word(&r.disposition)),
                or_dash(say.word(&r.ended_by)),
                or_dash(&r.recordings.iter().map(|(uid, _)| uid.to_string()).collect::<Vec<_>>().join(" ")),
            ]
        })
        .collect();
    table(&names.map(|k| say.plain(k)), &lines)
}

#[cfg(test)]
mod tests;
