//! What staff type where the register is wrong.

use axum::http::StatusCode;
use jiff::civil::date;
use store::Actor;

use super::{Clerk, ELSEWHERE, HERE, House, Page};
use crate::features::imports::{self, EncodingChoice, ImportOptions};
use crate::web::Role;

const FORM: &str = "/residents/1/corrections/new?field=phone";
const SAVE: &str = "/residents/1/corrections";
const ROWS: &str = "select count(*) from resident_corrections";
const ENDINGS: &str = "select count(*) from resident_correction_endings";

fn save(clerk: &Clerk, state: &str, field: &str, value: &str, reason: &str) -> Page {
    let fields = [
        ("field", field),
        ("state", state),
        ("value", value),
        ("reason", reason),
    ];
    clerk.post(SAVE, &fields)
}

/// Opens the form and saves.
fn correct(clerk: &Clerk, field: &str, value: &str) -> Page {
    let form = clerk.get(&format!("/residents/1/corrections/new?field={field}"));
    save(clerk, &form.input("state"), field, value, "本人から聞いた")
}

#[test]
fn a_correction_wins_on_screen_and_the_register_stands_beside_it() {
    let house = House::new();
    let clerk = house.nurse();
    for (field, value) in [
        ("phone", "０９０－１１１１－２２２２"),
        ("kana", "やまの はるよ"),
        ("address", "本町9-9 新しい荘101"),
    ] {
        let saved = correct(&clerk, field, value);
        assert_eq!(saved.location(), "/residents/1?done=corrected", "{field}");
    }
    let page = clerk.person(1);
    page.says(&[
        "090-1111-2222",
        "住民記録：048-461-0001（職員nurse R8.11.20",
        "ヤマノ　ハルヨ",
        "住民記録：ヤマノ　ハルコ",
        "本町9-9 新しい荘101",
        "住民記録：埼玉県和光市本町1番1号 さくら荘1",
        "理由：本人から聞いた",
    ]);
    let kept = "select count(*) from resident_corrections
        where (field = 'phone' and value = '09011112222' and register_value = '0484610001')
           or (field = 'kana' and register_value = 'ヤマノ　ハルコ')
           or (field = 'address' and register_value = '埼玉県和光市本町1番1号')";
    assert_eq!(house.count(kept), 3);
    let untouched = "select count(*) from residents where id = 1 and phone = '0484610001'";
    assert_eq!(house.count(untouched), 1, "the register is the city's");
}

#[test]
fn whoever_is_corrected_is_found_by_the_new_value() {
    let house = House::new();
    let clerk = house.nurse();
    correct(&clerk, "phone", "090-1111-2222");
    correct(&clerk, "kana", "ヤマノ　ハルヨ");
    let phone = "select count(*) from resident_places
        where resident_id = 1 and phone_digits = '09011112222'";
    assert_eq!(house.count(phone), 1);
    let kana = "select count(*) from resident_names
        where resident_id = 1 and kind = 'correction' and kana_key = 'ヤマノハルヨ'";
    assert_eq!(house.count(kana), 1);
    let register =
        "select count(*) from resident_names where resident_id = 1 and kind = 'register'";
    assert_eq!(house.count(register), 1, "the old name still finds her");
}

#[test]
fn what_cannot_be_saved_comes_back_with_its_words() {
    let house = House::new();
    let clerk = house.nurse();
    let state = clerk.get(FORM).input("state");
    for (value, reason, words) in [
        ("", "本人から", "正しい電話番号を入力してください"),
        ("12-34", "本人から", "10桁か11桁"),
        ("1234 5678 9018", "本人から", "マイナンバー"),
        ("090-1111-2222", "", "訂正の理由を入力してください"),
        ("090-1111-2222", "個人番号123456789018", "マイナンバー"),
        ("048 461 0001", "本人から", "いまの値と同じです"),
    ] {
        let page = save(&clerk, &state, "phone", value, reason);
        assert_eq!(
            page.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{value} {reason}"
        );
        page.says(&[words, "href=\"#", &format!("value=\"{value}\"")]);
    }
    assert_eq!(house.count(ROWS), 0);
}

#[test]
fn only_what_can_take_effect_is_offered() {
    let house = House::new();
    let clerk = house.nurse();
    for field in ["centre", "name", ""] {
        let form = clerk.get(&format!("/residents/1/corrections/new?field={field}"));
        assert_eq!(form.status, StatusCode::NOT_FOUND, "{field}");
        let saved = save(&clerk, "", field, "2", "異動");
        assert_eq!(saved.status, StatusCode::NOT_FOUND, "{field}");
    }
    assert_eq!(house.count(ROWS), 0);
}

#[test]
fn the_same_form_sent_twice_is_one_correction() {
    let house = House::new();
    let clerk = house.nurse();
    let state = clerk.get(FORM).input("state");
    let first = save(&clerk, &state, "phone", "090-1111-2222", "本人から");
    let second = save(&clerk, &state, "phone", "090-1111-2222", "本人から");
    assert_eq!(first.location(), "/residents/1?done=corrected");
    assert_eq!(second.location(), "/residents/1?done=again");
    assert_eq!(house.count(ROWS), 1);
}

#[test]
fn whoever_saves_second_is_shown_both_values_and_nothing_is_lost() {
    let house = House::new();
    let (one, two) = (
        house.nurse(),
        house.clerk("second", Role::Clerk, Some(HERE)),
    );
    let state = one.get(FORM).input("state");
    save(&one, &state, "phone", "090-1111-2222", "本人から");
    let late = save(&two, &state, "phone", "090-3333-4444", "娘から");
    assert_eq!(late.status, StatusCode::CONFLICT);
    late.says(&[
        "職員nurseさんが",
        "090-1111-2222",
        "090-3333-4444",
        "娘から",
    ]);
    assert_eq!(house.count(ROWS), 1);
    let again = save(
        &two,
        &late.input("state"),
        "phone",
        "090-3333-4444",
        "娘から",
    );
    assert_eq!(again.location(), "/residents/1?done=corrected");
    assert_eq!(house.count(ROWS), 2);
    assert_eq!(house.count(ENDINGS), 1, "only one correction holds");
    let page = one.get(FORM);
    page.says(&["これまでの訂正", "090-1111-2222", "新しい訂正に置き換え"]);
}

#[test]
fn of_two_who_save_in_the_same_moment_one_is_told() {
    let house = House::new();
    let (one, two) = (
        house.nurse(),
        house.clerk("second", Role::Clerk, Some(HERE)),
    );
    let state = one.get(FORM).input("state");
    let mut answers = std::thread::scope(|threads| {
        let first = threads.spawn(|| save(&one, &state, "phone", "090-1111-2222", "本人から"));
        let second = threads.spawn(|| save(&two, &state, "phone", "090-3333-4444", "娘から"));
        [first, second].map(|thread| thread.join().unwrap().status.as_u16())
    });
    answers.sort_unstable();
    assert_eq!(answers, [303, 409]);
    assert_eq!((house.count(ROWS), house.count(ENDINGS)), (1, 0));
}

#[test]
fn a_register_that_changed_since_the_form_was_opened_is_told() {
    let house = House::new();
    let clerk = house.nurse();
    let state = clerk.get(FORM).input("state");
    house.run("update residents set phone = '0484617777' where id = 1", []);
    let late = save(&clerk, &state, "phone", "090-1111-2222", "本人から");
    assert_eq!(late.status, StatusCode::CONFLICT);
    late.says(&["住民記録が変わりました", "048-461-7777"]);
}

#[test]
fn ending_a_correction_brings_the_register_back_and_needs_a_reason() {
    let house = House::new();
    let clerk = house.nurse();
    correct(&clerk, "phone", "090-1111-2222");
    let end = "/residents/1/corrections/1/ending";
    let empty = clerk.post(end, &[("ending_reason", " ")]);
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    empty.says(&["終える理由を入力してください", "href=\"#ending_reason\""]);
    let reason = [("ending_reason", "住民記録が直った")];
    assert_eq!(
        clerk.post(end, &reason).location(),
        "/residents/1?done=ended"
    );
    assert_eq!(
        clerk.post(end, &reason).location(),
        "/residents/1?done=again"
    );
    let other = clerk.post(end, &[("ending_reason", "別の理由")]);
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert_eq!(house.count(ENDINGS), 1);
    let key = "select count(*) from resident_places
        where resident_id = 1 and phone_digits = '0484610001'";
    assert_eq!(house.count(key), 1);
    let page = clerk.person(1);
    page.hides(&["住民記録：048-461-0001（職員"]);
    page.says(&["電話番号の訂正を終了", "理由：住民記録が直った"]);
}

#[test]
fn typing_what_the_register_says_is_an_ending() {
    let house = House::new();
    let clerk = house.nurse();
    correct(&clerk, "phone", "090-1111-2222");
    let page = correct(&clerk, "phone", "048-461-0001");
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.says(&["住民記録の値と同じです"]);
}

#[test]
fn outside_the_scope_nothing_can_be_corrected_or_ended() {
    let house = House::new();
    correct(&house.nurse(), "phone", "090-1111-2222");
    let other = house.clerk("other", Role::Nurse, Some(ELSEWHERE));
    assert_eq!(other.get(FORM).status, StatusCode::NOT_FOUND);
    let saved = save(&other, "", "phone", "090-3333-4444", "娘から");
    assert_eq!(saved.status, StatusCode::NOT_FOUND);
    let reason = [("ending_reason", "間違い")];
    let ended = other.post("/residents/1/corrections/1/ending", &reason);
    assert_eq!(ended.status, StatusCode::NOT_FOUND);
    let stranger = house.nurse_elsewhere_ends();
    assert_eq!(stranger, StatusCode::NOT_FOUND);
    assert_eq!((house.count(ROWS), house.count(ENDINGS)), (1, 0));
    let tried = "select count(*) from audit_entries where outcome = 'refused' and resident_id = 1";
    assert_eq!(house.count(tried), 3);
}

impl House {
    /// A visible person's address with another person's correction.
    fn nurse_elsewhere_ends(&self) -> StatusCode {
        let clerk = self.clerk("mixed", Role::Nurse, Some(HERE));
        let reason = [("ending_reason", "間違い")];
        let page = clerk.post("/residents/4/corrections/1/ending", &reason);
        page.status
    }
}

#[test]
fn every_step_leaves_its_entry_without_a_value() {
    let house = House::new();
    let clerk = house.nurse();
    correct(&clerk, "phone", "090-1111-2222");
    correct(&clerk, "phone", "090-3333-4444");
    clerk.post(
        "/residents/1/corrections/2/ending",
        &[("ending_reason", "住民記録が直った")],
    );
    assert_eq!(
        house.entries(),
        [
            "resident_view done 1 form=phone",
            "resident_correct done 1 phone",
            "resident_view done 1 form=phone",
            "resident_correct done 1 phone",
            "resident_correction_end done 1 phone",
            "resident_correction_end done 1 phone",
        ]
    );
}

#[test]
fn a_refused_form_shows_the_person_and_so_leaves_an_entry() {
    let house = House::new();
    let clerk = house.nurse();
    let empty = save(&clerk, "", "phone", "", "");
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let stale = save(&clerk, "", "phone", "090-1111-2222", "本人から");
    assert_eq!(stale.status, StatusCode::CONFLICT);
    assert_eq!(
        house.entries(),
        [
            "resident_view done 1 form=phone",
            "resident_correct refused 1 phone"
        ]
    );
}

#[test]
fn markup_in_a_correction_stays_text() {
    let house = House::new();
    let clerk = house.nurse();
    correct(&clerk, "address", "<script>alert(1)</script>");
    clerk.person(1).hides(&["<script>alert"]);
    let form = clerk.get("/residents/1/corrections/new?field=address");
    form.hides(&["<script>alert"]);
    form.says(&["&#60;script&#62;alert"]);
}

/// The city delivers the person again, with this telephone number.
fn deliver(house: &House, phone: &str) {
    let text = format!(
        "宛名番号,氏名,氏名カナ,生年月日,性別,住民種別,住民状態,郵便番号,住所コード,住所,方書,\
         電話番号,世帯番号,支援措置フラグ\r\n\
         0000001001,山野 ハル子,ヤマノ　ハルコ,3120304,2,1,1,3510114,11229000001,\
         埼玉県和光市本町1番1号,さくら荘1,{phone},0000000101,0\r\n"
    );
    let path = house.dir.path().join("JUKI_KOJIN.csv");
    base::paths::write_atomic(&path, text.as_bytes(), 0o600).unwrap();
    let options = ImportOptions {
        encoding: EncodingChoice::Auto,
        mapping: None,
        today: date(2026, 11, 20),
        reject_dir: house.dir.path().to_owned(),
    };
    let db = house.app.db();
    let plan = imports::plan(db, &[path], &options, &mut |_| {}).unwrap();
    assert_eq!(plan.rejected(), 0, "{:?}", plan.summary());
    imports::apply(db, &Actor::system("test"), plan, &mut |_| {}).unwrap();
}

#[test]
fn a_later_delivery_that_says_something_else_is_listed_and_the_correction_stays() {
    let house = House::new();
    let clerk = house.nurse();
    correct(&clerk, "phone", "090-1111-2222");
    deliver(&house, "048-461-7777");
    let page = clerk.person(1);
    page.says(&[
        "職員の訂正と住民記録が食い違っています（1件）",
        "090-1111-2222",
        "住民記録：048-461-7777",
    ]);
    clerk.get("/changes").says(&["09011112222", "048-461-7777"]);
    clerk.get("/").says(&["食い違いの判断"]);
    let key = "select count(*) from resident_places
        where resident_id = 1 and phone_digits = '09011112222'";
    assert_eq!(
        house.count(key),
        1,
        "an import keeps the corrected search key"
    );
    let end = "/residents/1/corrections/1/ending";
    clerk.post(end, &[("ending_reason", "住民記録が直った")]);
    clerk.person(1).hides(&["食い違っています"]);
    clerk.get("/").hides(&["食い違いの判断"]);
}

#[test]
fn a_later_delivery_that_agrees_is_no_conflict() {
    let house = House::new();
    let clerk = house.nurse();
    correct(&clerk, "phone", "090-1111-2222");
    deliver(&house, "090-1111-2222");
    clerk.person(1).hides(&["食い違っています"]);
}
