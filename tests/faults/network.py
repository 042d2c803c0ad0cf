"""
A network of our own: this machine, another one (a namespace of the kernel's), and a cable between them, to be pulled.

What is sent while the cable is out vanishes: no reset, no word that nobody is there, as behind a switch that has died.
It takes root's rights on Linux. The namespace ends with the process that holds it, and with it the cable.
"""

import os
import subprocess
from typing import Final

import pytest
from programs import need

HOW: Final = "apt-get install iproute2 util-linux"
_OURS, _THEIRS = "02:00:00:00:00:01", "02:00:00:00:00:02"


class Network:
    """The other machine, at the address `there`; a command that begins with `inside` runs on it."""

    def __init__(self) -> None:
        """Make it; skips the test where this is not permitted."""
        ip, nsenter, unshare, setpriv = (need(name, HOW) for name in ("ip", "nsenter", "unshare", "setpriv"))
        own = os.getpid()
        net = f"10.{200 + own // 64 // 256 % 50}.{own // 64 % 256}"
        here, self.there = (f"{net}.{own % 64 * 4 + number}" for number in (1, 2))
        self._ip, self._cable = ip, f"nl{own}"
        holding = [setpriv, "--pdeathsig=KILL", unshare, "--net", "sh", "-c", "echo; exec sleep infinity"]
        self._holder = subprocess.Popen(holding, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self._holder.stdout.readline() != b"\n":
            self.close()
            pytest.skip("a network namespace cannot be made: run the tests as root on Linux")
        self.inside = [nsenter, f"--net=/proc/{self._holder.pid}/ns/net"]
        far = ["peer", "name", "cable", "address", _THEIRS, "netns", str(self._holder.pid)]
        self._do("link", "add", self._cable, "address", _OURS, "type", "veth", *far)
        self._plug(self._cable, here, neighbour=(self.there, _THEIRS))
        self._plug("cable", self.there, neighbour=(here, _OURS), within=self.inside)

    def cut(self) -> None:
        """Pull the cable at the far end."""
        self._do("link", "set", "cable", "down", within=self.inside)

    def close(self) -> None:
        """Leave nothing behind."""
        self._holder.kill()
        self._holder.stdout.close()
        self._holder.wait()

    def _plug(self, end: str, address: str, *, neighbour: tuple[str, str], within: list[str] | None = None) -> None:
        """Give one end its address; nobody asks who is at the other, so that nobody learns that nobody is."""
        other, hardware = neighbour
        self._do("address", "add", f"{address}/30", "dev", end, within=within)
        self._do("link", "set", end, "up", within=within)
        self._do("neighbour", "add", other, "lladdr", hardware, "dev", end, "nud", "permanent", within=within)

    def _do(self, *arguments: str, within: list[str] | None = None) -> None:
        subprocess.run([*(within or []), self._ip, *arguments], check=True)
