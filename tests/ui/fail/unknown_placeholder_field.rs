use cache_runtime::cacheable;

struct Auth {
    user: u64,
}

#[cacheable(key = "users:<<auht.user>>", skip(auth))]
fn get_user(auth: &Auth) -> u64 {
    auth.user
}

fn main() {
    let _ = get_user(&Auth { user: 1 });
}
