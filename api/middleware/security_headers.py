"""The security headers: what a browser may do with a response of this service."""

from flask import Response, request

# No page has inline scripts or styles, and Swagger UI draws its icons from data URLs.
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
# If a browser still shows a document or a file as a page, the page can do nothing.
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
    """Add the security headers to a response.

    A response may hold personal data, so no cache keeps it unless its view says otherwise.
    """
    is_page = response.mimetype == "text/html"
    response.headers.setdefault("Content-Security-Policy", PAGE_POLICY if is_page else DATA_POLICY)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        # Browsers obey it only on a connection with TLS (RFC 6797, section 8.1).
        response.headers["Strict-Transport-Security"] = f"max-age={HTTPS_FOR_SECONDS}"
    return response
