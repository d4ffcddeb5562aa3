//! The rows of a call ladder in words: each fact of the leg-event journal as one line.

use crate::switch::Mode;
use crate::text::Key;

texts! {
    TIME: "时间", "time";
    THE_BOX: "设备", "box";
    PHONE: "话机 {number}", "phone {number}";
    LEG: "支路 {leg}", "leg {leg}";
    OF_LEG: "{text}（支路 {leg}）", "{text} (leg {leg})";
    WITHHELD: "（未显示号码）", "(withheld)";
    CALL_BEGAN: "来电：{caller} → {called}", "call: {caller} → {called}";
    ROUTED: "路由：{to}", "routed: {to}";
    WHY: "原因：{why}", "because: {why}";
    ANSWERED: "已应答", "answered";
    KEY: "按键 {digit}（{how}）", "key {digit} ({how})";
    MEDIA: "媒体：{what}", "media: {what}";
    QUEUED: "进入队列 {queue}：优先级 {priority}，第 {position} 位", "queue {queue}: priority {priority}, position {position}";
    OFFERED: "派单：{queue} → 座席 {agent}", "offer: {queue} → agent {agent}";
    CANDIDATE: "· 座席 {agent}：{terms}", "· {agent}: {terms}";
    EXCLUDED: "· {agent}：不可派（{why}）", "· {agent}: not eligible ({why})";
    PLAY: "播放 {what}", "play {what}";
    JOIN: "双方接通", "join";
    OFFER_ENDED: "派单结束：{agent}，{cause}，振铃 {ring}", "offer ended: {agent}, {cause}, rang {ring}";
    CONNECTED: "接通：{with}", "connected: {with}";
    CONNECTED_AFTER: "接通：{with}，等待 {wait}", "connected: {with}, waited {wait}";
    ABANDONED: "放弃队列 {queue}：{by}，等待 {wait}", "abandoned {queue}: {by}, waited {wait}";
    LEG_ENDED: "支路结束：{cause}", "leg ended: {cause}";
    CALL_ENDED: "呼叫结束：{disposition}（{by}）", "call ended: {disposition} ({by})";
    RECORDING_BEGAN: "录音开始 {recording}", "recording began {recording}";
    RECORDING_ENDED: "录音结束 {recording}，{length}", "recording ended {recording}, {length}";
    AGENT_STATE: "座席 {agent}：{from} → {to}（{why}）", "agent {agent}: {from} → {to} ({why})";
    REGISTERED: "分机 {extension}：{contacts} 部话机已注册", "extension {extension}: {contacts} phones registered";
    RECOVERED: "程序重新启动并恢复，中断不超过 {gap}", "the program came back, away for at most {gap}";
    SET_ASIDE: "程序错误：输入 {seq} 已搁置", "a bug of ours: input {seq} was set aside";
    LEG_MEDIA: "RTP：发 {sent}，收 {received}，丢 {lost}，陌生 {strangers}", "RTP: sent {sent}, received {received}, lost {lost}, strangers {strangers}";
    HELD: "保持", "on hold";
    RESUMED: "恢复通话", "taken back";
    UNSERVED: "队列 {queue} 无人可派", "nobody in queue {queue} is eligible";
    OVERFLOWED: "离开队列 {queue}（{rule}）→ {to}，等待 {wait}", "leaves queue {queue} ({rule}) → {to}, waited {wait}";
    AGENT_WISH: "座席 {agent}：本次通话后{state}", "agent {agent}: {state} after this call";
    GAVE_RESULT: "座席 {agent}：通话结果 {code}", "agent {agent}: disposition {code}";
    NO_RESULT: "座席 {agent}：未登记通话结果", "agent {agent}: no disposition was given";
    SUPERVISED: "班长 {supervisor}：{act} {whom}", "supervisor {supervisor}: {act} {whom}";
    SUPERVISOR_REFUSED: "班长 {supervisor}：{act} {whom}，被拒（{why}）", "supervisor {supervisor}: {act} {whom}, refused ({why})";
    PRIORITISED: "队列 {queue}：优先级改为 {priority}，第 {position} 位", "queue {queue}: priority is {priority} now, position {position}";
    SURGE_ON: "高峰方案开启", "the surge profile is on";
    SURGE_OFF: "高峰方案关闭", "the surge profile is off";
    MODE_AUTO: "营业时间恢复按日历", "hours are by the calendars again";
    MODE_DAY: "日间模式：所有日历视为营业", "day: all calendars count as open";
    MODE_NIGHT: "夜间模式：所有日历视为非营业", "night: all calendars count as closed";
    STATE_WITH_REASON: "{state} ({reason})", "{state} ({reason})";
    NO_CALL: "没有名为 {call} 的呼叫。处理：用 show calls 或 show calls ended 列出呼叫（命令行：`pbxd cdr`）。", "There is no call {call}. Remedy: list calls with show calls or show calls ended (at a shell: `pbxd cdr`).";
    NO_CALLS: "还没有呼叫。", "There are no calls yet.";
    SEVERAL: "{call} 对应多个呼叫。处理：多写几位。", "{call} fits several calls. Remedy: write more of it.";
    NO_RECORDING: "没有录音 {recording}。处理：用 `pbxd story` 查看呼叫的录音。", "There is no recording {recording}. Remedy: `pbxd story` names the recordings of a call.";
    STILL_RECORDING: "进行中", "in progress";
    FROM: "原状态", "from";
    TO: "新状态", "to";
    REASON: "原因", "why";
    LENGTH: "时长", "length";
    AUDIT: "管理：{actor} {what}：{about}", "administration: {actor} {what}: {about}";
}

/// What a mode means, told when it is switched.
pub fn mode(mode: Mode) -> Key {
    match mode {
        Mode::Auto => MODE_AUTO,
        Mode::Day => MODE_DAY,
        Mode::Night => MODE_NIGHT,
    }
}
