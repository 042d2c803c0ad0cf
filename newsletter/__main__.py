"""The entry point: `newsletter …` and `python -m newsletter …`."""

import gc

gc.set_threshold(200_000, 10, 10)  # nothing that is imported is garbage: to look for some takes a sixth of the start

from newsletter.cli.application import run  # noqa: E402  the imports are what takes long


def main() -> None:
    """Run the command line."""
    run()


if __name__ == "__main__":
    main()
