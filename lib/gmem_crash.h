/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef GMEM_CRASH_H
#define GMEM_CRASH_H

/*
 * From now on a SIGSEGV, SIGBUS or SIGILL ends the case as broken, and says which address
 * was accessed by which instruction: with kvm_util's own handler it is not known
 * afterwards.  For this process and those it forks; a test that expects such a signal
 * takes it over.  Rests on sigaction(2); asserts nothing.
 */
void gmem_crash_report(void);

#endif /* GMEM_CRASH_H */
