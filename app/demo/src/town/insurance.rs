//! 介護保険: KAIGO_SHIKAKU.csv (item 10) and KAIGO_RIREKI.csv (item 9).
//!
//! Codes of 認定状態 here: 1 申請中, 2 認定 (a choice of the demo; the city's list may differ).

use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::{Span, ToSpan};

use super::Totals;
use super::model::{HomeKind, Person, Town};
use super::sheet::{Sheet, SheetError, code_or_open, short};
use crate::dice::{Dice, Stream};

pub(crate) const ELIGIBILITY: [&str; 24] = [
    "被保険者番号",
    "宛名番号",
    "保険者番号",
    "被保険者区分",
    "資格取得日",
    "資格取得事由",
    "資格喪失日",
    "資格喪失事由",
    "住所地特例フラグ",
    "住所地特例施設名",
    "住所地特例適用開始日",
    "住所地特例適用終了日",
    "被保険者証交付日",
    "要介護状態区分",
    "認定有効期間開始",
    "認定有効期間終了",
    "申請中フラグ",
    "負担割合",
    "所得段階",
    "生活保護フラグ",
    "生活保護開始日",
    "生活保護終了日",
    "医療保険者番号",
    "医療保険記号番号",
];

pub(crate) const HISTORY: [&str; 22] = [
    "被保険者番号",
    "履歴番号",
    "申請日",
    "申請区分",
    "申請理由",
    "認定状態",
    "認定日",
    "要介護状態区分",
    "認定有効期間開始",
    "認定有効期間終了",
    "一次判定結果",
    "二次判定結果",
    "寝たきり度",
    "認知症自立度",
    "支給限度単位数",
    "計画作成区分",
    "作成事業所番号",
    "届出日",
    "負担割合",
    "負担割合適用開始",
    "負担割合適用終了",
    "調査日",
];

const INSURER: &str = "112292";
const PROJECT: Level = Level {
    code: "06",
    units: 5_032,
};
/// 区分支給限度基準額 since 2019-10.
const LEVELS: [Level; 7] = [
    Level {
        code: "12",
        units: 5_032,
    },
    Level {
        code: "13",
        units: 10_531,
    },
    Level {
        code: "21",
        units: 16_765,
    },
    Level {
        code: "22",
        units: 19_705,
    },
    Level {
        code: "23",
        units: 27_048,
    },
    Level {
        code: "24",
        units: 30_938,
    },
    Level {
        code: "25",
        units: 36_217,
    },
];
const LEVEL_WEIGHTS: [u32; 7] = [150, 150, 210, 170, 130, 120, 70];
const BEDRIDDEN: [&str; 9] = ["自立", "J1", "J2", "A1", "A2", "B1", "B2", "C1", "C2"];
const DEMENTIA: [&str; 8] = ["自立", "Ⅰ", "Ⅱa", "Ⅱb", "Ⅲa", "Ⅲb", "Ⅳ", "M"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    code: &'static str,
    units: u32,
}

/// One row of the history.
#[derive(Debug)]
struct Entry {
    kind: &'static str,
    applied: Date,
    decided: Option<Date>,
    level: Option<Level>,
    start: Option<Date>,
    /// None is an end that is open (事業対象者).
    end: Option<Date>,
    bedridden: &'static str,
    dementia: &'static str,
}

/// One insured person: who, under which number, with which history.
#[derive(Debug)]
struct Insured {
    person: usize,
    number: String,
    acquired: Date,
    rate: u32,
    entries: Vec<Entry>,
}

#[derive(Debug, Default)]
pub(crate) struct Cover {
    insured: Vec<Insured>,
}

impl Cover {
    /// Living persons with 要支援1–要介護5 valid on the day.
    pub(crate) fn valid_on(&self, day: Date, town: &Town) -> usize {
        let living = |insured: &&Insured| {
            town.people
                .get(insured.person)
                .is_some_and(|person| person.gone.is_none())
        };
        let valid = |entry: &Entry| {
            let level = entry.level.is_some_and(|level| level != PROJECT);
            let begun = entry.start.is_some_and(|start| start <= day);
            level && begun && entry.end.is_some_and(|end| end >= day)
        };
        let holders = self.insured.iter().filter(living);
        holders
            .filter(|insured| insured.entries.iter().any(valid))
            .count()
    }

    pub(crate) fn project_eligible(&self) -> usize {
        let project = |entry: &Entry| entry.level == Some(PROJECT) && entry.end.is_none();
        self.insured
            .iter()
            .filter(|insured| insured.entries.iter().any(project))
            .count()
    }

    /// Places of the persons who ever applied, for those who seek advice most.
    pub(crate) fn applied(&self) -> impl Iterator<Item = usize> + '_ {
        let with = self
            .insured
            .iter()
            .filter(|insured| !insured.entries.is_empty());
        with.map(|insured| insured.person)
    }
}

/// Gives everybody of 65 a number, and exactly the wanted number a certification.
pub(crate) fn cover(town: &Town, totals: Totals, seed: u64, today: Date) -> Cover {
    let mut dice = Dice::new(seed, Stream::Insurance);
    let mut cover = Cover::default();
    for (at, person) in town.people.iter().enumerate() {
        let acquired = base::wareki::legal_age_reached_on(person.birth, 65).max(person.since);
        let until = person.gone.map_or(today, |gone| gone.on);
        if base::wareki::legal_age_reached_on(person.birth, 65) > until {
            continue;
        }
        let number = insured_number(cover.insured.len());
        let rate = [10, 20, 30]
            .get(dice.weighted(&[880, 75, 45]))
            .copied()
            .unwrap_or(10);
        cover.insured.push(Insured {
            person: at,
            number,
            acquired,
            rate,
            entries: Vec::new(),
        });
    }
    assign(&mut cover, town, totals, today, &mut dice);
    cover
}

/// Nine digits in order of issue and the check digit M10W21.
fn insured_number(at: usize) -> String {
    let body = format!("{:09}", 100_000 + at * 7);
    let digits: Vec<u8> = body.bytes().map(|byte| byte.saturating_sub(b'0')).collect();
    format!("{body}{}", base::number::m10w21(&digits))
}

/// Draws without replacement by weight: the smallest of chance ÷ weight first.
fn assign(cover: &mut Cover, town: &Town, totals: Totals, today: Date, dice: &mut Dice) {
    let mut order = Vec::new();
    for (at, insured) in cover.insured.iter_mut().enumerate() {
        let Some(person) = town.people.get(insured.person) else {
            continue;
        };
        if let Some(gone) = person.gone {
            if dice.per_mille(frailty(person.age) * 2) {
                insured.entries = expired(insured.acquired, gone.on, dice);
            }
        } else if person.age >= 65 {
            let home = town.homes.get(person.home);
            let facility = home.is_some_and(|home| home.kind == HomeKind::Facility);
            let weight = if facility { 5_000 } else { frailty(person.age) };
            order.push((dice.any() / weight.max(1), at));
        }
    }
    order.sort_unstable();
    let certified = totals.certified;
    let (project, pending, past) = (certified / 16, certified / 48, certified / 32);
    for (rank, (_, at)) in (0_u32..).zip(order) {
        let Some(insured) = cover.insured.get_mut(at) else {
            continue;
        };
        let acquired = insured.acquired;
        insured.entries = if rank < certified {
            certification(acquired, today, dice)
        } else if rank < certified + project {
            vec![project_entry(acquired, today, dice)]
        } else if rank < certified + project + pending {
            vec![pending_entry(
                "1",
                acquired.max(back(today, dice.between(1, 35))),
                dice,
            )]
        } else if rank < certified + project + pending + past {
            expired(acquired, today, dice)
        } else {
            break;
        };
    }
}

/// Per mille of an age that is certified, roughly as the country has it.
fn frailty(age: u32) -> u32 {
    match age {
        ..65 => 1,
        65..70 => 28,
        70..75 => 55,
        75..80 => 115,
        80..85 => 260,
        85..90 => 470,
        _ => 700,
    }
}

fn back(day: Date, days: u32) -> Date {
    day.saturating_sub(i64::from(days).days())
}

fn months(count: u32) -> Span {
    i64::from(count).months()
}

/// A certification that covers `today`, with what went before it.
fn certification(acquired: Date, today: Date, dice: &mut Dice) -> Vec<Entry> {
    let length = [12, 24, 36, 48]
        .get(dice.weighted(&[40, 30, 20, 10]))
        .copied()
        .unwrap_or(12);
    let passed = dice.below(length);
    let start = today.first_of_month().saturating_sub(months(passed));
    let end = start
        .saturating_add(months(length))
        .saturating_sub(1.days());
    let mut entries = history(acquired, start, Some(end), today, dice);
    let ends_soon = end <= today.saturating_add(60.days());
    if ends_soon && dice.per_mille(600) {
        let applied = back(today, dice.between(0, 20)).max(start);
        entries.push(pending_entry("2", applied, dice));
    }
    entries
}

/// A certification that ended with a month before `until`, so that it is no longer valid.
fn expired(acquired: Date, until: Date, dice: &mut Dice) -> Vec<Entry> {
    let end = until.first_of_month().saturating_sub(1.days());
    let end = end
        .first_of_month()
        .saturating_sub(months(dice.below(8)))
        .last_of_month();
    let start = end.first_of_month().saturating_sub(months(11));
    if start <= acquired {
        Vec::new()
    } else {
        history(acquired, start, Some(end), end, dice)
    }
}

/// The entry from `start` to `end` and up to three before it, oldest first, without overlap.
fn history(
    acquired: Date,
    start: Date,
    end: Option<Date>,
    known_until: Date,
    dice: &mut Dice,
) -> Vec<Entry> {
    let mut periods = vec![(start, end)];
    let mut first = start;
    for _ in 0..dice.below(4) {
        let earlier = first.saturating_sub(months(if dice.per_mille(600) { 12 } else { 24 }));
        if earlier <= acquired {
            break;
        }
        periods.push((earlier, Some(first.saturating_sub(1.days()))));
        first = earlier;
    }
    periods.reverse();
    let mut level = dice.weighted(&LEVEL_WEIGHTS);
    let mut entries = Vec::new();
    for (at, (mut start, end)) in periods.into_iter().enumerate() {
        let new = at == 0;
        if new {
            // A first certification starts on the day of application, inside its month.
            let later = start.saturating_add(i64::from(dice.below(25)).days());
            start = later.min(known_until).max(acquired);
        } else if dice.per_mille(350) {
            level = (level + 1).min(LEVELS.len() - 1);
        }
        let applied = if new {
            start
        } else {
            back(start, dice.between(25, 58))
        };
        let decided = applied
            .saturating_add(dice.days(24, 40).days())
            .min(known_until);
        entries.push(Entry {
            kind: if new { "1" } else { "2" },
            applied,
            decided: Some(decided),
            level: LEVELS.get(level).copied(),
            start: Some(start),
            end,
            bedridden: BEDRIDDEN.get(level + 1).copied().unwrap_or("自立"),
            dementia: dice.word(&DEMENTIA),
        });
    }
    entries
}

fn project_entry(acquired: Date, today: Date, dice: &mut Dice) -> Entry {
    let start = back(today, dice.between(20, 700)).max(acquired);
    Entry {
        kind: "1",
        applied: start,
        decided: Some(start),
        level: Some(PROJECT),
        start: Some(start),
        end: None,
        bedridden: "J1",
        dementia: "自立",
    }
}

fn pending_entry(kind: &'static str, applied: Date, dice: &mut Dice) -> Entry {
    Entry {
        kind,
        applied,
        decided: None,
        level: None,
        start: None,
        end: None,
        bedridden: "",
        dementia: if dice.per_mille(100) { "Ⅰ" } else { "" },
    }
}

pub(crate) fn write(
    town: &Town,
    cover: &Cover,
    today: Date,
    out: &Path,
) -> Result<Vec<PathBuf>, SheetError> {
    let mut eligibility = Sheet::create(out, "KAIGO_SHIKAKU.csv", &ELIGIBILITY)?;
    let mut history = Sheet::create(out, "KAIGO_RIREKI.csv", &HISTORY)?;
    for insured in &cover.insured {
        let Some(person) = town.people.get(insured.person) else {
            continue;
        };
        eligibility.row(&eligibility_row(insured, person))?;
        for (at, entry) in (1_u32..).zip(&insured.entries) {
            history.row(&history_row(insured, at, entry, today))?;
        }
    }
    Ok(vec![eligibility.finish()?, history.finish()?])
}

fn eligibility_row(insured: &Insured, person: &Person) -> [String; 24] {
    let text = |text: &str| text.to_owned();
    let latest = insured
        .entries
        .iter()
        .rev()
        .find(|entry| entry.level.is_some());
    let pending = insured.entries.iter().any(|entry| entry.decided.is_none());
    let reached = base::wareki::legal_age_reached_on(person.birth, 65);
    let moved_in = insured.acquired > reached;
    let lost = match person.gone {
        Some(gone) if gone.died => "11",
        Some(_) => "12",
        None => "",
    };
    let stage = (1 + person.number % 13).to_string();
    [
        insured.number.clone(),
        super::register::number(person.number),
        text(INSURER),
        text("1"),
        code_or_open(Some(insured.acquired)),
        text(if moved_in { "02" } else { "01" }),
        code_or_open(person.gone.map(|gone| gone.on)),
        text(lost),
        text("0"),
        String::new(),
        String::new(),
        String::new(),
        code_or_open(Some(insured.acquired)),
        latest
            .and_then(|entry| entry.level)
            .map_or_else(String::new, |level| text(level.code)),
        latest
            .and_then(|entry| entry.start)
            .map_or_else(String::new, |day| code_or_open(Some(day))),
        latest.map_or_else(String::new, |entry| code_or_open(entry.end)),
        text(if pending { "1" } else { "0" }),
        insured.rate.to_string(),
        stage,
        text("0"),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ]
}

fn history_row(insured: &Insured, at: u32, entry: &Entry, today: Date) -> [String; 22] {
    let text = |text: &str| text.to_owned();
    let level = entry.level.map_or("", |level| level.code);
    let decided = entry.decided.is_some();
    let end = match (entry.start, entry.end) {
        (Some(_), None) => text("99999999"),
        (_, end) => short(end),
    };
    let kind = match level {
        "" => "",
        "06" | "12" | "13" => "3",
        _ => "1",
    };
    let august = rate_year(entry.start.unwrap_or(entry.applied));
    let july = august.saturating_add(1.years()).saturating_sub(1.days());
    let surveyed = entry
        .applied
        .saturating_add(9.days())
        .min(entry.decided.unwrap_or(today));
    [
        insured.number.clone(),
        at.to_string(),
        short(Some(entry.applied)),
        text(entry.kind),
        text(if entry.kind == "1" {
            "日常生活に支障が出てきたため"
        } else {
            "有効期間満了のため"
        }),
        text(if decided { "2" } else { "1" }),
        short(entry.decided),
        text(level),
        short(entry.start),
        end,
        text(level),
        text(level),
        text(entry.bedridden),
        text(entry.dementia),
        entry
            .level
            .map_or_else(String::new, |level| level.units.to_string()),
        text(kind),
        String::new(),
        short(entry.start),
        insured.rate.to_string(),
        short(Some(august)),
        short(Some(july)),
        text(&if decided {
            short(Some(surveyed))
        } else {
            String::new()
        }),
    ]
}

/// The first of August on or before the day: 負担割合 runs from August to July.
fn rate_year(day: Date) -> Date {
    let year = if day.month() >= 8 {
        day.year()
    } else {
        day.year() - 1
    };
    Date::new(year, 8, 1).unwrap_or(day)
}
