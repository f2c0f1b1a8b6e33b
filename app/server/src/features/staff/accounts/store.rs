//! SQL about accounts.

use jiff::civil::Date;
use store::{
    CentreId, ReadTx, Row, RowResult, StaffId, StoreError, WriteTx, day, named_params,
    optional_day, params,
};

use super::model::{Account, Centre, NewEnd, Post, Term, Written};

const CENTRES: &str = "select id, code, short_name from support_centres
    where valid_to is null or valid_to >= ?1 order by code";

/// Centres that exist on a day or will.
///
/// # Errors
/// [`StoreError`].
pub fn centres(tx: &ReadTx<'_>, on: Date) -> Result<Vec<Centre>, StoreError> {
    tx.all(CENTRES, params![on.to_string()], |row| {
        Ok(Centre {
            id: row.get(0)?,
            code: row.get(1)?,
            name: row.get(2)?,
        })
    })
}

/// The person of an ID.
///
/// # Errors
/// [`StoreError`].
pub fn find(tx: &ReadTx<'_>, login: &str) -> Result<Option<Account>, StoreError> {
    let sql = "select id from staff where login = ?1";
    let id: Option<StaffId> = tx.one(sql, params![login], |row| row.get(0))?;
    id.map_or(Ok(None), |id| account(tx, id))
}

const ACCOUNT: &str = "
    select s.login, s.name, s.kana, s.recorded_at,
      (select coalesce(max(p.id), 0) from staff_posts p where p.staff_id = s.id) || '-' ||
      (select coalesce(max(e.id), 0) from staff_post_endings e
       where e.post_id in (select p.id from staff_posts p where p.staff_id = s.id))
    from staff s where s.id = ?1";

const POSTS: &str = "
    select p.id, p.role, p.job, c.id, c.code, c.short_name, p.starts_on, e.ends_on,
           p.recorded_by, m.name, p.recorded_at, p.reason,
           e.id, e.recorded_by, w.name, e.recorded_at, e.reason
    from staff_posts p
    left join support_centres c on c.id = p.centre_id
    left join staff_post_endings e on e.id =
      (select max(l.id) from staff_post_endings l where l.post_id = p.id)
    left join staff m on m.id = p.recorded_by
    left join staff w on w.id = e.recorded_by
    where p.staff_id = ?1 order by p.starts_on, p.id";

/// A person with all posts.
pub(in crate::features::staff) fn account(
    tx: &ReadTx<'_>,
    id: StaffId,
) -> Result<Option<Account>, StoreError> {
    let posts = tx.all(POSTS, params![id], post)?;
    tx.one(ACCOUNT, params![id], |row| {
        Ok(Account {
            id,
            login: row.get(0)?,
            name: row.get(1)?,
            kana: row.get(2)?,
            made_at: row.get(3)?,
            posts,
            seen: row.get(4)?,
        })
    })
}

fn post(row: &Row<'_>) -> RowResult<Post> {
    let centre_id: Option<CentreId> = row.get(3)?;
    let centre = match centre_id {
        Some(id) => Some(Centre {
            id,
            code: row.get(4)?,
            name: row.get(5)?,
        }),
        None => None,
    };
    let ending: Option<i64> = row.get(12)?;
    Ok(Post {
        id: row.get(0)?,
        role: row.get(1)?,
        job: row.get(2)?,
        centre,
        term: Term {
            starts_on: day(row, 6)?,
            ends_on: optional_day(row, 7)?,
        },
        made: written(row, 8)?,
        ending: ending.map(|_| written(row, 13)).transpose()?,
    })
}

fn written(row: &Row<'_>, first: usize) -> RowResult<Written> {
    Ok(Written {
        by: row.get(first)?,
        by_name: row.get(first + 1)?,
        at: row.get(first + 2)?,
        reason: row.get(first + 3)?,
    })
}

/// Writes down a last day; returns the new row.
pub(in crate::features::staff) fn end_post(
    tx: &WriteTx<'_>,
    end: NewEnd,
    reason: &str,
    (by, now): (Option<StaffId>, &str),
) -> Result<i64, StoreError> {
    let sql = "insert into staff_post_endings (post_id, ends_on, reason, recorded_by, recorded_at)
         values (?, ?, ?, ?, ?)";
    let ends_on = end.ends_on.map(|day| day.to_string());
    tx.insert(sql, params![end.post, ends_on, reason, by, now])
}

/// One line of the list: somebody with the post that counts on the day asked about.
#[derive(Debug, Clone)]
pub struct Line {
    /// The person.
    pub id: StaffId,
    /// ID for signing in.
    pub login: String,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// Code of the role; nothing for somebody whose only post never began.
    pub role: Option<String>,
    /// Profession.
    pub job: Option<String>,
    /// `None`: the city.
    pub centre: Option<(String, String)>,
    /// First day.
    pub starts_on: Option<String>,
    /// Last day.
    pub ends_on: Option<String>,
    /// `current`, `planned` or `ended`.
    pub state: String,
    /// Stored instant.
    pub last_sign_in: Option<String>,
}

/// Who is wanted in the list; empty texts want everybody.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// Code of a centre, or `city`.
    pub(super) centre: String,
    /// Code of a role.
    pub(super) role: String,
    /// `current`, `planned`, `ended`.
    pub(super) state: String,
    /// Part of ID, name or reading, without spaces.
    pub(super) text: String,
    /// The same in katakana.
    pub(super) kana: String,
    /// Sign-ins before this stored instant count; empty: all.
    pub(super) before: String,
}

// Of several posts the one in force is shown, else the next, else the last.
const LINES: &str = "
    with shown as (
      select s.id as id, s.login as login, s.name as name, s.kana as kana, p.role as role,
             p.job as job, c.code as code, c.short_name as centre, p.starts_on as starts_on,
             p.ends_on as ends_on,
             case when p.id is null or p.ends_on < :day then 'ended'
                  when p.starts_on > :day then 'planned' else 'current' end as state
      from staff s
      left join staff_terms p on p.id = (
        select q.id from staff_terms q
        where q.staff_id = s.id and (q.ends_on is null or q.ends_on >= q.starts_on)
        order by q.starts_on <= :day and (q.ends_on is null or q.ends_on >= :day) desc,
                 q.starts_on > :day desc,
                 case when q.starts_on > :day then q.starts_on end, q.starts_on desc
        limit 1)
      left join support_centres c on c.id = p.centre_id)
    select #COLUMNS from shown x
    where (:centre = '' or x.code = :centre or (:centre = 'city' and x.role is not null and x.code is null))
      and (:role = '' or x.role = :role)
      and (:state = '' or x.state = :state)
      and (:text = '' or instr(x.login, lower(:text)) > 0
           or instr(replace(replace(x.name, '　', ''), ' ', ''), :text) > 0
           or instr(replace(replace(x.kana, '　', ''), ' ', ''), :kana) > 0)";

const COLUMNS: &str = "x.id, x.login, x.name, x.kana, x.role, x.job, x.code, x.centre, x.starts_on,
    x.ends_on, x.state,
    (select max(o.started_at) from sessions o
     where o.staff_id = x.id and (:before = '' or o.started_at < :before))";

/// How many fit.
pub(super) fn count(tx: &ReadTx<'_>, wanted: &Wanted, on: Date) -> Result<usize, StoreError> {
    let sql = LINES.replace("#COLUMNS", "count(*), max(:before)");
    let day = on.to_string();
    let values = named_params! {
        ":day": day, ":centre": wanted.centre, ":role": wanted.role, ":state": wanted.state,
        ":text": wanted.text, ":kana": wanted.kana, ":before": wanted.before,
    };
    let count = tx.one(&sql, values, |row| row.get::<_, i64>(0))?;
    Ok(usize::try_from(count.unwrap_or(0)).unwrap_or(0))
}

/// Those who fit, city first, then by centre and reading.
pub(super) fn lines(
    tx: &ReadTx<'_>,
    wanted: &Wanted,
    on: Date,
    (limit, offset): (usize, usize),
) -> Result<Vec<Line>, StoreError> {
    let sql = format!(
        "{} order by coalesce(x.code, ''), x.kana, x.id limit :limit offset :offset",
        LINES.replace("#COLUMNS", COLUMNS)
    );
    let day = on.to_string();
    let values = named_params! {
        ":day": day, ":centre": wanted.centre, ":role": wanted.role, ":state": wanted.state,
        ":text": wanted.text, ":kana": wanted.kana, ":before": wanted.before,
        ":limit": i64::try_from(limit).unwrap_or(i64::MAX),
        ":offset": i64::try_from(offset).unwrap_or(i64::MAX),
    };
    tx.all(&sql, values, line)
}

/// Everybody, for the command line.
///
/// # Errors
/// [`StoreError`].
pub fn list_all(tx: &ReadTx<'_>, on: Date) -> Result<Vec<Line>, StoreError> {
    lines(tx, &Wanted::default(), on, (usize::MAX, 0))
}

fn line(row: &Row<'_>) -> RowResult<Line> {
    let code: Option<String> = row.get(6)?;
    let centre: Option<String> = row.get(7)?;
    Ok(Line {
        id: row.get(0)?,
        login: row.get(1)?,
        name: row.get(2)?,
        kana: row.get(3)?,
        role: row.get(4)?,
        job: row.get(5)?,
        centre: code.zip(centre),
        starts_on: row.get(8)?,
        ends_on: row.get(9)?,
        state: row.get(10)?,
        last_sign_in: row.get(11)?,
    })
}

/// The newest password: its id, when and by whom it was set, whether it was given out.
#[derive(Debug, Clone)]
pub(super) struct PasswordState {
    pub(super) id: i64,
    pub(super) at: String,
    pub(super) by: Option<StaffId>,
    pub(super) by_name: Option<String>,
    pub(super) given_out: bool,
}

pub(super) fn password(tx: &ReadTx<'_>, id: StaffId) -> Result<Option<PasswordState>, StoreError> {
    let sql = "select p.id, p.recorded_at, p.recorded_by, s.name, p.must_change
        from staff_passwords p left join staff s on s.id = p.recorded_by
        where p.staff_id = ?1 order by p.id desc limit 1";
    tx.one(sql, params![id], |row| {
        Ok(PasswordState {
            id: row.get(0)?,
            at: row.get(1)?,
            by: row.get(2)?,
            by_name: row.get(3)?,
            given_out: row.get(4)?,
        })
    })
}

/// A session that still holds.
pub(super) struct Session {
    pub(super) terminal: String,
    pub(super) since: String,
    pub(super) seen: String,
    /// Asks for the password before anything else.
    pub(super) locked: bool,
}

/// Sessions that still hold; one not seen since is locked as well.
pub(super) fn sessions(
    tx: &ReadTx<'_>,
    id: StaffId,
    (started_after, seen_after): (&str, &str),
) -> Result<Vec<Session>, StoreError> {
    let sql =
        "select terminal, started_at, last_seen_at, locked_at is not null or last_seen_at < ?3
        from sessions
        where staff_id = ?1 and ended_at is null and factor_open = 0 and started_at >= ?2
        order by started_at desc";
    tx.all(sql, params![id, started_after, seen_after], |row| {
        Ok(Session {
            terminal: row.get(0)?,
            since: row.get(1)?,
            seen: row.get(2)?,
            locked: row.get(3)?,
        })
    })
}
