//! The scripts that run in Redis. Each begins with the prelude, followed by the helpers that it uses
//! of `claims.lua`, `index.lua` and `accounts.lua`. Redis creates these functions at every call, which
//! took a quarter of a script's time when all were in one prelude. Each file says what its script
//! does, takes and returns.

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
    )*

        /// The names and sources of all scripts.
        #[cfg(test)]
        const SOURCES: &[(&str, &str)] = &[$((
            stringify!($name),
            concat!(include_str!("prelude.lua"), $(include_str!($file),)+ $($end)?),
        )),*];
    };
}

scripts! {
    /// Take a lease in place of the bytes that were read, and register the key.
    TAKE = "index.lua", "accounts.lua", "take.lua", "own.lua", "register.lua";
    /// Take a lease where the index set is on another node.
    TAKE_ALONE = "accounts.lua", "take.lua", "own.lua"; "return 1";
    /// Read a key; if there is nothing, take a lease and register the key.
    GET_OR_TAKE = "index.lua", "accounts.lua", "get_or_take.lua", "own.lua", "register.lua";
    /// Read a key; if there is nothing, take a lease. The index set is on another node.
    GET_OR_TAKE_ALONE = "accounts.lua", "get_or_take.lua", "own.lua"; "return 1";
    /// Take a lease whatever is at the key, and register the key.
    TAKE_OVER = "claims.lua", "index.lua", "accounts.lua", "take_over.lua", "own.lua", "register.lua";
    /// Take a lease whatever is at the key, where the index set is on another node.
    TAKE_OVER_ALONE = "claims.lua", "accounts.lua", "take_over.lua", "own.lua"; "return 1";
    /// Take the lease of a write-through, and register the key.
    TAKE_WRITE = "index.lua", "accounts.lua", "take_write.lua", "own.lua", "register.lua";
    /// Take the lease of a write-through where the index set is on another node.
    TAKE_WRITE_ALONE = "accounts.lua", "take_write.lua", "own.lua"; "return 1";
    /// Claim a value for a refresh, and register the key.
    CLAIM = "claims.lua", "index.lua", "accounts.lua", "claim.lua", "own.lua", "register.lua";
    /// Claim a value for a refresh, where the index set is on another node.
    CLAIM_ALONE = "claims.lua", "accounts.lua", "claim.lua", "own.lua"; "return 1";
    /// End a claim with a pause.
    PAUSE = "claims.lua", "pause.lua";
    /// Store an entry if its token is still there.
    FILL = "accounts.lua", "fill.lua";
    /// Extend a lease or a claim.
    RENEW = "claims.lua", "renew.lua";
    /// Give back a lease or a claim.
    RELEASE = "claims.lua", "accounts.lua", "release.lua";
    /// Read an entry's kind, grace and remaining TTL.
    TTL = "ttl.lua";
    /// Read a value and its remaining TTL at one moment.
    GET_WITH_TTL = "get_with_ttl.lua";
    /// Read the first bytes, the length and the remaining TTL of entries.
    FACTS = "facts.lua";
    /// Read the members of a range of a complete index set.
    RANGE = "range.lua";
    /// Delete entries and their index members in one step.
    DELETE = "accounts.lua", "delete.lua";
    /// Delete an entry whose members are on another node.
    DELETE_SPLIT = "accounts.lua", "delete_split.lua";
    /// Read the first bytes at a key.
    HEAD = "head.lua";
    /// Register a key whose entry is on another node.
    REGISTER_SPLIT = "index.lua", "register_split.lua";
    /// Drop the index members of a sample whose entries are gone.
    SWEEP = "index.lua", "sweep.lua";
    /// Begin a rebuild of an index set.
    REBUILD_BEGIN = "rebuild_begin.lua";
    /// Register the keys that a rebuild found.
    REBUILD_ADD = "rebuild_add.lua";
    /// End a rebuild of an index set.
    REBUILD_FINISH = "rebuild_finish.lua";
    /// Tell whether all entries of an owner are in its account.
    OWNER_IS_KNOWN = "accounts.lua", "owner_is_known.lua";
    /// Add calls of one owner, and read its calls, entries and bytes.
    OWNER_STATS = "accounts.lua", "owner_stats.lua";
    /// Add calls of owners.
    OWNER_CALLS = "owner_calls.lua";
    /// Enter values that a scan met into their owners' accounts.
    OWNER_ENTER = "accounts.lua", "owner_enter.lua";
    /// Delete the accounts of owners without entries.
    OWNER_SWEEP = "accounts.lua", "owner_sweep.lua";
    /// Begin a rebuild of the directory of owners.
    OWNER_REBUILD_BEGIN = "accounts.lua", "owner_rebuild_begin.lua";
    /// End a rebuild of the directory of owners.
    OWNER_REBUILD_FINISH = "accounts.lua", "owner_rebuild_finish.lua";
    /// Take the right to run a warmer.
    WARM_TAKE = "warm_take.lua";
    /// Extend the right to run a warmer.
    WARM_RENEW = "warm_renew.lua";
    /// Give the right to run a warmer back.
    WARM_RELEASE = "warm_release.lua";
    /// Run every command that owners need besides.
    OWNER_CAPABILITIES = "owner_capabilities.lua";
    /// Run every command that the other scripts run, on keys of the probe's own.
    CAPABILITIES = "capabilities.lua";
}

/// Source of [`CAPABILITIES`], which the check of a new connection loads.
pub(crate) const CAPABILITIES_CODE: &str = concat!(
    include_str!("prelude.lua"),
    include_str!("capabilities.lua")
);

/// Source of [`OWNER_CAPABILITIES`].
pub(crate) const OWNER_CAPABILITIES_CODE: &str = concat!(
    include_str!("prelude.lua"),
    include_str!("owner_capabilities.lua")
);

#[cfg(test)]
mod tests {
    use crate::entry::{LeasePurpose, layout, lease};

    /// Return the value of one name in a line like `local A, B = 1, 2` of the prelude.
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
    fn the_preludes_offsets_equal_the_headers() {
        let first = |offset: usize| offset + 1;
        for (name, position) in [
            ("MAGIC_END", layout::KIND),
            ("KIND", first(layout::KIND)),
            ("PURPOSE", first(layout::CODEC)),
            ("TOKEN", first(layout::TOKEN)),
            ("TOKEN_END", layout::TOKEN + 8),
            ("CLAIM", first(layout::CLAIM)),
            ("CLAIM_END", layout::CLAIM + 8),
            ("CLAIM_EXPIRY", first(layout::CLAIM_EXPIRY)),
            ("CLAIM_EXPIRY_END", layout::CLAIM_EXPIRY + 8),
            ("GRACE", first(layout::GRACE)),
            ("GRACE_END", layout::GRACE + 8),
            ("OWNER", first(layout::OWNER)),
            ("OWNER_END", layout::OWNER + 2),
        ] {
            assert_eq!(constant(name), position, "{name}");
        }
    }

    #[test]
    fn the_purposes_of_leases_equal_the_preludes() {
        let purpose = |purpose| lease(7, purpose)[layout::CODEC];
        assert_eq!(purpose(LeasePurpose::Read) as usize, constant("READ"));
        assert_eq!(
            purpose(LeasePurpose::ContestedWrite) as usize,
            constant("CONTESTED")
        );
        assert_ne!(purpose(LeasePurpose::Write) as usize, constant("READ"));
        assert_ne!(purpose(LeasePurpose::Write) as usize, constant("CONTESTED"));
    }

    /// Return the functions and constants that a part of the scripts defines.
    fn defined_in(part: &'static str) -> impl Iterator<Item = &'static str> {
        let locals = part.lines().filter_map(|line| line.strip_prefix("local "));
        locals.flat_map(|line| {
            // `function name(arguments)`, or `A, B = 1, 2`.
            let names = line.trim_start_matches("function ");
            let end = names.find(['(', '=']).unwrap_or(names.len());
            names[..end].split(',').map(str::trim)
        })
    }

    /// Return whether the code calls the function, or uses the constant.
    fn uses(code: &str, name: &str) -> bool {
        let mut lines = code.lines().filter(|line| !line.trim().starts_with("--"));
        let is_constant = name.chars().all(char::is_uppercase);
        lines.any(|line| {
            let mut found = line.match_indices(name);
            found.any(|(at, _)| {
                let (before, after) = (&line[..at], &line[at + name.len()..]);
                let begins = !before.ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c));
                begins && (is_constant || after.starts_with('('))
            })
        })
    }

    #[test]
    fn each_script_has_the_parts_that_it_uses_and_no_others() {
        const PARTS: [(&str, &str); 3] = [
            ("claims.lua", include_str!("claims.lua")),
            ("index.lua", include_str!("index.lua")),
            ("accounts.lua", include_str!("accounts.lua")),
        ];
        for (name, source) in super::SOURCES {
            for (file, part) in PARTS {
                let rest = source.replace(part, "");
                let is_used = defined_in(part).any(|defined| uses(&rest, defined));
                assert_eq!(source.contains(part), is_used, "{name} and {file}");
            }
        }
    }

    #[test]
    fn a_lease_begins_with_the_preludes_marker() {
        let escaped: String = lease(7, LeasePurpose::Read)[..3]
            .iter()
            .map(|byte| format!("\\{byte:03}"))
            .collect();
        let line = format!("local LEASE = '{escaped}'");
        assert!(include_str!("prelude.lua").contains(&line), "{line}");
    }
}
