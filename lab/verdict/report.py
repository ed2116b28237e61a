# SPDX-License-Identifier: GPL-2.0-only
"""Write verdict.json for programs, verdict.txt for people, and one log per test.

verdict.json, schema 2 (the number changes when a field is renamed or removed):
  schema, scenario, kernel, expect, arch, accel, seed, tree, linux
  release   of the kernel, from its own log; "" if the log does not have it
  verdict   pass | fail | broken          exit      0 | 1 | 2
  reasons   [{verdict, kind, clause, title, program, case, text, log, line, location}]
            kind: not-run panic hang boot qemu input truncated plan sequence duplicate
            exit-code contract broken unknown vacuous skip nothing-passed log upstream
  counts    {guest_memfd: {pass, fail, known, broken, skip} in cases,
             upstream: {pass, fail, skip} in programs}
  tally     {key: sum over the cases that passed}
  known_issues  [{id, clause, title, versions, evidence, occurred, did_not_occur}]
            issues that this kernel may have; the last two list cases, as program/case
  programs  [{name, group, outcome, cases, skip}], in the order they ran
            outcome: pass fail known skip unfinished; "known" if nothing but known issues failed
  cases     [{program, case, outcome, slug, clause, text, tally, issue, location}]
  location  {file, line, function} of the code that ended the case, or null
"""

import collections
import dataclasses
import json
import os
import re
import shlex

from . import cases, contract
from .console import printable

SCHEMA = 2
SHOWN = 40  # verdict.txt has at most this many reasons; verdict.json has all
EXITS = {"pass": 0, "fail": 1, "broken": 2}
ECHOED = ("kernel", "expect", "arch", "accel", "seed", "tree", "linux")


def remove_old(run_dir):
    """Remove the old verdict, so that a judge that dies leaves none behind."""
    for name in ("verdict.json", "verdict.txt"):
        (run_dir / name).unlink(missing_ok=True)


def compose(run, reasons):
    """Return the verdict as the dictionary that verdict.json holds."""
    found = {reason.verdict for reason in reasons}
    verdict = "fail" if "fail" in found else "broken" if found else "pass"
    per_case = _cases(run)
    return {
        "schema": SCHEMA,
        "scenario": run.name,
        **{key: run.settings.get(key, "") for key in ECHOED},
        **{key: run.settings[key] for key in ("profile",) if run.settings.get(key)},
        "release": printable(run.release),
        "verdict": verdict,
        "exit": EXITS[verdict],
        "reasons": [{**dataclasses.asdict(reason), "text": printable(reason.text),
                     "title": contract.title(reason.clause)} for reason in reasons],
        "counts": _counts(run, per_case),
        "tally": _tally(per_case),
        "known_issues": [_known_issue(issue, per_case) for issue in run.issues],
        "programs": _programs(run),
        "cases": per_case,
    }


def _cases(run):
    rows = []
    for program in run.ktap.programs:
        for case in program.cases if program.ours() else ():
            found = cases.outcome(run, program, case)
            rows.append({
                "program": program.name, "case": case.name,
                "outcome": "fail" if found.kind == "unknown" else found.kind,
                "slug": found.slug, "clause": found.clause,
                "text": printable(found.text), "tally": case.tally,
                "issue": found.issue, "location": case.location})
    return rows


def _known_issue(issue, per_case):
    """Return an issue with the cases that failed of it, and those that passed in spite of it."""
    occurred = [row for row in per_case if row["issue"] == issue.name]
    # A case that did nothing has not shown that the issue is gone.
    passed = [row for row in per_case
              if row["outcome"] == "pass" and any(row["tally"].values())
              and issue.names(row["program"], row["case"])]
    return {"id": issue.name, "clause": issue.clause,
            "title": contract.title(issue.clause), "versions": issue.versions,
            "evidence": [printable(line) for line in issue.evidence],
            "occurred": [f"{row['program']}/{row['case']}" for row in occurred],
            "did_not_occur": [f"{row['program']}/{row['case']}" for row in passed]}


def _programs(run):
    rows = []
    for program in run.ktap.programs:
        outcome = "fail" if not program.ok else "pass"
        if program.ok is None:
            outcome = "unfinished"
        elif program.ours() and cases.only_known(run, program):
            outcome = "known"
        elif program.ok and program.note == "SKIP":
            outcome = "skip"
        rows.append({"name": program.name,
                     "group": "guest_memfd" if program.ours() else "upstream",
                     "outcome": outcome, "cases": len(program.cases),
                     "skip": program.skip_note})
    return rows


def _counts(run, per_case):
    ours = collections.Counter(row["outcome"] for row in per_case)
    upstream = collections.Counter("fail" if row["outcome"] == "unfinished"
                                   else row["outcome"] for row in _programs(run)
                                   if row["group"] == "upstream")
    return {"guest_memfd": {k: ours[k] for k in ("pass", "fail", "known", "broken", "skip")},
            "upstream": {k: upstream[k] for k in ("pass", "fail", "skip")}}


def _tally(per_case):
    total = collections.Counter()
    for row in per_case:
        if row["outcome"] == "pass":
            total.update(row["tally"])
    return dict(sorted(total.items()))


def as_text(verdict):
    """Return verdict.txt: the verdict, the reasons, then known issues and skips."""
    counts = verdict["counts"]
    ours = ", ".join(f"{n} {k}" for k, n in counts["guest_memfd"].items() if n)
    upstream = ", ".join(f"{n} {k}" for k, n in counts["upstream"].items() if n)
    lines = [f"{verdict['verdict'].upper()}: {verdict['scenario']} "
             f"(kernel {verdict['kernel'] or '?'}, expect {verdict['expect'] or '?'}, "
             f"seed {verdict['seed'] or '?'})",
             f"  cases: {ours or 'none'}; upstream: {upstream or 'none'}"]
    lines += _reasons(verdict)
    lines += _known_issues(verdict)
    lines += _skips(verdict)
    if verdict["tally"]:
        lines.append("  done: " + " ".join(f"{k}={n}" for k, n in verdict["tally"].items()))
    return "\n".join(lines) + "\n"


def _reasons(verdict):
    """Return the lines of all reasons, with one command for each program that repeats it."""
    lines, shown = [], set()
    for reason in verdict["reasons"][:SHOWN]:
        lines += _reason(reason)
        program = reason["program"]
        if reason["verdict"] == "fail" and program and program not in shown:
            shown.add(program)
            lines.append("    again: " + _again(verdict, program))
    hidden = len(verdict["reasons"]) - SHOWN
    return lines + [f"  and {hidden} more, in verdict.json"] * (hidden > 0)


def _reason(reason):
    """Return the lines of one reason: the case, what is wrong, and where to see it."""
    who = [reason["title"], reason["program"], reason["case"]]
    where = reason["log"] + (f":{reason['line']}" if reason["line"] else "")
    head = " ".join([f"  {reason['verdict']}:", *filter(None, who)])
    text = reason["text"] + (f" [{where}]" if where else "")
    if not any(who):
        return [f"{head} {text}"]
    return [head, f"    {text}", *_location(reason["location"])]


def _location(location):
    """Yield where the code is.  No two files of the suite have the same base name."""
    if location:
        file = location["file"].rpartition("/")[2]
        yield f"    at {file}:{location['line']} in {location['function']}()"


def _again(verdict, program):
    words = ["./run_all.sh"]
    if verdict["kernel"] == "host":
        words += ["--host", "--i-know-this-moves-memory"]
    for key in ("kernel", "tree", "linux", "expect"):
        if verdict[key] and (key != "kernel" or verdict[key] not in ("host", "tree")):
            words += [f"--{key}", verdict[key]]
    if verdict.get("profile"):
        words += ["--profile", verdict["profile"]]
    if verdict.get("profile") != "soak":
        words += ["--only", program.partition(":")[2]]
    if verdict["seed"]:
        words += ["--seed", verdict["seed"]]
    return shlex.join(words)


def _known_issues(verdict):
    """Return the lines of known issues: those that occurred, and those that did not.

    An issue that no longer occurs should be taken off the list.
    """
    lines = []
    for issue in verdict["known_issues"]:
        rows = [row for row in verdict["cases"] if row["issue"] == issue["id"]]
        if rows:
            lines += [f"  known issue {issue['id']} occurred in {_number(rows)}, first: "
                      f"{issue['title']} {rows[0]['program']} {rows[0]['case']}",
                      f"    {rows[0]['text']}",
                      *_location(rows[0]["location"]),
                      *(f"    evidence: {line}" for line in issue["evidence"])]
        if issue["did_not_occur"]:
            lines.append(f"  known issue {issue['id']} did not occur in "
                         f"{_number(issue['did_not_occur'])} that passed, first: "
                         + issue["did_not_occur"][0].replace("/", " "))
    return lines


def _number(found):
    return f"{len(found)} case" + "s" * (len(found) != 1)


def _skips(verdict):
    """Return a line for each reason to skip: how often, and in which tests."""
    found = collections.defaultdict(list)
    for row in verdict["cases"]:
        if row["outcome"] == "skip":
            found[row["slug"] or "(no reason)"].append(row)
    lines = []
    for slug, rows in sorted(found.items()):
        names = sorted({row["program"].partition(":")[2] for row in rows})
        lines.append(f"  skipped {len(rows)}: {slug} in {', '.join(names)}: "
                     f"{rows[0]['text']}")
    for row in verdict["programs"]:
        if row["group"] == "upstream" and row["outcome"] == "skip":
            lines.append(f"  skipped upstream test {row['name']}: {row['skip']}")
    return lines


def write(run_dir, verdict, text, logs):
    """Write everything; verdict.json comes last, in one step, so that it is never partial."""
    (run_dir / "logs").mkdir(exist_ok=True)
    for old in (run_dir / "logs").glob("*.log"):
        old.unlink()
    for program, lines in logs:
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", program.partition(":")[2])
        with open(run_dir / "logs" / f"{name}.log", "a", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
    (run_dir / "verdict.txt").write_text(text, encoding="utf-8")
    temporary = run_dir / "verdict.json.tmp"
    temporary.write_text(json.dumps(verdict, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, run_dir / "verdict.json")
