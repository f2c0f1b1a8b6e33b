//! Killed at any moment: the suite is in `tests/`.
