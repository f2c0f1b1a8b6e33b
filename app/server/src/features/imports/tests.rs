//! Imports of generated files into real database files.

use std::path::{Path, PathBuf};

use base::charset::{decode_cp932, encode_cp932};
use base::clock::Clock;
use demo::town::{Size, Summary};
use jiff::civil::{Date, date};
use store::{Actor, DataDir, Db, Event, Operation, StoreError, SystemReason, Value, params};
use tempfile::TempDir;

use super::{
    Counts, EncodingChoice, Feed, FileProblem, ImportError, ImportOptions, Plan, apply, plan, undo,
};

const TODAY: Date = date(2026, 11, 20);

struct House {
    db: Db,
    dir: TempDir,
}

impl House {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let db = Db::create(&DataDir::new(dir.path().join("data")), Clock::on_day(TODAY)).unwrap();
        let house = Self { db, dir };
        house.masters();
        house
    }

    fn masters(&self) {
        let text = include_str!("../../../data/wako.toml");
        let masters: toml::Table = text.parse().unwrap();
        let rows = |name: &str| masters[name].as_array().unwrap().clone();
        self.system(|tx| {
            for centre in rows("centres") {
                tx.insert(
                    "insert into support_centres
                       (code, name, short_name, phone, valid_from, source, unconfirmed)
                     values (?, ?, '', '', '2006-04-01', '', 0)",
                    params![centre["code"].as_str(), centre["name"].as_str()],
                )?;
            }
            for area in rows("areas") {
                tx.insert(
                    "insert into areas (code, name, kana, postal_code, centre_id, valid_from,
                       source, unconfirmed)
                     values (?, ?, '', '', (select id from support_centres where code = ?),
                       '2006-04-01', '', 0)",
                    params![
                        area["code"].as_str(),
                        area["name"].as_str(),
                        area["centre_code"].as_str()
                    ],
                )?;
            }
            Ok(())
        });
    }

    fn system(&self, f: impl FnOnce(&store::WriteTx<'_>) -> Result<(), StoreError>) {
        self.db
            .system(&Actor::system("test"), SystemReason::Import, |tx| {
                f(tx)?;
                Ok::<_, StoreError>(tx.audited(Event::done(Operation::SetUp), ()))
            })
            .unwrap();
    }

    fn options(&self) -> ImportOptions {
        ImportOptions {
            encoding: EncodingChoice::Auto,
            mapping: None,
            today: TODAY,
            reject_dir: self.dir.path().to_owned(),
        }
    }

    fn plan(&self, files: &[PathBuf]) -> Result<Plan, ImportError> {
        plan(&self.db, files, &self.options(), &mut |_| {})
    }

    fn load(&self, files: &[PathBuf]) -> Plan {
        let found = self.plan(files).unwrap();
        let again = self.plan(files).unwrap();
        apply(&self.db, &Actor::system("test"), found, &mut |_| {}).unwrap();
        again
    }

    fn counts(&self, files: &[PathBuf]) -> Counts {
        self.plan(files).unwrap().summary().files.remove(0).counts
    }

    fn number(&self, sql: &str) -> i64 {
        self.db
            .system_read(SystemReason::Import, |tx| tx.count(sql, []))
            .unwrap()
    }

    fn text(&self, sql: &str) -> String {
        let read: Result<Option<String>, StoreError> = self
            .db
            .system_read(SystemReason::Import, |tx| tx.one(sql, [], |row| row.get(0)));
        read.unwrap().unwrap()
    }

    /// Every value of every table that an import writes.
    fn dump(&self) -> Vec<String> {
        const TABLES: &[&str] = &[
            "residents",
            "resident_names",
            "resident_places",
            "household_members",
            "insured_persons",
            "certifications",
            "consultations",
            "consultation_clients",
            "consultation_versions",
            "consultation_categories",
            "consultation_responses",
        ];
        let mut all = Vec::new();
        for table in TABLES {
            let sql = format!("select * from {table} order by 1, 2");
            self.db
                .system_read(SystemReason::Import, |tx| {
                    tx.each(&sql, [], |row| {
                        let mut at = 0;
                        let mut text = (*table).to_owned();
                        while let Ok(value) = row.get::<_, Value>(at) {
                            text.push_str(&format!("|{value:?}"));
                            at += 1;
                        }
                        all.push(text);
                        Ok::<_, StoreError>(())
                    })
                })
                .unwrap();
        }
        all
    }
}

fn town(dir: &Path) -> Summary {
    demo::town::generate(Size::Small, 1, TODAY, &dir.join("town")).unwrap()
}

/// The second delivery: the first four residents die, move, change and leave.
fn second_delivery(first: &Path, dir: &Path) -> PathBuf {
    let text = decode_cp932(&std::fs::read(first).unwrap()).text;
    let mut lines: Vec<Vec<String>> = text
        .lines()
        .map(|line| line.split(',').map(str::to_owned).collect())
        .collect();
    let header = lines[0].clone();
    let at = |name: &str| header.iter().position(|known| known == name).unwrap();
    let living: Vec<usize> = (1..lines.len())
        .filter(|line| lines[*line][at("住民状態")] == "1")
        .take(4)
        .collect();
    let mut set = |person: usize, name: &str, value: &str| {
        value.clone_into(&mut lines[living[person]][at(name)])
    };
    set(0, "住民状態", "3");
    set(0, "死亡日", "5081101");
    set(1, "住所コード", "11229000001");
    set(1, "住所", "埼玉県和光市本町９９番９号");
    set(2, "電話番号", "048-000-0001");
    set(3, "住民状態", "2");
    let text: String = lines.iter().map(|line| line.join(",") + "\r\n").collect();
    let path = dir.join("JUKI_KOJIN_2.csv");
    base::paths::write_atomic(&path, &encode_cp932(&text).unwrap(), 0o600).unwrap();
    path
}

#[test]
fn whom_the_register_no_longer_shields_stays_shielded_until_somebody_confirms() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    let flagged = house.number("select count(*) from residents where shielded = 1");
    assert!(flagged > 0, "nobody is shielded in this town");
    let text = decode_cp932(&std::fs::read(&summary.files[0]).unwrap()).text;
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let flag = header.iter().position(|known| *known == "支援措置フラグ");
    let lifted: String = (0..)
        .zip(text.lines())
        .map(|(number, line)| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if number > 0 {
                cells[flag.unwrap()] = "0";
            }
            cells.join(",") + "\r\n"
        })
        .collect();
    let path = house.dir.path().join("JUKI_KOJIN_2.csv");
    base::paths::write_atomic(&path, &encode_cp932(&lifted).unwrap(), 0o600).unwrap();
    house.load(std::slice::from_ref(&path));
    assert_eq!(
        house.number("select count(*) from residents where shielded = 1"),
        0
    );
    assert_eq!(
        house.number("select count(*) from shields where kind = 'register'"),
        flagged
    );
    let city = Actor {
        scope: store::Scope::City,
        ..Actor::system("test")
    };
    let seen: Result<i64, StoreError> = house.db.read(&city, |tx| {
        tx.count("select count(*) from visible_residents", [])
    });
    let all = house.number("select count(*) from residents");
    assert_eq!(seen.unwrap(), all - flagged);
}

#[test]
fn a_generated_town_loads_completely() {
    let house = House::new();
    let summary = town(house.dir.path());
    let found = house.load(&summary.files);
    assert_eq!(found.rejected(), 0, "{:?}", found.summary());
    let number = |sql: &str| usize::try_from(house.number(sql)).unwrap();
    assert_eq!(
        number("select count(*) from residents where resident_state = '1'"),
        summary.residents
    );
    assert_eq!(
        number("select count(*) from residents where resident_state <> '1'"),
        summary.gone
    );
    let homes =
        "select count(distinct household_no) from household_members where removed_on is null";
    assert_eq!(number(homes), summary.households);
    assert_eq!(
        number("select count(*) from consultations"),
        summary.consultations
    );
    let certified = format!(
        "select count(distinct insured_person_id) from certifications c
         join insured_persons i on i.id = c.insured_person_id
         join residents r on r.id = i.resident_id
         where level in ('12','13','21','22','23','24','25') and resident_state = '1'
           and valid_from <= '{TODAY}' and (valid_to is null or valid_to >= '{TODAY}')"
    );
    assert_eq!(number(&certified), summary.certified);
    assert_eq!(
        house.number("select count(*) from audit_entries where operation = 'import'"),
        5
    );
}

#[test]
fn the_same_files_again_change_nothing() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    let before = house.dump();
    let again = house.plan(&summary.files).unwrap();
    assert_eq!(again.changes(), 0, "{:?}", again.summary());
    for file in again.summary().files {
        assert_eq!(
            (file.counts.unchanged, file.counts.absent),
            (file.counts.read, 0),
            "{}",
            file.file
        );
    }
    apply(&house.db, &Actor::system("test"), again, &mut |_| {}).unwrap();
    assert_eq!(house.dump(), before);
}

#[test]
fn a_second_delivery_tells_who_died_moved_changed_and_left() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    let second = second_delivery(&summary.files[0], house.dir.path());
    let counts = house.counts(std::slice::from_ref(&second));
    assert_eq!(
        (
            counts.died,
            counts.moved,
            counts.changed,
            counts.left,
            counts.new
        ),
        (1, 1, 1, 1, 0)
    );
    let before = house.dump();
    house.load(&[second]);
    assert_ne!(house.dump(), before);
    undo(&house.db, &Actor::system("test")).unwrap();
    assert_eq!(house.dump(), before, "undo gives every value back");
}

#[test]
fn undoing_the_first_delivery_leaves_nothing_behind() {
    let house = House::new();
    let empty = house.dump();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    let undone = undo(&house.db, &Actor::system("test")).unwrap();
    assert_eq!(undone.imports.len(), 5);
    assert_eq!(house.dump(), empty);
    assert!(matches!(
        undo(&house.db, &Actor::system("test")),
        Err(ImportError::NothingToUndo)
    ));
}

#[test]
fn an_import_that_staff_worked_with_is_not_taken_back() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    staff_and_correction(&house, "048-000-0009");
    let before = house.dump();
    let refused = undo(&house.db, &Actor::system("test")).unwrap_err();
    assert!(
        matches!(refused, ImportError::InUse { records: 1 }),
        "{refused:?}"
    );
    assert_eq!(house.dump(), before);
}

/// The third living resident gets a phone number from staff.
fn staff_and_correction(house: &House, phone: &str) {
    house.system(|tx| {
        tx.insert(
            "insert into staff (id, login, name, kana, recorded_at) values (1, 'x', '', '', '')",
            [],
        )?;
        tx.insert(
            "insert into resident_corrections
               (resident_id, field, value, register_value, reason, staff_id, recorded_at)
             select id, 'phone', ?, phone, '', 1, '' from residents
             where resident_state = '1' order by id limit 1 offset 2",
            params![phone],
        )?;
        Ok(())
    });
}

#[test]
fn what_staff_typed_survives_an_import_as_a_conflict() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    staff_and_correction(&house, "048-000-0009");
    house.load(&[second_delivery(&summary.files[0], house.dir.path())]);
    let conflicts = "select count(*) from import_conflicts where register_value = '048-000-0001'";
    assert_eq!(house.number(conflicts), 1);
    let found = "select count(*) from resident_places where phone_digits = '0480000009'";
    assert_eq!(house.number(found), 1, "found by what staff typed");
}

#[test]
fn an_error_in_the_middle_leaves_the_old_state() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files[..1]);
    let found = house.plan(&summary.files).unwrap();
    // The last household of the plan gets in the way: its row exists when the plan inserts it.
    house.system(|tx| {
        tx.execute(
            "insert into household_members (household_no, resident_id, position, relationship_code,
             relationship, is_head, import_id) select '', max(id), 0, '', '', 0, 1 from residents",
            [],
        )?;
        Ok(())
    });
    let before = house.dump();
    let failed = apply(&house.db, &Actor::system("test"), found, &mut |_| {});
    assert!(matches!(failed, Err(ImportError::Store(_))), "{failed:?}");
    assert_eq!(house.dump(), before);
    assert_eq!(house.number("select count(*) from imports"), 1);
}

#[test]
fn a_plan_does_not_outlive_another_import() {
    let house = House::new();
    let summary = town(house.dir.path());
    let old = house.plan(&summary.files).unwrap();
    house.load(&summary.files[..1]);
    let refused = apply(&house.db, &Actor::system("test"), old, &mut |_| {});
    assert!(matches!(refused, Err(ImportError::Stale)));
}

fn dirty(house: &House, name: &str) -> PathBuf {
    let files = demo::dirty::generate(&house.dir.path().join("dirty")).unwrap();
    files.into_iter().find(|path| path.ends_with(name)).unwrap()
}

#[test]
fn files_that_are_no_delivery_are_refused_by_name_of_the_fault() {
    let house = House::new();
    for (name, expected) in [
        ("zero_bytes.csv", FileProblem::Empty),
        (
            "missing_column.csv",
            FileProblem::MissingColumn("生年月日".into()),
        ),
        (
            "wrong_column.csv",
            FileProblem::MissingColumn("生年月日".into()),
        ),
        ("endless_line.csv", FileProblem::LineTooLong(2)),
    ] {
        match house.plan(&[dirty(&house, name)]) {
            Err(ImportError::File { problem, path }) => {
                assert_eq!(problem, expected);
                let report = ImportError::File { problem, path }.report();
                assert_eq!(report.exit_code(), 2, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn each_bad_row_is_loaded_with_a_warning_or_refused() {
    let house = House::new();
    for (name, loaded, rejected, detector) in [
        ("duplicate_keys.csv", 1, 1, "D04"),
        ("nul.csv", 1, 1, "D14"),
        ("heisei_31_5_1.csv", 2, 0, "D07"),
        ("showa_64_2_30.csv", 1, 1, "D07"),
        ("nines_as_birth.csv", 1, 1, "D07"),
        ("extra_columns.csv", 1, 1, "D24"),
        ("dead_before_birth.csv", 1, 1, "D10"),
        ("mixed_encodings.csv", 2, 0, "D19"),
        ("truncated_text.csv", 2, 0, "D15"),
        ("two_heads.csv", 0, 2, "D03"),
    ] {
        let file = house
            .plan(&[dirty(&house, name)])
            .unwrap()
            .summary()
            .files
            .remove(0);
        assert_eq!(
            (file.counts.loaded, file.counts.rejected),
            (loaded, rejected),
            "{name}"
        );
        assert!(
            file.findings.contains_key(detector),
            "{name}: {:?}",
            file.findings
        );
        assert_eq!(file.rejects_file.is_some(), rejected > 0, "{name}");
    }
}

#[test]
fn a_my_number_in_a_text_is_reported_without_being_told() {
    let house = House::new();
    let summary = town(house.dir.path());
    let text = decode_cp932(&std::fs::read(&summary.files[0]).unwrap()).text;
    let mut lines: Vec<&str> = text.lines().take(2).collect();
    let header: Vec<&str> = lines[0].split(',').collect();
    let place = header.iter().position(|known| *known == "方書").unwrap();
    let mut cells: Vec<&str> = lines[1].split(',').collect();
    cells[place] = "みどり荘 123456789018";
    let row = cells.join(",");
    lines[1] = &row;
    let path = house.dir.path().join("JUKI_KOJIN_3.csv");
    let bytes = encode_cp932(&(lines.join("\r\n") + "\r\n")).unwrap();
    base::paths::write_atomic(&path, &bytes, 0o600).unwrap();
    let file = house.plan(&[path]).unwrap().summary().files.remove(0);
    assert_eq!(file.findings.get("D25"), Some(&1), "{:?}", file.findings);
    let list = std::fs::read(file.warnings_file.clone().unwrap()).unwrap();
    assert!(!String::from_utf8_lossy(&list).contains("123456789018"));
}

#[test]
fn a_second_head_of_a_household_is_loaded_with_a_warning() {
    let house = House::new();
    house.load(&[dirty(&house, "heisei_31_5_1.csv")]);
    let file = house
        .plan(&[dirty(&house, "two_heads.csv")])
        .unwrap()
        .summary()
        .files
        .remove(0);
    assert_eq!(
        (file.feed, file.counts.loaded, file.counts.warned),
        (Feed::Households, 2, 1)
    );
    assert_eq!(file.findings.get("D04"), Some(&1));
}

#[test]
fn the_list_of_refused_rows_opens_in_excel_and_only_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let house = House::new();
    let file = house
        .plan(&[dirty(&house, "showa_64_2_30.csv")])
        .unwrap()
        .summary()
        .files
        .remove(0);
    let path = file.rejects_file.unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let expected = "\u{FEFF}行,列,検出,理由,提案\r\n3,生年月日,D07,その日付はありません,";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_mapping_from_outside_may_rename_a_header() {
    let house = House::new();
    let shipped = include_str!("../../../data/import/residents.toml");
    let mapping = house.dir.path().join("own.toml");
    let own = shipped.replace("headers = [\"生年月日\"]", "headers = [\"生年月曰\"]");
    base::paths::write_atomic(&mapping, own.as_bytes(), 0o600).unwrap();
    let options = ImportOptions {
        mapping: Some(mapping),
        ..house.options()
    };
    let files = [dirty(&house, "wrong_column.csv")];
    let found = plan(&house.db, &files, &options, &mut |_| {}).unwrap();
    assert_eq!(found.summary().files.remove(0).counts.loaded, 1);
}

#[test]
fn columns_that_a_file_lacks_keep_what_is_stored() {
    let house = House::new();
    let path = house.dir.path().join("full.csv");
    let full = "宛名番号,氏名,生年月日,性別,住民状態,世帯番号,住所,電話番号\n\
                0090000001,架空　花子,3120304,2,1,0095000001,和光市本町1-1,048-000-0001\n";
    base::paths::write_atomic(&path, full.as_bytes(), 0o600).unwrap();
    house.load(std::slice::from_ref(&path));
    let partial = "宛名番号,氏名,生年月日,性別,住民状態,世帯番号,住所\n\
                   0090000001,架空　花子,3120304,2,1,0095000001,和光市本町1-1\n";
    base::paths::write_atomic(&path, partial.as_bytes(), 0o600).unwrap();
    assert_eq!(house.counts(&[path]).unchanged, 1);
}

#[test]
fn whoever_moves_to_another_centre_is_handed_over_until_the_import_is_taken_back() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    assert_eq!(house.number("select count(*) from centre_transfers"), 0);
    let second = second_delivery(&summary.files[0], house.dir.path());
    house.load(&[second]);
    let moved = "select count(*) from centre_transfers t
        join residents r on r.id = t.resident_id and r.centre_id = t.to_centre_id
        join imports i on i.id = t.import_id
        where t.from_centre_id <> t.to_centre_id and t.cause = 'register'
          and t.effective_on = '2026-11-20' and t.readable_until = '2027-05-20'";
    assert_eq!(house.number(moved), 1);
    let told = "select count(*) from audit_entries
        where operation = 'import' and detail like '% transferred=1'";
    assert_eq!(house.number(told), 1);
    undo(&house.db, &Actor::system("test")).unwrap();
    let ended = "select count(*) from transfer_endings e join centre_transfers t
        on t.id = e.transfer_id join residents r on r.id = t.resident_id
        where r.centre_id = t.from_centre_id";
    assert_eq!(house.number(ended), 1);
}

#[test]
fn whoever_comes_back_into_an_area_that_changed_goes_to_its_new_centre() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    let second = second_delivery(&summary.files[0], house.dir.path());
    house.load(&[second]);
    let code = house.text(
        "select json_extract(c.before, '$.area_code') from resident_changes c
        where c.kind = 'moved'",
    );
    house.system(|tx| {
        tx.execute(
            "update areas set centre_id = centre_id % 5 + 1 where code = ?1",
            params![code],
        )?;
        Ok(())
    });
    undo(&house.db, &Actor::system("test")).unwrap();
    let there = "select count(*) from residents r join resident_changes c on c.resident_id = r.id
        join areas a on a.code = r.area_code
        where c.kind = 'moved' and r.centre_id = a.centre_id";
    assert_eq!(house.number(there), 1);
    let handed = "select count(*) from centre_transfers t
        join residents r on r.id = t.resident_id and r.centre_id = t.to_centre_id
        join resident_changes c on c.resident_id = r.id and c.kind = 'moved'
        where t.cause = 'area'
          and not exists (select 1 from transfer_endings e where e.transfer_id = t.id)";
    assert_eq!(house.number(handed), 1);
}

/// What disposal leaves of somebody (retention/kinds.rs), in short.
const DISPOSE: [&str; 9] = [
    "delete from resident_changes where resident_id = ?1",
    "delete from certifications where insured_person_id in
       (select id from insured_persons where resident_id = ?1)",
    "delete from insured_persons where resident_id = ?1",
    "delete from household_members where resident_id = ?1",
    "delete from resident_names where resident_id = ?1",
    "delete from resident_places where resident_id = ?1",
    "delete from consultation_clients where resident_id = ?1",
    "delete from import_conflicts where resident_id = ?1",
    "update residents set resident_state = '0', name = '', kana = '', address = '',
       household_no = '', born_on = '', died_on = null, shielded = 0 where id = ?1",
];

#[test]
fn whoever_was_disposed_of_is_not_delivered_back_unless_she_lives_here_again() {
    let house = House::new();
    let summary = town(house.dir.path());
    house.load(&summary.files);
    let pick = |state: &str| {
        house.number(&format!(
            "select min(i.resident_id) from insured_persons i
             join residents r on r.id = i.resident_id and r.resident_state {state}
             join certifications c on c.insured_person_id = i.id"
        ))
    };
    let (gone, back) = (pick("<> '1'"), pick("= '1'"));
    house.system(|tx| {
        for statement in DISPOSE {
            tx.execute(statement, params![gone])?;
        }
        Ok(())
    });
    let before = house.dump();
    let found = house.plan(&summary.files).unwrap();
    assert_eq!(found.rejected(), 0, "{:?}", found.summary());
    for file in found.summary().files {
        let counts = file.counts;
        let touched = (counts.new, counts.changed, counts.moved, counts.absent);
        assert_eq!(touched, (0, 0, 0, 0), "{:?}", file.feed);
        assert_eq!(counts.read, counts.loaded, "{:?}", file.feed);
    }
    apply(&house.db, &Actor::system("test"), found, &mut |_| {}).unwrap();
    let rows = |dump: &[String]| dump.len();
    assert_eq!(rows(&house.dump()), rows(&before));
    let name = |id: i64| house.text(&format!("select name from residents where id = {id}"));
    assert_eq!(name(gone), "");

    house.system(|tx| {
        for statement in DISPOSE {
            tx.execute(statement, params![back])?;
        }
        Ok(())
    });
    assert_eq!(name(back), "");
    let found = house.plan(&summary.files).unwrap();
    apply(&house.db, &Actor::system("test"), found, &mut |_| {}).unwrap();
    assert_ne!(name(back), "");
    let of = |table: &str| {
        house.number(&format!(
            "select count(*) from {table} where resident_id = {back}"
        ))
    };
    assert!(of("insured_persons") > 0 && of("resident_names") > 0);
    assert_eq!(name(gone), "", "the other one stays forgotten");
}
