//! What a caller is told before the call is released: that it cannot be connected, what a code did. The call is in
//! [`Phase::Announcement`] meanwhile.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use base::media::{Item, PlayId, Tone};
use core::time::Duration;

use crate::call::{CallKey, Disposition, Phase};
use crate::config::Language;
use crate::leg::Goodbye;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// How long a caller hears words and tone of a refusal before being released.
const REFUSAL_TIME: Duration = Duration::from_secs(10);
/// Longest announcement; a playlist that never reports its end is given up.
pub(crate) const ANNOUNCEMENT_TIME: Duration = Duration::from_secs(30);

impl Pbx {
    pub(crate) fn unknown_number(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        self.cannot_connect(turn, call, "number unknown", Disposition::Failed, 404);
    }

    /// The caller cannot be connected: refused if never answered, otherwise told by tone and released.
    pub(crate) fn cannot_connect(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        cause: &str,
        disposition: Disposition,
        code: u16,
    ) {
        let Some(record) = self.calls.get(call) else { return };
        if record.answered {
            let tone = if disposition == Disposition::Busy { Tone::Busy } else { Tone::Congestion };
            let words = (code == 404).then(|| self.prompt(call, "number-unknown"));
            self.refuse_aloud(turn, call, words, tone, disposition);
        } else {
            self.end_call_with(turn, call, "router", cause, disposition, Goodbye::Refuse(code));
        }
    }

    /// Words, if there are any, and a tone; then the call is released.
    pub(crate) fn refuse_aloud(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        words: Option<Item>,
        tone: Tone,
        disposition: Disposition,
    ) {
        let items = words.into_iter().chain([Item::Tone(tone)]).collect();
        self.announce(turn, call, items, disposition, REFUSAL_TIME);
    }

    /// Plays something to the caller and releases the call after it.
    pub(crate) fn announce(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        items: Vec<Item>,
        disposition: Disposition,
        time: Duration,
    ) {
        let Some(caller) = self.caller_leg(call) else { return };
        let play = self.play(turn, caller, items, false);
        self.enter(call, Phase::Announcement { play, disposition });
        self.timers.set(Timer::Announcement(call), turn.now.at + time);
    }

    /// Plays prompts of the system's language and releases the call after them.
    pub(crate) fn announce_prompt(&mut self, turn: &mut Turn<'_>, call: CallKey, name: &str) {
        if self.accept_caller(turn, call).is_some() {
            let items = vec![self.prompt(call, name)];
            self.announce(turn, call, items, Disposition::Answered, ANNOUNCEMENT_TIME);
        }
    }

    /// A prompt in the language of the site that the call began with.
    pub(crate) fn prompt(&self, call: CallKey, name: &str) -> Item {
        let language = self.config_of(call).map_or(Language::default(), |c| c.system.language);
        Item::Prompt { name: name.to_string(), language: language.tag().to_string() }
    }

    /// The caller has been told what follows: now it hears itself.
    pub(crate) fn echo_told(&mut self, turn: &mut Turn<'_>, call: CallKey, said: PlayId) {
        let Some(Phase::Echo { intro }) = self.calls.get(call).map(|c| c.phase.clone()) else { return };
        if let Some(caller) = self.caller_leg(call).filter(|_| intro == Some(said)) {
            self.stop_play(turn, caller);
            self.echo(turn, caller);
        }
    }

    /// The announcement has been heard, or took too long.
    pub(crate) fn announcement_over(&mut self, turn: &mut Turn<'_>, call: CallKey) {
        if let Some(Phase::Announcement { disposition, .. }) = self.calls.get(call).map(|c| &c.phase) {
            let disposition = *disposition;
            self.end_call(turn, call, "box", "announcement over", disposition);
        }
    }
}
