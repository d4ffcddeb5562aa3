//! One SIP message: bytes to start line, header fields and body, and back (RFC 3261 §7, §25.1). Knows nothing of
//! what the values mean; see [`super::header`] for that. Values stay bytes, so a field in another character set is
//! echoed unchanged and hides no other field.

use base::limits::{SIP_HEADERS_MAX, SIP_MESSAGE_BYTES_MAX};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// RFC 3261 §7.1 and the methods of later RFCs that phones send.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum Method {
    /// RFC 3261.
    Invite,
    /// RFC 3261.
    Ack,
    /// RFC 3261.
    Bye,
    /// RFC 3261.
    Cancel,
    /// RFC 3261.
    Register,
    /// RFC 3261.
    Options,
    /// RFC 6086.
    Info,
    /// RFC 3311.
    Update,
    /// RFC 6665.
    Subscribe,
    /// One that we know of but do not serve (405), as written.
    Unserved(String),
    /// One that we never heard of (501), as written.
    Unknown(String),
}

/// What the `Allow` field says.
pub const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, REGISTER, OPTIONS, INFO, UPDATE, SUBSCRIBE";

impl Method {
    /// Methods are case-sensitive (RFC 3261 §7.1).
    pub fn from_text(text: &str) -> Method {
        match text {
            "INVITE" => Method::Invite,
            "ACK" => Method::Ack,
            "BYE" => Method::Bye,
            "CANCEL" => Method::Cancel,
            "REGISTER" => Method::Register,
            "OPTIONS" => Method::Options,
            "INFO" => Method::Info,
            "UPDATE" => Method::Update,
            "SUBSCRIBE" => Method::Subscribe,
            "PRACK" | "NOTIFY" | "REFER" | "MESSAGE" | "PUBLISH" => Method::Unserved(text.to_owned()),
            other => Method::Unknown(other.to_owned()),
        }
    }

    /// As on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Method::Invite => "INVITE",
            Method::Ack => "ACK",
            Method::Bye => "BYE",
            Method::Cancel => "CANCEL",
            Method::Register => "REGISTER",
            Method::Options => "OPTIONS",
            Method::Info => "INFO",
            Method::Update => "UPDATE",
            Method::Subscribe => "SUBSCRIBE",
            Method::Unserved(text) | Method::Unknown(text) => text,
        }
    }
}

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident, $long:literal, $lower:literal $(, $compact:literal)?;)*) => {
        /// A header field name; those that we read or write, and all others as written.
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
        pub enum Name {
            $($(#[$doc])* #[doc = $long] $variant,)*
            /// Any other, as written.
            Other(Vec<u8>),
        }

        impl Name {
            /// From its long or compact form, in any case (RFC 3261 §7.3.1, §7.3.3).
            pub fn from_bytes(text: &[u8]) -> Name {
                let mut lower = [0u8; 24];
                if let Some(room) = lower.get_mut(..text.len()) {
                    room.copy_from_slice(text);
                    room.make_ascii_lowercase();
                    match &*room {
                        $($lower $(| $compact)? => return Name::$variant,)*
                        _ => {}
                    }
                }
                Name::Other(text.to_vec())
            }

            /// Long form.
            pub fn as_bytes(&self) -> &[u8] {
                match self {
                    $(Name::$variant => $long.as_bytes(),)*
                    Name::Other(text) => text,
                }
            }
        }
    };
}

names! {
    Accept, "Accept", b"accept";
    Allow, "Allow", b"allow";
    AllowEvents, "Allow-Events", b"allow-events", b"u";
    Authorization, "Authorization", b"authorization";
    CallId, "Call-ID", b"call-id", b"i";
    Contact, "Contact", b"contact", b"m";
    ContentDisposition, "Content-Disposition", b"content-disposition";
    ContentEncoding, "Content-Encoding", b"content-encoding", b"e";
    ContentLength, "Content-Length", b"content-length", b"l";
    ContentType, "Content-Type", b"content-type", b"c";
    CSeq, "CSeq", b"cseq";
    Event, "Event", b"event", b"o";
    Expires, "Expires", b"expires";
    From, "From", b"from", b"f";
    MaxForwards, "Max-Forwards", b"max-forwards";
    MinExpires, "Min-Expires", b"min-expires";
    PAssertedIdentity, "P-Asserted-Identity", b"p-asserted-identity";
    ProxyAuthenticate, "Proxy-Authenticate", b"proxy-authenticate";
    ProxyAuthorization, "Proxy-Authorization", b"proxy-authorization";
    Reason, "Reason", b"reason";
    RecordRoute, "Record-Route", b"record-route";
    Require, "Require", b"require";
    RetryAfter, "Retry-After", b"retry-after";
    Route, "Route", b"route";
    Server, "Server", b"server";
    SubscriptionState, "Subscription-State", b"subscription-state";
    Supported, "Supported", b"supported", b"k";
    To, "To", b"to", b"t";
    Unsupported, "Unsupported", b"unsupported";
    UserAgent, "User-Agent", b"user-agent";
    Via, "Via", b"via", b"v";
    Warning, "Warning", b"warning";
    WwwAuthenticate, "WWW-Authenticate", b"www-authenticate";
}

/// One header field, unfolded, without the white space around its value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Field {
    /// Its name.
    pub name: Name,
    /// Its value; holds neither CR nor LF.
    pub value: Vec<u8>,
}

impl Field {
    /// Its value as text; bytes that are not UTF-8 are read as ISO 8859-1.
    pub fn text(&self) -> Cow<'_, str> {
        text(&self.value)
    }
}

/// UTF-8, or else ISO 8859-1.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match core::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

/// The first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start {
    /// RFC 3261 §7.1.
    Request {
        /// Its method.
        method: Method,
        /// Request-URI as written.
        uri: String,
    },
    /// RFC 3261 §7.2.
    Response {
        /// 100-699.
        code: u16,
        /// Its phrase.
        reason: String,
    },
}

/// One message as received.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// The first line.
    pub start: Start,
    /// Header fields in order.
    pub fields: Vec<Field>,
    /// Body, as long as Content-Length says, or to the end of the datagram.
    pub body: Vec<u8>,
    /// What is wrong although it could be read: for a request the reason phrase of the 400.
    pub defect: Option<&'static str>,
    /// SIP version other than 2.0 in a request (505).
    pub other_version: bool,
}

/// Why bytes are no message that one could even refuse.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unreadable {
    /// No start line, no end of the header, or a response with an impossible status line.
    NotSip,
    /// Over `SIP_MESSAGE_BYTES_MAX` or `SIP_HEADERS_MAX`.
    Oversized,
}

/// What Content-Length says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Length {
    /// No such field.
    Absent,
    /// So many bytes, at most `SIP_MESSAGE_BYTES_MAX`.
    Bytes(usize),
    /// A number beyond all bounds.
    Excessive,
    /// No number, or two that differ.
    Invalid,
}

/// The header read, before the body is cut.
pub struct Head {
    message: Message,
    /// Length of the header with its closing empty line.
    pub bytes: usize,
    /// What Content-Length says.
    pub length: Length,
}

impl Head {
    /// The message with this body.
    pub fn with_body(self, body: &[u8]) -> Message {
        Message { body: body.to_vec(), ..self.message }
    }

    /// The message with what is wrong with it.
    pub fn defective(self, defect: &'static str) -> Message {
        Message { defect: Some(defect), ..self.message }
    }
}

/// One datagram (RFC 3261 §18.3): bytes after Content-Length are cut off, without one the body goes to the end.
pub fn parse(bytes: &[u8]) -> Result<Message, Unreadable> {
    if bytes.len() > SIP_MESSAGE_BYTES_MAX {
        return Err(Unreadable::Oversized);
    }
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).ok_or(Unreadable::NotSip)?;
    let bytes = &bytes[start..];
    let head = parse_head(bytes)?;
    let rest = bytes.get(head.bytes..).unwrap_or(&[]);
    match head.length {
        Length::Absent => Ok(head.with_body(rest)),
        Length::Bytes(n) => match rest.get(..n) {
            Some(body) => Ok(head.with_body(body)),
            None => Ok(head.defective("Body shorter than Content-Length")),
        },
        Length::Excessive | Length::Invalid => Ok(head.defective("Bad Content-Length")),
    }
}

/// Where the header ends: the index behind its empty line, looking from `from` on.
pub fn head_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = bytes.get(at..)?.iter().position(|b| *b == b'\n') {
        let next = at + found + 1;
        match bytes.get(next..) {
            Some([b'\r', b'\n', ..]) => return Some(next + 2),
            Some([b'\n', ..]) => return Some(next + 1),
            Some(_) | None => at = next,
        }
    }
    None
}

/// Start line and header fields. A header that ends without an empty line is taken as whole.
pub fn parse_head(bytes: &[u8]) -> Result<Head, Unreadable> {
    let mut lines = Lines { rest: bytes, used: 0 };
    let (start, mut defect, other_version) = start_line(lines.next_line().ok_or(Unreadable::NotSip)?)?;
    let mut fields: Vec<Field> = Vec::with_capacity(20);
    while let Some(line) = lines.next_line() {
        if line.is_empty() {
            break;
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            let more = trim(line);
            if let Some(last) = fields.last_mut().filter(|_| !more.is_empty()) {
                if !last.value.is_empty() {
                    last.value.push(b' ');
                }
                last.value.extend(more);
            }
            continue;
        }
        // RFC 3261 §8.2 lets us read over a field that we do not understand; one without a colon is such.
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        if fields.len() == SIP_HEADERS_MAX {
            return Err(Unreadable::Oversized);
        }
        fields.push(Field { name: Name::from_bytes(trim(&line[..colon])), value: trim(&line[colon + 1..]).to_vec() });
    }
    for field in &mut fields {
        field.value.iter_mut().filter(|b| matches!(**b, b'\r' | b'\n')).for_each(|b| *b = b' ');
    }
    if matches!(start, Start::Request { .. }) {
        defect = defect.or_else(|| twice(&fields));
    }
    let length = content_length(&fields);
    let message = Message { start, fields, body: Vec::new(), defect, other_version };
    Ok(Head { message, bytes: lines.used, length })
}

/// Fields that a request may have once only (RFC 3261 §20; RFC 4475 §3.3.8).
fn twice(fields: &[Field]) -> Option<&'static str> {
    const ONCE: [(Name, &str); 5] = [
        (Name::CallId, "More than one Call-ID"),
        (Name::CSeq, "More than one CSeq"),
        (Name::From, "More than one From"),
        (Name::To, "More than one To"),
        (Name::MaxForwards, "More than one Max-Forwards"),
    ];
    ONCE.iter().find(|(name, _)| fields.iter().filter(|f| f.name == *name).count() > 1).map(|(_, why)| *why)
}

fn content_length(fields: &[Field]) -> Length {
    let mut found = Length::Absent;
    for field in fields.iter().filter(|f| f.name == Name::ContentLength) {
        let one = match field.value.as_slice() {
            digits if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) => Length::Invalid,
            digits => {
                match digits.iter().try_fold(0usize, |n, d| n.checked_mul(10)?.checked_add(usize::from(d - b'0'))) {
                    Some(n) if n <= SIP_MESSAGE_BYTES_MAX => Length::Bytes(n),
                    Some(_) | None => Length::Excessive,
                }
            }
        };
        found = match found {
            Length::Absent => one,
            Length::Bytes(_) | Length::Excessive | Length::Invalid if found == one => found,
            Length::Bytes(_) | Length::Excessive | Length::Invalid => Length::Invalid,
        };
    }
    found
}

type StartLine = (Start, Option<&'static str>, bool);

fn start_line(line: &[u8]) -> Result<StartLine, Unreadable> {
    let line = text(line).replace('\r', " ");
    if line.get(..4).is_some_and(|s| s.eq_ignore_ascii_case("SIP/")) {
        return status_line(&line).ok_or(Unreadable::NotSip);
    }
    let (method, rest) = line.split_once(' ').ok_or(Unreadable::NotSip)?;
    let trimmed = rest.trim_end_matches([' ', '\t']);
    let (uri, version) = trimmed.rsplit_once(' ').ok_or(Unreadable::NotSip)?;
    if method.is_empty() || !method.bytes().all(is_token) || !version.get(..4).is_some_and(is_sip_slash) {
        return Err(Unreadable::NotSip);
    }
    let mut defect = None;
    if trimmed.len() != rest.len() {
        defect = Some("White space after the SIP version");
    }
    if uri.is_empty() || uri.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"')) {
        defect = Some("Bad Request-URI");
    }
    let start = Start::Request { method: Method::from_text(method), uri: uri.to_owned() };
    Ok((start, defect, !version.eq_ignore_ascii_case("SIP/2.0")))
}

fn is_sip_slash(text: &str) -> bool {
    text.eq_ignore_ascii_case("SIP/")
}

fn status_line(line: &str) -> Option<StartLine> {
    let (version, rest) = line.split_once(' ')?;
    let (code, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    let code: u16 = if code.len() == 3 { code.parse().ok()? } else { return None };
    if !version.eq_ignore_ascii_case("SIP/2.0") || !(100..700).contains(&code) {
        return None;
    }
    Some((Start::Response { code, reason: reason.trim().to_owned() }, None, false))
}

/// RFC 3261 §25.1 `token`.
pub fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&b)
}

/// Without blanks, tabs and stray CR at both ends.
fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// Lines that end in LF or CR LF; the last one may end with the input.
struct Lines<'a> {
    rest: &'a [u8],
    used: usize,
}

impl<'a> Lines<'a> {
    fn next_line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let (line, taken) = match self.rest.iter().position(|b| *b == b'\n') {
            Some(lf) => (&self.rest[..lf], lf + 1),
            None => (self.rest, self.rest.len()),
        };
        self.rest = &self.rest[taken..];
        self.used += taken;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

impl Message {
    /// The first field of that name.
    pub fn field(&self, name: &Name) -> Option<&Field> {
        self.fields.iter().find(|f| f.name == *name)
    }

    /// All fields of that name.
    pub fn all<'a>(&'a self, name: &'a Name) -> impl Iterator<Item = &'a Field> {
        self.fields.iter().filter(move |f| f.name == *name)
    }

    /// The first field's value of that name as text.
    pub fn value(&self, name: &Name) -> Option<Cow<'_, str>> {
        self.field(name).map(Field::text)
    }

    /// As bytes, with a Content-Length that is true.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = match &self.start {
            Start::Request { method, uri } => Writer::request(method.as_str(), uri),
            Start::Response { code, reason } => Writer::response(*code, reason),
        };
        for field in self.fields.iter().filter(|f| f.name != Name::ContentLength) {
            writer.field(&field.name, &field.value);
        }
        writer.finish(None, &self.body)
    }
}

/// Builds the bytes of one message. Control characters in values become blanks, so that no value can add a line.
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Begins with a request line.
    pub fn request(method: &str, uri: &str) -> Writer {
        let mut writer = Writer { bytes: Vec::with_capacity(1024) };
        writer.clean(method.as_bytes());
        writer.bytes.push(b' ');
        writer.bytes.extend(uri.bytes().filter(|b| *b > b' ' && *b != 127));
        writer.bytes.extend(b" SIP/2.0\r\n");
        writer
    }

    /// Begins with a status line.
    pub fn response(code: u16, reason: &str) -> Writer {
        let mut writer = Writer { bytes: Vec::with_capacity(1024) };
        writer.bytes.extend(b"SIP/2.0 ");
        writer.number(u64::from(code));
        writer.bytes.push(b' ');
        writer.clean(reason.as_bytes());
        writer.bytes.extend(b"\r\n");
        writer
    }

    /// One header field.
    pub fn field(&mut self, name: &Name, value: &[u8]) {
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(b": ");
        self.clean(value);
        self.bytes.extend(b"\r\n");
    }

    /// One header field, its value in pieces.
    pub fn pieces(&mut self, name: &Name, pieces: &[&str]) {
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(b": ");
        for piece in pieces {
            self.clean(piece.as_bytes());
        }
        self.bytes.extend(b"\r\n");
    }

    /// One header field with a number.
    pub fn count(&mut self, name: &Name, value: u64) {
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(b": ");
        self.number(value);
        self.bytes.extend(b"\r\n");
    }

    /// CSeq.
    pub fn cseq(&mut self, number: u32, method: &str) {
        self.bytes.extend(b"CSeq: ");
        self.number(u64::from(number));
        self.bytes.push(b' ');
        self.clean(method.as_bytes());
        self.bytes.extend(b"\r\n");
    }

    /// Content-Type when there is one, Content-Length, and the body.
    pub fn finish(mut self, content_type: Option<&str>, body: &[u8]) -> Vec<u8> {
        if let Some(content_type) = content_type {
            self.pieces(&Name::ContentType, &[content_type]);
        }
        self.count(&Name::ContentLength, body.len() as u64);
        self.bytes.extend(b"\r\n");
        self.bytes.extend(body);
        self.bytes
    }

    fn clean(&mut self, value: &[u8]) {
        self.bytes.extend(value.iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }));
    }

    fn number(&mut self, mut n: u64) {
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (n % 10) as u8;
            n /= 10;
            if n == 0 {
                break;
            }
        }
        self.bytes.extend(&digits[at..]);
    }
}

/// RFC 3261 §21, for the codes that we send or are asked to send.
pub fn reason_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ => match code / 100 {
            1 => "Progress",
            2 => "OK",
            3 => "Moved",
            4 => "Request Failure",
            5 => "Server Failure",
            _ => "Global Failure",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx\r\nSubject:\r\n  one\r\n\t two\r\n\
        Content-Length : 4\r\n\r\nbodymore";

    #[test]
    fn folding_compact_forms_and_the_end_of_the_body() {
        let message = parse(TEXT.as_bytes()).unwrap();
        assert_eq!(message.start, Start::Request { method: Method::Invite, uri: "sip:a@b".into() });
        assert!(message.field(&Name::Via).is_some());
        assert_eq!(message.value(&Name::Other(b"Subject".to_vec())).unwrap(), "one two");
        assert_eq!(message.body, b"body");
    }

    #[test]
    fn a_value_cannot_add_a_line() {
        let mut writer = Writer::request("OPTIONS", "sip:a@b\r\nX: y");
        writer.pieces(&Name::From, &["<sip:a@b>\r\nEvil: yes"]);
        let text = String::from_utf8(writer.finish(None, b"")).unwrap();
        assert_eq!(text, "OPTIONS sip:a@bX:y SIP/2.0\r\nFrom: <sip:a@b>  Evil: yes\r\nContent-Length: 0\r\n\r\n");
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn reading_what_was_written_changes_nothing(
            cuts in proptest::collection::vec((0usize..400, any::<u8>()), 0..8),
        ) {
            let mut bytes = TEXT.as_bytes().to_vec();
            for (at, byte) in cuts {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            if let Ok(first) = parse(&bytes) && first.defect.is_none() && !first.other_version {
                let again = parse(&first.to_bytes()).unwrap();
                prop_assert_eq!(again.to_bytes(), first.to_bytes());
                prop_assert_eq!((again.start, again.body), (first.start, first.body));
            }
        }
    }
}
