//! Alarms: what an operator must know until it is over. Raised once, acknowledged by a person or not, cleared once,
//! worded in the site's language when they are told and in any language when they are looked at.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use base::time::Now;
use serde::{Deserialize, Serialize};

use crate::config::{AlarmSeverity, Language};
use crate::door::{Alarm, Output, Trouble, TroubleKind};
use crate::text::{self, text};
use crate::{Pbx, Turn};

/// Alarms that are up, by name and subject.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Alarms {
    raised: BTreeMap<(String, String), Up>,
}

/// One that is up.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Up {
    since: Now,
    /// As it was found, not bound to a language.
    detail: String,
    acknowledged: bool,
}

/// An alarm that is up, to look at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlarmNow {
    /// Stable name, e.g. `line-battery`.
    pub name: String,
    /// What it concerns, e.g. `card 1 port 1`; empty when the whole box.
    pub subject: String,
    /// Since when.
    pub since: Now,
    /// As it was found, not bound to a language.
    pub detail: String,
    /// Somebody has seen it.
    pub acknowledged: bool,
    /// Its weight, by the configuration in force.
    pub severity: AlarmSeverity,
}

impl AlarmNow {
    /// Cause and remedy.
    pub fn words(&self, language: Language) -> String {
        words(&self.name, &self.subject, &self.detail, language)
    }
}

fn words(name: &str, subject: &str, detail: &str, language: Language) -> String {
    let values = [("name", name), ("subject", subject), ("detail", detail)];
    text::alarm::named(name).map_or_else(|| detail.to_string(), |key| text(key, language, &values))
}

impl Alarms {
    /// Whether it is up.
    pub fn is_up(&self, name: &str, subject: &str) -> bool {
        self.raised.contains_key(&(name.to_string(), subject.to_string()))
    }
}

impl Pbx {
    /// Raises an alarm unless it is up.
    pub(crate) fn raise_alarm(&mut self, turn: &mut Turn<'_>, name: &str, subject: &str, detail: &str) {
        let up = Up { since: turn.now, detail: detail.to_string(), acknowledged: false };
        let key = (name.to_string(), subject.to_string());
        if let alloc::collections::btree_map::Entry::Vacant(place) = self.alarms.raised.entry(key) {
            place.insert(up);
            self.tell(turn, name, subject, true, detail);
        }
    }

    /// Clears an alarm if it is up.
    pub(crate) fn clear_alarm(&mut self, turn: &mut Turn<'_>, name: &str, subject: &str) {
        if self.alarms.raised.remove(&(name.to_string(), subject.to_string())).is_some() {
            self.tell(turn, name, subject, false, "");
        }
    }

    /// Alarms that are up, the newest first.
    pub fn alarms(&self) -> Vec<AlarmNow> {
        let config = self.configs.now();
        let now = |((name, subject), up): (&(String, String), &Up)| {
            let Up { since, detail, acknowledged } = up.clone();
            let severity =
                config.as_ref().map_or_else(|| AlarmSeverity::of_alarm(name), |config| config.alarm_severity(name));
            AlarmNow { name: name.clone(), subject: subject.clone(), since, detail, acknowledged, severity }
        };
        let mut alarms: Vec<AlarmNow> = self.alarms.raised.iter().map(now).collect();
        alarms.sort_by_key(|alarm| core::cmp::Reverse(alarm.since.at));
        alarms
    }

    /// Somebody has seen an alarm; one that is over already is not there any more.
    pub(crate) fn acknowledge(&mut self, name: &str, subject: &str) {
        if let Some(up) = self.alarms.raised.get_mut(&(name.to_string(), subject.to_string())) {
            up.acknowledged = true;
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
        let words = if raised {
            words(name, subject, detail, language)
        } else {
            text(text::alarm::CLEARED, language, &[("name", name), ("subject", subject)])
        };
        let alarm = Alarm { name: name.to_string(), subject: subject.to_string(), raised, detail: words };
        turn.out.push(Output::Alarm(alarm));
    }
}
