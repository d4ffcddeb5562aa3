//! People who work at a phone: they log in, answer after a moment, sometimes refuse or look away, take breaks, and
//! read their own state from the display.

use super::phone::{CallNo, News};
use super::plan::{Plan, Site};
use super::script::Script;
use super::world::{Event, World};

/// What a person is going to do at a phone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// Picks up.
    Answer(CallNo),
    /// Refuses with a status code.
    Refuse(CallNo, u16),
    /// Hangs up.
    HangUp(CallNo),
    /// Looks at the display and does what it calls for.
    Look,
    /// Goes for a break.
    Break,
    /// Ends wrap-up early.
    FinishWrapUp,
    /// Presses a key in a call to the box.
    Key(CallNo, char),
    /// Presses a key in another call.
    Press(CallNo, char),
    /// Wants something for after the call.
    Wish(u8),
    /// Says what came of the call.
    Dispose(u8),
}

/// How often an agent looks at the display.
const LOOK_US: u64 = 15_000_000;

impl World {
    /// Whether this phone is an agent's.
    pub(super) fn agent_at(&self, index: usize) -> Option<String> {
        match self.plan.site {
            Site::Plain => (index < self.plan.agents as usize).then(|| Plan::agent(index as u32)),
            Site::Centre => self.seats.get(&self.phones[index].identity.user).cloned(),
        }
    }

    /// News of a phone that is nobody's own call.
    pub(super) fn desk_news(&mut self, index: usize, news: &News) {
        match news {
            News::Offered(no) => self.it_rings(index, *no),
            News::Confirmed(no) => {
                let no = *no;
                self.took_call(index, no);
                self.plan_event(3_000_000, Event::Probe(index, no));
            }
            News::Answered(no) if self.script_begins(index, *no) => {}
            News::Answered(no) => {
                // A feature code: listens for a moment, then hangs up if the box has not.
                let listen_us = self.dice.between(500_000, 4_000_000);
                self.plan_event(listen_us, Event::Desk(index, Step::HangUp(*no)));
            }
            News::Ended(no) => {
                self.script_ends(index, *no);
                self.call_done(index, *no);
                if self.dice.permille(150) {
                    let pause_us = self.dice.between(200_000, 3_000_000);
                    self.plan_event(pause_us, Event::Desk(index, Step::FinishWrapUp));
                }
                if self.dice.permille(self.plan.odd_permille) {
                    let pause_us = self.dice.between(100_000, 2_000_000);
                    self.plan_event(pause_us, Event::Desk(index, Step::Break));
                }
            }
            News::Refused(no, _) => self.script_ends(index, *no),
            News::Registered
            | News::NotRegistered(_)
            | News::Progress(..)
            | News::Cancelled(_)
            | News::Missed(_)
            | News::Protest(_) => {}
        }
    }

    fn it_rings(&mut self, index: usize, no: CallNo) {
        let think_us = self.dice.between(300_000, 3_000_000);
        let odd = self.plan.odd_permille;
        let step = if self.dice.permille(odd) {
            Step::Refuse(no, [486, 480, 603][self.dice.below(3) as usize])
        } else {
            Step::Answer(no)
        };
        if self.dice.permille(odd) {
            self.note(|| format!("phone {index} is not answered"));
            return;
        }
        if self.dice.permille(odd) {
            // Picks up at the very moment when the box gives up.
            let ring_us = u64::from(self.plan.ring_timeout_s) * 1_000_000;
            let late_us = ring_us.saturating_sub(100_000) + self.dice.below(200_000);
            return self.plan_event(late_us, Event::Desk(index, Step::Answer(no)));
        }
        if self.dice.permille(odd) {
            // The caller gives up at the very moment of the answer.
            let peer = self.phones[index].call(no).map(|c| c.peer.clone()).unwrap_or_default();
            let caller = self.callers.iter().rev().take(100).find(|(_, c)| c.number == peer).map(|(id, _)| *id);
            if let Some(id) = caller {
                self.plan_event(think_us, Event::Caller(id, super::caller::Step::GiveUp));
            }
        }
        self.plan_event(think_us, Event::Desk(index, step));
    }

    /// A person acts.
    pub(super) fn desk_step(&mut self, index: usize, step: Step) {
        if !self.phones[index].alive {
            if step == Step::Look {
                self.plan_event(LOOK_US, Event::Desk(index, Step::Look));
            }
            return;
        }
        match step {
            Step::Answer(no) => self.with_phone(index, |phone, now_us, out| phone.answer(now_us, no, out)),
            Step::Refuse(no, code) => {
                self.with_phone(index, |phone, now_us, out| phone.reject(now_us, no, code, out));
            }
            Step::HangUp(no) => self.with_phone(index, |phone, now_us, out| phone.hang_up(now_us, no, out)),
            Step::Look if self.plan.site == Site::Centre => self.look_at_floor(index),
            Step::Look => self.look(index),
            Step::Key(no, key) => self.script_key(index, no, key),
            Step::Press(no, key) => {
                self.press_at(index, no, key);
            }
            Step::Wish(reason) => self.wish(index, reason),
            Step::Dispose(result) => self.dial_if(index, &format!("*50{result}"), |_| true),
            Step::Break => self.dial_if(index, "*463", |state| matches!(state, "ready" | "wrap-up" | "personal")),
            Step::FinishWrapUp => self.dial_if(index, "*48", |state| state == "wrap-up"),
        }
    }

    fn look(&mut self, index: usize) {
        if self.healing {
            return;
        }
        let pause_us = LOOK_US / 2 + self.dice.below(LOOK_US);
        self.plan_event(pause_us, Event::Desk(index, Step::Look));
        let Some(agent) = self.agent_at(index) else { return };
        match self.display.get(&agent).map(String::as_str) {
            None | Some("logged-out") => self.dial_if(index, "*45", |_| true),
            Some(state) if state.starts_with("not-ready") => {
                self.dial_if(index, "*46", |state| state.starts_with("not-ready"));
            }
            Some("ready") if self.dice.permille(40) => {
                let number = self.outside_number();
                let stay_us = 2_000_000 + self.dice.exponential(10_000_000);
                self.dial_script(index, &number, Script { stay_us, ..Script::default() });
            }
            Some(_) => {}
        }
    }

    /// Dials a feature code when the display still calls for it and the phone is free.
    pub(super) fn dial_if(&mut self, index: usize, code: &str, wanted: impl Fn(&str) -> bool) {
        let Some(agent) = self.agent_at(index) else { return };
        let state = self.display.get(&agent).cloned().unwrap_or_default();
        let phone = &self.phones[index];
        let free = phone.live().next().is_none() && phone.registered_until_us > self.now_us;
        if self.healing || !free || !wanted(&state) {
            return;
        }
        let own = phone.identity.user.clone();
        self.with_phone(index, |phone, now_us, out| {
            phone.dial(now_us, code, &own, false, out);
        });
    }

    /// An INVITE reaches a phone.
    pub(super) fn heard_ringing(&mut self, index: usize, bytes: &[u8]) {
        if bytes.starts_with(b"INVITE ") {
            self.rang.insert(index, self.now_us);
        }
    }

    /// Keeps the displays of the phones, and counts offers that nobody heard.
    pub(super) fn watch(&mut self, row: &pbx::event::LegEvent) {
        match &row.detail {
            pbx::event::Detail::AgentState { agent, to, phone, .. } => {
                self.display.insert(agent.clone(), to.clone());
                self.sits(agent, to, phone);
            }
            pbx::event::Detail::Offered { agent, .. } => {
                self.offered.insert(agent.clone(), self.now_us);
            }
            pbx::event::Detail::OfferEnded { agent, cause, .. } if cause == "no-answer" => {
                let Some(offered_us) = self.offered.get(agent).copied() else { return };
                let phone = self.check.extension_of(agent);
                let Some(index) = self.phones.iter().position(|p| p.identity.user == phone) else { return };
                let calm = self.fault_times.last().is_none_or(|at| at + 60_000_000 < self.now_us);
                if calm && self.now_us > offered_us + 3_600_000 && self.phones[index].alive {
                    self.stats.unanswered += 1;
                    let rang = self.rang.get(&index).is_some_and(|at| *at >= offered_us);
                    self.stats.unheard += u64::from(!rang);
                }
            }
            pbx::event::Detail::Connected { with, .. } => {
                self.connected.extend(row.call.map(|uid| (uid, with.clone())))
            }
            _ => {}
        }
    }

    /// Whose name a phone shows: who works there, otherwise who owns it.
    fn sits(&mut self, agent: &str, state: &str, phone: &str) {
        if state == "logged-out" {
            self.seats.retain(|_, who| who != agent);
            let owned =
                |phone: &&String| self.config.agents.get(agent).is_some_and(|a| a.extension.as_ref() == Some(*phone));
            if let Some(phone) = self.config.extensions.keys().find(owned) {
                self.seats.entry(phone.clone()).or_insert_with(|| agent.to_string());
            }
        } else {
            self.seats.retain(|at, who| who != agent || at == phone);
            self.seats.insert(phone.to_string(), agent.to_string());
        }
    }
}
