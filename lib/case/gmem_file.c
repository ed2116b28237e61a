// SPDX-License-Identifier: GPL-2.0-only
/* Reads and writes small files of procfs, sysfs and tracefs, which hold one value each. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "case/gmem_file.h"
#include "case/gmem_result.h"

int __gmem_file_read(const char *path, char *buf, size_t size)
{
	ssize_t len;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, buf, size - 1);
	err = errno;
	close(fd);
	if (len < 0)
		return -err;
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len;
}

long gmem_file_read_long(const char *path)
{
	char buf[64], *end;
	long value;
	int len;

	len = __gmem_file_read(path, buf, sizeof(buf));
	if (len < 0)
		gmem_broken("%s: %s", path, strerror(-len));
	value = strtol(buf, &end, 0);
	if (end == buf)
		gmem_broken("%s holds \"%s\", not a number", path, buf);
	return value;
}

int __gmem_file_write(const char *path, const char *text)
{
	ssize_t len;
	int fd, err;

	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	err = errno;
	close(fd);
	return len < 0 ? -err : 0;
}

void gmem_file_write(const char *path, const char *text)
{
	int err = __gmem_file_write(path, text);

	if (err)
		gmem_broken("writing \"%s\" to %s: %s", text, path, strerror(-err));
}

bool gmem_file_exists(const char *path)
{
	return access(path, F_OK) == 0;
}
