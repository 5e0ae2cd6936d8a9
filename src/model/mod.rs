//! Layer 1: plain data that the stages hand to each other. Knows neither how bytes arrive nor how they are judged.

pub mod event;
pub mod source;
pub mod vocabulary;
