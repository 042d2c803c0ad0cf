"""
The compiler: folds the steps of the chain in their order.

Takes an edition, yields its artifact. After every step the slots, the conditional comments, the links and the depth are
compared with what went in, so that whatever a library drops is found here and not by readers.
"""

import datetime as dt
import json
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from newsletter.assembly.edition import Edition
from newsletter.compilation.artifact import SAMPLE, Artifact, digest_of
from newsletter.compilation.dress import dressed
from newsletter.compilation.inline import inlined
from newsletter.compilation.lean import lean
from newsletter.compilation.message import Head, Skeleton, Values, build_skeleton, render
from newsletter.compilation.mjml import directed, html_from
from newsletter.compilation.plaintext import links_missing, normalised
from newsletter.compilation.said import said
from newsletter.compilation.slots import ORIGIN, Field, Slots
from newsletter.compilation.structure import check_shape
from newsletter.compilation.templates import render_mjml, render_text
from newsletter.compilation.theme import ThemeFolder, read_theme
from newsletter.compilation.tracking import with_tracking
from newsletter.compilation.vocabulary import Dressed
from newsletter.content.newsletter import Tracking
from newsletter.links import Links
from subscribers.address import parse_address

_TOOLS: Final = ("newsletter", "Jinja2", "mjml-python", "premailer")
"""Distributions whose version can change the bytes."""

_LONG_NAME: Final = "é" * 40
"""A long value in an expensive script: nearly no reader's is larger."""

_TOKEN: Final = "x" * 80
"""As long as the signed tokens of links are, and somewhat longer."""


def compile_issue(editions: Iterable[Edition], *, links: Links, templates_dir: Path | None = None) -> list[Artifact]:
    """Compile every edition of an issue, in order."""
    return [compile_edition(edition, links=links, templates_dir=templates_dir) for edition in editions]


def compile_edition(edition: Edition, *, links: Links, templates_dir: Path | None = None) -> Artifact:
    """
    Compile one edition with its theme, found in `templates_dir` (default: the themes of the program).

    Raises NotFound for an unknown theme, and CompilationFailed, with template or line where it is known, where the
    theme is wrong or a step of the chain lost something.
    """
    theme = read_theme(edition.theme.name, folder=templates_dir)
    slots = Slots.of(repr(edition))
    mjml = directed(render_mjml(theme, edition, slots=slots), edition.dir)
    html = page_from(mjml, edition, slots=slots)
    text = _text(theme, edition, slots=slots)
    subject = slots.mark(edition.subject)
    head, used = _head(edition), slots.used
    sent = with_tracking(html, text, edition=edition, links=links, slots=slots)
    parts = {"subject": slots.split(subject), "text": slots.split(sent.text), "html": slots.split(sent.html)}
    skeleton = build_skeleton(head, **parts)
    targets = check_shape("compile", html).links
    return Artifact(
        newsletter=edition.newsletter,
        issue=edition.issue,
        date=edition.date,
        language=edition.language,
        dir=edition.dir,
        variant=edition.variant,
        sender_address=head.sender_address,
        subject=subject,
        preheader=slots.mark(edition.preheader.text),
        mjml=mjml,
        html=html,
        text=text,
        skeleton=skeleton.to_bytes(),
        nonce=slots.nonce,
        slots=used,
        unknown=slots.unknown,
        links=targets,
        text_lacks=links_missing(text, targets),
        size=len(render(skeleton, largest_values(skeleton, links))),
        digest=digest_of(edition.language, edition.variant, skeleton=skeleton.to_bytes()),
        said=said(edition),
        tracking=edition.counting.tracking if edition.counting else Tracking.OFF,
        tracked=sent.targets,
    )


def page_from(mjml: str, edition: Dressed, *, slots: Slots) -> str:
    """Take MJML through the rest of the chain; raises as `compile_edition`."""
    made = html_from(mjml)
    slots.check("mjml", mjml, made)
    shape = check_shape("mjml", made)
    flat = inlined(made)
    slots.check("inline", made, flat)
    shape = check_shape("inline", flat, before=shape)
    short = lean(flat, direction=edition.dir)
    slots.check("lean", flat, short)
    shape = check_shape("lean", short, before=shape)
    done = dressed(short, language=edition.language, direction=edition.dir)
    slots.check("dress", short, done)
    check_shape("dress", done, before=shape)
    return done


def _text(theme: ThemeFolder, edition: Edition, *, slots: Slots) -> str:
    raw = render_text(theme, edition, slots=slots)
    text = normalised(raw)
    slots.check("text", raw, text)
    return text


def _head(edition: Edition) -> Head:
    sender = parse_address(edition.sender_address)
    return Head(
        sender_name=edition.sender_name,
        sender_address=sender.ascii_form,
        language=edition.language,
        reply_to=parse_address(edition.reply_to).ascii_form if edition.reply_to else None,
        list_id=edition.list_id,
        feedback_id=f"{edition.issue}:{edition.language}:{edition.newsletter}:{_sender_id(sender.domain)}",
    )


def _sender_id(domain: str) -> str:
    """The last part of a Feedback-ID: stable for the sender, five to fifteen characters."""
    return re.sub(r"[^a-z0-9]", "", domain)[:15].ljust(5, "0")


def largest_values(skeleton: Skeleton, links: Links) -> Values:
    """The values that make the largest message a skeleton can become, about."""
    return SAMPLE._replace(
        address=f"{'a' * 64}@{'b' * 60}.example",
        name=_LONG_NAME,
        unsubscribe_url=links.unsubscribe(_TOKEN),
        preferences_url=links.preferences(_TOKEN),
        click=_TOKEN,
        open=_TOKEN,
        confirmation_url=links.confirmation(_TOKEN),
        slots={slot.name: _LONG_NAME for slot in skeleton.slots if slot.name in set(Field)},
    )


def sample_values(artifact: Artifact) -> Values:
    """The neutral reader, with the issue's date and a Message-ID of the artifact's own."""
    morning = dt.datetime.combine(artifact.date, dt.time(9), dt.UTC)
    return SAMPLE._replace(date=morning, message_id=f"{artifact.digest[:24]}@news.example")


def sample_message(artifact: Artifact) -> bytes:
    """The artifact as a message to the neutral reader, for a `.eml` file."""
    return render(artifact.message, sample_values(artifact))


def build_json(issue: str, artifacts: Sequence[Artifact], *, calendar: str) -> bytes:
    """
    What was built, as JSON: digests and sizes by edition, the digest of the calendar file, the versions of the tools.

    Bears the issue's date and no clock: the same build gives the same bytes.
    """
    build = {
        "issue": issue,
        "newsletter": sorted({artifact.newsletter for artifact in artifacts}),
        "date": sorted({artifact.date.isoformat() for artifact in artifacts}),
        "calendar": calendar,
        "editions": {artifact.name: _edition_facts(artifact) for artifact in artifacts},
        "tools": {name: version(name) for name in _TOOLS},
    }
    return json.dumps(build, indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


def _edition_facts(artifact: Artifact) -> dict[str, object]:
    return {
        "digest": artifact.digest,
        "language": artifact.language,
        "variant": artifact.variant,
        "subject": artifact.subject_for(SAMPLE),
        "size": artifact.size,
        "links": [link for link in artifact.links if not link.startswith(ORIGIN)],
        "slots": sorted({slot.name for slot in artifact.slots}),
        "unknown_slots": list(artifact.unknown),
    }
