//! The sites that are explored: as few people as a race needs, and what each of them may do.

use pbx::config::{self, Config, Destination, Strategy};
use std::collections::BTreeMap;

use crate::phone::{Act, BOX, Phone, SECRET, Will};
use crate::world::{Budget, Step, World};

/// Phones by place: callers first, then those of the house.
pub struct Site {
    config: Config,
    phones: Vec<Phone>,
}

impl Site {
    /// One queue with a strategy; `callers` come over a trunk, `agents` sit at 2001 and so on.
    pub fn queue(
        strategy: Strategy,
        callers: &[Will],
        agents: &[Will],
        change: impl FnOnce(&mut config::Queue),
    ) -> Site {
        let ids: Vec<String> = (1..=agents.len()).map(|n| format!("100{n}")).collect();
        let mut queue = config::Queue {
            title: "Support".into(),
            agents: ids.clone(),
            strategy,
            max_wait_s: 60,
            ring_timeout_s: 10,
            ring_step_s: 4,
            wrap_up_s: 0,
            record: false,
            ..config::Queue::preset("support")
        };
        change(&mut queue);
        let mut site = Site { config: house(agents.len()), phones: vec![] };
        for (n, will) in callers.iter().enumerate() {
            site.phones.push(caller(n, *will));
        }
        for (n, will) in agents.iter().enumerate() {
            site.seat(&ids[n], &format!("200{}", n + 1));
            site.phones.push(inside(&format!("200{}", n + 1), n, *will));
        }
        site.config.queues.insert("support".into(), queue);
        site.reach("8000", Destination::Queue("support".into()));
        site
    }

    /// An extension with so many phones; nobody else.
    pub fn extension(caller_will: Will, phones: &[Will]) -> Site {
        let mut site = Site { config: house(1), phones: vec![caller(0, caller_will)] };
        site.phones.extend(phones.iter().enumerate().map(|(n, will)| inside("2001", n, *will)));
        site.reach("8000", Destination::Extension("2001".into()));
        site
    }

    /// A second queue, reached by 8001, of the first agent alone.
    pub fn and_queue(mut self) -> Site {
        let mut queue = self.config.queues["support"].clone();
        queue.agents.truncate(1);
        self.config.queues.insert("sales".into(), queue);
        self.reach("8001", Destination::Queue("sales".into()));
        self
    }

    /// A supervisor at 2009.
    pub fn and_supervisor(mut self, will: Will) -> Site {
        let supervisor = config::Supervisor { extension: Some("2009".into()), ..config::Supervisor::preset("") };
        self.config.supervisors.insert("9001".into(), supervisor);
        self.phones.push(inside("2009", 8, will));
        self
    }

    fn seat(&mut self, id: &str, extension: &str) {
        let agent = config::Agent {
            name: format!("Agent {id}"),
            extension: Some(extension.into()),
            logged_in: true,
            ..config::Agent::preset("")
        };
        self.config.agents.insert(id.into(), agent);
    }

    fn reach(&mut self, number: &str, to: Destination) {
        self.config.dids.insert(number.into(), config::Did { to: to.clone(), priority: None });
        self.config.numbers.insert(number.into(), to);
    }

    /// The world in which these have dialled, one after the other; when `settled`, also all that follows from it at once
    /// has happened: whoever can ring rings.
    pub fn begin(self, dialled: &[usize], settled: bool, budget: Budget) -> World {
        let mut world = World::new(self.config, self.phones, budget);
        for phone in dialled {
            world.take(Step::Owner(*phone, Act::Dial));
            while settled && !world.is_still() {
                let step = world.fair().expect("something is on its way");
                world.take(step);
            }
        }
        world
    }
}

fn house(agents: usize) -> Config {
    let extension = |name: &str| config::Extension { secret: SECRET.into(), ..config::Extension::preset(name) };
    let names = (1..=agents).map(|n| format!("200{n}")).chain(["2009".to_string()]);
    let trunk = config::Trunk { address: [127, 0, 0, 2].into(), port: None, record: false };
    Config {
        sip: config::Sip { listen: BOX.parse().unwrap(), ..config::Sip::preset("") },
        media: config::Media {
            address: "127.0.0.1".parse().unwrap(),
            rtp_ports: (20000, 20199),
            ..config::Media::preset("")
        },
        extensions: names.map(|n| (n.clone(), extension(&n))).collect(),
        trunks: BTreeMap::from([("carrier".into(), trunk)]),
        ..Config::preset()
    }
}

fn caller(n: usize, will: Will) -> Phone {
    Phone::new(&format!("555000{n}"), ([127, 0, 0, 2], 31_000 + 100 * n as u16).into(), will)
}

fn inside(user: &str, n: usize, will: Will) -> Phone {
    Phone::new(user, ([127, 0, 0, 1], 32_000 + 100 * n as u16).into(), will)
}
