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
}

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
