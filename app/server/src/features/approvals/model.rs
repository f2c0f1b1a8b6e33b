//! What waits for a second person, and where it stands; no I/O.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use store::{CentreId, Event, ReadTx, ResidentId, StaffId, StoreError, WriteTx};

use crate::web::{Permission, Problem};

store::id_type!(
    /// One request.
    ApprovalId
);

/// A kind of act that needs a second person. The slice that does the act owns it.
#[derive(Debug)]
pub struct Kind {
    /// As stored; never changes.
    pub code: &'static str,
    /// As staff read it.
    pub label: &'static str,
    /// What it takes to decide.
    pub permission: Permission,
    /// What happens once it is approved, in a sentence for whoever decides.
    pub then: &'static str,
    /// Approving wants a reason too, as refusing always does.
    pub reasoned: bool,
    /// SQL about a request `a` and whoever looks, `eyes.staff`: may she know of it? It asks the scoped
    /// views; `1`: always.
    pub seen: &'static str,
    /// The same: does she gain by it? Then she does not decide; `0`: never.
    pub gains: &'static str,
    /// What it is about, as it stands now.
    pub look: fn(&ReadTx<'_>, &Asked<'_>) -> Result<Look, Problem>,
    /// Does what was asked for, inside the transaction of the decision; an error undoes both.
    pub run: fn(&Act<'_, '_>) -> Result<Vec<Event>, Halt>,
}

/// Label and value, in the order of the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts(pub Vec<(String, String)>);

/// One fact that is different now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changed {
    pub(super) label: String,
    pub(super) then: String,
    pub(super) now: String,
}

impl Facts {
    /// Out of labels and values.
    pub fn new<const N: usize>(facts: [(&str, String); N]) -> Self {
        Self(facts.map(|(label, value)| (label.to_owned(), value)).into())
    }

    fn value(&self, label: &str) -> String {
        let found = self.0.iter().find(|(known, _)| known == label);
        found.map_or_else(|| "なし".to_owned(), |(_, value)| value.clone())
    }

    /// What is different now.
    pub(super) fn changed(&self, now: &Self) -> Vec<Changed> {
        let labels = self.0.iter().chain(&now.0).map(|(label, _)| label);
        let mut changed: Vec<Changed> = Vec::new();
        for label in labels {
            let (then, now) = (self.value(label), now.value(label));
            if then != now && !changed.iter().any(|known| known.label == *label) {
                let label = label.clone();
                changed.push(Changed { label, then, now });
            }
        }
        changed
    }
}

/// A request, for the slice that owns its kind.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Its number.
    pub id: ApprovalId,
    /// What [`Ask::payload`] said.
    pub payload: &'a str,
    /// Who asked.
    pub by: StaffId,
    /// Today in Japan.
    pub today: Date,
}

/// What a request is about.
#[derive(Debug, Clone, Default)]
pub struct Look {
    /// What is true now; compared with what was true when it was asked for.
    pub facts: Facts,
    /// What is shown beside them and kept by the slice alone.
    pub beside: Facts,
    /// Whom it is about, for the access log; a page of approvals never says so.
    pub resident: Option<ResidentId>,
    /// Where the slice shows it to whoever decides.
    pub page: Option<String>,
    /// Where whoever asked goes on.
    pub own_page: Option<String>,
}

/// An approved act, about to be done.
#[derive(Debug)]
pub struct Act<'a, 'c> {
    /// The transaction of the decision.
    pub tx: &'a WriteTx<'c>,
    /// The request.
    pub asked: Asked<'a>,
    /// Now, as it is stored.
    pub now: &'a str,
}

/// Why an approved act was not done; nothing is changed then, and the request still waits.
#[derive(Debug)]
pub enum Halt {
    /// It cannot be done any more: why, in words for staff.
    Refused(String),
    /// The world is in the way.
    Failed(Problem),
}

impl From<StoreError> for Halt {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

/// Does it work before the second person decides?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// Nothing happens before the decision.
    Waits,
    /// The act is done already; the second person looks afterwards.
    WorksAlready,
}

/// What somebody asks for.
#[derive(Debug)]
pub struct Ask<'a> {
    /// The kind.
    pub kind: &'static Kind,
    /// JSON that [`Kind::run`] reads. It names no resident.
    pub payload: String,
    /// What is true now; the decision is about this.
    pub facts: Facts,
    /// What would happen, old and new, in one line that names no resident.
    pub summary: String,
    /// Why; empty where the slice keeps it itself.
    pub reason: &'a str,
    /// Before or after the decision.
    pub urgency: Urgency,
    /// Whose: the asker's centre; `None`: the city.
    pub centre: Option<CentreId>,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Waits for somebody.
    Waiting,
    /// Done already, waits to be looked at.
    Urgent,
    /// Approved.
    Approved,
    /// Refused.
    Refused,
    /// Taken back by whoever asked.
    Withdrawn,
    /// Nobody decided in time.
    Lapsed,
}

impl State {
    /// In words, with the class of its tag.
    pub const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Waiting => ("承認待ち", "warn"),
            Self::Urgent => ("緊急・確認待ち", "error"),
            Self::Approved => ("承認済み", "ok"),
            Self::Refused => ("却下", ""),
            Self::Withdrawn => ("取下げ", ""),
            Self::Lapsed => ("期限切れ", ""),
        }
    }

    /// Somebody can still decide.
    pub const fn waits(self) -> bool {
        matches!(self, Self::Waiting | Self::Urgent)
    }

    /// The state a stored decision makes.
    pub fn of(decision: &str) -> Self {
        match decision {
            "approved" => Self::Approved,
            "withdrawn" => Self::Withdrawn,
            "lapsed" => Self::Lapsed,
            _ => Self::Refused,
        }
    }
}

/// What somebody decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Approve,
    Refuse,
    Withdraw,
}

impl Choice {
    /// As stored.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Refuse => "refused",
            Self::Withdraw => "withdrawn",
        }
    }
}

/// Why somebody who sees a request does not decide it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bar {
    /// She asked for it.
    Own,
    /// It may be the asker under another account.
    SameHand,
    /// She gains by it.
    Gains,
}

impl Bar {
    /// As the SQL of [`super::eligible`] says it.
    pub(super) fn of(code: &str) -> Self {
        match code {
            "own" => Self::Own,
            "gains" => Self::Gains,
            _ => Self::SameHand,
        }
    }

    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Own => "自分の依頼は決められません。ほかの人が決めます。",
            Self::SameHand => {
                "依頼した人と同じ名前のアカウントか、依頼した人から最近パスワードを受け取った\
                 アカウントでは決められません。ほかの人が決めます。"
            }
            Self::Gains => "この依頼で許可や権限を得る人は決められません。ほかの人が決めます。",
        }
    }

    /// In the access log.
    pub(super) const fn detail(self) -> &'static str {
        match self {
            Self::Own => "自分の依頼",
            Self::SameHand => "依頼した人と同じ人のおそれ",
            Self::Gains => "許可や権限を得る人",
        }
    }
}

/// A decision as it was written down.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    pub(super) state: State,
    pub(super) reason: String,
    /// `None`: it lapsed.
    pub(super) by: Option<StaffId>,
    pub(super) by_name: String,
    pub(super) at: String,
}

/// A request with what became of it, as somebody sees it.
#[derive(Debug, Clone)]
pub(super) struct Approval {
    pub(super) id: ApprovalId,
    pub(super) kind: String,
    pub(super) payload: String,
    pub(super) facts: Facts,
    pub(super) summary: String,
    pub(super) reason: String,
    pub(super) urgent: bool,
    pub(super) by: StaffId,
    pub(super) by_name: String,
    pub(super) at: String,
    pub(super) expires_on: Date,
    pub(super) decision: Option<Decision>,
    /// What stands against this viewer deciding.
    pub(super) bar: Option<Bar>,
}

impl Approval {
    /// Where it stands on a day.
    pub(super) fn state(&self, today: Date) -> State {
        match &self.decision {
            Some(decision) => decision.state,
            None if self.urgent => State::Urgent,
            None if self.expires_on < today => State::Lapsed,
            None => State::Waiting,
        }
    }

    /// The second person has not looked in time at what works already.
    pub(super) fn is_late(&self, today: Date) -> bool {
        self.state(today) == State::Urgent && self.expires_on < today
    }

    pub(super) fn asked(&self, today: Date) -> Asked<'_> {
        Asked {
            id: self.id,
            payload: &self.payload,
            by: self.by,
            today,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Changed, Facts};

    #[test]
    fn what_changed_is_told_with_then_and_now() {
        let then = Facts::new([("人数", "3人".to_owned()), ("役割", "看護師".to_owned())]);
        let now = Facts::new([("役割", "看護師".to_owned()), ("期限", "R8.4.1".to_owned())]);
        let told = |label: &str, then: &str, now: &str| Changed {
            label: label.to_owned(),
            then: then.to_owned(),
            now: now.to_owned(),
        };
        assert_eq!(
            then.changed(&now),
            [told("人数", "3人", "なし"), told("期限", "なし", "R8.4.1")]
        );
        assert!(then.changed(&then.clone()).is_empty());
    }
}
