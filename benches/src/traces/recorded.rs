//! Traces in files: `.txt`, one key a line, or `.bin`, four bytes a key. Either may be compressed
//! with `xz`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Trace;

pub(super) fn read(folder: &Path) -> io::Result<Vec<Trace>> {
    let files: io::Result<Vec<PathBuf>> =
        fs::read_dir(folder)?.map(|file| Ok(file?.path())).collect();
    let mut files = files?;
    files.sort();
    let traces: io::Result<Vec<Option<Trace>>> = files.iter().map(|file| trace(file)).collect();
    let traces: Vec<Trace> = traces?.into_iter().flatten().collect();
    match traces.is_empty() {
        true => Err(io::Error::other(
            "there is no trace in this folder: a file whose name ends in .txt, .bin, .txt.xz or .bin.xz",
        )),
        false => Ok(traces),
    }
}

/// Return the trace in a file, or `None` if its name says that there is none.
fn trace(file: &Path) -> io::Result<Option<Trace>> {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let plain = name.strip_suffix(".xz").unwrap_or(&name);
    let Some((name, kind @ ("txt" | "bin"))) = plain.rsplit_once('.') else {
        return Ok(None);
    };
    let bytes = match plain.len() == file.file_name().unwrap_or_default().len() {
        true => fs::read(file)?,
        false => unpack(file)?,
    };
    let lines = bytes.split(|byte| *byte == b'\n');
    Ok(Some(match kind {
        "bin" => Trace::new(name, bytes.chunks_exact(4)),
        _ => Trace::new(name, lines.filter(|line| !line.trim_ascii().is_empty())),
    }))
}

fn unpack(file: &Path) -> io::Result<Vec<u8>> {
    let output = Command::new("xz").arg("-dc").arg(file).output()?;
    match output.status.success() {
        true => Ok(output.stdout),
        false => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )),
    }
}
