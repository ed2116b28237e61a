# SPDX-License-Identifier: GPL-2.0-only
"""What became of all mutants: for the terminal, as JSON, and as docs/mutants.md.

mutants.json, schema 1:
  schema, arch, accel, release, seed, repeat, seconds, exit
  controls  [{control: before | after, verdict: pass | fail | broken}]
  mutants   [{name, clauses, kind, verdict, killed, of, seconds (median), by,
              without_log, hits, others, peers, peers_why}]
            verdict: the worst of its runs, as in mutants.py, or "missing"
  score     {killed, of, peers, median}
"""

import json
import pathlib
import statistics
import time

SCHEMA = 1
# How many mutants a control takes as long as.
CONTROL_WEIGHT = 10
# From the best to the worst.
VERDICTS = ("killed", "incidental", "survived", "unreached", "stillborn", "missing")


def _outcomes(directory):
    return [json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(directory.glob("**/outcome.json"))]


def progress(directory, outcome):
    """One line: what became of one, how many are done, and how long it may yet take."""
    machines = (directory / "queue").read_text().splitlines()
    total, done = len(machines), len(list(directory.glob("**/outcome.json")))
    # A control runs all there is.
    weight = {machine: CONTROL_WEIGHT if "/control-" in machine else 1 for machine in machines}
    over = sum(w for machine, w in weight.items()
               if (pathlib.Path(machine) / "outcome.json").exists())
    passed = time.time() - (directory / "began").stat().st_mtime
    left = passed / max(over, 1) * (sum(weight.values()) - over)
    what = outcome.get("mutant") or f"control {outcome.get('control')}"
    if "peers" in outcome:
        what = f"peers on {outcome['peers']}"
    text = f"  [{done}/{total}, {left:.0f} s left] {what}: {outcome['verdict']}"
    if outcome.get("by"):
        text += f" in {outcome['seconds'] or 0:.1f} s by {_who(outcome)}"
    return text


def _who(row):
    return row["by"]["program"].partition(":")[2] + " " + row["by"]["clause"]


def _mutant(mutant, outcomes):
    """The row of one mutant."""
    runs = [o for o in outcomes if o.get("mutant") == mutant.name]
    peers = [o for o in outcomes if o.get("peers") == mutant.name]
    worst = max((run["verdict"] for run in runs), key=VERDICTS.index, default="missing")
    killed = [run for run in runs if run["verdict"] == "killed"]
    times = [run["seconds"] for run in killed if run["seconds"] is not None]
    return {"name": mutant.name, "clauses": mutant.clauses, "kind": mutant.fields["Kind"],
            "verdict": worst, "killed": len(killed), "of": len(runs),
            "seconds": round(statistics.median(times), 1) if times else None,
            "by": killed[0]["by"] if killed else None,
            "without_log": bool(killed) and all(run["without_log"] for run in killed),
            "hits": max((run["hits"] for run in runs), default=0),
            "others": next((run["others"] for run in runs if run["verdict"] == worst), []),
            "peers": peers[0]["verdict"] if peers else "-",
            "peers_why": peers[0]["why"] if peers else ""}


def compose(directory, catalogue):
    """The whole result as the dictionary that mutants.json holds."""
    outcomes = _outcomes(directory)
    settings = dict(line.split(" = ", 1) for line in
                    (directory / "options").read_text().splitlines())
    # One that was to run and did not is missing, and no kill.
    machines = (directory / "queue").read_text().splitlines()
    chosen = {pathlib.Path(machine).parent.name for machine in machines}
    rows = [_mutant(mutant, outcomes) for mutant in catalogue if mutant.name in chosen]
    controls = [{"control": o["control"], "verdict": o["verdict"]}
                for o in outcomes if "control" in o]
    times = [row["seconds"] for row in rows if row["seconds"] is not None]
    good = rows and all(row["verdict"] == "killed" for row in rows) and \
        sorted(c["control"] for c in controls if c["verdict"] == "pass") == ["after", "before"]
    booted = [o for o in outcomes if o.get("release")]
    return {"schema": SCHEMA, **settings,
            "accel": booted[0]["accel"] if booted else "",
            "release": booted[0]["release"] if booted else "",
            "seconds": round(time.time() - (directory / "began").stat().st_mtime),
            "controls": controls, "mutants": rows,
            "score": {"killed": sum(row["verdict"] == "killed" for row in rows),
                      "of": len(rows),
                      "peers": sum(row["peers"] == "killed" for row in rows)
                      if any(row["peers"] != "-" for row in rows) else None,
                      "median": round(statistics.median(times), 1) if times else None},
            "exit": 0 if good else 1}


def _summary(result):
    score = result["score"]
    controls = ", ".join(f"{c['control']} {c['verdict']}" for c in result["controls"])
    theirs = f"{score['peers']} by upstream's tests" if score["peers"] is not None else \
        "upstream's tests not run (--peers)"
    return (f"{score['killed']} of {score['of']} mutants killed, {theirs}; "
            f"median {score['median']} s from boot to kill; controls: "
            f"{controls or 'none'}; {result['seconds']} s in all")


def _columns(row):
    verdict = row["verdict"] if row["of"] < 2 else \
        f"{row['verdict']} {row['killed']}/{row['of']}"
    return (row["name"], " ".join(row["clauses"]), verdict,
            _who(row) if row["by"] else "-",
            "-" if row["seconds"] is None else f"{row['seconds']:.1f}",
            "yes" if row["without_log"] else "no", str(row["hits"]), row["peers"])


COLUMNS = ("mutant", "must break", "verdict", "killed by", "seconds", "without log",
           "reached", "peers")


def as_text(result):
    """The table for a terminal, and what there is to know of those not killed."""
    lines = [COLUMNS, *map(_columns, result["mutants"])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    text = ["  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip()
            for line in lines]
    for row in result["mutants"]:
        if row["verdict"] != "killed":
            text.append(f"{row['verdict']}: {row['name']}")
            text += [f"    {other}" for other in row["others"]]
    return "\n".join([*text, _summary(result)]) + "\n"


def as_page(result):
    """docs/mutants.md."""
    lines = ["# Mutants", "",
             "The reference kernel with one bug each; every one has to make a test fail of a",
             "clause that it breaks.  Written by `./run_all.sh --mutants --record`; do not edit.",
             "The bugs are in [lab/kernel/mutants](../lab/kernel/mutants), each with what it",
             "breaks, how it is reached and where its like was seen.  *Seconds* are from the",
             "start of QEMU to the kill; *without log*: a test failed of what it saw itself,",
             "and not of a warning in the kernel log; *reached*: how often the bug had run by",
             "then, as far as is known; *peers*: upstream's own tests of guest_memfd, *log* if",
             "they pass and the kernel complains.", "",
             f"Linux {result['release']}, {result['arch']}, {result['accel']}, seed "
             f"{result['seed']}: {_summary(result)}.", "",
             "| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(_columns(row)) + " |" for row in result["mutants"]]
    return "\n".join(lines) + "\n"
