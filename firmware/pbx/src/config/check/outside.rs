//! Checks of what leads to the outside and comes from there: trunks that cannot be told apart, routes that fit the same
//! numbers as others or as somebody in the house.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::Finding;
use crate::config::{Config, Route, Trunk};
use crate::text::{Text, problem};

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    trunks(config, found);
    let mut before: Vec<(&str, &Route)> = Vec::new();
    for (name, route) in &config.routes {
        alone(name, route, found);
        in_the_house(config, name, route, found);
        beside(name, route, &before, found);
        before.push((name, route));
    }
}

fn trunks(config: &Config, found: &mut Vec<Finding>) {
    let mut by_address: BTreeMap<IpAddr, Vec<(&str, &Trunk)>> = BTreeMap::new();
    for (name, trunk) in &config.trunks {
        let path = format!("trunk {name} address");
        let port_path = format!("trunk {name} port");
        let before = by_address.entry(trunk.address).or_default();
        let same = before.iter().find(|(_, o)| o.port.is_none() || trunk.port.is_none() || o.port == trunk.port);
        if let Some((other, _)) = same {
            let reason = Text::new(problem::TRUNK_OVERLAP).with("other", *other);
            let finding = Finding::error(path.clone(), reason, problem::TRUNK_OVERLAP_REMEDY);
            let finding = finding.resting_on(port_path.clone()).resting_on(format!("trunk {other} address"));
            found.push(finding.resting_on(format!("trunk {other} port")));
        }
        if trunk.port.is_some_and(|port| SocketAddr::new(trunk.address, port) == config.sip.listen) {
            let finding = Finding::error(path, problem::TRUNK_IS_US, problem::TRUNK_IS_US_REMEDY);
            found.push(finding.resting_on(port_path).resting_on("sip listen"));
        }
        before.push((name, trunk));
    }
}

/// What a route says by itself.
fn alone(name: &str, route: &Route, found: &mut Vec<Finding>) {
    if route.length_min > route.length_max {
        let reason = Text::new(problem::LENGTHS_CROSSED).with("min", u64::from(route.length_min));
        let reason = reason.with("max", u64::from(route.length_max));
        let finding = Finding::error(format!("route {name} length-min"), reason, problem::LENGTHS_CROSSED_REMEDY);
        found.push(finding.resting_on(format!("route {name} length-max")));
    }
    // What is stripped must be known here: otherwise 00 could hide behind it.
    if route.strip as usize > route.prefix.len() {
        let reason = Text::new(problem::STRIP_BEYOND).with("strip", u64::from(route.strip));
        let reason = reason.with("prefix", &route.prefix);
        let finding = Finding::error(format!("route {name} strip"), reason, problem::STRIP_BEYOND_REMEDY);
        found.push(finding.resting_on(format!("route {name} prefix")));
    }
}

/// Who is in the house is called before any route is looked at: numbers outside that are the same could never be reached.
/// Feature codes begin with `*` or `#`, routes do not, so these never meet.
fn in_the_house(config: &Config, name: &str, route: &Route, found: &mut Vec<Finding>) {
    let extensions = config.extensions.keys().map(|number| ("extension", number));
    let numbers = config.numbers.keys().map(|number| ("number", number));
    let Some((sort, number)) = extensions.chain(numbers).find(|(_, number)| route.fits(number)) else { return };
    let reason = Text::new(problem::ROUTE_SHADOWS).with("prefix", &route.prefix);
    let reason = reason.with("other", format!("{sort} {number}"));
    let remedy = Text::new(problem::ROUTE_SHADOWS_REMEDY).with("length", number.len() as u64 + 1);
    found.push(resting(Finding::error(format!("route {name} prefix"), reason, remedy), name));
}

/// Two routes of one prefix for numbers of one length: neither is the longer.
fn beside(name: &str, route: &Route, before: &[(&str, &Route)], found: &mut Vec<Finding>) {
    let meets = |other: &Route| {
        other.prefix == route.prefix && other.length_min <= route.length_max && route.length_min <= other.length_max
    };
    if let Some((other, _)) = before.iter().find(|(_, other)| meets(other)) {
        let reason = Text::new(problem::ROUTE_TWICE).with("prefix", &route.prefix).with("other", *other);
        let finding = Finding::error(format!("route {name} prefix"), reason, problem::ROUTE_TWICE_REMEDY);
        found.push(resting(resting(finding, name), other));
    }
}

/// A finding that rests on which numbers a route fits.
fn resting(mut finding: Finding, name: &str) -> Finding {
    for leaf in ["prefix", "length-min", "length-max"] {
        let path: String = format!("route {name} {leaf}");
        finding = finding.resting_on(path);
    }
    finding
}

#[cfg(test)]
mod tests {
    use crate::config::{Language, examine};
    use alloc::string::String;
    use alloc::vec::Vec;

    fn problems(routes: &str) -> Vec<String> {
        let text = alloc::format!(
            "sip {{ listen 127.0.0.1:5060; }}\nextension 2001 {{ secret secret-1; }}\nnumber 8000 {{ to echo; }}\n\
             trunk carrier {{ address 127.0.0.2; }}\n{routes}"
        );
        examine(&text).problems.iter().map(|p| p.render(Language::En)).collect()
    }

    #[test]
    fn routes_that_cannot_mean_what_they_say_are_told_with_their_remedy() {
        assert_eq!(problems("route a { prefix 0; trunk carrier; }"), Vec::<String>::new());
        for (routes, wanted) in [
            ("route a { prefix 0; trunk none; }", "line 5: route a trunk: trunk none does not exist"),
            ("route a { prefix 2; trunk carrier; }", "line 5: route a prefix: the prefix `2` fits extension 2001, too"),
            ("route a { prefix 80; trunk carrier; }", "line 5: route a prefix: the prefix `80` fits number 8000, too"),
            ("route a { prefix 0; strip 2; trunk carrier; }", "line 5: route a strip: 2 characters are to be stripped"),
            (
                "route a { prefix 0; length-min 9; length-max 8; trunk carrier; }",
                "line 5: route a length-min: the fewest digits, 9, are above the most, 8",
            ),
            (
                "route a { prefix 0; trunk carrier; }\nroute b { prefix 0; length-min 20; trunk carrier; }",
                "line 6: route b prefix: the prefix `0` is also that of route a",
            ),
        ] {
            let found = problems(routes);
            assert!(matches!(found.as_slice(), [one] if one.starts_with(wanted)), "{routes}: {found:#?}");
        }
    }

    #[test]
    fn lengths_tell_routes_from_each_other_and_from_the_house() {
        let apart = "route a { prefix \"\"; length-min 7; length-max 8; trunk carrier; }\n\
                     route b { prefix \"\"; length-min 9; trunk carrier; }";
        assert_eq!(problems(apart), Vec::<String>::new());
    }
}
