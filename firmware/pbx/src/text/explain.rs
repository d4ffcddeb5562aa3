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
    SKILL: "优先技能分", "preferred skills";
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
    PHONE_NOT_REGISTERED: "话机未注册 {detail}", "phone not registered {detail}";
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
    OFFER: "{number}. {time}（{after}）：队列 {queue} 派给座席 {agent}", "{number}. {time} ({after}): queue {queue} offers to agent {agent}";
    UNSERVED:
        "{number}. {time}（{after}）：队列 {queue} 无人可派，主叫继续等待",
        "{number}. {time} ({after}): nobody in queue {queue} is eligible, the caller goes on waiting";
    CALLER: "主叫：优先级 {priority}，已等待 {wait}", "caller: priority {priority}, waited {wait}";
    STARVED: "，已到最长延迟保证，先于所有其他主叫", ", the starvation bound puts the caller before all others";
    RELAXED: "放宽：已开 {ring} 级", "relaxation: {ring} rings open";
    STRATEGY: "策略：{strategy}", "strategy: {strategy}";
    COMMIT: "配置：第 {number} 次提交，{time} 起", "configuration: commit {number}, since {time}";
    NO_COMMIT: "配置：当时的文本已不在库中", "configuration: the text of that time is not kept";
    ELIGIBLE: "可派", "eligible";
    NOT_ELIGIBLE: "不可派", "not eligible";
    LINE: "{path}（第 {line} 行）", "{path} (line {line})";
    DECIDED_BY: "决定项", "decided by";
    HIGHER: "{term}，大者优先", "{term}, the larger wins";
    LOWER: "{term}，小者优先", "{term}, the smaller wins";
    DECISION: "决定项：{how}", "decided by: {how}";
    RESULT: "结果：{outcome}", "result: {outcome}";
    TOOK_IT: "应答", "answered";
    RANG: "{cause}，振铃 {ring}", "{cause}, rang {ring}";
    OPEN: "尚未结束", "still open";
    SAME_TABLE: "与上表同一次选择", "chosen from the table above";
    AGAIN: "用以上各项重新选择，结果相同：{verdict}", "The same terms decide the same again: {verdict}";
    LATER_WITHOUT:
        "最后一个呼叫 {call}（{time}）没有选过座席；以下是最后一个选过座席的呼叫。",
        "The last call, {call} of {time}, never had an agent chosen for it; this is the last call that had.";
    CALLERS: "座席 {agent} 本可服务的主叫，先服务者在前：", "callers whom agent {agent} could have served, whose turn it was first:";
    NO_OTHER_CALLER: "没有座席 {agent} 可服务的其他主叫", "no other caller waited whom agent {agent} could have served";
    MORE_CALLERS: "另有 {count} 个主叫排在其后", "{count} more callers stood behind them";
    BOUND: "已到延迟保证", "starvation bound";
    WEIGHT: "队列权重", "weight";
    COUNTS_AS: "折合等待", "counts as";
    ARRIVAL: "到达序号", "arrival";
    A_SUPERVISOR: "班长", "a supervisor";
    PRIORITY_FROM: "优先级来自 {line}", "priority by {line}";
    NO_DECISION: "这个呼叫没有选过座席。", "No agent was ever to be chosen for this call.";
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
