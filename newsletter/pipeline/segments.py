"""
The verbs about segments, saved or not.

Takes expressions, yields whom they mean: in an English sentence, as counts, and person by person. Promises that no
segment is saved that names a list, a segment or an issue that does not exist, and none given up that something else
names.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from sqlmodel import Session

from newsletter.accounts.models import Deed
from newsletter.accounts.store import note_deed
from newsletter.content.store import get_newsletter
from newsletter.database import reading
from newsletter.pipeline.meaning import check_reactions, condition_of_text, engagement
from newsletter.pipeline.naming import naming_segment, refuse_named
from newsletter.pipeline.parts import Parts
from subscribers import store
from subscribers.errors import UnknownField
from subscribers.models import Segment, Subscriber
from subscribers.segments import (
    And,
    Comparison,
    Condition,
    Expression,
    Not,
    Operator,
    Or,
    attribute_names,
    check_attributes,
    expand,
    leaves,
    named_segments,
    named_tags,
    outline,
    parse,
    to_condition,
    to_words,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentFacts:
    """
    A saved segment, whom it means in words, and what in it looks like a slip of the pen.

    `named` has the words of every saved segment that it names, also through others, by name.
    """

    name: str
    expression: str
    words: str
    created: dt.datetime
    updated: dt.datetime
    named: Mapping[str, str]
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCount:
    """
    How many people match a segment, and how many of them receive the newsletter that was asked about.

    Where counting was bounded, a number that equals the bound means that many or `more`.
    """

    matching: int
    audience: int | None = None
    more: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TestedPart:
    """One line of a test: how deep it stands in the expression, what it says, and whether it holds."""

    depth: int
    words: str
    holds: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTest:
    """Whether a segment means somebody, and what every part of it says about them; the first part is the whole."""

    parts: tuple[TestedPart, ...]

    @property
    def holds(self) -> bool:
        """Whether it means them."""
        return self.parts[0].holds


class Segments:
    """The verbs about segments."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def create(self, name: str, expression: str) -> SegmentFacts:
        """
        Save an expression under a name.

        Raises SegmentExists, SegmentSyntaxError, SegmentCycle, UnknownList and UnknownSegment (with the nearest name),
        NotFound for an issue, and InvalidInput where it asks for what is not counted.
        """
        with self._parts.sessions() as session:
            saved = store.create_segment(session, name, expression=expression, now=self._parts.now())
            facts = _facts(session, saved, doubts=_checked(session, saved.expression, now=self._parts.now()))
            self._note(session, Deed.SEGMENT_CREATED, f"{saved.name}: {saved.expression}")
            session.commit()
        return facts

    def change(self, name: str, expression: str) -> SegmentFacts:
        """Save another expression under a name, as `create`; what is queued keeps the one it was queued with."""
        with self._parts.sessions() as session:
            before = store.get_segment(session, name).expression
            saved = store.set_segment(session, name, expression=expression, now=self._parts.now())
            facts = _facts(session, saved, doubts=_checked(session, saved.expression, now=self._parts.now()))
            if saved.expression != before:
                self._note(session, Deed.SEGMENT_CHANGED, f"{name}: {before} → {saved.expression}")
            session.commit()
        return facts

    def get(self, name: str) -> SegmentFacts:
        """Return a saved segment."""
        with reading(self._parts.engine) as session:
            return _facts(session, store.get_segment(session, name))

    def all(self) -> list[SegmentFacts]:
        """Return every saved segment, by name."""
        with reading(self._parts.engine) as session:
            return [_facts(session, saved) for saved in store.all_segments(session)]

    def count(self, name: str, *, newsletter: str | None = None, at_most: int | None = None) -> SegmentCount:
        """
        Count who matches a segment, and with a newsletter who of them would receive it now.

        With `at_most` counting ends there, so that it takes no longer the more people there are.
        """
        with reading(self._parts.engine) as session:
            return self._count(session, store.get_segment(session, name).expression, newsletter, at_most)

    def count_expression(
        self, expression: str, *, newsletter: str | None = None, at_most: int | None = None
    ) -> SegmentCount:
        """Count as `count` whom an expression means that is not saved; raises what `create` raises."""
        with reading(self._parts.engine) as session:
            check_reactions(session, store.checked_expression(session, expression))
            return self._count(session, expression, newsletter, at_most)

    def test(self, name: str, address: str) -> SegmentTest:
        """Say whether a segment means somebody, and which part of it does not; raises UnknownSubscriber."""
        with reading(self._parts.engine) as session:
            subscriber = store.get_subscriber(session, address)
            return tested(session, store.get_segment(session, name).expression, subscriber, now=self._parts.now())

    def delete(self, name: str) -> None:
        """Delete a saved segment; raises WrongState where another segment or an issue to come names it."""
        with self._parts.sessions() as session:
            store.get_segment(session, name)
            refuse_named(f"segment “{name}”", naming_segment(session, name))
            store.delete_segment(session, name)
            self._note(session, Deed.SEGMENT_DELETED, name)
            session.commit()

    def _note(self, session: Session, deed: Deed, about: str) -> None:
        note_deed(session, deed, operator=self._parts.operator, at=self._parts.now(), about=about)

    def _count(self, session: Session, text: str, newsletter: str | None, at_most: int | None) -> SegmentCount:
        condition = condition_of_text(session, text, now=self._parts.now())
        bound = None if at_most is None else at_most + 1
        matching = store.count_subscribers(session, condition, at_most=bound)
        audience = None
        if newsletter is not None:
            _, settings = get_newsletter(session, newsletter)
            audience = store.count_audience(session, condition, newsletter=settings.slug, at_most=at_most)
        if at_most is not None and matching > at_most:
            return SegmentCount(matching=at_most, audience=audience, more=True)
        return SegmentCount(matching=matching, audience=audience)


def tested(session: Session, text: str, subscriber: Subscriber, *, now: dt.datetime) -> SegmentTest:
    """Say whether an expression means somebody, and what every part of it says about them."""
    expression = expand(parse(text), store.resolver(session))
    truth = _truth(session, store.id_of(subscriber), expression, now=now)
    parts = (
        TestedPart(depth=part.depth, words=part.words, holds=_holds(part.expression, truth))
        for part in outline(expression)
    )
    return SegmentTest(parts=tuple(parts))


def _truth(session: Session, subscriber_id: int, expression: Expression, *, now: dt.datetime) -> Mapping[int, bool]:
    """Which conditions of an expression hold for somebody, by the identity of each."""
    asked = list(leaves(expression))
    conditions = [to_condition(leaf, now=now, engagement=engagement(session)) for leaf in asked]
    return dict(zip(map(id, asked), store.truth_of(session, subscriber_id, conditions), strict=True))


def condition_of(session: Session, name: str, *, now: dt.datetime) -> Condition:
    """Return the condition of a saved segment; raises UnknownSegment with the nearest name."""
    return condition_of_text(session, store.get_segment(session, name).expression, now=now)


def _holds(node: Expression, truth: Mapping[int, bool]) -> bool:
    match node:
        case Not(part):
            return not _holds(part, truth)
        case And(parts):
            return all(_holds(part, truth) for part in parts)
        case Or(parts):
            return any(_holds(part, truth) for part in parts)
        case _:
            return truth[id(node)]


def _facts(session: Session, saved: Segment, *, doubts: Iterable[str] = ()) -> SegmentFacts:
    expression = parse(saved.expression)
    return SegmentFacts(
        name=saved.name,
        expression=saved.expression,
        words=to_words(expression),
        created=saved.created,
        updated=saved.updated,
        named=dict(_named(session, expression, known={saved.name})),
        doubts=tuple(doubts),
    )


def _named(session: Session, expression: Expression, *, known: set[str]) -> Iterator[tuple[str, str]]:
    """Say whom the saved segments mean that an expression names; one that is gone is said to be."""
    for name in sorted(named_segments(expression) - known):
        known.add(name)
        found = store.find_segment(session, name)
        if found is None:
            yield name, "There is no such segment any more."
            continue
        meant = parse(found.expression)
        yield name, to_words(meant)
        yield from _named(session, meant, known=known)


def doubts_about(session: Session, text: str, *, now: dt.datetime) -> tuple[str, ...]:
    """Say which tags and attributes of an expression nobody has: they may be slips of the pen."""
    return tuple(_doubts(session, expand(parse(text), store.resolver(session)), now=now))


def _checked(session: Session, text: str, *, now: dt.datetime) -> Iterator[str]:
    """
    Refuse reactions that cannot be asked for, and yield which tags and attributes nobody has.

    These may come with the next import, or be slips that mean nobody.
    """
    expression = expand(parse(text), store.resolver(session))
    check_reactions(session, expression)
    return _doubts(session, expression, now=now)


def _doubts(session: Session, expression: Expression, *, now: dt.datetime) -> Iterator[str]:
    unknown = {name for name in attribute_names(expression) if not _anybody(session, name, now=now)}
    try:
        check_attributes(expression, set(store.attribute_names(session)) if unknown else attribute_names(expression))
    except UnknownField as error:
        yield f"nobody has an attribute “{error.name}” yet{_hint([error.hint] if error.hint else [])}"
    if wanted := named_tags(expression):
        tags = {tag.lower(): tag for tag in store.all_tags(session)}
        for tag in sorted(tag for tag in wanted if tag.lower() not in tags):
            near = [tags[close] for close in get_close_matches(tag.lower(), tags, n=1)]
            yield f"nobody has the tag “{tag}” yet{_hint(near)}"


def _anybody(session: Session, attribute: str, *, now: dt.datetime) -> bool:
    has_it = to_condition(Comparison(attribute, Operator.NOT_EMPTY), now=now)
    return store.count_subscribers(session, has_it, at_most=1) > 0


def _hint(near: list[str]) -> str:
    return f"; did you mean “{near[0]}”?" if near else ""
