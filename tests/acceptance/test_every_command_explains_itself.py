"""Every command has a help text, and each that prints data prints it as JSON too."""

import json

import typer

from newsletter.cli.application import app

DATA = {
    "backup": ("now.backup",),
    "content import": ("PACK", "--dry-run"),
    "content list": (),
    "content show": ("congress-2027",),
    "content matrix": ("2026-12",),
    "doctor dkim-key": ("keys", "--selector", "2027"),
    "explain": ("reader0000@en.example", "2026-12"),
    "feedback list": (),
    "issue assemble": ("2027-03", "--newsletter", "beacon-towns"),
    "issue list": (),
    "issue show": ("2026-12",),
    "issue compile": ("2026-12",),
    "issue export": ("2026-12", "site"),
    "issue preflight": ("2026-12",),
    "issue approve": ("2026-12",),
    "issue queue": ("2026-12", "--segment", "everybody", "--at", "2090-01-02 09:00"),
    "issue status": ("2026-12",),
    "issue pause": ("2026-12",),
    "issue resume": ("2026-12",),
    "issue cancel": ("2026-12",),
    "issue audit": ("2026-12",),
    "issue clicks": ("2026-12",),
    "keys list": (),
    "keys rotate": (),
    "lists list": (),
    "lists members": ("readers",),
    "lists rename": ("readers", "people", "--dry-run"),
    "newsletters list": (),
    "newsletters show": ("beacon-towns",),
    "operators add": ("ada", "--email", "ada@beacontowns.example"),
    "operators set": ("ada", "--role", "viewer"),
    "operators token": ("ada", "nightly"),
    "operators list": (),
    "operators disable": ("ada",),
    "retention run": ("--dry-run",),
    "retention log": (),
    "segments count": ("everybody", "--newsletter", "beacon-towns"),
    "segments list": (),
    "segments show": ("everybody",),
    "segments test": ("everybody", "reader0000@en.example"),
    "settings": (),
    "subscribers import": ("readers.csv", "--list", "readers"),
    "subscribers sync": ("readers.csv", "--list", "readers", "--max-removals", "100%"),
    "subscribers invite": ("--list", "readers"),
    "subscribers list": ("--limit", "2"),
    "subscribers show": ("reader0000@en.example",),
    "subscribers set": ("reader0000@en.example", "city=Ghent"),
    "subscribers tag": ("reader0000@en.example", "reader0001@fr.example", "--add", "press"),
    "subscribers move": ("reader0000@en.example", "--from", "readers", "--to", "readers"),
    "subscribers rename": ("reader0001@fr.example", "reader0001@other.example"),
    "subscribers data": ("reader0000@en.example",),
    "subscribers unsubscribe": ("reader0000@en.example", "--list", "readers"),
    "subscribers suppress": ("reader0000@en.example", "--reason", "by letter"),
    "subscribers suppressions": (),
    "subscribers unsuppress": ("reader0000@en.example", "--reason", "by letter"),
    "subscribers erase": ("reader0000@en.example",),
    "tags list": (),
    "tags rename": ("press", "media"),
    "tags delete": ("media",),
    "theme list": (),
    "workers": (),
}
"""Every command that takes --json, in an order in which each can do its work, with arguments."""

ELSEWHERE = {
    "database move",
    "feedback fetch",
    "feedback read",
    "feedback show",
    "issue correct",
    "keys revoke",
    "lists delete",
    "restore",
    "theme check",
}
"""They compile dozens of editions, or need what others have done: an issue sent, a backup; their tests are their own."""


def commands(group, path=()):
    """All commands below a group, each with the words that call it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


EVERY = list(commands(typer.main.get_command(app)))


def test_every_command_has_a_help_text(installation):
    assert "Usage:" in installation.run("--help").out
    assert installation.quickly("--version").out.startswith("newsletter ")
    assert len(EVERY) > 40
    for words, command in EVERY:
        told = installation.quickly(*words, "--help")
        assert f"{' '.join(words)} [OPTIONS]" in told.out, words
        assert command.help, words
        undescribed = [
            option.name for option in command.params if option.param_type_name == "option" and not option.help
        ]
        assert undescribed == [], words


def test_every_command_that_prints_data_prints_json(approved):
    offering = {" ".join(words) for words, command in EVERY if any("--json" in each.opts for each in command.params)}
    assert offering - ELSEWHERE == set(DATA)
    (approved.folder / "pack.yaml").write_text("newsletter: beacon-towns\n", encoding="utf-8")
    for words, arguments in DATA.items():
        given = ["pack.yaml" if each == "PACK" else each for each in arguments]
        done = approved.quickly(*words.split(), *given, "--json")
        json.loads(done.out)
        assert done.out.endswith("\n"), words


def test_every_command_that_prints_data_says_it_in_words_too(approved):
    (approved.folder / "pack.yaml").write_text("newsletter: beacon-towns\n", encoding="utf-8")
    for words, arguments in DATA.items():
        given = ["pack.yaml" if each == "PACK" else each for each in arguments]
        done = approved.quickly(*words.split(), *given)
        assert done.out.strip(), words
        assert not done.out.startswith(("{", "[")), words


def test_the_settings_hide_secrets(approved):
    told = approved.run("settings", "--json", NEWSLETTER_SMTP__PASSWORD="open sesame", NEWSLETTER_SECRET_KEY="hush")
    assert told.json["NEWSLETTER_SMTP__PASSWORD"] == "**********"
    assert "sesame" not in told.out
    assert "hush" not in told.out
