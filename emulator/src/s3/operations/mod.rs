//! The families of operations, one file each: the list and nothing else.

use crate::s3::operation::Entry;

pub(crate) mod bucket;
pub(crate) mod multipart;
pub(crate) mod object;
mod unbuilt;

/// The table: every family's rows.
pub(crate) const FAMILIES: &[&[Entry]] = &[
    bucket::defaults::OPERATIONS,
    bucket::encryption::OPERATIONS,
    bucket::manage::OPERATIONS,
    bucket::tagging::OPERATIONS,
    bucket::versioning::OPERATIONS,
    multipart::abort::OPERATIONS,
    multipart::complete::OPERATIONS,
    multipart::create::OPERATIONS,
    multipart::list::OPERATIONS,
    multipart::upload_part::OPERATIONS,
    object::attributes::OPERATIONS,
    object::copy::OPERATIONS,
    object::delete::OPERATIONS,
    object::encryption::OPERATIONS,
    object::get::OPERATIONS,
    object::list::OPERATIONS,
    object::list_versions::OPERATIONS,
    object::post_form::OPERATIONS,
    object::put::OPERATIONS,
    unbuilt::OPERATIONS,
];
