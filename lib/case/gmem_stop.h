/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test that goes on until somebody sends it a signal, and then still reports an outcome.
 *
 *	gmem_stop_begin();		in the constructor
 *	while (!gmem_stop_wanted())
 *		...
 *
 * After gmem_stop_begin() SIGINT and SIGTERM end no process of the program.  They only make
 * gmem_stop_wanted() return true, whichever process gets them.
 */
#ifndef GMEM_STOP_H
#define GMEM_STOP_H

#include <stdbool.h>

/*
 * Blocks both signals in this process and in those that it forks, and starts a thread that waits
 * for them.  A test calls this before the harness forks, because a terminal and timeout(1) send
 * the signal to the harness's process, too, and must not end it.
 */
void gmem_stop_begin(void);

/*
 * Whether a signal came, to any process of the program.  This is always false unless
 * gmem_stop_begin() was called.
 */
bool gmem_stop_wanted(void);

/* Unblocks both signals in a child that is about to run another program. */
void gmem_stop_forget(void);

#endif /* GMEM_STOP_H */
