"""
The parts of a newsletter's settings, and what each form of them says.

Takes a form and the settings it was made from; yields changes by dotted keys, as `pipeline.founding` takes them, with
everything as it was entered. Fields are named by the paths of settings; members of a list stand in the order of their
numbers, and a button that moves, adds or drops one is no change yet. Pure.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from newsletter.content.localised import EVERY
from newsletter.content.newsletter import Newsletter
from newsletter.pipeline.founding import slug_of
from newsletter.web.desk.newsletters.rhythm import Rhythm
from newsletter.web.form import Form

MOST: Final = 60
"""Members of a list in a form: sections, languages, logos."""

_COUNT: Final = re.compile(r"[0-9]{1,3}")

Changes = dict[str, Any]
"""Settings by dotted keys."""


class Part(StrEnum):
    """A part of the settings, with a form of its own; named as in its address."""

    #: Name, time zone, web page.
    GENERAL = "general"
    #: Which there are, and how each writes dates.
    LANGUAGES = "languages"
    #: What an issue is divided into.
    SECTIONS = "sections"
    #: Who the mail comes from.
    SENDER = "sender"
    #: What stands under every edition.
    FOOTER = "footer"
    #: Colours, typefaces, logo.
    THEME = "theme"
    #: Agenda, missing translations, counting, approval.
    RULES = "rules"
    #: When a draft is made.
    CADENCE = "cadence"


def changes_of(part: Part, form: Form, settings: Newsletter) -> Changes:
    """What a form says of its part."""
    return _READERS[part](form, settings)


def shown(settings: Newsletter, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as plain data, with what was entered in place of what is stored: what a form shows."""
    data: dict[str, Any] = settings.model_dump(mode="json", by_alias=True)
    for path, value in changes.items():
        *folders, last = path.split(".")
        place = data
        for folder in folders:
            place = place[folder]
        place[last] = value
    return data


def with_picture(part: Part, entered: Changes, form: Form, settings: Newsletter, *, field: str, url: str) -> Changes:
    """What was entered, with the address of a picture that was sent in a field such as `footer.logos.0.file`."""
    path = field.removesuffix(".file")
    if part is Part.THEME and path == "theme.logo":
        logo = _logo(form, path, settings, [settings.theme.logo] if settings.theme.logo else [])
        return {**entered, path: {**logo, "url": url}}
    folder, _, number = path.rpartition(".")
    numbers = list(map(str, _numbers(form, folder))) if part is Part.FOOTER and folder == "footer.logos" else []
    if number not in numbers:
        return entered
    place = numbers.index(number)
    logos = [{**logo, "url": url} if index == place else logo for index, logo in enumerate(entered[folder])]
    return {**entered, folder: logos}


def moved(members: Sequence[Any], wish: str, *, fresh: Any) -> list[Any]:
    """A list after `up:2`, `down:0`, `drop:1` or `add`; as it was for any other wish."""
    listed = list(members)
    act, _, text = wish.partition(":")
    number = int(text) if _COUNT.fullmatch(text) and int(text) < len(listed) else None
    if act == "add" and len(listed) < MOST:
        listed.append(fresh)
    elif number is not None and act == "drop":
        del listed[number]
    elif number is not None and act in {"up", "down"}:
        target = min(max(number + (-1 if act == "up" else 1), 0), len(listed) - 1)
        listed.insert(target, listed.pop(number))
    return listed


def words(form: Form, path: str, settings: Newsletter, stored: Mapping[str, str] | None = None) -> Any:
    """
    A text in every language of the newsletter, as entered; languages that the form does not show keep theirs.

    One that is given in the first language only, and was the same in all before, stays the same in all.
    """
    known = stored or {}
    entered = {tag: form.get(f"{path}.{tag}").strip() for tag in settings.languages}
    filled = {tag: text for tag, text in entered.items() if text}
    if EVERY in known and set(filled) <= {settings.default_language}:
        return filled.get(settings.default_language, "")
    others = {tag: text for tag, text in known.items() if tag not in entered and tag != EVERY}
    return {**filled, **others}


def _general(form: Form, settings: Newsletter) -> Changes:
    return {
        "name": words(form, "name", settings, settings.name),
        "timezone": form.get("timezone"),
        "website": _text(form, "website"),
        "list_id": form.get("list_id").strip(),
    }


def _languages(form: Form, settings: Newsletter) -> Changes:
    listed = [form.get(f"languages.{number}").strip() for number in _numbers(form, "languages")]
    locales = {tag: form.get(f"locales.{tag}", settings.locales.get(tag, "")) for tag in listed}
    kept = {tag: locale for tag, locale in locales.items() if locale and locale != tag}
    return {"languages": listed, "locales": kept}


def _sections(form: Form, settings: Newsletter) -> Changes:
    titles = {section.key: section.title or {} for section in settings.sections}
    return {"sections": [_section(form, number, settings, titles) for number in _numbers(form, "sections")]}


def _section(form: Form, number: int, settings: Newsletter, titles: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    path = f"sections.{number}"
    entered = form.get(f"{path}.key").strip()
    title = words(form, f"{path}.title", settings, titles.get(entered))
    first = title if isinstance(title, str) else next(iter(title.values()), "")
    return {
        "key": entered or (slug_of(first, otherwise=f"section-{number + 1}") if first else ""),
        "title": title or None,
        "show": form.get(f"{path}.show") or "blocks",
        "columns": form.get(f"{path}.columns") or "1",
        "marker": form.get(f"{path}.marker") or None,
    }


def _sender(form: Form, settings: Newsletter) -> Changes:
    return {
        "sender.name": words(form, "sender.name", settings, settings.sender.name),
        "sender.address": form.get("sender.address").strip(),
        "sender.reply_to": _text(form, "sender.reply_to"),
    }


def _footer(form: Form, settings: Newsletter) -> Changes:
    stored = settings.footer
    social = [
        {"network": form.get(f"footer.social.{number}.network").strip(), "url": form.get(f"footer.social.{number}.url")}
        for number in _numbers(form, "footer.social")
    ]
    logos = [_logo(form, f"footer.logos.{number}", settings, stored.logos) for number in _numbers(form, "footer.logos")]
    return {
        "footer.text": words(form, "footer.text", settings, stored.text),
        "footer.address": words(form, "footer.address", settings, stored.address),
        "footer.phone": _text(form, "footer.phone"),
        "footer.email": _text(form, "footer.email"),
        "footer.social": social,
        "footer.logos": logos,
    }


def _logo(form: Form, path: str, settings: Newsletter, stored: Sequence[Any]) -> dict[str, Any]:
    url = form.get(f"{path}.url").strip()
    known = next((logo.alt for logo in stored if logo.url == url), None)
    return {
        "url": url,
        "alt": words(form, f"{path}.alt", settings, known),
        "link": _text(form, f"{path}.link"),
    }


def theme_of(form: Form, settings: Newsletter) -> Changes:
    """What a form says of the theme, by the names of its own settings."""
    logo = _logo(form, "theme.logo", settings, [settings.theme.logo] if settings.theme.logo else [])
    return {
        "name": form.get("theme.name") or settings.theme.name,
        "accent": None if "own_accent" in form else _text(form, "theme.accent"),
        "logo": logo if logo["url"] else None,
        "fonts": _named(form, "theme.fonts."),
        "options": _options(form),
    }


def _options(form: Form) -> dict[str, bool]:
    """The options of the theme that differ from what it usually has; a box without a tick is not sent."""
    usual = {name: value == "yes" for name, value in _named(form, "usual.").items()}
    chosen = {name: f"theme.options.{name}" in form for name in usual}
    return {name: is_on for name, is_on in chosen.items() if is_on != usual[name]}


def _theme(form: Form, settings: Newsletter) -> Changes:
    return {f"theme.{name}": value for name, value in theme_of(form, settings).items()}


def _rules(form: Form, settings: Newsletter) -> Changes:
    return {
        "cadence.agenda_days": form.get("cadence.agenda_days").strip(),
        "fallback": form.get("fallback"),
        "tracking": form.get("tracking"),
        "opens": "opens" in form,
        "four_eyes": "four_eyes" in form,
        "consent": words(form, "consent", settings, settings.consent),
    }


def rhythm_of(form: Form) -> Rhythm:
    """What a form says of the cadence."""
    return Rhythm.read(form.get, form.all("weekdays"))


def _cadence(form: Form, settings: Newsletter) -> Changes:
    del settings
    return {"cadence.cron": rhythm_of(form).cron}


_READERS: Final[Mapping[Part, Callable[[Form, Newsletter], Changes]]] = {
    Part.GENERAL: _general,
    Part.LANGUAGES: _languages,
    Part.SECTIONS: _sections,
    Part.SENDER: _sender,
    Part.FOOTER: _footer,
    Part.THEME: _theme,
    Part.RULES: _rules,
    Part.CADENCE: _cadence,
}


def _text(form: Form, name: str) -> str | None:
    return form.get(name).strip() or None


def _named(form: Form, beginning: str) -> dict[str, str]:
    """What is chosen of several fields whose names begin alike; "" leaves it to the theme."""
    return {
        name.removeprefix(beginning): form.get(name)
        for name in form.fields
        if name.startswith(beginning) and form.get(name)
    }


def _numbers(form: Form, path: str) -> list[int]:
    """The numbers of the members of a list that a form has, in their order."""
    depth = path.count(".") + 1
    found = {name.split(".")[depth] for name in form.fields if name.startswith(f"{path}.")}
    return sorted(int(text) for text in found if _COUNT.fullmatch(text))[:MOST]
