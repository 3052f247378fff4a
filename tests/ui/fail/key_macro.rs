use cache_runtime::{key, pattern};

fn main() {
    let slug = "a";
    let written = "posts";
    let _: [String; 12] = [
        key!(),
        key!(written),
        key!("posts:{}", slug),
        key!("posts:<<slug"),
        key!("posts:<<slgu>>"),
        key!("posts:*"),
        key!("posts#<<slug>>"),
        key!(""),
        pattern!("posts: <<slug>>"),
        pattern!("posts:[<<slug>>]"),
        pattern!("posts:<<std::io::stdin()>>"),
        pattern!("<<{ drop(written.to_owned()); slug }>>:<<>>"),
    ];
}
