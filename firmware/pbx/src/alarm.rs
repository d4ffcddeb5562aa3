//! Alarms: what an operator must know until it is over. Raised once, cleared once, worded in the site's language.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use serde::{Deserialize, Serialize};

use crate::config::Language;
use crate::door::{Alarm, Output, Trouble, TroubleKind};
use crate::text::{self, text};
use crate::{Pbx, Turn};

/// Alarms that are up, by name and subject.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Alarms {
    raised: BTreeSet<(String, String)>,
}

impl Pbx {
    /// Raises an alarm unless it is up.
    pub(crate) fn raise_alarm(&mut self, turn: &mut Turn<'_>, name: &str, subject: &str, detail: &str) {
        if self.alarms.raised.insert((name.to_string(), subject.to_string())) {
            self.tell(turn, name, subject, true, detail);
        }
    }

    /// Clears an alarm if it is up.
    pub(crate) fn clear_alarm(&mut self, turn: &mut Turn<'_>, name: &str, subject: &str) {
        if self.alarms.raised.remove(&(name.to_string(), subject.to_string())) {
            self.tell(turn, name, subject, false, "");
        }
    }

    /// The shell is in trouble, or out of it.
    pub(crate) fn trouble(&mut self, turn: &mut Turn<'_>, trouble: &Trouble) {
        let name = match trouble.kind {
            TroubleKind::StoreWrite => "store-write",
            TroubleKind::RecorderOverrun => "recorder-overrun",
            TroubleKind::InboxFull => "inbox-full",
            TroubleKind::SipSocket => "sip-socket",
            TroubleKind::Highway => "highway",
            TroubleKind::HardwareBus => "hardware-bus",
            TroubleKind::Diverged => "diverged",
        };
        if trouble.raised {
            self.raise_alarm(turn, name, "", &trouble.detail);
        } else {
            self.clear_alarm(turn, name, "");
        }
    }

    fn tell(&mut self, turn: &mut Turn<'_>, name: &str, subject: &str, raised: bool, detail: &str) {
        let language = self.configs.now().map_or(Language::default(), |c| c.system.language);
        let values = [("name", name), ("subject", subject), ("detail", detail)];
        let words = match (raised, text::alarm::named(name)) {
            (true, Some(key)) => text(key, language, &values),
            (true, None) => detail.to_string(),
            (false, _) => text(text::alarm::CLEARED, language, &values),
        };
        let alarm = Alarm { name: name.to_string(), subject: subject.to_string(), raised, detail: words };
        turn.out.push(Output::Alarm(alarm));
    }
}
