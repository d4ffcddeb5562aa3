//! What is done and watched at the `>` prompt: ending and acknowledging, switches, acts of weight behind a question, live
//! views, and what a technician wants. Whatever changes the box is on record with who did it.

use super::{Answer, Session};
use crate::console::draft;
use crate::console::grammar::{Act, Said};
use crate::console::keys::Key;
use crate::console::show;
use crate::console::sources::Sources;
use pbx::config::document::Document;
use pbx::config::show::Secrets;
use pbx::door;
use pbx::switch::Mode;
use pbx::text::console as key;
use std::net::Ipv4Addr;

/// Echoes of one `ping`.
const PINGS: usize = 5;
/// Facts in a live view, and in the diagnostics.
const LOG_LINES: u64 = 20;
const BUNDLE_LINES: u64 = 500;
/// Homes the cursor and clears to the end of the screen.
const REDRAW: &str = "\x1b[H\x1b[J";

/// A live view.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Watch {
    what: Act,
    name: Option<String>,
    /// As it was drawn last.
    shown: String,
}

impl<S: Sources> Session<S> {
    /// One of the commands of the `>` prompt that do or watch something.
    pub(super) fn operate(&mut self, said: &Said) -> Answer {
        let one = said.words.first().cloned().unwrap_or_default();
        match said.act {
            Act::ClearAlarm => self.clear_alarm(&one, said.words.get(1..).unwrap_or_default()),
            Act::ClearCall => self.clear_call(&one),
            Act::ClearAgent => self.acts(door::Act::LogOut { agent: one }),
            Act::RequestSurge => match one.as_str() {
                "on" | "off" => self.acts(door::Act::Surge { on: one == "on", until: None }),
                word => Err(self.say().text(key::SWITCH_BAD, &[("word", word)])),
            },
            Act::RequestMode => match Mode::ALL.into_iter().find(|mode| mode.word() == one) {
                Some(mode) => self.acts(door::Act::Mode { mode, until: None }),
                None => Err(self.say().text(key::MODE_BAD, &[("word", &one)])),
            },
            Act::RequestRestart => self.ask(said.act, key::ASK_RESTART),
            Act::FactoryKeep => self.ask(said.act, key::ASK_FACTORY_KEEP),
            Act::FactoryErase => self.ask(said.act, key::ASK_FACTORY_ERASE),
            Act::MonitorQueue | Act::MonitorCalls | Act::MonitorLog => {
                let name = said.words.first().cloned();
                self.watch = Some(Watch { what: said.act, name, shown: String::new() });
                self.look_again();
                Ok(String::new())
            }
            Act::Ping => self.ping(&one),
            Act::Bundle => self.bundle(&one),
            _ => Ok(String::new()),
        }
    }

    fn acts(&mut self, act: door::Act) -> Answer {
        let actor = self.actor();
        self.sources.operate(&actor, act);
        Ok(self.say().plain(key::DONE).to_string())
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
        let actor = self.actor();
        for alarm in found {
            let (name, subject) = (alarm.name.clone(), alarm.subject.clone());
            let about = format!("{name} {subject}").trim_end().to_string();
            self.sources.operate(&actor, door::Act::Acknowledge { name, subject });
            self.sources.operate(&actor, door::Act::Audit { what: "acknowledge".into(), about });
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

    /// Draws a live view when it has changed.
    pub(super) fn look_again(&mut self) {
        let Some(Watch { what, name, shown }) = self.watch.clone() else { return };
        let (language, say) = (self.language(), self.say());
        let told = match (what, name) {
            (Act::MonitorQueue, None) => self.glance().map(|glance| show::queues(&glance, say)),
            (Act::MonitorQueue, Some(name)) => {
                self.glance().and_then(|g| show::queue(&g, &name, say).map_err(|why| why.render(language)))
            }
            (Act::MonitorCalls, _) => self.glance().map(|glance| show::calls(&glance, say)),
            _ => self.sources.recent(LOG_LINES, language),
        };
        let text = show::hidden(&told.unwrap_or_else(|why| why));
        if text == shown {
            return;
        }
        let page = self.screen.page();
        if page.is_some() {
            self.out.push_str(REDRAW);
        }
        let lines: Vec<&str> = text.lines().take(page.unwrap_or(usize::MAX)).collect();
        self.print(&lines.join("\n"));
        if let Some(watch) = &mut self.watch {
            watch.shown = text;
        }
    }

    /// Any key ends a live view.
    pub(super) fn watched(&mut self, _: Key) -> bool {
        let ended = self.watch.take().is_some();
        if ended {
            self.draw(true);
        }
        ended
    }

    fn ping(&mut self, word: &str) -> Answer {
        let address: Ipv4Addr = word.parse().map_err(|_| self.say().text(key::ADDRESS_BAD, &[("word", word)]))?;
        let (say, mut told, mut heard) = (self.say(), String::new(), 0);
        for _ in 0..PINGS {
            let line = match self.sources.ping(address) {
                Ok(took) => {
                    heard += 1;
                    let ms = format!("{:.1}", took.as_secs_f64() * 1_000.0);
                    say.text(key::PING_ANSWER, &[("address", word), ("ms", &ms)])
                }
                Err(why) => say.text(key::PING_NONE, &[("address", word), ("why", &why)]),
            };
            told.push_str(&line);
            told.push('\n');
        }
        let (sent, heard) = (PINGS.to_string(), heard.to_string());
        Ok(format!("{told}{}\n", say.text(key::PING_SUM, &[("sent", &sent), ("heard", &heard)])))
    }

    /// One file with what a technician asks for; no secret and no number of a person is in it.
    fn bundle(&mut self, place: &str) -> Answer {
        let (language, say) = (self.language(), self.say());
        let glance = self.glance()?;
        let machine = self.sources.machine();
        let stored = self.in_force()?;
        let document: Document = draft::read(&stored, language)?;
        let recent = self.sources.recent(BUNDLE_LINES, language)?;
        let parts = [
            ("system", show::system(&glance, &machine, Some(stored.number), say)),
            ("alarms", show::alarms(&glance, say)),
            ("phones", show::phones(&glance, say)),
            ("queues", show::queues(&glance, say)),
            ("agents", show::agents(&glance, say)),
            ("calls", show::hidden(&show::calls(&glance, say))),
            ("commits", self.show_commits()?),
            ("configuration", document.print(Secrets::Masked)),
            ("log", show::hidden(&recent)),
        ];
        let text: String = parts.iter().map(|(name, text)| format!("=== {name}\n{text}\n")).collect();
        let path = self.sources.save(place, &text, language)?;
        self.audit("support-bundle", place);
        Ok(say.text(key::BUNDLED, &[("path", &path)]))
    }
}
