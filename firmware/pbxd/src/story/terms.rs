//! The numbers of a decision as a person reads them: terms with their units, exclusions, and the reason in one sentence.
//! Said from what the journal holds; `pbx::select::decide` names the winner, not this.

use super::say::{Say, seconds_of_ms};
use pbx::config::{Config, Strategy};
use pbx::event::{Candidate, Exclusion, Term, TermName};
use pbx::select::decide;
use pbx::text::{explain as key, word};

/// The number of a term with its unit; places are counted from 1.
pub fn value(term: Term, say: Say) -> String {
    match term.name {
        TermName::Preferred => say.plain(if term.value == 0 { word::NO } else { word::YES }).to_string(),
        TermName::IdleMs | TermName::TalkMs => seconds_of_ms(u64::try_from(term.value).unwrap_or(0)),
        TermName::OccupancyPermille => format!("{}.{} %", term.value / 10, term.value.rem_euclid(10)),
        TermName::Position => (term.value + 1).to_string(),
        TermName::Skill
        | TermName::Calls
        | TermName::Distance
        | TermName::Tries
        | TermName::Draw
        | TermName::Ticket => term.value.to_string(),
    }
}

/// `idle for 61.000 s`.
pub fn named(term: Term, say: Say) -> String {
    say.text(key::TERM, &[("name", say.plain(key::term(term.name))), ("value", &value(term, say))])
}

/// All terms of a candidate in a line.
pub fn in_a_row(terms: &[Term], say: Say) -> String {
    terms.iter().map(|term| named(*term, say)).collect::<Vec<_>>().join(", ")
}

/// Why somebody was not eligible; not-ready reasons in the words of the site, where that is known.
pub fn exclusion(exclusion: &Exclusion, site: Option<&Config>, say: Say) -> String {
    let detail = say.state(&exclusion.detail, site);
    say.text(key::rule(exclusion.rule), &[("detail", &detail)]).trim_end().to_string()
}

/// Why an offer went to `agent`, from the terms that decided; none when they name another winner.
pub fn reason(strategy: Strategy, agent: &str, candidates: &[Candidate], say: Say) -> Option<String> {
    let winners = decide(candidates);
    let at = |place: usize| winners.get(place).and_then(|index| candidates.get(*index));
    let best = at(0).filter(|best| best.agent == agent)?;
    let strategy = say.plain(key::strategy(strategy));
    let Some(second) = at(1) else {
        return Some(say.text(key::ONLY_ONE, &[("strategy", strategy), ("agent", agent)]));
    };
    let (own, other) = best.terms.iter().zip(&second.terms).find(|(own, other)| own != other)?;
    let (own, other, count) = (named(*own, say), named(*other, say), winners.len().to_string());
    let values = [
        ("strategy", strategy),
        ("agent", agent),
        ("term", &own),
        ("other", &second.agent),
        ("other_term", &other),
        ("count", &count),
    ];
    Some(say.text(key::BEFORE, &values))
}
