//! Every written form, both ways, and the days at which eras and ages change.

use super::*;
use jiff::ToSpan as _;
use jiff::civil::date;
use proptest::prelude::*;

fn read(text: &str) -> Date {
    let parsed = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
    assert_eq!(parsed.warning, None, "{text}");
    parsed.date.full().unwrap()
}

#[test]
fn one_day_is_read_in_every_form_people_and_files_use() {
    for text in [
        "S12.3.4",
        "s12/3/4",
        "S12-3-4",
        "昭12.3.4",
        "昭12/3/4",
        "昭和12年3月4日",
        "㍼12年3月4日",
        "昭和十二年三月四日",
        "昭和一二年三月四日",
        "3120304",
        "3-12-03-04",
        "3/12/3/4",
        "19370304",
        "1937/3/4",
        "1937-03-04",
        "1937.3.4",
        "1937年3月4日",
        "西暦1937年3月4日",
        "一九三七年三月四日",
        "S12. 3. 4",
        " S 12.3.4 ",
        "昭和 12 年 3 月 4 日",
        "Ｓ１２．３．４",
        "昭和１２年３月４日",
        "１９３７／３／４",
        "S12・3・4",
        "S12 3 4",
        "S120304",
        "昭和12年3月4日生",
        "昭和12年3月4日(木)",
        "昭和12年3月4日（木）",
        "1937-03-04T10:30:00",
        "1937/03/04 0:00:00",
        "1937-03-04 10:30:00.000",
        "S12.3.4 9:05",
        "昭和12年3月4日10時30分",
        "19370304 10:30",
        "昭和12年3月4日 午後3時",
        "1937-03-04T10:30:00+09:00",
        "昭和拾弐年参月四日",
        "1937−3−4",
    ] {
        assert_eq!(read(text), date(1937, 3, 4), "{text}");
    }
}

#[test]
fn the_vectors_of_the_rule_hold() {
    for (text, day) in [
        ("3120304", date(1937, 3, 4)),
        ("4010108", date(1989, 1, 8)),
        ("3640107", date(1989, 1, 7)),
        ("4310430", date(2019, 4, 30)),
        ("R1.5.1", date(2019, 5, 1)),
        ("5010501", date(2019, 5, 1)),
        ("R元.5.1", date(2019, 5, 1)),
        ("㋿元年5月1日", date(2019, 5, 1)),
        ("T15.12.25", date(1926, 12, 25)),
        ("昭和元年12月31日", date(1926, 12, 31)),
        ("昭和元年12月25日", date(1926, 12, 25)),
        ("M45.7.30", date(1912, 7, 30)),
        ("T1.7.30", date(1912, 7, 30)),
        ("㍾6.1.1", date(1873, 1, 1)),
        ("H1.1.8", date(1989, 1, 8)),
        ("R8.4.1", date(2026, 4, 1)),
        ("S63.2.29", date(1988, 2, 29)),
    ] {
        assert_eq!(read(text), day, "{text}");
    }
}

#[test]
fn a_date_in_the_wrong_era_is_converted_with_a_warning() {
    use DateWarning::{BeforeEraStart, EraOverflow};
    for (text, iso, warning) in [
        ("S64.1.8", "1989-01-08", EraOverflow),
        ("昭和100年1月1日", "2025-01-01", EraOverflow),
        ("H31.5.1", "2019-05-01", EraOverflow),
        ("4320101", "2020-01-01", EraOverflow),
        ("平成32年", "2020", EraOverflow),
        ("M45.7.31", "1912-07-31", EraOverflow),
        ("T15.12.26", "1926-12-26", EraOverflow),
        ("平成元年1月7日", "1989-01-07", BeforeEraStart),
        ("S1.12.24", "1926-12-24", BeforeEraStart),
        ("R1.4.30", "2019-04-30", BeforeEraStart),
        ("令和元年4月", "2019-04", BeforeEraStart),
    ] {
        let parsed = parse(text).unwrap();
        assert_eq!(
            (parsed.date.iso().as_str(), parsed.warning),
            (iso, Some(warning)),
            "{text}"
        );
    }
}

#[test]
fn what_is_not_known_stays_unknown() {
    for (text, iso) in [
        ("昭和12年不詳", "1937"),
        ("昭和12年月日不詳", "1937"),
        ("昭和12年", "1937"),
        ("S12", "1937"),
        ("昭和12年頃", "1937"),
        ("昭和12年3月不詳", "1937-03"),
        ("昭和12年3月日不詳", "1937-03"),
        ("昭和12年3月", "1937-03"),
        ("S12.3", "1937-03"),
        ("S12.03.00", "1937-03"),
        ("S12.00.00", "1937"),
        ("3120300", "1937-03"),
        ("3120000", "1937"),
        ("1937-00-00", "1937"),
        ("19370300", "1937-03"),
        ("昭和12年不詳月不詳日", "1937"),
        ("1937年", "1937"),
        ("平成元年", "1989"),
        ("昭和64年", "1989"),
        ("昭和12年3月?日", "1937-03"),
    ] {
        let parsed = parse(text).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!(
            (parsed.date.iso().as_str(), parsed.warning),
            (iso, None),
            "{text}"
        );
    }
}

#[test]
fn what_is_no_date_is_refused_with_its_reason() {
    use DateProblem::{Ambiguous, Empty, Impossible, NullToken, OutOfRange, Unreadable};
    for (text, problem) in [
        ("H元.2.29", Impossible),
        ("S12.2.30", Impossible),
        ("S12.13.1", Impossible),
        ("S12.0.4", Impossible),
        ("1937-00-04", Impossible),
        ("S0.1.1", Impossible),
        ("3000101", Impossible),
        ("370304", Ambiguous),
        ("120304", Ambiguous),
        ("13578", Ambiguous),
        ("1937", Ambiguous),
        ("12.3.4", Ambiguous),
        ("", Empty),
        ("　", Empty),
        ("S", Unreadable),
        ("昭和", Unreadable),
        ("9120304", Unreadable),
        ("6010101", Unreadable),
        ("山田", Unreadable),
        ("S12.3.4.5", Unreadable),
        ("S12.3.4 25:00", Unreadable),
        ("昭和12年3月4日から", Unreadable),
        ("1937-03-04T20:00:00Z", Unreadable),
        ("1872-12-31", OutOfRange),
        ("明治5年12月2日", OutOfRange),
        ("18991231x", Unreadable),
        ("2200-01-01", OutOfRange),
        ("0", NullToken),
        ("0000000", NullToken),
        ("00000000", NullToken),
        ("9999999", NullToken),
        ("99999999", NullToken),
        ("5999999", NullToken),
        ("5991231", NullToken),
        ("9999/12/31", NullToken),
        ("9999-12-31 00:00:00", NullToken),
        ("0000-00-00", NullToken),
        ("5-99-12-31", NullToken),
        ("０", NullToken),
    ] {
        assert_eq!(parse(text), Err(problem), "{text}");
    }
}

#[test]
fn no_date_means_what_the_column_says() {
    for text in ["", "0", "00000000", "99999999", "9999/12/31"] {
        assert_eq!(parse_cell(text, NullMeaning::Unknown), Ok(Cell::Unknown));
        assert_eq!(parse_cell(text, NullMeaning::Absent), Ok(Cell::Absent));
        assert_eq!(parse_cell(text, NullMeaning::OpenEnd), Ok(Cell::OpenEnd));
        assert_eq!(
            parse_cell(text, NullMeaning::Forbidden),
            Err(DateProblem::Required)
        );
    }
    assert!(matches!(
        parse_cell("R8.4.1", NullMeaning::Forbidden),
        Ok(Cell::Date(_))
    ));
    assert_eq!(
        parse_cell("x", NullMeaning::OpenEnd),
        Err(DateProblem::Unreadable)
    );
}

#[test]
fn a_serial_number_is_read_only_when_asked_for() {
    assert_eq!(from_excel_serial(13578), Ok(date(1937, 3, 4)));
    assert_eq!(from_excel_serial(61), Ok(date(1900, 3, 1)));
    assert_eq!(from_excel_serial(109_574), Ok(date(2199, 12, 31)));
    assert_eq!(from_excel_serial(109_575), Err(DateProblem::OutOfRange));
    assert_eq!(from_excel_serial(60), Err(DateProblem::OutOfRange));
    assert_eq!(from_excel_serial(u32::MAX), Err(DateProblem::OutOfRange));
}

#[test]
fn a_shared_day_is_printed_in_the_later_era_and_the_first_year_as_gannen() {
    let printed = |y, m, d| Wareki::from_date(date(y, m, d)).unwrap().long();
    assert_eq!(printed(1926, 12, 25), "昭和元年12月25日");
    assert_eq!(printed(1912, 7, 30), "大正元年7月30日");
    assert_eq!(printed(1989, 1, 7), "昭和64年1月7日");
    assert_eq!(printed(2019, 4, 30), "平成31年4月30日");
    let day = Wareki::from_date(date(2019, 5, 1)).unwrap();
    assert_eq!(
        [day.long(), day.short(), day.short_kanji(), day.code()],
        ["令和元年5月1日", "R1.5.1", "令1.5.1", "5010501"]
    );
    assert_eq!(Wareki::from_date(date(1872, 12, 31)), Err(OutOfRange));
    assert_eq!(long_month(date(2019, 5, 9)).unwrap(), "令和元年5月");
}

#[test]
fn an_incomplete_date_prints_what_is_unknown() {
    let printed = |y, m, d| PartialDate::new(y, m, d).unwrap().long().unwrap();
    assert_eq!(printed(1937, None, None), "昭和12年月日不詳");
    assert_eq!(printed(1937, Some(3), None), "昭和12年3月日不詳");
    assert_eq!(printed(1937, Some(3), Some(4)), "昭和12年3月4日");
    assert_eq!(PartialDate::new(1937, None, Some(4)), None);
    assert_eq!(PartialDate::new(1937, Some(2), Some(29)), None);
}

#[test]
fn an_incomplete_date_sorts_as_its_first_day_and_is_stored_as_text() {
    for iso in ["1937", "1937-03", "1937-03-04"] {
        assert_eq!(PartialDate::from_iso(iso).unwrap().iso(), iso);
    }
    for text in [
        "",
        "1937-",
        "1937-3",
        "1937-03-04-05",
        "1937-13",
        "1937-02-29",
        "+937",
        "1937-x1",
    ] {
        assert_eq!(PartialDate::from_iso(text), None, "{text}");
    }
    let month = PartialDate::from_iso("1940-02").unwrap();
    assert_eq!(
        (month.sort_date(), month.last_date()),
        (date(1940, 2, 1), date(1940, 2, 29))
    );
    assert_eq!(month.full(), None);
}

#[test]
fn the_law_reaches_an_age_on_the_day_before_the_birthday() {
    for (birth, years, reached) in [
        (date(1961, 4, 1), 65, date(2026, 3, 31)),
        (date(1961, 3, 1), 65, date(2026, 2, 28)),
        (date(1963, 3, 1), 65, date(2028, 2, 29)),
        (date(1960, 2, 29), 65, date(2025, 2, 28)),
        (date(1960, 2, 29), 68, date(2028, 2, 28)),
        (date(1961, 1, 1), 65, date(2025, 12, 31)),
        (date(1961, 1, 1), u16::MAX, Date::MAX),
    ] {
        assert_eq!(legal_age_reached_on(birth, years), reached, "{birth}");
    }
}

#[test]
fn the_age_people_say_changes_on_the_birthday() {
    let birth = date(1961, 4, 1);
    assert_eq!(age_on(birth, date(2026, 3, 31)), Some(64));
    assert_eq!(age_on(birth, date(2026, 4, 1)), Some(65));
    assert_eq!(age_on(birth, birth), Some(0));
    assert_eq!(age_on(birth, date(1961, 3, 31)), None);
    assert_eq!(age_on(date(1960, 2, 29), date(2025, 2, 28)), Some(64));
    assert_eq!(age_on(date(1960, 2, 29), date(2025, 3, 1)), Some(65));
}

#[test]
fn the_table_of_eras_is_in_order_and_tells_every_name() {
    for pair in ERAS.windows(2) {
        assert!(pair[0].first_day() < pair[1].first_day() && pair[0].last_day().is_some());
    }
    let showa = Era::from_letter('s').unwrap();
    assert_eq!(
        (showa.code(), showa.name(), showa.initial()),
        (3, "昭和", '昭')
    );
    assert_eq!(Era::from_code(3), Some(showa));
    assert_eq!(Era::from_code(6), None);
}

/// Every way this product and its neighbours write a whole date.
fn forms(day: Date) -> Vec<String> {
    let w = Wareki::from_date(day).unwrap();
    let (y, m, d) = (day.year(), day.month(), day.day());
    let full = |text: &str| -> String {
        text.chars()
            .map(|c| match c {
                '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
                c => c,
            })
            .collect()
    };
    let mut all = vec![
        w.long(),
        w.short(),
        w.short_kanji(),
        w.code(),
        full(&w.long()),
        full(&w.short()),
        w.short().to_lowercase(),
        w.short().replace('.', "/"),
        w.short().replace('.', ". "),
        format!("{}-{:02}-{m:02}-{d:02}", w.era().code(), w.year()),
        format!("{y:04}{m:02}{d:02}"),
        format!("{y}/{m}/{d}"),
        day.to_string(),
        format!("{y}年{m}月{d}日"),
        format!("{day} 23:59:59"),
        full(&day.to_string()),
    ];
    // NFKC knows the square forms, so they need no table of their own.
    let square = ['㍾', '㍽', '㍼', '㍻', '㋿'][usize::from(w.era().code()) - 1];
    all.push(w.long().replace(w.era().name(), &square.to_string()));
    all
}

#[test]
fn every_day_from_1873_to_2100_comes_back_from_its_code_and_its_long_form() {
    let days = date(1873, 1, 1)
        .series(1.day())
        .take_while(|day| day.year() <= 2100);
    let mut count = 0;
    for day in days {
        let w = Wareki::from_date(day).unwrap();
        for text in [w.code(), w.long()] {
            let parsed = parse(&text).unwrap();
            assert_eq!(
                (parsed.date.full(), parsed.warning),
                (Some(day), None),
                "{text}"
            );
        }
        count += 1;
    }
    assert_eq!(count, 83_275);
}

proptest! {
    #[test]
    fn every_form_of_a_day_comes_back(offset in 0_i64..83_275) {
        let day = date(1873, 1, 1).checked_add(offset.days()).unwrap();
        for text in forms(day) {
            let parsed = parse(&text);
            let whole = Ok(Parsed { date: day.into(), warning: None });
            prop_assert_eq!(parsed, whole, "{}", text);
        }
        prop_assert_eq!(PartialDate::from_iso(&day.to_string()), Some(day.into()));
    }

    #[test]
    fn no_string_breaks_the_reader(
        text in "\\PC*|[MTSHR明大昭平令㍼元0-9０-９一二十百./年月日:時T午前後 　不詳?()-]{0,20}"
    ) {
        if let Ok(parsed) = parse(&text) {
            prop_assert_eq!(PartialDate::from_iso(&parsed.date.iso()), Some(parsed.date));
        }
    }

    #[test]
    fn the_day_of_an_age_is_the_day_before_it_is_said(
        offset in 0_i64..40_000, years in 0_u16..110
    ) {
        let birth = date(1873, 1, 1).checked_add(offset.days()).unwrap();
        let reached = legal_age_reached_on(birth, years);
        let said = |day: Date| age_on(birth, day);
        prop_assert_eq!(said(reached.tomorrow().unwrap()), Some(years));
        prop_assert_eq!(said(reached), years.checked_sub(1));
    }
}
