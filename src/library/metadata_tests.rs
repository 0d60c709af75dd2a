use super::*;
use std::fs;

fn library(files: &[(&str, &str)]) -> tempfile::TempDir {
    let library = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = library.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    library
}

fn read(files: &[(&str, &str)], path: &str) -> (Metadata, Vec<String>) {
    let library = library(files);
    MetadataReader::new(library.path()).read(path)
}

#[test]
fn later_places_win() {
    let files = [
        (
            "merch/metadata.json",
            r#"{"default_tags": ["shop"], "default_requires_interaction": true, "items": [
                {"file_name": "x__https-example-com.jpg", "title": "Item", "link_url": "https://item.example",
                 "caption": "From the item", "custom_metadata": {"price": 3, "size": "L"}}]}"#,
        ),
        (
            "merch/x__https-example-com.json",
            r#"{"title": "Sidecar", "custom_metadata": {"price": 4}}"#,
        ),
        (
            "merch/x__https-example-com.jpg.json",
            r#"{"tags": ["new"]}"#,
        ),
    ];
    let (metadata, problems) = read(&files, "merch/x__https-example-com.jpg");
    assert_eq!(problems, [""; 0]);
    assert_eq!(metadata.title.as_deref(), Some("Sidecar"));
    assert_eq!(metadata.link_url.as_deref(), Some("https://example.com"));
    assert_eq!(metadata.caption.as_deref(), Some("From the item"));
    assert_eq!(metadata.tags, ["new"]);
    assert_eq!(metadata.requires_interaction, Some(true));
    assert_eq!(metadata.custom_metadata["price"], 4);
    assert_eq!(metadata.custom_metadata["size"], "L");
}

#[test]
fn the_names_of_files_may_be_keys() {
    let json = "\u{feff}{\"files\": {\"cat.jpg\": {\"title\": \"Cat\"}}}";
    let (metadata, problems) = read(&[("metadata.json", json)], "cat.jpg");
    assert_eq!(metadata.title.as_deref(), Some("Cat"));
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn a_broken_json_is_told_with_its_place_and_leaves_the_rest() {
    let files = [
        ("a/metadata.json", "{\n  \"default_tags\": [\"x\"\n"),
        ("a/cat.json", "{\"title\": \"Cat\"}"),
    ];
    let (metadata, problems) = read(&files, "a/cat.jpg");
    assert_eq!(metadata.title.as_deref(), Some("Cat"));
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("`a/metadata.json`"), "{problems:?}");
    assert!(problems[0].contains("line 3 column 0"), "{problems:?}");
}

#[test]
fn wrong_types_and_unknown_keys_are_told_and_the_rest_is_used() {
    let sidecar = r#"{"title": 5, "captoin": "x", "caption": "Hi", "tags": ["a", 1], "requires_interaction": "yes",
        "custom_metadata": [], "link_url": "not a link"}"#;
    let (metadata, problems) = read(&[("cat.json", sidecar)], "cat.jpg");
    assert_eq!(metadata.caption.as_deref(), Some("Hi"));
    assert_eq!(metadata.tags, ["a"]);
    assert_eq!((metadata.title, metadata.link_url), (None, None));
    for says in [
        "`title` should be a text, but is a number",
        "`captoin` is not known",
        "`tags`",
        "`requires_interaction` should be `true` or `false`",
        "`custom_metadata`",
        "`not a link`",
    ] {
        assert!(
            problems.iter().any(|problem| problem.contains(says)),
            "{says}: {problems:?}"
        );
    }
    assert_eq!(problems.len(), 6);
}

#[test]
fn a_list_where_an_object_should_be_is_told() {
    let (_, problems) = read(&[("cat.json", "[]"), ("metadata.json", "3")], "cat.jpg");
    assert_eq!(problems.len(), 2, "{problems:?}");
    let items =
        r#"{"items": [{"title": "x"}, 7, {"file_name": "a/b.jpg"}], "files": [], "extra": 1}"#;
    let (_, problems) = read(&[("metadata.json", items)], "cat.jpg");
    assert_eq!(problems.len(), 5, "{problems:?}");
}

#[test]
fn an_items_mistake_is_told_only_of_its_file() {
    let files = [(
        "metadata.json",
        r#"{"items": [{"file_name": "dog.jpg", "title": 1}]}"#,
    )];
    assert!(read(&files, "cat.jpg").1.is_empty());
    assert_eq!(read(&files, "dog.jpg").1.len(), 1);
}

#[test]
fn a_huge_json_is_refused() {
    let huge = format!("{{\"title\": \"{}\"}}", "x".repeat(1_000_000));
    let (metadata, problems) = read(&[("cat.json", &huge)], "cat.jpg");
    assert_eq!(metadata, Metadata::default());
    assert!(problems[0].contains("larger than 1 MB"));
}

#[test]
fn a_picture_called_metadata_takes_the_folders_file_for_no_sidecar() {
    let files = [("metadata.json", r#"{"default_tags": ["x"]}"#)];
    let (metadata, problems) = read(&files, "metadata.jpg");
    assert_eq!(metadata.tags, ["x"]);
    assert!(problems.is_empty());
}

#[test]
fn a_changed_folder_file_is_read_again_and_a_removed_one_forgotten() {
    let library = library(&[("metadata.json", r#"{"default_tags": ["one"]}"#)]);
    let mut reader = MetadataReader::new(library.path());
    assert_eq!(reader.read("cat.jpg").0.tags, ["one"]);
    fs::write(
        library.path().join("metadata.json"),
        r#"{"default_tags": ["two", "x"]}"#,
    )
    .unwrap();
    assert_eq!(reader.read("cat.jpg").0.tags, ["two", "x"]);
    fs::remove_file(library.path().join("metadata.json")).unwrap();
    assert_eq!(reader.read("cat.jpg").0, Metadata::default());
}

#[test]
fn a_link_is_no_metadata_file() {
    let outside = library(&[("secret.json", r#"{"title": "Secret"}"#)]);
    let library = library(&[]);
    std::os::unix::fs::symlink(
        outside.path().join("secret.json"),
        library.path().join("cat.json"),
    )
    .unwrap();
    assert_eq!(
        MetadataReader::new(library.path()).read("cat.jpg").0,
        Metadata::default()
    );
}
