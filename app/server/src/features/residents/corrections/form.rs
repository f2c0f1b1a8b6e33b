//! What was typed into the form of a correction → a checked value, or every problem at once.

use base::number::{my_number_like, phone_digits};
use base::text::{graphemes, kana_checked};

use super::model::{Field, Typed};
use crate::web::Fields;

/// Longest value, characters.
const VALUE_CHARS_MAX: usize = 200;
/// Longest reason, characters.
const REASON_CHARS_MAX: usize = 1_000;

const MY_NUMBER: &str =
    "マイナンバー（個人番号）に見える数字が入っています。マイナンバーは記録できません。";

/// One sentence about one field.
#[derive(Debug, Clone)]
pub(super) struct FieldProblem {
    /// Id of the input.
    pub(super) field: &'static str,
    /// What to do about it.
    pub(super) text: String,
}

/// Checks value and reason of a correction.
pub(super) fn check(field: Field, fields: &Fields) -> Result<Typed, Vec<FieldProblem>> {
    let value = value(field, &one_line(fields.trimmed("value")));
    let reason = reason(fields.trimmed("reason"), "訂正の理由");
    match (value, reason) {
        (Ok(value), Ok(reason)) => Ok(Typed {
            value: value.into(),
            reason: reason.into(),
        }),
        (value, reason) => {
            let problem =
                |field, text: Option<String>| text.map(|text| FieldProblem { field, text });
            let problems = [
                problem("value", value.err()),
                problem("reason", reason.err()),
            ];
            Err(problems.into_iter().flatten().collect())
        }
    }
}

/// Checks why a correction ends.
pub(super) fn check_ending(fields: &Fields) -> Result<String, FieldProblem> {
    reason(fields.trimmed("ending_reason"), "終える理由").map_err(|text| FieldProblem {
        field: "ending_reason",
        text,
    })
}

fn one_line(typed: &str) -> String {
    let plain: String = typed.chars().filter(|c| !c.is_control()).collect();
    plain.trim().to_owned()
}

fn value(field: Field, typed: &str) -> Result<String, String> {
    let label = field.label();
    if typed.is_empty() {
        return Err(format!("正しい{label}を入力してください。"));
    }
    let length = graphemes(typed);
    if length > VALUE_CHARS_MAX {
        return Err(format!(
            "{label}は{VALUE_CHARS_MAX}文字までです。いま{length}文字あります。"
        ));
    }
    if my_number_like(typed) {
        return Err(MY_NUMBER.to_owned());
    }
    match field {
        Field::Address => Ok(typed.to_owned()),
        Field::Phone => phone_digits(typed).ok_or_else(|| {
            "電話番号は、市外局番から10桁か11桁で入力してください。例：048-461-0000".to_owned()
        }),
        Field::Kana => kana(typed),
    }
}

fn kana(typed: &str) -> Result<String, String> {
    let checked = kana_checked(typed);
    let allowed =
        |c: char| matches!(c, 'ァ'..='ヺ' | 'ー' | 'ヽ' | 'ヾ' | '・' | '　' | 'Ａ'..='Ｚ');
    if checked.lone_marks > 0 {
        return Err("濁点か半濁点だけの文字があります。確かめてください。".to_owned());
    }
    let some = checked.text.chars().any(|c| matches!(c, 'ァ'..='ヺ'));
    if some && checked.text.chars().all(allowed) {
        Ok(checked.text)
    } else {
        Err("氏名カナは、カタカナで入力してください。漢字・数字・記号は使えません。".to_owned())
    }
}

fn reason(typed: &str, label: &str) -> Result<String, String> {
    let plain: String = typed
        .replace("\r\n", "\n")
        .chars()
        .filter(|c| !c.is_control() || *c == '\n')
        .collect();
    let length = graphemes(&plain);
    if plain.trim().is_empty() {
        Err(format!("{label}を入力してください。"))
    } else if length > REASON_CHARS_MAX {
        Err(format!(
            "{label}は1,000文字までです。いま{length}文字あります。"
        ))
    } else if my_number_like(&plain) {
        Err(MY_NUMBER.to_owned())
    } else {
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, check, check_ending};
    use crate::web::Fields;

    fn typed(value: &str, reason: &str) -> Fields {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("value", value)
            .append_pair("reason", reason)
            .append_pair("ending_reason", reason)
            .finish();
        Fields::parse(form.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_typed_in_many_ways_is_stored_in_one() {
        for (field, value, stored) in [
            (Field::Phone, "０４８（４６１）００００", "0484610000"),
            (Field::Phone, "+81 90-0000-1111", "09000001111"),
            (Field::Kana, "やまだ はなこ", "ヤマダ　ハナコ"),
            (Field::Kana, "ﾔﾏﾀﾞ ﾊﾅｺ", "ヤマダ　ハナコ"),
            (Field::Address, "　本町1-2 \u{7}", "本町1-2"),
        ] {
            let checked = check(field, &typed(value, "本人から")).ok().unwrap();
            assert!(checked.value == stored.into(), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_sentence() {
        let long = "あ".repeat(201);
        for (field, value) in [
            (Field::Phone, ""),
            (Field::Phone, "なし"),
            (Field::Phone, "461-0000"),
            (Field::Phone, "123456789018"),
            (Field::Address, "1234-5678-9018"),
            (Field::Address, &long),
            (Field::Address, "\u{1}"),
            (Field::Kana, "山田"),
            (Field::Kana, "ヤマダ1"),
            (Field::Kana, "ＡＢＣ"),
            (Field::Kana, "゛ヤマダ"),
        ] {
            let problems = check(field, &typed(value, "本人から")).err().unwrap();
            assert_eq!(problems.len(), 1, "{value}");
            assert_eq!(problems[0].field, "value", "{value}");
        }
    }

    #[test]
    fn a_reason_is_asked_for_and_has_its_limit() {
        let long = "あ".repeat(1_001);
        for reason in ["", " \n ", &long, "番号は123456789018"] {
            assert!(check(Field::Phone, &typed("0484610000", reason)).is_err());
            assert!(check_ending(&typed("", reason)).is_err());
        }
        assert!(check_ending(&typed("", &"あ".repeat(1_000))).is_ok());
    }
}
