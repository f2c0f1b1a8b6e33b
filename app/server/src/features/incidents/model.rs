//! An incident, what is known of it, and where it stands; no I/O.

use jiff::civil::Date;

use crate::web::coded::coded;

store::id_type!(
    /// One incident.
    IncidentId
);

/// Days of the log that are looked through at a time.
pub(super) const SPAN_DAYS_MAX: i32 = 92;
/// Lines of the list of touched records.
pub(super) const TOUCHED_MAX: usize = 2_000;

coded! {
    /// What happened to the data.
    pub(super) enum Kind {
        Leak = "leak", "漏えい";
        Loss = "loss", "滅失（紛失・消えた）";
        Damage = "damage", "毀損（書き換わった・使えない）";
        Feared = "feared", "おそれがある";
    }
}

coded! {
    /// What makes an incident one that must be reported.
    pub(super) enum Criterion {
        Sensitive = "sensitive", "要配慮個人情報が含まれる";
        Financial = "financial", "財産的被害が生じるおそれがある";
        Wrongful = "wrongful", "不正の目的で行われたおそれがある";
        Many = "many", "本人の数が100人を超える";
    }
}

impl Criterion {
    /// What it means in this work.
    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Sensitive => {
                "病歴、障害、虐待の被害など。相談や要介護認定の記録は、ほとんどが当たります。1人でも当たります。"
            }
            Self::Financial => {
                "口座番号やクレジットカード番号など、使われるとお金を失うもの。1人でも当たります。"
            }
            Self::Wrongful => {
                "不正アクセス、ランサムウェア、盗難、職員の持ち出しなど。1人でも当たり、確報の期限が延びます。"
            }
            Self::Many => "おそれを含め、101人から当たります。",
        }
    }
}

coded! {
    /// What was done.
    pub(super) enum StepKind {
        Found = "found", "発見";
        First = "first", "初動（止める・回収する）";
        Told = "told", "市・関係者への連絡";
        Preliminary = "preliminary", "速報を出した";
        Final = "final", "確報を出した";
        Notice = "notice", "本人へ通知した";
        Publication = "publication", "公表した";
        Prevention = "prevention", "再発防止";
        Other = "other", "その他";
    }
}

/// Codes of steps that only closing and reopening write.
pub(super) const CLOSED: &str = "closed";
pub(super) const REOPENED: &str = "reopened";

coded! {
    /// A report or notice to be worded.
    pub(super) enum TextKind {
        Preliminary = "preliminary", "漏えい等報告書（速報）";
        Final = "final", "漏えい等報告書（確報）";
        Notice = "notice", "本人への通知";
        Publication = "publication", "公表文";
    }
}

/// What is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) title: String,
    pub(super) kind: Kind,
    pub(super) known_on: Date,
    pub(super) happened: String,
    pub(super) summary: String,
    pub(super) items: String,
    pub(super) persons: Option<i64>,
    pub(super) cause: String,
    pub(super) secondary: String,
    pub(super) response: String,
    pub(super) publication: String,
    pub(super) prevention: String,
    pub(super) other: String,
    pub(super) criteria: Vec<Criterion>,
    pub(super) assessed: bool,
}

impl Known {
    pub(super) fn meets(&self, criterion: Criterion) -> bool {
        self.criteria.contains(&criterion)
    }

    /// Must it be reported? `None`: nobody has judged yet.
    pub(super) fn must_report(&self) -> Option<bool> {
        self.assessed.then_some(!self.criteria.is_empty())
    }
}

/// An incident with its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Incident {
    pub(super) id: IncidentId,
    pub(super) centre: Option<String>,
    pub(super) reported_by: String,
    pub(super) reported_at: String,
    pub(super) version: i64,
    pub(super) known: Known,
    pub(super) corrected: Option<Corrected>,
    pub(super) steps: Vec<Step>,
}

/// Who wrote the newest version, when it is not the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Corrected {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) reason: String,
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) kind: String,
    pub(super) held_on: String,
    pub(super) note: String,
    pub(super) by: String,
    pub(super) at: String,
}

impl Incident {
    pub(super) fn is_closed(&self) -> bool {
        let mut last = self.steps.iter().rev();
        let last = last.find(|step| step.kind == CLOSED || step.kind == REOPENED);
        last.is_some_and(|step| step.kind == CLOSED)
    }

    /// The day on which that was done, first.
    pub(super) fn done_on(&self, kind: StepKind) -> Option<&str> {
        let mut steps = self.steps.iter();
        steps
            .find(|step| step.kind == kind.code())
            .map(|step| step.held_on.as_str())
    }
}
