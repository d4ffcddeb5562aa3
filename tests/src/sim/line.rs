//! An analog line with its exchange: rings for a caller, sees the box go off-hook, tells the end of a call by a break of
//! the battery.

use super::caller::CallerId;
use base::line::{LineCommand, LineEvent};

/// One line.
#[derive(Clone, Debug)]
pub struct AnalogLine {
    /// The exchange feeds it.
    pub battery: bool,
    /// The box holds it.
    pub off_hook: bool,
    /// The exchange rings.
    pub ringing: bool,
    /// Who calls over it.
    pub caller: Option<CallerId>,
    /// Not given to a caller before.
    pub rests_until_us: u64,
}

/// What the world sees of a line when the box acts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// The caller's ringing was answered.
    Answered(CallerId),
    /// The box left the caller.
    Left(CallerId),
    /// The box took a line on which nobody calls.
    Pointless,
    /// Nothing new.
    Nothing,
}

impl AnalogLine {
    /// A line at rest.
    pub fn idle() -> AnalogLine {
        AnalogLine { battery: true, off_hook: false, ringing: false, caller: None, rests_until_us: 0 }
    }

    /// Whether a caller could use it.
    pub fn free(&self, now_us: u64) -> bool {
        self.battery && !self.off_hook && !self.ringing && self.caller.is_none() && now_us >= self.rests_until_us
    }

    /// The driver's answer to an attach.
    pub fn attached(&self) -> LineEvent {
        LineEvent::Attached { off_hook: self.off_hook, battery: self.battery }
    }

    /// The box acts.
    pub fn command(&mut self, now_us: u64, command: LineCommand) -> Seen {
        match (command, self.off_hook) {
            (LineCommand::OffHook, false) => {
                self.off_hook = true;
                let ringing = std::mem::replace(&mut self.ringing, false);
                match self.caller.filter(|_| ringing) {
                    Some(caller) => Seen::Answered(caller),
                    None => Seen::Pointless,
                }
            }
            (LineCommand::OnHook, true) => {
                self.off_hook = false;
                self.rests_until_us = now_us + 3_000_000;
                self.caller.take().map_or(Seen::Nothing, Seen::Left)
            }
            (LineCommand::OffHook, true) | (LineCommand::OnHook, false) => Seen::Nothing,
        }
    }
}
