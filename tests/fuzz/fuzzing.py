"""
Runs a fuzzer on one function for some minutes, in a process of its own: it ends the process when it finds something.

`NEWSLETTER_TESTS_FUZZ_MINUTES` says how many minutes each takes; what was found once lies in the corpus of the test.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

MINUTES = float(os.environ.get("NEWSLETTER_TESTS_FUZZ_MINUTES", "10"))
HERE = Path(__file__).parent
HOME = HERE.parents[1]


def fuzz(harness: str, folder: Path, *, seeds: tuple[bytes, ...], longest: int = 4096) -> None:
    """
    Have `harness` (a file beside this one) try inputs for so many minutes; fails with the input that broke it.

    The harness calls `atheris.Setup(sys.argv, one)` and `atheris.Fuzz()`; `one` raises what must not happen.
    """
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is missing: it has wheels for Linux on x86_64 up to Python 3.13")
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(seeds):
        (corpus / str(number)).write_bytes(seed)
    limits = [
        f"-max_total_time={max(1, round(MINUTES * 60))}",
        f"-max_len={longest}",
        "-timeout=10",
        "-rss_limit_mb=1024",
    ]
    command = [sys.executable, str(HERE / harness), *limits, f"-artifact_prefix={folder}/", str(corpus)]
    environment = {**os.environ, "PYTHONPATH": str(HOME), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, errors="replace", check=False
    )
    broken = [path.read_bytes() for path in folder.glob("*-*") if path.is_file()]
    assert done.returncode == 0, f"{broken}\n{done.stderr[-4000:]}"
    assert "Done " in done.stderr, done.stderr[-4000:]
