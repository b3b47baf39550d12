//! Shared ground of the behaviour tests.
