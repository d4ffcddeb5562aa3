//! What is wrong in a configuration, and what to do about it. Remedies end without a full stop; [`LINE`] adds it.

texts! {
    // The frame of a message.
    LINE: "第 {line} 行：{path}：{reason}。处理：{remedy}。", "line {line}: {path}: {reason}. Remedy: {remedy}.";
    LINE_ONLY: "第 {line} 行：{reason}。处理：{remedy}。", "line {line}: {reason}. Remedy: {remedy}.";
    NO_LINE: "{path}：{reason}。处理：{remedy}。", "{path}: {reason}. Remedy: {remedy}.";
    BARE: "{reason}。处理：{remedy}。", "{reason}. Remedy: {remedy}.";
    WARNING: "提醒：{message}", "warning: {message}";

    // The text form.
    TOO_LONG: "文件过大（{bytes} 字节）", "the file is too large ({bytes} bytes)";
    TOO_LONG_REMEDY: "不得超过 {max} 字节", "keep it below {max} bytes";
    TOO_MANY: "问题过多，其余未列出", "there are more problems than are listed";
    TOO_MANY_REMEDY: "先改正以上问题", "mend those above first";
    CONTROL_CHARACTER: "不可用的控制字符 {code}", "control character {code} is not allowed";
    CONTROL_CHARACTER_REMEDY: "删除它", "remove it";
    QUOTE_OPEN: "引号未闭合", "the quotation is not closed";
    QUOTE_OPEN_REMEDY: "在同一行补上 `\"`", "add `\"` on the same line";
    ESCAPE_UNKNOWN: "未知的转义 `{escape}`", "unknown escape `{escape}`";
    ESCAPE_UNKNOWN_REMEDY: "只可用 `\\\"`、`\\\\`、`\\n` 和 `\\t`", "use only `\\\"`, `\\\\`, `\\n` and `\\t`";
    COMMENT_OPEN: "注释未闭合", "the comment is not closed";
    COMMENT_OPEN_REMEDY: "补上 `*/`", "add `*/`";
    BRACE_OPEN: "`{brace}` 未闭合", "`{brace}` is not closed";
    BRACE_OPEN_REMEDY: "补上 `{close}`", "add `{close}`";
    SEMICOLON_MISSING: "`{word}` 之后缺少 `;`", "`;` is missing after `{word}`";
    SEMICOLON_MISSING_REMEDY: "补上 `;`", "add `;`";
    STRAY: "多余的 `{token}`", "stray `{token}`";
    STRAY_REMEDY: "删除它，或补上它前面缺少的内容", "remove it, or add what is missing before it";
    TOO_DEEP: "嵌套过深", "blocks are nested too deeply";
    TOO_DEEP_REMEDY: "最多 {max} 层", "use at most {max} levels";

    // Sections and leaves.
    SECTION_UNKNOWN: "未知的段 `{name}`", "unknown section `{name}`";
    LEAF_UNKNOWN: "未知的项 `{name}`", "unknown item `{name}`";
    DID_YOU_MEAN: "若是指 `{near}`，请改正；否则删除", "write `{near}` if that is meant, otherwise remove it";
    KNOWN_ARE: "删除它；此处可用：{names}", "remove it; known here: {names}";
    BLOCK_EXPECTED: "`{name}` 是一个段，缺少 `{brace} … {close}`", "`{name}` is a section and needs `{brace} … {close}`";
    BLOCK_EXPECTED_REMEDY: "写成 `{sample}`", "write `{sample}`";
    LEAF_EXPECTED: "`{name}` 是一个值，不是段", "`{name}` is a value, not a section";
    LEAF_EXPECTED_REMEDY: "写成 `{name} …;`", "write `{name} …;`";
    KEY_TAKEN: "已有 `{name}`", "there is a `{name}` already";
    KEY_TAKEN_REMEDY: "换一个名称，或先删除它", "choose another name, or delete that one first";
    PATH_MISSING: "没有写明哪一项", "it is not said which statement is meant";
    PATH_MISSING_REMEDY: "写出段名和名称", "name a section and its key";
    NOT_WRITTEN: "配置中没有这一项", "the configuration has no such statement";
    NOT_WRITTEN_REMEDY: "用 `show` 查看已有内容", "see with `show` what there is";
    KEY_MISSING: "`{name}` 缺少名称", "`{name}` needs a name";
    KEY_EXTRA: "`{name}` 之后有多余的 `{word}`", "`{word}` is too much after `{name}`";
    KEY_EXTRA_REMEDY: "删除 `{word}`", "remove `{word}`";
    TWICE: "重复定义（第一次在第 {first} 行）", "defined twice (first on line {first})";
    TWICE_REMEDY: "删除其中之一", "remove one of them";
    LEAF_MISSING: "缺少 `{name}`（{doc}）", "`{name}` is missing ({doc})";
    LEAF_MISSING_REMEDY: "补上 `{name} …;`，值为{expected}", "add `{name} …;` with {expected}";

    // Values.
    VALUE_MISSING: "缺少值", "the value is missing";
    VALUE_EXTRA: "多余的值 `{word}`", "`{word}` is one value too many";
    VALUE_LIST: "此处只能有一个值，不能是列表", "one value is expected here, not a list";
    VALUE_BAD: "`{value}` 不可用", "`{value}` does not fit";
    VALUE_TWICE: "`{value}` 出现两次", "`{value}` is listed twice";
    VALUE_TWICE_REMEDY: "删除其中之一", "remove one of them";
    NUMBER_OUT: "{value} 超出范围", "{value} is out of range";
    NUMBER_STEP: "{value} 不是 {step} 的倍数", "{value} is not a multiple of {step}";
    SECRET_MASKED: "`{name}` 是隐藏密码的占位符，不是密码", "`{name}` is the mask of a secret, not a secret";
    SECRET_MASKED_REMEDY: "写出密码，或在控制台载入以保留原密码", "write the secret, or load the text at the console, which keeps the old one";
    SECRET_SHORT: "密码只有 {count} 个字符", "the secret has only {count} characters";
    PORTS_BAD: "端口范围 {value} 不可用", "the port range {value} does not fit";
    GIVE: "应为{expected}", "give {expected}";
    USE_ONE: "只写一个值：{expected}", "write one value: {expected}";

    // What a value looks like.
    EXPECT_NUMBER: " {min} 到 {max} 的整数", "a whole number from {min} to {max}";
    EXPECT_NUMBER_UNIT: " {min} 到 {max}，单位{unit}", "a whole number from {min} to {max} ({unit})";
    EXPECT_NUMBER_STEP: " {min} 到 {max}，步长 {step}，单位{unit}", "a whole number from {min} to {max} in steps of {step} ({unit})";
    EXPECT_FLAG: " `yes` 或 `no`", "`yes` or `no`";
    EXPECT_LABEL: "不超过 {max} 个字符的文字", "a text of at most {max} characters";
    EXPECT_SECRET: " {min} 到 {max} 个字符，不含控制字符", "{min} to {max} characters without control characters";
    EXPECT_NAME: "由字母、数字、`-`、`_`、`.` 组成的名称，不超过 {max} 个字符", "a name of letters, digits, `-`, `_` and `.`, at most {max} characters";
    EXPECT_DIGITS: " {min} 到 {max} 位数字", "{min} to {max} digits";
    EXPECT_DIGITS_PLUS: " {min} 到 {max} 位数字，可以 `+` 开头", "{min} to {max} digits, `+` may stand in front";
    EXPECT_REFERENCE: "已定义的{table}", "a defined {table}";
    EXPECT_REFERENCES: "已定义的{table}的列表，如 `[ a b ]`", "a list of defined {table} names, like `[ a b ]`";
    EXPECT_LANGUAGE: " `zh-CN` 或 `en-US`", "`zh-CN` or `en-US`";
    EXPECT_LANGUAGES: "语言列表，如 `[ zh-CN en-US ]`", "a list of languages, like `[ zh-CN en-US ]`";
    EXPECT_ADDRESS: " IP 地址，如 `192.168.1.10`", "an IP address, like `192.168.1.10`";
    EXPECT_SOCKET: "地址和端口，如 `192.168.1.10:5060`", "address and port, like `192.168.1.10:5060`";
    EXPECT_PORTS: "端口范围，如 `20000-20999`：大于 1023，首个为偶数，末个为奇数，至少 4 个", "a range like `20000-20999`: above 1023, first even, last odd, at least 4 ports";
    EXPECT_PORT: " 1 到 65535 的端口", "a port from 1 to 65535";
    EXPECT_CODE: " 2 到 8 个字符的 `*`、`#`、`0`-`9`，以 `*` 或 `#` 开头（含 `#` 时加引号）", "2 to 8 of `*`, `#`, `0`-`9`, beginning with `*` or `#` (quoted when it has `#`)";
    EXPECT_KEY: "按键 `0`-`9`、`*` 或 `\"#\"`", "a key: `0`-`9`, `*` or `\"#\"`";
    EXPECT_DESTINATION: "去向：`extension 号码`、`queue 名称`、`menu 名称`、`echo` 或 `hangup`", "a destination: `extension NUMBER`, `queue NAME`, `menu NAME`, `echo` or `hangup`";
    EXPECT_WORD: "以下之一：{words}", "one of: {words}";
    EXPECT_WORDS: "以下词的列表：{words}", "a list of these: {words}";
    EXPECT_PIN: " {min} 到 {max} 位数字", "{min} to {max} digits";
    EXPECT_SKILLS: "技能和等级 1 到 10 的列表，如 `[ billing:7 english:5 ]`", "a list of skills with levels from 1 to 10, like `[ billing:7 english:5 ]`";
    EXPECT_UTC_OFFSET: " `-12:00` 到 `+14:00`，如 `+08:00`", "`-12:00` to `+14:00`, like `+08:00`";
    EXPECT_HOURS: "时间列表，如 `[ mon-fri/09:00-18:00 daily/22:00-06:00 ]`", "a list of hours, like `[ mon-fri/09:00-18:00 daily/22:00-06:00 ]`";
    EXPECT_DAYS_OFF: "日期列表，如 `[ 2026-10-01/2026-10-07 2027-01-01 ]`", "a list of dates, like `[ 2026-10-01/2026-10-07 2027-01-01 ]`";
    EXPECT_EXTRA_HOURS: "日期及时间的列表，如 `[ 2026-10-10/09:00-18:00 ]`", "a list of dates with hours, like `[ 2026-10-10/09:00-18:00 ]`";

    // Between the parts.
    REFERENCE: "{table} {name} 不存在", "{table} {name} does not exist";
    REFERENCE_REMEDY: "定义 `{keyword} {name} {brace} … {close}`，或在此删除它", "define `{keyword} {name} {brace} … {close}` or remove it";
    NUMBER_TAKEN: "{number} 已是分机号", "{number} is already an extension";
    NUMBER_TAKEN_REMEDY: "换一个号码，或删除该分机", "choose another number or remove the extension";
    CODE_TAKEN: "功能码 `{code}` 已用于 {other}", "the code `{code}` is already that of {other}";
    CODE_SHADOWED: "功能码 `{code}` 与 {other} 后加数字相同", "the code `{code}` is also {other} followed by digits";
    CODE_SHADOWS: "功能码 `{code}` 后加数字与 {other} 的 `{longer}` 相同", "the code `{code}` followed by digits is also `{longer}` of {other}";
    CODE_REMEDY: "换一个功能码", "choose another code";
    PHONE_SHARED: "分机 {extension} 已是 {other} 的话机", "extension {extension} is already the phone of {other}";
    PHONE_SHARED_REMEDY: "为每人指定各自的分机", "give each an extension of its own";
    LOGGED_IN_NOWHERE: "没有话机，无法一开始就签入", "without a phone the agent cannot begin logged in";
    LOGGED_IN_NOWHERE_REMEDY: "补上 `extension`，或删除 `logged-in`", "add `extension` or remove `logged-in`";
    PIN_IS_ID: "密码与工号相同", "the PIN equals the id";
    SUPERVISOR_IS_AGENT: "{id} 已是座席", "{id} is already an agent";
    SUPERVISOR_IS_AGENT_REMEDY: "给班长另一个工号", "give the supervisor another id";
    SECRET_IS_NUMBER: "密码与分机号相同", "the secret equals the extension number";
    SECRET_IS_NUMBER_REMEDY: "换一个不易猜到的密码", "choose one that cannot be guessed";
    EXPIRES_CROSSED: "最短有效期 {min} 大于最长有效期 {max}", "the shortest life {min} is above the longest {max}";
    EXPIRES_CROSSED_REMEDY: "使 `expires-min-s` 不大于 `expires-max-s`", "make `expires-min-s` at most `expires-max-s`";
    RTP_SIP: "端口范围 {ports} 含有 SIP 端口 {port}", "the range {ports} contains the SIP port {port}";
    RTP_SIP_REMEDY: "将两者分开", "move one of them";
    MEDIA_ANY: "不能用 {address} 作为 RTP 地址告知话机", "{address} cannot be told to phones as RTP address";
    MEDIA_ANY_REMEDY: "在 `media` 中写明 `address` 为本机的一个地址", "name one address of this machine with `address` in `media`";
    MENU_LOOP: "菜单经 `otherwise` 循环：{chain}", "menus go round in circles by `otherwise`: {chain}";
    MENU_LOOP_REMEDY: "使其中一个 `otherwise` 通往队列、分机或挂机", "let one `otherwise` lead to a queue, an extension or hangup";
    OVERFLOW_LOOP: "来电可能不经等待在队列间循环：{chain}", "callers can be sent round in circles without waiting: {chain}";
    OVERFLOW_LOOP_REMEDY: "使其中一个 `overflow` 通往菜单、分机或挂机", "let one `overflow` lead to a menu, an extension or hangup";
    WRAP_UP_CROSSED: "整理上限 {max} 小于 `{leaf}` 的 {seconds}", "the most, {max}, is below {seconds} of `{leaf}`";
    WRAP_UP_CROSSED_REMEDY: "使 `{leaf}` 不大于 `wrap-up-max-s`", "make `{leaf}` at most `wrap-up-max-s`";
    TRUNK_OVERLAP: "与中继 {other} 的来源相同", "its requests cannot be told from those of trunk {other}";
    TRUNK_OVERLAP_REMEDY: "用不同的地址或 `port` 区分", "give them different addresses or ports";
    TRUNK_IS_US: "该地址就是本机的 `sip listen`", "that is our own `sip listen`";
    TRUNK_IS_US_REMEDY: "填写运营商的地址", "give the carrier's address";
    LENGTHS_CROSSED: "最少位数 {min} 大于最多位数 {max}", "the fewest digits, {min}, are above the most, {max}";
    LENGTHS_CROSSED_REMEDY: "使 `length-min` 不大于 `length-max`", "make `length-min` at most `length-max`";
    STRIP_BEYOND: "要去掉 {strip} 位，但前缀 `{prefix}` 没有这么长", "{strip} characters are to be stripped, but the prefix `{prefix}` is shorter";
    STRIP_BEYOND_REMEDY: "减小 `strip`，或写出完整的前缀", "lower `strip` or write the whole prefix";
    ROUTE_SHADOWS: "前缀 `{prefix}` 也适用于 {other}，该号码在外线永远拨不到", "the prefix `{prefix}` fits {other}, too: that number outside could never be reached";
    ROUTE_SHADOWS_REMEDY: "换一个前缀，或将 `length-min` 设为 {length} 以上", "choose another prefix, or a `length-min` of at least {length}";
    ROUTE_TWICE: "前缀 `{prefix}` 与路由 {other} 相同", "the prefix `{prefix}` is also that of route {other}";
    ROUTE_TWICE_REMEDY: "用不同的前缀或号码长度区分", "tell them apart by prefix or by length";
    PROMPT_MISSING: "没有提示音 {file}", "there is no prompt {file}";
    PROMPT_MISSING_REMEDY: "放入该文件，或改用：{names}", "add the file, or use one of: {names}";

    // Allowed, but probably not meant.
    QUEUE_EMPTY: "队列没有座席", "the queue has no agents";
    QUEUE_EMPTY_REMEDY: "补上 `agents [ … ]`", "add `agents [ … ]`";
    AGENT_IDLE: "座席不属于任何队列", "the agent serves no queue";
    AGENT_IDLE_REMEDY: "把它加入一个队列的 `agents`", "add it to the `agents` of a queue";
    PHONE_NONE: "既无话机也无密码，无法签入", "without a phone and without a PIN there is no way to log in";
    PHONE_NONE_REMEDY: "补上 `extension` 或 `pin`", "add `extension` or `pin`";
    CALENDAR_SHUT: "日历从不营业", "the calendar is never open";
    CALENDAR_SHUT_REMEDY: "补上 `hours [ mon-fri/09:00-18:00 ]`", "add `hours [ mon-fri/09:00-18:00 ]`";
    SKILL_NOBODY: "没有座席具备 {level} 级的技能 {skill}", "no agent of the queue has skill {skill} at level {level}";
    SKILL_NOBODY_REMEDY: "在一个座席的 `skills` 中补上 `{skill}:{level}`，或降低要求", "add `{skill}:{level}` to the `skills` of an agent or ask for less";
    DROP_NEEDLESS: "技能 {skill} 在此队列本非必需", "skill {skill} is not required in this queue anyway";
    DROP_NEEDLESS_REMEDY: "在此删除它", "remove it here";
    TOO_LATE: "永远不会发生：`{bound}` 为 {seconds}，等待已先结束", "it never happens: with `{bound}` {seconds} the wait is over before";
    TOO_LATE_REMEDY: "改为小于 `{bound}`", "make it less than `{bound}`";
    STARVED_LATE: "`routing starvation-s` 为 {bound}，在此队列永不起作用：等待最多 {seconds} 秒", "`routing starvation-s` {bound} never helps here: nobody waits for more than {seconds} s";
    STARVED_LATE_REMEDY: "调小 `routing starvation-s`，或调大 `max-wait-s`", "lower `routing starvation-s`, or raise `max-wait-s`";
    DISPOSITION_NONE: "没有定义任何通话结果", "no result of a call is defined";
    DISPOSITION_NONE_REMEDY: "补上 `disposition 1 {brace} zh …; en …; {close}`", "add `disposition 1 {brace} zh …; en …; {close}`";
    OVERFLOW_NOWHERE: "没有写明溢出到何处", "there is no place to overflow to";
    OVERFLOW_NOWHERE_REMEDY: "补上 `overflow wait {brace} to …; {close}`", "add `overflow wait {brace} to …; {close}`";
    OVERFLOW_NEVER: "永远不会发生：没有设置 `{needs}`", "it never happens: `{needs}` is not set";
    OVERFLOW_NEVER_REMEDY: "设置 `{needs}`，或删除此段", "set `{needs}` or remove this section";
    FACTOR_NEVER: "`{factor}` 在此设备上从不成立", "`{factor}` never applies here";
    FACTOR_NEVER_REMEDY: "删除它", "remove it";
    STICKY_NEVER: "永远不会发生：`routing sticky-days` 为 0", "it never happens: `routing sticky-days` is 0";
    STICKY_NEVER_REMEDY: "设置 `routing` 的 `sticky-days`，或删除此项", "set `sticky-days` in `routing` or remove this";
    MENU_BARE: "菜单没有按键", "the menu has no keys";
    MENU_BARE_REMEDY: "补上 `key 1 {brace} to …; {close}`", "add `key 1 {brace} to …; {close}`";

    // Words inside messages.
    SECONDS: "秒", "seconds";
    MILLISECONDS: "毫秒", "milliseconds";
    TABLE_EXTENSION: "分机", "extension";
    TABLE_CALENDAR: "日历", "calendar";
    TABLE_SKILL: "技能", "skill";
    TABLE_AGENT: "座席", "agent";
    TABLE_QUEUE: "队列", "queue";
    TABLE_MENU: "菜单", "menu";
    TABLE_DID: "外线号码", "did";
    TABLE_TRUNK: "中继", "trunk";
}
