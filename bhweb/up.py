"""`manage.py up`: start everything, then serve until told to stop, or check and report."""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
from typing import TYPE_CHECKING, NoReturn

from bhweb import datadir
from bhweb.processes import NO_SPACE
from bhweb.progress import StartError, elapsed, fail, say
from bhweb.supervisor import StoppedError, Supervisor, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bhweb.datadir import DataDir


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read what stands behind `up`."""
    parser = argparse.ArgumentParser(prog="manage.py up", description="Start everything and print the address.")
    parser.add_argument("--port", type=int, default=8000, help="port on the loopback address; 0 picks a free one")
    parser.add_argument("--data-dir", help="where everything is kept (default: BH_DATA_DIR, else var)")
    parser.add_argument("--no-demo", action="store_true", help="do not create the simulated instruments")
    parser.add_argument(
        "--no-venues", action="store_true", help="leave real venues out: nothing is asked of them (BH_VENUES=0)"
    )
    parser.add_argument("--check", action="store_true", help="start, wait for the first heatmap, report as JSON, stop")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65_535:  # noqa: PLR2004 # the range of ports
        parser.error(f"--port must lie between 0 and 65535, not {options.port}")
    return options


def main(arguments: Sequence[str]) -> int:
    """Run until told to stop, or until the check is done; return the exit code."""
    options = parse(arguments)
    port = options.port or free_port(8000)
    if options.no_venues:
        os.environ["BH_VENUES"] = "0"  # for every process that is started from here
    supervisor = Supervisor(datadir.choose(options.data_dir), port=port, demo=not options.no_demo)
    _listen_to_signals(supervisor)
    try:
        try:
            supervisor.start()
            code = _check(supervisor) if options.check else _serve(supervisor)
        except OSError as error:
            raise StartError(_explain(supervisor.data, error)) from error
        except StartError as error:
            if NO_SPACE.search(str(error)) or supervisor.data.is_full():  # whatever it looked like
                raise StartError(supervisor.data.full_line()) from error
            raise
        finally:
            supervisor.stop()
    except StoppedError:
        return refuse("stopped before it was ready", is_check=True) if options.check else 0
    except StartError as error:
        return refuse(str(error), is_check=options.check)
    return code


def refuse(reason: str, *, is_check: bool) -> int:
    """Say why it cannot be; a check says it as JSON too."""
    if is_check:
        print(json.dumps({"ready": False, "reason": reason}), flush=True)  # noqa: T201 # the answer of the check
    return fail(reason)


def _explain(data: DataDir, error: OSError) -> str:
    if error.errno == errno.ENOSPC or NO_SPACE.search(str(error)) or data.is_full():
        return data.full_line()
    return f"{error.strerror or error} ({error.filename or data.path})."


def _listen_to_signals(supervisor: Supervisor) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, supervisor.ask_to_stop)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup wants it ignored
        signal.signal(signal.SIGHUP, supervisor.ask_to_stop)


def _serve(supervisor: Supervisor) -> NoReturn:
    say("ready")
    print(  # noqa: T201 # what the person waits for
        f"\n  BH Terminal   {supervisor.url}/\n  Log in once   {supervisor.url}{supervisor.login}\n"
        "  Stop          Ctrl-C\n",
        flush=True,
    )
    while True:
        supervisor.pause(0.2)
        supervisor.look_after()


def _check(supervisor: Supervisor) -> int:
    ready_after = elapsed()
    visitor = supervisor.visitor
    if not visitor.log_in(supervisor.login):
        raise StartError("the one-time login link did not log in.")
    drawn_after = None
    if supervisor.demo:
        say("logged in, waiting for the first heatmap")
        supervisor.wait_for_heatmap()
        drawn_after = round(elapsed(), 1)
        say("the first heatmap is drawn")
    answer = {"ready": True, "url": supervisor.url + "/", "seconds": round(ready_after, 1)}
    print(json.dumps({**answer, "first_heatmap_seconds": drawn_after}), flush=True)  # noqa: T201 # the answer
    return 0
