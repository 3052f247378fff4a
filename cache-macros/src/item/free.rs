//! The free identifiers of a placeholder's expression: the names that must come from outside of it.

use crate::item::bindings;
use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::visit::{self, Visit};
use syn::{Expr, Ident, Item, Pat, Stmt};

/// One use of a name that the expression doesn't bind itself.
#[derive(Debug, PartialEq)]
pub(crate) struct Mention {
    pub(crate) name: String,
    pub(crate) place: Place,
}

/// The syntactic position of a name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    /// A value: it must be an argument, a constant or `self`.
    Value,
    /// The callee of a call: an argument, or any function in scope.
    Callee,
    /// Inside a macro call, whose grammar is unknown: possibly a value.
    Macro,
}

/// Find every free identifier of `expr`, in source order.
pub(crate) fn mentions(expr: &Expr) -> Vec<Mention> {
    let mut scan = Scan::default();
    scan.visit_expr(expr);
    scan.found
}

#[derive(Default)]
struct Scan {
    /// The names bound by closures, matches, lets and loops around the current position.
    bound: Vec<String>,
    found: Vec<Mention>,
}

impl Scan {
    fn mention(&mut self, name: String, place: Place) {
        if !self.bound.contains(&name) {
            self.found.push(Mention { name, place });
        }
    }

    fn bind(&mut self, pat: &Pat) {
        bindings::each(pat, &mut |ident| self.bound.push(ident.unraw().to_string()));
    }

    /// Forget the names that `visit` binds when it returns.
    fn scope(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = self.bound.len();
        visit(self);
        self.bound.truncate(outside);
    }

    fn macro_tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let punct = |at: Option<usize>| match at.and_then(|at| tokens.get(at)) {
            Some(TokenTree::Punct(punct)) => punct.as_char(),
            _ => ' ',
        };
        for (at, token) in tokens.iter().enumerate() {
            let (before, after) = (at.checked_sub(1), Some(at + 1));
            match token {
                TokenTree::Ident(ident) => {
                    let is_field = punct(before) == '.' && punct(at.checked_sub(2)) != '.';
                    let in_path = punct(before) == ':' && punct(at.checked_sub(2)) == ':';
                    // `name: ..`, `name = ..` and `name::..` are not values; the `name` of `name ==
                    // ..` is one.
                    let is_label = punct(after) == ':'
                        || punct(after) == '=' && !matches!(punct(Some(at + 2)), '=' | '>');
                    if !is_field && !in_path && !is_label {
                        self.mention(ident.unraw().to_string(), Place::Macro);
                    }
                }
                TokenTree::Group(group) => self.macro_tokens(group.stream()),
                TokenTree::Literal(literal) => {
                    for name in captured(&literal.to_string()) {
                        self.mention(name, Place::Macro);
                    }
                }
                TokenTree::Punct(_) => {}
            }
        }
    }
}

/// The names that a format string captures: `slug` in `"{slug:>8}"`.
pub(crate) fn captured(literal: &str) -> Vec<String> {
    if !literal.ends_with('"') {
        return Vec::new();
    }
    let text = literal.replace("{{", "");
    let after_brace = text.split('{').skip(1);
    after_brace
        .filter_map(|part| part.split(['}', ':']).next())
        .filter(|name| syn::parse_str::<Ident>(name).is_ok())
        .map(str::to_owned)
        .collect()
}

fn single(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Path(path) => path.path.get_ident().map(|ident| ident.unraw().to_string()),
        _ => None,
    }
}

impl<'ast> Visit<'ast> for Scan {
    fn visit_expr_path(&mut self, path: &'ast syn::ExprPath) {
        if let Some(ident) = path.path.get_ident() {
            self.mention(ident.unraw().to_string(), Place::Value);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        match single(&call.func) {
            Some(name) => self.mention(name, Place::Callee),
            None => self.visit_expr(&call.func),
        }
        call.args.iter().for_each(|arg| self.visit_expr(arg));
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.scope(|scan| {
            closure.inputs.iter().for_each(|pat| scan.bind(pat));
            scan.visit_expr(&closure.body);
        });
    }

    fn visit_expr_let(&mut self, condition: &'ast syn::ExprLet) {
        self.visit_expr(&condition.expr);
        self.bind(&condition.pat);
    }

    fn visit_expr_if(&mut self, branch: &'ast syn::ExprIf) {
        self.scope(|scan| {
            scan.visit_expr(&branch.cond);
            scan.visit_block(&branch.then_branch);
        });
        if let Some((_, otherwise)) = &branch.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, looped: &'ast syn::ExprWhile) {
        self.scope(|scan| visit::visit_expr_while(scan, looped));
    }

    fn visit_expr_for_loop(&mut self, looped: &'ast syn::ExprForLoop) {
        self.visit_expr(&looped.expr);
        self.scope(|scan| {
            scan.bind(&looped.pat);
            scan.visit_block(&looped.body);
        });
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        self.scope(|scan| {
            scan.bind(&arm.pat);
            if let Pat::Guard(guarded) = &arm.pat {
                scan.visit_expr(&guarded.guard);
            }
            scan.visit_expr(&arm.body);
        });
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.scope(|scan| {
            for stmt in &block.stmts {
                if let Stmt::Item(Item::Fn(item)) = stmt {
                    scan.bound.push(item.sig.ident.unraw().to_string());
                }
            }
            block.stmts.iter().for_each(|stmt| scan.visit_stmt(stmt));
        });
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, diverge)) = &init.diverge {
                self.visit_expr(diverge);
            }
        }
        self.bind(&local.pat);
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.macro_tokens(mac.tokens.clone());
    }

    // Items, types, patterns and paths don't see local names.
    fn visit_item(&mut self, _: &'ast Item) {}
    fn visit_type(&mut self, _: &'ast syn::Type) {}
    fn visit_pat(&mut self, _: &'ast Pat) {}
    fn visit_path(&mut self, _: &'ast syn::Path) {}
    fn visit_angle_bracketed_generic_arguments(
        &mut self,
        _: &'ast syn::AngleBracketedGenericArguments,
    ) {
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, mentions};

    fn free(text: &str, place: Place) -> Vec<String> {
        let expr = syn::parse_str(text).expect("an expression");
        let all = mentions(&expr).into_iter();
        all.filter(|found| found.place == place)
            .map(|found| found.name)
            .collect()
    }

    fn values(text: &str) -> Vec<String> {
        free(text, Place::Value)
    }

    #[test]
    fn only_the_roots_of_paths_and_fields_are_free() {
        assert_eq!(values("auth.user.id"), ["auth"]);
        assert_eq!(values("page.unwrap_or(one)"), ["page", "one"]);
        assert_eq!(values("a + b[c] * -d"), ["a", "b", "c", "d"]);
        assert_eq!(values("(self.tenant, &x as &str)"), ["self", "x"]);
        assert_eq!(values("Key { slug, id: n }"), ["slug", "n"]);
        assert_eq!(values("config::LIMIT"), Vec::<String>::new());
        assert_eq!(values("r#type"), ["type"]);
        assert_eq!(values("ids.iter().collect::<Vec<u8>>().len()"), ["ids"]);
    }

    #[test]
    fn variables_bound_inside_the_expression_are_not_free() {
        assert_eq!(values("ids.iter().map(|id| id + base)"), ["ids", "base"]);
        assert_eq!(
            values("match kind { Some(k) if k > low => k, other => other }"),
            ["kind", "low"]
        );
        assert_eq!(
            values("if let Some(x) = a && x > b { x } else { x }"),
            ["a", "b", "x"]
        );
        assert_eq!(values("{ let n = n + 1; n }"), ["n"]);
        assert_eq!(values("{ for i in list { use_it(i); } i }"), ["list", "i"]);
    }

    #[test]
    fn callees_and_macro_arguments_are_classified() {
        assert_eq!(free("f(x)", Place::Callee), ["f"]);
        assert_eq!(values("f(x)"), ["x"]);
        assert_eq!(values("module::f(x)"), ["x"]);
        assert_eq!(
            free("format!(\"{a}-{b:>3}-{{c}}-{}\", d.e, f = g)", Place::Macro),
            ["a", "b", "d", "g"]
        );
    }
}
