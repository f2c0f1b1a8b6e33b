//! What was typed about something that leaves → a checked [`Entry`], or every problem at once.

use base::wareki::{self, Wareki};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::model::{
    DUE_YEARS_MAX, Entry, FIELD_CHARS_MAX, Lists, MAIL, NOTE_CHARS_MAX, OTHER, PERSONS_MAX,
    Protection,
};
use crate::features::masters::Code;
use crate::web::{Fields, sealed};

/// One sentence about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Id of the input.
    pub field: &'static str,
    /// What to do about it.
    pub text: String,
}

/// Reads the forms of this slice and of the console.
pub(super) struct Form<'f> {
    fields: &'f Fields,
    lists: &'f Lists,
    today: Date,
    problems: Vec<FieldProblem>,
}

/// What the slice says at the door; the rest is typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'g> {
    pub(super) what: &'g str,
    pub(super) persons: i64,
}

impl<'f> Form<'f> {
    pub(super) fn new(fields: &'f Fields, lists: &'f Lists, today: Date) -> Self {
        Self {
            fields,
            lists,
            today,
            problems: Vec::new(),
        }
    }

    fn done<T>(self, value: T) -> Result<T, Vec<FieldProblem>> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(self.problems)
        }
    }

    /// An entry somebody makes by hand.
    pub(super) fn entry(mut self) -> Result<Entry, Vec<FieldProblem>> {
        let taken_on = self.day("taken_on", "持ち出した日").unwrap_or(self.today);
        if taken_on > self.today {
            self.bad("taken_on", "持ち出した日は今日までの日付にしてください。");
        }
        let what = self.must("what", "持ち出したもの");
        let persons = self.persons();
        let entry = self.rest(taken_on, what, persons);
        self.done(entry)
    }

    /// The entry of a file that the product makes, and the passphrase when it is to be locked.
    pub(super) fn at_the_door(
        mut self,
        given: Given<'_>,
    ) -> Result<(Entry, Option<String>), Vec<FieldProblem>> {
        let entry = self.rest(self.today, given.what.to_owned(), given.persons);
        let passphrase = match entry.protection {
            Protection::Encrypted => Some(self.passphrase()),
            Protection::Instead(_) => None,
        };
        self.done((entry, passphrase))
    }

    fn rest(&mut self, taken_on: Date, what: String, persons: i64) -> Entry {
        let (purposes, media) = (&self.lists.purposes, &self.lists.media);
        let purpose = self.code("purpose", "目的", purposes);
        let purpose_note = self.explained("purpose_note", "目的の説明", &purpose);
        let medium = self.code("medium", "媒体", media);
        let medium_note = self.explained("medium_note", "媒体の番号・説明", &medium);
        Entry {
            taken_on,
            what,
            persons,
            destination: self.must("destination", "持出し先"),
            carried_by: self.must("carried_by", "持ち出す人"),
            protection: self.protection(&medium),
            due_on: self.due_on(taken_on),
            note: self.note("note", "備考"),
            purpose,
            purpose_note,
            medium,
            medium_note,
        }
    }

    fn bad(&mut self, field: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.problems.push(FieldProblem { field, text });
    }

    fn text(&mut self, field: &'static str, label: &str, chars_max: usize) -> String {
        let text = plain(self.fields.trimmed(field));
        let length = text.chars().count();
        if length > chars_max {
            let text = format!("{label}は{chars_max}文字までです。いま{length}文字あります。");
            self.bad(field, text);
        }
        text
    }

    fn short(&mut self, field: &'static str, label: &str) -> String {
        self.text(field, label, FIELD_CHARS_MAX).replace('\n', " ")
    }

    fn note(&mut self, field: &'static str, label: &str) -> String {
        self.text(field, label, NOTE_CHARS_MAX)
    }

    fn must(&mut self, field: &'static str, label: &str) -> String {
        let text = self.short(field, label);
        if text.is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        }
        text
    }

    fn code(&mut self, field: &'static str, label: &str, list: &[Code]) -> String {
        let code = self.fields.trimmed(field).to_owned();
        if code.is_empty() {
            self.bad(field, format!("{label}を選んでください。"));
        } else if !list.iter().any(|known| known.code == code) {
            self.bad(field, format!("{label}を選び直してください。"));
        }
        code
    }

    fn explained(&mut self, field: &'static str, label: &str, code: &str) -> String {
        let text = self.short(field, label);
        if code == OTHER && text.is_empty() {
            self.bad(
                field,
                format!("「その他」を選んだときは、{label}を入力してください。"),
            );
        }
        text
    }

    fn day(&mut self, field: &'static str, label: &str) -> Option<Date> {
        let typed = self.fields.trimmed(field);
        let day = read_day(typed, self.today);
        if typed.is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        } else if day.is_none() {
            self.bad(field, unreadable(label));
        }
        day
    }

    fn persons(&mut self) -> i64 {
        let number = read_number(self.fields.trimmed("persons"));
        let number = number.filter(|number| (0..=PERSONS_MAX).contains(number));
        if number.is_none() {
            self.bad(
                "persons",
                "人数は数字で入力してください。個人情報を含まないときは 0 です。",
            );
        }
        number.unwrap_or_default()
    }

    fn protection(&mut self, medium: &str) -> Protection {
        match self.fields.trimmed("encrypted") {
            "yes" => Protection::Encrypted,
            "no" => {
                let instead = self.short("protection", "暗号化に代わる措置");
                if medium == MAIL {
                    self.bad(
                        "encrypted",
                        "メールで送るものは、かならず暗号化してください。",
                    );
                } else if instead.is_empty() {
                    self.bad(
                        "protection",
                        "暗号化しないときは、代わりにどう守るかを入力してください。例：施錠できるかばんで手渡し",
                    );
                }
                Protection::Instead(instead)
            }
            _ => {
                self.bad("encrypted", "暗号化するかどうかを選んでください。");
                Protection::Instead(String::new())
            }
        }
    }

    fn passphrase(&mut self) -> String {
        let typed = self.fields.trimmed("passphrase").to_owned();
        if let Some(text) = sealed::weakness(&typed) {
            self.bad("passphrase", text);
        }
        typed
    }

    fn due_on(&mut self, taken_on: Date) -> Option<Date> {
        let typed = self.fields.trimmed("due_on");
        if self.fields.get("stays") == "1" {
            if !typed.is_empty() {
                self.bad(
                    "due_on",
                    "「渡したままにする」ときは、期限を空欄にしてください。",
                );
            }
            return None;
        }
        if typed.is_empty() {
            self.bad(
                "due_on",
                "返却または廃棄の期限を入力してください。戻らないものは「渡したままにする」を選びます。",
            );
            return None;
        }
        let Some(day) = read_day(typed, self.today) else {
            self.bad("due_on", unreadable("期限"));
            return None;
        };
        let last = taken_on.saturating_add(DUE_YEARS_MAX.years());
        if day < taken_on {
            self.bad("due_on", "期限が持ち出した日より前です。");
        } else if day > last {
            self.bad("due_on", "期限は10年先までにしてください。");
        }
        Some(day)
    }

    /// Why something is corrected, taken back or withdrawn.
    pub(super) fn reason(mut self, label: &str) -> Result<String, Vec<FieldProblem>> {
        let reason = self.must("reason", label);
        self.done(reason)
    }

    /// A return or a disposal.
    pub(super) fn ending(mut self, taken_on: Date) -> Result<Ending, Vec<FieldProblem>> {
        let kind = match self.fields.trimmed("kind") {
            "returned" => "returned",
            "disposed" => "disposed",
            _ => {
                self.bad("kind", "返却か廃棄かを選んでください。");
                ""
            }
        };
        let ended_on = self
            .day("ended_on", "返却・廃棄した日")
            .unwrap_or(self.today);
        if ended_on > self.today {
            self.bad(
                "ended_on",
                "返却・廃棄した日は今日までの日付にしてください。",
            );
        } else if ended_on < taken_on {
            self.bad("ended_on", "返却・廃棄した日が持ち出した日より前です。");
        }
        let handled_by = self.must("handled_by", "返却・廃棄した人");
        let method = self.short("method", "廃棄の方法");
        if kind == "disposed" && method.is_empty() {
            self.bad(
                "method",
                "廃棄したときは、方法を入力してください。例：溶融、物理的破壊、専用ソフトで消去",
            );
        }
        let ending = Ending {
            kind,
            ended_on,
            handled_by,
            method,
            certificate: self.short("certificate", "証明書の番号"),
            note: self.note("note", "備考"),
        };
        self.done(ending)
    }
}

/// A return or a disposal as typed.
#[derive(Debug, Clone)]
pub(super) struct Ending {
    pub(super) kind: &'static str,
    pub(super) ended_on: Date,
    pub(super) handled_by: String,
    pub(super) method: String,
    pub(super) certificate: String,
    pub(super) note: String,
}

fn unreadable(label: &str) -> String {
    format!("{label}の日付を読めません。R8.11.24 や 2026-11-24 のように入力してください。")
}

/// A day as people type it; `今日` is today.
pub(super) fn read_day(typed: &str, today: Date) -> Option<Date> {
    if typed == "今日" {
        Some(today)
    } else {
        wareki::parse(typed).ok().and_then(|read| read.date.full())
    }
}

/// How a form shows a day again.
pub(super) fn typed_day(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// Line ends of browsers become one kind; control characters that no printer knows go.
fn plain(typed: &str) -> String {
    let lines = typed.replace("\r\n", "\n").replace('\r', "\n");
    lines
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect()
}

/// 「１，２００人」 as 1200; nothing for what is no number.
fn read_number(typed: &str) -> Option<i64> {
    let bare = typed
        .trim_end_matches(['人', '名'])
        .replace([',', '，'], "");
    let is_digit = |c: char| c.is_ascii_digit() || ('０'..='９').contains(&c);
    if bare.is_empty() || !bare.chars().all(is_digit) {
        return None;
    }
    base::text::digits(&bare).parse().ok()
}
