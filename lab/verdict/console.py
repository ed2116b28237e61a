# SPDX-License-Identifier: GPL-2.0-only
"""Find lines on the serial console that the kernel must not print.

As in rcutorture's console-badness.sh, there is one list of patterns, and a list of
exceptions that says why each is harmless everywhere.  An exception for one scenario belongs
into the scenario, as allow-log.
"""

import dataclasses
import re

PANIC = re.compile(r"Kernel panic - not syncing")

BADNESS = re.compile("|".join((
    r"Kernel panic",
    r"\bBUG\b", r"\bWARNING:", r"\bOops\b", r"cut here",
    r"general protection fault", r"double fault", r"Internal error:",
    r"[Uu]nable to handle kernel", r"[Kk]ernel tried to",
    r"Call [Tt]race:", r"page allocation failure",
    r"KASAN", r"KMSAN", r"KCSAN", r"KFENCE", r"UBSAN", r"kmemleak: \d+ new",
    r"Bad page", r"Bad rss", r"Bad swap", r"pagealloc:", r"page dumped because",
    r"(list_add|list_del) corruption", r"refcount_t:",
    r"stack-protector", r"corrupted stack end",
    r"scheduling while atomic", r"sleeping function called",
    r"possible (circular|recursive|irq lock)", r"inconsistent lock state",
    r"suspicious RCU usage", r"bad unlock balance", r"held lock freed",
    r"lock held when returning", r"DEADLOCK", r"turning off the locking",
    r"blocked for more than", r"soft lockup", r"hard LOCKUP",
    r"workqueue lockup", r"detected stalls?", r"self-detected stall",
    r"rcu_\S+ kthread starved", r"irq \d+: nobody cared",
    r"invoked oom-killer", r"Out of memory",
    r"segfault at", r"traps: \S+\[\d+\]", r"unhandled exception",
    r"KVM (killed|bugged)", r"kvm.*internal error",
    r"taints kernel", r"due to kernel taint", r"Tainted: ",
)))

EXCEPTIONS = {
    r"Warning: unable to open an initial console":
        "the initramfs has no /dev/console; init opens its own",
    r"Failed to add ttynull console":
        "the kernel was built without a null console",
    r"(Spectre|RETBleed|ITS|TSA|MDS|TAA|SRBDS).*WARNING:":
        "the emulated CPU lacks a mitigation, which no test depends on",
    r"ACPI BIOS (Warning|Error) \(bug\)|\[Firmware (Bug|Warn)\]":
        "the virtual firmware has bugs, which no test depends on",
    r"page dumped because: (migration failure|isolation failed)":
        "memory offlining logs it for each page that it tries again",
    r"This means that this is a DEBUG kernel":
        "trace_printk() prints this banner",
}
HARMLESS = re.compile("|".join(EXCEPTIONS))

# These reports are followed by a stack, which is allowed if the first line is.
REPORT = re.compile(r"page allocation failure")
STACK = re.compile(r"Call [Tt]race:")

ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|c|\(B)")
# Every kernel logs this line first, after a time stamp and perhaps a task.
BANNER = re.compile(r"(?:\[[^]]*\]\s*)*Linux version (\S+) ")
MARKER = re.compile(r"gmem: begin (\S+)")
TESTS_BEGIN = re.compile(r"kselftest: Running tests in (\S+)")


@dataclasses.dataclass
class Report:
    """One bad line, and the case that was running when the kernel printed it."""

    line: int
    text: str
    case: str  # "" if no case had begun
    booting: bool


class Console:
    """A scanned console.log."""

    def __init__(self, allowed=()):
        self.reports = []
        self.panic = ""
        self.panic_line = 0
        self.last_line = ""
        self.release = ""  # of the kernel, as in uname -r
        self.lines = 0
        self._allowed = [re.compile(pattern) for pattern in allowed]
        self._case = ""
        self._booting = True
        self._excused = False  # whether the next stack belongs to a report that is allowed

    def feed(self, raw):
        """Check the next line of the console."""
        self.lines += 1
        line = printable(raw).strip()
        if not line:
            return
        self.last_line = line
        if BANNER.match(line) and not self.release:
            self.release = BANNER.match(line)[1]
        if MARKER.search(line):
            self._case = MARKER.search(line)[1]
        if TESTS_BEGIN.search(line) or self._case:
            self._booting = False
        if PANIC.search(line) and not self.panic:
            self.panic, self.panic_line = line, self.lines
        if not BADNESS.search(line):
            return
        if self._excused and STACK.search(line):
            self._excused = False
        elif self._harmless(line):
            self._excused = bool(REPORT.search(line))
        else:
            self._excused = False
            self.reports.append(Report(self.lines, line, self._case, self._booting))

    def _harmless(self, line):
        return HARMLESS.search(line) or any(p.search(line) for p in self._allowed)


def printable(text, limit=400):
    """Return TEXT without escapes and control characters, cut after LIMIT characters."""
    text = ESCAPES.sub("", text.rstrip("\r\n"))
    text = "".join(c if c.isprintable() or c == "\t" else "?" for c in text)
    return text if len(text) <= limit else text[:limit] + "..."
