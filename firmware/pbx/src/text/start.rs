//! What a start of the program prints: what is up, how to use it, how to stop it, and why it could not start.

texts! {
    TITLE: "Cordboard {version}：{name} 已启动", "Cordboard {version}: {name} is up";
    SIMULATED: "模拟设备：线路卡、电源和局端由 world 进程模拟，仅使用本机回环地址。", "Simulated appliance: line cards, power and the exchange are played by the world process; loopback addresses only.";
    CONFIG: "配置      {path}", "configuration  {path}";
    SIP: "SIP       {address}（UDP 和 TCP）", "SIP            {address} (UDP and TCP)";
    RTP: "RTP       {address}，端口 {ports}", "RTP            {address}, ports {ports}";
    LINES: "线路      {lines}", "lines          {lines}";
    EXTENSIONS: "分机（用户名和认证名即分机号）", "Extensions (user and authentication name are the number)";
    EXTENSION: "  {extension}  密码 {secret}  {name}", "  {extension}  secret {secret}  {name}";
    EXTENSION_OF_AGENT: "  {extension}  密码 {secret}  {name}（座席 {agent}）", "  {extension}  secret {secret}  {name} (agent {agent})";
    DIAL: "可拨号码", "Numbers to dial";
    DIAL_EXTENSION: "  {number}  分机 {name}", "  {number}  extension {name}";
    DIAL_QUEUE: "  {number}  队列 {name}", "  {number}  queue {name}";
    DIAL_MENU: "  {number}  语音菜单 {name}", "  {number}  menu {name}";
    DIAL_ECHO: "  {number}  回声测试", "  {number}  echo test";
    DIAL_AGENT_LOGIN: "  {number}  座席签入/签出", "  {number}  agent: log in or out";
    DIAL_AGENT_NOT_READY: "  {number}  座席示忙/示闲（可加原因码）", "  {number}  agent: not ready or ready (a reason digit may follow)";
    DIAL_WRAP_UP_FINISH: "  {number}  结束话后整理", "  {number}  agent: finish wrap-up";
    DATA: "数据      {path}（话单、录音、日志）", "data           {path} (call records, recordings, journals)";
    FOUND: "已恢复    {calls} 路历史呼叫，{recordings} 段录音", "found          {calls} earlier calls, {recordings} recordings";
    FRESH: "数据目录为空，首次启动", "the data directory is empty: first start";
    LANGUAGE: "语言      {language}", "language       {language}";
    HELP: "帮助      tools/run --help；演示 tools/run demo；拨入线路 tools/run world ring 1", "help           tools/run --help; the demo: tools/run demo; ring line 1: tools/run world ring 1";
    STOP: "停止      Ctrl-C", "stop           Ctrl-C";
    STOPPING: "正在停止……", "stopping …";
    STOPPED: "已停止。数据保存在 {path}。", "stopped. The data stays in {path}.";
    RESTARTED: "程序曾中断 {gap} 毫秒，{calls} 路通话继续。", "the program was away for {gap} ms; {calls} calls go on.";
    DIED: "程序异常退出（{why}），正在重新启动。", "the program died ({why}); it is started again.";
    CONFIG_UNREADABLE: "无法读取配置文件 {path}：{why}。处理：检查路径和权限，或用 --config 指定其他文件。", "The configuration file {path} cannot be read: {why}. Remedy: check path and rights, or name another file with --config.";
    CONFIG_REFUSED: "配置文件 {path} 有 {count} 处错误，未启动：", "The configuration file {path} has {count} errors; nothing was started:";
    CONFIG_WARNED: "配置文件 {path} 有 {count} 处提醒：", "The configuration file {path} has {count} warnings:";
    SECOND_INSTANCE: "数据目录 {path} 正被另一个进程（{pid}）使用。处理：先停止它，或用 --data 指定其他目录。", "The data directory {path} is in use by another process ({pid}). Remedy: stop it first, or name another directory with --data.";
    ADDRESS_TAKEN: "地址 {address} 已被其他程序占用。处理：停止该程序，或修改 `sip listen`。", "The address {address} is taken by another program. Remedy: stop that program, or change `sip listen`.";
    ADDRESS_FOREIGN: "地址 {address} 不属于本机。处理：修改 `sip listen`。", "The address {address} does not belong to this machine. Remedy: change `sip listen`.";
    NO_SOUND_DEVICE: "没有可用的声音设备 {device}：{why}。模拟线路没有声音，IP 通话照常。处理：启动 world 进程，或检查 ALSA 配置。", "There is no sound device {device}: {why}. Analog lines are silent, IP calls work. Remedy: start the world process, or check the ALSA configuration.";
    NO_WORLD: "未找到 world 进程（{path}）：线路卡不可用，IP 通话照常。处理：用 tools/run 启动。", "The world process is not there ({path}): line cards are out of use, IP calls work. Remedy: start it with tools/run.";
    DATA_UNUSABLE: "无法使用数据目录 {path}：{why}。处理：检查磁盘空间和权限，或用 --data 指定其他目录。", "The data directory {path} cannot be used: {why}. Remedy: check disk space and rights, or name another directory with --data.";
}
