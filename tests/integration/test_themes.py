"""The commands about themes, as somebody types them."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from newsletter.cli.application import app
from newsletter.compilation.theme import theme_names
from newsletter.paths import templates
from newsletter.pipeline.difficult import Case

ROOT = templates() / "email"


@pytest.fixture
def type_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, ["theme", *map(str, words)])


@pytest.fixture
def mine(tmp_path):
    """A theme outside the program, whose footer is its own and shows no way out."""
    folder = tmp_path / "mine"
    (folder / "parts").mkdir(parents=True)
    (folder / "manifest.toml").write_text('title = "Mine"\nbase = "bulletin"\n')
    footer = '<mj-section><mj-column><mj-text>{{ say("Hurry up") }}</mj-text></mj-column></mj-section>'
    (folder / "parts" / "footer.mjml.j2").write_text(footer)
    return folder


def test_the_themes_are_listed_with_what_they_are(type_in):
    assert {"network", "bulletin"} <= {line.split("\t")[0] for line in type_in("list").stdout.splitlines()}
    assert {theme["name"] for theme in json.loads(type_in("list", "--json").stdout)} >= {"network", "bulletin"}


def dealt():
    """The cases of each theme in an ordinary run, so that each is tried at least once; `long` tries all with all."""
    themes = theme_names()
    for number, theme in enumerate(themes):
        others = [case for case in Case if case is not Case.EVERYTHING]
        yield pytest.param(theme, [Case.EVERYTHING, *others[number :: len(themes)]], id=f"{theme}-some")
        yield pytest.param(theme, list(Case), id=f"{theme}-all", marks=pytest.mark.long)


@pytest.mark.parametrize(("theme", "cases"), list(dealt()))
@pytest.mark.unwatched
def test_the_themes_of_the_program_bear_difficult_content(type_in, theme, cases):
    result = type_in("check", ROOT / theme, *(word for case in cases for word in ("--case", case.value)))
    rows = [line.split("\t") for line in result.stdout.splitlines() if "\t" in line]
    assert result.exit_code == 0
    assert rows[0] == ["kB", "en", "fr", "es", "de", "el", "ar", "findings"]
    assert [row[0] for row in rows[1:]] == [case.value for case in cases]
    assert all(re.fullmatch(r"\d+\.\d", cell) for row in rows[1:] for cell in row[1:7])
    assert re.search(r"^\d+ notices, .* see --notices$", result.stdout, re.MULTILINE)
    assert not re.search(r"^(fault|error|warning) ", result.stdout, re.MULTILINE)
    assert (
        result.stdout.splitlines()[-1] == f"{theme} is sound: {6 * len(cases)} editions of difficult content compiled"
    )


def test_a_theme_outside_the_program_is_checked_and_each_finding_is_said_once_with_its_editions(type_in, mine):
    result = type_in("check", mine, "--notices", "--case", "everything", "--case", "bare")
    lines = result.stdout.splitlines()
    place = next(index for index, line in enumerate(lines) if line.startswith("error    unsubscribe-missing: "))
    missing = next(index for index, line in enumerate(lines) if line.startswith("warning  credit-missing: "))
    assert result.exit_code == 1
    assert "warning  “Hurry up” is in no catalogue: it stays English in every edition" in lines
    assert lines[place + 1].strip() == "in every edition"
    assert re.match(r"\s+in everything \(\w\w\), bare \(\w\w\)", lines[missing + 1])
    assert any(line.startswith("notice   client-lacks: ") for line in lines)
    assert lines[-1] == "mine has to be mended"


def test_a_template_that_cannot_be_read_is_told_with_file_and_line(type_in, mine):
    (mine / "parts" / "top.mjml.j2").write_text("\n\n{% if %}")
    assert "fault    mine/parts/top.mjml.j2:3: " in type_in("check", mine).stdout
    result = type_in("check", mine, "--json")
    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (told["theme"], told["sound"], told["cases"]) == ("mine", False, [])
    assert told["fault"].startswith("mine/parts/top.mjml.j2:3: ")


@pytest.fixture
def written(tmp_path):
    """The themes that `docs/themes.md` tells to write, as files."""
    text = (Path(__file__).parents[2] / "docs" / "themes.md").read_text(encoding="utf-8")
    for path, lines in re.findall(r"^```\w+\n(?:# |\{# )(\S+)(?: #\})?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(lines, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("theme", ["our-letter", "plain"])
def test_the_themes_of_the_documentation_are_sound(type_in, written, theme):
    result = type_in("check", written / theme, "--case", "everything")
    assert result.exit_code == 0
    assert not re.search(r"^(fault|error|warning) ", result.stdout, re.MULTILINE)
    assert result.stdout.splitlines()[-1] == f"{theme} is sound: 6 editions of difficult content compiled"


def test_what_is_no_theme_is_refused(type_in, tmp_path):
    result = type_in("check", tmp_path)
    assert "is no theme" in str(result.exception)
