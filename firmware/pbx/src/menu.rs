//! Spoken menus: prompt, key, destination. Keys may be pressed into the prompt.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::media::{Item, PlayId};
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::call::{CallKey, Phase};
use crate::config::{self, Destination};
use crate::dialplan::{Meaning, Route};
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// A caller in a menu.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Menu {
    pub name: String,
    /// Repetitions so far.
    pub tries: u32,
    /// What plays; none while the box waits for a key.
    pub play: Option<PlayId>,
}

impl Pbx {
    /// The caller enters a menu: answered, and hears it.
    pub(crate) fn enter_menu(&mut self, turn: &mut Turn<'_>, call: CallKey, name: &str) {
        if self.accept_caller(turn, call).is_some() {
            self.say_menu(turn, call, Menu { name: name.to_string(), tries: 0, play: None }, false);
        }
    }

    fn say_menu(&mut self, turn: &mut Turn<'_>, call: CallKey, menu: Menu, wrong_key: bool) {
        let Some(config) = self.config_of(call) else { return };
        let Some(wanted) = config.menus.get(&menu.name) else { return };
        let Some(caller) = self.caller_leg(call) else { return };
        let play = self.play(turn, caller, prompts(wanted, wrong_key), false);
        self.enter(call, Phase::Menu(Menu { play, ..menu }));
    }

    /// The prompt is over: now the caller has `timeout-s` to press a key.
    pub(crate) fn menu_said(&mut self, turn: &mut Turn<'_>, call: CallKey, said: PlayId) {
        let Some(config) = self.config_of(call) else { return };
        let Some(Phase::Menu(menu)) = self.calls.get_mut(call).map(|c| &mut c.phase) else { return };
        if menu.play != Some(said) {
            return;
        }
        menu.play = None;
        if let Some(wanted) = config.menus.get(&menu.name) {
            let at = turn.now.at + Duration::from_secs(u64::from(wanted.timeout_s));
            self.timers.set(Timer::MenuSilence(call), at);
        }
    }

    /// The caller pressed nothing.
    pub(crate) fn menu_silence(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        self.menu_again(turn, call, false);
    }

    /// The caller pressed a key.
    pub(crate) fn menu_key(&mut self, turn: &mut Turn<'_>, call: CallKey, key: char) {
        let Some(config) = self.config_of(call) else { return };
        let Some(Phase::Menu(menu)) = self.calls.get(call).map(|c| &c.phase) else { return };
        let name = menu.name.clone();
        match config.menus.get(&name).and_then(|m| m.keys.get(&key)) {
            Some(to) => {
                let why = format!("menu {name} key {key}");
                self.leave_menu(turn, call, to.clone(), why);
            }
            None => self.menu_again(turn, call, true),
        }
    }

    fn menu_again(&mut self, turn: &mut Turn<'_>, call: CallKey, wrong_key: bool) {
        let Some(config) = self.config_of(call) else { return };
        let Some(Phase::Menu(menu)) = self.calls.get(call).map(|c| c.phase.clone()) else { return };
        let Some(wanted) = config.menus.get(&menu.name) else { return };
        if menu.tries < wanted.retries {
            self.say_menu(turn, call, Menu { tries: menu.tries + 1, ..menu }, wrong_key);
        } else {
            let why = format!("menu {} otherwise, after {} repetitions", menu.name, menu.tries);
            self.leave_menu(turn, call, wanted.otherwise.clone(), why);
        }
    }

    fn leave_menu(&mut self, turn: &mut Turn<'_>, call: CallKey, to: Destination, why: String) {
        if let Some(caller) = self.caller_leg(call) {
            self.stop_play(turn, caller);
        }
        self.enter(call, Phase::Arriving);
        self.route_call(turn, call, Route { meaning: Meaning::To(to), why });
    }
}

fn prompts(menu: &config::Menu, wrong_key: bool) -> Vec<Item> {
    let mut items = Vec::new();
    for language in &menu.languages {
        let language = language.tag().to_string();
        if wrong_key {
            items.push(Item::Prompt { name: "menu-invalid".to_string(), language: language.clone() });
        }
        items.push(Item::Prompt { name: menu.prompt.clone(), language });
    }
    items
}
