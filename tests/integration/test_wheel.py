"""An installed wheel has everything that a checkout has beside the code."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of a wheel built from this checkout, as an installation has it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def in_the_wheel(installed: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)


def test_the_themes_are_found_in_the_wheel(installed: Path, tmp_path: Path):
    listed = in_the_wheel(installed, "-m", "newsletter", "theme", "list", "--json", folder=tmp_path)
    folders = {theme["name"]: Path(theme["folder"]) for theme in json.loads(listed.stdout)}
    assert folders["network"].is_relative_to(installed)


def test_the_wheel_can_make_its_database_and_read_its_sample(installed: Path, tmp_path: Path):
    in_the_wheel(installed, "-m", "newsletter", "init", folder=tmp_path)
    code = "import newsletter.paths as p; print(p.sample() / 'pack.yaml'); assert (p.sample() / 'pack.yaml').exists()"
    assert Path(in_the_wheel(installed, "-c", code, folder=tmp_path).stdout.strip()).is_relative_to(installed)


def test_the_scheduler_lies_at_the_top_of_the_wheel(installed: Path, tmp_path: Path):
    found = in_the_wheel(installed, "-c", "import scheduler; print(scheduler.__file__)", folder=tmp_path)
    assert Path(found.stdout.strip()) == installed / "scheduler.py"
