//! Lamps on the keys of desk phones: what an extension or an agent shows to the phones that subscribed to it. A lamp is
//! computed from the tables whenever it may have changed; it is kept nowhere here, and the SIP endpoint knows who
//! watches and what was told. What a press of the key does is decided like anything else that is dialled.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use signaling::sip::door::Lamp;

use crate::agent::State;
use crate::config::Config;
use crate::leg::{Leg, LegState, Role};
use crate::roster::AgentIndex;
use crate::{Pbx, Turn};

impl Pbx {
    /// A phone subscribed to a lamp: it is told at once what it shows, or that there is no such lamp.
    pub(crate) fn lamp_watched(&mut self, turn: &mut Turn<'_>, target: &str) {
        match self.lamp(target) {
            Some(lamp) => self.with_sip(turn, |sip, now, out| sip.light(now, target, lamp, out)),
            None => self.with_sip(turn, |sip, now, out| sip.unscrew(now, target, out)),
        }
    }

    /// An agent's state changed.
    pub(crate) fn agent_lamp(&mut self, turn: &mut Turn<'_>, index: AgentIndex) {
        let (Some(config), Some(agent)) = (self.configs.now(), self.agents.get(index)) else { return };
        let target = agent_target(&config, &agent.id);
        if self.sip.is_watched(&target) {
            self.lamp_watched(turn, &target);
        }
    }

    /// A leg of this extension's phone began, was answered or ended.
    pub(crate) fn extension_lamp(&mut self, turn: &mut Turn<'_>, extension: &str) {
        if self.sip.is_watched(extension) {
            self.lamp_watched(turn, extension);
        }
    }

    /// Another configuration is in force: extensions, agents and the login code may have come or gone.
    pub(crate) fn all_lamps(&mut self, turn: &mut Turn<'_>) {
        let watched: Vec<String> = self.sip.lamps_watched().map(String::from).collect();
        for target in watched {
            self.lamp_watched(turn, &target);
        }
    }

    /// What a lamp shows now; none when it is neither an extension nor an agent's login code.
    fn lamp(&self, target: &str) -> Option<Lamp> {
        let config = self.configs.now()?;
        if config.extensions.contains_key(target) {
            let legs = self.legs.iter().map(|(_, leg)| leg);
            return Some(phone_shows(legs.filter(|leg| leg.extension.as_deref() == Some(target))));
        }
        let id = target.strip_prefix(config.codes.agent_login.as_str())?;
        let agent = self.agents.get(self.agents.find(id)?).filter(|a| config.agents.contains_key(&a.id))?;
        Some(agent_shows(agent.state))
    }
}

/// What an agent's key dials and subscribes to: the login code with the agent's id, such as `*451001`.
fn agent_target(config: &Config, id: &str) -> String {
    format!("{}{id}", config.codes.agent_login)
}

/// Dark: logged out. Blinking: not ready. Lit: at work, whether free, in a call or after one.
fn agent_shows(state: State) -> Lamp {
    match state {
        State::LoggedOut => Lamp::Idle,
        State::NotReady { .. } => Lamp::Ringing,
        State::Ready { .. }
        | State::Reserved { .. }
        | State::Ringing { .. }
        | State::Talking { .. }
        | State::Hold { .. }
        | State::WrapUp(_)
        | State::Personal
        | State::Outbound => Lamp::Busy,
    }
}

/// Dark: no call. Blinking: rings. Lit: dials or talks, even when something else rings.
fn phone_shows<'a>(legs: impl Iterator<Item = &'a Leg>) -> Lamp {
    let one = |leg: &Leg| match (leg.state, leg.role) {
        (LegState::Closing { .. }, _) => Lamp::Idle,
        (LegState::Pending, Role::Offered(_)) => Lamp::Ringing,
        (LegState::Pending | LegState::Up, _) => Lamp::Busy,
    };
    legs.map(one).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Input;
    use alloc::sync::Arc;
    use base::time::{Instant, Now};

    const SITE: &str = "system { name t; }\nsip { listen 127.0.0.1:5060; realm t; }\nmedia { address 127.0.0.1; }\n\
        extension 2001 { name \"One\"; secret secret-1; }\n\
        agent 1001 { name \"A\"; extension 2001; logged-in yes; }\nagent 1002 { name \"B\"; }\n";

    fn configured(text: &str) -> Input {
        Input::Configured(Arc::new(crate::config::parse(text).unwrap_or_else(|problems| panic!("{problems:#?}"))), 1)
    }

    #[test]
    fn an_agent_is_dark_blinking_or_lit() {
        assert_eq!(agent_shows(State::LoggedOut), Lamp::Idle);
        assert_eq!(agent_shows(State::NotReady { reason: 90 }), Lamp::Ringing);
        assert_eq!(agent_shows(State::Ready { since: Instant::BOOT }), Lamp::Busy);
        assert_eq!(agent_shows(State::Personal), Lamp::Busy);
        assert_eq!(agent_shows(State::Outbound), Lamp::Busy);
    }

    #[test]
    fn a_lamp_is_an_extension_or_the_login_code_of_an_agent_and_can_go() {
        let (mut pbx, mut out) = (Pbx::new(), Vec::new());
        assert_eq!(pbx.lamp("2001"), None, "before the first configuration");
        pbx.handle(Now::default(), configured(SITE), &mut out);
        assert_eq!(pbx.lamp("2001"), Some(Lamp::Idle));
        assert_eq!(pbx.lamp("*451001"), Some(Lamp::Busy));
        assert_eq!(pbx.lamp("*451002"), Some(Lamp::Idle));
        for unknown in ["", "2002", "*45", "*451003", "1001"] {
            assert_eq!(pbx.lamp(unknown), None, "{unknown}");
        }
        let without = SITE.replace("agent 1002 { name \"B\"; }\n", "");
        pbx.handle(Now::default(), configured(&without), &mut out);
        assert_eq!(pbx.lamp("*451002"), None, "the table keeps an agent whom the configuration has forgotten");
    }
}
