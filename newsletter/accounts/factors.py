"""Every query about second factors and recovery codes. Takes a session, never commits."""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlmodel import Session, col

from newsletter.accounts.credentials import RecoveryCodeRow, SecondFactorRow
from newsletter.accounts.operator import OperatorId
from newsletter.accounts.totp import recovery_digest
from newsletter.database import changed_rows


def factor_of(session: Session, operator_id: OperatorId) -> SecondFactorRow | None:
    """The second factor of an operator, confirmed or not."""
    return session.scalars(select(SecondFactorRow).where(_mine(operator_id))).one_or_none()


def begin(session: Session, operator_id: OperatorId, *, nonce: str) -> None:
    """Begin to set up a device; one that was begun and never confirmed makes room."""
    waiting = (_mine(operator_id), col(SecondFactorRow.confirmed).is_(None))
    changed_rows(session, delete(SecondFactorRow).where(*waiting))
    session.add(SecondFactorRow(operator_id=operator_id, nonce=nonce))
    session.flush()


def confirm(session: Session, operator_id: OperatorId, *, step: int, now: dt.datetime) -> bool:
    """Have it count from now on; False where it does already."""
    waiting = (_mine(operator_id), col(SecondFactorRow.confirmed).is_(None))
    return changed_rows(session, update(SecondFactorRow).where(*waiting).values(confirmed=now, last_step=step)) == 1


def use_step(session: Session, operator_id: OperatorId, step: int) -> bool:
    """Use up the code of a time step; False where it, or a younger one, was used already."""
    unused = (
        _mine(operator_id),
        col(SecondFactorRow.confirmed).is_not(None),
        or_(col(SecondFactorRow.last_step).is_(None), col(SecondFactorRow.last_step) < step),
    )
    return changed_rows(session, update(SecondFactorRow).where(*unused).values(last_step=step)) == 1


def remove(session: Session, operator_id: OperatorId) -> bool:
    """Delete the device and its recovery codes; False where there was none that counted."""
    found = factor_of(session, operator_id)
    changed_rows(session, delete(SecondFactorRow).where(_mine(operator_id)))
    _drop_codes(session, operator_id)
    return found is not None and found.confirmed is not None


def replace_codes(session: Session, operator_id: OperatorId, codes: Sequence[str]) -> None:
    """Keep the digests of new recovery codes; the old ones are void."""
    _drop_codes(session, operator_id)
    kept = [{"operator_id": operator_id, "digest": recovery_digest(code, operator_id=operator_id)} for code in codes]
    session.execute(insert(RecoveryCodeRow), kept)


def use_code(session: Session, operator_id: OperatorId, code: str) -> bool:
    """Use up a recovery code; False where it is none of the operator's."""
    digest = recovery_digest(code, operator_id=operator_id)
    mine = (col(RecoveryCodeRow.operator_id) == operator_id, col(RecoveryCodeRow.digest) == digest)
    return changed_rows(session, delete(RecoveryCodeRow).where(*mine)) == 1


def count_codes(session: Session, operator_id: OperatorId) -> int:
    """How many recovery codes are left."""
    mine = col(RecoveryCodeRow.operator_id) == operator_id
    return session.scalar(select(func.count()).select_from(RecoveryCodeRow).where(mine)) or 0


def _mine(operator_id: OperatorId) -> ColumnElement[bool]:
    return col(SecondFactorRow.operator_id) == operator_id


def _drop_codes(session: Session, operator_id: OperatorId) -> None:
    changed_rows(session, delete(RecoveryCodeRow).where(col(RecoveryCodeRow.operator_id) == operator_id))
