//! What the rows say of one agent: the state, the phone, what was done since login, and what is due.

use super::Findings;
use base::id::Uid;
use pbx::config::Config;
use std::collections::{BTreeMap, VecDeque};

/// The states of an agent, without their particulars.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Doing {
    /// Not at work.
    LoggedOut,
    /// At work, takes no calls.
    NotReady,
    /// Takes the next call.
    Ready,
    /// Chosen.
    Reserved,
    /// The phone rings.
    Ringing,
    /// In a queue call.
    Talking,
    /// In a queue call, the caller on hold.
    Hold,
    /// After a queue call.
    WrapUp,
    /// In a call of the phone's own.
    Personal,
    /// In a call of the phone's own to the outside.
    Outbound,
}

impl Doing {
    /// In a queue call.
    pub fn in_call(self) -> bool {
        matches!(self, Doing::Talking | Doing::Hold)
    }
}

/// The state that a row names.
pub fn doing(text: &str) -> Doing {
    match text.split(' ').next().unwrap_or("") {
        "not-ready" => Doing::NotReady,
        "ready" => Doing::Ready,
        "reserved" => Doing::Reserved,
        "ringing" => Doing::Ringing,
        "talking" => Doing::Talking,
        "hold" => Doing::Hold,
        "wrap-up" => Doing::WrapUp,
        "personal" => Doing::Personal,
        "outbound" => Doing::Outbound,
        _ => Doing::LoggedOut,
    }
}

/// Terms of a wrap-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wrap {
    /// Ends then.
    pub until_us: u64,
    /// Ends then at the latest.
    pub latest_us: u64,
    /// A disposition is due.
    pub owes: bool,
}

impl Wrap {
    /// When it ends by itself.
    pub fn end_us(&self) -> u64 {
        if self.owes { self.latest_us } else { self.until_us }
    }
}

/// Done since login, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Done {
    /// Queue calls.
    pub calls: u64,
    /// Talking and hold.
    pub talk_us: u64,
    /// From the offer to the end of wrap-up, and in calls to the outside.
    pub busy_us: u64,
    /// Ready.
    pub ready_us: u64,
}

impl Done {
    fn add(&mut self, doing: Doing, us: u64) {
        match doing {
            Doing::Talking | Doing::Hold => {
                self.talk_us += us;
                self.busy_us += us;
            }
            Doing::Reserved | Doing::Ringing | Doing::WrapUp | Doing::Outbound => self.busy_us += us,
            Doing::Ready => self.ready_us += us,
            Doing::LoggedOut | Doing::NotReady | Doing::Personal => {}
        }
    }
}

/// What an offer that was missed must lead to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Miss {
    /// Not ready for this reason.
    Rests(u8),
    /// Ready again, or what else an agent is who is not occupied.
    Free,
}

/// One agent.
#[derive(Debug)]
pub struct Book {
    home: String,
    /// Extension of the phone at which the agent works; empty when none.
    pub phone: String,
    /// The state.
    pub doing: Doing,
    /// The state as written.
    pub text: String,
    /// In this state since.
    pub since_us: u64,
    /// Since when idle; an offer that is withdrawn does not cost the place in line.
    pub idle_us: u64,
    /// The call, from its connection to its end.
    pub call: Option<Uid>,
    /// Queue and call of the offer that rings.
    pub offer: Option<(String, Uid)>,
    /// Queue of the last call.
    pub last_queue: String,
    /// Terms of the wrap-up.
    pub wrap: Option<Wrap>,
    /// The disposition of the present call was given while it lasted.
    pub disposed: bool,
    /// Wrap-up is too long, and that was said.
    pub overdue: bool,
    /// To be after the call.
    pub wish: Option<String>,
    /// No offer before.
    pub retry_us: u64,
    done: Done,
    misses: BTreeMap<u8, u32>,
    miss: Option<Miss>,
    /// The offer was missed: the place in line is lost.
    lost: bool,
    takes: VecDeque<u64>,
    login_us: u64,
    minutes: BTreeMap<Doing, u64>,
}

/// The least pause after an offer that was missed.
const RETRY_US_MIN: u64 = 1_000_000;
const HOUR_US: u64 = 3_600_000_000;

impl Book {
    /// An agent who is not at work.
    pub fn new(home: &str) -> Book {
        Book {
            home: home.to_string(),
            phone: home.to_string(),
            doing: Doing::LoggedOut,
            text: "logged-out".into(),
            since_us: 0,
            idle_us: 0,
            call: None,
            offer: None,
            last_queue: String::new(),
            wrap: None,
            overdue: false,
            disposed: false,
            wish: None,
            retry_us: 0,
            done: Done::default(),
            misses: BTreeMap::new(),
            miss: None,
            lost: false,
            takes: VecDeque::new(),
            login_us: 0,
            minutes: BTreeMap::new(),
        }
    }

    /// Logged in.
    pub fn at_work(&self) -> bool {
        self.doing != Doing::LoggedOut
    }

    /// Done since login, up to now.
    pub fn done(&self, now_us: u64) -> Done {
        let mut done = self.done;
        done.add(self.doing, now_us - self.since_us);
        done
    }

    /// Queue calls taken in the last hour.
    pub fn taken_last_hour(&self, now_us: u64) -> u32 {
        self.takes.iter().filter(|at| now_us - **at < HOUR_US).count() as u32
    }

    /// An offer was missed; after `limit` by the same rule in a row the agent rests for `reason`.
    pub fn missed(&mut self, now_us: u64, rule: u8, (limit, reason): (u8, u8), delay_us: u64) {
        let misses = self.misses.entry(rule).or_default();
        *misses += 1;
        self.lost = true;
        if limit > 0 && *misses >= u32::from(limit) {
            *misses = 0;
            self.retry_us = 0;
            self.miss = Some(Miss::Rests(reason));
        } else {
            self.retry_us = now_us + delay_us.max(RETRY_US_MIN);
            self.miss = Some(Miss::Free);
        }
    }

    /// The state that follows a miss is the one that the rules ask for.
    pub fn check_miss(&mut self, agent: &str, to: &str, found: &mut Findings) {
        let right = match self.miss.take() {
            None => true,
            Some(Miss::Rests(reason)) => to == format!("not-ready {reason}"),
            Some(Miss::Free) => !to.starts_with("not-ready 9"),
        };
        if !right {
            found.push(format!("agent {agent} is {to} after {:?} misses and one more", self.misses));
        }
    }

    /// Whoever had a wish is what was wished as soon as that is possible.
    pub fn check_wish(&mut self, agent: &str, will: Doing, to: &str, why: &str, found: &mut Findings) {
        if matches!(
            will,
            Doing::Talking | Doing::Hold | Doing::WrapUp | Doing::Reserved | Doing::Ringing | Doing::Outbound
        ) {
            return;
        }
        let by_hand = why.contains("feature code") || why.contains("forced") || why.contains("another");
        if let Some(wish) = self.wish.take().filter(|wish| wish != to && !by_hand) {
            found.push(format!("agent {agent} wished to be {wish}, but is {to}: {why}"));
        }
    }

    /// Wrap-up ends, or changes its terms, as the rules say.
    pub fn leaves_wrap_up(
        &mut self,
        agent: &str,
        now_us: u64,
        (will, why): (Doing, &str),
        config: &Config,
        found: &mut Findings,
    ) {
        let Some(wrap) = &mut self.wrap else { return };
        if will == Doing::WrapUp {
            let extend_s = config.queues.get(&self.last_queue).map_or(0, |q| q.wrap_up_extend_s);
            if why == "feature code" {
                wrap.until_us = (wrap.until_us + u64::from(extend_s) * 1_000_000).min(wrap.latest_us);
            }
            return;
        }
        if why.contains("time over") && now_us < wrap.end_us() {
            let lasted_us = now_us - self.since_us;
            found.push(format!("wrap-up of agent {agent} lasted {lasted_us} us, to end at {wrap:?}"));
        } else if wrap.owes && !why.contains("time over") {
            found.push(format!("agent {agent} leaves wrap-up and owes a disposition: {why}"));
        }
        self.wrap = None;
    }

    /// The next state.
    #[allow(clippy::too_many_arguments, reason = "what is known of one step of an agent")]
    pub fn enter(
        &mut self,
        now_us: u64,
        was: Doing,
        will: Doing,
        to: &str,
        phone: &str,
        agent: &str,
        found: &mut Findings,
    ) {
        if !(was == Doing::WrapUp && will == Doing::WrapUp) {
            let us = now_us - self.since_us;
            self.done.add(was, us);
            *self.minutes.entry(was).or_default() += us;
            self.since_us = now_us;
        }
        let withdrawn = matches!(was, Doing::Reserved | Doing::Ringing) && !std::mem::take(&mut self.lost);
        if will == Doing::Ready && !withdrawn {
            self.idle_us = now_us;
        }
        if was == Doing::LoggedOut {
            (self.done, self.retry_us, self.login_us) = (Done::default(), 0, now_us);
            self.misses.clear();
            self.minutes.clear();
        }
        if will == Doing::Talking && was != Doing::Hold {
            self.done.calls += 1;
            self.misses.clear();
            self.takes.retain(|at| now_us - *at < HOUR_US);
            self.takes.push_back(now_us);
        }
        if will == Doing::LoggedOut {
            let worked_us: u64 = self.minutes.values().sum();
            if worked_us != now_us - self.login_us {
                let shift_us = now_us - self.login_us;
                found.push(format!("agent {agent} worked {worked_us} us in a shift of {shift_us}: {:?}", self.minutes));
            }
        }
        // After a call to the outside the agent is what he was.
        if was == Doing::NotReady && will == Doing::Outbound {
            self.wish = Some(self.text.clone());
        }
        self.phone = if will == Doing::LoggedOut { self.home.clone() } else { phone.to_string() };
        self.doing = will;
        self.text = to.to_string();
        self.overdue = false;
    }
}
