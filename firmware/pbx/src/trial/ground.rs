//! What all tests of a configuration begin with: the copy of it that is played, with addresses at which phones and trunks
//! of the trial are, and a world in which every phone is registered and nobody is logged in.

use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::time::{Instant, Now, Wall};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Failure;
use super::world::{Places, World};
use crate::calendar::{Date, Weekday};
use crate::config::test::{Moment, Test};
use crate::config::{Agent, Calendar, Config, Extension, Trunk};
use crate::door::AgentWas;
use crate::text::{Text, trial as key};

/// When a test does not say: a weekday and a minute at which most sites work.
const USUAL: Moment = Moment::Weekly(Weekday::Mon, 600);
/// Weeks that are searched for an ordinary day.
const WEEKS_MAX: i64 = 60;
/// Where callers from outside come from when the site has no trunk; no trunk of a configuration can have this name.
const OWN_TRUNK: &str = "(trial)";
const SIP_PORT: u16 = 5060;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// The trial begins here on the monotonic clock.
const BEGIN: Instant = Instant::from_micros(1_000_000);

pub(super) struct Ground {
    config: Arc<Config>,
    today: Date,
    /// Nobody is logged in.
    bare: World,
    /// All who can be are; none when no test wants them.
    staffed: Option<World>,
}

impl Ground {
    pub fn new(config: &Arc<Config>, today: Date) -> Ground {
        let (copy, places) = copy(config);
        let copy = Arc::new(copy);
        let wall = Wall::from_millis(today.days() * DAY_MS);
        let mut world = World::new(copy, places, Now { at: BEGIN, wall });
        world.register_all();
        // So many log-ins take longer than any test: they are done once.
        let staffed = config.tests.values().any(|test| test.agents.is_none()).then(|| {
            let mut world = world.clone();
            let able = config.agents.iter().filter_map(|(id, agent)| seated(id, agent));
            world.log_in(able.collect());
            world
        });
        Ground { config: config.clone(), today, bare: world, staffed }
    }

    /// The world of one test at its moment, with those at work who shall be.
    pub fn world(&self, test: &Test, at: Wall) -> Result<World, Box<Failure>> {
        let mut world = match (&test.agents, &self.staffed) {
            (None, Some(staffed)) => staffed.clone(),
            (None, None) => self.bare.clone(),
            (Some(listed), _) => {
                let agents = self.at_work(listed)?;
                let mut world = self.bare.clone();
                world.log_in(agents);
                world
            }
        };
        world.set_wall(at);
        Ok(world)
    }

    /// An extension, not a caller from outside.
    pub fn is_inside(&self, from: &str) -> bool {
        self.config.extensions.contains_key(from)
    }

    pub fn is_did(&self, to: &str) -> bool {
        self.config.dids.contains_key(to)
    }

    /// The listed agents, each at a phone.
    fn at_work(&self, listed: &[String]) -> Result<Vec<AgentWas>, Box<Failure>> {
        let find = |id: &String| {
            let agent = self.config.agents.get(id).and_then(|agent| seated(id, agent));
            let reason = || Text::new(key::NO_PHONE).with("agent", id);
            agent.ok_or_else(|| Failure::new("agents", reason(), Text::new(key::NO_PHONE_REMEDY).with("agent", id)))
        };
        listed.iter().map(find).collect()
    }

    /// A moment of a test in UTC.
    pub fn moment(&self, at: Option<Moment>) -> Wall {
        let (days, minute) = match at.unwrap_or(USUAL) {
            Moment::On(date, minute) => (date.days(), minute),
            Moment::Weekly(day, minute) => (self.ordinary(day), minute),
        };
        let local_min = days * 24 * 60 + i64::from(minute);
        Wall::from_millis((local_min - i64::from(self.config.system.utc_offset_min)) * MINUTE_MS)
    }

    /// The next such day, today included, on which no calendar says anything special; the very next when there is none.
    fn ordinary(&self, wanted: Weekday) -> i64 {
        let today = self.today.days();
        let first = (0..7).map(|n| today + n).find(|day| Weekday::of(*day) == wanted).unwrap_or(today);
        let special = |day: &i64| {
            let date = Date::of_days(*day);
            self.config.calendars.values().any(|calendar: &Calendar| {
                calendar.closed.iter().any(|off| off.first <= date && date <= off.last)
                    || calendar.extra.iter().any(|extra| extra.date == date)
            })
        };
        (0..WEEKS_MAX).map(|week| first + 7 * week).find(|day| !special(day)).unwrap_or(first)
    }
}

/// An agent at work; none when it has no way to log in.
fn seated(id: &str, agent: &Agent) -> Option<AgentWas> {
    let phone = phone_of(id, agent)?;
    Some(AgentWas { id: id.to_string(), state: "ready".to_string(), phone })
}

/// The phone of an agent: its own, or, of one who logs in by PIN, one that the trial puts up.
fn phone_of(id: &str, agent: &Agent) -> Option<String> {
    agent.extension.clone().or_else(|| agent.pin.as_ref().map(|_| format!("trial-{id}")))
}

/// The configuration as it is played. Nothing of it that decides about calls is touched.
fn copy(config: &Config) -> (Config, Places) {
    let mut copy = config.clone();
    let six = config.sip.listen.is_ipv6();
    let places = Places { site: address(six, 1, 0), phones: address(six, 2, 0), carrier: address(six, 3, 0) };
    let callable: BTreeSet<&String> =
        config.trunks.iter().filter(|(_, trunk)| trunk.can_be_called(&config.sip)).map(|(name, _)| name).collect();
    for (number, name) in (0..).zip(&callable) {
        if let Some(trunk) = copy.trunks.get_mut(*name) {
            (trunk.address, trunk.port) = (address(six, 3, number).ip(), Some(SIP_PORT));
        }
    }
    if callable.is_empty() {
        let trunk = Trunk { address: places.carrier.ip(), port: None, record: false };
        copy.trunks.insert(OWN_TRUNK.to_string(), trunk);
    }
    copy.sip.listen = places.site;
    // Phones do not lapse while a test runs.
    copy.sip.expires_max_s = 86_400;
    copy.lines.clear();
    copy.tests.clear();
    for (id, agent) in &mut copy.agents {
        agent.logged_in = false;
        if let Some(phone) = phone_of(id, agent).filter(|phone| !config.extensions.contains_key(phone)) {
            let secret = "of no account".to_string();
            copy.extensions.insert(phone, Extension { secret, ..Extension::preset("") });
        }
    }
    (copy, places)
}

/// Addresses of the trial, in ranges that belong to nobody (RFC 2544, RFC 3849).
fn address(six: bool, net: u8, number: u16) -> SocketAddr {
    let ip: IpAddr = if six {
        Ipv6Addr::new(0x2001, 0xdb8, u16::from(net), 0, 0, 0, 0, number).into()
    } else {
        let [high, low] = number.to_be_bytes();
        match net {
            // The only net with more than one host may have as many as there are trunks.
            3 => Ipv4Addr::new(198, 19, high, low).into(),
            _ => Ipv4Addr::new(198, 18, 0, net).into(),
        }
    };
    SocketAddr::new(ip, SIP_PORT)
}
