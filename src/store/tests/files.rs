use std::{fs, io::Read, time::Duration};

use super::{
    super::{files::INLINE_LIMIT, *},
    command, drawing, fresh, write,
};
use crate::domain::{JobState, NewJob, Payload};

#[test]
fn a_small_file_stays_in_memory_and_a_large_one_goes_to_disk_once() {
    let (dir, store) = fresh();
    let take = |length: usize| {
        let mut intake = store.files().intake(1 << 20);
        for piece in vec![b'x'; length].chunks(1000) {
            intake.write(piece).unwrap();
        }
        intake.finish().unwrap()
    };
    assert_eq!(take(INLINE_LIMIT), Payload::Inline(vec![b'x'; INLINE_LIMIT]));
    let large = take(INLINE_LIMIT + 1);
    assert_eq!(take(INLINE_LIMIT + 1), large);
    let Payload::Stored { sha256, size } = &large else { panic!("{large:?}") };
    assert_eq!(*size, INLINE_LIMIT as u64 + 1);
    let saved = store.files().save(&vec![b'x'; INLINE_LIMIT + 1][..]).unwrap();
    assert_eq!((&saved.sha256, saved.size), (sha256, *size));
    assert_eq!(fs::read_dir(dir.path().join("files")).unwrap().count(), 1);
    let mut content = Vec::new();
    store.files().open(sha256).unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, vec![b'x'; INLINE_LIMIT + 1]);
}

#[test]
fn the_name_is_the_hash_as_anyone_computes_it() {
    let (_dir, store) = fresh();
    let saved = store.files().save(&b"abc"[..]).unwrap();
    // FIPS 180-2, appendix B.1.
    assert_eq!(saved.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn too_much_is_refused_and_leaves_nothing_behind() {
    let (dir, store) = fresh();
    let mut intake = store.files().intake(100_000);
    intake.write(&vec![0; 90_000]).unwrap();
    assert!(matches!(intake.write(&[0; 10_001]), Err(StoreError::TooLarge { limit: 100_000 })));
    drop(intake);
    assert_eq!(fs::read_dir(dir.path().join("files")).unwrap().count(), 0);
}

#[test]
fn names_that_lead_elsewhere_are_no_files() {
    let (_dir, store) = fresh();
    for name in ["../stationd.db", "", "/etc/passwd", &"A".repeat(64), &"a".repeat(64)] {
        assert!(matches!(store.files().open(name), Err(StoreError::NotFound(_))), "{name}");
    }
}

#[test]
fn only_old_files_without_a_job_are_swept() {
    let (dir, store) = fresh();
    let kept = store.files().save(&b"kept"[..]).unwrap();
    let orphan = store.files().save(&b"orphan"[..]).unwrap();
    fs::write(dir.path().join("files/999-0.part"), b"left behind").unwrap();
    fs::write(dir.path().join("files/README"), b"not ours").unwrap();
    let payload = Payload::Stored { sha256: kept.sha256.clone(), size: kept.size };
    let job = write(&store, move |tx| {
        jobs::insert(tx, &NewJob { payload: payload.clone(), ..command() })
    })
    .job;
    let sweep =
        |age| store.read(|connection| store.files().sweep_orphans(connection, age)).unwrap();
    assert_eq!(sweep(Duration::from_hours(1)), 0, "a job may be about to name them");
    assert_eq!(sweep(Duration::ZERO), 2);
    assert!(
        store.files().open(&kept.sha256).is_ok() && store.files().open(&orphan.sha256).is_err()
    );
    assert!(dir.path().join("files/README").exists());
    write(&store, move |tx| {
        jobs::transition(tx, job.id, JobState::Cancelled, jobs::Change::because("test"))?;
        jobs::delete(tx, job.id)
    });
    assert_eq!(sweep(Duration::ZERO), 1);
}

#[test]
fn a_program_is_kept_as_long_as_its_job() {
    let (_dir, store) = fresh();
    let large = store.files().save(&b"G1 X1\n"[..]).unwrap();
    let large = Payload::Stored { sha256: large.sha256, size: large.size };
    let small = Payload::Inline(b"G1 X2\n".to_vec());
    for (program, files) in [(large, 1), (small, 0)] {
        let drawn =
            NewJob { program: Some(program.clone()), ..drawing(Some("mill"), Some("grbl")) };
        let job = write(&store, move |tx| jobs::insert(tx, &drawn)).job;
        let kept = |id| {
            store.read(|connection| {
                Ok((jobs::program(connection, id)?, jobs::runs(connection, id)?))
            })
        };
        assert_eq!(kept(job.id).unwrap(), (Some(program.clone()), program));
        let submitted = store.read(|connection| jobs::payload(connection, job.id)).unwrap();
        assert_eq!(submitted, Payload::Inline(b"G1 X1\n".to_vec()));
        let sweep = || {
            store
                .read(|connection| store.files().sweep_orphans(connection, Duration::ZERO))
                .unwrap()
        };
        assert_eq!(sweep(), 0, "the job names it");
        write(&store, move |tx| {
            jobs::transition(tx, job.id, JobState::Cancelled, jobs::Change::because("test"))?;
            jobs::delete(tx, job.id)
        });
        assert!(kept(job.id).is_err());
        assert_eq!(sweep(), files);
    }
}
