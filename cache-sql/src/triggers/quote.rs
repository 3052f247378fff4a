//! Names and texts in SQL.

use std::fmt::Write as _;

use crate::dialect::Dialect;

impl Dialect {
    /// Quote a name, which makes it case-sensitive where names are.
    pub(super) fn name(self, name: &str) -> String {
        let mark = match self {
            Self::Postgres | Self::Sqlite => '"',
            Self::MySql => '`',
        };
        let inside = name.replace(mark, &format!("{mark}{mark}"));
        format!("{mark}{inside}{mark}")
    }

    /// Quote `table` or `schema.table`.
    pub(super) fn table(self, table: &str) -> String {
        let names: Vec<String> = table.split('.').map(|name| self.name(name)).collect();
        names.join(".")
    }

    /// Quote a name in the schema of a table.
    pub(super) fn beside(self, table: &str, name: &str) -> String {
        match table.split_once('.') {
            Some((schema, _)) => format!("{}.{}", self.name(schema), self.name(name)),
            None => self.name(name),
        }
    }

    /// Quote a text. Whether `\` begins an escape depends on settings of the server in Postgres and
    /// MySQL, so a text that contains one is written in a form that doesn't.
    pub(super) fn text(self, text: &str) -> String {
        let doubled = text.replace('\'', "''");
        match self {
            Self::Postgres if text.contains('\\') => {
                format!("E'{}'", doubled.replace('\\', "\\\\"))
            }
            Self::MySql if text.contains('\\') => {
                let mut hex = String::from("_utf8mb4 x'");
                for byte in text.bytes() {
                    let _ = write!(hex, "{byte:02X}");
                }
                hex + "'"
            }
            _ => format!("'{doubled}'"),
        }
    }

    /// The line break between two patterns.
    pub(super) fn line_break(self) -> &'static str {
        match self {
            Self::Postgres => "E'\\n'",
            Self::Sqlite => "char(10)",
            Self::MySql => "CHAR(10 USING utf8mb4)",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_backslashes_have_one_reading() {
        for dialect in [Dialect::Postgres, Dialect::Sqlite, Dialect::MySql] {
            assert_eq!(dialect.text("it's"), "'it''s'");
        }
        assert_eq!(Dialect::Postgres.text(r"a\*'"), r"E'a\\*'''");
        assert_eq!(Dialect::Sqlite.text(r"a\*"), r"'a\*'");
        assert_eq!(Dialect::MySql.text(r"a\*"), "_utf8mb4 x'615C2A'");
        assert_eq!(Dialect::Postgres.table("app.Posts"), r#""app"."Posts""#);
        assert_eq!(Dialect::MySql.table("a`b"), "`a``b`");
        assert_eq!(Dialect::Sqlite.beside("main.posts", "t"), r#""main"."t""#);
    }
}
