"""What a browser may do with an answer of this service."""

from flask import Response, request

# Neither script nor style of a page stands in the page itself; Swagger UI draws its icons from data
# URLs.
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# A document or a file that a browser shows as a page all the same can do nothing there.
DATA_POLICY = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
HTTPS_FOR_SECONDS = 365 * 24 * 3600


def add_security_headers(response: Response) -> Response:
    """Answers may hold personal data: no cache keeps them unless a view says otherwise."""
    is_page = response.mimetype == "text/html"
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        # Browsers heed it on a connection with TLS alone (RFC 6797, section 8.1).
        response.headers["Strict-Transport-Security"] = f"max-age={HTTPS_FOR_SECONDS}"
    return response
