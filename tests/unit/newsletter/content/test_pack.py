import io
from pathlib import Path

import pytest
from PIL import Image

from newsletter.content.newsletter import Newsletter
from newsletter.content.pack import foreign_sections, parse_pack, unknown_items
from newsletter.errors import InvalidPack

SETTINGS = """\
newsletter:
  slug: rivers
  name: Rivers
  languages: [en, fr]
  timezone: Europe/Brussels
  sender: {name: Rivers, address: news@rivers.example}
  list_id: rivers.rivers.example
  sections: [{key: lead}, {key: agenda, show: lines}]
"""
ENTRY = "  - {key: quay, kind: news, section: lead, published: 2026-11-03, texts: {en: {title: Quay}}}\n"


def problems(source, **options):
    with pytest.raises(InvalidPack) as caught:
        parse_pack(source.encode(), name="p", **options)
    return [problem.at("p") for problem in caught.value.problems]


def entry(**changes):
    fields = {
        "key": "quay",
        "kind": "news",
        "section": "lead",
        "published": "2026-11-03",
        "texts": "{en: {title: Quay}}",
    }
    fields |= changes
    return "entries:\n  - " + "\n    ".join(f"{key}: {value}" for key, value in fields.items() if value) + "\n"


def test_a_pack_holds_what_the_file_says():
    pack = parse_pack((SETTINGS + "topics: [{key: silt, name: Silt}]\n" + entry()).encode(), name="p")
    assert isinstance(pack.newsletter, Newsletter)
    assert pack.slug == "rivers"
    assert [topic.key for topic in pack.topics] == ["silt"]
    assert [one.key for one in pack.entries] == ["quay"]
    assert pack.issues == pack.pictures == ()


def test_a_pack_may_name_a_stored_newsletter():
    assert parse_pack(b"newsletter: rivers\ntopics:\n", name="p").slug == "rivers"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"texts": "{en: {title: Quay, boddy: x}}"}, "p:6:31: entries[0].texts.en.boddy: unknown key 'boddy'; did you mean 'body'?"),
        ({"sectoin": "x"}, "p:7:5: entries[0].sectoin: unknown key 'sectoin'; did you mean 'section'?"),
        ({"zzz": "x"}, "p:7:5: entries[0].zzz: unknown key 'zzz'; here may stand key, kind, section"),
        ({"texts": "{en: {body: x}}"}, "p:6:17: entries[0].texts.en.title: 'title' is missing"),
        ({"kind": ""}, "p:2:5: entries[0].kind: 'kind' is missing"),
        ({"kind": "agnda"}, "p:3:11: entries[0].kind: this is 'news', 'agenda', 'publication' or 'note', not 'agnda'"),
        ({"source": "fr"}, "p:6:12: entries[0].texts: the entry's own language is fr, but it has no title and text in it"),
        ({"published": "20261103"}, "p:5:16: entries[0].published: '20261103' is no day of the calendar"),
        ({"priority": "high"}, "p:7:15: entries[0].priority: this is a whole number, not 'high'"),
        ({"priority": "5000"}, "p:7:15: entries[0].priority: this is less than or equal to 1000, not '5000'"),
        ({"repeat": "maybe"}, "p:7:13: entries[0].repeat: this is true or false, not 'maybe'"),
        ({"tags": "water"}, "p:7:11: entries[0].tags: this is a list: put it in brackets"),
        ({"tags": "[water, {a: b}]"}, "p:7:19: entries[0].tags[1]: this is one text"),
        ({"texts": "{qq: {title: x}}"}, "p:6:13: entries[0].texts.qq: “qq” is not a language tag"),
        ({"place": "Liège"}, "p:7:12: entries[0].place: this is a mapping of keys and values, not 'Liège'"),
        ({"place": "{country: XX}"}, "p:7:22: entries[0].place.country: 'XX' is no ISO 3166 country code"),
        ({"topic": '"\\ud800"'}, "p:7:12: entries[0].topic: this text holds half a character"),
        ({"topic": "x" * 300}, "p:7:12: entries[0].topic: this should have at most 200 characters"),
        ({"key": "Quay"}, "p:2:10: entries[0].key: a key is 1 to 80 small letters"),
        ({"kind": "agenda"}, "p:2:5: entries[0]: an agenda entry needs at least one sitting"),
        (
            {"kind": "agenda", "sittings": "[{key: a, start: 2026-12-01T14:00, end: 2026-12-01T13:00}]"},
            "p:7:55: entries[0].sittings[0].end: the sitting ends (2026-12-01 13:00) before it starts (2026-12-01 14:00)",
        ),
        (
            {"kind": "agenda", "sittings": "[{key: a, start: 2026-12-01T14:00, timezone: Europe/Brussel}]"},
            "p:7:60: entries[0].sittings[0].timezone: 'Europe/Brussel' is no IANA time zone",
        ),
        (
            {"kind": "agenda", "sittings": "[{key: a, date: 2026-12-01, links: [{url: tel:+32, actoin: watch}]}]"},
            "p:7:66: entries[0].sittings[0].links[0].actoin: unknown key 'actoin'; did you mean 'action'?",
        ),
        ({"image": "{url: {fr: x}}"}, "p:7:18: entries[0].image.url: this address starts with https:// or http://"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry_is_said_with_its_place(changes, said):
    assert any(problem.startswith(said) for problem in problems(entry(**changes)))


def test_sittings_with_one_key_are_named_with_both_lines():
    sittings = "\n      - {key: a, date: 2026-12-01}\n      - {key: a, date: 2026-12-02}"
    source = "newsletter: rivers\n" + entry(kind="agenda", sittings=sittings)
    assert problems(source) == ["p:10:15: entries[0].sittings[1].key: the key 'a' stands here twice, first in line 9"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "newsletter: rivers\nentries:\n" + ENTRY + ENTRY,
            "p:4:11: entries[1].key: the key 'quay' stands here twice, first in line 3",
        ),
        (
            "newsletter: rivers\ntopics: [{key: a, name: A}, {key: a, name: B}]",
            "p:2:35: topics[1].key: the key 'a' stands here twice, first in line 2",
        ),
        (
            SETTINGS.replace("key: agenda", "key: lead"),
            "p:8:33: newsletter.sections[1].key: the key 'lead' stands here twice, first in line 8",
        ),
        ("newsletter: rivers\nentires: []", "p:2:1: entires: unknown key 'entires'; did you mean 'entries'?"),
        ("entries: []", "p:1:1: newsletter: say which newsletter this is for: its slug, or its full settings"),
        ("newsletter:\n", "p:1:1: newsletter: say which newsletter this is for: its slug, or its full settings"),
        ("newsletter: [a]", "p:1:13: newsletter: give the slug of a newsletter, or its settings"),
        ("newsletter: rivers\nentries: {a: b}", "p:2:10: entries: this is a list: begin each member with a dash"),
        ("newsletter: rivers\nentries: [x]", "p:2:11: entries[0]: this is a mapping of keys and values, not 'x'"),
        ("- a", "p:1:1: a pack is a mapping of newsletter, topics, entries and issues"),
        ("a: b: c", "p:1:5: this is not YAML (mapping values are not allowed here): put a text with a colon in quotes"),
        ("newsletter: {slug: rivers}", "p:1:13: newsletter.name: 'name' is missing"),
    ],
)
def test_what_is_wrong_with_a_pack_is_said_with_its_place(source, said):
    assert said in problems(source)


def test_all_problems_are_said_at_once_and_in_order():
    source = SETTINGS.replace("Europe/Brussels", "Nowhere") + entry(kind="nws", section="led") + "isues: []\n"
    assert [problem.split(": ")[1] for problem in problems(source)] == [
        "newsletter.timezone",
        "entries[0].kind",
        "isues",
    ]


ISSUE = """\
issues:
  - slug: 2026-12
    date: 2026-12-01
    period: {from: 2026-11-01, to: 2026-11-30}
    items: [quay, {key: bridge, section: leed}]
"""


def test_an_entry_stands_in_a_section_that_exists():
    assert problems(SETTINGS + entry(section="laed")) == [
        "p:12:14: entries[0].section: there is no section 'laed'; did you mean 'lead'?"
    ]
    assert parse_pack((SETTINGS + entry(section="extra")).encode(), name="p", sections={"extra"})
    own = ISSUE.replace("items: [quay, {key: bridge, section: leed}]", "sections: [{key: special}]")
    assert parse_pack((SETTINGS + entry(section="special") + own).encode(), name="p")


def test_an_item_stands_in_a_section_of_its_issue():
    assert problems(SETTINGS + ISSUE) == [
        "p:13:42: issues[0].items[1].section: there is no section 'leed'; did you mean 'lead'?"
    ]


def test_what_only_the_stored_newsletter_knows_is_checked_later():
    pack = parse_pack(("newsletter: rivers\n" + entry(section="other") + ISSUE).encode(), name="p")
    full = parse_pack(SETTINGS.encode(), name="p").newsletter
    assert isinstance(full, Newsletter)
    assert [problem.path for problem in foreign_sections(pack, full)] == [
        "entries[0].section",
        "issues[0].items[1].section",
    ]
    assert [problem.path for problem in foreign_sections(pack, full, others={"other"})] == [
        "issues[0].items[1].section"
    ]
    (unknown,) = unknown_items(pack, {"brigde"})
    assert unknown.at("p") == "p:12:25: issues[0].items[1].key: there is no entry 'bridge'; did you mean 'brigde'?"
    assert list(unknown_items(pack, {"bridge"})) == []


@pytest.mark.parametrize("items", ["all", "{a: b}", "[{kye: quay}]"])
def test_items_that_make_no_sense_are_refused(items):
    found = problems("newsletter: rivers\n" + ISSUE.replace("[quay, {key: bridge, section: leed}]", items))
    assert all("p:6:" in problem and "issues[0].items" in problem for problem in found)


def picture(folder: Path, name="quay.png", **options):
    target = io.BytesIO()
    Image.new("RGB", (30, 20), **options).save(target, "PNG")
    folder.mkdir(exist_ok=True, parents=True)
    (folder / name).write_bytes(target.getvalue())


def illustrated(file):
    return ("newsletter: rivers\n" + entry(image=f"{{file: {file}, alt: x}}")).encode()


def test_pictures_beside_the_pack_are_taken_under_their_stored_names(tmp_path):
    picture(tmp_path / "img")
    pack = parse_pack(illustrated("{en: img/quay.png, fr: ./img/quay.png}"), name="p", folder=tmp_path)
    (stored,) = pack.pictures
    image = pack.entries[0].image
    assert image is not None
    assert image.file == {"en": stored.name, "fr": stored.name}
    assert (stored.width, stored.height) == (30, 20)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("none.png", "p:8:19: entries[0].image.file: there is no file none.png beside the pack"),
        ("../quay.png", "p:8:19: entries[0].image.file: the picture ../quay.png lies outside the pack's folder"),
        ("link.png", "p:8:19: entries[0].image.file: the picture link.png lies outside the pack's folder"),
        ("loop.png", "p:8:19: entries[0].image.file: the picture loop.png cannot be read"),
        ("/etc/passwd", "p:8:19: entries[0].image.file: the picture /etc/passwd lies outside the pack's folder"),
        ("{en: bad.png}", "p:8:24: entries[0].image.file.en: the picture bad.png is no picture"),
        ("a" * 5000, f"p:8:19: entries[0].image.file: the picture {'a' * 80}… cannot be read"),
    ],
)
def test_a_picture_that_cannot_be_taken_is_a_problem_with_its_place(tmp_path, file, said):
    folder = tmp_path / "pack"
    picture(tmp_path)
    folder.mkdir()
    (folder / "link.png").symlink_to(tmp_path / "quay.png")
    (folder / "loop.png").symlink_to(folder / "loop.png")
    (folder / "bad.png").write_bytes(b"no")
    (found,) = problems(illustrated(file).decode(), folder=folder)
    assert found.startswith(said)


def test_a_pack_without_a_folder_brings_no_pictures():
    (found,) = problems(illustrated("quay.png").decode())
    assert found.endswith("a pack without a folder brings no files: give the picture's url")


def test_all_pictures_together_have_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr("newsletter.content.pictures.MOST_BYTES", 100)
    picture(tmp_path, "a.png")
    picture(tmp_path, "b.png", color="red")
    (found,) = problems(illustrated("{en: a.png, fr: b.png}").decode(), folder=tmp_path)
    assert "all pictures together are larger than" in found
