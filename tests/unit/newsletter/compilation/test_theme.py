import pytest

from newsletter.compilation.colours import READABLE, contrast
from newsletter.compilation.theme import Manifest, palette, read_theme, theme_names
from newsletter.errors import NotFound, TemplateFault

MANIFEST = {
    "title": "Test",
    "accent": "#0b5c8a",
    "backgrounds": ["paper", "panel"],
    "colours": {
        "light": {"paper": "#ffffff", "ink": "#1d2b33", "panel": "#e6eff3"},
        "dark": {"paper": "#1b2226", "ink": "#e8eef0", "panel": "#22303a"},
    },
}


def test_a_theme_is_found_by_name(themes):
    theme = read_theme("plain", folder=themes)
    assert theme.manifest.title == "Plain"
    assert theme.path == themes / "plain"
    assert theme_names(themes) == ("plain",)


def test_the_programs_own_themes_are_found_without_a_folder():
    assert "network" in theme_names()
    assert read_theme("network").manifest.title


def test_an_unknown_theme_is_refused_with_those_there_are(themes):
    with pytest.raises(NotFound, match="no theme 'plane'; did you mean 'plain'"):
        read_theme("plane", folder=themes)
    with pytest.raises(NotFound):
        read_theme("../themes/plain", folder=themes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"title = ", "x/manifest.toml: "),
        (b"\xff", "x/manifest.toml: "),
        (b'title = "x"', "x/manifest.toml: accent: Field required"),
        (b'title = "x"\naccent = "blue"', "accent: String should match pattern"),
        (b'title = "x"\naccent = "#000000"\ncolours = {light = {}, dark = {}}', "these colours are needed: ink, paper"),
        (
            b'title = "x"\naccent = "#000000"\ncolours = {light = {paper = "#ffffff"}, dark = {}}',
            "light and dark name different colours: paper",
        ),
    ],
)
def test_a_manifest_that_cannot_be_taken_says_why(tmp_path, content, message):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "manifest.toml").write_bytes(content)
    with pytest.raises(TemplateFault, match=message.replace("/", r"\/")):
        read_theme("x", folder=tmp_path)


@pytest.mark.parametrize("accent", [None, "#FFD200", "#000000", "#ffffff", "#0b5c8a", "#808080"])
def test_every_accent_can_be_read_on_every_background_of_the_theme(accent):
    colours = palette(Manifest.model_validate(MANIFEST), accent)
    assert colours.brand == (accent or "#0b5c8a").lower()
    for scheme in (colours.light, colours.dark):
        assert all(contrast(scheme["accent"], scheme[name]) >= READABLE for name in ("paper", "panel", "tint"))
        assert contrast(scheme["on_accent"], scheme["accent"]) >= READABLE


def test_a_colour_that_the_manifest_names_wins_over_a_computed_one():
    named = {
        scheme: {**colours, "accent": "#123456", "tint": "#abcdef"} for scheme, colours in MANIFEST["colours"].items()
    }
    colours = palette(Manifest.model_validate({**MANIFEST, "colours": named}), "#ff0000")
    assert colours.light["accent"] == colours.dark["accent"] == "#123456"
    assert colours.light["tint"] == "#abcdef"


BASE = """
title = "Base"
description = "Told by the base."
accent = "#0b5c8a"
colours.light = {paper = "#ffffff", ink = "#1d2b33"}
colours.dark = {paper = "#1b2226", ink = "#e8eef0"}
fonts = {body = "Georgia,serif"}
options = {numbered = true, pages = true}
"""


def a_theme(folder, name, manifest):
    (folder / name).mkdir()
    (folder / name / "manifest.toml").write_text(manifest, encoding="utf-8")


def test_what_a_manifest_leaves_out_is_its_bases(tmp_path):
    a_theme(tmp_path, "base", BASE)
    a_theme(
        tmp_path,
        "mine",
        'title = "Mine"\nbase = "base"\noptions = {pages = false}\ncolours.light = {ink = "#000000"}\n',
    )
    theme = read_theme("mine", folder=tmp_path)
    assert theme.bases == (tmp_path / "base",)
    assert (theme.manifest.title, theme.manifest.description) == ("Mine", "")
    assert theme.manifest.accent == "#0b5c8a"
    assert theme.manifest.options == {"numbered": True, "pages": False}
    assert theme.manifest.colours.light == {"paper": "#ffffff", "ink": "#000000"}
    assert theme.manifest.colours.dark == {"paper": "#1b2226", "ink": "#e8eef0"}


def test_a_theme_elsewhere_may_be_based_on_one_of_the_programs_even_of_its_own_name(tmp_path):
    program = read_theme("network").path
    for name in ("mine", "network"):
        a_theme(tmp_path, name, 'title = "Ours"\nbase = "network"\n')
        assert read_theme(name, folder=tmp_path).bases == (program,)
        (tmp_path / name / "manifest.toml").unlink()


def test_a_base_may_have_a_base_itself(tmp_path):
    a_theme(tmp_path, "base", BASE)
    a_theme(tmp_path, "middle", 'title = "Middle"\nbase = "base"\naccent = "#aa0000"\n')
    a_theme(tmp_path, "top", 'title = "Top"\nbase = "middle"\n')
    theme = read_theme("top", folder=tmp_path)
    assert theme.bases == (tmp_path / "middle", tmp_path / "base")
    assert (theme.manifest.title, theme.manifest.accent) == ("Top", "#aa0000")
    assert theme.manifest.fonts == {"body": "Georgia,serif"}


@pytest.mark.parametrize("base", ["'nowhere'", "7"])
def test_a_base_that_does_not_exist_is_refused(tmp_path, base):
    a_theme(tmp_path, "lost", f'title = "Lost"\nbase = {base}\n')
    with pytest.raises(TemplateFault, match=rf"lost/manifest.toml: base: there is no theme {base}"):
        read_theme("lost", folder=tmp_path)


def test_themes_cannot_be_based_on_each_other(tmp_path):
    a_theme(tmp_path, "hen", 'title = "Hen"\nbase = "egg"\n')
    a_theme(tmp_path, "egg", 'title = "Egg"\nbase = "hen"\n')
    with pytest.raises(TemplateFault, match=r"egg/manifest.toml: base: 'hen' is based on this theme"):
        read_theme("hen", folder=tmp_path)
