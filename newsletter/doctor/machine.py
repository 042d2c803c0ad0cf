"""
The machine: its Python, its time zones, and the programs that checks make use of.

Takes what there is, yields checks. Pure but for `missing_zones`, which looks zones up.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from newsletter.doctor.check import Check, error, ok, warning

FIXED: Final = {(3, 10): 20, (3, 11): 15, (3, 12): 13, (3, 13): 12, (3, 14): 3}
"""The releases of Python whose `email` package no longer lets a header in through a line break (CVE-2026-1299)."""

PROGRAMS: Final = {"spamassassin": "`newsletter issue preflight --outside` then asks a spam filter, too"}
"""Programs that are used where they are, and what for."""


def check_python(version: tuple[int, int, int]) -> Check:
    """Whether this Python has the mended `email` package; newer branches have it from the start."""
    written = ".".join(map(str, version))
    branch, release = version[:2], version[2]
    if branch > max(FIXED) or (branch in FIXED and release >= FIXED[branch]):
        return ok("python", f"Python {written}")
    newer = f"{branch[0]}.{branch[1]}.{FIXED[branch]}" if branch in FIXED else "3.13"
    return warning(
        "python",
        f"Python {written} has a flaw in its email package (CVE-2026-1299)",
        f"What this program sends is written by its own code and not concerned; still, take Python {newer} or later.",
    )


def missing_zones(zones: Iterable[str]) -> list[str]:
    """The time zones, of those that are needed, for which this machine has no data."""
    return [zone for zone in zones if not _is_known(zone)]


def check_zones(zones: Collection[str]) -> Check:
    """Whether there are data of every time zone that is needed."""
    if missing := missing_zones(sorted(zones)):
        return error(
            "time-zones",
            f"there are no data of the time zone {', '.join(missing)}: nothing can be scheduled in it",
            "Install the package tzdata with the program, or the system's; or correct the newsletter's time zone.",
        )
    return ok("time-zones", f"data of {', '.join(sorted(zones))}")


def check_programs(found: Collection[str]) -> Iterator[Check]:
    """Which of the programs that may be used are there."""
    for name, use in PROGRAMS.items():
        if name in found:
            yield ok(name, f"{name} is installed")
        else:
            yield ok(name, f"{name} is not installed, and nothing needs it", f"With it, {use}.")


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
