//! Puts logs into compressed files and archives.

use std::io::{Cursor, Write as _};

use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// A way to compress.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packing {
    Gzip,
    Xz,
    Zstandard,
    Bzip2,
}

/// All of them.
pub(crate) const PACKINGS: [Packing; 4] = [Packing::Gzip, Packing::Xz, Packing::Zstandard, Packing::Bzip2];

impl Packing {
    pub(crate) fn compress(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
                encoder.write_all(bytes).expect("compressed");
                encoder.finish().expect("compressed")
            }
            Self::Xz => {
                let mut encoder = XzWriter::new(Vec::new(), XzOptions::with_preset(0)).expect("an encoder");
                encoder.write_all(bytes).expect("compressed");
                encoder.finish().expect("compressed")
            }
            Self::Zstandard => compress_to_vec(Cursor::new(bytes), CompressionLevel::Fastest),
            Self::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(bytes).expect("compressed");
                encoder.finish().expect("compressed")
            }
        }
    }

    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Xz => "xz",
            Self::Zstandard => "zst",
            Self::Bzip2 => "bz2",
        }
    }
}

/// A tar archive of files.
pub(crate) fn tar<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, bytes).expect("an entry");
    }
    builder.into_inner().expect("an archive")
}
