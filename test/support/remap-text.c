/*
 * To be preloaded: puts the code of the executable into anonymous memory, as libraries do that put it on huge pages. It
 * is read from the file: a copy of memory would have the breakpoints of probes in it, which nobody handles there. Of
 * gomapgrow itself it moves nothing: its commands inherit the environment.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((constructor)) static void remap_text(void)
{
	char exe[4096], line[8192], permissions[8];
	unsigned long start, end, offset;
	int file = open("/proc/self/exe", O_RDONLY);
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *maps = fopen("/proc/self/maps", "r");

	if (length < 0 || !maps || file < 0)
		return;
	exe[length] = 0;
	if (strstr(exe, "/dist/gomapgrow"))
		return;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, permissions, &offset) != 4 || strcmp(permissions, "r-xp") || !strstr(line, exe))
			continue;
		void *copy = mmap(0, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pread(file, copy, end - start, offset) <= 0)
			return;
		mprotect(copy, end - start, PROT_READ | PROT_EXEC);
		mremap(copy, end - start, end - start, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start);
		break;
	}
	fclose(maps);
	close(file);
}
