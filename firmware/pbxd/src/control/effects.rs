//! What follows from a turn, carried out: datagrams and bytes leave, commands go to their threads, alarms to the log.

use super::datagrams::Datagrams;
use super::streams::Streams;
use crate::media_thread::{MediaCommands, MediaThread};
use crate::recorder::Recorder;
use crate::store::{Request, Store};
use base::line::{LineCommand, PortId};
use base::media::Command;
use pbx::config::Language;
use pbx::door::{Alarm, Input, Output, RecordingChange};
use pbx::text::{alarm, text};
use signaling::sip::door::{Input as SipIn, Output as SipOut};
use std::sync::mpsc::Sender;

/// The ways out of the control task.
pub struct Effects {
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
    /// Of alarms.
    pub language: Language,
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
            }
        }
        may_stop
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
            SipOut::Datagram { remote, bytes, .. } => self.datagrams.send(remote, &bytes),
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
