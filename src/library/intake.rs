//! Takes in what people hand in by the chat, one file at a time. It is fetched to where nobody sees it, looked at as any other
//! file is, and comes into the library only if it may become a story and the team does not have it.

use std::path::Path;
use std::sync::Arc;

use super::copy::there_already;
use super::draft::{Draft, NotCopied, clear};
use super::import::{accompany, look};
use super::inspect::Inspector;
use super::names;
use super::reconcile::Library;
use crate::domain::category::{Category, UNSORTED};
use crate::domain::media::{Content, Format};
use crate::flow::Error;
use crate::flow::index::check;
use crate::flow::intake::{Fetch, Intake, Landed, NotLanded, Parcel};
use crate::system::background::background;
use crate::system::beneath::{Folder, is_link};

/// The intake of a library.
#[must_use]
pub fn intake(library: Library) -> Intake {
    Arc::new(move |parcel, fetch| Box::pin(take_in(library.clone(), parcel, fetch)))
}

async fn take_in(library: Library, parcel: Parcel, fetch: Fetch) -> Result<Landed, NotLanded> {
    if let Some(reason) = library.is_away().await? {
        return Err(NotLanded::Later(reason));
    }
    let folder = folder(&parcel.category)?;
    let (root, wanted) = (library.root().to_owned(), folder.clone());
    let not_landed = |problem| not_landed(problem, library.root());
    let opened = background(move || -> Result<_, NotCopied> {
        let root = Folder::root(&root).map_err(NotCopied::Target)?;
        if root.folder(&wanted).is_err_and(|error| is_link(&error)) {
            // Before anything is fetched that has no place.
            let folder = wanted.trim_end_matches('/').to_owned();
            return Err(NotCopied::NoFolder(folder));
        }
        clear(&root)?;
        let draft = Draft::new(&root, ".fetched")?;
        let file = draft.file()?;
        Ok((draft, file))
    });
    let opened = opened.await.map_err(Error::from)?;
    let (draft, file) = opened.map_err(not_landed)?;
    fetch(file).await.map_err(NotLanded::NotFetched)?;

    let root = library.root().to_owned();
    let looked = background(move || examined(&draft, &root).map(|content| (draft, content)));
    let (draft, content) = looked.await.map_err(Error::from)??;
    let (flow, now) = (library.flow(), library.clock().now());
    if let Some(known) = flow.known_content(content.fingerprint, now).await? {
        return Ok(Landed::Known(known));
    }
    let name = parcel.name.as_deref().and_then(names::safe);
    let name = name.unwrap_or_else(|| format!("{}.{}", parcel.otherwise, ending(content.format)));
    let (root, path) = (library.root().to_owned(), format!("{folder}{name}"));
    let landing = background(move || -> Result<_, NotCopied> {
        let root = Folder::root(&root).map_err(NotCopied::Target)?;
        match there_already(draft.written()?, content.fingerprint, &root, &path) {
            Some(path) => Ok(path),
            None => draft.land(&root, &path, accompany(&root, &parcel.metadata)),
        }
    });
    let path = landing.await.map_err(Error::from)?.map_err(not_landed)?;
    library.look(vec![path.clone()]).await?;
    Ok(Landed::At(path))
}

/// What was fetched, if it may become a story.
fn examined(draft: &Draft, root: &Path) -> Result<Box<Content>, NotLanded> {
    let written = draft.written();
    let size_bytes = written.map_err(|problem| not_landed(problem, root))?;
    let content = look(&mut Inspector::new(root), &draft.path()).map_err(NotLanded::Unfit)?;
    let (width_px, height_px) = (content.width_px, content.height_px);
    let verdict = check(width_px, height_px, size_bytes, content.clip.as_ref());
    if verdict.errors.is_empty() {
        Ok(content)
    } else {
        Err(NotLanded::Unfit(verdict.errors.join("; ")))
    }
}

/// What the path of a file in this category begins with.
fn folder(category: &Category) -> Result<String, NotLanded> {
    match category.as_str() {
        UNSORTED => Ok(String::new()),
        name if name.contains('/') || names::is_folder_passed_over(name) => {
            let reason = format!("a folder of the name `{name}` is passed over in the library");
            Err(NotLanded::Unfit(reason))
        }
        name => Ok(format!("{name}/")),
    }
}

fn ending(format: Format) -> &'static str {
    match format {
        Format::Jpeg => "jpg",
        other => other.as_str(),
    }
}

/// What a link in the way means is the same in an hour; a disk may be mended by then.
fn not_landed(problem: NotCopied, library: &Path) -> NotLanded {
    let reason = problem.told(library);
    match problem {
        NotCopied::NoFolder(_) => NotLanded::Unfit(reason),
        _ => NotLanded::Later(reason),
    }
}
