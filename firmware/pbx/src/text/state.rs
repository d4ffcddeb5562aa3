//! How things stood at a moment: headings and phases.

texts! {
    AT: "{time} 的状态", "state at {time}";
    QUEUES: "队列", "queues";
    AGENTS: "座席", "agents";
    CALLS: "呼叫", "calls";
    NOTHING: "无", "none";
    NOBODY_WAITS: "无人等待：{queues}", "nobody waits in: {queues}";
    PLACE: "名次", "place";
    PRIORITY: "优先级", "priority";
    SINCE: "起始", "since";
    RINGING: "正在振铃", "ringing";
    STATE: "状态", "state";
    PHONE: "话机", "phone";
    PHASE: "阶段", "phase";
    ARRIVING: "刚进入", "arriving";
    RECEPTION: "在设备：{to}", "at the box: {to}";
    WAITING: "在队列 {queue} 等待", "waits in queue {queue}";
    LISTENING: "监听 {whom} 的通话", "listening to the call of {whom}";
    WHISPERING: "对 {whom} 密语", "whispering to {whom}";
    BARGED: "强插 {whom} 的通话", "barged into the call of {whom}";
    OF_AGENT: "座席 {id}", "agent {id}";
    OF_SUPERVISOR: "班长 {id}", "supervisor {id}";
    OF_SOMEBODY: "另一方", "another party";
    RINGS_AT: "分机 {extension} 振铃", "extension {extension} rings";
    CALLS_OUTSIDE: "正在呼叫外线 {number}", "calls {number} outside";
    TALKING: "与 {with} 通话 {time}", "talks with {with} for {time}";
    FROM_QUEUE: "{words}（队列 {queue}）", "{words} (queue {queue})";
    NOT_YET: "{time} 之前没有任何记录。", "Nothing was recorded before {time}.";
    AHEAD:
        "{time} 尚未到来：现在是 {now}，最后一条记录在 {last}。处理：省略时间（即现在），或给出过去的时间。",
        "{time} lies ahead: it is {now} now, and the last that is known is of {last}. Remedy: leave the time out for now, or name one that is past.";
    NO_TIME:
        "“{time}”不是时间。处理：写成 `2026-11-22 09:30:00`（UTC），可加毫秒或时区，例如 `2026-11-22 17:30:00.250 +08:00`。",
        "\"{time}\" is no time. Remedy: write `2026-11-22 09:30:00` (UTC), with milliseconds or an offset if need be: `2026-11-22 17:30:00.250 +08:00`.";
}
