"""
Wording: which of an entry's words an edition shows, and how they are marked and set.

Takes localised texts; yields them for one edition as phrases, links and places. Promises that the text of an entry
falls back as a whole, that words of another language carry their tag and direction and no others do, and that French
punctuation never begins a line, in the HTML and in the text part alike.

Words are foreign where a reader of the edition's language would not be given them: French words stand unmarked in a
fr-BE edition, Serbian in Latin letters does not in a Cyrillic one. A plain string is of every language and never
marked; it is set as the edition's own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from babel import Locale, UnknownLocaleError

from newsletter.assembly.edition import Anchor, Phrase, PlaceView, comma
from newsletter.content.entry import Entry, Link, Place, Sitting, StoredEntry, Text
from newsletter.content.localised import chosen
from newsletter.content.newsletter import Newsletter, Topic
from newsletter.times import french_spaces, language_words
from newsletter.words import Catalogue
from subscribers.language import direction, fallback_chain, lookup, parents

_KEPT = re.compile(r"\[\[[^\[\]]*\]\]|`[^`]*`|\(<[^<>\n]*>|\ufdd0")
# Stands for what typesetting must leave alone: a noncharacter, which no text may exchange (Unicode 23.7).
_STAND_IN = "\ufdd0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendition:
    """An entry in the words of one edition; `tag` is the language of its text, None where it is the edition's own."""

    stored: StoredEntry
    tag: str | None
    title: Phrase
    body: str
    links: tuple[Anchor, ...]
    topic: Phrase | None
    topic_url: str | None
    place: PlaceView | None

    @property
    def entry(self) -> Entry:
        """The entry in all its languages."""
        return self.stored.entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The language of one edition: `catalogue` has the fixed words that stand in its calendar."""

    language: str
    settings: Newsletter
    catalogue: Catalogue

    @property
    def locale(self) -> str:
        """The CLDR locale of dates and numbers."""
        return self.settings.locale(self.language)

    def chain(self, source: str | None = None) -> tuple[str, ...]:
        """The languages that may stand in this edition, best first, for words first written in `source`."""
        default = self.settings.default_language
        return fallback_chain(self.language, source=source or default, default=default)

    def foreign(self, tag: str | None) -> str | None:
        """`tag` where its words are foreign in this edition, else None."""
        return None if tag is None or lookup(tag, (self.language,), "") == self.language else tag

    def set(self, text: str, tag: str | None) -> str:
        """Set plain text or Markdown as its language asks; slots, code and addresses stay as they are."""
        if not _is_french(tag or self.language):
            return text
        kept = iter(_KEPT.findall(text))
        return re.sub(_STAND_IN, lambda _: next(kept), french_spaces(_KEPT.sub(_STAND_IN, text)))

    def marked(self, text: str, tag: str | None) -> Phrase:
        """Words written in `tag` (None: of every language) as a phrase of this edition."""
        lang = self.foreign(tag)
        return Phrase(text=self.set(text, tag), lang=lang, dir=direction(lang) if lang else None)

    def phrase(self, words: Mapping[str, str], source: str | None = None) -> Phrase | None:
        """The words that this edition shows, None where there are none."""
        found = chosen(words, self.chain(source))
        return None if found is None else self.marked(*found)

    def labelled(self, label: Mapping[str, str], words: Mapping[str, str]) -> Phrase | None:
        """Put "Label: " before words, with the colon of their language; None where there are no words."""
        found, name = chosen(words, self.chain()), self.phrase(label)
        if found is None:
            return None
        text, tag = found
        colon = " : " if _is_french(tag or self.language) else ": "
        return self.marked(f"{name.text}{colon}{text}" if name else text, tag)

    def text(self, entry: Entry) -> tuple[str, Text]:
        """The text of an entry that this edition shows, as a whole, and its language."""
        tag = next(tag for tag in self.chain(entry.source) if tag in entry.texts)
        return tag, entry.texts[tag]

    def place(self, place: Place, source: str) -> PlaceView:
        """Where something takes place: "City Hall, Szeged (HU)"; no words for what is online only."""
        found = [part for words in (place.name, place.city) if (part := chosen(words, self.chain(source)))]
        tag = next((tag for _, tag in found if tag), None)
        words = comma(tag or self.language).join(text for text, _ in found)
        if place.country:
            words = f"{words} ({place.country})" if words else self._country(place.country)
        return PlaceView(words=self.marked(words, tag), online=place.online)

    def rendition(self, stored: StoredEntry, topics: Mapping[str, Topic]) -> Rendition:
        """An entry in the words of this edition; a topic that is no key is the topic's name."""
        entry = stored.entry
        tag, text = self.text(entry)
        title = self.marked(text.title, tag)
        topic = topics.get(entry.topic or "")
        named = self.phrase(topic.name) if topic else self.marked(entry.topic, None) if entry.topic else None
        return Rendition(
            stored=stored,
            tag=self.foreign(tag),
            title=title,
            body=self.set(text.body, tag),
            links=tuple(self._anchor(link, tag=tag, context=title) for link in text.links),
            topic=named,
            topic_url=topic.url if topic else None,
            place=self.place(entry.place, entry.source) if entry.place else None,
        )

    def title_of(self, rendition: Rendition, sitting: Sitting) -> Phrase:
        """What a sitting is called: its own title, or its entry's."""
        return self.phrase(sitting.title, rendition.entry.source) or rendition.title

    def place_of(self, rendition: Rendition, sitting: Sitting) -> PlaceView | None:
        """Where a sitting takes place: its own place, or its entry's."""
        return self.place(sitting.place, rendition.entry.source) if sitting.place else rendition.place

    def links_of(self, rendition: Rendition, sitting: Sitting) -> tuple[Anchor, ...]:
        """The links of a sitting's own."""
        source, context = rendition.entry.source, self.title_of(rendition, sitting)
        return tuple(
            Anchor(url=link.url, action=link.action, label=self.phrase(link.label, source), context=context)
            for link in sitting.links
        )

    def languages(self, sitting: Sitting) -> str | None:
        """The languages of a sitting in words: "English and French"; None where it is not said."""
        return language_words(sitting.languages, locale=self.locale) or None

    def _anchor(self, link: Link, *, tag: str, context: Phrase) -> Anchor:
        label = self.marked(link.label, tag) if link.label else None
        return Anchor(url=link.url, action=link.action, label=label, context=context)

    def _country(self, code: str) -> str:
        for tag in (self.locale, *parents(self.locale)):
            try:
                return str(Locale.parse(tag, sep="-").territories.get(code, code))
            except (UnknownLocaleError, ValueError):
                continue
        return code


def _is_french(tag: str) -> bool:
    return tag.partition("-")[0] == "fr"
