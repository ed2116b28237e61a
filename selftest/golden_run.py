# SPDX-License-Identifier: GPL-2.0-only
"""Make run directories from the recorded ones in selftest/golden.

golden/clean is a whole run directory.  Every other case is that run, with the files of its
own directory in place of the clean ones, and changed by its file "edit".  A line of "edit"
is one of
    FILE SED-COMMAND    FILE is edited
    FILE absent         FILE is removed
    FILE of CASE        FILE is that of CASE
    watchdog boot|run   the watchdog ended the run
selftest/record records the logs that a case has of its own.
"""

import pathlib
import shutil
import subprocess

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"


def build(case, to):
    """Make the run directory TO of the case with this name."""
    shutil.copytree(GOLDEN / "clean", to)
    for file in (GOLDEN / case).iterdir():
        if file.name not in ("expected", "edit"):
            shutil.copy(file, to / file.name)
    (to / "expected").unlink()
    edits = GOLDEN / case / "edit"
    for line in edits.read_text().splitlines() if edits.exists() else ():
        _edit(to, *line.split(" ", 1))


def _edit(to, name, command):
    """Do what one line of "edit" says."""
    file = to / name
    if command == "absent":
        file.unlink()
    elif command.startswith("of "):
        shutil.copy(GOLDEN / command[3:] / name, file)
    elif name == "watchdog":
        file.write_text(command + "\n")
    else:
        # sed runs no command on an empty file, so that it needs one line to begin with.
        if not file.stat().st_size:
            file.write_text("\n")
        subprocess.run(["sed", "-i", command, file], check=True)
