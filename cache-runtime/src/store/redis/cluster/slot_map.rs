//! The slot map: which master has which keys.

use std::collections::BTreeSet;
use std::sync::Arc;

use redis::{ErrorKind, RedisError, RedisResult, Value, from_redis_value};

/// Number of slots in every cluster.
const SLOTS: u16 = 16_384;

/// Address that a node listens on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) host: Arc<str>,
    pub(crate) port: u16,
}

impl Address {
    /// Parse the `host:port` of a redirection. A node that doesn't know its own host leaves it out,
    /// which means the node that was asked.
    pub(crate) fn redirected(text: &str, asked: &Self) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = match host {
            "" => Arc::clone(&asked.host),
            host => host.into(),
        };
        Some(Self {
            host,
            port: port.parse().ok()?,
        })
    }
}

/// Master with slots. Its ID stays the same as long as its data does.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Master {
    pub(crate) id: String,
    pub(crate) address: Address,
}

/// Slot map, as one node knows it.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SlotMap {
    pub(crate) masters: Vec<Master>,
    /// First and last slot of each range, and the index of its master; sorted.
    ranges: Vec<(u16, u16, usize)>,
}

impl SlotMap {
    /// Parse a reply to `CLUSTER SLOTS` from the node `asked`.
    pub(crate) fn read(reply: Value, asked: &Address) -> RedisResult<Self> {
        let mut map = Self::default();
        let mut slots = Vec::new();
        for range in from_redis_value::<Vec<Vec<Value>>>(reply)? {
            let mut fields = range.into_iter();
            let mut next = || fields.next().ok_or_else(|| unreadable("CLUSTER SLOTS"));
            let (first, last) = (from_redis_value(next()?)?, from_redis_value(next()?)?);
            let mut node = from_redis_value::<Vec<Value>>(next()?)?.into_iter();
            let mut next = || node.next().ok_or_else(|| unreadable("CLUSTER SLOTS"));
            let host: Option<String> = from_redis_value(next()?)?;
            let port = from_redis_value(next()?)?;
            let id: String = from_redis_value(next()?)?;
            let host = match host.as_deref() {
                None | Some("" | "?") => Arc::clone(&asked.host),
                Some(host) => host.into(),
            };
            let address = Address { host, port };
            slots.push((first, last, Master { id, address }));
        }
        // Nodes list the ranges in any order.
        slots.sort_unstable_by_key(|(first, ..)| *first);
        for (first, last, master) in slots {
            map.add(first, last, master);
        }
        Ok(map)
    }

    fn add(&mut self, first: u16, last: u16, master: Master) {
        let known = self.masters.iter().position(|known| known.id == master.id);
        let number = known.unwrap_or_else(|| {
            self.masters.push(master);
            self.masters.len() - 1
        });
        let at = self.ranges.partition_point(|range| range.0 < first);
        self.ranges.insert(at, (first, last, number));
    }

    /// Return the master that has a slot.
    pub(crate) fn owner(&self, slot: u16) -> RedisResult<&Address> {
        let after = self.ranges.partition_point(|range| range.0 <= slot);
        let range = after.checked_sub(1).map(|at| self.ranges[at]);
        range
            .filter(|(_, last, _)| slot <= *last)
            .map(|(_, _, number)| &self.masters[number].address)
            .ok_or_else(|| (ErrorKind::Client, "no master has the key's slot").into())
    }

    /// Return the IDs of the masters. Another set of masters may have other data.
    pub(crate) fn ids(&self) -> BTreeSet<&str> {
        self.masters
            .iter()
            .map(|master| master.id.as_str())
            .collect()
    }

    /// Return each master with a key in one of its slots. Each key begins with `start`.
    pub(crate) fn key_on_each(&self, start: &str) -> Vec<(Address, String)> {
        let mut missing: Vec<&Address> =
            self.masters.iter().map(|master| &master.address).collect();
        let mut keys = Vec::with_capacity(missing.len());
        // Finding a key for a master of one slot takes tens of thousands of attempts. A master for
        // which none is found is left out.
        for number in 0..u32::from(SLOTS) * 32 {
            if missing.is_empty() {
                break;
            }
            let key = format!("{start}:{{{number}}}");
            let Ok(owner) = self.owner(slot_of(key.as_bytes())) else {
                continue;
            };
            if let Some(at) = missing.iter().position(|master| *master == owner) {
                missing.swap_remove(at);
                keys.push((owner.clone(), key));
            }
        }
        keys
    }
}

pub(crate) fn unreadable(command: &'static str) -> RedisError {
    let detail = format!("{command} returned a malformed slot map");
    (ErrorKind::Client, "unreadable", detail).into()
}

/// Return the slot of a key. If the key has text within its first braces (a hash tag), only that
/// text is hashed, so keys that share a tag share a node.
pub(crate) fn slot_of(key: &[u8]) -> u16 {
    let tag = key
        .iter()
        .position(|byte| *byte == b'{')
        .and_then(|open| {
            let rest = &key[open + 1..];
            let close = rest.iter().position(|byte| *byte == b'}')?;
            (close > 0).then(|| &rest[..close])
        })
        .unwrap_or(key);
    crc16(tag) % SLOTS
}

/// CRC-16/XMODEM, as in the cluster specification.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        let shifted = crc ^ (u16::from(*byte) << 8);
        (0..8).fold(shifted, |crc, _| {
            let carry = crc & 0x8000 != 0;
            (crc << 1) ^ if carry { 0x1021 } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(port: u16) -> Address {
        Address {
            host: "here".into(),
            port,
        }
    }

    fn map(ranges: &[(u16, u16, u16)]) -> SlotMap {
        let mut map = SlotMap::default();
        for (first, last, port) in ranges {
            let master = Master {
                id: format!("id-{port}"),
                address: address(*port),
            };
            map.add(*first, *last, master);
        }
        map
    }

    #[test]
    fn slots_equal_those_of_the_cluster_specification() {
        assert_eq!(crc16(b"123456789"), 0x31C3);
        assert_eq!(slot_of(b"foo"), 12_182);
        assert_eq!(slot_of(b"app:{foo}:cart"), 12_182);
        assert_eq!(slot_of(b"{foo}{bar}"), 12_182);
        assert_eq!(slot_of(b""), 0);
        for whole in [&b"{}foo"[..], b"{foo", b"foo}", b"}foo{"] {
            assert_eq!(slot_of(whole), crc16(whole) % SLOTS);
        }
    }

    #[test]
    fn every_assigned_slot_has_an_owner_and_a_gap_has_none() {
        let map = map(&[(0, 99, 1), (200, 16_383, 2), (100, 100, 1)]);
        assert_eq!(map.ids().len(), 2);
        for (slot, port) in [(0, 1), (99, 1), (100, 1), (200, 2), (16_383, 2)] {
            assert_eq!(map.owner(slot).expect("owned"), &address(port));
        }
        assert!(map.owner(150).is_err());
    }

    #[test]
    fn a_key_is_found_for_a_master_of_a_single_slot() {
        let map = map(&[(0, 12_181, 1), (12_182, 12_182, 2), (12_183, 16_383, 1)]);
        let keys = map.key_on_each("app#probe");
        let mut owners: Vec<u16> = keys
            .iter()
            .map(|(master, key)| {
                let owner = map.owner(slot_of(key.as_bytes())).expect("owned");
                assert_eq!(master, owner);
                owner.port
            })
            .collect();
        owners.sort_unstable();
        assert_eq!(owners, [1, 2]);
    }

    #[test]
    fn a_node_without_a_host_has_the_address_of_the_replying_node() {
        let asked = address(1);
        let at = |text| Address::redirected(text, &asked);
        assert_eq!(at(":7"), Some(address(7)));
        assert_eq!(at("::1:7").map(|found| found.host), Some("::1".into()));
        assert_eq!(at("there:7").map(|found| found.host), Some("there".into()));
        assert_eq!(at("nonsense"), None);
    }
}
