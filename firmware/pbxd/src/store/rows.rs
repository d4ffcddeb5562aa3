//! Leg events as rows and back. The kind of a row is the variant's name, its detail the variant's fields as JSON.

use base::time::{Instant, Wall};
use pbx::event::{Detail, LegEvent};
use rusqlite::Row;
use serde_json::{Map, Value};

use super::StoreError;
use super::main_db::parse_uid;

/// Columns in the order that [`event`] reads.
pub(super) const COLUMNS: &str = "seq, ts_us, wall_ms, call_id, leg_id, kind, actor, detail_json";

/// Variant name and fields.
pub(super) fn split_detail(detail: &Detail) -> Result<(String, String), StoreError> {
    let broken = |error: serde_json::Error| StoreError::Row(error.to_string());
    let split = match serde_json::to_value(detail).map_err(broken)? {
        Value::String(kind) => (kind, "{}".to_string()),
        Value::Object(fields) => match fields.into_iter().next() {
            Some((kind, fields)) => (kind, fields.to_string()),
            None => return Err(StoreError::Row("detail without kind".into())),
        },
        other => return Err(StoreError::Row(other.to_string())),
    };
    Ok(split)
}

fn join_detail(kind: &str, detail: &str) -> Option<Detail> {
    let fields: Map<String, Value> = serde_json::from_str(detail).ok()?;
    if fields.is_empty()
        && let Ok(detail) = serde_json::from_value(Value::String(kind.into()))
    {
        return Some(detail);
    }
    let mut whole = Map::new();
    whole.insert(kind.into(), Value::Object(fields));
    serde_json::from_value(Value::Object(whole)).ok()
}

/// One row as the event it was.
pub(super) fn event(row: &Row<'_>) -> Result<LegEvent, StoreError> {
    let seq = row.get::<_, i64>(0)? as u64;
    let call: Option<String> = row.get(3)?;
    let (kind, detail): (String, String) = (row.get(5)?, row.get(7)?);
    Ok(LegEvent {
        seq,
        at: Instant::from_micros(row.get::<_, i64>(1)? as u64),
        wall: Wall::from_millis(row.get(2)?),
        call: call.as_deref().map(parse_uid).transpose()?,
        leg: row.get(4)?,
        actor: row.get(6)?,
        detail: join_detail(&kind, &detail).ok_or_else(|| StoreError::Row(format!("leg_event {seq}")))?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::id::Uid;

    #[test]
    fn details_with_and_without_fields_come_back() {
        let details = [
            Detail::Answered,
            Detail::Digit { digit: '2', how: "inband".into() },
            Detail::RecordingBegan { recording: Uid(u128::MAX - 5) },
            Detail::RecordingEnded { recording: Uid(7), length_ms: 3 },
            Detail::AgentState {
                agent: "1001".into(),
                from: "ready".into(),
                to: "\"\\".into(),
                why: "说话".into(),
                phone: "2001".into(),
            },
        ];
        for detail in details {
            let (kind, json) = split_detail(&detail).unwrap();
            assert_eq!(join_detail(&kind, &json), Some(detail), "{kind} {json}");
        }
    }

    #[test]
    fn an_unknown_kind_is_no_event() {
        assert_eq!(join_detail("Teleported", "{}"), None);
        assert_eq!(join_detail("Answered", "half"), None);
    }
}
