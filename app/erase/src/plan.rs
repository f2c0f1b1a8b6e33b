//! The plan: everything that holds data, with what becomes of it. What the city agrees to, as a file.
//!
//! Shape: JSON, written once. The hash of the file stands on the papers and is asked for by every later step, so
//! nobody erases by a plan that is not the one on which the seal is.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::disks::{Found, Role};
use crate::error::EraseError;
use crate::list::Listed;
use crate::records::{read_bounded, sha256_of};

/// Of the file; a program that does not know it refuses the plan.
const FORMAT: u16 = 1;
/// Characters of the hash that are the least to be typed from paper: 32 bits.
const HASH_CHARS_MIN: usize = 8;

/// What is done to a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Keys destroyed, every block overwritten and read back, by [`crate::erase`].
    Overwrite,
    /// Shredded, drilled, crushed.
    Destruction,
    /// Paper, at a paper mill.
    Melting,
    /// Paper, cut to pieces.
    Shredding,
    /// Put back to the state in which it was delivered, by its own menu.
    Reset,
}

impl Method {
    /// All, for whoever types one.
    pub const ALL: [Self; 5] = [
        Self::Overwrite,
        Self::Destruction,
        Self::Melting,
        Self::Shredding,
        Self::Reset,
    ];

    /// As on the papers and in the operator's list.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Overwrite => "上書き消去",
            Self::Destruction => "物理的破壊",
            Self::Melting => "溶融",
            Self::Shredding => "裁断",
            Self::Reset => "初期化",
        }
    }

    /// The one of these words.
    #[must_use]
    pub fn of(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.words() == words)
    }
}

/// A disk as the machine described it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Where it was then; where it is when it is erased does not matter.
    pub path: PathBuf,
    /// As the maker calls it.
    pub model: String,
    /// Its own number; empty when it tells none, and then it cannot be erased by us.
    pub serial: String,
    /// Units: bytes.
    pub size_bytes: u64,
    /// Spins: what is overwritten is where it was. Nothing when it was away.
    pub rotational: Option<bool>,
    /// A LUKS header was seen on it. Nothing when it was away.
    pub encrypted: Option<bool>,
    /// A file, or a loop device of one: nothing but tests and virtual disks.
    #[serde(default)]
    pub image: bool,
}

/// One line of the application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// From 1.
    pub number: u16,
    /// 媒体名.
    pub medium: String,
    /// 項目: what is recorded on it.
    pub contents: String,
    /// 数量, with its unit.
    pub amount: String,
    /// 消去又は廃棄の方法.
    pub method: Method,
    /// Anything else the city should know before it agrees.
    pub note: String,
    /// 処理予定日.
    pub planned_on: Date,
    /// 立会人; nobody is an answer, too.
    pub attendants: Vec<String>,
    /// Numbers on the labels of what no program sees.
    pub serials: Vec<String>,
    /// What we can erase ourselves.
    pub device: Option<Device>,
}

/// A disk of this machine that is not erased, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Which.
    pub device: Device,
    /// The operator's words.
    pub reason: String,
}

/// Everything that holds data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Of this file.
    pub format: u16,
    /// On every paper.
    pub id: String,
    /// When it was made.
    pub made_at: Timestamp,
    /// By whom.
    pub made_by: String,
    /// To whom the application goes.
    pub addressee: String,
    /// Who applies.
    pub contractor: String,
    /// What is erased or disposed of.
    pub items: Vec<Item>,
    /// Disks that were seen and stay as they are.
    pub left_out: Vec<LeftOut>,
}

impl Item {
    /// The numbers by which somebody tells it from another one.
    #[must_use]
    pub fn numbers(&self) -> Vec<String> {
        let own = self.device.iter().map(|device| device.serial.clone());
        let own = own.filter(|serial| !serial.is_empty());
        own.chain(self.serials.iter().cloned()).collect()
    }
}

impl Plan {
    /// What was written down and what the machine sees, in one.
    ///
    /// # Errors
    /// [`EraseError::List`] about a disk that is listed, not here, and of which the size is not said.
    pub fn made(
        listed: Listed,
        found: Vec<Found>,
        made_by: &str,
        now: Timestamp,
    ) -> Result<Self, EraseError> {
        let mut items = Vec::new();
        let mut left_out = Vec::new();
        let mut known = listed.devices.clone();
        for found in found {
            let at = known.iter().position(|said| said.is(&found.device));
            let said = at.map(|at| known.swap_remove(at));
            if let Some(reason) = said.as_ref().and_then(|said| said.leave_out.clone()) {
                let device = found.device;
                left_out.push(LeftOut { device, reason });
                continue;
            }
            let said = said.unwrap_or_default();
            items.push(Item {
                number: 0,
                medium: said.medium.unwrap_or_else(|| medium_of(&found)),
                contents: said
                    .contents
                    .unwrap_or_else(|| found.role.words().to_owned()),
                amount: "1台".to_owned(),
                method: said.method.unwrap_or_else(|| method_of(&found.device)),
                note: joined(&said.note, &notes_of(&found.device)),
                planned_on: said.planned_on.unwrap_or(listed.planned_on),
                attendants: said.attendants.unwrap_or_else(|| listed.attendants.clone()),
                serials: Vec::new(),
                device: Some(found.device),
            });
        }
        // Back into the order of the list: those left are away.
        known.sort_by_key(|said| said.line);
        for said in known {
            items.push(away(said, &listed)?);
        }
        items.extend(listed.items);
        for (item, number) in items.iter_mut().zip(1..) {
            item.number = number;
        }
        let local = base::clock::japan().to_datetime(now);
        Ok(Self {
            format: FORMAT,
            id: format!("E{}", local.strftime("%Y%m%d-%H%M%S%3f")),
            made_at: now,
            made_by: made_by.to_owned(),
            addressee: listed.addressee,
            contractor: listed.contractor,
            items,
            left_out,
        })
    }
}

/// A disk that is in another building today, and is erased when it is here.
fn away(said: crate::list::ListedDevice, listed: &Listed) -> Result<Item, EraseError> {
    let wrong = |reason: &str| EraseError::List {
        path: listed.path.clone(),
        line: said.line,
        reason: reason.to_owned(),
    };
    if said.leave_out.is_some() {
        return Err(wrong(
            "leave_out の装置がつながっていません。製造番号を lsblk の表示と比べてください。",
        ));
    }
    let size_bytes = said.size_bytes.ok_or_else(|| {
        wrong(
            "この製造番号の装置はつながっていません。つなぐか、size_bytes（lsblk --bytes の SIZE）を\
             書いてください。",
        )
    })?;
    let contents = said.contents.clone();
    let device = Device {
        path: PathBuf::new(),
        model: said.model.clone().unwrap_or_default(),
        serial: said.serial.clone(),
        size_bytes,
        rotational: None,
        encrypted: None,
        image: false,
    };
    Ok(Item {
        number: 0,
        medium: said.medium.clone().unwrap_or_else(|| "ディスク".to_owned()),
        contents: contents.ok_or_else(|| {
            wrong("つながっていない装置には、contents（何が記録されているか）が要ります。")
        })?,
        amount: "1台".to_owned(),
        method: said.method.unwrap_or(Method::Overwrite),
        note: joined(&said.note, &["計画のときはつながっていない"]),
        planned_on: said.planned_on.unwrap_or(listed.planned_on),
        attendants: said.attendants.unwrap_or_else(|| listed.attendants.clone()),
        serials: Vec::new(),
        device: Some(device),
    })
}

fn medium_of(found: &Found) -> String {
    let name = match found.role {
        Role::System => "内蔵ディスク（システム）",
        Role::Data => "内蔵ディスク（データ）",
        Role::Backup => "外付けディスク（バックアップ）",
        Role::Image => "ディスクイメージ",
        Role::Unknown => "ディスク",
    };
    let model = &found.device.model;
    if model.is_empty() {
        name.to_owned()
    } else {
        format!("{name} {model}")
    }
}

/// What cannot be told apart when it is erased is left to be destroyed.
fn method_of(device: &Device) -> Method {
    if device.serial.is_empty() {
        Method::Destruction
    } else {
        Method::Overwrite
    }
}

fn notes_of(device: &Device) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if device.serial.is_empty() {
        notes.push("製造番号を読み取れないので、上書き消去の対象にできない");
    }
    if device.encrypted == Some(true) {
        notes.push("暗号化あり（先に鍵を破棄する）");
    }
    if device.rotational == Some(false) && device.encrypted != Some(true) {
        notes.push("SSD等で暗号化なし。上書きの届かない予備領域があるので、物理的破壊も検討する");
    }
    notes
}

fn joined(own: &str, more: &[&str]) -> String {
    let own = (!own.is_empty()).then_some(own);
    let all: Vec<&str> = own.into_iter().chain(more.iter().copied()).collect();
    all.join("。")
}

/// A plan with the hash of the file it came from.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// What it says.
    pub plan: Plan,
    /// Of the whole file, 64 hexadecimal digits.
    pub sha256: String,
}

impl Sealed {
    /// The bytes of the file, with their hash.
    ///
    /// # Errors
    /// None that happens: a plan is always JSON.
    pub fn new(plan: Plan) -> Result<(Self, Vec<u8>), EraseError> {
        let bent = |source| EraseError::Bent {
            path: PathBuf::new(),
            source,
        };
        let mut bytes = serde_json::to_vec_pretty(&plan).map_err(bent)?;
        bytes.push(b'\n');
        let sha256 = sha256_of(&bytes);
        Ok((Self { plan, sha256 }, bytes))
    }

    /// Reads the file.
    ///
    /// # Errors
    /// [`EraseError::Unreadable`], [`EraseError::Bent`], [`EraseError::Refused`] for another format.
    pub fn read(path: &Path) -> Result<Self, EraseError> {
        let bytes = read_bounded(path)?;
        let plan: Plan = serde_json::from_slice(&bytes).map_err(|source| EraseError::Bent {
            path: path.to_owned(),
            source,
        })?;
        if plan.format != FORMAT {
            return Err(EraseError::Refused(format!(
                "この計画は別の版（形式 {}）のものです。作った版の hokatsu を使ってください。",
                plan.format
            )));
        }
        let sha256 = sha256_of(&bytes);
        Ok(Self { plan, sha256 })
    }

    /// Is this the plan of the paper on which this hash, or at least its beginning, stands?
    #[must_use]
    pub fn is_of(&self, typed: &str) -> bool {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let typed = typed.to_ascii_lowercase();
        typed.len() >= HASH_CHARS_MIN && self.sha256.starts_with(&typed)
    }

    /// The item of this number.
    ///
    /// # Errors
    /// [`EraseError::Refused`] when there is none.
    pub fn item(&self, number: u16) -> Result<&Item, EraseError> {
        let item = self.plan.items.iter().find(|item| item.number == number);
        item.ok_or_else(|| {
            EraseError::Refused(format!(
                "計画に番号 {number} はありません（1 から {} まで）。",
                self.plan.items.len()
            ))
        })
    }
}
