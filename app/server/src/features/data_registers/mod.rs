//! Registers of personal data: what is held (個人情報管理台帳), and whether it is looked after (定期点検).
//!
//! Shape: a holding is a row in `data_holdings`, its words a row in `data_holding_versions`, of which
//! the newest counts. What the product itself holds is shipped (`data/data_holdings.toml`) and is read
//! from there until somebody changes its words. An inspection keeps a result per item of the list of
//! its day (`data/inspections.toml`); mending and withdrawal are rows.
//! Invariant: what is bad has a day by which it is mended; words are added, never edited.
//! Scope: the city everything; a centre its own and the city's, which it cannot change.
//! Errors: staff meet 422 with the form, 409 when somebody else was faster, 404 outside their reach.
//! Not here: what leaves (`carried_out`), how long what is kept (`retention`).
//! Source: 個人情報取扱特記事項 第9条(6)(7).

mod form;
mod holding_pages;
mod holdings;
mod inspecting;
mod inspection_pages;
mod inspections;
mod model;
#[cfg(test)]
mod tests;
mod words;

pub use inspections::overdue;

use crate::web::{Permission, Routes};

/// Routes of this slice.
pub fn routes() -> Routes {
    use Permission::{DataRegisterView as View, DataRegisterWrite as Write};
    let holdings = Routes::new("個人情報管理台帳")
        .get("/data-holdings", View, holding_pages::list)
        .get("/data-holdings/register.pdf", View, holding_pages::print)
        .get("/data-holdings/new", Write, holding_pages::new)
        .post("/data-holdings", Write, holding_pages::create)
        .get("/data-holdings/{id}", View, holding_pages::show)
        .get("/data-holdings/{id}/edit", Write, holding_pages::edit)
        .post(
            "/data-holdings/{id}/versions",
            Write,
            holding_pages::correct,
        )
        .post("/data-holdings/{id}/ending", Write, holding_pages::end);
    let inspections = Routes::new("定期点検")
        .get("/inspections", View, inspection_pages::list)
        .get("/inspections/new", Write, inspecting::new)
        .post("/inspections", Write, inspecting::create)
        .get("/inspections/{id}", View, inspection_pages::show)
        .get("/inspections/{id}/sheet.pdf", View, inspection_pages::print)
        .post("/inspections/{id}/fixes", Write, inspection_pages::fix)
        .post(
            "/inspections/{id}/withdrawal",
            Write,
            inspection_pages::withdraw,
        );
    holdings.with(inspections)
}
