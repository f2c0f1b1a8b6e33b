//! What was typed about rights → checked values, or every problem at once. For pages and console.

use base::number::my_number_like;
use base::text::graphemes;
use base::wareki;
use jiff::ToSpan as _;
use jiff::civil::Date;
use store::StaffId;

use super::model::{NewException, RoleChange, Step};
use crate::features::staff::accounts::form::{FieldProblem, REASON_CHARS_MAX};
use crate::web::{Fields, Permission, Rights, Role};

/// How far ahead a change may lie, years; more is a mistyped year.
pub const AHEAD_YEARS: i32 = 1;
/// Longest exception, years: a right that is needed for longer belongs to a role.
pub const EXCEPTION_YEARS: i32 = 1;

const DAY: &str = "R9.4.1 や 2027-04-01 のように入力してください。";

/// Checks what was typed.
#[derive(Debug)]
pub struct Form<'f> {
    fields: &'f Fields,
    today: Date,
    problems: Vec<FieldProblem>,
}

impl<'f> Form<'f> {
    /// `today` is the first day that can be chosen.
    pub fn new(fields: &'f Fields, today: Date) -> Self {
        Self {
            fields,
            today,
            problems: Vec::new(),
        }
    }

    /// What a role shall be able to do: the boxes that differ from what the form showed.
    ///
    /// # Errors
    /// Every problem, in the order of the form.
    pub fn role_change(
        mut self,
        role: Role,
        shown: &Rights,
    ) -> Result<RoleChange, Vec<FieldProblem>> {
        let codes: Vec<&str> = self.fields.all("may").collect();
        if codes
            .iter()
            .any(|code| Permission::from_code(code).is_none())
        {
            self.bad("may", "知らない権限が送られました。選び直してください。");
        }
        let wanted = Permission::grantable().map(|permission| Step {
            permission,
            granted: codes.contains(&permission.code()),
        });
        let steps: Vec<Step> = wanted
            .filter(|s| shown.has(s.permission) != s.granted)
            .collect();
        if steps.is_empty() && self.problems.is_empty() {
            self.bad(
                "may",
                "いまと違うところがありません。変える権限を選んでください。",
            );
        }
        let starts_on = self.first_day();
        let reason = self.reason();
        self.ended(starts_on.map(|starts_on| RoleChange {
            role,
            starts_on,
            steps,
            reason,
        }))
    }

    /// One person's exception.
    ///
    /// # Errors
    /// Every problem, in the order of the form.
    pub fn exception(mut self, staff: StaffId) -> Result<NewException, Vec<FieldProblem>> {
        let step = self.step();
        let starts_on = self.first_day();
        let ends_on = self.exception_end(step, starts_on);
        let reason = self.reason();
        self.ended(step.zip(starts_on).map(|(step, starts_on)| NewException {
            staff,
            step,
            starts_on,
            ends_on,
            reason,
        }))
    }

    /// Permission and direction, typed as one line of a list; without reason and first day.
    ///
    /// # Errors
    /// Every problem.
    pub fn exception_of(
        mut self,
        starts_on: Date,
    ) -> Result<(Step, Option<Date>), Vec<FieldProblem>> {
        let step = self.step();
        let ends_on = self.exception_end(step, Some(starts_on));
        self.ended(step.map(|step| (step, ends_on)))
    }

    /// One permission of a role, typed as one line of a list.
    ///
    /// # Errors
    /// Every problem.
    pub fn role_step(mut self) -> Result<(Role, Step), Vec<FieldProblem>> {
        let role = Role::from_code(self.fields.trimmed("role"));
        if role.is_none() {
            self.bad("role", "役割を選んでください。");
        }
        let step = self.step();
        self.ended(role.zip(step))
    }

    /// The last day of an exception that ends early, and why.
    ///
    /// # Errors
    /// Every problem.
    pub fn ending(mut self, starts_on: Date) -> Result<(Date, String), Vec<FieldProblem>> {
        let last = match self.fields.trimmed("kind") {
            "now" => starts_on.max(self.today).yesterday().ok(),
            "day" => self.day("ends_on", "最後の日"),
            _ => {
                self.bad("kind", "いつ終えるかを選んでください。");
                None
            }
        };
        let reason = self.reason();
        self.ended(last.map(|last| (last, reason)))
    }

    /// A list's title and day.
    ///
    /// # Errors
    /// Every problem.
    pub fn plan(mut self) -> Result<(String, Date), Vec<FieldProblem>> {
        let title = self.text("title", "名前", 50);
        let starts_on = self.first_day();
        if starts_on.is_some_and(|day| day <= self.today) {
            self.bad(
                "starts_on",
                "適用の日は、あすから先の日を入力してください。",
            );
        }
        self.ended(starts_on.map(|day| (title, day)))
    }

    /// Only a reason.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn only_reason(mut self) -> Result<String, Vec<FieldProblem>> {
        let reason = self.reason();
        self.ended(Some(reason))
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

    fn step(&mut self) -> Option<Step> {
        let permission = Permission::from_code(self.fields.trimmed("permission"));
        if permission.is_none() {
            self.bad("permission", "権限を選んでください。");
        }
        let granted = match self.fields.trimmed("granted") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => {
                self.bad(
                    "granted",
                    "できるようにするか、できなくするかを選んでください。",
                );
                None
            }
        };
        permission.zip(granted).map(|(permission, granted)| Step {
            permission,
            granted,
        })
    }

    fn exception_end(&mut self, step: Option<Step>, starts_on: Option<Date>) -> Option<Date> {
        let granted = step.is_some_and(|step| step.granted);
        if self.fields.trimmed("ends_on").is_empty() && !granted {
            return None;
        }
        let end = self.day("ends_on", "最後の日")?;
        let start = starts_on?;
        if end < start {
            self.bad("ends_on", "最後の日が、始まりの日より前です。");
        } else if end > start.saturating_add(EXCEPTION_YEARS.years()) {
            let text = format!(
                "例外は{EXCEPTION_YEARS}年までです。長く必要なときは、役割の権限を変えてください。"
            );
            self.bad("ends_on", text);
        }
        Some(end)
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
        let day = self.day("starts_on", "適用の日")?;
        let last = self.today.saturating_add(AHEAD_YEARS.years());
        if day < self.today || day > last {
            let text = format!("適用の日は、今日から{AHEAD_YEARS}年先までの日を入力してください。");
            self.bad("starts_on", text);
            return None;
        }
        Some(day)
    }

    fn reason(&mut self) -> String {
        self.text("reason", "理由", REASON_CHARS_MAX)
    }

    /// One line: it stands in the access log.
    fn text(&mut self, field: &'static str, label: &str, chars_max: usize) -> String {
        let one_line = |c: char| if c.is_control() { ' ' } else { c };
        let plain: String = self.fields.trimmed(field).chars().map(one_line).collect();
        let length = graphemes(&plain);
        if my_number_like(&plain) {
            self.bad(
                field,
                "マイナンバー（個人番号）に見える数字は記録できません。",
            );
        } else if plain.trim().is_empty() {
            self.bad(field, format!("{label}を入力してください。"));
        } else if length > chars_max {
            self.bad(
                field,
                format!("{label}は{chars_max}文字までです。いま{length}文字あります。"),
            );
        }
        plain.trim().to_owned()
    }
}
