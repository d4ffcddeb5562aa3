//! Day, night and the surge profile as screens: what is wanted, and when it goes back by itself. It happens by holding.

use base::panel::Key;
use base::time::Wall;
use pbx::door::Act;
use pbx::switch::Mode;

use super::form::Step;
use super::view::Scene;

/// The return is chosen in steps of so much.
const STEP_MS: i64 = 30 * 60_000;
/// It lies no farther ahead.
const FARTHEST_MS: i64 = 24 * 60 * 60_000;

/// What is switched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Switch {
    /// Hours.
    Mode(Mode),
    /// The surge profile on or off.
    Surge(bool),
}

/// The screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SwitchForm {
    /// What is wanted.
    pub switch: Switch,
    /// It goes back then; none: when somebody switches back.
    pub until: Option<Wall>,
}

impl Switch {
    /// Whether there is anything to go back from.
    pub fn can_return(self) -> bool {
        matches!(self, Switch::Mode(Mode::Day | Mode::Night) | Switch::Surge(true))
    }
}

impl SwitchForm {
    /// Until somebody switches back.
    pub fn new(switch: Switch) -> SwitchForm {
        SwitchForm { switch, until: None }
    }

    /// One key but OK, which is held.
    pub fn press(&mut self, key: Key, scene: &Scene) -> Step {
        match key {
            Key::Up | Key::Down if self.switch.can_return() => {
                let first = next_half_hour(scene);
                let last = first + FARTHEST_MS - STEP_MS;
                let until = self.until.map(Wall::as_millis);
                let next = match (until, key == Key::Up) {
                    (None, true) => Some(first),
                    (None, false) => Some(last),
                    (Some(until), true) => Some(until + STEP_MS),
                    (Some(until), false) => Some(until - STEP_MS),
                };
                self.until = next.filter(|next| (first..=last).contains(next)).map(Wall::from_millis);
                Step::Stay
            }
            Key::Up | Key::Down | Key::Right | Key::Ok => Step::Stay,
            Key::Left | Key::Back => Step::Back,
        }
    }

    /// A time that is over is the next one there is.
    pub fn settle(&mut self, scene: &Scene) {
        if self.until.is_some_and(|until| until <= scene.now.wall) {
            self.until = Some(Wall::from_millis(next_half_hour(scene)));
        }
    }

    /// What holding does.
    pub fn act(&self) -> Act {
        match self.switch {
            Switch::Mode(mode) => Act::Mode { mode, until: self.until },
            Switch::Surge(on) => Act::Surge { on, until: self.until },
        }
    }
}

/// The next half or full hour of the local clock.
fn next_half_hour(scene: &Scene) -> i64 {
    let now = scene.now.wall.as_millis();
    let local = scene.local_ms(now);
    now + STEP_MS - local.rem_euclid(STEP_MS)
}
