"""Settings from the file and the environment, and that every one of them is documented."""

import datetime as dt
import re
from enum import StrEnum
from pathlib import Path

import pytest
from pydantic import BaseModel

from newsletter.errors import ConfigurationFault
from newsletter.settings import Settings, SmtpSettings, Tls, Uncertain, load

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"
ROW = re.compile(r"\| `(NEWSLETTER_\w+)` \| `([\w.]+)` \| (?:none|`(.*?)`) \| (\S+) \| (.+) \|")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """The folder the program is started in, without a settings file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def plain(value):
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bool):
        return str(value).lower()
    return None if value is None else str(value)


def described(model=Settings, path=""):
    """Path, default and description of every setting."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from described(kind, f"{path}{name}.")
        else:
            yield f"{path}{name}", plain(field.default), field.description


def documented():
    return [ROW.fullmatch(line).groups() for line in PAGE.read_text().splitlines() if line.startswith("| `NEWSLETTER_")]


def test_the_documentation_lists_every_setting_with_its_default_and_meaning():
    page = {path: (default, meaning) for _, path, default, _, meaning in documented()}

    assert page == {path: (default, meaning) for path, default, meaning in described()}


def test_the_documentation_names_each_setting_as_the_environment_does():
    for environment, path, *_ in documented():
        assert environment == "NEWSLETTER_" + path.replace(".", "__").upper()


def test_the_documentation_names_a_unit_wherever_a_setting_has_one():
    for _, path, _, unit, meaning in documented():
        first = meaning.split()[0]
        assert unit == (first if first in {"seconds", "connections", "messages", "days"} else "—"), path


def test_a_program_without_settings_has_defaults():
    settings = load()

    assert settings == Settings()
    assert settings.database.url == "sqlite:///var/newsletter.sqlite"
    assert settings.dispatch.uncertain is Uncertain.REPEAT


def test_the_file_is_read_and_the_environment_wins(empty_folder, monkeypatch):
    (empty_folder / "newsletter.toml").write_text('[smtp]\nhost = "file.example"\nport = 2525\n')
    monkeypatch.setenv("NEWSLETTER_SMTP__HOST", "environment.example")

    smtp = load().smtp

    assert (smtp.host, smtp.port) == ("environment.example", 2525)


def test_what_the_caller_says_wins_over_everything(monkeypatch):
    monkeypatch.setenv("NEWSLETTER_OPERATOR", "anna")

    assert load(operator="ben").operator == "ben"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("NEWSLETTER_SMTP__PORT", "0", "greater than or equal to 1"),
        ("NEWSLETTER_SMTP__PORT", "smtp", "valid integer"),
        ("NEWSLETTER_SMTP__CONNECTIONS", "201", "less than or equal to 200"),
        ("NEWSLETTER_SMTP__TLS", "ssl", "'none', 'starttls' or 'implicit'"),
        ("NEWSLETTER_DISPATCH__UNCERTAIN", "maybe", "'repeat', 'skip' or 'ask'"),
        ("NEWSLETTER_DISPATCH__EXPIRY", "0", "greater than 0"),
        ("NEWSLETTER_SMTP__HOSTNAME", "relay.example", "Extra inputs are not permitted"),
        ("NEWSLETTER_PUBLIC_URL", "news.example", "should match pattern"),
        ("NEWSLETTER_SMTP__RATE", "0", "greater than 0"),
        ("NEWSLETTER_SMTP__GROUPS", "perhaps", "valid boolean"),
        ("NEWSLETTER_SMTP__WARM_UP_START", "soon", "valid date"),
        ("NEWSLETTER_RELAYS", "[]", "at least 1 item"),
    ],
)
def test_a_wrong_setting_is_named_as_the_environment_names_it(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationFault, match=rf"^{name}: .*{words}"):
        load()


def test_an_unknown_setting_in_the_file_is_an_error(empty_folder):
    (empty_folder / "newsletter.toml").write_text("[dispatch]\nspeed = 3\n")

    with pytest.raises(ConfigurationFault, match=r"^NEWSLETTER_DISPATCH__SPEED: Extra inputs"):
        load()


def test_a_file_that_is_no_toml_is_named(empty_folder):
    (empty_folder / "newsletter.toml").write_text("smtp = [")

    with pytest.raises(ConfigurationFault, match=r"^newsletter\.toml: "):
        load()


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("NEWSLETTER_SMTP__PASSWORD", "hunter2")
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "hunter3")
    settings = load()

    assert "hunter" not in f"{settings!r} {settings.model_dump(mode='json')}"
    assert settings.smtp.password.get_secret_value() == "hunter2"


def test_settings_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        load().smtp.port = 26


@pytest.mark.parametrize(
    ("username", "tls", "security"),
    [
        (None, None, Tls.NONE),
        ("anna", None, Tls.STARTTLS),
        ("anna", Tls.NONE, Tls.NONE),
        (None, Tls.IMPLICIT, Tls.IMPLICIT),
    ],
)
def test_credentials_travel_in_clear_only_where_that_is_said(username, tls, security):
    assert SmtpSettings(username=username, tls=tls).security is security


TWO = """
[[relays]]
name = "north"
host = "north.example"
username = "newsletter"
password = "hunter2"
rate = 2.5
groups = true
warm_up = [200, 500]
warm_up_start = 2026-12-01

[[relays]]
name = "south"
host = "south.example"
connections = 3
role = "spare"
"""


def test_without_relays_the_one_of_smtp_is_called_by_its_host():
    settings = load(smtp={"host": "relay.example", "port": 587})

    assert [(relay.called, relay.is_spare) for relay in settings.outlets] == [("relay.example:587", False)]


def test_several_relays_have_a_table_each_and_are_called_by_their_names(empty_folder):
    (empty_folder / "newsletter.toml").write_text(TWO)

    north, south = load().outlets

    assert [(relay.called, relay.host, relay.is_spare) for relay in (north, south)] == [
        ("north", "north.example", False),
        ("south", "south.example", True),
    ]
    assert (north.rate, north.groups, north.security) == (2.5, True, Tls.STARTTLS)
    assert (north.warm_up, north.warm_up_start) == ((200, 500), dt.date(2026, 12, 1))
    assert (south.connections, south.rate, south.groups) == (3, None, False)
    assert "hunter" not in repr(load())


def test_several_relays_and_a_warm_up_can_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("NEWSLETTER_RELAYS", '[{"name": "north", "warm_up": [5], "warm_up_start": "2026-12-01"}]')

    assert [relay.warm_up for relay in load().outlets] == [(5,)]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (TWO + "[smtp]\nport = 25\n", r"both \[smtp\] and \[\[relays\]\] are set: make \[smtp\] one of"),
        (TWO.replace("south", "north"), "two of .* have the same name: give each its own"),
        ('[[relays]]\nname = "a"\nrole = "spare"\n', "all .* are spare: give one of them the role primary"),
        ("[smtp]\nwarm_up = [5]\n", "NEWSLETTER_SMTP: warm_up and warm_up_start belong together"),
        ('[[relays]]\nname = "a"\nwarm_up_start = 2026-12-01\n', "NEWSLETTER_RELAYS__0: warm_up and"),
        ('[[relays]]\nname = "two words"\n', "NEWSLETTER_RELAYS__0__NAME: String should match"),
        ("[[relays]]\nport = 25\n", "NEWSLETTER_RELAYS__0__NAME: Field required"),
    ],
)
def test_relays_that_cannot_be_meant_are_an_error_that_says_what_to_do(empty_folder, file, words):
    (empty_folder / "newsletter.toml").write_text(file)

    with pytest.raises(ConfigurationFault, match=f"^{words}"):
        load()


def test_a_webhook_is_off_until_it_is_set_up_whole(monkeypatch):
    assert load().hooks.mailgun.key is None
    monkeypatch.setenv("NEWSLETTER_HOOKS__MAILGUN__KEY", "k" * 16)
    with pytest.raises(ConfigurationFault, match=r"^NEWSLETTER_HOOKS__MAILGUN: .*: set signing_key as well"):
        load()
    monkeypatch.setenv("NEWSLETTER_HOOKS__MAILGUN__SIGNING_KEY", "sesame")

    assert load().hooks.mailgun.signing_key.get_secret_value() == "sesame"
    assert "sesame" not in repr(load())


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BREVO__KEY", "short", "NEWSLETTER_HOOKS__BREVO__KEY: Value should have at least 16"),
        ("POSTMARK__USERNAME", "a:b", "NEWSLETTER_HOOKS__POSTMARK__USERNAME: String should match"),
        ("SES__TOPICS", '["bounces"]', "NEWSLETTER_HOOKS__SES__TOPICS__0: String should match"),
    ],
)
def test_a_webhook_that_cannot_be_meant_is_an_error(monkeypatch, name, value, words):
    monkeypatch.setenv(f"NEWSLETTER_HOOKS__{name}", value)

    with pytest.raises(ConfigurationFault, match=f"^{words}"):
        load()
