//! Layer 2: files, folders, compression and chunks. Knows nothing of what a record means.

pub mod chunk;
pub mod error;
pub mod excerpt;
pub mod find;
pub mod open;

pub use chunk::{Chunk, ChunkReader};
pub use error::InputError;
pub use excerpt::{Excerpts, KeptInput};
pub use find::{Found, Origin, Source, find_sources};
pub use open::{Limits, Opened, open_source};
