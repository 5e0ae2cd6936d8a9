#![no_main]
//! Logs in the dialect `oslo`.

libfuzzer_sys::fuzz_target!(|data: &[u8]| flowcheck_fuzz::read_behind(include_bytes!("../heads/oslo.log"), data));
