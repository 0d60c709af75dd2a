//! What goes into a statement and what comes out of it, in the few types that both engines share.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;

use super::error::{Error, Result};

/// A parameter or a cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
}

macro_rules! integer {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(number: $type) -> Self {
                Self::Integer(i64::from(number))
            }
        }
    )*};
}
integer!(i64, i32, u32, bool);

impl From<u64> for Value {
    /// Sizes and counters; none reaches 2^63.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<Timestamp> for Value {
    fn from(moment: Timestamp) -> Self {
        Self::Integer(moment.as_millisecond())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        // PostgreSQL's text cannot hold a zero byte; nobody means one.
        Self::Text(text.replace('\0', "\u{fffd}"))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

macro_rules! displayed {
    ($($type:ty),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Text(value.to_string())
            }
        }
    )*};
}
displayed!(
    crate::domain::ids::TeamId,
    crate::domain::ids::MediaId,
    crate::domain::ids::StoryId,
    crate::domain::ids::LockId,
    crate::domain::ids::RunId,
    crate::domain::ids::AlertId,
    crate::domain::ids::HandInId,
    crate::domain::media::Fingerprint,
    crate::domain::outcome::Outcome,
    crate::domain::lock::LockKind,
    crate::domain::story::State,
    crate::domain::person::Role,
    &crate::domain::category::Category,
    Date,
);

impl From<crate::domain::person::PersonId> for Value {
    fn from(id: crate::domain::person::PersonId) -> Self {
        Self::Integer(id.0)
    }
}

/// The parameters of a statement: anything that has a [`Value`], in order.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::value::Value::from($value)),*]
    };
}
pub(crate) use values;

/// A row of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row(pub(crate) Vec<Value>);

impl Row {
    /// Reads the cells in the order in which the query names them.
    pub(crate) fn cells(self) -> Cells {
        Cells(self.0.into_iter())
    }
}

/// The cells of a row, taken one after the other.
pub(crate) struct Cells(std::vec::IntoIter<Value>);

impl Cells {
    fn next(&mut self) -> Result<Value> {
        self.0
            .next()
            .ok_or_else(|| Error::unexpected("a row is shorter than its query"))
    }

    pub(crate) fn integer(&mut self) -> Result<i64> {
        self.maybe_integer()?
            .ok_or_else(|| Error::unexpected("nothing, where a number belongs"))
    }

    pub(crate) fn maybe_integer(&mut self) -> Result<Option<i64>> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(number)),
            Value::Text(text) => Err(Error::unexpected(format!(
                "`{text}`, where a number belongs"
            ))),
        }
    }

    /// A number in a narrower type.
    pub(crate) fn number<T: TryFrom<i64>>(&mut self) -> Result<T> {
        let number = self.integer()?;
        T::try_from(number)
            .map_err(|_| Error::unexpected(format!("{number}, which is out of range")))
    }

    pub(crate) fn maybe_number<T: TryFrom<i64>>(&mut self) -> Result<Option<T>> {
        self.maybe_integer()?
            .map(|number| {
                T::try_from(number)
                    .map_err(|_| Error::unexpected(format!("{number}, which is out of range")))
            })
            .transpose()
    }

    pub(crate) fn text(&mut self) -> Result<String> {
        self.maybe_text()?
            .ok_or_else(|| Error::unexpected("nothing, where text belongs"))
    }

    pub(crate) fn maybe_text(&mut self) -> Result<Option<String>> {
        match self.next()? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Integer(number) => {
                Err(Error::unexpected(format!("{number}, where text belongs")))
            }
        }
    }

    /// Anything that is written as text: an id, a state, a date.
    pub(crate) fn parsed<T: FromStr<Err: std::fmt::Display>>(&mut self) -> Result<T> {
        self.text()?.parse().map_err(Error::unexpected)
    }

    pub(crate) fn maybe_parsed<T: FromStr<Err: std::fmt::Display>>(&mut self) -> Result<Option<T>> {
        self.maybe_text()?
            .map(|text| text.parse().map_err(Error::unexpected))
            .transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp> {
        Timestamp::from_millisecond(self.integer()?).map_err(Error::unexpected)
    }

    pub(crate) fn maybe_time(&mut self) -> Result<Option<Timestamp>> {
        self.maybe_integer()?
            .map(|millis| Timestamp::from_millisecond(millis).map_err(Error::unexpected))
            .transpose()
    }

    pub(crate) fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(&self.text()?).map_err(Error::unexpected)
    }

    pub(crate) fn maybe_json<T: serde::de::DeserializeOwned>(&mut self) -> Result<Option<T>> {
        self.maybe_text()?
            .map(|text| serde_json::from_str(&text).map_err(Error::unexpected))
            .transpose()
    }
}

/// A list or a map as the text that a cell holds.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(Error::unexpected)
}
