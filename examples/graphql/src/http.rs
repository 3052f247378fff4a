//! GraphQL over HTTP.

use std::sync::Arc;

use async_graphql_axum::{GraphQLRequest, GraphQLResponse};
use axum::Router;
use axum::extract::State;
use axum::routing::post;

use crate::db::Db;
use crate::schema::{ErrandSchema, schema};
use crate::viewer::Viewer;

/// Serve `POST /graphql`.
pub fn router(db: Arc<Db>) -> Router {
    Router::new()
        .route("/graphql", post(execute))
        .with_state(schema(db))
}

/// The viewer becomes part of the request's data, where resolvers find it.
async fn execute(
    State(schema): State<ErrandSchema>,
    viewer: Option<Viewer>,
    request: GraphQLRequest,
) -> GraphQLResponse {
    let mut request = request.into_inner();
    if let Some(viewer) = viewer {
        request = request.data(viewer);
    }
    schema.execute(request).await.into()
}
