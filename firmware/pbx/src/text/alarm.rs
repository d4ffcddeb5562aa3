//! What the operator is told when something is wrong: cause and remedy of each alarm. The stable names of the alarms
//! (`line-battery` …) are in [`named`].

use crate::text::Key;

texts! {
    LINE_BATTERY:
        "{subject}：线路无馈电（断线或局端已拆线）。处理：检查墙上插座到板卡的线缆；若线路已停用，请从配置中删除该端口。",
        "{subject}: the line has no battery (cable cut, or disconnected at the exchange). Remedy: check the cable from the wall jack to the card; if the line is no longer rented, remove the port from the configuration.";
    LINE_FAULT:
        "{subject}：线路接口故障：{detail}。处理：拔出再插入该端口的线缆；若仍不消失，请更换板卡。",
        "{subject}: the line interface fails: {detail}. Remedy: unplug and replug the cable of this port; if it stays, replace the card.";
    CARD_FAULT:
        "{subject}：板卡无应答或型号不符：{detail}。处理：检查板卡是否插紧、槽位与配置是否一致。",
        "{subject}: the card does not answer or is of another type: {detail}. Remedy: check that the card is seated and that slot and configuration agree.";
    STORE_WRITE:
        "无法写入数据库：{detail}。呼叫继续，但话单和录音可能丢失。处理：检查磁盘空间和目录权限。",
        "The database cannot be written: {detail}. Calls go on, call records and recordings may be lost. Remedy: check disk space and the rights of the directory.";
    RECORDER_OVERRUN:
        "录音跟不上：{detail}。部分录音已丢失，通话不受影响。处理：磁盘过慢或过忙，请检查。",
        "The recorder cannot keep up: {detail}. Some recorded audio is lost, calls are not affected. Remedy: the disk is too slow or too busy; check it.";
    INBOX_FULL:
        "收到的 SIP 报文过多：{detail}。多余的报文已丢弃。处理：检查网络中是否有设备反复发送请求。",
        "Too many SIP messages arrive: {detail}. The excess was dropped. Remedy: look for a device on the network that repeats requests.";
    SIP_SOCKET:
        "无法使用 SIP 地址 {subject}：{detail}。处理：检查 `sip listen` 的地址是否属于本机、端口是否被其他程序占用。",
        "The SIP address {subject} cannot be used: {detail}. Remedy: check that the address of `sip listen` belongs to this machine and that no other program has the port.";
    HIGHWAY:
        "TDM 总线无音频：{detail}。模拟线路没有声音，IP 通话不受影响。处理：检查声音设备和板卡。",
        "The TDM highway carries no audio: {detail}. Analog lines are silent, IP calls are not affected. Remedy: check the sound device and the cards.";
    HARDWARE_BUS:
        "硬件总线无应答：{detail}。线路卡暂不可用。处理：模拟运行时检查 world 进程；设备上请重启或送修。",
        "The hardware bus does not answer: {detail}. Line cards are out of use. Remedy: in the simulator look at the world process; on the box restart it or have it repaired.";
    BUG:
        "程序错误，已结束一路呼叫：{detail}。其他呼叫不受影响。处理：导出诊断包并报告。",
        "An error in the program ended one call: {detail}. Other calls are not affected. Remedy: export a support bundle and report it.";
    DIVERGED:
        "核对失败：同一输入得出了不同结果（{detail}）。呼叫不受影响，但重新启动后可能无法恢复。处理：检查内存；导出诊断包并报告。",
        "The check of the state failed: the same input led to another result ({detail}). Calls are not affected, but may not survive a restart. Remedy: test the memory; export a support bundle and report it.";
    RTP_PORTS:
        "RTP 端口 {detail} 不够用：被其他程序占用，或已全部用完。新的来电和派单可能失败，座席仍为示闲。处理：用 `ss -lunp` 查出占用端口的程序并停止它，或更改、扩大 `media rtp-ports`。",
        "RTP ports {detail} cannot be had: another program holds them, or all are in use. New calls and offers may fail; agents stay ready. Remedy: find the program that holds them with `ss -lunp` and stop it, or move or widen `media rtp-ports`.";
    WRONG_PIN:
        "{subject}：连续输错密码（工号 {detail}）。处理：核对座席或班长的 `pin`；若无人承认，请查看该话机。",
        "{subject}: a wrong PIN was entered again and again (id {detail}). Remedy: check the `pin` of the agent or supervisor; if nobody admits it, look at that phone.";
    PROMPT_MISSING:
        "提示音 {subject} 缺失或无法读取。主叫听到静音。处理：将该文件放入提示音目录（8 kHz、单声道、16 位 WAV）。",
        "The prompt {subject} is missing or unreadable. Callers hear silence. Remedy: put the file into the prompt directory (WAV, 8 kHz, mono, 16 bit).";
    SIP_AUTH:
        "分机 {subject}：来自 {detail} 的注册或呼叫密码错误。处理：核对话机中的密码与配置 `extension … secret`；若该地址不是您的话机，请在网络中封锁它。",
        "extension {subject}: wrong credentials from {detail}. Remedy: compare the password in the phone with `extension … secret`; if that address is no phone of yours, block it in the network.";
    RAISED: "告警：{name}：{text}", "ALARM {name}: {text}";
    CLEARED: "告警解除：{name}：{subject}", "cleared: {name}: {subject}";
}

/// The text of an alarm by its stable name; its gaps are `subject` or `detail` or both.
pub fn named(name: &str) -> Option<Key> {
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, key)| *key)
}

/// Stable names of all alarms with their texts.
pub const NAMES: &[(&str, Key)] = &[
    ("line-battery", LINE_BATTERY),
    ("line-fault", LINE_FAULT),
    ("card-fault", CARD_FAULT),
    ("store-write", STORE_WRITE),
    ("recorder-overrun", RECORDER_OVERRUN),
    ("inbox-full", INBOX_FULL),
    ("sip-socket", SIP_SOCKET),
    ("highway", HIGHWAY),
    ("hardware-bus", HARDWARE_BUS),
    ("sip-auth", SIP_AUTH),
    ("bug", BUG),
    ("diverged", DIVERGED),
    ("prompt-missing", PROMPT_MISSING),
    ("rtp-ports", RTP_PORTS),
    ("wrong-pin", WRONG_PIN),
];

/// The names alone.
pub const WORDS: &[&str] = &[
    "line-battery",
    "line-fault",
    "card-fault",
    "store-write",
    "recorder-overrun",
    "inbox-full",
    "sip-socket",
    "highway",
    "hardware-bus",
    "sip-auth",
    "bug",
    "diverged",
    "prompt-missing",
    "rtp-ports",
    "wrong-pin",
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_names_are_those_of_the_texts() {
        assert!(super::NAMES.iter().map(|(name, _)| name).eq(super::WORDS));
    }
}
