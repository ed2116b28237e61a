# SPDX-License-Identifier: GPL-2.0-only
"""The rules by which a run is judged.

Each rule looks at one thing and yields reasons against the run.  A run without any reason
passes, so that a rule that is in doubt must yield one.
"""

import dataclasses

from . import cases
from .console import printable


@dataclasses.dataclass
class Reason:
    """One reason why a run did not pass, with the fields of verdict.json."""

    verdict: str  # fail or broken
    kind: str
    text: str
    clause: str = ""
    program: str = ""
    case: str = ""
    log: str = ""  # the file that shows it
    line: int = 0  # the line in that file; the first one is 1
    location: dict = None  # {file, line, function} of the code that ended the case


def apply(run):
    """Return every reason against RUN: failures first, in the order of the plan."""
    if run.not_run:
        # A run that was not begun has no logs, so that missing ones are no reason.
        return [Reason("broken", "not-run", "was not run: " + run.not_run, log="not-run")]
    if not run.ktap.begun():
        reason = _never_began(run)
        # If QEMU did not start, there are no logs either, so that they are no reason.
        return [reason] if reason.kind == "qemu" else [reason, *_problems(run)]
    rules = (_panic, _hang, _plan, _programs, _end, _left, _console, _nothing_passed,
             _problems, _qemu)
    reasons = [reason for rule in rules for reason in rule(run)]
    order = {name: i for i, name in enumerate(run.plan or ())}
    reasons.sort(key=lambda r: (r.verdict != "fail",
                                order.get(r.program, len(order))))
    return reasons


def _never_began(run):
    """Return the reason why no test began."""
    kernel, ktap = run.console, run.ktap
    said = f"; the console's last line: {kernel.last_line}" if kernel.last_line else ""
    where = {"log": "console.log", "line": kernel.panic_line or kernel.lines}
    if kernel.panic:
        return Reason("broken", "panic", "kernel panicked before the first test: "
                      + kernel.panic, **where)
    if run.watchdog:
        return Reason("broken", "hang", "hung at boot: no sign of life within the "
                      "watchdog's bound" + said, **where)
    if run.qemu_exit and not kernel.lines and not ktap.lines:
        why = run.qemu_error or f"it exited with {run.qemu_exit} and said nothing"
        return Reason("broken", "qemu", f"QEMU could not start: {why}", log="qemu.err")
    if run.qemu_exit:
        return Reason("broken", "qemu", f"QEMU stopped with exit status {run.qemu_exit} "
                      f"before the first test: {run.qemu_error}" + said, **where)
    if ktap.started:
        return Reason("broken", "boot", "the machine booted, but the first test did not "
                      "begin: " + printable(ktap.last_line), log="ktap.log",
                      line=ktap.lines)
    return Reason("broken", "boot", "the machine powered off before the first test"
                  + said, **where)


def _problems(run):
    """Report inputs that are missing or malformed."""
    for problem in run.problems:
        yield Reason("broken", "input", problem)


def _qemu(run):
    """Report a QEMU that failed, which says nothing about the kernel."""
    if run.qemu_exit and not run.watchdog:
        yield Reason("broken", "qemu", f"QEMU exited with status {run.qemu_exit}: "
                     + (run.qemu_error or "it said nothing"), log="qemu.err")


def _where(run):
    """Return the program and the case that were running when the log ended."""
    program = run.ktap.in_flight()
    return (program.name, program.last_case()) if program else ("", "")


def _panic(run):
    """Report a panic while tests ran, and the test that was running."""
    if not run.console.panic:
        return
    program, case = _where(run)
    during = f"in {program}" if program else "outside any test"
    yield Reason("fail", "panic", f"kernel panicked {during}: {run.console.panic}",
                 "C13", program, case, "console.log", run.console.panic_line)


def _hang(run):
    """Report that the watchdog stopped a run that had begun."""
    if not run.watchdog or run.console.panic:
        return
    program, case = _where(run)
    if program:
        text = f"hang in {program}, last case {case or 'none: it had not begun one'}"
    elif run.ktap.done is None:
        text = "hang between two programs, or in the guest's init"
    else:
        text = "hang after the last test: the machine did not power off"
    yield Reason("fail", "hang", text + "; killed by the watchdog", "C9", program,
                 case, "ktap.log", run.ktap.lines)


def _plan(run):
    """Check that every planned program reported once, in order, and no other did."""
    ktap = run.ktap
    results = ktap.results()
    if len(ktap.plans) > 1:
        yield Reason("fail", "plan", f"{len(ktap.plans)} top-level plans", log="ktap.log")
    if len(results) != ktap.plans[0]:
        yield _truncated(run, results)
    for number, program in enumerate(results, 1):
        if program.number != number:
            yield Reason("fail", "sequence", f"program result out of sequence: wanted "
                         f"number {number}, got {program.number}", "", program.name,
                         "", "ktap.log", program.result_line)
    for line, text in ktap.strays:
        yield Reason("fail", "sequence", "a result where none belongs: "
                     + printable(text), log="ktap.log", line=line)
    if run.plan is not None:
        yield from _names(run, [p.name for p in results])


def _truncated(run, results):
    """Return the reason for too few or too many results; it names the missing programs."""
    names = [p.name for p in results]
    missing = [name for name in run.plan or () if name not in names]
    text = f"truncated: {len(results)} of {run.ktap.plans[0]} planned programs reported"
    if missing:
        text += ", not: " + ", ".join(missing)
    program, case = _where(run)
    return Reason("fail", "truncated", text, "", program, case, "ktap.log",
                  run.ktap.lines)


def _names(run, names):
    """Compare the programs that reported with those that were planned."""
    # A truncated run has a reason already that names what is missing.
    truncated = len(names) < run.ktap.plans[0]
    for name in dict.fromkeys(run.plan):
        if run.plan.count(name) > 1:
            yield Reason("broken", "input", f"plan names {name} more than once")
        if name not in names and not truncated:
            yield Reason("fail", "plan", "planned, but has no result", program=name,
                         log="ktap.log")
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield Reason("fail", "duplicate", f"{names.count(name)} results", program=name,
                         log="ktap.log")
        if name not in run.plan:
            yield Reason("fail", "plan", "not in the plan, but ran", program=name,
                         log="ktap.log")


def _programs(run):
    """Report what is wrong with each program and each of its cases."""
    for program in run.ktap.programs:
        yield from (Reason(**fields) for fields in cases.judge(run, program))


def _end(run):
    """Check that the runner reached its end, with the exit code that its results demand."""
    ktap = run.ktap
    if run.watchdog or run.console.panic:
        return
    if ktap.done is None:
        yield Reason("fail", "truncated", "truncated: no 'gmem-lab: done', the run did not "
                     "reach its end", log="ktap.log", line=ktap.lines)
        return
    failed = [p for p in ktap.results() if not p.ok]
    if ktap.done not in (0, 1):
        yield Reason("fail", "exit-code", f"unknown exit code {ktap.done} of "
                     "run_kselftest.sh", log="ktap.log", line=ktap.done_line)
    elif bool(failed) != bool(ktap.done):
        yield Reason("fail", "exit-code", f"run_kselftest.sh exited with {ktap.done}, but "
                     f"{len(failed)} programs failed", log="ktap.log",
                     line=ktap.done_line)


def _left(run):
    """Report settings of the machine that tests changed and did not restore."""
    for line, text in run.ktap.left:
        yield Reason("fail", "left", "left " + printable(text), log="ktap.log", line=line)


def _console(run):
    """Report the first bad line of the kernel log in each case, and how many follow."""
    first = {}
    for report in run.console.reports:
        first.setdefault((report.case, report.booting), []).append(report)
    for (case, booting), reports in first.items():
        if run.console.panic_line and reports[0].line >= run.console.panic_line:
            continue
        more = f" (and {len(reports) - 1} more lines)" if reports[1:] else ""
        when = " while booting" if booting else "" if case else \
            ", no marker says in which case"
        yield Reason("fail", "log", f"kernel log{when}: {reports[0].text}{more}", "C13",
                     *_owner(run, case), "console.log", reports[0].line)


def _owner(run, marker):
    """Return (program, case) of a marker, which may hold only the last part of a name."""
    found = set()
    for program in run.ktap.programs if marker else ():
        names = {c.name for c in program.cases} | {program.running}
        found |= {(program.name, name) for name in names
                  if name == marker or name.endswith("." + marker)}
    if len(found) == 1:
        return found.pop()
    programs = {program for program, _ in found}
    return (programs.pop() if len(programs) == 1 else ""), marker


def _nothing_passed(run):
    """Report a run in which no case passed, which has proved nothing."""
    ours = [p for p in run.ktap.programs if p.ours()]
    outcomes = [cases.outcome(run, p, c).kind for p in ours for c in p.cases]
    if not ours and any(p.ok and not p.note for p in run.ktap.programs):
        if run.plan is None or not any(n.startswith("guest_memfd:") for n in run.plan):
            return
    if "pass" in outcomes:
        return
    how = f"all {len(outcomes)} cases were skipped" \
        if outcomes and set(outcomes) == {"skip"} else "no case passed"
    yield Reason("fail", "nothing-passed", f"nothing passed in guest_memfd: {how}",
                 log="ktap.log")
