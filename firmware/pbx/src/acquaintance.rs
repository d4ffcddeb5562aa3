//! Which agent a caller spoke to last, for queues that send callers back to the same one. Bounded in number and age; a
//! number is kept only while a queue asks for it, and goes when its time is over, whoever calls or does not.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use base::limits::ACQUAINTANCES_MAX;
use base::time::{Now, Wall};
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::Pbx;
use crate::config::{Config, Queue as Wanted};
use crate::roster::AgentIndex;
use crate::timers::Timer;

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
        self.forget(now, days);
    }

    /// Forgets who is too old, or one too many.
    fn forget(&mut self, now: Wall, days: u32) {
        while let Some((at, oldest)) = self.by_age.first().cloned() {
            if left_ms(at, now, days) > 0 && self.by_age.len() <= ACQUAINTANCES_MAX {
                return;
            }
            self.by_age.remove(&(at, oldest.clone()));
            self.by_number.remove(&oldest);
        }
    }

    fn recall(&self, number: &str, now: Wall, days: u32) -> Option<AgentIndex> {
        let (agent, at) = self.by_number.get(number)?;
        (left_ms(*at, now, days) > 0).then_some(*agent)
    }

    /// How long the oldest may still be remembered, in ms.
    fn oldest_left_ms(&self, now: Wall, days: u32) -> Option<i64> {
        self.by_age.first().map(|(at, _)| left_ms(*at, now, days))
    }
}

/// How long what was learned at `at` may still be remembered, in ms; none left from 0 down.
fn left_ms(at: Wall, now: Wall, days: u32) -> i64 {
    at.as_millis() + i64::from(days) * DAY_MS - now.as_millis()
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
    pub(crate) fn acquaint(&mut self, config: &Config, wanted: &Wanted, number: &str, agent: AgentIndex, now: Now) {
        if wanted.sticky_wait_s > 0 && config.routing.sticky_days > 0 && !number.is_empty() {
            self.acquaintances.remember(number, agent, now.wall, config.routing.sticky_days);
            self.forget_acquaintances(now);
        }
    }

    /// A number's time may be over, or the site wishes to remember for a shorter time, or not at all.
    pub(crate) fn forget_acquaintances(&mut self, now: Now) {
        let asked = |config: &Config| config.queues.values().any(|queue| queue.sticky_wait_s > 0);
        let config = self.configs.now().filter(|config| asked(config));
        let days = config.map_or(0, |config| config.routing.sticky_days);
        self.acquaintances.forget(now.wall, days);
        match self.acquaintances.oldest_left_ms(now.wall, days) {
            // The wall clock may be set back meanwhile; then it is looked again.
            Some(left_ms) => {
                let left = Duration::from_millis(left_ms.max(0).unsigned_abs());
                self.timers.set(Timer::Forget, now.at + left);
            }
            None => self.timers.clear(Timer::Forget),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::door::Input;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use base::time::Instant;

    fn at(s: u64) -> Now {
        Now { at: Instant::from_micros(s * 1_000_000), wall: Wall::from_millis(1_800_000_000_000 + s as i64 * 1_000) }
    }

    /// A box that remembers for so many days, and who spoke to whom at second 0.
    fn remembering(days: u32, number: &str) -> Pbx {
        let mut pbx = Pbx::new();
        configure(&mut pbx, days, 30, 0);
        let config = pbx.configs.now().unwrap();
        let agent = pbx.agents.find("1001").unwrap();
        pbx.acquaint(&config, &config.queues["support"], number, agent, at(0));
        pbx
    }

    fn configure(pbx: &mut Pbx, days: u32, wait_s: u32, s: u64) {
        let text = alloc::format!(
            "system {{ name test; }} sip {{ listen 127.0.0.1:5060; }} media {{ rtp-ports 20000-20099; }}
             routing {{ sticky-days {days}; }} agent 1001 {{ pin 4711; }}
             queue support {{ title Support; agents [ 1001 ]; sticky-wait-s {wait_s}; }}"
        );
        pbx.handle(at(s), Input::Configured(Arc::new(parse(&text).unwrap()), 1), &mut Vec::new());
    }

    #[test]
    fn a_number_goes_when_its_time_is_over_though_nobody_calls() {
        const DAY_S: u64 = 86_400;
        let mut pbx = remembering(2, "13800138000");
        assert_eq!(pbx.deadline(), Some(at(2 * DAY_S).at));
        pbx.handle(at(2 * DAY_S - 1), Input::Timer, &mut Vec::new());
        assert_eq!(pbx.acquaintances.by_number.len(), 1);
        pbx.handle(at(2 * DAY_S), Input::Timer, &mut Vec::new());
        assert!(pbx.acquaintances.by_number.is_empty() && pbx.acquaintances.by_age.is_empty());
        assert_eq!(pbx.deadline(), None);
    }

    #[test]
    fn a_wall_clock_that_was_set_back_is_waited_for() {
        let mut pbx = remembering(1, "13800138000");
        let early = Now { wall: at(82_800).wall, ..at(86_400) };
        pbx.handle(early, Input::Timer, &mut Vec::new());
        assert_eq!(pbx.acquaintances.by_number.len(), 1);
        assert_eq!(pbx.deadline(), Some(early.at + Duration::from_secs(3_600)));
    }

    #[test]
    fn no_days_or_no_queue_that_asks_forget_at_once() {
        for (days, wait_s) in [(0, 30), (7, 0)] {
            let mut pbx = remembering(7, "13800138000");
            configure(&mut pbx, days, wait_s, 5);
            assert!(pbx.acquaintances.by_number.is_empty() && pbx.acquaintances.by_age.is_empty());
            assert_eq!(pbx.deadline(), None);
        }
        let mut pbx = remembering(7, "13800138000");
        configure(&mut pbx, 3, 30, 5);
        assert_eq!(pbx.acquaintances.by_number.len(), 1);
        assert_eq!(pbx.deadline(), Some(at(3 * 86_400).at));
    }
}
