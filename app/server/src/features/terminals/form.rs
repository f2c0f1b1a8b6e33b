//! What was typed about a terminal → checked details, or every problem at once.

use base::number::my_number_like;
use base::text::graphemes;

use super::model::{Centre, Details};
use crate::web::{Fields, TerminalKind};

/// Longest name, characters: it stands in every entry of the access log.
pub const NAME_CHARS_MAX: usize = 30;
/// Longest notes, characters.
pub const NOTES_CHARS_MAX: usize = 500;

/// One sentence about one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldProblem {
    /// Id of the input.
    pub field: &'static str,
    /// What to do about it.
    pub text: String,
}

fn bad(problems: &mut Vec<FieldProblem>, field: &'static str, text: impl Into<String>) {
    let text = text.into();
    problems.push(FieldProblem { field, text });
}

/// Checks what was typed.
///
/// # Errors
/// Every problem, in the order of the form.
pub(super) fn read(fields: &Fields, centres: &[Centre]) -> Result<Details, Vec<FieldProblem>> {
    let mut problems = Vec::new();
    let plain = |c: &char| !c.is_control();
    let name: String = fields.trimmed("name").chars().filter(plain).collect();
    let length = graphemes(&name);
    if name.is_empty() {
        bad(&mut problems, "name", "端末の名前を入力してください。");
    } else if length > NAME_CHARS_MAX {
        let text = format!("端末の名前は{NAME_CHARS_MAX}文字までです。いま{length}文字あります。");
        bad(&mut problems, "name", text);
    }
    let kind = TerminalKind::from_code(fields.trimmed("kind"));
    if kind.is_none() {
        bad(&mut problems, "kind", "種類を選んでください。");
    }
    let typed = fields.trimmed("centre");
    let centre = centres.iter().find(|centre| centre.code == typed).cloned();
    if centre.is_none() && typed != CITY_CODE {
        bad(&mut problems, "centre", "置き場所を選んでください。");
    }
    let notes = fields.trimmed("notes").replace("\r\n", "\n");
    let length = graphemes(&notes);
    if length > NOTES_CHARS_MAX {
        let text = format!("メモは{NOTES_CHARS_MAX}文字までです。いま{length}文字あります。");
        bad(&mut problems, "notes", text);
    }
    for (field, text) in [("name", &name), ("notes", &notes)] {
        if my_number_like(text) {
            let text = "マイナンバー（個人番号）に見える数字は記録できません。";
            bad(&mut problems, field, text);
        }
    }
    match kind {
        Some(kind) if problems.is_empty() => Ok(Details {
            name,
            kind,
            centre,
            notes,
        }),
        _ => Err(problems),
    }
}

/// Stands for the city where a centre is chosen.
pub const CITY_CODE: &str = "city";
