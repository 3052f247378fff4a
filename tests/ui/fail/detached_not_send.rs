use cache_runtime::cacheable;

#[cacheable(key = "a:<<id>>", detached)]
async fn a(id: u32) -> u32 {
    let local = std::rc::Rc::new(id);
    std::future::ready(()).await;
    *local
}

#[cacheable(key = "b:<<id>>", stale_if_error = "1m", detached)]
async fn b(id: u32) -> Result<u32, std::rc::Rc<str>> {
    Ok(id)
}

fn main() {
    let _ = (a(1), b(1));
}
