::core::compile_error! {
    "unknown option `tables`; did you mean `table`? `#[cache]` takes `table`, `patterns`, `crate`"
}
::core::compile_error! {
    "`CacheModel` needs the table: write `#[cache(table = \"posts\", patterns = [\"posts:<<id>>:*\"])]` above the struct"
}
::core::compile_error! {
    "unknown field `slgu` in the placeholder `<<slgu>>`; did you mean `slug`? the fields are `slug`, `author_id`"
}
::core::compile_error! {
    "`rename_all` of `#[sqlx]` renames the column of `author_id`, which a pattern names: write `#[cache(column = \"..\")]` above the field `author_id`"
}
