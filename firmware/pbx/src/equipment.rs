//! What is connected to the box and how it is switched: lines, phones, the surge profile, and what somebody at the box
//! itself may do about it. Plain values, made here from the live tables, as [`crate::standing`] makes those of calls.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::line::PortId;

use crate::config::{AlarmName, Config};
use crate::door::Act;
use crate::event::Detail;
use crate::{Pbx, Turn, line};

/// A port of a line card.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineNow {
    /// Which.
    pub port: PortId,
    /// What it does.
    pub state: LineState,
}

/// What a line does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineState {
    /// Nothing; it may be called.
    Idle,
    /// A call has it.
    Busy,
    /// The exchange does not feed it, or its interface fails.
    OutOfService,
}

/// An extension.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PhoneNow {
    /// Which.
    pub extension: String,
    /// Phones registered for it.
    pub registered: usize,
}

impl Pbx {
    /// The configuration in force; none before the first `Configured`.
    pub fn config(&self) -> Option<Arc<Config>> {
        self.configs.now()
    }

    /// The surge profile is on.
    pub fn surge_is_on(&self) -> bool {
        self.surge
    }

    /// Ports of line cards, in order.
    pub fn lines_now(&self) -> Vec<LineNow> {
        let state = |port: &PortId, busy: bool| match (self.line_is_down(*port), busy) {
            (true, _) => LineState::OutOfService,
            (false, true) => LineState::Busy,
            (false, false) => LineState::Idle,
        };
        self.lines
            .iter()
            .map(|(port, line)| LineNow { port: *port, state: state(port, line.call().is_some()) })
            .collect()
    }

    fn line_is_down(&self, port: PortId) -> bool {
        let subject = line::subject(port);
        [AlarmName::LineBattery, AlarmName::LineFault].iter().any(|name| self.alarms.is_up(*name, &subject))
    }

    /// Extensions of the configuration in force, in order.
    pub fn phones_now(&self) -> Vec<PhoneNow> {
        let config = self.configs.now();
        let extensions = config.iter().flat_map(|config| config.extensions.keys());
        let phone = |name: &String| PhoneNow { extension: name.to_string(), registered: self.sip.contacts(name).len() };
        extensions.map(phone).collect()
    }

    /// Somebody at the box acts.
    pub(crate) fn operate(&mut self, turn: &mut Turn<'_>, actor: &str, act: &Act) {
        match act {
            Act::Surge { on } if *on != self.surge => self.set_surge(turn, actor, *on),
            Act::Surge { .. } => {}
            Act::Acknowledge { name, subject } => self.acknowledge(name, subject),
            Act::Audit { what, about } => self.audit(turn, actor, what, about),
        }
    }

    /// Switches the surge profile.
    pub(crate) fn set_surge(&mut self, turn: &mut Turn<'_>, actor: &str, on: bool) {
        self.surge = on;
        self.unmatched = true;
        self.staffing_changed = true;
        self.note(turn, None, None, actor, Detail::Surge { on });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AlarmSeverity;
    use crate::door::{Input, Output, Trouble, TroubleKind};
    use base::time::{Instant, Now, Wall};

    fn at(s: u64) -> Now {
        Now { at: Instant::from_micros(s * 1_000_000), wall: Wall::from_millis(s as i64 * 1_000) }
    }

    fn act(pbx: &mut Pbx, s: u64, act: Act) -> Vec<Output> {
        let mut out = Vec::new();
        pbx.handle(at(s), Input::Operator { actor: "panel".into(), act }, &mut out);
        out
    }

    #[test]
    fn surge_is_switched_once_and_noted_with_its_actor() {
        let mut pbx = Pbx::new();
        let out = act(&mut pbx, 1, Act::Surge { on: true });
        assert!(
            matches!(&out[..], [Output::Record(e)] if e.actor == "panel" && e.detail == Detail::Surge { on: true })
        );
        assert!(pbx.surge_is_on() && act(&mut pbx, 2, Act::Surge { on: true }).is_empty());
        assert_eq!(act(&mut pbx, 3, Act::Surge { on: false }).len(), 1);
    }

    #[test]
    fn alarms_are_newest_first_and_acknowledged_until_they_come_again() {
        let mut pbx = Pbx::new();
        let trouble = |pbx: &mut Pbx, s: u64, kind, raised| {
            let trouble = Trouble { kind, raised, detail: "disk full".into() };
            pbx.handle(at(s), Input::Trouble(trouble), &mut Vec::new());
        };
        trouble(&mut pbx, 1, TroubleKind::StoreWrite, true);
        trouble(&mut pbx, 2, TroubleKind::Highway, true);
        let names = |pbx: &Pbx| pbx.alarms().into_iter().map(|a| (a.name, a.acknowledged)).collect::<Vec<_>>();
        assert_eq!(names(&pbx), [("highway".into(), false), ("store-write".into(), false)]);
        act(&mut pbx, 3, Act::Acknowledge { name: "store-write".into(), subject: "".into() });
        act(&mut pbx, 3, Act::Acknowledge { name: "no such".into(), subject: "".into() });
        assert_eq!(names(&pbx), [("highway".into(), false), ("store-write".into(), true)]);
        assert!(pbx.alarms()[1].words(crate::config::Language::En).contains("disk full"));
        trouble(&mut pbx, 4, TroubleKind::StoreWrite, false);
        trouble(&mut pbx, 5, TroubleKind::StoreWrite, true);
        assert_eq!(names(&pbx)[0], ("store-write".into(), false));
    }

    #[test]
    fn the_site_says_how_heavy_an_alarm_is_and_whether_it_sounds() {
        let mut pbx = Pbx::new();
        let trouble = Trouble { kind: TroubleKind::StoreWrite, raised: true, detail: "disk full".into() };
        pbx.handle(at(1), Input::Trouble(trouble), &mut Vec::new());
        let seen = |pbx: &Pbx| pbx.alarms().into_iter().map(|a| (a.severity, a.buzzer)).collect::<Vec<_>>();
        assert_eq!(seen(&pbx), [(AlarmSeverity::Critical, true)], "before there is a configuration");
        let mut commit = |rules: &str| {
            let text = alloc::format!("sip {{ listen 127.0.0.1:5060; }} {rules}");
            let config = crate::config::parse(&text).unwrap();
            pbx.handle(at(2), Input::Configured(config.into(), 1), &mut Vec::new());
            seen(&pbx)
        };
        assert_eq!(commit("alarm highway { buzzer no; severity warning; }"), [(AlarmSeverity::Critical, true)]);
        assert_eq!(commit("alarm store-write { buzzer no; }"), [(AlarmSeverity::Critical, false)]);
        assert_eq!(commit("alarm store-write { severity warning; }"), [(AlarmSeverity::Warning, true)]);
    }
}
