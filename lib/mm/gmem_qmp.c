// SPDX-License-Identifier: GPL-2.0-only
/* QMP: the QEMU monitor of the machine that this kernel runs on. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case/gmem_deadline.h"
#include "case/gmem_result.h"
#include "mm/gmem_qmp.h"

/* The reply with all memory devices is shorter than this. */
#define MAX_REPLY 16384

/* Only the reply to a command that succeeded has this key. */
#define RETURN "\"return\": "

enum gmem_skip_reason gmem_qmp_missing(void)
{
	return getenv("GMEM_QMP") ? GMEM_SKIP_none : GMEM_SKIP_no_qmp;
}

/*
 * Reads a line without its newline into @line, and drops what exceeds @size.  Returns 0 or
 * -errno.
 */
static int read_line(int fd, struct gmem_deadline *deadline, char *line, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	size_t len = 0;
	ssize_t got;
	char c = 0;

	while (c != '\n') {
		got = read(fd, &c, 1);
		if (got == 1) {
			if (len < size - 1)
				line[len++] = c;
			continue;
		}
		if (got < 0 && errno != EAGAIN)
			return -errno;
		if (!gmem_deadline_poll(deadline))
			return -ETIME;
		poll(&ready, 1, 100);
	}
	line[len] = '\0';
	return 0;
}

/*
 * Reads lines until one has @id.  Other lines are the greeting, events, and replies that an
 * earlier user of the port has not read.
 */
static int wait_for_reply(int fd, const char *id, char *line, size_t size)
{
	struct gmem_deadline deadline = gmem_deadline_in(GMEM_SLOW_TIMEOUT_S);
	int err;

	do {
		err = read_line(fd, &deadline, line, size);
	} while (!err && !strstr(line, id));
	return err;
}

static int run(int fd, const char *command, const char *arguments, char *line, size_t size)
{
	static unsigned int serial;
	char id[48], text[512];
	int len, err;

	snprintf(id, sizeof(id), "\"gmem-%d-%u\"", getpid(), serial++);
	len = snprintf(text, sizeof(text), "{\"execute\": \"%s\", \"arguments\": %s, \"id\": %s}\n",
		       command, arguments, id);
	if (len >= (int)sizeof(text))
		return -E2BIG;
	if (write(fd, text, len) != len)
		return errno ? -errno : -EIO;
	err = wait_for_reply(fd, id, line, size);
	if (!err && !strstr(line, RETURN))
		err = -EREMOTEIO;
	return err;
}

int __gmem_qmp(const char *command, const char *arguments, char *reply, size_t size)
{
	const char *port = getenv("GMEM_QMP");
	static bool negotiated;
	int fd, err = 0;

	if (!port)
		return -ENODEV;
	fd = open(port, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* An error in the reply means that an earlier user of the port has negotiated. */
	if (!negotiated)
		err = run(fd, "qmp_capabilities", "{}", reply, size);
	negotiated = !err || err == -EREMOTEIO;
	if (negotiated)
		err = run(fd, command, arguments, reply, size);
	close(fd);
	return err;
}

void gmem_qmp(const char *command, const char *arguments, char *reply, size_t size)
{
	int err = __gmem_qmp(command, arguments, reply, size);

	if (err)
		gmem_broken("QMP: %s %s: %s (%.300s)", command, arguments, strerror(-err),
			    err == -EREMOTEIO ? reply : "");
}

int __gmem_qmp_get(const char *device, const char *property, u64 *value)
{
	char arguments[128], reply[256];
	int err;

	snprintf(arguments, sizeof(arguments),
		 "{\"path\": \"/machine/peripheral/%s\", \"property\": \"%s\"}", device, property);
	err = __gmem_qmp("qom-get", arguments, reply, sizeof(reply));
	if (!err)
		*value = strtoull(strstr(reply, RETURN) + strlen(RETURN), NULL, 10);
	return err;
}

u64 gmem_qmp_get(const char *device, const char *property)
{
	u64 value = 0;
	int err = __gmem_qmp_get(device, property, &value);

	if (err)
		gmem_broken("QMP: reading %s of %s: %s", property, device, strerror(-err));
	return value;
}

int __gmem_qmp_set(const char *device, const char *property, u64 value)
{
	char arguments[160], reply[256];

	snprintf(arguments, sizeof(arguments),
		 "{\"path\": \"/machine/peripheral/%s\", \"property\": \"%s\", \"value\": %lu}",
		 device, property, value);
	return __gmem_qmp("qom-set", arguments, reply, sizeof(reply));
}

void gmem_qmp_set(const char *device, const char *property, u64 value)
{
	int err = __gmem_qmp_set(device, property, value);

	if (err)
		gmem_broken("QMP: setting %s of %s: %s", property, device, strerror(-err));
}

bool gmem_qmp_has_memory(const char *device)
{
	char id[64], reply[MAX_REPLY];

	gmem_qmp("query-memory-devices", "{}", reply, sizeof(reply));
	snprintf(id, sizeof(id), "\"id\": \"%s\"", device);
	return strstr(reply, id);
}
