//! Calls of phones that no queue made, as far as they concern the agents who work there: counted by `roster.rs`, and what
//! follows for the agent's state is decided in `agent.rs`.

use crate::agent::{Happening, OwnCall};
use crate::call::Call;
use crate::leg::Role;
use crate::{Pbx, Turn};

impl OwnCall {
    /// What a leg in this role of this call is to the agent whose phone it is.
    pub(crate) fn of(call: &Call, role: Role) -> OwnCall {
        match (role, &call.outside) {
            (Role::Caller, Some(_)) => OwnCall::Outside,
            (Role::Caller | Role::Offered(_) | Role::Partner, _) => OwnCall::Inside,
        }
    }
}

impl Pbx {
    /// This extension's phone is in a call that no queue made: an offer that rings there beside it goes to somebody else.
    pub(crate) fn took_own_call(&mut self, turn: &mut Turn<'_>, extension: &str) {
        let agent = self.agents.at_extension(extension).and_then(|index| self.agents.get(index));
        if let Some(offer) = agent.and_then(|a| a.state.offer()).filter(|offer| !self.is_won(*offer)) {
            self.take_offer_back(turn, offer, "own call");
        }
    }

    /// A leg of this extension's phone began or ended outside queue offers.
    pub(crate) fn own_leg(&mut self, turn: &mut Turn<'_>, extension: &str, kind: OwnCall, began: bool) {
        let before = self.agents.own_call(extension);
        self.agents.count_own_leg(extension, kind, began);
        let why = match (kind, began) {
            _ if self.agents.own_call(extension) == before => return,
            (OwnCall::Inside, true) => "own call",
            (OwnCall::Inside, false) => "own call over",
            (OwnCall::Outside, true) => "outside call",
            (OwnCall::Outside, false) => "outside call over",
        };
        if let Some(index) = self.agents.at_extension(extension) {
            self.agent(turn, index, Happening::OwnCalls, why);
        }
    }
}
