//! Records as read, code lists, and the rules about them; no I/O.

use base::secrecy::{Address, Kana, PersonName, Phone};
use base::wareki::{Era, Wareki};
use jiff::civil::Date;
use store::ResidentId;

use super::entry::Entry;
use crate::features::masters::Code;

store::id_type!(
    /// A consultation.
    ConsultationId
);

impl std::str::FromStr for ConsultationId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Longest text of content and response, characters.
pub(super) const TEXT_CHARS_MAX: usize = 100_000;
/// Longest short field, characters.
pub(super) const FIELD_CHARS_MAX: usize = 200;
/// Longest reason or note, characters.
pub(super) const REASON_CHARS_MAX: usize = 1_000;

/// What can be chosen in the form on a day.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    pub(super) channel: Vec<Code>,
    pub(super) caller_kind: Vec<Code>,
    pub(super) categories: Vec<Code>,
    pub(super) responses: Vec<Code>,
    pub(super) urgency: Vec<Code>,
    pub(super) outcome: Vec<Code>,
    pub(super) closing_reason: Vec<Code>,
    /// What twelve digits are that are no マイナンバー.
    pub(super) number_kind: Vec<Code>,
}

impl Lists {
    /// The list behind a field of the form.
    pub(super) fn of(&self, field: &str) -> &[Code] {
        match field {
            "channel" => &self.channel,
            "caller_kind" => &self.caller_kind,
            "categories" => &self.categories,
            "responses" => &self.responses,
            "urgency" => &self.urgency,
            "outcome" => &self.outcome,
            "closing_reason" => &self.closing_reason,
            "number_kind" => &self.number_kind,
            _ => &[],
        }
    }

    /// The words of a code; a code that no list knows shows itself.
    pub(super) fn label(&self, field: &str, code: &str) -> String {
        let known = self.of(field).iter().find(|known| known.code == code);
        known.map_or_else(|| code.to_owned(), |known| known.label.clone())
    }

    /// Does this outcome end the case? The city words the list; 終結 is the word of the law.
    pub(super) fn closes(&self, outcome: &str) -> bool {
        self.label("outcome", outcome).starts_with("終結")
    }
}

/// The person a consultation is about, as far as forms and the slip show it.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) id: ResidentId,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) born_on: String,
    pub(super) sex: String,
    pub(super) address: Address,
    pub(super) phone: Phone,
    pub(super) insured_no: Option<String>,
    /// 支援措置: address and telephone are left out.
    pub(super) shielded: bool,
    /// Records about her may be written; false for whoever only reads her.
    pub(super) writable: bool,
    pub(super) certification: Option<(String, Option<String>, Option<String>)>,
}

/// One version with who wrote it when and why.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: i64,
    pub(super) version: i64,
    pub(super) entry: Entry,
    pub(super) recorded_by: String,
    pub(super) recorded_at: String,
    pub(super) reason: String,
}

/// Who took a step on a record, when and with what words.
#[derive(Clone)]
pub(super) struct Step {
    pub(super) by: String,
    pub(super) at: String,
    pub(super) words: String,
}

impl std::fmt::Debug for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Step")
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// A record as opened: newest version first.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: ConsultationId,
    pub(super) number: String,
    /// Its own centre, and whoever looks after the person, may go on writing it.
    pub(super) writable: bool,
    /// Belongs to an abuse case: shown to those alone who know of that.
    pub(super) taken: bool,
    pub(super) centre: String,
    pub(super) written_by: String,
    pub(super) resident_id: Option<ResidentId>,
    pub(super) person: Option<Person>,
    pub(super) current: Version,
    pub(super) former: Vec<Version>,
    pub(super) withdrawal: Option<Step>,
    pub(super) follow_ups: Vec<Step>,
    pub(super) followed_up: bool,
    pub(super) lists: Lists,
}

impl Record {
    /// A version by its number.
    pub(super) fn version(&self, number: i64) -> Option<&Version> {
        std::iter::once(&self.current)
            .chain(&self.former)
            .find(|v| v.version == number)
    }

    /// Is something still to be done?
    pub(super) fn awaits_action(&self) -> bool {
        let entry = &self.current.entry;
        let asked = !entry.next_action.is_empty() || entry.next_due_on.is_some();
        asked && !self.followed_up && self.withdrawal.is_none()
    }
}

/// The number on the slip: fiscal year (April to March) of the day it was written, running id.
pub(super) fn number(today: Date, id: i64) -> String {
    let first_year_day = if today.month() < 4 {
        Date::new(today.year() - 1, 4, 1)
    } else {
        Date::new(today.year(), 4, 1)
    };
    // The fiscal year carries the era of its last day's majority: R1 began as H31 in April 2019.
    let named = Date::new(first_year_day.map_or(today.year(), Date::year), 12, 31).unwrap_or(today);
    let year = Wareki::from_date(named).map_or_else(
        |_| today.year().to_string(),
        |wareki| format!("{}{}", Era::letter(wareki.era()), wareki.year()),
    );
    format!("{year}-{id:06}")
}

/// 要介護状態区分 in words.
pub(super) fn level_label(code: &str) -> &str {
    match code {
        "01" => "非該当",
        "06" => "事業対象者",
        "12" => "要支援1",
        "13" => "要支援2",
        "21" => "要介護1",
        "22" => "要介護2",
        "23" => "要介護3",
        "24" => "要介護4",
        "25" => "要介護5",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::number;

    #[test]
    fn the_number_carries_the_fiscal_year_not_the_calendar_year() {
        assert_eq!(number(date(2026, 11, 20), 123), "R8-000123");
        assert_eq!(number(date(2027, 3, 31), 124), "R8-000124");
        assert_eq!(number(date(2027, 4, 1), 125), "R9-000125");
        assert_eq!(number(date(2019, 4, 1), 1), "R1-000001");
    }
}
