"""The commands about themes, as somebody types them."""

import json
import re

import pytest
from typer.testing import CliRunner

from newsletter.cli.application import app
from newsletter.compilation.theme import theme_names
from newsletter.paths import templates

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


@pytest.mark.parametrize("theme", theme_names())
def test_the_themes_of_the_program_bear_difficult_content(type_in, theme):
    result = type_in("check", ROOT / theme)
    rows = [line.split("\t") for line in result.stdout.splitlines() if "\t" in line]
    assert result.exit_code == 0
    assert rows[0] == ["kB", "en", "fr", "es", "de", "el", "ar", "findings"]
    assert [row[0] for row in rows[1:]] == [
        "everything",
        "long-words",
        "lost-pictures",
        "bare",
        "one-item",
        "forty-items",
        "other-languages",
        "hostile-words",
    ]
    assert all(re.fullmatch(r"\d+\.\d", cell) for row in rows[1:] for cell in row[1:7])
    assert re.search(r"^\d+ notices, .* see --notices$", result.stdout, re.MULTILINE)
    assert not re.search(r"^(fault|error|warning) ", result.stdout, re.MULTILINE)
    assert result.stdout.splitlines()[-1] == f"{theme} is sound: 48 editions of difficult content compiled"


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


def test_what_is_no_theme_is_refused(type_in, tmp_path):
    result = type_in("check", tmp_path)
    assert "is no theme" in str(result.exception)
