//! What breaks in phase one, how it is mended, and phase two: everything heals, everybody hangs up, nothing may be left.

use super::dialog::Stage;
use super::network::Weather;
use super::phone::Phone;
use super::world::{Event, World};
use base::line::{LineCommand, LineEvent, PortId};
use base::time::Now;
use pbx::Pbx;
use pbx::door::{Boot, Input};
use signaling::sip::door::Input as SipInput;

/// Something that breaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The wall clock steps by so many milliseconds.
    ClockStep(i64),
    /// The program is killed.
    Restart,
    /// The machine goes down and comes back: no call survives.
    PowerCut,
    /// The next input killed the program twice and is set aside.
    SetAside,
    /// The same site is configured again under another name.
    Reconfigured,
    /// A phone loses power.
    PhoneGone(usize),
    /// A line loses its battery.
    BatteryCut(PortId),
    /// A connection breaks: which, of those that are open.
    LinkCut(u64),
    /// The network is very bad for a while.
    Storm,
}

/// How bad the network is in a storm.
const STORM: Weather = Weather {
    loss_permille: 500,
    duplicate_permille: 100,
    reorder_permille: 200,
    delay_us_min: 1_000,
    delay_us_max: 100_000,
    late_us_max: 1_500_000,
};

/// A snapshot is taken after so many inputs.
const SHADOW_INPUTS: usize = 3_000;

/// What a recovery would rest on.
#[derive(Debug)]
pub struct Shadow {
    snapshot: Vec<u8>,
    inputs: Vec<(Now, Input)>,
}

impl World {
    /// Breaks something and plans the next fault.
    pub(super) fn fault(&mut self) {
        if self.healing {
            return;
        }
        let gap_us = self.dice.exponential(self.plan.fault_us_mean);
        self.plan_event(gap_us, Event::Fault);
        let fault = self.choose_fault();
        self.note(|| format!("FAULT {fault:?}"));
        self.stats.faults += 1;
        self.fault_times.push(self.now_us);
        let mend_us = self.dice.between(2_000_000, 30_000_000);
        match fault {
            Fault::ClockStep(ms) => self.wall_offset_ms += ms,
            Fault::Restart => self.restart(),
            Fault::PowerCut => self.power_cut(),
            Fault::Reconfigured => self.reconfigure(),
            Fault::SetAside => self.set_aside_next = true,
            Fault::PhoneGone(index) => {
                self.phone_gone(index);
                self.plan_event(mend_us * 2, Event::Mend(fault));
            }
            Fault::BatteryCut(port) => {
                self.battery_cut(port);
                self.plan_event(mend_us, Event::Mend(fault));
            }
            Fault::LinkCut(n) => {
                let links = self.links.all();
                if let Some(conn) = links.get(n as usize % links.len().max(1)).copied() {
                    self.cut_link(conn);
                }
            }
            Fault::Storm => {
                self.network.weather = STORM;
                self.plan_event(mend_us / 4, Event::Mend(fault));
            }
        }
    }

    fn choose_fault(&mut self) -> Fault {
        let n = self.dice.bits();
        let phones = self.trunk as u64;
        match self.dice.below(18) {
            0 => Fault::ClockStep(if n.is_multiple_of(2) { 3_600_000 } else { -3_600_000 }),
            1..=4 => Fault::Restart,
            5 | 6 => Fault::PhoneGone((n % phones) as usize),
            7 | 8 => {
                // In the middle of an offer, if there is one.
                let ringing = |p: &Phone| p.live().any(|(_, c)| c.stage == Stage::Offered);
                let busy = (0..self.trunk).find(|n| ringing(&self.phones[*n]));
                Fault::PhoneGone(busy.unwrap_or((n % phones) as usize))
            }
            9 | 10 => match self.plan.ports().get((n % u64::from(self.plan.lines.max(1))) as usize) {
                Some(port) => Fault::BatteryCut(*port),
                None => Fault::Storm,
            },
            11 | 12 => Fault::LinkCut(n),
            13 => Fault::Reconfigured,
            14 if self.plan.power_cuts => Fault::PowerCut,
            14 => Fault::ClockStep(if n.is_multiple_of(2) { 350 } else { -350 }),
            15 => Fault::SetAside,
            _ => Fault::Storm,
        }
    }

    /// Mends what broke.
    pub(super) fn mend(&mut self, fault: Fault) {
        match fault {
            Fault::PhoneGone(index) => {
                if !self.phones[index].alive {
                    self.note(|| format!("phone {index} has power again"));
                    self.phones[index].alive = true;
                    self.with_phone(index, Phone::reboot);
                }
            }
            Fault::BatteryCut(port) => {
                if self.lines.get(&port).is_some_and(|l| !l.battery) {
                    self.plan_event(0, Event::Line(port, LineEvent::BatteryBack));
                }
            }
            Fault::Storm => self.network.weather = if self.healing { Weather::FAIR } else { self.plan.weather },
            Fault::ClockStep(_)
            | Fault::Restart
            | Fault::PowerCut
            | Fault::Reconfigured
            | Fault::SetAside
            | Fault::LinkCut(_) => {}
        }
    }

    fn phone_gone(&mut self, index: usize) {
        let calls: Vec<_> = self.phones[index].live().map(|(no, c)| (no, c.rtp)).collect();
        self.phones[index].vanish();
        for (no, rtp) in calls {
            let way = super::caller::Way::Phone(index, no);
            if let Some(id) = self.caller_by_way.remove(&way) {
                self.caller_left_by_box(id);
            }
            let timeout_us = u64::from(self.check.silence_timeout_s) * 1_000_000;
            self.plan_event(timeout_us, Event::Silence(rtp));
        }
        self.cut_links_of(index);
    }

    fn battery_cut(&mut self, port: PortId) {
        let Some(line) = self.lines.get_mut(&port) else { return };
        let caller = line.caller.take();
        line.ringing = false;
        if let Some(id) = caller {
            self.caller_by_way.remove(&super::caller::Way::Line(port));
            self.caller_left_by_box(id);
        }
        self.plan_event(150_000, Event::Line(port, LineEvent::BatteryLost));
        self.plan_event(40_000_000, Event::LockOut(port));
    }

    /// Kills the program: its state is what was on disk, everything else is gone.
    fn restart(&mut self) {
        if self.away.is_some() {
            return;
        }
        self.stats.restarts += 1;
        let state = match postcard::to_allocvec(&self.pbx) {
            Ok(state) => state,
            Err(why) => return self.check.say(self.now_us, format!("the state does not serialize: {why}")),
        };
        self.compare_shadow(&state);
        self.away = Some(state);
        self.media.forget();
        self.check.restarted(self.now_us);
        self.forget_links();
        let gap_us = self.dice.between(50_000, 950_000);
        self.plan_event(gap_us, Event::Back);
    }

    /// What the journal and the snapshot before it lead to is the state that was killed.
    fn compare_shadow(&mut self, state: &[u8]) {
        let Some(Shadow { snapshot, inputs }) = self.shadow.take() else { return };
        let Ok(mut pbx) = postcard::from_bytes::<Pbx>(&snapshot) else {
            return self.check.say(self.now_us, "a snapshot does not come back".into());
        };
        let count = inputs.len();
        for (now, input) in inputs {
            pbx.handle(now, input, &mut Vec::new());
        }
        if postcard::to_allocvec(&pbx).ok().as_deref() != Some(state) {
            self.check
                .say(self.now_us, format!("after {count} inputs the recovered state is not the one that was killed"));
        }
    }

    /// Keeps what a recovery would rest on.
    pub(super) fn keep_shadow(&mut self, now: Now, input: &Input) {
        let full = self.shadow.as_ref().is_none_or(|shadow| shadow.inputs.len() >= SHADOW_INPUTS);
        if full && let Ok(snapshot) = postcard::to_allocvec(&self.pbx) {
            self.shadow = Some(Shadow { snapshot, inputs: Vec::new() });
        }
        if let Some(shadow) = &mut self.shadow {
            shadow.inputs.push((now, input.clone()));
        }
    }

    /// The machine goes down: lines fall back on-hook, and whoever talked through it is alone and hangs up.
    fn power_cut(&mut self) {
        if self.away.is_some() {
            return;
        }
        self.restart();
        self.power_was_cut = true;
        self.machine_restarted = true;
        self.check.power_cut();
        for port in self.plan.ports() {
            self.line_commanded(port, LineCommand::OnHook);
        }
        for index in 0..self.phones.len() {
            let calls: Vec<_> = self.phones[index].live().map(|(no, c)| (no, c.rtp)).collect();
            for (no, rtp) in calls {
                let id = self.caller_by_way.get(&super::caller::Way::Phone(index, no)).copied();
                let pause_us = self.dice.between(2_000_000, 8_000_000);
                match id {
                    Some(id) => self.plan_event(pause_us, Event::Caller(id, super::caller::Step::Goodbye)),
                    None => self.plan_event(pause_us, Event::HangUp(rtp)),
                }
            }
        }
    }

    /// Sets the input aside when the last fault asked for it; a stream without some of its bytes would be another fault.
    pub(super) fn perhaps_set_aside(&mut self, input: Input) -> Input {
        let fits = matches!(input, Input::Sip(SipInput::Datagram { .. }) | Input::Media(_) | Input::Line(..));
        if fits && std::mem::take(&mut self.set_aside_next) {
            let seq = self.stats.inputs;
            self.set_aside = Some(seq);
            return Input::SetAside { seq, input: Box::new(input) };
        }
        input
    }

    fn reconfigure(&mut self) {
        let mut config = self.plan.config();
        config.system.name = format!("simulated {}", self.stats.faults);
        self.feed(Input::Configured(std::sync::Arc::new(config), 1));
    }

    /// The program is back.
    pub(super) fn back(&mut self) {
        let Some(state) = self.away.take() else { return };
        match postcard::from_bytes::<Pbx>(&state) {
            Ok(pbx) => self.pbx = pbx,
            Err(why) => return self.check.say(self.now_us, format!("the state does not come back: {why}")),
        }
        self.check.restarted(self.now_us);
        let (seed, build) = (self.dice.key(), "simulation".into());
        let machine_restarted = std::mem::take(&mut self.power_was_cut);
        self.feed(Input::Boot(Boot { seed, build, recovered: true, machine_restarted, events_from: 1 }));
        for port in self.plan.ports() {
            let Some(line) = self.lines.get(&port) else { continue };
            self.plan_event(20_000, Event::Line(port, line.attached()));
            if self.lines.get(&port).is_some_and(|l| l.ringing) {
                self.plan_event(1_500_000, Event::Line(port, LineEvent::RingBegan));
            }
        }
    }

    /// Phase two begins: nothing breaks any more, what is broken is mended.
    pub(super) fn heal(&mut self) {
        self.note(|| "HEAL".into());
        self.healing = true;
        self.network.weather = Weather::FAIR;
        for index in 0..self.trunk {
            self.mend(Fault::PhoneGone(index));
        }
        for port in self.plan.ports() {
            self.mend(Fault::BatteryCut(port));
        }
        let ids: Vec<_> = self.callers.iter().filter(|(_, c)| c.ended_us.is_none()).map(|(id, _)| *id).collect();
        for id in ids {
            let pause_us = self.dice.below(5_000_000);
            self.plan_event(pause_us, Event::Caller(id, super::caller::Step::Goodbye));
        }
        self.plan_event(8_000_000, Event::AllHangUp);
        self.plan_event(60_000_000, Event::AllHangUp);
        self.plan_event(100_000_000, Event::Quiet);
        self.plan_event(200_000_000, Event::Verify);
    }

    /// Everybody who still holds a phone hangs up.
    pub(super) fn all_hang_up(&mut self) {
        for index in 0..self.phones.len() {
            let calls: Vec<_> = self.phones[index].live().map(|(no, _)| no).collect();
            for no in calls {
                self.with_phone(index, |phone, now_us, out| phone.hang_up(now_us, no, out));
            }
        }
    }

    /// The end: every table is empty.
    pub(super) fn verify(&mut self) {
        let now_us = self.now_us;
        if !self.pbx.is_empty() {
            let state = format!("{:?}", self.pbx);
            // The configuration comes first and is long.
            let tables = state.find("sip: Endpoint").unwrap_or(0);
            let state: String = state.chars().skip(tables).take(20_000).collect();
            self.check.say(now_us, format!("tables are not empty after the last hangup: {state}"));
        }
        let legs: Vec<_> = self.media.legs().map(|(k, l)| format!("{k:?} {l:?}")).collect();
        if !legs.is_empty() {
            self.check.say(now_us, format!("media legs left: {legs:?}"));
        }
        for (port, line) in &self.lines {
            if line.off_hook || line.caller.is_some() {
                self.check.say(now_us, format!("line {port:?} is left: {line:?}"));
            }
        }
        for (index, phone) in self.phones.iter().enumerate() {
            if let Some((no, call)) = phone.live().next() {
                self.check.say(now_us, format!("phone {index} is left in {no:?}: {call:?}"));
            }
        }
        let fair = self.plan.weather == Weather::FAIR;
        self.check.finish(now_us, &self.callers, fair, &self.fault_times);
        self.finish();
    }
}
