//! What one version of a consultation says.

use jiff::civil::Date;

/// The checked content of one version. Texts are as staff read them, codes as stored.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Entry {
    /// 受付日.
    pub received_on: Date,
    /// 開始, `HH:MM` or empty.
    pub started_at: String,
    /// 終了, `HH:MM` or empty.
    pub ended_at: String,
    /// 所要時間, minutes.
    pub minutes: Option<i64>,
    /// 相談方法, code.
    pub channel: String,
    /// 相談者, code.
    pub caller_kind: String,
    /// 相談者の氏名.
    pub caller_name: String,
    /// 続柄.
    pub caller_relation: String,
    /// 連絡先.
    pub caller_contact: String,
    /// Whom it is about, as told, when the person is not known.
    pub client_name: String,
    /// Age, area, looks.
    pub client_note: String,
    /// 緊急度, code.
    pub urgency: String,
    /// 相談内容.
    pub content: String,
    /// 対応内容.
    pub response: String,
    /// 紹介先.
    pub referred_to: String,
    /// 帰結, code.
    pub outcome: String,
    /// 終結理由, code or empty.
    pub closing_reason: String,
    /// 次にすること.
    pub next_action: String,
    /// 期限.
    pub next_due_on: Option<Date>,
    /// 相談種別, codes.
    pub categories: Vec<String>,
    /// 対応, codes.
    pub responses: Vec<String>,
}

/// What was said is about a person: nothing of it shows.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry(…)")
    }
}
