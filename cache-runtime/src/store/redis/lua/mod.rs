//! The scripts that run in Redis. Each file says what its script does, takes and answers.

use once_cell::sync::Lazy;
use redis::Script;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($file:literal),+ $(; $end:literal)?;)*) => {$(
        $(#[$doc])*
        pub(crate) static $name: Lazy<Script> =
            Lazy::new(|| Script::new(concat!($(include_str!($file),)+ $($end)?)));
    )*};
}

scripts! {
    /// Takes a lease in place of the bytes that were read, and registers the key.
    TAKE = "take.lua", "register.lua";
    /// Takes a lease where the index set is on another node.
    TAKE_ALONE = "take.lua"; "return 1";
    /// Takes a lease whatever is at the key, and registers the key.
    TAKE_OVER = "take_over.lua", "register.lua";
    /// Takes a lease whatever is at the key, where the index set is on another node.
    TAKE_OVER_ALONE = "take_over.lua"; "return 1";
    /// Claims a value for a refresh, and registers the key.
    CLAIM = "claim.lua", "register.lua";
    /// Claims a value for a refresh, where the index set is on another node.
    CLAIM_ALONE = "claim.lua"; "return 1";
    /// Ends a claim with a pause.
    PAUSE = "pause.lua";
    /// Stores an entry if its token is still there.
    FILL = "fill.lua";
    /// Extends a lease or a claim.
    RENEW = "renew.lua";
    /// Gives a lease or a claim back.
    RELEASE = "release.lua";
    /// Reads an entry's kind, grace and remaining time to live.
    TTL = "ttl.lua";
    /// Reads a value and its remaining time to live at one moment.
    GET_WITH_TTL = "look.lua";
    /// Reads the members of a range of a complete index set.
    RANGE = "range.lua";
    /// Deletes entries and their index members in one step.
    DELETE = "delete.lua";
    /// Deletes an entry whose members are on another node.
    DROP = "drop.lua";
    /// Reads the first bytes at a key.
    HEAD = "head.lua";
    /// Registers a key whose entry is on another node.
    REGISTER_APART = "register_apart.lua";
    /// Drops the index members of a sample whose entries are gone.
    SWEEP = "sweep.lua";
    /// Begins a rebuild of an index set.
    BEGIN = "begin.lua";
    /// Registers the keys that a rebuild met.
    ENLIST = "enlist.lua";
    /// Ends a rebuild of an index set.
    FINISH = "finish.lua";
    /// Reads and writes a key of the probe's own.
    KNOCK = "knock.lua";
}
