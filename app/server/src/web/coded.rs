//! Choices that are part of the product: an enum with the code that is stored and the label that staff
//! read. What the city may change is a code list (`features/masters`), not this.

use store::{FromSql, Row, RowResult};

/// What can be chosen in a form.
pub(crate) trait Choices {
    /// Code and label of each, in the order of the form.
    fn choices() -> impl Iterator<Item = (&'static str, &'static str)>;
}

/// A code of a row, if there is one: the empty text is none.
pub(crate) fn optional<T: FromSql>(row: &Row<'_>, column: usize) -> RowResult<Option<T>> {
    if row.get_ref(column)?.as_str()?.is_empty() {
        Ok(None)
    } else {
        row.get(column).map(Some)
    }
}

macro_rules! coded {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($variant:ident = $code:literal, $label:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name { $($variant),* }

        impl $name {
            $vis const ALL: &'static [Self] = &[$(Self::$variant),*];

            $vis const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            $vis const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            $vis fn from_code(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.code() == code)
            }
        }

        // A stored code that is none of these is a broken row, never another one.
        impl store::FromSql for $name {
            fn column_result(value: store::ValueRef<'_>) -> store::FromSqlResult<Self> {
                Self::from_code(value.as_str()?).ok_or(store::FromSqlError::InvalidType)
            }
        }

        impl $crate::web::coded::Choices for $name {
            fn choices() -> impl Iterator<Item = (&'static str, &'static str)> {
                Self::ALL.iter().map(|known| (known.code(), known.label()))
            }
        }
    };
}

pub(crate) use coded;
