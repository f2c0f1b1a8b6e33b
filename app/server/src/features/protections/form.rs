//! What was typed → checked values, or every problem at once.

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::StaffId;

use super::model::Colleague;
use super::store::NewGrant;
use crate::features::masters::Code;
use crate::web::{Checked, FieldProblem, Fields};

/// Longest reason, characters.
pub(super) const REASON_CHARS_MAX: usize = 500;
/// A grant lasts at most this many years; it is asked for anew like the shield itself.
pub(super) const GRANT_YEARS: i32 = 1;
/// A shield is planned at most this many years ahead.
const SHIELD_YEARS: i32 = 5;

/// Checks what was typed.
pub(super) struct Form<'f> {
    fields: &'f Fields,
    today: Date,
    checked: Checked<'f>,
}

impl<'f> Form<'f> {
    pub(super) fn new(fields: &'f Fields, today: Date) -> Self {
        Self {
            fields,
            today,
            checked: Checked::new(fields),
        }
    }

    pub(super) fn grant(mut self, colleagues: &[Colleague]) -> Result<NewGrant, Vec<FieldProblem>> {
        let staff = self.staff("grant_staff", colleagues);
        let urgent = self.fields.get("grant_urgent") == "1";
        let term = if urgent {
            // The day it is needed and the one on which a second person is there.
            self.today.tomorrow().ok().map(|next| (self.today, next))
        } else {
            self.term()
        };
        let reason = self.reason("grant_reason");
        let new = staff
            .zip(term)
            .map(|(staff, (starts_on, ends_on))| NewGrant {
                staff,
                starts_on,
                ends_on,
                urgent,
                reason,
            });
        self.checked.ended(new)
    }

    pub(super) fn shield(mut self) -> Result<(Option<Date>, String), Vec<FieldProblem>> {
        let until = self.checked.optional_day("shield_until", "予定の最後の日");
        if until.is_some_and(|day| {
            day < self.today || day > self.today.saturating_add(SHIELD_YEARS.years())
        }) {
            let text =
                format!("予定の最後の日は、今日から{SHIELD_YEARS}年先までで入力してください。");
            self.checked.bad("shield_until", text);
        }
        let reason = self.reason("shield_reason");
        self.checked.ended(Some((until, reason)))
    }

    pub(super) fn exclusion(
        mut self,
        colleagues: &[Colleague],
        relations: &[Code],
    ) -> Result<(StaffId, String, String), Vec<FieldProblem>> {
        let staff = self.staff("exclusion_staff", colleagues);
        let typed = self.fields.trimmed("exclusion_relation");
        let relation = relations.iter().find(|known| known.code == typed);
        if relation.is_none() {
            self.checked
                .bad("exclusion_relation", "関係を選んでください。");
        }
        let relation = relation.map(|known| known.code.clone());
        let reason = self.reason("exclusion_reason");
        self.checked.ended(
            staff
                .zip(relation)
                .map(|(staff, code)| (staff, code, reason)),
        )
    }

    /// Why something ends.
    pub(super) fn ending(mut self) -> Result<String, Vec<FieldProblem>> {
        let reason = self.reason("ending_reason");
        self.checked.ended(Some(reason))
    }

    fn staff(&mut self, field: &'static str, colleagues: &[Colleague]) -> Option<StaffId> {
        let typed = self.fields.trimmed(field);
        let found = colleagues.iter().find(|known| known.login == typed);
        if found.is_none() {
            self.checked.bad(field, "職員を選んでください。");
        }
        found.map(|known| known.id)
    }

    fn term(&mut self) -> Option<(Date, Date)> {
        let from = self.checked.day("grant_from", "始まりの日");
        let to = self.checked.day("grant_to", "最後の日");
        let (from, to) = from.zip(to)?;
        let last = from.saturating_add(GRANT_YEARS.years());
        if from < self.today {
            self.checked
                .bad("grant_from", "始まりの日は、今日からにしてください。");
        } else if to < from {
            self.checked
                .bad("grant_to", "最後の日が、始まりの日より前です。");
        } else if to > last {
            self.checked.bad(
                "grant_to",
                format!("許可は{GRANT_YEARS}年までです。続けるときは改めて申請します。"),
            );
        }
        Some((from, to))
    }

    fn reason(&mut self, field: &'static str) -> String {
        self.checked.line(field, "理由", REASON_CHARS_MAX)
    }
}
