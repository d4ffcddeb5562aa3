//! What the machine makes shine and sound: the display's light, the lamps, the buzzer. Red is for loss of service alone.

use base::panel::Signals;
use base::time::Instant;
use drivers::ssd1322::Light;
use std::time::Duration;

use super::machine::{Machine, Screen};
use super::view::{Core, Scene};

/// Without a key and an alarm for so long: dark.
const SLEEP_AFTER: Duration = Duration::from_secs(600);
/// Each part of the lamp test.
pub const LAMP_STEP: Duration = Duration::from_millis(800);
/// The buzzer repeats after this while service is lost…
const ALERT_PERIOD: Duration = Duration::from_secs(1);
/// …and after this for other alarms…
const NOTICE_PERIOD: Duration = Duration::from_secs(10);
/// …and sounds for so long.
const BEEP: Duration = Duration::from_millis(250);

/// The parts of the lamp test, in order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LampPart {
    /// Green lamp.
    Green,
    /// Amber lamp.
    Amber,
    /// Red lamp.
    Red,
    /// Buzzer.
    Buzzer,
    /// All pixels.
    Screen,
}

impl Machine {
    /// How light the display is. It never sleeps while an alarm is up or the core is silent.
    pub fn light(&self, now: Instant, scene: &Scene) -> Light {
        let quiet = now.since(self.touched);
        let (unseen, alarm) = match &scene.core {
            Core::Seen(view) => (view.unseen().next().is_some(), !view.alarms.is_empty()),
            Core::Silent => (true, true),
            Core::Starting => (false, false),
        };
        if unseen || quiet < self.patience() {
            Light::Normal
        } else if alarm || quiet < SLEEP_AFTER {
            Light::Dim
        } else {
            Light::Off
        }
    }

    /// Lamps and buzzer.
    pub fn signals(&self, now: Instant, scene: &Scene) -> Signals {
        if let Some(part) = self.lamp_part(now) {
            return Signals {
                green: part == LampPart::Green,
                amber: part == LampPart::Amber,
                red: part == LampPart::Red,
                buzzer: part == LampPart::Buzzer,
            };
        }
        let view = match &scene.core {
            Core::Seen(view) => view,
            Core::Silent => return Signals { red: true, ..Signals::default() },
            Core::Starting => return Signals::default(),
        };
        let red = view.service_is_lost();
        let period = if red { ALERT_PERIOD } else { NOTICE_PERIOD };
        let newest = view.sounding().map(|alarm| alarm.since.at).max();
        let beeps = |since: Instant| now.since(since).as_micros() % period.as_micros() < BEEP.as_micros();
        Signals {
            green: !red,
            amber: !red && !view.alarms.is_empty(),
            red,
            buzzer: self.settings.buzzer && newest.is_some_and(beeps),
        }
    }

    /// What the lamp test shows now; none when it does not run.
    pub fn lamp_part(&self, now: Instant) -> Option<LampPart> {
        let Screen::Lamps { since } = self.screen else { return None };
        let parts = [LampPart::Green, LampPart::Amber, LampPart::Red, LampPart::Buzzer, LampPart::Screen];
        let step = now.since(since).as_micros() / LAMP_STEP.as_micros();
        parts.get(step as usize % parts.len()).copied()
    }
}
