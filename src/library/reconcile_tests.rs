use std::fs;

use super::*;
use crate::domain::team::TeamSettings;
use crate::flow::Store;

/// So many files that are no pictures.
const JUNK: usize = 50_000;
/// So many of them are on record.
const IN_VIEW: usize = 1_000;

struct Bed {
    folder: tempfile::TempDir,
    library: Library,
}

impl Bed {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("library");
        fs::create_dir(&root).unwrap();
        let clock = Clock::steerable("2027-03-01T12:00:00Z".parse().unwrap());
        let store = Store::open_sqlite(&folder.path().join("storyline.db")).unwrap();
        let flow = Flow::open(store, TeamSettings::default(), clock.now());
        let cache = Cache::new(&folder.path().join("cache"), 1_000_000, clock.clone());
        Self {
            library: Library::new(flow.await.unwrap(), &root, cache, clock),
            folder,
        }
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let path = self.library.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn draw(&self, path: &str, red: u8) {
        let path = self.library.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let picture = image::RgbImage::from_pixel(270, 480, image::Rgb([red, 0, 0]));
        picture
            .save_with_format(path, image::ImageFormat::Png)
            .unwrap();
    }

    async fn scan(&self) -> Scanned {
        self.library.scan(None, |_, _| {}).await.unwrap()
    }

    /// Media, files on record, and those of no use that are on none.
    async fn counts(&self) -> (usize, u64, u64) {
        let flow = self.library.flow();
        let media = flow.media(None).await.unwrap().len();
        let files = flow.count_files().await.unwrap();
        (media, files, flow.overlooked().await.unwrap())
    }
}

#[tokio::test]
async fn many_files_that_are_no_pictures_cost_little_and_hide_no_picture() {
    let bed = Bed::new().await;
    for number in 0..JUNK {
        bed.put(&format!("junk{}/file-{number}", number % 50), b"no picture");
    }
    bed.draw("memes/cat.png", 1);
    bed.draw("junk7/dog.png", 2);
    let first = bed.scan().await;
    assert_eq!(first.files, JUNK + 2);
    assert_eq!(
        (first.indexed.new, first.indexed.unusable),
        (2, JUNK as u64)
    );
    let rest = (JUNK - IN_VIEW) as u64;
    assert_eq!(bed.counts().await, (2, IN_VIEW as u64 + 2, rest));
    let database = fs::metadata(bed.folder.path().join("storyline.db")).unwrap();
    assert!(database.len() < 2_000_000, "{}", database.len());

    // None of it is looked at again, and what is new among it is found.
    assert!(bed.scan().await.indexed.is_nothing());
    bed.put("junk3/new", b"nothing");
    bed.draw("junk3/bird.png", 3);
    bed.draw("junk9/file-59", 4);
    let indexed = bed.scan().await.indexed;
    assert_eq!((indexed.new, indexed.unusable), (2, 1), "{indexed:?}");
    assert_eq!(bed.counts().await.0, 4);
    fs::remove_dir_all(bed.library.root().join("junk11")).unwrap();
    assert_eq!(bed.scan().await.away, None);
}

#[tokio::test]
async fn links_and_other_problems_without_end_are_kept_in_view_to_a_bound() {
    let bed = Bed::new().await;
    bed.draw("memes/cat.png", 1);
    for number in 0..3 * IN_VIEW {
        let link = bed.library.root().join(format!("memes/{number}"));
        std::os::unix::fs::symlink("cat.png", link).unwrap();
    }
    bed.scan().await;
    let rest = 2 * IN_VIEW as u64;
    assert_eq!(bed.counts().await, (1, IN_VIEW as u64 + 1, rest));
    assert!(bed.scan().await.indexed.is_nothing());
    assert_eq!(bed.counts().await, (1, IN_VIEW as u64 + 1, rest));
}

#[tokio::test]
async fn what_was_moved_is_not_gone_and_what_is_gone_at_once_is_told_from_a_disk() {
    let bed = Bed::new().await;
    for number in 0..40 {
        bed.draw(&format!("memes/{number}.png"), number);
    }
    bed.scan().await;
    let at = |path: &str| bed.library.root().join(path);
    fs::rename(at("memes"), at("merch")).unwrap();
    let moved = bed.scan().await;
    assert_eq!(
        (moved.away, moved.indexed.known, moved.indexed.gone),
        (None, 40, 40)
    );
    for number in 0..11 {
        fs::remove_file(at(&format!("merch/{number}.png"))).unwrap();
    }
    let suspicious = bed.scan().await;
    assert!(suspicious.away.unwrap().contains("11 of 40 files are gone"));
    assert_eq!(bed.counts().await, (40, 40, 0));
    let by = Some(By::terminal("ann"));
    let accepted = bed.library.scan(by, |_, _| {}).await.unwrap();
    assert_eq!((accepted.away, accepted.indexed.gone), (None, 11));
}
