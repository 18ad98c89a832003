//! What both middlewares do with a request.

mod body;
mod cors;
mod half_uploads;
mod set_up;
mod shadow;
