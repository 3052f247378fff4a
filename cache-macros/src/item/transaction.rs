//! Arguments that are a database transaction, or a connection that may be in one. Recognized by
//! their written type.

use syn::{GenericArgument, PathArguments, Type};

/// The types of database crates. A transaction of sqlx, SeaORM, rusqlite or tokio-postgres is a
/// `Transaction`; a connection of sqlx is passed to functions that run in one.
const TRANSACTIONS: &[&str] = &[
    "DatabaseTransaction",
    "MySqlConnection",
    "MySqlTransaction",
    "PgConnection",
    "PgTransaction",
    "PoolConnection",
    "SqliteConnection",
    "SqliteTransaction",
    "Transaction",
];

/// Types around one of them.
const WRAPPERS: &[&str] = &[
    "Arc", "Box", "Mutex", "Option", "Pin", "Rc", "RefCell", "RwLock",
];

/// Whether a type is a transaction, behind references and [`WRAPPERS`] or not.
pub(crate) fn is_transaction(ty: &Type) -> bool {
    let path = match ty {
        Type::Group(group) => return is_transaction(&group.elem),
        Type::Paren(paren) => return is_transaction(&paren.elem),
        Type::Reference(reference) => return is_transaction(&reference.elem),
        Type::Path(path) => &path.path,
        _ => return false,
    };
    let Some(last) = path.segments.last() else {
        return false;
    };
    let is_one_of = |names: &[&str]| names.iter().any(|name| last.ident == name);
    if is_one_of(TRANSACTIONS) {
        return true;
    }
    let PathArguments::AngleBracketed(generics) = &last.arguments else {
        return false;
    };
    // The last type: some mutexes are generic over their raw lock first.
    let inner = generics
        .args
        .iter()
        .rev()
        .find_map(|argument| match argument {
            GenericArgument::Type(inner) => Some(inner),
            _ => None,
        });
    is_one_of(WRAPPERS) && inner.is_some_and(is_transaction)
}

#[cfg(test)]
mod tests {
    use super::is_transaction;

    #[test]
    fn transactions_are_recognized_by_their_written_type() {
        for (ty, expected) in [
            ("Transaction", true),
            ("&Transaction<'_>", true),
            ("&mut sqlx::Transaction<'_, Postgres>", true),
            ("&'a mut sqlx::PgTransaction<'static>", true),
            ("SqliteTransaction<'_>", true),
            ("MySqlTransaction<'_>", true),
            ("&DatabaseTransaction", true),
            ("&mut PgConnection", true),
            ("&mut SqliteConnection", true),
            ("&mut MySqlConnection", true),
            ("PoolConnection<Sqlite>", true),
            ("&mut (Transaction<'_, DB>)", true),
            ("Option<&mut Transaction<'_, DB>>", true),
            ("Arc<tokio::sync::Mutex<Transaction<'static, DB>>>", true),
            ("Rc<RefCell<Box<PgTransaction<'_>>>>", true),
            ("lock_api::Mutex<RawMutex, Transaction<'_>>", true),
            ("Pin<&mut Transaction<'_>>", true),
            ("<Db as Database>::Transaction", true),
            ("std::sync::RwLock<rusqlite::Transaction<'_>>", true),
            ("Vec<Transaction>", false),
            ("HashMap<u32, Transaction>", false),
            ("[Transaction; 2]", false),
            ("&[Transaction]", false),
            ("Transactions", false),
            ("BankTransaction", false),
            ("TransactionId", false),
            ("Query<Transaction>", false),
            ("&PgPool", false),
            ("impl PgExecutor<'_>", false),
            ("Transaction::Id", false),
        ] {
            let parsed = syn::parse_str(ty).expect("a type");
            assert_eq!(is_transaction(&parsed), expected, "{ty}");
        }
    }
}
