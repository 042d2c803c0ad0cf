"""
What the pages about sending draw: audiences, runs and reports as charts.

Takes values of the verbs and words of the page; yields markup by `charts`.
"""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

from newsletter.dispatch.figures import Moment, Part
from newsletter.pipeline.proposal import Audience
from newsletter.pipeline.watching import Sight
from newsletter.planning.models import DeliveryState
from newsletter.web.desk.charts import Slice, curve, stacked

_TONES: Final = 5
"""Colours of a row; what comes after shares the last one."""

UNSENT: Final = (DeliveryState.SUPPRESSED, DeliveryState.CANCELLED, DeliveryState.EXPIRED)
"""Deliveries that were planned and never go out."""

WAITING: Final = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.DEFERRED)
"""Deliveries that may go out still."""


def audience(who: Audience, title: str, text: str) -> Markup:
    """How an audience falls on the editions."""
    slices = [
        Slice(people, f"s{min(place, _TONES)}", language)
        for place, (language, people) in enumerate(who.editions.items(), 1)
    ]
    return stacked(slices, name="audience-bar", title=title, text=text)


def run(sight: Sight, title: str, text: str) -> Markup:
    """How far a run has come."""
    slices = (
        Slice(sight.accepted, "ok", ""),
        Slice(sight.uncertain, "warn", ""),
        Slice(sight.refused, "err", ""),
        Slice(sight.unsent, "rest", ""),
        Slice(sight.deferred + sight.sending, "s2", ""),
    )
    return stacked(slices, name="run-bar", title=title, text=text, full=sight.total)


def part(of: Part, name: str, title: str, text: str) -> Markup:
    """What became of a part of the audience."""
    slices = (
        Slice(of.count(DeliveryState.ACCEPTED), "ok", ""),
        Slice(of.count(DeliveryState.UNCERTAIN), "warn", ""),
        Slice(of.count(DeliveryState.REFUSED), "err", ""),
        Slice(of.count(*UNSENT), "rest", ""),
    )
    return stacked(slices, name=name, title=title, text=text, full=of.total)


def over_time(moments: Sequence[Moment], title: str, text: str) -> Markup:
    """How many messages were taken, span by span."""
    return curve([moment.number for moment in moments], name="over-time", title=title, text=text)
