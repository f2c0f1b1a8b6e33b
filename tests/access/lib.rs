//! Who may open what: the suite is in `tests/`.
