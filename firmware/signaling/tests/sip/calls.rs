//! Registering and calling: from the first message to the last, with losses, races and refusals.

use super::phone::*;
use base::media::Digit;
use signaling::sip::door::{ConnId, EndCause, Event, Hop, Input, Origin, Output};
use signaling::sip::message::{Name, Start};

fn event(out: &[Output]) -> Vec<Event> {
    out.iter()
        .filter_map(|o| match o {
            Output::Event(Event::Trace { .. }) => None,
            Output::Event(e) => Some(e.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn a_phone_registers_with_its_password_refreshes_and_leaves() {
    let mut site = Site::new();
    let mut register = ask("REGISTER", "sip:site");
    register.to = "<sip:2001@site>".into();
    let challenge = site.udp(PHONE, &register.text());
    assert_eq!(words(&challenge), ["401 REGISTER"]);
    let signed = register.clone().signed(&messages(&challenge)[0], "2001", "pw");
    let out = site.udp(PHONE, &signed.text());
    assert_eq!(words(&out), ["200 REGISTER", "Registered"]);
    assert_eq!(value(&messages(&out)[0], Name::Contact), "<sip:2001@127.0.0.2:5070>;expires=3600");
    assert_eq!(site.endpoint.contacts("2001").len(), 1);
    // The same datagram again is answered from memory.
    assert_eq!(words(&site.udp(PHONE, &signed.text())), ["200 REGISTER"]);
    // The nonce again with its old count is stale, not wrong.
    let mut replay = signed.clone().cseq(9);
    replay.branch += "x";
    let out = site.udp(PHONE, &replay.text());
    assert!(value(&messages(&out)[0], Name::WwwAuthenticate).contains("stale=true"));
    assert_eq!(words(&out), ["401 REGISTER"]);
    register.contact = Some("*".into());
    let off = register.extra("Expires: 0").cseq(20).signed(&messages(&out)[0], "2001", "pw");
    assert_eq!(words(&site.udp(PHONE, &off.text())), ["200 REGISTER", "Registered"]);
    assert!(site.endpoint.contacts("2001").is_empty());
    site.assert_empties();
}

#[test]
fn a_registration_lapses() {
    let mut site = Site::new();
    let mut register = ask("REGISTER", "sip:site").extra("Expires: 60");
    register.to = "<sip:2001@site>".into();
    let challenge = site.udp(PHONE, &register.text());
    site.udp(PHONE, &register.signed(&messages(&challenge)[0], "2001", "pw").text());
    let story = site.story(70_000);
    assert_eq!(story, [(60_000, "Registered".to_owned())]);
    assert_eq!(site.endpoint.accounts_registered().count(), 0);
}

#[test]
fn wrong_credentials_are_told_and_look_alike() {
    let mut site = Site::new();
    for (user, password) in [("2001", "wrong"), ("nobody", "pw")] {
        let mut register = ask("REGISTER", "sip:site");
        register.to = format!("<sip:{user}@site>");
        register.branch += user;
        let challenge = site.udp(PHONE, &register.text());
        let out = site.udp(PHONE, &register.signed(&messages(&challenge)[0], user, password).text());
        assert_eq!(words(&out), ["AuthFailed", "401 REGISTER"]);
        assert!(!value(&messages(&out)[0], Name::WwwAuthenticate).contains("stale"));
    }
    // The right password of somebody else.
    let mut invite = ask("INVITE", "sip:2002@127.0.0.1").body(SDP);
    invite.from = "<sip:2003@site>;tag=ph".into();
    let challenge = site.udp(PHONE, &invite.text());
    assert_eq!(words(&challenge), ["407 INVITE"]);
    let out = site.udp(PHONE, &invite.signed(&messages(&challenge)[0], "2001", "pw").text());
    assert_eq!(words(&out), ["403 INVITE"]);
    assert!(site.endpoint.is_empty(), "strangers leave nothing behind");
}

#[test]
fn registration_too_brief_and_options() {
    let mut site = Site::new();
    let mut register = ask("REGISTER", "sip:site").extra("Expires: 10");
    register.to = "<sip:2001@site>".into();
    let challenge = site.udp(PHONE, &register.text());
    let out = site.udp(PHONE, &register.signed(&messages(&challenge)[0], "2001", "pw").text());
    assert_eq!(value(&messages(&out)[0], Name::MinExpires), "60");
    let out = site.udp(PHONE, &ask("OPTIONS", "sip:127.0.0.1").text());
    assert_eq!(words(&out), ["200 OPTIONS"]);
    assert_eq!(value(&messages(&out)[0], Name::Accept), "application/sdp");
}

#[test]
fn a_call_in_from_invite_to_bye() {
    let mut site = Site::new();
    let invite = ask("INVITE", "sip:2002@127.0.0.1").body(SDP);
    let challenge = site.udp(PHONE, &invite.text());
    assert_eq!(words(&challenge), ["407 INVITE"]);
    let mut ack = ask("ACK", "sip:2002@127.0.0.1");
    ack.branch.clone_from(&invite.branch);
    ack.to = value(&messages(&challenge)[0], Name::To);
    assert_eq!(words(&site.udp(PHONE, &ack.text())), [""; 0]);
    assert_eq!(site.endpoint.dropped().stray_ack, 0, "the ACK of our own 407 is no stray");

    let invite = invite.signed(&messages(&challenge)[0], "2001", "pw");
    let out = site.udp(PHONE, &invite.text());
    assert_eq!(words(&out), ["100 INVITE", "Incoming"]);
    let call = incoming(&out);
    assert_eq!(
        (call.origin, call.caller.as_str(), call.called.as_str()),
        (Origin::Account("2001".into()), "2001", "2002")
    );
    assert_eq!(call.offer.unwrap().addr, "127.0.0.2:4000".parse().unwrap());

    assert_eq!(words(&site.udp(PHONE, &invite.text())), ["100 INVITE"], "the INVITE again");
    assert_eq!(words(&site.progress(call.dialog, 180)), ["180 INVITE"]);
    assert_eq!(words(&site.udp(PHONE, &invite.text())), ["180 INVITE"], "the INVITE again");
    let out = site.accept(call.dialog, Some(audio(30000)));
    assert_eq!(words(&out), ["200 INVITE"]);
    let ok = messages(&out).remove(0);
    assert_eq!(value(&ok, Name::Contact), "<sip:2002@127.0.0.1:5060>");
    assert!(value(&ok, Name::Via).contains("received=127.0.0.2") && value(&ok, Name::Via).contains("rport=5070"));
    let ack = within(&invite, &ok, "ACK", invite.cseq);
    assert_eq!(words(&site.udp(PHONE, &ack.text())), ["Confirmed"]);
    assert_eq!(words(&site.udp(PHONE, &ack.text())), [""; 0], "the ACK again");
    let bye = within(&invite, &ok, "BYE", 50);
    assert_eq!(words(&site.udp(PHONE, &bye.text())), ["200 BYE", "Ended Bye"]);
    assert_eq!(words(&site.udp(PHONE, &bye.text())), ["200 BYE"], "the BYE again");
    site.assert_empties();
    assert_eq!(words(&site.udp(PHONE, &bye.text())), ["481 BYE"], "long after");
}

#[test]
fn our_2xx_is_repeated_until_its_ack_comes_or_time_is_out() {
    let mut site = Site::new();
    let (dialog, _) = ringing(&mut site);
    site.accept(dialog, Some(audio(30000)));
    let story = site.story(33_000);
    let times: Vec<u64> = story.iter().filter(|(_, w)| w == "200 INVITE").map(|(ms, _)| *ms).collect();
    assert_eq!(times, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    let end: Vec<&str> = story.iter().filter(|(ms, _)| *ms == 32_000).map(|(_, w)| w.as_str()).collect();
    assert_eq!(end, ["BYE", "Ended NoAck"]);
    site.assert_empties();
}

#[test]
fn the_caller_cancels() {
    let mut site = Site::new();
    let (_, invite) = ringing(&mut site);
    let mut cancel = invite.clone();
    cancel.method = "CANCEL".into();
    cancel.body.clear();
    let out = site.udp(PHONE, &cancel.text());
    assert_eq!(words(&out), ["200 CANCEL", "487 INVITE", "Cancelled"]);
    let tags: Vec<String> = messages(&out).iter().map(|m| value(m, Name::To)).collect();
    assert_eq!(tags[0], tags[1], "one To tag for both");
    assert_eq!(words(&site.udp(PHONE, &cancel.text())), ["200 CANCEL"], "the CANCEL again");
    let story = site.story(600);
    assert_eq!(story, [(500, "487 INVITE".to_owned())], "until its ACK comes");
    let mut ack = cancel.clone();
    ack.method = "ACK".into();
    ack.to.clone_from(&tags[1]);
    assert_eq!(words(&site.udp(PHONE, &ack.text())), [""; 0]);
    assert_eq!(site.story(4_000), []);
    site.assert_empties();
}

#[test]
fn cancel_that_crosses_our_200_changes_nothing() {
    let mut site = Site::new();
    let (dialog, invite) = ringing(&mut site);
    site.accept(dialog, Some(audio(30000)));
    let mut cancel = invite.clone();
    cancel.method = "CANCEL".into();
    cancel.body.clear();
    assert_eq!(words(&site.udp(PHONE, &cancel.text())), ["200 CANCEL"]);
    let stray = ask("CANCEL", "sip:2002@127.0.0.1").cseq(77);
    assert_eq!(words(&site.udp(PHONE, &stray.text())), ["481 CANCEL"]);
}

#[test]
fn hanging_up_an_incoming_call_in_each_of_its_states() {
    let mut site = Site::new();
    let (dialog, _) = ringing(&mut site);
    assert_eq!(words(&site.hangup(dialog)), ["480 INVITE"]);
    assert_eq!(words(&site.accept(dialog, None)), [""; 0], "the key is stale");
    site.assert_empties();

    let mut site = Site::new();
    let (dialog, _) = ringing(&mut site);
    assert_eq!(words(&site.refuse(dialog, 486)), ["486 INVITE"]);
    assert_eq!(words(&site.hangup(dialog)), [""; 0]);
    site.assert_empties();

    // Accepted, no ACK yet: BYE waits for it.
    let mut site = Site::new();
    let (dialog, invite) = ringing(&mut site);
    let ok = messages(&site.accept(dialog, Some(audio(30000)))).remove(0);
    assert_eq!(words(&site.hangup(dialog)), [""; 0]);
    let out = site.udp(PHONE, &within(&invite, &ok, "ACK", invite.cseq).text());
    assert_eq!(words(&out), ["BYE"]);
    assert_eq!(value(&messages(&out)[0], Name::Reason), "Q.850;cause=16");
    site.assert_empties();

    let mut site = Site::new();
    let (dialog, ..) = talking(&mut site);
    let out = site.hangup(dialog);
    assert_eq!(words(&out), ["BYE"]);
    let bye = messages(&out).remove(0);
    assert_eq!(words(&site.udp(PHONE, &answer(&bye, 200, "", ""))), [""; 0]);
    site.assert_empties();
}

#[test]
fn a_lost_bye_is_repeated_and_given_up() {
    let mut site = Site::new();
    let (dialog, ..) = talking(&mut site);
    site.hangup(dialog);
    let byes: Vec<u64> = site.story(40_000).into_iter().filter(|(_, w)| w == "BYE").map(|(ms, _)| ms).collect();
    assert_eq!(byes, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    site.assert_empties();
}

#[test]
fn a_call_out_from_invite_to_bye() {
    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    assert_eq!(words(&out), ["INVITE"]);
    let invite = messages(&out).remove(0);
    assert!(value(&invite, Name::From).starts_with("\"Zwei \\\"2\\\"\" <sip:2002@site>;tag="));
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 100, "", ""))), [""; 0]);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 180, "b", ""))), ["Progress 180"]);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 183, "c", SDP))), ["Progress 183"], "another branch");
    let ok = answer(&invite, 200, "b", SDP);
    let out = site.udp(PHONE, &ok);
    assert_eq!(words(&out), ["ACK", "Answered"]);
    let first = messages(&out).remove(0);
    let again = site.udp(PHONE, &ok);
    assert_eq!(words(&again), ["ACK"], "the 2xx again");
    assert_eq!(messages(&again).remove(0), first, "the same ACK");
    // Another branch answers, too: acknowledged and ended.
    let out = site.udp(PHONE, &answer(&invite, 200, "c", SDP));
    assert_eq!(words(&out), ["ACK", "BYE"]);
    assert!(messages(&out).iter().all(|m| value(m, Name::To).ends_with("tag=c")));

    let mut bye = ask("BYE", "sip:2002@127.0.0.1:5060");
    bye.from = value(&first, Name::To);
    bye.to = value(&first, Name::From);
    bye.call_id = value(&first, Name::CallId);
    assert_eq!(words(&site.udp(PHONE, &bye.text())), ["200 BYE", "Ended Bye"]);
    assert_eq!(words(&site.hangup(dialog)), [""; 0]);
    site.assert_empties();
}

#[test]
fn a_call_out_that_nobody_answers_or_that_is_refused() {
    let mut site = Site::new();
    site.invite(Some(audio(30000)));
    let story = site.story(40_000);
    let invites: Vec<u64> = story.iter().filter(|(_, w)| w == "INVITE").map(|(ms, _)| *ms).collect();
    assert_eq!(invites, [500, 1500, 3500, 7500, 15500, 31500]);
    assert_eq!(story.last(), Some(&(32_000, "Refused 408".to_owned())));
    site.assert_empties();

    let mut site = Site::new();
    let (_, out) = site.invite(Some(audio(30000)));
    let busy = answer(&messages(&out)[0], 486, "b", "");
    let out = site.udp(PHONE, &busy);
    assert_eq!(words(&out), ["ACK", "Refused 486"]);
    let ack = messages(&out).remove(0);
    assert!(value(&ack, Name::To).ends_with("tag=b"));
    assert_eq!(words(&site.udp(PHONE, &busy)), ["ACK"], "the 486 again");
    site.assert_empties();
}

#[test]
fn cancelling_waits_for_a_provisional_response() {
    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    let invite = messages(&out).remove(0);
    assert_eq!(words(&site.hangup(dialog)), [""; 0]);
    let out = site.udp(PHONE, &answer(&invite, 180, "b", ""));
    assert_eq!(words(&out), ["CANCEL"]);
    let cancel = messages(&out).remove(0);
    assert_eq!(value(&cancel, Name::Via), value(&invite, Name::Via));
    assert_eq!(value(&cancel, Name::Reason), "Q.850;cause=16");
    assert_eq!(words(&site.udp(PHONE, &answer(&cancel, 200, "b", ""))), [""; 0]);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 487, "b", ""))), ["ACK"], "and no event");
    site.assert_empties();
}

#[test]
fn an_invite_given_up_before_any_answer_is_repeated_until_the_phone_can_be_cancelled() {
    // The phone rings already, its 180 and that of the first copy are lost.
    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    let invite = messages(&out).remove(0);
    site.pass(200);
    assert_eq!(words(&site.hangup(dialog)), [""; 0], "no CANCEL before a provisional response (RFC 3261 §9.1)");
    assert_eq!(site.story(2_000), [(300, "INVITE".into()), (1_300, "INVITE".into())]);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 180, "b", ""))), ["CANCEL"]);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 180, "b", ""))), [""; 0], "one is enough");
    assert!(site.story(450).is_empty(), "neither INVITE nor a second CANCEL");
    assert_eq!(site.story(100), [(50, "CANCEL".into())], "the CANCEL is lost as well");
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 487, "b", ""))), ["ACK"], "and no event");
    site.assert_empties();
}

#[test]
fn an_invite_given_up_before_any_answer_ends_what_answers_late() {
    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    let invite = messages(&out).remove(0);
    assert_eq!(words(&site.hangup(dialog)), [""; 0]);
    site.pass(20_000);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 200, "b", SDP))), ["ACK", "BYE"]);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 200, "b", SDP))), ["ACK"], "the ACK was lost");
    site.assert_empties();

    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    let invite = messages(&out).remove(0);
    site.hangup(dialog);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 486, "b", ""))), ["ACK"], "and no event");
    site.assert_empties();
}

#[test]
fn an_invite_given_up_that_nobody_answers_is_repeated_for_64_t1_and_ends_without_a_word() {
    let mut site = Site::new();
    let (dialog, _) = site.invite(Some(audio(30000)));
    site.pass(30_000);
    site.hangup(dialog);
    let copies: Vec<(u64, String)> = (0..8).map(|n| (1_500 + 4_000 * n, "INVITE".into())).collect();
    assert_eq!(site.story(60_000), copies, "at most T2 apart");
    assert!(!site.endpoint.is_empty(), "an answer to the last copy is known");
    assert!(site.story(5_000).is_empty());
    assert!(site.endpoint.is_empty(), "{:#?}", site.endpoint.lines());
}

#[test]
fn an_answer_to_the_last_copy_of_an_invite_given_up_is_ended() {
    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    let invite = messages(&out).remove(0);
    site.hangup(dialog);
    site.pass(60_000);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 200, "b", SDP))), ["ACK", "BYE"]);
    site.assert_empties();
}

#[test]
fn a_2xx_that_crosses_our_cancel_is_acknowledged_and_ended() {
    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    let invite = messages(&out).remove(0);
    site.udp(PHONE, &answer(&invite, 180, "b", ""));
    assert_eq!(words(&site.hangup(dialog)), ["CANCEL"]);
    let out = site.udp(PHONE, &answer(&invite, 200, "b", SDP));
    assert_eq!(words(&out), ["ACK", "BYE"]);
    assert_eq!(words(&site.udp(PHONE, &answer(&invite, 200, "b", SDP))), ["ACK"], "the 2xx again");
    site.assert_empties();

    // A cancelled INVITE that never gets a final response.
    let mut site = Site::new();
    let (dialog, out) = site.invite(Some(audio(30000)));
    site.udp(PHONE, &answer(&messages(&out)[0], 180, "b", ""));
    site.hangup(dialog);
    site.assert_empties();
}

#[test]
fn delayed_offers_both_ways() {
    let mut site = Site::new();
    let (dialog, out) = site.invite(None);
    let invite = messages(&out).remove(0);
    assert!(invite.body.is_empty());
    let ok = answer(&invite, 200, "b", SDP);
    assert_eq!(words(&site.udp(PHONE, &ok)), ["Answered"], "the ACK waits for our answer");
    assert_eq!(words(&site.udp(PHONE, &ok)), [""; 0]);
    let out = site.accept(dialog, Some(audio(30000)));
    assert_eq!(words(&out), ["ACK"]);
    assert!(!messages(&out)[0].body.is_empty());
    assert_eq!(words(&site.udp(PHONE, &ok)), ["ACK"], "the ACK is lost, the 2xx comes again");

    let mut site = Site::new();
    let mut invite = ask("INVITE", "sip:2002@127.0.0.1");
    invite.via = "SIP/2.0/UDP 127.0.0.50:5080".into();
    let out = site.udp(TRUNK, &invite.text());
    let call = incoming(&out);
    assert_eq!((call.offer, call.origin), (None, Origin::Peer("trunk".into())));
    let ok = messages(&site.accept(call.dialog, Some(audio(30000)))).remove(0);
    assert!(!ok.body.is_empty());
    let out = site.udp(TRUNK, &within(&invite, &ok, "ACK", 1).body(SDP).text());
    let told = event(&out);
    assert!(matches!(&told[..], [Event::Confirmed { answer: Some(a), .. }] if a.addr.port() == 4000), "{told:?}");
}

#[test]
fn digits_by_info() {
    let mut site = Site::new();
    let (dialog, invite, ok) = talking(&mut site);
    let relay = within(&invite, &ok, "INFO", 10)
        .extra("Content-Type: application/dtmf-relay")
        .body("Signal=5\r\nDuration=160\r\n");
    let out = site.udp(PHONE, &relay.text());
    assert_eq!(event(&out), [Event::Digit { dialog, digit: Digit::from_char('5').unwrap() }]);
    let plain = within(&invite, &ok, "INFO", 11).extra("Content-Type: application/dtmf").body("#");
    assert_eq!(words(&site.udp(PHONE, &plain.text())), ["Digit", "200 INFO"]);
    let other = within(&invite, &ok, "INFO", 12).extra("Content-Type: text/plain").body("x");
    assert_eq!(words(&site.udp(PHONE, &other.text())), ["415 INFO"]);
}

#[test]
fn a_full_inbox_refuses_new_calls_only() {
    let mut site = Site::new();
    let shed = |text: String| Input::Datagram {
        local: BOX.parse().unwrap(),
        remote: PHONE.parse().unwrap(),
        bytes: text.into_bytes(),
        shed: true,
    };
    let out = site.input(shed(ask("INVITE", "sip:2002@127.0.0.1").body(SDP).text()));
    assert_eq!(words(&out), ["503 INVITE"]);
    assert_eq!(site.endpoint.dropped().shed, 1);
    let (_, invite, ok) = talking(&mut site);
    let out = site.input(shed(within(&invite, &ok, "BYE", 9).text()));
    assert_eq!(words(&out), ["200 BYE", "Ended Bye"]);
    assert_eq!(event(&out), [Event::Ended { dialog: incoming_key(&out), cause: EndCause::Bye }]);
}

fn incoming_key(out: &[Output]) -> signaling::sip::door::DialogKey {
    out.iter()
        .find_map(|o| match o {
            Output::Event(Event::Ended { dialog, .. }) => Some(*dialog),
            _ => None,
        })
        .unwrap()
}

#[test]
fn over_tcp_in_any_cut_and_again_after_a_restart() {
    let mut site = Site::new();
    let open = |site: &mut Site, conn| {
        let (local, remote) = (BOX.parse().unwrap(), "127.0.0.2:41000".parse().unwrap());
        site.input(Input::Opened { conn: ConnId(conn), local, remote })
    };
    open(&mut site, 2);
    assert_eq!(site.tcp(2, "\r\n\r\n"), [Output::Bytes { conn: ConnId(2), bytes: b"\r\n".to_vec() }]);
    let mut register = ask("REGISTER", "sip:site");
    register.to = "<sip:2001@site>".into();
    register.via = "SIP/2.0/TCP 127.0.0.2:5070".into();
    register.contact = Some("<sip:2001@127.0.0.2:5070;transport=tcp>".into());
    let text = register.text();
    assert_eq!(words(&site.tcp(2, &text[..100])), [""; 0]);
    let challenge = site.tcp(2, &text[100..]);
    let signed = register.signed(&messages(&challenge)[0], "2001", "pw");
    assert_eq!(words(&site.tcp(2, &signed.text())), ["200 REGISTER", "Registered"]);
    let target = site.endpoint.contacts("2001")[0].target.clone();
    assert_eq!(target.hop, Hop::Tcp { conn: Some(ConnId(2)), remote: "127.0.0.2:5070".parse().unwrap() });

    // Called by the connection it registered over; no retransmissions on a stream.
    let invite = signaling::sip::door::Invite {
        target,
        from: "2002".into(),
        from_name: String::new(),
        offer: Some(audio(30000)),
        headers: Vec::new(),
    };
    let mut out = Vec::new();
    let dialog = site.endpoint.invite(site.now, invite, &mut out);
    assert!(matches!(out[0], Output::Bytes { conn: ConnId(2), .. }), "{out:?}");
    let request = messages(&out).remove(0);
    assert_eq!(site.story(5_000), []);
    assert_eq!(words(&site.tcp(2, &answer(&request, 200, "b", SDP))), ["ACK", "Answered"]);

    // All connections are gone: BYE goes by a new one to its contact.
    let mut out = Vec::new();
    site.endpoint.restarted(site.now, &mut out);
    assert_eq!(words(&out), [""; 0]);
    let out = site.hangup(dialog);
    assert_eq!(out[0], Output::Connect { conn: ConnId(1), remote: "127.0.0.2:5070".parse().unwrap() });
    assert!(matches!(out[1], Output::Bytes { conn: ConnId(1), .. }));
    site.input(Input::Closed { conn: ConnId(1) });
    site.assert_empties();
}

#[test]
fn a_stream_that_cannot_be_opened_refuses_the_call() {
    // The connection that the phone registered over is gone, or there never was one.
    for gone in [None, Some(ConnId(2))] {
        let mut site = Site::new();
        let hop = Hop::Tcp { conn: gone, remote: "127.0.0.7:5060".parse().unwrap() };
        let invite = signaling::sip::door::Invite {
            target: signaling::sip::door::Target { uri: "sip:9@127.0.0.7;transport=tcp".into(), hop },
            from: "2002".into(),
            from_name: String::new(),
            offer: None,
            headers: Vec::new(),
        };
        let mut out = Vec::new();
        site.endpoint.invite(site.now, invite, &mut out);
        assert_eq!(words(&out), ["connect", "INVITE"]);
        assert_eq!(words(&site.input(Input::Closed { conn: ConnId(1) })), ["Refused 503"]);
        site.assert_empties();
    }
}

#[test]
fn what_cannot_be_sip_on_a_stream_closes_it() {
    let mut site = Site::new();
    let (local, remote) = (BOX.parse().unwrap(), "127.0.0.2:41000".parse().unwrap());
    site.input(Input::Opened { conn: ConnId(2), local, remote });
    assert_eq!(words(&site.tcp(2, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")), ["close"]);
    site.input(Input::Opened { conn: ConnId(4), local, remote });
    let text =
        ask("OPTIONS", "sip:127.0.0.1").text().replace("Content-Length: 0", "Content-Length: 18446744073709551615");
    assert_eq!(words(&site.tcp(4, &text)), ["400 OPTIONS", "close"]);
    assert!(site.endpoint.is_empty());
}

#[test]
fn a_raw_message_names_its_dialog_and_a_dialog_can_be_abandoned() {
    let mut site = Site::new();
    let (dialog, invite, ok) = talking(&mut site);
    let bye = within(&invite, &ok, "BYE", 9).text();
    assert_eq!(site.endpoint.dialog_of(bye.as_bytes()), Some(dialog));
    assert_eq!(site.endpoint.dialog_of(invite.text().as_bytes()), Some(dialog));
    assert_eq!(site.endpoint.dialog_of(b"nonsense"), None);
    let (ours, out) = site.invite(Some(audio(30000)));
    let ring = answer(&messages(&out)[0], 180, "b", "");
    assert_eq!(site.endpoint.dialog_of(ring.as_bytes()), Some(ours));
    assert!(site.endpoint.lines().iter().any(|l| l.contains("Calling")), "{:#?}", site.endpoint.lines());
    site.endpoint.abandon(dialog);
    site.endpoint.abandon(ours);
    assert!(site.endpoint.is_empty() && site.endpoint.deadline().is_none());
    assert!(matches!(messages(&site.udp(PHONE, &bye))[0].start, Start::Response { code: 481, .. }));
}
