//! Which history this directory goes on with.

use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom as _, SystemRandom};
use store::{ReadTx, StoreError, WriteTx, params};

/// The beginning of a history: after a restore, or after one was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Grows with each.
    pub epoch: i64,
    /// Drawn at random.
    pub token: String,
}

/// 128 random bits: two machines never draw the same. Nothing when the system gives none.
#[must_use]
pub fn draw_token() -> Option<String> {
    let mut bytes = [0_u8; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(HEXLOWER.encode(&bytes))
}

/// Everything that this history grew out of or took over, oldest first.
///
/// # Errors
/// [`StoreError`].
pub fn lineages(tx: &ReadTx<'_>) -> Result<Vec<Beginning>, StoreError> {
    let sql = "select epoch, token from lineages order by epoch, id";
    tx.all(sql, [], |row| {
        Ok(Beginning {
            epoch: row.get(0)?,
            token: row.get(1)?,
        })
    })
}

/// Takes over what others know, and begins anew behind all of them; the same token begins once.
pub(super) fn begin(
    tx: &WriteTx<'_>,
    known: &[Beginning],
    token: &str,
    now: &str,
) -> Result<Beginning, StoreError> {
    let sql = "insert into lineages (epoch, token, recorded_at) values (?1, ?2, ?3)
        on conflict (token) do nothing";
    for one in known.iter().filter(|one| one.token != token) {
        tx.execute(sql, params![one.epoch, one.token, now])?;
    }
    let next = "insert into lineages (epoch, token, recorded_at)
        select coalesce(max(epoch), 0) + 1, ?1, ?2 from lineages where true
        on conflict (token) do nothing";
    tx.execute(next, params![token, now])?;
    let epoch = tx.count(
        "select epoch from lineages where token = ?1",
        params![token],
    )?;
    Ok(Beginning {
        epoch,
        token: token.to_owned(),
    })
}
