//! What was typed into a form → checked values, or every problem at once, in the form's order.

use base::number::my_number_like;
use base::text::graphemes;
use base::wareki;
use jiff::civil::{Date, Time};

use crate::web::csrf::random_text;
use crate::web::fields::Fields;

/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 1_000;
/// Longest submission token that is believed, bytes.
const TOKEN_BYTES_MAX: usize = 64;

/// One sentence about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Id of the input.
    pub field: &'static str,
    /// What to do about it.
    pub text: String,
}

/// The sentence about a field, or nothing.
pub fn problem_of<'p>(problems: &'p [FieldProblem], field: &str) -> &'p str {
    let found = problems.iter().find(|problem| problem.field == field);
    found.map_or("", |problem| problem.text.as_str())
}

/// Reads fields and remembers what is wrong with them.
#[derive(Debug)]
pub struct Checked<'f> {
    fields: &'f Fields,
    problems: Vec<FieldProblem>,
}

impl<'f> Checked<'f> {
    /// Nothing is read yet.
    pub fn new(fields: &'f Fields) -> Self {
        Self {
            fields,
            problems: Vec::new(),
        }
    }

    /// Remembers a problem.
    pub fn bad(&mut self, field: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.problems.push(FieldProblem { field, text });
    }

    /// The value when nothing was wrong.
    ///
    /// # Errors
    /// Every problem, in the order of the form.
    pub fn ended<T>(self, value: Option<T>) -> Result<T, Vec<FieldProblem>> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            Some(_) | None => Err(self.problems),
        }
    }

    /// One line that must be there.
    pub fn line(&mut self, field: &'static str, label: &str, chars_max: usize) -> String {
        let one_line = |c: char| if c.is_control() { ' ' } else { c };
        let plain: String = self.fields.trimmed(field).chars().map(one_line).collect();
        self.required(field, label, &plain);
        self.bounded(field, label, chars_max, plain.trim().to_owned())
    }

    /// A text of lines that must be there.
    pub fn text(&mut self, field: &'static str, label: &str, chars_max: usize) -> String {
        let text = self.optional_text(field, label, chars_max);
        self.required(field, label, &text);
        text
    }

    /// A text of lines that may be missing.
    pub fn optional_text(&mut self, field: &'static str, label: &str, chars_max: usize) -> String {
        let lines = self.fields.trimmed(field).replace("\r\n", "\n");
        let plain = |c: &char| *c == '\n' || !c.is_control();
        let kept: String = lines.chars().filter(plain).collect();
        self.bounded(field, label, chars_max, kept)
    }

    fn required(&mut self, field: &'static str, label: &str, text: &str) {
        if text.trim().is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        }
    }

    fn bounded(
        &mut self,
        field: &'static str,
        label: &str,
        chars_max: usize,
        text: String,
    ) -> String {
        let length = graphemes(&text);
        if my_number_like(&text) {
            let text = "マイナンバー（個人番号）に見える数字は記録できません。";
            self.bad(field, text);
        } else if length > chars_max {
            let text = format!("{label}は{chars_max}文字までです。いま{length}文字あります。");
            self.bad(field, text);
        }
        text
    }

    /// Why it is done.
    pub fn reason(&mut self, field: &'static str, label: &str) -> String {
        self.text(field, label, REASON_CHARS_MAX)
    }

    /// A day that may be left out.
    pub fn optional_day(&mut self, field: &'static str, label: &str) -> Option<Date> {
        let given = !self.fields.trimmed(field).is_empty();
        given.then(|| self.day(field, label)).flatten()
    }

    /// A day in any of the ways that staff write it.
    pub fn day(&mut self, field: &'static str, label: &str) -> Option<Date> {
        let typed = self.fields.trimmed(field);
        if typed.is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
            return None;
        }
        let day = wareki::parse(typed).ok().and_then(|read| read.date.full());
        if day.is_none() {
            let text =
                format!("{label}を読めません。R8.11.24 や 2026-11-24 のように入力してください。");
            self.bad(field, text);
        }
        day
    }

    /// A time of the day: 14:30, 1430, 14時30分.
    pub fn time(&mut self, field: &'static str, label: &str) -> Option<Time> {
        let typed = self.fields.trimmed(field);
        if typed.is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
            return None;
        }
        let time = read_time(typed);
        if time.is_none() {
            self.bad(
                field,
                format!("{label}を読めません。14:30 のように入力してください。"),
            );
        }
        time
    }
}

fn read_time(typed: &str) -> Option<Time> {
    let digits = base::text::digits(typed);
    let (hour, minute) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        3 => digits.split_at_checked(1)?,
        4 => digits.split_at_checked(2)?,
        _ => return None,
    };
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// The token of one opened form: what came with it, or a new one.
pub fn submission(fields: &Fields) -> String {
    let typed = fields.trimmed("submission");
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !typed.is_empty() && typed.len() <= TOKEN_BYTES_MAX && typed.bytes().all(plain) {
        typed.to_owned()
    } else {
        random_text().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::time;

    use super::{Checked, read_time, submission};
    use crate::web::Fields;

    #[test]
    fn times_are_read_as_staff_write_them() {
        for typed in ["14:30", "1430", "１４：３０", "14時30分"] {
            assert_eq!(read_time(typed), Some(time(14, 30, 0, 0)), "{typed}");
        }
        assert_eq!(read_time("9時"), Some(time(9, 0, 0, 0)));
        assert_eq!(read_time("930"), Some(time(9, 30, 0, 0)));
        for typed in ["", "25:00", "12:60", "昼", "123456"] {
            assert_eq!(read_time(typed), None, "{typed}");
        }
    }

    #[test]
    fn every_problem_is_told_and_in_the_order_of_the_form() {
        let fields = Fields::parse("a=&b=R8.13.1&c=%E3%81%82%E3%81%84".as_bytes()).unwrap();
        let mut form = Checked::new(&fields);
        form.line("a", "目的", 10);
        form.day("b", "日");
        form.line("c", "理由", 1);
        let problems = form.ended(Some(())).unwrap_err();
        let told: Vec<_> = problems.iter().map(|p| p.field).collect();
        assert_eq!(told, ["a", "b", "c"]);
    }

    #[test]
    fn a_token_that_is_none_is_replaced() {
        let fields = |text: &str| Fields::parse(text.as_bytes()).unwrap();
        assert_eq!(submission(&fields("submission=abc-1_Z")), "abc-1_Z");
        for bad in ["submission=", "submission=a%20b", "x=1"] {
            assert!(submission(&fields(bad)).len() >= 16, "{bad}");
        }
    }
}
