//! Each checker finds what it is for, and is silent when all is well.

use super::*;
use crate::sim::plan::Plan;
use base::id::Uid;
use base::time::{Instant, Wall};
use pbx::config::Strategy;

/// Rows told to fresh checkers.
struct Told {
    checks: Checks,
    seq: u64,
    at_us: u64,
}

impl Told {
    fn new() -> Told {
        let plan = Plan { agents: 4, wrap_up_s: 10, ..Plan::short(1) };
        Told { checks: Checks::new(&plan.config()), seq: 0, at_us: 1_000_000 }
    }

    fn row(&mut self, call: u128, detail: Detail) -> &mut Told {
        self.seq += 1;
        let row = LegEvent {
            seq: self.seq,
            at: Instant::from_micros(self.at_us),
            wall: Wall::from_millis(0),
            call: (call > 0).then_some(Uid(call)),
            leg: Some(0),
            actor: "test".into(),
            detail,
        };
        let caller = match &row.detail {
            Detail::CallBegan { caller, .. } => caller.parse().ok().map(CallerId),
            _ => None,
        };
        self.checks.row(self.at_us, &row, caller);
        self.checks.turn_over(self.at_us);
        self
    }

    fn later(&mut self, us: u64) -> &mut Told {
        self.at_us += us;
        self.checks.time(self.at_us);
        self
    }

    fn state(&mut self, agent: &str, from: &str, to: &str, why: &str) -> &mut Told {
        let (agent, from, to, why) = (agent.into(), from.into(), to.into(), why.into());
        self.row(0, Detail::AgentState { agent, from, to, why, phone: String::new() })
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

    fn offered(&mut self, call: u128, queue: &str, agent: u32) -> &mut Told {
        self.row(
            call,
            Detail::Offered {
                queue: queue.into(),
                agent: Plan::agent(agent),
                priority: 0,
                wait_ms: 0,
                strategy: Strategy::LongestIdle,
                ring: 0,
                starved: false,
                candidates: Vec::new(),
                why: "test".into(),
            },
        )
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
fn the_longest_idle_agent_is_chosen() {
    let mut told = Told::new();
    told.ready(1).later(5).ready(0).began(1, "1").queued(1, "support", 5).offered(1, "support", 0);
    told.finds("idle for longer");
    let mut told = Told::new();
    told.ready(1).later(5).ready(0).began(1, "1").queued(1, "support", 5).offered(1, "support", 1).is_well();
}

#[test]
fn a_withdrawn_offer_keeps_the_place_in_line() {
    let mut told = Told::new();
    told.ready(1).later(5).ready(0).began(1, "1").queued(1, "support", 5).offered(1, "support", 1);
    told.state("1002", "ready", "reserved", "t").later(5).state("1002", "reserved", "ready", "caller-gone");
    told.row(1, Detail::OfferEnded { agent: "1002".into(), cause: "caller-gone".into(), ring_ms: 0 });
    told.offered(1, "support", 0).finds("idle for longer");
}

#[test]
fn nobody_waits_beside_a_ready_agent() {
    let mut told = Told::new();
    told.ready(0).began(1, "1").queued(1, "support", 5).later(900_000).is_well().later(200_000).finds("waits in");
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

#[test]
fn wrap_up_lasts_as_configured() {
    let to_wrap_up = |told: &mut Told| {
        told.ready(0).state("1001", "ready", "reserved", "t").state("1001", "reserved", "talking", "t");
        told.state("1001", "talking", "wrap-up", "t");
    };
    let mut told = Told::new();
    to_wrap_up(&mut told);
    told.later(9_000_000).state("1001", "wrap-up", "ready", "wrap-up time over").finds("lasted");
    let mut told = Told::new();
    to_wrap_up(&mut told);
    told.later(10_000_000).state("1001", "wrap-up", "ready", "wrap-up time over").is_well();
    let mut told = Told::new();
    to_wrap_up(&mut told);
    told.later(10_500_000).finds("is in wrap-up since");
}

#[test]
fn an_agent_is_in_one_call() {
    let connected = || Detail::Connected { with: "1001".into(), queue: "support".into(), wait_ms: 0 };
    let mut told = Told::new();
    told.ready(0).state("1001", "ready", "reserved", "t").state("1001", "reserved", "talking", "t");
    told.began(1, "1").began(2, "2").queued(1, "support", 5).queued(2, "support", 5);
    told.row(1, connected()).row(2, connected()).finds("in two calls");
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
