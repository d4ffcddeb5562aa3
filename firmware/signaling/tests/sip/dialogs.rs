//! Inside a dialog: new offers both ways, glare, sequence numbers, routes, and what is refused there.

use super::phone::*;
use signaling::sip::door::Output;
use signaling::sip::message::{Name, Start};

#[test]
fn they_hold_and_resume() {
    let mut site = Site::new();
    let (dialog, invite, ok) = talking(&mut site);
    let hold = within(&invite, &ok, "INVITE", 7).body(&(SDP.to_owned() + "a=sendonly\r\n"));
    assert_eq!(words(&site.udp(PHONE, &hold.text())), ["100 INVITE", "Reoffered"]);
    let out = site.accept(dialog, Some(audio(30000)));
    assert_eq!(words(&out), ["200 INVITE"]);
    assert_eq!(words(&site.udp(PHONE, &within(&invite, &ok, "ACK", 7).text())), [""; 0], "told once per call");
    // UPDATE does the same without an ACK.
    let update = within(&invite, &ok, "UPDATE", 9).body(SDP);
    assert_eq!(words(&site.udp(PHONE, &update.text())), ["Reoffered"]);
    assert_eq!(words(&site.accept(dialog, Some(audio(30000)))), ["200 UPDATE"]);
    let refresh = within(&invite, &ok, "UPDATE", 10);
    assert_eq!(words(&site.udp(PHONE, &refresh.text())), ["200 UPDATE"]);
    // A refused offer leaves the call as it was.
    let again = within(&invite, &ok, "INVITE", 11).body(SDP);
    site.udp(PHONE, &again.text());
    assert_eq!(words(&site.refuse(dialog, 488)), ["488 INVITE"]);
    let mut ack = again.clone();
    ack.method = "ACK".into();
    site.udp(PHONE, &ack.text());
    assert_eq!(words(&site.hangup(dialog)), ["BYE"]);
    site.assert_empties();
}

#[test]
fn the_ack_of_a_reinvite_is_awaited_and_bye_needs_it_not() {
    let mut site = Site::new();
    let (dialog, invite, ok) = talking(&mut site);
    site.udp(PHONE, &within(&invite, &ok, "INVITE", 7).body(SDP).text());
    site.accept(dialog, Some(audio(30000)));
    assert_eq!(site.story(600), [(500, "200 INVITE".to_owned())]);
    let early = within(&invite, &ok, "INVITE", 8).body(SDP);
    assert_eq!(words(&site.udp(PHONE, &early.text())), ["500 INVITE"], "one offer at a time");
    assert_eq!(words(&site.hangup(dialog)), ["BYE"]);
    site.assert_empties();
}

#[test]
fn we_offer_anew_with_and_without_a_description() {
    let mut site = Site::new();
    let (dialog, ..) = called(&mut site);
    let out = site.reoffer(dialog, Some(audio(30002)));
    assert_eq!(words(&out), ["INVITE"]);
    let reinvite = messages(&out).remove(0);
    assert_eq!(value(&reinvite, Name::CSeq), "2 INVITE");
    // A second offer waits for the end of the first.
    assert_eq!(words(&site.reoffer(dialog, None)), [""; 0]);
    let out = site.udp(PHONE, &answer(&reinvite, 200, "", SDP));
    assert_eq!(words(&out), ["ACK", "Answered", "INVITE"]);
    let second = messages(&out).remove(1);
    assert!(second.body.is_empty());
    assert_eq!(words(&site.udp(PHONE, &answer(&second, 200, "", SDP))), ["Answered"]);
    let out = site.accept(dialog, Some(audio(30004)));
    assert_eq!(words(&out), ["ACK"]);
    assert!(!messages(&out)[0].body.is_empty());
    assert_eq!(words(&site.hangup(dialog)), ["BYE"]);
    site.assert_empties();
}

#[test]
fn both_offer_at_once() {
    let mut site = Site::new();
    let (dialog, _, ack) = called(&mut site);
    let reinvite = messages(&site.reoffer(dialog, Some(audio(30002)))).remove(0);
    let mut theirs = ask("INVITE", "sip:2002@127.0.0.1:5060").body(SDP);
    theirs.from = value(&ack, Name::To);
    theirs.to = value(&ack, Name::From);
    theirs.call_id = value(&ack, Name::CallId);
    assert_eq!(words(&site.udp(PHONE, &theirs.text())), ["491 INVITE"]);
    assert_eq!(words(&site.udp(PHONE, &answer(&reinvite, 491, "", ""))), ["ACK"]);
    let story = site.story(4_100);
    let again = story.iter().find(|(_, w)| w == "INVITE").expect("ours goes again");
    assert!((2_100..=4_000).contains(&again.0), "we made the Call-ID: {story:?}");
    // Gone at the other end: the call is over.
    let mut site = Site::new();
    let (dialog, ..) = called(&mut site);
    let reinvite = messages(&site.reoffer(dialog, Some(audio(30002)))).remove(0);
    assert_eq!(words(&site.udp(PHONE, &answer(&reinvite, 481, "", ""))), ["ACK", "Ended Gone"]);
    site.assert_empties();
    // Refused: the call goes on as it was.
    let mut site = Site::new();
    let (dialog, ..) = called(&mut site);
    let reinvite = messages(&site.reoffer(dialog, Some(audio(30002)))).remove(0);
    assert_eq!(words(&site.udp(PHONE, &answer(&reinvite, 488, "", ""))), ["ACK"]);
    assert_eq!(words(&site.hangup(dialog)), ["BYE"]);
    // No answer at all.
    let mut site = Site::new();
    let (dialog, ..) = called(&mut site);
    site.reoffer(dialog, Some(audio(30002)));
    let story = site.story(33_000);
    assert!(story.contains(&(32_000, "Ended Gone".to_owned())), "{story:?}");
    site.assert_empties();
}

#[test]
fn hanging_up_while_offers_are_open() {
    let mut site = Site::new();
    let (dialog, invite, ok) = talking(&mut site);
    site.udp(PHONE, &within(&invite, &ok, "INVITE", 7).body(SDP).text());
    assert_eq!(words(&site.hangup(dialog)), ["487 INVITE", "BYE"]);
    site.assert_empties();

    let mut site = Site::new();
    let (dialog, ..) = called(&mut site);
    let reinvite = messages(&site.reoffer(dialog, Some(audio(30002)))).remove(0);
    assert_eq!(words(&site.hangup(dialog)), ["BYE"]);
    assert_eq!(words(&site.udp(PHONE, &answer(&reinvite, 200, "", SDP))), ["ACK"], "too late, but acknowledged");
    site.assert_empties();

    let mut site = Site::new();
    let (dialog, out) = site.invite(None);
    let invite = messages(&out).remove(0);
    site.udp(PHONE, &answer(&invite, 200, "b", SDP));
    assert_eq!(words(&site.hangup(dialog)), ["ACK", "BYE"]);
    site.assert_empties();

    // They hang up while their own re-INVITE is open.
    let mut site = Site::new();
    let (_, invite, ok) = talking(&mut site);
    site.udp(PHONE, &within(&invite, &ok, "INVITE", 7).body(SDP).text());
    let out = site.udp(PHONE, &within(&invite, &ok, "BYE", 8).text());
    assert_eq!(words(&out), ["200 BYE", "487 INVITE", "Ended Bye"]);
    site.assert_empties();
}

#[test]
fn sequence_numbers_may_jump_but_not_fall() {
    let mut site = Site::new();
    let (_, invite, ok) = talking(&mut site);
    assert_eq!(words(&site.udp(PHONE, &within(&invite, &ok, "OPTIONS", 2_000_000_000).text())), ["200 OPTIONS"]);
    assert_eq!(words(&site.udp(PHONE, &within(&invite, &ok, "OPTIONS", 1_999).text())), ["500 OPTIONS"]);
    assert_eq!(words(&site.udp(PHONE, &within(&invite, &ok, "NOTIFY", 2_000_000_001).text())), ["405 NOTIFY"]);
    let out = site.udp(PHONE, &within(&invite, &ok, "DANCE", 2_000_000_002).text());
    assert_eq!(words(&out), ["501 DANCE"]);
    assert!(value(&messages(&out)[0], Name::Allow).contains("INVITE"));
    let mut stranger = within(&invite, &ok, "BYE", 2_000_000_003);
    stranger.from = "<sip:2001@site>;tag=other".into();
    assert_eq!(words(&site.udp(PHONE, &stranger.text())), ["481 BYE"]);
    let mut ack = within(&invite, &ok, "ACK", 1);
    ack.to = "<sip:2002@site>;tag=nobody".into();
    site.udp(PHONE, &ack.text());
    assert_eq!(site.endpoint.dropped().stray_ack, 1);
}

#[test]
fn a_trunk_behind_proxies_is_reached_by_its_routes() {
    let via = |ask: &mut super::phone::Ask| ask.via = "SIP/2.0/UDP 127.0.0.50:5080".into();
    for (route, uri, routes) in [
        ("<sip:127.0.0.51:5090;lr>, <sip:127.0.0.52;lr>", "sip:gw@127.0.0.53:5099", 2),
        ("<sip:127.0.0.51:5090>", "sip:127.0.0.51:5090", 1),
    ] {
        let mut site = Site::new();
        let mut invite = ask("INVITE", "sip:5551234@127.0.0.1").body(SDP).extra(&format!("Record-Route: {route}"));
        invite = invite.extra("P-Asserted-Identity: \"Boss\" <sip:+4930555@trunk>");
        invite.contact = Some("<sip:gw@127.0.0.53:5099>".into());
        via(&mut invite);
        let out = site.udp(TRUNK, &invite.text());
        let call = incoming(&out);
        assert_eq!(
            (call.caller.as_str(), call.caller_name.as_str(), call.called.as_str()),
            ("+4930555", "Boss", "5551234")
        );
        let ok = messages(&site.accept(call.dialog, Some(audio(30000)))).remove(0);
        assert_eq!(value(&ok, Name::RecordRoute), route);
        site.udp(TRUNK, &within(&invite, &ok, "ACK", 1).text());
        let out = site.hangup(call.dialog);
        let Output::Datagram { remote, .. } = &out[0] else { panic!("{out:?}") };
        assert_eq!(*remote, "127.0.0.51:5090".parse().unwrap());
        let bye = messages(&out).remove(0);
        assert!(matches!(&bye.start, Start::Request { uri: u, .. } if u == uri), "{:?}", bye.start);
        assert_eq!(bye.all(&Name::Route).count(), routes);
        site.assert_empties();
    }
}

#[test]
fn a_request_that_came_by_two_ways_is_served_once() {
    let mut site = Site::new();
    let mut invite = ask("INVITE", "sip:2002@127.0.0.1").body(SDP);
    invite.via = "SIP/2.0/UDP 127.0.0.50:5080".into();
    assert_eq!(words(&site.udp(TRUNK, &invite.text())), ["100 INVITE", "Incoming"]);
    invite.branch += "other";
    assert_eq!(words(&site.udp(TRUNK, &invite.text())), ["482 INVITE"]);
}

#[test]
fn a_phone_of_rfc_2543_calls() {
    let mut site = Site::new();
    let old = |method: &str, to: &str| {
        format!(
            "{method} sip:2002@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.50:5080\r\nFrom: <sip:5@gw>;tag=o\r\nTo: {to}\r\nCall-ID: old\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let call = incoming(&site.udp(TRUNK, &old("INVITE", "<sip:2002@x>")));
    assert_eq!(words(&site.udp(TRUNK, &old("INVITE", "<sip:2002@x>"))), ["100 INVITE"], "the INVITE again");
    let busy = messages(&site.refuse(call.dialog, 486)).remove(0);
    site.udp(TRUNK, &old("ACK", &value(&busy, Name::To)));
    assert_eq!(site.story(10_000), [], "the ACK was found without a branch");
    assert_eq!(site.endpoint.dropped().stray_ack, 0);
    site.assert_empties();
}

#[test]
fn a_phone_behind_nat_is_reached_where_it_came_from() {
    let mut site = Site::new();
    let mut invite = ask("INVITE", "sip:2002@127.0.0.1").body(SDP);
    invite.contact = Some("<sip:2001@192.168.1.7:5060>".into());
    invite.via = "SIP/2.0/UDP 192.168.1.7:5060".into();
    let challenge = site.udp(PHONE, &invite.text());
    assert!(matches!(&challenge[0], Output::Datagram { remote, .. } if remote.to_string() == PHONE), "rport");
    let invite = invite.signed(&messages(&challenge)[0], "2001", "pw");
    let call = incoming(&site.udp(PHONE, &invite.text()));
    let ok = messages(&site.accept(call.dialog, Some(audio(30000)))).remove(0);
    site.udp(PHONE, &within(&invite, &ok, "ACK", invite.cseq).text());
    // The NAT gives it another port: the next request shows where it is now.
    site.udp("127.0.0.2:6666", &within(&invite, &ok, "OPTIONS", 20).text());
    let out = site.hangup(call.dialog);
    assert!(matches!(&out[0], Output::Datagram { remote, .. } if remote.to_string() == "127.0.0.2:6666"));
    assert!(matches!(&messages(&out)[0].start, Start::Request { uri, .. } if uri == "sip:2001@192.168.1.7:5060"));
}

#[test]
fn without_rport_the_answer_goes_to_the_port_of_via() {
    let mut site = Site::new();
    let text = ask("OPTIONS", "sip:127.0.0.1").text().replace(";rport", "").replace("127.0.0.2:5070", "127.0.0.2:7777");
    let out = site.udp(PHONE, &text);
    assert!(matches!(&out[0], Output::Datagram { remote, .. } if remote.to_string() == "127.0.0.2:7777"), "{out:?}");
}
