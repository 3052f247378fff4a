use cache_runtime::cacheable;

macro_rules! readers {
    ($name:ident, $argument:ident, $key:literal) => {
        #[cacheable(key = $key)]
        fn $name($argument: u32, id: u32) -> u32 {
            $argument + id
        }
    };
}

readers!(sum, id, "sums:<<id>>");

fn main() {
    let _ = sum(1, 2);
}
