//! Bits flipped, files cut short and files lost, in every file of a store: it
//! answers as before or says that it is in doubt.

use std::{
    fs,
    path::{Path, PathBuf},
};

use holdfast_state::{DiskStore, Mark, Source, Store, StoreError};

use crate::disk_world::{Change, Rows, all, apply, place, tiny};

/// A directory with a store in it that has several tables on several levels, and
/// no file that the store would not miss.
fn store() -> (tempfile::TempDir, Mark, Rows) {
    let dir = place();
    let mut store = DiskStore::open(dir.path(), &tiny()).unwrap();
    for round in 0..30_u8 {
        let rows = (0..40_u8).map(|key| Change::Put(vec![key, round % 7], vec![round; 60]));
        apply(&mut store, &[rows.collect()]);
        store.persist().unwrap();
    }
    apply(&mut store, &[vec![Change::DeleteRange(vec![3], vec![4])]]);
    store.persist().unwrap();
    let (mark, rows) = (store.mark(), all(&store).unwrap());
    drop(store);
    // Opening removes what merges have left behind, and may find more to merge.
    loop {
        let before = files(dir.path());
        drop(DiskStore::open(dir.path(), &tiny()).unwrap());
        if files(dir.path()) == before {
            return (dir, mark, rows);
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().is_some_and(|name| name != "lock") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Opens and reads everything in several ways.
fn read(dir: &Path, keys: &Rows) -> Result<(Mark, Rows), StoreError> {
    let store = DiskStore::open(dir, &tiny())?;
    let rows = all(&store)?;
    for key in keys.keys() {
        assert_eq!(store.get(key)?.as_deref(), rows.get(key).map(Vec::as_slice));
    }
    // What a snapshot is made of goes past the cache, and so by other reads.
    let written_back = store.snapshots().written_back();
    let pairs =
        written_back.pairs().map(|pair| pair.map(|(key, value)| (key.to_vec(), value.to_vec())));
    assert_eq!(pairs.collect::<Result<Rows, _>>()?, rows);
    Ok((store.mark(), rows))
}

/// Reads a copy of the store with one file changed.
fn check(original: &Path, mark: &Mark, rows: &Rows, damage: impl Fn(&Path), what: &str) -> bool {
    let copy = place();
    for file in files(original) {
        let to = copy.path().join(file.strip_prefix(original).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, &to).unwrap();
    }
    damage(copy.path());
    match read(copy.path(), rows) {
        Ok(found) => assert_eq!(found, (mark.clone(), rows.clone()), "{what}"),
        Err(StoreError::Doubt { .. }) => return true,
        Err(error @ StoreError::Io { .. }) => panic!("{what}: {error}"),
    }
    false
}

#[test]
fn damage_is_doubt_and_never_other_rows() {
    let (dir, mark, rows) = store();
    let mut doubts = 0_usize;
    let mut checks = 0_usize;
    for file in files(dir.path()) {
        let name = file.strip_prefix(dir.path()).unwrap().to_owned();
        let content = fs::read(&file).unwrap();
        // Every byte of small files, and of large ones the tail, where lists and lengths lie.
        let step = (content.len() / 60).max(1);
        let tail = content.len().saturating_sub(120);
        for at in (0..content.len()).filter(|at| at % step == 0 || *at >= tail) {
            let flip = |copy: &Path| {
                let mut damaged = content.clone();
                damaged[at] ^= 1 << (at % 8);
                fs::write(copy.join(&name), damaged).unwrap();
            };
            let what = format!("bit {} of byte {at} of {}", at % 8, name.display());
            doubts += usize::from(check(dir.path(), &mark, &rows, flip, &what));
            checks += 1;
        }
        let cut = |copy: &Path| fs::write(copy.join(&name), &content[..content.len() / 2]).unwrap();
        let what = format!("{} cut short", name.display());
        assert!(check(dir.path(), &mark, &rows, cut, &what), "{what} goes unnoticed");
    }
    assert!(doubts * 2 > checks, "{doubts} of {checks} were noticed");
}

#[test]
fn a_lost_file_is_doubt() {
    let (dir, mark, rows) = store();
    for file in files(dir.path()) {
        let name = file.strip_prefix(dir.path()).unwrap().to_owned();
        if name == Path::new("whole") {
            continue;
        }
        let lose = |copy: &Path| fs::remove_file(copy.join(&name)).unwrap();
        let what = format!("{} lost", name.display());
        assert!(check(dir.path(), &mark, &rows, lose, &what), "{what} goes unnoticed");
    }
}

#[test]
fn without_its_seal_a_store_is_none() {
    let (dir, _, _) = store();
    fs::remove_file(dir.path().join("whole")).unwrap();
    let store = DiskStore::open(dir.path(), &tiny()).unwrap();
    assert_eq!((store.mark(), all(&store).unwrap()), (Mark::default(), Rows::new()));
}
