//! Two endpoints with a lossy network between them and users who do anything at any time. Phase one loses, doubles and
//! delays; phase two heals. Then nothing may be left, every call must have ended once, and no event may name a call
//! that was let go.

use super::phone::audio;
use base::slab::Key;
use base::time::{Instant, Now};
use core::time::Duration;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use signaling::sip::Endpoint;
use signaling::sip::door::{DialogKey, Event, Hop, Input, Invite, Output, Peer, Settings, Target};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

const ADDR: [&str; 2] = ["127.0.0.10:5060", "127.0.0.20:5060"];

/// One side: its endpoint and what its user knows.
struct Side {
    endpoint: Endpoint,
    live: BTreeSet<DialogKey>,
    over: BTreeSet<DialogKey>,
}

struct World {
    sides: [Side; 2],
    now: Now,
    /// By time and number: to which side, and what.
    wire: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    sent: u64,
    rng: ChaCha20Rng,
    lossy: bool,
    told: BTreeMap<String, usize>,
}

fn side(me: usize) -> Side {
    let other: SocketAddr = ADDR[1 - me].parse().unwrap();
    let mut endpoint = Endpoint::new();
    endpoint.configure(Settings {
        local: ADDR[me].parse().unwrap(),
        realm: "site".into(),
        product: "Cordboard".into(),
        accounts: BTreeMap::new(),
        peers: vec![Peer { name: "other".into(), ip: other.ip(), port: None }],
        expires_min_s: 60,
        expires_max_s: 3600,
    });
    endpoint.seed([me as u8; 32]);
    Side { endpoint, live: BTreeSet::new(), over: BTreeSet::new() }
}

impl World {
    fn new(seed: u64) -> World {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        World {
            sides: [side(0), side(1)],
            now: Now { at: Instant::from_micros(1_000_000), ..Now::default() },
            wire: BTreeMap::new(),
            sent: 0,
            rng: ChaCha20Rng::from_seed(key),
            lossy: true,
            told: BTreeMap::new(),
        }
    }

    fn dice(&mut self, sides: u64) -> u64 {
        self.rng.next_u64() % sides
    }

    fn take(&mut self, me: usize, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Datagram { bytes, .. } => {
                    let copies = match (self.lossy, self.dice(100)) {
                        (true, 0..20) => 0,
                        (true, 20..27) => 2,
                        (true | false, _) => 1,
                    };
                    for _ in 0..copies {
                        let at = self.now.at + Duration::from_millis(1 + self.dice(300));
                        self.sent += 1;
                        self.wire.insert((at, self.sent), (1 - me, bytes.clone()));
                    }
                }
                Output::Event(event) => self.event(me, &event),
                other => panic!("no streams here: {other:?}"),
            }
        }
    }

    fn event(&mut self, me: usize, event: &Event) {
        let (key, end) = match event {
            Event::Incoming(incoming) => {
                assert!(self.sides[me].live.insert(incoming.dialog), "twice the same key");
                (incoming.dialog, false)
            }
            Event::Refused { dialog, .. } | Event::Cancelled { dialog } | Event::Ended { dialog, .. } => {
                (*dialog, true)
            }
            Event::Progress { dialog, .. }
            | Event::Answered { dialog, .. }
            | Event::Confirmed { dialog, .. }
            | Event::Reoffered { dialog, .. }
            | Event::Digit { dialog, .. } => (*dialog, false),
            Event::Trace { .. }
            | Event::Registered { .. }
            | Event::Refreshed { .. }
            | Event::Subscribed { .. }
            | Event::AuthFailed { .. } => {
                return;
            }
        };
        let name = format!("{event:?}");
        *self.told.entry(name.split([' ', '(']).next().unwrap().to_owned()).or_default() += 1;
        let side = &mut self.sides[me];
        assert!(side.live.contains(&key), "{event:?} names a call that was let go");
        if end {
            side.live.remove(&key);
            side.over.insert(key);
        }
    }

    /// The user of one side does something.
    fn act(&mut self, me: usize) {
        let mut out = Vec::new();
        let now = self.now;
        let pick = self.dice(12);
        let port = 30_000 + 2 * self.dice(100) as u16;
        let offer = (self.dice(4) > 0).then(|| audio(port));
        if pick == 0 && self.sides[me].live.len() < 20 {
            let hop = Hop::Udp { local: ADDR[me].parse().unwrap(), remote: ADDR[1 - me].parse().unwrap() };
            let target = Target { uri: format!("sip:9@{}", ADDR[1 - me]), hop };
            let invite = Invite { target, from: "1".into(), from_name: String::new(), offer, headers: Vec::new() };
            let key = self.sides[me].endpoint.invite(now, invite, &mut out);
            self.sides[me].live.insert(key);
        } else {
            let n = self.sides[me].live.len() as u64;
            if n == 0 {
                return;
            }
            let nth = self.dice(n) as usize;
            let key = *self.sides[me].live.iter().nth(nth).unwrap();
            let endpoint = &mut self.sides[me].endpoint;
            match pick {
                1 => endpoint.progress(now, key, 180, None, &mut out),
                2..=7 => endpoint.accept(now, key, Some(audio(port)), &mut out),
                8 | 9 => endpoint.reoffer(now, key, offer, &mut out),
                _ => {
                    endpoint.hangup(now, key, None, &mut out);
                    self.sides[me].live.remove(&key);
                }
            }
        }
        self.take(me, out);
    }

    /// Everything that is due until then: the wire, timers, and users every 50 ms.
    fn run(&mut self, for_ms: u64, users: bool) {
        let end = self.now.at + Duration::from_millis(for_ms);
        let mut users_at = self.now.at;
        loop {
            let wire = self.wire.keys().next().map(|(at, _)| *at);
            let timers = self.sides.iter().filter_map(|s| s.endpoint.deadline());
            let next = timers.chain(wire).chain(users.then_some(users_at)).min();
            let Some(at) = next.filter(|at| *at <= end) else { break };
            self.now.at = at.max(self.now.at);
            if wire == Some(at) {
                let (_, (to, bytes)) = self.wire.pop_first().unwrap();
                let (local, remote) = (ADDR[to].parse().unwrap(), ADDR[1 - to].parse().unwrap());
                self.input(to, Input::Datagram { local, remote, bytes, shed: false });
            } else if users && users_at <= self.now.at {
                users_at += Duration::from_millis(50);
                for me in 0..2 {
                    self.act(me);
                }
            } else {
                for me in 0..2 {
                    self.input(me, Input::Timer);
                }
            }
        }
        self.now.at = end;
    }

    fn input(&mut self, me: usize, input: Input) {
        let mut out = Vec::new();
        self.sides[me].endpoint.handle(self.now, input, &mut out);
        self.take(me, out);
    }
}

fn one(seed: u64) -> BTreeMap<String, usize> {
    let mut world = World::new(seed);
    world.run(30_000, true);
    world.lossy = false;
    for me in 0..2 {
        for key in core::mem::take(&mut world.sides[me].live) {
            let mut out = Vec::new();
            world.sides[me].endpoint.hangup(world.now, key, None, &mut out);
            world.take(me, out);
        }
    }
    // What still arrives may be new calls: they are let go, too.
    for _ in 0..3 {
        world.run(100_000, false);
        for me in 0..2 {
            for key in core::mem::take(&mut world.sides[me].live) {
                let mut out = Vec::new();
                world.sides[me].endpoint.hangup(world.now, key, None, &mut out);
                world.take(me, out);
            }
        }
    }
    for (me, side) in world.sides.iter().enumerate() {
        assert!(side.endpoint.is_empty(), "seed {seed}, side {me}: {:#?}", side.endpoint.lines());
        assert_eq!(side.endpoint.deadline(), None, "seed {seed}");
        assert!(side.over.iter().all(|k| k.generation() < u32::MAX));
    }
    world.told
}

/// NETWORK_SEEDS sets another number of seeds than 60.
#[test]
fn after_the_last_hangup_every_table_is_empty() {
    let seeds: u64 = std::env::var("NETWORK_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..seeds {
        let run = std::panic::catch_unwind(|| one(seed)).unwrap_or_else(|_| panic!("seed {seed}"));
        for (name, n) in run {
            *told.entry(name).or_default() += n;
        }
    }
    for name in ["Incoming", "Progress", "Answered", "Confirmed", "Reoffered", "Cancelled", "Ended"] {
        assert!(told.get(name).is_some_and(|n| *n > 10), "{name} hardly happens: {told:?}");
    }
}
