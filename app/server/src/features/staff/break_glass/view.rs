//! Envelopes on paper, openings in words.

use forms::{Fonts, Letter, letter};
use jiff::Timestamp;

use super::acts::Envelope;
use super::store::OpenedLine;
use crate::web::Problem;
pub(super) use crate::web::banner::moment;

const WHAT: &str = "この用紙は、システム管理者が一人もいなくなったときに使います。\n\
    もう一人が持つ封筒と、市役所の機械室の操作卓がそろわないと、何も開きません。\n\
    受け取ったら、中を見た人の名前を下に書き、封筒に入れて封をし、封の上に署名してください。\n\
    もう一つの封筒とは別の場所の、鍵のかかる所に保管してください。\n\
    使うときの手順は runbooks/administrator-lost.md にあります。\n\
    保管する人が代わるときは、封筒を作り直してください（前の封筒は無効になります）。";

/// One envelope's page as words.
pub fn printed(envelope: &Envelope) -> Letter {
    let groups: Vec<String> = envelope
        .secret
        .as_bytes()
        .chunks(4)
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    Letter {
        title: format!("非常用の封筒 {} ／ 2", envelope.position),
        corner: vec![moment(&envelope.made_at)],
        facts: vec![
            ("保管する人".to_owned(), envelope.holder.clone()),
            ("組の番号".to_owned(), envelope.pair.clone()),
        ],
        secret: Some(groups.join("-")),
        body: WHAT.to_owned(),
        signatures: vec![
            "封をした人（署名）".to_owned(),
            "立ち会った人（署名）".to_owned(),
            "封をした日".to_owned(),
        ],
        record_id: format!("{}-{}", envelope.pair, envelope.position),
        printed_at: envelope.made_at.parse().unwrap_or(Timestamp::UNIX_EPOCH),
        printed: "hokatsu users break-glass prepare".to_owned(),
        ..Letter::default()
    }
}

/// The page as a file: PDF where the faces for printing are, else plain text. With its ending.
///
/// # Errors
/// [`Problem::Fault`] when it cannot be drawn.
pub fn file(envelope: &Envelope) -> Result<(Vec<u8>, &'static str), Problem> {
    let page = printed(envelope);
    let Ok(fonts) = Fonts::discover() else {
        return Ok((plain(&page).into_bytes(), "txt"));
    };
    let pdf = letter(&fonts, &page);
    pdf.map(|pdf| (pdf.bytes, "pdf"))
        .or(Err(Problem::Fault("an envelope cannot be drawn")))
}

fn plain(page: &Letter) -> String {
    let mut lines = vec![page.title.clone(), String::new()];
    lines.extend(
        page.facts
            .iter()
            .map(|(label, value)| format!("{label}：{value}")),
    );
    lines.extend([
        String::new(),
        page.secret.clone().unwrap_or_default(),
        String::new(),
    ]);
    lines.push(page.body.clone());
    let sign = |name: &String| format!("\n{name}：＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿＿");
    lines.extend(page.signatures.iter().map(sign));
    lines.join("\n") + "\n"
}

/// One line of the page.
pub(super) struct Line {
    pub(super) id: i64,
    pub(super) at: String,
    pub(super) login: String,
    pub(super) persons: String,
    pub(super) reason: String,
    pub(super) valid_until: String,
    pub(super) seen_by: String,
    pub(super) open: bool,
}

pub(super) fn line(opened: &OpenedLine) -> Line {
    Line {
        id: opened.id,
        at: moment(&opened.at),
        login: opened.login.clone(),
        persons: opened.persons.join("、"),
        reason: opened.reason.clone(),
        valid_until: moment(&opened.valid_until),
        seen_by: opened.seen_by.clone(),
        open: !opened.seen,
    }
}
