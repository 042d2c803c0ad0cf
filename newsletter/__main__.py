"""The entry point: `newsletter …` and `python -m newsletter …`."""

import gc
import sys

gc.set_threshold(200_000, 10, 10)  # nothing that is imported is garbage: to look for some takes a sixth of the start

from newsletter.cli.application import run  # noqa: E402  the imports are what takes long
from newsletter.logs import tell_accident, tell_accidents_of_threads  # noqa: E402


def main() -> None:
    """Run the command line; what should not have happened is told without addresses."""
    tell_accidents_of_threads()
    try:
        run()
    except Exception as error:  # noqa: BLE001  nobody is left to handle it
        tell_accident(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
