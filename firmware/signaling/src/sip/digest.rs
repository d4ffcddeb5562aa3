//! Digest access authentication, server side, MD5 (RFC 2617, RFC 3261 §22). A nonce says when it was made and proves
//! that we made it, so a challenge needs no memory; only nonces that were used with a right password are remembered,
//! for their counts.

use base::time::Instant;
use core::time::Duration;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use super::header::Credentials;

/// How long a nonce is good.
pub const NONCE_LIFE: Duration = Duration::from_secs(600);
/// Nonces whose counts are remembered; when more are in use the oldest becomes stale.
const NONCES_MAX: usize = 4_096;

/// When a nonce was made, in microseconds since boot, and its number among those of that moment.
type NonceId = (u64, u64);

/// What a request's credentials prove.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The password is right and the nonce good.
    Right,
    /// The password is right, the nonce is old, used or not ours: challenge with `stale=true`.
    Stale,
    /// Wrong password or no such user.
    Wrong,
}

/// Makes nonces and checks credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Guard {
    secret: [u8; 16],
    /// Distinguishes nonces of one moment.
    made: u64,
    /// Highest count seen.
    counts: BTreeMap<NonceId, u64>,
    /// Nonces up to this one are stale, their counts are forgotten.
    floor: NonceId,
}

impl Guard {
    /// With the secret that signs nonces.
    pub fn new(secret: [u8; 16]) -> Guard {
        Guard { secret, made: 0, counts: BTreeMap::new(), floor: (0, 0) }
    }

    /// Another secret: earlier nonces become stale.
    pub fn rekey(&mut self, secret: [u8; 16]) {
        self.secret = secret;
        self.counts.clear();
    }

    /// The value of WWW-Authenticate or Proxy-Authenticate.
    pub fn challenge(&mut self, at: Instant, realm: &str, stale: bool) -> String {
        self.made += 1;
        let nonce = self.nonce((at.as_micros(), self.made));
        let realm: String = realm.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        let stale = if stale { ", stale=true" } else { "" };
        format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm=MD5, qop=\"auth\"{stale}")
    }

    fn nonce(&self, id: NonceId) -> String {
        let mac = md5(&[&self.secret, b":nonce:", &id.0.to_be_bytes(), &id.1.to_be_bytes(), &self.secret]);
        format!("{:016x}{:08x}{mac}", id.0, id.1)
    }

    fn id_of(&self, nonce: &str) -> Option<NonceId> {
        let made = u64::from_str_radix(nonce.get(..16)?, 16).ok()?;
        let number = u64::from_str_radix(nonce.get(16..nonce.len().checked_sub(32)?)?, 16).ok()?;
        same(self.nonce((made, number)).as_bytes(), nonce.as_bytes()).then_some((made, number))
    }

    /// Checks credentials of a request. Without `ha1` (no such user) the work is the same and the answer `Wrong`.
    pub fn check(
        &mut self,
        at: Instant,
        credentials: &Credentials,
        ha1: Option<&str>,
        method: &str,
        realm: &str,
    ) -> Verdict {
        let expected = response(ha1.unwrap_or("00000000000000000000000000000000"), method, credentials);
        let given = credentials.response.to_ascii_lowercase();
        let md5_asked = credentials.algorithm.as_deref().is_none_or(|a| a.eq_ignore_ascii_case("MD5"));
        let qop_known = credentials.qop.as_deref().is_none_or(|q| q.eq_ignore_ascii_case("auth"));
        let right = same(expected.as_bytes(), given.as_bytes()) & ha1.is_some() & (credentials.realm == realm);
        if !(right && md5_asked && qop_known) {
            return Verdict::Wrong;
        }
        let Some(id) = self.id_of(&credentials.nonce) else { return Verdict::Stale };
        if id <= self.floor || at.since(Instant::from_micros(id.0)) > NONCE_LIFE || at.as_micros() < id.0 {
            return Verdict::Stale;
        }
        if credentials.qop.is_none() { Verdict::Right } else { self.count(id, &credentials.nc) }
    }

    /// RFC 2617 §3.2.2: each use of a nonce has a higher count.
    fn count(&mut self, id: NonceId, nc: &str) -> Verdict {
        let Some(count) = u64::from_str_radix(nc, 16).ok().filter(|_| nc.len() == 8) else { return Verdict::Stale };
        let last = self.counts.entry(id).or_insert(0);
        if count <= *last {
            return Verdict::Stale;
        }
        *last = count;
        if self.counts.len() > NONCES_MAX
            && let Some((oldest, _)) = self.counts.pop_first()
        {
            self.floor = self.floor.max(oldest);
        }
        Verdict::Right
    }

    /// A To tag for an answer given without a transaction: the same for every copy of the request (RFC 3261 §8.2.7).
    pub fn stateless_tag(&self, call_id: &str, from_tag: &str) -> String {
        let mut tag = md5(&[&self.secret, b":tag:", call_id.as_bytes(), b":", from_tag.as_bytes(), &self.secret]);
        tag.truncate(20);
        tag
    }
}

/// RFC 2617 §3.2.2.1: request-digest, with and without qop.
pub fn response(ha1: &str, method: &str, credentials: &Credentials) -> String {
    let ha2 = md5(&[method.as_bytes(), b":", credentials.uri.as_bytes()]);
    let nonce = credentials.nonce.as_bytes();
    match credentials.qop.as_deref() {
        None => md5(&[ha1.as_bytes(), b":", nonce, b":", ha2.as_bytes()]),
        Some(qop) => md5(&[
            ha1.as_bytes(),
            b":",
            nonce,
            b":",
            credentials.nc.as_bytes(),
            b":",
            credentials.cnonce.as_bytes(),
            b":",
            qop.as_bytes(),
            b":",
            ha2.as_bytes(),
        ]),
    }
}

/// What a phone knows when it answers a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Login<'a> {
    /// Account name.
    pub user: &'a str,
    /// As challenged.
    pub realm: &'a str,
    /// Password.
    pub secret: &'a str,
    /// As challenged.
    pub nonce: &'a str,
    /// How often the nonce was used, this time included.
    pub count: u32,
}

impl Login<'_> {
    /// The value of Authorization for a request: the phone's side of [`Guard::check`].
    pub fn authorization(&self, method: &str, uri: &str) -> String {
        let Login { user, realm, secret, nonce, count } = *self;
        let credentials = Credentials {
            nonce: nonce.to_owned(),
            uri: uri.to_owned(),
            qop: Some("auth".to_owned()),
            nc: format!("{count:08x}"),
            cnonce: "c".to_owned(),
            ..Credentials::default()
        };
        let response = response(&ha1(user, realm, secret), method, &credentials);
        format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, nc={count:08x}, \
             cnonce=\"c\", response=\"{response}\""
        )
    }
}

/// RFC 2617 §3.2.2.2: lower-case hex of MD5(user:realm:password).
pub fn ha1(user: &str, realm: &str, password: &str) -> String {
    md5(&[user.as_bytes(), b":", realm.as_bytes(), b":", password.as_bytes()])
}

fn md5(parts: &[&[u8]]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part);
    }
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(32);
    for byte in hash.finalize() {
        text.push(char::from(HEX[usize::from(byte >> 4)]));
        text.push(char::from(HEX[usize::from(byte & 15)]));
    }
    text
}

/// Equal, found out in the same time wherever they differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rfc2617() -> Credentials {
        Credentials {
            username: "Mufasa".into(),
            realm: "testrealm@host.com".into(),
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093".into(),
            uri: "/dir/index.html".into(),
            qop: Some("auth".into()),
            nc: "00000001".into(),
            cnonce: "0a4f113b".into(),
            ..Credentials::default()
        }
    }

    #[test]
    fn the_published_examples_come_out() {
        // RFC 2617 §3.5.
        let key = ha1("Mufasa", "testrealm@host.com", "Circle Of Life");
        assert_eq!(key, "939e7578ed9e3c518a452acee763bce9");
        assert_eq!(response(&key, "GET", &rfc2617()), "6629fae49393a05397450978507c4ef1");
        // RFC 2069 §2.4 with its erratum 749.
        let old = Credentials { qop: None, ..rfc2617() };
        let key = ha1("Mufasa", "testrealm@host.com", "CircleOfLife");
        assert_eq!(response(&key, "GET", &old), "1949323746fe6a43ef61f9606e7febea");
        // RFC 7616 §3.9.1.
        let newer = Credentials {
            realm: "http-auth@example.org".into(),
            nonce: "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v".into(),
            cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ".into(),
            ..rfc2617()
        };
        let key = ha1("Mufasa", "http-auth@example.org", "Circle of Life");
        assert_eq!(response(&key, "GET", &newer), "8ca523f5e9506fed4657c9700eebdbec");
    }

    fn nonce_of(challenge: &str) -> String {
        challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    fn answer(guard: &mut Guard, at: Instant, nc: &str, qop: Option<&str>) -> Credentials {
        let nonce = nonce_of(&guard.challenge(at, "site", false));
        signed(nonce, nc, qop)
    }

    fn signed(nonce: String, nc: &str, qop: Option<&str>) -> Credentials {
        let mut c = Credentials {
            username: "2001".into(),
            realm: "site".into(),
            nonce,
            uri: "sip:site".into(),
            qop: qop.map(str::to_owned),
            nc: nc.into(),
            cnonce: "c".into(),
            ..Credentials::default()
        };
        c.response = response(&ha1("2001", "site", "pw"), "REGISTER", &c);
        c
    }

    #[test]
    fn a_nonce_is_good_once_per_count_and_for_its_life() {
        let mut guard = Guard::new([7; 16]);
        let key = ha1("2001", "site", "pw");
        let at = Instant::from_micros(5_000_000);
        let check = |g: &mut Guard, c: &Credentials, at| g.check(at, c, Some(&key), "REGISTER", "site");
        let first = answer(&mut guard, at, "00000001", Some("auth"));
        assert_eq!(check(&mut guard, &first, at), Verdict::Right);
        assert_eq!(check(&mut guard, &first, at), Verdict::Stale, "replayed");
        let second = signed(first.nonce.clone(), "00000002", Some("auth"));
        assert_eq!(check(&mut guard, &second, at), Verdict::Right);
        let late = signed(first.nonce.clone(), "00000003", Some("auth"));
        assert_eq!(check(&mut guard, &late, at + NONCE_LIFE + Duration::from_secs(1)), Verdict::Stale);
        let plain = answer(&mut guard, at, "", None);
        assert_eq!(check(&mut guard, &plain, at), Verdict::Right);
        let foreign = signed("0000000000000005abcdef".into(), "00000001", Some("auth"));
        assert_eq!(check(&mut guard, &foreign, at), Verdict::Stale);
        let wrong = Credentials { response: "0".repeat(32), ..second };
        assert_eq!(check(&mut guard, &wrong, at), Verdict::Wrong);
    }

    #[test]
    fn an_unknown_user_is_answered_like_a_wrong_password() {
        let mut guard = Guard::new([7; 16]);
        let c = answer(&mut guard, Instant::BOOT, "00000001", Some("auth"));
        assert_eq!(guard.check(Instant::BOOT, &c, None, "REGISTER", "site"), Verdict::Wrong);
    }

    #[test]
    fn the_memory_of_counts_is_bounded() {
        let mut guard = Guard::new([7; 16]);
        let key = ha1("2001", "site", "pw");
        let first = answer(&mut guard, Instant::from_micros(1), "00000001", Some("auth"));
        guard.check(Instant::from_micros(1), &first, Some(&key), "REGISTER", "site");
        for i in 0..NONCES_MAX as u64 {
            let at = Instant::from_micros(2 + i);
            let c = answer(&mut guard, at, "00000001", Some("auth"));
            assert_eq!(guard.check(at, &c, Some(&key), "REGISTER", "site"), Verdict::Right);
        }
        assert_eq!(guard.counts.len(), NONCES_MAX);
        let again = signed(first.nonce, "00000002", Some("auth"));
        assert_eq!(guard.check(Instant::from_micros(9_999), &again, Some(&key), "REGISTER", "site"), Verdict::Stale);
    }
}
