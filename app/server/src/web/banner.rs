//! What must not be overlooked stands above every page: for administrators an open door for the
//! vendor, an opened envelope, a missing key, backups that are late, a machine that wears out, viruses; for those
//! who look after backup disks one that may be unplugged; for whoever sits there a certificate near its end; for
//! everybody that the power has failed.

use std::collections::BTreeMap;
use std::path::Path;

use base::clock::japan;
use base::disks::{Here, Plugged};
use base::machine::Condition;
use base::small_file;
use base::wareki::Wareki;
use jiff::Timestamp;
use store::{ReadTx, StoreError, params};

use crate::web::permission::Permission;
use crate::web::power;
use crate::web::viruses;
use crate::web::visit::Visit;

/// Banners on one page; more than this many open doors are counted, not listed.
const BANNERS_MAX: i64 = 5;
/// Of the machine itself; all of them are on its page.
const ALARMS_MAX: usize = 5;

/// One sentence above the page, with the way to what it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Banner {
    /// The sentence.
    pub text: String,
    /// Where more is told; empty when that is at the machine.
    pub href: String,
    /// What the link says.
    pub link: &'static str,
}

/// What this person must see. A database that does not answer leaves them out; the page itself
/// then says so.
pub(crate) fn of(visit: &Visit) -> Vec<Banner> {
    let mut banners = power::of(visit);
    banners.extend(of_administrators(visit));
    banners.extend(machine(visit));
    banners.extend(disks_here(visit));
    banners.extend(own_terminal(visit));
    banners
}

/// The terminal that somebody sits at, near the end of its certificate.
fn own_terminal(visit: &Visit) -> Option<Banner> {
    let here = visit.terminal.as_ref()?;
    let left = here.ends_soon(visit.today()).filter(|_| !here.renewed)?;
    visit.staff.as_ref().map(|_| Banner {
        text: format!(
            "この端末（{}）の証明書は、あと{left}日で期限が切れます。切れると、この端末から入れなくなります。",
            here.name
        ),
        href: "/terminals/own".to_owned(),
        link: "更新する",
    })
}

/// A backup disk that is plugged in: may it be unplugged?
fn disks_here(visit: &Visit) -> Vec<Banner> {
    if visit.staff.is_none() || !visit.may(Permission::BackupDiskView) {
        return Vec::new();
    }
    let here = Here::read(&visit.app.db().dir().disks_here());
    let here = here.unwrap_or_else(|error| {
        log::warn!("the disks that are plugged in cannot be read: {error}");
        BTreeMap::new()
    });
    let banner = |plugged: Plugged| Banner {
        text: plugged.words,
        href: "/backup-disks".to_owned(),
        link: "バックアップディスク",
    };
    here.into_values().map(banner).collect()
}

fn of_administrators(visit: &Visit) -> Vec<Banner> {
    if let Some(window) = &visit.window {
        return vec![Banner {
            text: format!(
                "保守作業中です。{}に終わります。画面の操作と入力はすべて記録しています。",
                moment(&window.ends_at)
            ),
            href: "/maintenance/own".to_owned(),
            link: "保守作業の画面",
        }];
    }
    let doors = visit.may(Permission::MaintenanceView);
    let accounts = visit.may(Permission::StaffAdminister);
    if !doors && !accounts {
        return Vec::new();
    }
    let found = visit.app.db().read(&visit.actor, |tx| {
        let mut banners = Vec::new();
        if doors {
            banners = opened_envelopes(tx, visit)?;
            banners.extend(open_doors(tx, visit)?);
        }
        if accounts {
            banners.extend(restored(tx)?);
            banners.extend(closed_secrets(tx, visit)?);
            banners.extend(late_backup(visit));
            banners.extend(viruses::of(visit, tx)?);
        }
        Ok::<_, StoreError>(banners)
    });
    found.unwrap_or_else(|error| {
        log::warn!("banners cannot be read: {error}");
        Vec::new()
    })
}

/// What is wrong with the machine itself, an update that did not come up included.
fn machine(visit: &Visit) -> Vec<Banner> {
    let looks = visit.staff.is_some() && visit.window.is_none();
    if !looks || !visit.may(Permission::MachineView) {
        return Vec::new();
    }
    let Some(machine) = visit.app.machine() else {
        return Vec::new();
    };
    let banner = |one: &Condition| Banner {
        text: match one.runbook {
            Some(page) => format!("{}：{}（手順書 {}）", one.matter, one.text, page.stem()),
            None => format!("{}：{}", one.matter, one.text),
        },
        href: "/conditions".to_owned(),
        link: "装置の状態",
    };
    machine.alarms().take(ALARMS_MAX).map(banner).collect()
}

const DOORS: &str = "
    select g.id, s.name, g.ends_at, g.purpose from maintenance_grants g
    join staff s on s.id = g.staff_id
    where g.starts_at <= ?1 and g.ends_at > ?1
      and not exists (select 1 from maintenance_endings e where e.grant_id = g.id)
    order by g.id limit ?2";

fn open_doors(tx: &ReadTx<'_>, visit: &Visit) -> Result<Vec<Banner>, StoreError> {
    let now = format!("{:.6}", visit.app.clock().now());
    tx.all(DOORS, params![now, BANNERS_MAX], |row| {
        let (id, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let (ends_at, purpose): (String, String) = (row.get(2)?, row.get(3)?);
        Ok(Banner {
            text: format!(
                "保守事業者の {name} さんに入口を開けています（{}まで）。目的：{purpose}",
                moment(&ends_at)
            ),
            href: format!("/maintenance/{id}"),
            link: "記録を見る・終わらせる",
        })
    })
}

const ENVELOPES: &str = "
    select o.recorded_at, s.login, o.reason from break_glass_openings o
    join staff s on s.id = o.staff_id
    where not exists (select 1 from break_glass_acknowledgements a
                      where a.opening_id = o.id and a.staff_id = ?1)
    order by o.id desc limit ?2";

fn opened_envelopes(tx: &ReadTx<'_>, visit: &Visit) -> Result<Vec<Banner>, StoreError> {
    let viewer = visit.actor.staff_id;
    tx.all(ENVELOPES, params![viewer, BANNERS_MAX], |row| {
        let (at, login): (String, String) = (row.get(0)?, row.get(1)?);
        let reason: String = row.get(2)?;
        Ok(Banner {
            text: format!(
                "非常用の封筒が開けられました（{}、職員ID {login}）。理由：{reason}",
                moment(&at)
            ),
            href: "/break-glass".to_owned(),
            link: "確かめる",
        })
    })
}

const RESTORES: &str = "
    select r.kind, r.taken_at, r.recorded_at,
      (select coalesce(sum(i.left_over), 0) from restore_items i where i.restore_id = r.id),
      exists (select 1 from restore_items i where i.restore_id = r.id and i.readable = 0)
    from restores r
    where not exists (select 1 from restore_acknowledgements a where a.restore_id = r.id)
    order by r.id desc limit ?1";

/// An older state came back, and nobody has looked through what that means.
fn restored(tx: &ReadTx<'_>) -> Result<Vec<Banner>, StoreError> {
    tx.all(RESTORES, params![BANNERS_MAX], |row| {
        let kind: String = row.get(0)?;
        let (taken_at, at): (String, String) = (row.get(1)?, row.get(2)?);
        let (left, unreadable): (i64, bool) = (row.get(3)?, row.get(4)?);
        let what = if kind == "undo" {
            "復元を取りやめ"
        } else {
            "復元し"
        };
        let rest = match (left, unreadable) {
            (_, true) => "戻す前の記録を読めなかったため、要確認のものがあります。".to_owned(),
            (0, false) => "再適用したものを確かめてください。".to_owned(),
            (left, false) => format!("要確認のものが{left}件あります。"),
        };
        Ok(Banner {
            text: format!(
                "{}に{what}、{}の状態に戻しました。{rest}",
                moment(&at),
                moment(&taken_at)
            ),
            href: "/restores".to_owned(),
            link: "確かめる",
        })
    })
}

/// Telephones whose code nobody can check: the key that sealed them is not here.
fn closed_secrets(tx: &ReadTx<'_>, visit: &Visit) -> Result<Option<Banner>, StoreError> {
    let sql = "select key, count(*) from second_factor_secrets group by key";
    let by_key: Vec<(String, i64)> = tx.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let here = visit.app.settings().factor_keys.names();
    let closed = by_key
        .iter()
        .filter(|(key, _)| !here.contains(&key.as_str()));
    let closed: i64 = closed.map(|(_, count)| count).sum();
    Ok((closed > 0).then(|| Banner {
        text: format!(
            "確認コードの鍵がこの装置にありません。{closed}件の確認コードを確かめられず、\
             その人はサインインできません。装置の担当者に鍵を戻してもらってください。"
        ),
        href: "/staff/sign-in-rules".to_owned(),
        link: "サインインの決まり",
    }))
}

fn late_backup(visit: &Visit) -> Option<Banner> {
    let most = i64::from(visit.app.settings().backup_hours_max?);
    let file = visit.app.db().dir().newest_backups();
    overdue(&file, visit.app.clock().now(), most).map(|text| Banner {
        text: format!("{text}装置の担当者に知らせてください。"),
        href: String::new(),
        link: "",
    })
}

/// The repository that has waited longest for a backup, when that is too long.
pub fn overdue(file: &Path, now: Timestamp, hours_max: i64) -> Option<String> {
    let newest = small_file::read::<BTreeMap<String, Timestamp>>(file);
    // What cannot be read is no backup.
    let newest = newest.unwrap_or_else(|error| {
        log::warn!("when backups were made cannot be read: {error}");
        None
    });
    let newest = newest.unwrap_or_default();
    let Some((name, at)) = newest.iter().min_by_key(|(_, at)| **at) else {
        return Some("バックアップはまだ一度も取れていません。".to_owned());
    };
    if *at == Timestamp::UNIX_EPOCH {
        return Some(format!(
            "保管先「{name}」にはまだ一度もバックアップが取れていません。"
        ));
    }
    let hours = now.duration_since(*at).as_hours();
    (hours > hours_max)
        .then(|| format!("保管先「{name}」の最後のバックアップから{hours}時間たっています。"))
}

/// R8.11.24 15:30, Japanese time.
pub(crate) fn moment(at: &str) -> String {
    let Ok(at) = at.parse::<Timestamp>() else {
        return at.to_owned();
    };
    let local = japan().to_datetime(at);
    let day = Wareki::from_date(local.date());
    let day = day.map_or_else(|_| local.date().to_string(), Wareki::short);
    format!("{day} {:02}:{:02}", local.hour(), local.minute())
}

#[cfg(test)]
mod tests {
    use base::update::{Expected, Why};

    use super::overdue;
    use crate::app::ServerSettings;
    use crate::features::staff::tests::house::House;
    use crate::web::Role;

    #[test]
    fn administrators_see_that_an_update_did_not_come_up_and_nobody_else() {
        let root = tempfile::tempdir().unwrap();
        let house = House::with(ServerSettings {
            image: Some("0.1.0".to_owned()),
            machine_root: root.path().to_owned(),
            ..ServerSettings::standard()
        });
        house.add("admin", Role::SystemAdmin, None);
        house.add("nurse", Role::Nurse, Some("0101"));
        let (admin, nurse) = (house.signed_in("admin"), house.signed_in("nurse"));
        let words = "装置の更新（版 0.1.1）は起動できず、前の版 0.1.0 で動いています";
        let file = house.db().dir().update();
        let expect = |version: &str| {
            let expected = Expected {
                version: version.to_owned(),
                before: "0.1.0".to_owned(),
                at: "2026-11-24T00:00:00Z".parse().unwrap(),
                why: Why::Update,
            };
            expected.write(&file).unwrap();
        };
        assert!(!admin.get("/staff").text().contains("装置の更新"));
        expect("0.1.0");
        assert!(!admin.get("/staff").text().contains("装置の更新"));
        expect("0.1.1");
        assert!(admin.get("/staff").text().contains(words));
        assert!(!nurse.get("/").text().contains("装置の更新"));
    }

    #[test]
    fn backups_that_are_late_are_told_with_the_repository_that_waits_longest() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("newest.json");
        let now = "2026-11-29T09:00:00Z".parse().unwrap();
        let said = |text: &str| {
            base::paths::write_atomic(&file, text.as_bytes(), 0o600).unwrap();
            overdue(&file, now, 3)
        };
        assert!(overdue(&file, now, 3).unwrap().contains("まだ一度も"));
        let fresh = r#""raid":"2026-11-29T08:10:00Z""#;
        assert_eq!(
            said(&format!(r#"{{{fresh},"disk-a":"2026-11-29T05:00:01Z"}}"#)),
            None
        );
        let told = said(&format!(r#"{{{fresh},"disk-a":"2026-11-29T05:00:00Z"}}"#));
        assert_eq!(
            told.unwrap(),
            "保管先「disk-a」の最後のバックアップから4時間たっています。"
        );
        let never = said(&format!(r#"{{{fresh},"disk-b":"1970-01-01T00:00:00Z"}}"#));
        assert!(never.unwrap().contains("「disk-b」にはまだ一度も"));
        // What cannot be read is no backup.
        assert!(said("{").is_some());
    }
}
