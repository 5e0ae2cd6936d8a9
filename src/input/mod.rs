//! Layer 2: files, folders, compression and chunks. Knows nothing of what a record means.
