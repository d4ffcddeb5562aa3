//! What supervisors do from a desk phone: listen, whisper, barge, take over, pick a caller, move or prioritise one, put
//! agents into a state. Each act is in the journal with its actor, done or refused.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use base::id::LegKey;
use base::media::{Command, MonitorMode, Tone};
use serde::{Deserialize, Serialize};

use crate::agent::{Happening, REASON_SUPERVISOR, State};
use crate::ask::Wants;
use crate::call::{CallKey, Disposition, Origin, Phase, Served};
use crate::code::Act;
use crate::config::{Config, Consent, Destination};
use crate::door::Output;
use crate::event::Detail;
use crate::leg::{Goodbye, Role};
use crate::{Pbx, Turn};

/// Keys that change the mode while a supervisor monitors, as in other houses; 7 takes the call over.
const KEYS: [(char, MonitorMode); 3] =
    [('4', MonitorMode::Listen), ('5', MonitorMode::Whisper), ('6', MonitorMode::Barge)];
const TAKE_OVER_KEY: char = '7';

/// A supervisor who hears somebody else's call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Monitoring {
    pub supervisor: String,
    pub target: CallKey,
    /// The agent's leg.
    pub of: LegKey,
    pub mode: MonitorMode,
}

/// A mode's name in events.
pub(crate) fn mode_name(mode: MonitorMode) -> &'static str {
    match mode {
        MonitorMode::Listen => "listen",
        MonitorMode::Whisper => "whisper",
        MonitorMode::Barge => "barge",
    }
}

/// Tells the supervisor who hears him now.
fn mode_prompt(mode: MonitorMode) -> &'static str {
    match mode {
        MonitorMode::Listen => "monitor-listen",
        MonitorMode::Whisper => "monitor-whisper",
        MonitorMode::Barge => "monitor-barge",
    }
}

/// Prompt that tells why something was not done.
type Refusal = &'static str;

impl Pbx {
    /// The supervisor whose phone dialled.
    pub(crate) fn supervisor_at(&self, config: &Config, call: CallKey) -> Option<String> {
        let Origin::Extension(phone) = &self.calls.get(call)?.origin else { return None };
        let here = config.supervisors.iter().find(|(_, s)| s.extension.as_ref() == Some(phone));
        here.map(|(id, _)| id.clone())
    }

    /// A supervisor's code was dialled: at the supervisor's own phone it is obeyed, elsewhere id and PIN are asked for.
    pub(crate) fn supervise(&mut self, turn: &mut Turn<'_>, call: CallKey, act: &Act) {
        let Some(config) = self.configs.now() else { return };
        match self.supervisor_at(&config, call) {
            Some(id) => self.act_as(turn, call, &id, act),
            None if config.supervisors.values().any(|s| s.pin.is_some()) => {
                self.ask(turn, call, Wants::SupervisorId { act: act.clone() }, "agent-enter-id");
            }
            None => self.announce_prompt(turn, call, "supervisor-only"),
        }
    }

    /// Does what a supervisor wants.
    pub(crate) fn act_as(&mut self, turn: &mut Turn<'_>, call: CallKey, id: &str, act: &Act) {
        let done = match act {
            Act::Monitor(mode, whom) => self.monitor(turn, call, id, *mode, whom).map(|()| None),
            Act::TakeOver(whom) => self.take_over_of(turn, call, id, whom).map(|()| None),
            Act::Pick(queue) => self.pick(turn, call, id, queue).map(|()| None),
            Act::Force(agent, state) => self.force(turn, id, agent, *state).map(Some),
            Act::Move(from, to, position) => self.move_caller(turn, id, from, to, *position).map(Some),
            Act::Prioritise(queue, position, priority) => {
                self.prioritise(turn, id, queue, *position, *priority).map(Some)
            }
            Act::Surge => self.toggle_surge(turn, id).map(Some),
        };
        match done {
            Ok(None) => {}
            Ok(Some(prompt)) => self.announce_prompt(turn, call, prompt),
            Err(refusal) => {
                self.note_act(turn, None, id, act.name(), act.whom(), refusal);
                self.announce_prompt(turn, call, refusal);
            }
        }
    }

    fn note_act(
        &mut self,
        turn: &mut Turn<'_>,
        target: Option<CallKey>,
        id: &str,
        act: &str,
        whom: &str,
        refused: &str,
    ) {
        let (supervisor, act) = (id.to_string(), act.to_string());
        let (whom, refused) = (whom.to_string(), refused.to_string());
        self.note_supervised(turn, target, Detail::Supervised { supervisor, act, whom, refused, own: None });
    }

    /// A supervisor hears the call from now on, in another mode, or no longer: `own` is the call that he hears it by.
    fn note_monitoring(&mut self, turn: &mut Turn<'_>, own: CallKey, id: &str, target: CallKey, act: &str) {
        let (supervisor, act, refused) = (id.to_string(), act.to_string(), String::new());
        let (whom, own) = (self.served_by(target), self.calls.get(own).map(|c| c.uid));
        self.note_supervised(turn, Some(target), Detail::Supervised { supervisor, act, whom, refused, own });
    }

    fn note_supervised(&mut self, turn: &mut Turn<'_>, target: Option<CallKey>, detail: Detail) {
        let Detail::Supervised { supervisor, .. } = &detail else { return };
        let (uid, actor) = (target.and_then(|c| self.calls.get(c)).map(|c| c.uid), format!("supervisor {supervisor}"));
        self.note(turn, uid, None, &actor, detail);
    }

    fn supervises(&self, id: &str, queue: &str) -> bool {
        self.configs.now().and_then(|c| c.supervisors.get(id).map(|s| s.supervises(queue))).unwrap_or(false)
    }

    /// Id of the agent who has a call; empty when a supervisor has it, or nobody.
    fn served_by(&self, call: CallKey) -> String {
        match self.calls.get(call).map(|c| &c.phase) {
            Some(Phase::Talking { served: Some(Served { agent: Some(index), .. }), .. }) => {
                self.agents.get(*index).map_or_else(String::new, |a| a.id.clone())
            }
            _ => String::new(),
        }
    }

    /// The queue call of an agent (by id, or by the extension of his phone) that this supervisor may enter: the call, the
    /// agent's leg and the queue.
    fn call_of(&self, id: &str, whom: &str) -> Result<(CallKey, LegKey, String), Refusal> {
        let none = "nothing-to-monitor";
        let index = self.agents.find(whom).or_else(|| self.agents.at_extension(whom)).ok_or(none)?;
        let call = self.agents.get(index).and_then(|a| a.state.call()).ok_or(none)?;
        let Some(Phase::Talking { partner, served: Some(served) }) = self.calls.get(call).map(|c| &c.phase) else {
            return Err(none);
        };
        if self.supervises(id, &served.queue) {
            Ok((call, *partner, served.queue.clone()))
        } else {
            Err("monitor-refused")
        }
    }

    fn monitor(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        id: &str,
        mode: MonitorMode,
        whom: &str,
    ) -> Result<(), Refusal> {
        let (target, of, queue) = self.call_of(id, whom)?;
        let config = self.config_of_queue(target, &queue).ok_or("monitor-refused")?;
        let wanted = config.queues.get(&queue).ok_or("monitor-refused")?;
        let told = self.calls.get(target).is_some_and(|c| c.noticed);
        let crowded = self.calls.get(target).is_none_or(|c| c.monitors.len() >= base::limits::MONITORS_PER_BRIDGE_MAX);
        if !wanted.monitor || crowded || (wanted.monitor_consent == Consent::Notice && !told) {
            return Err("monitor-refused");
        }
        // A call that could not be answered has ended by itself; nothing is left to say.
        let Some(leg) = self.accept_caller(turn, call) else { return Ok(()) };
        self.stop_play(turn, leg);
        let monitoring = Monitoring { supervisor: id.to_string(), target, of, mode };
        self.enter(call, Phase::Monitoring(monitoring));
        if let Some(target) = self.calls.get_mut(target) {
            target.monitors.push(call);
        }
        turn.out.push(Output::Media(Command::Monitor { leg, of, mode }));
        if wanted.monitor_tone {
            let caller = self.caller_leg(target);
            for leg in caller.into_iter().chain([of]) {
                turn.out.push(Output::Media(Command::Beep { leg, tone: Tone::Monitor }));
            }
        }
        self.note_monitoring(turn, call, id, target, mode_name(mode));
        Ok(())
    }

    /// A supervisor who monitors pressed a key.
    pub(crate) fn monitor_key(&mut self, turn: &mut Turn<'_>, call: CallKey, key: char) {
        let Some(Phase::Monitoring(monitoring)) = self.calls.get(call).map(|c| c.phase.clone()) else { return };
        let Monitoring { supervisor, target, of, mode: old } = monitoring;
        let Some(leg) = self.caller_leg(call) else { return };
        if key == TAKE_OVER_KEY {
            self.take_over(turn, call, &supervisor, target);
        } else if let Some((_, mode)) = KEYS.into_iter().find(|(k, mode)| *k == key && *mode != old) {
            let monitoring = Monitoring { supervisor: supervisor.clone(), target, of, mode };
            self.enter(call, Phase::Monitoring(monitoring));
            turn.out.push(Output::Media(Command::Monitor { leg, of, mode }));
            let words = self.prompt(call, mode_prompt(mode));
            self.play(turn, leg, vec![words], false);
            self.note_monitoring(turn, call, &supervisor, target, mode_name(mode));
        }
    }

    /// A supervisor hung up, or went on to take the call over.
    pub(crate) fn monitor_left(&mut self, turn: &mut Turn<'_>, call: CallKey, monitoring: &Monitoring) {
        if let Some(target) = self.calls.get_mut(monitoring.target) {
            target.monitors.retain(|other| *other != call);
        }
        if let Some(leg) = self.caller_leg(call) {
            turn.out.push(Output::Media(Command::StopMonitor { leg }));
        }
        self.note_monitoring(turn, call, &monitoring.supervisor, monitoring.target, "monitor-end");
    }

    /// A call that supervisors hear is over: they are told and released.
    pub(crate) fn monitored_call_over(&mut self, turn: &mut Turn<'_>, target: CallKey) {
        let monitors = self.calls.get_mut(target).map(|c| core::mem::take(&mut c.monitors)).unwrap_or_default();
        for call in monitors {
            if let Some(Phase::Monitoring(monitoring)) = self.calls.get(call).map(|c| c.phase.clone()) {
                self.monitor_left(turn, call, &monitoring);
                self.announce_prompt(turn, call, "nothing-to-monitor");
            }
        }
    }

    /// Not a matter of `monitor` and `monitor-consent`: these protect from being heard unawares, and here the agent is
    /// disconnected and the caller spoken to.
    fn take_over_of(&mut self, turn: &mut Turn<'_>, call: CallKey, id: &str, whom: &str) -> Result<(), Refusal> {
        let (target, _, _) = self.call_of(id, whom)?;
        if self.accept_caller(turn, call).is_some() {
            self.take_over(turn, call, id, target);
        }
        Ok(())
    }

    /// The supervisor talks to the caller instead of the agent, who goes on to wrap-up.
    fn take_over(&mut self, turn: &mut Turn<'_>, call: CallKey, id: &str, target: CallKey) {
        let Some(Phase::Talking { partner, served: Some(served) }) = self.calls.get(target).map(|c| c.phase.clone())
        else {
            return;
        };
        let Some(caller) = self.caller_leg(target) else { return };
        if let Some(Phase::Monitoring(monitoring)) = self.calls.get(call).map(|c| c.phase.clone()) {
            self.enter(call, Phase::Arriving);
            self.monitor_left(turn, call, &monitoring);
        }
        let whom = self.served_by(target);
        self.note_act(turn, Some(target), id, "take-over", &whom, "");
        let Some(leg) = self.move_leg(turn, id, call, target) else { return };
        self.end_leg(turn, partner, "taken over", Goodbye::HangUp(None));
        if let Some(index) = served.agent {
            let after = self.wrap_up(target, &served.queue, index, turn.now.at);
            let by = format!("supervisor {id}");
            let over = Happening::CallOver(target, after);
            self.agent_by(turn, index, over, Some(&by), "taken over by a supervisor");
        }
        let served = Served { queue: served.queue, agent: None };
        self.talk(turn, target, (caller, leg), Some(served), format!("supervisor {id}"), 0);
        self.follow_partner(turn, target, leg);
    }

    /// Other supervisors who hear the call hear its new partner from now on.
    fn follow_partner(&mut self, turn: &mut Turn<'_>, target: CallKey, partner: LegKey) {
        for call in self.calls.get(target).map(|c| c.monitors.clone()).unwrap_or_default() {
            let leg = self.caller_leg(call);
            let Some(Phase::Monitoring(monitoring)) = self.calls.get_mut(call).map(|c| &mut c.phase) else { continue };
            monitoring.of = partner;
            let mode = monitoring.mode;
            if let Some(leg) = leg {
                turn.out.push(Output::Media(Command::Monitor { leg, of: partner, mode }));
            }
        }
    }

    /// The only leg of the supervisor's own call becomes the partner of another call; the own call is over.
    fn move_leg(&mut self, turn: &mut Turn<'_>, id: &str, call: CallKey, target: CallKey) -> Option<LegKey> {
        let leg = self.caller_leg(call)?;
        self.stop_play(turn, leg);
        self.calls.get_mut(call)?.legs.retain(|l| *l != leg);
        let into = self.calls.get_mut(target)?;
        let number = into.next_leg;
        into.next_leg += 1;
        into.legs.push(leg);
        let moved = self.legs.get_mut(leg)?;
        (moved.call, moved.number, moved.role) = (target, number, Role::Partner);
        let by = format!("supervisor {id}");
        self.end_call(turn, call, &by, "joined another call", Disposition::Answered);
        self.leg_gone(call, leg);
        self.note_leg(turn, leg, "router", Detail::Answered);
        Some(leg)
    }

    /// The queue that a number of the house leads to.
    fn queue_of_number(&self, id: &str, number: &str) -> Result<String, Refusal> {
        let config = self.configs.now().ok_or("code-refused")?;
        match config.numbers.get(number) {
            Some(Destination::Queue(name)) if self.supervises(id, name) => Ok(name.clone()),
            Some(Destination::Queue(_)) => Err("code-refused"),
            Some(_) | None => Err("code-refused"),
        }
    }

    /// The supervisor takes a waiting caller: the first of a queue, or whoever waits longest in all of his.
    fn pick(&mut self, turn: &mut Turn<'_>, call: CallKey, id: &str, number: &str) -> Result<(), Refusal> {
        let now = turn.now.at;
        let target = if number.is_empty() {
            let queues = self.queues.iter().filter(|(name, _)| self.supervises(id, name));
            let free = queues.flat_map(|(_, queue)| &queue.waiting).filter(|(_, call)| self.is_free(**call));
            free.min_by_key(|(arrival, _)| **arrival).map(|(_, call)| *call)
        } else {
            let name = self.queue_of_number(id, number)?;
            self.in_order(&name, now).into_iter().find(|call| self.is_free(*call))
        };
        let target = target.ok_or("no-caller-waiting")?;
        let caller = self.caller_leg(target).ok_or("no-caller-waiting")?;
        if self.accept_caller(turn, call).is_none() {
            return Ok(());
        }
        let place = self.stop_waiting(turn, target, "picked by a supervisor").ok_or("no-caller-waiting")?;
        self.note_act(turn, Some(target), id, "pick", &place.queue, "");
        let wait_ms = now.since(place.since).as_millis() as u64;
        let leg = self.move_leg(turn, id, call, target).ok_or("code-refused")?;
        let served = Served { queue: place.queue, agent: None };
        self.talk(turn, target, (caller, leg), Some(served), format!("supervisor {id}"), wait_ms);
        Ok(())
    }

    fn force(&mut self, turn: &mut Turn<'_>, id: &str, agent: &str, state: u8) -> Result<Refusal, Refusal> {
        let index = self.agents.find(agent).ok_or("code-refused")?;
        let config = self.configs.now().ok_or("code-refused")?;
        let mut queues = config.queues.iter().filter(|(_, q)| q.may_be_served_by(agent));
        if !queues.any(|(name, _)| self.supervises(id, name)) {
            return Err("code-refused");
        }
        let out = self.agents.get(index).is_some_and(|a| a.state == State::LoggedOut);
        let wanted = match state {
            0 if out => Happening::LogIn,
            0 => Happening::GoReady,
            1 => Happening::LogOut,
            _ => Happening::GoNotReady(REASON_SUPERVISOR),
        };
        let actor = format!("supervisor {id}");
        if !self.agent_wants(turn, index, wanted, Some(&actor), "forced by a supervisor") {
            return Err("code-refused");
        }
        self.note_act(turn, None, id, "force-state", agent, "");
        Ok("agent-forced")
    }

    /// Waits, and no agent has the call already.
    fn is_free(&self, call: CallKey) -> bool {
        !self.offers_of(call).into_iter().any(|offer| self.is_won(offer))
    }

    fn caller_at(&self, turn: &Turn<'_>, queue: &str, position: u32) -> Result<CallKey, Refusal> {
        let mut free = self.in_order(queue, turn.now.at).into_iter().filter(|call| self.is_free(*call));
        free.nth(position.saturating_sub(1) as usize).ok_or("no-caller-waiting")
    }

    fn move_caller(
        &mut self,
        turn: &mut Turn<'_>,
        id: &str,
        from: &str,
        to: &str,
        position: u32,
    ) -> Result<Refusal, Refusal> {
        let (from, to) = (self.queue_of_number(id, from)?, self.queue_of_number(id, to)?);
        let target = self.caller_at(turn, &from, position)?;
        let config = self.config_of(target).ok_or("code-refused")?;
        let wanted = config.queues.get(&to).ok_or("code-refused")?;
        // Where the other queue would turn him away, the caller stays where he is.
        if self.turned_away(&config, &to, wanted, turn.now.wall).is_some() {
            return Err("code-refused");
        }
        let place = self.stop_waiting(turn, target, "moved by a supervisor").ok_or("no-caller-waiting")?;
        self.note_act(turn, Some(target), id, "move-caller", &to, "");
        let uid = self.calls.get(target).map(|c| c.uid);
        let wait_ms = turn.now.at.since(place.since).as_millis() as u64;
        let detail = Detail::Overflowed { queue: from, wait_ms, rule: "moved".into(), to: format!("queue {to}") };
        self.note(turn, uid, None, &format!("supervisor {id}"), detail);
        self.enter_queue(turn, target, &to);
        Ok("caller-moved")
    }

    fn prioritise(
        &mut self,
        turn: &mut Turn<'_>,
        id: &str,
        queue: &str,
        position: u32,
        priority: u8,
    ) -> Result<Refusal, Refusal> {
        let queue = self.queue_of_number(id, queue)?;
        let target = self.caller_at(turn, &queue, position)?;
        if let Some(call) = self.calls.get_mut(target) {
            call.priority = Some(priority);
        }
        self.with_place(target, |place, _| place.priority = priority);
        let position = self.position(target, turn.now.at);
        self.note_act(turn, Some(target), id, "re-prioritise", &queue, "");
        let uid = self.calls.get(target).map(|c| c.uid);
        self.note(turn, uid, None, &format!("supervisor {id}"), Detail::Prioritised { queue, priority, position });
        self.unmatched = true;
        Ok("caller-prioritised")
    }

    fn toggle_surge(&mut self, turn: &mut Turn<'_>, id: &str) -> Result<Refusal, Refusal> {
        // The profile is the whole house's: it takes a supervisor of all queues.
        let all = self.configs.now().and_then(|c| c.supervisors.get(id).map(|s| s.queues.is_empty()));
        if all != Some(true) {
            return Err("code-refused");
        }
        let on = !self.switches.surge;
        self.note_act(turn, None, id, "surge", "", "");
        self.set_surge(turn, &format!("supervisor {id}"), on, None);
        Ok(if on { "surge-on" } else { "surge-off" })
    }
}
