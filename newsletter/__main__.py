"""The entry point: `newsletter …` and `python -m newsletter …`."""

from newsletter.cli.application import run


def main() -> None:
    """Run the command line."""
    run()


if __name__ == "__main__":
    main()
