#![no_main]
//! Archives and compressed files, broken in any way: an error or what is in them, in bounded room.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let reading = flowcheck_fuzz::read_in_pieces(data, 4 << 20);
    let bytes: u64 = reading.sources.iter().map(|source| source.bytes).sum();
    assert!(bytes <= (9 << 20), "{bytes} bytes were taken");
});
