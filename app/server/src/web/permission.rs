//! What each role may do. Whom they may do it to is the store's scope.

use store::{CentreId, Scope};

/// A kind of work that a route asks for. In the order of the access suite's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// Nobody has to be signed in: sign-in page, assets.
    Public,
    /// Anybody who is signed in.
    SignedIn,
    /// Look for people within the scope.
    ResidentFind,
    /// Open a person.
    ResidentView,
    /// Note what the register has wrong, confirm changes, decide conflicts.
    ResidentCorrect,
    /// Ask for a person outside the scope by exact match (照会).
    ResidentInquire,
    /// Decide who is kept from whom: shields, who may open them, exclusions (閲覧制限の管理).
    ProtectionAdminister,
    /// Name or refer a person to somebody beyond her centre, hand over to another centre.
    CaseShare,
    /// Read consultations.
    ConsultationView,
    /// Write, correct and withdraw consultations.
    ConsultationWrite,
    /// Look into the access log.
    AccessLogView,
    /// Take the access log out as a file.
    AccessLogExport,
    /// See what imports did.
    ImportView,
    /// See masters and what in them is unconfirmed.
    MasterView,
    /// See who works here, where and since when.
    StaffView,
    /// Register staff, move them, end their posts, give out passwords.
    StaffAdminister,
}

impl Permission {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Public,
        Self::SignedIn,
        Self::ResidentFind,
        Self::ResidentView,
        Self::ResidentCorrect,
        Self::ResidentInquire,
        Self::ProtectionAdminister,
        Self::CaseShare,
        Self::ConsultationView,
        Self::ConsultationWrite,
        Self::AccessLogView,
        Self::AccessLogExport,
        Self::ImportView,
        Self::MasterView,
        Self::StaffView,
        Self::StaffAdminister,
    ];
}

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
        }
    }

    /// The role of a stored code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.code() == code)
    }

    /// The matrix: may this role do that kind of work?
    pub const fn may(self, permission: Permission) -> bool {
        match permission {
            Permission::Public | Permission::SignedIn => true,
            Permission::ResidentFind | Permission::ResidentView => {
                !matches!(self, Self::SystemAdmin)
            }
            Permission::ConsultationView => !matches!(self, Self::SystemAdmin),
            Permission::ResidentInquire => !matches!(self, Self::SystemAdmin | Self::CityLongevity),
            Permission::ResidentCorrect | Permission::ConsultationWrite => {
                !matches!(self, Self::SystemAdmin | Self::CityWelfare)
            }
            Permission::ProtectionAdminister => matches!(self, Self::CityLongevity),
            Permission::CaseShare => matches!(self, Self::CityLongevity | Self::CentreManager),
            Permission::AccessLogView => matches!(self, Self::SystemAdmin | Self::CityLongevity),
            Permission::AccessLogExport | Permission::StaffAdminister => {
                matches!(self, Self::SystemAdmin)
            }
            Permission::ImportView | Permission::MasterView | Permission::StaffView => {
                matches!(self, Self::SystemAdmin | Self::CityLongevity)
            }
        }
    }

    /// A role of a centre; the others belong to the city.
    pub const fn is_of_centre(self) -> bool {
        matches!(
            self,
            Self::CentreManager | Self::SocialWorker | Self::Nurse | Self::Clerk
        )
    }

    /// Whose data the role shows. A centre role without a centre shows nobody.
    pub fn scope(self, centre: Option<CentreId>) -> Scope {
        match self {
            Self::CityLongevity => Scope::City,
            // The section sees the cases that are referred to it (store's `case_grants`).
            Self::SystemAdmin | Self::CityWelfare => Scope::Nothing,
            Self::CentreManager | Self::SocialWorker | Self::Nurse | Self::Clerk => {
                centre.map_or(Scope::Nothing, Scope::Centre)
            }
        }
    }
}
