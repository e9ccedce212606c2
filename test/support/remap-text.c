/* To be preloaded: moves the code of the executable into anonymous memory, as libraries do that put it on huge pages. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((constructor)) static void remap_text(void)
{
	char exe[4096], line[8192], permissions[8];
	unsigned long start, end;
	ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	FILE *maps = fopen("/proc/self/maps", "r");

	if (length < 0 || !maps)
		return;
	exe[length] = 0;
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, permissions) != 3 || strcmp(permissions, "r-xp") || !strstr(line, exe))
			continue;
		void *copy = mmap(0, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		memcpy(copy, (void *)start, end - start);
		mprotect(copy, end - start, PROT_READ | PROT_EXEC);
		mremap(copy, end - start, end - start, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)start);
		break;
	}
	fclose(maps);
}
