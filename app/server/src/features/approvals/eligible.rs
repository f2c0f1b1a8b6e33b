//! Who may know of a request, and who may decide it: one condition for list, count and decision.

use jiff::ToSpan as _;
use jiff::civil::Date;
use store::{CentreId, StaffId};

use super::model::Kind;
use super::rules::Terms;
use crate::features::approval_kinds;
use crate::web::{Problem, SignedIn};

/// Kinds about which this person may decide.
pub(super) fn kinds(staff: &SignedIn) -> Vec<&'static Kind> {
    let all = approval_kinds().into_iter();
    all.filter(|kind| staff.rights.has(kind.permission))
        .collect()
}

pub(super) fn kind_of(code: &str) -> Option<&'static Kind> {
    approval_kinds().into_iter().find(|kind| kind.code == code)
}

/// Whose eyes look at requests. The SQL speaks of a request `a` and of [`EYES`].
pub(super) struct Eyes {
    pub(super) staff: StaffId,
    /// `None`: the city, which sees everybody's.
    pub(super) centre: Option<CentreId>,
    pub(super) today: Date,
    /// Whoever got a password from the asker since then does not decide.
    pub(super) since: Date,
    /// Own, or of a kind that she may decide, as far as she may know of it.
    pub(super) seen: String,
    /// Why she does not decide; null: she does.
    pub(super) bar: String,
}

/// What the statements begin with; its values are those of [`Eyes`] in this order.
pub(super) const EYES: &str = "with eyes (staff, centre, today, since) as (select ?1, ?2, ?3, ?4) ";

/// The same name in the same reading, or an account into which the asker got lately: a second person
/// who may be the first.
const SAME_HAND: &str = "
    exists (select 1 from staff x join staff y on y.id = eyes.staff
            where x.id = a.requested_by and x.kana = y.kana
              and replace(replace(x.name, ' ', ''), '　', '')
                = replace(replace(y.name, ' ', ''), '　', ''))
    or exists (select 1 from staff_passwords p
               where p.staff_id = eyes.staff and p.recorded_by = a.requested_by
                 and p.recorded_at >= eyes.since)";

impl Eyes {
    pub(super) fn of(staff: &SignedIn, today: Date) -> Result<Self, Problem> {
        let days = Terms::of(today)?.account_days;
        let kinds = kinds(staff);
        let (seen, gains) = (
            any(&kinds, |kind| kind.seen),
            any(&kinds, |kind| kind.gains),
        );
        Ok(Self {
            staff: staff.staff_id,
            centre: staff.centre_id,
            today,
            since: today.saturating_sub(i64::from(days).days()),
            seen: format!(
                "(a.requested_by = eyes.staff
                  or ((eyes.centre is null or a.centre_id = eyes.centre) and ({seen})))"
            ),
            bar: format!(
                "case when a.requested_by = eyes.staff then 'own'
                      when {SAME_HAND} then 'same_hand'
                      when {gains} then 'gains' end"
            ),
        })
    }
}

/// Of one of these kinds, each under its own condition. Codes are ours and hold no quote.
fn any(kinds: &[&Kind], condition: fn(&Kind) -> &'static str) -> String {
    let each = kinds
        .iter()
        .map(|kind| format!("(a.kind = '{}' and ({}))", kind.code, condition(kind)));
    let each: Vec<String> = each.chain(["0".to_owned()]).collect();
    each.join(" or ")
}
