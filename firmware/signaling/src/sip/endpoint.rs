//! The SIP user agent core as one value: inputs with a time stamp go in, outputs are appended.

use base::time::{Instant, Now};
use serde::{Deserialize, Serialize};

use crate::sdp::Audio;
use crate::sip::door::{Contact, DialogKey, Dropped, Input, Invite, Output, Settings};
use base::slab::Slab;

/// See the module text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Endpoint {
    dropped: Dropped,
    dialogs: Slab<DialogKey, ()>,
}

#[allow(unused_variables, clippy::unused_self)]
impl Endpoint {
    /// Knows no site yet: everything is refused until `configure`.
    pub fn new() -> Endpoint {
        Endpoint::default()
    }

    /// Takes over what the site says; registrations and dialogs stay.
    pub fn configure(&mut self, settings: Settings) {}

    /// Keys the stream behind every tag, branch, Call-ID and nonce secret.
    pub fn seed(&mut self, seed: [u8; 32]) {}

    /// After a restart of the process: every connection is dead, all else goes on.
    pub fn restarted(&mut self, now: Now, out: &mut Vec<Output>) {}

    /// One input.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {}

    /// When `handle(now, Input::Timer, ..)` is due.
    pub fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Live registrations of an extension.
    pub fn contacts(&self, account: &str) -> &[Contact] {
        &[]
    }

    /// All extensions with live registrations.
    pub fn accounts_registered(&self) -> impl Iterator<Item = (&str, &[Contact])> {
        core::iter::empty()
    }

    /// Calls somebody.
    pub fn invite(&mut self, now: Now, invite: Invite, out: &mut Vec<Output>) -> DialogKey {
        self.dialogs.insert(())
    }

    /// Provisional response 180 or 183 to an incoming INVITE.
    pub fn progress(&mut self, now: Now, dialog: DialogKey, code: u16, answer: Option<Audio>, out: &mut Vec<Output>) {}

    /// 2xx to INVITE, re-INVITE or UPDATE.
    pub fn accept(&mut self, now: Now, dialog: DialogKey, answer: Option<Audio>, out: &mut Vec<Output>) {}

    /// Final failure; the key is stale afterwards.
    pub fn refuse(&mut self, now: Now, dialog: DialogKey, code: u16, out: &mut Vec<Output>) {}

    /// Ends a dialog whatever its state.
    pub fn hangup(&mut self, now: Now, dialog: DialogKey, reason: Option<&str>, out: &mut Vec<Output>) {}

    /// re-INVITE of ours.
    pub fn reoffer(&mut self, now: Now, dialog: DialogKey, offer: Option<Audio>, out: &mut Vec<Output>) {}

    /// Messages that led to nothing.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// No dialogs and no transactions.
    pub fn is_empty(&self) -> bool {
        self.dialogs.is_empty()
    }

    /// Which dialog a raw message belongs to.
    pub fn dialog_of(&self, bytes: &[u8]) -> Option<DialogKey> {
        None
    }

    /// Forgets a dialog and its transactions; nothing is sent.
    pub fn abandon(&mut self, dialog: DialogKey) {}

    /// Every live transaction and dialog, one line each.
    pub fn lines(&self) -> Vec<String> {
        Vec::new()
    }
}
