//! The service that staff use: slices over a thin engine.
//!
//! Shape: `features/*` are the slices, each with its routes, SQL, words and templates; `web` is the
//! engine that gates every request. `app` composes them.
//! Invariant: a slice never imports another slice's `store` or `pages`; no route exists without a
//! [`web::Permission`]; nothing here names `rusqlite`.

pub mod app;
pub mod ca;
pub mod factor_keys;
pub mod features;
pub mod sign_in;
pub mod web;

/// Are the fonts for printing on this machine? For set-up tools, before anything is started.
///
/// # Errors
/// What is missing and which packages bring it.
pub fn fonts_found() -> Result<(), forms::FontsMissing> {
    forms::Fonts::discover().map(drop)
}
