//! What was chosen and typed → files that may be attached, or every problem at once.

use base::number::my_number_like;
use base::text::{composed, graphemes};
use store::Whole;

use super::kinds::{self, Kind};
use super::model::{Attachment, Holder};
use super::view::size;
use crate::features::masters::Code;
use crate::web::limits::UPLOAD_FILES_MAX;
use crate::web::{Checked, Content, FieldProblem, Fields, Problem, Upload};

/// Longest title, characters.
pub(super) const TITLE_CHARS_MAX: usize = 100;
/// Longest note, characters.
const NOTE_CHARS_MAX: usize = 2_000;
/// Longest name of a file that is kept, characters; what is longer is shortened in the middle.
const NAME_CHARS_MAX: usize = 200;
/// The end of a name that is kept when it is shortened: enough for `.docx` and a date.
const NAME_END_CHARS: usize = 20;
/// Letters of a text that are looked at together; a number that lies across two such pieces is in
/// the overlap.
const PIECE_CHARS: usize = 64 * 1024;
const OVERLAP_CHARS: usize = 32;

/// A file that may be attached.
pub(super) struct Fitting<'u> {
    pub(super) whole: &'u Whole,
    /// By the signatures of this number it holds no virus; nothing: nobody looked.
    pub(super) clean_by: Option<u32>,
    pub(super) kind: &'static Kind,
    pub(super) name: String,
}

/// What is said about files: title, note, and for the access log why twelve digits that pass as a
/// マイナンバー are none.
pub(super) struct Said {
    pub(super) title: String,
    pub(super) note: String,
    pub(super) numbers: Option<String>,
}

/// A form that may be saved.
pub(super) struct Adding<'u> {
    pub(super) said: Said,
    pub(super) files: Vec<Fitting<'u>>,
}

/// What a form is checked against.
pub(super) struct Against<'a> {
    pub(super) number_kinds: &'a [Code],
    pub(super) known: &'a [Attachment],
    pub(super) bytes_max: u64,
}

/// The name as it is kept: without the way to it, without line ends and letters that nobody sees
/// (one of them turns what stands behind it around), composed, and not too long.
pub(super) fn name_of(sent: &str) -> String {
    let sent = sent
        .replace("%22", "\"")
        .replace("%0D", "")
        .replace("%0A", "");
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !is_unseen(*c)).collect();
    let name = composed(plain.trim());
    if name.is_empty() {
        return "名前なし".to_owned();
    }
    let count = name.chars().count();
    if count <= NAME_CHARS_MAX {
        return name;
    }
    let first = name.chars().take(NAME_CHARS_MAX - NAME_END_CHARS - 1);
    let end = name.chars().skip(count - NAME_END_CHARS);
    first.chain(['…']).chain(end).collect()
}

/// Control characters, and those that only steer how others are drawn.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// Free texts of one form, and where something in them passes as a マイナンバー.
struct Texts<'f> {
    fields: &'f Fields,
    checks: Checked<'f>,
    /// The place, and what the file is called if it is one.
    numbers: Vec<(&'static str, String)>,
}

impl<'f> Texts<'f> {
    fn new(fields: &'f Fields) -> Self {
        Self {
            fields,
            checks: Checked::new(fields),
            numbers: Vec::new(),
        }
    }

    fn title(&mut self) -> String {
        let typed = self.fields.trimmed("title").chars();
        let one_line = typed.map(|c| if is_unseen(c) { ' ' } else { c });
        let text: String = one_line.collect();
        self.bounded("title", ("表題", TITLE_CHARS_MAX), text.trim().to_owned())
    }

    fn note(&mut self) -> String {
        let lines = self.fields.trimmed("note").replace("\r\n", "\n");
        let kept = lines.chars().filter(|c| *c == '\n' || !is_unseen(*c));
        self.bounded("note", ("説明", NOTE_CHARS_MAX), kept.collect())
    }

    fn bounded(
        &mut self,
        field: &'static str,
        (label, most): (&str, usize),
        text: String,
    ) -> String {
        let length = graphemes(&text);
        if length > most {
            let text = format!("{label}は{most}文字までです。いま{length}文字あります。");
            self.checks.bad(field, text);
        }
        if my_number_like(&text) {
            self.numbers.push((field, String::new()));
        }
        text
    }

    /// Saved once somebody has said what the number is; the system holds no マイナンバー.
    fn number_kind(&mut self, kinds: &[Code]) -> Option<String> {
        if self.numbers.is_empty() {
            return None;
        }
        let kind = self.fields.trimmed("number_kind");
        let found = std::mem::take(&mut self.numbers);
        if kinds.iter().any(|known| known.code == kind) {
            let mut places: Vec<&str> = found.iter().map(|(place, _)| *place).collect();
            places.sort_unstable();
            places.dedup();
            return Some(format!("my_number={kind} fields={}", places.join("+")));
        }
        for (place, name) in found {
            let (field, what) = match place {
                "file_name" => ("files", format!("「{name}」の名前に、")),
                "content" => ("files", format!("「{name}」の文の中に、")),
                other => (other, String::new()),
            };
            let text = format!(
                "{what}マイナンバー（個人番号）に見える12けたの数字があります。マイナンバーなら消してください。"
            );
            self.checks.bad(field, text);
        }
        let text = "消さずに保存するときは、何の番号かを選んでください。";
        self.checks.bad("number_kind", text);
        None
    }

    fn ended<T>(self, value: T) -> Result<T, Vec<FieldProblem>> {
        self.checks.ended(Some(value))
    }
}

/// Checks what is said about a file that is attached already.
pub(super) fn correction(
    fields: &Fields,
    number_kinds: &[Code],
) -> Result<(Said, String), Vec<FieldProblem>> {
    let mut texts = Texts::new(fields);
    let (title, note) = (texts.title(), texts.note());
    let numbers = texts.number_kind(number_kinds);
    let reason = texts.checks.reason("reason", "訂正の理由");
    let said = Said {
        title,
        note,
        numbers,
    };
    texts.ended((said, reason))
}

/// Checks files and words that are to be attached.
///
/// # Errors
/// [`Problem`] when a file cannot be read back; the inner one is what is wrong with the form.
pub(super) fn adding<'u>(
    fields: &Fields,
    uploads: &'u [Upload],
    against: &Against<'_>,
) -> Result<Result<Adding<'u>, Vec<FieldProblem>>, Problem> {
    let mut texts = Texts::new(fields);
    let mut files: Vec<Fitting<'u>> = Vec::new();
    if uploads.is_empty() {
        texts
            .checks
            .bad("files", "添付するファイルを選んでください。");
    }
    if uploads.len() > UPLOAD_FILES_MAX {
        let count = uploads.len();
        let text = format!(
            "一度に添付できるのは{UPLOAD_FILES_MAX}個までです。いま{count}個あります。分けて添付してください。"
        );
        texts.checks.bad("files", text);
    }
    for upload in uploads.iter().take(UPLOAD_FILES_MAX) {
        let name = name_of(&upload.name);
        if my_number_like(&name) {
            texts.numbers.push(("file_name", name.clone()));
        }
        match fitting(upload, name, against, &files)? {
            Ok((file, text)) => {
                if text.is_some_and(|text| holds_number(&text)) {
                    texts.numbers.push(("content", file.name.clone()));
                }
                files.push(file);
            }
            Err(why) => texts.checks.bad("files", why),
        }
    }
    let (title, note) = (texts.title(), texts.note());
    let numbers = texts.number_kind(against.number_kinds);
    let said = Said {
        title,
        note,
        numbers,
    };
    Ok(texts.ended(Adding { said, files }))
}

type Fitted<'u> = Result<(Fitting<'u>, Option<String>), String>;

/// One file, with its letters when it is a text; or why not.
fn fitting<'u>(
    upload: &'u Upload,
    name: String,
    against: &Against<'_>,
    chosen: &[Fitting<'_>],
) -> Result<Fitted<'u>, Problem> {
    let most = size(against.bytes_max);
    let (whole, clean_by) = match &upload.content {
        Content::Whole { whole, clean_by } => (whole, *clean_by),
        Content::Infected { finding } => {
            let text = format!(
                "「{name}」にウイルス（{finding}）が見つかったため、受け取っていません。元のファイルは開かずに、\
                 情報システムの担当者に知らせてください。"
            );
            return Ok(Err(text));
        }
        Content::TooLarge { bytes } => {
            let found = size(*bytes);
            let text = format!(
                "「{name}」は{found}あります。一つのファイルは{most}までです。小さくするか、分けてください。"
            );
            return Ok(Err(text));
        }
        Content::Dropped => {
            let text = format!("「{name}」は受け取っていません。もう一度選んでください。");
            return Ok(Err(text));
        }
    };
    if whole.bytes() == 0 {
        let text =
            format!("「{name}」は中身がありません（0バイト）。元のファイルを確かめてください。");
        return Ok(Err(text));
    }
    if chosen
        .iter()
        .any(|file| file.whole.sha256() == whole.sha256())
    {
        let text = format!("「{name}」と同じ中身のファイルが、もう一つ選ばれています。");
        return Ok(Err(text));
    }
    if let Some(text) = attached_before(against.known, whole.sha256(), &name) {
        return Ok(Err(text));
    }
    let bytes = whole.read()?;
    Ok(match kinds::find(&bytes, &name) {
        Ok(kind) => {
            let is_text = kind.code.starts_with("text");
            let text = kinds::text_of(&bytes).filter(|_| is_text);
            let file = Fitting {
                whole,
                clean_by,
                kind,
                name,
            };
            Ok((file, text.map(|(_, text)| text)))
        }
        Err(why) => Err(format!("「{name}」：{why}")),
    })
}

/// The same bytes are attached here already, and not withdrawn.
pub(super) fn attached_before(known: &[Attachment], sha256: &str, name: &str) -> Option<String> {
    let mut open = known.iter().filter(|known| known.withdrawal.is_none());
    let before = open.find(|known| known.sha256 == sha256)?;
    let at = crate::web::days::moment(&before.added.at);
    Some(format!(
        "「{name}」と同じ中身のファイルが、もう添付されています（{at} {}）。",
        before.added.name
    ))
}

/// Asked line by line, and long lines piece by piece: a text may be as large as any file.
fn holds_number(text: &str) -> bool {
    text.lines().any(|line| {
        let chars: Vec<char> = if line.len() > PIECE_CHARS {
            line.chars().collect()
        } else {
            return my_number_like(line);
        };
        let step = PIECE_CHARS - OVERLAP_CHARS;
        let starts = (0..chars.len()).step_by(step);
        starts.into_iter().any(|from| {
            let piece: String = chars.iter().skip(from).take(PIECE_CHARS).collect();
            my_number_like(&piece)
        })
    })
}

/// What stands in the way of adding: nothing, or a sentence.
pub(super) fn closed(holder: &Holder) -> Option<&'static str> {
    if holder.withdrawn {
        Some("この相談は取り下げられているため、ファイルを添付できません。")
    } else if !holder.writable {
        Some(
            "この方は、いまの担当ではないため（他センターへ移ったか、閲覧のみの指定です）、添付できません。",
        )
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_for_reading_and_is_no_way_to_anywhere() {
        for (sent, kept) in [
            ("主治医意見書.pdf", "主治医意見書.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\花子\\意見書.pdf", "意見書.pdf"),
            ("a\r\nSet-Cookie: b.pdf", "aSet-Cookie: b.pdf"),
            ("a%0D%0Ab%22.pdf", "ab\".pdf"),
            ("\u{202e}fdp.exe", "fdp.exe"),
            ("か\u{3099}.pdf", "が.pdf"),
            ("神\u{fa19}.pdf", "神\u{fa19}.pdf"),
            ("  ", "名前なし"),
            ("..", ".."),
            ("", "名前なし"),
        ] {
            assert_eq!(name_of(sent), kept, "{sent:?}");
        }
        let long = name_of(&format!("{}.pdf", "長".repeat(300)));
        assert_eq!(long.chars().count(), NAME_CHARS_MAX);
        assert!(long.ends_with("長.pdf") && long.contains('…'));
    }

    #[test]
    fn a_number_is_found_in_long_lines_and_across_pieces() {
        let filler = "あ".repeat(PIECE_CHARS - 6);
        assert!(holds_number(&format!("{filler}123456789018{filler}")));
        assert!(holds_number("一行目\n二行目 1234-5678-9018"));
        assert!(!holds_number(&filler));
    }
}
