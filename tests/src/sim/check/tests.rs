//! Each checker finds what it is for, and is silent when all is well.

use super::book::Doing;
use super::*;
use crate::sim::plan::Plan;
use base::id::Uid;
use base::time::{Instant, Wall};
use pbx::config::{Config, Strategy};
use pbx::event::{Candidate, Exclusion, Rule, Term, TermName};

/// Rows told to fresh checkers.
struct Told {
    checks: Checks,
    config: Config,
    seq: u64,
    at_us: u64,
    /// More rows of the same turn follow.
    turn: bool,
}

impl Told {
    fn new() -> Told {
        let plan = Plan { agents: 4, wrap_up_s: 10, ..Plan::short(1) };
        let config = plan.config();
        Told { checks: Checks::new(&config), config, seq: 0, at_us: 1_000_000, turn: false }
    }

    fn row(&mut self, call: u128, detail: Detail) -> &mut Told {
        self.seq += 1;
        let actor = match &detail {
            Detail::AgentState { why, .. } => super::agents::doer(why).unwrap_or("test"),
            _ => "test",
        };
        let row = LegEvent {
            seq: self.seq,
            at: Instant::from_micros(self.at_us),
            wall: Wall::from_millis(0),
            call: (call > 0).then_some(Uid(call)),
            leg: Some(0),
            actor: actor.into(),
            detail,
        };
        let caller = match &row.detail {
            Detail::CallBegan { caller, .. } => caller.parse().ok().map(CallerId),
            _ => None,
        };
        self.checks.row(self.at_us, &row, caller);
        if !self.turn {
            self.checks.turn_over(self.at_us);
        }
        self
    }

    /// All rows of one turn.
    fn turn(&mut self, rows: impl FnOnce(&mut Told)) -> &mut Told {
        self.turn = true;
        rows(self);
        self.turn = false;
        self.checks.turn_over(self.at_us);
        self
    }

    fn later(&mut self, us: u64) -> &mut Told {
        self.at_us += us;
        self.checks.time(self.at_us);
        self
    }

    fn state(&mut self, agent: &str, from: &str, to: &str, why: &str) -> &mut Told {
        let phone = self.config.agents.get(agent).and_then(|a| a.extension.clone()).unwrap_or_default();
        let (agent, from, to, why) = (agent.into(), from.into(), to.into(), why.into());
        self.row(0, Detail::AgentState { agent, from, to, why, phone })
    }

    fn ready(&mut self, agent: u32) -> &mut Told {
        let extension = Plan::extension(agent);
        self.row(0, Detail::Registered { extension, contacts: 1 });
        self.state(&Plan::agent(agent), "logged-out", "ready", "test")
    }

    fn began(&mut self, call: u128, number: &str) -> &mut Told {
        let (caller, called, origin) = (number.into(), "4001000".into(), "trunk carrier".into());
        self.row(call, Detail::CallBegan { caller, called, origin })
    }

    fn queued(&mut self, call: u128, queue: &str, priority: u8) -> &mut Told {
        self.row(call, Detail::Queued { queue: queue.into(), priority, position: 1 })
    }

    /// What the router would print, by the books.
    fn candidates(&self, queue: &str) -> Vec<Candidate> {
        let candidate = |(n, id): (usize, &String)| {
            let book = self.checks.agents.book(id);
            let ready = book.is_some_and(|b| b.doing == Doing::Ready);
            let idle_ms = book.map_or(0, |b| (self.at_us - b.idle_us) / 1_000) as i64;
            let excluded =
                (!ready).then(|| Exclusion { rule: Rule::NotReady, detail: String::new(), config: String::new() });
            let terms = [(TermName::IdleMs, idle_ms), (TermName::Position, n as i64)];
            let terms = terms.into_iter().filter(|_| ready).map(|(name, value)| Term { name, value }).collect();
            Candidate { agent: id.clone(), terms, excluded }
        };
        self.config.queues[queue].agents.iter().enumerate().map(candidate).collect()
    }

    fn offered(&mut self, call: u128, queue: &str, agent: u32) -> &mut Told {
        let candidates = self.candidates(queue);
        self.offered_by(call, queue, agent, candidates)
    }

    fn offered_by(&mut self, call: u128, queue: &str, agent: u32, candidates: Vec<Candidate>) -> &mut Told {
        self.row(
            call,
            Detail::Offered {
                queue: queue.into(),
                agent: Plan::agent(agent),
                priority: self.config.queues[queue].priority,
                wait_ms: 0,
                strategy: Strategy::LongestIdle,
                ring: 0,
                starved: false,
                candidates,
                callers: None,
                why: "test".into(),
            },
        )
    }

    /// Caller and agent are joined.
    fn connected(&mut self, call: u128, queue: &str, agent: &str) -> &mut Told {
        let connected = Detail::Connected { with: agent.into(), queue: queue.into(), wait_ms: 0 };
        self.turn(|told| {
            told.state(agent, "reserved", "talking", "t").row(call, connected);
        })
    }

    fn finds(&mut self, what: &str) {
        let found = self.checks.take();
        assert!(found.iter().any(|f| f.contains(what)), "{what:?} not in {found:?}");
    }

    fn is_well(&mut self) -> &mut Told {
        assert_eq!(self.checks.take(), Vec::<String>::new());
        self
    }
}

#[test]
fn callers_are_served_in_order() {
    let mut told = Told::new();
    told.began(1, "1").began(2, "2").queued(1, "support", 5).queued(2, "support", 5).is_well();
    told.ready(0).offered(2, "support", 0).finds("before");
    let mut told = Told::new();
    told.began(1, "1").began(2, "2").queued(1, "support", 5).queued(2, "vip", 8).ready(0);
    told.offered(2, "vip", 0).is_well();
    let mut told = Told::new();
    told.began(1, "1").began(2, "2").queued(1, "support", 5).queued(2, "vip", 8).ready(0);
    told.offered(1, "support", 0).finds("before");
}

#[test]
fn the_winner_is_the_one_that_the_printed_terms_name() {
    let two = || {
        let mut told = Told::new();
        told.ready(1).later(5_000).ready(0).began(1, "1").queued(1, "support", 5);
        told
    };
    two().offered(1, "support", 1).is_well();
    two().offered(1, "support", 0).finds("but the terms name");
    let mut told = two();
    let mut forged = told.candidates("support");
    forged[0].terms[0].value = 99;
    told.offered_by(1, "support", 0, forged).finds("but it is 0");
    let mut told = two();
    let mut forged = told.candidates("support");
    forged[2].excluded = None;
    told.offered_by(1, "support", 1, forged).finds("is excluded by");
}

#[test]
fn a_withdrawn_offer_keeps_the_place_in_line() {
    let mut told = Told::new();
    told.ready(1).later(5_000).ready(0).began(1, "1").queued(1, "support", 5).offered(1, "support", 1);
    told.state("1002", "ready", "reserved", "t").later(5_000);
    told.row(1, Detail::OfferEnded { agent: "1002".into(), cause: "caller-gone".into(), ring_ms: 0 });
    told.state("1002", "reserved", "ready", "caller-gone").is_well();
    assert_eq!(told.candidates("support")[1].terms[0].value, 10);
}

#[test]
fn who_misses_an_offer_rests_as_configured() {
    let missed = |to: &str| {
        let mut told = Told::new();
        told.ready(0).began(1, "1").queued(1, "support", 5).offered(1, "support", 0);
        told.state("1001", "ready", "reserved", "t").turn(|told| {
            told.row(1, Detail::OfferEnded { agent: "1001".into(), cause: "no-answer".into(), ring_ms: 0 });
            told.state("1001", "reserved", to, "RONA: no answer");
        });
        told
    };
    missed("not-ready 90").is_well();
    missed("ready").finds("misses and one more");
}

#[test]
fn nobody_waits_beside_a_ready_agent() {
    let mut told = Told::new();
    told.ready(0).began(1, "1").queued(1, "support", 5).later(90_000).is_well().later(20_000).finds("waits in");
    // Agent 1 does not serve sales.
    let mut told = Told::new();
    told.ready(1).began(1, "1").queued(1, "sales", 5).later(5_000_000).is_well();
}

#[test]
fn agents_change_state_by_the_rules() {
    let mut told = Told::new();
    told.state("1001", "logged-out", "talking", "test").finds("goes from");
    Told::new().state("1001", "ready", "reserved", "test").finds("leaves ready");
    Told::new().state("1001", "logged-out", "ready", "").finds("without a cause");
}

/// Agent 1001 after a call of `support`.
fn in_wrap_up() -> Told {
    let mut told = Told::new();
    told.ready(0).began(1, "1").queued(1, "support", 5).offered(1, "support", 0);
    told.state("1001", "ready", "reserved", "t").connected(1, "support", "1001");
    told.turn(|told| {
        told.state("1001", "talking", "wrap-up", "t");
        told.row(1, Detail::LegEnded { cause: "bye".into() });
        told.row(1, Detail::CallEnded { by: "test".into(), disposition: "NO ANSWER".into() });
    });
    told.checks.take();
    told
}

#[test]
fn wrap_up_lasts_as_configured() {
    in_wrap_up().later(9_000_000).state("1001", "wrap-up", "ready", "wrap-up time over").finds("lasted");
    in_wrap_up().later(10_000_000).state("1001", "wrap-up", "ready", "wrap-up time over").is_well();
    in_wrap_up().later(10_500_000).finds("is in wrap-up since");
}

#[test]
fn a_wish_is_granted() {
    let wish = || Detail::AgentWish { agent: "1001".into(), wish: "not-ready 2".into() };
    in_wrap_up()
        .row(0, wish())
        .later(10_000_000)
        .state("1001", "wrap-up", "ready", "wrap-up time over")
        .finds("wished");
    let mut told = in_wrap_up();
    told.row(0, wish()).later(10_000_000).state("1001", "wrap-up", "not-ready 2", "wrap-up time over").is_well();
}

#[test]
fn an_agent_is_in_one_call() {
    let mut told = Told::new();
    told.ready(0).began(1, "1").began(2, "2").queued(1, "support", 5).queued(2, "support", 5);
    told.offered(1, "support", 0).state("1001", "ready", "reserved", "t").connected(1, "support", "1001").is_well();
    told.row(2, Detail::Connected { with: "1001".into(), queue: "support".into(), wait_ms: 0 }).finds("in two calls");
    let mut told = Told::new();
    told.ready(0).began(1, "1").began(2, "2").queued(1, "support", 5).queued(2, "support", 5);
    told.offered(1, "support", 0).state("1001", "ready", "reserved", "t");
    told.offered(2, "support", 0).finds("beside one of");
}

#[test]
fn a_call_has_one_answer_and_a_visit_one_end() {
    let mut told = Told::new();
    told.ready(0).began(1, "1").queued(1, "support", 5).offered(1, "support", 0);
    told.state("1001", "ready", "reserved", "t").connected(1, "support", "1001").is_well();
    told.row(1, Detail::Connected { with: "1002".into(), queue: "support".into(), wait_ms: 0 }).finds("answered twice");
    let gone = || Detail::Abandoned { queue: "support".into(), wait_ms: 0, by: "caller".into() };
    let mut told = Told::new();
    told.began(1, "1").queued(1, "support", 5).row(1, gone()).is_well().row(1, gone()).finds("where it does not wait");
}

#[test]
fn a_pin_is_seen_nowhere() {
    let mut told = Told::new();
    told.checks.secret_typed(1_000_000, "8642");
    told.began(1, "1");
    for digit in ['8', '6', '4'] {
        told.row(1, Detail::Digit { digit, how: "rfc4733".into() }).is_well();
    }
    told.row(1, Detail::Digit { digit: '2', how: "rfc4733".into() }).finds("PIN 8642 stands in row");
    told.checks.leaves(1_000_000, b"X-PIN: 8642");
    told.finds("leaves the box");
}

#[test]
fn a_call_begins_once_and_ends_once() {
    Told::new().began(1, "1").began(2, "1").finds("has two calls");
    let ended = || Detail::CallEnded { by: "test".into(), disposition: "NO ANSWER".into() };
    Told::new().began(1, "1").row(1, ended()).row(1, ended()).finds("after its end");
    Told::new().row(1, ended()).finds("never began");
    let mut told = Told::new();
    told.began(1, "1").checks.finish(2_000_000, &BTreeMap::new(), true, &[]);
    told.finds("never ended");
}

#[test]
fn recordings_are_closed_once() {
    let mut told = Told::new();
    let open = RecordingChange::Open { recording: Uid(1), call: Uid(2), began: Wall::from_millis(0) };
    told.checks.recording(1_000_000, &open);
    told.checks.recording(3_000_000, &RecordingChange::Close { recording: Uid(1), samples: 16_000 });
    told.is_well();
    told.checks.recording(3_000_000, &RecordingChange::Close { recording: Uid(1), samples: 16_000 });
    told.finds("closed twice");
    let mut told = Told::new();
    told.checks.recording(1_000_000, &open);
    told.checks.recording(3_000_000, &RecordingChange::Close { recording: Uid(1), samples: 8_000 });
    told.finds("samples");
}
