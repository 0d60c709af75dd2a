//! What is said of a media by hand stays apart from what its files say.

use super::*;
use crate::domain::edit::{Edit, Edits, Field};
use crate::domain::media::Media;

fn files_say(title: &str) -> Metadata {
    Metadata {
        title: Some(title.to_owned()),
        link_url: Some("https://shop.example.com/tee".to_owned()),
        tags: vec!["tee".to_owned()],
        ..Metadata::default()
    }
}

/// Says something by hand, as the flow does.
fn say(tx: &mut dyn Tx, id: MediaId, edit: &Edit) -> Result<Media> {
    let media = media::get(tx, id)?;
    let edits = media.edits.clone().with(edit, &media.metadata.tags);
    let said = edits::files_say(tx, &media)?;
    edits::write(tx, id, &media.path, &said, &edits.expect("an edit"))?;
    media::get(tx, id)
}

fn title(text: &str) -> Edit {
    Edit::title(text).expect("a title")
}

on_every_engine! {
    async fn an_edit_counts_and_what_the_files_say_is_kept_for_later(bed: Bed) {
        let id = bed.media("merch/tee.jpg", 1).await;
        bed.write(move |tx| {
            media::describe(tx, id, "merch/tee.jpg", &files_say("Tee"), &[])?;
            let edited = say(tx, id, &title("Shirt"))?;
            assert_eq!(edited.metadata.title.as_deref(), Some("Shirt"));
            assert_eq!(edited.metadata.tags, ["tee"], "of that nothing was said");
            let cleared = say(tx, id, &Edit::clear(Field::Link))?;
            assert_eq!(cleared.metadata.link_url, None);
            assert_eq!(cleared.edits.fields(), [Field::Title, Field::Link]);

            // The files say something else meanwhile.
            media::describe(tx, id, "merch/tee.jpg", &files_say("Summer tee"), &[])?;
            let read_again = media::get(tx, id)?;
            assert_eq!(read_again.metadata, cleared.metadata);

            say(tx, id, &Edit::reset(Field::Title))?;
            let back = say(tx, id, &Edit::reset(Field::Link))?;
            assert_eq!(back.metadata, files_say("Summer tee"));
            assert!(back.edits.is_empty());
            let kept = tx.count("SELECT COUNT(*) FROM media WHERE edits IS NOT NULL OR unedited IS NOT NULL", &[])?;
            assert_eq!(kept, 0, "where nothing is edited, nothing is kept twice");
            Ok(())
        })
        .await;
    }

    async fn an_edit_stays_when_the_media_moves_is_missing_and_comes_back(bed: Bed) {
        let team = bed.team;
        let id = bed.media("memes/a.jpg", 1).await;
        let (moved, back) = bed
            .write(move |tx| {
                say(tx, id, &title("Cat"))?;
                say(tx, id, &Edit::category("merch").expect("a category"))?;
                media::settle_at(tx, id, "pets/a.jpg")?;
                let moved = media::get(tx, id)?;
                files::remove(tx, team, "memes/a.jpg")?;
                media::miss(tx, id, noon())?;
                let missing = say(tx, id, &Edit::interaction(true))?;
                assert_eq!(missing.missing_since, Some(noon()), "an edit brings no file back");
                media::describe(tx, id, "new/b.jpg", &files_say("Tee"), &[])?;
                Ok((moved, media::get(tx, id)?))
            })
            .await;
        assert_eq!((moved.path.as_str(), moved.category.as_str()), ("pets/a.jpg", "merch"));
        assert_eq!((back.path.as_str(), back.category.as_str()), ("new/b.jpg", "merch"));
        assert_eq!((back.missing_since, back.metadata.title.as_deref()), (None, Some("Cat")));
        assert_eq!(back.metadata.requires_interaction, Some(true));
        assert_eq!(back.metadata.tags, ["tee"]);
        let reset = bed
            .write(move |tx| say(tx, id, &Edit::reset(Field::Category)))
            .await;
        assert_eq!(reset.category.as_str(), "new", "the category follows the folder again");
    }

    async fn a_category_given_by_hand_is_what_the_plan_chooses_from(bed: Bed) {
        let team = bed.team;
        let id = bed.media("memes/a.jpg", 1).await;
        let (memes, merch, categories) = bed
            .write(move |tx| {
                say(tx, id, &Edit::category("merch").expect("a category"))?;
                let mut of = |name| media::candidates(tx, team, &Category::new(name), noon(), 9);
                Ok((of("memes")?.len(), of("merch")?.len(), media::categories(tx, team)?))
            })
            .await;
        assert_eq!((memes, merch), (0, 1));
        assert_eq!(categories, [Category::new("merch")]);
    }

    async fn anything_that_can_be_said_comes_back_as_it_was_said(bed: Bed) {
        let id = bed.media("memes/a.jpg", 1).await;
        let edited = bed
            .write(move |tx| {
                say(tx, id, &title("<b>'null' 🎉 \\\"</b>"))?;
                say(tx, id, &Edit::caption("two\nlines; --").expect("a caption"))?;
                say(tx, id, &Edit::tags(&["für alle".to_owned(), "#2".to_owned()]).expect("tags"))?;
                say(tx, id, &Edit::interaction(false))
            })
            .await;
        assert_eq!(edited.metadata.title.as_deref(), Some("<b>'null' 🎉 \\\"</b>"));
        assert_eq!(edited.metadata.caption.as_deref(), Some("two\nlines; --"));
        assert_eq!(edited.metadata.tags, ["für alle", "2"]);
        assert_eq!(edited.metadata.requires_interaction, Some(false));
        let fields = [Field::Title, Field::Caption, Field::Tags, Field::Interaction];
        assert_eq!(edited.edits.fields(), fields);
        let same = edited.edits.over(Metadata::default());
        assert_eq!(same, edited.metadata);
        assert_ne!(edited.edits, Edits::default());
    }
}
