//! Layer 5: every output form as a function of what was checked.
