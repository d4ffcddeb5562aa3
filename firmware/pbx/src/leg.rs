//! Legs: one party of a call with its signalling (a SIP dialog or a line) and its media. Nothing here decides where
//! a call goes.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use base::id::LegKey;
use base::line::PortId;
use base::media::{Codec, Command, Counters, Item, PlayId, RtpRemote, RtpSend, Side};
use base::time::Instant;
use core::net::SocketAddr;
use core::time::Duration;
use serde::{Deserialize, Serialize};
use signaling::sdp::{self, Audio, Direction, Format, Ours};
use signaling::sip::door::DialogKey;

use crate::agent::OwnCall;
use crate::call::{CallKey, Origin};
use crate::config::Config;
use crate::door::Output;
use crate::event::Detail;
use crate::offer::OfferKey;
use crate::timers::Timer;
use crate::{Pbx, Turn};

/// How long the media engine may take to answer a `Destroy` before its counts are given up.
const COUNTERS_WAIT: Duration = Duration::from_secs(2);
/// How long a leg stays in the tables after its end, so that the last SIP messages find their ladder.
const LINGER: Duration = Duration::from_millis(500);
/// Our telephone-event payload type in offers.
const DTMF_PAYLOAD_TYPE: u8 = 101;
/// Codecs in order of preference.
const CODECS: [Codec; 2] = [Codec::Pcma, Codec::Pcmu];

/// One party of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Leg {
    pub call: CallKey,
    /// Within the call, from 0 (the caller).
    pub number: u32,
    pub role: Role,
    pub signalling: Signalling,
    /// Extension whose phone it is.
    pub extension: Option<String>,
    /// A call of that phone's own, not an offer of a queue.
    own: Option<OwnCall>,
    pub rtp: Option<Rtp>,
    pub state: LegState,
    pub playing: Option<Playing>,
    plays: u32,
    pub joined: Option<LegKey>,
    pub echo: bool,
    pub tap: Option<Side>,
    /// The peer put us on hold.
    pub held: bool,
}

/// What the leg is in its call.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Began the call.
    Caller,
    /// Rings for an offer.
    Offered(OfferKey),
    /// Answered; talks with the caller.
    Partner,
}

/// How far the leg is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum LegState {
    /// Not answered.
    Pending,
    /// Answered.
    Up,
    /// Over; the end of the SIP exchange and the media counts are still awaited.
    Closing {
        /// Since when.
        since: Instant,
    },
}

/// The leg's signalling.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) enum Signalling {
    /// A SIP dialog; none until its INVITE has left.
    Sip {
        dialog: Option<DialogKey>,
        /// The peer's offer while it waits for our answer.
        offer: Option<Audio>,
        /// What we said last.
        ours: Option<Audio>,
    },
    /// A port of a line card.
    Line(PortId),
}

/// The leg's RTP.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Rtp {
    pub port: u16,
    pub send: RtpSend,
    pub remote: Option<RtpRemote>,
    /// Ports that it had to leave.
    pub moves: u8,
    /// Of these, the engine's counts have not come yet.
    pub uncounted: u8,
    /// The peer does not know of the last move.
    pub untold: bool,
}

/// What plays to the leg.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Playing {
    pub id: PlayId,
    pub items: Vec<Item>,
    pub repeat: bool,
    pub since: Instant,
}

/// How to end a leg's signalling.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Goodbye<'a> {
    /// It has ended by itself.
    None,
    /// BYE, CANCEL or on-hook, with a Reason header.
    HangUp(Option<&'a str>),
    /// A final failure to an unanswered INVITE.
    Refuse(u16),
}

impl Leg {
    /// Over.
    pub fn is_closing(&self) -> bool {
        matches!(self.state, LegState::Closing { .. })
    }

    /// The SIP dialog, if it is that kind of leg.
    pub fn dialog(&self) -> Option<DialogKey> {
        match self.signalling {
            Signalling::Sip { dialog, .. } => dialog,
            Signalling::Line(_) => None,
        }
    }
}

impl Pbx {
    /// A new leg of a call, without media yet.
    pub(crate) fn new_leg(
        &mut self,
        turn: &mut Turn<'_>,
        call: CallKey,
        role: Role,
        signalling: Signalling,
        extension: Option<String>,
    ) -> Option<LegKey> {
        let offered = self.is_agent_offer(role);
        let record = self.calls.get_mut(call)?;
        let own = extension.as_ref().filter(|_| !offered).map(|_| OwnCall::of(record, role));
        let number = record.next_leg;
        record.next_leg += 1;
        let leg = self.legs.insert(Leg {
            call,
            number,
            role,
            extension: extension.clone(),
            own,
            rtp: None,
            state: LegState::Pending,
            playing: None,
            plays: 0,
            joined: None,
            echo: false,
            tap: None,
            held: false,
            signalling: signalling.clone(),
        });
        record.legs.push(leg);
        if let Signalling::Sip { dialog: Some(dialog), .. } = signalling {
            self.dialogs.insert(dialog, leg);
        }
        if let Some(extension) = extension {
            if let Some(kind) = own {
                self.own_leg(turn, &extension, kind, true);
            }
            self.extension_lamp(turn, &extension);
        }
        Some(leg)
    }

    /// What we can do on this leg, for offer and answer. A new session id the first time, a new version each time.
    pub(crate) fn ours(&mut self, config: &Config, leg: LegKey) -> Option<Ours> {
        let fresh = self.random.u64() >> 2;
        let leg = self.legs.get(leg)?;
        let port = leg.rtp.as_ref()?.port;
        let session = match &leg.signalling {
            Signalling::Sip { ours: Some(ours), .. } => (ours.session.0, ours.session.1 + 1),
            Signalling::Sip { ours: None, .. } | Signalling::Line(_) => (fresh, 1),
        };
        let addr = SocketAddr::new(config.media.address, port);
        Some(Ours { addr, session, codecs: CODECS.to_vec(), dtmf: true })
    }

    /// Our offer on this leg.
    pub(crate) fn our_offer(&mut self, config: &Config, leg: LegKey) -> Option<Audio> {
        let ours = self.ours(config, leg)?;
        let format = |codec| Format { payload_type: if codec == Codec::Pcma { 8 } else { 0 }, codec };
        let offer = Audio {
            session: ours.session,
            addr: ours.addr,
            formats: CODECS.into_iter().map(format).collect(),
            dtmf: Some(DTMF_PAYLOAD_TYPE),
            direction: Direction::SendRecv,
        };
        self.said(leg, &offer);
        Some(offer)
    }

    /// Our answer to the offer that waits on this leg; the agreement is in force at once. None when nothing fits.
    pub(crate) fn our_answer(
        &mut self,
        turn: &mut Turn<'_>,
        config: &Config,
        leg: LegKey,
        offer: &Audio,
    ) -> Option<Audio> {
        let ours = self.ours(config, leg)?;
        let (answer, remote) = sdp::negotiate(offer, &ours)?;
        self.said(leg, &answer);
        self.set_remote(turn, leg, remote);
        Some(answer)
    }

    /// The peer answered our offer. False when nothing fits.
    pub(crate) fn their_answer(&mut self, turn: &mut Turn<'_>, leg: LegKey, answer: &Audio) -> bool {
        let Some(Leg { signalling: Signalling::Sip { ours: Some(ours), .. }, .. }) = self.legs.get(leg) else {
            return false;
        };
        let Some(remote) = sdp::remote_of(answer, ours) else { return false };
        self.set_remote(turn, leg, remote);
        true
    }

    fn said(&mut self, leg: LegKey, audio: &Audio) {
        if let Some(Leg { signalling: Signalling::Sip { ours, offer, .. }, .. }) = self.legs.get_mut(leg) {
            *ours = Some(audio.clone());
            *offer = None;
        }
    }

    fn set_remote(&mut self, turn: &mut Turn<'_>, leg: LegKey, remote: RtpRemote) {
        if let Some(Rtp { remote: agreed, .. }) = self.legs.get_mut(leg).and_then(|l| l.rtp.as_mut()) {
            *agreed = Some(remote);
            turn.out.push(Output::Media(Command::SetRemote { leg, remote }));
        }
    }

    /// Plays to a leg instead of what it heard.
    pub(crate) fn play(&mut self, turn: &mut Turn<'_>, leg: LegKey, items: Vec<Item>, repeat: bool) -> Option<PlayId> {
        let since = turn.now.at;
        let record = self.legs.get_mut(leg)?;
        record.plays += 1;
        let id = PlayId(record.plays);
        record.playing = Some(Playing { id, items: items.clone(), repeat, since });
        let what = format!("play {}", items.iter().map(item_name).collect::<Vec<_>>().join(", "));
        turn.out.push(Output::Media(Command::Play { leg, play: id, items, repeat, since }));
        self.note_leg(turn, leg, "media", Detail::Media { what });
        Some(id)
    }

    /// Ends what plays to a leg.
    pub(crate) fn stop_play(&mut self, turn: &mut Turn<'_>, leg: LegKey) {
        if self.legs.get_mut(leg).and_then(|l| l.playing.take()).is_some() {
            turn.out.push(Output::Media(Command::StopPlay { leg }));
        }
    }

    /// Two legs hear each other from now on.
    pub(crate) fn join(&mut self, turn: &mut Turn<'_>, a: LegKey, b: LegKey) {
        self.stop_play(turn, a);
        self.stop_play(turn, b);
        for (leg, other) in [(a, b), (b, a)] {
            if let Some(record) = self.legs.get_mut(leg) {
                record.joined = Some(other);
            }
        }
        turn.out.push(Output::Media(Command::Join { a, b }));
        self.note_leg(turn, b, "media", Detail::Media { what: "join".into() });
    }

    /// The leg hears itself.
    pub(crate) fn echo(&mut self, turn: &mut Turn<'_>, leg: LegKey) {
        if let Some(record) = self.legs.get_mut(leg) {
            record.echo = true;
            turn.out.push(Output::Media(Command::Echo { leg }));
        }
    }

    /// Taps the leg into the recording of its call, when the call is recorded.
    pub(crate) fn tap(&mut self, turn: &mut Turn<'_>, leg: LegKey, side: Side) {
        let Some(record) = self.legs.get_mut(leg) else { return };
        let Some(recording) = self.calls.get(record.call).and_then(|c| c.recording) else { return };
        record.tap = Some(side);
        let command = Command::RecordStart { leg, recording: recording.uid, side, since: recording.since };
        turn.out.push(Output::Media(command));
    }

    /// The leg is answered from now on.
    pub(crate) fn leg_up(&mut self, turn: &mut Turn<'_>, leg: LegKey) {
        if let Some(record) = self.legs.get_mut(leg) {
            record.state = LegState::Up;
            let own = record.own;
            if let Some(extension) = record.extension.clone() {
                if own.is_some() {
                    self.took_own_call(turn, &extension);
                }
                self.extension_lamp(turn, &extension);
            }
        }
        let actor = self.actor_of(leg);
        self.note_leg(turn, leg, &actor, Detail::Answered);
    }

    /// Ends a leg: signalling, media, its share of the tables. Ending it twice does nothing.
    pub(crate) fn end_leg(&mut self, turn: &mut Turn<'_>, leg: LegKey, cause: &str, goodbye: Goodbye<'_>) {
        let now = turn.now.at;
        let actor = self.actor_of(leg);
        let Some(record) = self.legs.get_mut(leg).filter(|l| !l.is_closing()) else { return };
        record.state = LegState::Closing { since: now };
        let (extension, own) = (record.extension.clone(), record.own);
        let has_media = record.rtp.is_some() || matches!(record.signalling, Signalling::Line(_));
        let joined = record.joined.take();
        match record.signalling {
            Signalling::Line(port) => self.release_line(turn, port),
            Signalling::Sip { dialog: Some(dialog), .. } => self.end_dialog(turn, dialog, goodbye),
            Signalling::Sip { dialog: None, .. } => {}
        }
        if let Some(other) = joined.and_then(|l| self.legs.get_mut(l)) {
            other.joined = None;
        }
        if let Some(extension) = extension {
            if let Some(kind) = own {
                self.own_leg(turn, &extension, kind, false);
            }
            self.extension_lamp(turn, &extension);
        }
        self.note_leg(turn, leg, &actor, Detail::LegEnded { cause: cause.to_string() });
        if has_media {
            turn.out.push(Output::Media(Command::Destroy { leg }));
        }
        self.timers.set(Timer::LegClose(leg), now + if has_media { COUNTERS_WAIT } else { LINGER });
    }

    fn end_dialog(&mut self, turn: &mut Turn<'_>, dialog: DialogKey, goodbye: Goodbye<'_>) {
        match goodbye {
            Goodbye::None => {}
            Goodbye::HangUp(reason) => self.with_sip(turn, |sip, now, out| sip.hangup(now, dialog, reason, out)),
            Goodbye::Refuse(code) => self.with_sip(turn, |sip, now, out| sip.refuse(now, dialog, code, out)),
        }
    }

    /// The media engine has closed the leg and counted it.
    pub(crate) fn leg_counted(&mut self, turn: &mut Turn<'_>, leg: LegKey, c: Counters) {
        if self.port_counted(turn, leg) {
            return;
        }
        let detail = Detail::LegMedia { sent: c.sent, received: c.received, lost: c.lost, strangers: c.strangers };
        self.note_leg(turn, leg, "media", detail);
        let Some(record) = self.legs.get_mut(leg) else { return };
        if let LegState::Closing { since } = record.state {
            if let Some(rtp) = record.rtp.take() {
                self.ports.give_back(rtp.port);
            }
            self.timers.set(Timer::LegClose(leg), since + LINGER);
        }
    }

    /// Nothing more is awaited of a leg that is over: the last of it goes.
    pub(crate) fn leg_closed(&mut self, leg: LegKey) {
        let Some(record) = self.legs.remove(leg) else { return };
        if let Some(rtp) = record.rtp {
            self.ports.give_back(rtp.port);
        }
        if let Signalling::Sip { dialog: Some(dialog), .. } = record.signalling {
            self.dialogs.remove(&dialog);
        }
        self.leg_gone(record.call, leg);
    }

    /// A fact about a leg.
    pub(crate) fn note_leg(&mut self, turn: &mut Turn<'_>, leg: LegKey, actor: &str, detail: Detail) {
        let Some(record) = self.legs.get(leg) else { return };
        let number = record.number;
        let uid = self.calls.get(record.call).map(|c| c.uid);
        self.note(turn, uid, Some(number), actor, detail);
    }

    /// Who acts on this leg: `line 1/1`, `extension 2001`, `agent 1001`, `trunk carrier`.
    pub(crate) fn actor_of(&self, leg: LegKey) -> String {
        let Some(record) = self.legs.get(leg) else { return String::new() };
        match (&record.signalling, &record.extension) {
            (Signalling::Line(port), _) => format!("line {}/{}", port.card, port.port),
            (Signalling::Sip { .. }, Some(extension)) => format!("extension {extension}"),
            (Signalling::Sip { .. }, None) => match self.calls.get(record.call).map(|c| (&c.origin, &c.outside)) {
                Some((Origin::Trunk(name), _)) => format!("trunk {name}"),
                Some((_, Some(outside))) => format!("trunk {}", outside.trunk),
                Some((Origin::Extension(_) | Origin::Line(_), None)) | None => "sip".to_string(),
            },
        }
    }

    fn is_agent_offer(&self, role: Role) -> bool {
        match role {
            Role::Offered(offer) => self.offers.get(offer).is_some_and(|o| o.agent.is_some()),
            Role::Partner | Role::Caller => false,
        }
    }

    /// What the engine must be told again after a restart, for one live leg.
    pub(crate) fn media_again(&self, leg: LegKey, out: &mut Vec<Output>) {
        let Some(record) = self.legs.get(leg) else { return };
        let mut commands = vec![];
        match (&record.signalling, &record.rtp) {
            (Signalling::Line(port), _) => commands.push(Command::CreateTdm { leg, port: *port }),
            (Signalling::Sip { .. }, Some(rtp)) => {
                commands.push(Command::CreateRtp { leg, local_port: rtp.port, send: rtp.send });
                commands.extend(rtp.remote.map(|remote| Command::SetRemote { leg, remote }));
            }
            (Signalling::Sip { .. }, None) => return,
        }
        if let Some(p) = &record.playing {
            let (play, items, repeat, since) = (p.id, p.items.clone(), p.repeat, p.since);
            commands.push(Command::Play { leg, play, items, repeat, since });
        }
        if record.echo {
            commands.push(Command::Echo { leg });
        }
        if let (Some(side), Some(recording)) = (record.tap, self.calls.get(record.call).and_then(|c| c.recording)) {
            commands.push(Command::RecordStart { leg, recording: recording.uid, side, since: recording.since });
        }
        out.extend(commands.into_iter().map(Output::Media));
    }
}

fn item_name(item: &Item) -> String {
    match item {
        Item::Prompt { name, language } => format!("{name} ({language})"),
        Item::Tone(tone) => format!("tone {tone:?}"),
        Item::Music => "music".into(),
        Item::Pause(ms) => format!("pause {ms} ms"),
    }
}
