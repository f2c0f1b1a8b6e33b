//! Names: a family name for a home, a given name by sex and the fashion of the year of birth.

use jiff::civil::Date;

use super::model::{Foreign, Sex};
use crate::dice::{Dice, Stream};
use crate::tables::{GivenNames, Name, Tables};

/// Old forms of letters as they stand in registers (domain.md §7.5); all are in CP932.
const VARIANTS: [(char, char); 12] = [
    ('高', '髙'),
    ('崎', '﨑'),
    ('辺', '邊'),
    ('浜', '濵'),
    ('沢', '澤'),
    ('斎', '齋'),
    ('広', '廣'),
    ('島', '嶋'),
    ('桜', '櫻'),
    ('富', '冨'),
    ('黒', '黑'),
    ('瀬', '瀨'),
];

/// Letters the city made itself: the user area of CP932 from F040 on.
const GAIJI: [(char, char); 4] = [
    ('吉', '\u{e000}'),
    ('辺', '\u{e001}'),
    ('橋', '\u{e002}'),
    ('藤', '\u{e003}'),
];

pub(crate) struct Named {
    pub(crate) kanji: String,
    pub(crate) kana: String,
    pub(crate) gaiji: bool,
    pub(crate) foreign: Option<Foreign>,
}

pub(crate) struct Namer<'a> {
    tables: &'a Tables,
    dice: Dice,
    year: u32,
    family: String,
    family_kana: &'static str,
    gaiji: bool,
    nation: Option<&'static str>,
}

impl<'a> Namer<'a> {
    pub(crate) fn new(tables: &'a Tables, seed: u64, today: Date) -> Self {
        let year = u32::try_from(today.year()).unwrap_or(2000);
        let dice = Dice::new(seed, Stream::Names);
        Self {
            tables,
            dice,
            year,
            family: String::new(),
            family_kana: "",
            gaiji: false,
            nation: None,
        }
    }

    /// Starts the next home, which came from abroad with so many chances in a thousand.
    pub(crate) fn new_family(&mut self, abroad: u32) {
        self.nation = None;
        if self.dice.per_mille(abroad) {
            self.nation = self.dice.pick(&self.tables.foreign).map(|name| name.nation);
        }
        let at = self.dice.weighted(&self.tables.family_weights);
        let found = self.tables.families.get(at).copied();
        let Name { kanji, kana } = found.unwrap_or(Name {
            kanji: "",
            kana: "",
        });
        self.family_kana = kana;
        self.gaiji = false;
        self.family = kanji.to_owned();
        if self.dice.per_mille(120) {
            self.family = swapped(kanji, &VARIANTS);
        } else if self.dice.per_mille(6) {
            self.family = swapped(kanji, &GAIJI);
            self.gaiji = self.family != kanji;
        }
    }

    pub(crate) fn name(&mut self, sex: Sex, age: u32) -> Named {
        match self.nation {
            Some(nation) => self.foreign(nation, sex, age),
            None => self.japanese(sex, age),
        }
    }

    fn japanese(&mut self, sex: Sex, age: u32) -> Named {
        let given = self.given(sex, age);
        Named {
            kanji: format!("{}　{}", self.family, given.kanji),
            kana: format!("{}　{}", self.family_kana, given.kana),
            gaiji: self.gaiji,
            foreign: None,
        }
    }

    fn given(&mut self, sex: Sex, age: u32) -> Name {
        let names = match sex {
            Sex::Male => &self.tables.men,
            Sex::Female => &self.tables.women,
        };
        let born = self.year.saturating_sub(age);
        let weights = match born {
            ..1958 => [88, 12, 0],
            1958..1978 => [45, 50, 5],
            1978..1995 => [8, 52, 40],
            _ => [2, 18, 80],
        };
        let GivenNames {
            older,
            middle,
            younger,
        } = names;
        let list = match self.dice.weighted(&weights) {
            0 => older,
            1 => middle,
            _ => younger,
        };
        self.dice.pick(list).copied().unwrap_or(Name {
            kanji: "",
            kana: "",
        })
    }

    fn foreign(&mut self, nation: &'static str, sex: Sex, age: u32) -> Named {
        let all = self.tables.foreign.iter();
        let fitting: Vec<_> = all
            .filter(|name| name.nation == nation && name.sex == sex)
            .collect();
        let Some(name) = self.dice.pick(&fitting).copied() else {
            return self.japanese(sex, age);
        };
        let alias = self.dice.per_mille(250).then(|| {
            let given = self.given(sex, age);
            let kanji = format!("{}　{}", self.family, given.kanji);
            (kanji, format!("{}　{}", self.family_kana, given.kana))
        });
        let english = format!("{} {}", name.family, name.given);
        Named {
            kanji: english.clone(),
            kana: format!("{}　{}", name.kana_family, name.kana_given),
            gaiji: false,
            foreign: Some(Foreign {
                nation,
                english,
                alias,
            }),
        }
    }
}

fn swapped(name: &str, table: &[(char, char)]) -> String {
    let change = |letter| {
        let found = table.iter().find(|(from, _)| *from == letter);
        found.map_or(letter, |(_, to)| *to)
    };
    name.chars().map(change).collect()
}
