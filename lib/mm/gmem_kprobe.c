// SPDX-License-Identifier: GPL-2.0-only
/* One kprobe event in a trace instance of its own. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "case/gmem_alloc.h"
#include "case/gmem_file.h"
#include "case/gmem_restore.h"
#include "case/gmem_result.h"
#include "mm/gmem_kprobe.h"

#define TRACEFS	"/sys/kernel/tracing"
#define GROUP	"gmem"

struct gmem_kprobe {
	char event[48];		/* name, with the pid to make it unique */
	char dir[128];		/* of the trace instance */
	char event_dir[192];	/* of the event in the instance */
};

__printf(3, 4)
static void write_in(const char *dir, const char *file, const char *fmt, ...)
{
	char path[256], text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	gmem_file_write(path, text);
}

/* Defines the event, and arranges that it is deleted when the case ends. */
static void define(struct gmem_kprobe *probe, char kind, const char *definition)
{
	char text[256];
	int err;

	snprintf(text, sizeof(text), "%c:" GROUP "/%s %s\n", kind, probe->event, definition);
	err = __gmem_file_write(TRACEFS "/kprobe_events", text);
	if (err)
		gmem_skip(GMEM_SKIP_no_kprobes, "%s: %s", definition, strerror(-err));
	snprintf(text, sizeof(text), "-:" GROUP "/%s\n", probe->event);
	gmem_restore_write(TRACEFS "/kprobe_events", text);
}

struct gmem_kprobe *gmem_kprobe_create(const char *name, char kind, const char *definition,
				       const char *filter)
{
	struct gmem_kprobe *probe = gmem_zalloc(1, sizeof(*probe));

	if (!gmem_file_exists(TRACEFS "/kprobe_events"))
		gmem_skip_if(GMEM_SKIP_no_kprobes);
	snprintf(probe->event, sizeof(probe->event), "%s_%d", name, getpid());
	snprintf(probe->dir, sizeof(probe->dir), TRACEFS "/instances/gmem_%s", probe->event);
	snprintf(probe->event_dir, sizeof(probe->event_dir), "%s/events/" GROUP "/%s",
		 probe->dir, probe->event);
	define(probe, kind, definition);
	/* Arrange the removal first: mkdir() takes so long that the case may be killed in it. */
	gmem_restore_rmdir(probe->dir);
	if (mkdir(probe->dir, 0700))
		gmem_broken("%s: %m", probe->dir);
	write_in(probe->dir, "tracing_on", "0");
	write_in(probe->dir, "buffer_size_kb", "1024");
	write_in(probe->event_dir, "filter", "%s", filter);
	write_in(probe->event_dir, "enable", "1");
	return probe;
}

void gmem_kprobe_free(struct gmem_kprobe *probe)
{
	free(probe);
}

void gmem_kprobe_arm(struct gmem_kprobe *probe)
{
	char path[160];
	int fd;

	snprintf(path, sizeof(path), "%s/trace", probe->dir);
	/* Opening the file with O_TRUNC clears the trace; truncate(2) does not. */
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		gmem_broken("%s: %m", path);
	close(fd);
	write_in(probe->dir, "tracing_on", "1");
}

void gmem_kprobe_disarm(struct gmem_kprobe *probe)
{
	write_in(probe->dir, "tracing_on", "0");
}

/*
 * The case is BROKEN if the kernel missed hits of the probe, for example in nested probes.
 * A line of kprobe_profile is "event hits misses".
 */
static void check_missed(struct gmem_kprobe *probe)
{
	unsigned long hits, misses;
	char line[256], event[128];
	FILE *file;

	file = fopen(TRACEFS "/kprobe_profile", "re");
	if (!file)
		gmem_broken(TRACEFS "/kprobe_profile: %m");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%127s %lu %lu", event, &hits, &misses) == 3 &&
		    !strcmp(event, probe->event) && misses)
			gmem_broken("the kernel missed %lu hits of probe %s", misses, event);
	fclose(file);
}

/*
 * The case is BROKEN if the ring buffer dropped entries.  The header of the trace counts them:
 * "# entries-in-buffer/entries-written: 3/3   #P:2".
 */
static void check_lost(const char *line)
{
	unsigned long kept, written;

	if (sscanf(line, "# entries-in-buffer/entries-written: %lu/%lu", &kept, &written) == 2 &&
	    kept != written)
		gmem_broken("the trace buffer kept %lu of %lu events", kept, written);
	if (strstr(line, "LOST"))
		gmem_broken("the trace buffer lost events: %s", line);
}

void gmem_kprobe_for_each(struct gmem_kprobe *probe,
			  void (*fn)(const char *line, void *arg), void *arg)
{
	char path[160], line[512];
	FILE *file;

	check_missed(probe);
	snprintf(path, sizeof(path), "%s/trace", probe->dir);
	file = fopen(path, "re");
	if (!file)
		gmem_broken("%s: %m", path);
	while (fgets(line, sizeof(line), file)) {
		check_lost(line);
		if (line[0] != '#')
			fn(line, arg);
	}
	fclose(file);
}

u64 gmem_kprobe_value(const char *line, const char *key)
{
	char needle[40];
	const char *found;

	snprintf(needle, sizeof(needle), " %s=", key);
	found = strstr(line, needle);
	if (!found)
		gmem_broken("no \"%s\" in trace line: %s", needle, line);
	return strtoull(found + strlen(needle), NULL, 0);
}
