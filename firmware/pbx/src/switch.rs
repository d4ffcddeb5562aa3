//! The switches of the whole box: day and night over every calendar, and the surge profile; each may go back by itself at a
//! time of day. Such a time is a matter of calendars, so it is wall time: a clock that is set right moves it, and a night
//! that ended while the machine was off has ended. The timer only wakes the core up; whether the time has come is asked
//! of the wall clock.

use base::time::{Now, Wall};
use core::time::Duration;
use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::config::{Config, Queue as Wanted};
use crate::event::Detail;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// What the hours of all calendars are now. Holidays are written in the calendars themselves and are closed as a night is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// As the calendars say.
    #[default]
    Auto,
    /// Open.
    Day,
    /// Closed.
    Night,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Mode; 3] = [Mode::Auto, Mode::Day, Mode::Night];

    /// As it stands in the journal and is typed.
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::Day => "day",
            Mode::Night => "night",
        }
    }
}

/// How the switches stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Switches {
    /// The hours.
    pub mode: Mode,
    /// The calendars hold again from then on; none: when somebody switches back. Always none with them.
    pub mode_until: Option<Wall>,
    /// The surge profile is on.
    pub surge: bool,
    /// It is off from then on; none: when somebody switches it off. Always none while it is off.
    pub surge_until: Option<Wall>,
}

impl Pbx {
    /// How the switches stand.
    pub fn switches(&self) -> Switches {
        self.switches
    }

    /// The surge profile is on.
    pub fn surge_is_on(&self) -> bool {
        self.switches.surge
    }

    /// Whether a queue's hours let callers in: the mode's word over the calendar's. A queue without a calendar has no hours;
    /// it is open at night, too, for that is what it is there for.
    pub(crate) fn is_open(&self, config: &Config, queue: &Wanted, wall: Wall) -> bool {
        let calendar = queue.calendar.as_ref().and_then(|name| config.calendars.get(name));
        calendar.is_none_or(|calendar| match self.switches.mode {
            Mode::Auto => calendar::is_open(calendar, wall, config.system.utc_offset_min),
            Mode::Day => true,
            Mode::Night => false,
        })
    }

    /// Switches day and night. A time that is over already, or one for the calendars themselves, means none.
    pub(crate) fn set_mode(&mut self, turn: &mut Turn<'_>, actor: &str, mode: Mode, until: Option<Wall>) {
        let until = ahead(until, turn.now).filter(|_| mode != Mode::Auto);
        if (mode, until) == (self.switches.mode, self.switches.mode_until) {
            return;
        }
        (self.switches.mode, self.switches.mode_until) = (mode, until);
        self.note(turn, None, None, actor, Detail::Mode { mode, until });
        self.wake_for_switches(turn.now);
    }

    /// Switches the surge profile.
    pub(crate) fn set_surge(&mut self, turn: &mut Turn<'_>, actor: &str, on: bool, until: Option<Wall>) {
        let until = ahead(until, turn.now).filter(|_| on);
        if (on, until) == (self.switches.surge, self.switches.surge_until) {
            return;
        }
        (self.switches.surge, self.switches.surge_until) = (on, until);
        self.unmatched = true;
        self.staffing_changed = true;
        self.note(turn, None, None, actor, Detail::Surge { on, until });
        self.wake_for_switches(turn.now);
    }

    /// The state was lost: what was switched is switched again, unless its time is over.
    pub(crate) fn stand_as_before(&mut self, turn: &mut Turn<'_>, was: Switches) {
        let lasts = |until: Option<Wall>| until.is_none_or(|until| until > turn.now.wall);
        let (mode, surge) = (lasts(was.mode_until), lasts(was.surge_until));
        if mode && was.mode != Mode::Auto {
            self.set_mode(turn, "recovery", was.mode, was.mode_until);
        }
        if surge && was.surge {
            self.set_surge(turn, "recovery", true, was.surge_until);
        }
    }

    /// What was to end by now ends. Asked at every input, so that a clock that leaps leaves nothing behind.
    pub(crate) fn switch_back(&mut self, turn: &mut Turn<'_>) {
        let over = |until: Option<Wall>| until.is_some_and(|until| until <= turn.now.wall);
        let (mode, surge) = (over(self.switches.mode_until), over(self.switches.surge_until));
        if mode {
            self.set_mode(turn, "timer", Mode::Auto, None);
        }
        if surge {
            self.set_surge(turn, "timer", false, None);
        }
    }

    /// Sets the timer to the next time at which a switch goes back, by the wall clock as it goes now.
    pub(crate) fn wake_for_switches(&mut self, now: Now) {
        let next = [self.switches.mode_until, self.switches.surge_until].into_iter().flatten().min();
        match next {
            Some(next) => {
                let left_ms = next.as_millis().saturating_sub(now.wall.as_millis()).max(1);
                self.timers.set(Timer::SwitchBack, now.at + Duration::from_millis(left_ms.unsigned_abs()));
            }
            None => self.timers.clear(Timer::SwitchBack),
        }
    }
}

fn ahead(until: Option<Wall>, now: Now) -> Option<Wall> {
    until.filter(|until| *until > now.wall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::{Act, Boot, Input, Output, Rebuilt};
    use alloc::string::String;
    use alloc::sync::Arc;
    use alloc::vec::Vec;
    use base::time::Instant;

    const SITE: &str =
        "sip { listen 127.0.0.1:5060; } agent 1001 { extension 2001; } extension 2001 { secret abcdefgh; }
        calendar office { hours [ mon-fri/09:00-17:00 ]; }
        queue office { agents [ 1001 ]; calendar office; } queue always { agents [ 1001 ]; }";

    /// Monday, 2027-01-18 at 08:00 UTC is 16:00 in China.
    const MONDAY_16: i64 = 1_800_259_200_000;
    const HOUR_MS: i64 = 3_600_000;

    /// A box whose clocks a test moves, each by itself.
    struct Site {
        pbx: Pbx,
        now: Now,
        facts: Vec<(String, Detail)>,
    }

    impl Site {
        fn new() -> Site {
            let now = Now { at: Instant::from_micros(1_000_000), wall: Wall::from_millis(MONDAY_16) };
            let mut site = Site { pbx: Pbx::new(), now, facts: Vec::new() };
            let config = crate::config::parse(SITE).unwrap();
            site.give(Input::Configured(Arc::new(config), 1));
            site
        }

        fn give(&mut self, input: Input) {
            let mut out = Vec::new();
            self.pbx.handle(self.now, input, &mut out);
            self.facts.extend(out.into_iter().filter_map(|output| match output {
                Output::Record(event) => Some((event.actor, event.detail)),
                _ => None,
            }));
        }

        fn act(&mut self, act: Act) {
            self.give(Input::Operator { actor: "panel".into(), act });
        }

        /// Both clocks go on, and what is due happens when it is due.
        fn pass(&mut self, hours: i64) {
            let end = self.now.at + Duration::from_millis((hours * HOUR_MS) as u64);
            while let Some(due) = self.pbx.deadline().filter(|due| *due <= end) {
                self.go_to(due);
                self.give(Input::Timer);
            }
            self.go_to(end);
        }

        fn go_to(&mut self, at: Instant) {
            let ms = at.since(self.now.at).as_millis() as i64;
            self.now = Now { at, wall: Wall::from_millis(self.now.wall.as_millis() + ms) };
        }

        fn open(&self) -> (bool, bool) {
            let config = self.pbx.config().unwrap();
            let open = |name| self.pbx.is_open(&config, &config.queues[name], self.now.wall);
            (open("office"), open("always"))
        }

        fn in_hours(&self, hours: i64) -> Option<Wall> {
            Some(Wall::from_millis(self.now.wall.as_millis() + hours * HOUR_MS))
        }

        fn restart(&mut self, machine_restarted: bool) {
            let saved = serde_json::to_string(&self.pbx).unwrap();
            self.pbx = serde_json::from_str(&saved).unwrap();
            let boot = Boot { seed: [7; 32], build: "b".into(), recovered: true, machine_restarted, events_from: 1 };
            self.give(Input::Boot(boot));
        }
    }

    fn night(until: Option<Wall>) -> Act {
        Act::Mode { mode: Mode::Night, until }
    }

    #[test]
    fn the_mode_is_over_every_calendar_and_over_nothing_else() {
        let mut site = Site::new();
        assert_eq!(site.open(), (true, true));
        site.act(night(None));
        assert_eq!(site.open(), (false, true));
        site.pass(2);
        site.act(Act::Mode { mode: Mode::Auto, until: None });
        assert_eq!(site.open(), (false, true), "18:00");
        site.act(Act::Mode { mode: Mode::Day, until: None });
        assert_eq!(site.open(), (true, true));
        site.act(Act::Mode { mode: Mode::Day, until: None });
        let modes: Vec<_> = site.facts.iter().map(|(actor, detail)| (actor.as_str(), detail.clone())).collect();
        let mode = |mode| ("panel", Detail::Mode { mode, until: None });
        assert_eq!(modes, [mode(Mode::Night), mode(Mode::Auto), mode(Mode::Day)], "what is so already is not noted");
        assert_eq!(site.pbx.deadline(), None);
    }

    #[test]
    fn a_lost_state_stands_as_before_until_its_time_is_over() {
        let mut site = Site::new();
        let was = |mode_until, surge_until| Switches { mode: Mode::Night, mode_until, surge: true, surge_until };
        let rebuilt = |switches| Input::Rebuilt(Rebuilt { switches, ..Rebuilt::default() });
        let past = Some(Wall::from_millis(site.now.wall.as_millis() - 1));
        site.give(rebuilt(was(past, past)));
        assert_eq!((site.pbx.switches(), site.facts.len()), (Switches::default(), 0));
        let known = was(site.in_hours(2), None);
        site.give(rebuilt(known));
        assert_eq!((site.pbx.switches(), site.open()), (known, (false, true)));
        site.pass(2);
        assert_eq!(site.pbx.switches().mode, Mode::Auto);
        site.give(rebuilt(Switches::default()));
        assert!(site.pbx.surge_is_on(), "nothing was lost");
    }

    #[test]
    fn it_goes_back_by_itself_also_across_a_restart_of_the_program() {
        for restarts in [false, true] {
            let mut site = Site::new();
            let until = site.in_hours(20);
            site.act(night(until));
            site.pass(10);
            if restarts {
                site.restart(false);
            }
            site.pass(9);
            assert_eq!((site.pbx.switches().mode, site.pbx.switches().mode_until), (Mode::Night, until));
            site.pass(1);
            assert_eq!((site.pbx.switches(), site.pbx.deadline()), (Switches::default(), None));
            let last = site.facts.last().cloned();
            assert_eq!(last, Some(("timer".into(), Detail::Mode { mode: Mode::Auto, until: None })));
        }
    }

    #[test]
    fn a_night_that_ended_while_the_machine_was_off_has_ended() {
        let mut site = Site::new();
        site.act(night(site.in_hours(20)));
        site.act(Act::Surge { on: true, until: site.in_hours(30) });
        // The monotonic clock stood still for a day.
        site.now.wall = Wall::from_millis(site.now.wall.as_millis() + 24 * HOUR_MS);
        site.restart(true);
        assert_eq!((site.pbx.switches().mode, site.pbx.switches().surge), (Mode::Auto, true));
        site.pass(6);
        assert!(!site.pbx.switches().surge, "its timer was set anew");
    }

    #[test]
    fn a_clock_that_is_set_moves_the_return() {
        let mut site = Site::new();
        site.act(night(site.in_hours(2)));
        site.now.wall = Wall::from_millis(site.now.wall.as_millis() - HOUR_MS);
        site.pass(2);
        assert_eq!(site.pbx.switches().mode, Mode::Night, "an hour is left by the wall");
        site.pass(1);
        assert_eq!(site.pbx.switches().mode, Mode::Auto);
        site.act(night(site.in_hours(2)));
        site.now.wall = Wall::from_millis(site.now.wall.as_millis() + 3 * HOUR_MS);
        site.give(Input::Stored(0));
        assert_eq!(site.pbx.switches().mode, Mode::Auto, "whatever comes first after the leap");
    }

    #[test]
    fn a_time_that_is_over_is_none() {
        let mut site = Site::new();
        site.act(night(site.in_hours(-1)));
        assert_eq!((site.pbx.switches().mode, site.pbx.switches().mode_until), (Mode::Night, None));
        site.act(Act::Surge { on: false, until: site.in_hours(1) });
        assert_eq!(site.pbx.switches().surge_until, None);
    }
}
