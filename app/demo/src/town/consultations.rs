//! 相談記録: SODAN.csv (item 21), two years up to the day of delivery.
//!
//! Codes, two digits in the order of domain.md §6.1: 相談方法 01–08, 相談者区分 01–20, 相談種別
//! 01–22, 対応区分 01–10, 終結理由 01–07. 状態: 1 受付, 2 対応中, 3 継続 (見守り), 4 終結.

use std::path::{Path, PathBuf};

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::Totals;
use super::insurance::Cover;
use super::model::{Person, Town};
use super::sheet::{Sheet, SheetError, short};
use crate::dice::{Dice, Stream};
use crate::staff::Member;
use crate::tables::Tables;

pub(crate) const HEADER: [&str; 26] = [
    "相談番号",
    "宛名番号",
    "受付日",
    "開始時刻",
    "終了時刻",
    "包括コード",
    "受付者ID",
    "受付者名",
    "相談方法",
    "相談者区分",
    "相談者名",
    "相談者続柄",
    "相談者連絡先",
    "相談種別",
    "相談内容",
    "対応内容",
    "対応区分",
    "紹介先",
    "緊急度",
    "虐待フラグ",
    "状態",
    "終結日",
    "終結理由",
    "次回予定日",
    "関連相談番号",
    "所要時間",
];

/// What is asked and answered; the code is that of 相談種別.
struct Theme {
    kind: &'static str,
    asked: &'static str,
    answered: &'static str,
    action: &'static str,
}

const fn theme(
    kind: &'static str,
    asked: &'static str,
    answered: &'static str,
    action: &'static str,
) -> Theme {
    Theme {
        kind,
        asked,
        answered,
        action,
    }
}

const THEMES: [Theme; 12] = [
    theme(
        "01",
        "介護保険の申請の仕方を知りたい。",
        "申請の流れを説明し、申請書の記入を手伝った。",
        "02,03",
    ),
    theme(
        "02",
        "デイサービスを休みがちになっている。",
        "事業所に様子を確認し、担当と共有した。",
        "04,07",
    ),
    theme(
        "03",
        "体力が落ちたので体操教室に通いたい。",
        "一般介護予防の教室を案内した。",
        "02",
    ),
    theme(
        "05",
        "浴室に手すりを付けたい。",
        "住宅改修の制度を説明し、訪問の日を決めた。",
        "02,06",
    ),
    theme(
        "07",
        "来週退院する。自宅での生活が心配。",
        "病院の相談員と連絡を取り、会議の日を調整した。",
        "07,08",
    ),
    theme(
        "08",
        "ひざの痛みで買物が大変になった。",
        "受診を勧め、配食と移動の支援を案内した。",
        "01,02",
    ),
    theme(
        "09",
        "同じ物を何度も買ってくる。物忘れが進んだ。",
        "受診先を案内し、家族の負担を聞いた。",
        "01,09",
    ),
    theme(
        "11",
        "ごみ出しが難しくなってきた。",
        "ふれあい収集を案内し、近隣の見守りを確認した。",
        "02,10",
    ),
    theme(
        "12",
        "年金だけでは生活が苦しい。",
        "生活困窮の窓口を紹介した。",
        "09",
    ),
    theme(
        "13",
        "介護で眠れず、家族が疲れている。",
        "短期入所の利用を提案し、経過を見ることにした。",
        "01,04",
    ),
    theme(
        "17",
        "施設への入所を考えたい。",
        "施設の種類と費用を説明した。",
        "02",
    ),
    theme(
        "18",
        "郵便物がたまっていると近所から知らせがあった。",
        "訪問し、無事を確認した。",
        "06,10",
    ),
];

/// Who was asked about, on which day, at which minute.
struct Contact {
    day: Date,
    minute: u32,
    person: Option<usize>,
    shuffle: u32,
}

// Eight inputs of one town, each used once; a struct for a single call would only rename them.
#[expect(
    clippy::too_many_arguments,
    reason = "every part of the town meets in this file"
)]
pub(crate) fn write(
    town: &Town,
    cover: &Cover,
    tables: &Tables,
    staff: &[Member],
    totals: Totals,
    seed: u64,
    today: Date,
    out: &Path,
) -> Result<(PathBuf, usize), SheetError> {
    let mut dice = Dice::new(seed, Stream::Consultations);
    let contacts = contacts(town, cover, totals, today, &mut dice);
    let mut sheet = Sheet::create(out, "SODAN.csv", &HEADER)?;
    let mut last_of: Vec<Option<u32>> = vec![None; town.people.len()];
    for (number, contact) in (1_u32..).zip(&contacts) {
        let person = contact.person.and_then(|at| town.people.get(at));
        let before = contact
            .person
            .and_then(|at| last_of.get(at).copied().flatten());
        if let Some(slot) = contact.person.and_then(|at| last_of.get_mut(at)) {
            *slot = Some(number);
        }
        let mut writer = Writer {
            town,
            tables,
            staff,
            today,
            dice: &mut dice,
        };
        sheet.row(&writer.row(number, contact, person, before))?;
    }
    Ok((sheet.finish()?, contacts.len()))
}

/// Draws the contacts and sorts them: numbers are given in the order of arrival.
fn contacts(
    town: &Town,
    cover: &Cover,
    totals: Totals,
    today: Date,
    dice: &mut Dice,
) -> Vec<Contact> {
    let frail: Vec<usize> = cover.applied().collect();
    let everybody = town.people.iter().enumerate();
    let elders: Vec<usize> = everybody
        .filter(|(_, person)| person.age >= 62)
        .map(|(at, _)| at)
        .collect();
    let mut contacts = Vec::new();
    for _ in 0..totals.consultations {
        let person = match dice.weighted(&[600, 370, 30]) {
            0 => dice.pick(&frail).copied(),
            1 => dice.pick(&elders).copied(),
            _ => None,
        };
        let found = person.and_then(|at| town.people.get(at));
        let Some(day) = day_of(found, today, dice) else {
            continue;
        };
        let minute = dice.between(8 * 60 + 30, 16 * 60 + 45);
        contacts.push(Contact {
            day,
            minute,
            person,
            shuffle: dice.any(),
        });
    }
    contacts.sort_unstable_by_key(|contact| (contact.day, contact.minute, contact.shuffle));
    contacts
}

/// A working day of the two years on which the person lived in the town.
fn day_of(person: Option<&Person>, today: Date, dice: &mut Dice) -> Option<Date> {
    let opened = today.saturating_sub(2.years()).saturating_add(1.days());
    let from = person.map_or(opened, |person| person.since.max(opened));
    let until = person
        .and_then(|person| person.gone)
        .map_or(today, |gone| gone.on);
    let span = u32::try_from((until - from).get_days()).ok()?;
    for _ in 0..4 {
        let day = from.saturating_add(i64::from(dice.below(span + 1)).days());
        let closed = day.weekday() == Weekday::Sunday
            || day.weekday() == Weekday::Saturday && !dice.per_mille(250);
        if !closed {
            return Some(day);
        }
    }
    None
}

struct Writer<'a> {
    town: &'a Town,
    tables: &'a Tables,
    staff: &'a [Member],
    today: Date,
    dice: &'a mut Dice,
}

/// How a contact went on.
struct Course {
    state: &'static str,
    closed: Option<Date>,
    reason: &'static str,
    next: Option<Date>,
}

impl Writer<'_> {
    fn row(
        &mut self,
        number: u32,
        contact: &Contact,
        person: Option<&Person>,
        before: Option<u32>,
    ) -> [String; 26] {
        let text = |text: &str| text.to_owned();
        let home = person.and_then(|person| self.town.homes.get(person.home));
        let area = home.and_then(|home| self.tables.areas.get(home.area));
        let centre = match area {
            Some(area) => area.centre,
            None => self
                .dice
                .pick(&self.tables.areas)
                .map_or("", |area| area.centre),
        };
        let there = self
            .staff
            .iter()
            .filter(|member| member.centre == Some(centre));
        let there: Vec<_> = there.collect();
        let (login, name) = self
            .dice
            .pick(&there)
            .map_or(("", ""), |member| (member.login, member.name));
        let themes: Vec<&Theme> = self.themes();
        let channel = self.dice.weighted(&[480, 190, 240, 15, 20, 30, 10, 15]) + 1;
        let minutes = self.dice.between(1, 9) * 5 + if channel == 3 { 25 } else { 0 };
        let (caller, caller_name, relation) = self.caller(person);
        let course = self.course(contact.day, person);
        let abuse = self.dice.per_mille(8);
        let urgency = match abuse {
            true => "A",
            false => self.dice.word(&["B", "C", "C", "C", "C", "D"]),
        };
        let kinds: Vec<&str> = themes.iter().map(|theme| theme.kind).collect();
        let asked: Vec<&str> = themes.iter().map(|theme| theme.asked).collect();
        let answered: Vec<&str> = themes.iter().map(|theme| theme.answered).collect();
        let related = before.filter(|_| self.dice.per_mille(400));
        let phone = home.map_or_else(String::new, |home| home.phone.clone());
        [
            format!("{number:012}"),
            person.map_or_else(String::new, |person| super::register::number(person.number)),
            short(Some(contact.day)),
            clock(contact.minute),
            clock(contact.minute + minutes),
            text(centre),
            text(login),
            text(name),
            format!("{channel:02}"),
            text(caller),
            caller_name,
            text(relation),
            phone,
            kinds.join(","),
            // Detector D14: free text carries line breaks.
            asked.join("\n"),
            answered.join("\n"),
            themes
                .first()
                .map_or_else(String::new, |theme| text(theme.action)),
            text(if kinds.contains(&"12") {
                "生活困窮者自立相談窓口"
            } else {
                ""
            }),
            text(urgency),
            text(if abuse { "1" } else { "0" }),
            text(course.state),
            short(course.closed),
            text(course.reason),
            short(course.next),
            related.map_or_else(String::new, |related| format!("{related:012}")),
            minutes.to_string(),
        ]
    }

    /// One theme, or two or three that differ, in the order of their codes.
    fn themes(&mut self) -> Vec<&'static Theme> {
        let wanted = 1 + self.dice.weighted(&[62, 28, 10]);
        let mut places: Vec<usize> = (0..wanted).map(|_| self.dice.index(THEMES.len())).collect();
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|at| THEMES.get(at)).collect()
    }

    fn caller(&mut self, person: Option<&Person>) -> (&'static str, String, &'static str) {
        let Some(person) = person else {
            return ("19", String::new(), "");
        };
        match self.dice.weighted(&[380, 120, 270, 60, 60, 110]) {
            0 => ("01", person.name.clone(), "本人"),
            1 => ("02", self.relative(person), "配偶者"),
            2 => ("03", self.relative(person), "子"),
            3 => ("07", String::new(), "近隣"),
            4 => ("08", "民生委員".to_owned(), ""),
            _ => ("12", "医療相談員".to_owned(), ""),
        }
    }

    /// The family name of the person, which is all that is noted of a relative.
    fn relative(&self, person: &Person) -> String {
        person
            .name
            .split('　')
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    fn course(&mut self, day: Date, person: Option<&Person>) -> Course {
        let gone = person.and_then(|person| person.gone);
        let recent = day > self.today.saturating_sub(45.days());
        let open = gone.is_none() && self.dice.per_mille(if recent { 550 } else { 60 });
        if open {
            let soon = self.today.saturating_add(self.dice.days(0, 30).days());
            let state = self.dice.word(&["1", "2", "2", "3", "3"]);
            let next = (state != "1").then_some(soon);
            return Course {
                state,
                closed: None,
                reason: "",
                next,
            };
        }
        let until = gone.map_or(self.today, |gone| gone.on);
        let closed = day.saturating_add(self.dice.days(0, 60).days()).min(until);
        let reason = match gone {
            Some(gone) if gone.on == closed && gone.died => "03",
            Some(gone) if gone.on == closed => "04",
            _ => self.dice.word(&["01", "01", "01", "02", "02", "05", "07"]),
        };
        Course {
            state: "4",
            closed: Some(closed),
            reason,
            next: None,
        }
    }
}

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
