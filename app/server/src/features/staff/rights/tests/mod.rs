//! Rights through their own routes.
