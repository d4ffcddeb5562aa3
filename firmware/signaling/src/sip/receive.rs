//! A message comes in: is it whole, whose is it, may it come in (RFC 3261 §8.2, §16.3, §17.1.3, §17.2.3)? What can be
//! refused without memory is refused without a transaction (§8.2.7), so that strangers cannot fill the tables.

use base::time::Now;
use core::net::{IpAddr, SocketAddr};

use super::digest::Verdict;
use super::door::{ConnId, DialogKey, Event, Hop, Output};
use super::endpoint::{Endpoint, summary};
use super::header::{Address, Contacts, Credentials, Envelope, Place, digits, seconds, tokens};
use super::message::{ALLOW, Field, Message, Method, Name, Start, Writer, reason_phrase};
use super::registrar;
use super::subscription::PACKAGE;
use super::transaction::{
    Machine, NonInviteServer, ReplyTo, TxKey, client_key, invite_server, non_invite_server, server_key,
};

/// Where a message came from.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// Our socket.
    pub local: SocketAddr,
    /// Its sender.
    pub remote: SocketAddr,
    /// Its connection.
    pub conn: Option<ConnId>,
    /// New INVITEs are refused.
    pub shed: bool,
}

impl Arrival {
    /// The way back to the sender itself.
    pub fn hop(&self) -> Hop {
        match self.conn {
            None => Hop::Udp { local: self.local, remote: self.remote },
            Some(conn) => Hop::Tcp { conn: Some(conn), remote: self.remote },
        }
    }

    /// How requests reach the contact that a phone names: the way it came; a phone whose connection is gone is called
    /// at its contact address.
    pub fn contact_hop(&self, place: Option<&Place>) -> Hop {
        let addr = place.and_then(Place::addr);
        match (self.conn, addr) {
            (Some(conn), Some(remote)) => Hop::Tcp { conn: Some(conn), remote },
            (None, Some(remote)) if place.is_some_and(|p| p.tcp) => Hop::Tcp { conn: None, remote },
            (None, Some(_)) | (Some(_) | None, None) => self.hop(),
        }
    }
}

/// A request with what every part of the endpoint needs of it.
pub(super) struct Request {
    pub message: Message,
    pub method: Method,
    pub uri: String,
    pub envelope: Envelope,
    pub arrival: Arrival,
}

/// A final response that needs no memory.
pub(super) struct Refusal {
    pub code: u16,
    pub reason: &'static str,
    pub extra: Vec<(Name, String)>,
}

impl Refusal {
    pub fn new(code: u16) -> Refusal {
        Refusal { code, reason: reason_phrase(code), extra: Vec::new() }
    }

    pub fn because(code: u16, reason: &'static str) -> Refusal {
        Refusal { reason, ..Refusal::new(code) }
    }

    pub fn with(code: u16, name: Name, value: impl Into<String>) -> Refusal {
        Refusal { extra: vec![(name, value.into())], ..Refusal::new(code) }
    }
}

impl Endpoint {
    /// One message.
    pub(super) fn receive(&mut self, now: Now, arrival: Arrival, message: Message, out: &mut Vec<Output>) {
        match &message.start {
            Start::Response { .. } => self.response(now, arrival, message, out),
            Start::Request { method, uri } => {
                let (method, uri) = (method.clone(), uri.clone());
                match Endpoint::readable(&message, &method) {
                    Ok(envelope) => {
                        self.request(now, Request { message, method, uri, envelope, arrival }, out);
                    }
                    Err(refusal) => {
                        self.dropped.malformed += 1;
                        if method != Method::Ack {
                            self.refuse_unread(&message, arrival, &refusal, out);
                        }
                    }
                }
            }
        }
    }

    /// RFC 3261 §8.1.1, §16.3 step 1.
    fn readable(message: &Message, method: &Method) -> Result<Envelope, Refusal> {
        if message.other_version {
            return Err(Refusal::new(505));
        }
        if let Some(defect) = message.defect {
            return Err(Refusal::because(400, defect));
        }
        let envelope = Envelope::read(message).map_err(|why| Refusal::because(400, why))?;
        if envelope.method != *method {
            return Err(Refusal::because(400, "CSeq method differs from request method"));
        }
        Ok(envelope)
    }

    fn response(&mut self, now: Now, arrival: Arrival, message: Message, out: &mut Vec<Output>) {
        let whole = if message.defect.is_some() { Err("cut") } else { Envelope::read(&message) };
        let Ok(envelope) = whole else {
            self.dropped.malformed += 1;
            return;
        };
        let branch = envelope.via.branch.as_deref().unwrap_or_default();
        let ours = message.all(&Name::Via).count() == 1;
        let tx = self.transactions.client(&client_key(branch, envelope.method.as_str())).filter(|_| ours);
        match tx {
            Some(tx) => self.client_response(now, arrival, tx, &message, &envelope, out),
            None => self.dropped.stray_response += 1,
        }
    }

    fn request(&mut self, now: Now, request: Request, out: &mut Vec<Output>) {
        let key = server_key(&request.envelope, &request.uri, &request.method);
        if let Some(tx) = self.transactions.server(&key)
            && self.repeated(now, tx, &request, out)
        {
            return;
        }
        match request.method {
            Method::Ack => self.ack(now, &request, out),
            Method::Cancel => self.cancel(now, &request, key, out),
            // A phone that repeats a To tag when it refreshes is still registering.
            Method::Register => self.outside(now, &request, key, out),
            Method::Subscribe => match request.envelope.to.tag {
                Some(_) => self.resubscribe(now, &request, &key, out),
                None => self.outside(now, &request, key, out),
            },
            Method::Invite
            | Method::Bye
            | Method::Options
            | Method::Info
            | Method::Update
            | Method::Unserved(_)
            | Method::Unknown(_) => match request.envelope.to.tag {
                Some(_) => self.inside(now, &request, key, out),
                None => self.outside(now, &request, key, out),
            },
        }
    }

    /// A request for a transaction that exists. False when it is for the dialog nevertheless.
    fn repeated(&mut self, now: Now, tx: TxKey, request: &Request, out: &mut Vec<Output>) -> bool {
        let Some(transaction) = self.transactions.get_mut(tx) else { return false };
        let ack = request.method == Method::Ack;
        let step = match &mut transaction.machine {
            Machine::InviteServer(m) if ack && m.is_accepted() => return false,
            Machine::InviteServer(m) if ack => m.handle(now.at, invite_server::Input::Ack),
            Machine::InviteServer(m) => m.handle(now.at, invite_server::Input::Request),
            Machine::NonInviteServer(m) => m.handle(now.at, non_invite_server::Input::Request),
            Machine::InviteClient(_) | Machine::NonInviteClient(_) => return false,
        };
        let dialog = transaction.dialog;
        self.trace(dialog, false, summary(&request.message, &request.method), out);
        self.carry_out(tx, step, out);
        true
    }

    /// A request outside any dialog (§8.2.1, §8.2.2).
    fn outside(&mut self, now: Now, request: &Request, key: String, out: &mut Vec<Output>) {
        let checked = Endpoint::acceptable(request).and_then(|()| match &request.method {
            Method::Invite => self.incoming(now, request, &key, out),
            Method::Register => self.register(now, request, &key, out),
            Method::Subscribe => self.subscribe(now, request, &key, out),
            Method::Options => Err(Endpoint::capabilities()),
            Method::Bye | Method::Info | Method::Update | Method::Ack | Method::Cancel => Err(Refusal::new(481)),
            Method::Unserved(_) => Err(Refusal::with(405, Name::Allow, ALLOW)),
            Method::Unknown(_) => Err(Refusal::with(501, Name::Allow, ALLOW)),
        });
        if let Err(refusal) = checked {
            self.refuse_without_memory(request, &refusal, out);
        }
    }

    /// What is checked of every request that is not ACK or CANCEL, in or out of a dialog.
    pub(super) fn acceptable(request: &Request) -> Result<(), Refusal> {
        // An unknown method is refused as such first; its URI may be anything.
        if !matches!(request.method, Method::Unserved(_) | Method::Unknown(_)) {
            match Place::parse(&request.uri) {
                None => return Err(Refusal::new(416)),
                Some(place) if place.headers => return Err(Refusal::because(400, "Request-URI with headers")),
                Some(_) => {}
            }
        }
        if let Some(value) = request.message.value(&Name::MaxForwards) {
            match digits(&value) {
                None => return Err(Refusal::because(400, "Bad Max-Forwards")),
                Some(0) if request.method != Method::Options => return Err(Refusal::new(483)),
                Some(_) => {}
            }
        }
        let required = tokens(&request.message, &Name::Require);
        if required.is_empty() { Ok(()) } else { Err(Refusal::with(420, Name::Unsupported, required.join(", "))) }
    }

    /// The answer to OPTIONS (§11.2).
    pub(super) fn capabilities() -> Refusal {
        let mut answer = Refusal::with(200, Name::Allow, ALLOW);
        answer.extra.push((Name::Accept, "application/sdp".into()));
        answer.extra.push((Name::AllowEvents, PACKAGE.into()));
        answer
    }

    // Who is it?

    /// The trunk that sends from there.
    pub(super) fn peer(&self, remote: SocketAddr) -> Option<&str> {
        let ip = plain(remote.ip());
        self.settings
            .peers
            .iter()
            .find(|p| plain(p.ip) == ip && p.port.is_none_or(|port| port == remote.port()))
            .map(|p| p.name.as_str())
    }

    /// RFC 3261 §22: the extension whose password the request proves, or how to refuse it.
    pub(super) fn authenticate(
        &mut self,
        now: Now,
        request: &Request,
        claimed: &str,
        out: &mut Vec<Output>,
    ) -> Result<String, Refusal> {
        let register = request.method == Method::Register;
        let names = if register {
            [Name::Authorization, Name::ProxyAuthorization]
        } else {
            [Name::ProxyAuthorization, Name::Authorization]
        };
        let realm = self.settings.realm.clone();
        let found = names.iter().flat_map(|name| Credentials::read(&request.message, name)).find(|c| c.realm == realm);
        let mut stale = false;
        if let Some(credentials) = found {
            let ha1 = self.settings.accounts.get(&credentials.username).map(|a| a.ha1_md5.to_ascii_lowercase());
            let method = request.method.as_str();
            match self.guard.check(now.at, &credentials, ha1.as_deref(), method, &realm) {
                Verdict::Right if credentials.username == claimed => return Ok(credentials.username),
                Verdict::Right => return Err(Refusal::because(403, "Not your extension")),
                Verdict::Stale => stale = true,
                Verdict::Wrong => out.push(Output::Event(Event::AuthFailed {
                    account: credentials.username,
                    remote: request.arrival.remote,
                })),
            }
        }
        let challenge = self.guard.challenge(now.at, &realm, stale);
        Err(if register {
            Refusal::with(401, Name::WwwAuthenticate, challenge)
        } else {
            Refusal::with(407, Name::ProxyAuthenticate, challenge)
        })
    }

    // REGISTER.

    /// §10.3.
    fn register(&mut self, now: Now, request: &Request, key: &str, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let to = &request.envelope.to;
        if to.place.as_ref().is_none_or(|p| p.user.is_empty()) {
            return Err(Refusal::new(404));
        }
        let contacts = Contacts::read(&request.message).ok_or(Refusal::because(400, "Bad Contact"))?;
        let account = self.authenticate(now, request, to.user(), out)?;
        let expires_s = request.message.value(&Name::Expires).and_then(|v| seconds(&v));
        let user_agent = request.message.value(&Name::UserAgent).unwrap_or_default();
        let binding = registrar::Request {
            account: &account,
            contacts: &contacts,
            expires_s,
            call_id: &request.envelope.call_id,
            cseq: request.envelope.cseq,
            user_agent: &user_agent,
            bounds_s: (self.settings.expires_min_s, self.settings.expires_max_s),
        };
        let arrival = request.arrival;
        let hop = |address: &Address| arrival.contact_hop(address.place.as_ref());
        let changed = self.registrar.register(now.at, &binding, hop).map_err(|why| match why {
            registrar::Refusal::Malformed => Refusal::because(400, "Bad Contact"),
            registrar::Refusal::OutOfOrder => Refusal::because(500, "Older than the registration known"),
            registrar::Refusal::TooBrief => {
                Refusal::with(423, Name::MinExpires, self.settings.expires_min_s.to_string())
            }
        })?;
        let live = self.registrar.contacts(&account);
        let extra = live
            .iter()
            .map(|c| (Name::Contact, format!("<{}>;expires={}", c.target.uri, c.expires.since(now.at).as_secs())))
            .collect();
        let contacts = live.len();
        self.serve(now, request, key, None, &Refusal { extra, ..Refusal::new(200) }, out);
        out.push(Output::Event(match changed {
            true => Event::Registered { account, contacts },
            false => Event::Refreshed { account },
        }));
        Ok(())
    }

    // Answers.

    /// Answers a request other than INVITE within a transaction of its own.
    pub(super) fn serve(
        &mut self,
        now: Now,
        request: &Request,
        key: &str,
        dialog: Option<DialogKey>,
        answer: &Refusal,
        out: &mut Vec<Output>,
    ) {
        let reply = request.reply();
        let reliable = matches!(reply.hop, Hop::Tcp { .. });
        let machine = Machine::NonInviteServer(NonInviteServer::new(reliable));
        let tag = match dialog.and_then(|d| self.dialogs.get(d)) {
            Some(dialog) => dialog.local_tag.clone(),
            None => self.stateless_tag(&request.envelope),
        };
        let tx = self.transactions.insert_server(machine, reply, dialog, key.to_owned(), None);
        self.serve_final(now, tx, answer, &tag, out);
    }

    /// Ends a transaction other than INVITE with this answer.
    pub(super) fn serve_final(&mut self, now: Now, tx: TxKey, answer: &Refusal, to_tag: &str, out: &mut Vec<Output>) {
        let Some(reply) = self.transactions.get(tx).and_then(|t| t.reply.as_ref()) else { return };
        let bytes = self.respond(reply, answer, to_tag).finish(None, b"");
        let Some(transaction) = self.transactions.get_mut(tx) else { return };
        if let Machine::NonInviteServer(m) = &mut transaction.machine {
            let step = m.handle(now.at, non_invite_server::Input::Final(bytes));
            self.carry_out(tx, step, out);
        }
    }

    /// Begins a response: what §8.2.6.2 wants repeated, our tag, and what `answer` adds.
    pub(super) fn respond(&self, reply: &ReplyTo, answer: &Refusal, to_tag: &str) -> Writer {
        let mut writer = Writer::response(answer.code, answer.reason);
        let dialog_making =
            matches!(reply.method, Method::Invite | Method::Subscribe) && (101..300).contains(&answer.code);
        for field in &reply.fields {
            if field.name == Name::To && !reply.tagged && answer.code > 100 {
                let mut value = field.value.clone();
                value.extend(b";tag=");
                value.extend(to_tag.bytes());
                writer.field(&field.name, &value);
            } else if field.name != Name::RecordRoute || dialog_making {
                writer.field(&field.name, &field.value);
            }
        }
        writer.pieces(&Name::Server, &[&self.settings.product]);
        for (name, value) in &answer.extra {
            writer.pieces(name, &[value]);
        }
        writer
    }

    pub(super) fn stateless_tag(&self, envelope: &Envelope) -> String {
        self.guard.stateless_tag(&envelope.call_id, envelope.from.tag.as_deref().unwrap_or_default())
    }

    /// A final response for which nothing is remembered (§8.2.7).
    pub(super) fn refuse_without_memory(&mut self, request: &Request, refusal: &Refusal, out: &mut Vec<Output>) {
        let tag = self.stateless_tag(&request.envelope);
        let reply = request.reply();
        let bytes = self.respond(&reply, refusal, &tag).finish(None, b"");
        self.transmit(&reply.hop, bytes, out);
    }

    /// Refuses what is not fully readable with whatever of it is.
    fn refuse_unread(&mut self, message: &Message, arrival: Arrival, refusal: &Refusal, out: &mut Vec<Output>) {
        let method = match &message.start {
            Start::Request { method, .. } => method.clone(),
            Start::Response { .. } => return,
        };
        let reply = match Envelope::read(message) {
            Ok(envelope) => reply_to(message, Some(&envelope), arrival, method),
            Err(_) => reply_to(message, None, arrival, method),
        };
        let call_id = message.value(&Name::CallId).unwrap_or_default();
        let tag = self.guard.stateless_tag(&call_id, "");
        let bytes = self.respond(&reply, refusal, &tag).finish(None, b"");
        self.transmit(&reply.hop, bytes, out);
    }
}

impl Request {
    pub fn reply(&self) -> ReplyTo {
        reply_to(&self.message, Some(&self.envelope), self.arrival, self.method.clone())
    }
}

fn reply_to(message: &Message, envelope: Option<&Envelope>, arrival: Arrival, method: Method) -> ReplyTo {
    let mut fields: Vec<Field> = Vec::with_capacity(8);
    for name in [Name::Via, Name::From, Name::To, Name::CallId, Name::CSeq, Name::RecordRoute] {
        fields.extend(message.all(&name).cloned());
    }
    let mut hop = arrival.hop();
    if let Some(envelope) = envelope {
        let via = &envelope.via;
        if let (Some(stamped), Some(top)) = (via.stamped(arrival.remote), fields.first_mut()) {
            top.value = stamped;
        }
        let remote = via.response_target(arrival.remote);
        hop = match hop {
            Hop::Udp { local, .. } => Hop::Udp { local, remote },
            // When the connection is gone a response goes to the sent-by port (§18.2.2).
            Hop::Tcp { conn, .. } => {
                Hop::Tcp { conn, remote: SocketAddr::new(arrival.remote.ip(), via.port.unwrap_or(5060)) }
            }
        };
    }
    let tagged = match envelope {
        Some(envelope) => envelope.to.tag.is_some(),
        None => message.value(&Name::To).is_none_or(|to| to.contains("tag")),
    };
    ReplyTo { fields, tagged, method, hop }
}

/// An IPv4 address in IPv6 clothes is the IPv4 address.
fn plain(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}
