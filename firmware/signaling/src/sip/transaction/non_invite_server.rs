//! Server transaction of every request but INVITE and ACK (RFC 3261 §17.2.2).

use base::time::Instant;
use core::fmt;
use serde::{Deserialize, Serialize};

use super::{LONG, Step, Why};

/// What comes in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// The request again.
    Request,
    /// The user's final response.
    Final(Vec<u8>),
    /// The deadline has come, perhaps.
    Timer,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// No answer yet. (The user sends no 1xx to these, RFC 4320 §4.1, so that Proceeding does not exist.)
    Trying,
    Completed {
        response: Vec<u8>,
        /// Timer J.
        until: Instant,
    },
    Terminated,
}

/// See the module text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NonInviteServer {
    state: State,
    why: Why,
    reliable: bool,
}

impl NonInviteServer {
    /// A request has come.
    pub fn new(reliable: bool) -> NonInviteServer {
        NonInviteServer { state: State::Trying, why: Why::Created, reliable }
    }

    /// When `Input::Timer` is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Completed { until, .. } => Some(*until),
            State::Trying | State::Terminated => None,
        }
    }

    /// The machine can go.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    fn enter(&mut self, next: State, why: Why) {
        self.state = next;
        self.why = why;
    }

    /// One input.
    pub fn handle(&mut self, at: Instant, input: Input) -> Step {
        match (&mut self.state, input) {
            (State::Trying, Input::Final(bytes)) => {
                if self.reliable {
                    self.enter(State::Terminated, Why::Lingered);
                } else {
                    self.enter(State::Completed { response: bytes.clone(), until: at + LONG }, Why::Final);
                }
                Step::send(bytes)
            }
            (State::Completed { response, .. }, Input::Request) => Step::send(response.clone()),
            (State::Completed { until, .. }, Input::Timer) => {
                if *until <= at {
                    self.enter(State::Terminated, Why::Lingered);
                }
                Step::none()
            }
            (State::Trying, Input::Request | Input::Timer)
            | (State::Completed { .. }, Input::Final(_))
            | (State::Terminated, Input::Request | Input::Final(_) | Input::Timer) => Step::none(),
        }
    }
}

impl fmt::Display for NonInviteServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Trying => "Trying",
            State::Completed { .. } => "Completed",
            State::Terminated => "Terminated",
        };
        write!(f, "{state} ({:?})", self.why)
    }
}
