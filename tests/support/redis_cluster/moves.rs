//! Slots that move from one master to another.

use redis::{ToRedisArgs, Value};

use super::{RedisCluster, ask, patiently};

impl RedisCluster {
    /// Begin to move a slot: existing keys stay, and new ones go to the other master.
    pub fn begin_move(&self, slot: u16, to: usize) {
        self.begin_move_between(slot, self.owner(slot), to);
    }

    /// Begin to move a slot whose owner is known; the third master may be stopped.
    pub fn begin_move_between(&self, slot: u16, from: usize, to: usize) {
        let [source, target] = [from, to].map(|number| {
            let mut redis = self.masters[number].connect();
            let id: String = ask(&mut redis, "CLUSTER MYID");
            (redis, id)
        });
        let ((mut source, from), (mut target, to)) = (source, target);
        ask::<Value>(
            &mut target,
            &format!("CLUSTER SETSLOT {slot} IMPORTING {from}"),
        );
        ask::<Value>(
            &mut source,
            &format!("CLUSTER SETSLOT {slot} MIGRATING {to}"),
        );
    }

    /// Move the slot's keys away from its old master.
    pub fn move_keys(&self, slot: u16, to: usize) {
        let mut source = self.masters[self.owner(slot)].connect();
        loop {
            let some = format!("CLUSTER GETKEYSINSLOT {slot} 100");
            let keys: Vec<Vec<u8>> = ask(&mut source, &some);
            if keys.is_empty() {
                return;
            }
            self.move_these(slot, to, &keys);
        }
    }

    /// Move some keys of a slot that is being moved.
    pub fn move_these(&self, slot: u16, to: usize, keys: &[impl ToRedisArgs]) {
        let mut migrate = redis::cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(self.masters[to].port());
        migrate.arg("").arg(0).arg(20_000).arg("KEYS").arg(keys);
        // A key that expired or was deleted in the meantime is not an error.
        let _: Value = migrate
            .query(&mut self.masters[self.owner(slot)].connect())
            .expect("keys can be moved");
    }

    /// End the move: the other master owns the slot.
    pub fn end_move(&self, slot: u16, to: usize) {
        let from = self.owner(slot);
        let id: String = ask(&mut self.masters[to].connect(), "CLUSTER MYID");
        let others = (0..self.masters.len()).filter(|number| ![from, to].contains(number));
        for number in [to, from].into_iter().chain(others) {
            let mut redis = self.masters[number].connect();
            ask::<Value>(&mut redis, &format!("CLUSTER SETSLOT {slot} NODE {id}"));
        }
        self.agrees();
    }

    /// Wait until all masters have the same view. If a node begins another move before it has heard
    /// of the last one, they may disagree permanently.
    pub fn agrees(&self) {
        patiently("the masters agree", || {
            let mut views = self.masters.iter().map(|node| {
                let nodes: String = ask(&mut node.connect(), "CLUSTER NODES");
                let mut view: Vec<String> = nodes
                    .lines()
                    .map(|line| {
                        let fields: Vec<&str> = line.split(' ').collect();
                        let slots = fields[8..].iter().filter(|slots| !slots.starts_with('['));
                        let slots: Vec<&str> = slots.copied().collect();
                        format!("{} {} {}", fields[0], fields[6], slots.join(" "))
                    })
                    .collect();
                view.sort_unstable();
                view
            });
            let first = views.next();
            views.all(|view| Some(view) == first)
        });
    }

    /// Move a slot with all its keys.
    pub fn move_slot(&self, slot: u16, to: usize) {
        self.begin_move(slot, to);
        self.move_keys(slot, to);
        self.end_move(slot, to);
    }
}
