//! What a change of the configuration will do, a line each.

texts! {
    NOTHING: "对通话、来电者和话机没有影响", "nothing changes for calls, callers and phones";
    CALLS_KEEP: "正在进行的 {calls} 路通话和 {waiting} 位等待者不受影响，按原配置走完", "{calls} calls in progress and {waiting} callers waiting keep what they began with";
    LISTEN: "SIP 地址 {from} → {to}：已注册的 {phones} 部话机须改用新地址；进行中的通话继续", "sip listen {from} -> {to}: the {phones} phones registered now must use the new address; calls in progress go on";
    MEDIA: "媒体地址、端口或抖动缓冲从下一路通话起生效", "media address, ports or jitter buffer hold for the next calls";
    NETWORK: "网络设置：{from} → {to}；以网络登录者可能断开", "network: {from} -> {to}; whoever comes over the network may be cut off";
    AT_START: "{path} 在下次启动时生效", "{path} takes effect at the next start";
    EXTENSION_GONE: "分机 {name} 删除：{phones} 部话机不能再用；其 {calls} 路通话继续到结束", "extension {name} goes: its {phones} phones cannot call any more; {calls} calls of it go on to their end";
    EXTENSION_SECRET: "分机 {name} 改密码：{phones} 部话机须用新密码重新注册", "extension {name} has another secret: its {phones} phones must register again with it";
    DID: "外线号码 {name}：{from} → {to}，从下一路来电起", "did {name}: {from} -> {to} from the next call on";
    DID_NEW: "外线号码 {name} → {to}", "did {name} leads to {to}";
    DID_GONE: "外线号码 {name} 不再接听（原到 {from}）", "did {name} is answered no more (it led to {from})";
    NUMBER: "内线号码 {name}：{from} → {to}，从下一路来电起", "number {name}: {from} -> {to} from the next call on";
    NUMBER_NEW: "内线号码 {name} → {to}", "number {name} leads to {to}";
    NUMBER_GONE: "内线号码 {name} 不再接听（原到 {from}）", "number {name} is answered no more (it led to {from})";
    MENU: "菜单 {name} 改变：从下一路来电起，影响外线号码 {numbers}", "menu {name} changes from the next call on; numbers that lead to it: {numbers}";
    CALENDAR: "日历 {name} 的营业时间改变：影响队列 {queues}", "calendar {name} has other hours: queues {queues}";
    EMERGENCY: "话机可拨的紧急号码：{from} → {to}", "emergency numbers that phones can dial: {from} -> {to}";
    REALM: "SIP realm {from} → {to}：已注册的 {phones} 部话机须重新注册，密码不变", "sip realm {from} -> {to}: the {phones} phones registered now must register again, with the secrets that they have";
    OTHERS: "另有改变：{names}", "changed besides: {names}";
    QUEUE_GONE: "队列 {name} 删除：{waiting} 位等待者仍按原配置接待", "queue {name} goes: {waiting} callers waiting in it are still served as it was";
    QUEUE_CHANGED: "队列 {name}：{leaves}；{agents} 名座席，{waiting} 位等待者保持位置", "queue {name}: {leaves}; {agents} agents, {waiting} callers waiting keep their place";
    AGENT_GONE: "座席 {name} 删除：{state}", "agent {name} goes: {state}";
    AGENT_AFTER_CALL: "现在{now}，结束后签出", "now {now}, logged out after it";
    AGENT_OUT: "现在{now}，即刻签出", "now {now}, logged out at once";
    AGENT_NOT_IN: "未签入", "not logged in";
    AGENT_PHONE: "座席 {name} 的话机 {from} → {to}，已签入者下次签入起", "agent {name}: phone {from} -> {to}; whoever is logged in from the next login on";
    TRUNK_GONE: "中继 {name} 删除：其 {calls} 路通话继续到结束", "trunk {name} goes: {calls} calls over it go on to their end";
    TRUNK_CHANGED: "中继 {name}：{from} → {to}", "trunk {name}: {from} -> {to}";
    ROUTE: "路由 {name}：呼出号码的去向改变", "route {name}: numbers dialled outside may go elsewhere";
    LAMPS: "话机 {name}：{keys} 个指示灯键失效（{targets}）", "phone {name} loses {keys} keys with lamps ({targets})";
    CODE: "功能码 {name}：{from} → {to}；已设好的按键须更改", "code {name}: {from} -> {to}; keys that dial it must be changed";
    LINE: "线路 {name}：{from} → {to}", "line {name}: {from} -> {to}";
    USER_GONE: "用户 {name} 删除，登录中的会话即刻结束", "user {name} goes; a session of theirs ends at the next command";
    USER_ROLE: "用户 {name}：{from} → {to}", "user {name}: {from} -> {to}";
    FIRST_USER: "此后控制台须登录", "from now on the console asks for a login";
    OPEN_TO_ALL: "此后控制台无须登录，任何人可更改一切", "from now on the console asks for no login: whoever is there may change everything";
    MORE: "另有 {count} 项", "and {count} more";
    ANY: "任意", "any";
}
