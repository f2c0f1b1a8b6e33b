//! Attachments in words.

use base::secrecy::Note;
use store::ResidentId;

use super::model::{Attachment, By, Holder, Owner, Version};
use crate::features::masters::Code;
use crate::features::residents::ShieldReason;
pub(super) use crate::web::Choice;
use crate::web::days::moment;
use crate::web::{Fields, Visit};

const KIB: u64 = 1024;
const MIB: u64 = KIB * 1024;

/// 1.2MB, 340KB, 12バイト; rounded up, so that nothing is 0KB.
pub(super) fn size(bytes: u64) -> String {
    if bytes >= MIB {
        let tenths = bytes.saturating_mul(10).div_ceil(MIB);
        match tenths % 10 {
            0 => format!("{}MB", tenths / 10),
            rest => format!("{}.{rest}MB", tenths / 10),
        }
    } else if bytes >= KIB {
        format!("{}KB", bytes.div_ceil(KIB))
    } else {
        format!("{bytes}バイト")
    }
}

/// Title, or the name of the file.
pub(super) fn title(attachment: &Attachment) -> String {
    let title = attachment.title.reveal();
    if title.is_empty() {
        attachment.file_name.reveal().to_owned()
    } else {
        title.to_owned()
    }
}

/// Who did it, and when.
pub(super) fn by(by: &By) -> String {
    format!("{} {}", moment(&by.at), by.name)
}

/// One file of a list.
pub(in crate::features) struct RowWords {
    pub(in crate::features) id: i64,
    pub(in crate::features) title: String,
    /// When the title is another.
    pub(in crate::features) file_name: String,
    pub(in crate::features) note: String,
    pub(in crate::features) kind: &'static str,
    pub(in crate::features) size: String,
    pub(in crate::features) by: String,
    pub(in crate::features) centre: String,
    /// Who withdrew it, when and why.
    pub(in crate::features) withdrawal: Option<String>,
    /// The virus that was found in it; empty: none.
    pub(in crate::features) finding: String,
    /// There is a scanner, and nobody looked into this one.
    pub(in crate::features) unscanned: bool,
    /// When nothing was found in it.
    pub(super) scanned: String,
}

/// Files of a list.
pub(super) fn rows<'a>(
    visit: &Visit,
    attachments: impl IntoIterator<Item = &'a Attachment>,
) -> Vec<RowWords> {
    let words = attachments.into_iter().map(|one| row(visit, one));
    words.collect()
}

pub(super) fn row(visit: &Visit, attachment: &Attachment) -> RowWords {
    let file_name = attachment.file_name.reveal();
    let title = title(attachment);
    RowWords {
        id: attachment.id.0,
        file_name: if title == file_name {
            String::new()
        } else {
            file_name.to_owned()
        },
        title,
        note: attachment.note.reveal().to_owned(),
        finding: attachment.finding().unwrap_or_default().to_owned(),
        unscanned: attachment.look.is_none() && visit.app.scanner().is_some(),
        scanned: match &attachment.look {
            Some(look) if look.finding.is_empty() => moment(&look.at),
            Some(_) | None => String::new(),
        },
        kind: kind(attachment),
        size: size(attachment.bytes),
        by: by(&attachment.added),
        centre: attachment.centre.clone(),
        withdrawal: attachment
            .withdrawal
            .as_ref()
            .map(|(who, why)| format!("{}：{}", by(who), why.reveal())),
    }
}

pub(super) fn kind(attachment: &Attachment) -> &'static str {
    attachment.kind().map_or("不明な種類", |kind| &kind.label)
}

/// Whose file it is.
pub(super) fn name_of(holder: &Holder) -> Note {
    Note::from(holder.name.reveal())
}

/// 有効 or 取消し.
pub(super) fn standing(withdrawn: bool) -> Note {
    Note::from(if withdrawn { "取消し" } else { "有効" })
}

/// Title and note as the form would have sent them.
pub(super) fn typed(title: &Note, note: &Note, reason: &str) -> Fields {
    let pairs = [
        ("title", title.reveal()),
        ("note", note.reveal()),
        ("reason", reason),
    ];
    Fields::from_pairs(pairs.into_iter()).unwrap_or_default()
}

/// Above a list: whose files these are.
pub(super) struct HolderWords {
    pub(super) name: String,
    pub(super) kana: String,
    pub(super) number: String,
    pub(super) href: String,
    pub(super) person: Option<i64>,
}

pub(super) fn holder(holder: &Holder) -> HolderWords {
    HolderWords {
        name: holder.name.reveal().to_owned(),
        kana: holder.kana.reveal().to_owned(),
        number: holder.number.clone(),
        href: holder.owner.path(),
        person: match holder.owner {
            Owner::Resident(_) => None,
            Owner::Consultation(_) => holder.person.map(|ResidentId(id)| id),
        },
    }
}

fn first() -> Choice {
    Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    }
}

pub(super) fn number_kinds(codes: &[Code], typed: &str) -> Vec<Choice> {
    let known = codes.iter().map(|code| Choice {
        value: code.code.clone(),
        label: code.label.clone(),
        selected: code.code == typed,
    });
    std::iter::once(first()).chain(known).collect()
}

/// Why somebody opens what is attached to a person under 支援措置.
pub(super) fn reasons(typed: &str) -> Vec<Choice> {
    let known = ShieldReason::ALL.iter().map(|reason| Choice {
        value: reason.code().to_owned(),
        label: reason.label().to_owned(),
        selected: reason.code() == typed,
    });
    std::iter::once(first()).chain(known).collect()
}

/// What was said about a file, and since when.
pub(super) struct VersionWords {
    pub(super) version: i64,
    pub(super) title: String,
    pub(super) note: String,
    pub(super) reason: String,
    pub(super) by: String,
}

pub(super) fn versions(versions: &[Version], attachment: &Attachment) -> Vec<VersionWords> {
    let file_name = attachment.file_name.reveal();
    let words = |version: &Version| {
        let title = version.title.reveal();
        VersionWords {
            version: version.version,
            title: if title.is_empty() { file_name } else { title }.to_owned(),
            note: version.note.reveal().to_owned(),
            reason: version.reason.reveal().to_owned(),
            by: by(&version.by),
        }
    };
    versions.iter().map(words).collect()
}

/// Title and note as they stand in the form that corrects them.
pub(super) fn said(attachment: &Attachment) -> (&str, &str) {
    (attachment.title.reveal(), attachment.note.reveal())
}

/// What the file was called.
pub(super) fn file_name(attachment: &Attachment) -> String {
    attachment.file_name.reveal().to_owned()
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn a_size_is_told_as_people_read_it() {
        for (bytes, words) in [
            (0, "0バイト"),
            (1_023, "1023バイト"),
            (1_024, "1KB"),
            (1_025, "2KB"),
            (20 * 1_048_576, "20MB"),
            (20 * 1_048_576 + 1, "20.1MB"),
        ] {
            assert_eq!(size(bytes), words);
        }
    }
}
