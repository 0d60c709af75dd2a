//! The only place that prints. What was asked for goes to stdout, as a table for people or as JSON for scripts; all talk goes
//! to stderr. There is no colour, so that none carries meaning. Words from
//! outside are neutral, and in lists of a bearable width; JSON has them whole.

use std::io::{self, IsTerminal, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Row};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use terminal_size::{Width, terminal_size_of};

use super::Failure;
use crate::system::neutral;

/// How a command prints what was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Print {
    json: bool,
    /// The terminal's width in characters; nothing if stdout is no terminal.
    width: Option<u16>,
}

impl Print {
    pub(super) fn new(json: bool) -> Self {
        let stdout = io::stdout();
        let size = stdout
            .is_terminal()
            .then(|| terminal_size_of(&stdout))
            .flatten();
        Self {
            json,
            width: size.map(|(Width(width), _)| width),
        }
    }

    /// Whether a script asks.
    pub(super) fn is_json(self) -> bool {
        self.json
    }

    /// A list. An empty one says so on stderr.
    pub(super) fn list<T: Serialize>(
        self,
        items: &[T],
        empty: &str,
        table: impl FnOnce(&[T]) -> Table,
    ) -> Result<(), Failure> {
        if self.json {
            return self.json(&items);
        }
        if items.is_empty() {
            say(empty);
            return Ok(());
        }
        self.table(&table(items))
    }

    /// One thing.
    pub(super) fn thing<T: Serialize>(
        self,
        thing: &T,
        table: impl FnOnce(&T) -> Table,
    ) -> Result<(), Failure> {
        if self.json {
            return self.json(thing);
        }
        self.table(&table(thing))
    }

    /// What was done: a sentence for people, its facts for scripts.
    pub(super) fn done<T: Serialize>(self, facts: &T, sentence: &str) -> Result<(), Failure> {
        if self.json {
            return self.json(facts);
        }
        say(&neutral::line(sentence));
        Ok(())
    }

    /// The same in several lines, in which the words from outside are [neutral](neutral::line) already.
    pub(super) fn done_in_lines<T: Serialize>(self, facts: &T, lines: &str) -> Result<(), Failure> {
        if self.json {
            return self.json(facts);
        }
        say(lines);
        Ok(())
    }

    pub(super) fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failure> {
        let mut text = serde_json::to_string_pretty(value).map_err(io::Error::from)?;
        text.push('\n');
        self.text(&neutral::json(&text))
    }

    /// A text, as it is.
    pub(super) fn text(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()?;
        Ok(())
    }

    fn table(self, table: &Table) -> Result<(), Failure> {
        self.text(&table.render(self.width))
    }
}

/// Talks to the person at the terminal.
pub(super) fn say(talk: &str) {
    // Nobody listens if stderr is closed.
    let _ = writeln!(io::stderr(), "{}", neutral::lines(talk));
}

/// The same without an end of the line: the answer follows.
pub(super) fn prompt(talk: &str) {
    let mut stderr = io::stderr();
    let _ = write!(stderr, "{}", neutral::lines(talk)).and_then(|()| stderr.flush());
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    alignment: CellAlignment,
    /// Whether it is cut short where the terminal is narrow.
    may_shrink: bool,
}

/// A column that is always shown in full.
pub(super) const FULL: Column = Column {
    alignment: CellAlignment::Left,
    may_shrink: false,
};
/// A column of numbers.
pub(super) const NUMBER: Column = Column {
    alignment: CellAlignment::Right,
    may_shrink: false,
};
/// A column of texts of any length.
pub(super) const TEXT: Column = Column {
    alignment: CellAlignment::Left,
    may_shrink: true,
};

/// The blanks between two columns.
const GAP: u16 = 2;
/// A text is not cut shorter than this.
const SHORTEST_TEXT: usize = 12;
/// The columns of a screen that a text takes at most where nothing tells the width: one long name must not move all others.
const WIDEST_TEXT: u16 = 80;

/// A table without lines.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    header: Option<Vec<String>>,
    rows: Vec<Vec<String>>,
    /// Whether a row may take several lines where the terminal is narrow, and is not cut short.
    wraps: bool,
}

impl Table {
    /// One with a heading for each column.
    pub(super) fn new<const N: usize>(header: [(&str, Column); N]) -> Self {
        Self {
            columns: header.iter().map(|(_, column)| *column).collect(),
            header: Some(header.iter().map(|(name, _)| (*name).to_owned()).collect()),
            rows: Vec::new(),
            wraps: false,
        }
    }

    /// The facts of one thing: what, and how it is.
    pub(super) fn facts() -> Self {
        Self {
            columns: vec![FULL, TEXT],
            header: None,
            rows: Vec::new(),
            wraps: true,
        }
    }

    /// The same, where every word counts.
    pub(super) fn wrapped(self) -> Self {
        Self {
            wraps: true,
            ..self
        }
    }

    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        // Where a row may take several lines, so may a text; a text of one line must not look like two rows.
        let shown = |cell: &String| match self.wraps {
            true => neutral::lines(cell).into_owned(),
            false => neutral::line(cell).into_owned(),
        };
        self.rows.push(cells.iter().map(shown).collect());
    }

    /// Adds a fact, if there is one.
    pub(super) fn fact(&mut self, what: &str, how: impl Into<Option<String>>) {
        if let Some(how) = how.into() {
            self.row([what.to_owned(), how]);
        }
    }

    /// The width below which texts are not worth reading; a narrower terminal breaks the lines.
    fn narrowest(&self) -> u16 {
        let widths = self.columns.iter().enumerate().map(|(index, column)| {
            let cells = self.header.iter().chain(&self.rows);
            let widest = cells.filter_map(|cells| Some(cells.get(index)?.chars().count()));
            let widest = widest.max().unwrap_or(0);
            let width = if column.may_shrink {
                widest.min(SHORTEST_TEXT)
            } else {
                widest
            };
            width + usize::from(GAP)
        });
        u16::try_from(widths.sum::<usize>()).unwrap_or(u16::MAX)
    }

    /// Facts are wrapped where the terminal is narrow, most rows cut short.
    fn render(&self, width: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        if let Some(width) = width {
            table
                .set_width(width.max(self.narrowest()))
                .set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        if let Some(header) = &self.header {
            let mut row = Row::from(header);
            row.max_height(1);
            table.set_header(row);
        }
        for cells in &self.rows {
            let mut row = Row::from(cells);
            if !self.wraps {
                row.max_height(1);
            }
            table.add_row(row);
        }
        for (index, spec) in self.columns.iter().enumerate() {
            if let Some(column) = table.column_mut(index) {
                column.set_padding((0, GAP));
                column.set_cell_alignment(spec.alignment);
                if !spec.may_shrink {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                } else if width.is_none() && !self.wraps {
                    let widest = comfy_table::Width::Fixed(WIDEST_TEXT + GAP);
                    column.set_constraint(ColumnConstraint::UpperBoundary(widest));
                }
            }
        }
        let mut text = table.trim_fmt();
        text.push('\n');
        text
    }
}

/// `Sat 2026-11-21 13:05`, by the team's clock on the wall.
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone())
        .strftime("%a %Y-%m-%d %H:%M")
        .to_string()
}

/// `Due (Europe/Berlin)`: the heading of a column of times.
pub(super) fn heading(what: &str, zone: &TimeZone) -> String {
    format!("{what} ({})", zone.iana_name().unwrap_or("local"))
}

/// `1 story`, `3 stories`.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A text that may be missing.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("–").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new([("Story", NUMBER), ("Name", TEXT), ("State", FULL)]);
        table.row([
            "#7".into(),
            "a cat that sleeps on a keyboard all day".into(),
            "planned".into(),
        ]);
        table.row(["#12".into(), "Käse".into(), "awaiting".into()]);
        table
    }

    #[test]
    fn a_piped_table_is_whole() {
        assert_eq!(
            sample().render(None),
            "Story  Name                                     State\n   \
             #7  a cat that sleeps on a keyboard all day  planned\n  \
             #12  Käse                                     awaiting\n"
        );
    }

    #[test]
    fn in_a_narrow_terminal_only_texts_are_cut() {
        let narrow = sample().render(Some(40));
        assert!(
            narrow.lines().all(|line| line.chars().count() <= 40),
            "{narrow}"
        );
        assert_eq!(narrow.lines().count(), 3, "{narrow}");
        assert!(
            narrow.contains('…') && narrow.contains("awaiting"),
            "{narrow}"
        );
        let tiny = sample().render(Some(10));
        assert_eq!(tiny.lines().count(), 3, "{tiny}");
        assert!(
            tiny.contains("Käse") && tiny.contains("a cat that…"),
            "{tiny}"
        );
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        let mut table = Table::facts();
        table.fact("Name", "x\u{7}\u{202e}".to_owned());
        assert_eq!(table.render(None), "Name  x\\u{7}\\u{202e}\n");
        let mut table = Table::new([("Name", TEXT), ("State", FULL)]);
        table.row(["a.jpg\nb.jpg  planned".into(), "new\u{2066}".into()]);
        assert_eq!(
            table.render(None),
            "Name                   State\na.jpg\\nb.jpg  planned  new\\u{2066}\n"
        );
    }

    #[test]
    fn one_long_name_does_not_move_all_others() {
        for long in ["x".repeat(240), "字".repeat(120), "e\u{301}".repeat(120)] {
            let mut table = sample();
            table.row(["#8".into(), long.clone(), "planned".into()]);
            let shown = table.render(None);
            let rows: Vec<&str> = shown.lines().collect();
            assert_eq!(rows.len(), 4, "{shown}");
            assert!(
                rows[3].contains('…') && rows[3].ends_with("planned"),
                "{shown}"
            );
            assert!(rows[0].len() < 110, "{shown}");
            let mut facts = Table::facts();
            facts.fact("Name", long.clone());
            assert!(facts.render(None).contains(&long));
        }
    }

    #[test]
    fn times_are_of_the_teams_clock() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = "2026-11-21T12:05:00Z".parse().unwrap();
        assert_eq!(moment(at, &zone), "Sat 2026-11-21 13:05");
        assert_eq!(heading("Due", &zone), "Due (Europe/Berlin)");
    }
}
