//! Which call an input or an output belongs to when no leg event says so: the calls that its SIP dialog, media leg or
//! line was last seen with. Only remembers; nothing is decided by it.

use base::id::{LegKey, Uid};
use base::line::PortId;
use base::media::Command;
use pbx::door::{Input, Output};
use signaling::sip::door::{Input as SipIn, Output as SipOut};
use std::collections::{BTreeMap, BTreeSet};

/// What strings inputs and outputs of one call together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Thread {
    Dialog(Vec<u8>),
    Leg(LegKey),
    Port(PortId),
}

/// Who was seen with whom.
#[derive(Default, Debug)]
pub struct Threads(BTreeMap<Thread, Uid>);

impl Threads {
    /// Remembers what one input led to, when it is clear which call it was about.
    pub fn note(&mut self, input: &Input, outputs: &[Output]) {
        let calls = said(outputs);
        let Some(call) = calls.first().filter(|_| calls.len() == 1) else { return };
        for thread in of_input(input).into_iter().chain(outputs.iter().flat_map(of_output)) {
            self.0.insert(thread, *call);
        }
    }

    /// The calls that an input and its outputs are about, as far as known.
    pub fn calls(&self, input: &Input, outputs: &[Output]) -> BTreeSet<Uid> {
        let threads = of_input(input).into_iter().chain(outputs.iter().flat_map(of_output));
        said(outputs).into_iter().chain(threads.filter_map(|thread| self.0.get(&thread).copied())).collect()
    }
}

/// Calls that leg events among the outputs name.
fn said(outputs: &[Output]) -> BTreeSet<Uid> {
    let call = |output: &Output| match output {
        Output::Record(event) => event.call,
        Output::Sip(_)
        | Output::Media(_)
        | Output::Line(..)
        | Output::Recording(_)
        | Output::Alarm(_)
        | Output::MayStop
        | Output::StoreCommit(_)
        | Output::CommitConfirmed(_)
        | Output::InForce(_)
        | Output::Answer(..) => None,
    };
    outputs.iter().filter_map(call).collect()
}

fn of_input(input: &Input) -> Option<Thread> {
    match input {
        Input::Sip(SipIn::Datagram { bytes, .. } | SipIn::Bytes { bytes, .. }) => dialog(bytes),
        Input::Media(report) => report.leg().map(Thread::Leg),
        Input::Line(port, _) => Some(Thread::Port(*port)),
        Input::SetAside { input, .. } => of_input(input),
        Input::Sip(SipIn::Opened { .. } | SipIn::Closed { .. } | SipIn::Timer)
        | Input::Boot(_)
        | Input::Configured(..)
        | Input::Rebuilt(_)
        | Input::Stored(_)
        | Input::Trouble(_)
        | Input::Operator { .. }
        | Input::Commit(_)
        | Input::CommitStored(_)
        | Input::Confirm { .. }
        | Input::Unconfirmed(_)
        | Input::Stop { .. }
        | Input::Timer => None,
    }
}

fn of_output(output: &Output) -> Option<Thread> {
    match output {
        Output::Sip(SipOut::Datagram { bytes, .. } | SipOut::Bytes { bytes, .. }) => dialog(bytes),
        Output::Media(command) => of_command(command).map(Thread::Leg),
        Output::Line(port, _) => Some(Thread::Port(*port)),
        Output::Sip(SipOut::Connect { .. } | SipOut::Close { .. } | SipOut::Event(_))
        | Output::Record(_)
        | Output::Recording(_)
        | Output::Alarm(_)
        | Output::MayStop
        | Output::StoreCommit(_)
        | Output::CommitConfirmed(_)
        | Output::InForce(_)
        | Output::Answer(..) => None,
    }
}

fn of_command(command: &Command) -> Option<LegKey> {
    Some(match command {
        Command::Configure { .. } => return None,
        Command::CreateRtp { leg, .. }
        | Command::CreateTdm { leg, .. }
        | Command::SetRemote { leg, .. }
        | Command::Destroy { leg }
        | Command::Play { leg, .. }
        | Command::StopPlay { leg }
        | Command::Join { a: leg, .. }
        | Command::Part { leg }
        | Command::Monitor { leg, .. }
        | Command::StopMonitor { leg }
        | Command::Beep { leg, .. }
        | Command::Echo { leg }
        | Command::SendDigit { leg, .. }
        | Command::RecordStart { leg, .. }
        | Command::RecordStop { leg, .. } => *leg,
    })
}

/// The Call-ID of a message (RFC 3261 §20.8), as it is written.
fn dialog(message: &[u8]) -> Option<Thread> {
    let field = |line: &[u8]| {
        let colon = line.iter().position(|b| *b == b':')?;
        let (name, value) = line.split_at(colon);
        let name = name.trim_ascii();
        let ours = name.eq_ignore_ascii_case(b"call-id") || name.eq_ignore_ascii_case(b"i");
        ours.then(|| Thread::Dialog(value[1..].trim_ascii().to_vec()))
    };
    message.split(|b| *b == b'\n').skip(1).take_while(|line| !line.trim_ascii().is_empty()).find_map(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_call_id_is_found_in_both_spellings_and_not_in_the_body() {
        let wanted = Some(Thread::Dialog(b"a84b@pc33".to_vec()));
        assert_eq!(dialog(b"BYE sip:a SIP/2.0\r\nCALL-ID : a84b@pc33 \r\n\r\n"), wanted);
        assert_eq!(dialog(b"BYE sip:a SIP/2.0\r\nVia: x\r\ni:a84b@pc33\r\n\r\n"), wanted);
        assert_eq!(dialog(b"BYE sip:a SIP/2.0\r\nVia: x\r\n\r\ni:a84b@pc33\r\n"), None);
    }
}
