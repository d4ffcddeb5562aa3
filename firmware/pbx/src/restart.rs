//! The beginning: configuration, start of the program, and coming back in the middle of calls.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::id::LegKey;
use base::media::Command;
use signaling::sip::door::{self as sip, Account, Peer, Settings};

use crate::agent::{Happening, REASON_RONA};
use crate::call::{CallKey, Disposition, Phase};
use crate::config::{Config, Extension, Trunk};
use crate::door::{AgentWas, Boot, Input, Output, Rebuilt, RecordingChange};
use crate::event::Detail;
use crate::leg::{Goodbye, LegState};
use crate::random::Random;
use crate::{Pbx, Turn};

impl Pbx {
    /// The configuration of a commit is in force from now on. Live calls keep the one they began with; what a large site
    /// takes long for, and no phone notices, is left alone where nothing changed.
    pub(crate) fn configured(&mut self, turn: &mut Turn<'_>, config: Arc<Config>, commit: u64) {
        let before = self.configs.now();
        if before.as_ref().is_none_or(|before| !means_the_same_to_sip(before, &config)) {
            let known = before.as_deref().filter(|before| before.sip.realm == config.sip.realm);
            let settings = settings(&config, |name, extension| {
                let same = known?.extensions.get(name)?.secret == extension.secret;
                self.sip.account(name).filter(|_| same).cloned()
            });
            self.sip.configure(settings);
        }
        let used: Vec<u16> = self.legs.iter().filter_map(|(_, l)| l.rtp.as_ref().map(|r| r.port)).collect();
        self.ports.configure(config.media.rtp_ports, &used);
        self.configure_lines(&config);
        let (begin, gone) = self.agents.configure(&config);
        let lamps_stay = before.is_some_and(|before| has_the_lamps_of(&before, &config));
        self.configs.put(config);
        let calls = &self.calls;
        self.configs.forget_unless(|number| calls.iter().any(|(_, c)| c.config == number));
        let actor = format!("config {commit}");
        for agent in begin {
            self.agent_by(turn, agent, Happening::LogIn, Some(&actor), "configuration: logged-in yes");
        }
        for agent in gone {
            self.agent_wants(turn, agent, Happening::LogOut, Some(&actor), "not in the configuration");
        }
        self.forget_acquaintances(turn.now);
        self.unmatched = true;
        self.staffing_changed = true;
        if !lamps_stay {
            self.all_lamps(turn);
        }
    }

    /// The program starts: with an empty state, or with a recovered one whose calls go on.
    pub(crate) fn boot(&mut self, turn: &mut Turn<'_>, boot: &Boot) {
        self.random = Random::new(boot.seed);
        let seed = self.random.seed();
        self.sip.seed(seed);
        if !boot.recovered {
            return;
        }
        self.switch_back(turn);
        self.wake_for_switches(turn.now);
        if boot.machine_restarted {
            for call in self.calls.keys() {
                self.end_lost_call(turn, call);
            }
        }
        self.with_sip(turn, |sip, now, out| sip.restarted(now, out));
        let gap_ms_max = turn.now.at.since(self.last_input.at).as_millis() as u64;
        for call in self.calls.keys() {
            let Some(uid) = self.calls.get(call).filter(|c| !c.is_over()).map(|c| c.uid) else { continue };
            self.note(turn, Some(uid), None, "recovery", Detail::Recovered { gap_ms_max });
        }
        self.media_from_state(turn);
        // The lines follow when the driver says in which state it found them (`LineEvent::Attached`).
        self.unmatched = true;
    }

    /// The saved state was lost: calls and recordings that were under way get their last rows, and agents who were at
    /// work are at work. Phones register again by themselves.
    pub(crate) fn rebuilt(&mut self, turn: &mut Turn<'_>, rebuilt: Rebuilt) {
        for call in rebuilt.calls_open {
            let (by, disposition) = ("recovery".to_string(), "FAILED".to_string());
            self.note(turn, Some(call), None, "recovery", Detail::CallEnded { by, disposition });
        }
        for recording in rebuilt.recordings_open {
            turn.out.push(Output::Recording(RecordingChange::Lost { recording }));
        }
        self.stand_as_before(turn, rebuilt.switches);
        for AgentWas { id, state, phone } in rebuilt.agents {
            let Some(index) = self.agents.find(&id) else { continue };
            let happening = match state.split_once(' ') {
                _ if state == "logged-out" => Happening::LogOut,
                Some(("not-ready", reason)) => Happening::GoNotReady(reason.parse().unwrap_or(REASON_RONA)),
                Some(_) | None => Happening::LogIn,
            };
            let away = self.agents.get(index).is_some_and(|a| a.phone() != Some(phone.as_str()));
            if away && self.configs.now().is_some_and(|c| c.extensions.contains_key(&phone)) {
                self.agents.sit_at(index, Some(&phone));
            }
            for happening in [Happening::LogIn, happening] {
                self.agent_by(turn, index, happening, Some("recovery"), "rebuilt from the leg-event journal");
            }
        }
    }

    /// The media engine is new: every live leg and bridge is set up again; legs that were closing have closed.
    fn media_from_state(&mut self, turn: &mut Turn<'_>) {
        let mut bridges: Vec<(LegKey, LegKey)> = Vec::new();
        for leg in self.legs.keys() {
            let Some(record) = self.legs.get(leg) else { continue };
            if record.is_closing() {
                self.leg_closed(leg);
                continue;
            }
            if let Some(other) = record.joined.filter(|other| leg < *other) {
                bridges.push((leg, other));
            }
            if let Some(rtp) = self.legs.get_mut(leg).and_then(|l| l.rtp.as_mut()) {
                rtp.uncounted = 0;
            }
            self.media_again(leg, turn.out);
        }
        turn.out.extend(bridges.into_iter().map(|(a, b)| Output::Media(Command::Join { a, b })));
        for call in self.calls.keys() {
            if let (Some(Phase::Monitoring(m)), Some(leg)) =
                (self.calls.get(call).map(|c| &c.phase), self.caller_leg(call))
            {
                turn.out.push(Output::Media(Command::Monitor { leg, of: m.of, mode: m.mode }));
            }
        }
    }

    /// The machine went down with this call in it: nobody is there to be told.
    fn end_lost_call(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        for leg in self.calls.get(call).map(|c| c.legs.clone()).unwrap_or_default() {
            if let Some(dialog) = self.legs.get(leg).and_then(|l| l.dialog()) {
                self.sip.abandon(dialog);
            }
            self.end_leg(turn, leg, "power lost", Goodbye::None);
        }
        let disposition = self.disposition_so_far(call);
        self.end_call(turn, call, "recovery", "power lost", disposition);
    }

    /// The program is asked to stop.
    pub(crate) fn stop(&mut self, turn: &mut Turn<'_>, end_calls: bool) {
        if end_calls {
            for call in self.calls.keys() {
                let disposition = self.disposition_so_far(call);
                self.end_call(turn, call, "operator", "box stopped", disposition);
            }
        }
        turn.out.push(Output::MayStop);
    }

    /// An input that killed the program twice is not handled; the call that it belongs to is ended.
    pub(crate) fn set_aside(&mut self, turn: &mut Turn<'_>, seq: u64, input: &Input) {
        self.raise_alarm(turn, "bug", &format!("input {seq}"), &format!("input {seq} was set aside"));
        let leg = match input {
            Input::Sip(sip::Input::Datagram { bytes, .. } | sip::Input::Bytes { bytes, .. }) => {
                self.sip.dialog_of(bytes).and_then(|d| self.leg_of(d))
            }
            Input::Media(report) => report.leg(),
            Input::Line(port, _) => self.lines.get(port).and_then(|l| l.call()).and_then(|c| self.caller_leg(c)),
            Input::Sip(_)
            | Input::Boot(_)
            | Input::Rebuilt(_)
            | Input::Configured(..)
            | Input::Stored(_)
            | Input::Trouble(_)
            | Input::Operator { .. }
            | Input::SetAside { .. }
            | Input::Stop { .. }
            | Input::Timer
            | Input::Commit(_)
            | Input::CommitStored(_)
            | Input::Confirm { .. }
            | Input::Unconfirmed(_) => None,
        };
        let Some(call) = leg.and_then(|l| self.legs.get(l)).map(|l| l.call) else { return };
        let uid = self.calls.get(call).map(|c| c.uid);
        self.note(turn, uid, None, "recovery", Detail::SetAside { input_seq: seq });
        self.end_call(turn, call, "recovery", "bug", Disposition::Failed);
    }

    /// Whether the leg may be spoken of as live; for checks of the state by tests.
    pub fn legs_up(&self) -> usize {
        self.legs.iter().filter(|(_, l)| l.state == LegState::Up).count()
    }
}

/// Neither addresses nor who may register nor trunks differ.
fn means_the_same_to_sip(a: &Config, b: &Config) -> bool {
    fn secrets(config: &Config) -> impl Iterator<Item = (&String, &String)> {
        config.extensions.iter().map(|(name, extension)| (name, &extension.secret))
    }
    a.sip == b.sip && a.trunks == b.trunks && secrets(a).eq(secrets(b))
}

/// The same names can be watched in both.
fn has_the_lamps_of(a: &Config, b: &Config) -> bool {
    a.codes.agent_login == b.codes.agent_login
        && a.extensions.keys().eq(b.extensions.keys())
        && a.agents.keys().eq(b.agents.keys())
}

/// For the endpoint; `known` gives the account of an extension whose secret is what it was.
fn settings(config: &Config, known: impl Fn(&str, &Extension) -> Option<Account>) -> Settings {
    let realm = &config.sip.realm;
    let account = |(name, e): (&String, &Extension)| {
        let account = known(name, e).unwrap_or_else(|| Account::with_secret(name, realm, &e.secret));
        (name.clone(), account)
    };
    let peer = |(name, t): (&String, &Trunk)| Peer { name: name.clone(), ip: t.address, port: t.port };
    Settings {
        local: config.sip.listen,
        realm: realm.clone(),
        product: "Cordboard".to_string(),
        accounts: config.extensions.iter().map(account).collect(),
        peers: config.trunks.iter().map(peer).collect(),
        expires_min_s: config.sip.expires_min_s,
        expires_max_s: config.sip.expires_max_s,
    }
}
