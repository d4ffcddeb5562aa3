//! Words for what the leg-event journal stores as identifiers: agent states, dispositions, causes, the columns of a call
//! record. The journal keeps the identifier; only what a person reads is translated.

use crate::config::Language;
use crate::text::Key;

texts! {
    LOGGED_OUT: "下线", "logged out";
    NOT_READY: "示忙", "not ready";
    READY: "示闲", "ready";
    RESERVED: "预占", "reserved";
    RINGING: "振铃", "ringing";
    TALKING: "通话", "talking";
    HOLD: "保持", "hold";
    WRAP_UP: "话后整理", "wrap-up";
    RONA: "未接来电", "did not answer (RONA)";
    BREAK: "小休", "break";
    LUNCH: "用餐", "lunch";
    TRAINING: "培训", "training";
    MEETING: "会议", "meeting";
    PAPERWORK: "整理", "paperwork";
    OUTBOUND: "外呼", "outbound";
    COACHING: "辅导", "coaching";
    TECHNICAL: "系统故障", "technical";
    OTHER: "其他", "other";
    UNREACHABLE: "话机不可达", "phone unreachable";
    SUPERVISOR: "班长操作", "set by supervisor";
    SHIFT_END: "下班", "end of shift";
    ANSWERED: "已接通", "answered";
    NO_ANSWER: "无人接听", "no answer";
    NO_PORT: "无可用的媒体端口", "no media port free";
    NOT_CONFIRMED: "已应答，未按键确认", "answered, but the key that accepts the call was not pressed";
    BUSY: "忙", "busy";
    FAILED: "失败", "failed";
    ABANDONED: "放弃", "abandoned";
    REJECTED: "拒接", "rejected";
    CANCELLED: "已取消", "cancelled";
    BYE: "对方挂机", "hung up";
    CALLER_GONE: "主叫已挂机", "the caller was gone";
    BATTERY_LOST: "线路断电（局端拆线）", "the line lost its battery (released by the exchange)";
    MEDIA_TIMEOUT: "长时间无音频", "no audio for too long";
    MAX_WAIT: "等待超时", "longest wait reached";
    FAULT: "故障", "fault";
    INBAND: "带内", "in-band";
    RFC4733: "RFC 4733 事件", "RFC 4733 event";
    CALL: "呼叫", "call";
    CALLER: "主叫", "caller";
    CALLED: "被叫", "called";
    ORIGIN: "来源", "origin";
    BEGAN: "开始", "began";
    ANSWERED_AT: "应答", "answered";
    ENDED: "结束", "ended";
    QUEUE: "队列", "queue";
    AGENT: "座席", "agent";
    WAIT: "等待", "wait";
    RING: "振铃时长", "ring";
    TALK: "通话时长", "talk";
    WRAP: "整理时长", "wrap-up";
    DURATION: "总时长", "duration";
    BILLED: "计费时长", "billed";
    DISPOSITION: "结果", "disposition";
    ENDED_BY: "结束原因", "ended by";
    RECORDING: "录音", "recording";
    OFFERS: "派单次数", "offers";
    NONE: "无", "none";
    YES: "是", "yes";
    NO: "否", "no";
    SECONDS: "秒", "s";
    MILLISECONDS: "毫秒", "ms";
    RING_BEGAN: "开始振铃", "ring began";
    RING_ENDED: "振铃停止", "ring ended";
    OFF_HOOK: "摘机", "off-hook";
    ON_HOOK: "挂机", "on-hook";
    LINE_BATTERY_LOST: "馈电消失", "battery lost";
    POLARITY_REVERSED: "极性反转", "polarity reversed";
    LINE_CARD_RESTARTED: "线路卡已重新启动，主叫已断开", "the line card was restarted, the caller is gone";
    BOX_STOPPED: "设备已停机", "the box was switched off";
    PERSONAL: "本机通话", "own call";
    OUTSIDE_CALL: "外呼", "call to the outside";
    NUMBER_UNKNOWN: "号码不存在", "number unknown";
    NUMBER_BARRED: "不允许呼叫此号码", "number barred";
    TRUNK_SILENT: "中继无应答", "the trunk does not answer";
    TRUNK_REFUSED: "中继拒绝", "refused by the trunk";
    OUTSIDE_CALL_OVER: "外呼结束", "call to the outside over";
    CHOSEN: "被路由选中", "chosen by the router";
    PHONE_RINGS: "话机振铃", "phone rings";
    PICKED_UP: "已应答", "answered";
    CALL_OVER: "通话结束", "call over";
    WRAP_UP_OVER: "整理时间到", "wrap-up time over";
    OWN_CALL: "本机呼叫", "own call";
    OWN_CALL_OVER: "本机呼叫结束", "own call over";
    FEATURE_CODE: "功能码", "feature code";
    ANSWERED_TOO_LATE: "应答过迟", "answered too late";
    NO_COMMON_CODEC: "无共同编码", "no common codec";
    PHONE_UNREACHABLE: "话机不可达", "phone unreachable";
    POWER_LOST: "断电", "power lost";
    ANOTHER_LOGGED_IN: "另一座席登录", "another agent logged in";
    LOGGED_IN_BY_CONFIGURATION: "配置为已登录", "logged in by the configuration";
    DISPOSITION_GIVEN: "已登记通话结果", "disposition given";
    FORCED: "班长强制", "forced by a supervisor";
    BY_ID_AND_PIN: "工号和密码", "id and PIN";
    LOGGED_IN_ELSEWHERE: "在另一话机登录", "logged in at another phone";
    NOT_CONFIGURED: "配置中已无此座席", "no longer in the configuration";
    NOT_RUNG: "话机无法振铃", "the phone could not be rung";
    PHONE_BACK: "话机已注册", "phone registered";
    REBUILT: "由通话记录重建", "rebuilt from the journal";
    TAKEN_OVER: "被班长接管", "taken over by a supervisor";
    ELSEWHERE: "他处应答", "answered elsewhere";
    AGENT_GONE: "座席示忙", "the agent is not ready";
    MOVED: "被班长移走", "moved by a supervisor";
    PICKED: "被班长接走", "picked by a supervisor";
    MISSED: "未接来电", "missed: no answer";
    MISSED_UNCONFIRMED: "未接来电：未按键确认", "missed: not confirmed";
    MISSED_BUSY: "未接来电：忙", "missed: busy";
    MISSED_REJECTED: "未接来电：拒接", "missed: rejected";
    FULL: "队列已满", "full";
    EMPTY: "无座席", "nobody there";
    CLOSED: "非服务时间", "closed";
    WAITED: "等待已久", "waited long";
    LISTEN: "监听", "listens to";
    WHISPER: "密语", "whispers to";
    BARGE: "强插", "barges in on";
    MONITOR_END: "结束监听", "monitors no longer";
    TAKE_OVER: "接管", "takes over from";
    PICK: "接走主叫", "picks a caller of";
    MOVE_CALLER: "移动主叫到", "moves a caller to";
    RE_PRIORITISE: "调整优先级", "changes a priority in";
    FORCE_STATE: "强制状态", "forces the state of";
    SURGE: "高峰方案", "switches the surge profile";
    COMMITTED: "提交配置", "committed";
    COMMITTED_FOR_A_TIME: "限时提交配置", "committed for a time";
    COMMIT_CONFIRMED: "确认提交", "confirmed";
    COMMIT_REVERTED: "自动回退配置", "went back";
    RESCUE: "救援配置", "rescue configuration";
    ERASED: "清除全部数据", "erased everything";
    HUNG_UP_BY: "挂断呼叫", "hung up the call";
    BY_OPERATOR: "由操作员", "by an operator";
    LOGIN: "登录", "logged in";
    LOGOUT: "退出", "logged out";
    LOGIN_FAILED: "登录失败", "failed to log in";
    LOCKED_OUT: "被锁定", "locked out";
    RESTARTED: "重新启动程序", "started the program anew";
    STOPPED: "停止程序", "stopped the program";
    STOPPED_WHEN_IDLE: "要求无通话时停止程序", "asked to stop the program when there is no call";
    STOP_CANCELLED: "取消停止程序", "took back that the program stops";
    ALARM_SEEN: "确认告警", "saw an alarm";
    BUNDLE: "写出诊断包", "wrote diagnostics";
    NUMBERS_SHOWN: "查看完整号码", "saw whole numbers";
}

/// Identifiers of the journal with their words.
pub const IDENTIFIERS: &[(&str, Key)] = &[
    ("logged-out", LOGGED_OUT),
    ("not-ready", NOT_READY),
    ("ready", READY),
    ("reserved", RESERVED),
    ("ringing", RINGING),
    ("talking", TALKING),
    ("hold", HOLD),
    ("wrap-up", WRAP_UP),
    ("rona", RONA),
    ("break", BREAK),
    ("lunch", LUNCH),
    ("training", TRAINING),
    ("meeting", MEETING),
    ("paperwork", PAPERWORK),
    ("outbound", OUTBOUND),
    ("coaching", COACHING),
    ("technical", TECHNICAL),
    ("other", OTHER),
    ("unreachable", UNREACHABLE),
    ("supervisor", SUPERVISOR),
    ("shift-end", SHIFT_END),
    ("ANSWERED", ANSWERED),
    ("NO ANSWER", NO_ANSWER),
    ("BUSY", BUSY),
    ("FAILED", FAILED),
    ("abandoned", ABANDONED),
    ("no-answer", NO_ANSWER),
    ("not-confirmed", NOT_CONFIRMED),
    ("no media port free", NO_PORT),
    ("busy", BUSY),
    ("rejected", REJECTED),
    ("cancelled", CANCELLED),
    ("bye", BYE),
    ("caller", CALLER),
    ("caller-gone", CALLER_GONE),
    ("battery-lost", BATTERY_LOST),
    ("media-timeout", MEDIA_TIMEOUT),
    ("max-wait", MAX_WAIT),
    ("fault", FAULT),
    ("inband", INBAND),
    ("rfc4733", RFC4733),
    ("ring began", RING_BEGAN),
    ("ring ended", RING_ENDED),
    ("off-hook", OFF_HOOK),
    ("on-hook", ON_HOOK),
    ("battery lost", LINE_BATTERY_LOST),
    ("polarity reversed", POLARITY_REVERSED),
    ("line card restarted", LINE_CARD_RESTARTED),
    ("box stopped", BOX_STOPPED),
    ("personal", PERSONAL),
    ("chosen by the router", CHOSEN),
    ("phone rings", PHONE_RINGS),
    ("answered", PICKED_UP),
    ("call over", CALL_OVER),
    ("wrap-up time over", WRAP_UP_OVER),
    ("own call", OWN_CALL),
    ("own call over", OWN_CALL_OVER),
    ("outside call", OUTSIDE_CALL),
    ("number unknown", NUMBER_UNKNOWN),
    ("number barred", NUMBER_BARRED),
    ("trunk silent", TRUNK_SILENT),
    ("trunk refused", TRUNK_REFUSED),
    ("outside call over", OUTSIDE_CALL_OVER),
    ("feature code", FEATURE_CODE),
    ("answered too late", ANSWERED_TOO_LATE),
    ("no common codec", NO_COMMON_CODEC),
    ("phone unreachable", PHONE_UNREACHABLE),
    ("power lost", POWER_LOST),
    ("another agent logged in", ANOTHER_LOGGED_IN),
    ("configuration: logged-in yes", LOGGED_IN_BY_CONFIGURATION),
    ("disposition given", DISPOSITION_GIVEN),
    ("forced by a supervisor", FORCED),
    ("id and PIN", BY_ID_AND_PIN),
    ("logged in at another phone", LOGGED_IN_ELSEWHERE),
    ("not in the configuration", NOT_CONFIGURED),
    ("phone could not be rung", NOT_RUNG),
    ("phone registered", PHONE_BACK),
    ("rebuilt from the leg-event journal", REBUILT),
    ("taken over by a supervisor", TAKEN_OVER),
    ("taken over", TAKEN_OVER),
    ("answered elsewhere", ELSEWHERE),
    ("agent not ready", AGENT_GONE),
    ("moved by a supervisor", MOVED),
    ("picked by a supervisor", PICKED),
    ("RONA: no answer", MISSED),
    ("RONA: not confirmed", MISSED_UNCONFIRMED),
    ("RONA: busy", MISSED_BUSY),
    ("RONA: rejected", MISSED_REJECTED),
    ("full", FULL),
    ("empty", EMPTY),
    ("closed", CLOSED),
    ("wait", WAITED),
    ("moved", MOVED),
    ("listen", LISTEN),
    ("whisper", WHISPER),
    ("barge", BARGE),
    ("monitor-end", MONITOR_END),
    ("take-over", TAKE_OVER),
    ("pick", PICK),
    ("move-caller", MOVE_CALLER),
    ("re-prioritise", RE_PRIORITISE),
    ("force-state", FORCE_STATE),
    ("surge", SURGE),
    ("commit", COMMITTED),
    ("commit confirmed", COMMITTED_FOR_A_TIME),
    ("confirm", COMMIT_CONFIRMED),
    ("revert", COMMIT_REVERTED),
    ("rescue", RESCUE),
    ("erase", ERASED),
    ("hang-up", HUNG_UP_BY),
    ("by an operator", BY_OPERATOR),
    ("login", LOGIN),
    ("logout", LOGOUT),
    ("login-failed", LOGIN_FAILED),
    ("lock-out", LOCKED_OUT),
    ("restart", RESTARTED),
    ("stop", STOPPED),
    ("stop-when-idle", STOPPED_WHEN_IDLE),
    ("stop-cancel", STOP_CANCELLED),
    ("acknowledge", ALARM_SEEN),
    ("support-bundle", BUNDLE),
    ("numbers-shown", NUMBERS_SHOWN),
    ("none", NONE),
];

/// The text for an identifier of the journal.
pub fn key(identifier: &str) -> Option<Key> {
    IDENTIFIERS.iter().find(|(known, _)| *known == identifier).map(|(_, key)| *key)
}

/// The word for an identifier of the journal; the identifier itself when it has none.
pub fn word(identifier: &str, language: Language) -> &str {
    key(identifier).map_or(identifier, |key| key.raw(language))
}
