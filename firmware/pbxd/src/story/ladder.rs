//! The ladder of one call: a column for each party, the box in the second, time downwards. Drawn from leg events.

use super::layout::{centred, fit, left, width};
use super::say::{Say, seconds_of_ms};
use super::terms;
use base::time::Instant;
use pbx::event::{Candidate, Detail, LegEvent};
use pbx::text::{ladder as key, word};
use std::collections::BTreeMap;

/// Cells between two column lines.
const GAP: usize = 38;
/// Cells of the time column.
const TIME: usize = 12;
/// Cells that the text of a decision may take before it is broken into another line.
const DECISION: usize = 88;

/// Where a row stands.
enum Place {
    /// An arrow between a party's column and the box; true when the box sends.
    Arrow { party: usize, sent: bool },
    /// At the box alone.
    Box,
}

/// One row: the place and its texts, the first on the line itself, the rest below.
struct Row {
    at: Instant,
    place: Place,
    text: Vec<String>,
}

/// Which column each leg has, and the columns' names. Column 0 is the caller; the box stands after it.
struct Parties {
    names: Vec<String>,
    of_leg: BTreeMap<u32, usize>,
}

impl Parties {
    fn of(events: &[LegEvent], say: Say) -> Parties {
        let mut parties =
            Parties { names: vec![say.plain(word::CALLER).to_string()], of_leg: BTreeMap::from([(0, 0)]) };
        for event in events {
            if let Detail::CallBegan { origin, .. } = &event.detail {
                parties.names[0] = fit(origin, GAP - 6);
            }
            if let Some(leg) = event.leg
                && !parties.of_leg.contains_key(&leg)
            {
                let column = parties.column(leg_name(leg, events, say));
                parties.of_leg.insert(leg, column);
            }
        }
        parties
    }

    /// The column of that name; a phone that is called twice keeps its column.
    fn column(&mut self, name: String) -> usize {
        match self.names.iter().skip(1).position(|n| *n == name) {
            Some(known) => known + 1,
            None => {
                self.names.push(name);
                self.names.len() - 1
            }
        }
    }
}

/// A leg is named by who acted on it (`extension 2001`), else by the URI of its INVITE.
fn leg_name(leg: u32, events: &[LegEvent], say: Say) -> String {
    let own = || events.iter().filter(|e| e.leg == Some(leg));
    let parties = ["extension ", "line ", "trunk "];
    let actor = own().map(|e| &e.actor).find(|a| parties.iter().any(|p| a.starts_with(p)));
    if let Some(actor) = actor {
        return fit(actor, GAP - 6);
    }
    let called = own().find_map(|e| match &e.detail {
        Detail::Sip { sent: true, message } => message.strip_prefix("INVITE "),
        _ => None,
    });
    let user = called.and_then(|uri| uri.split_once(':')).and_then(|(_, rest)| rest.split(['@', ';', ' ']).next());
    match user {
        Some(user) => fit(&say.text(key::PHONE, &[("number", user)]), GAP - 6),
        None => say.text(key::LEG, &[("leg", &leg.to_string())]),
    }
}

/// Draws the ladder of one call's events.
pub fn ladder(events: &[LegEvent], say: Say) -> String {
    let Some(began) = events.first().map(|e| e.at) else { return String::new() };
    let parties = Parties::of(events, say);
    let mut text = heading(&parties, say);
    // A leg on a line card has no packets to tell of.
    let silent = |e: &&LegEvent| matches!(e.detail, Detail::LegMedia { sent: 0, received: 0, lost: 0, strangers: 0 });
    for event in events.iter().filter(|e| !silent(e)) {
        let row = row(event, &parties, say);
        draw(&mut text, &row, parties.names.len(), began);
    }
    text
}

/// Column lines stand at these cells after the time.
fn line_at(column: usize) -> usize {
    column * (GAP + 1)
}

/// The drawn column of a party: the box is drawn second.
fn drawn(party: usize) -> usize {
    if party == 0 { 0 } else { party + 1 }
}

fn heading(parties: &Parties, say: Say) -> String {
    let mut names: Vec<&str> = parties.names.iter().map(String::as_str).collect();
    names.insert(1, say.plain(key::THE_BOX));
    let mut line = left(&format!("  {}", say.plain(key::TIME)), TIME, ' ');
    for (column, name) in names.iter().enumerate() {
        let middle = TIME + line_at(column);
        let start = middle.saturating_sub(width(name) / 2).max(width(&line) + usize::from(column > 0));
        line = left(&line, start, ' ');
        line.push_str(name);
    }
    line.push('\n');
    line
}

/// The lines of all columns, with nothing between them.
fn rails(columns: usize) -> Vec<String> {
    let mut cells = Vec::new();
    for column in 0..columns {
        cells.push("│".to_string());
        if column + 1 < columns {
            cells.push(" ".repeat(GAP));
        }
    }
    cells
}

fn draw(text: &mut String, row: &Row, parties: usize, began: Instant) {
    let since_ms = row.at.since(began).as_millis();
    let time = format!("{:>+5}.{:03} s", since_ms / 1_000, since_ms % 1_000);
    let mut lines = row.text.iter();
    let first = lines.next().map_or("", String::as_str);
    text.push_str(&left(&time, TIME, ' '));
    match row.place {
        Place::Arrow { party, sent } => {
            text.push_str(arrow(first, drawn(party), sent, parties + 1).trim_end());
            text.push('\n');
        }
        Place::Box => {
            let rail = format!("│{}", " ".repeat(GAP));
            text.push_str(&format!("{rail}■ {first}\n"));
        }
    }
    for line in lines {
        let rail = format!("{}│{}│   {line}\n", " ".repeat(TIME), " ".repeat(GAP));
        text.push_str(&rail);
    }
}

/// An arrow between the box (column 1) and column `to`, its text on it; it runs over the columns between.
fn arrow(label: &str, to: usize, sent: bool, columns: usize) -> String {
    let (from, until) = if to < 1 { (to, 1) } else { (1, to) };
    let space = (until - from) * (GAP + 1) - 1;
    let label = if width(label) > space - 6 { fit(&short(label), space - 6) } else { label.to_string() };
    let points_right = (to > 1) == sent;
    let shaft = centred(&format!(" {label} "), space - 3, '─');
    let drawn = if points_right { format!(" {shaft}▶ ") } else { format!(" ◀{shaft} ") };
    let mut cells = rails(columns);
    // Between column `from` and `until` stand the gap cells and the lines of columns passed over.
    cells.splice(2 * from + 1..2 * until, [drawn]);
    cells.concat()
}

/// A SIP request without the host of its URI.
fn short(label: &str) -> String {
    match label.split_once(" sip:") {
        Some((method, uri)) => format!("{method} {}", uri.split('@').next().unwrap_or(uri)),
        None => label.to_string(),
    }
}

fn row(event: &LegEvent, parties: &Parties, say: Say) -> Row {
    let party = event.leg.and_then(|leg| parties.of_leg.get(&leg).copied());
    let arrow = |sent| party.map_or(Place::Box, |party| Place::Arrow { party, sent });
    let place = match &event.detail {
        Detail::Sip { sent, .. } => arrow(*sent),
        Detail::Line { what } => arrow(what.starts_with("off-hook") || what.starts_with("on-hook")),
        Detail::Digit { .. } => arrow(false),
        _ => Place::Box,
    };
    Row { at: event.at, place, text: describe(event, say) }
}

/// What a row says.
pub(super) fn describe(event: &LegEvent, say: Say) -> Vec<String> {
    match &event.detail {
        Detail::CallBegan { caller, called, .. } => {
            let caller = if caller.is_empty() { say.plain(key::WITHHELD) } else { caller };
            vec![say.text(key::CALL_BEGAN, &[("caller", caller), ("called", called)])]
        }
        Detail::Routed { to, why } => decision(say.text(key::ROUTED, &[("to", to)]), why, say),
        Detail::Line { what } => vec![say.word(what).to_string()],
        Detail::Sip { message, .. } => vec![message.clone()],
        Detail::Digit { digit, how } => {
            vec![say.text(key::KEY, &[("digit", &digit.to_string()), ("how", say.word(how))])]
        }
        Detail::Answered => vec![of_leg(event, say.plain(key::ANSWERED).to_string(), say)],
        Detail::Media { what } => vec![of_leg(event, say.text(key::MEDIA, &[("what", &media(what, say))]), say)],
        Detail::LegEnded { cause } => {
            vec![of_leg(event, say.text(key::LEG_ENDED, &[("cause", say.word(cause))]), say)]
        }
        Detail::CallEnded { by, disposition } => {
            let values = [("by", say.word(by)), ("disposition", say.word(disposition))];
            vec![say.text(key::CALL_ENDED, &values)]
        }
        Detail::Queued { .. }
        | Detail::Offered { .. }
        | Detail::OfferEnded { .. }
        | Detail::Connected { .. }
        | Detail::Unserved { .. }
        | Detail::Overflowed { .. }
        | Detail::Prioritised { .. }
        | Detail::Abandoned { .. } => describe_queue(&event.detail, say),
        _ => describe_rest(event, say),
    }
}

/// A media step in the reader's language; names of prompts stay as they are.
fn media(what: &str, say: Say) -> String {
    match what.strip_prefix("play ") {
        Some(items) => say.text(key::PLAY, &[("what", items)]),
        None if what == "join" => say.text(key::JOIN, &[]),
        None => what.to_owned(),
    }
}

/// What happens in queues.
fn describe_queue(detail: &Detail, say: Say) -> Vec<String> {
    match detail {
        Detail::Queued { queue, priority, position } => {
            let (priority, position) = (priority.to_string(), position.to_string());
            let values = [("queue", queue.as_str()), ("priority", &priority), ("position", &position)];
            vec![say.text(key::QUEUED, &values)]
        }
        Detail::Offered { queue, agent, strategy, candidates, why, .. } => {
            let why = terms::reason(*strategy, agent, candidates, say).unwrap_or_else(|| why.clone());
            let mut text = decision(say.text(key::OFFERED, &[("queue", queue), ("agent", agent)]), &why, say);
            text.extend(candidates.iter().map(|c| candidate(c, say)));
            text
        }
        Detail::Unserved { queue, candidates, .. } => {
            let nobody = say.text(key::UNSERVED, &[("queue", queue)]);
            std::iter::once(nobody).chain(candidates.iter().map(|c| candidate(c, say))).collect()
        }
        Detail::Overflowed { queue, wait_ms, rule, to } => {
            let (to, wait) = (say.word(to), seconds_of_ms(*wait_ms));
            vec![say.text(key::OVERFLOWED, &[("queue", queue), ("rule", say.word(rule)), ("to", to), ("wait", &wait)])]
        }
        Detail::Prioritised { queue, priority, position } => {
            let (priority, position) = (priority.to_string(), position.to_string());
            let values = [("queue", queue.as_str()), ("priority", &priority), ("position", &position)];
            vec![say.text(key::PRIORITISED, &values)]
        }
        Detail::OfferEnded { agent, cause, ring_ms } => {
            let ring = seconds_of_ms(*ring_ms);
            vec![say.text(key::OFFER_ENDED, &[("agent", agent), ("cause", say.word(cause)), ("ring", &ring)])]
        }
        Detail::Connected { with, queue, .. } if queue.is_empty() => {
            vec![say.text(key::CONNECTED, &[("with", with)])]
        }
        Detail::Connected { with, wait_ms, .. } => {
            vec![say.text(key::CONNECTED_AFTER, &[("with", with), ("wait", &seconds_of_ms(*wait_ms))])]
        }
        Detail::Abandoned { queue, wait_ms, by } => {
            let wait = seconds_of_ms(*wait_ms);
            vec![say.text(key::ABANDONED, &[("queue", queue), ("by", say.word(by)), ("wait", &wait)])]
        }
        _ => Vec::new(),
    }
}

/// The rows that are seldom read.
fn describe_rest(event: &LegEvent, say: Say) -> Vec<String> {
    let text = match &event.detail {
        Detail::RecordingBegan { recording } => {
            say.text(key::RECORDING_BEGAN, &[("recording", &recording.to_string())])
        }
        Detail::RecordingEnded { recording, length_ms } => {
            let values = [("recording", recording.to_string()), ("length", seconds_of_ms(*length_ms))];
            say.text(key::RECORDING_ENDED, &[(values[0].0, &values[0].1), (values[1].0, &values[1].1)])
        }
        Detail::AgentState { agent, from, to, why, .. } => {
            let (from, to) = (say.state(from, None), say.state(to, None));
            let values = [("agent", agent.as_str()), ("from", &from), ("to", &to), ("why", say.word(why))];
            say.text(key::AGENT_STATE, &values)
        }
        Detail::AgentWish { agent, wish } => {
            say.text(key::AGENT_WISH, &[("agent", agent), ("state", &say.state(wish, None))])
        }
        Detail::Disposition { agent, code: 0, .. } => say.text(key::NO_RESULT, &[("agent", agent)]),
        Detail::Disposition { agent, code, .. } => {
            say.text(key::GAVE_RESULT, &[("agent", agent), ("code", &code.to_string())])
        }
        Detail::Supervised { supervisor, act, whom, refused, .. } => {
            let values =
                [("supervisor", supervisor.as_str()), ("act", say.word(act)), ("whom", whom), ("why", refused)];
            let key = if refused.is_empty() { key::SUPERVISED } else { key::SUPERVISOR_REFUSED };
            say.text(key, &values).trim_end().to_string()
        }
        Detail::Surge { on, .. } => say.plain(if *on { key::SURGE_ON } else { key::SURGE_OFF }).to_string(),
        Detail::Mode { mode, .. } => say.plain(key::mode(*mode)).to_string(),
        Detail::Audit { what, about } => {
            let values = [("actor", event.actor.as_str()), ("what", say.word(what)), ("about", about)];
            say.text(key::AUDIT, &values).trim_end_matches([' ', ':', '：']).to_string()
        }
        Detail::Registered { extension, contacts } => {
            say.text(key::REGISTERED, &[("extension", extension), ("contacts", &contacts.to_string())])
        }
        Detail::Recovered { gap_ms_max } => say.text(key::RECOVERED, &[("gap", &seconds_of_ms(*gap_ms_max))]),
        Detail::SetAside { input_seq } => say.text(key::SET_ASIDE, &[("seq", &input_seq.to_string())]),
        Detail::LegMedia { sent, received, lost, strangers } => {
            let counts = [sent, received, lost, strangers].map(u64::to_string);
            let names = ["sent", "received", "lost", "strangers"];
            let values: Vec<(&str, &str)> = names.into_iter().zip(counts.iter().map(String::as_str)).collect();
            of_leg(event, say.text(key::LEG_MEDIA, &values), say)
        }
        Detail::Held { held } => {
            of_leg(event, say.plain(if *held { key::HELD } else { key::RESUMED }).to_string(), say)
        }
        // Every variant of today is described; one of a newer program shows as it was written.
        other => format!("{other:?}"),
    };
    vec![text]
}

/// Names the leg when it is not the caller's.
fn of_leg(event: &LegEvent, text: String, say: Say) -> String {
    match event.leg {
        Some(leg) if leg > 0 => say.text(key::OF_LEG, &[("text", &text), ("leg", &leg.to_string())]),
        _ => text,
    }
}

fn candidate(candidate: &Candidate, say: Say) -> String {
    let agent = candidate.agent.as_str();
    match &candidate.excluded {
        None => say.text(key::CANDIDATE, &[("agent", agent), ("terms", &terms::in_a_row(&candidate.terms, say))]),
        Some(exclusion) => {
            say.text(key::EXCLUDED, &[("agent", agent), ("why", &terms::exclusion(exclusion, None, say))])
        }
    }
}

/// A decision and its reason; a long reason goes below.
fn decision(what: String, why: &str, say: Say) -> Vec<String> {
    let why = say.text(key::WHY, &[("why", why)]);
    if width(&what) + width(&why) + 2 <= DECISION { vec![format!("{what}  {why}")] } else { vec![what, why] }
}
