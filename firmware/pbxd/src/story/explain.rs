//! Why a call went to whom it went: for each offer, and each moment at which nobody was eligible, the candidates with
//! all numbers that were compared, who was excluded by which rule and which line of the configuration, and whether the
//! stored numbers decide the same again. Told from the leg events and the configuration commits alone.

use super::layout::table;
use super::say::{Say, seconds, seconds_of_ms, utc};
use super::terms;
use crate::store::ConfigCommit;
use base::time::{Instant, Wall};
use pbx::config::{Language, Problem, Severity, locate, parse};
use pbx::event::{Candidate, Detail, LegEvent, TermName};
use pbx::precedence::Precedence;
use pbx::select::decide;
use pbx::text::{Text, explain as key, ladder, word};

/// Cells of the longest bar.
const BAR: i64 = 24;

/// Explains every decision of one call. `events` are its leg events in order, `commits` the configuration commits that
/// were in force while it lived, in order.
pub fn explain(events: &[LegEvent], commits: &[ConfigCommit], language: Language) -> String {
    let say = Say(language);
    let mut text = super::cdr::cdr(events).map_or_else(String::new, |record| {
        let caller = if record.caller.is_empty() { say.plain(ladder::WITHHELD) } else { &record.caller };
        let began = say.text(ladder::CALL_BEGAN, &[("caller", caller), ("called", &record.called)]);
        format!("{} {}  {}\n{began}\n", say.plain(word::CALL), record.call, utc(record.began))
    });
    let decisions = decisions(events);
    for (index, decision) in decisions.iter().enumerate() {
        text.push('\n');
        text.push_str(&told(index + 1, decision, events, commits, say));
    }
    if decisions.is_empty() {
        text.push_str(&format!("{}\n", say.plain(key::NO_DECISION)));
    }
    text
}

/// Whether every decision of the call comes out the same when its stored terms are decided again; none when there was
/// no decision.
pub fn decides_again(events: &[LegEvent]) -> Option<bool> {
    let decisions = decisions(events);
    (!decisions.is_empty()).then(|| decisions.iter().all(Decision::again))
}

/// One moment at which agents were looked at.
struct Decision<'a> {
    event: &'a LegEvent,
    /// The table that decided.
    candidates: &'a [Candidate],
    /// The callers whom the agent could have served; none in rows of earlier versions.
    callers: Option<&'a Precedence>,
    /// Offers that came out of the same table before this one: with ring-all it is written down once for all.
    nth: usize,
}

impl Decision<'_> {
    /// Who got the offer; none when nobody was eligible.
    fn chosen(&self) -> Option<&str> {
        if let Detail::Offered { agent, .. } = &self.event.detail { Some(agent) } else { None }
    }

    fn again(&self) -> bool {
        let winner = decide(self.candidates).get(self.nth).and_then(|index| self.candidates.get(*index));
        let own_turn =
            self.callers.is_none_or(|callers| callers.first().map(|first| Some(first.call)) == Some(self.event.call));
        winner.map(|winner| winner.agent.as_str()) == self.chosen() && own_turn
    }
}

fn decisions(events: &[LegEvent]) -> Vec<Decision<'_>> {
    let mut found: Vec<Decision<'_>> = Vec::new();
    for event in events {
        match &event.detail {
            Detail::Offered { candidates, .. } if candidates.is_empty() => {
                let table = found.last().map_or((&[][..], 0), |last| (last.candidates, last.nth + 1));
                found.push(Decision { event, candidates: table.0, callers: None, nth: table.1 });
            }
            Detail::Offered { candidates, callers, .. } => {
                found.push(Decision { event, candidates, callers: callers.as_ref(), nth: 0 });
            }
            Detail::Unserved { candidates, .. } => {
                found.push(Decision { event, candidates, callers: None, nth: 0 });
            }
            _ => {}
        }
    }
    found
}

fn told(number: usize, decision: &Decision<'_>, events: &[LegEvent], commits: &[ConfigCommit], say: Say) -> String {
    let began = events.first().map_or(decision.event.at, |first| first.at);
    let commit = in_force(commits, decision.event.wall);
    let mut lines = heading(number, decision, began, say);
    if decision.nth > 0 {
        lines.push(format!("   {}", say.plain(key::SAME_TABLE)));
    } else {
        lines.push(format!("   {}", commit_words(commit, say)));
    }
    let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    if decision.nth == 0 {
        if let (Some(agent), Some(callers)) = (decision.chosen(), decision.callers) {
            text.push_str(&super::callers::told(agent, callers, commit, say));
        }
        text.push_str(&eligible(decision, say));
        text.push_str(&excluded(decision, commit, say));
    }
    if decision.chosen().is_some() {
        let outcome = outcome(decision, events, say);
        text.push_str(&format!("   {}\n", say.text(key::RESULT, &[("outcome", &outcome)])));
    }
    let verdict = say.plain(if decision.again() { word::YES } else { word::NO });
    text.push_str(&format!("   {}\n", say.text(key::AGAIN, &[("verdict", verdict)])));
    text
}

/// What was decided, for which caller, and how.
fn heading(number: usize, decision: &Decision<'_>, began: Instant, say: Say) -> Vec<String> {
    let (number, time) = (number.to_string(), utc(decision.event.wall));
    let after = format!("+{}", seconds(decision.event.at.since(began)));
    let place = [("number", number.as_str()), ("time", &time), ("after", &after)];
    match &decision.event.detail {
        Detail::Offered { queue, agent, priority, wait_ms, strategy, ring, starved, .. } => {
            let title = say.text(key::OFFER, &[&place[..], &[("queue", queue), ("agent", agent)]].concat());
            let (priority, wait) = (priority.to_string(), seconds_of_ms(*wait_ms));
            let mut caller = say.text(key::CALLER, &[("priority", &priority), ("wait", &wait)]);
            if *starved {
                caller.push_str(say.plain(key::STARVED));
            }
            let strategy = say.text(key::STRATEGY, &[("strategy", say.plain(key::strategy(*strategy)))]);
            let mut lines = vec![title, format!("   {caller}"), format!("   {strategy}")];
            lines.extend(relaxed(*ring, say));
            lines
        }
        Detail::Unserved { queue, ring, .. } => {
            let title = say.text(key::UNSERVED, &[&place[..], &[("queue", queue)]].concat());
            std::iter::once(title).chain(relaxed(*ring, say)).collect()
        }
        _ => Vec::new(),
    }
}

fn relaxed(ring: u32, say: Say) -> Option<String> {
    (ring > 0).then(|| format!("   {}", say.text(key::RELAXED, &[("ring", &ring.to_string())])))
}

/// The commit in force at a moment.
fn in_force(commits: &[ConfigCommit], wall: Wall) -> Option<&ConfigCommit> {
    commits.iter().rev().find(|commit| commit.wall_ms <= wall.as_millis())
}

fn commit_words(commit: Option<&ConfigCommit>, say: Say) -> String {
    let Some(commit) = commit else { return say.plain(key::NO_COMMIT).to_string() };
    let since = utc(Wall::from_millis(commit.wall_ms));
    say.text(key::COMMIT, &[("number", &commit.number.to_string()), ("time", &since)])
}

/// The eligible, best first, a column for each term and a bar for the one that decided.
fn eligible(decision: &Decision<'_>, say: Say) -> String {
    let ranked: Vec<&Candidate> =
        decide(decision.candidates).into_iter().filter_map(|index| decision.candidates.get(index)).collect();
    let Some(best) = ranked.first() else { return String::new() };
    let deciding = ranked.get(1).and_then(|second| {
        let differ = |(own, other): &(&pbx::event::Term, &pbx::event::Term)| own.value != other.value;
        best.terms.iter().zip(&second.terms).find(differ).map(|(own, _)| own.name)
    });
    // A place in a list is no quantity.
    let drawn = deciding.filter(|name| *name != TermName::Position);
    let mut columns = vec![say.plain(key::ELIGIBLE)];
    columns.extend(best.terms.iter().map(|term| say.plain(key::term(term.name))));
    let rows: Vec<Vec<String>> = ranked
        .iter()
        .enumerate()
        .map(|(place, candidate)| {
            let mark = if place == 0 { "▶" } else { " " };
            let mut row = vec![format!("{mark} {}", candidate.agent)];
            row.extend(candidate.terms.iter().map(|term| terms::value(*term, say)));
            row.extend(drawn.map(|name| bar(name, candidate, &ranked)));
            row
        })
        .collect();
    let decided = deciding.map(|name| {
        let direction = if name.higher_wins() { key::HIGHER } else { key::LOWER };
        say.text(direction, &[("term", say.plain(key::term(name)))])
    });
    columns.extend(drawn.map(|_| say.plain(key::DECIDED_BY)));
    let decided = decided.map_or_else(String::new, |how| format!("   {}\n", say.text(key::DECISION, &[("how", &how)])));
    format!("{}{decided}", indented(&table(&columns, &rows)))
}

/// The value of the deciding term as a bar: the longest is the largest of all.
fn bar(name: TermName, candidate: &Candidate, ranked: &[&Candidate]) -> String {
    let value = |c: &Candidate| c.terms.iter().find(|term| term.name == name).map_or(0, |term| term.value.max(0));
    let most = ranked.iter().map(|c| value(c)).max().unwrap_or(0).max(1);
    // Halves of a cell, so that close values can be told apart.
    let halves = (i128::from(value(candidate)) * i128::from(2 * BAR) / i128::from(most)) as usize;
    format!("{}{}", "█".repeat(halves / 2), if halves % 2 == 1 { "▌" } else { "" })
}

/// Who could not have the call, by which rule, and the line that says so.
fn excluded(decision: &Decision<'_>, commit: Option<&ConfigCommit>, say: Say) -> String {
    let site = commit.and_then(|commit| parse(&commit.text).ok());
    let rows: Vec<Vec<String>> = decision
        .candidates
        .iter()
        .filter_map(|candidate| candidate.excluded.as_ref().map(|why| (candidate, why)))
        .map(|(candidate, why)| {
            vec![
                format!("  {}", candidate.agent),
                terms::exclusion(why, site.as_ref(), say),
                line(&why.config, commit, say),
            ]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    // The heading is wider than the ids below it; it stands alone.
    let table = table(&["", "", ""], &rows);
    let below: String = table.lines().skip(1).map(|line| format!("{line}\n")).collect();
    format!("   {}\n{}", say.plain(key::NOT_ELIGIBLE), indented(&below))
}

/// A path of the configuration with its line in the text that was in force.
pub(super) fn line(path: &str, commit: Option<&ConfigCommit>, say: Say) -> String {
    let path = path.to_string();
    let Some(commit) = commit.filter(|_| !path.is_empty()) else { return path };
    let (reason, remedy) = (Text::new(key::LINE), Text::new(key::LINE));
    let severity = Severity::Warning;
    let mut place = [Problem { line: 0, column: 0, path, reason, remedy, severity }];
    locate(&mut place, &commit.text);
    let [Problem { line, path, .. }] = place;
    if line == 0 { path } else { say.text(key::LINE, &[("path", &path), ("line", &line.to_string())]) }
}

/// What became of an offer.
fn outcome(decision: &Decision<'_>, events: &[LegEvent], say: Say) -> String {
    let after = events.iter().filter(|event| event.seq > decision.event.seq);
    // The phone that was answered last before the call was connected: what the agent heard and did then was not ringing.
    let mut answered = None;
    for event in after {
        match &event.detail {
            Detail::Answered if event.leg != Some(0) => answered = Some(event.at),
            Detail::Connected { with, .. } if Some(with.as_str()) == decision.chosen() => {
                let rang = seconds(answered.unwrap_or(event.at).since(decision.event.at));
                return say.text(key::RANG, &[("cause", say.plain(key::TOOK_IT)), ("ring", &rang)]);
            }
            Detail::OfferEnded { agent, cause, ring_ms } if Some(agent.as_str()) == decision.chosen() => {
                let rang = seconds_of_ms(*ring_ms);
                return say.text(key::RANG, &[("cause", say.word(cause)), ("ring", &rang)]);
            }
            Detail::CallEnded { .. } => break,
            _ => {}
        }
    }
    say.plain(key::OPEN).to_string()
}

pub(super) fn indented(table: &str) -> String {
    table.lines().map(|line| format!(" {line}\n")).collect()
}

#[cfg(test)]
mod tests;
