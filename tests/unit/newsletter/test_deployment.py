"""What stands under docs/deploy fits this program: its commands, its settings, its figures, its files."""

import configparser
import re
import shlex
import shutil
import subprocess

import pytest
from conftest import need
from documented import fault_of
from logged import ROOT
from ruamel.yaml import YAML

from newsletter.settings import Settings

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SERVING = [unit for unit in UNITS if unit.stem != "newsletter-backup"]
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "CapabilityBoundingSet": "",
    "EnvironmentFile": "/etc/newsletter/environment",
    "StateDirectory": "newsletter",
}


def known_settings(model=Settings, prefix="NEWSLETTER_"):
    """The name of every setting in the environment."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if hasattr(kind, "model_fields"):
            yield from known_settings(kind, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


SETTINGS = frozenset(known_settings())


def read(path):
    return YAML(typ="safe").load(path.read_text())


def unit(path):
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str
    parser.read_string(path.read_text())
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_that_exists_and_is_hardened(path):
    service = unit(path)["Service"]
    said = service["ExecStart"].replace("$$", "$").replace("%%", "%")
    words = shlex.split(said)
    if words[0] == "/bin/sh":
        words = words[2].split()[1:]
    assert words[0] == "/opt/newsletter/bin/newsletter"
    assert fault_of(words[1:]) == ""
    assert {name: service[name] for name in HARDENED} == HARDENED


@pytest.mark.parametrize("path", SERVING, ids=lambda path: path.name)
def test_a_unit_of_a_process_is_started_again_and_may_end_what_it_does(path):
    service = unit(path)["Service"]
    assert (service["Restart"], service["KillMode"], service["TimeoutStopSec"]) == ("always", "mixed", "40")


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    verify = need("systemd-analyze", "apt-get install systemd")
    for path in (*UNITS, DEPLOY / "systemd" / "newsletter-backup.timer"):
        name = path.name.replace("@.", "@1.")
        # The program lies elsewhere here, and systemd looks whether it can be started.
        (tmp_path / name).write_text(path.read_text().replace("/opt/newsletter/bin/newsletter", shutil.which("true")))
    files = sorted(tmp_path.iterdir())
    done = subprocess.run([verify, "verify", *files], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "newsletter" in line]
    assert ours == []


def test_the_example_of_an_environment_names_settings_that_exist():
    lines = (DEPLOY / "systemd" / "environment.example").read_text().splitlines()
    names = {line.partition("=")[0] for line in lines if line and not line.startswith("#")}
    assert names
    assert names <= SETTINGS


def instructions():
    """The Containerfile by its instructions, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (DEPLOY / "Containerfile").read_text())
    return [line.split(maxsplit=1) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_containerfile_has_pinned_bases_no_root_and_sources_that_exist():
    made = instructions()
    bases = [words for name, words in made if name == "FROM"]
    assert len(bases) == 2
    assert all(re.match(r"\S+:\d+\.\d+\.\d+-\S+( AS \w+)?$", base) for base in bases)
    users = [words for name, words in made if name == "USER"]
    assert users
    assert users[-1].split(":")[0] not in {"root", "0"}
    for name, words in made:
        assert name != "ADD"
        if name == "COPY" and "--from=" not in words:
            assert [part for part in words.split()[:-1] if not (ROOT / part).exists()] == []
        if name == "RUN" and "requirements.lock" in words:
            assert "--require-hashes" in words
        if name == "RUN" and re.search(r"\bpip\b.* install\b", words):
            assert re.search(r"--no-index --find-links /wheels \.$", words), "from what was checked, and no more of it"
        if name == "ENV":
            named = re.findall(r"(NEWSLETTER_\w+)=", words)
            assert set(named) <= SETTINGS


def test_the_container_runs_and_asks_after_itself_with_commands_that_exist():
    made = dict(instructions())
    assert made["ENTRYPOINT"] == '["newsletter"]'
    assert fault_of(YAML(typ="safe").load(made["CMD"])) == ""
    probe = YAML(typ="safe").load(made["HEALTHCHECK"].partition("CMD ")[2])
    assert (probe[0], fault_of(probe[1:])) == ("newsletter", "")


def test_the_containers_together_use_commands_settings_and_images_that_exist():
    compose = read(DEPLOY / "compose.yaml")
    services = compose["services"]
    assert {"database", "init", "web", "scheduler", "worker", "mail"} == services.keys()
    assert services["worker"]["deploy"]["replicas"] == 2
    for name, service in services.items():
        if service["image"] != "newsletter":
            assert re.search(r":v?\d+\.\d+", service["image"]), f"{name} is not pinned"
            continue
        assert fault_of(service["command"]) == ""
        assert set(service["environment"]) <= SETTINGS, name
        test = service["healthcheck"].get("test")
        assert test is None or fault_of(test[2:]) == ""
        assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
        for volume in service["volumes"]:
            assert volume.partition(":")[0] in compose["volumes"]
        assert service["depends_on"].keys() <= services.keys()
    build = services["web"]["build"]
    assert (DEPLOY / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).is_file()


def test_alerts_are_about_figures_that_are_told_and_lead_to_the_runbook():
    page = (ROOT / "docs" / "operations.md").read_text()
    told = dict(re.findall(r"^\| `(newsletter_\w+)` \| (\w+) \|", page, re.MULTILINE))
    parts = {
        f"{name}_{part}" for name, kind in told.items() if kind == "histogram" for part in ("bucket", "sum", "count")
    }
    headings = re.findall(r"^## (.+)$", (ROOT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    anchors = {words.lower().replace(" ", "-") for words in headings}
    rules = read(DEPLOY / "prometheus-rules.yaml")["groups"][0]["rules"]
    assert len(rules) >= 10
    for rule in rules:
        named = set(re.findall(r"newsletter_\w+", rule["expr"]))
        assert named
        assert named <= told.keys() | parts, rule["alert"]
        target, _, section = rule["annotations"]["runbook"].partition("#")
        assert (target, section in anchors) == ("docs/runbook.md", True), rule["alert"]


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_a_proxy_hands_on_what_the_pages_need_and_no_figures(name):
    text = (DEPLOY / name).read_text()
    assert text.count("{") == text.count("}")
    assert "X-Forwarded-For" in text
    assert "/metrics" in text
    assert "proxy_buffering off" in text or "flush_interval -1" in text
