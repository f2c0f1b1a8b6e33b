//! A person as the register, the insurance and the staff know them; the rules about them. No I/O.

use base::secrecy::{Address, Kana, Note, PersonName, Phone};
use jiff::civil::Date;
use store::{CentreId, ResidentId};

use super::timeline::Timeline;
use crate::web::{Problem, Visit};

/// Days before its end from which a certification is warned about.
pub(super) const ENDS_SOON_DAYS: i32 = 60;

/// The person in the address of the page.
///
/// # Errors
/// [`Problem::NotFound`] for what is no number.
pub(in crate::features::residents) fn id_of(visit: &Visit) -> Result<ResidentId, Problem> {
    visit.param("id").map(ResidentId)
}

/// Why somebody opens a person under 支援措置.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShieldReason {
    /// She asked or called.
    OwnRequest,
    /// Police, a hospital, another office.
    Agency,
    /// Abuse and the like.
    Urgent,
    /// Certification and benefits.
    Benefit,
    /// The register changed, or disagrees.
    Register,
    /// An inspection.
    Inspection,
}

impl ShieldReason {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::OwnRequest,
        Self::Agency,
        Self::Urgent,
        Self::Benefit,
        Self::Register,
        Self::Inspection,
    ];

    /// As written to the access log.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OwnRequest => "own_request",
            Self::Agency => "agency",
            Self::Urgent => "urgent",
            Self::Benefit => "benefit",
            Self::Register => "register",
            Self::Inspection => "inspection",
        }
    }

    /// As staff read it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::OwnRequest => "本人からの相談・連絡",
            Self::Agency => "警察・医療機関・相談機関との連絡",
            Self::Urgent => "虐待などの緊急の対応",
            Self::Benefit => "認定・給付の事務",
            Self::Register => "住民の異動・食い違いの確認",
            Self::Inspection => "監査・点検",
        }
    }

    /// The reason of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.code() == code)
    }
}

/// What the register says.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: ResidentId,
    pub(super) addressee_no: String,
    pub(super) household_no: String,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) alias_name: PersonName,
    pub(super) alias_kana: Kana,
    pub(super) latin_name: PersonName,
    pub(super) former_surname: PersonName,
    pub(super) born_on: Option<Date>,
    /// As delivered when it was not a full date.
    pub(super) born_text: String,
    pub(super) sex: String,
    pub(super) state: String,
    pub(super) postal_code: String,
    pub(super) area: String,
    pub(super) address: Address,
    pub(super) building: Address,
    pub(super) phone: Phone,
    pub(super) centre_id: CentreId,
    /// False for whoever only reads her.
    pub(super) writable: bool,
    pub(super) centre: String,
    pub(super) centre_phone: String,
    pub(super) event_on: Option<Date>,
    pub(super) event: String,
    pub(super) moved_to: Address,
    pub(super) died_on: Option<Date>,
    pub(super) shielded: bool,
    pub(super) shielded_until: Option<Date>,
    pub(super) has_gaiji: bool,
}

impl Person {
    /// Lives here: neither dead nor gone.
    pub(super) fn is_here(&self) -> bool {
        matches!(self.state.as_str(), "1" | "9")
    }
}

/// Somebody of the same household.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) id: ResidentId,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) relationship: String,
    pub(super) is_head: bool,
    pub(super) born_on: Option<Date>,
    pub(super) sex: String,
}

/// One insured number of a person.
#[derive(Debug)]
pub(super) struct Insurance {
    pub(super) insured_no: String,
    pub(super) insurer_no: String,
    pub(super) category: String,
    pub(super) acquired_on: Option<Date>,
    pub(super) lost_on: Option<Date>,
    pub(super) domicile_exception: bool,
    pub(super) facility_name: String,
    pub(super) applying: bool,
    pub(super) copay_percent: Option<i64>,
    pub(super) on_welfare: bool,
}

/// One application or decision.
#[derive(Debug, Clone)]
pub(super) struct Certification {
    pub(super) applied_on: Option<Date>,
    pub(super) application: String,
    pub(super) pending: bool,
    pub(super) decided_on: Option<Date>,
    pub(super) level: String,
    pub(super) level_label: String,
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    pub(super) bedridden: String,
    pub(super) dementia: String,
    pub(super) limit_units: Option<i64>,
}

impl Certification {
    /// 非該当: a decision that gives no care.
    pub(super) fn gives_care(&self) -> bool {
        !self.pending && !self.level.is_empty() && self.level != "01"
    }

    fn covers(&self, day: Date) -> bool {
        self.gives_care()
            && self.from.is_some_and(|from| from <= day)
            && self.to.is_none_or(|to| day <= to)
    }
}

/// How a person stands to the certification on a day.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing was ever decided.
    Never,
    /// The one at this place of the list holds.
    Holds(usize),
    /// The last decision no longer holds, does not hold yet, or was 非該当.
    Without(usize),
}

/// The decision that counts on a day; `all` has the newest first.
pub(super) fn standing(all: &[Certification], today: Date) -> Standing {
    let decided = |c: &Certification| !c.pending && !c.level.is_empty();
    match (
        all.iter().position(|c| c.covers(today)),
        all.iter().position(decided),
    ) {
        (Some(at), _) => Standing::Holds(at),
        (None, Some(at)) => Standing::Without(at),
        (None, None) => Standing::Never,
    }
}

/// The last day that any decision covers; `None` when there is none or it has no end.
pub(super) fn covered_until(all: &[Certification]) -> Option<Date> {
    let care = || all.iter().filter(|c| c.gives_care() && c.from.is_some());
    if care().any(|c| c.to.is_none()) {
        return None;
    }
    care().filter_map(|c| c.to).max()
}

/// One of the last consultations.
#[derive(Debug)]
pub(super) struct Contact {
    pub(super) id: i64,
    pub(super) received_on: Option<Date>,
    pub(super) channel: String,
    pub(super) categories: String,
    pub(super) content: Note,
    pub(super) by: String,
    pub(super) closed: bool,
    pub(super) outcome: String,
    pub(super) next_action: Note,
    pub(super) next_due_on: Option<Date>,
    pub(super) followed_up: bool,
}

/// What staff typed and what holds now.
#[derive(Debug)]
pub(super) struct Correction {
    pub(super) field: String,
    pub(super) value: Note,
    pub(super) reason: Note,
    pub(super) by: String,
    pub(super) at: String,
}

/// What waits for somebody.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) conflicts: i64,
    /// Kinds of changes that nobody took note of.
    pub(super) changes: Vec<String>,
}

/// She moved between centres.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) id: i64,
    pub(super) from: CentreId,
    pub(super) from_name: String,
    pub(super) to: CentreId,
    pub(super) to_name: String,
    pub(super) on: Option<Date>,
    pub(super) readable_until: Option<Date>,
    pub(super) received: bool,
}

/// She was referred or named to the viewer.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) is_referral: bool,
    pub(super) may_write: bool,
    pub(super) from: Option<Date>,
    pub(super) to: Option<Date>,
    pub(super) reason: Note,
}

/// Everything on the page.
#[derive(Debug)]
pub(super) struct Opened {
    /// Who is in charge of her today; true: the main one.
    pub(super) in_charge: Vec<(String, bool)>,
    pub(super) person: Person,
    /// Newest first; what was taken back is left out.
    pub(super) transfers: Vec<Transfer>,
    /// Those through which the viewer sees her.
    pub(super) grants: Vec<Grant>,
    pub(super) household: Vec<Member>,
    pub(super) insurance: Vec<Insurance>,
    pub(super) certifications: Vec<Certification>,
    pub(super) contacts: Vec<Contact>,
    pub(super) corrections: Vec<Correction>,
    pub(super) waiting: Waiting,
    pub(super) timeline: Timeline,
}

impl Opened {
    /// The correction that holds for a field.
    pub(super) fn correction(&self, field: &str) -> Option<&Correction> {
        self.corrections.iter().rfind(|known| known.field == field)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{Certification, Standing, covered_until, standing};

    const TODAY: Date = date(2026, 11, 20);

    fn decided(level: &str, from: Option<Date>, to: Option<Date>) -> Certification {
        Certification {
            applied_on: None,
            application: String::new(),
            pending: false,
            decided_on: from,
            level: level.to_owned(),
            level_label: String::new(),
            from,
            to,
            bedridden: String::new(),
            dementia: String::new(),
            limit_units: None,
        }
    }

    fn pending() -> Certification {
        Certification {
            pending: true,
            ..decided("", None, None)
        }
    }

    #[test]
    fn the_one_that_covers_today_counts_and_not_the_newest() {
        let next = decided("22", Some(date(2026, 12, 1)), Some(date(2028, 11, 30)));
        let now = decided("21", Some(date(2025, 12, 1)), Some(date(2026, 11, 30)));
        assert_eq!(standing(&[pending(), next, now], TODAY), Standing::Holds(2));
    }

    #[test]
    fn the_last_day_belongs_to_the_period_and_the_day_after_does_not() {
        let last = [decided("21", Some(date(2025, 12, 1)), Some(TODAY))];
        assert_eq!(standing(&last, TODAY), Standing::Holds(0));
        assert_eq!(standing(&last, date(2026, 11, 21)), Standing::Without(0));
    }

    #[test]
    fn not_needing_care_is_a_decision_without_a_period() {
        let refused = [decided("01", None, None)];
        assert_eq!(standing(&refused, TODAY), Standing::Without(0));
        assert_eq!(covered_until(&refused), None);
        assert_eq!(standing(&[pending()], TODAY), Standing::Never);
    }

    #[test]
    fn a_renewal_in_time_moves_the_end() {
        let next = decided("22", Some(date(2026, 12, 1)), Some(date(2028, 11, 30)));
        let now = decided("21", Some(date(2025, 12, 1)), Some(date(2026, 11, 30)));
        assert_eq!(covered_until(&[next, now]), Some(date(2028, 11, 30)));
        let open = decided("06", Some(date(2025, 12, 1)), None);
        assert_eq!(covered_until(&[open]), None);
    }
}
