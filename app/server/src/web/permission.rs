//! The kinds of work, and the roles. What a role may do is data (`web::rights`); whom it may do it to
//! is the store's scope.

use std::sync::LazyLock;

use store::{CentreId, Scope};

macro_rules! permissions {
    ($($(#[$meta:meta])* $variant:ident = $code:literal, $label:literal, $group:literal;)*) => {
        /// A kind of work that a route asks for. In the order of the access suite's table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission { $($(#[$meta])* $variant),* }

        impl Permission {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// As stored; never changes.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// As staff read it.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// The group of work it stands under.
            pub const fn group(self) -> &'static str {
                match self { $(Self::$variant => $group),* }
            }
        }
    };
}

// Each but the first two has its line in data/rights.toml.
permissions! {
    /// Nobody has to be signed in: sign-in page, assets.
    Public = "public", "サインインの画面", "だれでも";
    /// Anybody who is signed in.
    SignedIn = "signed_in", "自分の画面", "だれでも";
    /// Look for people within the scope.
    ResidentFind = "resident_find", "住民をさがす", "住民";
    /// Open a person.
    ResidentView = "resident_view", "個人画面を開く", "住民";
    /// Note what the register has wrong, confirm changes, decide conflicts.
    ResidentCorrect = "resident_correct", "訂正する・異動を確認する", "住民";
    /// Ask for a person outside the scope by exact match (照会).
    ResidentInquire = "resident_inquire", "照会する", "住民";
    /// Decide who is kept from whom: shields, who may open them, exclusions (閲覧制限の管理).
    ProtectionAdminister = "protection_administer", "閲覧制限を管理する", "住民";
    /// Meet everybody whom one's centre (or the city) looks after; without it, only those whom one is
    /// in charge of (担当).
    ResidentWhole = "resident_whole", "担当でない方も見る（外すと、担当の方だけ）", "住民";
    /// Say who is in charge of a person (担当).
    AssignmentManage = "assignment_manage", "担当を決める・替える", "住民";
    /// Name or refer a person to somebody beyond her centre, hand over to another centre.
    CaseShare = "case_share", "紹介・個別の担当を決める", "住民";
    /// Read consultations.
    ConsultationView = "consultation_view", "相談記録を読む", "相談";
    /// Write, correct and withdraw consultations.
    ConsultationWrite = "consultation_write", "相談記録を書く・訂正する", "相談";
    /// Open what is attached to people and consultations (whom and which, their own permissions say).
    AttachmentView = "attachment_view", "添付ファイルを開く", "相談";
    /// Attach files, correct what is said about them, withdraw them.
    AttachmentWrite = "attachment_write", "ファイルを添付する・取り消す", "相談";
    /// See a record as it was, and put it back (which, their own permissions say).
    FormerStateUse = "former_state_use", "以前の状態を見る・戻す", "相談";
    /// Look into the access log.
    AccessLogView = "access_log_view", "アクセスログを見る", "アクセスログ";
    /// Take the access log out as a file.
    AccessLogExport = "access_log_export", "アクセスログを書き出す", "アクセスログ";
    /// See what imports did.
    ImportView = "import_view", "取込みの結果を見る", "取込み";
    /// See masters and what in them is unconfirmed.
    MasterView = "master_view", "件数とマスタを見る", "マスタ";
    /// See who works here, where and since when, and what they may do.
    StaffView = "staff_view", "職員と権限を見る", "職員";
    /// Register staff, move them, end their posts, give out passwords, change rights.
    StaffAdminister = "staff_administer", "職員と権限を変える", "職員";
    /// Decide about what somebody else asked for.
    ApprovalDecide = "approval_decide", "二人目として承認する", "承認";
    /// See which doors were opened for the vendor, and what was typed behind them.
    MaintenanceView = "maintenance_view", "保守作業の許可と記録を見る", "保守";
    /// Open a door for the vendor, and shut it.
    MaintenanceGrant = "maintenance_grant", "保守作業を許可する・終わらせる", "保守";
    /// Be the vendor: see the own window and end it.
    MaintenanceWork = "maintenance_work", "保守作業をする", "保守";
    /// Take something out with an entry in the register, and look after one's own entries.
    CarriedOutRecord = "carried_out_record", "持出しを登録する", "持出し";
    /// See the register of one's centre, or of the whole city.
    CarriedOutView = "carried_out_view", "持出し台帳を見る", "持出し";
    /// Correct, end and withdraw entries of others.
    CarriedOutManage = "carried_out_manage", "ほかの人の持出しを訂正・終了する", "持出し";
    /// See which backup disks there are and where (バックアップディスク).
    BackupDiskView = "backup_disk_view", "バックアップディスクを見る", "持出し";
    /// See what personal data are held, and how they are looked after.
    DataRegisterView = "data_register_view", "個人情報管理台帳と定期点検を見る", "持出し";
    /// Change what is written about them; record checks.
    DataRegisterWrite = "data_register_write", "個人情報管理台帳と定期点検を書く", "持出し";
    /// Report to a person what was done with their data (開示請求).
    AccessLogDisclose = "access_log_disclose", "開示請求に応じる", "アクセスログ";
    /// See unusual use, and say that it was looked into.
    UnusualUseView = "unusual_use_view", "いつもと違う利用を確かめる", "アクセスログ";
    /// See who moves between centres; write what is handed over, confirm its receipt (引継ぎ).
    TransferHandle = "transfer_handle", "引継ぎを見る・書く・受け取る", "住民";
    /// Give areas to another centre from a day on (受持ち区域の変更).
    AreaAdminister = "area_administer", "受持ち区域を変える", "マスタ";
    /// Read incidents: the city all, a centre its own.
    IncidentView = "incident_view", "事故の記録を読む", "事故";
    /// Report an incident, correct it, note what was done.
    IncidentReport = "incident_report", "事故を報告する・経過を書く", "事故";
    /// Put evidence aside, word reports and notices, close and reopen.
    IncidentManage = "incident_manage", "事故の証拠を残す・報告書を作る・終える", "事故";
    /// See how long what is kept and what is past its time.
    RetentionView = "retention_view", "保存期間と満了した記録を見る", "持出し";
    /// Ask for disposal, decide what another asked for, dispose of what was approved.
    RetentionDecide = "retention_decide", "廃棄を依頼・承認・実行する", "持出し";
    /// Meet abuse cases (虐待対応) that name one.
    AbuseView = "abuse_view", "関係する虐待対応を読む", "虐待対応";
    /// Receive a report; write in the cases that name one to write.
    AbuseWrite = "abuse_write", "虐待の通報を受理する・記録する", "虐待対応";
    /// Open who reported it, where one's row of the team says so.
    AbuseReporterRead = "abuse_reporter_read", "通報者を見る・直す", "虐待対応";
    /// Keep all cases for the city: judge, use the city's powers, close, bar, give consultations back.
    AbuseKeep = "abuse_keep", "すべての虐待対応を管理し、判断する", "虐待対応";
    /// See which machines staff work at.
    TerminalView = "terminal_view", "端末を見る", "職員";
    /// Register machines, give out certificates, shut out lost ones.
    TerminalAdminister = "terminal_administer", "端末を登録する・紛失で止める", "職員";
    /// See the condition of the machine: array, disks, system area (装置の状態).
    MachineView = "machine_view", "装置の状態を見る", "保守";
}

impl Permission {
    /// Can it be given and taken away? The others belong to everybody.
    pub const fn is_grantable(self) -> bool {
        !matches!(self, Self::Public | Self::SignedIn)
    }

    /// Those that can be given and taken away, in the order of the menus: groups stand together, each where
    /// its first permission does.
    pub fn grantable() -> impl Iterator<Item = Self> {
        GRANTABLE.iter().copied()
    }

    /// The grantable permission of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::grantable().find(|known| known.code() == code)
    }
}

// A permission that came later joins its group, or a table of them would begin the group anew.
static GRANTABLE: LazyLock<Vec<Permission>> = LazyLock::new(|| {
    let all = Permission::ALL.iter().copied();
    let mut grantable: Vec<_> = all.filter(|p| p.is_grantable()).collect();
    let place = |group| Permission::ALL.iter().position(|p| p.group() == group);
    grantable.sort_by_key(|p| place(p.group()));
    grantable
});

/// A set of permissions with a name (役割).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// システム管理者
    SystemAdmin,
    /// 市 長寿あんしん課
    CityLongevity,
    /// 市 地域共生推進課
    CityWelfare,
    /// センター長・主任ケアマネ
    CentreManager,
    /// 社会福祉士
    SocialWorker,
    /// 保健師・看護師
    Nurse,
    /// 事務
    Clerk,
    /// 保守事業者: only within a window that the city opened.
    Vendor,
}

impl Role {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::SystemAdmin,
        Self::CityLongevity,
        Self::CityWelfare,
        Self::CentreManager,
        Self::SocialWorker,
        Self::Nurse,
        Self::Clerk,
        Self::Vendor,
    ];

    /// As stored.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SystemAdmin => "system_admin",
            Self::CityLongevity => "city_longevity",
            Self::CityWelfare => "city_welfare",
            Self::CentreManager => "centre_manager",
            Self::SocialWorker => "social_worker",
            Self::Nurse => "nurse",
            Self::Clerk => "clerk",
            Self::Vendor => "vendor",
        }
    }

    /// As staff read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SystemAdmin => "システム管理者",
            Self::CityLongevity => "長寿あんしん課",
            Self::CityWelfare => "地域共生推進課",
            Self::CentreManager => "センター長・主任ケアマネ",
            Self::SocialWorker => "社会福祉士",
            Self::Nurse => "保健師・看護師",
            Self::Clerk => "事務",
            Self::Vendor => "保守事業者",
        }
    }

    /// The role of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.code() == code)
    }

    /// A role of a centre; the others belong to the city.
    pub const fn is_of_centre(self) -> bool {
        matches!(
            self,
            Self::CentreManager | Self::SocialWorker | Self::Nurse | Self::Clerk
        )
    }

    /// Whose data the role shows at most ([`super::Rights::scope`] says what is left of it). A centre role
    /// without a centre shows nobody.
    pub fn scope(self, centre: Option<CentreId>) -> Scope {
        match self {
            Self::CityLongevity => Scope::City,
            // The section sees the cases that are referred to it (store's `case_grants`).
            Self::SystemAdmin | Self::CityWelfare | Self::Vendor => Scope::Nothing,
            Self::CentreManager | Self::SocialWorker | Self::Nurse | Self::Clerk => {
                centre.map_or(Scope::Nothing, Scope::Centre)
            }
        }
    }
}

macro_rules! stored_as_code {
    ($($name:ident),*) => { $(
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let code = String::deserialize(from)?;
                let unknown = || serde::de::Error::custom("unknown code");
                Self::from_code(&code).ok_or_else(unknown)
            }
        }
    )* };
}

stored_as_code!(Permission, Role);
