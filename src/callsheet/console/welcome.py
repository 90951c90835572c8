"""Welcome: the page behind the one-time sign-in link, and a line at the address itself.

The full console is not part of this release. The page is one piece of HTML: no script, nothing fetched from
elsewhere, and no secret in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from callsheet.console.first_campaign import Step
from callsheet.engine.invitation import Invitation

PATH = "/welcome/"

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}"
    "pre{padding:.8rem 1rem;overflow-x:auto;border:1px solid #8886;border-radius:.4rem;white-space:pre-wrap;"
    "overflow-wrap:anywhere}dt{font-weight:600}dd{margin:0 0 .5rem;font-family:ui-monospace,monospace}"
)


class Welcome:
    """What answers beside the API, as an ASGI application: `/`, the sign-in link, and that there is nothing else."""

    def __init__(self, invitation: Invitation) -> None:
        self._invitation = invitation
        self._facts: Sequence[tuple[str, str]] = ()
        self._steps: Sequence[Step] = ()

    def invite(self, facts: Sequence[tuple[str, str]], steps: Sequence[Step]) -> str:
        """Make a new link to a page with these facts and steps, and return its path; the link before it is over."""
        self._facts, self._steps = facts, steps
        return PATH + self._invitation.make()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Raises HTTPException for a path with nothing behind, unless a person reads the answer."""
        path, method = scope["path"], scope["method"]
        reads = method in ("GET", "HEAD")
        page: Response
        if reads and path == "/":
            page = _page("Callsheet", _ELSEWHERE)
        elif reads and path.startswith(PATH):
            page = self._open(path.removeprefix(PATH), spend=method == "GET")
        elif "text/html" in Headers(scope=scope).get("accept", ""):
            page = _page("Nothing here", _ELSEWHERE, status=404)
        else:
            raise HTTPException(404)
        await page(scope, receive, send)

    def _open(self, token: str, *, spend: bool) -> Response:
        """Show the page once. A HEAD, as previews of links send it, spends nothing."""
        if not self._invitation.may_be_shown(token):
            return _page("This link is over", _OVER, status=404)
        if spend:
            self._invitation.show()
        facts = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in self._facts)
        steps = "".join(f"<li>{escape(step.title)}<pre>{escape(step.command)}</pre></li>" for step in self._steps)
        return _page("Welcome to Callsheet", f"<dl>{facts}</dl><h2>A first campaign</h2><ol>{steps}</ol>{_ELSEWHERE}")


_ELSEWHERE = (
    "<p>Callsheet answers here. Its console is not part of this release: everything is done through the API and the"
    ' command <code>callsheet</code>. <a href="/docs">/docs</a> shows our own part of the API. For machines there are'
    " <code>/healthz</code>, <code>/readyz</code> and <code>/metrics</code>.</p>"
)
_OVER = (
    "<p>A sign-in link is good for 30 minutes, once. <code>callsheet serve</code> prints a new one each time it"
    " starts. <code>callsheet credentials</code> shows the same facts, and <code>callsheet token</code> signs a token,"
    " also while the server runs.</p>"
)


def _page(title: str, body: str, *, status: int = 200) -> HTMLResponse:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
    return HTMLResponse(html, status, _HEADERS)
