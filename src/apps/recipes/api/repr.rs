//! `/repr`: pages of datasets, which need Python.

use http::StatusCode;

use crate::apps::http_api::ApiError;

/// Show a dataset as xarray does: not done here.
///
/// The original service opened the store with xarray. This server runs no Python; open the dataset's
/// `dataset_public_url` where you have xarray.
#[utoipa::path(
    get, path = "/repr/xarray", tag = "repr",
    params(("url" = Option<String>, Query, description = "Where the dataset is.")),
    responses((status = 501, description = "Always")),
)]
pub(super) async fn xarray() -> ApiError {
    ApiError::new(
        StatusCode::NOT_IMPLEMENTED,
        "Datasets are not opened by this server, which runs no Python. Open the dataset_public_url with xarray.",
    )
}
