//! That emergency numbers can be dialled by every phone. The dial plan is asked, and nobody in the house may have the same
//! number: he could never be called.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::vec::Vec;

use crate::config::Config;
use crate::config::check::Finding;
use crate::dialplan;
use crate::text::{Text, problem};

const PATH: &str = "routing emergency-numbers";

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    // Every phone dials by the same plan.
    if config.extensions.is_empty() {
        return;
    }
    let mut stuck: Vec<&str> = Vec::new();
    for number in &config.routing.emergency_numbers {
        let goes_out = dialplan::emergency(config, number).is_some();
        let in_the_house =
            [("extension", config.extensions.contains_key(number)), ("number", config.numbers.contains_key(number))];
        let same = in_the_house.into_iter().find(|(_, has)| *has).map(|(sort, _)| format!("{sort} {number}"));
        match same {
            Some(path) if goes_out => {
                let reason = Text::new(problem::FLOW_EMERGENCY_TAKEN).with("number", number);
                found.push(Finding::error(path, reason, problem::FLOW_EMERGENCY_TAKEN_REMEDY));
            }
            // Without a way out whoever has the number answers: the porter of a house without a line.
            Some(_) if config.routes.is_empty() => {}
            Some(_) | None if goes_out => {}
            Some(_) | None => stuck.push(number),
        }
    }
    if stuck.is_empty() {
        return;
    }
    let numbers = stuck.join(", ");
    let Some((route, _)) = config.routes.first_key_value() else {
        let reason = Text::new(problem::FLOW_EMERGENCY_NO_ROUTE).with("numbers", numbers);
        let remedy = Text::new(problem::FLOW_EMERGENCY_NO_ROUTE_REMEDY).with("brace", "{").with("close", "}");
        return found.push(Finding::warning(PATH, reason, remedy));
    };
    let trunks: BTreeSet<&str> = config.routes.values().map(|route| route.trunk.as_str()).collect();
    let trunks: Vec<&str> = trunks.into_iter().collect();
    let reason = Text::new(problem::FLOW_EMERGENCY_NO_TRUNK).with("numbers", numbers).with("trunks", trunks.join(", "));
    let finding = Finding::error(PATH, reason, problem::FLOW_EMERGENCY_NO_TRUNK_REMEDY);
    found.push(Finding { at: format!("route {route} trunk"), ..finding });
}
