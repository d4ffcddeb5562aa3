//! Digits that a caller is asked for: agent id and PIN, supervisor id and PIN, the rest of a feature code. `#` ends them.
//! What is secret is not written down.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use base::media::PlayId;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::call::{CallKey, Phase};
use crate::code::{self, Act};
use crate::config::Config;
use crate::dialplan::{Meaning, Route};
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// Pause after a digit, or after the request, until what was pressed counts as all.
const DIGIT_WAIT: Duration = Duration::from_secs(8);
/// Longest that anybody can be asked for.
const DIGITS_MAX: usize = 32;
/// Wrong ids or PINs in one call.
const TRIES_MAX: u32 = 3;

/// What the digits are for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Wants {
    /// Who logs in.
    AgentId,
    /// Proof of it.
    AgentPin { id: String },
    /// Who supervises.
    SupervisorId { act: Act },
    /// Proof of it.
    SupervisorPin { id: String, act: Act },
    /// What belongs behind a code.
    Rest { begun: String },
}

impl Wants {
    fn is_secret(&self) -> bool {
        match self {
            Wants::AgentPin { .. } | Wants::SupervisorPin { .. } => true,
            Wants::AgentId | Wants::SupervisorId { .. } | Wants::Rest { .. } => false,
        }
    }

    /// The prompt that asks for it.
    fn prompt(&self) -> &'static str {
        match self {
            Wants::AgentId | Wants::SupervisorId { .. } => "agent-enter-id",
            Wants::AgentPin { .. } | Wants::SupervisorPin { .. } => "agent-enter-pin",
            Wants::Rest { .. } => "code-enter-number",
        }
    }
}

/// A caller who is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Ask {
    pub wants: Wants,
    pub typed: String,
    /// Wrong ones so far.
    pub tries: u32,
    /// The request; its end starts the pause.
    pub play: Option<PlayId>,
}

impl Pbx {
    /// Asks the caller for digits.
    pub(crate) fn ask(&mut self, turn: &mut Turn<'_>, call: CallKey, wants: Wants, prompt: &str) {
        self.ask_again(turn, call, wants, &[prompt], 0);
    }

    fn ask_again(&mut self, turn: &mut Turn<'_>, call: CallKey, wants: Wants, prompts: &[&str], tries: u32) {
        let Some(caller) = self.accept_caller(turn, call) else { return };
        let items = prompts.iter().map(|name| self.prompt(call, name)).collect();
        let play = self.play(turn, caller, items, false);
        self.enter(call, Phase::Asking(Ask { wants, typed: String::new(), tries, play }));
        // Should the prompt never report its end, the caller is not kept for ever.
        self.timers.set(Timer::Asking(call), turn.now.at + DIGIT_WAIT * 2);
    }

    /// The request has been heard.
    pub(crate) fn asked(&mut self, turn: &mut Turn<'_>, call: CallKey, said: PlayId) {
        if let Some(Phase::Asking(ask)) = self.calls.get(call).map(|c| &c.phase)
            && ask.play == Some(said)
        {
            self.timers.set(Timer::Asking(call), turn.now.at + DIGIT_WAIT);
        }
    }

    /// Whether what this caller presses now is nobody else's business.
    pub(crate) fn types_secret(&self, call: CallKey) -> bool {
        matches!(self.calls.get(call).map(|c| &c.phase), Some(Phase::Asking(ask)) if ask.wants.is_secret() || ask.tries > 0)
    }

    /// The caller pressed a key.
    pub(crate) fn asked_key(&mut self, turn: &mut Turn<'_>, call: CallKey, key: char) {
        let Some(Phase::Asking(ask)) = self.calls.get_mut(call).map(|c| &mut c.phase) else { return };
        if key == '#' {
            return self.typed(turn, call);
        }
        if ask.typed.len() < DIGITS_MAX {
            ask.typed.push(key);
        }
        if ask.play.take().is_some()
            && let Some(caller) = self.caller_leg(call)
        {
            self.stop_play(turn, caller);
        }
        self.timers.set(Timer::Asking(call), turn.now.at + DIGIT_WAIT);
    }

    /// Nothing more was pressed: what is there counts.
    pub(crate) fn asking_over(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        self.typed(turn, call);
    }

    fn typed(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        let Some(Phase::Asking(ask)) = self.calls.get(call).map(|c| c.phase.clone()) else { return };
        let Some(config) = self.configs.now() else { return };
        let Ask { wants, typed, tries, .. } = ask;
        if typed.is_empty() {
            return self.announce_prompt(turn, call, "code-refused");
        }
        match wants {
            Wants::AgentId => self.ask_again(turn, call, Wants::AgentPin { id: typed }, &["agent-enter-pin"], tries),
            Wants::SupervisorId { act } => {
                let wants = Wants::SupervisorPin { id: typed, act };
                self.ask_again(turn, call, wants, &["agent-enter-pin"], tries);
            }
            Wants::AgentPin { id } if agent_pin(&config, &id).is_some_and(|pin| pin == typed) => {
                let prompt = self.login_here(turn, call, &id).unwrap_or("code-refused");
                self.announce_prompt(turn, call, prompt);
            }
            Wants::SupervisorPin { id, act } if supervisor_pin(&config, &id).is_some_and(|pin| pin == typed) => {
                self.act_as(turn, call, &id, &act);
            }
            Wants::AgentPin { id } => self.wrong_pin(turn, call, (Wants::AgentId, id), tries + 1),
            Wants::SupervisorPin { id, act } => {
                self.wrong_pin(turn, call, (Wants::SupervisorId { act }, id), tries + 1);
            }
            Wants::Rest { begun } => self.finish_code(turn, call, &config, &begun, &typed),
        }
    }

    /// An unknown id and a wrong PIN sound the same.
    fn wrong_pin(&mut self, turn: &mut Turn<'_>, call: CallKey, (again, id): (Wants, String), tries: u32) {
        if tries < TRIES_MAX {
            let next = again.prompt();
            return self.ask_again(turn, call, again, &["agent-wrong-pin", next], tries);
        }
        let phone = self.caller_leg(call).map_or_else(String::new, |leg| self.actor_of(leg));
        // What is no id may be a PIN that was typed too early.
        let known = self.configs.now().is_some_and(|c| c.agents.contains_key(&id) || c.supervisors.contains_key(&id));
        self.raise_alarm(turn, "wrong-pin", &phone, if known { &id } else { "?" });
        self.announce_prompt(turn, call, "agent-wrong-pin");
    }

    fn finish_code(&mut self, turn: &mut Turn<'_>, call: CallKey, config: &Config, begun: &str, typed: &str) {
        let called = format!("{begun}{typed}");
        match code::parse(&config.codes, &called) {
            Some((code::Code::Unfinished(_), _)) | None => self.announce_prompt(turn, call, "code-refused"),
            Some((code, why)) => {
                self.route_call(turn, call, Route { meaning: Meaning::Code(code), why: format!("{why}, {typed}") });
            }
        }
    }

    /// Prompts one after the other, then the call is released.
    pub(crate) fn announce_items(&mut self, turn: &mut Turn<'_>, call: CallKey, items: vec::Vec<base::media::Item>) {
        if self.accept_caller(turn, call).is_some() {
            let time = Duration::from_secs(30);
            self.announce(turn, call, items, crate::call::Disposition::Answered, time);
        }
    }
}

fn agent_pin<'c>(config: &'c Config, id: &str) -> Option<&'c str> {
    config.agents.get(id)?.pin.as_deref()
}

fn supervisor_pin<'c>(config: &'c Config, id: &str) -> Option<&'c str> {
    config.supervisors.get(id)?.pin.as_deref()
}
