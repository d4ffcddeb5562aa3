//! What single words must look like: names of users and network interfaces, paths of devices, hashes of passwords. Pure
//! looks at one word; which leaf takes which is in [`super::leaves`].

/// Longest login name, in characters.
pub const LOGIN_CHARS_MAX: usize = 32;
/// Longest name that the kernel has for a network interface.
pub const INTERFACE_CHARS_MAX: usize = 15;
/// Longest path of a device, in characters.
pub const DEVICE_CHARS_MAX: usize = 64;
/// Bounds of what a hash may cost when a password is checked: KiB of memory, passes, lanes. Above them a login could
/// starve the box; RFC 9106 and OWASP advise values well within.
const COST_MAX: [u32; 3] = [262_144, 16, 16];
/// Characters of a salt and of a hash in base64 without padding: 8 to 48 and 16 to 64 bytes.
const SALT_CHARS: (usize, usize) = (11, 64);
const HASH_CHARS: (usize, usize) = (22, 86);

/// A lower-case login name.
pub(super) fn login(word: &str) -> bool {
    word.len() <= LOGIN_CHARS_MAX
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// The name of a network interface.
pub(super) fn interface(word: &str) -> bool {
    word.len() <= INTERFACE_CHARS_MAX
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

/// A path below `/dev` that stays there.
pub(super) fn device(word: &str) -> bool {
    let Some(below) = word.strip_prefix("/dev/") else { return false };
    let part = |part: &str| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
    };
    word.len() <= DEVICE_CHARS_MAX && below.split('/').all(part)
}

/// `$argon2id$v=19$m=…,t=…,p=…$salt$hash` (PHC string format), at a cost that the box can bear.
pub(super) fn password_hash(word: &str) -> bool {
    let mut parts = word.split('$');
    let mut next = || parts.next().unwrap_or_default();
    if (next(), next(), next()) != ("", "argon2id", "v=19") {
        return false;
    }
    let (costs, salt, hash) = (next(), next(), next());
    let base64 = |word: &str, (min, max): (usize, usize)| {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
        (min..=max).contains(&word.len()) && word.bytes().all(plain)
    };
    parts.next().is_none() && bearable(costs) && base64(salt, SALT_CHARS) && base64(hash, HASH_CHARS)
}

/// `m=19456,t=2,p=1`
fn bearable(costs: &str) -> bool {
    let mut words = costs.split(',');
    let mut cost = |name: &str, max: u32| {
        let digits = words.next()?.strip_prefix(name)?;
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
        digits.parse::<u32>().ok().filter(|cost| plain && (1..=max).contains(cost))
    };
    let [memory, passes, lanes] = COST_MAX;
    let read = (cost("m=", memory), cost("t=", passes), cost("p=", lanes));
    let (Some(memory), Some(_), Some(lanes)) = read else { return false };
    memory >= 8 * lanes && words.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn only_hashes_of_the_one_kind_are_taken() {
        let (salt, hash) = ("c29tZXNhbHRzb21lc2FsdA", "RdescudvJCsgt3ub+b/dWRWJTmaaJObGs5Wy0QGqmpM");
        let made = |head: &str, costs: &str, salt: &str, hash: &str| format!("{head}${costs}${salt}${hash}");
        let head = "$argon2id$v=19";
        let costs = "m=19456,t=2,p=1";
        assert!(password_hash(&made(head, costs, salt, hash)));
        assert!(password_hash(&made(head, "m=8,t=1,p=1", salt, hash)));
        for (head, costs, salt, hash) in [
            ("$argon2i$v=19", costs, salt, hash),
            ("$argon2id$v=16", costs, salt, hash),
            ("argon2id$v=19", costs, salt, hash),
            (head, "m=19456,t=2", salt, hash),
            (head, "m=19456,t=2,p=1,x=1", salt, hash),
            (head, "t=2,m=19456,p=1", salt, hash),
            (head, "m=0,t=2,p=1", salt, hash),
            (head, "m=+9,t=2,p=1", salt, hash),
            (head, "m=019456,t=2,p=1", salt, hash),
            (head, "m=262145,t=2,p=1", salt, hash),
            (head, "m=4294967297,t=2,p=1", salt, hash),
            (head, "m=8,t=2,p=2", salt, hash),
            (head, costs, "short", hash),
            (head, costs, salt, "short"),
            (head, costs, salt, "RdescudvJCsgt3ub+b/dWRWJTmaaJObGs5Wy0QGqmpM="),
            (head, costs, salt, &format!("{hash}$")),
            (head, costs, salt, &"a".repeat(87)),
        ] {
            let word = made(head, costs, salt, hash);
            assert!(!password_hash(&word), "{word}");
        }
        assert!(!password_hash("") && !password_hash("secret") && !password_hash("$argon2id$v=19$$$"));
    }

    #[test]
    fn names_and_paths_cannot_lead_elsewhere() {
        assert!(login("alice") && login("a-b_9") && login(&"a".repeat(32)));
        for bad in ["", "Alice", "9a", "-a", "a b", "a.b", "á", &"a".repeat(33)] {
            assert!(!login(bad), "{bad}");
        }
        assert!(interface("eth0") && interface("enp3s0") && interface("br-lan.2"));
        for bad in ["", "0eth", "eth 0", "../eth0", "a234567890123456"] {
            assert!(!interface(bad), "{bad}");
        }
        assert!(device("/dev/ttyS0") && device("/dev/serial/by-id/usb-FTDI_1:0-if00"));
        for bad in ["/dev/", "/dev", "/etc/passwd", "/dev/../etc/passwd", "/dev//x", "/dev/x/", "dev/x", "/dev/.x"] {
            assert!(!device(bad), "{bad}");
        }
    }
}
