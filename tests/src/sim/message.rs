//! SIP messages as the virtual phones read and write them (RFC 3261 §7). Written apart from the code under test, and
//! strict: what a real phone might stumble over is an error here.

use std::net::SocketAddr;

/// First line of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Start {
    /// Method and Request-URI.
    Request(String, String),
    /// Status code and reason phrase.
    Response(u16, String),
}

/// A message, whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// First line.
    pub start: Start,
    /// Lower-case long name and value, in order.
    pub headers: Vec<(String, String)>,
    /// After the empty line.
    pub body: String,
}

/// Compact forms (RFC 3261 §7.3.3).
const COMPACT: [(&str, &str); 7] = [
    ("v", "via"),
    ("f", "from"),
    ("t", "to"),
    ("i", "call-id"),
    ("m", "contact"),
    ("l", "content-length"),
    ("c", "content-type"),
];

impl Message {
    /// A request without headers.
    pub fn request(method: &str, uri: &str) -> Message {
        Message { start: Start::Request(method.into(), uri.into()), headers: Vec::new(), body: String::new() }
    }

    /// A response to `request` with the headers that RFC 3261 §8.2.6.2 copies; `tag` goes into To when it has none.
    pub fn response(request: &Message, code: u16, reason: &str, tag: &str) -> Message {
        let mut answer =
            Message { start: Start::Response(code, reason.into()), headers: Vec::new(), body: String::new() };
        for (name, value) in &request.headers {
            match name.as_str() {
                "via" | "from" | "call-id" | "cseq" => answer.headers.push((name.clone(), value.clone())),
                "to" if code > 100 && !value.contains(";tag=") => {
                    answer.headers.push((name.clone(), format!("{value};tag={tag}")));
                }
                "to" => answer.headers.push((name.clone(), value.clone())),
                "record-route" if code > 100 && code < 300 => answer.headers.push((name.clone(), value.clone())),
                _ => {}
            }
        }
        answer
    }

    /// Adds a header line.
    pub fn add(&mut self, name: &str, value: impl Into<String>) -> &mut Message {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// First value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// First value of a header, empty when missing.
    pub fn text(&self, name: &str) -> &str {
        self.get(name).unwrap_or("")
    }

    /// Every value of a header, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.headers.iter().filter(|(n, _)| n == name).map(|(_, v)| v.clone()).collect()
    }

    /// CSeq number and method.
    pub fn cseq(&self) -> (u32, &str) {
        let mut words = self.text("cseq").split_whitespace();
        let number = words.next().and_then(|n| n.parse().ok()).unwrap_or(0);
        (number, words.next().unwrap_or(""))
    }

    /// Method of a request, or of the request that a response answers.
    pub fn method(&self) -> &str {
        match &self.start {
            Start::Request(method, _) => method,
            Start::Response(..) => self.cseq().1,
        }
    }

    /// Branch of the topmost Via.
    pub fn branch(&self) -> &str {
        parameter(self.text("via"), "branch").unwrap_or("")
    }

    /// Bytes for the wire.
    pub fn write(&self) -> Vec<u8> {
        let mut text = match &self.start {
            Start::Request(method, uri) => format!("{method} {uri} SIP/2.0\r\n"),
            Start::Response(code, reason) => format!("SIP/2.0 {code} {reason}\r\n"),
        };
        for (name, value) in &self.headers {
            text.push_str(name);
            text.push_str(": ");
            text.push_str(value);
            text.push_str("\r\n");
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", self.body.len()));
        text.push_str(&self.body);
        text.into_bytes()
    }

    /// Reads one whole message.
    pub fn read(bytes: &[u8]) -> Result<Message, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_string())?;
        let (head, body) = text.split_once("\r\n\r\n").ok_or("no empty line")?;
        let mut lines = head.split("\r\n");
        let start = start_line(lines.next().unwrap_or(""))?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with(' ') || line.starts_with('\t') {
                let last = headers.last_mut().ok_or("folded first line")?;
                last.1 = format!("{} {}", last.1, line.trim());
                continue;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| format!("header line without colon: {line:?}"))?;
            let name = name.trim().to_ascii_lowercase();
            let name = COMPACT.iter().find(|(short, _)| *short == name).map_or(name.as_str(), |(_, long)| long);
            headers.push((name.to_string(), value.trim().to_string()));
        }
        let message = Message { start, headers, body: body.to_string() };
        message.check()?;
        Ok(message)
    }

    /// The minimum that RFC 3261 §8.1.1 and §20.14 demand.
    fn check(&self) -> Result<(), String> {
        for name in ["via", "from", "to", "call-id", "cseq", "content-length"] {
            let count = self.headers.iter().filter(|(n, _)| n == name).count();
            if count == 0 || (count > 1 && name != "via") {
                return Err(format!("{count} header lines of {name}"));
            }
        }
        if self.text("content-length").parse() != Ok(self.body.len()) {
            return Err(format!("Content-Length {} for {} bytes", self.text("content-length"), self.body.len()));
        }
        if !self.branch().starts_with("z9hG4bK") {
            return Err(format!("branch {:?} without magic cookie", self.branch()));
        }
        if !self.text("from").contains(";tag=") {
            return Err("From without tag".into());
        }
        let (number, method) = self.cseq();
        match &self.start {
            Start::Request(start_method, _) => {
                if start_method != method || number == 0 {
                    return Err(format!("CSeq {:?} in {start_method}", self.text("cseq")));
                }
                if self.text("max-forwards").parse::<u32>().is_err() {
                    return Err("no Max-Forwards".into());
                }
                if start_method == "INVITE" && self.get("contact").is_none() {
                    return Err("INVITE without Contact".into());
                }
            }
            Start::Response(code, _) => {
                let dialog_made = method == "INVITE" && (200..300).contains(code);
                if dialog_made && self.get("contact").is_none() {
                    return Err("2xx to INVITE without Contact".into());
                }
                if *code > 100 && !self.text("to").contains(";tag=") {
                    return Err(format!("{code} without To tag"));
                }
            }
        }
        Ok(())
    }
}

fn start_line(line: &str) -> Result<Start, String> {
    let mut words = line.splitn(3, ' ');
    let (first, second, third) = (words.next(), words.next(), words.next());
    match (first, second, third) {
        (Some("SIP/2.0"), Some(code), Some(reason)) => {
            let code = code.parse().map_err(|_| format!("status line {line:?}"))?;
            Ok(Start::Response(code, reason.to_string()))
        }
        (Some(method), Some(uri), Some("SIP/2.0")) => Ok(Start::Request(method.to_string(), uri.to_string())),
        _ => Err(format!("start line {line:?}")),
    }
}

/// The whole messages in bytes of a stream.
pub fn split_stream(bytes: &[u8]) -> Vec<&[u8]> {
    let mut rest = bytes;
    let mut messages = Vec::new();
    while let Some(head) = rest.windows(4).position(|w| w == b"\r\n\r\n") {
        let text = String::from_utf8_lossy(&rest[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|l| l.strip_prefix("content-length:").or(l.strip_prefix("l:")));
        let length: usize = length.and_then(|l| l.trim().parse().ok()).unwrap_or(0);
        let end = (head + 4 + length).min(rest.len());
        let (message, tail) = rest.split_at(end);
        messages.push(message);
        rest = tail;
    }
    if !rest.is_empty() {
        messages.push(rest);
    }
    messages
}

/// Value of `;name=value` behind a header value.
pub fn parameter<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    value.split(';').skip(1).find_map(|p| {
        let (n, v) = p.split_once('=')?;
        n.trim().eq_ignore_ascii_case(name).then(|| v.trim().trim_end_matches('>'))
    })
}

/// The URI inside `"name" <uri>;parameters` or of a bare address.
pub fn uri_of(value: &str) -> &str {
    match value.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or(""),
        None => value.split(';').next().unwrap_or("").trim(),
    }
}

/// User part of a SIP URI.
pub fn user_of(uri: &str) -> &str {
    let rest = uri.strip_prefix("sip:").unwrap_or(uri);
    rest.split_once('@').map_or("", |(user, _)| user)
}

/// What a phone reads of an SDP body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Speech {
    /// Where the other side wants RTP.
    pub addr: SocketAddr,
    /// The other side lets us speak and speaks itself.
    pub both_ways: bool,
}

/// Reads the first audio stream (RFC 4566).
pub fn read_sdp(body: &str) -> Option<Speech> {
    let field = |start: &str| body.lines().find_map(|l| l.strip_prefix(start).map(str::trim));
    let host = field("c=IN IP4 ")?;
    let port = field("m=audio ")?.split(' ').next()?;
    let addr = format!("{host}:{port}").parse().ok()?;
    let one_way = ["a=sendonly", "a=recvonly", "a=inactive"].iter().any(|a| field(a).is_some());
    Some(Speech { addr, both_ways: !one_way })
}

/// Writes an audio stream with both G.711 codecs and telephone events.
pub fn write_sdp(addr: SocketAddr, version: u64, direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 8 0 101\r\n\
         a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
         a=ptime:20\r\na={direction}\r\n",
        ip = addr.ip(),
        port = addr.port(),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_it_reads() {
        let mut m = Message::request("OPTIONS", "sip:a@10.0.0.1");
        m.add("via", "SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK1").add("max-forwards", "70");
        m.add("from", "<sip:b@10.0.0.1>;tag=1")
            .add("to", "<sip:a@10.0.0.1>")
            .add("call-id", "x")
            .add("cseq", "1 OPTIONS");
        let again = Message::read(&m.write()).unwrap();
        assert_eq!(again.cseq(), (1, "OPTIONS"));
        assert_eq!(again.branch(), "z9hG4bK1");
        assert_eq!(user_of(uri_of(again.text("from"))), "b");
        let answer = Message::response(&again, 200, "OK", "9");
        assert_eq!(parameter(answer.text("to"), "tag"), Some("9"));
    }

    #[test]
    fn protests_against_sloppy_messages() {
        assert!(Message::read(b"OPTIONS sip:a SIP/2.0\r\nVia: x\r\n\r\n").is_err());
        assert!(Message::read(b"hello").is_err());
    }

    #[test]
    fn reads_its_own_sdp() {
        let addr: SocketAddr = "10.1.0.1:10000".parse().unwrap();
        assert_eq!(read_sdp(&write_sdp(addr, 1, "sendrecv")), Some(Speech { addr, both_ways: true }));
        assert_eq!(read_sdp(&write_sdp(addr, 1, "sendonly")).map(|s| s.both_ways), Some(false));
    }
}
