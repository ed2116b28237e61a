/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A test that goes on until it is told to stop, and then still has an outcome.
 *
 *	gmem_stop_begin();		in the constructor
 *	while (!gmem_stop_wanted())
 *		...
 *
 * From then on SIGINT and SIGTERM, sent to any process of the program, end nothing.
 */
#ifndef GMEM_STOP_H
#define GMEM_STOP_H

#include <stdbool.h>

/*
 * Blocks both signals in this process and those that it forks, and has a thread of
 * this process wait for them.  To be called before the harness forks, lest the signal
 * end the harness, which is what the terminal and timeout(1) send it to.
 */
void gmem_stop_begin(void);

/* True, in every process of the program, once a signal came; never without a begin. */
bool gmem_stop_wanted(void);

/* Of a child that is to run another program: signals are as usual again. */
void gmem_stop_forget(void);

#endif /* GMEM_STOP_H */
