//! What happened in a run, counted by name: a rule that never came to pass was not tested.

use pbx::event::{Detail, LegEvent};
use std::collections::BTreeMap;

/// Counts by name.
pub type Tally = BTreeMap<String, u64>;

/// Counts a row under its names.
pub fn count(tally: &mut Tally, row: &LegEvent) {
    let mut add = |name: String| *tally.entry(name).or_default() += 1;
    match &row.detail {
        Detail::AgentState { to, why, .. } => {
            add(format!("state {}", to.split(' ').next().unwrap_or_default()));
            if why == "id and PIN" || why.starts_with("wrap-up") {
                add(why.clone());
            }
        }
        Detail::AgentWish { wish, .. } => add(format!("wish {}", wish.split(' ').next().unwrap_or_default())),
        Detail::Disposition { code, .. } => add(format!("disposition {}", if *code > 0 { "given" } else { "missing" })),
        Detail::Offered { strategy, ring, starved, candidates, .. } => {
            add(format!("offer {}", strategy.word()));
            if *ring > 0 {
                add("offer relaxed".into());
            }
            if *starved {
                add("offer starved".into());
            }
            let preferred = |c: &pbx::event::Candidate| {
                c.terms.iter().any(|t| t.name == pbx::event::TermName::Preferred && t.value == 1)
            };
            if candidates.iter().any(preferred) {
                add("offer preferred".into());
            }
            for rule in candidates.iter().filter_map(|c| c.excluded.as_ref()).map(|e| e.rule) {
                add(format!("excluded {}", rule.as_str()));
            }
        }
        Detail::OfferEnded { cause, .. } => add(format!("offer ended {cause}")),
        Detail::Overflowed { rule, .. } => add(format!("overflow {rule}")),
        Detail::Abandoned { by, .. } => {
            let by = if by == "max-wait" { "by max-wait" } else { "by others" };
            add(format!("abandoned {by}"));
        }
        Detail::Supervised { act, refused, .. } if refused.is_empty() => add(format!("supervisor {act}")),
        Detail::Supervised { .. } => add("supervisor refused".into()),
        Detail::Surge { .. } => add("surge".into()),
        Detail::Mode { mode, .. } => add(format!("mode {}", mode.word())),
        Detail::Digit { digit: '•', .. } => add("secret digit".into()),
        _ => {}
    }
}
