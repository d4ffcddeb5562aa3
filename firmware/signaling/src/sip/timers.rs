//! One queue of deadlines for everything in the endpoint that waits.

use base::time::Instant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

use super::door::DialogKey;
use super::subscription::SubscriptionKey;
use super::transaction::TxKey;

/// Who waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Due {
    /// A transaction.
    Transaction(TxKey),
    /// A dialog: repeats of its 2xx, glare, CANCEL.
    Dialog(DialogKey),
    /// A subscription: a change to be told, its end.
    Subscription(SubscriptionKey),
}

/// Deadlines in order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Timers {
    queue: BTreeSet<(Instant, Due)>,
}

impl Timers {
    /// Moves the owner's entry from `armed` to `want`.
    pub fn arm(&mut self, due: Due, armed: &mut Option<Instant>, want: Option<Instant>) {
        if *armed == want {
            return;
        }
        if let Some(at) = armed.take() {
            self.queue.remove(&(at, due));
        }
        if let Some(at) = want {
            self.queue.insert((at, due));
            *armed = Some(at);
        }
    }

    /// The earliest deadline.
    pub fn first(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Whose deadlines have come, earliest first. The entries stay until their owners are armed anew.
    pub fn due(&self, now: Instant) -> Vec<Due> {
        self.queue.iter().take_while(|(at, _)| *at <= now).map(|(_, due)| *due).collect()
    }
}
