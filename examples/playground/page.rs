use std::future::ready;

use actix_web::{HttpResponse, http::header, web};

const ONLY_FROM_HERE: &str = "default-src 'none'; base-uri 'none'; connect-src 'self'; \
    form-action 'none'; frame-ancestors 'none'; img-src data:; script-src 'self'; style-src 'self'";

/// The files of the page. It may load and call nothing else.
pub(crate) fn page(config: &mut web::ServiceConfig) {
    config
        .route(
            "/",
            file("text/html; charset=utf-8", include_str!("index.html")),
        )
        .route(
            "/style.css",
            file("text/css; charset=utf-8", include_str!("style.css")),
        )
        .route(
            "/script.js",
            file("text/javascript; charset=utf-8", include_str!("script.js")),
        );
}

fn file(content_type: &'static str, text: &'static str) -> actix_web::Route {
    web::get().to(move || {
        let answer = HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, content_type))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .insert_header((header::CONTENT_SECURITY_POLICY, ONLY_FROM_HERE))
            .body(text);
        ready(answer)
    })
}
