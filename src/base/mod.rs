//! Layer 0: time, text and source spans. Knows nothing of OpenStack.

pub mod secret;
pub mod span;
pub mod text;
pub mod time;
pub mod zone;
