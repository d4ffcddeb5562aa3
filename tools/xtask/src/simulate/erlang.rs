//! The two textbook models of a queue, to stand beside a simulation: Erlang C (M/M/N, nobody ever hangs up) and
//! Erlang A (M/M/N+M, patience is exponential). Everything is computed by recursions and integrals of bounded terms;
//! no factorial and no power of the load is ever formed, so that thousands of agents are no harder than two. Floating
//! point is fine here: nothing of this steers a call. It is not a model of skills, rings or several queues.

/// What comes in and who is there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Arrivals per hour.
    pub calls_per_hour: f64,
    /// Mean time an agent needs per call, with wrap-up, in seconds.
    pub aht_s: f64,
    /// Agents, all of them able to take each call.
    pub agents: u32,
}

impl Load {
    /// Offered traffic in Erlang.
    pub fn erlangs(&self) -> f64 {
        self.calls_per_hour / 3_600.0 * self.aht_s
    }

    /// Whether the numbers make a queue: finite, something to do, somebody to do it.
    fn sound(&self) -> bool {
        let good = |x: f64| x.is_finite() && x > 0.0;
        good(self.calls_per_hour) && good(self.aht_s) && self.agents > 0
    }

    /// Calls per second that all agents together finish.
    fn served_per_s(&self) -> f64 {
        f64::from(self.agents) / self.aht_s
    }
}

/// The thresholds of a service level, in seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Threshold {
    /// Answered within this time is good.
    pub within_s: f64,
    /// Who hangs up sooner than this was never meant to be served.
    pub short_s: f64,
}

impl Default for Threshold {
    fn default() -> Self {
        Threshold { within_s: 20.0, short_s: 5.0 }
    }
}

/// Which calls count in a service level.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Variant {
    /// Answered in time ÷ answered.
    A,
    /// Answered in time ÷ (answered + abandoned).
    B,
    /// Answered in time ÷ (answered + abandoned − abandoned at once); the default.
    C,
    /// (Answered or abandoned in time) ÷ (answered + abandoned).
    D,
    /// Answered in time ÷ offered, whatever became of the others.
    E,
}

impl Variant {
    /// All of them.
    pub const ALL: [Variant; 5] = [Variant::A, Variant::B, Variant::C, Variant::D, Variant::E];

    /// The letter printed beside each number.
    pub fn letter(self) -> char {
        match self {
            Variant::A => 'a',
            Variant::B => 'b',
            Variant::C => 'c',
            Variant::D => 'd',
            Variant::E => 'e',
        }
    }
}

/// How calls ended; counts, or shares of those offered.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Ends {
    /// All that came.
    pub offered: f64,
    /// Reached an agent.
    pub answered: f64,
    /// Of these, within the threshold.
    pub answered_within: f64,
    /// Hung up while waiting.
    pub abandoned: f64,
    /// Of these, within the threshold.
    pub abandoned_within: f64,
    /// Of these, at once.
    pub abandoned_short: f64,
}

impl Ends {
    /// The service level, 0 to 1; `None` when no call counts.
    pub fn service_level(&self, variant: Variant) -> Option<f64> {
        let both = self.answered + self.abandoned;
        let (good, all) = match variant {
            Variant::A => (self.answered_within, self.answered),
            Variant::B => (self.answered_within, both),
            Variant::C => (self.answered_within, both - self.abandoned_short),
            Variant::D => (self.answered_within + self.abandoned_within, both),
            Variant::E => (self.answered_within, self.offered),
        };
        (all > 0.0).then(|| good / all)
    }
}

/// What a model says of a queue in its steady state.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outlook {
    /// Share of callers that find no free agent.
    pub waits: f64,
    /// How calls end, as shares of those offered.
    pub ends: Ends,
    /// Mean wait of the answered, seconds.
    pub asa_s: f64,
    /// Mean wait of those who hang up, seconds; `None` where nobody does.
    pub abandon_s: Option<f64>,
    /// Share of their time that agents are busy.
    pub occupancy: f64,
    /// Mean number of callers waiting.
    pub length: f64,
}

/// Probability that all `servers` are busy when there is no room to wait: Erlang B of `erlangs`.
pub fn erlang_b(erlangs: f64, servers: u32) -> f64 {
    // The reciprocal grows from 1 without cancellation.
    (1..=servers).fold(1.0, |blocked: f64, n| erlangs * blocked / (f64::from(n) + erlangs * blocked))
}

/// Erlang C: exponential times, one queue, nobody ever hangs up. `None` when the agents cannot cope (the queue then
/// grows for ever) or the numbers make no queue.
pub fn erlang_c(load: &Load, threshold: &Threshold) -> Option<Outlook> {
    let (erlangs, agents) = (load.erlangs(), f64::from(load.agents));
    if !load.sound() || erlangs >= agents {
        return None;
    }
    let blocked = erlang_b(erlangs, load.agents);
    let waits = agents * blocked / (agents - erlangs * (1.0 - blocked));
    // Whoever waits, waits an exponential time.
    let drain_per_s = (agents - erlangs) / load.aht_s;
    let asa_s = waits / drain_per_s;
    let answered_within = 1.0 - waits * (-drain_per_s * threshold.within_s).exp();
    Some(Outlook {
        waits,
        ends: Ends { offered: 1.0, answered: 1.0, answered_within, ..Ends::default() },
        asa_s,
        abandon_s: None,
        occupancy: erlangs / agents,
        length: asa_s * load.calls_per_hour / 3_600.0,
    })
}

/// Erlang A: as Erlang C, but each caller hangs up after an exponential time of mean `patience_s`. Stable for any load.
/// `None` when the numbers make no queue. Infinite patience is Erlang C.
pub fn erlang_a(load: &Load, patience_s: f64, threshold: &Threshold) -> Option<Outlook> {
    if patience_s == f64::INFINITY {
        return erlang_c(load, threshold);
    }
    if !load.sound() || !patience_s.is_finite() || patience_s <= 0.0 {
        return None;
    }
    let blocked = erlang_b(load.erlangs(), load.agents);
    let idle_share = idle_share(load, patience_s);
    // With 1/A for the sum A of the waiting states: A·B ÷ (1 + (A − 1)·B), free of overflow for any A.
    let waits = blocked / (idle_share + (1.0 - idle_share) * blocked);
    let wait = Wait::new(load, patience_s, waits);
    let sums = wait.sums(threshold);
    let rho = load.erlangs() / f64::from(load.agents);
    // Flow in = flow out: those who wait and are not served hang up. Both forms lose digits at one end; where hardly
    // anybody hangs up the integral keeps them.
    let balance = (idle_share / rho + 1.0 - 1.0 / rho) * waits;
    let abandoned = if balance > 1e-3 { balance } else { sums.abandoned };
    let answered = 1.0 - abandoned;
    // θ·E[wait] = P(abandon), served or not.
    let wait_mean_s = abandoned * patience_s;
    let asa_s = sums.waited_s / answered;
    Some(Outlook {
        waits,
        ends: Ends {
            offered: 1.0,
            answered,
            answered_within: 1.0 - waits + sums.answered_within,
            abandoned,
            abandoned_within: sums.abandoned_within,
            abandoned_short: sums.abandoned_short,
        },
        asa_s,
        abandon_s: (abandoned > 0.0).then(|| sums.abandoned_wait_s / sums.abandoned),
        occupancy: load.erlangs() * answered / f64::from(load.agents),
        length: wait_mean_s * load.calls_per_hour / 3_600.0,
    })
}

/// The fewest agents with which `outlook` reaches `goal` (0 to 1) in this variant; `None` when 100,000 do not.
pub fn agents_needed(
    load: &Load,
    goal: f64,
    variant: Variant,
    outlook: impl Fn(&Load) -> Option<Outlook>,
) -> Option<u32> {
    let reaches = |agents: u32| {
        let level = outlook(&Load { agents, ..*load }).and_then(|o| o.ends.service_level(variant));
        level.is_some_and(|level| level >= goal)
    };
    // Never worse with more agents, so: double, then halve.
    let mut high = (1..=17).map(|n| 1u32 << n).find(|n| reaches(*n))?;
    let mut low = if high == 2 && reaches(1) { return Some(1) } else { high / 2 };
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if reaches(middle) { high = middle } else { low = middle }
    }
    (high <= 100_000).then_some(high)
}

/// Probability that nobody waits, given that all agents are busy: 1 ÷ (1 + Σⱼ Πₖ λ ÷ (Nμ + kθ)), from the far end
/// inwards, as Erlang B is; every intermediate value lies between 0 and 1.
fn idle_share(load: &Load, patience_s: f64) -> f64 {
    let (served, arrived) = (load.served_per_s() * patience_s, load.calls_per_hour / 3_600.0 * patience_s);
    let ratio = |k: u32| arrived / (served + f64::from(k));
    let mut share = 1.0;
    for k in (1..=waiting_max(&ratio)).rev() {
        share = 1.0 / (1.0 + ratio(k) / share);
    }
    share
}

/// How long a queue need be looked at: beyond, states have less than 1e-18 of the weight of their greatest.
fn waiting_max(ratio: &impl Fn(u32) -> f64) -> u32 {
    let (mut log, mut top, mut k) = (0.0f64, 0.0f64, 0);
    while log > top - 42.0 && k < 50_000_000 {
        k += 1;
        log += ratio(k).ln();
        top = top.max(log);
    }
    k
}

/// The wait that a caller of endless patience would have: its density is c·exp(λ/θ·(1 − e^−θt) − Nμt) for t > 0.
struct Wait {
    arrived_per_s: f64,
    served_per_s: f64,
    patience_s: f64,
    /// The exponent's greatest value, taken off so that nothing overflows.
    top: f64,
    /// Where the density ceases to be negligible, and where it begins to be so again.
    span_s: (f64, f64),
    /// Share of all callers in the integral of `shape` over all times.
    scale: f64,
}

/// Integrals over the wait, as shares of the callers offered, or seconds per caller offered.
#[derive(Default)]
struct Sums {
    answered_within: f64,
    waited_s: f64,
    abandoned: f64,
    abandoned_wait_s: f64,
    abandoned_within: f64,
    abandoned_short: f64,
}

impl Wait {
    fn new(load: &Load, patience_s: f64, waits: f64) -> Wait {
        let arrived_per_s = load.calls_per_hour / 3_600.0;
        let mut wait = Wait {
            arrived_per_s,
            served_per_s: load.served_per_s(),
            patience_s,
            top: 0.0,
            span_s: (0.0, 0.0),
            scale: 1.0,
        };
        let top_s = wait.top_s();
        wait.top = wait.exponent(top_s);
        wait.span_s = (wait.negligible_s(top_s, -1.0).max(0.0), wait.negligible_s(top_s, 1.0));
        wait.scale = waits / wait.integral(0.0, wait.span_s.1, |_| 1.0);
        wait
    }

    /// Where the density is below e^-45 of its top, in this direction.
    fn negligible_s(&self, top_s: f64, direction: f64) -> f64 {
        let (mut at_s, mut step_s) = (top_s, 1.0 / self.served_per_s);
        while at_s >= 0.0 && self.exponent(at_s) > -45.0 {
            at_s += direction * step_s;
            step_s *= 1.3;
        }
        at_s
    }

    /// Where the density is greatest: where the patient ones come as fast as they are served.
    fn top_s(&self) -> f64 {
        (self.patience_s * (self.arrived_per_s / self.served_per_s).ln()).max(0.0)
    }

    fn exponent(&self, t_s: f64) -> f64 {
        let arrived = -self.arrived_per_s * self.patience_s * (-t_s / self.patience_s).exp_m1();
        arrived - self.served_per_s * t_s - self.top
    }

    /// ∫ weight(t)·density(t) dt, by Gauss-Legendre in pieces on both sides of the top.
    fn integral(&self, from_s: f64, to_s: f64, weight: impl Fn(f64) -> f64) -> f64 {
        let (from_s, to_s) = (from_s.clamp(self.span_s.0, self.span_s.1), to_s.clamp(self.span_s.0, self.span_s.1));
        let top_s = self.top_s().clamp(from_s, to_s);
        let piece = |a: f64, b: f64| pieces(a, b, |t| weight(t) * self.exponent(t).exp());
        self.scale * (piece(from_s, top_s) + piece(top_s, to_s))
    }

    fn sums(&self, threshold: &Threshold) -> Sums {
        let (patience_s, end_s) = (self.patience_s, self.span_s.1);
        let stays = |t: f64| (-t / patience_s).exp();
        let leaves = |t: f64| -(-t / patience_s).exp_m1();
        // Hangs up within `t`: either before a turn that would come by then, or before `t` when the turn comes later.
        let leaves_within = |t: f64| {
            let t = t.min(end_s);
            self.integral(0.0, t, leaves) + self.integral(t, end_s, |_| 1.0) * leaves(t)
        };
        Sums {
            answered_within: self.integral(0.0, threshold.within_s.min(end_s), stays),
            waited_s: self.integral(0.0, end_s, |t| t * stays(t)),
            abandoned: self.integral(0.0, end_s, leaves),
            // ∫₀ᵛ t·θe^−θt dt: the wait of one who would be served at v and hangs up before.
            abandoned_wait_s: self.integral(0.0, end_s, |v| patience_s * leaves(v) - v * stays(v)),
            abandoned_within: leaves_within(threshold.within_s),
            abandoned_short: leaves_within(threshold.short_s),
        }
    }
}

/// Pieces of each integral.
const PIECES: u32 = 400;
/// Nodes and weights of Gauss-Legendre with five points on [-1, 1]; the other half is symmetric.
const GAUSS: [(f64, f64); 3] = [
    (0.0, 128.0 / 225.0),
    (0.538_469_310_105_683_1, 0.478_628_670_499_366_47),
    (0.906_179_845_938_664, 0.236_926_885_056_189_08),
];

fn pieces(from: f64, to: f64, f: impl Fn(f64) -> f64) -> f64 {
    if to <= from {
        return 0.0;
    }
    let half = (to - from) / f64::from(PIECES) / 2.0;
    let one = |n: u32| {
        let middle = from + half * f64::from(2 * n + 1);
        let both = |(x, w): &(f64, f64)| match *x {
            0.0 => w * f(middle),
            x => w * (f(middle - half * x) + f(middle + half * x)),
        };
        GAUSS.iter().map(both).sum::<f64>()
    };
    half * (0..PIECES).map(one).sum::<f64>()
}

#[cfg(test)]
mod tests;
