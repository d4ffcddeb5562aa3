//! The flow proof: that every caller is answered, at every minute of a year, and what else can only be told by following
//! the ways that callers take. Pure; nothing but tests, `pbxd check` and a commit calls it. What each part of a
//! configuration says by itself, and to its neighbours, is in [`super::check`], which comes before.

mod answered;
mod codes;
mod emergency;
mod graph;
mod loops;
mod menus;
mod prompts;
mod staff;
mod year;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Config;
use super::check::Finding;
use crate::calendar::Date;
use graph::Graph;
use year::Year;

/// Everything that is wrong with the ways of callers, in 366 days from `first`.
pub(super) fn prove(config: &Config, first: Date, available: Option<&[&str]>) -> Vec<Finding> {
    let mut found = Vec::new();
    let graph = Graph::of(config);
    let year = Year::of(&graph.calendars, first);
    answered::check(config, &graph, &year, &mut found);
    loops::check(&graph, &year, &mut found);
    menus::check(config, &graph, &mut found);
    codes::check(config, &mut found);
    if let Some(available) = available {
        let available: BTreeSet<&str> = available.iter().copied().collect();
        prompts::check(config, &available, &mut found);
    }
    emergency::check(config, &mut found);
    staff::check(config, &graph, &year, &mut found);
    found
}
