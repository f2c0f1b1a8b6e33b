//! What was typed about an account → checked values, or every problem at once. For the pages and
//! for the command line.

use base::number::my_number_like;
use base::text::{graphemes, kana_checked};
use base::wareki;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::model::{Centre, NewPost, Post};
use crate::features::staff::Login;
use crate::web::{Fields, Role};

/// Longest ID, characters: 受付者ID of the city's record layout is C10.
pub const LOGIN_CHARS_MAX: usize = 10;
/// Longest name, kana or profession, characters.
pub const SHORT_CHARS_MAX: usize = 100;
/// Longest reason, characters.
pub const REASON_CHARS_MAX: usize = 200;
/// A post starts at most this many years back (late entry) or ahead; more is a mistyped year.
pub const START_YEARS: i32 = 1;
/// A last day is at most this many years ahead.
pub const END_YEARS: i32 = 5;

const MY_NUMBER: &str = "マイナンバー（個人番号）に見える数字は記録できません。";
const DAY: &str = "R8.11.24 や 2026-11-24 のように入力してください。";

/// One sentence about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Id of the input.
    pub field: &'static str,
    /// What to do about it.
    pub text: String,
}

/// An ID that may be given out; letters and digits of any width and case are folded.
pub fn read_login(typed: &str) -> Option<Login> {
    let folded: String = typed.trim().chars().map(half_width).collect();
    let folded = folded.to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.';
    let length = folded.chars().count();
    let whole = (1..=LOGIN_CHARS_MAX).contains(&length) && folded.chars().all(fits);
    whole.then(|| Login::new(&folded))
}

/// Full-width Latin, digits and signs stand 0xFEE0 above their half-width ones.
fn half_width(c: char) -> char {
    let folded = u32::from(c).checked_sub(0xFEE0).and_then(char::from_u32);
    folded.filter(char::is_ascii_graphic).unwrap_or(c)
}

/// A checked new account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// ID for signing in.
    pub login: Login,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// The first post.
    pub post: NewPost,
}

/// Checks what was typed.
#[derive(Debug)]
pub struct Form<'f> {
    fields: &'f Fields,
    centres: &'f [Centre],
    today: Date,
    problems: Vec<FieldProblem>,
}

impl<'f> Form<'f> {
    /// `centres` are those that staff can belong to.
    pub fn new(fields: &'f Fields, centres: &'f [Centre], today: Date) -> Self {
        Self {
            fields,
            centres,
            today,
            problems: Vec::new(),
        }
    }

    /// A person to be registered.
    ///
    /// # Errors
    /// Every problem, in the order of the form.
    pub fn account(mut self) -> Result<NewAccount, Vec<FieldProblem>> {
        let login = self.login();
        let name = self.short("name", "氏名");
        let kana = self.kana();
        let post = self.new_post(String::new());
        self.ended(login.zip(post).map(|(login, post)| NewAccount {
            login,
            name,
            kana,
            post,
        }))
    }

    /// A post to be added.
    ///
    /// # Errors
    /// Every problem, in the order of the form.
    pub fn post(mut self) -> Result<NewPost, Vec<FieldProblem>> {
        let post = self.new_post(String::new());
        let reason = self.reason("異動の理由");
        self.ended(post.map(|post| NewPost { reason, ..post }))
    }

    /// Role, job and centre alone: the line of a list whose day and reason are the list's.
    ///
    /// # Errors
    /// Every problem, in the order of the form.
    pub fn place(mut self) -> Result<NewPost, Vec<FieldProblem>> {
        let role = self.role();
        let centre = self.centre(role);
        let job = self.short("job", "職種・担当");
        let starts_on = self.today;
        self.ended(role.zip(centre).map(|(role, centre)| NewPost {
            role,
            job,
            centre,
            starts_on,
            reason: String::new(),
        }))
    }

    /// Last day (`None`: goes on after all) and reason of an ending.
    ///
    /// # Errors
    /// Every problem, in the order of the form.
    pub fn ending(mut self, post: &Post) -> Result<(Option<Date>, String), Vec<FieldProblem>> {
        let last = match self.fields.trimmed("kind") {
            "cancel" if post.term.starts_on > self.today => {
                post.term.starts_on.yesterday().ok().map(Some)
            }
            "reopen" if post.term.ends_on.is_some() => Some(None),
            "end" => self.last_day(post).map(Some),
            _ => {
                self.bad("kind", "どうするかを選んでください。");
                None
            }
        };
        let reason = self.reason("理由");
        self.ended(last.map(|last| (last, reason)))
    }

    /// Last day and reason of somebody who leaves.
    ///
    /// # Errors
    /// Every problem.
    pub fn leaving(mut self) -> Result<(Date, String), Vec<FieldProblem>> {
        let last = self.day("ends_on", "最後の日");
        self.not_too_late(last);
        let reason = self.reason("理由");
        self.ended(last.map(|last| (last, reason)))
    }

    fn ended<T>(self, value: Option<T>) -> Result<T, Vec<FieldProblem>> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            Some(_) | None => Err(self.problems),
        }
    }

    fn bad(&mut self, field: &'static str, text: impl Into<String>) {
        let text = text.into();
        self.problems.push(FieldProblem { field, text });
    }

    fn login(&mut self) -> Option<Login> {
        let typed = self.fields.trimmed("login");
        let login = read_login(typed);
        if typed.is_empty() {
            self.bad("login", "職員IDを入力してください。");
        } else if login.is_none() {
            let text = format!(
                "職員IDは、半角の英小文字・数字・ピリオドで{LOGIN_CHARS_MAX}文字までです。"
            );
            self.bad("login", text);
        }
        login
    }

    fn short(&mut self, field: &'static str, label: &str) -> String {
        let plain: String = self
            .fields
            .trimmed(field)
            .chars()
            .filter(|c| !c.is_control())
            .collect();
        let length = graphemes(&plain);
        if my_number_like(&plain) {
            self.bad(field, MY_NUMBER);
        } else if plain.trim().is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        } else if length > SHORT_CHARS_MAX {
            let text =
                format!("{label}は{SHORT_CHARS_MAX}文字までです。いま{length}文字あります。");
            self.bad(field, text);
        }
        plain.trim().to_owned()
    }

    fn kana(&mut self) -> String {
        let before = self.problems.len();
        let checked = kana_checked(&self.short("kana", "氏名カナ"));
        let fits =
            |c: char| matches!(c, 'ァ'..='ヺ' | 'ー' | 'ヽ' | 'ヾ' | '・' | '　' | 'Ａ'..='Ｚ');
        let whole = checked.lone_marks == 0 && checked.text.chars().all(fits);
        if self.problems.len() == before && !whole {
            self.bad("kana", "氏名カナは、カタカナで入力してください。");
        }
        checked.text
    }

    fn new_post(&mut self, reason: String) -> Option<NewPost> {
        let role = self.role();
        let centre = self.centre(role);
        let job = self.short("job", "職種・担当");
        let starts_on = self.first_day();
        Some(NewPost {
            role: role?,
            job,
            centre: centre?,
            starts_on: starts_on?,
            reason,
        })
    }

    fn role(&mut self) -> Option<Role> {
        let role = Role::from_code(self.fields.trimmed("role"));
        if role.is_none() {
            self.bad("role", "役割を選んでください。");
        }
        role
    }

    /// `Some(None)`: the city.
    fn centre(&mut self, role: Option<Role>) -> Option<Option<Centre>> {
        let typed = self.fields.trimmed("centre");
        let known = self.centres.iter().find(|centre| centre.code == typed);
        match (role.map(Role::is_of_centre), known) {
            (Some(true), None) => {
                self.bad("centre", "この役割では、所属するセンターを選んでください。");
            }
            (Some(false), _) if !typed.is_empty() => {
                self.bad("centre", "市の役割です。所属は「市」を選んでください。");
            }
            (None, None) if !typed.is_empty() => {
                self.bad("centre", "所属を選び直してください。");
            }
            (_, known) => return Some(known.cloned()),
        }
        None
    }

    fn day(&mut self, field: &'static str, label: &str) -> Option<Date> {
        let typed = self.fields.trimmed(field);
        if typed.is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
            return None;
        }
        let parsed = wareki::parse(typed).ok();
        let day = parsed.and_then(|parsed| parsed.date.full());
        if day.is_none() {
            self.bad(field, format!("{label}を読めません。{DAY}"));
        }
        day
    }

    fn first_day(&mut self) -> Option<Date> {
        let day = self.day("starts_on", "始まりの日")?;
        let (first, last) = (
            self.today.saturating_sub(START_YEARS.years()),
            self.today.saturating_add(START_YEARS.years()),
        );
        if day < first || day > last {
            let text = format!("始まりの日は、今日の前後{START_YEARS}年の中で入力してください。");
            self.bad("starts_on", text);
            return None;
        }
        Some(day)
    }

    fn last_day(&mut self, post: &Post) -> Option<Date> {
        let day = self.day("ends_on", "最後の日")?;
        if day < post.term.starts_on {
            self.bad("ends_on", "最後の日が、始まりの日より前です。");
            return None;
        }
        self.not_too_late(Some(day));
        Some(day)
    }

    fn not_too_late(&mut self, day: Option<Date>) {
        let last = self.today.saturating_add(END_YEARS.years());
        if day.is_some_and(|day| day > last) {
            let text = format!("最後の日は、{END_YEARS}年先までです。年を確かめてください。");
            self.bad("ends_on", text);
        }
    }

    fn reason(&mut self, label: &str) -> String {
        // One line: it stands in the access log.
        let one_line = |c: char| if c.is_control() { ' ' } else { c };
        let plain: String = self
            .fields
            .trimmed("reason")
            .chars()
            .map(one_line)
            .collect();
        let length = graphemes(&plain);
        if my_number_like(&plain) {
            self.bad("reason", MY_NUMBER);
        } else if plain.trim().is_empty() {
            self.bad("reason", format!("{label}を入力してください。"));
        } else if length > REASON_CHARS_MAX {
            let text =
                format!("{label}は{REASON_CHARS_MAX}文字までです。いま{length}文字あります。");
            self.bad("reason", text);
        }
        plain.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Form, NewAccount};
    use crate::web::Fields;

    fn check(login: &str, kana: &str, starts_on: &str) -> Result<NewAccount, Vec<&'static str>> {
        let pairs = [
            ("login", login),
            ("name", "架空　花子"),
            ("kana", kana),
            ("role", "city_longevity"),
            ("job", "事務"),
            ("starts_on", starts_on),
        ];
        let text = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(pairs)
            .finish();
        let fields = Fields::parse(text.as_bytes()).unwrap();
        let checked = Form::new(&fields, &[], date(2026, 11, 24)).account();
        checked.map_err(|problems| problems.iter().map(|problem| problem.field).collect())
    }

    #[test]
    fn an_id_is_folded_to_what_can_be_typed_at_sign_in() {
        let made = check(" Ｈａｎａｋｏ.１ ", "かくう　ハナコ", "R8.12.1").unwrap();
        assert_eq!(made.login.as_str(), "hanako.1");
        assert_eq!(made.kana, "カクウ　ハナコ");
        assert_eq!(made.post.starts_on, date(2026, 12, 1));
    }

    #[test]
    fn ids_that_the_citys_layout_cannot_hold_are_refused() {
        for login in [
            "",
            "elevenchars",
            "花子",
            "a b",
            "a-b",
            "a_b",
            "a@b",
            "é",
            "①",
        ] {
            assert_eq!(
                check(login, "カクウ", "R8.12.1"),
                Err(vec!["login"]),
                "{login}"
            );
        }
        assert!(check("tenletters", "カクウ", "R8.12.1").is_ok());
    }

    #[test]
    fn a_first_day_lies_within_a_year_of_today() {
        for day in ["2025-11-24", "令和8年4月1日", "20271124"] {
            assert!(check("hanako", "カクウ", day).is_ok(), "{day}");
        }
        for day in [
            "2025-11-23",
            "2027-11-25",
            "2026-02-30",
            "あした",
            "R8.4",
            "",
        ] {
            assert_eq!(
                check("hanako", "カクウ", day),
                Err(vec!["starts_on"]),
                "{day}"
            );
        }
    }

    #[test]
    fn a_reading_is_kana() {
        for kana in ["架空", "カクウ1", "<b>", "゛カ", ""] {
            assert_eq!(
                check("hanako", kana, "R8.12.1"),
                Err(vec!["kana"]),
                "{kana}"
            );
        }
    }
}
