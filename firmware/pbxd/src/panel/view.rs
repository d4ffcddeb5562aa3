//! What the panel shows, as plain values: one look at the core's state, and facts of the machine. Nothing here is kept
//! longer than until the next look.

use base::time::{Instant, Now};
use pbx::Pbx;
use pbx::alarm::AlarmNow;
use pbx::commit::CommitNow;
use pbx::config::{Language, Network};
use pbx::equipment::{LineNow, LineState, PhoneNow};
use pbx::standing::{CallNow, PhaseNow};
use pbx::switch::Switches;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

/// Digits of a number from which on its middle four are hidden.
const MASKED_DIGITS_MIN: usize = 7;
/// Digits hidden.
const MASKED_DIGITS: usize = 4;
/// Digits of a mobile number with the country code of China.
const CHINESE_DIGITS: usize = 13;

/// Everything a picture is made of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scene {
    /// When.
    pub now: Now,
    /// The machine.
    pub facts: Facts,
    /// The core.
    pub core: Core,
}

/// How the core answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Core {
    /// Not yet: the program has just begun.
    Starting,
    /// No more.
    Silent,
    /// With this.
    Seen(Box<View>),
}

/// What the machine knows of itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Facts {
    /// The address that people reach the box by; none without a network.
    pub address: Option<IpAddr>,
    /// Disk of the data directory.
    pub storage: Option<Storage>,
    /// Version of the program.
    pub version: String,
    /// Identity of its build.
    pub build: String,
    /// Since the program began.
    pub up: Duration,
    /// From the operating system, another one at every look: for passwords and codes. None while it gives none.
    pub dice: Option<u64>,
    /// The commit that this panel made and that nobody has confirmed.
    pub trial: Option<u64>,
}

/// Room on a disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Storage {
    /// For us.
    pub free_bytes: u64,
    /// Altogether.
    pub total_bytes: u64,
}

/// One look at the core.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct View {
    /// Name of the site.
    pub name: String,
    /// The site's language.
    pub language: Language,
    /// Local time in minutes east of Greenwich.
    pub utc_offset_min: i32,
    /// The address that phones are told; none when the box listens on all it has.
    pub address: Option<IpAddr>,
    /// Calls that are not over, numbers masked.
    pub calls: Vec<CallNow>,
    /// Queues of the configuration.
    pub queues: Vec<QueueRow>,
    /// Analog lines.
    pub lines: Vec<LineNow>,
    /// Extensions.
    pub phones: Vec<PhoneNow>,
    /// Alarms that are up, the newest first.
    pub alarms: Vec<AlarmNow>,
    /// Day and night, and the surge profile.
    pub switches: Switches,
    /// A queue is another with the surge profile.
    pub surge_matters: bool,
    /// A queue has hours.
    pub hours_matter: bool,
    /// Nobody has been made a user.
    pub unset: bool,
    /// The panel only shows.
    pub locked: bool,
    /// Alarms that do not sound, by name.
    pub hushed: BTreeSet<String>,
    /// The network as it is written.
    pub network: Network,
    /// Norm of the lines.
    pub country: String,
    /// How commits stand.
    pub commit: CommitNow,
}

/// One queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueRow {
    /// For people.
    pub title: String,
    /// Callers.
    pub waiting: usize,
    /// Since when the first of them waits.
    pub oldest: Option<Instant>,
    /// Agents who could take one now.
    pub ready: usize,
}

impl View {
    /// Looks. None before a configuration is in force.
    pub fn of(pbx: &Pbx, at: Instant) -> Option<View> {
        let config = pbx.config()?;
        let standing = pbx.standing(at);
        let since = |name: &str| {
            let phases = standing.calls.values().filter_map(|call| match &call.phase {
                PhaseNow::Waiting { queue, since, .. } if queue == name => Some(*since),
                _ => None,
            });
            phases.min()
        };
        let surge = pbx.surge_is_on();
        let hushed = config.alarms.iter().filter(|(_, rule)| !rule.buzzer).map(|(name, _)| name.clone());
        let queues = config.queues.iter().map(|(name, queue)| {
            let extra = queue.surge_agents.iter().filter(|_| surge);
            let is_ready = |id: &&String| standing.agents.get(*id).is_some_and(|agent| agent.state == "ready");
            QueueRow {
                title: queue.title.clone(),
                waiting: standing.queues.get(name).map_or(0, Vec::len),
                oldest: since(name),
                ready: queue.agents.iter().chain(extra).filter(is_ready).count(),
            }
        });
        let queues = queues.collect();
        let matters = config.queues.values().any(|q| !q.surge_agents.is_empty() || q.surge_wrap_up_s.is_some());
        Some(View {
            name: config.system.name.clone(),
            language: config.system.language,
            utc_offset_min: config.system.utc_offset_min,
            address: Some(config.sip.listen.ip()).filter(|address| !address.is_unspecified()),
            queues,
            calls: standing.calls.into_values().map(masked).collect(),
            lines: pbx.lines_now(),
            phones: pbx.phones_now(),
            alarms: pbx.alarms(),
            switches: pbx.switches(),
            surge_matters: matters,
            hours_matter: config.queues.values().any(|queue| queue.calendar.is_some()),
            unset: config.users.is_empty(),
            locked: config.chassis.panel_lock,
            hushed: hushed.collect(),
            network: config.network.clone(),
            country: config.chassis.country.clone(),
            commit: pbx.commit_now(),
        })
    }

    /// Callers in queues.
    pub fn waiting(&self) -> usize {
        self.queues.iter().map(|queue| queue.waiting).sum()
    }

    /// Nobody can be called, or nobody can call: the red lamp.
    pub fn service_is_lost(&self) -> bool {
        let lines_lost = !self.lines.is_empty() && self.lines.iter().all(|l| l.state == LineState::OutOfService);
        lines_lost || self.alarms.iter().any(|alarm| alarm.name == "sip-socket")
    }

    /// An alarm that is up.
    pub fn alarm(&self, name: &str, subject: &str) -> Option<&AlarmNow> {
        self.alarms.iter().find(|alarm| alarm.name == name && alarm.subject == subject)
    }

    /// Alarms that nobody has acknowledged.
    pub fn unseen(&self) -> impl Iterator<Item = &AlarmNow> {
        self.alarms.iter().filter(|alarm| !alarm.acknowledged)
    }

    /// Those of them that the buzzer is for.
    pub fn sounding(&self) -> impl Iterator<Item = &AlarmNow> {
        self.unseen().filter(|alarm| !self.hushed.contains(&alarm.name))
    }
}

impl Scene {
    /// The look, when there was one.
    pub fn view(&self) -> Option<&View> {
        match &self.core {
            Core::Seen(view) => Some(view),
            Core::Starting | Core::Silent => None,
        }
    }

    /// Nobody has set the box up, and this panel may.
    pub fn is_unset(&self) -> bool {
        self.view().is_some_and(|view| view.unset && !view.locked)
    }

    /// The panel only shows.
    pub fn is_locked(&self) -> bool {
        self.view().is_some_and(|view| view.locked)
    }

    /// When the commit that this panel made goes back; none when it stays, or is not in force any more.
    pub fn trial(&self) -> Option<Instant> {
        let commit = &self.view()?.commit;
        commit.reverts.filter(|_| Some(commit.number) == self.facts.trial).map(|(due, _)| due)
    }

    /// The commit that this panel made is not on trial any more. A look from before it says nothing.
    pub fn went_back(&self) -> bool {
        let (Some(trial), Some(view)) = (self.facts.trial, self.view()) else { return false };
        view.commit.number >= trial && self.trial().is_none()
    }

    /// Local time in milliseconds since 1970; UTC before the site is known.
    pub fn local_ms(&self, wall_ms: i64) -> i64 {
        wall_ms + i64::from(self.view().map_or(0, |view| view.utc_offset_min)) * 60_000
    }

    /// `HH:MM`, local.
    pub fn clock(&self, wall_ms: i64) -> String {
        let minutes = self.local_ms(wall_ms).div_euclid(60_000).rem_euclid(24 * 60);
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

fn masked(call: CallNow) -> CallNow {
    CallNow { caller: mask(&call.caller), called: mask(&call.called), ..call }
}

/// Hides the middle four digits of every number long enough to be a person's.
pub fn mask(text: &str) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for char in text.chars().chain(['\0']) {
        if char.is_ascii_digit() {
            digits.push(char);
            continue;
        }
        // With the country's code the same four are hidden as without.
        let abroad = if digits.len() == CHINESE_DIGITS && digits.starts_with("86") { 2 } else { 0 };
        let from = abroad + (digits.len() - abroad).saturating_sub(MASKED_DIGITS) / 2;
        let hidden = if digits.len() >= MASKED_DIGITS_MIN { from..from + MASKED_DIGITS } else { 0..0 };
        out.extend(digits.chars().enumerate().map(|(at, digit)| if hidden.contains(&at) { '*' } else { digit }));
        digits.clear();
        out.extend(Some(char).filter(|char| *char != '\0'));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_four_digits_of_people_are_hidden() {
        for (number, shown) in [
            ("13800138000", "138****8000"),
            ("+8613800138000", "+86138****8000"),
            ("2001", "2001"),
            ("4001234", "4****34"),
            ("card 1 port 1", "card 1 port 1"),
            ("", ""),
        ] {
            assert_eq!(mask(number).len(), number.len());
            assert_eq!(mask(number).matches('*').count(), shown.matches('*').count(), "{number}");
        }
        assert_eq!(mask("13800138000"), "138****8000");
    }

    #[test]
    fn no_configuration_no_view() {
        assert_eq!(View::of(&Pbx::new(), Instant::BOOT), None);
    }
}
