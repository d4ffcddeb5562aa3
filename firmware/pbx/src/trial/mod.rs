//! Configuration tests, played: a fresh [`Pbx`](crate::Pbx) with the candidate, phones and trunks that answer, a media
//! engine without audio and a clock that jumps. What the router writes in its leg-event journal is the verdict. Pure and
//! bounded; takes a moment for a large site, so it is no work for the control thread.

mod ground;
mod judge;
mod world;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use base::time::Wall;
use core::time::Duration;

use crate::calendar::Date;
use crate::config::test::{Goal, Test};
use crate::config::{Config, Problem};
use crate::event::LegEvent;
use crate::text::{Text, trial as key};
use ground::Ground;
use judge::Judge;
use world::World;

/// A call that is not over then is looked at no longer.
const LONGEST: Duration = Duration::from_secs(3_600);
/// Between two callers who came before.
const BETWEEN: Duration = Duration::from_secs(1);
/// From the last of them to the call of the test.
const SETTLE: Duration = Duration::from_secs(10);

/// What came of one test.
#[derive(Clone, PartialEq, Debug)]
pub struct Verdict {
    /// None when everything that was expected happened.
    pub failure: Option<Box<Failure>>,
    /// When the call was played.
    pub at: Wall,
    /// The rows of the call, as the journal would have them.
    pub ladder: Vec<LegEvent>,
}

/// Why a test failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// The statement of the test that it is about.
    pub leaf: &'static str,
    /// What happened instead, or why the call could not be made.
    pub reason: Text,
    /// What to do.
    pub remedy: Text,
}

impl Failure {
    fn new(leaf: &'static str, reason: impl Into<Text>, remedy: impl Into<Text>) -> Box<Failure> {
        Box::new(Failure { leaf, reason: reason.into(), remedy: remedy.into() })
    }
}

impl Verdict {
    /// Everything that was expected happened.
    pub fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// As a problem of the configuration, its place in the text not yet known; none when the test passed.
    pub fn problem(&self, name: &str) -> Option<Problem> {
        let Failure { leaf, reason, remedy } = *self.failure.clone()?;
        Some(Problem::error(&["test", name, leaf].join(" "), reason, remedy))
    }
}

/// Plays one test of a configuration that [`parse`](crate::config::parse) accepts. `today` is where the days of the week
/// are counted from. A test that is not there fails.
pub fn run(config: &Arc<Config>, name: &str, today: Date) -> Verdict {
    let Some(test) = config.tests.get(name) else {
        let failure = Failure::new("call", Text::new(key::NO_SUCH).with("name", name), key::NO_SUCH_REMEDY);
        return Verdict { failure: Some(failure), at: Wall::default(), ladder: Vec::new() };
    };
    play(&Ground::new(config, today), test)
}

/// Plays all tests, in the order of their names. `progress` is told how many are done, of how many.
pub fn run_all(config: &Arc<Config>, today: Date, progress: &mut dyn FnMut(usize, usize)) -> Vec<(String, Verdict)> {
    if config.tests.is_empty() {
        return Vec::new();
    }
    let ground = Ground::new(config, today);
    let mut verdicts = Vec::new();
    for (name, test) in &config.tests {
        verdicts.push((name.clone(), play(&ground, test)));
        progress(verdicts.len(), config.tests.len());
    }
    verdicts
}

/// The failed ones as problems, their places in the text not yet known; see [`locate`](crate::config::locate).
pub fn problems(verdicts: &[(String, Verdict)]) -> Vec<Problem> {
    verdicts.iter().filter_map(|(name, verdict)| verdict.problem(name)).collect()
}

fn play(ground: &Ground, test: &Test) -> Verdict {
    let at = ground.moment(test.call.at);
    let failed = |failure| Verdict { failure: Some(failure), at, ladder: Vec::new() };
    if let Some(failure) = unreachable(ground, test) {
        return failed(failure);
    }
    let mut world = match ground.world(test, at) {
        Ok(world) => world,
        Err(failure) => return failed(failure),
    };
    for _ in 0..test.callers_before {
        world.dial(&test.call, &test.press);
        world.pass(BETWEEN);
    }
    if test.callers_before > 0 {
        world.pass(SETTLE);
    }
    world.watch();
    world.dial(&test.call, &test.press);
    let judge = watch(&mut world, test);
    let failure = judge.failure(&world, test);
    Verdict { failure, at, ladder: world.into_ladder() }
}

/// Lets time pass until everything has happened, or nothing more can.
fn watch<'t>(world: &mut World, test: &'t Test) -> Judge<'t> {
    let began = world.now();
    let mut judge = Judge::new(&test.expect, began);
    loop {
        judge.look(world.rows());
        if judge.is_decided() {
            return judge;
        }
        let until = judge.deadline().map_or(began + LONGEST, |deadline| deadline.min(began + LONGEST));
        if !world.step(until) {
            return judge;
        }
    }
}

/// A caller from outside who dials what is no did; that is a mistake of the test unless it is what it is about.
fn unreachable(ground: &Ground, test: &Test) -> Option<Box<Failure>> {
    let (from, to) = (&test.call.from, &test.call.to);
    let wanted = test.expect.iter().any(|expected| expected.goal == Goal::Refused);
    if wanted || ground.is_inside(from) || ground.is_did(to) {
        return None;
    }
    let reason = Text::new(key::NO_DID).with("from", from).with("to", to);
    Some(Failure::new("call", reason, Text::new(key::NO_DID_REMEDY).with("to", to)))
}

#[cfg(test)]
mod tests;
