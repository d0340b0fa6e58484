use super::*;

fn write(disk: &FaultDisk, name: &str, bytes: &[u8]) -> Arc<dyn DiskFile> {
    let file = disk.create(name).unwrap();
    file.write_at(0, bytes).unwrap();
    file
}

#[test]
fn what_is_synced_survives_and_the_rest_is_kept_lost_or_torn() {
    let disk = FaultDisk::new();
    let file = write(&disk, "a", &[1; 4 * SECTOR_BYTES]);
    file.sync_data().unwrap();
    disk.sync_dir().unwrap();
    file.write_at(0, &[2; 4 * SECTOR_BYTES]).unwrap();
    assert_eq!(disk.crash(Crash::Lost).bytes("a").unwrap(), [1; 4 * SECTOR_BYTES]);
    assert_eq!(disk.crash(Crash::Kept).bytes("a").unwrap(), [2; 4 * SECTOR_BYTES]);
    let torn: Vec<_> =
        (0..32).map(|seed| disk.crash(Crash::Torn(seed)).bytes("a").unwrap()).collect();
    assert!(torn.iter().any(|bytes| bytes.contains(&1) && bytes.contains(&2)));
    for bytes in torn {
        assert!(bytes.chunks(SECTOR_BYTES).all(|sector| sector.iter().all(|b| *b == sector[0])));
    }
}

#[test]
fn a_torn_sector_may_be_found_as_it_was_in_between() {
    let disk = FaultDisk::new();
    let file = write(&disk, "a", b"1");
    disk.sync_dir().unwrap();
    file.write_at(0, b"2").unwrap();
    let found: Vec<_> =
        (0..64).filter_map(|seed| disk.crash(Crash::Torn(seed)).bytes("a")).collect();
    for state in [&b""[..], b"\0", b"1", b"2"] {
        assert!(found.iter().any(|bytes| bytes == state), "{state:?}");
    }
}

#[test]
fn names_survive_only_by_a_sync_of_the_directory() {
    let disk = FaultDisk::new();
    write(&disk, "a", b"x").sync_data().unwrap();
    disk.sync_dir().unwrap();
    disk.rename("a", "b").unwrap();
    assert_eq!(disk.files(), ["b"]);
    assert_eq!(disk.crash(Crash::Lost).files(), ["a"]);
    assert_eq!(disk.crash(Crash::Kept).files(), ["b"]);
    let disk = disk.crash(Crash::Kept);
    disk.remove("b").unwrap();
    assert_eq!(disk.crash(Crash::Lost).files(), ["b"]);
}

#[test]
fn a_lost_sync_is_seen_but_never_saved_until_it_is_written_again() {
    let disk = FaultDisk::new();
    let file = write(&disk, "a", b"old");
    file.sync_data().unwrap();
    disk.sync_dir().unwrap();
    file.write_at(0, b"new").unwrap();
    disk.fail_next(Io::Sync, Fault::LostSync);
    file.sync_data().unwrap_err();
    file.sync_data().unwrap();
    assert_eq!(disk.kill().bytes("a").unwrap(), b"new");
    let disk = disk.kill();
    assert_eq!(disk.crash(Crash::Kept).bytes("a").unwrap(), b"old");
    let disk = disk.kill();
    let file = disk.open("a").unwrap();
    file.write_at(0, b"new").unwrap();
    file.sync_data().unwrap();
    assert_eq!(disk.crash(Crash::Lost).bytes("a").unwrap(), b"new");
}

#[test]
fn faults_come_where_they_were_planned_and_power_stays_off() {
    let disk = FaultDisk::new();
    disk.fail_at(1, Fault::Error);
    disk.fail_at(3, Fault::PowerCut);
    let file = disk.create("a").unwrap();
    file.write_at(0, b"x").unwrap_err();
    file.write_at(0, b"y").unwrap();
    file.write_at(0, b"z").unwrap_err();
    assert!(disk.is_off());
    file.sync_data().unwrap_err();
    disk.list().unwrap_err();
    assert_eq!(disk.crash(Crash::Kept).bytes("a").unwrap(), b"z");
}

#[test]
fn a_full_disk_takes_what_does_not_grow() {
    let disk = FaultDisk::new();
    disk.limit_bytes(4);
    let file = write(&disk, "a", b"1234");
    let full = file.write_at(4, b"5").unwrap_err();
    assert_eq!(full.kind(), io::ErrorKind::StorageFull);
    file.write_at(0, b"abcd").unwrap();
}

#[test]
fn a_directory_is_locked_once() {
    let disk = FaultDisk::new();
    let held = disk.lock().unwrap();
    assert!(matches!(held, Locking::Ours(_)));
    assert!(matches!(disk.lock().unwrap(), Locking::Busy { holder: Some(_) }));
    drop(held);
    assert!(matches!(disk.lock().unwrap(), Locking::Ours(_)));
}
