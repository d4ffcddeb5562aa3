//! People at the phones of a call centre: they come and go by their hours, sit where there is room, take breaks, ask for
//! one in the middle of a call, confirm calls by a key, say what came of a call, and have calls of their own.

use super::agent::Step;
use super::centre::{first_roaming, on_duty};
use super::check::hours::local;
use super::phone::CallNo;
use super::plan::Plan;
use super::script::Script;
use super::world::{Event, World};

/// How often somebody looks at the display.
const LOOK_US: u64 = 30_000_000;

impl World {
    /// Minutes since Monday 00:00 at the site.
    pub(super) fn minute_of_week(&self) -> i64 {
        let (day, minute) = local(&self.config, self.now().wall);
        day * 1_440 + minute
    }

    /// Somebody looks at the display of a phone, or comes by an empty seat.
    pub(super) fn look_at_floor(&mut self, index: usize) {
        if self.healing {
            return;
        }
        let pause_us = LOOK_US / 2 + self.dice.below(LOOK_US);
        self.plan_event(pause_us, Event::Desk(index, Step::Look));
        let minute = self.minute_of_week();
        let Some(agent) = self.agent_at(index) else { return self.take_seat(index, minute) };
        // Somebody went to another phone and left this one as it was.
        if self.dice.permille(4) {
            return self.take_seat(index, minute);
        }
        let works = self.works(&agent, minute);
        match self.display.get(&agent).map(String::as_str).unwrap_or("logged-out") {
            "logged-out" if works => self.dial_if(index, "*45", |state| state == "logged-out"),
            "logged-out" => {}
            _ if !works => self.dial_if(index, "*45", |state| state != "logged-out"),
            state if state.starts_with("not-ready") && self.dice.permille(400) => {
                self.dial_if(index, "*46", |state| state.starts_with("not-ready"));
            }
            "ready" if self.dice.permille(15) => {
                let code = format!("*46{}", self.dice.between(1, 9));
                self.dial_if(index, &code, |state| state == "ready");
            }
            "ready" if self.dice.permille(10) => self.own_call(index),
            state if state.starts_with("not-ready") && self.dice.permille(30) => self.own_call(index),
            "wrap-up" if self.dice.permille(150) => self.dial_if(index, "*49", |state| state == "wrap-up"),
            "wrap-up" if self.dice.permille(100) => self.dial_if(index, "*46", |state| state == "wrap-up"),
            _ if self.dice.permille(5) => self.dial_if(index, "*47", |_| true),
            _ => {}
        }
    }

    fn works(&self, agent: &str, minute: i64) -> bool {
        let n: u32 = agent.parse::<u32>().unwrap_or(1_001) - 1_001;
        // A small site has no shifts, only a few who are not there.
        if self.plan.agents < 100 { !(n + minute as u32 / 60).is_multiple_of(9) } else { on_duty(n, minute) }
    }

    /// Somebody without a phone of his own, or far from it, logs in here.
    fn take_seat(&mut self, index: usize, minute: i64) {
        let roaming = first_roaming(self.plan.agents);
        let from = if self.dice.permille(900) { roaming } else { 0 };
        let n = from + self.dice.below(u64::from(self.plan.agents - from)) as u32;
        let id = Plan::agent(n);
        let out = self.display.get(&id).is_none_or(|state| state == "logged-out");
        let Some(pin) = self.config.agents.get(&id).and_then(|a| a.pin.clone()) else { return };
        let here = self.agent_at(index).as_ref() == Some(&id);
        if here || !self.works(&id, minute) || !(out || self.dice.permille(50)) {
            return;
        }
        let mut script = Script { stay_us: 6_000_000, pin: Some(pin.clone()), ..Script::default() };
        // Without an id the code would concern whoever sits here.
        let named = self.agent_at(index).is_some() || self.dice.permille(500);
        if !named {
            script = script.type_in(&format!("{id}#"), 2_000_000);
        }
        if self.dice.permille(150) {
            // Not this one, and once more from the start.
            script = script.type_in("0000#", 1_500_000).type_in(&format!("{id}#"), 2_500_000);
        }
        let script = script.type_in(&format!("{pin}#"), 2_500_000);
        let code = if named { format!("*45{id}") } else { "*45".to_string() };
        self.dial_script(index, &code, script);
    }

    /// Somebody outside; some numbers would lead abroad.
    pub(super) fn outside_number(&mut self) -> String {
        let prefix = if self.dice.permille(50) { "000" } else { "0" };
        format!("{prefix}{}", self.dice.between(10_000, 99_999))
    }

    fn own_call(&mut self, index: usize) {
        let number = if self.dice.permille(400) {
            self.outside_number()
        } else if self.dice.permille(500) {
            Plan::office_extension(self.dice.below(u64::from(self.plan.office)) as u32)
        } else {
            Plan::extension(self.dice.below(u64::from(self.plan.agents)) as u32)
        };
        let stay_us = 2_000_000 + self.dice.exponential(20_000_000);
        self.dial_script(index, &number, Script { stay_us, ..Script::default() });
    }

    /// A phone of the floor took a call of a queue: what the person does in it beside talking.
    pub(super) fn took_call(&mut self, index: usize, no: CallNo) {
        let Some(queue) = self.queue_of(index, no) else { return };
        let Some(key) = self.config.queues.get(&queue).map(|q| q.confirm_key) else { return };
        if let Some(key) = key
            && !self.dice.permille(60)
        {
            let think_us = self.dice.between(300_000, 3_000_000);
            self.plan_event(think_us, Event::Desk(index, Step::Press(no, key)));
        }
        if self.dice.permille(40) {
            let at_us = self.dice.between(500_000, 20_000_000);
            let reason = self.dice.below(6) as u8;
            self.plan_event(at_us, Event::Desk(index, Step::Wish(reason)));
        }
    }

    /// A call of a queue is over: most say what came of it.
    pub(super) fn call_done(&mut self, index: usize, no: CallNo) {
        let queue = self.queue_of(index, no);
        let owes = queue.and_then(|q| self.config.queues.get(&q)).is_some_and(|q| q.disposition_required);
        if owes && self.dice.permille(850) {
            let pause_us = self.dice.between(500_000, 8_000_000);
            let result = self.dice.between(1, 6) as u8;
            self.plan_event(pause_us, Event::Desk(index, Step::Dispose(result)));
        }
    }

    /// The queue that a call on a phone came from.
    pub(super) fn queue_of(&self, index: usize, no: CallNo) -> Option<String> {
        self.phones[index].call(no)?.invite.get("x-pbx-queue").map(str::to_string)
    }

    /// Asks for a break, the end of the shift, or neither any more, in the middle of a call, over a second one.
    pub(super) fn wish(&mut self, index: usize, reason: u8) {
        let Some(agent) = self.agent_at(index) else { return };
        let talks = self.display.get(&agent).is_some_and(|s| s == "talking" || s == "hold");
        let phone = &self.phones[index];
        if self.healing || !talks || !phone.alive || phone.registered_until_us <= self.now_us {
            return;
        }
        let code = match reason {
            0 => "*45".to_string(),
            1 => "*46".to_string(),
            reason => format!("*46{reason}"),
        };
        let own = phone.identity.user.clone();
        self.with_phone(index, |phone, now_us, out| {
            phone.dial(now_us, &code, &own, false, out);
        });
    }
}
