//! People found → words for the list.

use base::wareki::{Wareki, age_on};
use jiff::civil::Date;

use super::model::{Contacts, Ending, Filter, Person, Rank};
use super::query::{PHONE_DIGITS_MIN, Phone, QUERY_CHARS_MAX, Query, Unread};
use super::store::HITS_MAX;
use crate::features::masters::Code;
pub(super) use crate::web::Choice;
use crate::web::Fields;
use crate::web::limits::ROWS_PER_PAGE;

/// A certification that ends within this many days is said so.
const ENDING_DAYS: i32 = 60;

/// A word with a tone.
pub(super) struct Tag {
    pub(super) css: &'static str,
    pub(super) label: String,
}

/// One line of the list.
pub(super) struct RowWords {
    pub(super) id: i64,
    pub(super) css: &'static str,
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) other_names: String,
    pub(super) tags: Vec<Tag>,
    pub(super) age: String,
    pub(super) born: String,
    pub(super) sex: &'static str,
    pub(super) area: String,
    pub(super) address: String,
    pub(super) level: String,
    pub(super) ends: Option<Tag>,
    pub(super) last_contact: String,
    pub(super) centre: String,
}

pub(super) fn row(person: &Person, rank: Rank, levels: &[Code], today: Date) -> RowWords {
    let level = levels.iter().find(|known| known.code == person.level);
    RowWords {
        id: person.id.0,
        css: if person.state == "1" { "" } else { "off" },
        name: person.name.reveal().to_owned(),
        kana: person.kana.reveal().to_owned(),
        other_names: other_names(person),
        tags: tags(person, rank),
        age: age(person, today),
        born: born(person),
        sex: match person.sex.as_str() {
            "1" => "男",
            "2" => "女",
            _ => "不明",
        },
        area: if person.shielded {
            String::new()
        } else {
            area(person)
        },
        address: if person.shielded {
            "支援措置（個人画面で）".to_owned()
        } else {
            address(person)
        },
        level: level.map_or_else(|| person.level.clone(), |known| known.label.clone()),
        ends: person
            .certified_until
            .filter(|_| person.state == "1")
            .and_then(|day| ends(day, today)),
        last_contact: person.last_contact_on.map(short).unwrap_or_default(),
        centre: if person.shielded {
            String::new()
        } else {
            person.centre.clone()
        },
    }
}

fn other_names(person: &Person) -> String {
    let named = |label: &str, name: &str| (!name.is_empty()).then(|| format!("{label} {name}"));
    let names = [
        named("通称", person.alias_name.reveal()),
        named("旧氏", person.former_surname.reveal()),
    ];
    names.into_iter().flatten().collect::<Vec<_>>().join("、")
}

fn tags(person: &Person, rank: Rank) -> Vec<Tag> {
    let state = match person.state.as_str() {
        "1" => None,
        "2" => Some("転出"),
        "3" => Some("死亡"),
        _ => Some("住民でない"),
    };
    let state = state.map(|label| Tag {
        css: "error",
        label: label.to_owned(),
    });
    let near = (rank == Rank::SoundsAlike).then(|| Tag {
        css: "",
        label: "読みが近い".to_owned(),
    });
    let shield = person.shielded.then(|| Tag {
        css: "error",
        label: "支援措置".to_owned(),
    });
    shield.into_iter().chain(state).chain(near).collect()
}

/// Nobody grows older after death; how old she was is on her own page.
fn age(person: &Person, today: Date) -> String {
    let age = person.born_on.and_then(|born| age_on(born, today));
    match age {
        _ if person.state == "3" => "－".to_owned(),
        Some(age) if person.born_text.is_empty() => format!("{age}歳"),
        Some(age) => format!("{age}歳（推定）"),
        None => "不明".to_owned(),
    }
}

fn born(person: &Person) -> String {
    if person.born_text.is_empty() {
        person.born_on.map(short).unwrap_or_default()
    } else {
        person.born_text.reveal().to_owned()
    }
}

/// The area, where the address does not begin with it anyway.
fn area(person: &Person) -> String {
    if address(person).starts_with(&person.area) {
        String::new()
    } else {
        person.area.clone()
    }
}

/// Without the region that everybody shares.
fn address(person: &Person) -> String {
    let full = person.address.reveal();
    let local = full.strip_prefix("埼玉県").unwrap_or(full);
    let local = local.strip_prefix("和光市").unwrap_or(local);
    let building = person.building.reveal();
    if building.is_empty() {
        local.to_owned()
    } else {
        format!("{local} {building}")
    }
}

fn ends(day: Date, today: Date) -> Option<Tag> {
    let days = today
        .until(day)
        .map(|span| span.get_days())
        .unwrap_or(i32::MAX);
    match days {
        ..0 => Some(Tag {
            css: "error",
            label: format!("{} で期限切れ", short(day)),
        }),
        0..=ENDING_DAYS => Some(Tag {
            css: "warn",
            label: format!("{} まで（あと{days}日）", short(day)),
        }),
        _ => None,
    }
}

fn short(day: Date) -> String {
    Wareki::from_date(day).map_or_else(|_| day.to_string(), Wareki::short)
}

/// 「12人見つかりました。」, for eyes and for the screen reader.
pub(super) fn count(found: usize) -> String {
    if found > HITS_MAX {
        "1,000人以上見つかりました。文字を足すと絞れます。".to_owned()
    } else {
        format!("{found}人見つかりました。")
    }
}

/// Why nothing was looked for, or `None`.
pub(super) fn unread(why: Unread) -> String {
    match why {
        Unread::TooLong => format!(
            "長すぎるため、さがしていません。{QUERY_CHARS_MAX}文字までで、言葉を減らしてください。"
        ),
        Unread::NoLetters => {
            "記号だけのため、さがしていません。氏名や番号などを入力してください。".to_owned()
        }
    }
}

/// What to try when nobody was found.
pub(super) fn advice(query: &Query) -> Vec<String> {
    let mut advice = Vec::new();
    if query
        .number
        .as_ref()
        .is_some_and(|number| number.phone == Phone::No)
    {
        advice.push(format!(
            "電話番号は、下{PHONE_DIGITS_MIN}けた以上でさがせます。"
        ));
    }
    if query.name.is_some() {
        advice.push(
            "カナの一部（姓のはじめの2文字など）でさがすと、表記の違いに左右されません。"
                .to_owned(),
        );
    }
    if query.born.is_some() {
        advice.push("生年月日は、聞き違いがないか、年だけ（S12）でも確かめてください。".to_owned());
    }
    // The same for everybody and everything: whether somebody is hidden must not show.
    advice.push(
        "支援措置などで、ここに出ない方がいます。お急ぎのときは、市（長寿あんしん課）へ照会してください。"
            .to_owned(),
    );
    advice.push("漢字の読み、番号のけた、転入したばかりでないかを確かめてください。".to_owned());
    advice
}

pub(super) fn areas(areas: &[(String, String)], filter: &Filter) -> Vec<Choice> {
    let all = Choice {
        value: String::new(),
        label: "すべて".to_owned(),
        selected: filter.area.is_none(),
    };
    let known = areas.iter().map(|(code, name)| Choice {
        value: code.clone(),
        label: name.clone(),
        selected: filter.area.as_deref() == Some(code),
    });
    std::iter::once(all).chain(known).collect()
}

pub(super) fn contacts(filter: &Filter) -> Vec<Choice> {
    [
        (Contacts::Everyone, "", "すべて"),
        (Contacts::Any, "any", "1年以内に相談のある人"),
        (Contacts::Own, "own", "1年以内に自分が相談を受けた人"),
    ]
    .into_iter()
    .map(|(contacts, value, label)| Choice {
        value: value.to_owned(),
        label: label.to_owned(),
        selected: filter.contacts == contacts,
    })
    .collect()
}

pub(super) fn ending(filter: &Filter) -> Vec<Choice> {
    let of = |ending: Option<Ending>| Choice {
        value: ending.map_or_else(String::new, |ending| ending.days().to_string()),
        label: ending.map_or_else(
            || "すべて".to_owned(),
            |ending| format!("{}日以内", ending.days()),
        ),
        selected: filter.ending == ending,
    };
    [None, Some(Ending::Soon), Some(Ending::Renewable)]
        .map(of)
        .into()
}

/// Which page of the list, and the way to the others.
pub(super) struct Pages {
    pub(super) total: String,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) previous: Option<String>,
    pub(super) next: Option<String>,
    pub(super) links: Vec<PageLink>,
}

pub(super) struct PageLink {
    pub(super) label: String,
    pub(super) href: Option<String>,
}

/// `found` counts one more than [`HITS_MAX`] when there are more; `page` counts from 1.
pub(super) fn pages(asked: &Fields, page: usize, found: usize) -> Pages {
    let shown = found.min(HITS_MAX);
    let last = shown.div_ceil(ROWS_PER_PAGE).max(1);
    let kept = asked
        .pairs()
        .filter(|(name, value)| !matches!(*name, "page" | "part" | "done") && !value.is_empty());
    let rest = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(kept)
        .finish();
    let href = |number: usize| format!("/residents?{rest}&page={number}");
    let near = (page.saturating_sub(3).max(1)..=(page + 3).min(last)).map(|number| PageLink {
        label: number.to_string(),
        href: (number != page).then(|| href(number)),
    });
    Pages {
        total: if found > HITS_MAX {
            "はじめの1,000".to_owned()
        } else {
            shown.to_string()
        },
        from: ((page - 1) * ROWS_PER_PAGE + 1).min(shown),
        to: (page * ROWS_PER_PAGE).min(shown),
        previous: (page > 1).then(|| href(page - 1)),
        next: (page < last).then(|| href(page + 1)),
        links: if last > 1 { near.collect() } else { Vec::new() },
    }
}
