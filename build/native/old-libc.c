/*
 * Functions that the libraries' objects refer to when they are compiled against a newer C library than the oldest one that
 * the executable is for. Defined here, hidden, they keep those references out of the shared object.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

struct stat;

/* fstat and fstat64 became functions in glibc 2.33. On 64-bit machines the kernel's struct stat is the C library's. */
int fstat(int fd, struct stat *out)
{
	return (int)syscall(SYS_fstat, fd, out);
}

int fstat64(int fd, struct stat *out)
{
	return (int)syscall(SYS_fstat, fd, out);
}

/* fcntl became fcntl64 in glibc 2.28; every command's argument fits a long. */
int fcntl64(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return (int)syscall(SYS_fcntl, fd, command, argument);
}

/* From glibc 2.38 on _GNU_SOURCE turns these into the C23 versions, which differ in accepting "0b101". */
long __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

long long __isoc23_strtoll(const char *text, char **end, int base)
{
	return strtoll(text, end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
	return strtoull(text, end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...)
{
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = vsscanf(text, format, arguments);
	va_end(arguments);
	return count;
}

int __isoc23_fscanf(FILE *file, const char *format, ...)
{
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = vfscanf(file, format, arguments);
	va_end(arguments);
	return count;
}
