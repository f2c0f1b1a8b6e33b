//! What was typed → checked words, or every problem at once.

use jiff::civil::Date;

use super::model::{FIELD_CHARS_MAX, FIELDS, Words};
use super::words::read_day;
use crate::web::Fields;

/// One sentence about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldProblem {
    pub(super) field: String,
    pub(super) text: String,
}

/// Reads a form and gathers what is wrong with it.
pub(super) struct Form<'f> {
    fields: &'f Fields,
    today: Date,
    pub(super) problems: Vec<FieldProblem>,
}

impl<'f> Form<'f> {
    pub(super) fn new(fields: &'f Fields, today: Date) -> Self {
        Self {
            fields,
            today,
            problems: Vec::new(),
        }
    }

    pub(super) fn done<T>(self, value: T) -> Result<T, Vec<FieldProblem>> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(self.problems)
        }
    }

    pub(super) fn bad(&mut self, field: &str, text: impl Into<String>) {
        self.problems.push(FieldProblem {
            field: field.to_owned(),
            text: text.into(),
        });
    }

    pub(super) fn text(&mut self, field: &str, label: &str) -> String {
        let typed = self.fields.trimmed(field).replace("\r\n", "\n");
        let text: String = typed
            .chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect();
        let length = text.chars().count();
        if length > FIELD_CHARS_MAX {
            let text =
                format!("{label}は{FIELD_CHARS_MAX}文字までです。いま{length}文字あります。");
            self.bad(field, text);
        }
        text
    }

    pub(super) fn must(&mut self, field: &str, label: &str) -> String {
        let text = self.text(field, label);
        if text.is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        }
        text
    }

    pub(super) fn day(&mut self, field: &str, label: &str) -> Date {
        let typed = self.fields.trimmed(field);
        let day = read_day(typed, self.today);
        if typed.is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        } else if day.is_none() {
            let text = format!(
                "{label}の日付を読めません。R8.11.24 や 2026-11-24 のように入力してください。"
            );
            self.bad(field, text);
        }
        day.unwrap_or(self.today)
    }

    pub(super) fn past(&mut self, field: &str, label: &str) -> Date {
        let day = self.day(field, label);
        if day > self.today {
            self.bad(field, format!("{label}は今日までの日付にしてください。"));
        }
        day
    }

    /// Every field of a holding.
    pub(super) fn words(&mut self) -> Words {
        FIELDS.map(|field| {
            if field.must {
                self.must(field.name, field.label)
            } else {
                self.text(field.name, field.label)
            }
        })
    }
}
