//! What is connected to the box and how it stands: lines and phones, and what somebody at the box
//! itself may do about it. Plain values, made here from the live tables, as [`crate::standing`] makes those of calls.

use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::id::Uid;
use base::line::PortId;

use crate::agent::Happening;
use crate::call::Origin;
use crate::config::Config;
use crate::door::Act;
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

/// A trunk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TrunkNow {
    /// Its name.
    pub trunk: String,
    /// Calls that came by it.
    pub calls_in: usize,
    /// Calls that left by it.
    pub calls_out: usize,
}

impl Pbx {
    /// The configuration in force; none before the first `Configured`.
    pub fn config(&self) -> Option<Arc<Config>> {
        self.configs.now()
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
        ["line-battery", "line-fault"].iter().any(|name| self.alarms.is_up(name, &subject))
    }

    /// Extensions of the configuration in force, in order.
    pub fn phones_now(&self) -> Vec<PhoneNow> {
        let config = self.configs.now();
        let extensions = config.iter().flat_map(|config| config.extensions.keys());
        let phone = |name: &String| PhoneNow { extension: name.to_string(), registered: self.sip.contacts(name).len() };
        extensions.map(phone).collect()
    }

    /// Trunks of the configuration in force, in order.
    pub fn trunks_now(&self) -> Vec<TrunkNow> {
        let live = || self.calls.iter().map(|(_, call)| call).filter(|call| !call.is_over());
        let trunk = |name: &String| TrunkNow {
            trunk: name.clone(),
            calls_in: live().filter(|call| matches!(&call.origin, Origin::Trunk(from) if from == name)).count(),
            calls_out: live().filter(|call| call.outside.as_ref().is_some_and(|way| way.trunk == *name)).count(),
        };
        let config = self.configs.now();
        config.iter().flat_map(|config| config.trunks.keys()).map(trunk).collect()
    }

    /// Somebody at the box acts.
    pub(crate) fn operate(&mut self, turn: &mut Turn<'_>, actor: &str, act: &Act) {
        match act {
            Act::Surge { on, until } => self.set_surge(turn, actor, *on, *until),
            Act::Mode { mode, until } => self.set_mode(turn, actor, *mode, *until),
            Act::Acknowledge { name, subject } => self.acknowledge(name, subject),
            Act::Audit { what, about } => self.audit(turn, actor, what, about),
            Act::HangUp { call } => self.hang_up(turn, actor, *call),
            Act::LogOut { agent } => {
                if let Some(index) = self.agents.find(agent) {
                    self.agent_wants(turn, index, Happening::LogOut, Some(actor), "by an operator");
                }
            }
        }
    }

    /// Ends a call for somebody at the box; one that is over already stays as it is.
    fn hang_up(&mut self, turn: &mut Turn<'_>, actor: &str, uid: Uid) {
        let found = self.calls.iter().find(|(_, call)| call.uid == uid && !call.is_over()).map(|(key, _)| key);
        let Some(call) = found else { return };
        self.audit(turn, actor, "hang-up", &uid.to_string());
        let disposition = self.disposition_so_far(call);
        self.end_call(turn, call, actor, "by an operator", disposition);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AlarmSeverity;
    use crate::door::{Input, Output, Trouble, TroubleKind};
    use crate::event::Detail;
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
        let out = act(&mut pbx, 1, Act::Surge { on: true, until: None });
        assert!(
            matches!(&out[..], [Output::Record(e)] if e.actor == "panel" && e.detail == Detail::Surge { on: true, until: None })
        );
        assert!(pbx.switches().surge && act(&mut pbx, 2, Act::Surge { on: true, until: None }).is_empty());
        assert_eq!(act(&mut pbx, 3, Act::Surge { on: false, until: None }).len(), 1);
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
    fn the_site_says_how_heavy_an_alarm_is() {
        let mut pbx = Pbx::new();
        let trouble = Trouble { kind: TroubleKind::StoreWrite, raised: true, detail: "disk full".into() };
        pbx.handle(at(1), Input::Trouble(trouble), &mut Vec::new());
        let seen = |pbx: &Pbx| pbx.alarms().into_iter().map(|a| a.severity).collect::<Vec<_>>();
        assert_eq!(seen(&pbx), [AlarmSeverity::Critical], "before there is a configuration");
        let mut with = |rules: &str| {
            let text = alloc::format!("sip {{ listen 127.0.0.1:5060; }} {rules}");
            let config = crate::config::parse(&text).unwrap();
            pbx.handle(at(2), Input::Configured(config.into(), 1), &mut Vec::new());
            seen(&pbx)
        };
        assert_eq!(with("alarm highway { severity warning; }"), [AlarmSeverity::Critical]);
        assert_eq!(with("alarm store-write { buzzer no; }"), [AlarmSeverity::Critical]);
        assert_eq!(with("alarm store-write { severity warning; }"), [AlarmSeverity::Warning]);
    }
}
