//! Answers to digest challenges as phones give them (RFC 2617 §3.2.2), written apart from the code under test.

use md5::{Digest, Md5};

/// What a server asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// Protection domain.
    pub realm: String,
    /// The server's nonce.
    pub nonce: String,
    /// The server knows `qop=auth`.
    pub qop: bool,
    /// To be given back.
    pub opaque: Option<String>,
}

impl Challenge {
    /// Reads a WWW-Authenticate or Proxy-Authenticate value.
    pub fn read(value: &str) -> Option<Challenge> {
        let list = value.strip_prefix("Digest ")?;
        let field = |name: &str| {
            list.split(',').find_map(|p| {
                let (n, v) = p.trim().split_once('=')?;
                n.eq_ignore_ascii_case(name).then(|| v.trim_matches('"').to_string())
            })
        };
        let qop = field("qop").is_some_and(|q| q.split_whitespace().any(|w| w == "auth"));
        Some(Challenge { realm: field("realm")?, nonce: field("nonce")?, qop, opaque: field("opaque") })
    }

    /// The Authorization value.
    pub fn answer(&self, user: &str, secret: &str, method: &str, uri: &str, count: u32, cnonce: &str) -> String {
        let ha1 = md5_hex(&format!("{user}:{}:{secret}", self.realm));
        let ha2 = md5_hex(&format!("{method}:{uri}"));
        let nonce = &self.nonce;
        let response = if self.qop {
            md5_hex(&format!("{ha1}:{nonce}:{count:08x}:{cnonce}:auth:{ha2}"))
        } else {
            md5_hex(&format!("{ha1}:{nonce}:{ha2}"))
        };
        let mut value = format!(
            "Digest username=\"{user}\", realm=\"{}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", \
             algorithm=MD5",
            self.realm
        );
        if self.qop {
            value.push_str(&format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\""));
        }
        if let Some(opaque) = &self.opaque {
            value.push_str(&format!(", opaque=\"{opaque}\""));
        }
        value
    }
}

/// Lower-case hexadecimal MD5.
pub fn md5_hex(text: &str) -> String {
    let mut hash = Md5::new();
    hash.update(text.as_bytes());
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_answer_of_rfc_2617_section_3_5() {
        let challenge = Challenge::read(
            "Digest realm=\"testrealm@host.com\", qop=\"auth auth-int\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", \
             opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"",
        )
        .unwrap();
        let answer = challenge.answer("Mufasa", "Circle Of Life", "GET", "/dir/index.html", 1, "0a4f113b");
        assert!(answer.contains("response=\"6629fae49393a05397450978507c4ef1\""), "{answer}");
    }
}
