//! Which agent gets the next caller: a pure function that also returns its reason. It reads the tables and changes
//! nothing, so the printed terms decide the same again.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use base::time::Instant;

use crate::event::Candidate;

/// One agent of the queue as the router sees it.
#[derive(Clone, Debug)]
pub struct Seen<'a> {
    /// Agent id.
    pub agent: &'a str,
    /// Since when ready; none when not.
    pub ready_since: Option<Instant>,
    /// Why not ready, in words; empty when ready.
    pub not_ready: String,
    /// The phone can be reached.
    pub reachable: bool,
}

/// What was decided, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Selection {
    /// Index into what was seen.
    pub winner: usize,
    /// All that were looked at, in the order of the configuration.
    pub candidates: Vec<Candidate>,
    /// In words.
    pub why: String,
}

/// Strategy longest-idle: of the agents that are ready and reachable, the one ready for longest; among equals the one
/// named first in the queue. None when nobody is eligible.
pub fn select(seen: &[Seen<'_>], now: Instant) -> Option<Selection> {
    let eligible = |s: &Seen<'_>| if s.reachable { s.ready_since } else { None };
    let (winner, since) =
        seen.iter().enumerate().filter_map(|(i, s)| eligible(s).map(|t| (i, t))).min_by_key(|(i, t)| (*t, *i))?;
    let candidates: Vec<Candidate> = seen
        .iter()
        .map(|s| Candidate {
            agent: s.agent.into(),
            idle_ms: s.ready_since.map_or(0, |t| now.since(t).as_millis() as u64),
            excluded: if s.ready_since.is_none() {
                s.not_ready.clone()
            } else if !s.reachable {
                "phone not registered".into()
            } else {
                String::new()
            },
        })
        .collect();
    let why = format!(
        "longest-idle: agent {} ready for {} ms, longest of {} eligible",
        seen[winner].agent,
        now.since(since).as_millis(),
        candidates.iter().filter(|c| c.excluded.is_empty()).count()
    );
    Some(Selection { winner, candidates, why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seen(agent: &str, ready_at_us: Option<u64>, reachable: bool) -> Seen<'_> {
        let not_ready = if ready_at_us.is_some() { String::new() } else { "not ready (wrap-up)".into() };
        Seen { agent, ready_since: ready_at_us.map(Instant::from_micros), not_ready, reachable }
    }

    #[test]
    fn the_longest_idle_wins_and_the_others_say_why_not() {
        let now = Instant::from_micros(10_000_000);
        let table = [
            seen("1", Some(5_000_000), true),
            seen("2", Some(1_000_000), false),
            seen("3", None, true),
            seen("4", Some(2_000_000), true),
        ];
        let s = select(&table, now).unwrap();
        assert_eq!(s.winner, 3);
        assert_eq!(s.candidates[3].idle_ms, 8_000);
        assert_eq!(s.candidates[1].excluded, "phone not registered");
        assert_eq!(s.candidates[2].excluded, "not ready (wrap-up)");
        assert_eq!(select(&table[1..3], now), None);
    }

    proptest! {
        #[test]
        fn the_printed_terms_give_the_same_winner(
            table in proptest::collection::vec((proptest::option::of(0u64..1_000), any::<bool>()), 0..20)
        ) {
            let names: Vec<String> = (0..table.len()).map(|i| format!("{i}")).collect();
            let all: Vec<_> = table.iter().enumerate().map(|(i, (r, ok))| seen(&names[i], r.map(|t| t * 1_000), *ok)).collect();
            if let Some(s) = select(&all, Instant::from_micros(2_000_000)) {
                let again = s.candidates.iter().enumerate().filter(|(_, c)| c.excluded.is_empty())
                    .max_by_key(|(i, c)| (c.idle_ms, usize::MAX - *i)).map(|(i, _)| i);
                prop_assert_eq!(again, Some(s.winner));
            } else {
                prop_assert!(table.iter().all(|(r, ok)| r.is_none() || !ok));
            }
        }
    }
}
