fn conversation(id: u32) -> u32 {
    id
}
#[invalidate(namespace = "chat:v2", patterns = ["conversation:<<id>>:*"])]
fn write(id: u32) {
    let _ = id;
}
::core::compile_error! {
    "unexpected token"
}
