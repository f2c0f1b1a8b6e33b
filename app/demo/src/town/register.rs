//! 住民記録: JUKI_KOJIN.csv (item 18) and JUKI_SETAI.csv (item 12).

use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::model::{Home, Person, Town};
use super::sheet::{Sheet, SheetError, code, code_or_open, short};
use crate::dice::{Dice, Stream};
use crate::tables::Tables;

pub(crate) const PERSON: [&str; 31] = [
    "宛名番号",
    "氏名",
    "氏名カナ",
    "通称名",
    "通称カナ",
    "英字氏名",
    "旧氏",
    "生年月日",
    "性別",
    "住民種別",
    "住民状態",
    "郵便番号",
    "住所コード",
    "住所",
    "方書",
    "電話番号",
    "世帯番号",
    "続柄",
    "地区コード",
    "住民日",
    "異動日",
    "異動事由",
    "転入前住所",
    "転出先住所",
    "死亡日",
    "国籍コード",
    "支援措置フラグ",
    "支援措置期間終了",
    "外字フラグ",
    "登録日時",
    "更新日時",
];

pub(crate) const HOUSEHOLD: [&str; 16] = [
    "世帯番号",
    "宛名番号",
    "世帯員順位",
    "続柄コード",
    "続柄名",
    "世帯主フラグ",
    "世帯主宛名番号",
    "住民種別",
    "住民状態",
    "住民となった日",
    "住所を定めた日",
    "異動事由",
    "異動日",
    "届出日",
    "消除日",
    "消除事由",
];

const FORMER_PLACES: [&str; 5] = [
    "東京都練馬区",
    "埼玉県朝霞市",
    "東京都板橋区",
    "神奈川県川崎市",
    "埼玉県新座市",
];

pub(crate) fn number(value: u32) -> String {
    format!("{value:010}")
}

pub(crate) fn write(
    town: &Town,
    tables: &Tables,
    seed: u64,
    today: Date,
    out: &Path,
) -> Result<Vec<PathBuf>, SheetError> {
    let mut dice = Dice::new(seed, Stream::Register);
    let mut people = Sheet::create(out, "JUKI_KOJIN.csv", &PERSON)?;
    let mut homes = Sheet::create(out, "JUKI_SETAI.csv", &HOUSEHOLD)?;
    for person in &town.people {
        let Some(home) = town.homes.get(person.home) else {
            continue;
        };
        people.row(&person_row(person, home, tables, today, &mut dice))?;
        homes.row(&household_row(person, home, &mut dice))?;
    }
    Ok(vec![people.finish()?, homes.finish()?])
}

fn person_row(
    person: &Person,
    home: &Home,
    tables: &Tables,
    today: Date,
    dice: &mut Dice,
) -> [String; 31] {
    let area = tables.areas.get(home.area);
    let text = |text: &str| text.to_owned();
    let foreign = person.foreign.as_ref();
    let alias = foreign.and_then(|foreign| foreign.alias.as_ref());
    let born_here = person.since == person.birth;
    let from = if born_here {
        ""
    } else {
        dice.word(&FORMER_PLACES)
    };
    let to = match person.gone {
        Some(gone) if !gone.died => dice.word(&FORMER_PLACES),
        _ => "",
    };
    let mut name = person.name.clone();
    if dice.per_mille(3) {
        // Detector D11: the old system pads some names.
        name.push('　');
    }
    let moved = moved_on(person);
    let changed = format!("{} 02:10:00", moved.strftime("%Y/%m/%d"));
    let added = format!("{} 02:10:00", person.since.strftime("%Y/%m/%d"));
    let shielded = home.shielded.filter(|_| person.gone.is_none());
    debug_assert!(moved <= today, "nothing in the register is of tomorrow");
    [
        number(person.number),
        name,
        base::text::half_width_kana(&person.kana),
        alias.map_or_else(String::new, |(kanji, _)| kanji.clone()),
        alias.map_or_else(String::new, |(_, kana)| base::text::half_width_kana(kana)),
        foreign.map_or_else(String::new, |foreign| foreign.english.clone()),
        String::new(),
        code(Some(person.birth)),
        text(person.sex.code()),
        text(if foreign.is_some() { "2" } else { "1" }),
        text(state(person)),
        text(area.map_or("", |area| area.postal_code)),
        text(area.map_or("", |area| area.code)),
        home.street.clone(),
        home.building.clone(),
        home.phone.clone(),
        number(home.number),
        text(person.relation.name(person.sex)),
        text(area.map_or("", |area| area.centre)),
        code(Some(person.since)),
        overflow(code(Some(moved)), moved, dice, Form::Code),
        text(reason(person)),
        text(from),
        text(to),
        code(person.gone.filter(|gone| gone.died).map(|gone| gone.on)),
        text(foreign.map_or("", |foreign| foreign.nation)),
        flag(shielded.is_some()),
        shielded.map_or_else(String::new, code_or_open),
        flag(person.gaiji),
        added,
        changed,
    ]
}

fn household_row(person: &Person, home: &Home, dice: &mut Dice) -> [String; 16] {
    let text = |text: &str| text.to_owned();
    let head = person.number == home.head;
    let moved = moved_on(person);
    let gone = person.gone.map(|gone| gone.on);
    [
        number(home.number),
        number(person.number),
        person.order.to_string(),
        text(person.relation.code(person.sex)),
        text(person.relation.name(person.sex)),
        flag(head),
        number(home.head),
        text(if person.foreign.is_some() { "2" } else { "1" }),
        text(state(person)),
        short(Some(person.since)),
        short(Some(person.since)),
        text(reason(person)),
        short(Some(moved)),
        overflow(short(Some(moved)), moved, dice, Form::Short),
        short(gone),
        text(if gone.is_some() { reason(person) } else { "" }),
    ]
}

fn moved_on(person: &Person) -> Date {
    person.gone.map_or(person.since, |gone| gone.on)
}

fn state(person: &Person) -> &'static str {
    match person.gone {
        None => "1",
        Some(gone) if gone.died => "3",
        Some(_) => "2",
    }
}

fn reason(person: &Person) -> &'static str {
    match person.gone {
        Some(gone) if gone.died => "32",
        Some(_) => "31",
        None if person.since == person.birth => "12",
        None => "11",
    }
}

fn flag(set: bool) -> String {
    (if set { "1" } else { "0" }).to_owned()
}

enum Form {
    Code,
    Short,
}

/// Detector D07: some days after April 2019 were keyed as 平成31 and carry on.
fn overflow(usual: String, day: Date, dice: &mut Dice, form: Form) -> String {
    let inside = day.year() == 2019 && day.month() >= 5;
    if !inside || !dice.per_mille(150) {
        return usual;
    }
    let (month, day) = (day.month(), day.day());
    match form {
        Form::Code => format!("431{month:02}{day:02}"),
        Form::Short => format!("H31.{month}.{day}"),
    }
}
