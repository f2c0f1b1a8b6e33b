//! What the operator wrote down: what no program sees, and better words for what it does.
//!
//! Shape: TOML. `addressee`, `contractor`, `planned_on`, `attendants` for all; `[[devices]]` about a disk by its
//! serial number (or its path, when it has none); `[[items]]` for everything else.

use std::ops::Range;
use std::path::{Path, PathBuf};

use base::settings::{line_at, toml_problem};
use base::wareki;
use jiff::civil::Date;
use serde::Deserialize;
use toml::Spanned;

use crate::error::EraseError;
use crate::plan::{Device, Item, Method};
use crate::records::read_bounded;

/// Characters of one text.
const CHARS_MAX: usize = 200;
/// People who stand by one item.
const ATTENDANTS_MAX: usize = 8;
/// Lines of one application.
const ITEMS_MAX: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Typed {
    addressee: Spanned<String>,
    contractor: Spanned<String>,
    planned_on: Spanned<String>,
    #[serde(default)]
    attendants: Vec<Spanned<String>>,
    #[serde(default)]
    devices: Vec<Spanned<TypedDevice>>,
    #[serde(default)]
    items: Vec<Spanned<TypedItem>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedDevice {
    serial: Option<Spanned<String>>,
    path: Option<PathBuf>,
    model: Option<Spanned<String>>,
    size_bytes: Option<u64>,
    medium: Option<Spanned<String>>,
    contents: Option<Spanned<String>>,
    method: Option<Spanned<String>>,
    note: Option<Spanned<String>>,
    planned_on: Option<Spanned<String>>,
    attendants: Option<Vec<Spanned<String>>>,
    leave_out: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypedItem {
    medium: Spanned<String>,
    contents: Spanned<String>,
    amount: Spanned<String>,
    method: Spanned<String>,
    note: Option<Spanned<String>>,
    planned_on: Option<Spanned<String>>,
    attendants: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    serials: Vec<Spanned<String>>,
}

/// What the list says about one disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListedDevice {
    pub(crate) line: usize,
    pub(crate) serial: String,
    pub(crate) path: Option<PathBuf>,
    pub(crate) model: Option<String>,
    pub(crate) size_bytes: Option<u64>,
    pub(crate) medium: Option<String>,
    pub(crate) contents: Option<String>,
    pub(crate) method: Option<Method>,
    pub(crate) note: String,
    pub(crate) planned_on: Option<Date>,
    pub(crate) attendants: Option<Vec<String>>,
    pub(crate) leave_out: Option<String>,
}

impl ListedDevice {
    /// Is it about this one?
    pub(crate) fn is(&self, device: &Device) -> bool {
        if self.serial.is_empty() {
            device.serial.is_empty() && self.path.as_ref() == Some(&device.path)
        } else {
            self.serial == device.serial
        }
    }
}

/// The whole list, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub(crate) path: PathBuf,
    pub(crate) addressee: String,
    pub(crate) contractor: String,
    pub(crate) planned_on: Date,
    pub(crate) attendants: Vec<String>,
    pub(crate) devices: Vec<ListedDevice>,
    pub(crate) items: Vec<Item>,
}

/// A place in the text and what is wrong with it.
type Wrong = (Range<usize>, String);

/// Reads and checks the list. `today` is the first day on which something can be planned.
///
/// # Errors
/// [`EraseError::Unreadable`], [`EraseError::List`] with the line.
pub fn list(path: &Path, today: Date) -> Result<Listed, EraseError> {
    let bytes = read_bounded(path)?;
    let wrong = |line, reason| EraseError::List {
        path: path.to_owned(),
        line,
        reason,
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to());
        let line = before.filter(|byte| **byte == b'\n').count() + 1;
        wrong(line, "UTF-8 で書いてください。".to_owned())
    })?;
    let typed: Typed = toml::from_str(&text).map_err(|error| {
        let (line, reason) = toml_problem(&text, &error);
        wrong(line, reason)
    })?;
    checked(typed, &text, path, today)
        .map_err(|(at, reason)| wrong(line_at(&text, at.start), reason))
}

fn checked(typed: Typed, text: &str, path: &Path, today: Date) -> Result<Listed, Wrong> {
    let planned_on = day(&typed.planned_on, today)?;
    let attendants = people(&typed.attendants)?;
    if let Some(over) = typed.items.get(ITEMS_MAX) {
        return Err((over.span(), format!("品目は {ITEMS_MAX} 件までです。")));
    }
    let mut devices: Vec<ListedDevice> = Vec::new();
    for one in &typed.devices {
        let line = line_at(text, one.span().start);
        let device = device(one.get_ref(), one.span(), line, today)?;
        let twice = |known: &ListedDevice| {
            (known.serial.as_str(), &known.path) == (device.serial.as_str(), &device.path)
        };
        if devices.iter().any(twice) {
            return Err((one.span(), "同じ装置が二度書かれています。".to_owned()));
        }
        devices.push(device);
    }
    let mut items = Vec::new();
    for one in &typed.items {
        let one = one.get_ref();
        let method = method(&one.method)?;
        if method == Method::Overwrite {
            return Err((
                one.method.span(),
                "上書き消去は、製造番号のある [[devices]] だけで使えます。".to_owned(),
            ));
        }
        items.push(Item {
            number: 0,
            medium: words(&one.medium)?,
            contents: words(&one.contents)?,
            amount: words(&one.amount)?,
            method,
            note: one.note.as_ref().map_or(Ok(String::new()), words)?,
            planned_on: own_day(one.planned_on.as_ref(), today)?.unwrap_or(planned_on),
            attendants: own_people(one.attendants.as_ref())?.unwrap_or_else(|| attendants.clone()),
            serials: one.serials.iter().map(words).collect::<Result<_, _>>()?,
            device: None,
        });
    }
    Ok(Listed {
        path: path.to_owned(),
        addressee: words(&typed.addressee)?,
        contractor: words(&typed.contractor)?,
        planned_on,
        attendants,
        devices,
        items,
    })
}

fn device(
    one: &TypedDevice,
    at: Range<usize>,
    line: usize,
    today: Date,
) -> Result<ListedDevice, Wrong> {
    let said = |text: Option<&Spanned<String>>| text.map(words).transpose();
    let serial = said(one.serial.as_ref())?.unwrap_or_default();
    if serial.is_empty() == one.path.is_none() {
        let reason =
            "serial（製造番号）か、番号のない装置では path の、どちらか一つを書いてください。";
        return Err((at, reason.to_owned()));
    }
    let method_said = one.method.as_ref().map(method).transpose()?;
    if let (Some(Method::Overwrite), Some(said), true) =
        (method_said, &one.method, serial.is_empty())
    {
        let reason = "製造番号のない装置は見分けられないので、上書き消去の対象にできません。";
        return Err((said.span(), reason.to_owned()));
    }
    Ok(ListedDevice {
        line,
        serial,
        path: one.path.clone(),
        model: said(one.model.as_ref())?,
        size_bytes: one.size_bytes,
        medium: said(one.medium.as_ref())?,
        contents: said(one.contents.as_ref())?,
        method: method_said,
        note: said(one.note.as_ref())?.unwrap_or_default(),
        planned_on: own_day(one.planned_on.as_ref(), today)?,
        attendants: own_people(one.attendants.as_ref())?,
        leave_out: said(one.leave_out.as_ref())?,
    })
}

fn words(typed: &Spanned<String>) -> Result<String, Wrong> {
    let text = typed.get_ref().trim();
    let reason = if text.is_empty() {
        "空欄です。".to_owned()
    } else if text.chars().count() > CHARS_MAX {
        format!("{CHARS_MAX}文字までで書いてください。")
    } else if text.chars().any(char::is_control) {
        "1行で書いてください（改行やタブは使えません）。".to_owned()
    } else {
        return Ok(text.to_owned());
    };
    Err((typed.span(), reason))
}

fn people(typed: &[Spanned<String>]) -> Result<Vec<String>, Wrong> {
    if let Some(over) = typed.get(ATTENDANTS_MAX) {
        return Err((
            over.span(),
            format!("立会人は {ATTENDANTS_MAX} 人までです。"),
        ));
    }
    typed.iter().map(words).collect()
}

fn own_people(typed: Option<&Vec<Spanned<String>>>) -> Result<Option<Vec<String>>, Wrong> {
    typed.map(|typed| people(typed)).transpose()
}

fn own_day(typed: Option<&Spanned<String>>, today: Date) -> Result<Option<Date>, Wrong> {
    typed.map(|typed| day(typed, today)).transpose()
}

fn day(typed: &Spanned<String>, today: Date) -> Result<Date, Wrong> {
    let parsed = wareki::parse(typed.get_ref()).ok();
    let day = parsed
        .and_then(|parsed| parsed.date.full())
        .ok_or_else(|| {
            let reason = "日付は「R9.3.31」か「2027-03-31」のように書いてください。";
            (typed.span(), reason.to_owned())
        })?;
    if day < today {
        return Err((typed.span(), "処理予定日が過ぎています。".to_owned()));
    }
    Ok(day)
}

fn method(typed: &Spanned<String>) -> Result<Method, Wrong> {
    Method::of(typed.get_ref().trim()).ok_or_else(|| {
        let known: Vec<&str> = Method::ALL.into_iter().map(Method::words).collect();
        let reason = format!("方法は、{} のどれかです。", known.join("、"));
        (typed.span(), reason)
    })
}

#[cfg(test)]
mod tests {
    use base::paths::{MODE_PRIVATE, write_atomic};
    use jiff::civil::date;

    use super::*;

    const HEAD: &str = "addressee = \"みどり市長\"\ncontractor = \"架空システム株式会社\"\n\
                        planned_on = \"R9.3.31\"\nattendants = [\"見本 太郎\"]\n";

    fn read(rest: &str) -> Result<Listed, EraseError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.toml");
        write_atomic(&path, format!("{HEAD}{rest}").as_bytes(), MODE_PRIVATE).unwrap();
        list(&path, date(2027, 3, 1))
    }

    /// Line and reason.
    fn refused(rest: &str) -> (usize, String) {
        let error = read(rest).unwrap_err();
        let EraseError::List { line, reason, .. } = error else {
            panic!("{error}");
        };
        (line, reason)
    }

    #[test]
    fn what_is_not_said_of_one_item_is_what_is_said_for_all() {
        let listed = read(
            "[[items]]\nmedium = \"紙の記録\"\ncontents = \"相談票の写し\"\namount = \"3箱\"\n\
             method = \"溶融\"\n[[items]]\nmedium = \"タブレット\"\ncontents = \"閲覧の履歴\"\n\
             amount = \"2台\"\nmethod = \"初期化\"\nplanned_on = \"2027-04-02\"\nattendants = []\n\
             serials = [\"T-1\", \"T-2\"]\n",
        )
        .unwrap();
        let [paper, tablet] = listed.items.as_slice() else {
            panic!("two items");
        };
        assert_eq!(paper.method, Method::Melting);
        assert_eq!(paper.planned_on, date(2027, 3, 31));
        assert_eq!(paper.attendants, ["見本 太郎"]);
        assert_eq!(tablet.planned_on, date(2027, 4, 2));
        assert_eq!(tablet.attendants, [""; 0]);
        assert_eq!(tablet.serials, ["T-1", "T-2"]);
    }

    #[test]
    fn the_list_of_the_runbook_is_one() {
        let page = include_str!("../../../runbooks/end-of-contract.md");
        let block = page.split("```toml").nth(1).unwrap();
        let block = block.split("```").next().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.toml");
        write_atomic(&path, block.as_bytes(), MODE_PRIVATE).unwrap();
        let listed = list(&path, date(2027, 3, 1)).unwrap();
        assert_eq!((listed.devices.len(), listed.items.len()), (2, 2));
    }

    #[test]
    fn each_mistake_is_told_with_its_line_and_what_is_right() {
        let item = "[[items]]\nmedium = \"紙\"\ncontents = \"写し\"\namount = \"3箱\"\n";
        let (line, reason) = refused(&format!("{item}method = \"燃やす\"\n"));
        assert_eq!(line, 9);
        assert!(reason.contains("上書き消去、物理的破壊、溶融"), "{reason}");
        let (line, reason) = refused(&format!(
            "{item}method = \"溶融\"\nplanned_on = \"R9.2.28\"\n"
        ));
        assert_eq!((line, reason.as_str()), (10, "処理予定日が過ぎています。"));
        let (line, reason) = refused(&format!("{item}method = \"上書き消去\"\n"));
        assert_eq!(line, 9);
        assert!(reason.contains("[[devices]]"), "{reason}");
        let (line, reason) = refused(&format!("{item}methd = \"溶融\"\n"));
        assert_eq!(line, 9);
        assert!(
            reason.starts_with("「methd」という項目はありません"),
            "{reason}"
        );
        let (line, _) = refused("[[devices]]\ncontents = \"写し\"\n");
        assert_eq!(line, 5);
        let (line, reason) = refused("[[devices]]\npath = \"/dev/vda\"\nmethod = \"上書き消去\"\n");
        assert_eq!(line, 7);
        assert!(reason.contains("見分けられない"), "{reason}");
        let twice = "[[devices]]\nserial = \"S\"\n".repeat(2);
        assert_eq!(
            refused(&twice),
            (7, "同じ装置が二度書かれています。".to_owned())
        );
        let (line, reason) = refused(
            "[[items]]\nmedium = \"\"\ncontents = \"写し\"\namount = \"1\"\nmethod = \"裁断\"\n",
        );
        assert_eq!((line, reason.as_str()), (6, "空欄です。"));
    }

    #[test]
    fn text_in_another_encoding_is_told_with_the_line_where_it_begins() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.toml");
        write_atomic(&path, b"# ok\naddressee = \"\x82\xa0\"\n", MODE_PRIVATE).unwrap();
        let error = list(&path, date(2027, 3, 1)).unwrap_err();
        assert!(matches!(error, EraseError::List { line: 2, .. }), "{error}");
    }
}
