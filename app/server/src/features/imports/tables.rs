//! How the rows of each feed lie in their table: columns in the order of a packed row.

use store::Value;

use super::model::Feed;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Text,
    MaybeText,
    Int,
    MaybeInt,
    /// In a row 宛名番号, in the table the resident's id.
    Resident,
    /// In a row 被保険者番号, in the table the insured person's id.
    Insured,
}

pub(super) struct Table {
    pub(super) name: &'static str,
    /// Column of the table, and the field it comes from where that has another name.
    pub(super) columns: &'static [(&'static str, Sort)],
    /// Leading columns that make the key.
    pub(super) key: usize,
    /// The resident of a row `t`.
    pub(super) resident: &'static str,
}

use Sort::{Insured, Int, MaybeInt, MaybeText, Resident, Text};

const RESIDENTS: Table = Table {
    name: "residents",
    columns: &[
        ("addressee_no", Text),
        ("household_no", Text),
        ("relationship", Text),
        ("name", Text),
        ("kana", Text),
        ("alias_name", Text),
        ("alias_kana", Text),
        ("latin_name", Text),
        ("former_surname", Text),
        ("born_on", Text),
        ("born_text", Text),
        ("sex", Text),
        ("resident_kind", Text),
        ("resident_state", Text),
        ("postal_code", Text),
        ("area_code", Text),
        ("address", Text),
        ("building", Text),
        ("phone", Text),
        ("centre_id", Int),
        ("resident_since", MaybeText),
        ("event_on", MaybeText),
        ("event_code", Text),
        ("moved_from", Text),
        ("moved_to", Text),
        ("died_on", MaybeText),
        ("nationality", Text),
        ("shielded", Int),
        ("shielded_until", MaybeText),
        ("has_gaiji", Int),
    ],
    key: 1,
    resident: "t.id",
};

const HOUSEHOLDS: Table = Table {
    name: "household_members",
    columns: &[
        ("resident_id", Resident),
        ("household_no", Text),
        ("position", Int),
        ("relationship_code", Text),
        ("relationship", Text),
        ("is_head", Int),
        ("resident_since", MaybeText),
        ("address_since", MaybeText),
        ("removed_on", MaybeText),
    ],
    key: 1,
    resident: "t.resident_id",
};

const INSURED: Table = Table {
    name: "insured_persons",
    columns: &[
        ("insured_no", Text),
        ("resident_id", Resident),
        ("insurer_no", Text),
        ("category", Text),
        ("acquired_on", MaybeText),
        ("acquired_reason", Text),
        ("lost_on", MaybeText),
        ("lost_reason", Text),
        ("domicile_exception", Int),
        ("facility_name", Text),
        ("card_issued_on", MaybeText),
        ("applying", Int),
        ("copay_percent", MaybeInt),
        ("on_welfare", Int),
    ],
    key: 1,
    resident: "t.resident_id",
};

const CERTIFICATIONS: Table = Table {
    name: "certifications",
    columns: &[
        ("insured_person_id", Insured),
        ("history_no", Int),
        ("applied_on", MaybeText),
        ("application_kind", Text),
        ("state", Text),
        ("decided_on", MaybeText),
        ("level", Text),
        ("valid_from", MaybeText),
        ("valid_to", MaybeText),
        ("bedridden_level", Text),
        ("dementia_level", Text),
        ("limit_units", MaybeInt),
        ("planner_kind", Text),
        ("planner_office_no", Text),
        ("notified_on", MaybeText),
    ],
    key: 2,
    resident: "(select i.resident_id from insured_persons i where i.id = t.insured_person_id)",
};

/// Of a consultation: what the old system delivers, in the order of a packed row.
pub(super) const CONSULTATION: &[(&str, Sort)] = &[
    ("number", Text),
    ("addressee_no", MaybeText),
    ("received_on", Text),
    ("started_at", Text),
    ("ended_at", Text),
    ("minutes", MaybeInt),
    ("centre_code", Text),
    ("recorded_by", Text),
    ("channel", Text),
    ("caller_kind", Text),
    ("caller_name", Text),
    ("caller_relation", Text),
    ("caller_contact", Text),
    ("categories", Text),
    ("content", Text),
    ("response", Text),
    ("responses", Text),
    ("referred_to", Text),
    ("urgency", Text),
    ("outcome", Text),
    ("closing_reason", Text),
    ("next_due_on", MaybeText),
];

const LOAD_CONSULTATIONS: &str = "select c.id, c.number,
    (select r.addressee_no from consultation_clients k join residents r on r.id = k.resident_id
     where k.consultation_id = c.id order by k.id limit 1),
    v.received_on, v.started_at, v.ended_at, v.minutes, coalesce(s.code, ''), coalesce(p.login, ''),
    v.channel, v.caller_kind, v.caller_name, v.caller_relation, v.caller_contact,
    (select coalesce(group_concat(g.category, ',' order by g.category), '')
     from consultation_categories g where g.version_id = v.id),
    v.content, v.response,
    (select coalesce(group_concat(a.kind, ',' order by a.kind), '')
     from consultation_responses a where a.version_id = v.id),
    v.referred_to, v.urgency, v.outcome, v.closing_reason, v.next_due_on
  from consultations c
  join consultation_versions v on v.consultation_id = c.id and v.version = 1
  left join support_centres s on s.id = c.centre_id
  left join staff p on p.id = v.recorded_by
  where c.created_by is null";

/// The table of a feed; none for consultations, which lie in several.
pub(super) fn table(feed: Feed) -> Option<&'static Table> {
    match feed {
        Feed::Residents => Some(&RESIDENTS),
        Feed::Households => Some(&HOUSEHOLDS),
        Feed::Insured => Some(&INSURED),
        Feed::Certifications => Some(&CERTIFICATIONS),
        Feed::Consultations => None,
    }
}

pub(super) fn columns(feed: Feed) -> &'static [(&'static str, Sort)] {
    table(feed).map_or(CONSULTATION, |table| table.columns)
}

pub(super) fn key_parts(feed: Feed) -> usize {
    table(feed).map_or(1, |table| table.key)
}

/// The name of a column's field in the mapping.
pub(super) fn field(column: &'static str, sort: Sort) -> &'static str {
    match sort {
        Sort::Resident => "addressee_no",
        Sort::Insured => "insured_no",
        Sort::Text | Sort::MaybeText | Sort::Int | Sort::MaybeInt => column,
    }
}

/// Reads all stored rows: id, then the columns as a packed row has them.
pub(super) fn load(feed: Feed) -> String {
    let Some(table) = table(feed) else {
        return LOAD_CONSULTATIONS.to_owned();
    };
    let mut sql = "select t.id".to_owned();
    let mut joins = String::new();
    for (column, sort) in table.columns {
        match sort {
            Sort::Resident => {
                sql.push_str(", r.addressee_no");
                joins.push_str(" join residents r on r.id = t.resident_id");
            }
            Sort::Insured => {
                sql.push_str(", i.insured_no");
                joins.push_str(" join insured_persons i on i.id = t.insured_person_id");
            }
            Sort::Text | Sort::MaybeText | Sort::Int | Sort::MaybeInt => {
                sql.push_str(", t.");
                sql.push_str(column);
            }
        }
    }
    format!("{sql} from {} t{joins}", table.name)
}

/// `a, b, import_id`
fn names(table: &Table) -> Vec<&'static str> {
    table
        .columns
        .iter()
        .map(|(name, _)| *name)
        .chain(["import_id"])
        .collect()
}

pub(super) fn insert(table: &Table) -> String {
    let names = names(table);
    let marks = vec!["?"; names.len()].join(", ");
    format!(
        "insert into {} ({}) values ({marks})",
        table.name,
        names.join(", ")
    )
}

/// The row's id comes last.
pub(super) fn update(table: &Table) -> String {
    let sets: Vec<String> = names(table)
        .iter()
        .map(|name| format!("{name} = ?"))
        .collect();
    format!("update {} set {} where id = ?", table.name, sets.join(", "))
}

/// The row `t` as JSON, types kept.
pub(super) fn as_json(table: &Table) -> String {
    let pairs: Vec<String> = names(table)
        .iter()
        .map(|name| format!("'{name}', t.{name}"))
        .collect();
    format!("json_object({})", pairs.join(", "))
}

/// Puts back what [`as_json`] kept: ?1 the JSON, ?2 the id.
pub(super) fn restore(table: &Table) -> String {
    let put = |name: &&str| format!("{name} = json_extract(?1, '$.{name}')");
    let sets: Vec<String> = names(table).iter().map(put).collect();
    format!(
        "update {} set {} where id = ?2",
        table.name,
        sets.join(", ")
    )
}

/// A value of the database as a row holds it.
pub(super) fn text(value: Value) -> Option<String> {
    match value {
        Value::Null | Value::Blob(_) => None,
        Value::Integer(number) => Some(number.to_string()),
        Value::Real(number) => Some(number.to_string()),
        Value::Text(text) => Some(text),
    }
}

/// A value of a row as the database holds it.
pub(super) fn value(sort: Sort, text: Option<&str>) -> Value {
    let number = || text.and_then(|text| text.parse().ok());
    match sort {
        Sort::Text => Value::Text(text.unwrap_or("").to_owned()),
        Sort::MaybeText => text.map_or(Value::Null, |text| Value::Text(text.to_owned())),
        Sort::Int => Value::Integer(number().unwrap_or(0)),
        Sort::MaybeInt | Sort::Resident | Sort::Insured => {
            number().map_or(Value::Null, Value::Integer)
        }
    }
}
