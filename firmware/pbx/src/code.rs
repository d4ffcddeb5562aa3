//! Feature codes: what a phone dials to change the state of its agent, and what they mean. Each is a short call that is
//! answered, says what happened, and ends. Supervisors' codes: `supervise.rs`; asking for digits: `ask.rs`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::media::{Item, MonitorMode};

use crate::agent::{Happening, REASON_NONE_GIVEN, State, Wish};
use crate::ask::Wants;
use crate::call::{CallKey, Origin};
use crate::config::{Codes, Config, Queue, Reason};
use crate::event::Detail;
use crate::queue::seconds;
use crate::roster::AgentIndex;
use crate::supervise::mode_name;
use crate::{Pbx, Turn};

/// A feature code as dialled.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Code {
    /// Log the agent of this phone in or out; or, with an id, the agent of that id.
    AgentLogin(String),
    /// Not ready with a reason (0: none given), or ready again.
    AgentNotReady(u8),
    /// End wrap-up now.
    WrapUpFinish,
    /// Extend wrap-up.
    WrapUpExtend,
    /// What came of the last call.
    Disposition(u8),
    /// How many callers wait.
    QueueCallers,
    /// What only supervisors may do.
    Supervise(Act),
    /// A code whose digits are missing: they are asked for.
    Unfinished(String),
}

/// What a supervisor wants.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Act {
    /// Hear the call of an agent, and be heard or not.
    Monitor(MonitorMode, String),
    /// Have the call instead of its agent.
    TakeOver(String),
    /// Put an agent into a state: 0 ready, 1 logged out, 2 not ready.
    Force(String, u8),
    /// Move the first caller (or the one at this position) of a queue into another: numbers of the queues, position.
    Move(String, String, u32),
    /// Give the caller at a position of a queue another priority: number of the queue, position, priority.
    Prioritise(String, u32, u8),
    /// Take the caller who waits longest; of one queue when its number is given.
    Pick(String),
    /// The surge profile on, or off.
    Surge,
}

impl Act {
    /// Its name in events.
    pub fn name(&self) -> &'static str {
        match self {
            Act::Monitor(mode, _) => mode_name(*mode),
            Act::TakeOver(_) => "take-over",
            Act::Force(..) => "force-state",
            Act::Move(..) => "move-caller",
            Act::Prioritise(..) => "re-prioritise",
            Act::Pick(_) => "pick",
            Act::Surge => "surge",
        }
    }
}

impl Act {
    /// The agent, or the number, that it names; may be empty.
    pub fn whom(&self) -> &str {
        match self {
            Act::Monitor(_, whom) | Act::TakeOver(whom) | Act::Force(whom, _) => whom,
            Act::Move(queue, ..) | Act::Prioritise(queue, ..) | Act::Pick(queue) => queue,
            Act::Surge => "",
        }
    }
}

/// What a dialled number means as a feature code, and the line of the configuration that says so.
pub fn parse(codes: &Codes, called: &str) -> Option<(Code, String)> {
    let plain = [
        (&codes.wrap_up_finish, "wrap-up-finish", Code::WrapUpFinish),
        (&codes.wrap_up_extend, "wrap-up-extend", Code::WrapUpExtend),
        (&codes.queue_callers, "queue-callers", Code::QueueCallers),
        (&codes.surge, "surge", Code::Supervise(Act::Surge)),
    ];
    if let Some((code, leaf, meaning)) = plain.into_iter().find(|(code, ..)| *code == called) {
        return Some((meaning, format!("codes {leaf} {code}")));
    }
    type Reader = fn(&str) -> Option<Code>;
    let with_digits: [(&String, &str, Reader); 11] = [
        (&codes.agent_login, "agent-login", |id| number(id).map(|id| Code::AgentLogin(id.to_string()))),
        (&codes.agent_not_ready, "agent-not-ready", not_ready),
        (&codes.disposition, "disposition", disposition),
        (&codes.listen, "listen", |id| monitor(MonitorMode::Listen, id)),
        (&codes.whisper, "whisper", |id| monitor(MonitorMode::Whisper, id)),
        (&codes.barge, "barge", |id| monitor(MonitorMode::Barge, id)),
        (&codes.take_over, "take-over", |id| {
            act(number(id).filter(|id| !id.is_empty()), |id| Act::TakeOver(id.into()))
        }),
        (&codes.force_state, "force-state", force),
        (&codes.move_caller, "move-caller", move_caller),
        (&codes.re_prioritise, "re-prioritise", prioritise),
        (&codes.pick, "pick", |queue| act(number(queue), |queue| Act::Pick(queue.into()))),
    ];
    for (code, leaf, read) in with_digits {
        let Some(digits) = called.strip_prefix(code.as_str()) else { continue };
        let path = || format!("codes {leaf} {code}");
        match read(digits) {
            Some(meaning) => return Some((meaning, path())),
            None if digits.is_empty() => return Some((Code::Unfinished(called.to_string()), path())),
            None => {}
        }
    }
    None
}

fn number(digits: &str) -> Option<&str> {
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
}

fn act<T>(value: Option<T>, make: impl FnOnce(T) -> Act) -> Option<Code> {
    value.map(|value| Code::Supervise(make(value)))
}

fn not_ready(digits: &str) -> Option<Code> {
    let reason = if digits.is_empty() { Some(0) } else { number(digits)?.parse().ok().filter(|r| (1..90).contains(r)) };
    reason.map(Code::AgentNotReady)
}

fn disposition(digits: &str) -> Option<Code> {
    number(digits)?.parse().ok().filter(|code| (1..10).contains(code)).map(Code::Disposition)
}

fn monitor(mode: MonitorMode, digits: &str) -> Option<Code> {
    act(number(digits).filter(|id| !id.is_empty()), |id| Act::Monitor(mode, id.to_string()))
}

/// `1001*2`
fn force(digits: &str) -> Option<Code> {
    let (id, state) = digits.split_once('*')?;
    let state = number(state)?.parse().ok().filter(|s| *s <= 2)?;
    act(number(id).filter(|id| !id.is_empty()), |id| Act::Force(id.to_string(), state))
}

/// `8000*8001` or `8000*8001*3`
fn move_caller(digits: &str) -> Option<Code> {
    let fields: Vec<&str> = digits.split('*').map(number).collect::<Option<_>>()?;
    match fields.as_slice() {
        [from, to] => Some(Code::Supervise(Act::Move(from.to_string(), to.to_string(), 1))),
        [from, to, position] => {
            let position = position.parse().ok().filter(|p| *p > 0);
            act(position, |position| Act::Move(from.to_string(), to.to_string(), position))
        }
        _ => None,
    }
}

/// `8000*2*9`
fn prioritise(digits: &str) -> Option<Code> {
    let fields: Vec<&str> = digits.split('*').map(number).collect::<Option<_>>()?;
    let [queue, position, priority] = fields.as_slice() else { return None };
    let position = position.parse().ok().filter(|p| *p > 0)?;
    let priority = priority.parse().ok().filter(|p| *p <= 10)?;
    Some(Code::Supervise(Act::Prioritise(queue.to_string(), position, priority)))
}

impl Pbx {
    /// The caller dialled a code.
    pub(crate) fn feature_code(&mut self, turn: &mut Turn<'_>, call: CallKey, code: &Code) {
        match code {
            Code::Unfinished(begun) => self.ask(turn, call, Wants::Rest { begun: begun.clone() }, "code-enter-number"),
            Code::Supervise(act) => self.supervise(turn, call, act),
            Code::AgentLogin(id) => self.login_code(turn, call, id),
            Code::QueueCallers => self.say_queue_callers(turn, call),
            Code::AgentNotReady(_) | Code::WrapUpFinish | Code::WrapUpExtend | Code::Disposition(_) => {
                let prompt = self.obey(turn, call, code).unwrap_or("code-refused");
                let reason = match code {
                    Code::AgentNotReady(reason @ 1..=9) if prompt == "agent-not-ready" => {
                        Some(format!("reason-{reason}"))
                    }
                    _ => None,
                };
                let names = [prompt.to_string()].into_iter().chain(reason);
                let items = names.map(|name| self.prompt(call, &name)).collect();
                self.announce_items(turn, call, items);
            }
        }
    }

    /// The agent who works at the phone that dialled.
    pub(crate) fn agent_of_caller(&self, call: CallKey) -> Option<AgentIndex> {
        match &self.calls.get(call)?.origin {
            Origin::Extension(extension) => self.agents.at_extension(extension),
            Origin::Line(_) | Origin::Trunk(_) => None,
        }
    }

    /// Does what an agent's code says; the prompt that tells so, or none when it could not be done.
    fn obey(&mut self, turn: &mut Turn<'_>, call: CallKey, code: &Code) -> Option<&'static str> {
        let index = self.agent_of_caller(call)?;
        let agent = self.agents.get(index)?;
        let (state, wishes) = (agent.state, agent.wish.is_some());
        let owes = matches!(state, State::WrapUp(w) if w.owes);
        let (happening, prompt) = match code {
            Code::AgentNotReady(0) if wishes || matches!(state, State::NotReady { .. }) => {
                (Happening::GoReady, "agent-ready")
            }
            Code::AgentNotReady(0) => (Happening::GoNotReady(REASON_NONE_GIVEN), "agent-not-ready"),
            Code::AgentNotReady(reason) if !self.has_reason(*reason) => return None,
            Code::AgentNotReady(reason) => (Happening::GoNotReady(*reason), "agent-not-ready"),
            Code::WrapUpFinish if owes => return Some("disposition-missing"),
            Code::WrapUpFinish => (Happening::WrapUpFinished, "wrap-up-finished"),
            Code::WrapUpExtend => {
                let State::WrapUp(wrap_up) = state else { return None };
                let more_s = self.last_queue(index, |queue| queue.wrap_up_extend_s)?;
                (Happening::WrapUpExtended(wrap_up.until + seconds(more_s)), "wrap-up-extended")
            }
            Code::Disposition(code) => return self.disposition(turn, index, *code),
            Code::AgentLogin(_) | Code::QueueCallers | Code::Supervise(_) | Code::Unfinished(_) => return None,
        };
        self.agent_wants(turn, index, happening, None, "feature code").then_some(prompt)
    }

    /// The site's table, or the built-in one, has the reason.
    fn has_reason(&self, code: u8) -> bool {
        self.configs.now().is_some_and(|c| c.reasons.contains_key(&code)) || Reason::built_in(code).is_some()
    }

    /// What the configuration says of the queue that the agent's last call came from.
    fn last_queue<R>(&self, index: AgentIndex, read: impl FnOnce(&Queue) -> R) -> Option<R> {
        let last = self.agents.get(index)?.last.as_ref()?;
        self.configs.now()?.queues.get(&last.queue).map(read)
    }

    fn disposition(&mut self, turn: &mut Turn<'_>, index: AgentIndex, code: u8) -> Option<&'static str> {
        let known = self.configs.now()?.dispositions.contains_key(&code);
        let agent = self.agents.get(index)?;
        let (id, last) = (agent.id.clone(), agent.last.clone().filter(|_| known)?);
        let actor = format!("agent {id}");
        let detail = Detail::Disposition { agent: id, queue: last.queue, code };
        self.note(turn, Some(last.call), None, &actor, detail);
        if let Some(last) = self.agents.get_mut(index).and_then(|a| a.last.as_mut()) {
            last.disposed = true;
        }
        self.agent(turn, index, Happening::Disposed, "disposition given");
        Some("disposition-noted")
    }

    /// Login code: toggles the agent of this phone; with an id, or at a phone without agent, the one who proves to be it.
    fn login_code(&mut self, turn: &mut Turn<'_>, call: CallKey, id: &str) {
        let here = self.agent_of_caller(call).filter(|index| {
            let agent = self.agents.get(*index);
            id.is_empty() || agent.is_some_and(|a| a.id == id)
        });
        let Some(index) = here else {
            let asked = if id.is_empty() {
                (Wants::AgentId, "agent-enter-id")
            } else {
                (Wants::AgentPin { id: id.to_string() }, "agent-enter-pin")
            };
            return self.ask(turn, call, asked.0, asked.1);
        };
        let Some((state, wish)) = self.agents.get(index).map(|a| (a.state, a.wish)) else { return };
        let (happening, prompt) = match (state, wish) {
            (State::LoggedOut, _) => (Happening::LogIn, "agent-logged-in"),
            // Who is busy with a call is logged out after it; asking once more takes that back.
            (_, Some(Wish::LogOut)) if state.is_engaged() => (Happening::GoReady, "agent-stays-logged-in"),
            _ if state.is_engaged() => (Happening::LogOut, "agent-logged-out-after"),
            _ => (Happening::LogOut, "agent-logged-out"),
        };
        let done = self.agent_wants(turn, index, happening, None, "feature code");
        self.announce_prompt(turn, call, if done { prompt } else { "code-refused" });
    }

    /// Logs an agent in at the phone that dialled; whoever worked there is logged out. None when somebody's call or
    /// offer stands in the way.
    pub(crate) fn login_here(&mut self, turn: &mut Turn<'_>, call: CallKey, id: &str) -> Option<&'static str> {
        let Origin::Extension(phone) = self.calls.get(call)?.origin.clone() else { return None };
        let index = self.agents.find(id)?;
        let state = self.agents.get(index)?.state;
        let busy = |state: State| state.is_engaged() || state.offer().is_some();
        if busy(state) {
            return None;
        }
        if let Some(other) = self.agents.at_extension(&phone).filter(|other| *other != index) {
            let engaged = self.agents.get(other).map(|a| a.state).filter(|s| *s != State::LoggedOut);
            if engaged.is_some_and(busy) {
                return None;
            }
            if engaged.is_some() {
                self.agent_by(turn, other, Happening::LogOut, Some(&format!("agent {id}")), "another agent logged in");
            }
        }
        let moved = state != State::LoggedOut;
        if moved {
            self.agent(turn, index, Happening::LogOut, "logged in at another phone");
        }
        self.agents.sit_at(index, Some(&phone));
        self.agent(turn, index, Happening::LogIn, "id and PIN");
        Some(if moved { "agent-id-taken" } else { "agent-logged-in" })
    }

    /// Says how many callers wait in the queues of this phone's agent, or in all queues of its supervisor.
    fn say_queue_callers(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        let Some(config) = self.configs.now() else { return };
        let agent = self.agent_of_caller(call).and_then(|index| self.agents.get(index)).map(|a| a.id.clone());
        let supervisor = self.supervisor_at(&config, call);
        let concerns = |name: &str, queue: &Queue| {
            agent.as_ref().is_some_and(|id| queue.agents.contains(id))
                || supervisor.as_ref().and_then(|id| config.supervisors.get(id)).is_some_and(|s| s.supervises(name))
        };
        let queues = config.queues.iter().filter(|(name, queue)| concerns(name, queue));
        let waiting: usize = queues.filter_map(|(name, _)| self.queues.get(name)).map(|q| q.waiting.len()).sum();
        let items = self.count_of_callers(&config, waiting);
        self.announce_items(turn, call, items);
    }

    fn count_of_callers(&self, config: &Config, waiting: usize) -> Vec<Item> {
        let language = config.system.language.tag().to_string();
        let item = |name: String| Item::Prompt { name, language: language.clone() };
        let (number, words) = match waiting {
            0 => (None, "no-caller-waiting"),
            1 => (Some("number-1".to_string()), "queue-caller"),
            // 两 counts, 二 numbers.
            2 => (Some("count-2".to_string()), "queue-callers"),
            3..=99 => (Some(format!("number-{waiting}")), "queue-callers"),
            _ => (None, "queue-callers-many"),
        };
        number.into_iter().chain([words.to_string()]).map(item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(called: &str) -> Option<Code> {
        parse(&Codes::preset(""), called).map(|(code, _)| code)
    }

    #[test]
    fn codes_with_their_digits() {
        assert_eq!(read("*45"), Some(Code::AgentLogin(String::new())));
        assert_eq!(read("*451001"), Some(Code::AgentLogin("1001".into())));
        assert_eq!(read("*46"), Some(Code::AgentNotReady(0)));
        assert_eq!(read("*462"), Some(Code::AgentNotReady(2)));
        assert_eq!(read("*4690"), None, "reasons from 90 on are the box's");
        assert_eq!(read("*503"), Some(Code::Disposition(3)));
        assert_eq!(read("*50"), Some(Code::Unfinished("*50".into())));
        assert_eq!(read("*50x"), None);
        let listen = Act::Monitor(MonitorMode::Listen, "1001".into());
        assert_eq!(read("*511001"), Some(Code::Supervise(listen)));
        assert_eq!(read("*51"), Some(Code::Unfinished("*51".into())));
        assert_eq!(read("*551001*2"), Some(Code::Supervise(Act::Force("1001".into(), 2))));
        assert_eq!(read("*551001*3"), None);
        assert_eq!(read("*568000*8001"), Some(Code::Supervise(Act::Move("8000".into(), "8001".into(), 1))));
        assert_eq!(read("*568000*8001*0"), None);
        assert_eq!(read("*578000*2*9"), Some(Code::Supervise(Act::Prioritise("8000".into(), 2, 9))));
        assert_eq!(read("*578000*2*11"), None);
        assert_eq!(read("*59"), Some(Code::Supervise(Act::Pick(String::new()))));
        assert_eq!(read("*598000"), Some(Code::Supervise(Act::Pick("8000".into()))));
        assert_eq!(read("*29"), Some(Code::Supervise(Act::Surge)));
        assert_eq!(read("8000"), None);
    }
}
