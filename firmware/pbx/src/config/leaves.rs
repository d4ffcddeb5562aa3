//! The leaves of each section: keyword, field, kind with its bounds, default and explanation, one row each. How the rows
//! are used is in [`super::schema`].

use alloc::collections::BTreeMap;

use super::acd::{
    Agent, CONSENT_WORDS, Calendar, Did, Disposition, EMPTY_FACTOR_WORDS, Queue, Reason, Relax, Routing,
    STRATEGY_WORDS, Skill, Supervisor, Vip, Wanted,
};
use super::admin::{
    ALARM_SEVERITY_WORDS, AlarmRule, COUNTRIES, Chassis, METHOD_WORDS, NUMBERS_SEEN_WORDS, Network, ROLE_WORDS, User,
};
use super::field::Field;
use super::schema::{Leaf, Preset, ReasonPart, Sectioned, Table, count, preset, seconds};
use super::value::{Kind, Unit, Value, Vocabulary};
use super::{Codes, Config, Destination, Extension, Line, Media, Menu, Route, Sip, System, Test, Trunk};
use crate::text::help;

use Preset::{Absent, Are, Is, Must, OwnKey, SipAddress, SystemLanguage, Unset};

/// Fills a type from its rows. `beside` are fields that inner sections fill.
macro_rules! section {
    ($type:ident, $table:ident { $($name:literal $field:ident: $kind:expr, $default:expr, $doc:ident;)* }
     $(beside { $($other:ident: $blank:expr),* })?) => {
        #[doc = concat!("The leaves of a [`", stringify!($type), "`].")]
        pub const $table: &[Leaf<$type>] = &[$(Leaf {
            name: $name,
            kind: $kind,
            default: $default,
            doc: help::$doc,
            get: |section: &$type| section.$field.to_value(),
            set: |section: &mut $type, value| {
                if let Some(value) = Field::from_value(value) {
                    section.$field = value;
                }
            },
        }),*];

        impl Sectioned for $type {
            const LEAVES: &'static [Leaf<Self>] = $table;
            fn blank() -> Self {
                $type { $($field: Field::blank(),)* $($($other: $blank),*)? }
            }
        }

        impl $type {
            /// With the defaults of all leaves, in the section named `key`; a leaf that must be given is blank, and what
            /// rests on another section's leaf has that one's blank or default value.
            pub fn preset(key: &str) -> $type {
                preset(key)
            }
        }
    };
}

const PRIORITY: Kind = count(0, 10);
const DIALLED_MAX: usize = 15;
const EMERGENCY: Kind = Kind::Numbers { min: 2, max: 8 };
const PIN: Kind = Kind::Pin { min: 4, max: 8 };

/// Strategies, with the names that other products have for them.
const STRATEGY: Kind = Kind::Word(&Vocabulary {
    own: STRATEGY_WORDS,
    foreign: &[
        ("ringall", "ring-all"),
        ("leastrecent", "longest-idle"),
        ("longest-idle-agent", "longest-idle"),
        ("fewestcalls", "fewest-calls"),
        ("agent-with-fewest-calls", "fewest-calls"),
        ("agent-with-least-talk-time", "least-talk-time"),
        ("rrmemory", "round-robin"),
        ("rrordered", "round-robin"),
        ("roundrobin", "round-robin"),
        ("sequentially-by-agent-order", "linear"),
        ("wrandom", "weighted-random"),
    ],
});
const EMPTY_FACTORS: Kind = Kind::Words(&Vocabulary { own: EMPTY_FACTOR_WORDS, foreign: &[] });
const CONSENT: Kind = Kind::Word(&Vocabulary { own: CONSENT_WORDS, foreign: &[] });
const COUNTRY: Kind = Kind::Word(&Vocabulary { own: COUNTRIES, foreign: &[] });
const METHOD: Kind = Kind::Word(&Vocabulary { own: METHOD_WORDS, foreign: &[] });
const ROLE: Kind = Kind::Word(&Vocabulary { own: ROLE_WORDS, foreign: &[] });
const NUMBERS_SEEN: Kind = Kind::Word(&Vocabulary { own: NUMBERS_SEEN_WORDS, foreign: &[] });
const SEVERITY: Kind = Kind::Word(&Vocabulary { own: ALARM_SEVERITY_WORDS, foreign: &[] });
const REQUIRED: &str = "required";
const PREFERRED: &str = "preferred";
const NEED: Kind = Kind::Word(&Vocabulary { own: &[REQUIRED, PREFERRED], foreign: &[] });

section! { System, SYSTEM {
    "name" name: Kind::Label, Is("cordboard"), SYSTEM_NAME;
    "language" language: Kind::Language, Is("zh-CN"), SYSTEM_LANGUAGE;
    "utc-offset" utc_offset_min: Kind::UtcOffset, Is("+08:00"), SYSTEM_UTC_OFFSET;
    "idle-logout-min" idle_logout_min: Kind::Number { min: 1, max: 60, step: 1, unit: Unit::Minutes }, Is("10"), SYSTEM_IDLE_LOGOUT;
    "login-failures" login_failures: count(1, 20), Is("5"), SYSTEM_LOGIN_FAILURES;
    "lock-out-s" lock_out_s: seconds(10, 86_400), Is("300"), SYSTEM_LOCK_OUT;
} }

section! { Chassis, CHASSIS {
    "country" country: COUNTRY, Is("CN"), CHASSIS_COUNTRY;
    "panel-lock" panel_lock: Kind::Flag, Is("no"), CHASSIS_PANEL_LOCK;
    "console-device" console_device: Kind::Device, Absent, CHASSIS_CONSOLE_DEVICE;
    "console-speed" console_speed: count(1_200, 921_600), Is("115200"), CHASSIS_CONSOLE_SPEED;
} }

section! { Network, NETWORK {
    "interface" interface: Kind::Name, Is("eth0"), NETWORK_INTERFACE;
    "method" method: METHOD, Is("unmanaged"), NETWORK_METHOD;
    "address" address: Kind::Prefix, Absent, NETWORK_ADDRESS;
    "gateway" gateway: Kind::Address, Absent, NETWORK_GATEWAY;
    "dns" dns: Kind::Addresses, Absent, NETWORK_DNS;
    "vlan" vlan: count(1, 4_094), Absent, NETWORK_VLAN;
} }

section! { User, USER {
    "role" role: ROLE, Is("viewer"), USER_ROLE;
    "password" password: Kind::Password, Must, USER_PASSWORD;
    "numbers" numbers: NUMBERS_SEEN, Is("masked"), USER_NUMBERS;
    "language" language: Kind::Language, Absent, USER_LANGUAGE;
} }

section! { AlarmRule, ALARM {
    "buzzer" buzzer: Kind::Flag, Is("yes"), ALARM_BUZZER;
    "severity" severity: SEVERITY, Preset::OwnSeverity, ALARM_SEVERITY;
} }

section! { Sip, SIP {
    "listen" listen: Kind::Socket, Must, SIP_LISTEN;
    "realm" realm: Kind::Name, Is("cordboard"), SIP_REALM;
    "expires-min-s" expires_min_s: seconds(10, 3600), Is("30"), SIP_EXPIRES_MIN;
    "expires-max-s" expires_max_s: seconds(60, 86_400), Is("3600"), SIP_EXPIRES_MAX;
} }

section! { Media, MEDIA {
    "address" address: Kind::Address, SipAddress, MEDIA_ADDRESS;
    "rtp-ports" rtp_ports: Kind::Ports, Is("20000-20999"), MEDIA_RTP_PORTS;
    "jitter-ms" jitter_ms: Kind::Number { min: 20, max: 200, step: 20, unit: Unit::Milliseconds }, Is("40"), MEDIA_JITTER;
    "silence-timeout-s" silence_timeout_s: seconds(5, 3600), Is("30"), MEDIA_SILENCE;
} }

section! { Routing, ROUTING {
    "priority-step-s" priority_step_s: seconds(0, 3600), Is("60"), ROUTING_PRIORITY_STEP;
    "starvation-s" starvation_s: seconds(0, 7200), Is("300"), ROUTING_STARVATION;
    "sticky-days" sticky_days: count(0, 365), Is("30"), ROUTING_STICKY_DAYS;
    "emergency-numbers" emergency_numbers: EMERGENCY, Are(&["110", "119", "120", "122"]), ROUTING_EMERGENCY;
} }

section! { Line, LINE {
    "label" label: Kind::Label, Is(""), PORT_LABEL;
    "did" did: Kind::Reference(Table::Did), Must, PORT_DID;
} }

section! { Extension, EXTENSION {
    "name" name: Kind::Label, OwnKey, EXTENSION_NAME;
    "secret" secret: Kind::Secret, Must, EXTENSION_SECRET;
    "ring-timeout-s" ring_timeout_s: seconds(5, 300), Is("30"), EXTENSION_RING;
    "record" record: Kind::Flag, Is("no"), EXTENSION_RECORD;
} }

section! { Calendar, CALENDAR {
    "hours" hours: Kind::Hours, Absent, CALENDAR_HOURS;
    "closed" closed: Kind::DaysOff, Absent, CALENDAR_CLOSED;
    "extra" extra: Kind::ExtraHours, Absent, CALENDAR_EXTRA;
} }

section! { Skill, SKILL {
    "title" title: Kind::Label, OwnKey, SKILL_TITLE;
} }

section! { Agent, AGENT {
    "name" name: Kind::Label, OwnKey, AGENT_NAME;
    "extension" extension: Kind::Reference(Table::Extension), Absent, AGENT_EXTENSION;
    "pin" pin: PIN, Absent, AGENT_PIN;
    "logged-in" logged_in: Kind::Flag, Is("no"), AGENT_LOGGED_IN;
    "skills" skills: Kind::Skills, Absent, AGENT_SKILLS;
    "calls-per-hour-max" calls_per_hour_max: count(0, 240), Is("0"), AGENT_CALLS_PER_HOUR;
} }

section! { Queue, QUEUE {
    "title" title: Kind::Label, OwnKey, QUEUE_TITLE;
    "agents" agents: Kind::References(Table::Agent), Absent, QUEUE_AGENTS;
    "strategy" strategy: STRATEGY, Is("longest-idle"), QUEUE_STRATEGY;
    "priority" priority: PRIORITY, Is("5"), QUEUE_PRIORITY;
    "weight" weight: count(0, 100), Is("0"), QUEUE_WEIGHT;
    "ring-timeout-s" ring_timeout_s: seconds(3, 120), Is("15"), QUEUE_RING;
    "ring-step-s" ring_step_s: seconds(1, 60), Is("5"), QUEUE_RING_STEP;
    "retry-delay-s" retry_delay_s: seconds(0, 120), Is("0"), QUEUE_RETRY_DELAY;
    "rona-no-answer" rona_no_answer: count(0, 9), Is("1"), QUEUE_RONA_NO_ANSWER;
    "rona-busy" rona_busy: count(0, 9), Is("1"), QUEUE_RONA_BUSY;
    "rona-reject" rona_reject: count(0, 9), Is("1"), QUEUE_RONA_REJECT;
    "rona-unreachable" rona_unreachable: count(0, 9), Is("1"), QUEUE_RONA_UNREACHABLE;
    "wrap-up-s" wrap_up_s: seconds(0, 600), Is("10"), QUEUE_WRAP_UP;
    "wrap-up-extend-s" wrap_up_extend_s: seconds(0, 600), Is("60"), QUEUE_WRAP_UP_EXTEND;
    "wrap-up-max-s" wrap_up_max_s: seconds(0, 7200), Is("600"), QUEUE_WRAP_UP_MAX;
    "disposition-required" disposition_required: Kind::Flag, Is("no"), QUEUE_DISPOSITION;
    "max-wait-s" max_wait_s: seconds(0, 7200), Is("600"), QUEUE_MAX_WAIT;
    "max-length" max_length: count(0, 1000), Is("0"), QUEUE_MAX_LENGTH;
    "overflow-wait-s" overflow_wait_s: seconds(0, 7200), Is("0"), QUEUE_OVERFLOW_WAIT;
    "calendar" calendar: Kind::Reference(Table::Calendar), Absent, QUEUE_CALENDAR;
    "join-empty" join_empty: EMPTY_FACTORS, Absent, QUEUE_JOIN_EMPTY;
    "leave-empty" leave_empty: EMPTY_FACTORS, Absent, QUEUE_LEAVE_EMPTY;
    "sticky-wait-s" sticky_wait_s: seconds(0, 600), Is("0"), QUEUE_STICKY_WAIT;
    "agent-announce" agent_announce: Kind::Name, Absent, QUEUE_AGENT_ANNOUNCE;
    "confirm-key" confirm_key: Kind::Key, Absent, QUEUE_CONFIRM_KEY;
    "monitor" monitor: Kind::Flag, Is("yes"), QUEUE_MONITOR;
    "monitor-tone" monitor_tone: Kind::Flag, Is("yes"), QUEUE_MONITOR_TONE;
    "monitor-consent" monitor_consent: CONSENT, Is("none"), QUEUE_MONITOR_CONSENT;
    "surge-agents" surge_agents: Kind::References(Table::Agent), Absent, QUEUE_SURGE_AGENTS;
    "surge-wrap-up-s" surge_wrap_up_s: seconds(0, 600), Absent, QUEUE_SURGE_WRAP_UP;
    "record" record: Kind::Flag, Is("yes"), QUEUE_RECORD;
} beside { skills: BTreeMap::new(), relax: BTreeMap::new(), overflow: BTreeMap::new(), exits: BTreeMap::new() } }

section! { Relax, RELAX {
    "level-minus" level_minus: count(0, 9), Is("0"), RELAX_LEVEL_MINUS;
    "drop" drop: Kind::References(Table::Skill), Absent, RELAX_DROP;
    "agents" agents: Kind::References(Table::Agent), Absent, RELAX_AGENTS;
} }

section! { Menu, MENU {
    "languages" languages: Kind::Languages, SystemLanguage, MENU_LANGUAGES;
    "prompt" prompt: Kind::Name, Must, MENU_PROMPT;
    "timeout-s" timeout_s: seconds(1, 60), Is("5"), MENU_TIMEOUT;
    "retries" retries: count(0, 9), Is("2"), MENU_RETRIES;
} beside { keys: BTreeMap::new(), otherwise: Destination::Hangup } }

section! { Trunk, TRUNK {
    "address" address: Kind::Address, Must, TRUNK_ADDRESS;
    "port" port: Kind::Port, Absent, TRUNK_PORT;
    "record" record: Kind::Flag, Is("no"), TRUNK_RECORD;
} }

section! { Route, ROUTE {
    "prefix" prefix: Kind::Digits { min: 0, max: DIALLED_MAX, plus: true }, Must, ROUTE_PREFIX;
    "length-min" length_min: count(1, 32), Is("3"), ROUTE_LENGTH_MIN;
    "length-max" length_max: count(1, 32), Is("20"), ROUTE_LENGTH_MAX;
    "strip" strip: count(0, 16), Is("0"), ROUTE_STRIP;
    "add" add: Kind::Digits { min: 1, max: DIALLED_MAX, plus: true }, Absent, ROUTE_ADD;
    "trunk" trunk: Kind::Reference(Table::Trunk), Must, ROUTE_TRUNK;
    "international" international: Kind::Flag, Is("no"), ROUTE_INTERNATIONAL;
    "caller-id" caller_id: Kind::Digits { min: 1, max: DIALLED_MAX, plus: true }, Absent, ROUTE_CALLER_ID;
    "record" record: Kind::Flag, Is("no"), ROUTE_RECORD;
} }

section! { Did, DID {
    "to" to: Kind::Destination, Must, TO;
    "priority" priority: PRIORITY, Absent, DID_PRIORITY;
} }

section! { Vip, VIP {
    "priority" priority: PRIORITY, Is("10"), VIP_PRIORITY;
    "agent" agent: Kind::Reference(Table::Agent), Absent, VIP_AGENT;
} }

section! { Supervisor, SUPERVISOR {
    "name" name: Kind::Label, OwnKey, SUPERVISOR_NAME;
    "extension" extension: Kind::Reference(Table::Extension), Absent, SUPERVISOR_EXTENSION;
    "pin" pin: PIN, Absent, SUPERVISOR_PIN;
    "queues" queues: Kind::References(Table::Queue), Absent, SUPERVISOR_QUEUES;
} }

section! { Reason, REASON {
    "zh" zh: Kind::Label, Preset::BuiltIn(ReasonPart::Zh), REASON_ZH;
    "en" en: Kind::Label, Preset::BuiltIn(ReasonPart::En), REASON_EN;
    "paid" paid: Kind::Flag, Preset::BuiltIn(ReasonPart::Paid), REASON_PAID;
} }

section! { Disposition, DISPOSITION {
    "zh" zh: Kind::Label, Must, DISPOSITION_ZH;
    "en" en: Kind::Label, Must, DISPOSITION_EN;
} }

section! { Codes, CODES {
    "echo" echo: Kind::Code, Is("*43"), CODES_ECHO;
    "agent-login" agent_login: Kind::Code, Is("*45"), CODES_AGENT_LOGIN;
    "agent-not-ready" agent_not_ready: Kind::Code, Is("*46"), CODES_AGENT_NOT_READY;
    "wrap-up-finish" wrap_up_finish: Kind::Code, Is("*48"), CODES_WRAP_UP_FINISH;
    "wrap-up-extend" wrap_up_extend: Kind::Code, Is("*49"), CODES_WRAP_UP_EXTEND;
    "disposition" disposition: Kind::Code, Is("*50"), CODES_DISPOSITION;
    "listen" listen: Kind::Code, Is("*51"), CODES_LISTEN;
    "whisper" whisper: Kind::Code, Is("*52"), CODES_WHISPER;
    "barge" barge: Kind::Code, Is("*53"), CODES_BARGE;
    "take-over" take_over: Kind::Code, Is("*54"), CODES_TAKE_OVER;
    "force-state" force_state: Kind::Code, Is("*55"), CODES_FORCE_STATE;
    "move-caller" move_caller: Kind::Code, Is("*56"), CODES_MOVE_CALLER;
    "re-prioritise" re_prioritise: Kind::Code, Is("*57"), CODES_RE_PRIORITISE;
    "pick" pick: Kind::Code, Is("*59"), CODES_PICK;
    "queue-callers" queue_callers: Kind::Code, Is("*47"), CODES_QUEUE_CALLERS;
    "surge" surge: Kind::Code, Is("*29"), CODES_SURGE;
} }

section! { Test, TEST {
    "call" call: Kind::TestCall, Must, TEST_CALL;
    "callers-before" callers_before: count(0, 50), Is("0"), TEST_CALLERS_BEFORE;
    "press" press: Kind::Keys, Absent, TEST_PRESS;
    "agents" agents: Kind::References(Table::Agent), Unset, TEST_AGENTS;
    "expect" expect: Kind::Expectations, Must, TEST_EXPECT;
} }

/// The leaf of `number`, `key`, `otherwise`, `overflow` and `exit`.
pub const TO: &[Leaf<Destination>] = &[Leaf {
    name: "to",
    kind: Kind::Destination,
    default: Must,
    doc: help::TO,
    get: |destination| destination.to_value(),
    set: |destination, value| {
        if let Some(value) = Field::from_value(value) {
            *destination = value;
        }
    },
}];

impl Sectioned for Destination {
    const LEAVES: &'static [Leaf<Self>] = TO;
    fn blank() -> Self {
        Destination::Hangup
    }
}

/// The leaves of a [`Wanted`].
pub const WANTED: &[Leaf<Wanted>] = &[
    Leaf {
        name: "level",
        kind: count(1, 10),
        default: Is("1"),
        doc: help::WANTED_LEVEL,
        get: |wanted| wanted.level.to_value(),
        set: |wanted, value| {
            if let Some(value) = Field::from_value(value) {
                wanted.level = value;
            }
        },
    },
    Leaf {
        name: "need",
        kind: NEED,
        default: Is(REQUIRED),
        doc: help::WANTED_NEED,
        get: |wanted| Value::Text(if wanted.required { REQUIRED } else { PREFERRED }.into()),
        set: |wanted, value| wanted.required = value == Value::Text(REQUIRED.into()),
    },
];

impl Sectioned for Wanted {
    const LEAVES: &'static [Leaf<Self>] = WANTED;
    fn blank() -> Self {
        Wanted { level: 1, required: true }
    }
}

impl Config {
    /// A site with nothing in it and the defaults of all sections that exist once; `sip listen` is blank.
    pub fn preset() -> Config {
        Config {
            system: System::preset(""),
            sip: Sip::preset(""),
            media: Media::preset(""),
            routing: Routing::preset(""),
            chassis: Chassis::preset(""),
            network: Network::preset(""),
            codes: Codes::preset(""),
            ..Config::blank()
        }
    }

    /// Before anything is read.
    pub(super) fn blank() -> Config {
        Config {
            system: System::blank(),
            sip: Sip::blank(),
            media: Media::blank(),
            routing: Routing::blank(),
            chassis: Chassis::blank(),
            network: Network::blank(),
            users: BTreeMap::new(),
            alarms: BTreeMap::new(),
            lines: BTreeMap::new(),
            extensions: BTreeMap::new(),
            calendars: BTreeMap::new(),
            skills: BTreeMap::new(),
            agents: BTreeMap::new(),
            queues: BTreeMap::new(),
            menus: BTreeMap::new(),
            trunks: BTreeMap::new(),
            routes: BTreeMap::new(),
            numbers: BTreeMap::new(),
            dids: BTreeMap::new(),
            vips: BTreeMap::new(),
            supervisors: BTreeMap::new(),
            reasons: BTreeMap::new(),
            dispositions: BTreeMap::new(),
            codes: Codes::blank(),
            tests: BTreeMap::new(),
        }
    }
}
