//! Layer 6: arguments, settings, exit codes.
