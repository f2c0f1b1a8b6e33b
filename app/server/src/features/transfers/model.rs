//! Hand-overs as read, and the rules about them; no I/O.

use base::secrecy::{Kana, Note, PersonName};
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{CentreId, ResidentId};

/// Longest hand-over note, characters.
pub(super) const NOTE_CHARS_MAX: usize = 20_000;

/// What the city sets, with its day, in the list `transfer_rule`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// So long the former centre may go on reading, months.
    pub(super) readable_months: i64,
    /// After so many days a hand-over that nobody received is overdue.
    pub(super) receipt_days: i64,
}

impl Rules {
    pub(super) const SHIPPED: Self = Self {
        readable_months: 6,
        receipt_days: 30,
    };

    /// What became effective before this day and waits still is overdue.
    pub(super) fn overdue_before(self, today: Date) -> Date {
        today
            .checked_sub(self.receipt_days.days())
            .unwrap_or(Date::MIN)
    }
}

/// Seen from one's own centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// 転入: to us.
    In,
    /// 転出: from us.
    Out,
}

/// Which rows of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Records exist, and nobody confirmed that they were read.
    Open,
    Received,
    /// Nothing was ever written about her: nothing to hand over.
    Without,
}

impl Stage {
    pub(super) const ALL: [Self; 3] = [Self::Open, Self::Received, Self::Without];

    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Received => "received",
            Self::Without => "without",
        }
    }
}

/// One person who moved between centres.
#[derive(Debug, Clone)]
pub(super) struct Transfer {
    pub(super) id: i64,
    pub(super) resident: ResidentId,
    pub(super) name: PersonName,
    pub(super) kana: Kana,
    pub(super) born_on: Option<Date>,
    pub(super) sex: String,
    pub(super) from: CentreId,
    pub(super) from_name: String,
    pub(super) to: CentreId,
    pub(super) to_name: String,
    pub(super) effective_on: Date,
    pub(super) readable_until: Date,
    pub(super) cause: String,
    /// The newest transfer of the person, not taken back.
    pub(super) holds: bool,
    pub(super) taken_back: bool,
    pub(super) received: Option<(String, String)>,
    /// Day of the newest record about her.
    pub(super) last_record: Option<Date>,
    pub(super) has_note: bool,
}

impl Transfer {
    pub(super) fn is_overdue(&self, rules: Rules, today: Date) -> bool {
        let waits = self.holds && self.received.is_none() && self.last_record.is_some();
        waits && self.effective_on < rules.overdue_before(today)
    }
}

/// What was handed over in words.
#[derive(Debug, Clone)]
pub(super) struct HandOver {
    pub(super) id: i64,
    pub(super) text: Note,
    pub(super) by: String,
    pub(super) at: String,
}

/// A record about the person, as the sheet lists it.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub(super) id: i64,
    pub(super) on: Option<Date>,
    pub(super) channel: String,
    pub(super) by: String,
    pub(super) content: Note,
    pub(super) next_action: Note,
    pub(super) next_due_on: Option<Date>,
    pub(super) waits: bool,
}

/// Everything on the page of a hand-over.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) transfer: Transfer,
    /// Newest first.
    pub(super) notes: Vec<HandOver>,
    pub(super) contacts: Vec<Contact>,
    pub(super) level: Option<(String, Option<Date>)>,
    pub(super) address: base::secrecy::Address,
    pub(super) phone: base::secrecy::Phone,
    pub(super) insured_no: String,
}

impl Opened {
    /// Names the newest note: a form that was opened on another one is late.
    pub(super) fn seen(&self) -> i64 {
        self.notes.first().map_or(0, |note| note.id)
    }
}

/// The headings that a new note starts with.
pub(super) const TEMPLATE: &str = "【これまでの経過】\n\n【いまの課題と支援】\n\n【家族・関係機関の連絡先】\n\n\
【気をつけること】\n\n【次にすること】\n";

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::Rules;

    #[test]
    fn the_last_day_of_the_thirty_is_not_overdue() {
        let before = Rules::SHIPPED.overdue_before(date(2026, 12, 1));
        assert_eq!(before, date(2026, 11, 1));
        assert!(date(2026, 11, 1) >= before, "thirty days have not passed");
    }
}
