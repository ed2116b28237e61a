# SPDX-License-Identifier: GPL-2.0-only
"""Read the mutants, choose which tests meet one first, and judge what became of it.

A mutant is a patch in lab/kernel/mutants whose message has the fields below.  It is
  killed      if one of our tests failed of a clause that the mutant breaks
  incidental  if something failed, but nothing of such a clause
  survived    if its code ran and nothing failed; a skip or a broken set-up is no failure
  unreached   if its code never ran, so that any failure has another cause
  stillborn   if no test ever began
"""

import dataclasses
import re

from . import cases, rules
from .contract import CLAUSES

FIELDS = ("Breaks", "Clause", "Reached", "Precedent", "Arch", "Kind")
OPTIONAL = ("Append", "Machine", "First", "Hangs")
KINDS = ("deterministic", "probabilistic")
ARCHITECTURES = ("all", "x86_64", "arm64")

SUBJECT = re.compile(r"Subject: \[PATCH\] mutant: ([a-z0-9]+(?:-[a-z0-9]+)*)$", re.MULTILINE)
FIELD = re.compile(r"^([A-Z][a-z]+): +(.*(?:\n +\S.*)*)$", re.MULTILINE)
ARMED = re.compile(r"gmem_mutant: (\S+) armed$", re.MULTILINE)
REACHED = re.compile(r"gmem_mutant: (\S+) reached(?: (\d+) times)?$", re.MULTILINE)


@dataclasses.dataclass
class Mutant:
    """One bug, as its patch describes it."""

    name: str
    clauses: list
    fields: dict

    def concerns(self, arch):
        """Tell whether the bug exists on this architecture."""
        return self.fields["Arch"] in ("all", arch)

    def hangs(self):
        """Tell whether tests notice the bug only when a wait of theirs times out."""
        return "Hangs" in self.fields

    def settings(self):
        """Return the lines of a scenario that arm it."""
        words = " ".join(filter(None, (f"gmem_mutant={self.name}", self.fields.get("Append"))))
        machine = [f"arg = {self.fields['Machine']}"] if "Machine" in self.fields else []
        return [f"mutant = {self.name}", f"must-fail = {' '.join(self.clauses)}",
                f"append = {words}", *machine]


def catalogue(root, wrong):
    """Return every Mutant of the checkout ROOT, in order; add complaints to WRONG."""
    found = []
    for patch in sorted((root / "lab" / "kernel" / "mutants").glob("*.patch")):
        text = patch.read_text(encoding="utf-8").partition("\n---\n")[0]
        name = SUBJECT.search(text)
        if not name:  # The first patch adds what all mutants need and is none itself.
            continue
        fields = {key: " ".join(value.split()) for key, value in FIELD.findall(text)
                  if key in FIELDS + OPTIONAL}
        mutant = Mutant(name[1], fields.get("Clause", "").split(), fields)
        wrong += [f"{patch.name}: {why}" for why in _wrong(mutant)]
        if mutant.name in [other.name for other in found]:
            wrong.append(f"{patch.name}: there are two of {mutant.name}")
        found.append(mutant)
    return found


def _wrong(mutant):
    for field in FIELDS:
        if not mutant.fields.get(field):
            yield f"does not say {field}"
    for clause in mutant.clauses:
        if clause not in CLAUSES:
            yield f"there is no clause {clause}"
    if mutant.fields.get("Kind") not in KINDS:
        yield f"Kind is not one of {', '.join(KINDS)}"
    if mutant.fields.get("Arch") not in ARCHITECTURES:
        yield f"Arch is not one of {', '.join(ARCHITECTURES)}"


def test_order(mutant, tests):
    """Return the names of all TESTS, those that most likely kill MUTANT first.

    Its own field First comes before tests that list it in Kills, and these come before
    tests of its clauses.
    """
    first = mutant.fields.get("First", "").split()
    return [test.name for test in sorted(tests, key=lambda test: (
        test.name not in first, mutant.name not in test.kills,
        not set(mutant.clauses) & set(test.clauses)))]


def kill_by_test(run, clauses):
    """Return the first case of RUN that failed of one of CLAUSES, or None."""
    for program in run.ktap.programs:
        for case in program.cases if program.ours() else ():
            found = cases.outcome(run, program, case)
            if found.kind == "fail" and found.clause in clauses:
                return {"program": program.name, "case": case.name,
                        "clause": found.clause, "text": found.text}
    return None


def kill_by_log(reasons, clauses):
    """Return the first hang or kernel report that breaks one of CLAUSES, or None."""
    for reason in reasons:
        if reason.kind in ("hang", "log", "panic") and reason.clause in clauses:
            return {"program": reason.program, "case": reason.case,
                    "clause": reason.clause, "text": reason.text}
    return None


def judge(run, console, ended):
    """Return what became of the mutant of RUN, as outcome.json has it.

    CONSOLE is the text of console.log, ENDED how many seconds the machine ran.
    """
    name, clauses = run.settings["mutant"], run.settings["must-fail"].split()
    # A machine that is stopped at the kill is truncated, which says nothing of the mutant.
    reasons = [] if not run.ktap.begun() else \
        [r for r in rules.apply(run) if r.verdict == "fail" and r.kind not in
         ("truncated", "nothing-passed", "plan", "exit-code", "skip")]
    killer = kill_by_test(run, clauses) or kill_by_log(reasons, clauses)
    hits = [int(times or 1) for who, times in REACHED.findall(console) if who == name]
    if not run.ktap.begun() or name not in ARMED.findall(console):
        verdict = "stillborn"
    elif not any(hits):  # The kernel also reports "reached 0 times" when it shuts down.
        verdict = "unreached"
    elif killer:
        verdict = "killed"
    else:
        verdict = "incidental" if reasons else "survived"
    return {"mutant": name, "verdict": verdict, "clauses": clauses, "hits": max(hits, default=0),
            "by": killer if verdict == "killed" else None,
            "seconds": ended if verdict == "killed" else None,
            # A report in the kernel log breaks C13 alone; a test itself saw any other clause.
            "without_log": verdict == "killed" and bool(
                kill_by_test(run, [clause for clause in clauses if clause != "C13"])),
            "others": [f"{r.clause} {r.program} {r.case}: {r.text}".strip()
                       for r in reasons][:10]}


def judge_upstream(run):
    """Return (verdict, why) of upstream's tests on a mutant.

    The verdict is "killed" if one of them failed, "log" if only the kernel complained,
    else "passed"; it is "nothing" if none of them began.
    """
    if not run.ktap.begun():
        return "nothing", "no test began"
    reasons = [r for r in rules.apply(run) if r.verdict == "fail"]
    failed = [r for r in reasons if r.kind in ("upstream", "hang", "truncated")]
    if failed:
        return "killed", f"{failed[0].program}: {failed[0].text}"
    return ("log", reasons[0].text) if reasons else ("passed", "")
