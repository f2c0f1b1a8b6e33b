//! The staff of the demo: every role of the role matrix, and every role of a centre in each.

use crate::tables::{TableError, rows};

/// One member of staff; nobody real.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Sign-in name, at most ten characters (受付者ID is C10 in the files).
    pub login: &'static str,
    /// Family and given name with a full-width space between.
    pub name: &'static str,
    /// Full-width katakana.
    pub kana: &'static str,
    /// Key of the role: `system_admin`, `city_longevity`, `city_welfare`, `centre_manager`,
    /// `social_worker`, `nurse`, `clerk` or `vendor`.
    pub role: &'static str,
    /// What the person is called at work.
    pub job: &'static str,
    /// 包括コード, or none for the city's own staff.
    pub centre: Option<&'static str>,
}

/// Everybody who works in the demo.
///
/// # Errors
/// [`TableError`] when the committed table does not read.
pub fn all() -> Result<Vec<Member>, TableError> {
    let found = rows::<6>("staff.tsv", include_str!("../data/staff.tsv"))?;
    let member = |[login, name, kana, role, job, centre]: [&'static str; 6]| Member {
        login,
        name,
        kana,
        role,
        job,
        centre: Some(centre).filter(|code| !code.is_empty()),
    };
    Ok(found.into_iter().map(member).collect())
}

/// The password of a login of the demo, the same at every start; at least twelve characters.
///
/// It is no secret: whoever reads this line knows all of them. Never use it outside the demo.
#[must_use]
pub fn password(login: &str) -> String {
    format!("wako-demo-{login}")
}
