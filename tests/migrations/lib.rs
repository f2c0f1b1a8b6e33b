//! Schema steps: the suite is in `tests/`.
