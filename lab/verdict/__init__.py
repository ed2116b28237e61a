# SPDX-License-Identifier: GPL-2.0-only
"""The parts of lab/judge: evidence -> ktap, console -> rules -> report."""
