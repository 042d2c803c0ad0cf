"""
`/metrics`: how the installation stands, in the text format of Prometheus (docs/operations.md lists every name).

Takes the pipeline's vitals and what this process has answered; yields an exposition. Promises labels of which there are
few (relays, states, open runs, routes), none that names a person, and no answer for strangers: whoever asks is a
program on this machine, or bears the token that was set.
"""

import hmac
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from typing import Final

from fastapi import APIRouter
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Scope

from newsletter.bootstrap import Pipeline
from newsletter.pipeline.vitals import Vitals, Watch
from newsletter.planning.models import RunState

PATH: Final = "/metrics"

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})
"""Addresses of programs on this machine."""

FORWARDED: Final = frozenset({b"x-forwarded-for", b"x-forwarded-host", b"forwarded", b"via", b"x-real-ip"})
"""What a reverse proxy on this machine adds: then a stranger may be behind it."""

BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: from a page out of memory to one that somebody gives up waiting for."""

CLASSES: Final = ("api", "desk", "hooks", "static", "media", "archive", "u")
"""First steps of addresses that are told apart; all other pages are `public`, and what watches over us `probe`."""

PROBES: Final = frozenset({"health", "ready", "metrics"})

STREAM: Final = "text/event-stream"
"""Answers of this kind last as long as somebody looks: they are counted, and not timed."""


class Requests:
    """What this process has answered, by class of route and of status."""

    def __init__(self) -> None:
        # When each series began is nobody's question, and doubles their number.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library's own lack
        self.registry = registry = CollectorRegistry()
        labels = ("route", "status")
        self._answered = Counter("newsletter_http_requests", "Requests answered.", labels, registry=registry)
        self._took = Histogram(
            "newsletter_http_request_seconds",
            "Seconds until a request was answered; event streams are not among them.",
            ("route",),
            buckets=BUCKETS,
            registry=registry,
        )

    def answered(self, scope: Scope, *, status: int, seconds: float, media_type: str = "") -> None:
        """Count one; a status of 0 is an answer that never began."""
        route = class_of(str(scope["path"]))
        self._answered.labels(route, f"{status // 100}xx" if status else "none").inc()
        if not media_type.startswith(STREAM):
            self._took.labels(route).observe(seconds)


def class_of(path: str) -> str:
    """The class of routes that an address belongs to; one of few, whatever strangers ask for."""
    first = path[1:].partition("/")[0]
    if first in PROBES:
        return "probe"
    return first if first in CLASSES else "public"


class _Figures(Collector):
    """Makes metrics of the vitals, anew for each exposition."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def describe(self) -> Iterable[Metric]:
        """Their names, for the registry, without asking the database."""
        return metrics_of(Vitals(answers=False))

    def collect(self) -> Iterator[Metric]:
        """All of them."""
        yield from metrics_of(self._watch.read())


def metrics_of(vitals: Vitals) -> Iterator[Metric]:
    """The vitals as metrics; where the database says nothing only that, and what needs no database."""
    yield _gauge("newsletter_build_info", "The version that runs.", [((("version", _version()),), 1)])
    yield _one("newsletter_database_up", "Whether the database answers (1) or not (0).", vitals.answers)
    if vitals.free is not None:
        yield _one("newsletter_disk_free_bytes", "Room beside the SQLite file.", vitals.free)
    if not vitals.answers:
        return
    yield _one(
        "newsletter_database_seconds", "Seconds that the simplest question to the database took.", vitals.seconds
    )
    yield _one("newsletter_reading_seconds", "Seconds that it took to read these figures.", vitals.reading)
    yield from _sending(vitals)
    yield from _processes(vitals)
    yield from _matters(vitals)


def _sending(vitals: Vitals) -> Iterator[Metric]:
    states = {state: vitals.runs.get(state, 0) for state in RunState}
    yield _gauge("newsletter_runs", "Runs by state.", [((("state", s.value),), n) for s, n in states.items()])
    yield _gauge(
        "newsletter_deliveries",
        "Deliveries of runs under way that have not ended, by state.",
        [
            ((("newsletter", run.newsletter), ("issue", run.issue), ("state", state.value)), number)
            for run in vitals.going
            for state, number in run.states.items()
        ],
        labels=("newsletter", "issue", "state"),
    )
    yield _gauge(
        "newsletter_single_messages",
        "Confirmations, notices and tests that have not ended, by state.",
        [((("state", state.value),), number) for state, number in vitals.singles.items()],
        labels=("state",),
    )
    attempts = CounterMetricFamily(
        "newsletter_attempts",
        "Attempts over a relay since the tables began, by what they came to and by whose fault.",
        labels=("relay", "outcome", "fault"),
    )
    for total in vitals.attempts:
        attempts.add_metric([total.relay, total.verdict.value, total.fault.value if total.fault else ""], total.number)
    yield attempts
    if vitals.quiet is not None:
        yield _one("newsletter_last_attempt_seconds", "Seconds since an attempt was recorded last.", vitals.quiet)
    yield _one(
        "newsletter_start_lag_seconds", "For how long the oldest due run has not been started.", vitals.start_lag
    )
    yield _one("newsletter_retry_lag_seconds", "For how long the oldest due retry has not been made.", vitals.retry_lag)


def _processes(vitals: Vitals) -> Iterator[Metric]:
    found = [((("state", "alive"),), vitals.hands.alive), ((("state", "silent"),), vitals.hands.silent)]
    yield _gauge("newsletter_workers", "Workers and dispatchers that have not signed off, by whether they beat.", found)
    yield _one("newsletter_worker_connections", "Connections of those that are alive.", vitals.hands.connections)
    yield _one("newsletter_scheduler_acts", "Whether a scheduler acts (1) or none does (0).", bool(vitals.leader))
    if vitals.jobs is not None:
        counted = [((("state", state),), number) for state, number in sorted(vitals.jobs.items())]
        yield _gauge(
            "newsletter_jobs", "Jobs in the queue that have not succeeded, by state.", counted, labels=("state",)
        )


def _matters(vitals: Vitals) -> Iterator[Metric]:
    yield _one("newsletter_imports", "Files of people that are being looked through or stored.", vitals.imports)
    kinds = [((("kind", kind.value),), number) for kind, number in vitals.alerts.items()]
    yield _gauge("newsletter_alerts", "Open matters that operators may be told of, by kind.", kinds, labels=("kind",))
    silent = [((("relay", relay),), 1) for relay in vitals.silent_relays]
    yield _gauge("newsletter_relay_silent", "Relays that are left alone since they fail.", silent, labels=("relay",))
    yield _one(
        "newsletter_mailbox_failing_seconds",
        "For how long the mailbox for what comes back cannot be read; 0 where it can.",
        vitals.mailbox_failing,
    )


_Sample = tuple[tuple[tuple[str, str], ...], float]


def _gauge(name: str, words: str, samples: Iterable[_Sample], *, labels: tuple[str, ...] = ()) -> GaugeMetricFamily:
    listed = list(samples)
    names = labels or tuple(label for label, _ in listed[0][0])
    family = GaugeMetricFamily(name, words, labels=names)
    for labelled, value in listed:
        family.add_metric([found for _, found in labelled], value)
    return family


def _one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, value=float(value))


@cache
def _version() -> str:
    return version("newsletter")


def router(pipeline: Pipeline) -> APIRouter:
    """The route of the figures: the vitals, what the system says of this process, and what it has answered."""
    routes, token = APIRouter(), pipeline.parts.settings.metrics.token
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(pipeline.watch))
    ProcessCollector(registry=registry)

    @routes.get(PATH)
    def metrics(request: Request) -> Response:
        if not (_is_at_home(request.scope) or _bears(request, token)):
            if token is None:
                return PlainTextResponse("not found\n", 404)
            return PlainTextResponse("a token is needed\n", 401, {"WWW-Authenticate": "Bearer"})
        answered: Requests = request.app.state.requests
        told = generate_latest(registry) + generate_latest(answered.registry)
        return Response(told, headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})

    return routes


def _bears(request: Request, token: SecretStr | None) -> bool:
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if token is None or kind.lower() != "bearer":
        return False
    return hmac.compare_digest(given.strip().encode(), token.get_secret_value().encode())


def _is_at_home(scope: Scope) -> bool:
    """Whether a program on this machine asks, itself."""
    client = scope.get("client")
    return client is not None and client[0] in LOOPBACK and not any(name in FORWARDED for name, _ in scope["headers"])
