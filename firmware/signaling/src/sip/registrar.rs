//! Which phones an extension can be reached at (RFC 3261 §10.3): several contacts, refreshed, removed and lapsing by
//! time. Knows no message: the endpoint reads the request and writes the answer.

use base::limits::CONTACTS_PER_EXTENSION_MAX;
use base::time::Instant;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

use super::door::{Contact, Hop, Target};
use super::header::{Address, Contacts};

/// Seconds when neither Contact nor Expires says any (RFC 3261 §10.2.1.1 leaves it to us).
const EXPIRES_DEFAULT_S: u32 = 3_600;
/// Characters kept of a User-Agent.
const USER_AGENT_MAX: usize = 120;

/// Why nothing was changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// 400: `*` without Expires 0, or a contact that is no SIP URI.
    Malformed,
    /// 423: shorter than the site allows.
    TooBrief,
    /// 500: older than what is known (§10.3 step 7).
    OutOfOrder,
}

/// One REGISTER, as read.
pub struct Request<'a> {
    /// Extension.
    pub account: &'a str,
    /// Its Contact fields.
    pub contacts: &'a Contacts,
    /// Its Expires field.
    pub expires_s: Option<u32>,
    /// Its Call-ID.
    pub call_id: &'a str,
    /// Its CSeq.
    pub cseq: u32,
    /// Its User-Agent.
    pub user_agent: &'a str,
    /// Shortest and longest time the site allows.
    pub bounds_s: (u32, u32),
}

/// Order among the requests for one contact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Order {
    identity: String,
    call_id: String,
    cseq: u32,
}

/// Contacts of one extension, each with its order at the same index.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Bindings {
    contacts: Vec<Contact>,
    orders: Vec<Order>,
    armed: Option<Instant>,
}

/// Contacts of all extensions.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Registrar {
    accounts: BTreeMap<String, Bindings>,
    queue: BTreeSet<(Instant, String)>,
}

impl Registrar {
    /// Live contacts of an extension.
    pub fn contacts(&self, account: &str) -> &[Contact] {
        self.accounts.get(account).map_or(&[], |b| &b.contacts)
    }

    /// All extensions that have some.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[Contact])> {
        self.accounts.iter().map(|(account, b)| (account.as_str(), b.contacts.as_slice()))
    }

    /// When the next contact lapses.
    pub fn deadline(&self) -> Option<Instant> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Applies a REGISTER as a whole or not at all. `hop` says how a contact is reached. True when the set of
    /// contacts became another one.
    pub fn register(
        &mut self,
        at: Instant,
        request: &Request<'_>,
        hop: impl Fn(&Address) -> Hop,
    ) -> Result<bool, Refusal> {
        let before = self.accounts.get(request.account).cloned().unwrap_or_default();
        let mut after = before.clone();
        after.lapse(at);
        match request.contacts {
            Contacts::Wildcard => after.clear(request)?,
            Contacts::List(list) => {
                for address in list {
                    after.bind(at, request, address, hop(address))?;
                }
            }
        }
        let changed = !same_set(&before.contacts, &after.contacts);
        self.store(request.account, after);
        Ok(changed)
    }

    /// Drops what has lapsed; returns each extension whose set changed with the number of its contacts.
    pub fn lapse(&mut self, at: Instant) -> Vec<(String, usize)> {
        let mut changed = Vec::new();
        while let Some((due, account)) = self.queue.first().cloned().filter(|(due, _)| *due <= at) {
            self.queue.remove(&(due, account.clone()));
            let Some(mut bindings) = self.accounts.get(&account).cloned() else { continue };
            bindings.armed = None;
            bindings.lapse(at);
            changed.push((account.clone(), bindings.contacts.len()));
            self.store(&account, bindings);
        }
        changed
    }

    /// One line for each contact.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.iter().flat_map(|(account, contacts)| {
            contacts.iter().map(move |c| format!("contact of {account}: {} until {:?}", c.target.uri, c.expires))
        })
    }

    fn store(&mut self, account: &str, mut bindings: Bindings) {
        let due = bindings.contacts.iter().map(|c| c.expires).min();
        if due != bindings.armed {
            if let Some(at) = bindings.armed {
                self.queue.remove(&(at, account.to_owned()));
            }
            if let Some(at) = due {
                self.queue.insert((at, account.to_owned()));
            }
            bindings.armed = due;
        }
        if bindings.contacts.is_empty() {
            self.accounts.remove(account);
        } else {
            self.accounts.insert(account.to_owned(), bindings);
        }
    }
}

fn same_set(a: &[Contact], b: &[Contact]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.target == y.target)
}

impl Bindings {
    fn lapse(&mut self, at: Instant) {
        while let Some(i) = self.contacts.iter().position(|c| c.expires <= at) {
            self.remove(i);
        }
    }

    fn remove(&mut self, i: usize) {
        self.contacts.remove(i);
        self.orders.remove(i);
    }

    fn is_newer(order: &Order, request: &Request<'_>) -> bool {
        order.call_id != request.call_id || order.cseq < request.cseq
    }

    fn clear(&mut self, request: &Request<'_>) -> Result<(), Refusal> {
        if request.expires_s != Some(0) {
            return Err(Refusal::Malformed);
        }
        if !self.orders.iter().all(|o| Bindings::is_newer(o, request)) {
            return Err(Refusal::OutOfOrder);
        }
        self.contacts.clear();
        self.orders.clear();
        Ok(())
    }

    fn bind(&mut self, at: Instant, request: &Request<'_>, address: &Address, hop: Hop) -> Result<(), Refusal> {
        let place = address.place.as_ref().filter(|p| !p.host.is_empty()).ok_or(Refusal::Malformed)?;
        let asked = address.expires.or(request.expires_s).unwrap_or(EXPIRES_DEFAULT_S);
        if asked > 0 && asked < request.bounds_s.0 {
            return Err(Refusal::TooBrief);
        }
        let known = self.orders.iter().position(|o| o.identity == place.identity);
        if known.and_then(|i| self.orders.get(i)).is_some_and(|o| !Bindings::is_newer(o, request)) {
            return Err(Refusal::OutOfOrder);
        }
        if asked == 0 {
            if let Some(i) = known {
                self.remove(i);
            }
            return Ok(());
        }
        let granted_s = asked.min(request.bounds_s.1.max(1));
        let contact = Contact {
            target: Target { uri: address.uri.clone(), hop },
            expires: at + Duration::from_secs(u64::from(granted_s)),
            user_agent: request.user_agent.chars().take(USER_AGENT_MAX).collect(),
        };
        let order = Order { identity: place.identity.clone(), call_id: request.call_id.to_owned(), cseq: request.cseq };
        match known {
            Some(i) => {
                self.contacts[i] = contact;
                self.orders[i] = order;
            }
            None => {
                self.contacts.push(contact);
                self.orders.push(order);
            }
        }
        // A phone that changes its address at every boot must not lock itself out: the one that lapses first goes.
        if self.contacts.len() > CONTACTS_PER_EXTENSION_MAX
            && let Some((i, _)) = self.contacts.iter().enumerate().min_by_key(|(i, c)| (c.expires, *i))
        {
            self.remove(i);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(values: &[&str]) -> Contacts {
        Contacts::List(values.iter().map(|v| Address::parse(v).unwrap()).collect())
    }

    fn request<'a>(contacts: &'a Contacts, expires_s: Option<u32>, cseq: u32) -> Request<'a> {
        Request {
            account: "2001",
            contacts,
            expires_s,
            call_id: "a@b",
            cseq,
            user_agent: "phone",
            bounds_s: (60, 7200),
        }
    }

    fn hop(_: &Address) -> Hop {
        Hop::Udp { local: "127.0.0.1:5060".parse().unwrap(), remote: "127.0.0.2:5060".parse().unwrap() }
    }

    fn at(seconds: u64) -> Instant {
        Instant::BOOT + Duration::from_secs(seconds)
    }

    #[test]
    fn several_contacts_live_and_lapse_on_their_own() {
        let mut registrar = Registrar::default();
        let two = contacts(&["<sip:2001@10.0.0.1>;expires=100", "<sip:2001@10.0.0.2>"]);
        assert_eq!(registrar.register(at(0), &request(&two, Some(300), 1), hop), Ok(true));
        assert_eq!(registrar.deadline(), Some(at(100)));
        assert_eq!(registrar.register(at(50), &request(&two, Some(300), 2), hop), Ok(false), "a refresh");
        assert_eq!(registrar.lapse(at(149)), []);
        assert_eq!(registrar.lapse(at(150)), [("2001".to_owned(), 1)]);
        assert_eq!(registrar.contacts("2001")[0].target.uri, "sip:2001@10.0.0.2");
        assert_eq!(registrar.lapse(at(1000)), [("2001".to_owned(), 0)]);
        assert_eq!(registrar.deadline(), None);
        assert_eq!(registrar.iter().count(), 0);
    }

    #[test]
    fn order_expiry_bounds_and_star() {
        let mut registrar = Registrar::default();
        let one = contacts(&["<sip:2001@10.0.0.1>"]);
        assert_eq!(registrar.register(at(0), &request(&one, Some(59), 1), hop), Err(Refusal::TooBrief));
        assert_eq!(registrar.register(at(0), &request(&one, Some(99_999), 5), hop), Ok(true));
        assert_eq!(registrar.contacts("2001")[0].expires, at(7200));
        assert_eq!(registrar.register(at(1), &request(&one, None, 5), hop), Err(Refusal::OutOfOrder));
        assert_eq!(registrar.register(at(1), &request(&Contacts::Wildcard, Some(60), 6), hop), Err(Refusal::Malformed));
        let other = contacts(&["<sip:2001@10.0.0.1:5070>", "<tel:5>"]);
        assert_eq!(registrar.register(at(1), &request(&other, None, 6), hop), Err(Refusal::Malformed));
        assert_eq!(registrar.contacts("2001").len(), 1, "as a whole or not at all");
        assert_eq!(registrar.register(at(2), &request(&one, Some(0), 7), hop), Ok(true));
        assert_eq!(registrar.contacts("2001").len(), 0);
        assert_eq!(registrar.register(at(3), &request(&one, None, 8), hop), Ok(true));
        assert_eq!(registrar.register(at(3), &request(&Contacts::Wildcard, Some(0), 9), hop), Ok(true));
        assert_eq!(registrar.contacts("2001").len(), 0);
    }

    #[test]
    fn no_more_contacts_than_the_bound() {
        let mut registrar = Registrar::default();
        for i in 0..=CONTACTS_PER_EXTENSION_MAX as u32 {
            let one = contacts(&[&format!("<sip:2001@10.0.0.1:{}>", 6000 + i)]);
            assert_eq!(registrar.register(at(u64::from(i)), &request(&one, None, i), hop), Ok(true));
        }
        assert_eq!(registrar.contacts("2001").len(), CONTACTS_PER_EXTENSION_MAX);
        assert!(registrar.contacts("2001").iter().all(|c| c.target.uri != "sip:2001@10.0.0.1:6000"));
    }
}
