//! The built-in reasons for which an agent is not ready. A site may give its own words in the configuration.

texts! {
    BREAK: "小休", "Break";
    LUNCH: "用餐", "Lunch";
    TRAINING: "培训", "Training";
    MEETING: "会议", "Meeting";
    PAPERWORK: "整理", "Paperwork";
    OUTBOUND: "外呼", "Outbound";
    COACHING: "辅导", "Coaching";
    TECHNICAL: "系统故障", "Technical";
    OTHER: "其他", "Other";
    RONA: "未应答", "RONA";
    UNREACHABLE: "话机不可达", "Phone unreachable";
    SUPERVISOR: "班长操作", "Supervisor";
    SHIFT_END: "下班", "Shift end";
    NUMBERED: "原因 {code}", "Reason {code}";
}
