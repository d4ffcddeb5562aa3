//! What `simulate` says, in both languages. Not the product's catalogue: this tool is never shipped.

use pbx::config::Language;

/// One text; gaps are written `{name}`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word {
    zh: &'static str,
    en: &'static str,
}

impl Word {
    /// With its gaps as they are.
    pub const fn raw(self, language: Language) -> &'static str {
        match language {
            Language::Zh => self.zh,
            Language::En => self.en,
        }
    }

    /// With its gaps filled.
    pub fn say(self, language: Language, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(self.raw(language).to_string(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
    }
}

macro_rules! words {
    ($($name:ident: $zh:literal, $en:literal;)*) => {
        $(
            #[doc = $en]
            pub const $name: Word = Word { zh: $zh, en: $en };
        )*
        #[cfg(test)]
        const ALL: &[(&str, Word)] = &[$((stringify!($name), $name)),*];
    };
}

words! {
    GENERATED: "生成的来电: {calls} 通 / {hours} 小时，平均处理时间 {aht} 秒（其中话后 {wrap} 秒，通话时长为指数分布）",
        "Generated callers: {calls} in {hours} h, mean handling time {aht} s (wrap-up {wrap} s of it, talk exponential)";
    RECORDED_DAY: "{day} 的来电记录: {calls} 通进入队列，平均处理时间 {aht} 秒（其中话后 {wrap} 秒），当时平均在岗坐席 {agents} 人",
        "Recorded callers of {day}: {calls} entered a queue, mean handling time {aht} s (wrap-up {wrap} s of it), {agents} agents at work on average";
    STAFF: "坐席 {agents} 人，策略 {strategy}，振铃平均 {ring} 秒，耐心平均 {patience}",
        "{agents} agents, strategy {strategy}, ring time {ring} s on average, mean patience {patience}";
    STRATEGIES_AS_SITE: "按各队列配置", "as each queue has it";
    PATIENCE_ENDLESS: "无限", "endless";
    SECONDS: "{s} 秒", "{s} s";
    PATIENCE_KAPLAN: "{s} 秒（由放弃与已接通来电估计: 指数分布最大似然；Kaplan–Meier 均值 {km} 秒）",
        "{s} s (from those who hung up and those who were answered first: maximum likelihood of an exponential; Kaplan-Meier mean {km} s)";
    PLAYED: "用 {ms} 毫秒模拟了 {runs} 次运行、共 {hours} 小时；± 为两倍标准误差",
        "{runs} runs, {hours} h altogether, played in {ms} ms; ± is two standard errors";
    PLAYED_ONCE: "用 {ms} 毫秒模拟了 1 次运行、共 {hours} 小时", "1 run of {hours} h, played in {ms} ms";

    SIMULATED: "模拟（真实路由）", "simulated (real router)";
    ERLANG_C: "Erlang C", "Erlang C";
    ERLANG_A: "Erlang A", "Erlang A";
    RECORDED: "记录", "recorded";

    OFFERED: "来电", "offered";
    ANSWERED: "接通", "answered";
    ABANDONED: "放弃", "abandoned";
    LEFT: "按规则离队（超时、溢出、按键）", "left by a rule (longest wait, overflow, key)";
    OTHERS: "未受理或仍在等待", "refused, or still waiting";
    LEVEL: "服务水平 SL_{letter}（{s} 秒内）", "service level SL_{letter} within {s} s";
    ANSWER_RATE: "接通率", "answer rate";
    ASA: "平均应答速度 ASA（秒）", "ASA, s";
    ABANDON_TIME: "平均放弃时间（秒）", "average abandon time, s";
    OCCUPANCY: "占用率", "occupancy";
    LENGTH: "平均排队人数", "queue length, mean";
    LENGTH_MAX: "最大排队人数", "queue length, most";

    ADDS_UP: "相符: 来电 = 接通 + 放弃 + 按规则离队 + 其他", "Adds up: offered = answered + abandoned + left + others.";
    DOES_NOT_ADD_UP: "不相符: 来电不等于各项之和，结果不可用", "DOES NOT ADD UP: offered is not the sum of the rows; the figures are of no use.";
    VARIANT_A: "SL_a = 及时接通 ÷ 接通", "SL_a = answered in time ÷ answered";
    VARIANT_B: "SL_b = 及时接通 ÷（接通 + 放弃）", "SL_b = answered in time ÷ (answered + abandoned)";
    VARIANT_C: "SL_c = 及时接通 ÷（接通 + 放弃 − {s} 秒内放弃）", "SL_c = answered in time ÷ (answered + abandoned − abandoned within {s} s)";
    VARIANT_D: "SL_d =（及时接通 + 及时放弃）÷（接通 + 放弃）", "SL_d = (answered or abandoned in time) ÷ (answered + abandoned)";
    VARIANT_E: "SL_e = 及时接通 ÷ 来电", "SL_e = answered in time ÷ offered";

    ASSUMES: "各列的假设", "What each column assumes";
    ASSUMES_SIMULATED: "同一个路由程序、同样的配置；坐席全程在岗、必接电话；来电者的通话与耐心如上所述",
        "the same router and configuration; agents are there all the time and always answer; callers talk and wait as said above";
    ASSUMES_C: "每半小时或每段内到达率恒定且已稳定；所有坐席可接所有来电；处理时间为指数分布；无人放弃",
        "steady rate and equilibrium in each interval; every agent takes every call; exponential handling time; nobody ever hangs up";
    ASSUMES_A: "同 Erlang C，但来电者按指数分布的耐心放弃",
        "as Erlang C, but callers hang up after an exponential patience";
    ASSUMES_RECORDED: "当天实际发生的情况，坐席人数随时变化", "what happened that day, with agents coming and going";

    BEWARE: "注意: 两个公式的假设在这里不成立", "Beware: here the two formulas' assumptions do not hold";
    BROKEN_QUEUES: "有 {n} 个队列共用或分用坐席；公式只知道一个队列", "{n} queues share or divide the agents; the formulas know one";
    BROKEN_SKILLS: "队列要求技能，并非每个坐席都能接每通来电；公式偏乐观",
        "queues ask for skills, not every agent can take every call; the formulas are too hopeful";
    BROKEN_RING: "每次振铃占用坐席约 {s} 秒，公式不计", "ringing takes about {s} s of an agent per call, which the formulas do not see";
    BROKEN_WRAP: "话后整理为固定 {s} 秒，处理时间不是指数分布", "wrap-up is always {s} s, so handling time is not exponential";
    BROKEN_BOUND: "队列有最长等待、长度上限或溢出规则；公式没有", "queues have a longest wait, a length or overflow rules; the formulas have none";
    BROKEN_RATE: "到达率随时间变化: 公式逐段独立计算，看不到上一段留下的队列",
        "the rate changes: the formulas take each interval by itself and do not see what the one before left in the queue";
    BROKEN_OVERLOAD: "Erlang C: 至少一段内坐席不够，队列会无限增长，没有结果",
        "Erlang C: in at least one interval the agents cannot cope and the queue would grow for ever; no result";
    BROKEN_PATIENCE: "没有人放弃，耐心未知: Erlang A 没有结果", "nobody hung up, so patience is unknown; no result for Erlang A";
    BROKEN_TALK: "通话时长取自记录，不是指数分布", "talk times are as recorded, not exponential";

    BY_QUEUE: "各队列", "By queue";
    QUEUE: "队列", "queue";
    BY_AGENTS: "不同坐席人数的服务水平 SL_{letter}（模拟；┊ 为目标 {goal} %）",
        "Service level SL_{letter} by number of agents (simulated; ┊ is the goal of {goal} %)";
    AGENTS: "坐席", "agents";
    FEWEST: "达到 {goal} % 所需坐席: 模拟 {simulated}，Erlang C {c}，Erlang A {a}",
        "Agents for {goal} %: {simulated} by simulation, {c} by Erlang C, {a} by Erlang A";
    MORE_THAN: "{n} 人以上", "more than {n}";
    OR_FEWER: "{n} 人或更少", "{n} or fewer";
    MORE_THAN_CAN_BE: "无解", "no number";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(text: &str) -> Vec<&str> {
        let mut gaps: Vec<&str> = text.split('{').skip(1).filter_map(|part| part.split('}').next()).collect();
        gaps.sort_unstable();
        gaps
    }

    #[test]
    fn both_languages_say_the_same_with_the_same_gaps() {
        for (name, word) in ALL {
            assert!(!word.zh.is_empty() && !word.en.is_empty(), "{name}");
            assert_eq!(gaps(word.zh), gaps(word.en), "{name}");
        }
        assert_eq!(SECONDS.say(Language::En, &[("s", "3")]), "3 s");
        assert_eq!(SECONDS.say(Language::Zh, &[("s", "3")]), "3 秒");
    }
}
