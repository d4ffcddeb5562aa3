//! Inputs and outputs of the box in one line each, for the ladder of a failing run.

use pbx::door::{Input, Output};
use signaling::sip::door::{Input as SipInput, Output as SipOutput};

/// An input.
pub fn input(input: &Input) -> String {
    match input {
        Input::Sip(SipInput::Datagram { remote, bytes, .. }) => format!("{remote} {}", message(bytes)),
        Input::Sip(SipInput::Bytes { conn, bytes, .. }) => format!("{conn:?} {}", message(bytes)),
        Input::Configured(..) => "configured".into(),
        other => format!("{other:?}"),
    }
}

/// An output.
pub fn output(output: &Output) -> String {
    match output {
        Output::Sip(SipOutput::Datagram { remote, bytes, .. }) => format!("{remote} {}", message(bytes)),
        Output::Sip(SipOutput::Bytes { conn, bytes }) => format!("{conn:?} {}", message(bytes)),
        Output::Record(row) => format!("row {} {:?} {:?} {}: {:?}", row.seq, row.call, row.leg, row.actor, row.detail),
        other => format!("{other:?}"),
    }
}

/// First line, Call-ID, CSeq and branch.
fn message(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut line = lines.next().unwrap_or("").to_string();
    for field in lines.take_while(|l| !l.is_empty()) {
        let lower = field.to_ascii_lowercase();
        if ["call-id:", "cseq:", "from:", "to:"].iter().any(|name| lower.starts_with(name)) {
            line.push_str(" | ");
            line.push_str(field);
        }
    }
    line
}
