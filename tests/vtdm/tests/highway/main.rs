//! Tests of the plugin from outside, through libasound.

#[cfg(test)]
mod whole_way;
