//! Whom each caller spoke to last, as the rows tell.

use base::time::Wall;
use std::collections::BTreeMap;

/// By caller's number.
#[derive(Debug, Default)]
pub struct Memory {
    last: BTreeMap<String, (String, i64)>,
}

const DAY_MS: i64 = 86_400_000;
/// The wall clock steps by hours here: so close to the end of a memory nothing is certain.
const VAGUE_MS: i64 = 12 * 3_600_000;

impl Memory {
    /// A caller was connected with an agent.
    pub fn remember(&mut self, number: &str, agent: &str, wall: Wall) {
        if !number.is_empty() {
            self.last.insert(number.to_string(), (agent.to_string(), wall.as_millis()));
        }
    }

    /// The agent of a caller, and whether that is uncertain.
    pub fn recall(&self, number: &str, wall: Wall, days: u32) -> (Option<String>, bool) {
        let Some((agent, at_ms)) = self.last.get(number) else { return (None, false) };
        let left_ms = at_ms + i64::from(days) * DAY_MS - wall.as_millis();
        ((left_ms >= 0).then(|| agent.clone()), left_ms.abs() < VAGUE_MS)
    }
}
