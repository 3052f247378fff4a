use cache_runtime::cacheable;

struct User {
    id: u32,
}

#[cacheable(key = "#id")]
fn a(id: u32) -> u32 {
    id
}

#[cacheable(key = "a:{user.id}", skip(user))]
fn b(user: &User) -> u32 {
    user.id
}

#[cacheable(key = "a:{}")]
fn c(id: u32) -> u32 {
    id
}

#[cacheable(key = format!("a:{}", id))]
fn d(id: u32) -> u32 {
    id
}

#[cacheable(key = "a:<<id>>", skip = db)]
fn e(id: u32, db: u32) -> u32 {
    id + db
}

fn main() {
    let _ = (a(1), b(&User { id: 1 }), c(1), d(1), e(1, 2));
}
