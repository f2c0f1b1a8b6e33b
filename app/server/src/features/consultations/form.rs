//! What was typed into the form → a checked [`Entry`], or every problem at once.

use base::number::my_number_like;
use base::wareki;
use jiff::civil::Date;

use super::entry::Entry;
use super::model::{FIELD_CHARS_MAX, Lists, TEXT_CHARS_MAX};
use crate::web::Fields;

/// Longest time one consultation may take, minutes.
const MINUTES_MAX: i64 = 24 * 60;

/// One sentence about one field.
#[derive(Debug, Clone)]
pub(super) struct FieldProblem {
    /// Id of the input.
    pub(super) field: &'static str,
    /// What to do about it.
    pub(super) text: String,
}

struct Checker<'f> {
    fields: &'f Fields,
    lists: &'f Lists,
    today: Date,
    problems: Vec<FieldProblem>,
    /// Free texts with twelve digits that pass as a マイナンバー.
    numbers: Vec<&'static str>,
}

/// A form that may be saved.
pub(super) struct Checked {
    pub(super) entry: Entry,
    /// For the access log: why twelve digits that pass as a マイナンバー are none, and where they stand.
    pub(super) numbers: Option<String>,
}

/// Checks everything; `lists` are those of the day the form is filled in.
pub(super) fn check(
    fields: &Fields,
    lists: &Lists,
    today: Date,
) -> Result<Checked, Vec<FieldProblem>> {
    let mut checker = Checker {
        fields,
        lists,
        today,
        problems: Vec::new(),
        numbers: Vec::new(),
    };
    let entry = checker.entry();
    let numbers = checker.number_kind();
    if checker.problems.is_empty() {
        Ok(Checked { entry, numbers })
    } else {
        Err(checker.problems)
    }
}

impl Checker<'_> {
    fn entry(&mut self) -> Entry {
        let received_on = self.received_on();
        let (started_at, ended_at) = (
            self.time("started_at", "開始"),
            self.time("ended_at", "終了"),
        );
        // In the order of the form: so is the list of what is to be corrected.
        let mut entry = Entry {
            received_on,
            minutes: self.minutes(&started_at, &ended_at),
            started_at,
            ended_at,
            channel: self.code("channel", "相談方法"),
            caller_kind: self.code("caller_kind", "相談者"),
            caller_name: self.short("caller_name", "相談者の氏名"),
            caller_relation: self.short("caller_relation", "続柄"),
            caller_contact: self.short("caller_contact", "相談者の連絡先"),
            client_name: self.short("client_name", "対象者の名前"),
            client_note: self.short("client_note", "対象者の手がかり"),
            urgency: self.code("urgency", "緊急度"),
            categories: self.codes("categories", "相談種別", true),
            content: self.text("content", "相談内容", true),
            responses: self.codes("responses", "対応", false),
            response: self.text("response", "対応内容", false),
            referred_to: self.short("referred_to", "紹介先"),
            outcome: self.code("outcome", "帰結"),
            ..Entry::default()
        };
        entry.closing_reason = self.closing_reason(&entry.outcome);
        entry.next_action = self.short("next_action", "次にすること");
        entry.next_due_on = self.next_due_on(received_on);
        entry
    }

    /// One in eleven other numbers passes as a マイナンバー: such a text is saved once somebody has said
    /// what the number is. The system holds no マイナンバー.
    fn number_kind(&mut self) -> Option<String> {
        if self.numbers.is_empty() {
            return None;
        }
        let kind = self.fields.trimmed("number_kind").to_owned();
        let known = self
            .lists
            .number_kind
            .iter()
            .any(|known| known.code == kind);
        let found = std::mem::take(&mut self.numbers);
        if known {
            return Some(format!("my_number={kind} fields={}", found.join("+")));
        }
        for field in found {
            let text = "マイナンバー（個人番号）に見える12けたの数字があります。マイナンバーなら消してください。";
            self.bad(field, text);
        }
        let text = "消さずに保存するときは、何の番号かを選んでください。";
        self.bad("number_kind", text);
        None
    }

    fn bad(&mut self, field: &'static str, text: impl Into<String>) {
        self.problems.push(FieldProblem {
            field,
            text: text.into(),
        });
    }

    fn short(&mut self, field: &'static str, label: &str) -> String {
        let text: String = self
            .fields
            .trimmed(field)
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        self.note_number(field, &text);
        let length = text.chars().count();
        if length > FIELD_CHARS_MAX {
            self.bad(
                field,
                format!("{label}は{FIELD_CHARS_MAX}文字までです。いま{length}文字あります。"),
            );
        }
        text
    }

    fn text(&mut self, field: &'static str, label: &str, must: bool) -> String {
        let text = plain_text(self.fields.get(field));
        self.note_number(field, &text);
        let length = text.chars().count();
        if length > TEXT_CHARS_MAX {
            let over = "文字までです。2つの記録に分けてください。いま";
            self.bad(
                field,
                format!("{label}は100,000{over}{length}文字あります。"),
            );
        }
        if must && text.trim().is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        }
        text
    }

    fn note_number(&mut self, field: &'static str, text: &str) {
        if my_number_like(text) {
            self.numbers.push(field);
        }
    }

    fn code(&mut self, field: &'static str, label: &str) -> String {
        let code = self.fields.trimmed(field).to_owned();
        if code.is_empty() {
            self.bad(field, format!("{label}を選んでください。"));
        } else if !self.lists.of(field).iter().any(|known| known.code == code) {
            self.bad(field, format!("{label}を選び直してください。"));
        }
        code
    }

    fn codes(&mut self, field: &'static str, label: &str, must: bool) -> Vec<String> {
        let mut codes: Vec<String> = self
            .fields
            .all(field)
            .filter(|code| !code.is_empty())
            .map(str::to_owned)
            .collect();
        codes.sort_unstable();
        codes.dedup();
        let known = |code: &String| self.lists.of(field).iter().any(|known| known.code == *code);
        if must && codes.is_empty() {
            self.bad(field, format!("{label}を一つ以上選んでください。"));
        } else if !codes.iter().all(known) {
            self.bad(field, format!("{label}を選び直してください。"));
        }
        codes
    }

    fn closing_reason(&mut self, outcome: &str) -> String {
        let typed = self.fields.trimmed("closing_reason").to_owned();
        if !self.lists.closes(outcome) {
            if !typed.is_empty() && !outcome.is_empty() {
                self.bad(
                    "closing_reason",
                    "終結理由は、帰結が終結のときだけ選びます。空欄に戻してください。",
                );
            }
            return typed;
        }
        if self.lists.closing_reason.is_empty() {
            typed
        } else {
            self.code("closing_reason", "終結理由")
        }
    }

    fn received_on(&mut self) -> Date {
        match self.date("received_on", "受付日") {
            Some(day) if day > self.today => {
                self.bad(
                    "received_on",
                    "受付日が先の日付です。今日までの日付を入力してください。",
                );
                day
            }
            Some(day) => day,
            None => {
                if self.fields.trimmed("received_on").is_empty() {
                    self.bad("received_on", "受付日を入力してください。");
                }
                self.today
            }
        }
    }

    fn next_due_on(&mut self, received_on: Date) -> Option<Date> {
        let due = self.date("next_due_on", "期限");
        if due.is_some_and(|due| due < received_on) {
            self.bad("next_due_on", "期限が受付日より前です。");
        }
        due
    }

    fn date(&mut self, field: &'static str, label: &str) -> Option<Date> {
        let typed = self.fields.trimmed(field);
        if typed.is_empty() {
            return None;
        }
        let day = read_day(typed, self.today);
        if day.is_none() {
            self.bad(
                field,
                format!(
                    "{label}の日付を読めません。R8.11.24 や 2026-11-24 のように入力してください。"
                ),
            );
        }
        day
    }

    fn time(&mut self, field: &'static str, label: &str) -> String {
        let typed = self.fields.trimmed(field);
        if typed.is_empty() {
            return String::new();
        }
        if let Some((hour, minute)) = read_time(typed) {
            return format!("{hour:02}:{minute:02}");
        }
        self.bad(
            field,
            format!("{label}時刻を読めません。10:05 のように入力してください。"),
        );
        typed.to_owned()
    }

    fn minutes(&mut self, from: &str, to: &str) -> Option<i64> {
        let typed = half_width(self.fields.trimmed("minutes"));
        let span = read_time(from)
            .zip(read_time(to))
            .map(|((h, m), (eh, em))| (eh * 60 + em) - (h * 60 + m));
        if span.is_some_and(|span| span < 0) {
            self.bad("ended_at", "終了時刻が開始時刻より前です。");
        }
        if typed.is_empty() {
            return span;
        }
        let minutes = typed
            .parse()
            .ok()
            .filter(|minutes| (0..=MINUTES_MAX).contains(minutes));
        if minutes.is_none() {
            self.bad(
                "minutes",
                "所要時間は0から1440までの数字（分）で入力してください。",
            );
        }
        minutes
    }
}

/// A day as people type it; `今日` is today.
pub(super) fn read_day(typed: &str, today: Date) -> Option<Date> {
    if typed == "今日" {
        Some(today)
    } else {
        wareki::parse(typed).ok().and_then(|read| read.date.full())
    }
}

/// Line ends of browsers become one kind; control characters that no printer knows go.
pub(super) fn plain_text(typed: &str) -> String {
    let lines = typed.replace("\r\n", "\n").replace('\r', "\n");
    lines
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect()
}

fn half_width(text: &str) -> String {
    let one = |c: char| match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        '：' => ':',
        other => other,
    };
    text.chars().map(one).collect()
}

fn read_time(text: &str) -> Option<(i64, i64)> {
    let text = half_width(text);
    let (hour, minute) = match text.split_once(':') {
        Some(parts) => parts,
        None if text.len() == 4 => text.split_at_checked(2)?,
        None => return None,
    };
    // A browser's time field may add seconds.
    let minute = minute.split_once(':').map_or(minute, |(minute, _)| minute);
    let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some((hour, minute))
}
