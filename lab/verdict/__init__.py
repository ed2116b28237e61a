# SPDX-License-Identifier: GPL-2.0-only
"""The parts of lab/judge and lab/mutation-job.

lab/judge: evidence reads a run with ktap and console, rules judges it, report writes the
verdict.  lab/mutation-job: mutation judges one mutant, score all of them.
"""
