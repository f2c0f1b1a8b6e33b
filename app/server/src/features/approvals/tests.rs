//! Approvals through their own routes.
