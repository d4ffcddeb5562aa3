//! The stored form of the agents that a decision looked at: the names of terms once for all, each exclusion once, an
//! agent with its numbers in a row. Rows of earlier versions name everything for each agent; both are read.

use alloc::string::String;
use alloc::vec::Vec;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Candidate, Exclusion, Term, TermName};

#[derive(Serialize, Deserialize)]
struct Table {
    /// Of the numbers of every eligible agent, in their order.
    terms: Vec<TermName>,
    /// Why agents were not eligible.
    out: Vec<Exclusion>,
    agents: Vec<(String, Numbers)>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Numbers {
    /// Eligible: one for each name.
    Terms(Vec<i64>),
    /// Not eligible: which exclusion.
    Out(usize),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Table(Table),
    List(Vec<Candidate>),
}

impl Table {
    /// None for what it does not fit: no agents, or eligible ones that are compared by different terms.
    fn of(candidates: &[Candidate]) -> Option<Table> {
        let first = candidates.iter().find(|c| c.excluded.is_none());
        let names = |c: &Candidate| c.terms.iter().map(|term| term.name).collect::<Vec<_>>();
        let mut table = Table { terms: first.map(names).unwrap_or_default(), out: Vec::new(), agents: Vec::new() };
        for candidate in candidates {
            let numbers = match &candidate.excluded {
                Some(why) if candidate.terms.is_empty() => {
                    let known = table.out.iter().position(|other| other == why).unwrap_or(table.out.len());
                    if known == table.out.len() {
                        table.out.push(why.clone());
                    }
                    Numbers::Out(known)
                }
                None if candidate.terms.iter().map(|term| term.name).eq(table.terms.iter().copied()) => {
                    Numbers::Terms(candidate.terms.iter().map(|term| term.value).collect())
                }
                Some(_) | None => return None,
            };
            table.agents.push((candidate.agent.clone(), numbers));
        }
        (!table.agents.is_empty()).then_some(table)
    }

    /// None when it names an exclusion that it does not have, or has another number of numbers than of names.
    fn candidates(self) -> Option<Vec<Candidate>> {
        let Table { terms, out, agents } = self;
        let candidate = |(agent, numbers)| match numbers {
            Numbers::Terms(values) if values.len() == terms.len() => {
                let terms = terms.iter().zip(values).map(|(name, value)| Term { name: *name, value }).collect();
                Some(Candidate { agent, terms, excluded: None })
            }
            Numbers::Terms(_) => None,
            Numbers::Out(index) => {
                Some(Candidate { agent, terms: Vec::new(), excluded: Some(out.get(index)?.clone()) })
            }
        };
        agents.into_iter().map(candidate).collect()
    }
}

pub(super) fn serialize<S: Serializer>(candidates: &[Candidate], serializer: S) -> Result<S::Ok, S::Error> {
    match Table::of(candidates).filter(|_| serializer.is_human_readable()) {
        Some(table) => table.serialize(serializer),
        None => candidates.serialize(serializer),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Candidate>, D::Error> {
    if !deserializer.is_human_readable() {
        return Vec::deserialize(deserializer);
    }
    match Form::deserialize(deserializer)? {
        Form::Table(table) => table.candidates().ok_or_else(|| D::Error::custom("a table of agents with a hole")),
        Form::List(candidates) => Ok(candidates),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Detail, Rule};
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec;

    fn eligible(agent: u32, idle_ms: i64) -> Candidate {
        let position = i64::from(agent % 1_000);
        let terms =
            vec![Term { name: TermName::IdleMs, value: idle_ms }, Term { name: TermName::Position, value: position }];
        Candidate { agent: agent.to_string(), terms, excluded: None }
    }

    fn out(agent: u32, state: &str) -> Candidate {
        let (detail, config) = (state.to_string(), String::new());
        let excluded = Some(Exclusion { rule: Rule::NotReady, detail, config });
        Candidate { agent: agent.to_string(), terms: vec![], excluded }
    }

    fn unserved(candidates: Vec<Candidate>) -> Detail {
        Detail::Unserved { queue: "support".into(), ring: 0, candidates }
    }

    fn of_a_hundred() -> Vec<Candidate> {
        let one = |n: u32| match n % 5 {
            0 => eligible(1_000 + n, i64::from(n) * 1_237),
            1 => out(1_000 + n, "wrap-up"),
            _ => out(1_000 + n, "talking"),
        };
        (0..100).map(one).collect()
    }

    #[test]
    fn a_table_comes_back_as_it_was() {
        for candidates in [vec![], vec![eligible(1, 5)], vec![out(2, "talking")], of_a_hundred()] {
            let detail = unserved(candidates);
            let text = serde_json::to_string(&detail).unwrap();
            assert_eq!(serde_json::from_str::<Detail>(&text).unwrap(), detail, "{text}");
            let bytes = postcard::to_allocvec(&detail).unwrap();
            assert_eq!(postcard::from_bytes::<Detail>(&bytes).unwrap(), detail);
        }
        let short = serde_json::to_string(&unserved(vec![eligible(1001, 5), out(1002, "talking")])).unwrap();
        assert!(short.contains(r#""agents":[["1001",[5,1]],["1002",0]]"#), "{short}");
    }

    #[test]
    fn rows_that_name_everything_for_each_agent_are_read() {
        let candidates = of_a_hundred();
        let list = serde_json::to_string(&candidates).unwrap();
        let old = format!(r#"{{"Unserved":{{"queue":"support","ring":0,"candidates":{list}}}}}"#);
        let now = serde_json::to_string(&unserved(candidates.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Detail>(&old).unwrap(), unserved(candidates));
        assert!(now.len() * 4 < old.len(), "{} bytes were {}", now.len(), old.len());
    }

    #[test]
    fn what_does_not_fit_a_table_is_a_list() {
        let mut other = eligible(1002, 7);
        other.terms.pop();
        let odd = Candidate { excluded: out(1, "talking").excluded, ..eligible(1003, 1) };
        for candidates in [vec![eligible(1001, 5), other], vec![odd]] {
            let text = serde_json::to_string(&unserved(candidates.clone())).unwrap();
            assert!(text.contains(r#""name":"idle-ms""#), "{text}");
            assert_eq!(serde_json::from_str::<Detail>(&text).unwrap(), unserved(candidates));
        }
        let hole = r#"{"Unserved":{"queue":"q","ring":0,"candidates":{"terms":[],"out":[],"agents":[["1",3]]}}}"#;
        assert!(serde_json::from_str::<Detail>(hole).is_err());
    }
}
