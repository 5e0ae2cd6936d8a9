//! Layer 5: every output form as a function of what was checked.
//!
//! `subject` joins what a report is about; `build` turns it into `data`, which `json` writes; `text` is the terminal
//! report, with log lines drawn by `excerpt`; `graph` writes the call graph; `explain` answers questions about the
//! specification. Log text goes through [`crate::base::secret::redact`] and [`crate::base::text::escape`] on its way out.

pub mod build;
pub mod data;
pub mod excerpt;
pub mod explain;
pub mod graph;
pub mod hints;
pub mod json;
pub mod subject;
pub mod text;
