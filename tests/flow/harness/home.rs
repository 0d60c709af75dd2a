//! Where a box keeps its records: in a file, or at a server.

use std::path::{Path, PathBuf};

use storyline::flow::Store;

#[cfg(feature = "postgres")]
use crate::postgres_server::Database;

pub(crate) enum Home {
    Sqlite(tempfile::TempDir),
    #[cfg(feature = "postgres")]
    Postgres(Database),
}

impl Home {
    pub(crate) fn sqlite() -> Self {
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() {
            tempfile::tempdir_in(memory)
        } else {
            tempfile::tempdir()
        };
        Self::Sqlite(dir.unwrap())
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn postgres() -> Self {
        let migrate = |url: &str| drop(Store::open_postgres(url).unwrap());
        Self::Postgres(Database::new(migrate))
    }

    /// The file, where there is one.
    pub(super) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(dir) => Some(dir.path().join("storyline.db")),
            #[cfg(feature = "postgres")]
            Self::Postgres(_) => None,
        }
    }

    pub(super) fn open(&self) -> Store {
        match self {
            Self::Sqlite(_) => Store::open_sqlite(&self.file().unwrap()).unwrap(),
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => Store::open_postgres(database.url()).unwrap(),
        }
    }

    pub(super) fn count(&self, sql: &str) -> i64 {
        match self {
            Self::Sqlite(_) => {
                let connection = rusqlite::Connection::open(self.file().unwrap()).unwrap();
                connection.query_row(sql, [], |row| row.get(0)).unwrap()
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(database) => {
                let mut client =
                    postgres::Client::connect(database.url(), postgres::NoTls).unwrap();
                client.query_one(sql, &[]).unwrap().get(0)
            }
        }
    }
}

/// Makes a test of each sentence for each engine: it is told where its box keeps its records.
macro_rules! on_every_engine {
    ($(fn $name:ident($home:ident: Home) $body:block)*) => {$(
        mod $name {
            use super::*;

            fn scenario($home: Home) $body

            #[test]
            fn sqlite() {
                scenario(Home::sqlite());
            }

            #[cfg(feature = "postgres")]
            #[test]
            fn postgres() {
                scenario(Home::postgres());
            }
        }
    )*};
}
pub(crate) use on_every_engine;
