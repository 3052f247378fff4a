#[cacheable(companions)]
#[invalidate(patterns = ["visits:*"])]
unsafe fn count(&self, visits: u32) -> u32 {
    visits + 1
}
