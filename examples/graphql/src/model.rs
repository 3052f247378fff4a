//! The types of the schema.
//!
//! They are the cached values, too, so each has all the columns of its row, whichever of them a
//! request selects. Fields that cost a query of their own are resolvers, in `schema/objects.rs`.

use async_graphql::{Enum, SimpleObject};
use serde::{Deserialize, Serialize};

/// How far an errand is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[graphql(display)] // for the placeholder in `errand_list:<<status>>`
pub(crate) enum Status {
    Open,
    Funded,
    Done,
}

/// A task that somebody pays for.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
#[graphql(complex)]
pub(crate) struct Errand {
    pub(crate) id: i32,
    pub(crate) title: String,
    pub(crate) reward: i32,
    pub(crate) status: Status,
    #[graphql(skip)]
    pub(crate) poster_id: i32,
}

/// Whether the money of an escrow is still held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
pub(crate) enum EscrowState {
    Held,
    Released,
}

/// The reward of an errand, held until its poster releases it to the runner.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
#[graphql(complex)]
pub(crate) struct Escrow {
    pub(crate) id: i32,
    pub(crate) amount: i32,
    pub(crate) state: EscrowState,
    #[graphql(skip)]
    pub(crate) errand_id: i32,
    #[graphql(skip)]
    pub(crate) payer_id: i32,
    #[graphql(skip)]
    pub(crate) runner_id: i32,
}

/// A user of the service.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) id: i32,
    pub(crate) name: String,
}

/// A bank that rewards can be paid to.
#[derive(Clone, Debug, SimpleObject, Serialize, Deserialize)]
pub(crate) struct Bank {
    pub(crate) code: String,
    pub(crate) name: String,
}
