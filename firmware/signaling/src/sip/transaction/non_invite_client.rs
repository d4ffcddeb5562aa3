//! Client transaction of every request but INVITE and ACK (RFC 3261 §17.1.2).

use base::time::Instant;
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use super::{LONG, Step, T1, T2, T4, Tell, Why};

/// What comes in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// 1xx.
    Provisional,
    /// 2xx-6xx.
    Final,
    /// The deadline has come, perhaps.
    Timer,
    /// The way is closed.
    Broken,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    Trying {
        /// Timer E; none on a stream.
        resend_at: Option<Instant>,
        interval: Duration,
        /// Timer F.
        give_up: Instant,
    },
    Proceeding {
        /// Timer E; none on a stream.
        resend_at: Option<Instant>,
        /// Timer F.
        give_up: Instant,
    },
    Completed {
        /// Timer K.
        until: Instant,
    },
    Terminated,
}

/// See the module text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NonInviteClient {
    state: State,
    why: Why,
    request: Vec<u8>,
    reliable: bool,
}

impl NonInviteClient {
    /// The request is to be sent by the caller now.
    pub fn new(at: Instant, request: Vec<u8>, reliable: bool) -> NonInviteClient {
        let resend_at = (!reliable).then_some(at + T1);
        let state = State::Trying { resend_at, interval: T1, give_up: at + LONG };
        NonInviteClient { state, why: Why::Created, request, reliable }
    }

    /// When `Input::Timer` is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Trying { resend_at, give_up, .. } | State::Proceeding { resend_at, give_up } => {
                Some(resend_at.map_or(*give_up, |r| r.min(*give_up)))
            }
            State::Completed { until } => Some(*until),
            State::Terminated => None,
        }
    }

    /// The machine can go.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// No final answer yet.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Trying { .. } | State::Proceeding { .. })
    }

    /// The request as sent.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    fn enter(&mut self, next: State, why: Why) {
        self.state = next;
        self.why = why;
    }

    /// One input.
    pub fn handle(&mut self, at: Instant, input: Input) -> Step {
        match (&mut self.state, input) {
            (State::Trying { give_up, .. }, Input::Provisional) => {
                let resend_at = (!self.reliable).then_some(at + T2);
                let give_up = *give_up;
                self.enter(State::Proceeding { resend_at, give_up }, Why::Provisional);
                Step::tell(Tell::Response)
            }
            (State::Proceeding { .. }, Input::Provisional) => Step::tell(Tell::Response),
            (State::Trying { .. } | State::Proceeding { .. }, Input::Final) => {
                if self.reliable {
                    self.enter(State::Terminated, Why::Lingered);
                } else {
                    self.enter(State::Completed { until: at + T4 }, Why::Final);
                }
                Step::tell(Tell::Response)
            }
            (State::Trying { .. } | State::Proceeding { .. }, Input::Timer) => self.waiting_timer(at),
            (State::Trying { .. } | State::Proceeding { .. }, Input::Broken) => {
                self.enter(State::Terminated, Why::Unreachable);
                Step::tell(Tell::Unreachable)
            }
            (State::Completed { until }, Input::Timer) => {
                if *until <= at {
                    self.enter(State::Terminated, Why::Lingered);
                }
                Step::none()
            }
            (State::Completed { .. }, Input::Provisional | Input::Final | Input::Broken)
            | (State::Terminated, Input::Provisional | Input::Final | Input::Timer | Input::Broken) => Step::none(),
        }
    }

    fn waiting_timer(&mut self, at: Instant) -> Step {
        let (resend_at, give_up, next) = match &mut self.state {
            State::Trying { resend_at, interval, give_up } => {
                let next = (*interval * 2).min(T2);
                if resend_at.is_some_and(|due| due <= at) {
                    *interval = next;
                }
                (resend_at, *give_up, next)
            }
            State::Proceeding { resend_at, give_up } => (resend_at, *give_up, T2),
            State::Completed { .. } | State::Terminated => return Step::none(),
        };
        if give_up <= at {
            self.enter(State::Terminated, Why::TimedOut);
            return Step::tell(Tell::TimedOut);
        }
        match resend_at {
            Some(due) if *due <= at => {
                *due = at + next;
                Step::send(self.request.clone())
            }
            Some(_) | None => Step::none(),
        }
    }
}

impl fmt::Display for NonInviteClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Trying { .. } => "Trying",
            State::Proceeding { .. } => "Proceeding",
            State::Completed { .. } => "Completed",
            State::Terminated => "Terminated",
        };
        write!(f, "{state} ({:?})", self.why)
    }
}
