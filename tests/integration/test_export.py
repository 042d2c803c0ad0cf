"""The static export of real issues: every address the mail names, nothing of a reader, the same bytes twice."""

import datetime as dt
import json
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag
from zoneinfo import ZoneInfo

import icalendar
import pytest
import typer
from databases import url_of
from integration.samples import SMALL_NEWSLETTER
from lxml import etree
from lxml import html as lxml_html
from sqlalchemy import delete
from sqlmodel import col, select
from typer.testing import CliRunner

import newsletter.tables  # noqa: F401  registers every table
from newsletter.assembly.facts import IssueState
from newsletter.assembly.store import get_issue, set_state
from newsletter.bootstrap import build
from newsletter.cli.export import export as export_command
from newsletter.cli.pictures import draw_pictures
from newsletter.compilation.artifact import SAMPLE
from newsletter.compilation.theme import theme_names
from newsletter.content.models import EntryRow, SittingRow
from newsletter.database import migrate
from newsletter.errors import InvalidInput, NotFound
from newsletter.paths import sample
from newsletter.pipeline.export import Export
from newsletter.settings import load
from subscribers.tokens import sign

ROOT = "https://news.nightplatform.example/"
HOME = "archive/night-platform"
ZONES = ("Europe/Brussels", "America/New_York", "Australia/Lord_Howe", "America/St_Johns", "Africa/Casablanca")

SMALL = {
    "newsletter": SMALL_NEWSLETTER,
    "entries": [],
    "issues": [{"slug": "one", "date": "2027-02-01", "period": {"from": "2027-01-01", "to": "2027-01-31"}}],
}


def made(folder, pack, **settings):
    """A pipeline over a database of its own with this content pack, its first issue assembled."""
    pipeline = build(
        load(database={"url": url_of(folder / "newsletter.sqlite")}, public_url=ROOT, **settings), migrated=False
    )
    migrate(pipeline.parts.engine)
    imported = pipeline.entries.import_pack(pack)
    pipeline.editorial.assemble(next(iter(imported.issues)), newsletter=None)
    return pipeline


def verb(pipeline):
    return Export(pipeline.parts, approval=pipeline.approval)


def small(folder, entries, **changes):
    """The same over a small pack with these entries."""
    pack = folder / "pack.yaml"
    pack.write_text(json.dumps({**SMALL, "entries": entries, **changes}), encoding="utf-8")
    return made(folder, pack)


def an_entry(key, *sittings, **changes):
    texts = {"en": {"title": f"About {key}", "body": "[[first_name|Dear reader]], come."}}
    kind = {"kind": "agenda", "sittings": list(sittings)} if sittings else {"kind": "news"}
    return {"key": key, "section": "news", "published": "2027-01-10", "texts": texts, **kind, **changes}


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """The bundled sample with its pictures, in five languages."""
    folder = tmp_path_factory.mktemp("sample")
    pack = folder / "pack.yaml"
    pack.write_bytes((sample() / "pack.yaml").read_bytes())
    draw_pictures(folder / "images")
    return made(folder, pack)


@pytest.fixture(scope="module")
def site(pipeline, tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    return verb(pipeline).export("2026-12", folder)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def events_in(page: Path):
    [data] = lxml_html.fromstring(page.read_text(encoding="utf-8")).xpath("//script[@type]/text()")
    return {node["identifier"]: node for node in json.loads(data)["@graph"] if node["@type"] == "Event"}


def test_every_neutral_address_in_a_mail_is_a_file_of_the_folder(pipeline, site):
    named = set()
    for artifact in pipeline.approval.compile("2026-12", newsletter=None).artifacts:
        page = lxml_html.fromstring(artifact.html_for(SAMPLE))
        named |= {urldefrag(url)[0] for url in page.xpath("//a/@href | //img/@src") if url.startswith(ROOT)}
    assert len(named) > 40
    for address in named:
        path = site.folder / unquote(address.removeprefix(ROOT))
        assert path.is_file() or (path / "index.html").is_file(), address


def test_nothing_of_a_reader_is_in_the_folder(pipeline, site):
    token = sign(pipeline.parts.keys, "unsubscribe", "somebody")
    readers = re.findall(r"[\w.+-]+@[\w.-]+", (sample() / "subscribers.csv").read_text(encoding="utf-8"))
    assert readers
    for name, data in files(site.folder).items():
        for trace in (
            token.encode(),
            b"t.invalid",
            SAMPLE.address.encode(),
            f"{ROOT}u/".encode(),
            f"{ROOT}p/".encode(),
        ):
            assert trace not in data, name
        assert not any(address.encode() in data for address in readers), name
        assert not re.search(rb"zq[0-9a-f]{10}[tu]\d", data), name


@pytest.mark.parametrize("theme", theme_names())
def test_no_theme_speaks_to_subscribers_on_a_page(theme, tmp_path):
    settings = {**SMALL["newsletter"], "theme": {"name": theme}}
    pipeline = small(tmp_path, [an_entry("quays")], newsletter=settings)
    for page in verb(pipeline).export("one", tmp_path / "site").pages:
        tree = lxml_html.fromstring((tmp_path / "site" / page).read_text(encoding="utf-8"))
        words = " ".join(tree.text_content().split())
        for said in (
            "Unsubscribe",
            "Change language",
            "You receive",
            "Se désabonner",
            "Changer de",
            "abonnement",
            "View in",
        ):
            assert said not in words
        assert "Dear reader, come." in words
        assert all(link not in ("", "#") for link in tree.xpath("//a/@href"))


def test_pages_lead_to_each_other_and_to_their_pictures_from_a_disk(site):
    for name in (*site.pages, f"{HOME}/index.html"):
        page = site.folder / name
        tree = lxml_html.fromstring(page.read_text(encoding="utf-8"))
        near = [
            url
            for url in tree.xpath("//body//a/@href | //img/@src | //script/@src")
            if not re.match(r"https?:|mailto:|tel:|#", url)
        ]
        assert len(near) > 5
        for url in near:
            assert (page.parent / unquote(url)).resolve().is_file(), (name, url)
        assert not [url for url in tree.xpath("//body//a/@href | //img/@src") if url.startswith(ROOT)]


def test_pages_say_where_they_are_with_whole_addresses(site):
    page = lxml_html.fromstring((site.folder / HOME / "2026-12/fr/index.html").read_text(encoding="utf-8"))
    assert page.xpath("//link[@rel='canonical']/@href") == [f"{ROOT}{HOME}/2026-12/fr"]
    hreflangs = {link.get("hreflang"): link.get("href") for link in page.xpath("//head/link[@hreflang]")}
    assert set(hreflangs) == {"en", "fr", "es", "de", "ar", "x-default"}
    assert hreflangs["x-default"] == hreflangs["en"] == f"{ROOT}{HOME}/2026-12/en"
    [image] = page.xpath("//meta[@property='og:image']/@content")
    assert (site.folder / image.removeprefix(ROOT)).is_file()


def test_feeds_have_the_issue_in_each_language(site):
    for language in ("en", "fr", "es", "de", "ar"):
        feed = etree.parse(str(site.folder / HOME / f"feed.{language}.xml"))
        assert feed.findtext("channel/language") == language
        assert feed.findtext("channel/item/link") == f"{ROOT}{HOME}/2026-12/{language}"
        items = json.loads((site.folder / HOME / f"feed.{language}.json").read_text(encoding="utf-8"))["items"]
        assert [item["url"] for item in items] == [f"{ROOT}{HOME}/2026-12/{language}"]


def test_exporting_twice_changes_nothing_and_leaves_nothing_beside(pipeline, site, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in site.folder.rglob("*") if path.is_file()}
    again = verb(pipeline).export("2026-12", site.folder)
    assert (again.changed, again.files) == (0, site.files)
    assert {path: path.stat().st_mtime_ns for path in site.folder.rglob("*") if path.is_file()} == before
    verb(pipeline).export("2026-12", tmp_path / "other")
    assert files(tmp_path / "other") == files(site.folder)
    assert sorted(files(site.folder)) == sorted(site.files)


def test_an_interruption_leaves_whole_files_and_no_page_that_lacks_what_it_shows(pipeline, site, tmp_path, monkeypatch):
    whole, put, count = files(site.folder), Path.replace, 0

    def interrupted(source, target):
        nonlocal count
        count += 1
        if count == len(whole) - 8:
            raise KeyboardInterrupt
        return put(source, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        verb(pipeline).export("2026-12", tmp_path)
    left = files(tmp_path)
    assert set(left.items()) < set(whole.items())
    assert list(left) != []
    assert {name for name in whole if not name.startswith(HOME)} <= set(left)
    monkeypatch.undo()
    assert verb(pipeline).export("2026-12", tmp_path).changed == len(whole) - len(left)
    assert files(tmp_path) == whole


def test_pictures_are_in_the_folder_wherever_the_mail_finds_them(tmp_path, pipeline, site):
    parts = pipeline.parts
    elsewhere = type(parts.links)(parts.links.root, (tmp_path / "media").as_uri())
    moved = build(parts.settings.model_copy(update={"media_url": elsewhere.media}))
    exported = verb(moved).export("2026-12", tmp_path / "site")
    assert [name for name in exported.files if name.startswith("media/")] == [
        name for name in site.files if name.startswith("media/")
    ]
    assert not any(b"file:///" in data for name, data in files(tmp_path / "site").items() if name in exported.pages)


def instants(event, start, end):
    return [dt.datetime.fromisoformat(event[name]).astimezone(dt.UTC) for name in (start, end)]


def clock_changes(zone):
    """The days of 2027 on which the clocks of a zone change."""
    place, days = ZoneInfo(zone), [dt.date(2027, 1, 1) + dt.timedelta(days=number) for number in range(365)]
    noon = [dt.datetime.combine(day, dt.time(12), place).utcoffset() for day in days]
    return [day for day, before, after in zip(days[1:], noon, noon[1:], strict=False) if before != after]


def test_mail_page_and_calendar_tell_the_same_instants_in_five_zones_across_both_changes(tmp_path):
    spans = {}
    for zone in ZONES:
        for day in clock_changes(zone):
            for off in (-1, 0, 1):
                for hour in (4, 14):
                    start = dt.datetime.combine(day + dt.timedelta(days=off), dt.time(hour, 30), ZoneInfo(zone))
                    spans[f"s{len(spans)}"] = start
    assert len(spans) == 60
    sittings = [
        {
            "key": key,
            "start": f"{start:%Y-%m-%dT%H:%M}",
            "end": f"{start + dt.timedelta(hours=2):%Y-%m-%dT%H:%M}",
            "timezone": start.tzinfo.key,
        }
        for key, start in spans.items()
    ]
    pipeline = small(tmp_path, [an_entry("clocks", *sittings)])
    exported = verb(pipeline).export("one", tmp_path / "site")
    folder = tmp_path / "site/archive/small/one/en"
    told = events_in(folder / "index.html")
    shared = {
        str(one["uid"]): one for one in icalendar.Calendar.from_ical((folder / "issue.ics").read_bytes()).walk("VEVENT")
    }
    text = " ".join(pipeline.approval.compile("one", newsletter=None).edition("en").text.split())
    page = " ".join(lxml_html.fromstring((folder / "index.html").read_text(encoding="utf-8")).text_content().split())
    for key, start in spans.items():
        end = (start + dt.timedelta(hours=2)).astimezone(dt.UTC)
        uid = f"small--clocks--{key}@small.example"
        [alone] = icalendar.Calendar.from_ical((folder / f"clocks--{key}.ics").read_bytes()).walk("VEVENT")
        assert instants(told[uid], "startDate", "endDate") == [start.astimezone(dt.UTC), end]
        for event in (alone, shared[uid]):
            assert [event[name].dt.astimezone(dt.UTC) for name in ("dtstart", "dtend")] == [
                start.astimezone(dt.UTC),
                end,
            ]
        zone = start.tzname()
        name = zone if zone.isalpha() else written(start.utcoffset())
        words = f"{start:%A} {start.day} {start:%B %Y}, {start:%H:%M}–{start.hour + 2:02}:30 {name}"
        assert words in text
        assert words in page
    assert exported.missing == ()


def written(offset):
    hours, minutes = divmod(int(offset.total_seconds()) // 60, 60)
    return f"UTC{f'{hours:+d}' if hours else ''}{f':{minutes:02}' if minutes else ''}"


def test_the_list_and_the_feeds_have_every_issue_of_the_folder_the_newest_first(tmp_path):
    pipeline = small(tmp_path, [an_entry("quays")])
    pipeline.editorial.copy("one", "two", newsletter=None)
    pipeline.editorial.copy("two", "three", newsletter=None)
    for slug in ("two", "three"):
        pipeline.editorial.assemble(slug, newsletter=None, first=dt.date(2027, 1, 1), last=dt.date(2027, 1, 31))
    folder = tmp_path / "site"
    verb(pipeline).export("one", folder)
    verb(pipeline).export("three", folder)
    page = lxml_html.fromstring((folder / "archive/small/index.html").read_text(encoding="utf-8"))
    assert page.xpath("//h2/a/@href") == ["three/en/index.html", "one/en/index.html"]
    assert page.xpath("//ol/li[1]/ul//a/@href") == ["three/en/index.html", "three/fr/index.html"]
    feed = json.loads((folder / "archive/small/feed.fr.json").read_text(encoding="utf-8"))
    assert [item["url"].split("/")[-2] for item in feed["items"]] == ["three", "one"]


def test_what_is_limited_to_a_segment_is_on_no_page_and_its_calendar_file_is_where_the_mail_says(tmp_path):
    limited = an_entry("council", {"key": "main", "date": "2027-02-10"})
    plan = {**SMALL["issues"][0], "items": ["quays", {"key": "council", "segment": "members"}]}
    pipeline = small(tmp_path, [an_entry("quays"), limited], issues=[plan])
    built = pipeline.approval.compile("one", newsletter=None)
    exported = verb(pipeline).export("one", tmp_path / "site")
    assert sorted(artifact.name for artifact in built.artifacts) == ["en", "en.members", "fr", "fr.members"]
    assert exported.pages == ("archive/small/one/en/index.html", "archive/small/one/fr/index.html")
    written = files(tmp_path / "site")
    assert "archive/small/one/en/council--main.ics" in written
    assert [name for name, data in written.items() if b"council" in data and not name.endswith(".ics")] == []
    assert b"council" not in written["archive/small/one/en/issue.ics"]


def test_a_picture_that_somebody_else_keeps_under_our_address_stays_there(tmp_path):
    url = f"{ROOT}media/../elsewhere.png"
    pipeline = small(tmp_path, [an_entry("quays", image={"url": url, "alt": "Quays"})])
    exported = verb(pipeline).export("one", tmp_path / "site")
    assert not any(name.startswith("media/") for name in exported.files)
    page = lxml_html.fromstring((tmp_path / "site" / exported.pages[0]).read_text(encoding="utf-8"))
    assert page.xpath("//img/@src") == [url]


def test_sittings_whose_keys_have_dots_have_files_of_their_own(tmp_path):
    one, other = {"key": "c", "date": "2027-02-10"}, {"key": "b.c", "date": "2027-02-11"}
    pipeline = small(tmp_path, [an_entry("a.b", one), an_entry("a", other)])
    verb(pipeline).export("one", tmp_path / "site")
    folder = tmp_path / "site/archive/small/one/en"
    for name, title in (("a.b--c", "About a.b"), ("a--b.c", "About a")):
        [event] = icalendar.Calendar.from_ical((folder / f"{name}.ics").read_bytes()).walk("VEVENT")
        assert event["summary"] == title


def test_an_approved_issue_stays_as_it_was_and_a_sitting_that_is_no_more_is_reported(command, tmp_path):
    sittings = [{"key": key, "date": "2027-02-10"} for key in ("kept", "gone")]
    pipeline = small(tmp_path, [an_entry("talk", *sittings), an_entry("news")])
    for finding in pipeline.approval.preflight("one", newsletter=None, segment=None).report.findings:
        if finding.severity == "warning":
            pipeline.approval.waive("one", finding.code, reason="a test", newsletter=None)
    pipeline.approval.approve("one", newsletter=None)
    assert verb(pipeline).export("one", tmp_path / "before").pinned
    with pipeline.parts.sessions() as session:
        row = session.scalars(select(EntryRow).where(col(EntryRow.key) == "talk")).one()
        session.execute(delete(SittingRow).where(col(SittingRow.entry_id) == row.id, col(SittingRow.key) == "gone"))
        issue = get_issue(session, "one")
        set_state(
            session,
            issue.id,
            expected=(IssueState.APPROVED,),
            state=IssueState.SENT,
            now=dt.datetime(2027, 2, 1, tzinfo=dt.UTC),
        )
        session.commit()
    after = verb(pipeline).export("one", tmp_path / "after")
    assert after.pinned
    assert after.missing == (
        f"{ROOT}archive/small/one/en/talk--gone.ics",
        f"{ROOT}archive/small/one/fr/talk--gone.ics",
    )
    told = command(pipeline, "one", tmp_path / "after").stderr.splitlines()
    assert told == [f"the page links to {address}, whose sitting is no more" for address in after.missing]
    body = re.compile(rb"<body.*</body>", re.DOTALL)
    page = "archive/small/one/en/index.html"
    before_page, after_page = (body.search(files(tmp_path / name)[page])[0] for name in ("before", "after"))
    assert after_page.replace(f"{ROOT}archive/small/one/en/".encode(), b"") == before_page


def test_a_folder_that_cannot_be_written_and_an_issue_that_is_not_there_are_told(pipeline, tmp_path):
    (tmp_path / "file").write_text("taken")
    with pytest.raises(InvalidInput, match="cannot be written"):
        verb(pipeline).export("2026-12", tmp_path / "file")
    with pytest.raises(NotFound):
        verb(pipeline).export("2026-13", tmp_path)


@pytest.fixture
def command(monkeypatch):
    """The command over the database of a pipeline."""
    app = typer.Typer()
    app.command()(export_command)

    def run(pipeline, *arguments):
        monkeypatch.setenv("NEWSLETTER_DATABASE__URL", pipeline.parts.settings.database.url)
        monkeypatch.setenv("NEWSLETTER_PUBLIC_URL", ROOT)
        return CliRunner().invoke(app, [*map(str, arguments)])

    return run


def test_the_command_names_the_pages(command, pipeline, tmp_path):
    result = command(pipeline, "2026-12", tmp_path)
    assert result.exit_code == 0
    assert str(tmp_path / HOME / "2026-12/en/index.html") in result.stdout
    assert "56 files, 56 of them new or changed" in result.stdout
    assert "nobody has approved" in result.stderr


def test_the_command_gives_json(command, pipeline, tmp_path, site):
    told = json.loads(command(pipeline, "2026-12", tmp_path, "--newsletter", "night-platform", "--json").stdout)
    assert told["issue"] == "2026-12"
    assert tuple(told["files"]) == site.files
    assert tuple(told["pages"]) == site.pages
    assert (told["changed"], told["missing"], told["pinned"]) == (len(site.files), [], False)
