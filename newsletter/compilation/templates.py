"""
Jinja2: an edition and a theme's templates become MJML and text.

Takes an `Edition`, its `Slots` and a theme's folder; yields the MJML and the raw text part. Promises that officers'
words are data only (never template source, escaped in MJML), that an undefined name is an error with file and line,
and that the same edition gives the same characters.

A theme is a folder `templates/email/<theme>/` with `manifest.toml` (see `theme.py`), `issue.mjml.j2`, `issue.txt.j2`
and what they include from `parts/`; what it does not have is looked for in the theme it is based on. Blocks are trimmed
(`trim_blocks`, `lstrip_blocks`), undefined names are errors. Files ending in `.mjml.j2` are autoescaped, `.txt.j2` are
not. Import macros `with context`: the names below come with it.

Names in every template
    edition                 the `Edition`; its plain strings are escaped by `{{ }}`, but go through `mark` or `phrase`
                            where officers wrote them, so that their slots work
    say(msgid, **values)    the theme's own words in the edition's language: say("Read more"),
                            say("No. {number}", number=edition.number); values may be the result of phrase(), slot() …;
                            context="…" where the catalogue has two meanings of one message
    say_n(singular, plural, n, **values)
                            the same with a plural; fills {n} itself
    words_language          the language of these words where it is not the edition's (no catalogue), else None
    action_words(anchor)    the words of a link: the theme's for an action, the officer's label otherwise
    spoken(anchor)          "Read more: Title of the entry" as plain words, for aria-label or hidden text; a label that
                            already says it stands alone
    url(name)               the reader's own address, a whole href: url("unsubscribe_url"), url("preferences_url");
                            never append to it
    slot(name, default="")  a value of the reader's: slot("recipient") is the address written to; also first_name,
                            last_name, email, organisation, city, country
    proper_name(network)    "mastodon" → "Mastodon", "linkedin" → "LinkedIn"
    colours.light, .dark    the manifest's colours of each scheme by name (colours.light.paper …) and, computed from the
                            newsletter's accent, `accent` (at least 4.5:1 on every background the manifest lists),
                            `on_accent` (text on a surface of that accent, at least 4.5:1) and `tint` (a breath of
                            accent on paper); a name in the manifest wins over a computed one
    colours.brand           the accent exactly as the newsletter has it (decoration only: its contrast is unknown)
    fonts, options          the manifest's tables, by name: fonts.body, options.numbered
    start, end              "left" and "right" as the edition is read (swapped in right-to-left editions)

Filters and functions alike, in `.mjml.j2` (each gives safe markup)
    phrase(p)               a `Phrase`, escaped, slots marked; in `<span lang dir>` where it is foreign; None gives ""
    plain(p)                a `Phrase` or string for an attribute (alt, aria-label): escaped, slots marked, no tag
    mark(s)                 an officer's plain string: escaped, slots marked
    md(source, lang=None)   an officer's CommonMark as HTML blocks, slots marked; `lang` of the text where it is foreign
    md_inline(source, lang=None)
                            the same without paragraphs, for one line

Filters and functions alike, in `.txt.j2` (each gives plain text)
    phrase(p), plain(p), mark(s)    as above, without markup
    text(source, width=72)          an officer's CommonMark as wrapped plain text
    wrap(s, width=72, indent="", first=None)
                            wraps one paragraph, never inside an address or a slot; `first` indents the first line
    rule(s, char="-")       the string with a line of `char` under it, as long as its longest line

Style sheets: `<mj-style inline="inline">` is written into `style` attributes and taken out of the head; it may hold
plain selectors only (no media query, no pseudo-class, no `*`, no !important). A plain `<mj-style>` stays in the head as
it is: media queries, dark mode, hover. What MJML lets pass and we refuse is in `mjml_table.py` and `mjml_rules.py`. In
right-to-left editions `mj-wrapper`, `mj-section`, `mj-column` and `mj-group` get their direction, and `mj-text` and
`mj-table` their alignment, by themselves. Classes that only the inlined sheet names are dropped from the mail.

What the environment refuses: an undefined name, a missing attribute, a missing include.
"""

import re
import traceback
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    nodes,
    pass_context,
)
from jinja2.runtime import Context

from newsletter.assembly.edition import Edition
from newsletter.compilation.slots import Slots
from newsletter.compilation.theme import ThemeFolder
from newsletter.compilation.vocabulary import FILTERS, names_for_mjml, names_for_text
from newsletter.errors import NewsletterError, TemplateFault
from newsletter.words import ENGLISH, catalogue

MJML: Final = "issue.mjml.j2"
TEXT: Final = "issue.txt.j2"

_ILLEGAL: Final = re.compile(r"[^\t\n\r\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no markup can hold (XML 1.0 §2.2) or nobody can see: controls, pasted along with an officer's text."""


def render_mjml(theme: ThemeFolder, edition: Edition, *, slots: Slots) -> str:
    """
    The MJML of an edition in a theme.

    Raises TemplateFault with the template's name and line where the theme is wrong.
    """
    return render(theme.path, MJML, names=names_for_mjml(theme, edition, slots=slots), bases=theme.bases)


def render_text(theme: ThemeFolder, edition: Edition, *, slots: Slots) -> str:
    """The text part of an edition in a theme, as the template gives it; raises as `render_mjml`."""
    return render(theme.path, TEXT, names=names_for_text(theme, edition, slots=slots), bases=theme.bases)


def render(folder: Path, template: str, *, names: dict[str, object], bases: tuple[Path, ...] = ()) -> str:
    """
    One template of a folder, with the given names; without control characters, wherever they came from.

    Templates that `folder` does not have are taken from the nearest of `bases`. Raises TemplateFault with the
    template's name and line; errors of ours pass unchanged.
    """
    folders = (folder, *bases)
    try:
        return _ILLEGAL.sub("", _environment(folders).get_template(template).render(names))
    except NewsletterError:
        raise
    except TemplateSyntaxError as error:
        name = _named(error.filename, folders) or f"{folder.name}/{error.name or template}"
        raise TemplateFault(name, error.lineno, str(error.message)) from error
    except TemplateNotFound as error:
        name, line = _place(folders, template, error)
        raise TemplateFault(name, line, f"there is no template {error.name}") from error
    except Exception as error:
        name, line = _place(folders, template, error)
        raise TemplateFault(name, line, f"{type(error).__name__}: {error}") from error


def unknown_words(theme: ThemeFolder) -> tuple[str, ...]:
    """
    The theme's own words, given to `say` or `say_n`, that no catalogue has: they stay English in every edition.

    Raises TemplateFault for a template that cannot be read at all, used or not.
    """
    environment = _environment((theme.path, *theme.bases))
    said: set[tuple[str, str]] = set()
    for name in environment.list_templates(filter_func=lambda name: name.endswith(".j2")):
        source = _source(environment, name)
        try:
            said.update(_said(environment.parse(source, name)))
        except TemplateSyntaxError as error:
            raise TemplateFault(f"{theme.name}/{name}", error.lineno, str(error.message)) from error
    english = catalogue(ENGLISH)
    return tuple(sorted({words for context, words in said if not english.knows(words, context=context)}))


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None  # noqa: S101  `_environment` gives one
    return environment.loader.get_source(environment, name)[0]


def _said(tree: nodes.Template) -> Iterator[tuple[str, str]]:
    """(context, words) of every call that names its words; those in variables are some other call's."""
    for call in tree.find_all(nodes.Call):
        named = {keyword.key: keyword.value for keyword in call.kwargs}
        if isinstance(call.node, nodes.Name) and call.node.name in {"say", "say_n"} and call.args:
            words, context = call.args[0], named.get("context", nodes.Const(""))
            if isinstance(words, nodes.Const) and isinstance(context, nodes.Const):
                yield str(context.value), str(words.value)


@lru_cache(maxsize=16)
def _environment(folders: tuple[Path, ...]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=lambda name: name is None or not name.endswith(".txt.j2"),  # noqa: S701  text has no markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update({name: _filter(name) for name in FILTERS})
    return environment


def _filter(name: str) -> Callable[..., object]:
    # One environment serves every edition (its compiled templates are the costly part), so a filter finds the edition's
    # own function in the context.
    @pass_context
    def apply(context: Context, *args: Any, **kwargs: Any) -> object:
        result: object = context.call(context.resolve(name), *args, **kwargs)
        return result

    return apply


def _place(folders: tuple[Path, ...], template: str, error: Exception) -> tuple[str, int | None]:
    """The innermost template in the error's traceback, which Jinja2 has mapped to template files and lines."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if name := _named(frame.filename, folders):
            return name, frame.lineno
    return f"{folders[0].name}/{template}", None


def _named(file: str | None, folders: tuple[Path, ...]) -> str | None:
    """A template's file as messages name it: `network/parts/words.mjml.j2`; None for a file of no theme."""
    path = Path(file or "")
    return next((path.relative_to(root.parent).as_posix() for root in folders if path.is_relative_to(root)), None)
