//! `#[cacheable(each = ids)]`: a function that reads many items, each with an entry of its own.
//! Generated code is a loop: the items that are missing, the body for them, its values.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::time::Duration;

use crate::current::Handle;
use crate::events;
use crate::flight::EnteredFlight;
use crate::key::writer::Rendered;
use crate::read::call::Call;
use crate::read::fast_path::Request;
use crate::read::fill::FillFuture;
use crate::read::many::Batch;
use crate::read::many::run::ManyRead;
use crate::read::presets::Presets;
use crate::runtime::block_on;
use crate::site::ReadSite;
use crate::stats::Counter;
use crate::tally;
use crate::value::shape::{Cached, Returns};

/// Return type of a function with `each`: the values of its items, within a `Result` or not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` doesn't tell which value belongs to which item",
    label = "a function with `each` can't return this type",
    note = "return a `HashMap` or a `BTreeMap` from the items to their values; or a `Vec` with one value for each item, in their order (`Vec<Option<T>>` where an item may have none); each also within a `Result`"
)]
pub trait EachOutput<K>: Sized {
    /// The value of one item.
    type Item;
    /// Whether an item may have no value.
    const SPARSE: bool;
    /// Take the values of the items that the body was asked for, in their order.
    ///
    /// # Errors
    ///
    /// The output, if it isn't a value for each.
    fn split(self, asked: &[K]) -> Result<Vec<Option<Self::Item>>, Unsplit<Self>>;
    /// Build the output from the values, of which each item has the one at its place.
    fn join(items: Vec<K>, places: &[usize], values: Vec<Option<Self::Item>>) -> Self;
}

/// An output that isn't a value for each item.
#[derive(Debug)]
pub enum Unsplit<O> {
    /// An `Err`.
    Failed(O),
    /// A `Vec` of another length.
    Misaligned(O),
}

impl<O> Unsplit<O> {
    fn map<P>(self, map: impl FnOnce(O) -> P) -> Unsplit<P> {
        match self {
            Self::Failed(output) => Unsplit::Failed(map(output)),
            Self::Misaligned(output) => Unsplit::Misaligned(map(output)),
        }
    }
}

impl<K: Eq + Hash, V, H: BuildHasher + Default> EachOutput<K> for HashMap<K, V, H> {
    type Item = V;
    const SPARSE: bool = true;
    fn split(mut self, asked: &[K]) -> Result<Vec<Option<V>>, Unsplit<Self>> {
        Ok(asked.iter().map(|item| self.remove(item)).collect())
    }
    fn join(items: Vec<K>, places: &[usize], values: Vec<Option<V>>) -> Self {
        pairs(items, places, values).collect()
    }
}

impl<K: Ord, V> EachOutput<K> for BTreeMap<K, V> {
    type Item = V;
    const SPARSE: bool = true;
    fn split(mut self, asked: &[K]) -> Result<Vec<Option<V>>, Unsplit<Self>> {
        Ok(asked.iter().map(|item| self.remove(item)).collect())
    }
    fn join(items: Vec<K>, places: &[usize], values: Vec<Option<V>>) -> Self {
        pairs(items, places, values).collect()
    }
}

/// Return the items that have a value. The second time that an item occurs, its value is taken.
fn pairs<K, V>(
    items: Vec<K>,
    places: &[usize],
    mut values: Vec<Option<V>>,
) -> impl Iterator<Item = (K, V)> {
    let pairs = items.into_iter().zip(places);
    pairs.filter_map(move |(item, place)| Some((item, values[*place].take()?)))
}

impl<K, V: Clone> EachOutput<K> for Vec<V> {
    type Item = V;
    const SPARSE: bool = false;
    fn split(self, asked: &[K]) -> Result<Vec<Option<V>>, Unsplit<Self>> {
        match self.len() == asked.len() {
            true => Ok(self.into_iter().map(Some).collect()),
            false => Err(Unsplit::Misaligned(self)),
        }
    }
    fn join(_: Vec<K>, places: &[usize], mut values: Vec<Option<V>>) -> Self {
        if places.len() == values.len() {
            return values.into_iter().flatten().collect();
        }
        // An item that occurs twice needs its value twice.
        let mut left = vec![0_usize; values.len()];
        places.iter().for_each(|place| left[*place] += 1);
        let value = |place: &usize| {
            left[*place] -= 1;
            match left[*place] {
                0 => values[*place].take(),
                _ => values[*place].clone(),
            }
        };
        places.iter().filter_map(value).collect()
    }
}

impl<K, C: EachOutput<K>, E> EachOutput<K> for Result<C, E> {
    type Item = C::Item;
    const SPARSE: bool = C::SPARSE;
    fn split(self, asked: &[K]) -> Result<Vec<Option<C::Item>>, Unsplit<Self>> {
        match self {
            Ok(output) => output.split(asked).map_err(|unsplit| unsplit.map(Ok)),
            Err(error) => Err(Unsplit::Failed(Err(error))),
        }
    }
    fn join(items: Vec<K>, places: &[usize], values: Vec<Option<C::Item>>) -> Self {
        Ok(C::join(items, places, values))
    }
}

/// One call of a function with `each`.
pub struct EachRead<K, O: EachOutput<K>, S>
where
    O::Item: Cached<S>,
{
    site: &'static ReadSite,
    /// The items as the caller named them.
    items: Vec<K>,
    /// Each of them once.
    distinct: Vec<K>,
    /// The places of `items` in `distinct`.
    places: Vec<usize>,
    read: ManyRead<O::Item, S>,
    progress: Progress<K>,
}

/// The next step of a call.
enum Progress<K> {
    /// The body runs for these items.
    Missing(Vec<K>),
    /// The body has returned a `Vec` of another length, so it runs for all items, and nothing is
    /// stored.
    All,
}

/// Writes the key of one item, and passes it on.
pub type RenderItem<'a, K> = dyn Fn(&K, &mut dyn FnMut(Rendered<'_>)) + 'a;

/// Render the key of each item. An item whose key can't be rendered bypasses the cache.
#[expect(clippy::too_many_arguments, reason = "generated code has all of them")]
pub fn begin_each<K, O, S>(
    site: &'static ReadSite,
    handle: Handle<'_>,
    condition: bool,
    _: Returns<O::Item, S>,
    items: &[K],
    render: &RenderItem<'_, K>,
    ttl: &dyn Fn(&Presets<'_>) -> Option<Duration>,
    blocking: bool,
) -> EachRead<K, O, S>
where
    K: Clone + Eq + Hash,
    O: EachOutput<K>,
    O::Item: Cached<S>,
{
    let mut place_of: HashMap<&K, usize> = HashMap::with_capacity(items.len());
    let mut distinct: Vec<K> = Vec::with_capacity(items.len());
    let mut places = Vec::with_capacity(items.len());
    for item in items {
        places.push(*place_of.entry(item).or_insert_with(|| {
            distinct.push(item.clone());
            distinct.len() - 1
        }));
    }
    let first = || site.info.first_call();
    let batch = handle.lend_to_read(first, |cache| {
        let is_cached = condition && cache.inner().enabled;
        if !is_cached {
            tally::uncached();
            let (counters, items) = (&cache.inner().counters, distinct.len() as u64);
            counters.add(site.number(), Counter::Uncached, items);
        }
        let is_computed = site.info.ttl.is_computed() && is_cached && !items.is_empty();
        let presets = Presets {
            cache,
            origin: site.into(),
        };
        let computed_ttl = is_computed.then(|| ttl(&presets)).flatten();
        let call = |item: &K| {
            let mut call: Option<Call> = None;
            render(item, &mut |rendered| {
                let request = Request {
                    site,
                    render: &rendered,
                };
                call = request.with_key(cache, |key| request.call(cache, key));
            });
            let mut call = call?;
            call.ttl = computed_ttl.or(call.ttl);
            call.blocking = blocking;
            Some(call)
        };
        let calls = distinct.iter().map(|item| is_cached.then(|| call(item))?);
        let none = O::SPARSE || O::Item::none().is_some();
        Batch::new(cache.clone(), calls, none)
    });
    let remembers = O::SPARSE && site.info.cache_none;
    EachRead {
        site,
        items: items.to_vec(),
        distinct,
        places,
        read: ManyRead::new(batch, remembers),
        progress: Progress::Missing(Vec::new()),
    }
}

impl<K, O, S> EachRead<K, O, S>
where
    K: Clone,
    O: EachOutput<K>,
    O::Item: Cached<S>,
{
    /// Return the items to run the body for; `None` when every item is known.
    ///
    /// Cancel safety: flights and leases that were begun are given back on drop.
    pub async fn next(&mut self) -> Option<Vec<K>> {
        if let Progress::All = self.progress {
            return Some(self.items.clone());
        }
        let places = self.read.next().await?;
        let missing = places.iter().map(|place| self.distinct[*place].clone());
        let missing: Vec<K> = missing.collect();
        self.progress = Progress::Missing(missing.clone());
        Some(missing)
    }

    /// [`next`](Self::next) for a blocking caller.
    pub fn next_blocking(&mut self) -> Option<Vec<K>> {
        block_on(self.next())
    }

    /// Run the async body within the flights of its items.
    pub fn within<F: Future>(&self, body: F) -> impl Future<Output = F::Output> {
        self.read.within(body)
    }

    /// Mark this thread as running the body until the guards are dropped.
    pub fn enter(&self) -> Inside {
        Inside {
            _entered: self.read.enter(),
        }
    }

    /// Pass on what the body has returned. Returns the fills to wait for.
    ///
    /// # Errors
    ///
    /// The output that the whole call returns.
    pub fn computed(&mut self, output: O) -> Result<Option<FillFuture>, O> {
        let Progress::Missing(missing) = &self.progress else {
            return Err(output);
        };
        match output.split(missing) {
            Ok(values) => Ok(self.read.computed(values)),
            Err(Unsplit::Failed(output)) => Err(output),
            Err(Unsplit::Misaligned(output)) => {
                events::misaligned(self.site.info.function, missing.len());
                let is_complete = missing.len() == self.items.len();
                self.read.abandon();
                match is_complete {
                    true => Err(output),
                    false => {
                        self.progress = Progress::All;
                        Ok(None)
                    }
                }
            }
        }
    }

    /// [`computed`](Self::computed) for a blocking caller.
    ///
    /// # Errors
    ///
    /// The output that the whole call returns.
    pub fn computed_blocking(&mut self, output: O) -> Result<(), O> {
        if let Some(filling) = self.computed(output)? {
            block_on(filling);
        }
        Ok(())
    }

    /// Return the output of the call.
    pub fn finish(self) -> O {
        O::join(self.items, &self.places, self.read.finish())
    }
}

/// A thread that runs the body of a call.
pub struct Inside {
    _entered: Vec<EnteredFlight>,
}
