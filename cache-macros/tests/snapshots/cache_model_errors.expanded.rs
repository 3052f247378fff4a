::core::compile_error! {
    "unknown option `tables`; did you mean `table`? `#[cache]` takes `table`, `patterns`, `crate`"
}
::core::compile_error! {
    "`CacheModel` needs the table: write `#[cache(table = \"posts\", patterns = [\"posts:<<id>>:*\"])]` above the struct"
}
::core::compile_error! {
    "unknown field `slgu` in the placeholder `<<slgu>>`; did you mean `slug`? the fields are `slug`"
}
::core::compile_error! {
    "`<<slug.len()>>` is an expression, which a trigger in the database can't compute: write the name of a field, such as `<<slug>>`, or `*`"
}
