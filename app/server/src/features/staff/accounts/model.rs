//! Posts and their terms, and the rules between them; no I/O.

use jiff::civil::Date;
use store::{CentreId, StaffId};

use crate::web::Role;

store::id_type!(
    /// One post of one person.
    PostId
);

/// From which day to which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// First day.
    pub starts_on: Date,
    /// Last day; `None`: open.
    pub ends_on: Option<Date>,
}

/// Where a term, or a person, stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// In force.
    Current,
    /// Begins later.
    Planned,
    /// Over.
    Ended,
    /// Taken back before it began.
    Cancelled,
}

impl State {
    /// As addresses and `--json` name it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Planned => "planned",
            Self::Ended => "ended",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Term {
    /// Where it stands on a day.
    pub fn state(self, on: Date) -> State {
        if self.ends_on.is_some_and(|end| end < self.starts_on) {
            State::Cancelled
        } else if self.starts_on > on {
            State::Planned
        } else if self.ends_on.is_some_and(|end| end < on) {
            State::Ended
        } else {
            State::Current
        }
    }

    /// Taken back before it began?
    pub fn is_cancelled(self) -> bool {
        self.state(self.starts_on) == State::Cancelled
    }

    /// Do the two share a day?
    pub fn overlaps(self, other: Self) -> bool {
        let begins_in_time = |a: Self, b: Self| b.ends_on.is_none_or(|end| a.starts_on <= end);
        !self.is_cancelled()
            && !other.is_cancelled()
            && begins_in_time(self, other)
            && begins_in_time(other, self)
    }
}

/// A centre that staff can belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Centre {
    /// Its id.
    pub id: CentreId,
    /// Its code.
    pub code: String,
    /// What it is called in lists.
    pub name: String,
}

/// What somebody wrote, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// `None`: the console.
    pub by: Option<StaffId>,
    /// Their name.
    pub by_name: Option<String>,
    /// Stored instant.
    pub at: String,
    /// Why.
    pub reason: String,
}

/// One post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its id.
    pub id: PostId,
    /// Code of the role, also one that this version does not know.
    pub role: String,
    /// Profession.
    pub job: String,
    /// `None`: the city.
    pub centre: Option<Centre>,
    /// From when to when, as it counts now.
    pub term: Term,
    /// Who made it.
    pub made: Written,
    /// Who changed its last day last.
    pub ending: Option<Written>,
}

/// A person with all posts, in the order in which they were written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The person.
    pub id: StaffId,
    /// ID for signing in.
    pub login: String,
    /// Name.
    pub name: String,
    /// Reading.
    pub kana: String,
    /// When the ID was made.
    pub made_at: String,
    /// Posts.
    pub posts: Vec<Post>,
    /// Newest post and newest change of a last day: what a form was opened on.
    pub seen: String,
}

impl Account {
    /// The post with this id.
    pub fn post(&self, id: PostId) -> Option<&Post> {
        self.posts.iter().find(|post| post.id == id)
    }

    /// The post in force on a day.
    pub fn post_on(&self, on: Date) -> Option<&Post> {
        self.posts
            .iter()
            .find(|post| post.term.state(on) == State::Current)
    }

    /// The post whose last day is most likely meant: the one in force, else the next, else the last.
    pub fn post_at_hand(&self, on: Date) -> Option<&Post> {
        let planned = || {
            let posts = self.posts.iter();
            posts
                .filter(|post| post.term.state(on) == State::Planned)
                .min_by_key(|post| post.term.starts_on)
        };
        let past = || {
            let posts = self.posts.iter();
            posts
                .filter(|post| post.term.state(on) == State::Ended)
                .max_by_key(|post| post.term.starts_on)
        };
        self.post_on(on).or_else(planned).or_else(past)
    }

    /// Works here, will, or did.
    pub fn state(&self, on: Date) -> State {
        self.post_at_hand(on)
            .map_or(State::Ended, |post| post.term.state(on))
    }

    /// The newest thing written about the posts.
    pub fn newest(&self) -> Option<(&Post, &Written)> {
        let all = self.posts.iter().flat_map(|post| {
            [
                Some((post, &post.made)),
                post.ending.as_ref().map(|e| (post, e)),
            ]
        });
        all.flatten().max_by(|a, b| a.1.at.cmp(&b.1.at))
    }
}

/// A checked new post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPost {
    /// What they may do.
    pub role: Role,
    /// Profession.
    pub job: String,
    /// `None`: the city.
    pub centre: Option<Centre>,
    /// First day.
    pub starts_on: Date,
    /// Why.
    pub reason: String,
}

/// How a new post, open at its end, fits between the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// Nothing is in its way.
    Free,
    /// An open post ends on the day before.
    Ends(PostId, Date),
    /// This one is in its way.
    Overlaps(PostId),
}

/// Where a new post would stand.
pub fn fit(posts: &[Post], starts_on: Date) -> Fit {
    let new = Term {
        starts_on,
        ends_on: None,
    };
    let mut fit = Fit::Free;
    for post in posts.iter().filter(|post| post.term.overlaps(new)) {
        let open = post.term.ends_on.is_none() && post.term.starts_on < starts_on;
        match starts_on.yesterday() {
            Ok(last) if open => fit = Fit::Ends(post.id, last),
            Ok(_) | Err(_) => return Fit::Overlaps(post.id),
        }
    }
    fit
}

/// A change of one post's last day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewEnd {
    /// Which post.
    pub post: PostId,
    /// Its last day; `None`: it goes on after all.
    pub ends_on: Option<Date>,
}

/// What lets somebody go: their posts end on that day, planned ones never begin.
pub fn leaving(account: &Account, last: Date) -> Vec<NewEnd> {
    let affected = account
        .posts
        .iter()
        .filter(|post| !post.term.is_cancelled())
        .filter(|post| post.term.ends_on.is_none_or(|end| end > last));
    affected
        .map(|post| NewEnd {
            post: post.id,
            ends_on: if post.term.starts_on > last {
                post.term.starts_on.yesterday().ok()
            } else {
                Some(last)
            },
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{State, Term};

    fn term(starts_on: Date, ends_on: Option<Date>) -> Term {
        Term { starts_on, ends_on }
    }

    #[test]
    fn a_term_holds_on_its_first_and_its_last_day_and_not_around_them() {
        let one = term(date(2026, 4, 1), Some(date(2026, 4, 30)));
        let states = [
            date(2026, 3, 31),
            date(2026, 4, 1),
            date(2026, 4, 30),
            date(2026, 5, 1),
        ]
        .map(|day| one.state(day));
        assert_eq!(
            states,
            [State::Planned, State::Current, State::Current, State::Ended]
        );
    }

    #[test]
    fn terms_that_share_a_single_day_overlap_and_neighbours_do_not() {
        let april = term(date(2026, 4, 1), Some(date(2026, 4, 30)));
        assert!(april.overlaps(term(date(2026, 4, 30), None)));
        assert!(!april.overlaps(term(date(2026, 5, 1), None)));
        assert!(term(date(2020, 1, 1), None).overlaps(april));
        let never = term(date(2026, 4, 10), Some(date(2026, 4, 9)));
        assert!(!april.overlaps(never) && !never.overlaps(april));
    }
}
