//! Dialogues of messages at given times with each of the four machines.

use super::*;
use base::time::Instant;

fn at(ms: u64) -> Instant {
    Instant::from_micros(ms * 1000)
}

/// Fires the machine's timer whenever it is due until it is over; the milliseconds at which it sent something.
macro_rules! sends {
    ($machine:expr, $module:ident, $until_ms:expr) => {{
        let mut sent = Vec::new();
        let mut told = None;
        while let Some(due) = $machine.deadline().filter(|d| *d <= at($until_ms)) {
            let step = $machine.handle(due, $module::Input::Timer);
            if step.send.is_some() {
                sent.push(due.as_micros() / 1000);
            }
            told = step.tell.or(told);
        }
        (sent, told)
    }};
}

#[test]
fn invite_client_repeats_by_timer_a_and_gives_up_by_timer_b() {
    let mut m = InviteClient::new(at(0), b"INVITE".to_vec(), false);
    let (sent, told) = sends!(m, invite_client, 60_000);
    assert_eq!(sent, [500, 1500, 3500, 7500, 15500, 31500]);
    assert_eq!((told, m.is_over()), (Some(Tell::TimedOut), true));
    let mut m = InviteClient::new(at(0), b"INVITE".to_vec(), true);
    assert_eq!(sends!(m, invite_client, 60_000), (vec![], Some(Tell::TimedOut)), "no copies on a stream");
}

#[test]
fn invite_client_acknowledges_a_failure_for_timer_d() {
    let mut m = InviteClient::new(at(0), b"INVITE".to_vec(), false);
    assert_eq!(m.handle(at(10), invite_client::Input::Provisional), Step::tell(Tell::Response));
    assert_eq!(m.deadline(), None, "nothing is due while it rings");
    let failure = || invite_client::Input::Failure { ack: b"ACK".to_vec() };
    assert_eq!(m.handle(at(20), failure()), Step { send: Some(b"ACK".to_vec()), tell: Some(Tell::Response) });
    assert_eq!(m.handle(at(31_000), failure()), Step::send(b"ACK".to_vec()));
    assert_eq!(m.handle(at(31_000), invite_client::Input::Provisional), Step::none());
    assert_eq!(m.deadline(), Some(at(32_020)));
    m.handle(at(32_020), invite_client::Input::Timer);
    assert!(m.is_over());
    let mut m = InviteClient::new(at(0), b"INVITE".to_vec(), true);
    m.handle(at(20), failure());
    assert!(m.is_over(), "timer D is zero on a stream");
}

#[test]
fn invite_client_accepted_passes_branches_and_repeats_their_acks() {
    // RFC 6026 §8.4.
    let mut m = InviteClient::new(at(0), b"INVITE".to_vec(), false);
    let success = |tag: &str| invite_client::Input::Success { to_tag: tag.into() };
    assert_eq!(m.handle(at(5), success("a")), Step::tell(Tell::Response));
    assert_eq!(m.handle(at(6), success("a")), Step::tell(Tell::Response), "no ACK yet: the user hears it again");
    let ack = invite_client::Input::Acknowledge { to_tag: "a".into(), ack: b"ACK a".to_vec() };
    assert_eq!(m.handle(at(7), ack), Step::send(b"ACK a".to_vec()));
    assert_eq!(m.handle(at(500), success("a")), Step::send(b"ACK a".to_vec()));
    assert_eq!(m.handle(at(600), success("b")), Step::tell(Tell::Response), "a fork");
    assert_eq!(m.handle(at(600), invite_client::Input::Failure { ack: vec![] }), Step::none());
    assert_eq!(m.deadline(), Some(at(32_005)), "timer M");
    m.handle(at(32_005), invite_client::Input::Timer);
    assert!(m.is_over());
}

#[test]
fn a_closed_way_ends_only_what_waits_for_its_first_answer() {
    let mut m = InviteClient::new(at(0), b"INVITE".to_vec(), true);
    assert_eq!(m.handle(at(1), invite_client::Input::Broken), Step::tell(Tell::Unreachable));
    let mut m = InviteClient::new(at(0), b"INVITE".to_vec(), true);
    m.handle(at(1), invite_client::Input::Provisional);
    assert_eq!(m.handle(at(2), invite_client::Input::Broken), Step::none());
    assert!(m.is_proceeding());
    let mut m = NonInviteClient::new(at(0), b"BYE".to_vec(), true);
    assert_eq!(m.handle(at(1), non_invite_client::Input::Broken), Step::tell(Tell::Unreachable));
}

#[test]
fn non_invite_client_repeats_by_timer_e() {
    let mut m = NonInviteClient::new(at(0), b"BYE".to_vec(), false);
    let (sent, told) = sends!(m, non_invite_client, 60_000);
    assert_eq!(sent, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert_eq!(told, Some(Tell::TimedOut));
    let mut m = NonInviteClient::new(at(0), b"BYE".to_vec(), false);
    m.handle(at(600), non_invite_client::Input::Provisional);
    let (sent, _) = sends!(m, non_invite_client, 60_000);
    assert_eq!(sent, [4600, 8600, 12600, 16600, 20600, 24600, 28600], "every T2 after a provisional response");
}

#[test]
fn non_invite_client_absorbs_copies_for_timer_k() {
    let mut m = NonInviteClient::new(at(0), b"BYE".to_vec(), false);
    assert_eq!(m.handle(at(9), non_invite_client::Input::Final), Step::tell(Tell::Response));
    assert_eq!(m.handle(at(10), non_invite_client::Input::Final), Step::none());
    assert_eq!(m.deadline(), Some(at(5_009)));
    m.handle(at(5_009), non_invite_client::Input::Timer);
    assert!(m.is_over());
}

#[test]
fn invite_server_repeats_a_failure_until_its_ack() {
    let mut m = InviteServer::new(false);
    assert_eq!(m.handle(at(0), invite_server::Input::Request), Step::none());
    m.handle(at(0), invite_server::Input::Provisional(b"180".to_vec()));
    assert_eq!(m.handle(at(1), invite_server::Input::Request), Step::send(b"180".to_vec()));
    assert_eq!(m.handle(at(2), invite_server::Input::Failure(b"486".to_vec())), Step::send(b"486".to_vec()));
    assert_eq!(m.handle(at(3), invite_server::Input::Request), Step::send(b"486".to_vec()));
    let (sent, _) = sends!(m, invite_server, 8_000);
    assert_eq!(sent, [502, 1502, 3502, 7502], "timer G");
    assert_eq!(m.handle(at(8_000), invite_server::Input::Ack), Step::none());
    assert_eq!(m.deadline(), Some(at(13_000)), "timer I");
    assert_eq!(m.handle(at(8_001), invite_server::Input::Ack), Step::none());
    m.handle(at(13_000), invite_server::Input::Timer);
    assert!(m.is_over());
}

#[test]
fn invite_server_without_an_ack_gives_up_by_timer_h() {
    let mut m = InviteServer::new(false);
    m.handle(at(0), invite_server::Input::Failure(b"486".to_vec()));
    let (sent, _) = sends!(m, invite_server, 60_000);
    assert_eq!(sent, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
    assert!(m.is_over());
}

#[test]
fn invite_server_accepted_absorbs_the_invite_for_timer_l() {
    // RFC 6026 §8.5: neither the INVITE nor its ACK reaches the user through the transaction, the 2xx is the user's.
    let mut m = InviteServer::new(false);
    assert_eq!(m.handle(at(0), invite_server::Input::Success(b"200".to_vec())), Step::send(b"200".to_vec()));
    assert_eq!(m.handle(at(100), invite_server::Input::Request), Step::none());
    assert_eq!(m.handle(at(500), invite_server::Input::Success(b"200".to_vec())), Step::send(b"200".to_vec()));
    assert_eq!(m.handle(at(500), invite_server::Input::Failure(b"500".to_vec())), Step::none());
    assert_eq!(m.deadline(), Some(at(32_000)));
    m.handle(at(32_000), invite_server::Input::Timer);
    assert!(m.is_over());
}

#[test]
fn non_invite_server_answers_copies_for_timer_j() {
    let mut m = NonInviteServer::new(false);
    assert_eq!(m.handle(at(0), non_invite_server::Input::Request), Step::none());
    assert_eq!(m.handle(at(1), non_invite_server::Input::Final(b"200".to_vec())), Step::send(b"200".to_vec()));
    assert_eq!(m.handle(at(2), non_invite_server::Input::Request), Step::send(b"200".to_vec()));
    assert_eq!(m.deadline(), Some(at(32_001)));
    m.handle(at(32_001), non_invite_server::Input::Timer);
    assert!(m.is_over());
    let mut m = NonInviteServer::new(true);
    m.handle(at(1), non_invite_server::Input::Final(b"200".to_vec()));
    assert!(m.is_over(), "timer J is zero on a stream");
}
