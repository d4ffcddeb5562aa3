//! INVITE server transaction (RFC 3261 §17.2.1, RFC 6026 §8.5). It repeats provisional and failure responses; a 2xx
//! is repeated by its user (RFC 3261 §13.3.1.4), who also sees the ACK of a 2xx.

use base::time::Instant;
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use super::{LONG, Step, T1, T2, T4, Why};

/// What comes in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// The INVITE again.
    Request,
    /// An ACK with the INVITE's branch.
    Ack,
    /// The user's 1xx.
    Provisional(Vec<u8>),
    /// The user's 2xx, first or again.
    Success(Vec<u8>),
    /// The user's 3xx-6xx.
    Failure(Vec<u8>),
    /// The deadline has come, perhaps.
    Timer,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    Proceeding {
        /// The last 1xx.
        last: Option<Vec<u8>>,
    },
    /// Failed, not acknowledged yet.
    Completed {
        response: Vec<u8>,
        /// Timer G; none on a stream.
        resend_at: Option<Instant>,
        interval: Duration,
        /// Timer H.
        give_up: Instant,
    },
    /// Failed and acknowledged.
    Confirmed {
        /// Timer I.
        until: Instant,
    },
    /// RFC 6026: absorbs the INVITE after a 2xx.
    Accepted {
        /// Timer L.
        until: Instant,
    },
    Terminated,
}

/// See the module text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InviteServer {
    state: State,
    why: Why,
    reliable: bool,
}

impl InviteServer {
    /// An INVITE has come.
    pub fn new(reliable: bool) -> InviteServer {
        InviteServer { state: State::Proceeding { last: None }, why: Why::Created, reliable }
    }

    /// When `Input::Timer` is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Completed { resend_at, give_up, .. } => Some(resend_at.map_or(*give_up, |r| r.min(*give_up))),
            State::Confirmed { until } | State::Accepted { until } => Some(*until),
            State::Proceeding { .. } | State::Terminated => None,
        }
    }

    /// The machine can go.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// No final response yet.
    pub fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// A 2xx has left; an ACK with the INVITE's branch is the dialog's (some phones reuse the branch).
    pub fn is_accepted(&self) -> bool {
        matches!(self.state, State::Accepted { .. })
    }

    /// The last provisional response.
    pub fn last_provisional(&self) -> Option<&[u8]> {
        match &self.state {
            State::Proceeding { last } => last.as_deref(),
            State::Completed { .. } | State::Confirmed { .. } | State::Accepted { .. } | State::Terminated => None,
        }
    }

    fn enter(&mut self, next: State, why: Why) {
        self.state = next;
        self.why = why;
    }

    /// One input.
    pub fn handle(&mut self, at: Instant, input: Input) -> Step {
        match (&mut self.state, input) {
            (State::Proceeding { last }, Input::Request) => Step { send: last.clone(), tell: None },
            (State::Proceeding { .. }, Input::Provisional(bytes)) => {
                self.enter(State::Proceeding { last: Some(bytes.clone()) }, Why::Provisional);
                Step::send(bytes)
            }
            (State::Proceeding { .. }, Input::Success(bytes)) => {
                self.enter(State::Accepted { until: at + LONG }, Why::Success);
                Step::send(bytes)
            }
            (State::Proceeding { .. }, Input::Failure(bytes)) => {
                let resend_at = (!self.reliable).then_some(at + T1);
                let response = bytes.clone();
                self.enter(State::Completed { response, resend_at, interval: T1, give_up: at + LONG }, Why::Final);
                Step::send(bytes)
            }
            (State::Accepted { .. }, Input::Success(bytes)) => Step::send(bytes),
            (State::Completed { response, .. }, Input::Request) => Step::send(response.clone()),
            (State::Completed { .. }, Input::Ack) => {
                if self.reliable {
                    self.enter(State::Terminated, Why::Lingered);
                } else {
                    self.enter(State::Confirmed { until: at + T4 }, Why::Acknowledged);
                }
                Step::none()
            }
            (State::Completed { .. }, Input::Timer) => self.completed_timer(at),
            (State::Confirmed { until } | State::Accepted { until }, Input::Timer) => {
                if *until <= at {
                    self.enter(State::Terminated, Why::Lingered);
                }
                Step::none()
            }
            (State::Proceeding { .. }, Input::Ack | Input::Timer)
            | (State::Completed { .. }, Input::Provisional(_) | Input::Success(_) | Input::Failure(_))
            | (
                State::Confirmed { .. },
                Input::Request | Input::Ack | Input::Provisional(_) | Input::Success(_) | Input::Failure(_),
            )
            | (State::Accepted { .. }, Input::Request | Input::Ack | Input::Provisional(_) | Input::Failure(_))
            | (
                State::Terminated,
                Input::Request
                | Input::Ack
                | Input::Provisional(_)
                | Input::Success(_)
                | Input::Failure(_)
                | Input::Timer,
            ) => Step::none(),
        }
    }

    fn completed_timer(&mut self, at: Instant) -> Step {
        let State::Completed { response, resend_at, interval, give_up } = &mut self.state else {
            return Step::none();
        };
        if *give_up <= at {
            self.enter(State::Terminated, Why::TimedOut);
            return Step::none();
        }
        match resend_at {
            Some(due) if *due <= at => {
                *interval = (*interval * 2).min(T2);
                *due = at + *interval;
                Step::send(response.clone())
            }
            Some(_) | None => Step::none(),
        }
    }
}

impl fmt::Display for InviteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Proceeding { .. } => "Proceeding",
            State::Completed { .. } => "Completed",
            State::Confirmed { .. } => "Confirmed",
            State::Accepted { .. } => "Accepted",
            State::Terminated => "Terminated",
        };
        write!(f, "{state} ({:?})", self.why)
    }
}
