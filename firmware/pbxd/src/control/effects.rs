//! What follows from a turn, carried out: datagrams and bytes leave, commands go to their threads, alarms to the log.

use super::datagrams::{self, Datagrams};
use super::inbox::Inbox;
use super::streams::{self, Streams};
use crate::admin::Tickets;
use crate::media_thread::{MediaCommands, MediaThread};
use crate::network;
use crate::recorder::Recorder;
use crate::store::{Request, Store};
use base::line::{LineCommand, PortId};
use base::media::Command;
use pbx::config::{Config, Language};
use pbx::door::{Alarm, Input, Output, RecordingChange, Trouble, TroubleKind};
use pbx::text::{alarm, text};
use signaling::sip::door::{Input as SipIn, Output as SipOut};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::mpsc::Sender;

/// The ways out of the control task.
pub struct Effects {
    /// The data directory.
    pub data: PathBuf,
    /// Where SIP is spoken.
    pub listen: SocketAddr,
    /// SIP over UDP.
    pub datagrams: Datagrams,
    /// SIP over TCP.
    pub streams: Streams,
    /// The media engine.
    pub media: MediaThread,
    /// The way to it.
    pub media_commands: MediaCommands,
    /// Facts and the index of recordings.
    pub store: Store,
    /// Takes what the media workers tap.
    pub recorder: Recorder,
    /// To the line cards; none without a world or a chassis.
    pub lines: Option<Sender<(PortId, LineCommand)>>,
    /// Who waits for an answer.
    pub tickets: Tickets,
    /// Of alarms.
    pub language: Language,
    /// A commit came into force; what the shell has of it follows.
    pub in_force: bool,
}

impl Effects {
    /// Carries out and empties the list. True when the core said that the program may stop.
    pub fn perform(&mut self, outputs: &mut Vec<Output>, then: &mut Vec<Input>) -> bool {
        let mut may_stop = false;
        for output in outputs.drain(..) {
            match output {
                Output::Sip(sip) => self.sip(sip, then),
                Output::Media(command) => self.media(command),
                Output::Line(port, command) => self.line(port, command),
                Output::Record(event) => self.keep(Request::Leg(event)),
                Output::Recording(change) => self.recording(change),
                Output::Alarm(alarm) => log_alarm(&alarm, self.language),
                Output::MayStop => may_stop = true,
                Output::StoreCommit(row) => self.keep(Request::Commit(row)),
                Output::CommitConfirmed(number) => self.keep(Request::CommitConfirmed(number)),
                Output::InForce(_) => self.in_force = true,
                Output::Answer(ticket, answer) => self.tickets.answer(ticket, answer),
            }
        }
        may_stop
    }

    /// What the shell has of the configuration follows the one in force: language and addresses. Trouble is for the core.
    pub fn follow(&mut self, config: &Config, inbox: &Inbox) {
        self.language = config.system.language;
        self.follow_network(config);
        let listen = config.sip.listen;
        if self.listen == listen {
            return;
        }
        let moved = self.move_to(listen);
        let detail = match &moved {
            Ok(()) => String::new(),
            Err(why) => format!("sip listen {listen}: {why}; calls go on at {}", self.listen),
        };
        if moved.is_ok() {
            tracing::info!("SIP listens on {listen} from now on");
            self.listen = listen;
        }
        // Without room for it the log has it.
        let trouble = Trouble { kind: TroubleKind::SipSocket, raised: moved.is_err(), detail };
        if inbox.offer(trouble, Input::Trouble).is_err() {
            tracing::error!("sip listen {listen}: the inbox is full");
        }
    }

    /// Small files, and only when the network changes.
    fn follow_network(&self, config: &Config) {
        match network::follow(&self.data, &config.network) {
            Ok(true) => tracing::info!("network: {} on {}", config.network.method.word(), config.network.interface),
            Ok(false) => {}
            Err(why) => tracing::error!("{}: {why}; the network stays as it is", self.data.join("network").display()),
        }
    }

    fn move_to(&mut self, listen: SocketAddr) -> std::io::Result<()> {
        let tcp = streams::listen(listen)?;
        if !self.datagrams.move_back(listen) {
            self.datagrams.move_to(datagrams::bind(listen)?, listen);
        }
        self.streams.move_to(tcp, listen);
        Ok(())
    }

    /// Ends the threads behind it; everything given to the store is on the disk afterwards, as far as the disk works.
    pub fn finish(self) {
        drop(self.lines);
        drop(self.media_commands);
        self.media.stop();
        self.recorder.finish();
        self.store.finish();
    }

    /// Waits when the engine is behind: a command is never lost. The engine has no end of its own.
    fn media(&self, command: Command) {
        self.media_commands.send(command);
    }

    fn recording(&self, change: RecordingChange) {
        if let RecordingChange::Close { recording, .. } = &change {
            self.recorder.tap().close(*recording);
        }
        self.keep(Request::Recording(change));
    }

    /// A row that the store cannot take any more is counted there and reported as trouble.
    fn keep(&self, request: Request) {
        let _ = self.store.request(request);
    }

    /// A command for a card that is not there has no effect; the core knows ports only by what they report.
    fn line(&self, port: PortId, command: LineCommand) {
        if let Some(lines) = &self.lines {
            let _ = lines.send((port, command));
        }
    }

    fn sip(&mut self, output: SipOut, then: &mut Vec<Input>) {
        match output {
            SipOut::Datagram { local, remote, bytes } => self.datagrams.send(local, remote, &bytes),
            SipOut::Bytes { conn, bytes } => {
                if !self.streams.write(conn, bytes) {
                    then.push(Input::Sip(SipIn::Closed { conn }));
                }
            }
            SipOut::Connect { conn, remote } => self.streams.connect(conn, remote),
            SipOut::Close { conn } => self.streams.close(conn),
            // Stays inside the core by its contract.
            SipOut::Event(_) => {}
        }
    }
}

/// One line for the operator.
fn log_alarm(alarm: &Alarm, language: Language) {
    let Alarm { name, subject, raised, detail } = alarm;
    if *raised {
        let words = if detail.is_empty() { subject } else { detail };
        tracing::warn!("{}", text(alarm::RAISED, language, &[("name", name), ("text", words)]));
    } else {
        let words = text(alarm::CLEARED, language, &[("name", name), ("subject", subject)]);
        // Of an alarm that concerns the whole box the name says it all.
        tracing::info!("{}", words.trim_end_matches([' ', ':', '：']));
    }
}
