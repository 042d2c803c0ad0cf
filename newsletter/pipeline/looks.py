"""
What a look at an issue gives: its editions as they would be sent, what the checks found, through whose eyes it is seen.

Values only; `previewing` makes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from newsletter.assembly.edition import Edition
from newsletter.assembly.facts import IssueFacts
from newsletter.compilation.artifact import SAMPLE, Artifact
from newsletter.content.matrix import MatrixRow
from newsletter.errors import NotFound
from newsletter.pipeline.approval import Built
from newsletter.preflight import audience as audience_checks
from newsletter.preflight.finding import Finding, Severity, Waiver
from newsletter.preflight.report import RULES, Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """
    An issue as it would be sent now.

    `built` has the editions, `report` what the checks found; `matrix` how each entry stands in each language.
    `overtaken` is None where no approval holds anything; else the titles of what was changed since, none where nothing
    was, and `stands` tells whether what would be compiled is what was approved.
    """

    facts: IssueFacts
    built: Built
    report: Report
    matrix: tuple[MatrixRow, ...]
    overtaken: tuple[str, ...] | None

    @property
    def stands(self) -> bool:
        """Whether these are the bytes of an approval."""
        return self.built.pinned

    def artifact(self, name: str) -> Artifact:
        """An edition by its name, such as `fr` or `fr.members`. Raises NotFound."""
        for artifact in self.built.artifacts:
            if artifact.name.lower() == name.lower():
                return artifact
        raise NotFound("edition", name, near=[artifact.name for artifact in self.built.artifacts])

    def subject_of(self, artifact: Artifact) -> str:
        """The subject of an edition with the default words of its slots."""
        return artifact.subject_for(SAMPLE)

    def edition(self, name: str) -> Edition:
        """What an artifact was made of."""
        return dict(zip((each.name for each in self.built.artifacts), self.built.editions, strict=True))[
            self.artifact(name).name
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The findings on an issue with the waivers that hold for them, for a page: what is to fix, to decide, to know."""

    report: Report
    waivers: Mapping[str, Waiver]

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What has to be fixed."""
        return tuple(each for each in self.report.findings if each.severity is Severity.ERROR)

    @property
    def undecided(self) -> tuple[Finding, ...]:
        """Warnings that nobody has accepted."""
        return tuple(each for each in self._warnings if each.fingerprint not in self.waivers)

    @property
    def accepted(self) -> tuple[Finding, ...]:
        """Warnings that somebody accepted."""
        return tuple(each for each in self._warnings if each.fingerprint in self.waivers)

    @property
    def notices(self) -> tuple[Finding, ...]:
        """What is good to know."""
        return tuple(each for each in self.report.findings if each.severity is Severity.NOTICE)

    @property
    def is_clear(self) -> bool:
        """Whether nothing stands in the way of approval."""
        return not self.errors and not self.undecided

    @property
    def passed(self) -> int:
        """How many rules were looked at and found nothing."""
        audience = {rule.code for rule in audience_checks.RULES}
        asked = {rule.code for rule in RULES if not rule.outside} - audience
        return len(asked - {finding.code for finding in self.report.findings})

    @property
    def _warnings(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.report.findings if each.severity is Severity.WARNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleReader:
    """A subscriber through whose eyes an edition is looked at."""

    uid: str
    name: str
    address: str
