"""Security headers on every response: nothing from elsewhere, nothing inline, nothing framed."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# default-src 'none': what is not named is forbidden. There is no inline script or style anywhere, hence no nonce.
_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",  # data: for the arrows that components draw in their style sheet
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
# A page that reads codes may use the camera and run the code reader, which is WebAssembly.
_SCANNER = {**_POLICY, "script-src": "'self' 'wasm-unsafe-eval'", "media-src": "'self' blob:"}

_FEATURES = ("accelerometer", "autoplay", "display-capture", "geolocation", "gyroscope", "microphone", "payment", "usb")

_ALWAYS = {
    # Nothing for other hosts. "no-referrer" would also make browsers send "Origin: null" with our own forms, which the
    # protection against forged requests has to refuse.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _written(policy: dict[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in policy.items())


def _permissions(camera: bool) -> str:
    closed = ", ".join(f"{name}=()" for name in _FEATURES)
    return f"camera={'(self)' if camera else '()'}, {closed}"


def allow_scanner(request: HttpRequest) -> None:
    """Let the page that answers `request` use the camera and the code reader (called by web/scanner.html)."""
    request.khien_scanner = True


class ContentSecurityPolicy:
    """Middleware. Pages of people are never stored by the browser or a proxy; static files are, by whitenoise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        scanner = getattr(request, "khien_scanner", False)
        response["Content-Security-Policy"] = _written(_SCANNER if scanner else _POLICY)
        response["Permissions-Policy"] = _permissions(camera=scanner)
        for name, value in _ALWAYS.items():
            response[name] = value
        response.setdefault("Cache-Control", "no-store")
        return response
