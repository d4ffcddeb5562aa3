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
    DAY_SIGN: "日间", "DAY";
    NIGHT_SIGN: "夜间", "NIGHT";
    MODE_AUTO: "自动（按日历）", "Automatic (calendars)";
    MODE_DAY: "日间", "Day";
    MODE_NIGHT: "夜间", "Night";
    AUTO_WILL: "营业时间恢复按日历。", "Hours by the calendars again.";
    DAY_WILL: "所有日历视为营业。", "All calendars count as open.";
    NIGHT_WILL: "所有日历视为非营业。", "All calendars count as closed.";
    UNTIL: "{what}，至 {time}", "{what} until {time}";
    RETURN_AT: "自动恢复：{time}", "Goes back at {time}";
    RETURN_NEVER: "手动恢复", "Until switched back";
    TURN: "↑↓", "↑↓";
    HOLD: "按住 OK 三秒", "Hold OK 3 s";

    NETWORK: "网络", "Network";
    NETWORK_METHOD: "方式", "Method";
    NETWORK_ADDRESS: "IP 地址", "Address";
    NETWORK_MASK: "子网掩码", "Mask";
    NETWORK_GATEWAY: "网关", "Gateway";
    NETWORK_DNS: "DNS", "DNS";
    NETWORK_VLAN: "VLAN", "VLAN";
    NETWORK_APPLY: "应用", "Apply";
    NETWORK_TEST: "测试当前网络", "Test present network";
    METHOD_DHCP: "DHCP 自动获取", "DHCP";
    METHOD_STATIC: "固定地址", "fixed address";
    METHOD_KEPT: "不由本机管理", "not managed here";
    GATEWAY_ANSWERS: "网关 {address} {outcome}", "gateway {address} {outcome}";
    DNS_ANSWERS: "DNS {address} {outcome}", "DNS {address} {outcome}";
    ANSWERED_IN: "应答 {ms} ms", "answers in {ms} ms";
    NO_ANSWER: "无应答", "no answer";
    NEXT: "下一步", "Next";

    CHECKING: "正在检查并写入…", "checking and storing";
    PROBING: "正在测试…", "testing";
    DONE: "完成", "Done";
    REFUSED: "未生效", "Not in force";
    IN_FORCE: "已生效。", "It is in force.";
    KEPT: "更改已保留。", "The change stays.";
    ERASING: "正在清除，设备将重新开始。", "Erasing; the box begins anew.";
    STILL_AT_WORK: "上一项操作尚未完成；稍后再试。", "The last request is not done yet; try again in a moment.";
    CONFIGURATION_LOCKED: "{who}（{line}）已独占配置，等其退出后再试。", "{who} ({line}) has locked the configuration; try again once it is left.";
    WORK_FAILED: "程序错误，未做更改；查看日志。", "A program error, nothing was changed; see the log.";
    KEEP: "保留更改", "Keep the change";
    TRIAL: "新网络设置已生效", "The new network is in force";
    TRIAL_LEFT: "{time} 后自动恢复原设置", "goes back by itself in {time}";
    TRIAL_OK: "一切正常？按 OK 保留", "All well? OK keeps it";
    WENT_BACK: "未确认，已恢复原设置。", "Not confirmed: it went back.";

    RESET: "重置", "Reset";
    RESET_PASSWORD: "管理员密码", "Admin password";
    RESET_NETWORK: "网络改为 DHCP", "Network to DHCP";
    RESET_FACTORY: "出厂设置（留录音）", "Factory, keep recordings";
    RESET_ERASE: "清除全部数据", "Erase everything";
    RESET_PASSWORD_DOES: "用户 admin 换新密码", "User admin gets a new password";
    RESET_NETWORK_DOES: "地址改由 DHCP 获取", "The address comes by DHCP again";
    RESET_FACTORY_DOES: "配置和用户清空", "Configuration and users go";
    RESET_ERASE_DOES: "配置、话单、录音全部清除", "Settings, records, recordings go";
    TYPE_CODE: "输入 {code}", "Type {code}";

    SETUP: "首次设置", "First set-up";
    UNSET: "尚未设置：按 OK 开始", "Not set up: OK begins";
    STAGE: "{title}  {step}/4", "{title}  {step}/4";
    PASSWORD: "管理员密码", "Admin password";
    PASSWORD_USER: "用户 admin，请记下：", "User admin; write it down:";
    PASSWORD_TAKE: "OK 采用  → 自己输入", "OK takes it  → your own";
    PASSWORD_OWN: "↑↓字符 →下一位 ←删除 OK完成", "↑↓ char → next ← erase  OK";
    PASSWORD_SHORT: "↑↓字符 →下一位 ←删除 需8位", "↑↓ char → next ← erase min 8";
    PLACE: "时区和国家", "Clock and country";
    COUNTRY: "国家/线路制式", "Country of lines";
    OFFSET: "时区", "Local time";
    PLACE_KEYS: "←→ 更改  OK 完成", "←→ change  OK finishes";
    SETUP_DONE: "设置完成。用户 admin 可从控制台登录。", "The box is set up. User admin may log in at the console.";

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
            crate::text::alarm::NAMES.iter().map(|(name, _)| *name).filter(|name| title(name).is_none()).collect();
        assert!(without.is_empty(), "add a short title for {without:?} to text/panel.rs");
    }
}
