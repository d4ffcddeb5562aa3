//! What is done at the `>` prompt: ending and acknowledging, switches, acts of weight behind a question. Whatever changes
//! the box is on record with who did it. Not what goes on until a key: that is beside it.

use super::{Answer, Session};
use crate::console::grammar::{Act, Said};
use crate::console::sources::{Sources, Stop};
use base::time::Wall;
use pbx::door;
use pbx::switch::Mode;
use pbx::text::console as key;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// `18:00`, `7:05`
fn minute_of_day(word: &str) -> Option<i64> {
    let (hour, minute) = word.split_once(':').filter(|(_, minute)| minute.len() == 2)?;
    let number = |word: &str, end: u32| {
        let digits = word.bytes().all(|b| b.is_ascii_digit());
        word.parse::<u32>().ok().filter(|number| digits && *number < end)
    };
    Some(i64::from(number(hour, 24)? * 60 + number(minute, 60)?))
}

impl<S: Sources> Session<S> {
    /// One of the commands of the `>` prompt that do or watch something.
    pub(super) fn operate(&mut self, said: &Said) -> Answer {
        let one = said.words.first().cloned().unwrap_or_default();
        match said.act {
            Act::ClearAlarm => self.clear_alarm(&one, said.words.get(1..).unwrap_or_default()),
            Act::ClearCall => self.clear_call(&one),
            Act::ClearAgent => self.clear_agent(one),
            Act::RequestSurge => match one.as_str() {
                "on" | "off" => {
                    let until = self.until(said.words.get(1))?;
                    self.acts(door::Act::Surge { on: one == "on", until })
                }
                word => Err(self.say().text(key::SWITCH_BAD, &[("word", word)])),
            },
            Act::RequestMode => match Mode::ALL.into_iter().find(|mode| mode.word() == one) {
                Some(mode) => {
                    let until = self.until(said.words.get(1))?;
                    self.acts(door::Act::Mode { mode, until })
                }
                None => Err(self.say().text(key::MODE_BAD, &[("word", &one)])),
            },
            Act::RequestRestart => self.ask(said.act, key::ASK_RESTART),
            Act::FactoryKeep => self.ask(said.act, key::ASK_FACTORY_KEEP),
            Act::FactoryErase => self.ask(said.act, key::ASK_FACTORY_ERASE),
            Act::RequestStop => self.ask(said.act, key::ASK_STOP),
            Act::RequestStopIdle => self.ask(said.act, key::ASK_STOP_IDLE),
            Act::RequestStopCancel => self.stop(Stop::Not),
            Act::Ping => self.ping(&one, said.words.get(1).map(String::as_str)),
            act if act.is_live() => self.monitor(act, said.words.first().map(String::as_str)),
            Act::Bundle => self.bundle(&one),
            _ => Ok(String::new()),
        }
    }

    /// When it is that time of day at the site next; none without a word.
    fn until(&mut self, word: Option<&String>) -> Result<Option<Wall>, String> {
        let Some(word) = word else { return Ok(None) };
        let glance = self.glance()?;
        let bad = || self.say().text(key::CLOCK_BAD, &[("word", word)]);
        let minute = minute_of_day(word).ok_or_else(bad)?;
        let east_ms = i64::from(glance.config.system.utc_offset_min) * MINUTE_MS;
        let now = glance.now.wall.as_millis() + east_ms;
        let today = now - now.rem_euclid(DAY_MS) + minute * MINUTE_MS;
        let next = if today > now { today } else { today + DAY_MS };
        Ok(Some(Wall::from_millis(next - east_ms)))
    }

    fn acts(&mut self, act: door::Act) -> Answer {
        let actor = self.actor();
        let taken = self.sources.operate(&actor, act);
        let told = self.say().plain(if taken { key::DONE } else { key::NO_ANSWER }).to_string();
        if taken { Ok(told) } else { Err(told) }
    }

    fn clear_agent(&mut self, agent: String) -> Answer {
        if !self.glance()?.config.agents.contains_key(&agent) {
            return Err(self.say().text(key::NO_AGENT, &[("name", &agent)]));
        }
        self.acts(door::Act::LogOut { agent })
    }

    fn clear_alarm(&mut self, name: &str, subject: &[String]) -> Answer {
        let subject = subject.join(" ");
        let up = self.glance()?.alarms;
        let fits =
            |alarm: &&pbx::alarm::AlarmNow| alarm.name == name && (subject.is_empty() || alarm.subject == subject);
        let found: Vec<_> = up.iter().filter(fits).collect();
        if found.is_empty() {
            return Err(self.say().text(key::NO_ALARM, &[("name", name)]));
        }
        for alarm in found {
            let (name, subject) = (alarm.name.clone(), alarm.subject.clone());
            self.audit("acknowledge", format!("{name} {subject}").trim_end());
            self.acts(door::Act::Acknowledge { name, subject })?;
        }
        Ok(self.say().plain(key::DONE).to_string())
    }

    /// By its identity, or how it begins or ends, when only one call fits.
    fn clear_call(&mut self, name: &str) -> Answer {
        let wanted = name.to_ascii_uppercase();
        let calls = self.glance()?.standing.calls;
        let fits = |text: &str| text.starts_with(&wanted) || text.ends_with(&wanted);
        let mut found = calls.keys().filter(|uid| fits(&uid.to_string()));
        match (found.next(), found.next()) {
            (Some(call), None) => self.acts(door::Act::HangUp { call: *call }),
            _ => Err(self.say().text(key::NO_CALL, &[("name", name)])),
        }
    }

    fn ask(&mut self, act: Act, what: pbx::text::Key) -> Answer {
        self.asked = Some(act);
        Ok(self.say().text(key::ASKED, &[("what", self.say().plain(what))]))
    }

    /// The answer to a question: only the whole word does it.
    pub(super) fn answered(&mut self, act: Act, line: &str) {
        let (language, who) = (self.language(), self.who().to_string());
        if line.trim() != "yes" {
            let told = self.say().plain(key::NOT_DONE).to_string();
            return self.print(&told);
        }
        if let Err(why) = self.allowed(act) {
            return self.print(&why);
        }
        let done = match act {
            Act::RequestRestart => {
                self.audit("restart", "");
                if self.sources.restart() { Ok(key::DONE_AWAY) } else { Ok(key::NO_ANSWER) }
            }
            Act::RequestStop | Act::RequestStopIdle => {
                let when = if act == Act::RequestStop { Stop::Now } else { Stop::WhenIdle };
                let told = self.stop(when).unwrap_or_else(|why| why);
                return self.print(&told);
            }
            Act::FactoryKeep => self.sources.factory(&who, false, language).map(|()| key::DONE),
            Act::FactoryErase => self.sources.factory(&who, true, language).map(|()| key::DONE_AWAY),
            _ => Ok(key::NOT_DONE),
        };
        let told = match done {
            Ok(told) => self.say().plain(told).to_string(),
            Err(why) => why.render(language),
        };
        self.print(&told);
    }

    fn stop(&mut self, when: Stop) -> Answer {
        let (what, told) = match when {
            Stop::Now => ("stop", key::DONE_AWAY),
            Stop::WhenIdle => ("stop-when-idle", key::STOP_WAITS),
            Stop::Not => ("stop-cancel", key::STOP_CANCELLED),
        };
        self.audit(what, "");
        let told = if self.sources.stop(when) { Ok(told) } else { Err(key::NO_ANSWER) };
        let words = |told| self.say().plain(told).to_string();
        told.map(words).map_err(words)
    }
}
