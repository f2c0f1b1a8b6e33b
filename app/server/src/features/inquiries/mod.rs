//! Inquiries (照会): the one question about a person outside one's scope.
//!
//! Shape: an exact match on 被保険者番号, or on the whole kana and the date of birth, answers with
//! the name and telephone of the centre in charge, and with nothing else of the person.
//! Invariant: every inquiry and every refused one is in the access log, with the kind of key and
//! the reason, never with what the key was. Words typed as the reason 「その他」 are the reason.
//! Secrecy: nobody found and somebody under 支援措置 have one and the same answer (ask the city),
//! so that the answer does not tell that she lives here; only the access log knows it was her.
//! Limit: 20 an hour and person, counted in the access log itself.
//! Not here: people within the scope (`features/residents`), the view itself (`store::scope`).

mod form;
mod model;
mod pages;
mod store;
#[cfg(test)]
mod tests;
mod view;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::ResidentInquire as Inquire;
    Routes::new("照会")
        .get("/inquiries", Inquire, pages::new)
        .post("/inquiries", Inquire, pages::create)
}
