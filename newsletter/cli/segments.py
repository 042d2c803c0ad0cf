"""Commands about segments: saved expressions that say who is meant."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from newsletter.cli.groups import group
from newsletter.cli.output import JsonOption, note, print_json, print_table, say
from newsletter.cli.report import counted
from newsletter.cli.state import STATE
from newsletter.errors import InvalidInput
from newsletter.pipeline.segments import SegmentFacts
from subscribers.errors import SegmentSyntaxError

app = group("Segments: saved expressions that say who is meant.", no_args_is_help=True)

ExpressionArgument = typer.Argument(
    ..., metavar="EXPR", help="""Like 'list = "members" and language in ("fr", "fr-BE")', or all."""
)
"""The argument of every command that takes an expression."""


@contextmanager
def _pointing() -> Iterator[None]:
    """Show the place in the expression that cannot be read."""
    try:
        yield
    except SegmentSyntaxError as error:
        place = f"\n{error.pointer}" if error.expression.strip() else ""
        raise InvalidInput(f"{error}{place}") from error


def _report(facts: SegmentFacts, done: str) -> None:
    say(f"segment {facts.name} {done}: {facts.words}")
    for doubt in facts.doubts:
        note(f"note: {doubt}")


@app.command()
def create(name: str, expression: str = ExpressionArgument) -> None:
    """Save an expression under a name."""
    with _pointing():
        facts = STATE.pipeline().people.segments.create(name, expression)
    _report(facts, "created")


@app.command("set")
def set_segment(name: str, expression: str = ExpressionArgument) -> None:
    """Save another expression under a name; what is queued already keeps the one it was queued with."""
    with _pointing():
        facts = STATE.pipeline().people.segments.change(name, expression)
    _report(facts, "changed")


@app.command("list")
def list_segments(json: bool = JsonOption) -> None:
    """List all segments."""
    found = STATE.pipeline().people.segments.all()
    if json:
        print_json([_segment_json(facts) for facts in found])
        return
    print_table(("segment", "expression"), [(facts.name, facts.expression) for facts in found])


@app.command()
def show(name: str, json: bool = JsonOption) -> None:
    """Show a segment and whom it means in words."""
    facts = STATE.pipeline().people.segments.get(name)
    if json:
        print_json(_segment_json(facts))
        return
    say(facts.name)
    say(facts.expression)
    say(facts.words)
    for named, words in facts.named.items():
        say(f"  segment {named}: {words}")


def _segment_json(facts: SegmentFacts) -> dict[str, object]:
    return {
        "name": facts.name,
        "expression": facts.expression,
        "words": facts.words,
        "named": dict(facts.named),
        "created": facts.created,
        "updated": facts.updated,
    }


@app.command()
def count(
    name: str | None = typer.Argument(None, help="A saved segment."),
    expression: str | None = typer.Option(
        None, "--expression", metavar="EXPR", help="Count whom this expression means, without saving it."
    ),
    newsletter: str | None = typer.Option(None, "--newsletter", help="Count also who would receive this newsletter."),
    json: bool = JsonOption,
) -> None:
    """Count the people whom a segment means, and with --newsletter those who would receive it now."""
    segments = STATE.pipeline().people.segments
    with _pointing():
        if expression is not None and name is None:
            counts = segments.count_expression(expression, newsletter=newsletter)
        elif name is not None and expression is None:
            counts = segments.count(name, newsletter=newsletter)
        else:
            raise InvalidInput("name a saved segment, or give an expression with --expression")
    if json:
        asked = {"segment": name} if name is not None else {"expression": expression}
        print_json({**asked, "count": counts.matching, "newsletter": newsletter, "audience": counts.audience})
        return
    say(counted(counts.matching, "person", "people"))
    if counts.audience is not None:
        say(f"{counts.audience:,} would receive {newsletter}")


@app.command("test")
def test_segment(name: str, address: str, json: bool = JsonOption) -> None:
    """Say whether a segment means a person, and which part of it does not."""
    tested = STATE.pipeline().people.segments.test(name, address)
    if json:
        parts = [{"depth": part.depth, "words": part.words, "holds": part.holds} for part in tested.parts]
        print_json({"segment": name, "holds": tested.holds, "parts": parts})
        return
    say(f"{address} is {'meant' if tested.holds else 'not meant'} by {name}")
    for part in tested.parts:
        say(f"{'  ' * part.depth}  {'yes' if part.holds else 'no '}  {part.words}")


@app.command()
def delete(name: str) -> None:
    """Delete a segment that nothing else names."""
    STATE.pipeline().people.segments.delete(name)
    say(f"segment {name} deleted")
