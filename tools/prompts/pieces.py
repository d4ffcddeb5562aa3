"""The words of every spoken piece, in both languages. The only place where they are written down: the WAV files and
PROMPTS.md are made from this table."""

# name: (when it is heard, zh-CN, en-US)
PROMPTS = {
    "menu-main": (
        "greeting and choices of the main menu",
        "您好，欢迎致电。销售请按一，客户支持请按二。",
        "Welcome to Cordboard. For sales press 1, for support press 2.",
    ),
    "menu-invalid": (
        "a key that the menu does not have",
        "按键无效，请重新选择。",
        "That is not a valid choice. Please try again.",
    ),
    "queue-welcome": (
        "entering a queue",
        "请稍候，正在为您转接座席。",
        "Please hold. An agent will be with you shortly.",
    ),
    "queue-full": (
        "the queue takes no more callers, or the longest wait is over",
        "当前等待人数较多，请稍后再拨。",
        "There are too many callers waiting. Please call again later.",
    ),
    "all-busy": (
        "every agent is busy",
        "座席正忙，请您继续等待。",
        "All agents are busy. Please stay on the line.",
    ),
    "goodbye": (
        "before the box hangs up",
        "感谢您的来电，再见。",
        "Thank you for calling. Goodbye.",
    ),
    "agent-logged-in": (
        "feature code: the agent is now logged in",
        "登录成功。",
        "You are logged in.",
    ),
    "agent-logged-out": (
        "feature code: the agent is now logged out",
        "您已下线。",
        "You are logged out.",
    ),
    "agent-logged-out-after": (
        "feature code during a call: the agent will be logged out after it",
        "本次通话结束后，您将下线。",
        "You will be logged out after this call.",
    ),
    "agent-stays-logged-in": (
        "feature code during a call: the agent will not be logged out after it, after all",
        "已取消，通话结束后您不会下线。",
        "Canceled. You stay logged in after this call.",
    ),
    "agent-ready": (
        "feature code: the agent takes calls",
        "您已示闲，可以接听来电。",
        "You are ready to take calls.",
    ),
    "agent-not-ready": (
        "feature code: the agent takes no calls",
        "您已示忙，暂不接听来电。",
        "You are not ready. No calls will be offered to you.",
    ),
    "wrap-up-finished": (
        "feature code: wrap-up is over",
        "话后整理已结束。",
        "Your wrap up is finished.",
    ),
    "number-unknown": (
        "a number that does not exist",
        "您拨打的号码不存在，请核对后再拨。",
        "The number you have dialed does not exist. Please check the number and try again.",
    ),
    "echo-intro": (
        "before the echo test",
        "回声测试，请讲话，您将听到自己的声音。",
        "Echo test. Please speak. You will hear your own voice.",
    ),
    "code-refused": (
        "a feature code that does not apply here",
        "操作无效，此话机不能使用该功能。",
        "This function is not available on this phone.",
    ),
    "agent-enter-id": (
        "log-in: the agent id is asked for",
        "请输入工号，按井号键结束。",
        "Please enter your agent number, followed by the pound key.",
    ),
    "agent-enter-pin": (
        "log-in: the PIN is asked for",
        "请输入密码，按井号键结束。",
        "Please enter your PIN, followed by the pound key.",
    ),
    "agent-wrong-pin": (
        "log-in: id and PIN do not belong together",
        "工号或密码错误，请重新输入。",
        "That agent number or PIN is not correct. Please try again.",
    ),
    "agent-id-taken": (
        "log-in: the agent was logged in at another phone and is now here",
        "该工号原已在其他话机登录，现已转移到本机。",
        "You were logged in at another phone. You have been moved to this one.",
    ),
    "agent-confirm": (
        "an agent answered and must accept the call with a key",
        "有来电，请按键接听。",
        "You have a call. Press the key to accept it.",
    ),
    "agent-forced": (
        "a supervisor changed the agent's state",
        "班长已更改您的状态。",
        "A supervisor has changed your status.",
    ),
    "wrap-up-extended": (
        "feature code: wrap-up lasts longer",
        "话后整理时间已延长。",
        "Your wrap up time has been extended.",
    ),
    "disposition-noted": (
        "feature code: the disposition of the last call is noted",
        "通话结果已记录。",
        "The disposition has been noted.",
    ),
    "disposition-missing": (
        "wrap-up cannot end without a disposition",
        "请先录入通话结果。",
        "Please enter a disposition first.",
    ),
    "code-enter-number": (
        "a feature code wants a number",
        "请输入号码，按井号键结束。",
        "Please enter the number, followed by the pound key.",
    ),
    "supervisor-only": (
        "feature code: of a supervisor, dialed by somebody else",
        "此功能仅限班长使用。",
        "Only a supervisor can use this function.",
    ),
    "nothing-to-monitor": (
        "the agent is in no call",
        "该座席目前没有通话。",
        "This agent is not on a call.",
    ),
    "monitor-listen": (
        "supervisor: hears and is not heard",
        "监听。",
        "Listening.",
    ),
    "monitor-whisper": (
        "supervisor: is heard by the agent alone",
        "密语，仅座席能听到您。",
        "Whispering. Only the agent hears you.",
    ),
    "monitor-barge": (
        "supervisor: is heard by both",
        "强插，双方都能听到您。",
        "Barging in. Both parties hear you.",
    ),
    "monitor-taken-over": (
        "supervisor: has taken the caller over; also to the agent who loses the call",
        "通话已由班长接管。",
        "The supervisor has taken over the call.",
    ),
    "monitor-refused": (
        "supervisor: a policy or the number of monitors forbids it",
        "不允许监听此通话。",
        "Monitoring of this call is not allowed.",
    ),
    "monitor-notice": (
        "caller: before a call that may be monitored or recorded",
        "为提升服务质量，您的通话可能会被监听和录音。",
        "To improve our service, your call may be monitored and recorded.",
    ),
    "caller-moved": (
        "supervisor: the waiting caller is in the other queue now",
        "来电者已转移到其他队列。",
        "The caller has been moved to another queue.",
    ),
    "caller-prioritised": (
        "supervisor: the waiting caller has another priority now",
        "来电者的优先级已更改。",
        "The caller's priority has been changed.",
    ),
    "no-caller-waiting": (
        "feature code: the queue is empty; instead of a number and `queue-callers`",
        "没有来电者在等待。",
        "No callers are waiting.",
    ),
    "surge-on": (
        "supervisor: the surge profile holds now",
        "高峰模式已开启。",
        "The surge profile is on.",
    ),
    "surge-off": (
        "supervisor: the surge profile holds no more",
        "高峰模式已关闭。",
        "The surge profile is off.",
    ),
    "queue-closed": (
        "the queue's calendar says closed, or nobody works there",
        "现在是非工作时间，请在工作时间再拨。",
        "We are closed now. Please call again during business hours.",
    ),
    "queue-overflow": (
        "the caller goes on to another queue or destination",
        "正在为您转到其他座席组。",
        "You are being transferred to another group of agents.",
    ),
    "queue-exit": (
        "the caller left the queue with the exit key",
        "您已退出排队。",
        "You have left the queue.",
    ),
    "queue-caller": (
        "after `number-1`",
        "位来电者正在等待。",
        "caller is waiting.",
    ),
    "queue-callers": (
        "after `count-2` or `number-3` to `number-99`",
        "位来电者正在等待。",
        "callers are waiting.",
    ),
    "queue-callers-many": (
        "more callers than 99; instead of a number and `queue-callers`",
        "有一百位以上来电者正在等待。",
        "One hundred or more callers are waiting.",
    ),
    "state-ready": ("the agent's state", "示闲。", "Ready."),
    "state-not-ready": ("the agent's state; the reason may follow", "示忙。", "Not ready."),
}

# The reasons for being not ready that every site has, by code: the words of the text catalogue, as they are spoken. The full
# stop gives a single word the melody and length that it has when it is said alone.
REASONS = {
    1: ("小休。", "Break."),
    2: ("用餐。", "Lunch."),
    3: ("培训。", "Training."),
    4: ("会议。", "Meeting."),
    5: ("整理。", "Paperwork."),
    6: ("外呼。", "Outbound."),
    7: ("辅导。", "Coaching."),
    8: ("系统故障。", "Technical."),
    9: ("其他。", "Other."),
    90: ("未应答。", "Call not answered."),
    91: ("话机不可达。", "Phone unreachable."),
    92: ("班长操作。", "Supervisor."),
    93: ("下班。", "Shift end."),
}
PROMPTS.update({f"reason-{code}": (f"not ready: reason {code}", zh, en) for code, (zh, en) in REASONS.items()})

ZH_DIGITS = "零一二三四五六七八九"
EN_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen"
).split()
EN_TENS = "_ ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def number_zh(n):
    tens, ones = divmod(n, 10)
    if n < 10:
        return ZH_DIGITS[n]
    return (ZH_DIGITS[tens] if tens > 1 else "") + "十" + (ZH_DIGITS[ones] if ones else "")


def number_en(n):
    tens, ones = divmod(n, 10)
    if n < 20:
        return EN_SMALL[n]
    return EN_TENS[tens] + (f"-{EN_SMALL[ones]}" if ones else "")


# Whole numbers, so that neither grammar has to be known where they are put together. Two things counted are 两 in Chinese.
PROMPTS.update(
    {f"number-{n}": ("a number or digit", f"{number_zh(n)}。", f"{number_en(n).capitalize()}.") for n in range(100)}
)
PROMPTS["count-2"] = ("two of something counted", "两，", "Two.")

# name: (voice, what it is, text). Two people who talk in the demo; both zh-CN.
DEMO = {
    "caller": (
        "jm_kumo",
        "the caller on the analog line",
        [
            "您好，我想咨询一下我的订单。",
            "我上个星期三买了一台打印机，到现在还没有收到。",
            "麻烦您帮我查一下，货物现在到了哪里，大概什么时候能送到。",
        ],
    ),
    "agent": (
        "jf_tebukuro",
        "the agent who answers",
        [
            "您好，客户支持，很高兴为您服务。",
            "请告诉我订单号码，我马上为您查询。",
            "如果今天没有送到，我下午给您回电话。",
        ],
    ),
}
