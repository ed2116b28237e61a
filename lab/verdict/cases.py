# SPDX-License-Identifier: GPL-2.0-only
"""The rules by which one program and its cases are judged.

A test writes "# SKIP slug: text" on an ok line, "# FAIL Cn: text" or "# BROKEN: text" on
a not ok line, and before each pass a TALLY of what it did.  Anything else is an unknown
outcome, which is a failure.  A "FAIL" that a known issue explains is "known"; no other
outcome can be.
"""

import re
import typing

from .console import printable
from .contract import CLAUSES

SKIP = re.compile(r"SKIP (\w+): *(.*)$")
ANY_SKIP = re.compile(r"SKIP\b *(.*)$")
FAIL = re.compile(r"FAIL (C\d+): *(.*)$")
BROKEN = re.compile(r"BROKEN: *(.*)$")
EXIT = re.compile(r"exit=(\d+)$")
TIMEOUT = re.compile(r"TIMEOUT (\d+) seconds$")
UPSTREAM_SKIP = "upstream_skip"


class Outcome(typing.NamedTuple):
    """What became of a case.  The kind "unknown" is a failure."""

    kind: str
    slug: str = ""
    clause: str = ""
    text: str = ""
    issue: str = ""  # the id of the known issue that explains a failure


def outcome(run, program, case):
    """Return the Outcome of CASE, which is "known" if a known issue explains it."""
    said = _said(case)
    # A case that died, or whose tally is malformed, may not have failed of what it says.
    if said.kind != "fail" or case.ended or case.bad_tally:
        return said
    issue = run.known_issue(program.name, case.name, said.clause, said.text)
    return said._replace(kind="known", issue=issue.name) if issue else said


def only_known(run, program):
    """Tell whether PROGRAM ended properly and failed of known issues alone."""
    code = EXIT.match(program.note)
    kinds = {outcome(run, program, case).kind for case in program.cases if not case.ok}
    return kinds == {"known"} and code is not None and int(code[1]) == 1


def _said(case):
    """Return the Outcome that CASE itself claims: its result line, and how it ended."""
    note = case.note
    found = FAIL.match(note)
    if not case.ok and found and found[1] in CLAUSES:
        return Outcome("fail", clause=found[1], text=found[2])
    # A case begins with the result "BROKEN"; one that was killed could not replace it.
    if case.ended == "by timeout":
        return Outcome("fail", clause="C9",
                       text=f"hang: killed by the harness's time limit; {note}")
    if case.ended:
        return Outcome("unknown", text=f"died {case.ended}; it said: {note or 'nothing'}")
    if case.ok and not note:
        return Outcome("pass")
    found = SKIP.match(note)
    if case.ok and found:
        return Outcome("skip", found[1], text=found[2])
    found = ANY_SKIP.match(note)
    if case.ok and found:
        return Outcome("skip", text=found[1])
    found = BROKEN.match(note)
    if not case.ok and found:
        return Outcome("broken", text=found[1])
    said = "ok" if case.ok else "not ok"
    return Outcome("unknown", text=f"unknown outcome: {said} with '{note}'")


def judge(run, program):
    """Yield the fields of a Reason for each thing that is wrong with PROGRAM."""
    group = _our_program if program.ours() else _upstream_program
    for fields in group(run, program):
        fields.setdefault("verdict", "fail")
        fields.setdefault("log", "ktap.log")
        fields.setdefault("line", program.result_line or program.line)
        fields["text"] = printable(fields["text"])
        yield {"program": program.name, **fields}


def _our_program(run, program):
    """Judge a program of this suite: its cases first, because they say more."""
    failing = False
    for case in program.cases:
        found = list(_case(run, program, case))
        failing = failing or not case.ok
        for fields in found:
            yield {"case": case.name, "line": case.line, "location": case.location, **fields}
    if program.ok is None:
        return
    if not program.header:
        yield {"kind": "truncated", "text": "a result without any output before it"}
        return
    stopped = list(_exit(program, failing))
    yield from stopped or _nested_plan(program)


def _case(run, program, case):
    """Yield what is wrong with one case; a known issue is nothing wrong."""
    kind, slug, clause, text, _ = outcome(run, program, case)
    if kind == "unknown":
        yield {"kind": "unknown", "text": text}
    elif kind == "fail":
        yield {"kind": "contract", "clause": clause, "text": text}
    elif kind == "broken":
        yield {"kind": "broken", "verdict": "broken", "text": f"set-up failed: {text}"}
    elif kind == "skip":
        yield from _skip(run, program.name, case.name, slug, text)
    elif case.bad_tally:
        yield {"kind": "vacuous", "text": f"malformed tally: {case.bad_tally}"}
    elif kind == "known":
        return
    elif not case.tally:
        yield {"kind": "vacuous", "text": "passed without saying what it did (no TALLY)"}
    elif not any(case.tally.values()):
        yield {"kind": "vacuous", "text": "passed having done nothing (TALLY is all zero)"}


def _skip(run, program, case, slug, text):
    """Yield why a skip does not count: its reason must be listed, and allowed here."""
    if not slug:
        yield {"kind": "skip", "text": f"skipped without a reason from the list: {text}"}
    elif run.slugs is not None and slug not in run.slugs:
        yield {"kind": "skip", "text": f"skip reason '{slug}' is not in lab/skip-reasons"}
    elif not run.may_skip(slug, program, case):
        yield {"kind": "skip", "text": f"skip '{slug}' is not allowed by the scenario: "
               + text}


def _exit(program, failing):
    """Yield where the program's own result disagrees with those of its cases."""
    timeout, code = TIMEOUT.match(program.note), EXIT.match(program.note)
    if timeout:
        yield {"kind": "hang", "clause": "C9", "case": program.last_case(),
               "text": f"hang in {program.name}, last case {program.last_case()}: "
               f"stopped after {timeout[1]} seconds"}
    elif code and int(code[1]) > 1:
        yield {"kind": "exit-code", "case": program.last_case(),
               "text": f"unknown exit code {code[1]}{_meaning(int(code[1]))}"}
    elif code and not failing:
        yield {"kind": "unknown", "text": "exit code 1, but no case failed"}
    elif program.note == "SKIP" and program.ok:
        if not program.cases:
            yield {"kind": "skip", "text": "the whole program was skipped without a "
                   "reason from the list: " + program.skip_note}
    elif not code and (program.note or not program.ok):
        yield {"kind": "unknown", "text": "unknown outcome: "
               f"{'ok' if program.ok else 'not ok'} with '{program.note}'"}
    elif program.ok and failing:
        yield {"kind": "unknown", "text": "reported ok, but a case of it failed"}


def _meaning(code):
    """Return what an exit code usually means, as a hint in brackets."""
    if code == 254:
        return " (a kvm_util assertion outside any case)"
    return f" (killed by signal {code - 128})" if 128 < code < 193 else ""


def _nested_plan(program):
    """Yield where the cases disagree with the plan, or with each other."""
    if len(program.plans) != 1:
        yield {"kind": "truncated", "text": f"wanted one plan, got {len(program.plans)}"}
        return
    planned, cases = program.plans[0], program.cases
    if not planned:
        yield {"kind": "nothing-passed", "text": "plans no case at all"}
    if len(cases) != planned:
        yield {"kind": "truncated", "text": f"truncated: {len(cases)} of {planned} planned "
               f"cases reported, last case {program.last_case() or 'none'}"}
    seen = set()
    for number, case in enumerate(cases, 1):
        where = {"case": case.name, "line": case.line}
        if case.number != number:
            yield {"kind": "sequence", "text": f"case out of sequence: wanted number "
                   f"{number}, got {case.number}", **where}
        if case.name in seen:
            yield {"kind": "duplicate", "text": "reported more than once", **where}
        seen.add(case.name)


def _upstream_program(run, program):
    """Judge a test of upstream's by its exit status and by the lines that failed."""
    if program.ok is None:
        return
    bad = [c for c in program.cases if not c.ok]
    if not program.ok:
        said = f"{bad[0].name} {bad[0].note}".strip() if bad else program.note
        yield {"kind": "upstream", "text": f"upstream test failed: {said} ({program.note})"}
    elif program.note == "SKIP":
        if not run.may_skip(UPSTREAM_SKIP, program.name):
            yield {"kind": "skip", "text": "upstream test skipped, which the scenario "
                   f"does not allow ({UPSTREAM_SKIP}): {program.skip_note}"}
    elif program.note:
        yield {"kind": "unknown", "text": "upstream test: unknown outcome: ok with "
               f"'{program.note}'"}
    elif bad:
        yield {"kind": "upstream", "text": "upstream test passed, but a case of it failed: "
               + bad[0].name}
    elif not program.header:
        yield {"kind": "truncated", "text": "a result without any output before it"}
