//! The scripts that run in Redis, each behind one prelude. Each file says what its script does, takes and
//! returns.

use once_cell::sync::Lazy;
use redis::Script;

macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($file:literal),+ $(; $end:literal)?;)*) => {$(
        $(#[$doc])*
        pub(crate) static $name: Lazy<Script> =
            Lazy::new(|| {
            let parts = concat!(include_str!("prelude.lua"), $(include_str!($file),)+ $($end)?);
            Script::new(parts)
        });
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
    GET_WITH_TTL = "get_with_ttl.lua";
    /// Reads the members of a range of a complete index set.
    RANGE = "range.lua";
    /// Deletes entries and their index members in one step.
    DELETE = "delete.lua";
    /// Deletes an entry whose members are on another node.
    DELETE_SPLIT = "delete_split.lua";
    /// Reads the first bytes at a key.
    HEAD = "head.lua";
    /// Registers a key whose entry is on another node.
    REGISTER_SPLIT = "register_split.lua";
    /// Drops the index members of a sample whose entries are gone.
    SWEEP = "sweep.lua";
    /// Begins a rebuild of an index set.
    REBUILD_BEGIN = "rebuild_begin.lua";
    /// Registers the keys that a rebuild met.
    REBUILD_ADD = "rebuild_add.lua";
    /// Ends a rebuild of an index set.
    REBUILD_FINISH = "rebuild_finish.lua";
    /// Runs every command that the other scripts run, on keys of the probe's own.
    CAPABILITIES = "capabilities.lua";
}

/// The code of [`CAPABILITIES`], which a new connection loads itself.
pub(crate) const CAPABILITIES_CODE: &str = concat!(
    include_str!("prelude.lua"),
    include_str!("capabilities.lua")
);

#[cfg(test)]
mod tests {
    use crate::entry::layout;

    /// The value of `local A, B = 1, 2` in the prelude.
    fn constant(name: &str) -> usize {
        let prelude = include_str!("prelude.lua");
        for line in prelude
            .lines()
            .filter_map(|line| line.strip_prefix("local "))
        {
            let Some((names, values)) = line.split_once(" = ") else {
                continue;
            };
            let mut pairs = names.split(", ").zip(values.split(", "));
            if let Some((_, value)) = pairs.find(|(candidate, _)| *candidate == name) {
                return value.parse().expect("a position is a number");
            }
        }
        panic!("the prelude has no {name}")
    }

    #[test]
    fn positions_in_the_prelude_are_those_of_the_header() {
        let first = |offset: usize| offset + 1;
        for (name, position) in [
            ("MAGIC_END", layout::KIND),
            ("KIND", first(layout::KIND)),
            ("TOKEN", first(layout::TOKEN)),
            ("TOKEN_END", layout::TOKEN + 8),
            ("CLAIM", first(layout::CLAIM)),
            ("CLAIM_END", layout::CLAIM + 8),
            ("CLAIM_EXPIRY", first(layout::CLAIM_EXPIRY)),
            ("CLAIM_EXPIRY_END", layout::CLAIM_EXPIRY + 8),
            ("GRACE", first(layout::GRACE)),
            ("GRACE_END", layout::GRACE + 8),
        ] {
            assert_eq!(constant(name), position, "{name}");
        }
    }

    #[test]
    fn a_lease_begins_as_the_prelude_says() {
        let escaped: String = crate::entry::lease(7)[..3]
            .iter()
            .map(|byte| format!("\\{byte:03}"))
            .collect();
        let line = format!("local LEASE = '{escaped}'");
        assert!(include_str!("prelude.lua").contains(&line), "{line}");
    }
}
