#![no_main]
//! Logs in what carries them; the first byte chooses which.

const HEADS: [&[u8]; 8] = [
    include_bytes!("../heads/docker-json.log"),
    include_bytes!("../heads/cri.log"),
    include_bytes!("../heads/journal-json.log"),
    include_bytes!("../heads/journal-export.log"),
    include_bytes!("../heads/oslo-json.log"),
    include_bytes!("../heads/grep.log"),
    include_bytes!("../heads/quoted-printable.log"),
    b"",
];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    if let Some((first, rest)) = data.split_first() {
        flowcheck_fuzz::read_behind(HEADS[usize::from(*first) % HEADS.len()], rest);
    }
});
