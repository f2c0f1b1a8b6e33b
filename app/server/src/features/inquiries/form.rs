//! What was typed into the form → an inquiry, or what is wrong with it.

use base::text::{digits, kana_key};
use base::wareki;

use super::model::{Inquiry, Key};
use crate::features::masters::Code;
use crate::web::Fields;

/// Longest reason in own words, characters.
pub(super) const REASON_CHARS_MAX: usize = 100;
/// Longest name that is compared, characters.
const KANA_CHARS_MAX: usize = 200;
/// Characters of an insured number.
const INSURED_NO_CHARS: usize = 10;

/// Why a field is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FieldProblem {
    pub(super) field: &'static str,
    pub(super) text: &'static str,
}

/// Reads the form; all problems at once.
pub(super) fn check(form: &Fields, reasons: &[Code]) -> Result<Inquiry, Vec<FieldProblem>> {
    let mut problems = Vec::new();
    let key = key(form, &mut problems);
    let (reason, reason_words) = reason(form, reasons, &mut problems);
    match key {
        Some(key) if problems.is_empty() => Ok(Inquiry {
            key,
            reason,
            reason_words,
        }),
        Some(_) | None => Err(problems),
    }
}

fn key(form: &Fields, problems: &mut Vec<FieldProblem>) -> Option<Key> {
    let mut bad = |field, text| problems.push(FieldProblem { field, text });
    let (number, kana) = (form.trimmed("insured_no"), form.trimmed("kana"));
    let born = form.trimmed("born_on");
    if number.is_empty() && kana.is_empty() && born.is_empty() {
        bad(
            "insured_no",
            "被保険者番号か、カナ氏名と生年月日を入力してください",
        );
        return None;
    }
    if !number.is_empty() {
        let read = insured_no(number);
        if read.is_none() {
            bad("insured_no", "被保険者番号は10けたで入力してください");
        }
        return read.map(Key::InsuredNo);
    }
    let name = Some(kana_key(kana)).filter(|key| !key.is_empty());
    let name = name.filter(|_| kana.chars().nth(KANA_CHARS_MAX).is_none());
    if name.is_none() {
        bad("kana", "姓と名のカナを入力してください");
    }
    let day = wareki::parse(born).ok().and_then(|read| read.date.full());
    if day.is_none() {
        bad(
            "born_on",
            "生年月日を年月日まで入力してください（例 S12.3.4）",
        );
    }
    Some(Key::KanaAndBirth {
        kana: name?,
        born_on: day?.to_string(),
    })
}

/// Ten digits, or `H` and nine.
fn insured_no(typed: &str) -> Option<String> {
    let (head, rest) = match typed.strip_prefix(['H', 'h', 'Ｈ', 'ｈ']) {
        Some(rest) => ("H", rest),
        None => ("", typed),
    };
    let number = format!("{head}{}", digits(rest));
    let whole = digits(rest).chars().count() == rest.chars().count();
    (whole && number.len() == INSURED_NO_CHARS).then_some(number)
}

/// Is this the reason that needs words? The city words the list; その他 begins the one.
pub(super) fn is_other(reason: &Code) -> bool {
    reason.label.starts_with("その他")
}

fn reason(form: &Fields, reasons: &[Code], problems: &mut Vec<FieldProblem>) -> (String, String) {
    let mut bad = |field, text| problems.push(FieldProblem { field, text });
    let chosen = reasons
        .iter()
        .find(|known| known.code == form.trimmed("reason"));
    let Some(chosen) = chosen else {
        bad("reason", "照会の理由を選んでください");
        return (String::new(), String::new());
    };
    if !is_other(chosen) {
        return (chosen.code.clone(), String::new());
    }
    // One line: the access log prints it in a column.
    let words: Vec<&str> = form.get("reason_words").split_whitespace().collect();
    let words = words.join(" ");
    if words.is_empty() {
        bad("reason_words", "「その他」のときは、理由を入力してください");
    }
    if words.chars().nth(REASON_CHARS_MAX).is_some() {
        bad("reason_words", "理由は100文字までで入力してください");
    }
    (chosen.code.clone(), words)
}
