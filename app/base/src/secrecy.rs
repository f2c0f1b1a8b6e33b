//! Personal data as types that do not print themselves.
//!
//! Shape: a `String` inside; `Debug` prints `…`, there is no `Display` and no `Serialize`, so a
//! name cannot slip into a log line, an error or a JSON answer.
//! Invariant: [`reveal`](PersonName::reveal) is the only way out; tidy allows it in views, forms
//! and exports only.
//!
//! A name cannot be printed:
//! ```compile_fail,E0277
//! let name = base::secrecy::PersonName::from("山田 花子");
//! println!("{name}");
//! ```
//! nor can a telephone number become a `String` by accident:
//! ```compile_fail,E0599
//! let phone = base::secrecy::Phone::from("0480000000");
//! let text = phone.to_string();
//! ```
//! and what `Debug` shows says nothing:
//! ```
//! let name = base::secrecy::PersonName::from("山田 花子");
//! assert_eq!(format!("{name:?}"), "…");
//! assert_eq!(name.reveal(), "山田 花子");
//! ```

use std::fmt;

macro_rules! secret {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text itself, for the screen, the form or the export it was asked for.
            #[must_use]
            pub fn reveal(&self) -> &str {
                &self.0
            }

            /// Whether nothing is recorded; asking this reveals nothing.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.0.is_empty()
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("…")
            }
        }
    )*};
}

secret! {
    /// A person's name as written, with its variants of characters untouched.
    PersonName;
    /// How a person's name is read.
    Kana;
    /// Where a person lives.
    Address;
    /// A telephone number.
    Phone;
    /// Free text about a person.
    Note;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_shows_itself_in_debug_even_inside_a_struct() {
        #[derive(Debug)]
        #[expect(dead_code, reason = "read through Debug only")]
        struct Person {
            name: PersonName,
            kana: Kana,
            address: Address,
            phone: Phone,
            note: Option<Note>,
        }
        let person = Person {
            name: "山田 花子".into(),
            kana: "ヤマダ ハナコ".into(),
            address: "本町1-1".into(),
            phone: "0480000000".into(),
            note: Some(String::from("転倒").into()),
        };
        assert_eq!(
            format!("{person:?}"),
            "Person { name: …, kana: …, address: …, phone: …, note: Some(…) }"
        );
    }

    #[test]
    fn what_was_put_in_is_what_is_revealed() {
        assert_eq!(PersonName::from("髙橋").reveal(), "髙橋");
        assert!(Note::default().is_empty());
    }
}
