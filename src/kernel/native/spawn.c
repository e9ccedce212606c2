// SPDX-License-Identifier: Apache-2.0
/*
 * Starts a command that waits before its execve until it is told to go, so that its probes are in place before its first instruction.
 * The child is our forked copy until then; it calls async-signal-safe functions only.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct held {
	int32_t pid;
	int32_t go;     /* write end: one byte lets the child exec, closing it ends the child */
	int32_t failed; /* read end: errno of a failed execve, or end of file */
};

static void close_from(int first)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0u, 0) == 0)
		return;
#endif
	struct rlimit limit;
	int end = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 65536 ? (int)limit.rlim_cur : 65536;

	for (int fd = first; fd < end; fd++)
		close(fd);
}

/*
 * strings: argv and then envp, each string NUL-terminated, back to back in one block. stdout_fd becomes the child's standard output. nofile_soft: the soft RLIMIT_NOFILE to give back to the
 * child (the runtime we run in raises it), 0 to leave it. Returns 0 or -errno.
 */
EXPORT int gmg_spawn_held(const char *path, char *strings, uint32_t argc, uint32_t envc, int stdout_fd, uint64_t nofile_soft, struct held *held)
{
	char **argv = calloc((size_t)argc + envc + 2, sizeof(char *));
	char **envp = argv + argc + 1;
	int go[2], failed[2];
	pid_t pid;

	if (!argv)
		return -ENOMEM;
	for (uint32_t i = 0; i < argc + envc; i++) {
		(i < argc ? argv : envp)[i < argc ? i : i - argc] = strings;
		strings += strlen(strings) + 1;
	}
	if (pipe2(go, O_CLOEXEC)) {
		int saved = errno;
		free(argv);
		return -saved;
	}
	if (pipe2(failed, O_CLOEXEC)) {
		int saved = errno;
		close(go[0]);
		close(go[1]);
		free(argv);
		return -saved;
	}
	pid = fork();
	if (pid < 0) {
		int saved = errno;
		close(go[0]);
		close(go[1]);
		close(failed[0]);
		close(failed[1]);
		free(argv);
		return -saved;
	}
	if (pid == 0) {
		sigset_t none;
		char byte;

		/* Our handlers and ignored signals are not the command's. */
		for (int sig = 1; sig < NSIG; sig++)
			signal(sig, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (nofile_soft) {
			struct rlimit limit;
			if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
				limit.rlim_cur = nofile_soft;
				setrlimit(RLIMIT_NOFILE, &limit);
			}
		}
		if (stdout_fd != 1)
			dup2(stdout_fd, 1);
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(127);
		/* Keep the one descriptor that reports a failed execve; everything else of ours is closed. */
		dup2(failed[1], 3);
		fcntl(3, F_SETFD, FD_CLOEXEC);
		close_from(4);
		execve(path, argv, envp);
		int error = errno;
		if (write(3, &error, sizeof(error)) < 0)
			_exit(126);
		_exit(127);
	}
	close(go[0]);
	close(failed[1]);
	free(argv);
	held->pid = pid;
	held->go = go[1];
	held->failed = failed[0];
	return 0;
}

/* Lets the child exec; returns 0 when it did, or -errno of the execve. */
EXPORT int gmg_spawn_release(struct held *held)
{
	int error = 0;
	ssize_t n;

	if (write(held->go, "g", 1) != 1)
		error = errno;
	close(held->go);
	held->go = -1;
	if (!error) {
		do
			n = read(held->failed, &error, sizeof(error));
		while (n < 0 && errno == EINTR);
		if (n <= 0)
			error = 0;
	}
	close(held->failed);
	held->failed = -1;
	return -error;
}

/* Ends a child that has not been released. */
EXPORT void gmg_spawn_abandon(struct held *held)
{
	if (held->go >= 0)
		close(held->go);
	if (held->failed >= 0)
		close(held->failed);
	held->go = held->failed = -1;
	waitpid(held->pid, NULL, 0);
}

/* Has the child ended? 1 and its wait status in *status, 0 while it runs, -errno. Never blocks. */
EXPORT int gmg_wait(int pid, int32_t *status)
{
	int raw = 0;
	pid_t got = waitpid(pid, &raw, WNOHANG);

	if (got < 0)
		return -errno;
	*status = raw;
	return got == pid;
}
