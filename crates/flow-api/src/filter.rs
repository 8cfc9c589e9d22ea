//! Filters as requests carry them: trees of JSON, in a parameter of the query or in a body.

use flow_query::{Checked, Filter};
use serde_json::Value;

use crate::error::ApiError;

/// Returns the filter of a parameter; that of every flow where it is left out or empty.
pub(crate) fn checked(text: Option<&str>) -> Result<Checked, ApiError> {
    match text.map(str::trim) {
        None | Some("") => Ok(Checked::everything()),
        Some(text) => {
            let filter =
                Filter::from_json(text).map_err(|error| ApiError::bad_filter(vec![error]))?;
            filter.check().map_err(ApiError::bad_filter)
        }
    }
}

/// Returns the filter of a body; that of every flow where it is left out.
pub(crate) fn checked_tree(tree: Option<Value>) -> Result<Checked, ApiError> {
    match tree {
        None | Some(Value::Null) => Ok(Checked::everything()),
        Some(tree) => Filter::from(tree).check().map_err(ApiError::bad_filter),
    }
}
