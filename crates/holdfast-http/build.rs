//! Makes a table of the pages in `docs/errors`, so that the server can show them
//! and no second list of codes exists.

use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo names the package's directory");
    let pages = Path::new(&root).join("../../docs/errors");
    println!("cargo:rerun-if-changed={}", pages.display());
    let mut files: Vec<_> = fs::read_dir(&pages)
        .expect("docs/errors is part of the repository")
        .map(|entry| entry.expect("the directory can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let code = file.file_stem().and_then(|stem| stem.to_str()).expect("codes are ASCII");
        let file = file.canonicalize().expect("the file was just listed");
        writeln!(table, "    ({code:?}, include_str!({:?})),", file.display().to_string())
            .expect("a string takes everything");
    }
    table.push(']');
    let out = env::var("OUT_DIR").expect("cargo names the output directory");
    fs::write(Path::new(&out).join("pages.rs"), table).expect("the output can be written");
}
