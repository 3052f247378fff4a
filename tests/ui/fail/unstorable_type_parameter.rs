use cache_runtime::cacheable;

#[cacheable(key = "rows:<<id>>", unless = |row| row.is_empty(), ttl = |row: &Row<T>| row.lifetime())]
async fn get_row<T: AsRef<[u8]> + Default>(id: u64) -> Result<Option<Row<T>>, String> {
    let _ = id;
    Ok(None)
}

struct Row<T>(T);

impl<T: AsRef<[u8]>> Row<T> {
    fn is_empty(&self) -> bool {
        self.0.as_ref().is_empty()
    }

    fn lifetime(&self) -> u64 {
        5
    }
}

fn main() {
    let _ = get_row::<Vec<u8>>(1);
}
