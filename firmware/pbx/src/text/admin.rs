//! What those are told who change the box: commits, what they wait for, what they must know.

texts! {
    NO_COMMIT: "尚无已提交的配置", "there is no committed configuration yet";
    NO_SUCH_COMMIT: "没有更早的第 {number} 版；可回退 0 到 {last}（见 show system commit）", "there is no commit {number} steps back; 0 to {last} can be gone back to (see show system commit)";
    NO_RESCUE: "没有保存救援配置；用 request system configuration rescue save 保存当前配置", "no rescue configuration is kept; request system configuration rescue save keeps the one in force";
    STORE_FULL: "数据库队列已满，未保存；先处理磁盘告警再重试", "the store's queue is full, nothing was kept; see to the alarm about the disk and try again";
    STALE: "其间第 {current} 版已生效，此修改基于第 {base} 版；用 update 把修改移到新版上，查看 compare 后再提交", "commit {current} came into force meanwhile, this change was made from commit {base}; update moves the change onto it, look at compare, then commit again";
    NO_USERS: "没有用户：控制台前的任何人都可以更改一切", "there is no user any more: whoever is at the console may change everything";
    NO_USERS_REMEDY: "保留一个 role admin 的用户", "keep a user with role admin";
    BUSY: "另一个提交正在写盘；稍后重试", "another commit is being written to disk; try again in a moment";
    OVERTAKEN: "一个未确认的提交在此期间自动回退，本次提交未生效；检查后再提交", "a commit that nobody confirmed went back meanwhile and this one is not in force; look again, then commit";
    SILENT: "设备没有及时回答（磁盘可能停滞，见 show alarms）；提交写入磁盘后仍会生效，请用 show system commit 查看", "the box did not answer in time (the disk may be stuck, see show alarms); a commit comes into force once it is written, show system commit tells";
    NOTHING_TO_CONFIRM: "没有待确认的提交", "nothing waits to be confirmed";
    LISTEN_TAKEN: "无法使用 SIP 地址 {address}：{why}", "the SIP address {address} cannot be had: {why}";
    LISTEN_TAKEN_REMEDY: "换一个本机拥有且未被占用的地址和端口", "give an address of this machine and a port that nobody else holds";
    PROBLEMS: "{errors} 个错误，{warnings} 个警告：", "errors: {errors}, warnings: {warnings}";
    FACTORY_COMMENT: "恢复出厂设置，保留录音", "factory settings, recordings kept";
    ERASE_FAILED: "无法写入清除标记 {path}：{why}；未做任何更改", "the mark for erasing cannot be written to {path}: {why}; nothing was changed";
    ERASING: "正在清除全部数据：{done}/{total} {path}", "erasing all data: {done}/{total} {path}";
    OLD_COMMIT_USED: "第 {number} 版配置无法被本固件读取（{why}）；使用第 {used} 版", "commit {number} of the configuration cannot be read by this firmware ({why}); commit {used} is used";
    NO_COMMIT_READS: "已保存的配置都无法被本固件读取（第 {number} 版：{why}）；请装回较新的固件，或用 --config 指定文件启动", "none of the stored configurations can be read by this firmware (commit {number}: {why}); install the newer firmware again, or start with --config FILE";
    PLACE_BAD: "“{word}”不是可用的位置；例如 usb:/site.conf", "\"{word}\" is no place for a configuration; write for example usb:/site.conf";
    PLACE_UNREADABLE: "无法读取 {path}：{why}；检查 U 盘是否插好", "{path} cannot be read: {why}; see that the stick is in";
    SUPPORT_PLACE_BAD: "“{word}”不是诊断包可用的位置；例如 usb:/bundle.txt，或 bundle.txt（存入数据目录的 support）", "\"{word}\" is no place for diagnostics; write for example usb:/bundle.txt, or bundle.txt for the folder support of the data directory";
    PLACE_UNWRITABLE: "无法写入 {path}：{why}；检查 U 盘是否插好、是否写保护", "{path} cannot be written: {why}; see that the stick is in and not write-protected";
    PLACE_LONG: "{path} 有 {bytes} 字节，超过 {max}，不是配置文件", "{path} has {bytes} bytes, more than {max}: it is no configuration";
}
