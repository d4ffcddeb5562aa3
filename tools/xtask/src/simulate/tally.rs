//! What became of each caller and of the agents' time, and the figures of a run: the definitions of the reports, over
//! callers by their time of arrival.

use super::erlang::{Ends, Threshold};
use base::id::Uid;
use pbx::event::{Detail, LegEvent};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// How a caller's time in the queue ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum End {
    /// Not yet.
    #[default]
    Waiting,
    /// An agent answered.
    Answered,
    /// Hung up.
    Abandoned,
    /// Left by a rule of the queue: longest wait, overflow, key.
    Left,
    /// The box did not take the call.
    Refused,
}

impl End {
    /// By who the journal says ended the wait.
    pub fn by(actor: &str) -> End {
        let rule = matches!(actor, "max-wait" | "router" | "box" | "timer" | "recovery" | "operator");
        if rule || actor.starts_with("supervisor") { End::Left } else { End::Abandoned }
    }
}

/// One caller.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Life {
    /// Microseconds after the beginning.
    pub arrived_us: u64,
    /// Queue called for.
    pub queue: String,
    /// When the box first queued the call, by its clock.
    pub queued_at_us: Option<u64>,
    /// When it was last offered.
    pub offered_at_us: Option<u64>,
    /// When an agent answered.
    pub answered_at_us: Option<u64>,
    /// Time from the queue's beginning to the end of waiting.
    pub wait_us: u64,
    /// Time from there to the end of the call, for the answered.
    pub talk_us: u64,
    /// How the wait ended.
    pub end: End,
}

impl Life {
    /// A caller who has not called yet.
    pub fn new(arrived_us: u64, queue: &str) -> Life {
        Life { arrived_us, queue: queue.to_string(), ..Life::default() }
    }

    /// The call enters a queue. True for its first.
    fn queued(&mut self, at_us: u64) -> bool {
        self.end = End::Waiting;
        let first = self.queued_at_us.is_none();
        self.queued_at_us.get_or_insert(at_us);
        first
    }

    /// The wait ends.
    fn ends(&mut self, at_us: u64, end: End) {
        self.wait_us = at_us - self.queued_at_us.unwrap_or(at_us);
        self.end = end;
    }
}

/// What a row meant for a caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Entered a queue: for the first time, or again.
    Queued {
        /// The first time.
        first: bool,
    },
    /// An agent answered.
    Answered,
    /// Left the queue unanswered.
    Left,
    /// The call is over.
    Over,
}

/// The journal read into callers and agents' time. The same for a simulated box and a real one.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Ledger {
    /// Every caller, in order.
    pub lives: Vec<Life>,
    /// What the agents' time went into.
    pub shifts: Shifts,
    /// From offer to answer, of those answered.
    pub ring_us: Sum,
    /// Agents who were there when a caller came.
    pub present: Sum,
    by_uid: BTreeMap<Uid, usize>,
    waiting: BTreeSet<usize>,
}

impl Ledger {
    /// For callers known before, in order, or none: then whoever enters a queue is taken.
    pub fn new(lives: Vec<Life>, shifts: Shifts) -> Ledger {
        Ledger { lives, shifts, ..Ledger::default() }
    }

    /// This call is that caller's.
    pub fn know(&mut self, uid: Uid, n: usize) {
        self.by_uid.insert(uid, n);
    }

    /// Calls that are not over.
    pub fn open(&self) -> usize {
        self.by_uid.len()
    }

    /// A caller who is seen for the first time, at this reading of the box's clock.
    pub fn take(&mut self, uid: Uid, at_us: u64, queue: &str) {
        if !self.by_uid.contains_key(&uid) {
            self.by_uid.insert(uid, self.lives.len());
            self.lives.push(Life::new(self.shifts.after(at_us), queue));
        }
    }

    /// Reads one row; which caller it is about, and what it means to him.
    pub fn row(&mut self, row: &LegEvent) -> Option<(usize, Step)> {
        let at_us = row.at.as_micros();
        if let Detail::AgentState { agent, to, .. } = &row.detail {
            self.shifts.state(at_us, agent, to);
        }
        let uid = row.call?;
        let n = *self.by_uid.get(&uid)?;
        let life = &mut self.lives[n];
        let step = match &row.detail {
            Detail::Queued { .. } => {
                self.present.add(self.shifts.present());
                Step::Queued { first: life.queued(at_us) }
            }
            Detail::Offered { .. } => {
                life.offered_at_us = Some(at_us);
                return None;
            }
            // Whoever takes an answered caller over does not end a second wait.
            Detail::Connected { .. } if life.end == End::Answered => return None,
            Detail::Connected { queue, .. } if !queue.is_empty() => {
                life.ends(at_us, End::Answered);
                life.answered_at_us = Some(at_us);
                self.ring_us.add(at_us - life.offered_at_us.unwrap_or(at_us));
                Step::Answered
            }
            Detail::Abandoned { by, .. } => {
                life.ends(at_us, End::by(by));
                Step::Left
            }
            Detail::Overflowed { .. } => {
                life.ends(at_us, End::Left);
                Step::Left
            }
            Detail::CallEnded { .. } => {
                life.talk_us = life.answered_at_us.map_or(0, |since_us| at_us - since_us);
                self.by_uid.remove(&uid);
                Step::Over
            }
            _ => return None,
        };
        self.wait(at_us, n, step);
        Some((n, step))
    }

    fn wait(&mut self, at_us: u64, n: usize, step: Step) {
        let changed = match step {
            Step::Queued { .. } => self.waiting.insert(n),
            Step::Answered | Step::Left | Step::Over => self.waiting.remove(&n),
        };
        if changed {
            self.shifts.waiting(at_us, self.waiting.len() as u64);
        }
    }
}

/// A sum and of how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sum {
    total: u64,
    count: u64,
}

impl Sum {
    /// One more.
    pub fn add(&mut self, value: u64) {
        self.total += value;
        self.count += 1;
    }

    /// Mean; 0 of none.
    pub fn mean(&self) -> f64 {
        self.total as f64 / self.count.max(1) as f64
    }
}

/// What an agent's time is, for occupancy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Duty {
    /// Not at work for a queue.
    Off,
    /// Ready for the next call.
    Ready,
    /// Ringing, talking, holding.
    Busy,
    /// After a call.
    WrapUp,
}

impl Duty {
    /// By the state's name in the journal.
    fn of(state: &str) -> Duty {
        match state.split(' ').next().unwrap_or_default() {
            "ready" => Duty::Ready,
            "logged-out" | "not-ready" | "personal" | "outbound" => Duty::Off,
            "wrap-up" => Duty::WrapUp,
            _ => Duty::Busy,
        }
    }
}

/// The agents' time and the length of the queue, within the counted part of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Shifts {
    zero_us: i64,
    counted_us: Range<u64>,
    agents: BTreeMap<String, (u64, Duty)>,
    ready_us: u64,
    busy_us: u64,
    waiting: u64,
    waiting_since_us: u64,
    waited_us: u64,
    /// Most callers that waited at once.
    pub waiting_max: u64,
    /// Each wrap-up.
    pub wrap_up_us: Sum,
}

impl Shifts {
    /// `zero_us`: the box's clock at the beginning, negative when it was started later; `counted_us` after it.
    pub fn new(zero_us: i64, counted_us: Range<u64>) -> Shifts {
        Shifts { zero_us, counted_us, ..Shifts::default() }
    }

    /// A reading of the box's clock as time after the beginning.
    fn after(&self, at_us: u64) -> u64 {
        u64::try_from(i64::try_from(at_us).unwrap_or(i64::MAX).saturating_sub(self.zero_us)).unwrap_or(0)
    }

    /// How much of the time between two readings of the box's clock counts.
    fn counted(&self, from_us: u64, to_us: u64) -> u64 {
        let (from_us, to_us) = (self.after(from_us), self.after(to_us));
        to_us.min(self.counted_us.end).saturating_sub(from_us.max(self.counted_us.start))
    }

    fn add(&mut self, duty: Duty, from_us: u64, to_us: u64) {
        let us = self.counted(from_us, to_us);
        match duty {
            Duty::Ready => self.ready_us += us,
            Duty::Busy => self.busy_us += us,
            Duty::WrapUp => {
                self.busy_us += us;
                self.wrap_up_us.add(to_us - from_us);
            }
            Duty::Off => {}
        }
    }

    /// An agent enters a state.
    pub fn state(&mut self, at_us: u64, agent: &str, state: &str) {
        if let Some((since_us, duty)) = self.agents.insert(agent.to_string(), (at_us, Duty::of(state))) {
            self.add(duty, since_us, at_us);
        }
    }

    /// Agents at work for the queues now.
    pub fn present(&self) -> u64 {
        self.agents.values().filter(|(_, duty)| *duty != Duty::Off).count() as u64
    }

    /// So many callers wait from now on.
    pub fn waiting(&mut self, at_us: u64, callers: u64) {
        self.waited_us += self.waiting * self.counted(self.waiting_since_us, at_us);
        self.waiting_since_us = at_us;
        self.waiting = callers;
        if self.counted_us.contains(&self.after(at_us)) {
            self.waiting_max = self.waiting_max.max(callers);
        }
    }

    /// The run is over, at this reading of the box's clock.
    pub fn finish(&mut self, at_us: u64) {
        self.waiting(at_us, self.waiting);
        for (since_us, duty) in std::mem::take(&mut self.agents).into_values() {
            self.add(duty, since_us, at_us);
        }
    }

    /// (talk + hold + ring + wrap-up) ÷ (the same + ready); 0 when nobody was there.
    pub fn occupancy(&self) -> f64 {
        self.busy_us as f64 / (self.busy_us + self.ready_us).max(1) as f64
    }

    /// Mean number of callers waiting.
    pub fn length(&self) -> f64 {
        let span_us = self.counted_us.end - self.counted_us.start;
        self.waited_us as f64 / span_us.max(1) as f64
    }
}

/// The figures of one run, or of part of its callers.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Figures {
    /// How calls ended, in calls.
    pub ends: Ends,
    /// Left the queue by its rules.
    pub left: f64,
    /// Refused, or still waiting when the run was over.
    pub others: f64,
    /// Mean wait of the answered, seconds.
    pub asa_s: f64,
    /// Mean wait of those who hung up, seconds.
    pub abandon_s: f64,
    /// Mean talk time of the answered, seconds.
    pub talk_s: f64,
}

impl Figures {
    /// Of these callers.
    pub fn of<'a>(lives: impl Iterator<Item = &'a Life>, threshold: &Threshold) -> Figures {
        let mut figures = Figures::default();
        let (mut answered_s, mut abandoned_s, mut talk_s) = (0.0, 0.0, 0.0);
        for life in lives {
            let wait_s = life.wait_us as f64 / 1e6;
            let ends = &mut figures.ends;
            ends.offered += 1.0;
            match life.end {
                End::Answered => {
                    ends.answered += 1.0;
                    ends.answered_within += f64::from(u8::from(wait_s <= threshold.within_s));
                    answered_s += wait_s;
                    talk_s += life.talk_us as f64 / 1e6;
                }
                End::Abandoned => {
                    ends.abandoned += 1.0;
                    ends.abandoned_within += f64::from(u8::from(wait_s <= threshold.within_s));
                    ends.abandoned_short += f64::from(u8::from(wait_s < threshold.short_s));
                    abandoned_s += wait_s;
                }
                End::Left => figures.left += 1.0,
                End::Waiting | End::Refused => figures.others += 1.0,
            }
        }
        figures.asa_s = answered_s / figures.ends.answered.max(1.0);
        figures.talk_s = talk_s / figures.ends.answered.max(1.0);
        figures.abandon_s = abandoned_s / figures.ends.abandoned.max(1.0);
        figures
    }

    /// Whether every caller is in exactly one row.
    pub fn adds_up(&self) -> bool {
        self.ends.offered == self.ends.answered + self.ends.abandoned + self.left + self.others
    }
}

/// Mean over runs and how far it can be trusted.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Mean {
    /// Mean.
    pub mean: f64,
    /// Standard error of the mean; `None` for one run.
    pub error: Option<f64>,
}

impl Mean {
    /// Of these values; `None` when there is none.
    pub fn of(values: &[f64]) -> Option<Mean> {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let square = values.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>();
        let error = (values.len() > 1).then(|| (square / (n - 1.0) / n).sqrt());
        (!values.is_empty()).then_some(Mean { mean, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(end: End, wait_s: u64) -> Life {
        Life { end, wait_us: wait_s * 1_000_000, talk_us: 60_000_000, ..Life::new(0, "q") }
    }

    #[test]
    fn who_ended_a_wait_tells_a_hang_up_from_a_rule() {
        for caller in ["caller", "line 1/1", "extension 2001", "trunk carrier"] {
            assert_eq!(End::by(caller), End::Abandoned, "{caller}");
        }
        for rule in ["max-wait", "recovery", "router", "supervisor 9001"] {
            assert_eq!(End::by(rule), End::Left, "{rule}");
        }
    }

    #[test]
    fn figures_are_those_of_the_definitions() {
        let lives = [
            life(End::Answered, 0),
            life(End::Answered, 20),
            life(End::Answered, 40),
            life(End::Abandoned, 4),
            life(End::Abandoned, 5),
            life(End::Abandoned, 30),
            life(End::Left, 600),
            life(End::Refused, 0),
        ];
        let figures = Figures::of(lives.iter(), &Threshold::default());
        let ends = Ends {
            offered: 8.0,
            answered: 3.0,
            answered_within: 2.0,
            abandoned: 3.0,
            abandoned_within: 2.0,
            abandoned_short: 1.0,
        };
        assert_eq!(figures, Figures { ends, left: 1.0, others: 1.0, asa_s: 20.0, abandon_s: 13.0, talk_s: 60.0 });
        assert!(figures.adds_up());
        assert!(!Figures { left: 2.0, ..figures }.adds_up());
    }

    #[test]
    fn agents_time_counts_within_its_window_only() {
        let mut shifts = Shifts::new(1_000, 100..1_100);
        shifts.state(900, "1", "not-ready 90");
        shifts.state(1_000, "1", "ready");
        shifts.state(1_300, "1", "ringing");
        shifts.state(1_400, "1", "talking");
        shifts.state(1_600, "1", "wrap-up");
        shifts.state(1_700, "1", "ready");
        shifts.state(2_000, "1", "logged-out");
        shifts.waiting(1_200, 1);
        shifts.waiting(1_300, 2);
        shifts.waiting(1_400, 1);
        shifts.waiting(1_500, 0);
        assert_eq!(shifts.present(), 0);
        shifts.finish(2_000);
        // Ready 1,100 to 1,300 and 1,700 to 2,000; busy 1,300 to 1,700.
        assert!((shifts.occupancy() - 4.0 / 9.0).abs() < 1e-9);
        assert!((shifts.length() - 0.4).abs() < 1e-9);
        assert_eq!(shifts.waiting_max, 2);
        assert_eq!(shifts.wrap_up_us.mean(), 100.0);
    }

    #[test]
    fn a_mean_knows_its_error() {
        assert_eq!(Mean::of(&[]), None);
        assert_eq!(Mean::of(&[3.0]), Some(Mean { mean: 3.0, error: None }));
        assert_eq!(Mean::of(&[1.0, 3.0, 2.0]), Some(Mean { mean: 2.0, error: Some((1.0f64 / 3.0).sqrt()) }));
    }
}
