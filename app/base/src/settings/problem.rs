//! Why a site file cannot be used, in the operator's words.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::report::{Kind, Report};

/// Something in the site file that has to be corrected; `Display` is Japanese and for operators.
#[derive(Debug, thiserror::Error)]
pub enum SettingsProblem {
    /// The file cannot be read.
    #[error("設定ファイル {} を読めません。", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// A line of it is wrong.
    #[error("設定ファイル {} の {line} 行目: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it, in Japanese.
        reason: String,
    },
}

impl SettingsProblem {
    /// The line it is about, from 1.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Line { line, .. } => Some(*line),
        }
    }

    /// The problem as a report; the sentence names file, line and reason by itself.
    #[must_use]
    pub fn report(self) -> Report {
        let path = match &self {
            Self::Unreadable { path, .. } | Self::Line { path, .. } => path.clone(),
        };
        Report::new(Kind::Settings, self).at(path)
    }

    pub(super) fn at(path: &Path, text: &str, span: &Range<usize>, reason: String) -> Self {
        Self::Line {
            path: path.to_owned(),
            line: line_at(text, span.start),
            reason,
        }
    }

    pub(super) fn from_toml(path: &Path, text: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        Self::at(path, text, &span, in_japanese(error.message()))
    }
}

/// The line, from 1, on which the byte at `offset` of a text stands.
#[must_use]
pub fn line_at(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// Line, from 1, and Japanese reason of what the parser refused in any other TOML file of operators.
#[must_use]
pub fn toml_problem(text: &str, error: &toml::de::Error) -> (usize, String) {
    let offset = error.span().map_or(0, |span| span.start);
    (line_at(text, offset), in_japanese(error.message()))
}

/// The parser's own words are English; operators get the ones that occur in practice in Japanese.
fn in_japanese(message: &str) -> String {
    let quoted = message.split('`').nth(1).unwrap_or_default();
    if message.starts_with("unknown field") {
        return match message.split_once("expected ") {
            Some((_, known)) => {
                let known = known.trim_start_matches("one of ").replace('`', "");
                format!("「{quoted}」という項目はありません。使える項目: {known}")
            }
            None => format!("「{quoted}」という項目はありません。"),
        };
    }
    if message.starts_with("missing field") {
        return format!("項目「{quoted}」がありません。");
    }
    if message.starts_with("duplicate key") {
        return "同じ項目が二度書かれています。".to_owned();
    }
    if message.starts_with("invalid type") {
        return format!("値の種類が違います（{message}）。");
    }
    if message.contains("socket address") {
        return "待ち受け先は「127.0.0.1:8443」のように書いてください。".to_owned();
    }
    if message.contains("IP address syntax") || message.contains("IPv4 address syntax") {
        return "アドレスは「192.0.2.10」、ネットワークの長さが要るところでは「192.0.2.10/24」のように書いてください。"
            .to_owned();
    }
    // A reason of ours, which is a sentence already.
    if message.ends_with('。') {
        return message.to_owned();
    }
    format!("書き方が正しくありません（{message}）。")
}
