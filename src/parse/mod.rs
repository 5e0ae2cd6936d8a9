//! Layer 2: one file per log dialect; records and events out. Knows nothing of the specification.

mod assemble;
mod client;
mod colours;
mod dialect;
mod duplicates;
mod events;
mod feed;
mod header;
mod journal;
mod layout;
mod logs;
mod oslo;
mod read;
mod record;
mod rotation;
mod scan;
mod secrets;
mod service;
mod sniff;
#[cfg(test)]
mod tests;
mod wrapping;
mod years;
mod zones;

pub use read::{Options, Reading, read};
