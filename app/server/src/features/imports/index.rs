//! Search keys of a resident: derived from the register and from what staff corrected.

use base::text::{address_key, digits, kana_key, kana_loose, kanji_key};
use store::{ResidentId, StoreError, WriteTx, params};

pub(super) struct NameKeys {
    pub(super) kind: &'static str,
    /// kana, given name's kana, both loose, kanji: in the order of the table.
    pub(super) keys: [String; 5],
}

pub(super) const INSERT_NAME: &str = "insert into resident_names (resident_id, kind, kana_key,
    kana_given_key, kana_loose, kana_given_loose, kanji_key) values (?, ?, ?, ?, ?, ?, ?)";
pub(super) const INSERT_PLACE: &str =
    "insert into resident_places (resident_id, phone_digits, address_key) values (?, ?, ?)";

fn keys(kind: &'static str, name: &str, kana: &str) -> NameKeys {
    let given = kana.split(['　', ' ']).nth(1).unwrap_or("");
    let keys = [
        kana_key(kana),
        kana_key(given),
        kana_loose(kana),
        kana_loose(given),
        kanji_key(name),
    ];
    NameKeys { kind, keys }
}

/// The names by which somebody may be asked for. `get` gives a column of the resident.
pub(super) fn names<'r>(get: impl Fn(&str) -> &'r str) -> Vec<NameKeys> {
    let mut all = vec![keys("register", get("name"), get("kana"))];
    if !get("alias_name").is_empty() || !get("alias_kana").is_empty() {
        all.push(keys("alias", get("alias_name"), get("alias_kana")));
    }
    if !get("latin_name").is_empty() {
        all.push(keys("latin", get("latin_name"), get("latin_name")));
    }
    if !get("former_surname").is_empty() {
        all.push(keys("former", get("former_surname"), ""));
    }
    all
}

/// Phone digits and address key.
pub(super) fn place(phone: &str, address: &str) -> (String, String) {
    (digits(phone), address_key(address).main)
}

const ROW: &str = "select r.name, r.kana, r.alias_name, r.alias_kana, r.latin_name,
    r.former_surname, r.phone, r.address from residents r where r.id = ?1";
const CORRECTED: &str = "select c.field, c.value from resident_corrections c
    where c.resident_id = ?1 and not exists
      (select 1 from resident_correction_endings e where e.correction_id = c.id)
    order by c.id";

/// Derives the search keys of a resident anew from the register and the corrections that hold.
/// Only inside a transaction of the system.
///
/// # Errors
/// [`StoreError`].
pub fn reindex(tx: &WriteTx<'_>, resident: ResidentId) -> Result<(), StoreError> {
    let row = tx.one(ROW, params![resident], |row| {
        let mut values = [const { String::new() }; 8];
        for (at, value) in values.iter_mut().enumerate() {
            *value = row.get(at)?;
        }
        Ok(values)
    })?;
    let Some(
        [
            name,
            kana,
            alias_name,
            alias_kana,
            latin,
            former,
            mut phone,
            mut address,
        ],
    ) = row
    else {
        return Ok(());
    };
    let corrected = tx.all(CORRECTED, params![resident], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut names = names(|field| match field {
        "name" => &name,
        "kana" => &kana,
        "alias_name" => &alias_name,
        "alias_kana" => &alias_kana,
        "latin_name" => &latin,
        "former_surname" => &former,
        _ => "",
    });
    let mut correction = None;
    for (field, value) in corrected {
        match field.as_str() {
            "kana" => correction = Some(keys("correction", &name, &value)),
            "phone" => phone = value,
            "address" => address = value,
            _ => {}
        }
    }
    names.extend(correction);
    tx.execute(
        "delete from resident_names where resident_id = ?1",
        params![resident],
    )?;
    tx.execute(
        "delete from resident_places where resident_id = ?1",
        params![resident],
    )?;
    for NameKeys {
        kind,
        keys: [kana, given, loose, given_loose, kanji],
    } in names
    {
        tx.execute(
            INSERT_NAME,
            params![resident, kind, kana, given, loose, given_loose, kanji],
        )?;
    }
    let (phone, address) = place(&phone, &address);
    tx.execute(INSERT_PLACE, params![resident, phone, address])?;
    Ok(())
}
