"""
Every query of compilation, by name.

Each function takes a session and commits nothing.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from newsletter.compilation.artifact import Artifact, artifact_from
from newsletter.compilation.correction import CorrectedEdition, Correction
from newsletter.compilation.models import ArtifactRow, BuildRow, CorrectedRow, CorrectionRow, PinRow
from newsletter.database import changed_rows
from newsletter.errors import NotFound
from subscribers.columns import insert_into


def put(session: Session, artifact: Artifact, *, now: dt.datetime) -> bool:
    """Store an artifact unless it is there; returns whether it is new."""
    statement = insert_into(session, ArtifactRow).values(
        digest=artifact.digest,
        language=artifact.language,
        variant=artifact.variant,
        subject=artifact.subject,
        mjml=artifact.mjml,
        html=artifact.html,
        text=artifact.text,
        skeleton=artifact.skeleton,
        facts=artifact.facts(),
        created=now,
    )
    return changed_rows(session, statement.on_conflict_do_nothing(index_elements=["digest"])) == 1


def get(session: Session, digest: str) -> Artifact:
    """The artifact of this digest. Raises NotFound."""
    row = session.get(ArtifactRow, digest)
    if row is None:
        raise NotFound("artifact", digest)
    return _artifact(row)


def get_many(session: Session, digests: Iterable[str]) -> dict[str, Artifact]:
    """The artifacts of these digests, by digest. Raises NotFound for one that is not there."""
    wanted = dict.fromkeys(digests)
    rows = session.exec(select(ArtifactRow).where(col(ArtifactRow.digest).in_(wanted)))
    found = {row.digest: _artifact(row) for row in rows}
    for digest in wanted:
        if digest not in found:
            raise NotFound("artifact", digest)
    return {digest: found[digest] for digest in wanted}


def pin(session: Session, issue_id: int, artifacts: Sequence[Artifact]) -> None:
    """Hold these stored artifacts, and no others, for an issue."""
    session.execute(delete(PinRow).where(col(PinRow.issue_id) == issue_id))
    session.add_all(
        PinRow(issue_id=issue_id, language=artifact.language, variant=artifact.variant, digest=artifact.digest)
        for artifact in artifacts
    )
    session.flush()


def unpin(session: Session, issue_id: int) -> None:
    """Take back what an approval held for an issue, its build as well; the artifacts stay."""
    session.execute(delete(PinRow).where(col(PinRow.issue_id) == issue_id))
    session.execute(delete(BuildRow).where(col(BuildRow.issue_id) == issue_id))


def pins(session: Session, issue_id: int) -> Mapping[tuple[str, str], str]:
    """The digests pinned for an issue, by language and variant."""
    rows = session.exec(
        select(PinRow).where(col(PinRow.issue_id) == issue_id).order_by(col(PinRow.language), col(PinRow.variant))
    )
    return {(row.language, row.variant): row.digest for row in rows}


def put_build(session: Session, issue_id: int, *, calendar: bytes, manifest: bytes) -> None:
    """Hold the calendar file and the build record of an approved build, in place of earlier ones."""
    session.merge(BuildRow(issue_id=issue_id, calendar=calendar, manifest=manifest))
    session.flush()


def get_build(session: Session, issue_id: int) -> tuple[bytes, bytes] | None:
    """The calendar file and the build record held for an issue, if it is approved."""
    row = session.exec(select(BuildRow).where(col(BuildRow.issue_id) == issue_id)).one_or_none()
    return (row.calendar, row.manifest) if row else None


def add_correction(session: Session, issue_id: int, correction: Correction) -> None:
    """Keep a correction whose artifacts are stored; fails where the issue has one of that number already."""
    row = CorrectionRow(
        issue_id=issue_id,
        number=correction.number,
        reasons=dict(correction.reasons),
        operator=correction.operator,
        at=correction.at,
    )
    session.add(row)
    session.flush()
    session.add_all(
        CorrectedRow(correction_id=row.id or 0, language=language, digest=edition.digest, changed=list(edition.changed))
        for language, edition in correction.editions.items()
    )
    session.flush()


def corrections(session: Session, issue_id: int) -> tuple[Correction, ...]:
    """The corrections of an issue, the first one first."""
    rows = session.exec(
        select(CorrectionRow).where(col(CorrectionRow.issue_id) == issue_id).order_by(col(CorrectionRow.number))
    ).all()
    corrected = session.exec(
        select(CorrectedRow)
        .where(col(CorrectedRow.correction_id).in_([row.id for row in rows]))
        .order_by(col(CorrectedRow.language))
    ).all()
    return tuple(
        Correction(
            number=row.number,
            at=row.at,
            operator=row.operator,
            reasons=row.reasons,
            editions={
                each.language: CorrectedEdition(digest=each.digest, changed=tuple(each.changed))
                for each in corrected
                if each.correction_id == row.id
            },
        )
        for row in rows
    )


def count_corrections(session: Session) -> Mapping[int, int]:
    """How many corrections issues have, by their id; those without any are left out."""
    counted = select(col(CorrectionRow.issue_id), func.count()).group_by(col(CorrectionRow.issue_id))
    return {issue_id: count for issue_id, count in session.execute(counted)}  # noqa: C416  a Row is no pair for dict()


def _artifact(row: ArtifactRow) -> Artifact:
    return artifact_from(
        row.facts,
        language=row.language,
        variant=row.variant,
        subject=row.subject,
        mjml=row.mjml,
        html=row.html,
        text=row.text,
        skeleton=row.skeleton,
        digest=row.digest,
    )
