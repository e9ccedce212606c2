/*
 * What Debian's libstdc++ and libgcc_s (bookworm) ask of glibc beyond what musl has, under the name of glibc's loader, which they ask for. Nothing of it is in the
 * way of a program that throws no exceptions and leaves its threads to the end of the process, as Bun does.
 */
#include <stddef.h>

size_t strftime_l(char *, size_t, const char *, const void *, void *);

char __libc_single_threaded;
unsigned __cpu_model[4];

int __cpu_indicator_init(void)
{
	return 0;
}

unsigned arc4random(void)
{
	return 4;
}

int _dl_find_object(void *address, void *result)
{
	(void)address;
	(void)result;
	return -1;
}

size_t __strftime_l(char *text, size_t size, const char *format, const void *time, void *locale)
{
	return strftime_l(text, size, format, time, locale);
}

int __cxa_thread_atexit_impl(void (*destructor)(void *), void *object, void *library)
{
	(void)destructor;
	(void)object;
	(void)library;
	return 0;
}
