//! What the front panel says. Short: a row has 256 pixels, 16 Chinese or 36 Latin characters. Causes and remedies of
//! alarms are those of [`super::alarm`]; here are only their titles.

use crate::text::Key;

texts! {
    CALLS: "通话", "calls";
    WAITING: "等待", "wait";
    SERVICE_LEVEL: "SL", "SL";
    SUPPLIES: "电源 A {a} B {b}", "PSU A {a} B {b}";
    SURGE_SIGN: "高峰", "SURGE";
    MUTED_SIGN: "静音", "MUTE";
    NO_ADDRESS: "无网络", "no network";
    ALARMS_UP: "告警 {count}", "{count} alarms";
    ALARM_UP: "告警 1", "1 alarm";
    CORE_SILENT: "呼叫控制无应答", "call control does not answer";
    STARTING: "正在启动", "starting";

    MENU: "菜单", "Menu";
    STATUS: "状态", "Status";
    ALARMS: "告警", "Alarms";
    MODE: "模式", "Mode";
    SERVICE: "维护", "Service";
    LANGUAGE: "语言", "Language";
    QUEUES: "队列", "Queues";
    CALLS_PAGE: "通话", "Calls";
    LINES: "线路", "Lines";
    PHONES: "话机", "Phones";
    STORAGE: "存储", "Storage";
    ABOUT: "版本", "Version";
    LAMP_TEST: "指示灯测试", "LED test";
    DIAGNOSTICS: "诊断二维码", "QR diagnostics";
    BUZZER_ON: "蜂鸣器：开", "Buzzer: on";
    BUZZER_OFF: "蜂鸣器：关", "Buzzer: off";
    SURGE_ON: "高峰方案：开", "Surge profile: on";
    SURGE_OFF: "高峰方案：关", "Surge profile: off";

    SURGE_WILL_START: "增派座席，缩短话后整理。", "More agents, shorter wrap-up.";
    SURGE_WILL_END: "恢复正常座席和话后整理。", "Usual agents and wrap-up again.";
    HOLD_TO_SWITCH_ON: "按住 OK 三秒开启", "Hold OK for 3 s to switch on";
    HOLD_TO_SWITCH_OFF: "按住 OK 三秒关闭", "Hold OK for 3 s to switch off";
    NO_SURGE: "没有队列配置高峰方案。", "No queue has a surge profile.";

    NONE: "无", "none";
    NO_ALARM: "没有告警", "no alarm";
    ACKNOWLEDGED: "已确认", "acknowledged";
    HINT_ACKNOWLEDGE: "OK 确认  → 二维码", "OK ack   → QR";
    HINT_QR: "→ 二维码", "→ QR";
    CALLER_UNKNOWN: "号码保密", "withheld";
    RECEPTION: "菜单", "menu";
    WAITS: "排队 {queue}", "waits: {queue}";
    RINGS: "振铃 {whom}", "rings {whom}";
    OUTSIDE: "外呼", "outside";
    TALKS: "通话", "talks";
    LISTENS: "监听", "listens";
    QUEUE_ROW: "等 {waiting}  最久 {longest}  闲 {ready}", "wait {waiting}  max {longest}  ready {ready}";
    LINE: "线路 {port}", "line {port}";
    LINE_IDLE: "空闲", "idle";
    LINE_BUSY: "占用", "busy";
    LINE_DOWN: "中断", "out of service";
    REGISTERED: "已注册", "registered";
    REGISTERED_MANY: "已注册 {count} 部", "{count} registered";
    NOT_REGISTERED: "未注册", "not registered";
    STORAGE_FREE: "剩余 {free} GB，共 {total} GB", "{free} GB free of {total} GB";
    STORAGE_PCT: "剩余 {percent} %", "{percent} % free";
    STORAGE_UNKNOWN: "无法读取磁盘空间", "disk space cannot be read";
    VERSION: "版本 {version}", "version {version}";
    BUILD: "构建 {build}", "build {build}";
    UPTIME: "已运行 {days} 天 {time}", "up {days} d {time}";
    GREEN: "绿灯", "green";
    AMBER: "黄灯", "amber";
    RED: "红灯", "red";
    BUZZER: "蜂鸣器", "buzzer";
    SCREEN: "屏幕", "screen";
    QR_READ: "用手机扫描，", "Scan with a phone and";
    QR_READ_2: "发给技术支持。", "send it to support.";
    QR_MASKED: "号码已隐去。", "Numbers are masked.";

    CARD_PORT: "板卡{card}端口{port}", "card {card} port {port}";

    TITLE_LINE_BATTERY: "线路无馈电", "line without battery";
    TITLE_LINE_FAULT: "线路接口故障", "line interface fault";
    TITLE_CARD_FAULT: "板卡故障", "card fault";
    TITLE_STORE_WRITE: "无法写入磁盘", "disk cannot be written";
    TITLE_RECORDER: "录音丢失", "recordings lose audio";
    TITLE_INBOX: "信令过载", "signalling overload";
    TITLE_SIP_SOCKET: "SIP 地址不可用", "SIP address unusable";
    TITLE_HIGHWAY: "板卡无音频", "cards carry no audio";
    TITLE_HARDWARE_BUS: "硬件总线故障", "hardware bus fails";
    TITLE_SIP_AUTH: "话机密码错误", "phone password wrong";
    TITLE_RTP_PORTS: "RTP 端口用尽", "RTP ports used up";
    TITLE_WRONG_PIN: "工号密码错误", "wrong PIN";
    TITLE_BUG: "程序错误", "program error";
    TITLE_DIVERGED: "状态核对失败", "state check failed";
    TITLE_PROMPT: "提示音缺失", "prompt missing";
}

/// Title of an alarm by its stable name; an alarm without one is shown by its name.
pub fn title(name: &str) -> Option<Key> {
    TITLES.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
}

const TITLES: &[(&str, Key)] = &[
    ("line-battery", TITLE_LINE_BATTERY),
    ("line-fault", TITLE_LINE_FAULT),
    ("card-fault", TITLE_CARD_FAULT),
    ("store-write", TITLE_STORE_WRITE),
    ("recorder-overrun", TITLE_RECORDER),
    ("inbox-full", TITLE_INBOX),
    ("sip-socket", TITLE_SIP_SOCKET),
    ("highway", TITLE_HIGHWAY),
    ("hardware-bus", TITLE_HARDWARE_BUS),
    ("sip-auth", TITLE_SIP_AUTH),
    ("rtp-ports", TITLE_RTP_PORTS),
    ("wrong-pin", TITLE_WRONG_PIN),
    ("bug", TITLE_BUG),
    ("diverged", TITLE_DIVERGED),
    ("prompt-missing", TITLE_PROMPT),
];

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_alarm_has_a_title() {
        let without: Vec<&str> =
            crate::config::AlarmName::ALL.iter().map(|name| name.word()).filter(|name| title(name).is_none()).collect();
        assert!(without.is_empty(), "add a short title for {without:?} to text/panel.rs");
    }
}
