//! Why an offer was for this caller and no other: the callers whom the agent could have served, with the numbers they
//! were compared by and the lines of the configuration that say how. Told from what the journal holds.

use super::explain::{indented, line};
use super::layout::table;
use super::say::Say;
use crate::store::ConfigCommit;
use pbx::precedence::{CallerTerm, Contender, Measure, Precedence};
use pbx::text::{Key, explain as key, state, word};

/// Microseconds as seconds with all their digits: as few would make equal what was not.
fn exactly(us: i128) -> String {
    format!("{}.{:06} s", us / 1_000_000, us % 1_000_000)
}

fn name(term: CallerTerm) -> Key {
    match term {
        CallerTerm::Starved => key::BOUND,
        CallerTerm::Weight => key::WEIGHT,
        CallerTerm::CreditUs => key::COUNTS_AS,
        CallerTerm::Priority => state::PRIORITY,
        CallerTerm::Arrival => key::ARRIVAL,
    }
}

/// The callers, whose turn it was first; with what put him there.
pub(super) fn told(agent: &str, precedence: &Precedence, commit: Option<&ConfigCommit>, say: Say) -> String {
    if precedence.callers.len() < 2 {
        return format!("   {}\n", say.text(key::NO_OTHER_CALLER, &[("agent", agent)]));
    }
    let mut text = format!("   {}\n", say.text(key::CALLERS, &[("agent", agent)]));
    let columns =
        [word::CALL, word::QUEUE, key::BOUND, key::WEIGHT, state::PRIORITY, word::WAIT, key::COUNTS_AS, key::ARRIVAL];
    let columns: Vec<&str> = columns.map(|column| say.plain(column)).into_iter().chain([""]).collect();
    let rows: Vec<Vec<String>> = precedence
        .callers
        .iter()
        .enumerate()
        .map(|(place, caller)| row(place, caller, precedence, commit, say))
        .collect();
    text.push_str(&indented(&table(&columns, &rows)));
    if precedence.more > 0 {
        text.push_str(&format!("   {}\n", say.text(key::MORE_CALLERS, &[("count", &precedence.more.to_string())])));
    }
    if let Some(term) = precedence.deciding() {
        let direction = if term == CallerTerm::Arrival { key::LOWER } else { key::HIGHER };
        let how = say.text(direction, &[("term", say.plain(name(term)))]);
        let rule = rule(term, precedence, commit, say);
        text.push_str(&format!("   {}{rule}\n", say.text(key::DECISION, &[("how", &how)])));
    }
    text
}

fn row(
    place: usize,
    caller: &Contender,
    precedence: &Precedence,
    commit: Option<&ConfigCommit>,
    say: Say,
) -> Vec<String> {
    let terms = precedence.terms(caller);
    let value = |wanted: CallerTerm| terms.iter().find(|(term, _)| *term == wanted).map(|(_, value)| *value);
    let bound = say.plain(if value(CallerTerm::Starved) == Some(1) { word::YES } else { word::NO });
    // Past the bound nothing counts but the arrival.
    let credit = value(CallerTerm::CreditUs).map_or_else(|| "-".to_string(), exactly);
    vec![
        format!("{} {}", if place == 0 { "▶" } else { " " }, caller.call),
        caller.queue.clone(),
        bound.to_string(),
        value(CallerTerm::Weight).map_or_else(|| "-".to_string(), |weight| weight.to_string()),
        caller.priority.to_string(),
        exactly(i128::from(caller.waited_us)),
        credit,
        caller.arrival.to_string(),
        say.text(key::PRIORITY_FROM, &[("line", &priority_by(caller, commit, say))]),
    ]
}

/// What gave a caller the priority.
fn priority_by(caller: &Contender, commit: Option<&ConfigCommit>, say: Say) -> String {
    match caller.priority_by.as_str() {
        "" => line(&format!("queue {} priority", caller.queue), commit, say),
        "supervisor" => say.plain(key::A_SUPERVISOR).to_string(),
        path => line(path, commit, say),
    }
}

/// The line of the configuration behind the term that decided.
fn rule(term: CallerTerm, precedence: &Precedence, commit: Option<&ConfigCommit>, say: Say) -> String {
    let Measure { step_s, starvation_s } = precedence.measure;
    let with_value = |path: &str, value: u32| format!("{}: {value}", line(path, commit, say));
    let rule = match (term, precedence.callers.first()) {
        (CallerTerm::Starved, _) => with_value("routing starvation-s", starvation_s),
        (CallerTerm::CreditUs, _) => with_value("routing priority-step-s", step_s),
        (CallerTerm::Weight, Some(caller)) => {
            with_value(&format!("queue {} weight", caller.queue), caller.weight.into())
        }
        (CallerTerm::Priority, Some(caller)) => priority_by(caller, commit, say),
        (CallerTerm::Weight | CallerTerm::Priority, None) | (CallerTerm::Arrival, _) => return String::new(),
    };
    format!(" — {rule}")
}
