//! Two states side by side, in words.

use base::secrecy::Note;
use jiff::Timestamp;

use super::model::{Part, PartRow, Point, Said};
use crate::features::residents::ShieldReason;
use crate::web::Choice;
use crate::web::days::moment;

/// The field that says whether a record counts, and what it then says.
const STANDING: &str = "state";
const VALID: &str = "有効";

/// One field of the comparison.
pub(super) struct Line {
    pub(super) code: &'static str,
    pub(super) label: &'static str,
    pub(super) then: String,
    pub(super) now: String,
    /// Staff can put it back.
    pub(super) ours: bool,
    pub(super) chosen: bool,
}

fn shown(said: &Said) -> String {
    match said.text.reveal() {
        "" => "（空欄）".to_owned(),
        text => text.to_owned(),
    }
}

/// The fields that differ, and those that do not.
pub(super) fn lines(then: &[Said], now: &[Said], chosen: &[String]) -> (Vec<Line>, Vec<Line>) {
    let line = |then: &Said, now: &Said| Line {
        code: then.code,
        label: then.label,
        then: shown(then),
        now: shown(now),
        ours: then.ours,
        chosen: chosen.iter().any(|code| code == then.code),
    };
    let pairs = then.iter().zip(now);
    pairs
        .map(|(then, now)| (then.text == now.text, line(then, now)))
        .fold((Vec::new(), Vec::new()), |mut both, (same, line)| {
            if same {
                both.1.push(line);
            } else {
                both.0.push(line);
            }
            both
        })
}

/// Codes of the fields that differ and can be put back.
pub(super) fn differing(then: &[Said], now: &[Said]) -> Vec<String> {
    let (different, _) = lines(then, now, &[]);
    let ours = different.into_iter().filter(|line| line.ours);
    ours.map(|line| line.code.to_owned()).collect()
}

/// Of those, what is chosen before anybody chose: never what takes the record away again.
pub(super) fn offered(then: &[Said], now: &[Said]) -> Vec<String> {
    let (different, _) = lines(then, now, &[]);
    let ours = different.into_iter().filter(|line| line.ours);
    let offered = ours.filter(|line| line.code != STANDING || line.then == VALID);
    offered.map(|line| line.code.to_owned()).collect()
}

/// Rows beside the fields: what differs, row by row, and what does not.
pub(super) struct PartWords {
    pub(super) code: &'static str,
    pub(super) title: &'static str,
    pub(super) note: &'static str,
    /// Why nothing can be compared, or nothing.
    pub(super) missing: &'static str,
    pub(super) different: Vec<PartLine>,
    pub(super) same: Vec<PartLine>,
}

/// One thing that a row said, or a whole row that only one of both has.
pub(super) struct PartLine {
    pub(super) label: String,
    pub(super) then: String,
    pub(super) now: String,
}

impl PartWords {
    /// Lines of the printed comparison.
    pub(super) fn printed(self) -> Vec<Vec<String>> {
        let title = self.title;
        let line = |line: PartLine, mark: &str| {
            let label = format!("{title}　{}", line.label);
            vec![label, line.then, line.now, mark.to_owned()]
        };
        let missing = (!self.missing.is_empty()).then(|| PartLine {
            label: String::new(),
            then: self.missing.to_owned(),
            now: String::new(),
        });
        let different = self.different.into_iter().map(|one| line(one, "違う"));
        let rest = self.same.into_iter().chain(missing);
        different.chain(rest.map(|one| line(one, ""))).collect()
    }
}

/// The parts of then and now, in the same order.
pub(super) fn parts(then: &[Part], now: &[Part]) -> Vec<PartWords> {
    then.iter()
        .zip(now)
        .map(|(then, now)| part(then, now))
        .collect()
}

fn part(then: &Part, now: &Part) -> PartWords {
    let mut words = PartWords {
        code: now.code,
        title: now.title,
        note: now.note,
        missing: "",
        different: Vec::new(),
        same: Vec::new(),
    };
    match (&then.rows, &now.rows) {
        (Ok(then), Ok(now)) => aligned(&mut words, then, now),
        (Err(why), _) | (_, Err(why)) => words.missing = why,
    }
    words
}

/// What only one of both has.
const NONE: &str = "（ありません）";

/// Today's rows in their order, then those that are no more.
fn aligned(words: &mut PartWords, then: &[PartRow], now: &[PartRow]) {
    for row in now {
        match then.iter().find(|known| known.key == row.key) {
            Some(known) => both(words, known, row),
            None => words.different.push(PartLine {
                label: row.label.reveal().to_owned(),
                then: NONE.to_owned(),
                now: joined(row),
            }),
        }
    }
    for row in then {
        if !now.iter().any(|known| known.key == row.key) {
            words.different.push(PartLine {
                label: row.label.reveal().to_owned(),
                then: joined(row),
                now: NONE.to_owned(),
            });
        }
    }
}

fn both(words: &mut PartWords, then: &PartRow, now: &PartRow) {
    let of = |row: &PartRow, label: &str| {
        let found = row.facts.iter().find(|(known, _)| *known == label);
        found.map_or_else(String::new, |(_, text)| text.reveal().to_owned())
    };
    let dash = |text: String| {
        if text.is_empty() {
            "（空欄）".to_owned()
        } else {
            text
        }
    };
    let mut labels: Vec<&str> = now.facts.iter().map(|(label, _)| *label).collect();
    let gone = then.facts.iter().map(|(label, _)| *label);
    let gone: Vec<&str> = gone.filter(|label| !labels.contains(label)).collect();
    labels.extend(gone);
    let row = now.label.reveal();
    let found = labels.into_iter().filter_map(|label| {
        let (then, now) = (of(then, label), of(now, label));
        (then != now).then(|| PartLine {
            label: format!("{row}　{label}"),
            then: dash(then),
            now: dash(now),
        })
    });
    let found: Vec<PartLine> = found.collect();
    if found.is_empty() {
        words.same.push(PartLine {
            label: row.to_owned(),
            then: joined(now),
            now: joined(now),
        });
    }
    words.different.extend(found);
}

/// Everything that a row says, on lines of its own.
fn joined(row: &PartRow) -> String {
    let full = row.facts.iter().filter(|(_, text)| !text.is_empty());
    let lines: Vec<String> = full
        .map(|(label, text)| format!("{label}：{}", text.reveal()))
        .collect();
    lines.join("\n")
}

/// One moment of the record's own history.
pub(super) struct PointWords {
    /// As addresses carry it.
    pub(super) at: String,
    pub(super) from: String,
    pub(super) by: String,
    pub(super) what: String,
    pub(super) reason: String,
    /// The moment that is shown.
    pub(super) current: bool,
}

/// Newest first.
pub(super) fn points(points: &[Point], shown_at: Option<Timestamp>) -> Vec<PointWords> {
    let instants = points.iter().map(Point::instant);
    let following: Vec<Option<Timestamp>> = instants.skip(1).chain([None]).collect();
    let words = points.iter().zip(following).map(|(point, next)| {
        let own = point.instant();
        let current = shown_at.is_some_and(|at| {
            own.is_some_and(|own| own <= at) && next.is_none_or(|next| at < next)
        });
        PointWords {
            at: own.map_or_else(String::new, |at| format!("{at:.6}")),
            from: own.map_or_else(|| moment(&point.at), instant),
            by: point.by.clone(),
            what: point.what.clone(),
            reason: point.reason.reveal().to_owned(),
            current,
        }
    });
    let mut words: Vec<PointWords> = words.collect();
    words.reverse();
    words
}

/// The last microsecond before an instant: what was stored until then.
pub(super) fn just_before(at: Timestamp) -> Option<Timestamp> {
    at.checked_sub(jiff::SignedDuration::from_micros(1)).ok()
}

/// R8.11.24 16:40:05.
pub(super) fn instant(at: Timestamp) -> String {
    let local = base::clock::japan().to_datetime(at);
    format!("{}:{:02}", moment(&at.to_string()), local.second())
}

/// Whose record it is; empty when nobody is known.
pub(super) fn who(name: &Note) -> String {
    name.reveal().to_owned()
}

/// Why somebody opens a shielded person's record.
pub(super) fn reasons(chosen: Option<ShieldReason>) -> Vec<Choice> {
    let first = Choice {
        value: String::new(),
        label: "選んでください".to_owned(),
        selected: false,
    };
    let known = ShieldReason::ALL.iter().map(|reason| Choice {
        value: reason.code().to_owned(),
        label: reason.label().to_owned(),
        selected: chosen == Some(*reason),
    });
    std::iter::once(first).chain(known).collect()
}

/// Bytes as people read them.
pub(super) fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    match bytes.div_ceil(MIB) {
        mib if mib >= 10 * 1024 => format!("{}GB", mib.div_ceil(1024)),
        mib => format!("{mib}MB"),
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    fn said(code: &'static str, text: &str, ours: bool) -> Said {
        Said {
            code,
            label: code,
            text: text.into(),
            ours,
        }
    }

    #[test]
    fn what_differs_is_apart_from_what_does_not_and_only_ours_is_put_back() {
        let then = [
            said("a", "1", true),
            said("b", "", true),
            said("c", "x", false),
        ];
        let now = [
            said("a", "1", true),
            said("b", "2", true),
            said("c", "y", false),
        ];
        let (different, same) = lines(&then, &now, &["b".to_owned()]);
        let told: Vec<_> = different.iter().map(|l| (l.code, l.chosen)).collect();
        assert_eq!(told, [("b", true), ("c", false)]);
        assert_eq!((different[0].then.as_str(), same.len()), ("（空欄）", 1));
        assert_eq!(differing(&then, &now), ["b"]);
    }

    #[test]
    fn what_takes_a_record_away_is_shown_and_not_offered() {
        let at = |text| [said("state", text, true)];
        assert_eq!(differing(&at("取下げ"), &at("有効")), ["state"]);
        assert_eq!(offered(&at("取下げ"), &at("有効")), [""; 0]);
        assert_eq!(offered(&at("有効"), &at("取下げ")), ["state"]);
    }

    #[test]
    fn the_point_that_holds_at_a_moment_is_marked_and_no_other() {
        let point = |at: &str| Point {
            at: at.to_owned(),
            by: String::new(),
            what: String::new(),
            reason: "".into(),
        };
        let all = [point("2026-11-24T01:00:00Z"), point("2026-11-24T02:00:00Z")];
        let marked = |at: &str| -> Vec<bool> {
            let at = at.parse().ok();
            points(&all, at).iter().map(|p| p.current).collect()
        };
        assert_eq!(marked("2026-11-24T00:59:59Z"), [false, false]);
        assert_eq!(marked("2026-11-24T01:00:00Z"), [false, true]);
        assert_eq!(marked("2026-11-24T02:00:00Z"), [true, false]);
    }

    fn row(key: &str, facts: &[(&'static str, &str)]) -> PartRow {
        PartRow {
            key: key.to_owned(),
            label: key.into(),
            facts: facts.iter().map(|(l, t)| (*l, (*t).into())).collect(),
        }
    }

    fn beside(rows: Result<Vec<PartRow>, &'static str>) -> [Part; 1] {
        [Part {
            code: "a",
            title: "A",
            note: "",
            rows,
        }]
    }

    #[test]
    fn rows_are_told_apart_by_their_keys_and_what_differs_in_one_by_its_label() {
        let then = beside(Ok(vec![
            row("1", &[("x", "1"), ("y", "2")]),
            row("2", &[("x", "1")]),
            row("3", &[("x", "1")]),
        ]));
        let now = beside(Ok(vec![
            row("4", &[("x", "1")]),
            row("3", &[("x", "1"), ("z", "")]),
            row("1", &[("x", "1"), ("y", "")]),
        ]));
        let found = parts(&then, &now).remove(0);
        let told: Vec<_> = found
            .different
            .iter()
            .map(|line| [line.label.as_str(), &line.then, &line.now])
            .collect();
        assert_eq!(
            told,
            [
                ["4", NONE, "x：1"],
                ["1　y", "2", "（空欄）"],
                ["2", "x：1", NONE]
            ]
        );
        let same: Vec<_> = found.same.iter().map(|line| line.label.as_str()).collect();
        assert_eq!(same, ["3"]);
        assert_eq!(found.printed().len(), 4);
    }

    #[test]
    fn what_nobody_knows_is_said_and_nothing_is_compared() {
        let found = parts(&beside(Err("why")), &beside(Ok(vec![row("1", &[])]))).remove(0);
        assert_eq!((found.missing, found.different.len()), ("why", 0));
        assert_eq!(found.printed(), [["A　", "why", "", ""]]);
    }

    #[test]
    fn sizes_are_told_in_the_unit_that_says_them() {
        assert_eq!((size(1).as_str(), size(11 << 30).as_str()), ("1MB", "11GB"));
    }
}
