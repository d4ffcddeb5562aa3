//! The same inputs give the same outputs, byte for byte, and a snapshot in the middle changes nothing.

use super::phone::*;
use base::time::Now;
use core::time::Duration;
use signaling::sip::Endpoint;
use signaling::sip::door::{ConnId, Input, Output};

/// What was put in, including the verbs of the endpoint's user.
#[derive(Clone)]
enum Step {
    In(Input),
    Accept,
    Hangup,
    Invite,
    Pass(u64),
}

fn datagram(from: &str, text: &str) -> Step {
    let (local, remote) = (BOX.parse().unwrap(), from.parse().unwrap());
    Step::In(Input::Datagram { local, remote, bytes: text.as_bytes().to_vec(), shed: false })
}

/// A busy minute: a registration over TCP, a challenged call that is accepted, one of ours that nobody answers.
fn script() -> Vec<Step> {
    let mut site = Site::new();
    let invite = ask("INVITE", "sip:2002@127.0.0.1").body(SDP);
    let challenge = site.udp(PHONE, &invite.text());
    let signed = invite.clone().signed(&messages(&challenge)[0], "2001", "pw");
    let mut register = ask("REGISTER", "sip:site");
    register.to = "<sip:2001@site>".into();
    let (local, remote) = (BOX.parse().unwrap(), "127.0.0.3:40000".parse().unwrap());
    vec![
        datagram(PHONE, &invite.text()),
        datagram(PHONE, &signed.text()),
        Step::Pass(100),
        Step::In(Input::Opened { conn: ConnId(2), local, remote }),
        Step::In(Input::Bytes { conn: ConnId(2), bytes: register.text().into_bytes(), shed: false }),
        Step::Accept,
        Step::Invite,
        Step::Pass(3_000),
        datagram(PHONE, &signed.text()),
        datagram(PHONE, "garbage"),
        Step::Hangup,
        Step::Pass(90_000),
        datagram(PHONE, &ask("OPTIONS", "sip:127.0.0.1").text()),
    ]
}

fn play(restore_at: Option<usize>) -> Vec<Output> {
    let mut site = Site::new();
    let mut all: Vec<Output> = Vec::new();
    let mut dialog = None;
    for (i, step) in script().into_iter().enumerate() {
        if restore_at == Some(i) {
            let snapshot = postcard::to_allocvec(&site.endpoint).unwrap();
            site.endpoint = postcard::from_bytes::<Endpoint>(&snapshot).unwrap();
            assert_eq!(postcard::to_allocvec(&site.endpoint).unwrap(), snapshot);
        }
        let out = match step {
            Step::In(input) => site.input(input),
            Step::Accept => site.accept(dialog.unwrap(), Some(audio(30000))),
            Step::Hangup => site.hangup(dialog.unwrap()),
            Step::Invite => site.invite(Some(audio(30002))).1,
            Step::Pass(ms) => site.pass(ms).into_iter().map(|(_, o)| o).collect(),
        };
        if let Some(Output::Event(signaling::sip::door::Event::Incoming(i))) =
            out.iter().find(|o| matches!(o, Output::Event(signaling::sip::door::Event::Incoming(_))))
        {
            dialog = Some(i.dialog);
        }
        all.extend(out);
    }
    site.assert_empties();
    all
}

#[test]
fn twice_the_same_inputs_twice_the_same_outputs() {
    let once = play(None);
    assert!(once.len() > 30, "{:?}", words(&once));
    assert_eq!(once, play(None));
}

#[test]
fn a_snapshot_anywhere_changes_nothing() {
    let once = play(None);
    for i in 0..script().len() {
        assert_eq!(once, play(Some(i)), "restored before step {i}");
    }
}

#[test]
fn overdue_timers_after_a_restart_fire_once_each() {
    let mut site = Site::new();
    let (dialog, _) = ringing(&mut site);
    site.accept(dialog, Some(audio(30000)));
    site.now = Now { at: site.now.at + Duration::from_secs(5), ..site.now };
    let mut out = Vec::new();
    site.endpoint.restarted(site.now, &mut out);
    assert_eq!(words(&out), ["200 INVITE"], "one copy, not one for each that was missed");
}
