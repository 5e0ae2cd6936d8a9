#![no_main]
//! Logs in the dialect `journal`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowcheck_fuzz::read_behind(include_bytes!("../heads/journal.log"), data));
