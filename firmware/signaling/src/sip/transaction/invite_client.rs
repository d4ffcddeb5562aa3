//! INVITE client transaction (RFC 3261 §17.1.1, RFC 6026 §8.4). It acknowledges failures itself; the ACK of a 2xx is
//! made by its user and kept here, to be sent again when the 2xx comes again.

use base::time::Instant;
use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::{LONG, Step, T1, T2, Tell, Why};

/// Branches of a forked INVITE that we acknowledge; more get nothing.
const BRANCHES_MAX: usize = 16;

/// What comes in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// 1xx.
    Provisional,
    /// 2xx.
    Success {
        /// Its To tag.
        to_tag: String,
    },
    /// 3xx-6xx.
    Failure {
        /// The ACK to send (RFC 3261 §17.1.1.3).
        ack: Vec<u8>,
    },
    /// The user's ACK of a 2xx.
    Acknowledge {
        /// Of the branch with this To tag.
        to_tag: String,
        /// The ACK.
        ack: Vec<u8>,
    },
    /// The call is given up and no CANCEL may be sent yet (RFC 3261 §9.1). The INVITE is repeated for another 64 T1, at
    /// most T2 apart, so that a phone whose 180 was lost says so again; for 64 T1 after that its answer is known.
    GiveUp,
    /// Nobody waits for the answer any more, and no CANCEL is due: a re-INVITE of a dialog that has ended. It is not
    /// repeated, for it rings nobody, but answers to it are known for 64 T1.
    Abandon,
    /// The deadline has come, perhaps.
    Timer,
    /// The way is closed.
    Broken,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum State {
    /// Sent, no answer yet.
    Calling {
        /// Timer A; none on a stream.
        resend_at: Option<Instant>,
        interval: Duration,
        /// No copy is sent later.
        last_copy: Instant,
        /// Timer B, or how long the answers to the last copy are known.
        give_up: Instant,
        abandoned: bool,
    },
    Proceeding {
        /// No bound by RFC 3261; 64 T1 once abandoned.
        give_up: Option<Instant>,
    },
    /// Failed and acknowledged.
    Completed {
        ack: Vec<u8>,
        /// Timer D.
        until: Instant,
    },
    /// RFC 6026: absorbs and passes on 2xx.
    Accepted {
        acks: BTreeMap<String, Vec<u8>>,
        /// Timer M.
        until: Instant,
    },
    Terminated,
}

/// See the module text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InviteClient {
    state: State,
    why: Why,
    request: Vec<u8>,
    reliable: bool,
}

impl InviteClient {
    /// The request is to be sent by the caller now.
    pub fn new(at: Instant, request: Vec<u8>, reliable: bool) -> InviteClient {
        let resend_at = (!reliable).then_some(at + T1);
        let (last_copy, give_up) = (at + LONG, at + LONG);
        let state = State::Calling { resend_at, interval: T1, last_copy, give_up, abandoned: false };
        InviteClient { state, why: Why::Created, request, reliable }
    }

    /// When `Input::Timer` is due.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Calling { resend_at, give_up, .. } => Some(resend_at.map_or(*give_up, |r| r.min(*give_up))),
            State::Completed { until, .. } | State::Accepted { until, .. } => Some(*until),
            State::Proceeding { give_up } => *give_up,
            State::Terminated => None,
        }
    }

    /// The machine can go.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// A provisional response has come, no final one: CANCEL may be sent (RFC 3261 §9.1).
    pub fn is_proceeding(&self) -> bool {
        matches!(self.state, State::Proceeding { .. })
    }

    /// No answer yet.
    pub fn is_calling(&self) -> bool {
        matches!(self.state, State::Calling { .. })
    }

    /// The INVITE as sent.
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
            (State::Calling { abandoned, .. }, Input::Provisional) => {
                let give_up = abandoned.then_some(at + LONG);
                self.enter(State::Proceeding { give_up }, Why::Provisional);
                Step::tell(Tell::Response)
            }
            (State::Calling { abandoned, resend_at, give_up, .. }, Input::Abandon) => {
                (*abandoned, *resend_at, *give_up) = (true, None, at + LONG);
                Step::none()
            }
            (State::Calling { resend_at, interval, last_copy, give_up, .. }, Input::GiveUp) => {
                *interval = (*interval).min(T2);
                *resend_at = resend_at.map(|due| due.min(at + *interval));
                (*last_copy, *give_up) = (at + LONG, at + LONG + LONG);
                Step::none()
            }
            (State::Proceeding { give_up }, Input::Abandon) => {
                *give_up = Some(at + LONG);
                Step::none()
            }
            (State::Proceeding { give_up }, Input::Timer) => {
                if give_up.is_some_and(|due| due <= at) {
                    self.enter(State::Terminated, Why::TimedOut);
                }
                Step::none()
            }
            (State::Proceeding { .. }, Input::Provisional) => Step::tell(Tell::Response),
            (State::Calling { .. } | State::Proceeding { .. }, Input::Success { .. }) => {
                self.enter(State::Accepted { acks: BTreeMap::new(), until: at + LONG }, Why::Success);
                Step::tell(Tell::Response)
            }
            (State::Calling { .. } | State::Proceeding { .. }, Input::Failure { ack }) => self.failed(at, ack),
            (State::Calling { .. }, Input::Timer) => self.calling_timer(at),
            (State::Calling { .. }, Input::Broken) => {
                self.enter(State::Terminated, Why::Unreachable);
                Step::tell(Tell::Unreachable)
            }
            (State::Completed { ack, .. }, Input::Failure { .. }) => Step::send(ack.clone()),
            (State::Accepted { acks, .. }, Input::Success { to_tag }) => match acks.get(&to_tag) {
                Some(ack) => Step::send(ack.clone()),
                None => Step::tell(Tell::Response),
            },
            (State::Accepted { acks, .. }, Input::Acknowledge { to_tag, ack }) => {
                if acks.len() < BRANCHES_MAX {
                    acks.insert(to_tag, ack.clone());
                }
                Step::send(ack)
            }
            (State::Completed { until, .. } | State::Accepted { until, .. }, Input::Timer) => {
                if *until <= at {
                    self.enter(State::Terminated, Why::Lingered);
                }
                Step::none()
            }
            (State::Completed { .. }, Input::Broken) => {
                self.enter(State::Terminated, Why::Unreachable);
                Step::none()
            }
            (State::Calling { .. } | State::Proceeding { .. } | State::Completed { .. }, Input::Acknowledge { .. })
            | (State::Proceeding { .. }, Input::Broken | Input::GiveUp)
            | (State::Completed { .. }, Input::Provisional | Input::Success { .. } | Input::Abandon | Input::GiveUp)
            | (
                State::Accepted { .. },
                Input::Provisional | Input::Failure { .. } | Input::Abandon | Input::GiveUp | Input::Broken,
            )
            | (
                State::Terminated,
                Input::Provisional
                | Input::Success { .. }
                | Input::Failure { .. }
                | Input::Acknowledge { .. }
                | Input::Abandon
                | Input::GiveUp
                | Input::Timer
                | Input::Broken,
            ) => Step::none(),
        }
    }

    fn failed(&mut self, at: Instant, ack: Vec<u8>) -> Step {
        let send = Some(ack.clone());
        if self.reliable {
            self.enter(State::Terminated, Why::Lingered);
        } else {
            self.enter(State::Completed { ack, until: at + LONG }, Why::Final);
        }
        Step { send, tell: Some(Tell::Response) }
    }

    fn calling_timer(&mut self, at: Instant) -> Step {
        let State::Calling { resend_at, interval, last_copy, give_up, .. } = &mut self.state else {
            return Step::none();
        };
        if *give_up <= at {
            self.enter(State::Terminated, Why::TimedOut);
            return Step::tell(Tell::TimedOut);
        }
        if resend_at.is_none_or(|due| due > at) {
            return Step::none();
        }
        let given_up = *last_copy < *give_up;
        *interval = if given_up { (*interval * 2).min(T2) } else { *interval * 2 };
        *resend_at = Some(at + *interval).filter(|next| *next < *last_copy);
        Step::send(self.request.clone())
    }
}

impl fmt::Display for InviteClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            State::Calling { .. } => "Calling",
            State::Proceeding { .. } => "Proceeding",
            State::Completed { .. } => "Completed",
            State::Accepted { .. } => "Accepted",
            State::Terminated => "Terminated",
        };
        write!(f, "{state} ({:?})", self.why)
    }
}
