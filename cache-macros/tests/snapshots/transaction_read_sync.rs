#[cacheable(key = "posts:<<slug>>", condition = slug.len() < 10, tx = state.tx, skip(state))]
fn get_post(state: &State, slug: &str) -> Result<Post, Error> {
    state.post(slug)
}
