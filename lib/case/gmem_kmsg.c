// SPDX-License-Identifier: GPL-2.0-only
/* The kernel-log guard: looks for reports and taint since a mark. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "case/gmem_file.h"
#include "case/gmem_kmsg.h"
#include "case/gmem_result.h"

/* A record of the log with one of these texts is a report of a kernel bug. */
static const char * const reports[] = {
	"WARNING: ", "BUG: ", "kernel BUG at", "Oops", "Bad page", "pagealloc:",
	"INFO: task ", "INFO: rcu", "soft lockup", "possible circular locking",
	"possible recursive locking", "list_add corruption", "list_del corruption",
	"refcount_t:", "general protection fault", "KASAN:", "UBSAN:",
};

static int kmsg = -1;
static long taint;
static bool marked;		/* the mark was read back, so that no later record is missing */

static long read_taint(void)
{
	return gmem_file_read_long("/proc/sys/kernel/tainted");
}

void gmem_kmsg_mark(const char *name)
{
	char line[320];
	int len;

	taint = read_taint();
	kmsg = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (kmsg < 0)
		gmem_broken("/dev/kmsg: %m");
	lseek(kmsg, 0, SEEK_END);
	len = snprintf(line, sizeof(line), "gmem: begin %s\n", name);
	if (write(kmsg, line, len) < 0)
		gmem_broken("/dev/kmsg: %m");
}

void gmem_kmsg_check_at(const struct gmem_location *at)
{
	char record[1024], *text;
	ssize_t len;

	/* Each read returns one record: "prio,seq,time,flags;text". */
	while ((len = read(kmsg, record, sizeof(record) - 1)) > 0) {
		record[len] = '\0';
		text = strchr(record, ';');
		marked |= !!strstr(record, "gmem: begin ");
		for (size_t i = 0; i < sizeof(reports) / sizeof(*reports); i++)
			if (strstr(record, reports[i]))
				gmem_fail_at(at, GMEM_DIAGNOSTICS, "kernel log: %s",
					     text ? text + 1 : record);
	}
	if (errno == EPIPE)
		gmem_broken_at(at, "the kernel log overflowed during the case");
	if (errno != EAGAIN)
		gmem_broken_at(at, "/dev/kmsg: %m");
	if (!marked)
		gmem_broken_at(at, "the kernel log lacks the mark that was written to it");
	if (read_taint() != taint)
		gmem_fail_at(at, GMEM_DIAGNOSTICS, "taint went from %#lx to %#lx", taint,
			     read_taint());
}
