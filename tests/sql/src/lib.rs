//! Databases that a test owns.
