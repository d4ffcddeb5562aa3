//! The virtual phones against each other over a bad network: the world's own parts must work before they judge.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use tests::sim::dialog::Stage;
use tests::sim::dice::Dice;
use tests::sim::message::{Message, Start};
use tests::sim::network::{Network, Weather};
use tests::sim::phone::{Act, CallNo, Identity, News, Phone};

/// Two phones, each taking the other for its server.
struct Pair {
    now_us: u64,
    phones: [Phone; 2],
    network: Network,
    flying: BTreeMap<(u64, u64), (usize, Vec<u8>)>,
    count: u64,
    news: Vec<(usize, News)>,
}

impl Pair {
    fn new(seed: u64, weather: Weather) -> Pair {
        let phone = |n: usize| {
            let addr = |n: usize| format!("10.1.0.{}:5060", n + 1).parse().unwrap();
            let identity = Identity {
                user: format!("200{n}"),
                secret: "secret".into(),
                addr: addr(n),
                server: addr(1 - n),
                stream: false,
                call_waiting: false,
                expires_s: 600,
            };
            Phone::new(identity, Dice::new(seed, n as u64))
        };
        let network = Network::new(weather, Dice::new(seed, 9));
        Pair { now_us: 0, phones: [phone(0), phone(1)], network, flying: BTreeMap::new(), count: 0, news: Vec::new() }
    }

    fn carry(&mut self, who: usize, acts: Vec<Act>) {
        for act in acts {
            match act {
                Act::Tell(news) => self.news.push((who, news)),
                Act::Send(bytes) => {
                    let (first, second) = self.network.fate();
                    for delay_us in [first, second].into_iter().flatten() {
                        self.count += 1;
                        self.flying.insert((self.now_us + delay_us, self.count), (1 - who, bytes.clone()));
                    }
                }
            }
        }
    }

    fn act(&mut self, who: usize, f: impl FnOnce(&mut Phone, u64, &mut Vec<Act>)) {
        let mut out = Vec::new();
        f(&mut self.phones[who], self.now_us, &mut out);
        self.carry(who, out);
    }

    /// The first phone calls the second.
    fn dial(&mut self) -> CallNo {
        let mut no = CallNo(0);
        self.act(0, |phone, now, out| no = phone.dial(now, "2001", "2000", false, out));
        no
    }

    fn run(&mut self, until_us: u64) {
        loop {
            let packet = self.flying.first_key_value().map(|((at, _), _)| *at);
            let timer = (0..2).filter_map(|n| self.phones[n].deadline_us().map(|at| (at, n))).min();
            let next = [packet, timer.map(|t| t.0)].into_iter().flatten().min();
            let Some(at) = next.filter(|at| *at <= until_us) else { break };
            self.now_us = self.now_us.max(at);
            if packet == Some(at) {
                let (_, (who, bytes)) = self.flying.pop_first().unwrap();
                self.act(who, |phone, now, out| phone.receive(now, &bytes, out));
            } else if let Some((_, who)) = timer {
                self.act(who, |phone, now, out| phone.timer(now, out));
            }
        }
        self.now_us = until_us;
    }

    fn heard(&self, who: usize, news: &News) -> bool {
        self.news.iter().any(|(n, what)| *n == who && what == news)
    }
}

const BAD: Weather = Weather {
    loss_permille: 200,
    duplicate_permille: 100,
    reorder_permille: 100,
    delay_us_min: 1_000,
    delay_us_max: 40_000,
    late_us_max: 700_000,
};

#[test]
fn a_call_is_set_up_and_torn_down_over_a_bad_network() {
    for seed in 0..300 {
        let mut pair = Pair::new(seed, BAD);
        let no = pair.dial();
        pair.run(10_000_000);
        let Some(called) = pair.phones[1].live().next().map(|(no, _)| no) else {
            panic!("seed {seed}: no INVITE came through in 10 s");
        };
        pair.act(1, |phone, now, out| phone.answer(now, called, out));
        pair.run(50_000_000);
        assert!(pair.heard(0, &News::Answered(no)), "seed {seed}: {:?}", pair.news);
        assert_eq!(pair.phones[1].call(called).map(|c| c.stage), Some(Stage::Talking), "seed {seed}");
        let holder = (seed % 2) as usize;
        pair.act(holder, |phone, now, out| phone.hold(now, [no, called][holder], true, out));
        pair.run(90_000_000);
        pair.act(holder, |phone, now, out| phone.hang_up(now, [no, called][holder], out));
        pair.run(200_000_000);
        assert!(pair.phones.iter().all(Phone::at_rest), "seed {seed}");
        assert!(!pair.news.iter().any(|(_, n)| matches!(n, News::Protest(_))), "seed {seed}: {:?}", pair.news);
    }
}

#[test]
fn an_answer_that_crosses_a_cancel_ends_the_call_on_both_sides() {
    let mut crossed = 0;
    for seed in 0..300 {
        let mut pair = Pair::new(seed, Weather { delay_us_max: 60_000, ..BAD });
        let no = pair.dial();
        pair.run(8_000_000);
        let called = pair.phones[1].live().next().map(|(no, _)| no);
        pair.act(0, |phone, now, out| phone.hang_up(now, no, out));
        let called = called.unwrap();
        pair.act(1, |phone, now, out| phone.answer(now, called, out));
        pair.run(200_000_000);
        crossed += u32::from(pair.heard(0, &News::Answered(no)));
        assert!(pair.phones.iter().all(Phone::at_rest), "seed {seed}: {:?}", pair.news);
    }
    assert!(crossed > 50, "{crossed}");
}

#[test]
fn busy_and_silence_are_told() {
    let mut pair = Pair::new(1, Weather::FAIR);
    pair.dial();
    pair.run(1_000_000);
    pair.dial();
    pair.run(2_000_000);
    assert!(pair.heard(0, &News::Refused(CallNo(1), 486)));
    pair.act(1, |phone, _, _| phone.vanish());
    pair.dial();
    pair.run(60_000_000);
    assert!(pair.heard(0, &News::Refused(CallNo(2), 408)));
}

#[test]
fn a_challenge_is_answered_and_the_registration_refreshed() {
    let mut pair = Pair::new(1, Weather::FAIR);
    // A registrar played by hand: challenges without credentials, accepts with.
    let mut accepted = 0;
    let mut out = Vec::new();
    let phone = &mut pair.phones[0];
    phone.register(0, &mut out);
    for turn in 0..8_u64 {
        let sent: Vec<Act> = std::mem::take(&mut out);
        for act in sent {
            let Act::Send(bytes) = act else { continue };
            let request = Message::read(&bytes).unwrap();
            assert!(matches!(&request.start, Start::Request(method, _) if method == "REGISTER"));
            let mut answer = if request.get("authorization").is_some() {
                accepted += 1;
                let mut answer = Message::response(&request, 200, "OK", "1");
                answer.add("contact", format!("{};expires=60", request.text("contact")));
                answer
            } else {
                let mut answer = Message::response(&request, 401, "Unauthorized", "1");
                answer.add("www-authenticate", "Digest realm=\"x\", nonce=\"n\", qop=\"auth\", algorithm=MD5");
                answer
            };
            answer.headers.retain(|(n, _)| n != "content-length");
            phone.receive(turn * 31_000_000, &answer.write(), &mut out);
        }
        phone.timer((turn + 1) * 31_000_000, &mut out);
    }
    assert!(accepted >= 3, "{accepted}");
}
