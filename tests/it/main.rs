//! Integration tests: one binary, a module per subject, each test named after the row or rule it proves.

mod reference_parts;
mod references;
mod references_property;
mod rooms;
