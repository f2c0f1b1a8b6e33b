//! The detectors of domain.md §2.0 that concern delivered columns, each on one value or pair.
//!
//! Shape: a finding says what is odd and what to do, never what the cell holds: lists of findings
//! are looked at by more people than the files are.

use base::number::{insured_no_shape, m10w21_holds};
use base::text::kana_checked;
use base::wareki::{DateProblem, DateWarning, NullMeaning, PartialDate, parse_cell};

/// What a detector says about a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) id: &'static str,
    pub(super) reason: &'static str,
    pub(super) proposal: &'static str,
}

const fn found(id: &'static str, reason: &'static str, proposal: &'static str) -> Found {
    Found {
        id,
        reason,
        proposal,
    }
}

/// A value brought into form, perhaps with something odd about it; or why it cannot be.
pub(super) type Judged<T> = Result<(T, Option<Found>), Found>;

/// Letters and digits of full width as half-width ones; kana and kanji stay.
fn narrow(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| match c {
        '！'..='～' => char::from_u32(u32::from(c) - 0xFEE0).unwrap_or(c),
        other => other,
    })
}

/// D01: digits of a fixed number, zeros that a spreadsheet dropped put back.
pub(super) fn number(text: &str, digits: usize) -> Judged<String> {
    let plain: String = narrow(text)
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    if plain.is_empty() {
        return Ok((plain, None));
    }
    if !plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(found(
            "D01",
            "数字ではない文字があります",
            "番号を確かめて数字だけにしてください",
        ));
    }
    if plain.len() > digits {
        return Err(found("D01", "桁が多すぎます", "番号を確かめてください"));
    }
    let padded = format!("{plain:0>digits$}");
    let odd = (padded != text).then_some(found(
        "D01",
        "桁か文字の幅を直しました",
        "直した番号でよいか確かめてください",
    ));
    Ok((padded, odd))
}

/// D01 and D02: an insured number. A failing check digit is listed, never a reason to refuse.
pub(super) fn insured(text: &str) -> Judged<String> {
    let upper = text.trim().to_uppercase();
    if upper.starts_with('H') && insured_no_shape(&upper) {
        return Ok((upper, None));
    }
    let (number, odd) = number(text, 10)?;
    let odd = odd.or_else(|| check_digit(&number));
    Ok((number, odd))
}

/// D02: the check digit.
pub(super) fn check_digit(number: &str) -> Option<Found> {
    let holds = number.is_empty() || m10w21_holds(number);
    (!holds).then_some(found(
        "D02",
        "検証番号が合いません",
        "番号の打ち間違いがないか確かめてください",
    ))
}

/// D07 and D08: a date as old systems write it. Shape: the day, and the partial form if it is one.
pub(super) fn date(
    text: &str,
    null: NullMeaning,
) -> Result<(Option<PartialDate>, Option<Found>), Found> {
    use base::wareki::Cell;
    match parse_cell(text, null) {
        Ok(Cell::Unknown | Cell::Absent | Cell::OpenEnd) => Ok((None, None)),
        Ok(Cell::Date(parsed)) => {
            let odd = parsed.warning.map(|warning| match warning {
                DateWarning::EraOverflow => found(
                    "D07",
                    "元号が終わった後の日付です。西暦に直して読みました",
                    "元の日付を正しい元号に直してください",
                ),
                DateWarning::BeforeEraStart => found(
                    "D07",
                    "元号が始まる前の日付です。西暦に直して読みました",
                    "元の日付を正しい元号に直してください",
                ),
            });
            Ok((Some(parsed.date), odd))
        }
        Err(problem) => Err(match problem {
            DateProblem::Impossible => found(
                "D07",
                "その日付はありません",
                "正しい日付を住民記録で確かめてください",
            ),
            DateProblem::OutOfRange => found(
                "D07",
                "年が範囲の外です",
                "正しい日付を住民記録で確かめてください",
            ),
            DateProblem::Required | DateProblem::Empty | DateProblem::NullToken => found(
                "D07",
                "日付がありません（空か 99999999）",
                "正しい日付を住民記録で確かめてください",
            ),
            DateProblem::Ambiguous => found(
                "D08",
                "元号がなく、年が決まりません",
                "元号か西暦4桁を付けてください",
            ),
            DateProblem::Unreadable => found(
                "D08",
                "日付として読めません",
                "S12.3.4 か 1937/3/4 の形にしてください",
            ),
        }),
    }
}

/// D11: kana in display form.
pub(super) fn kana(text: &str) -> (String, Option<Found>) {
    let checked = kana_checked(text);
    let odd = (checked.lone_marks > 0).then_some(found(
        "D11",
        "行き場のない濁点・半濁点を除きました",
        "カナを確かめてください",
    ));
    (checked.text, odd)
}

/// D11: spaces that the old system pads names with.
pub(super) fn padding(text: &str) -> Option<Found> {
    (text.trim() != text).then_some(found(
        "D11",
        "前後の空白を除きました",
        "直す必要はありません",
    ))
}

/// Letters of the user area, or marks that stand for a letter nobody could write.
pub(super) fn has_gaiji(text: &str) -> bool {
    text.chars().any(|c| {
        matches!(
            c,
            '〓' | '\u{E000}'..='\u{F8FF}' | char::REPLACEMENT_CHARACTER
        )
    })
}

/// D12 and D15: letters that were lost.
pub(super) fn lost_letters(text: &str) -> Option<Found> {
    if text.ends_with(char::REPLACEMENT_CHARACTER) {
        return Some(found(
            "D15",
            "文字の途中で切れています",
            "元のデータで全文を確かめてください",
        ));
    }
    let lost = text.contains([char::REPLACEMENT_CHARACTER, '〓']);
    lost.then_some(found(
        "D12",
        "読めない文字（外字）があります",
        "外字の対応表を市に確かめてください",
    ))
}

/// D14: control characters other than tab and line feed are dropped.
pub(super) fn controls(text: &str) -> Option<Found> {
    text.chars().any(is_control).then_some(found(
        "D14",
        "制御文字を除きました",
        "直す必要はありません",
    ))
}

pub(super) fn is_control(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || c == '\u{2028}' || c == '\u{2029}'
}

/// D16: a code of a table, by its alias if need be.
pub(super) fn code(
    text: &str,
    values: &[String],
    aliases: &std::collections::BTreeMap<String, String>,
) -> Judged<String> {
    let plain: String = narrow(text).filter(|c| !c.is_whitespace()).collect();
    if values.contains(&plain) {
        let odd = (plain != text).then_some(found(
            "D16",
            "全角のコードを半角に直しました",
            "直す必要はありません",
        ));
        return Ok((plain, odd));
    }
    match aliases.get(&plain) {
        // The mapping says what another way of writing means: nothing is odd about it.
        Some(value) => Ok((value.clone(), None)),
        None if plain.is_empty() => Ok((plain, None)),
        None => Err(found(
            "D16",
            "コード表にない値です",
            "コードを確かめるか、対応表に加えてください",
        )),
    }
}

/// D01: a plain number.
pub(super) fn integer(text: &str) -> Judged<Option<i64>> {
    let plain: String = narrow(text)
        .filter(|c| !c.is_whitespace() && *c != ',')
        .collect();
    if plain.is_empty() {
        return Ok((None, None));
    }
    match plain.parse() {
        Ok(number) => Ok((Some(number), None)),
        Err(_not_a_number) => Err(found("D01", "数字ではありません", "数字にしてください")),
    }
}

/// D09: an end before its start. ISO dates compare as text.
pub(super) fn ends_before_start(start: Option<&str>, end: Option<&str>) -> Option<Found> {
    let wrong = matches!((start, end), (Some(start), Some(end)) if end < start);
    wrong.then_some(found(
        "D09",
        "終わりが始まりより前です",
        "期間を確かめてください",
    ))
}

/// D09: a period that begins before the one before it has ended.
pub(super) fn overlaps(former_end: Option<&str>, start: Option<&str>) -> Option<Found> {
    let wrong = matches!((former_end, start), (Some(end), Some(start)) if start <= end);
    wrong.then_some(found(
        "D09",
        "前の認定期間と重なっています",
        "区分変更なら前の終わりを前日にしてください",
    ))
}

/// D10: a death before the birth.
pub(super) fn dead_before_birth(born: Option<&str>, died: Option<&str>) -> Option<Found> {
    let wrong = matches!((born, died), (Some(born), Some(died)) if died < born);
    wrong.then_some(found(
        "D10",
        "死亡日が生年月日より前です",
        "どちらが正しいか住民記録で確かめてください",
    ))
}

/// D10: something that happened after the person died.
pub(super) fn after_death(died: Option<&str>, day: Option<&str>) -> Option<Found> {
    let wrong = matches!((died, day), (Some(died), Some(day)) if day > died);
    wrong.then_some(found(
        "D10",
        "亡くなった後の日付です",
        "対象者か日付を確かめてください",
    ))
}

/// D07: a day that has not come yet.
pub(super) fn future(day: Option<&str>, today: &str) -> Option<Found> {
    let wrong = day.is_some_and(|day| day > today);
    wrong.then_some(found(
        "D07",
        "未来の日付です",
        "正しい日付を確かめてください",
    ))
}

pub(super) const MY_NUMBER: Found = found(
    "D25",
    "マイナンバー（個人番号）に見える12けたの数字があります",
    "元のデータでマイナンバーか確かめ、そうなら消して取り込み直してください",
);
pub(super) const REQUIRED: Found = found("D03", "必要な項目が空です", "値を入れてください");
pub(super) const NO_RESIDENT: Found = found(
    "D03",
    "その宛名番号の人がいません",
    "住民記録を先に取り込むか、番号を確かめてください",
);
pub(super) const NO_INSURED: Found = found(
    "D03",
    "その被保険者番号の資格がありません",
    "資格のファイルを先に取り込むか、番号を確かめてください",
);
pub(super) const NO_RESIDENT_KEPT: Found = found(
    "D03",
    "その宛名番号の人がいないため、対象者なしで取り込みました",
    "記録を開いて対象者を選んでください",
);
pub(super) const NO_CENTRE_KEPT: Found = found(
    "D03",
    "知らない包括コードのため、市の記録として取り込みました",
    "包括マスタを確かめてください",
);
pub(super) const DUPLICATE_SAME: Found =
    found("D04", "同じ行が前にあります", "後の行を除いてください");
pub(super) const DUPLICATE_OTHER: Found = found(
    "D04",
    "同じ番号で内容の違う行が前にあります",
    "更新日時の新しいほうだけを残してください",
);
pub(super) const TWO_HEADS: Found = found(
    "D04",
    "世帯主が二人います",
    "どちらが世帯主か住民記録で確かめてください",
);
pub(super) const KEPT_OLD: Found = found(
    "D04",
    "取込み済みの相談と内容が違います。取込み済みのほうを残しました",
    "必要なら画面で訂正してください",
);
pub(super) const MIXED: Found = found(
    "D19",
    "この行だけ文字コードが違います",
    "読めているか確かめてください",
);
pub(super) const AREA_GUESSED: Found = found(
    "D21",
    "住所コードがないため、住所の町名から担当センターを決めました",
    "住所コードを加えてください",
);
pub(super) const AREA_UNKNOWN: Found = found(
    "D21",
    "町が分からず、担当センターを決められません",
    "住所コードを確かめるか、地区マスタに加えてください",
);
pub(super) const COLUMN_COUNT: Found = found(
    "D24",
    "列の数が見出しと違います",
    "余分なカンマか、抜けた列がないか確かめてください",
);
pub(super) const NUL: Found = found("D14", "NUL文字があります", "壊れた文字を除いてください");
pub(super) const OPEN_QUOTE: Found =
    found("D24", "引用符が閉じていません", "引用符を直してください");

#[cfg(test)]
mod tests {
    use super::*;

    fn id<T>(judged: Judged<T>) -> (bool, &'static str) {
        match judged {
            Ok((_, odd)) => (true, odd.map_or("", |odd| odd.id)),
            Err(bad) => (false, bad.id),
        }
    }

    #[test]
    fn d01_puts_dropped_zeros_back_and_refuses_letters() {
        assert_eq!(number("123", 10).unwrap().0, "0000000123");
        assert_eq!(id(number("１２３", 10)), (true, "D01"));
        assert_eq!(id(number("12a", 10)), (false, "D01"));
        assert_eq!(id(number("12345678901", 10)), (false, "D01"));
        assert_eq!(id(integer("x")), (false, "D01"));
        assert_eq!(integer("１９,７０５").unwrap().0, Some(19_705));
    }

    #[test]
    fn d02_lists_a_failing_check_digit_and_loads() {
        assert_eq!(id(insured("0001000009")), (true, ""));
        assert_eq!(id(insured("0001000008")), (true, "D02"));
        assert_eq!(id(insured("H123456789")), (true, ""));
    }

    #[test]
    fn d07_and_d08_tell_convertible_dates_from_impossible_ones() {
        let judge = |text| date(text, NullMeaning::Forbidden);
        let (day, odd) = judge("平成31.5.1").unwrap();
        assert_eq!(
            (day.unwrap().iso().as_str(), odd.unwrap().id),
            ("2019-05-01", "D07")
        );
        assert_eq!(judge("S64.2.30").unwrap_err().id, "D07");
        assert_eq!(judge("99999999").unwrap_err().id, "D07");
        assert_eq!(judge("120304").unwrap_err().id, "D08");
        assert_eq!(
            date("99999999", NullMeaning::OpenEnd).unwrap(),
            (None, None)
        );
        assert_eq!(future(Some("2027-01-01"), "2026-11-24").unwrap().id, "D07");
    }

    #[test]
    fn d09_finds_turned_and_overlapping_periods() {
        assert_eq!(
            ends_before_start(Some("2026-02-01"), Some("2026-01-31"))
                .unwrap()
                .id,
            "D09"
        );
        assert_eq!(ends_before_start(Some("2026-02-01"), None), None);
        assert_eq!(
            overlaps(Some("2026-02-28"), Some("2026-02-28")).unwrap().id,
            "D09"
        );
        assert_eq!(overlaps(Some("2026-02-28"), Some("2026-03-01")), None);
    }

    #[test]
    fn d10_finds_a_death_before_birth_and_a_visit_after_death() {
        assert_eq!(
            dead_before_birth(Some("1937-03-04"), Some("1936-01-01"))
                .unwrap()
                .id,
            "D10"
        );
        assert_eq!(
            after_death(Some("2026-01-01"), Some("2026-01-02"))
                .unwrap()
                .id,
            "D10"
        );
        assert_eq!(after_death(None, Some("2026-01-02")), None);
    }

    #[test]
    fn d11_to_d15_judge_letters() {
        assert_eq!(kana("ｶﾞｶﾞﾞ").1.unwrap().id, "D11");
        assert_eq!(padding("山田　").unwrap().id, "D11");
        assert_eq!(lost_letters("山〓").unwrap().id, "D12");
        assert_eq!(lost_letters("本町\u{FFFD}").unwrap().id, "D15");
        assert_eq!(controls("a\u{7}b").unwrap().id, "D14");
        assert_eq!(controls("a\nb"), None);
        assert!(has_gaiji("\u{E000}") && !has_gaiji("山"));
    }

    #[test]
    fn d16_knows_aliases_and_refuses_the_rest() {
        let values = ["1".to_owned(), "2".to_owned()];
        let aliases = [("男".to_owned(), "1".to_owned())].into();
        assert_eq!(id(code("１", &values, &aliases)), (true, "D16"));
        assert_eq!(code("男", &values, &aliases).unwrap().0, "1");
        assert_eq!(id(code("7", &values, &aliases)), (false, "D16"));
    }
}
