//! A stand-in for a database: tables in memory, which count how often they are read.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{Bank, Errand, Escrow, EscrowState, Person, Status};

/// The tables, with their sample data.
#[derive(Debug)]
pub struct Db {
    tables: Mutex<Tables>,
    latency: Duration,
    reads: AtomicU64,
    is_down: AtomicBool,
}

/// The error of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DbError {
    /// There is no such row.
    NotFound,
    /// The change is up to somebody else.
    Forbidden,
    /// The row's state doesn't permit the change, such as to fund an errand twice.
    Conflict,
    /// The database can't be reached.
    Down,
}

impl fmt::Display for DbError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::Forbidden => "this is up to somebody else",
            Self::Conflict => "the errand isn't in the right state",
            Self::Down => "the database is down",
        })
    }
}

impl Error for DbError {}

#[derive(Debug)]
struct Tables {
    people: BTreeMap<i32, Person>,
    errands: BTreeMap<i32, Errand>,
    escrows: BTreeMap<i32, Escrow>,
    /// Each with its country.
    banks: Vec<(&'static str, Bank)>,
}

impl Db {
    /// Open a database with sample data. Each query waits for `latency` first, as if the database
    /// were across a network.
    pub fn open(latency: Duration) -> Self {
        Self {
            tables: Mutex::new(Tables::sample()),
            latency,
            reads: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
        }
    }

    /// Return the number of reads so far.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::SeqCst)
    }

    /// Let every query fail with [`DbError::Down`], or none.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// List errands, newest first.
    pub(crate) async fn errands(
        &self,
        status: Option<Status>,
        first: u32,
    ) -> Result<Vec<Errand>, DbError> {
        let tables = self.read().await?;
        let fits = |errand: &&Errand| status.is_none_or(|status| errand.status == status);
        let errands = tables.errands.values().rev().filter(fits);
        Ok(errands.take(first as usize).cloned().collect())
    }

    pub(crate) async fn errand(&self, id: i32) -> Result<Option<Errand>, DbError> {
        Ok(self.read().await?.errands.get(&id).cloned())
    }

    /// List the escrows that a person pays for or is paid by.
    pub(crate) async fn escrows_of(&self, person: i32) -> Result<Vec<Escrow>, DbError> {
        let tables = self.read().await?;
        let is_theirs = |escrow: &&Escrow| [escrow.payer_id, escrow.runner_id].contains(&person);
        Ok(tables.escrows.values().filter(is_theirs).cloned().collect())
    }

    pub(crate) async fn banks(&self, country: &str) -> Result<Vec<Bank>, DbError> {
        let tables = self.read().await?;
        let is_there = |(of, bank): &(&str, Bank)| (*of == country).then(|| bank.clone());
        Ok(tables.banks.iter().filter_map(is_there).collect())
    }

    /// Find people in one query. Those that don't exist are missing in the map.
    pub(crate) async fn people(&self, ids: &[i32]) -> Result<HashMap<i32, Person>, DbError> {
        let tables = self.read().await?;
        let person = |id: &i32| Some((*id, tables.people.get(id)?.clone()));
        Ok(ids.iter().filter_map(person).collect())
    }

    pub(crate) async fn create_errand(
        &self,
        poster: i32,
        title: String,
        reward: i32,
    ) -> Result<Errand, DbError> {
        let mut tables = self.write().await?;
        let errand = Errand {
            id: next(&tables.errands),
            title,
            reward,
            status: Status::Open,
            poster_id: poster,
        };
        tables.errands.insert(errand.id, errand.clone());
        Ok(errand)
    }

    /// Put the reward of an open errand into escrow for a runner.
    pub(crate) async fn fund(
        &self,
        poster: i32,
        errand: i32,
        runner: i32,
    ) -> Result<Escrow, DbError> {
        let mut guard = self.write().await?;
        let tables = &mut *guard;
        if !tables.people.contains_key(&runner) {
            return Err(DbError::NotFound);
        }
        let errand = tables.errands.get_mut(&errand).ok_or(DbError::NotFound)?;
        check(errand.poster_id == poster, DbError::Forbidden)?;
        check(errand.status == Status::Open, DbError::Conflict)?;
        errand.status = Status::Funded;
        let escrow = Escrow {
            id: next(&tables.escrows),
            amount: errand.reward,
            state: EscrowState::Held,
            errand_id: errand.id,
            payer_id: poster,
            runner_id: runner,
        };
        tables.escrows.insert(escrow.id, escrow.clone());
        Ok(escrow)
    }

    /// Mark an errand as done, which its runner does.
    pub(crate) async fn complete(&self, runner: i32, errand: i32) -> Result<Errand, DbError> {
        let mut guard = self.write().await?;
        let tables = &mut *guard;
        let errand = tables.errands.get_mut(&errand).ok_or(DbError::NotFound)?;
        check(errand.status == Status::Funded, DbError::Conflict)?;
        let mut escrows = tables.escrows.values();
        let is_runner =
            escrows.any(|escrow| (escrow.errand_id, escrow.runner_id) == (errand.id, runner));
        check(is_runner, DbError::Forbidden)?;
        errand.status = Status::Done;
        Ok(errand.clone())
    }

    /// Pay the runner, which the payer does.
    pub(crate) async fn release(&self, payer: i32, escrow: i32) -> Result<Escrow, DbError> {
        let mut tables = self.write().await?;
        let escrow = tables.escrows.get_mut(&escrow).ok_or(DbError::NotFound)?;
        check(escrow.payer_id == payer, DbError::Forbidden)?;
        check(escrow.state == EscrowState::Held, DbError::Conflict)?;
        escrow.state = EscrowState::Released;
        Ok(escrow.clone())
    }

    pub(crate) async fn rename(&self, person: i32, name: String) -> Result<Person, DbError> {
        let mut tables = self.write().await?;
        let person = tables.people.get_mut(&person).ok_or(DbError::NotFound)?;
        person.name = name;
        Ok(person.clone())
    }

    async fn read(&self) -> Result<MutexGuard<'_, Tables>, DbError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.write().await
    }

    async fn write(&self) -> Result<MutexGuard<'_, Tables>, DbError> {
        tokio::time::sleep(self.latency).await;
        check(!self.is_down.load(Ordering::SeqCst), DbError::Down)?;
        // A panic can't leave a row half-changed: each is changed by one assignment.
        Ok(self.tables.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn check(holds: bool, otherwise: DbError) -> Result<(), DbError> {
    if holds { Ok(()) } else { Err(otherwise) }
}

fn next<T>(rows: &BTreeMap<i32, T>) -> i32 {
    rows.last_key_value().map_or(1, |(last, _)| last + 1)
}

impl Tables {
    fn sample() -> Self {
        let people = [(1, "Ada"), (2, "Grace"), (3, "Lin")].map(|(id, name)| {
            let name = name.to_owned();
            (id, Person { id, name })
        });
        let errands = [
            (1, "Fetch the punch cards", 20, Status::Done, 1),
            (2, "Catch a moth", 5, Status::Funded, 2),
            (3, "Water the plants", 10, Status::Open, 1),
        ];
        let errands = errands.map(|(id, title, reward, status, poster_id)| {
            let title = title.to_owned();
            let errand = Errand {
                id,
                title,
                reward,
                status,
                poster_id,
            };
            (id, errand)
        });
        let escrows = [(1, 20, 1, 1, 2), (2, 5, 2, 2, 3)];
        let escrows = escrows.map(|(id, amount, errand_id, payer_id, runner_id)| {
            let state = EscrowState::Held;
            let escrow = Escrow {
                id,
                amount,
                state,
                errand_id,
                payer_id,
                runner_id,
            };
            (id, escrow)
        });
        let banks = [
            ("NG", "044", "Access Bank"),
            ("NG", "058", "Guaranty Trust Bank"),
            ("GH", "130", "Ecobank Ghana"),
        ];
        let bank = |(country, code, name): (&'static str, &str, &str)| {
            let (code, name) = (code.to_owned(), name.to_owned());
            (country, Bank { code, name })
        };
        Self {
            people: people.into(),
            errands: errands.into(),
            escrows: escrows.into(),
            banks: banks.map(bank).into(),
        }
    }
}
