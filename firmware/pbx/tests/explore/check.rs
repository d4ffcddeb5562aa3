//! What must hold in every world, read from what a snapshot of the core says, from the bridges of the media engine and
//! from the phones: apart from the code that is checked.

use base::id::LegKey;
use base::slab::Key;
use serde_json::{Map, Value};

use crate::phone::Stage;
use crate::world::World;

/// The tables of the core as its snapshot writes them.
pub struct Seen(pub Map<String, Value>);

type Row<'v> = (u64, u64, &'v Value);

impl Seen {
    fn rows(&self, table: &str) -> Vec<Row<'_>> {
        let slots = self.0.get(table).and_then(|t| t["slots"].as_array()).map(Vec::as_slice).unwrap_or_default();
        let row = |(at, slot): (usize, &Value)| (at as u64, slot["generation"].as_u64().unwrap_or(u64::MAX));
        let live = slots.iter().enumerate().filter(|(_, slot)| !slot["value"].is_null());
        let mut rows: Vec<Row<'_>> = vec![];
        for (at, slot) in live {
            let (index, generation) = row((at, slot));
            rows.push((index, generation, &slot["value"]));
        }
        rows
    }

    fn find(&self, table: &str, key: &Value) -> Option<&Value> {
        let is = |row: &Row<'_>| key["index"] == row.0 && key["generation"] == row.1;
        self.rows(table).into_iter().find(is).map(|row| row.2)
    }

    fn agents(&self) -> &[Value] {
        self.0.get("agents").and_then(|a| a["list"].as_array()).map(Vec::as_slice).unwrap_or_default()
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn is(key: &Value, row: &Row<'_>) -> bool {
    key["index"] == row.0 && key["generation"] == row.1
}

fn is_closing(leg: &Value) -> bool {
    !leg["state"]["Closing"].is_null()
}

/// The first rule that this world breaks, in words.
pub fn broken(world: &World, seen: &Seen) -> Option<String> {
    if let Some(complaint) = &world.complaint {
        return Some(complaint.clone());
    }
    for phone in &world.phones {
        if phone.is_unacknowledged && !world.is_disturbed {
            return Some(format!("phone {} answered, and was hung up on without ACK", phone.user));
        }
        if let Some(complaint) = &phone.complaint {
            return Some(format!("phone {} {complaint}", phone.user));
        }
    }
    let rules = [calls, offers, agents, legs, waiting];
    let broken = rules.into_iter().find_map(|rule| rule(seen)).or_else(|| bridges(world, seen));
    broken.or_else(|| if world.is_calm() { calm(world, seen) } else { None })
}

/// A call is somebody's: its caller is there; it has one partner when it is talked in, and no phone rings for it then.
fn calls(seen: &Seen) -> Option<String> {
    for row in seen.rows("calls") {
        let call = row.2;
        if call["phase"] == "Over" {
            continue;
        }
        let live: Vec<(&Value, &Value)> = list(&call["legs"])
            .iter()
            .filter_map(|key| Some((key, seen.find("legs", key)?)))
            .filter(|(_, leg)| !is_closing(leg))
            .collect();
        let count = |role: &str| live.iter().filter(|(_, leg)| leg["role"] == role).count();
        let offered = live.iter().filter(|(_, leg)| !leg["role"]["Offered"].is_null()).count();
        if count("Caller") != 1 {
            return Some(format!("call {} has {} callers: lost", row.0, count("Caller")));
        }
        let talking = &call["phase"]["Talking"];
        let partners = count("Partner");
        if talking.is_null() {
            if partners != 0 {
                return Some(format!("call {} has a partner in {}", row.0, call["phase"]));
            }
            continue;
        }
        if partners != 1 || offered != 0 {
            return Some(format!("call {} is talked in with {partners} partners, and {offered} phones ring", row.0));
        }
        if !live.iter().any(|(key, leg)| **key == talking["partner"] && leg["role"] == "Partner") {
            return Some(format!("call {} names another partner", row.0));
        }
    }
    None
}

/// An offer is of a call that knows it, and has phones that ring.
fn offers(seen: &Seen) -> Option<String> {
    for row in seen.rows("offers") {
        let offer = row.2;
        let Some(call) = seen.find("calls", &offer["call"]) else {
            return Some(format!("offer {} is of no call", row.0));
        };
        let known = list(&call["phase"]["Waiting"]["offers"]).iter().any(|key| is(key, &row))
            || is(&call["phase"]["Ringing"]["offer"], &row);
        if !known {
            return Some(format!("offer {} is of a call in {} that does not know it", row.0, call["phase"]));
        }
        let legs = list(&offer["legs"]);
        let rings = |key: &Value| {
            seen.find("legs", key).is_some_and(|leg| !is_closing(leg) && is(&leg["role"]["Offered"], &row))
        };
        if legs.is_empty() || !legs.iter().all(rings) {
            return Some(format!("offer {} has phones that do not ring for it", row.0));
        }
        if let Some(index) = offer["agent"].as_u64() {
            let state = seen.agents().get(index as usize).map_or(&Value::Null, |a| &a["state"]);
            if !is(&state["Reserved"]["offer"], &row) && !is(&state["Ringing"]["offer"], &row) {
                return Some(format!("offer {} is to an agent in {state}", row.0));
            }
        }
    }
    None
}

/// An agent who is reserved or rings has that offer, one who talks has that call, and the other way round.
fn agents(seen: &Seen) -> Option<String> {
    for (index, agent) in seen.agents().iter().enumerate() {
        let (id, state) = (&agent["id"], &agent["state"]);
        for name in ["Reserved", "Ringing"] {
            let offer = &state[name]["offer"];
            if !offer.is_null() && seen.find("offers", offer).is_none_or(|o| o["agent"] != index) {
                return Some(format!("agent {id} is {name} for an offer that is over, or somebody else's"));
            }
        }
        for name in ["Talking", "Hold"] {
            let call = &state[name]["call"];
            let serves = |c: &Value| c["phase"]["Talking"]["served"]["agent"] == index;
            if !call.is_null() && !seen.find("calls", call).is_some_and(serves) {
                return Some(format!("agent {id} is {name} in a call that is over, or somebody else's"));
            }
        }
        let offers = seen.rows("offers").into_iter().filter(|row| row.2["agent"] == index).count();
        let serves = |row: &Row<'_>| row.2["phase"]["Talking"]["served"]["agent"] == index;
        let calls: Vec<_> = seen.rows("calls").into_iter().filter(serves).collect();
        if offers + calls.len() > 1 {
            return Some(format!("agent {id} has {offers} offers and {} calls", calls.len()));
        }
        for row in calls {
            if !is(&state["Talking"]["call"], &row) && !is(&state["Hold"]["call"], &row) {
                return Some(format!("agent {id} has call {} and is {state}", row.0));
            }
        }
    }
    None
}

/// A leg that is not over is of a call that is not over and lists it; an offered one is listed by its offer, too.
fn legs(seen: &Seen) -> Option<String> {
    for row in seen.rows("legs").into_iter().filter(|row| !is_closing(row.2)) {
        let leg = row.2;
        let listed = |call: &Value| call["phase"] != "Over" && list(&call["legs"]).iter().any(|key| is(key, &row));
        if !seen.find("calls", &leg["call"]).is_some_and(listed) {
            return Some(format!("leg {} goes on after its call", row.0));
        }
        let offer = &leg["role"]["Offered"];
        let rings = |offer: &Value| list(&offer["legs"]).iter().any(|key| is(key, &row));
        if !offer.is_null() && !seen.find("offers", offer).is_some_and(rings) {
            return Some(format!("leg {} rings for an offer that is over", row.0));
        }
    }
    None
}

/// Who waits has a place in the queue, and who has a place waits.
fn waiting(seen: &Seen) -> Option<String> {
    let queues = seen.0.get("queues").and_then(Value::as_object);
    let places = || queues.into_iter().flat_map(|q| q.values()).filter_map(|q| q["waiting"].as_object());
    for key in places().flat_map(|waiting| waiting.values()) {
        if seen.find("calls", key).is_none_or(|call| call["phase"]["Waiting"].is_null()) {
            return Some(format!("queue place of a caller who does not wait: {key}"));
        }
    }
    let in_place = places().map(|waiting| waiting.len()).sum::<usize>();
    let wait = seen.rows("calls").iter().filter(|row| !row.2["phase"]["Waiting"].is_null()).count();
    (in_place != wait).then(|| format!("{wait} callers wait in {in_place} places"))
}

/// The media engine joins the parties of the calls that are talked in, and nobody else.
fn bridges(world: &World, seen: &Seen) -> Option<String> {
    let talking = |row: &Row<'_>| !row.2["phase"]["Talking"].is_null();
    let talked = seen.rows("calls").into_iter().filter(talking);
    let mut joined = 0;
    for row in talked {
        let partner = &row.2["phase"]["Talking"]["partner"];
        let number = |field: &str| partner[field].as_u64().unwrap_or_default() as u32;
        if !world.bridges.contains_key(&LegKey::from_parts(number("index"), number("generation"))) {
            return Some(format!("nobody hears the partner of call {}", row.0));
        }
        joined += 2;
    }
    (world.bridges.len() != joined).then(|| format!("{} legs are joined in {joined} places", world.bridges.len()))
}

/// When nothing moves any more, whoever is in a call is in it on both sides.
fn calm(world: &World, seen: &Seen) -> Option<String> {
    for phone in &world.phones {
        for call in &phone.calls {
            if call.stage != Stage::Up {
                return Some(format!("phone {} waits for ever: {:?}", phone.user, call.stage));
            }
            let leg = world.ports.iter().find(|(_, port)| **port == call.port).map(|(leg, _)| leg);
            if !leg.is_some_and(|leg| world.bridges.contains_key(leg)) {
                return Some(format!("phone {} is up and hears nobody: a zombie", phone.user));
            }
        }
    }
    let ends = world.phones.iter().map(|p| p.calls.len()).sum::<usize>();
    if ends != world.bridges.len() {
        return Some(format!("{} legs are joined, {ends} phones know of it", world.bridges.len()));
    }
    let live = seen.rows("calls").into_iter().find(|row| row.2["phase"]["Talking"].is_null());
    live.map(|row| format!("call {} is left over in {}", row.0, row.2["phase"]))
}
