//! Supervisors, each with a desk phone: they listen, whisper, barge and take over by code and key, pick, move and prioritise
//! callers, and put agents into states. One has no phone of his own and proves by PIN who he is.

use super::centre::{QUEUES, ROAMING, SUPERVISORS, queue_number};
use super::plan::Plan;
use super::script::Script;
use super::world::{Event, World};
use base::media::MonitorMode;

impl World {
    /// Some supervisor does something, and the next act is planned.
    pub(super) fn supervise(&mut self) {
        if self.healing || self.plan.supervise_us_mean == 0 {
            return;
        }
        let gap_us = self.dice.exponential(self.plan.supervise_us_mean);
        self.plan_event(gap_us, Event::Supervise);
        let n = self.dice.below(u64::from(SUPERVISORS) + 1) as u32;
        let first = self.plan.agents as usize;
        let (index, id) = if n < SUPERVISORS {
            (first + n as usize, format!("{}", 9001 + n))
        } else {
            let free = u64::from(self.plan.office - SUPERVISORS);
            (first + SUPERVISORS as usize + self.dice.below(free) as usize, ROAMING.to_string())
        };
        if self.scripts.values().any(|s| s.supervisor.as_ref() == Some(&id)) {
            return;
        }
        let (code, mut after) = self.act();
        let mut script = Script { stay_us: after.stay_us, supervisor: Some(id.clone()), ..Script::default() };
        // Code and rest apart: the box asks for what is missing.
        let complete = ["*59", "*29", "*47"].iter().any(|whole| code.starts_with(whole));
        let (dialled, rest) = if !complete && self.dice.permille(150) { code.split_at(3) } else { (code.as_str(), "") };
        if !rest.is_empty() {
            script = script.type_in(&format!("{rest}#"), 2_000_000);
        }
        if id == ROAMING {
            let Some(pin) = self.config.supervisors.get(&id).and_then(|s| s.pin.clone()) else { return };
            script = script.type_in(&format!("{id}#"), 2_500_000).type_in(&format!("{pin}#"), 2_500_000);
            script.pin = Some(pin);
        }
        script.keys.append(&mut after.keys);
        self.dial_script(index, dialled, script);
    }

    fn act(&mut self) -> (String, Script) {
        let stay_us = 3_000_000 + self.dice.exponential(15_000_000);
        let mut script = Script { stay_us, ..Script::default() };
        let agent = self.somebody();
        let (a, b) = (self.number(), self.number());
        let position = self.dice.between(1, 3);
        let code = match self.dice.below(20) {
            n @ 0..=9 => {
                for _ in 0..self.dice.below(4) {
                    let pause_us = self.dice.between(800_000, 8_000_000);
                    let key = ['4', '5', '6', '6', '5', '7', '1'][self.dice.below(7) as usize];
                    script.keys.push((pause_us, key));
                }
                format!("*5{}{agent}", n % 3 + 1)
            }
            10 | 11 => format!("*54{agent}"),
            12 | 13 => {
                if position == 1 {
                    "*59".into()
                } else {
                    format!("*59{a}")
                }
            }
            14 | 15 => format!("*56{a}*{b}*{position}"),
            16 | 17 => format!("*57{a}*{position}*{}", self.dice.between(0, 10)),
            18 => format!("*55{agent}*{}", self.dice.below(3)),
            _ => {
                if position == 1 {
                    "*29".into()
                } else {
                    "*47".into()
                }
            }
        };
        (code, script)
    }

    fn number(&mut self) -> String {
        queue_number(self.dice.below(QUEUES as u64) as usize)
    }

    /// Mostly somebody who talks.
    fn somebody(&mut self) -> String {
        let talking: Vec<&String> =
            self.display.iter().filter(|(_, s)| matches!(s.as_str(), "talking" | "hold")).map(|(id, _)| id).collect();
        if talking.is_empty() || self.dice.permille(100) {
            return Plan::agent(self.dice.below(u64::from(self.plan.agents)) as u32);
        }
        talking[self.dice.below(talking.len() as u64) as usize].clone()
    }

    /// Who monitors is who the journal says, in the mode that it says, and is heard by nobody whom the mode does not
    /// let hear him.
    pub(super) fn monitors_rightly(&mut self) {
        let monitors: Vec<_> = self.media.monitors().collect();
        for (leg, of, mode) in monitors {
            let party = self.media.leg(leg).and_then(|l| l.remote).and_then(|r| self.party(r.addr));
            let supervisor = party.and_then(|key| self.scripts.get(&key)).and_then(|s| s.supervisor.clone());
            let done = match mode {
                MonitorMode::Listen => "listen",
                MonitorMode::Whisper => "whisper",
                MonitorMode::Barge => "barge",
            };
            // A phone that lost its power, or hung up, is still there for the box.
            let mut said = self.check.heard_by_supervisors().values();
            if let (Some(_), Some(id)) = (party, &supervisor)
                && !said.any(|(who, how)| who == id && how == done)
            {
                self.check.say(self.now_us, format!("{id} monitors by {done}, the journal says otherwise"));
            }
            let across = self.media.leg(of).and_then(|l| l.bridge);
            for other in [Some(of), across].into_iter().flatten() {
                let may = mode == MonitorMode::Barge || (mode == MonitorMode::Whisper && other == of);
                if self.media.heard_by(other).contains(&leg) && !may {
                    self.check.say(self.now_us, format!("{other:?} hears {leg:?}, who monitors {of:?} by {done}"));
                }
            }
        }
        let (engine, journal) = (self.media.monitors().count(), self.check.heard_by_supervisors().len());
        if engine != journal && self.away.is_none() {
            self.check.say(self.now_us, format!("{engine} legs monitor, by the journal {journal} do"));
        }
    }
}
