//! What the console says: what each of its commands does, headings of its tables, and why a line was not taken.

texts! {
    GREETING: "Cordboard {version}：{name}。任何位置按 `?` 显示可用的词，Tab 补全，`help` 显示说明。", "Cordboard {version}: {name}. `?` shows what can follow anywhere, Tab completes, `help` tells the rest.";
    BYE: "再见。", "Good bye.";

    C_SHOW: "显示", "show how things are";
    C_SHOW_SYSTEM: "设备：版本、地址、负载", "the box: version, address, load";
    C_SHOW_CALLS: "所有通话", "all calls";
    C_SHOW_CALL: "一路呼叫的全过程", "the story of one call";
    C_SHOW_QUEUE: "队列：等待人数与座席", "queues: who waits, who serves";
    C_SHOW_QUEUE_NAME: "一个队列：来电者和座席", "one queue: its callers and agents";
    C_SHOW_AGENT: "座席状态", "what agents do";
    C_SHOW_AGENT_ID: "一名座席", "one agent";
    C_SHOW_PHONES: "分机及其已注册的话机", "extensions and the phones registered for them";
    C_SHOW_ALARMS: "当前告警", "alarms that are up";
    C_SHOW_CONFIGURATION: "生效的配置", "the configuration in force";
    C_SHOW_STATE: "过去某一时刻的状态", "how things stood at a moment";
    C_SHOW_AT: "时刻", "the moment";
    C_EXPLAIN: "说明派单原因", "explain a decision";
    C_EXPLAIN_CALL: "呼叫为何分给某座席", "why a call went where it went";
    C_CONFIGURE: "进入配置模式，修改自己的草稿", "configuration mode, on a draft of your own";
    C_SET: "设置", "set";
    C_CLI: "本控制台", "this console";
    C_CLI_LENGTH: "一屏行数，0 为不分屏", "lines of a page; 0: no pages";
    C_CLI_LANGUAGE: "语言：zh 或 en", "language: zh or en";
    C_HELP: "说明", "how to use the console";
    C_EXIT: "离开", "leave";

    E_SET: "写入一项", "write an item";
    E_DELETE: "删除一项或一节", "remove an item or a section";
    E_RENAME: "改名，引用随之更改", "give a section another key; what names it follows";
    E_COPY: "复制一节", "write a section once more under another key";
    E_TO: "新的名称", "the new key";
    E_ANNOTATE: "加注释，空文本则删除", "put a remark above; an empty text removes it";
    E_SHOW: "显示草稿", "the draft";
    E_COMPARE: "草稿与生效配置之差", "what the draft changes";
    E_COMMIT: "检查草稿", "look whether the draft could be put in force";
    E_COMMIT_CHECK: "检查草稿，列出所有问题", "all problems of the draft";
    E_EXIT: "离开配置模式", "leave configuration mode";
    E_EXIT_DISCARD: "放弃修改并离开", "throw the changes away and leave";

    P_PIPE: "处理输出", "work on what is printed";
    P_MATCH: "含有文本的行（不分大小写）", "lines with a text, in capitals or not";
    P_EXCEPT: "不含文本的行", "lines without a text";
    P_BEGIN: "从含有文本的第一行起", "from the first line with a text";
    P_COUNT: "行数", "how many lines";
    P_LAST: "最后几行，默认 10", "the last lines, 10 when no number follows";
    P_NO_MORE: "不分屏", "without pages";
    P_DISPLAY: "配置的另一种形式：set 或 json", "another form of a configuration: set or json";
    P_TEXT: "文本", "a text";
    P_COUNTED: "{count} 行", "{count} lines";

    A_QUEUE: "队列", "queue";
    A_AGENT: "座席", "agent";
    A_CALL: "呼叫编号，或其开头、结尾；last 为最近一次", "the call's identity, or how it begins or ends; `last` is the newest";
    A_TIME: "时间，例如 2026-11-22 09:30:00（UTC），可加 +08:00", "a time, such as 2026-11-22 09:30:00 (UTC), with +08:00 behind it if need be";
    A_PATH: "配置路径", "path in the configuration";
    A_NUMBER: "数", "a number";
    A_NAME: "名称", "a name";
    A_TEXT: "引号中的文本", "a text in quotes";
    ENTER: "执行", "do it";
    NOTHING_FOLLOWS: "后面不能再有内容", "nothing can follow";

    UNKNOWN: "不认识“{word}”。处理：按 `?` 查看此处可用的词。", "\"{word}\" is not known here. Remedy: `?` shows what can stand there.";
    AMBIGUOUS: "“{word}”有多种可能：{words}。处理：多写几个字母。", "\"{word}\" could be {words}. Remedy: write more letters.";
    INCOMPLETE: "命令不完整。处理：按 `?` 查看后面可以写什么。", "The line is not complete. Remedy: `?` shows what can follow.";
    PIPE_UNKNOWN: "不认识“| {word}”。处理：可用 {words}。", "\"| {word}\" is not known. Remedy: there are {words}.";
    PIPE_NEEDS_TEXT: "“| {word}”后面要有文本。处理：例如 `| match support`。", "\"| {word}\" wants a text. Remedy: for example `| match support`.";
    PIPE_NUMBER: "“{word}”不是行数。处理：写 1 到 100000 的数。", "\"{word}\" is no number of lines. Remedy: write one from 1 to 100000.";
    PIPE_DISPLAY: "“| display {word}”不可用。处理：显示配置时可用 set 或 json。", "\"| display {word}\" cannot be had. Remedy: a configuration can be displayed as set or json.";
    NUMBER_BAD: "“{word}”不是 0 到 999 的数。", "\"{word}\" is no number from 0 to 999.";
    NO_ANSWER: "呼叫控制暂时没有应答。处理：稍后再试；若不恢复，查看 `show alarms` 和日志。", "Call control does not answer now. Remedy: try again; when it stays so, see the log.";
    NO_QUEUE: "没有队列“{name}”。处理：`show queue` 列出所有队列。", "There is no queue \"{name}\". Remedy: `show queue` lists them.";
    NO_AGENT: "没有座席“{name}”。处理：`show agent` 列出所有座席。", "There is no agent \"{name}\". Remedy: `show agent` lists them.";
    NO_CONFIGURATION: "没有生效的配置。", "No configuration is in force.";
    NOT_WRITTEN: "此处没有写任何内容。", "Nothing is written there.";
    REFUSED: "{reason}。处理：{remedy}", "{reason}. Remedy: {remedy}";

    CONFIGURING: "配置模式：修改第 {number} 次提交的草稿，仅您可见。", "Configuration mode: a draft of commit {number}, seen by you alone.";
    NO_COMMIT: "尚不能从控制台提交：`compare` 显示差别，`commit check` 检查草稿，`show | display set` 可以复制出来；要生效请写入配置文件并重新启动。", "A draft cannot be put in force from here yet: `compare` shows what it changes, `commit check` its problems, and `show | display set` can be copied; to put it in force write it to the configuration file and start again.";
    NO_CHANGE: "没有修改。", "Nothing is changed.";
    NO_PROBLEM: "没有问题。", "No problem.";
    PROBLEMS: "{count} 个问题：", "{count} problems:";
    CHANGED: "草稿有未提交的修改。处理：`compare` 查看，`exit discard` 放弃并离开。", "The draft has changes. Remedy: `compare` shows them, `exit discard` throws them away and leaves.";

    HELP_KEYS: "按键：左右、Ctrl-A、Ctrl-E 移动；Ctrl-K、Ctrl-U、Ctrl-W 剪切，Ctrl-Y 粘贴；上下为历史；Ctrl-C 放弃；Ctrl-L 重画并询问屏幕大小。", "Keys: left, right, Ctrl-A, Ctrl-E move; Ctrl-K, Ctrl-U, Ctrl-W cut, Ctrl-Y pastes; up and down go through what was typed; Ctrl-C gives up; Ctrl-L draws anew and asks the terminal for its size.";
    HELP_PIPES: "输出之后可写 `| match 文本`、`| except`、`| begin`、`| count`、`| last`、`| no-more`、`| display set|json`；include 和 exclude 同 match 和 except。", "Behind what prints: `| match TEXT`, `| except`, `| begin`, `| count`, `| last`, `| no-more`, `| display set|json`; include and exclude are match and except.";
    HELP_SHORT: "在 `>` 下单词可以缩写，只要不混淆。", "At `>` words may be cut short as long as they are clear.";
    HELP_NUMBERS: "号码的中间四位不显示。", "The middle four digits of numbers are hidden.";

    NAME: "名称", "name";
    VERSION: "版本", "version";
    UP: "已运行", "up";
    SIP: "SIP 地址", "SIP address";
    COMMIT: "配置提交", "configuration commit";
    CALLS: "通话", "calls";
    WAITING: "等待", "waiting";
    LONGEST: "最长等待", "longest wait";
    READY: "示闲", "ready";
    LOGGED_IN: "已签入", "logged in";
    MEMBERS: "座席", "agents";
    AGENTS_READY: "示闲座席", "agents ready";
    SURGE: "高峰模式", "surge profile";
    ON: "开", "on";
    OFF: "关", "off";
    ALARMS: "告警", "alarms";
    DISK: "磁盘可用", "disk free";
    PHONES: "话机", "phones";
    EXTENSION: "分机", "extension";
    STATE: "状态", "state";
    SINCE: "已持续", "for";
    SEVERITY_WARNING: "提示", "warning";
    SEVERITY_MAJOR: "重要", "major";
    SEVERITY_CRITICAL: "紧急", "critical";
    ACKNOWLEDGED: "已确认", "acknowledged";
    SUBJECT: "对象", "subject";
    TIME: "时间", "time";
    RINGING: "正在振铃", "ringing";
    NOTHING: "无", "none";
    RECEPTION: "在设备中", "at the box";
    TALKING: "通话中", "talks";
    TALKS_QUEUE: "通话中（队列 {queue}）", "talks (queue {queue})";
    WAITS: "在队列 {queue} 等待 {time}", "waits in queue {queue} for {time}";
    RINGS: "分机 {extension} 振铃", "extension {extension} rings";
    OUTSIDE: "呼叫外线 {number}", "calls {number} outside";
    HEARS: "监听（{mode}）", "hears another call ({mode})";
    DOES: "正在", "does";
}
