//! The words that texts are made of.
//!
//! Three vocabularies: English, Chinese, and the stems of names in code. Each list begins with its most frequent
//! words; how often a word is used follows Zipf's law by its rank. What makes a text unlike every other are the
//! names, numbers, paths and hashes that stand between the words.

/// Slots of a table that turns a number into a rank.
const SLOTS: usize = 4096;

/// A list of words and how often each of them is used.
#[derive(Debug)]
pub(crate) struct Ranked {
    /// Words by slot; a frequent one has many slots.
    slots: Box<[&'static str]>,
}

/// Every vocabulary, prepared.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) nouns: Ranked,
    pub(crate) verbs: Ranked,
    pub(crate) adjectives: Ranked,
    pub(crate) adverbs: Ranked,
    pub(crate) things: Ranked,
    pub(crate) acts: Ranked,
    pub(crate) marks: Ranked,
    pub(crate) stems: Ranked,
}

// === impl Ranked ===

impl Ranked {
    fn new(list: &'static str) -> Self {
        let words: Vec<&str> = list.split_whitespace().collect();
        let weight = |rank: usize| 1_000_000 / (rank as u64 + 3);
        let total: u64 = (0..words.len()).map(weight).sum();
        let mut slots = Vec::with_capacity(SLOTS);
        let mut sum = 0;
        for (rank, word) in words.iter().enumerate() {
            sum += weight(rank);
            let until = sum * SLOTS as u64 / total.max(1);
            let until = usize::try_from(until).unwrap_or(SLOTS);
            while slots.len() < until {
                slots.push(*word);
            }
        }
        Self {
            slots: slots.into(),
        }
    }

    /// Returns the word that a random number stands for.
    pub(crate) fn word(&self, number: u64) -> &'static str {
        let at = usize::try_from(number % SLOTS as u64).unwrap_or(0);
        self.slots.get(at).copied().unwrap_or_default()
    }
}

// === impl Words ===

impl Words {
    pub(crate) fn new() -> Self {
        Self {
            nouns: Ranked::new(NOUNS),
            verbs: Ranked::new(VERBS),
            adjectives: Ranked::new(ADJECTIVES),
            adverbs: Ranked::new(ADVERBS),
            things: Ranked::new(THINGS),
            acts: Ranked::new(ACTS),
            marks: Ranked::new(MARKS),
            stems: Ranked::new(STEMS),
        }
    }
}

const NOUNS: &str = "
file function test error line value request response user build module change server code method type field
table query index cache test-case branch commit thread message token stream buffer handler parser record column
row key path folder directory package crate library client session connection timeout retry limit budget queue
worker task job event listener callback future promise lock mutex channel socket port address host header body
payload chunk frame byte string number list array map set tree node edge graph vertex pointer reference slice
range loop branch condition argument parameter variable constant struct enum trait interface class object
instance property attribute schema migration transaction cursor snapshot backup segment page block sector disk
volume mount image container pod cluster deployment release version tag pipeline stage step artifact report log
trace span metric counter gauge histogram percentile latency throughput bandwidth memory heap stack register
instruction compiler linker optimiser interpreter runtime kernel driver device sensor signal clock timer date
month year season customer invoice order product price discount tax payment account balance ledger contract
supplier warehouse shipment delivery route driver vehicle fleet station passenger ticket seat hotel room guest
booking kitchen recipe ingredient sauce oven bread butter salad garden tree river mountain valley coast island
harbour bridge tunnel road village city market street house window door roof wall floor ceiling lamp chair desk
teacher student lesson exam essay chapter paragraph sentence word letter alphabet grammar translation dictionary
author reader editor publisher library museum painting sculpture concert orchestra violin piano melody rhythm
doctor patient symptom diagnosis treatment vaccine hospital nurse surgery recovery diet exercise protein vitamin
planet orbit satellite telescope galaxy star comet gravity velocity mass energy particle molecule reaction acid
";

const VERBS: &str = "
is has returns reads writes uses calls checks adds removes needs makes takes gives keeps shows finds sets holds
fails passes runs starts stops waits blocks opens closes loads stores sends receives parses prints logs counts
measures compares sorts filters groups merges splits joins copies moves renames deletes creates updates replaces
inserts selects matches skips retries resumes cancels commits reverts pushes pulls fetches builds compiles links
loads imports exports wraps hides reveals explains describes suggests proves assumes expects requires allows
forbids prevents avoids reduces increases doubles halves exceeds reaches crosses enters leaves follows precedes
contains includes excludes covers misses repeats changes breaks fixes repairs restores recovers survives costs
saves spends earns borrows lends trades orders ships delivers cooks bakes serves teaches learns studies answers
asks wonders decides chooses prefers rejects accepts approves delays hurries travels visits explores discovers
invents designs draws paints sings plays listens watches observes predicts estimates calculates balances weighs
";

const ADJECTIVES: &str = "
new same first last other small large whole empty missing wrong correct old current next previous public private
single double common rare simple complex short long fast slow cheap expensive safe dangerous stable flaky strict
lenient explicit implicit local remote global static dynamic lazy eager pure hidden visible optional required
nested flat sorted random unique duplicate stale fresh broken valid invalid partial complete early late busy idle
quiet noisy warm cold bright dark deep shallow narrow wide heavy light soft hard sharp blunt round square green
red blue yellow grey golden ancient modern famous obscure gentle harsh honest subtle obvious careful careless
patient eager curious calm nervous brave modest proud generous strange familiar foreign domestic rural urban
seasonal annual weekly daily nocturnal fragile robust elastic rigid liquid solid frozen molten hollow dense
";

const ADVERBS: &str = "
also only then now still already often never always sometimes again first finally currently usually mostly nearly
exactly roughly quickly slowly quietly silently safely correctly wrongly explicitly implicitly directly indirectly
eventually immediately later earlier together separately twice once rarely barely hardly clearly apparently simply
carefully automatically manually locally remotely internally externally carelessly gently firmly evenly
";

const THINGS: &str = "
文件 函数 测试 错误 数据 用户 请求 响应 模块 服务 代码 方法 类型 字段 查询 索引 缓存 分支 提交 线程 消息 缓冲 记录
列表 路径 目录 客户 会话 连接 超时 限制 队列 任务 事件 通道 端口 地址 头部 正文 字节 字符 数组 节点 指针 范围 循环
条件 参数 变量 常量 结构 接口 对象 属性 事务 快照 备份 页面 磁盘 镜像 容器 集群 版本 流程 报告 日志 指标 延迟 内存
编译 系统 程序 网络 设备 信号 时间 日期 订单 产品 价格 合同 仓库 路线 车辆 车站 乘客 酒店 房间 厨房 花园 河流 山谷
海岸 岛屿 桥梁 城市 市场 街道 窗户 老师 学生 课程 文章 段落 句子 词语 语法 作者 读者 博物馆 音乐 医生 病人 症状 治疗
医院 饮食 运动 行星 轨道 卫星 星系 重力 速度 质量 能量 分子 反应 温度 湿度 天气 季节 春天 夏天 秋天 冬天 茶叶 米饭
豆腐 面条 筷子 书法 园林 丝绸 瓷器 历史 哲学 经济 法律 政策 环境 资源 能源 农业 工业 科学 技术 教育 文化 艺术 体育
";

const ACTS: &str = "
读取 写入 检查 返回 调用 增加 删除 需要 使用 保存 显示 查找 设置 失败 通过 运行 启动 停止 等待 打开 关闭 加载 发送
接收 解析 打印 统计 测量 比较 排序 过滤 合并 拆分 复制 移动 创建 更新 替换 插入 选择 匹配 跳过 重试 恢复 取消 回滚
构建 链接 导入 导出 隐藏 说明 描述 建议 证明 假设 期望 要求 允许 禁止 防止 避免 减少 提高 超过 到达 进入 离开 包含
覆盖 重复 改变 修复 花费 节省 交换 运输 学习 回答 询问 决定 接受 拒绝 推迟 旅行 访问 探索 发现 发明 设计 绘画 演奏
观察 预测 估计 计算 平衡 整理 准备 讨论 分析 总结 翻译 编写 阅读 练习 参加 组织 管理 支持 保护 建立 发展 改善 扩大
";

const MARKS: &str = "
新的 相同 第一 最后 其他 小的 大的 完整 空的 缺失 错误 正确 旧的 当前 下一个 公共 私有 常见 少见 简单 复杂 较短 较长
快速 缓慢 便宜 昂贵 安全 危险 稳定 严格 明确 本地 远程 静态 动态 隐藏 可见 可选 必需 嵌套 有序 随机 唯一 过期 有效
无效 部分 忙碌 空闲 安静 温暖 寒冷 明亮 黑暗 深刻 狭窄 宽阔 沉重 柔软 坚硬 古老 现代 著名 温和 诚实 细心 耐心 好奇
";

const STEMS: &str = "
get set new read write parse load store user item list file path node key value index count size length state
config option result error request response client server session token buffer stream event handler query table
row column cache entry record page block chunk frame byte text line word name type kind level depth width height
start stop open close init build make find match split join merge sort filter group map reduce fold scan seek
push pop insert remove update replace delete create copy move rename check test assert verify validate encode
decode compress expand hash sign encrypt lock unlock wait notify retry resume cancel commit revert fetch send
receive accept connect bind listen poll spawn worker task queue pool shard segment cursor offset limit range
budget price order invoice account ledger ticket route driver vehicle station guest booking recipe planet orbit
";
