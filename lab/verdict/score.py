# SPDX-License-Identifier: GPL-2.0-only
"""Sum up a mutation run for the terminal, as score.json, and as docs/mutation-score.md.

score.json, schema 2:
  schema, arch, accel, release, seed, repeat, seconds, exit
  unarmed   [{unarmed: before | after, verdict: pass | fail | broken}]
  mutants   [{name, clauses, kind, verdict, killed, of, seconds (median), by,
              without_log, hits, others, upstream, upstream_why}]
            verdict: the worst of the mutant's runs, as in mutation.py, or "missing"
  score     {killed, of, upstream, median}
"""

import json
import pathlib
import statistics
import time

SCHEMA = 2
# An unarmed run takes about as long as this many mutants, because it runs every test.
UNARMED_WEIGHT = 10
# The verdicts of a mutant, from best to worst.
VERDICTS = ("killed", "incidental", "survived", "unreached", "stillborn", "missing")


def _outcomes(directory):
    return [json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(directory.glob("**/outcome.json"))]


def progress(directory, outcome):
    """Return one line: what one machine found, how many are done, and the time left."""
    machines = (directory / "queue").read_text().splitlines()
    total, done = len(machines), len(list(directory.glob("**/outcome.json")))
    weight = {machine: UNARMED_WEIGHT if "/unarmed-" in machine else 1 for machine in machines}
    over = sum(w for machine, w in weight.items()
               if (pathlib.Path(machine) / "outcome.json").exists())
    passed = time.time() - (directory / "began").stat().st_mtime
    left = passed / max(over, 1) * (sum(weight.values()) - over)
    what = outcome.get("mutant") or f"unarmed {outcome.get('unarmed')}"
    if "upstream" in outcome:
        what = f"upstream's tests on {outcome['upstream']}"
    text = f"  [{done}/{total}, {left:.0f} s left] {what}: {outcome['verdict']}"
    if outcome.get("by"):
        text += f" in {outcome['seconds'] or 0:.1f} s by {_killer(outcome)}"
    return text


def _killer(row):
    return row["by"]["program"].partition(":")[2] + " " + row["by"]["clause"]


def _row(mutant, outcomes):
    """Return the row of one mutant."""
    runs = [o for o in outcomes if o.get("mutant") == mutant.name]
    upstream = [o for o in outcomes if o.get("upstream") == mutant.name]
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
            "upstream": upstream[0]["verdict"] if upstream else "-",
            "upstream_why": upstream[0]["why"] if upstream else ""}


def compose(directory, catalogue):
    """Return the score of the run in DIRECTORY as the dictionary that score.json holds."""
    outcomes = _outcomes(directory)
    settings = dict(line.split(" = ", 1) for line in
                    (directory / "options").read_text().splitlines())
    # A mutant that was queued and has no outcome is "missing", which is no kill.
    machines = (directory / "queue").read_text().splitlines()
    chosen = {pathlib.Path(machine).parent.name for machine in machines}
    rows = [_row(mutant, outcomes) for mutant in catalogue if mutant.name in chosen]
    unarmed = [{"unarmed": o["unarmed"], "verdict": o["verdict"]}
                for o in outcomes if "unarmed" in o]
    times = [row["seconds"] for row in rows if row["seconds"] is not None]
    good = rows and all(row["verdict"] == "killed" for row in rows) and \
        sorted(c["unarmed"] for c in unarmed if c["verdict"] == "pass") == ["after", "before"]
    booted = [o for o in outcomes if o.get("release")]
    return {"schema": SCHEMA, **settings,
            "accel": booted[0]["accel"] if booted else "",
            "release": booted[0]["release"] if booted else "",
            "seconds": round(time.time() - (directory / "began").stat().st_mtime),
            "unarmed": unarmed, "mutants": rows,
            "score": {"killed": sum(row["verdict"] == "killed" for row in rows),
                      "of": len(rows),
                      "upstream": sum(row["upstream"] == "killed" for row in rows)
                      if any(row["upstream"] != "-" for row in rows) else None,
                      "median": round(statistics.median(times), 1) if times else None},
            "exit": 0 if good else 1}


def _summary(result):
    score = result["score"]
    unarmed = ", ".join(f"{c['unarmed']} {c['verdict']}" for c in result["unarmed"])
    theirs = f"{score['upstream']} by upstream's tests" if score["upstream"] is not None else \
        "upstream's tests not run (--upstream)"
    return (f"{score['killed']} of {score['of']} mutants killed, {theirs}; "
            f"median {score['median']} s from boot to kill; unarmed: "
            f"{unarmed or 'none'}; {result['seconds']} s in all")


def _columns(row):
    verdict = row["verdict"] if row["of"] < 2 else \
        f"{row['verdict']} {row['killed']}/{row['of']}"
    return (row["name"], " ".join(row["clauses"]), verdict,
            _killer(row) if row["by"] else "-",
            "-" if row["seconds"] is None else f"{row['seconds']:.1f}",
            "yes" if row["without_log"] else "no", str(row["hits"]), row["upstream"])


COLUMNS = ("mutant", "must break", "verdict", "killed by", "seconds", "without log",
           "reached", "upstream")


def as_text(result):
    """Return the table for a terminal; it also says what failed on mutants not killed."""
    lines = [COLUMNS, *map(_columns, result["mutants"])]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    text = ["  ".join(word.ljust(width) for word, width in zip(line, widths)).rstrip()
            for line in lines]
    for row in result["mutants"]:
        if row["verdict"] != "killed":
            text.append(f"{row['verdict']}: {row['name']}")
            text += [f"    {other}" for other in row["others"]]
    return "\n".join([*text, _summary(result)]) + "\n"


PAGE_HEAD = """\
# Mutation score

A mutant is the reference kernel with one bug.  A test has to fail on it, of a clause that
the bug breaks.  `./run_all.sh --mutants --record` writes this page; do not edit it.
[lab/kernel/mutants](../lab/kernel/mutants) holds the bugs.  Each patch says what it breaks,
how the bug is reached and where a similar one was seen.

- *seconds*: from the start of QEMU to the kill
- *without log*: a test saw the bug itself, without a report in the kernel log
- *reached*: how often the code of the bug had run before the kill, as far as is known
- *upstream*: what upstream's own tests of guest_memfd say; *log* if they pass and the
  kernel complains
"""


def as_page(result):
    """Return docs/mutation-score.md."""
    lines = [PAGE_HEAD,
             f"Linux {result['release']}, {result['arch']}, {result['accel']}, seed "
             f"{result['seed']}: {_summary(result)}.", "",
             "| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(_columns(row)) + " |" for row in result["mutants"]]
    return "\n".join(lines) + "\n"
