//! The one place that reads header values and URIs, over `sip-header` and `sip-uri`; CSeq, numbers and token lists,
//! which those crates do not type, are read here. Nothing of those crates' types leaves this module.

use sip_header::{ContactList, HeaderParse, SipAuthValue, SipHeaderAddr, SipHeaderAddrList, SipVia, WarningCode};
use sip_uri::{Uri, UriParse};
use std::net::{IpAddr, SocketAddr};

use super::message::{Field, Message, Method, Name};

/// RFC 3261 §8.1.1.7: what marks a branch as unique.
pub const MAGIC: &str = "z9hG4bK";

/// What every request and response must have (RFC 3261 §8.1.1).
#[derive(Clone, Debug)]
pub struct Envelope {
    /// The topmost Via.
    pub via: Via,
    /// From.
    pub from: Address,
    /// To.
    pub to: Address,
    /// Call-ID.
    pub call_id: String,
    /// CSeq number, below 2^31.
    pub cseq: u32,
    /// CSeq method.
    pub method: Method,
}

impl Envelope {
    /// Reads it, or says what is wrong in the words of a 400's reason phrase.
    pub fn read(message: &Message) -> Result<Envelope, &'static str> {
        let via = Via::read(message.field(&Name::Via).ok_or("Missing Via")?).ok_or("Bad Via")?;
        let from = Address::parse(&message.value(&Name::From).ok_or("Missing From")?).ok_or("Bad From")?;
        let to = Address::parse(&message.value(&Name::To).ok_or("Missing To")?).ok_or("Bad To")?;
        let call_id = message.value(&Name::CallId).ok_or("Missing Call-ID")?;
        if call_id.is_empty() || call_id.contains(char::is_whitespace) {
            return Err("Bad Call-ID");
        }
        let (cseq, method) = cseq(&message.value(&Name::CSeq).ok_or("Missing CSeq")?).ok_or("Bad CSeq")?;
        Ok(Envelope { via, from, to, call_id: call_id.into_owned(), cseq, method })
    }
}

fn cseq(value: &str) -> Option<(u32, Method)> {
    let (number, method) = value.split_once(|c: char| c.is_ascii_whitespace())?;
    let number = digits(number).and_then(|n| u32::try_from(n).ok()).filter(|n| *n < 1 << 31)?;
    let method = method.trim();
    if method.is_empty() || !method.bytes().all(super::message::is_token) {
        return None;
    }
    Some((number, Method::from_text(method)))
}

/// A decimal number; none when it is anything else or does not fit.
pub fn digits(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) { None } else { text.parse().ok() }
}

/// Seconds; a number that does not fit is the largest (RFC 3261 §20.19 bounds it to 32 bits).
pub fn seconds(text: &str) -> Option<u32> {
    let text = text.trim();
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u32::MAX))
}

/// The topmost Via value (RFC 3261 §20.42).
#[derive(Clone, Debug)]
pub struct Via {
    /// `host` or `host:port` as the peer calls itself.
    pub sent_by: String,
    /// Its host, when it is an address.
    pub ip: Option<IpAddr>,
    /// Its port.
    pub port: Option<u16>,
    /// The branch.
    pub branch: Option<String>,
    /// RFC 3581: answer to where it came from.
    pub rport: bool,
    values: SipVia,
}

impl Via {
    fn read(field: &Field) -> Option<Via> {
        let parsed = SipVia::parse_with_warnings(&field.text()).ok()?;
        if parsed.warnings.iter().any(|w| w.code == WarningCode::SkippedEntry) {
            return None;
        }
        let values = parsed.value;
        let top = values.entries().first()?;
        let sent_by = match top.port() {
            Some(port) => format!("{}:{}", top.host(), port),
            None => top.host().to_string(),
        };
        Some(Via {
            sent_by,
            ip: top.host().ip(),
            port: top.port(),
            branch: top.branch().map(str::to_owned).filter(|b| !b.is_empty()),
            rport: top.rport().is_some(),
            values,
        })
    }

    /// Unique by itself: starts with the magic cookie and has something after it.
    pub fn unique_branch(&self) -> Option<&str> {
        let branch = self.branch.as_deref()?;
        let cookie = branch.get(..MAGIC.len())?;
        (cookie.eq_ignore_ascii_case(MAGIC) && branch.len() > MAGIC.len()).then_some(branch)
    }

    /// The whole field with `received` and `rport` filled in (RFC 3261 §18.2.1, RFC 3581 §4), and nothing when the
    /// field can stay as it is.
    pub fn stamped(&self, source: SocketAddr) -> Option<Vec<u8>> {
        if !self.rport && self.ip == Some(source.ip()) {
            return None;
        }
        let mut entries = self.values.entries().to_vec();
        let top = entries.first()?.clone();
        let top = if self.rport { top.with_rport(Some(source.port())) } else { top };
        let top = top.with_param("received", Some(source.ip().to_string().as_str())).ok()?;
        *entries.first_mut()? = top;
        Some(SipVia::new(entries).ok()?.to_string().into_bytes())
    }

    /// Where a response over UDP goes (RFC 3261 §18.2.2, RFC 3581 §4). `maddr` is not followed: it would let anyone
    /// direct our answers at a third party.
    pub fn response_target(&self, source: SocketAddr) -> SocketAddr {
        let port = if self.rport { source.port() } else { self.port.unwrap_or(5060) };
        SocketAddr::new(source.ip(), port)
    }
}

/// What a URI is, as far as it matters for reaching somebody.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// User part, unescaped; the number of a tel URI.
    pub user: String,
    /// Host in lower case; empty for tel.
    pub host: String,
    /// Host, when it is an address.
    pub ip: Option<IpAddr>,
    /// Port.
    pub port: Option<u16>,
    /// `transport` parameter is tcp.
    pub tcp: bool,
    /// `lr` parameter (RFC 3261 §16.12.1.1).
    pub loose: bool,
    /// Has headers (`?`), which a Request-URI may not have.
    pub headers: bool,
    /// Equal for URIs that name the same thing (RFC 3261 §19.1.4, without unknown parameters).
    pub identity: String,
}

impl Place {
    /// Reads a sip, sips or tel URI; none for any other scheme.
    pub fn parse(uri: &str) -> Option<Place> {
        Place::of(&Uri::parse(uri.trim()).ok()?)
    }

    fn of(uri: &Uri) -> Option<Place> {
        if let Some(tel) = uri.as_tel() {
            let number = tel.number()?.to_owned();
            return Some(Place {
                identity: format!("tel:{number}"),
                user: number,
                host: String::new(),
                ip: None,
                port: None,
                tcp: false,
                loose: false,
                headers: false,
            });
        }
        let sip = uri.as_sip()?;
        let host = sip.host()?;
        let parameter = |name| sip.param(name).flatten().unwrap_or_default().to_ascii_lowercase();
        let tcp = parameter("transport") == "tcp";
        let port = sip.port();
        let user = sip.user().unwrap_or_default();
        Some(Place {
            user: unescape(user),
            host: host.bare().to_string(),
            ip: host.ip(),
            port,
            tcp,
            loose: sip.param("lr").is_some(),
            headers: !sip.headers().is_empty(),
            identity: format!(
                "{user}@{host}:{};{};{};{}",
                port.unwrap_or(0),
                parameter("transport"),
                parameter("maddr"),
                parameter("method")
            ),
        })
    }

    /// The address, when the host is one.
    pub fn addr(&self) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.ip?, self.port.unwrap_or(5060)))
    }
}

/// Percent-escapes undone; bytes that are not UTF-8 then are replaced.
pub fn unescape(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(b) = bytes.get(at) {
        match (*b, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                plain.push((high * 16 + low) as u8);
                at += 3;
            }
            (b, ..) => {
                plain.push(b);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// The user part of a SIP URI: everything escaped that RFC 3261 §25.1 does not allow there plainly.
pub fn escape_user(user: &str) -> String {
    let mut escaped = String::with_capacity(user.len());
    for b in user.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&b) {
            escaped.push(char::from(b));
        } else {
            escaped.push_str(&format!("%{b:02X}"));
        }
    }
    escaped
}

/// A display name as quoted string with a blank behind it; empty for an empty name.
pub fn quoted(name: &str) -> String {
    if name.is_empty() {
        return String::new();
    }
    let mut text = String::with_capacity(name.len() + 3);
    text.push('"');
    for c in name.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push_str("\" ");
    text
}

/// From, To, Contact and their kin (RFC 3261 §20.10).
#[derive(Clone, Debug)]
pub struct Address {
    /// Display name, unescaped; empty when there is none.
    pub display: String,
    /// The URI as written.
    pub uri: String,
    /// What the URI means; none for a scheme that we do not know.
    pub place: Option<Place>,
    /// `tag` parameter.
    pub tag: Option<String>,
    /// `expires` parameter.
    pub expires: Option<u32>,
}

impl Address {
    /// One address.
    pub fn parse(value: &str) -> Option<Address> {
        let parsed = SipHeaderAddr::parse_with_warnings(value).ok()?;
        if parsed.warnings.iter().any(|w| is_fatal(&w.code)) {
            return None;
        }
        let uri = parsed.value.uri_span().and_then(|span| value.get(span.range())).map(str::to_owned);
        Some(Address::of(&parsed.value, uri))
    }

    /// Every address of all fields of that name, in order; none when any of them cannot be read.
    pub fn all(message: &Message, name: &Name) -> Option<Vec<Address>> {
        let mut addresses = Vec::new();
        for field in message.all(name) {
            let text = field.text();
            let parsed = SipHeaderAddrList::parse_with_warnings(&text).ok()?;
            if parsed.warnings.iter().any(|w| is_fatal(&w.code)) {
                return None;
            }
            for addr in parsed.value.entries() {
                let uri = addr.uri_span().and_then(|span| text.get(span.range())).map(str::to_owned);
                addresses.push(Address::of(addr, uri));
            }
        }
        Some(addresses)
    }

    fn of(addr: &SipHeaderAddr, uri: Option<String>) -> Address {
        let uri = uri.map(|u| u.trim().to_owned()).filter(|u| is_plain(u)).unwrap_or_else(|| addr.uri().to_string());
        Address {
            display: addr.display_name().unwrap_or_default().to_owned(),
            place: Place::of(addr.uri()),
            uri,
            tag: addr.tag().map(str::to_owned).filter(|t| !t.is_empty()),
            expires: addr.param("expires").flatten().and_then(seconds),
        }
    }

    /// User part of the URI, unescaped; empty when there is none.
    pub fn user(&self) -> &str {
        self.place.as_ref().map_or("", |p| p.user.as_str())
    }
}

fn is_plain(uri: &str) -> bool {
    !uri.is_empty() && uri.bytes().all(|b| b > b' ' && b != 127 && !matches!(b, b'<' | b'>' | b'"'))
}

fn is_fatal(code: &WarningCode) -> bool {
    matches!(
        code,
        WarningCode::SkippedEntry
            | WarningCode::MissingBrackets
            | WarningCode::UnclosedBracket
            | WarningCode::UnterminatedQuote
            | WarningCode::Uri(sip_uri::WarningCode::InvalidScheme | sip_uri::WarningCode::MissingHost)
    )
}

/// The Contact fields of one message.
#[derive(Clone, Debug)]
pub enum Contacts {
    /// `*`.
    Wildcard,
    /// So many addresses, perhaps none.
    List(Vec<Address>),
}

impl Contacts {
    /// Reads them; none when one of them is unreadable or `*` stands beside others.
    pub fn read(message: &Message) -> Option<Contacts> {
        let mut list = Vec::new();
        let mut fields = 0;
        for field in message.all(&Name::Contact) {
            fields += 1;
            let text = field.text();
            let parsed = ContactList::parse_with_warnings(&text).ok()?;
            if parsed.warnings.iter().any(|w| w.code == WarningCode::WildcardNotAlone || is_fatal(&w.code)) {
                return None;
            }
            if parsed.value.is_wildcard() {
                return if fields == 1 && message.all(&Name::Contact).count() == 1 {
                    Some(Contacts::Wildcard)
                } else {
                    None
                };
            }
            for addr in parsed.value.addrs() {
                let uri = addr.uri_span().and_then(|span| text.get(span.range())).map(str::to_owned);
                list.push(Address::of(addr, uri));
            }
        }
        Some(Contacts::List(list))
    }
}

/// Digest credentials of one Authorization or Proxy-Authorization field (RFC 2617 §3.2.2).
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// Who.
    pub username: String,
    /// For which realm.
    pub realm: String,
    /// Our nonce.
    pub nonce: String,
    /// digest-uri-value.
    pub uri: String,
    /// request-digest.
    pub response: String,
    /// `auth`, or none for RFC 2069 clients.
    pub qop: Option<String>,
    /// nonce count as written.
    pub nc: String,
    /// Client nonce.
    pub cnonce: String,
    /// None means MD5.
    pub algorithm: Option<String>,
}

impl Credentials {
    /// Digest credentials in the fields of that name, in order; other schemes are read over.
    pub fn read<'a>(message: &'a Message, name: &'a Name) -> impl Iterator<Item = Credentials> + 'a {
        message.all(name).filter_map(|field| {
            let value = SipAuthValue::parse(&field.text()).ok()?;
            if !value.scheme().eq_ignore_ascii_case("Digest") {
                return None;
            }
            let get = |key: &str| value.param(key).flatten().map(str::to_owned);
            Some(Credentials {
                username: get("username")?,
                realm: get("realm")?,
                nonce: get("nonce")?,
                uri: get("uri").unwrap_or_default(),
                response: get("response")?,
                qop: get("qop"),
                nc: get("nc").unwrap_or_default(),
                cnonce: get("cnonce").unwrap_or_default(),
                algorithm: get("algorithm"),
            })
        })
    }
}

/// Tokens of all comma lists of that name (Require, Accept, …), parameters cut off.
pub fn tokens(message: &Message, name: &Name) -> Vec<String> {
    message
        .all(name)
        .flat_map(|f| {
            f.text()
                .split(',')
                .map(|t| t.split(';').next().unwrap_or_default().trim().to_owned())
                .filter(|t| !t.is_empty())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Media type of the body in lower case, without parameters; none when the field is missing.
pub fn content_type(message: &Message) -> Option<String> {
    let value = message.value(&Name::ContentType)?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}
