//! The validator by itself.
