//! Where a dialled number leads: pure look-ups in one configuration, each with the rule that decided. Of routes to the
//! outside the one with the longest prefix decides; what becomes of such a call is in `outside.rs`.

use alloc::format;
use alloc::string::{String, ToString};
use serde::{Deserialize, Serialize};

use crate::code::{self, Code};
use crate::config::{self, Config, Destination};

/// What was dialled means.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Meaning {
    /// A place in the house.
    To(Destination),
    /// A code of the caller's own phone.
    Code(Code),
    /// A number outside.
    Outside(Outside),
    /// A number outside that may not be called.
    Barred,
    /// Nothing.
    Unknown,
}

/// A number outside and the way there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Outside {
    /// Name of the route.
    pub route: String,
    /// Name of the trunk.
    pub trunk: String,
    /// As it is sent.
    pub number: String,
}

impl Outside {
    /// In events: `trunk carrier 01012345678`.
    pub fn words(&self) -> String {
        format!("trunk {} {}", self.trunk, self.number)
    }
}

/// A meaning and the rule that gave it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The meaning.
    pub meaning: Meaning,
    /// The rule, with its path in the configuration.
    pub why: String,
}

/// What an extension may dial: feature codes, emergency numbers, colleagues, then `number …`, then `route …`.
pub fn from_inside(config: &Config, called: &str) -> Route {
    let codes = &config.codes;
    if called == codes.echo {
        return route(Meaning::To(Destination::Echo), format!("codes echo {}", codes.echo));
    }
    if let Some((code, path)) = code::parse(codes, called) {
        return route(Meaning::Code(code), path);
    }
    if let Some(way) = emergency(config, called) {
        return way;
    }
    if config.extensions.contains_key(called) {
        return route(Meaning::To(Destination::Extension(called.to_string())), format!("extension {called}"));
    }
    match config.numbers.get(called) {
        Some(to) => route(Meaning::To(to.clone()), format!("number {called}")),
        None => to_outside(config, called),
    }
}

/// An emergency number goes out as dialled: by the route that a number like it takes, otherwise by the first one, and only
/// where the trunk can be called at all. Nothing bars it.
pub(crate) fn emergency(config: &Config, called: &str) -> Option<Route> {
    if !config.routing.emergency_numbers.iter().any(|number| number == called) {
        return None;
    }
    let usable =
        |way: &config::Route| config.trunks.get(&way.trunk).is_some_and(|trunk| trunk.can_be_called(&config.sip));
    let usable = config.routes.iter().filter(|(_, way)| usable(way));
    let (name, way) = usable.reduce(|best, other| {
        let rank = |way: &config::Route| way.fits(called).then_some(way.prefix.len());
        if rank(other.1) > rank(best.1) { other } else { best }
    })?;
    let outside = Outside { route: name.clone(), trunk: way.trunk.clone(), number: called.to_string() };
    Some(route(Meaning::Outside(outside), format!("routing emergency-numbers {called}, route {name}")))
}

fn to_outside(config: &Config, called: &str) -> Route {
    let fitting = config.routes.iter().filter(|(_, route)| route.fits(called));
    let Some((name, way)) = fitting.max_by_key(|(_, route)| route.prefix.len()) else {
        return route(Meaning::Unknown, format!("no extension, number, code or route is {called}"));
    };
    let rest = called.get(way.strip as usize..).unwrap_or_default();
    let number = format!("{}{rest}", way.add.as_deref().unwrap_or_default());
    if !way.international && (is_international(&number) || is_international(&way.prefix)) {
        return route(Meaning::Barred, format!("route {name} international no"));
    }
    let outside = Outside { route: name.clone(), trunk: way.trunk.clone(), number };
    route(Meaning::Outside(outside), format!("route {name} prefix {}", way.prefix).trim_end().to_string())
}

/// By the prefixes of ITU-T E.123 and of most countries. More than the prefix is never stripped, so the number as it is
/// sent and the prefix tell all.
fn is_international(number: &str) -> bool {
    number.starts_with("00") || number.starts_with('+')
}

impl config::Route {
    /// Whether a number as dialled is one of its numbers, be it permitted or not.
    pub(crate) fn fits(&self, called: &str) -> bool {
        let digits = called.strip_prefix('+').unwrap_or(called);
        let length = digits.len() as u64;
        called.starts_with(self.prefix.as_str())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && (u64::from(self.length_min)..=u64::from(self.length_max)).contains(&length)
    }
}

impl config::Trunk {
    /// Whether a request can be sent there from where we listen: an address, and one of the same family.
    pub(crate) fn can_be_called(&self, sip: &config::Sip) -> bool {
        !self.address.is_unspecified() && self.address.is_ipv4() == sip.listen.is_ipv4()
    }
}

/// What callers from outside reach.
pub fn from_outside(config: &Config, called: &str) -> Route {
    match config.dids.get(called) {
        Some(did) => route(Meaning::To(did.to.clone()), format!("did {called}")),
        None => route(Meaning::Unknown, format!("no did is {called}")),
    }
}

/// Whether a call to `to` can come to a place that records.
pub fn may_be_recorded(config: &Config, to: &Destination) -> bool {
    reaches_recording(config, to, 8)
}

fn reaches_recording(config: &Config, to: &Destination, depth: u32) -> bool {
    match to {
        Destination::Queue(name) => config.queues.get(name).is_some_and(|q| q.record),
        Destination::Extension(name) => config.extensions.get(name).is_some_and(|e| e.record),
        Destination::Menu(name) if depth > 0 => config.menus.get(name).is_some_and(|m| {
            m.keys.values().chain(core::iter::once(&m.otherwise)).any(|d| reaches_recording(config, d, depth - 1))
        }),
        Destination::Menu(_) | Destination::Echo | Destination::Hangup => false,
    }
}

/// Whether a call of this phone to the outside is recorded: as its route, its trunk or the phone wants it.
pub(crate) fn is_recorded(config: &Config, to: &Outside, phone: &str) -> bool {
    config.routes.get(&to.route).is_some_and(|route| route.record)
        || config.trunks.get(&to.trunk).is_some_and(|trunk| trunk.record)
        || config.extensions.get(phone).is_some_and(|extension| extension.record)
}

/// A destination in the words of the configuration.
pub fn words(to: &Destination) -> String {
    match to {
        Destination::Extension(name) => format!("extension {name}"),
        Destination::Queue(name) => format!("queue {name}"),
        Destination::Menu(name) => format!("menu {name}"),
        Destination::Echo => "echo".into(),
        Destination::Hangup => "hangup".into(),
    }
}

fn route(meaning: Meaning, why: String) -> Route {
    Route { meaning, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: &str = "system { name t; }\nsip { listen 127.0.0.1:5060; realm t; }\nmedia { address 127.0.0.1; }\n\
        extension 2001 { secret secret-1; }\nnumber 90 { to echo; }\n\
        trunk carrier { address 127.0.0.2; }\ntrunk abroad { address 127.0.0.3; port 5080; }\n\
        route local { prefix 9; strip 1; trunk carrier; }\n\
        route city { prefix 9010; strip 2; length-min 12; add 86; trunk carrier; }\n\
        route world { prefix 900; strip 1; length-min 8; trunk abroad; international yes; }\n\
        route plus { prefix +; length-min 8; trunk abroad; }\n";

    fn site() -> Config {
        config::parse(SITE).unwrap_or_else(|problems| panic!("{problems:#?}"))
    }

    fn outside(route: &str, trunk: &str, number: &str) -> Meaning {
        Meaning::Outside(Outside { route: route.into(), trunk: trunk.into(), number: number.into() })
    }

    #[test]
    fn the_longest_prefix_that_fits_decides() {
        let config = site();
        let dial = |called: &str| from_inside(&config, called);
        assert_eq!(dial("95551234").meaning, outside("local", "carrier", "5551234"));
        assert_eq!(dial("95551234").why, "route local prefix 9");
        assert_eq!(dial("901055512345").meaning, outside("city", "carrier", "861055512345"));
        assert_eq!(dial("9010555").meaning, outside("local", "carrier", "010555"), "too short for the longer one");
        assert_eq!(dial("90044123456").meaning, outside("world", "abroad", "0044123456"));
    }

    #[test]
    fn what_would_go_abroad_is_refused_unless_the_route_says_yes() {
        let config = site();
        assert_eq!(from_inside(&config, "+44123456789").meaning, Meaning::Barred);
        assert_eq!(from_inside(&config, "+44123456789").why, "route plus international no");
        let short = "9001234";
        assert_eq!(from_inside(&config, short).meaning, Meaning::Barred, "the route without leave sends 001234");
    }

    #[test]
    fn emergency_numbers_go_out_as_dialled_by_whatever_route_there_is() {
        let mut config = site();
        let dial = |config: &Config, called: &str| from_inside(config, called);
        assert_eq!(dial(&config, "110").meaning, outside("city", "carrier", "110"), "the first by name");
        assert_eq!(dial(&config, "110").why, "routing emergency-numbers 110, route city");
        assert_eq!(dial(&config, "111").meaning, Meaning::Unknown);
        let plus = config.routes.get_mut("plus").unwrap();
        (plus.prefix, plus.length_min) = ("1".into(), 3);
        assert_eq!(dial(&config, "110").meaning, outside("plus", "abroad", "110"), "one that fits goes before it");
        config.trunks.get_mut("abroad").unwrap().address = "::2".parse().unwrap();
        assert_eq!(dial(&config, "110").meaning, outside("city", "carrier", "110"), "its trunk cannot be called");
        config.extensions.insert("110".into(), config.extensions["2001"].clone());
        assert_eq!(dial(&config, "110").meaning, outside("city", "carrier", "110"), "before a colleague");
        config.routes.clear();
        assert_eq!(dial(&config, "110").meaning, Meaning::To(Destination::Extension("110".into())));
        config.routing.emergency_numbers.clear();
        assert_eq!(dial(&site(), "120").meaning, outside("city", "carrier", "120"));
        assert_eq!(dial(&config, "120").meaning, Meaning::Unknown);
    }

    #[test]
    fn who_is_in_the_house_comes_first_and_without_a_route_nothing_goes_out() {
        let mut config = site();
        assert_eq!(from_inside(&config, "90").meaning, Meaning::To(Destination::Echo));
        for odd in ["", "9", "9a123", "9123;x", "+", "9+123", "*9123"] {
            assert_eq!(from_inside(&config, odd).meaning, Meaning::Unknown, "{odd}");
        }
        config.routes.clear();
        assert_eq!(from_inside(&config, "95551234").meaning, Meaning::Unknown);
        assert_eq!(
            from_outside(&site(), "95551234").meaning,
            Meaning::Unknown,
            "callers from outside never go out again"
        );
    }
}
