//! The other ends of a call: real SIP programs from Debian, a packet capture on loopback, the built appliance itself, and
//! the measuring of what each side heard. It starts and watches; what must be true is written in `tests/tests/e2e_*.rs`.
//!
//! Nothing here sleeps to synchronise. Each wait is for an event (a line of output, a netstring, a datagram, a change in
//! a directory) with a bound, and a wait that runs out says what it was waiting for and what had happened until then.

pub mod appliance;
pub mod audio;
pub mod baresip;
pub mod capture;
pub mod ears;
pub mod floor;
pub mod linphone;
pub mod load_ears;
pub mod load_log;
pub mod load_pattern;
pub mod pcap;
pub mod process;
pub mod record;
pub mod sipp;
pub mod site;
pub mod softphone;
pub mod speech;
pub mod terminal;
pub mod watch;
pub mod world;

use core::fmt;

/// Why a test with real peers cannot go on: one sentence with the place and, where there is one, the remedy.
pub struct Trouble(pub String);

/// What every step with a real peer gives.
pub type Outcome<T = ()> = Result<T, Trouble>;

impl Trouble {
    /// From anything that reads as a sentence.
    pub fn new(text: impl Into<String>) -> Trouble {
        Trouble(text.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// As `Display`, because a test that ends in `Err` prints this.
impl fmt::Debug for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

/// Puts the place in front of another library's error.
pub trait At<T> {
    /// `at` names what was being done and to which file, address or program.
    fn at(self, at: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> At<T> for Result<T, E> {
    fn at(self, at: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Trouble(format!("{at}: {error}")))
    }
}

impl<T> At<T> for Option<T> {
    fn at(self, at: impl fmt::Display) -> Outcome<T> {
        self.ok_or_else(|| Trouble(format!("{at}: nothing there")))
    }
}

/// Ends the test with a sentence when `condition` is false; for helpers and tests that return [`Outcome`].
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::peer::Trouble::new(format!("{} ({}:{})", format_args!($($text)+), file!(), line!())));
        }
    };
}

/// Says that a test could not look at its subject, and why; the summary of the test run counts it. The test ends well.
pub fn skip(why: &str) -> Outcome {
    println!("skipped: {why}");
    let Some(list) = std::env::var_os("CORDBOARD_SKIPS") else { return Ok(()) };
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&list).at("list of skipped tests")?;
    std::io::Write::write_all(&mut file, format!("{why}\n").as_bytes()).at("list of skipped tests")
}
