//! The day's work in a browser, by keyboard, in Japanese: the suite is in `tests/`.
