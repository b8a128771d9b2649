"""The application of ASGI: the routes, and what answers them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from industry_apps.serving.bodies import written
from industry_apps.serving.calls import Call, Endpoint, Handler, Reply
from industry_apps.serving.journal import Journal
from industry_apps.serving.metrics import rendered
from industry_apps.serving.openapi import PageRoutes
from industry_apps.serving.protocol.http import HttpRoutes
from industry_apps.serving.protocol.inference import Inference
from industry_apps.serving.records import AdminRoutes, RecordRoutes, StatusRoutes
from industry_apps.serving.served import Served
from industry_apps.serving.settings import Settings

#: Routes that do not take the way through ASGI where a server of ours runs the application.
DIRECT = ("/models/{name}/predict", "/v2/models/{name}/infer")
_TEXT = [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")]


def create_app(
    models: Mapping[str, str | Path],
    settings: Settings | None = None,
    journal: Journal | None = None,
) -> Starlette:
    """Make a server of model files, for uvicorn or any other server of ASGI.

    Parameters
    ----------
    models : mapping of str to str or Path
        Name -> a model file, a name of the zoo, or a folder of versions.
    settings : Settings, optional
    journal : Journal, optional
        Where events are written; standard error by default.

    Returns
    -------
    starlette.applications.Starlette
        ``app.state.served`` is the :class:`Served`.

    Raises
    ------
    IndustryAppsError
        A model is not to be served, or a setting does not hold.

    Examples
    --------
    >>> app = create_app({"credit": "finance.credit_scoring.scorecard"})
    >>> sorted(app.state.served.slots)
    ['credit']
    """
    return app_of(Served(models, settings, journal))


def app_of(served: Served) -> Starlette:
    """The application of what is served.

    Parameters
    ----------
    served : Served
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        served.close()

    app = Starlette(
        routes=routes(served), lifespan=lifespan, exception_handlers={HTTPException: _not_there}
    )
    app.router.redirect_slashes = False  # to no other place that is not there either
    app.state.served = served
    return app


def routes(served: Served) -> list[BaseRoute]:
    """All routes, the most asked for first.

    Parameters
    ----------
    served : Served
    """

    def route(method: str, path: str, handler: Handler, needs: str | None = None) -> Route:
        endpoint = Endpoint(served, handler, route=path, needs=needs)
        return Route(path, endpoint, methods=[method])

    protocol, pages = HttpRoutes(Inference(served)), PageRoutes(served)
    records, admin, status = RecordRoutes(served), AdminRoutes(served), StatusRoutes(served)

    async def metrics(call: Call) -> Reply:
        return Reply(rendered(await served.fleet.samples()).encode(), headers=_TEXT)

    return [
        route("POST", "/models/{name}/predict", records.predict, "predict"),
        route("POST", "/models/{name}/explain", records.explain, "predict"),
        route("POST", "/v2/models/{name}/infer", protocol.infer, "predict"),
        route("POST", "/v2/models/{name}/versions/{version}/infer", protocol.infer, "predict"),
        route("POST", "/models/{name}/events", records.event, "predict"),
        route("POST", "/models/{name}/confirm", records.confirm, "predict"),
        route("GET", "/live", status.live),
        route("GET", "/ready", status.ready),
        route("GET", "/health", status.health, "read"),
        route("GET", "/metrics", metrics, "read"),
        route("GET", "/models", records.models, "read"),
        route("GET", "/models/{name}", records.model, "read"),
        route("GET", "/openapi.json", pages.document, "read"),
        route("GET", "/docs", pages.page),
        route("GET", "/v2", protocol.server, "read"),
        route("GET", "/v2/health/live", status.live),
        route("GET", "/v2/health/ready", status.ready),
        route("GET", "/v2/models/{name}", protocol.model, "read"),
        route("GET", "/v2/models/{name}/ready", protocol.model_ready),
        route("GET", "/v2/models/{name}/versions/{version}", protocol.model, "read"),
        route("GET", "/v2/models/{name}/versions/{version}/ready", protocol.model_ready),
        route("POST", "/v2/repository/index", protocol.index, "read"),
        route("POST", "/models/{name}/reload", admin.reload, "admin"),
        route("POST", "/models/{name}/promote", admin.promote, "admin"),
        route("POST", "/models/{name}/rollback", admin.rollback, "admin"),
    ]


def direct_paths(app: Starlette) -> dict[str, tuple[Endpoint, dict[str, str]]]:
    """Path -> endpoint of what is asked for most, of each model, and what the path says.

    Parameters
    ----------
    app : Starlette
        Made by :func:`create_app`.
    """
    found = {}
    for route in app.routes:
        assert isinstance(route, Route)
        if route.path in DIRECT and isinstance(route.endpoint, Endpoint):
            for name in app.state.served.slots:
                found[route.path.replace("{name}", name)] = route.endpoint, {"name": name}
    return found


async def _not_there(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    told = {
        404: f"There is nothing at {request.url.path!r:.200}. See /docs for what there is.",
        405: f"{request.url.path!r:.200} does not take {request.method}. See /docs for how.",
    }
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    body = written({"error": told.get(status, "The request cannot be answered.")})
    return Response(body, status, headers, "application/json")
