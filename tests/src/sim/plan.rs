//! What a run is made of: the size of the site, the habits of its people, the weather and the faults, all from a seed.

use super::dice::Dice;
use super::network::Weather;
use base::line::PortId;
use base::time::Wall;
use pbx::config::{
    Agent, Config, Destination, Did, Extension, Language, Line, Media, Menu, Queue, Route, Sip, System, Trunk,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Address of the box.
pub const BOX: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 5060);
/// Address of the trunk's far end.
pub const CARRIER: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 2, 0, 1)), 5060);
/// UTC at virtual time 0: 2026-03-01T00:00:00Z.
pub const DAWN: Wall = Wall::from_millis(1_772_323_200_000);
/// The first moment of a run; a machine has been up for a minute when the program starts.
pub const START_US: u64 = 60_000_000;

/// What kind of site it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Site {
    /// Three queues, agents who only answer.
    Plain,
    /// A call centre with all that the box can do: [`super::centre`].
    Centre,
}

/// Monday 00:00 at the site, which is eight hours east of Greenwich.
const MONDAY_MS: i64 = 16 * 3_600_000;
/// Mean time between two calls in the busiest hour of a week.
const WEEK_GAP_US: u64 = 2_700_000;

/// One run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Of all dice.
    pub seed: u64,
    /// Kind of site.
    pub site: Site,
    /// The wall clock at the beginning, in ms after [`DAWN`].
    pub dawn_ms: i64,
    /// People who call more than once; none: everybody calls once.
    pub people: u64,
    /// Mean time between two acts of supervisors; 0: there are none.
    pub supervise_us_mean: u64,
    /// The machine may lose its power, too: then some rules about phones hold no more.
    pub power_cuts: bool,
    /// Check at each restart that the state that comes back is the one of a box that was never killed.
    pub shadow: bool,
    /// Agents, each with a phone.
    pub agents: u32,
    /// Phones without an agent.
    pub office: u32,
    /// Analog lines.
    pub lines: u32,
    /// Calls from all sides.
    pub calls: u64,
    /// Mean time between two calls.
    pub gap_us_mean: u64,
    /// The network in phase one.
    pub weather: Weather,
    /// Mean time between two faults in phase one; 0: none.
    pub fault_us_mean: u64,
    /// Mean length of a conversation.
    pub talk_us_mean: u64,
    /// Mean patience of a caller.
    pub patience_us_mean: u64,
    /// Wrap-up of all queues.
    pub wrap_up_s: u32,
    /// Ring time-out of all queues.
    pub ring_timeout_s: u32,
    /// Longest wait in all queues.
    pub max_wait_s: u32,
    /// Registrations last so long.
    pub expires_s: u32,
    /// Of 1,000 times, how often a person does something unusual at each occasion.
    pub odd_permille: u64,
    /// Write the ladder.
    pub ladder: bool,
    /// Keep the journal of inputs and outputs.
    pub journal: bool,
}

impl Plan {
    /// A few minutes at a small site in any weather.
    pub fn short(seed: u64) -> Plan {
        let mut dice = Dice::new(seed, 1);
        let bad = Weather {
            loss_permille: dice.between(10, 150),
            duplicate_permille: dice.below(100),
            reorder_permille: dice.below(100),
            delay_us_min: 500,
            delay_us_max: dice.between(1_000, 80_000),
            late_us_max: dice.between(80_000, 900_000),
        };
        let weather = if dice.permille(400) { Weather::FAIR } else { bad };
        let fault_us_mean = if dice.permille(200) { 0 } else { dice.between(5, 40) * 1_000_000 };
        Plan {
            seed,
            site: Site::Plain,
            dawn_ms: 0,
            people: 0,
            supervise_us_mean: 0,
            power_cuts: true,
            shadow: false,
            agents: dice.between(1, 7) as u32,
            office: dice.between(2, 4) as u32,
            lines: dice.below(7) as u32,
            calls: dice.between(30, 90),
            gap_us_mean: dice.between(800, 4_000) * 1_000,
            weather,
            fault_us_mean,
            talk_us_mean: dice.between(2, 15) * 1_000_000,
            patience_us_mean: dice.between(10, 60) * 1_000_000,
            wrap_up_s: dice.below(9) as u32,
            ring_timeout_s: dice.between(4, 12) as u32,
            max_wait_s: [0, 20, 60][dice.below(3) as usize],
            expires_s: dice.between(40, 300) as u32,
            odd_permille: dice.between(0, 60),
            ladder: false,
            journal: false,
        }
    }

    /// Days at a full site: 2,000 calls an hour, handled in 75 s with wrap-up, by 50 agents.
    pub fn long(seed: u64, hours: u64) -> Plan {
        let weather = Weather {
            loss_permille: 1,
            duplicate_permille: 1,
            reorder_permille: 1,
            delay_us_min: 300,
            delay_us_max: 5_000,
            late_us_max: 200_000,
        };
        Plan {
            seed,
            site: Site::Plain,
            dawn_ms: 0,
            people: 0,
            supervise_us_mean: 0,
            power_cuts: true,
            shadow: false,
            agents: 50,
            office: 10,
            lines: 56,
            calls: hours * 2_000,
            gap_us_mean: 1_800_000,
            weather,
            fault_us_mean: 900_000_000,
            talk_us_mean: 62_000_000,
            patience_us_mean: 240_000_000,
            wrap_up_s: 10,
            ring_timeout_s: 15,
            max_wait_s: 600,
            expires_s: 3_600,
            odd_permille: 5,
            ladder: false,
            journal: false,
        }
    }

    /// Hours at a call centre of 100 seats, from Monday 00:00, with the arrivals of a week.
    pub fn week(seed: u64, hours: u64) -> Plan {
        let long = Plan::long(seed, hours);
        Plan {
            site: Site::Centre,
            dawn_ms: MONDAY_MS,
            people: 4_000,
            supervise_us_mean: 60_000_000,
            power_cuts: false,
            shadow: true,
            agents: 100,
            office: 12,
            lines: 24,
            calls: hours * 3_600_000_000 / WEEK_GAP_US,
            gap_us_mean: WEEK_GAP_US,
            fault_us_mean: 900_000_000,
            patience_us_mean: 150_000_000,
            ring_timeout_s: 12,
            odd_permille: 10,
            ..long
        }
    }

    /// Twenty minutes of a working day at a smaller call centre in any weather.
    pub fn busy(seed: u64) -> Plan {
        let short = Plan::short(seed);
        let mut dice = Dice::new(seed, 4);
        let agents = dice.between(10, 30);
        let gap_us_mean = 150_000_000 / agents / dice.between(1, 3);
        Plan {
            site: Site::Centre,
            dawn_ms: MONDAY_MS + dice.between(7 * 60, 20 * 60) as i64 * 60_000,
            people: 80,
            supervise_us_mean: dice.between(5, 40) * 1_000_000,
            shadow: true,
            agents: agents as u32,
            office: 8,
            calls: 1_200_000_000 / gap_us_mean,
            gap_us_mean,
            fault_us_mean: if dice.permille(200) { 0 } else { dice.between(20, 120) * 1_000_000 },
            talk_us_mean: dice.between(10, 50) * 1_000_000,
            patience_us_mean: dice.between(30, 120) * 1_000_000,
            ring_timeout_s: 12,
            ..short
        }
    }

    /// Extension of agent `n`.
    pub fn extension(n: u32) -> String {
        format!("{}", 2001 + n)
    }

    /// Id of agent `n`.
    pub fn agent(n: u32) -> String {
        format!("{}", 1001 + n)
    }

    /// Extension of office phone `n`.
    pub fn office_extension(n: u32) -> String {
        format!("{}", 3001 + n)
    }

    /// Password of an extension.
    pub fn secret(extension: &str) -> String {
        format!("secret-{extension}")
    }

    /// All analog ports.
    pub fn ports(&self) -> Vec<PortId> {
        (0..self.lines).map(|n| PortId { card: (n / 8 + 1) as u8, port: (n % 8 + 1) as u8 }).collect()
    }

    /// The site's configuration.
    pub fn config(&self) -> Config {
        let mut extensions = BTreeMap::new();
        let mut agents = BTreeMap::new();
        for n in 0..self.agents {
            extensions.insert(Plan::extension(n), extension(&Plan::extension(n)));
            let name = format!("Agent {n}");
            let logged_in = n % 3 == 0;
            let id = Plan::agent(n);
            let agent = Agent { name, extension: Some(Plan::extension(n)), logged_in, ..Agent::preset(&id) };
            agents.insert(id, agent);
        }
        for n in 0..self.office {
            extensions.insert(Plan::office_extension(n), extension(&Plan::office_extension(n)));
        }
        let did = |to: Destination| Did { to, ..Did::preset("") };
        let line = |port: PortId| Line { label: format!("line {}/{}", port.card, port.port), did: "4001000".into() };
        let trunk = Trunk { address: CARRIER.ip(), port: Some(CARRIER.port()), record: false };
        let outside = Route { prefix: "0".into(), strip: 1, trunk: "carrier".into(), ..Route::preset("outside") };
        let mut config = Config {
            system: System { name: "simulated".into(), language: Language::En, ..System::preset("") },
            sip: Sip { listen: BOX, expires_min_s: 10, ..Sip::preset("") },
            media: Media { address: BOX.ip(), silence_timeout_s: 10, ..Media::preset("") },
            lines: self.ports().into_iter().map(|port| (port, line(port))).collect(),
            extensions,
            agents,
            queues: self.queues(),
            menus: BTreeMap::from([("main".to_string(), menu())]),
            trunks: BTreeMap::from([("carrier".to_string(), trunk)]),
            routes: BTreeMap::from([("outside".to_string(), outside)]),
            numbers: BTreeMap::from([
                ("8000".to_string(), Destination::Queue("support".into())),
                ("8001".to_string(), Destination::Menu("main".into())),
            ]),
            dids: BTreeMap::from([
                ("4001000".to_string(), did(Destination::Menu("main".into()))),
                ("4002000".to_string(), did(Destination::Queue("support".into()))),
                ("4003000".to_string(), did(Destination::Queue("sales".into()))),
                ("4004000".to_string(), did(Destination::Queue("vip".into()))),
            ]),
            ..Config::preset()
        };
        match self.site {
            Site::Plain => {}
            Site::Centre => super::centre::add_to(&mut config, self),
        }
        config
    }

    fn queues(&self) -> BTreeMap<String, Queue> {
        let queue = |title: &str, priority: u8, every: u32, record: bool| Queue {
            title: title.into(),
            agents: (0..self.agents).filter(|n| n % every == 0).map(Plan::agent).collect(),
            priority,
            ring_timeout_s: self.ring_timeout_s,
            wrap_up_s: self.wrap_up_s,
            max_wait_s: self.max_wait_s,
            record,
            ..Queue::preset(title)
        };
        BTreeMap::from([
            ("support".to_string(), queue("Support", 5, 1, true)),
            ("sales".to_string(), queue("Sales", 5, 2, false)),
            ("vip".to_string(), queue("Very important", 8, 1, true)),
        ])
    }
}

fn extension(number: &str) -> Extension {
    let name = format!("Phone {number}");
    Extension { name, secret: Plan::secret(number), ring_timeout_s: 20, ..Extension::preset(number) }
}

fn menu() -> Menu {
    Menu {
        languages: vec![Language::Zh, Language::En],
        prompt: "menu-main".into(),
        timeout_s: 4,
        keys: BTreeMap::from([('1', Destination::Queue("sales".into())), ('2', Destination::Queue("support".into()))]),
        otherwise: Destination::Queue("support".into()),
        ..Menu::preset("main")
    }
}
