//! Which agent a caller spoke to last, for queues that send callers back to the same one. Bounded in number and age;
//! numbers are kept only where a queue asks for it.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use base::limits::ACQUAINTANCES_MAX;
use base::time::Wall;
use serde::{Deserialize, Serialize};

use crate::Pbx;
use crate::config::{Config, Queue as Wanted};
use crate::roster::AgentIndex;

const DAY_MS: i64 = 86_400_000;

/// By caller's number.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Acquaintances {
    by_number: BTreeMap<String, (AgentIndex, Wall)>,
    by_age: BTreeSet<(Wall, String)>,
}

impl Acquaintances {
    fn remember(&mut self, number: &str, agent: AgentIndex, now: Wall, days: u32) {
        if let Some((_, at)) = self.by_number.insert(number.to_string(), (agent, now)) {
            self.by_age.remove(&(at, number.to_string()));
        }
        self.by_age.insert((now, number.to_string()));
        let too_old = now.as_millis() - i64::from(days) * DAY_MS;
        while let Some((at, oldest)) = self.by_age.first().cloned() {
            if at.as_millis() > too_old && self.by_age.len() <= ACQUAINTANCES_MAX {
                return;
            }
            self.by_age.remove(&(at, oldest.clone()));
            self.by_number.remove(&oldest);
        }
    }

    fn recall(&self, number: &str, now: Wall, days: u32) -> Option<AgentIndex> {
        let (agent, at) = self.by_number.get(number)?;
        (now.as_millis() - at.as_millis() <= i64::from(days) * DAY_MS).then_some(*agent)
    }
}

impl Pbx {
    /// The agent whom this caller is to reach when possible: a VIP's own, or the one he spoke to last.
    pub(crate) fn preferred_agent(
        &self,
        config: &Config,
        wanted: &Wanted,
        number: &str,
        now: Wall,
    ) -> Option<AgentIndex> {
        let own = config.vips.get(number).and_then(|vip| vip.agent.as_deref());
        if let Some(index) = own.and_then(|id| self.agents.find(id)) {
            return Some(index);
        }
        if wanted.sticky_wait_s == 0 {
            return None;
        }
        self.acquaintances.recall(number, now, config.routing.sticky_days)
    }

    /// An agent and a caller were connected by a queue.
    pub(crate) fn acquaint(&mut self, config: &Config, wanted: &Wanted, number: &str, agent: AgentIndex, now: Wall) {
        if wanted.sticky_wait_s > 0 && config.routing.sticky_days > 0 && !number.is_empty() {
            self.acquaintances.remember(number, agent, now, config.routing.sticky_days);
        }
    }
}
