//! How staff sign in here: the rules as they are in force, what a guess costs, and whether the key of
//! the codes is at hand. Read only: they are set in `site.toml`.

use askama::Template;
use base::settings::Factor;
use store::ReadTx;

use crate::features::staff::factors::seal_state;
use crate::features::staff::password;
use crate::sign_in::{Limits, SignInRules};
use crate::web::{Answer, Role, Shell, TerminalKind, Visit};

#[derive(Template)]
#[template(path = "features/staff/accounts/rules.html")]
struct RulesPage {
    shell: Shell,
    length_min: usize,
    history: i64,
    days_max: Option<u16>,
    words: usize,
    free: i64,
    wait_seconds: i64,
    wait_minutes_max: i64,
    cost: Weight,
    pc: Times,
    tablet: Times,
    roles: Vec<RoleLine>,
    keys: Keys,
}

/// What one guess costs.
struct Weight {
    memory_mib: u32,
    passes: u32,
    lanes: u32,
    duration_ms: u64,
}

struct Times {
    idle_minutes: i64,
    hours: i64,
}

impl From<Limits> for Times {
    fn from(limits: Limits) -> Self {
        Self {
            idle_minutes: limits.idle.as_mins(),
            hours: limits.absolute.as_hours(),
        }
    }
}

struct RoleLine {
    role: &'static str,
    factors: String,
    by_password_alone: bool,
}

/// How the keys of the codes stand.
struct Keys {
    names: String,
    sealed: usize,
    closed: usize,
    old_left: bool,
}

const fn factor(factor: Factor) -> &'static str {
    match factor {
        Factor::Terminal => "登録した端末",
        Factor::Totp => "確認コード",
        Factor::Webauthn => "セキュリティキー",
    }
}

fn role(rules: &SignInRules, role: Role) -> RoleLine {
    let accepted = rules.factors(role);
    let words: Vec<_> = accepted.iter().copied().map(factor).collect();
    RoleLine {
        role: role.label(),
        factors: words.join("、または"),
        by_password_alone: accepted.is_empty(),
    }
}

pub(super) fn page(visit: &Visit) -> Answer {
    let settings = visit.app.settings();
    let (rules, session) = (&settings.sign_in, &settings.session);
    let cost = password::cost()?;
    let keys = &settings.factor_keys;
    let read = |tx: &ReadTx<'_>| seal_state(tx, keys);
    let state = visit.app.db().read(&visit.actor, read)?;
    visit.page(&RulesPage {
        shell: Shell::new(visit, "サインインの決まり").under(&[("職員", "/staff")]),
        length_min: rules.password.length_min,
        history: rules.password.history,
        days_max: session.password_days_max,
        words: rules.password.words.len(),
        free: rules.guessing.free,
        wait_seconds: rules.guessing.wait_seconds,
        wait_minutes_max: rules.guessing.wait_seconds_max / 60,
        cost: Weight {
            memory_mib: cost.memory_kib / 1024,
            passes: cost.passes,
            lanes: cost.lanes,
            duration_ms: cost.duration_ms,
        },
        pc: session.limits(Some(TerminalKind::Pc)).into(),
        tablet: session.limits(Some(TerminalKind::Tablet)).into(),
        roles: Role::ALL.iter().map(|known| role(rules, *known)).collect(),
        keys: Keys {
            names: keys.names().join("・"),
            sealed: state.sealed,
            closed: state.closed,
            old_left: keys.names().len() > 1,
        },
    })
}
