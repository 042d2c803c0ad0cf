"""
Notices: single messages by which the program tells an operator something.

Takes a `Notice`, whose words are said already in the operator's language; yields its artifact, by the chain of letters.
Promises that its words stand as they are: what looks like a slot in the title of an issue is none.
"""

from dataclasses import dataclass

from newsletter.assembly.edition import Direction
from newsletter.compilation.artifact import Artifact
from newsletter.compilation.single import compile_single
from newsletter.compilation.slots import Slots
from newsletter.content.newsletter import Theme
from newsletter.links import Links


@dataclass(frozen=True, kw_only=True)
class Notice:
    """
    A notice before it is compiled.

    `newsletter` is the slug of the one in whose colours and from whose sender it comes, and `name` that one's name;
    `lines` are its paragraphs, `button` what the link to `address` says, `closing` why the operator gets it.
    """

    label: str
    newsletter: str
    name: str
    language: str
    dir: Direction
    theme_name: str
    accent: str | None
    sender_name: str
    sender_address: str
    reply_to: str | None
    subject: str
    heading: str
    lines: tuple[str, ...]
    button: str
    address: str
    closing: str

    @property
    def theme(self) -> Theme:
        """Whose colours and fonts it is dressed in."""
        return Theme(name=self.theme_name, accent=self.accent)


def compile_notice(notice: Notice, links: Links) -> Artifact:
    """Compile a notice; raises as `compile_edition` does."""
    return compile_single(notice, "notice", links=links, slots=Slots.of(repr(notice)), own={"letter": notice})
