//! Lamps: phones subscribe to what lies behind their keys, and are told when it changes. The notifier side of SUBSCRIBE
//! and NOTIFY (RFC 6665) with the event package `dialog` (RFC 4235). Knows no lamp by itself: `Event::Subscribed` asks
//! for one, `Endpoint::light` tells its state to all who watch it. At most one NOTIFY of a subscription is on its way;
//! what changes meanwhile is told by the next one, and only the newest state. A change leaves in small batches right after
//! the input that made it, so that a lamp watched by every desk delays no call.

use base::limits::{
    SIP_SUBSCRIPTION_BYTES_MAX, SIP_SUBSCRIPTION_S_MAX, SIP_SUBSCRIPTION_S_MIN, SIP_SUBSCRIPTIONS_MAX,
    SIP_SUBSCRIPTIONS_PER_EXTENSION_MAX,
};
use base::slab::Slab;
use base::time::{Instant, Now};
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::dialog::{Dialog, State as SessionState};
use super::dialog_info::{self, CONTENT_TYPE};
use super::door::{Event, Hop, Lamp, Output};
use super::endpoint::Endpoint;
use super::header::{Contacts, Envelope, Place, escape_user, seconds, tokens};
use super::message::{Message, Name};
use super::receive::{Refusal, Request};
use super::timers::Due;
use super::transaction::{Machine, NonInviteServer, Purpose, TxKey};

/// The only event package.
pub const PACKAGE: &str = "dialog";
/// NOTIFYs of one change that leave at one moment; some 10 µs each.
const BATCH: usize = 32;
/// From one batch to the next.
const BATCH_GAP: Duration = Duration::from_millis(1);

base::typed_key!(
    /// A subscription, until its last NOTIFY leaves.
    SubscriptionKey
);

/// Why a subscription ends by our side (RFC 6665 §4.1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum End {
    /// Its time is over, or the phone wants no more.
    Timeout,
    /// There is no such lamp.
    NoResource,
}

impl End {
    fn reason(self) -> &'static str {
        match self {
            End::Timeout => "timeout",
            End::NoResource => "noresource",
        }
    }
}

/// Where a subscription stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum State {
    /// No NOTIFY waits for its answer.
    Active,
    /// This one does.
    Notifying {
        /// Its transaction.
        tx: TxKey,
    },
    /// Over. The last NOTIFY leaves when the one on its way is answered.
    Ending {
        /// The one on its way; none: only the lamp's state is awaited.
        tx: Option<TxKey>,
        /// Why.
        end: End,
    },
}

/// Why a subscription went into its state; shown by the debug printer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
enum Why {
    /// It was made.
    Created,
    /// The lamp changed, or its state was owed.
    Told,
    /// The phone took the NOTIFY.
    Taken,
    /// The phone did not take it, and did not say that it knows of no subscription.
    Lost,
    /// Nobody refreshed it.
    Lapsed,
    /// SUBSCRIBE with Expires 0.
    Unsubscribed,
    /// The lamp is gone.
    Unscrewed,
}

/// One phone's interest in one lamp.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// Extension that watches.
    account: String,
    /// What it watches.
    target: String,
    /// The URI that it subscribed to.
    entity: String,
    /// `id` parameter of its Event field.
    id: Option<String>,
    /// Tags, sequence numbers and the way to the phone. Its session is none.
    way: Dialog,
    expires: Instant,
    state: State,
    why: Why,
    /// What the phone is to know.
    lamp: Lamp,
    /// What the last NOTIFY said; none: one is owed whatever the lamp shows.
    told: Option<Lamp>,
    /// NOTIFYs so far.
    version: u32,
    /// When a change is told; none: nothing is to be told, or not before an answer.
    due: Option<Instant>,
    /// Deadline in the timer queue.
    armed: Option<Instant>,
}

impl Subscription {
    /// The only way into another state.
    fn enter(&mut self, next: State, why: Why) {
        self.state = next;
        self.why = why;
    }

    fn is_ending(&self) -> bool {
        matches!(self.state, State::Ending { .. })
    }

    /// Its end comes; a NOTIFY on its way is waited for.
    fn end(&mut self, end: End, why: Why) {
        match self.state {
            State::Active => self.enter(State::Ending { tx: None, end }, why),
            State::Notifying { tx } => self.enter(State::Ending { tx: Some(tx), end }, why),
            State::Ending { .. } => {}
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Active | State::Ending { tx: None, .. } => {
                Some(self.due.map_or(self.expires, |due| due.min(self.expires)))
            }
            State::Notifying { .. } => Some(self.expires),
            // The transaction has its own.
            State::Ending { tx: Some(_), .. } => None,
        }
    }

    /// A NOTIFY is owed and could leave.
    fn has_news(&self) -> bool {
        match self.state {
            State::Active => self.told != Some(self.lamp),
            State::Ending { tx, .. } => tx.is_none(),
            State::Notifying { .. } => false,
        }
    }

    fn line(&self) -> String {
        let Subscription { account, target, state, why, lamp, expires, .. } = self;
        format!("subscription of {account} to {target}: {lamp:?}, {state:?} ({why:?}) until {expires:?}")
    }
}

/// All subscriptions: by our tag, by lamp, and their number by extension.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Subscriptions {
    slab: Slab<SubscriptionKey, Subscription>,
    by_tag: BTreeMap<String, SubscriptionKey>,
    by_target: BTreeMap<String, BTreeSet<SubscriptionKey>>,
    by_account: BTreeMap<String, usize>,
    /// The last batch of NOTIFYs: its moment and its size.
    batch: (Instant, usize),
}

impl Subscriptions {
    fn get_mut(&mut self, key: SubscriptionKey) -> Option<&mut Subscription> {
        self.slab.get_mut(key)
    }

    /// By our tag in To, their tag and the Call-ID.
    fn find(&self, envelope: &Envelope) -> Option<SubscriptionKey> {
        let key = *self.by_tag.get(envelope.to.tag.as_deref()?)?;
        let way = &self.slab.get(key)?.way;
        (way.remote_tag == envelope.from.tag && way.call_id == envelope.call_id).then_some(key)
    }

    fn has_room(&self, account: &str) -> bool {
        self.slab.len() < SIP_SUBSCRIPTIONS_MAX
            && self.by_account.get(account).is_none_or(|n| *n < SIP_SUBSCRIPTIONS_PER_EXTENSION_MAX)
    }

    fn insert(&mut self, subscription: Subscription) -> SubscriptionKey {
        let tag = subscription.way.local_tag.clone();
        let (account, target) = (subscription.account.clone(), subscription.target.clone());
        let key = self.slab.insert(subscription);
        self.by_tag.insert(tag, key);
        self.by_target.entry(target).or_default().insert(key);
        *self.by_account.entry(account).or_default() += 1;
        key
    }

    fn remove(&mut self, key: SubscriptionKey) -> Option<Subscription> {
        let gone = self.slab.remove(key)?;
        self.by_tag.remove(&gone.way.local_tag);
        if let Some(watchers) = self.by_target.get_mut(&gone.target) {
            watchers.remove(&key);
            if watchers.is_empty() {
                self.by_target.remove(&gone.target);
            }
        }
        if let Some(count) = self.by_account.get_mut(&gone.account) {
            *count -= 1;
            if *count == 0 {
                self.by_account.remove(&gone.account);
            }
        }
        Some(gone)
    }

    /// A place in the next batch that has room.
    fn slot(&mut self, now: Instant) -> Instant {
        let (at, size) = self.batch;
        self.batch = match size {
            _ if at < now => (now, 1),
            0..BATCH => (at, size + 1),
            _ => (at + BATCH_GAP, 1),
        };
        self.batch.0
    }

    fn watchers(&self, target: &str) -> Vec<SubscriptionKey> {
        self.by_target.get(target).map(|keys| keys.iter().copied().collect()).unwrap_or_default()
    }

    /// One line each for people.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.slab.iter().map(|(_, s)| s.line())
    }
}

impl Endpoint {
    // What our user tells.

    /// What a lamp shows now; told to all who watch it and do not know. Call it on every change, or oftener.
    pub fn light(&mut self, now: Now, target: &str, lamp: Lamp, out: &mut Vec<Output>) {
        for key in self.subscriptions.watchers(target) {
            if let Some(subscription) = self.subscriptions.get_mut(key) {
                subscription.lamp = lamp;
                self.news(now, key, out);
            }
        }
    }

    /// There is no such lamp, or not any more: its subscriptions end (`noresource`).
    pub fn unscrew(&mut self, now: Now, target: &str, out: &mut Vec<Output>) {
        for key in self.subscriptions.watchers(target) {
            if let Some(subscription) = self.subscriptions.get_mut(key) {
                subscription.lamp = Lamp::Idle;
                subscription.end(End::NoResource, Why::Unscrewed);
                self.news(now, key, out);
            }
        }
    }

    /// Whether somebody watches this lamp.
    pub fn is_watched(&self, target: &str) -> bool {
        self.subscriptions.by_target.contains_key(target)
    }

    /// Who watches what: extension and lamp, once for each phone.
    pub fn watchers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.subscriptions.slab.iter().map(|(_, s)| (s.account.as_str(), s.target.as_str()))
    }

    /// The lamps that somebody watches, each once, in order.
    pub fn lamps_watched(&self) -> impl Iterator<Item = &str> {
        self.subscriptions.by_target.keys().map(String::as_str)
    }

    /// Subscriptions that are not over.
    pub fn subscriptions(&self) -> usize {
        self.subscriptions.slab.len()
    }

    // Their requests.

    /// SUBSCRIBE outside a dialog (RFC 6665 §4.2.1.1).
    pub(super) fn subscribe(
        &mut self,
        now: Now,
        request: &Request,
        key: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        if request.arrival.shed {
            self.dropped.shed += 1;
            return Err(Refusal::with(503, Name::RetryAfter, "5"));
        }
        let id = event_id(&request.message)?;
        readable_body(&request.message)?;
        let place = match Contacts::read(&request.message) {
            Some(Contacts::List(list)) => list.into_iter().next().and_then(|c| c.place),
            Some(Contacts::Wildcard) | None => None,
        };
        let place = place.ok_or(Refusal::because(400, "Bad Contact"))?;
        let target = Place::parse(&request.uri).map(|p| p.user).filter(|u| !u.is_empty()).ok_or(Refusal::new(404))?;
        let account = self.authenticate(now, request, request.envelope.from.user(), out)?;
        let expires_s = expires_s(&request.message)?;
        if !self.subscriptions.has_room(&account) {
            return Err(Refusal::with(503, Name::RetryAfter, "60"));
        }
        let (tag, hop) = (self.random.token(), request.arrival.contact_hop(Some(&place)));
        let mut way = Dialog::incoming(&request.message, &request.envelope, tag, hop, SessionState::Confirmed);
        way.pinned = true;
        way.contact_user = escape_user(&target);
        // A subscription that is over at once is a question for the state (RFC 6665 §4.4.3).
        let state = if expires_s == 0 { State::Ending { tx: None, end: End::Timeout } } else { State::Active };
        let subscription = Subscription {
            account: account.clone(),
            target: target.clone(),
            entity: request.uri.clone(),
            id,
            way,
            expires: now.at + Duration::from_secs(u64::from(expires_s)),
            state,
            why: Why::Created,
            lamp: Lamp::Idle,
            told: None,
            version: 0,
            due: None,
            armed: None,
        };
        if bytes_kept(&subscription) > SIP_SUBSCRIPTION_BYTES_MAX {
            return Err(Refusal::new(513));
        }
        let subscription = self.subscriptions.insert(subscription);
        self.rearm_subscription(subscription);
        self.grant(now, subscription, request, key, expires_s, out);
        out.push(Output::Event(Event::Subscribed { account, target }));
        Ok(())
    }

    /// SUBSCRIBE with a To tag: refresh or end.
    pub(super) fn resubscribe(&mut self, now: Now, request: &Request, key: &str, out: &mut Vec<Output>) {
        let renewed = match self.subscriptions.find(&request.envelope) {
            Some(found) => Endpoint::acceptable(request).and_then(|()| self.renew(now, found, request, key, out)),
            None => Err(Refusal::new(481)),
        };
        if let Err(refusal) = renewed {
            self.refuse_without_memory(request, &refusal, out);
        }
    }

    fn renew(
        &mut self,
        now: Now,
        found: SubscriptionKey,
        request: &Request,
        key: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let id = event_id(&request.message)?;
        readable_body(&request.message)?;
        let account = self.authenticate(now, request, request.envelope.from.user(), out)?;
        let expires_s = expires_s(&request.message)?;
        let cseq = request.envelope.cseq;
        let subscription = self.subscriptions.get_mut(found).filter(|s| s.id == id && !s.is_ending());
        let subscription = subscription.ok_or(Refusal::new(481))?;
        if subscription.account != account {
            return Err(Refusal::because(403, "Not your subscription"));
        }
        if subscription.way.remote_cseq.is_some_and(|last| cseq <= last) {
            return Err(Refusal::because(500, "CSeq out of order"));
        }
        let before = subscription.way.target.clone();
        subscription.way.retarget(&request.message);
        if bytes_kept(subscription) > SIP_SUBSCRIPTION_BYTES_MAX {
            subscription.way.target = before;
            return Err(Refusal::new(513));
        }
        subscription.way.remote_cseq = Some(cseq);
        subscription.way.hop = request.arrival.contact_hop(Place::parse(&subscription.way.target).as_ref());
        subscription.told = None;
        let target = subscription.target.clone();
        if expires_s == 0 {
            subscription.end(End::Timeout, Why::Unsubscribed);
        } else {
            subscription.expires = now.at + Duration::from_secs(u64::from(expires_s));
        }
        self.rearm_subscription(found);
        self.grant(now, found, request, key, expires_s, out);
        if expires_s == 0 {
            self.advance(now, found, out);
        } else {
            out.push(Output::Event(Event::Subscribed { account, target }));
        }
        Ok(())
    }

    /// 200 to a SUBSCRIBE.
    fn grant(
        &mut self,
        now: Now,
        found: SubscriptionKey,
        request: &Request,
        key: &str,
        expires_s: u32,
        out: &mut Vec<Output>,
    ) {
        let reply = request.reply();
        let Some(way) = self.subscriptions.slab.get(found).map(|s| &s.way) else { return };
        let mut answer = Refusal::with(200, Name::Expires, expires_s.to_string());
        answer.extra.push((Name::Contact, way.contact(&self.settings, &reply.hop)));
        let tag = way.local_tag.clone();
        let machine = Machine::NonInviteServer(NonInviteServer::new(matches!(reply.hop, Hop::Tcp { .. })));
        let tx = self.transactions.insert_server(machine, reply, None, key.to_owned(), None);
        self.serve_final(now, tx, &answer, &tag, out);
    }

    // Our NOTIFYs.

    /// The lamp may have changed: what was asked for leaves at once, all else with the next batch.
    fn news(&mut self, now: Now, key: SubscriptionKey, out: &mut Vec<Output>) {
        let Some(subscription) = self.subscriptions.slab.get(key) else { return };
        if subscription.told.is_none() {
            self.rearm_subscription(key);
            return self.advance(now, key, out);
        }
        let due = match (subscription.has_news(), subscription.due) {
            (true, None) => Some(self.subscriptions.slot(now.at)),
            (true, waiting) => waiting,
            (false, _) => None,
        };
        if let Some(subscription) = self.subscriptions.get_mut(key) {
            subscription.due = due;
        }
        self.rearm_subscription(key);
    }

    /// Sends what is owed, when nothing is on its way.
    fn advance(&mut self, now: Now, key: SubscriptionKey, out: &mut Vec<Output>) {
        let Some(subscription) = self.subscriptions.slab.get(key).filter(|s| s.has_news()) else { return };
        match subscription.state {
            State::Active | State::Notifying { .. } => self.notify(now, key, out),
            State::Ending { end, .. } => self.notify_last(now, key, end, out),
        }
    }

    fn notify(&mut self, now: Now, key: SubscriptionKey, out: &mut Vec<Output>) {
        let branch = self.random.token();
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        let left_s = subscription.expires.since(now.at).as_secs();
        let hop = subscription.way.next_hop(&self.settings);
        let request = self.notification(key, &branch, &hop, &format!("active;expires={left_s}"));
        let tx = self.prepare(now, None, Purpose::Notify(key), &branch, &hop, &request);
        if let Some(subscription) = self.subscriptions.get_mut(key) {
            // The state stands before the request leaves: no way there is told like an answer.
            subscription.told = Some(subscription.lamp);
            subscription.due = None;
            subscription.enter(State::Notifying { tx }, Why::Told);
        }
        self.rearm_subscription(key);
        self.launch(now, tx, &hop, request, out);
    }

    /// The last one; its transaction goes on alone.
    fn notify_last(&mut self, now: Now, key: SubscriptionKey, end: End, out: &mut Vec<Output>) {
        let branch = self.random.token();
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        let hop = subscription.way.next_hop(&self.settings);
        let request = self.notification(key, &branch, &hop, &format!("terminated;reason={}", end.reason()));
        self.forget_subscription(key);
        let tx = self.prepare(now, None, Purpose::Notify(key), &branch, &hop, &request);
        self.launch(now, tx, &hop, request, out);
    }

    /// The next NOTIFY of a subscription (RFC 6665 §4.2.2).
    fn notification(&mut self, key: SubscriptionKey, branch: &str, hop: &Hop, state: &str) -> Vec<u8> {
        let Some(subscription) = self.subscriptions.get_mut(key) else { return Vec::new() };
        subscription.way.local_cseq += 1;
        let way = &subscription.way;
        let mut writer = way.request(&self.settings, "NOTIFY", way.local_cseq, branch, hop);
        writer.pieces(&Name::Contact, &[&way.contact(&self.settings, hop)]);
        match &subscription.id {
            Some(id) => writer.pieces(&Name::Event, &[PACKAGE, ";id=", id]),
            None => writer.pieces(&Name::Event, &[PACKAGE]),
        }
        writer.pieces(&Name::SubscriptionState, &[state]);
        let Subscription { entity, target, version, lamp, .. } = subscription;
        let body = dialog_info::body(entity, target, *version, *lamp);
        *version = version.wrapping_add(1);
        writer.finish(Some(CONTENT_TYPE), &body)
    }

    /// A NOTIFY was answered, or as if (408 for no answer, 503 for no way there).
    pub(super) fn notified(&mut self, now: Now, tx: TxKey, key: SubscriptionKey, code: u16, out: &mut Vec<Output>) {
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        let ending = match subscription.state {
            State::Notifying { tx: t } if t == tx => None,
            State::Ending { tx: Some(t), end } if t == tx => Some(end),
            State::Active | State::Notifying { .. } | State::Ending { .. } => return,
        };
        if ends_subscription(code) {
            self.forget_subscription(key);
            return;
        }
        let taken = (200..300).contains(&code);
        let why = if taken { Why::Taken } else { Why::Lost };
        match ending {
            Some(end) => subscription.enter(State::Ending { tx: None, end }, why),
            None => subscription.enter(State::Active, why),
        }
        if !taken {
            subscription.told = None;
        }
        self.rearm_subscription(key);
        // One that was not taken is told again with the next change or refresh: no loop with a phone that never takes it.
        if taken || ending.is_some() {
            self.advance(now, key, out);
        }
    }

    /// A change is to be told, or nobody refreshed it.
    pub(super) fn subscription_timer(&mut self, now: Now, key: SubscriptionKey, out: &mut Vec<Output>) {
        let Some(subscription) = self.subscriptions.get_mut(key) else { return };
        subscription.due = None;
        if subscription.expires <= now.at {
            subscription.end(End::Timeout, Why::Lapsed);
        }
        self.rearm_subscription(key);
        self.advance(now, key, out);
    }

    fn rearm_subscription(&mut self, key: SubscriptionKey) {
        if let Some(subscription) = self.subscriptions.get_mut(key) {
            let deadline = subscription.deadline();
            self.timers.arm(Due::Subscription(key), &mut subscription.armed, deadline);
        }
    }

    fn forget_subscription(&mut self, key: SubscriptionKey) {
        if let Some(mut gone) = self.subscriptions.remove(key) {
            self.timers.arm(Due::Subscription(key), &mut gone.armed, None);
        }
    }
}

/// The `id` of the Event field, when the package is ours (RFC 6665 §8.2.1).
fn event_id(message: &Message) -> Result<Option<String>, Refusal> {
    let bad_event = || Refusal::with(489, Name::AllowEvents, PACKAGE);
    let value = message.value(&Name::Event).ok_or_else(bad_event)?;
    let mut parts = value.split(';').map(str::trim);
    if parts.next() != Some(PACKAGE) {
        return Err(bad_event());
    }
    let id = parts.filter_map(|p| p.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("id"));
    Ok(id.map(|(_, id)| id.trim().to_owned()))
}

/// RFC 4235 §3.5: without Accept the subscriber reads the package's own format.
fn readable_body(message: &Message) -> Result<(), Refusal> {
    let accepted = tokens(message, &Name::Accept);
    let ours = |a: &String| matches!(a.to_ascii_lowercase().as_str(), CONTENT_TYPE | "application/*" | "*/*");
    if accepted.is_empty() || accepted.iter().any(ours) {
        Ok(())
    } else {
        Err(Refusal::with(406, Name::Accept, CONTENT_TYPE))
    }
}

/// How long it is granted; 0 ends it (RFC 6665 §4.2.1.1). One hour without a readable word (RFC 4235 §3.4).
fn expires_s(message: &Message) -> Result<u32, Refusal> {
    let asked = message.value(&Name::Expires).and_then(|v| seconds(&v)).unwrap_or(SIP_SUBSCRIPTION_S_MAX);
    match asked {
        0 => Ok(0),
        1..SIP_SUBSCRIPTION_S_MIN => Err(Refusal::with(423, Name::MinExpires, SIP_SUBSCRIPTION_S_MIN.to_string())),
        _ => Ok(asked.min(SIP_SUBSCRIPTION_S_MAX)),
    }
}

/// Answers to NOTIFY after which the phone has no subscription (RFC 5057 §5.1, RFC 6665 §4.2.2).
fn ends_subscription(code: u16) -> bool {
    matches!(code, 404 | 405 | 408 | 410 | 416 | 480..=485 | 489 | 501 | 604)
}

/// Bytes of what the subscriber wrote of itself.
fn bytes_kept(subscription: &Subscription) -> usize {
    let Subscription { target, entity, id, way, .. } = subscription;
    let routes: usize = way.routes.iter().map(String::len).sum();
    let names = way.call_id.len() + way.local.len() + way.remote.len() + way.remote_tag.as_ref().map_or(0, String::len);
    target.len() + entity.len() + id.as_ref().map_or(0, String::len) + way.target.len() + routes + names
}
