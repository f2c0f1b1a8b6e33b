//! The small town, and the city once: read back as an importer would.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use base::wareki::{Cell, NullMeaning, age_on, parse_cell};
use jiff::civil::{Date, date};

use super::{Size, Summary, generate};

const TODAY: Date = date(2026, 4, 1);

type Row = HashMap<String, String>;

fn town(size: Size, seed: u64) -> (tempfile::TempDir, Summary) {
    let dir = tempfile::tempdir().unwrap();
    let summary = generate(size, seed, TODAY, dir.path()).unwrap();
    (dir, summary)
}

fn rows(dir: &Path, name: &str) -> Vec<Row> {
    let bytes = std::fs::read(dir.join(name)).unwrap();
    let decoded = base::charset::decode_cp932(&bytes);
    assert!(
        decoded.unmapped.is_empty(),
        "{name} holds bytes without a letter"
    );
    assert!(decoded.text.contains("\r\n"), "{name} has no CRLF");
    let mut reader = csv::Reader::from_reader(decoded.text.as_bytes());
    reader.deserialize().map(|row| row.unwrap()).collect()
}

fn day(text: &str) -> Option<Date> {
    match parse_cell(text, NullMeaning::OpenEnd).unwrap() {
        Cell::Date(parsed) => Some(parsed.date.full().unwrap()),
        Cell::Unknown | Cell::Absent | Cell::OpenEnd => None,
    }
}

fn hash(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for name in [
        "JUKI_KOJIN.csv",
        "JUKI_SETAI.csv",
        "KAIGO_SHIKAKU.csv",
        "KAIGO_RIREKI.csv",
        "SODAN.csv",
    ] {
        let bytes = std::fs::read(dir.join(name)).unwrap();
        all.extend(ring::digest::digest(&ring::digest::SHA256, &bytes).as_ref());
    }
    all
}

fn counts(dir: &Path) -> (usize, usize, usize) {
    let people = rows(dir, "JUKI_KOJIN.csv");
    let living: HashSet<_> = people
        .iter()
        .filter(|p| p["住民状態"] == "1")
        .collect_numbers();
    let elder = |p: &&Row| {
        p["住民状態"] == "1" && age_on(day(&p["生年月日"]).unwrap(), TODAY).unwrap() >= 65
    };
    let elders: HashSet<_> = people.iter().filter(elder).collect_numbers();
    let insured: HashMap<_, _> = rows(dir, "KAIGO_SHIKAKU.csv")
        .into_iter()
        .map(|row| (row["被保険者番号"].clone(), row["宛名番号"].clone()))
        .collect();
    let mut certified = HashSet::new();
    for row in rows(dir, "KAIGO_RIREKI.csv") {
        let level = &row["要介護状態区分"];
        let (Some(from), Some(to)) = (day(&row["認定有効期間開始"]), day(&row["認定有効期間終了"]))
        else {
            continue;
        };
        let person = &insured[&row["被保険者番号"]];
        let valid = from <= TODAY && to >= TODAY && level != "06";
        if valid && living.contains(person) {
            assert!(elders.contains(person), "the certified are 65 or older");
            certified.insert(person.clone());
        }
    }
    (living.len(), elders.len(), certified.len())
}

trait Numbers {
    fn collect_numbers(self) -> HashSet<String>;
}

impl<'a, T: Iterator<Item = &'a Row>> Numbers for T {
    fn collect_numbers(self) -> HashSet<String> {
        self.map(|row| row["宛名番号"].clone()).collect()
    }
}

#[test]
fn the_small_town_has_exactly_its_totals() {
    let (dir, summary) = town(Size::Small, 1);
    assert_eq!(counts(dir.path()), (2_000, 365, 48));
    assert_eq!(
        (summary.residents, summary.elders, summary.certified),
        (2_000, 365, 48)
    );
}

#[test]
fn the_city_has_exactly_the_totals_of_the_specification() {
    let (_dir, summary) = town(Size::City, 1);
    let found = (summary.residents, summary.elders, summary.certified);
    assert_eq!(found, (84_677, 15_438, 2_041));
}

#[test]
fn the_same_seed_and_day_give_the_same_bytes_and_another_seed_does_not() {
    let (first, second, other) = (
        town(Size::Small, 7).0,
        town(Size::Small, 7).0,
        town(Size::Small, 8).0,
    );
    assert_eq!(hash(first.path()), hash(second.path()));
    assert_ne!(hash(first.path()), hash(other.path()));
}

#[test]
fn every_household_has_exactly_one_head_who_is_the_named_one() {
    let (dir, _) = town(Size::Small, 3);
    let mut heads: HashMap<String, Vec<String>> = HashMap::new();
    for row in rows(dir.path(), "JUKI_SETAI.csv") {
        let list = heads.entry(row["世帯番号"].clone()).or_default();
        if row["世帯主フラグ"] == "1" {
            assert_eq!(row["宛名番号"], row["世帯主宛名番号"]);
            list.push(row["宛名番号"].clone());
        }
    }
    assert!(heads.len() > 500);
    assert!(heads.values().all(|list| list.len() == 1));
}

#[test]
fn every_certification_belongs_to_an_insured_person_and_periods_do_not_overlap() {
    let (dir, _) = town(Size::Small, 3);
    let numbers: HashSet<_> = rows(dir.path(), "KAIGO_SHIKAKU.csv")
        .into_iter()
        .map(|row| row["被保険者番号"].clone())
        .collect();
    let mut last: HashMap<String, Date> = HashMap::new();
    for row in rows(dir.path(), "KAIGO_RIREKI.csv") {
        let number = row["被保険者番号"].clone();
        assert!(numbers.contains(&number));
        let Some(from) = day(&row["認定有効期間開始"]) else {
            continue;
        };
        let to = day(&row["認定有効期間終了"]).unwrap_or(Date::MAX);
        assert!(from <= to, "{number}");
        assert!(
            day(&row["認定日"]).unwrap() >= day(&row["申請日"]).unwrap(),
            "{number}"
        );
        let before = last.insert(number, to);
        assert!(before.is_none_or(|before| before < from));
    }
    assert!(last.len() >= 48);
}

#[test]
fn nobody_is_consulted_about_after_death_or_before_the_two_years() {
    let (dir, summary) = town(Size::Small, 3);
    let died: HashMap<_, _> = rows(dir.path(), "JUKI_KOJIN.csv")
        .into_iter()
        .map(|row| (row["宛名番号"].clone(), day(&row["死亡日"])))
        .collect();
    let sodan = rows(dir.path(), "SODAN.csv");
    assert_eq!(sodan.len(), summary.consultations);
    assert!(sodan.len() > 600);
    for row in sodan {
        let on = day(&row["受付日"]).unwrap();
        assert!(on > date(2024, 4, 1) && on <= TODAY);
        if let Some(Some(end)) = died.get(&row["宛名番号"]) {
            assert!(on <= *end);
            assert!(day(&row["終結日"]).is_none_or(|closed| closed <= *end));
        }
    }
}

#[test]
fn the_masters_of_the_product_and_the_areas_of_the_town_are_the_same() {
    #[derive(serde::Deserialize)]
    struct Wako {
        centres: Vec<Centre>,
        areas: Vec<Area>,
    }
    #[derive(serde::Deserialize)]
    struct Centre {
        code: String,
    }
    #[derive(serde::Deserialize)]
    struct Area {
        code: String,
        name: String,
        centre_code: String,
    }
    let wako: Wako = toml::from_str(include_str!("../../../server/data/wako.toml")).unwrap();
    let masters = crate::Masters::load().unwrap();
    let ours: Vec<_> = masters
        .areas
        .iter()
        .map(|a| (a.code, a.name, a.centre))
        .collect();
    let theirs: Vec<_> = wako
        .areas
        .iter()
        .map(|a| (a.code.as_str(), a.name.as_str(), a.centre_code.as_str()))
        .collect();
    assert_eq!(ours, theirs);
    let centres: Vec<_> = wako
        .centres
        .iter()
        .map(|centre| centre.code.as_str())
        .collect();
    assert_eq!(masters.centre_codes(), centres);
}

#[test]
fn every_centre_has_every_role_and_every_password_is_long() {
    let staff = crate::staff::all().unwrap();
    for centre in crate::Masters::load().unwrap().centre_codes() {
        for role in ["centre_manager", "social_worker", "nurse", "clerk"] {
            assert!(
                staff
                    .iter()
                    .any(|m| m.centre == Some(centre) && m.role == role)
            );
        }
    }
    for role in ["system_admin", "city_longevity", "city_welfare"] {
        assert!(staff.iter().any(|m| m.centre.is_none() && m.role == role));
    }
    assert!(staff.iter().all(|m| m.login.len() <= 10));
    assert!(
        staff
            .iter()
            .all(|m| crate::staff::password(m.login).len() >= 12)
    );
}

#[test]
fn there_is_a_bad_file_for_every_kind_of_bad_input() {
    let dir = tempfile::tempdir().unwrap();
    let paths = crate::dirty::generate(dir.path()).unwrap();
    assert_eq!(paths.len(), 14);
    let endless = std::fs::read(dir.path().join("endless_line.csv")).unwrap();
    assert!(endless.len() > 4_000_000 && !endless.ends_with(b"\n"));
    assert!(
        std::fs::read(dir.path().join("nul.csv"))
            .unwrap()
            .contains(&0)
    );
    assert!(
        std::fs::read(dir.path().join("zero_bytes.csv"))
            .unwrap()
            .is_empty()
    );
}
