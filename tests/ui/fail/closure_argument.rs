use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>")]
fn a(id: u32, load: impl Fn(u32) -> u32) -> u32 {
    load(id)
}

#[cacheable(key = "b:<<id>>")]
fn b<F>(id: u32, load: F) -> u32
where
    F: FnOnce(u32) -> u32,
{
    load(id)
}

#[cacheable]
fn c<F: AsyncFn(u32) -> u32>(id: u32, load: &F) -> u32 {
    let _ = load;
    id
}

#[cacheable]
fn d(id: u32, load: &dyn Fn(u32) -> u32, boxed: Box<dyn FnOnce(u32) -> u32>) -> u32 {
    load(boxed(id))
}

#[cacheable]
fn e(id: u32, load: fn(u32) -> u32) -> u32 {
    load(id)
}

fn main() {
    let _ = (a(1, |id| id), b(1, |id| id), c(1, &async |id| id));
    let _ = (d(1, &|id| id, Box::new(|id| id)), e(1, |id| id));
}
