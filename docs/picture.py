"""
Make the README's picture: the sample issue in Chromium, in light at 600 px and in dark at 375 px, side by side.

Usage: python docs/picture.py OUT.png    (`make picture`; needs Chromium at /usr/bin/chromium)
"""

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from newsletter.bootstrap import build
from newsletter.cli.pictures import draw_pictures
from newsletter.database import migrate
from newsletter.paths import sample
from newsletter.settings import load

HEIGHT = 1500
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
VIEWS = (("en", 640, "light"), ("fr", 375, "dark"))


def compiled(folder: Path) -> Path:
    """Compile the bundled sample into `folder`; returns where the editions lie."""
    settings = load(
        database={"url": f"sqlite:///{folder / 'newsletter.sqlite'}"}, media_url=(folder / "media").as_uri()
    )
    pipeline = build(settings, migrated=False)
    migrate(pipeline.parts.engine)
    pack = folder / "content"
    pack.mkdir()
    (pack / "pack.yaml").write_bytes((sample() / "pack.yaml").read_bytes())
    draw_pictures(pack / "images")
    imported = pipeline.entries.import_pack(pack / "pack.yaml")
    pipeline.entries.write_pictures(folder / "media")
    slug = next(iter(imported.issues))
    pipeline.editorial.assemble(slug, newsletter=None)
    pipeline.approval.compile(slug, newsletter=None).write(folder / "issue")
    return folder / "issue"


def photographed(browser: Browser, page_file: Path, *, width: int, scheme: str) -> Image.Image:
    """Take one picture of an edition, cut at the common height."""
    context = browser.new_context(viewport={"width": width, "height": HEIGHT}, color_scheme=scheme)
    page = context.new_page()
    page.goto(page_file.as_uri(), wait_until="load")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    return shot


def main(out: Path) -> None:
    """Compile, photograph, join, write."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        editions = compiled(Path(folder))
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        shots = [
            photographed(browser, editions / f"{language}.html", width=width, scheme=scheme)
            for language, width, scheme in VIEWS
        ]
        browser.close()
    gap = 24
    size = (sum(shot.width for shot in shots) + gap * (len(shots) + 1), HEIGHT + 2 * gap)
    sheet = Image.new("RGB", size, "#9aa3a8")
    left = gap
    for shot in shots:
        sheet.paste(shot, (left, gap))
        left += shot.width + gap
    sheet.quantize(colors=256, dither=Image.Dither.NONE).save(out, optimize=True)
    print(f"{out}: {out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
