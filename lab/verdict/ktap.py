# SPDX-License-Identifier: GPL-2.0-only
"""Parse what run_kselftest.sh printed into programs and cases.

kselftest nests by a "# " prefix, not by indentation, and only this form is parsed.  A line
that looks like a result where no result belongs is kept as a complaint: if the parser
dropped it, a lost result would look like a pass.
"""

import dataclasses
import re

from .console import printable

OURS = "guest_memfd"

PLAN = re.compile(r"1\.\.(\d+)$")
PLAN_SKIP = re.compile(r"1\.\.0 # SKIP\s*(.*)$")
HEADER = re.compile(r"# selftests: (\S+): (\S+)$")
PROGRAM = re.compile(r"(ok|not ok) (\d+) selftests: (\S+): (\S+)(?: # (.*))?$")
CASE = re.compile(r"(ok|not ok) (\d+) (.*?)(?:\s+#\s+(.*))?$")
RESULT_LIKE = re.compile(r"(ok|not ok)\b")
RUNNING = re.compile(r"#  RUN +(\S+) \.\.\.$")
ENDED_BADLY = re.compile(r"# \S+: Test terminated (?!by assertion)(.*)$")
TALLY = re.compile(r"# TALLY((?: [A-Za-z_]\w*=\d+)+)$")
# The bounds keep a garbled line from being taken for a location, or slowing the match.
LOCATION = re.compile(r"# at (\S{0,250}[^\s/]):(\d{1,7}) in (\w{1,100})\(\)(?:: .{0,400})?$",
                      re.ASCII)
START = "# gmem-lab: start"
LEFT = re.compile(r"# gmem-lab: left (.*)$")
DONE = re.compile(r"# gmem-lab: done exit=(\d+)$")


@dataclasses.dataclass
class Case:
    """One case of a program: its result line, and what was printed before it."""

    ok: bool
    number: int
    name: str
    note: str
    line: int
    tally: dict = dataclasses.field(default_factory=dict)
    bad_tally: str = ""
    ended: str = ""  # how the case died, in the harness's words, if it did
    location: dict = None  # {file, line, function} of the code that ended the case
    located: dict = dataclasses.field(default_factory=dict)  # {outcome: location}


@dataclasses.dataclass
class Program:
    """One test program, from its header to its result line."""

    name: str  # collection:test
    line: int
    header: bool = True
    plans: list = dataclasses.field(default_factory=list)
    cases: list = dataclasses.field(default_factory=list)
    log: list = dataclasses.field(default_factory=list)
    running: str = ""  # the case that began last
    skip_note: str = ""
    ok: bool = None  # None if it has no result line
    number: int = 0
    note: str = ""
    result_line: int = 0

    def ours(self):
        """Tell this suite's own programs from upstream's tests."""
        return self.name.split(":")[0] == OURS

    def last_case(self):
        """Return the case that is running, or that ended last."""
        return self.running or (self.cases[-1].name if self.cases else "")


class Ktap:
    """A parsed ktap.log; feed() takes one line at a time."""

    def __init__(self):
        self.started = False
        self.done = None
        self.done_line = 0
        self.plans = []
        self.programs = []
        self.left = []  # (line number, text) of settings that were not restored
        self.strays = []  # (line number, text) of misplaced results
        self.last_line = ""
        self.lines = 0
        self._open = None
        self._pending = Case(False, 0, "", "", 0)

    def begun(self):
        """Tell whether the runner began with the tests."""
        return self.started and bool(self.plans)

    def in_flight(self):
        """Return the last program if it has no result yet, or None."""
        return self._open

    def results(self):
        """Return the programs that have a result line, in the order of these lines."""
        return [p for p in self.programs if p.ok is not None]

    def logs(self):
        """Return (name, lines without the prefix) of each program that printed anything."""
        return [(p.name, p.log) for p in self.programs if p.log]

    def feed(self, raw):
        """Parse the next line of the log."""
        line = raw.rstrip("\r\n")
        self.lines += 1
        if line.strip():
            self.last_line = line
        if line == START:
            self.started = True
        elif LEFT.match(line):
            self.left.append((self.lines, LEFT.match(line)[1]))
        elif DONE.match(line):
            self.done = int(DONE.match(line)[1])
            self.done_line = self.lines
        elif HEADER.match(line):
            self._begin("{}:{}".format(*HEADER.match(line).groups()))
        elif line.startswith("# ") and self._open:
            self._nested(line[2:])
        else:
            self._top(line)

    def _begin(self, name, header=True):
        self._open = Program(name, self.lines, header)
        self.programs.append(self._open)
        self._pending = Case(False, 0, "", "", 0)

    def _top(self, line):
        """Parse a line that is not the output of a program."""
        found = PROGRAM.match(line)
        if found:
            self._end(found)
        elif PLAN.match(line):
            self.plans.append(int(PLAN.match(line)[1]))
        elif RESULT_LIKE.match(line):
            self.strays.append((self.lines, line))

    def _end(self, found):
        """Parse a program's result line, which may come without header and output."""
        name = f"{found[3]}:{found[4]}"
        if not self._open or self._open.name != name:
            self._begin(name, header=False)
        program = self._open
        program.ok = found[1] == "ok"
        program.number = int(found[2])
        program.note = (found[5] or "").strip()
        program.result_line = self.lines
        self._open = None

    def _nested(self, line):
        """Parse a line that the open program printed."""
        program = self._open
        previous = program.log[-1] if program.log else ""
        program.log.append(line)
        if RUNNING.match(line):
            program.running = RUNNING.match(line)[1]
            self._pending.located.clear()
        elif PLAN_SKIP.match(line):
            program.skip_note = PLAN_SKIP.match(line)[1].lstrip("- ")
        elif PLAN.match(line):
            program.plans.append(int(PLAN.match(line)[1]))
        elif line.startswith("# TALLY"):
            self._tally(line)
        elif LOCATION.match(line):
            self._location(previous, LOCATION.match(line))
        elif ENDED_BADLY.match(line):
            self._pending.ended = ENDED_BADLY.match(line)[1]
        elif RESULT_LIKE.match(line):
            self._case(line)

    def _tally(self, line):
        found = TALLY.match(line)
        if not found:
            self._pending.bad_tally = line
            return
        for pair in found[1].split():
            key, value = pair.split("=")
            self._pending.tally[key] = self._pending.tally.get(key, 0) + int(value)

    def _location(self, previous, found):
        """Keep a location with the outcome that it belongs to, which is on the line before."""
        self._pending.located[previous.removeprefix("# ").strip()] = {
            "file": printable(found[1]), "line": int(found[2]), "function": found[3]}

    def _case(self, line):
        found = CASE.match(line)
        if not found:
            if self._open.ours():
                self.strays.append((self.lines, line))
            return
        case, self._pending = self._pending, Case(False, 0, "", "", 0)
        case.ok = found[1] == "ok"
        case.number = int(found[2])
        case.name = found[3]
        case.note = (found[4] or "").strip()
        case.line = self.lines
        # Several threads of a case may print an outcome; the result line repeats one of them.
        case.location = case.located.get(case.note.removeprefix("SKIP ").strip())
        self._open.cases.append(case)
        self._open.running = ""
