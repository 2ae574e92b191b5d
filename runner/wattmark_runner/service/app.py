"""The service's application: calls, page, health, and what checks access to them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import FileResponse, PlainTextResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from wattmark_core.tls import ServedCertificate
from wattmark_runner.service import metrics, page_assets
from wattmark_runner.service.access.idempotency import IdempotencyMiddleware
from wattmark_runner.service.access.keys import Keys
from wattmark_runner.service.access.middleware import AccessMiddleware
from wattmark_runner.service.api import host, problems, runs, scores, tables, windows
from wattmark_runner.service.api.problems import ApiError, FieldError
from wattmark_runner.service.readiness import Readiness
from wattmark_runner.service.services import Services

PAGE: Final = Path(__file__).parent / "page"
ABOUT: Final = """\
What neural networks cost in energy on this host: start runs, annotate windows of code that runs
elsewhere, read scores (accuracy² / energy per inference) with their intervals and checks.

Times that end in `_ns` are Unix ns, energy is in joules; every error is `application/problem+json`
(RFC 9457). A POST may carry an `Idempotency-Key`: sent twice, it is carried out once.
"""


@dataclass(frozen=True, slots=True)
class Access:
    """Whom the service answers: Host names, keys where there are any, and under which
    certificate."""

    hosts: frozenset[str]
    keys: Keys | None = None
    certificate: ServedCertificate | None = None


def make_app(services: Services, access: Access) -> ASGIApp:
    """The application over ``services``, which start and stop with it."""
    return AccessMiddleware(
        calls(services, access.certificate), hosts=access.hosts, keys=access.keys
    )


def calls(services: Services, certificate: ServedCertificate | None = None) -> FastAPI:
    """The calls and the page, behind ``AccessMiddleware``."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        services.start()
        yield
        services.stop()

    app = FastAPI(
        title="Wattmark runner", version=version("wattmark"), description=ABOUT,
        docs_url=None, redoc_url=None,  # they load scripts from elsewhere
        lifespan=lifespan,
        middleware=[Middleware(IdempotencyMiddleware, database=services.context.database)],
    )  # fmt: skip
    app.state.services = services
    problems.install(app)
    for module in (runs, windows, scores, host, tables):
        app.include_router(module.router, prefix="/api/v1", responses=problems.RESPONSES)
    app.include_router(_about_itself(services, certificate))
    app.include_router(page_assets.router)
    app.mount("/static", StaticFiles(directory=PAGE), name="static")
    return app


def _about_itself(services: Services, certificate: ServedCertificate | None) -> APIRouter:
    router = APIRouter(tags=["service"])
    readiness = Readiness(services.context)

    @router.get("/", response_class=FileResponse, include_in_schema=False)
    def page() -> FileResponse:
        return FileResponse(PAGE / "index.html")

    @router.get("/healthz", response_class=PlainTextResponse)
    def health() -> str:
        """The service runs."""
        return "ok\n"

    @router.get(
        "/readyz", response_class=PlainTextResponse, responses={503: problems.RESPONSES[503]}
    )
    def ready() -> str:
        """The service can measure: its exporter answers, that one's samples arrive in the store,
        its records can be written, and its disks have room. Otherwise ``errors`` names what not."""
        found = readiness.problems()
        if found:
            raise ApiError(
                503, f"not ready: {', '.join(found)}; see the log",
                [FieldError(name, text) for name, text in found.items()],
            )  # fmt: skip
        return "ok\n"

    @router.get("/metrics", response_class=PlainTextResponse)
    def own_metrics() -> Response:
        """Runs by state, open windows, the process: for Prometheus."""
        return Response(metrics.render(services, certificate), media_type=metrics.CONTENT_TYPE)

    return router
