//! What somebody may do on a day: the role's dated rows, then the person's exceptions.
//!
//! Shape: `data/rights.toml` is the matrix as shipped; [`load`] writes a permission's line into
//! `role_rights` the first time a database meets it. From then on only rows count: of a role the one
//! with the latest first day that has come, of one day the newest; over it a person's exceptions
//! whose days include the day asked about, the newest last. [`grounds`] lists them in that order,
//! [`Rights`] is what they add up to. The session asks with every request, so that a change takes
//! effect at 00:00 of its day in an open session.
//! Invariant: a permission without a row is held by nobody; [`Permission::SignedIn`] and `Public`
//! are never taken away.
//! Source: docs/decisions/0014-rights-are-rows.md.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use store::{
    Actor, CentreId, Db, Event, Operation, ReadTx, RecordKind, Scope, StaffId, StoreError, WriteTx,
    params,
};

use crate::web::permission::{Permission, Role};
use crate::web::problem::{Problem, fault};

const SHIPPED: &str = include_str!("../../data/rights.toml");
/// First day of the matrix as shipped: 地域包括支援センター exist since 介護保険法's revision of that
/// day, so it holds for every post that can be recorded.
const FIRST_DAY: &str = "2006-04-01";
pub(crate) const AS_SHIPPED: &str = "出荷時の表";

/// The permissions somebody holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights(BTreeSet<Permission>);

impl Rights {
    /// Is it among them? What belongs to everybody always is.
    pub fn has(&self, permission: Permission) -> bool {
        !permission.is_grantable() || self.0.contains(&permission)
    }

    /// Those of a role as shipped; nothing when the file cannot be read.
    pub fn shipped(role: Role) -> Self {
        let matrix = shipped().unwrap_or_default();
        let lines = matrix
            .into_iter()
            .filter(|(_, roles)| roles.contains(&role));
        Self(lines.map(|(permission, _)| permission).collect())
    }

    /// What the grounds add up to.
    pub fn of(grounds: &[Ground]) -> Self {
        let mut held = BTreeSet::new();
        for ground in grounds {
            if ground.granted {
                held.insert(ground.permission);
            } else {
                held.remove(&ground.permission);
            }
        }
        Self(held)
    }

    /// Whom they show to somebody of this role and centre: everybody, or only those she is in charge of.
    pub fn scope(&self, role: Role, centre: Option<CentreId>) -> Scope {
        let whole = role.scope(centre);
        if self.has(Permission::ResidentWhole) {
            return whole;
        }
        match whole {
            Scope::City => Scope::Assigned(None),
            Scope::Centre(own) => Scope::Assigned(Some(own)),
            Scope::Nothing | Scope::Assigned(_) => whole,
        }
    }

    /// What these hold and the others do not.
    pub fn beyond(&self, other: &Self) -> Vec<Permission> {
        self.0.difference(&other.0).copied().collect()
    }
}

/// Which row gives or takes a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A row of `role_rights`.
    Role(i64),
    /// A row of `staff_rights`.
    Exception(i64),
}

/// One row that speaks about a permission on the day asked about; later ones overrule earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ground {
    /// Which permission.
    pub permission: Permission,
    /// Given, or taken away.
    pub granted: bool,
    /// Where it stands.
    pub source: Source,
}

const ROLE_ROWS: &str = "select permission, granted, id from role_right_terms
    where role = ?1 and starts_on <= ?2 order by starts_on, id";

const EXCEPTIONS: &str = "select permission, granted, id from staff_right_terms
    where staff_id = ?1 and starts_on <= ?2 and (ends_on is null or ends_on >= ?2) order by id";

/// Everything that speaks about the permissions of a role, and of a person who has it, on a day.
///
/// # Errors
/// [`StoreError`].
pub fn grounds(
    tx: &ReadTx<'_>,
    staff: Option<StaffId>,
    role: &str,
    on: Date,
) -> Result<Vec<Ground>, StoreError> {
    let on = on.to_string();
    let mut grounds = rows(tx, ROLE_ROWS, (role, &on), Source::Role)?;
    if let Some(staff) = staff {
        let own = rows(tx, EXCEPTIONS, (staff, &on), Source::Exception)?;
        grounds.extend(own);
    }
    Ok(grounds)
}

fn rows(
    tx: &ReadTx<'_>,
    sql: &str,
    (who, on): (impl store::ToSql, &str),
    source: fn(i64) -> Source,
) -> Result<Vec<Ground>, StoreError> {
    let found = tx.all(sql, params![who, on], |row| {
        let code: String = row.get(0)?;
        let (granted, id) = (row.get(1)?, row.get(2)?);
        // A permission that this version does not know opens nothing.
        Ok(Permission::from_code(&code).map(|permission| Ground {
            permission,
            granted,
            source: source(id),
        }))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// What somebody of a role may do on a day.
///
/// # Errors
/// [`StoreError`].
pub fn held(tx: &ReadTx<'_>, staff: StaffId, role: &str, on: Date) -> Result<Rights, StoreError> {
    Ok(Rights::of(&grounds(tx, Some(staff), role, on)?))
}

/// The matrix as shipped.
fn shipped() -> Result<BTreeMap<Permission, Vec<Role>>, Problem> {
    let lines: BTreeMap<String, Vec<String>> =
        toml::from_str(SHIPPED).map_err(|e| fault("rights.toml cannot be read", &e))?;
    let line = |(code, roles): (String, Vec<String>)| {
        let permission = Permission::from_code(&code)?;
        let roles: Option<Vec<Role>> = roles.iter().map(|code| Role::from_code(code)).collect();
        Some((permission, roles?))
    };
    let lines: Option<BTreeMap<_, _>> = lines.into_iter().map(line).collect();
    lines.ok_or(Problem::Fault("rights.toml names something unknown"))
}

/// Takes over the lines of permissions that this database has not met; run again it changes nothing.
///
/// # Errors
/// Those of the store.
pub fn load(db: &Db, actor: &Actor) -> Result<(), Problem> {
    let known: Vec<String> = db.read(actor, |tx| {
        let sql = "select distinct permission from role_rights";
        tx.all(sql, [], |row| row.get(0)).map_err(Problem::from)
    })?;
    let mut matrix = shipped()?;
    matrix.retain(|permission, _| !known.iter().any(|code| code == permission.code()));
    if matrix.is_empty() {
        return Ok(());
    }
    // What comes later could not be done before; it must not look as if somebody had had it.
    let first = if known.is_empty() {
        FIRST_DAY.to_owned()
    } else {
        db.clock().today().to_string()
    };
    let now = format!("{:.6}", db.clock().now());
    db.write(actor, |tx| {
        for (permission, roles) in &matrix {
            for role in Role::ALL {
                let granted = roles.contains(role);
                insert(tx, *role, *permission, granted, (&first, &now))?;
            }
        }
        let names: Vec<&str> = matrix.keys().map(|permission| permission.code()).collect();
        let detail = format!("権限の表＝{}／適用＝{first}", names.join("、"));
        let event = Event::done(Operation::MasterLoad).on(RecordKind::Master, 0);
        Ok(tx.audited(event.detail(detail), ()))
    })
}

fn insert(
    tx: &WriteTx<'_>,
    role: Role,
    permission: Permission,
    granted: bool,
    (first, now): (&str, &str),
) -> Result<(), StoreError> {
    let sql = "insert into role_rights
        (role, permission, granted, starts_on, reason, recorded_at) values (?, ?, ?, ?, ?, ?)";
    let values = params![
        role.code(),
        permission.code(),
        granted,
        first,
        AS_SHIPPED,
        now
    ];
    tx.execute(sql, values)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_permission_has_its_line_in_the_shipped_matrix() {
        let matrix = shipped().unwrap();
        let missing: Vec<&str> = Permission::grantable()
            .filter(|permission| !matrix.contains_key(permission))
            .map(Permission::code)
            .collect();
        assert_eq!(missing, [""; 0], "add them to app/server/data/rights.toml");
        assert!(Permission::from_code("signed_in").is_none());
    }

    #[test]
    fn each_code_and_each_label_stands_once() {
        let codes: BTreeSet<_> = Permission::ALL.iter().map(|p| p.code()).collect();
        let labels: BTreeSet<_> = Permission::ALL.iter().map(|p| p.label()).collect();
        assert_eq!(
            (codes.len(), labels.len()),
            (Permission::ALL.len(), Permission::ALL.len())
        );
    }

    #[test]
    fn the_last_ground_counts() {
        let ground = |granted, id| Ground {
            permission: Permission::ResidentView,
            granted,
            source: Source::Role(id),
        };
        let has = |grounds: &[Ground]| Rights::of(grounds).has(Permission::ResidentView);
        assert!(has(&[ground(false, 1), ground(true, 2)]));
        assert!(!has(&[ground(true, 1), ground(false, 2)]));
        assert!(!has(&[]));
        assert!(Rights::default().has(Permission::SignedIn));
    }
}
