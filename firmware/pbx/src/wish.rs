//! What an agent, or a supervisor for him, wants to be: granted at once, or kept until what occupies the agent is over. The
//! states themselves are in `agent.rs`.

use alloc::format;
use alloc::string::ToString;

use crate::agent::{Happening, Wish};
use crate::event::Detail;
use crate::roster::AgentIndex;
use crate::{Pbx, Turn};

impl Pbx {
    /// The agent, or a supervisor for him, wants to be in another state. An offer under way is withdrawn first; during
    /// a call the wish is kept until the agent is free. Says whether it was granted, now or for later.
    pub(crate) fn agent_wants(
        &mut self,
        turn: &mut Turn<'_>,
        index: AgentIndex,
        wanted: Happening,
        actor: Option<&str>,
        why: &str,
    ) -> bool {
        let Some(state) = self.agents.get(index).map(|a| a.state) else { return false };
        let wish = match wanted {
            Happening::GoNotReady(reason) => Some(Some(Wish::NotReady(reason))),
            Happening::LogOut => Some(Some(Wish::LogOut)),
            Happening::GoReady => Some(None),
            _ => None,
        };
        if let (Some(Some(_)), Some(offer)) = (wish, state.offer()) {
            self.take_offer_back(turn, offer, "agent not ready");
        }
        // Without the offer an own call may be what occupies the agent.
        let engaged = self.agents.get(index).is_some_and(|a| a.state.is_engaged());
        if let (Some(wish), true) = (wish, engaged) {
            return self.agent_wishes(turn, index, wish, actor);
        }
        self.agent_by(turn, index, wanted, actor, why)
    }

    fn agent_wishes(
        &mut self,
        turn: &mut Turn<'_>,
        index: AgentIndex,
        wish: Option<Wish>,
        actor: Option<&str>,
    ) -> bool {
        let Some(agent) = self.agents.get_mut(index) else { return false };
        if agent.wish == wish {
            return false;
        }
        agent.wish = wish;
        let id = agent.id.clone();
        let actor = actor.map_or_else(|| format!("agent {id}"), ToString::to_string);
        let wish = wish.map_or_else(|| "ready".to_string(), Wish::name);
        self.note(turn, None, None, &actor, Detail::AgentWish { agent: id, wish });
        true
    }
}
