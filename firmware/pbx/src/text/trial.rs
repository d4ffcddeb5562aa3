//! What comes of configuration tests, in words. Numbers before what happened are seconds after the call began.

texts! {
    NOT_MET: "期望 `{expected}` 未实现；实际：{what}", "expected `{expected}`; what happened: {what}";
    NOT_MET_REMEDY: "修改配置，或修改测试的期望", "change the configuration, or what the test expects";
    NO_SUCH: "没有名为 {name} 的测试", "there is no test {name}";
    NO_SUCH_REMEDY: "核对名称", "compare its name";
    NO_DID: "{from} 不是分机，外部来电又无法拨到 {to}：它不是外线号码", "{from} is no extension, and callers from outside cannot reach {to}: it is no did";
    NO_DID_REMEDY: "改拨某个外线号码，或补上 `did {to}`，或期望 `refused`", "call a did, add `did {to}`, or expect `refused`";
    NO_PHONE: "座席 {agent} 既无分机也无 PIN，无法签入", "agent {agent} has neither an extension nor a PIN and cannot log in";
    NO_PHONE_REMEDY: "给座席 {agent} 一个 `extension` 或 `pin`，或从 `agents` 中删除", "give agent {agent} an `extension` or a `pin`, or take it out of `agents`";
    AT: "第 {at} 秒{what}", "{at} s {what}";
    AND: "{before}；随后{next}", "{before}; {next}";
    COMMA: "{before}, {next}", "{before}, {next}";
    NOTHING: "呼叫没有到达", "the call never arrived";
    SENT: "转到 {to}", "sent to {to}";
    NOWHERE: "无处可去（{why}）", "sent nowhere ({why})";
    QUEUED: "在队列 {queue} 等待", "waits in queue {queue}";
    SERVED: "与座席 {agent} 通话（队列 {queue}）", "talks with agent {agent} of queue {queue}";
    TALKS: "与 {with} 通话", "talks with {with}";
    OFFER_ENDED: "座席 {agent} 未接（{cause}）", "agent {agent} does not take it ({cause})";
    UNSERVED: "队列 {queue} 无人可派：{agents}", "nobody of queue {queue} can take it: {agents}";
    EXCLUDED: "{agent} {rule} {detail}", "{agent} {rule} {detail}";
    NO_MEMBERS: "没有成员签入", "no member is there";
    TURNED: "离开队列 {queue}（{rule}）→ {to}", "leaves queue {queue} ({rule}) → {to}";
    LEFT: "离开队列 {queue}（{by}）", "leaves queue {queue} ({by})";
    CLOSED: "非营业时间", "closed";
    FULL: "已满", "full";
    EMPTY: "无人", "empty";
    WAITED: "等待超时", "waited too long";
    PRESSED: "按 {key}", "presses {key}";
    HEARD: "听到 {prompts}", "hears {prompts}";
    HUNG_UP: "被挂断", "is hung up on";
    REFUSED: "未应答即被拒（{why}）", "is refused ({why})";
    STILL_ON: "一小时后通话仍未结束", "still on after an hour";
    STUCK: "循环不止，已中断", "it went round in circles and was broken off";
    KEYS_LEFT: "未按的键：{keys}", "keys never asked for: {keys}";
    PASSED: "配置测试：{count} 项全部通过", "configuration tests: all {count} passed";
}
