//! One disk that may be erased: it is the one of the plan, and nobody uses it.

use std::path::{Path, PathBuf};

use crate::disks::{Found, disks, image};
use crate::error::EraseError;
use crate::plan::{Device, Item, Method};

/// A disk that was looked at and may be erased.
#[derive(Debug)]
pub struct Medium {
    found: Found,
}

impl Medium {
    /// Looks for the disk of an item, by its number and not by its name, and at whether it may be erased.
    /// `images`: files are meant, and nothing else then.
    ///
    /// # Errors
    /// [`EraseError::Refused`] with what is in the way; [`EraseError::Tool`], [`EraseError::Device`].
    pub fn of(item: &Item, images: bool) -> Result<Self, EraseError> {
        let refuse = |words: String| Err(EraseError::Refused(words));
        let Some(device) = &item.device else {
            return refuse(format!(
                "番号 {}（{}）は、この機械では消せません。方法は「{}」です。済んだら hokatsu erase record で\
                 記録してください。",
                item.number,
                item.medium,
                item.method.words()
            ));
        };
        if item.method != Method::Overwrite {
            return refuse(format!(
                "番号 {}（{}）の方法は「{}」です。上書き消去は承諾されていません。",
                item.number,
                item.medium,
                item.method.words()
            ));
        }
        if device.serial.is_empty() {
            return refuse(
                "製造番号のない装置は見分けられません。物理的に破壊してください。".to_owned(),
            );
        }
        match (device.image, images) {
            (true, false) => {
                return refuse(
                    "これはディスクイメージ（ファイル）です。そのつもりなら --image を付けてください。"
                        .to_owned(),
                );
            }
            (false, true) => {
                return refuse("計画のこの番号は本物の装置です。--image は使えません。".to_owned());
            }
            (true, true) | (false, false) => {}
        }
        let found = if images {
            image(&device.path)?
        } else {
            connected(device)?
        };
        fits(&found, device)?;
        Ok(Self { found })
    }

    /// Where it is now.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.found.device.path
    }

    /// Units: bytes.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.found.device.size_bytes
    }

    /// Where LUKS headers are.
    #[must_use]
    pub fn locked(&self) -> &[PathBuf] {
        &self.found.locked
    }
}

fn connected(device: &Device) -> Result<Found, EraseError> {
    let all = disks()?.into_iter();
    let mut same: Vec<Found> = all
        .filter(|found| found.device.serial == device.serial)
        .collect();
    if same.len() > 1 {
        return Err(EraseError::Refused(format!(
            "製造番号 {} の装置が {} 台つながっています。1台にしてください。",
            device.serial,
            same.len()
        )));
    }
    same.pop().ok_or_else(|| {
        EraseError::Refused(format!(
            "製造番号 {} の装置がつながっていません。計画の装置をつないでください。",
            device.serial
        ))
    })
}

fn fits(found: &Found, planned: &Device) -> Result<(), EraseError> {
    let at = found.device.path.display();
    let refuse = |words: String| Err(EraseError::Refused(words));
    if found.device.serial != planned.serial {
        return refuse(format!(
            "{at} の製造番号は {} で、計画の {} と違います。何も消していません。",
            found.device.serial, planned.serial
        ));
    }
    if found.device.size_bytes != planned.size_bytes {
        return refuse(format!(
            "{at} の大きさは {} バイトで、計画の {} バイトと違います。何も消していません。",
            found.device.size_bytes, planned.size_bytes
        ));
    }
    if !found.users.is_empty() {
        return refuse(format!(
            "{at} は使われています。止めてから実行してください: {}",
            found.users.join("、")
        ));
    }
    if found.read_only {
        return refuse(format!(
            "{at} は書込み禁止です。禁止を外すか、物理的に破壊してください。"
        ));
    }
    Ok(())
}
