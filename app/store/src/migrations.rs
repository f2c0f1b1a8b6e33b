//! Steps from one schema to the next. Frozen once released; `schema.sql` is what they add up to.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// "HKTS": says that a file is ours.
const APPLICATION_ID: i32 = 0x484B_5453;

const STEPS: &[(&str, &str)] = &[
    (
        "0001_create_audit",
        include_str!("../migrations/0001_create_audit.sql"),
    ),
    (
        "0002_create_masters",
        include_str!("../migrations/0002_create_masters.sql"),
    ),
    (
        "0003_create_staff",
        include_str!("../migrations/0003_create_staff.sql"),
    ),
    (
        "0004_create_imports",
        include_str!("../migrations/0004_create_imports.sql"),
    ),
    (
        "0005_create_residents",
        include_str!("../migrations/0005_create_residents.sql"),
    ),
    (
        "0006_create_changes",
        include_str!("../migrations/0006_create_changes.sql"),
    ),
    (
        "0007_create_consultations",
        include_str!("../migrations/0007_create_consultations.sql"),
    ),
    (
        "0008_create_rights",
        include_str!("../migrations/0008_create_rights.sql"),
    ),
    (
        "0009_create_second_factors",
        include_str!("../migrations/0009_create_second_factors.sql"),
    ),
    (
        "0010_create_terminals",
        include_str!("../migrations/0010_create_terminals.sql"),
    ),
    (
        "0011_extend_access_log",
        include_str!("../migrations/0011_extend_access_log.sql"),
    ),
    (
        "0012_create_carried_out",
        include_str!("../migrations/0012_create_carried_out.sql"),
    ),
    (
        "0013_create_data_registers",
        include_str!("../migrations/0013_create_data_registers.sql"),
    ),
    (
        "0014_create_retention",
        include_str!("../migrations/0014_create_retention.sql"),
    ),
    (
        "0015_create_maintenance",
        include_str!("../migrations/0015_create_maintenance.sql"),
    ),
    (
        "0016_create_incidents",
        include_str!("../migrations/0016_create_incidents.sql"),
    ),
    (
        "0017_create_protections",
        include_str!("../migrations/0017_create_protections.sql"),
    ),
    (
        "0018_create_transfers",
        include_str!("../migrations/0018_create_transfers.sql"),
    ),
    (
        "0019_create_area_changes",
        include_str!("../migrations/0019_create_area_changes.sql"),
    ),
    (
        "0020_create_abuse_cases",
        include_str!("../migrations/0020_create_abuse_cases.sql"),
    ),
    (
        "0021_two_people",
        include_str!("../migrations/0021_two_people.sql"),
    ),
    (
        "0022_create_attachments",
        include_str!("../migrations/0022_create_attachments.sql"),
    ),
    (
        "0024_create_assignments",
        include_str!("../migrations/0024_create_assignments.sql"),
    ),
    (
        "0026_create_restores",
        include_str!("../migrations/0026_create_restores.sql"),
    ),
    (
        "0027_let_withdrawals_end",
        include_str!("../migrations/0027_let_withdrawals_end.sql"),
    ),
    (
        "0028_group_access_log_indexes",
        include_str!("../migrations/0028_group_access_log_indexes.sql"),
    ),
    (
        "0029_create_attachment_scans",
        include_str!("../migrations/0029_create_attachment_scans.sql"),
    ),
];

/// The newest schema this program knows; `pragma user_version` of an up-to-date file.
pub const SCHEMA_VERSION: i64 = 27;

/// The schema as one text, for the suite that compares it with all steps on an empty file.
pub const fn released_schema() -> &'static str {
    include_str!("../schema.sql")
}

/// Is there a step that this file has not taken yet?
pub(crate) fn is_due(connection: &Connection) -> Result<bool, StoreError> {
    let version = version_of(connection)?;
    if version > SCHEMA_VERSION {
        return Err(StoreError::Newer {
            found: version,
            known: SCHEMA_VERSION,
        });
    }
    Ok(version < SCHEMA_VERSION)
}

/// Brings a file to [`SCHEMA_VERSION`], each step in its own transaction.
pub(crate) fn run(connection: &mut Connection) -> Result<(), StoreError> {
    let version = version_of(connection)?;
    for (position, (name, sql)) in (1_i64..).zip(STEPS) {
        if position > version {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            tx.execute_batch(sql)?;
            tx.pragma_update(None, "user_version", position)?;
            tx.commit()?;
            log::info!("schema step {name} done");
        }
    }
    Ok(())
}

fn version_of(connection: &Connection) -> Result<i64, StoreError> {
    let id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 =
        connection.query_row("select count(*) from sqlite_schema", [], |row| row.get(0))?;
    if id == 0 && version == 0 && tables == 0 {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    } else if id != APPLICATION_ID {
        return Err(StoreError::Foreign {
            path: connection.path().unwrap_or_default().into(),
        });
    }
    Ok(version)
}
