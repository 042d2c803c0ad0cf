"""
Starts `newsletter …` in a process of its own without the second that the imports take: one process has them, and forks.

Takes requests over a socket (`Zygote.start`), yields processes that can be waited for and killed like any other, since
each has a minder that tells how it ended. What is broken on purpose inside a process is said in a `Break`:
a function at which it kills itself, numbers of the program that are other ones, a clock that jumps.
"""

import contextlib
import datetime as dt
import functools
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

TESTS = Path(__file__).parents[1]
PATIENCE = 60.0


@dataclass(frozen=True, kw_only=True)
class Kill:
    """The process kills itself before or after a function's nth call, or at its nth call while another one runs."""

    #: `module:function` or `module:Class.method`.
    target: str
    is_after: bool = False
    nth: int = 1
    #: Counts only while this function runs.
    within: str = ""


@dataclass(frozen=True, kw_only=True)
class Break:
    """What is broken inside a process."""

    kill: Kill | None = None
    #: `module:NAME`, or `module:NAME.attribute` of an object that is shared; spans of time in seconds.
    constants: Mapping[str, object] = field(default_factory=dict)
    #: (seconds after the start, seconds by which the clock is wrong from then on).
    clock: Sequence[tuple[float, float]] = ()
    #: A resource of `resource` (such as RLIMIT_FSIZE) and its soft limit.
    limits: Mapping[str, int] = field(default_factory=dict)


class Process:
    """A process that a zygote has started."""

    def __init__(self, connection: socket.socket, error: Path) -> None:
        self._connection = connection
        self._file = connection.makefile("r")
        self._error = error
        self._code: int | None = None
        self.pid = int(self._file.readline())
        self.began = time.monotonic()

    def poll(self) -> int | None:
        """The exit code, None while it runs."""
        if self._code is None and select.select([self._connection], [], [], 0)[0]:
            self._end()
        return self._code

    def wait(self, patience: float = PATIENCE) -> int:
        """The exit code, minus the signal that ended it; raises TimeoutError."""
        if self._code is None:
            if not select.select([self._connection], [], [], patience)[0]:
                raise TimeoutError(f"{self.pid} still runs after {patience} s:\n{self.error}")
            self._end()
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end, if it still runs."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, and wait."""
        if self.poll() is None:
            self.send_signal(signal.SIGKILL)
            self.wait()

    @property
    def error(self) -> str:
        """What it has written to stderr."""
        return self._error.read_text()

    @property
    def out(self) -> str:
        """What it has written to stdout."""
        return self._error.with_suffix(".out").read_text()

    @property
    def log(self) -> list[dict[str, object]]:
        """Its log, line by line, without the one that it may be writing."""
        whole = (line for line in self.error.splitlines(keepends=True) if line.endswith("\n"))
        return [json.loads(line) for line in whole if line.startswith("{")]

    def _end(self) -> None:
        self._code = int(self._file.readline())
        self._file.close()
        self._connection.close()


class Zygote:
    """The process that forks; end it with `close`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "zygote"
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("COV", "NEWSLETTER_"))}
        path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "faults.zygote", str(self._path)],
            env={**plain, "PYTHONPATH": path},
            cwd=folder,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout.readline() == b"ready\n"

    def start(
        self, arguments: Sequence[object], *, environment: Mapping[str, str], folder: Path, broken: Break | None = None
    ) -> Process:
        """Start `newsletter ARGUMENTS` in a folder."""
        number = sum(1 for _ in folder.glob("*.err"))
        error = folder / f"{number:03}-{arguments[0]}.err"
        error.touch()
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self._path))
        request = {
            "arguments": list(map(str, arguments)),
            "environment": dict(environment),
            "folder": str(folder),
            "error": str(error),
            "broken": asdict(broken or Break()),
        }
        connection.sendall(json.dumps(request).encode() + b"\n")
        return Process(connection, error)

    def close(self) -> None:
        """End it; what it has started goes on."""
        self._process.kill()
        self._process.stdout.close()
        self._process.wait()


def main(path: str) -> None:
    """Import everything, then fork for whoever asks."""
    _import_all()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # minders need no burial
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _mind(connection)
        connection.close()


def _import_all() -> None:
    for package in ("newsletter", "subscribers"):
        found = importlib.import_module(package)
        for module in pkgutil.walk_packages(found.__path__, f"{package}."):
            if not module.name.endswith("__main__") and ".migrations" not in module.name:
                importlib.import_module(module.name)


def _mind(connection: socket.socket) -> None:
    """Start one process, say who it is, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = json.loads(connection.makefile("r").readline())
    child = os.fork()
    if child == 0:
        connection.close()
        _become(request)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(request: dict) -> None:
    code = 1
    try:
        os.chdir(request["folder"])
        os.environ.update(request["environment"])
        out = Path(request["error"]).with_suffix(".out")
        for number, path in ((2, request["error"]), (1, out)):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(file, number)
            os.close(file)
        sys.argv = ["newsletter", *request["arguments"]]
        _break(**request["broken"])
        from newsletter.__main__ import main as run

        run()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:  # noqa: BLE001  the fork must not come back
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _break(*, kill: dict | None, constants: dict, clock: list, limits: dict) -> None:
    for target, value in constants.items():
        owner, name = _resolve(target)
        is_span = isinstance(getattr(owner, name), dt.timedelta)
        object.__setattr__(owner, name, dt.timedelta(seconds=value) if is_span else value)
    if kill:
        _Trap(Kill(**kill)).plant()
    if clock:
        _jump(clock)
    if limits:
        import resource

        for name, soft in limits.items():
            number = getattr(resource, name)
            resource.setrlimit(number, (soft, resource.getrlimit(number)[1]))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error to the writer, as a full disk is


def _resolve(target: str) -> tuple[object, str]:
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner: object = importlib.import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    return owner, name


class _Trap:
    """Kills this process at one call of one function."""

    def __init__(self, kill: Kill) -> None:
        self._kill = kill
        self._count = self._depth = 0

    def plant(self) -> None:
        """Wrap the function, and the one that it has to be called in."""
        for target, change in ((self._kill.target, self._wrap), (self._kill.within, self._surround)):
            if target:
                owner, name = _resolve(target)
                setattr(owner, name, change(getattr(owner, name)))

    def _passes(self, *, is_after: bool) -> None:
        if is_after is not self._kill.is_after or (self._kill.within and not self._depth):
            return
        self._count += 1
        if self._count == self._kill.nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def _wrap(self, original):
        @functools.wraps(original)
        def wrapped(*arguments, **named):
            self._passes(is_after=False)
            result = original(*arguments, **named)
            self._passes(is_after=True)
            return result

        return wrapped

    def _surround(self, original):
        @functools.wraps(original)
        def surrounded(*arguments, **named):
            self._depth += 1
            try:
                return original(*arguments, **named)
            finally:
                self._depth -= 1

        return surrounded


def _jump(clock: Sequence[tuple[float, float]]) -> None:
    """Set the clock of this process wrong, from the start or in the middle."""
    import time_machine

    began = time.monotonic()
    true_start = time.time()
    travel = time_machine.travel(dt.datetime.now(dt.UTC), tick=True)
    traveller = travel.start()

    def follow() -> None:
        for seconds, offset in clock:
            time.sleep(max(0.0, seconds - (time.monotonic() - began)))
            truth = true_start + (time.monotonic() - began)
            traveller.move_to(truth + offset)

    if clock[0][0] == 0:
        traveller.move_to(true_start + clock[0][1])
    threading.Thread(target=follow, daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
