#[invalidate(patterns = "posts:*", when = "before", debug = true, crate = my::cache)]
fn wipe() {
    std::process::abort()
}
