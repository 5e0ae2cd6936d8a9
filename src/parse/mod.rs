//! Layer 2: one file per log dialect; records and events out. Knows nothing of the specification.
