//! Feature codes: what a phone dials to change the state of its agent. Each is a short call that is answered, says
//! what happened, and ends.

use crate::agent::{Happening, State};
use crate::call::{CallKey, Origin};
use crate::dialplan::Code;
use crate::{Pbx, Turn};

/// Not-ready reason when the code was dialled without one.
const REASON_NONE_GIVEN: u8 = 9;

impl Pbx {
    /// The caller dialled a code.
    pub(crate) fn feature_code(&mut self, turn: &mut Turn<'_>, call: CallKey, code: &Code) {
        let prompt = self.obey(turn, call, code).unwrap_or("code-refused");
        self.announce_prompt(turn, call, prompt);
    }

    /// Does what the code says; the prompt that tells so, or none when it could not be done.
    fn obey(&mut self, turn: &mut Turn<'_>, call: CallKey, code: &Code) -> Option<&'static str> {
        let Origin::Extension(extension) = &self.calls.get(call)?.origin else { return None };
        let index = self.agents.at_extension(extension)?;
        let state = self.agents.get(index)?.state;
        let (happening, prompt) = match (code, state) {
            (Code::AgentLogin, State::LoggedOut) => (Happening::LogIn, "agent-logged-in"),
            (Code::AgentLogin, _) => (Happening::LogOut, "agent-logged-out"),
            (Code::AgentNotReady(0), State::NotReady { .. }) => (Happening::GoReady, "agent-ready"),
            (Code::AgentNotReady(0), _) => (Happening::GoNotReady(REASON_NONE_GIVEN), "agent-not-ready"),
            (Code::AgentNotReady(reason), _) => (Happening::GoNotReady(*reason), "agent-not-ready"),
            (Code::WrapUpFinish, _) => (Happening::WrapUpOver, "wrap-up-finished"),
        };
        self.agent(turn, index, happening, "feature code").then_some(prompt)
    }
}
