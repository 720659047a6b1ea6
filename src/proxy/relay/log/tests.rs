use super::*;

const KEEP: Keep = Keep { age: Duration::from_secs(3600), events: 100, bytes: 1 << 20 };
const NOW: u64 = 1_700_000_000_000_000;

fn opened(path: &Path, keep: Keep) -> Log {
    Log::open(path.to_owned(), keep, Disk::new(0, u64::MAX)).expect("open")
}

fn draft(body: &[u8]) -> Draft {
    Draft { form: Form::Plain, head: Bytes::from_static(b"{}"), body: Bytes::copy_from_slice(body) }
}

/// The bodies after `id`, and whether some were dropped.
fn after(index: &Index, mut id: u64) -> (Vec<Vec<u8>>, bool) {
    let (mut bodies, mut gap) = (Vec::new(), false);
    loop {
        match index.after(id).expect("read") {
            Next::Event(record) => {
                assert_eq!(record.previous, id, "in order, none left out");
                id = record.id;
                bodies.push(record.body.to_vec());
            }
            Next::Gap(dropped) => (gap, id) = (true, dropped),
            Next::Damaged(damaged) => id = damaged,
            Next::Nothing => return (bodies, gap),
        }
    }
}

#[test]
fn what_was_appended_is_there_after_a_restart_and_ids_go_on() {
    let folder = tempfile::tempdir().expect("tempdir");
    let path = folder.path().join("channel");
    let mut ids = Vec::new();
    for run in 0..3u8 {
        let mut log = opened(&path, KEEP);
        ids.extend(log.append(vec![draft(&[run, 0]), draft(&[run, 1])], NOW).expect("append"));
        // A clock that goes back does not matter.
        ids.extend(log.append(vec![draft(&[run, 2])], NOW - 1_000_000).expect("append"));
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert_eq!(ids[0], NOW);
    let index = opened(&path, KEEP).index();
    let (all, gap) = after(&index, 0);
    assert_eq!((all.len(), gap, index.last()), (9, false, ids[8]));
    assert_eq!(after(&index, ids[3]).0, all[4..]);
    assert_eq!(index.before_newest(2), ids[6]);
    assert_eq!(index.get(ids[4]).expect("read").expect("kept").body.to_vec(), all[4]);
    assert!(index.get(ids[8] + 1).expect("read").is_none());
}

#[test]
fn a_torn_tail_is_dropped_wherever_it_tore() {
    let folder = tempfile::tempdir().expect("tempdir");
    let (path, copy) = (folder.path().join("channel"), folder.path().join("copy"));
    let mut log = opened(&path, KEEP);
    log.append(vec![draft(b"one")], NOW).expect("append");
    let whole = fs::metadata(&segments(&path).expect("list")[0]).expect("metadata").len();
    log.append(vec![draft(b"two")], NOW).expect("append");
    let bytes = fs::read(&segments(&path).expect("list")[0]).expect("read");
    fs::create_dir(&copy).expect("mkdir");
    for cut in whole as usize..bytes.len() {
        for segment in segments(&copy).expect("list") {
            fs::remove_file(segment).expect("remove");
        }
        fs::write(copy.join(format!("{NOW:020}.log")), &bytes[..cut]).expect("write");
        let mut log = opened(&copy, KEEP);
        assert_eq!(after(&log.index(), 0).0, [b"one"], "cut at {cut}");
        log.append(vec![draft(b"three")], NOW + 9).expect("append");
        let again = opened(&copy, KEEP).index();
        assert_eq!(after(&again, 0).0, [&b"one"[..], b"three"], "cut at {cut}");
    }
}

#[test]
fn count_bytes_and_age_bound_what_is_kept_and_a_gap_is_told() {
    let folder = tempfile::tempdir().expect("tempdir");
    for (name, keep, kept) in [
        ("count", Keep { events: 5, ..KEEP }, 5),
        ("bytes", Keep { bytes: 5 * (20_000 + 47), ..KEEP }, 5),
        ("age", Keep { age: Duration::from_secs(5), ..KEEP }, 6),
    ] {
        let path = folder.path().join(name);
        let mut log = opened(&path, keep);
        let mut ids = Vec::new();
        for number in 0..20u8 {
            let body = vec![number; 20_000];
            ids.extend(log.append(vec![draft(&body)], NOW + u64::from(number) * 1_000_000).expect("append"));
        }
        let again = opened(&path, keep);
        for index in [log.index(), again.index()] {
            assert_eq!(index.last(), ids[19], "{name}");
            if index.size().0 == kept {
                assert_eq!(after(&index, ids[19 - kept]), (after(&index, 0).0, false), "{name}");
            }
            assert!(after(&index, 0).1, "{name}: a gap");
        }
        assert_eq!(log.index().size().0, kept, "{name}");
        let on_disk: u64 = segments(&path).expect("list").iter().map(|s| fs::metadata(s).expect("m").len()).sum();
        assert!(on_disk <= (kept as u64) * 20_100 + (64 << 10) + 20_100, "{name}: {on_disk}");
        // Everything is gone after a long while, but not the last id.
        log.trim(NOW + 86_400_000_000);
        let left: Vec<_> = segments(&path).expect("list").iter().map(|s| fs::metadata(s).expect("m").len()).collect();
        assert_eq!(left, [0], "{name}");
        let mut again = opened(&path, keep);
        again.trim(NOW + 86_400_000_000);
        assert_eq!((again.index().size(), again.index().last()), ((0, 0), ids[19]), "{name}");
        assert_eq!(after(&again.index(), ids[18]), (vec![], true), "{name}");
        assert_eq!(after(&again.index(), ids[19]), (vec![], false), "{name}");
        // It goes on from there, even when the clock does not.
        let next = again.append(vec![draft(b"next")], NOW).expect("append");
        assert_eq!((next[0], after(&again.index(), ids[19])), (ids[19] + 1, (vec![b"next".to_vec()], false)), "{name}");
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("tempdir");
    let path = folder.path().join("channel");
    opened(&path, KEEP).append(vec![draft(b"x")], NOW).expect("append");
    let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(&segments(&path).expect("list")[0])), (0o700, 0o600));
}

#[test]
fn the_disk_is_bounded_and_given_back() {
    let folder = tempfile::tempdir().expect("tempdir");
    let disk = Disk::new(0, 1000);
    let open = |name: &str| Log::open(folder.path().join(name), KEEP, disk.clone()).expect("open");
    let (mut one, mut two) = (open("one"), open("two"));
    one.append(vec![draft(&[0; 500])], NOW).expect("fits");
    let full = two.append(vec![draft(&[0; 500])], NOW).expect_err("does not fit");
    assert_eq!((full.kind(), two.index().size()), (io::ErrorKind::StorageFull, (0, 0)));
    one.trim(NOW + 86_400_000_000);
    two.append(vec![draft(&[0; 500])], NOW).expect("fits now");
}

#[test]
fn an_event_larger_than_all_that_is_kept_is_kept() {
    let folder = tempfile::tempdir().expect("tempdir");
    let mut log = opened(&folder.path().join("channel"), Keep { bytes: 10, ..KEEP });
    for body in [b"one large event", b"one more of it."] {
        log.append(vec![draft(body)], NOW).expect("append");
        assert_eq!(log.index().size().0, 1);
    }
}
