//! A decision of the router in words: strategies, the terms that agents are compared by, the rules that exclude.

use crate::config::Strategy;
use crate::event::{Rule, TermName};
use crate::text::Key;

texts! {
    RING_ALL: "全部振铃", "ring all";
    LONGEST_IDLE: "空闲最久", "longest idle";
    FEWEST_CALLS: "接话最少", "fewest calls";
    LEAST_TALK_TIME: "通话最短", "least talk time";
    LEAST_OCCUPIED: "占用率最低", "least occupied";
    ROUND_ROBIN: "轮流", "round robin";
    LINEAR: "按顺序", "linear";
    TOP_DOWN: "自上而下", "top down";
    RANDOM: "随机", "random";
    WEIGHTED_RANDOM: "加权随机", "weighted random";
    RING_PROGRESSIVELY: "逐个加振", "ring progressively";
    PREFERRED: "指定座席", "preferred";
    SKILL: "技能分", "skill";
    IDLE: "空闲", "idle for";
    CALLS: "接话数", "calls";
    TALK: "通话", "talked";
    OCCUPANCY: "占用率", "occupancy";
    DISTANCE: "距上次", "after the last";
    TRIES: "已派次数", "tries";
    DRAW: "抽签", "draw";
    TICKET: "距中签号", "from the ticket";
    POSITION: "名次", "place";
    NOT_READY: "{detail}", "{detail}";
    PHONE_NOT_REGISTERED: "话机未注册", "phone not registered";
    SKILL_MISSING: "缺技能 {detail}", "lacks skill {detail}";
    SKILL_LEVEL: "技能级别不足：{detail}", "skill level too low: {detail}";
    WAITS_FOR_PREFERRED: "主叫在等座席 {detail}", "the caller waits for agent {detail}";
    CALLS_PER_HOUR: "一小时内接话数已满：{detail}", "calls per hour reached: {detail}";
    RETRY_DELAY: "刚刚未接，尚未到再次派单的时间：{detail}", "missed an offer, not to be offered again yet: {detail}";
    RING_STEP: "尚未轮到振铃：{detail}", "not reached by the ringing yet: {detail}";
    NOT_MEMBER: "不服务此队列：{detail}", "does not serve the queue: {detail}";
    TERM: "{name} {value}", "{name} {value}";
    ONLY_ONE: "{strategy}：只有座席 {agent} 可派", "{strategy}: only agent {agent} is eligible";
    BEFORE:
        "{strategy}：座席 {agent}（{term}）先于座席 {other}（{other_term}），可派座席共 {count} 名",
        "{strategy}: agent {agent} ({term}) before agent {other} ({other_term}), of {count} eligible";
}

/// A strategy in words.
pub const fn strategy(strategy: Strategy) -> Key {
    match strategy {
        Strategy::RingAll => RING_ALL,
        Strategy::LongestIdle => LONGEST_IDLE,
        Strategy::FewestCalls => FEWEST_CALLS,
        Strategy::LeastTalkTime => LEAST_TALK_TIME,
        Strategy::LeastOccupied => LEAST_OCCUPIED,
        Strategy::RoundRobin => ROUND_ROBIN,
        Strategy::Linear => LINEAR,
        Strategy::TopDown => TOP_DOWN,
        Strategy::Random => RANDOM,
        Strategy::WeightedRandom => WEIGHTED_RANDOM,
        Strategy::RingProgressively => RING_PROGRESSIVELY,
    }
}

/// The name of a term.
pub const fn term(name: TermName) -> Key {
    match name {
        TermName::Preferred => PREFERRED,
        TermName::Skill => SKILL,
        TermName::IdleMs => IDLE,
        TermName::Calls => CALLS,
        TermName::TalkMs => TALK,
        TermName::OccupancyPermille => OCCUPANCY,
        TermName::Distance => DISTANCE,
        TermName::Tries => TRIES,
        TermName::Draw => DRAW,
        TermName::Ticket => TICKET,
        TermName::Position => POSITION,
    }
}

/// What a rule says of an agent; its gap is `detail`, where it has one.
pub const fn rule(rule: Rule) -> Key {
    match rule {
        Rule::NotReady => NOT_READY,
        Rule::PhoneNotRegistered => PHONE_NOT_REGISTERED,
        Rule::SkillMissing => SKILL_MISSING,
        Rule::SkillLevel => SKILL_LEVEL,
        Rule::WaitsForPreferred => WAITS_FOR_PREFERRED,
        Rule::CallsPerHour => CALLS_PER_HOUR,
        Rule::RetryDelay => RETRY_DELAY,
        Rule::RingStep => RING_STEP,
        Rule::NotMember => NOT_MEMBER,
    }
}
