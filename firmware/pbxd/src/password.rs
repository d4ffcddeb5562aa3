//! Passwords of users: hashed as they are typed, compared when somebody logs in. Nothing here keeps one.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

use crate::seal;

/// Bytes of a salt (RFC 9106 §3.1).
const SALT_BYTES: usize = 16;

/// The PHC string of a password, with a fresh salt.
///
/// # Errors
/// When the operating system gives no randomness; for people.
pub fn hash(password: &str) -> Result<String, String> {
    let mut salt = [0; SALT_BYTES];
    seal::random(&mut salt).map_err(|why| why.to_string())?;
    let hashed = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    hashed.map(|hash| hash.to_string()).map_err(|why| why.to_string())
}

/// Whether a password is the one of this PHC string. What is no PHC string is nobody's.
pub fn is(password: &str, hash: &str) -> bool {
    let known = PasswordHash::new(hash);
    known.is_ok_and(|known| Argon2::default().verify_password(password.as_bytes(), &known).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone() {
        let (one, other) = (hash("a fine password").unwrap(), hash("a fine password").unwrap());
        assert!(one.starts_with("$argon2id$") && one != other && !one.contains("fine"));
        assert!(is("a fine password", &one) && is("a fine password", &other) && !is("a fine passwort", &one));
        assert!(!is("", "") && !is("x", "$argon2id$rubbish"));
    }
}
