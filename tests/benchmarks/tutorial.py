"""
The way of tutorials: aiosmtplib, Jinja2 and EmailMessage, a message rendered and built for each person.

`tutorial.py FOLDER PORT CONNECTIONS MESSAGES` prints how long that took, start-up left off.
"""

import asyncio
import json
import re
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import aiosmtplib
from jinja2 import Environment, FileSystemLoader


async def dispatch(folder: Path, port: int, *, connections: int, messages: int) -> None:
    """Send so many messages over so many connections that stay open."""
    templates = Environment(loader=FileSystemLoader(folder), autoescape=True)
    html, text = templates.get_template("message.html"), templates.get_template("message.txt")
    numbers = iter(range(messages))

    async def send_some() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as relay:
            for number in numbers:
                reader = {"first_name": "Ana", "unsubscribe_url": f"https://news.example/u/{number:032}"}
                message = EmailMessage(policy=SMTP)
                message["From"], message["To"] = "news@sender.example", f"p{number}@town.example"
                message["Subject"] = "December"
                message["List-Unsubscribe"] = f"<{reader['unsubscribe_url']}>"
                message.set_content(text.render(reader))
                message.add_alternative(html.render(reader), subtype="html")
                await relay.send_message(message)

    await asyncio.gather(*(send_some() for _ in range(connections)))


def main(folder: Path, port: int, connections: int, messages: int) -> None:
    """Measure."""
    wall, cpu = time.perf_counter(), time.process_time()
    asyncio.run(dispatch(folder, port, connections=connections, messages=messages))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps({"messages": messages, "seconds": wall, "cpu": cpu, "peak_kib": peak_kib()}))


def peak_kib() -> int:
    """The most memory this process has had, in KiB; `ru_maxrss` would count what the parent had when it forked."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1])


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
