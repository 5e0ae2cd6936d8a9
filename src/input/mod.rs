//! Layer 2: files, folders, archives, compression and chunks. Knows nothing of what a record means.

pub mod chunk;
mod decode;
pub mod error;
pub mod excerpt;
pub mod find;
pub mod limits;
pub mod open;
mod select;
pub(crate) mod unpack;

pub use chunk::{Chunk, ChunkReader};
pub use error::InputError;
pub use excerpt::{Excerpts, KeptInput, Source};
pub use find::{Found, Input, Origin, find_inputs};
pub use limits::Limits;
pub use select::Selection;
