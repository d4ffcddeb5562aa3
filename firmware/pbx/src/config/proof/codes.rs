//! Feature codes as they are dialled: each must mean itself, and none should be the beginning of another, because phones
//! that send digit by digit then never come to the longer one. Codes that are equal, or hidden by digits after another,
//! are found by the checks before.

use alloc::format;
use alloc::vec::Vec;

use crate::config::Config;
use crate::config::check::{Finding, WITH_DIGITS};
use crate::config::schema::Section;
use crate::config::value::Value;
use crate::config::view::view;
use crate::dialplan;
use crate::text::{Text, problem};

pub(super) fn check(config: &Config, found: &mut Vec<Finding>) {
    let Some(mut block) = view(config).into_iter().find(|block| block.block.section == Section::Codes) else { return };
    // Defaults first: of two codes that meet the one that was written is to be mended.
    block.leaves.sort_by_key(|leaf| leaf.written);
    let mut before: Vec<(&str, &str)> = Vec::new();
    for leaf in &block.leaves {
        let Value::Text(code) = &leaf.value else { continue };
        let path = format!("codes {}", leaf.name);
        let meaning = dialplan::from_inside(config, code).why;
        if !meaning.starts_with(&format!("{path} ")) {
            let reason = Text::new(problem::FLOW_CODE_HIDDEN).with("code", code).with("meaning", meaning);
            found.push(Finding::error(path, reason, problem::CODE_REMEDY));
        } else if let Some((short, name)) = before.iter().find_map(|other| begins((leaf.name, code), *other)) {
            let long = if short == code.as_str() { name.1 } else { code.as_str() };
            let reason = Text::new(problem::FLOW_CODE_BEGINS).with("short", short).with("long", long);
            let reason = reason.with("other", name.0);
            found.push(Finding::warning(path, reason, problem::CODE_REMEDY));
        }
        before.push((leaf.name, code));
    }
}

/// The shorter of two codes when it is the beginning of the other, with that other one that stood before; none when the
/// checks before have told of it.
fn begins<'c>(own: (&'c str, &'c str), other: (&'c str, &'c str)) -> Option<(&'c str, (&'c str, &'c str))> {
    let (short, long) = if own.1.len() < other.1.len() { (own, other) } else { (other, own) };
    let rest = long.1.strip_prefix(short.1).filter(|rest| !rest.is_empty())?;
    let told = WITH_DIGITS.contains(&short.0) && rest.bytes().all(|b| b.is_ascii_digit());
    (!told).then_some((short.1, other))
}
