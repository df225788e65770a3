/* SPDX-License-Identifier: MIT */
/* Child processes by posix_spawn: safe also when libraries have threads. */
#include "lib/sys/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "lib/sys/file.h"
#include "lib/sys/signals.h"
#include "lib/sys/watchdog.h"

#define REAP_PATIENCE_MS 500 /* for a killed child that hangs in the kernel; init reaps it after us */
#define SLICE_MAX_MS 20      /* between two looks at whether the child has ended */

extern char **environ;

struct run {
    const char *name;
    pid_t pid; /* and process group; 0 = reaped */
    int out, err_out;
    struct ib_buf *ret_out, *ret_err;
    int status; /* as waitpid gave it */
    struct ib_deadline deadline;
    struct ib_error *err;
};

static void run_fini(struct run *r)
{
    ib_cleanup_fd(&r->out);
    ib_cleanup_fd(&r->err_out);
    if (r->pid > 0) {
        ib_watchdog_set_child(0);
        (void)kill(-r->pid, SIGKILL);
        for (int waited = 0; waited < REAP_PATIENCE_MS; waited++) {
            pid_t got = waitpid(r->pid, NULL, WNOHANG);
            if (got != 0 && !(got < 0 && errno == EINTR)) {
                break;
            }
            (void)poll(NULL, 0, 1);
        }
    }
}

/* --- starting ---------------------------------------------------------------------------------- */

struct spawn_plan {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
};

static void plan_fini(struct spawn_plan *plan)
{
    (void)posix_spawn_file_actions_destroy(&plan->actions);
    (void)posix_spawnattr_destroy(&plan->attr);
}

/* Descriptors that our caller left open are not the child's business. */
static int close_the_rest(posix_spawn_file_actions_t *actions)
{
#if defined HAVE_POSIX_SPAWN_FILE_ACTIONS_ADDCLOSEFROM_NP
    return posix_spawn_file_actions_addclosefrom_np(actions, STDERR_FILENO + 1);
#else
    (void)actions;
    return 0;
#endif
}

static int plan_files(posix_spawn_file_actions_t *actions, int out, int err_out)
{
    int bad = posix_spawn_file_actions_addopen(actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);

    if (bad == 0) {
        bad = posix_spawn_file_actions_adddup2(actions, out, STDOUT_FILENO);
    }
    if (bad == 0) {
        bad = posix_spawn_file_actions_adddup2(actions, err_out, STDERR_FILENO);
    }
    return bad == 0 ? close_the_rest(actions) : bad;
}

static int plan_attributes(posix_spawnattr_t *attr)
{
    sigset_t all, none;
    int bad = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
                                                 POSIX_SPAWN_SETSIGMASK);

    (void)sigfillset(&all);
    (void)sigemptyset(&none);
    if (bad == 0) {
        bad = posix_spawnattr_setpgroup(attr, 0);
    }
    if (bad == 0) {
        bad = posix_spawnattr_setsigdefault(attr, &all);
    }
    return bad == 0 ? posix_spawnattr_setsigmask(attr, &none) : bad;
}

/* Spawn and tell the watchdog, with the signals that end us held back in between. Returns an errno value. */
static int spawn_watched(struct run *r, const struct spawn_plan *plan, char *const *argv,
                         char *const *environment)
{
    sigset_t hold, before;
    pid_t pid = 0;

    (void)sigemptyset(&hold);
    (void)sigaddset(&hold, SIGALRM);
    (void)sigaddset(&hold, SIGTERM);
    (void)sigaddset(&hold, SIGINT);
    (void)sigaddset(&hold, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &hold, &before);
    int bad = posix_spawnp(&pid, argv[0], &plan->actions, &plan->attr, argv,
                           environment == NULL ? environ : environment);
    if (bad == 0) {
        r->pid = pid;
        ib_watchdog_set_child(pid);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return bad;
}

static enum ib_rc start(struct run *r, const char *const *argv, char *const *environment)
{
    IB_CLEANUP(ib_cleanup_fd) int out_end = -1;
    IB_CLEANUP(ib_cleanup_fd) int err_end = -1;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ib_fail_errno(r->err, errno, "cannot make a pipe for %s", r->name);
    }
    r->out = ends[0];
    out_end = ends[1];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return ib_fail_errno(r->err, errno, "cannot make a pipe for %s", r->name);
    }
    r->err_out = ends[0];
    err_end = ends[1];
    if (fcntl(r->out, F_SETFL, O_NONBLOCK) != 0 || fcntl(r->err_out, F_SETFL, O_NONBLOCK) != 0) {
        return ib_fail_errno(r->err, errno, "cannot set up a pipe for %s", r->name);
    }
    struct spawn_plan plan;
    if (posix_spawn_file_actions_init(&plan.actions) != 0) {
        return ib_fail_nomem(r->err);
    }
    if (posix_spawnattr_init(&plan.attr) != 0) {
        (void)posix_spawn_file_actions_destroy(&plan.actions);
        return ib_fail_nomem(r->err);
    }
    int bad = plan_files(&plan.actions, out_end, err_end);
    if (bad == 0) {
        bad = plan_attributes(&plan.attr);
    }
    if (bad == 0) {
        /* exec does not change its arguments; the prototype is older than const. */
        bad = spawn_watched(r, &plan, (char *const *)(uintptr_t)argv, environment);
    }
    plan_fini(&plan);
    if (bad == ENOENT) {
        return ib_fail(r->err, IB_ENOENT, "there is no program %s%s", r->name,
                       strchr(r->name, '/') == NULL ? " in PATH" : "");
    }
    return bad == 0 ? IB_OK : ib_fail_errno(r->err, bad, "cannot run %s", r->name);
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Read what is there; closes *fd at its end. Errors: IB_ELIMIT, IB_ENOMEM, IB_ESYS. */
static enum ib_rc drain(struct run *r, int *fd, struct ib_buf *to, bool drop_rest)
{
    char block[4096];
    enum ib_rc rc = IB_OK;

    while (*fd >= 0 && rc == IB_OK) {
        ssize_t n = read(*fd, block, sizeof block);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            break;
        }
        if (n < 0) {
            rc = ib_fail_errno(r->err, errno, "cannot read what %s writes", r->name);
        } else if (n == 0) {
            ib_cleanup_fd(fd);
        } else {
            size_t room = to->max > to->len ? to->max - to->len : 0;
            size_t take = (size_t)n < room || !drop_rest ? (size_t)n : room;
            ib_buf_add(to, block, take);
            rc = ib_buf_ok(to, "its output", r->err);
            if (rc != IB_OK) {
                (void)ib_error_context(r->err, "%s", r->name);
            }
        }
        /* A program that never stops writing must not keep us from the deadline. */
        if (ib_deadline_passed(&r->deadline)) {
            break;
        }
    }
    if (to->secret) {
        explicit_bzero(block, sizeof block);
    }
    return rc;
}

/* Has it ended? Left a zombie until the watchdog has forgotten it, so that its number stays taken. */
static bool has_ended(const struct run *r)
{
    siginfo_t info = { 0 };

    return waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == r->pid;
}

static enum ib_rc reap(struct run *r)
{
    pid_t pid = r->pid;
    pid_t got;

    ib_watchdog_set_child(0);
    r->pid = 0;
    do {
        got = waitpid(pid, &r->status, 0);
    } while (got < 0 && errno == EINTR);
    return got == pid ? IB_OK : ib_fail_errno(r->err, errno, "cannot learn how %s ended", r->name);
}

static enum ib_rc check_time(const struct run *r)
{
    if (ib_signals_stop_requested()) {
        return ib_fail(r->err, IB_ETIMEOUT, "stopped by %s while %s was running",
                       ib_signals_stop_name(), r->name);
    }
    if (ib_deadline_passed(&r->deadline)) {
        return ib_fail(r->err, IB_ETIMEOUT, "%s did not end in time and was killed", r->name);
    }
    return IB_OK;
}

static enum ib_rc drain_both(struct run *r)
{
    enum ib_rc rc = drain(r, &r->out, r->ret_out, /* drop_rest= */ false);

    return rc == IB_OK ? drain(r, &r->err_out, r->ret_err, /* drop_rest= */ true) : rc;
}

static enum ib_rc follow(struct run *r)
{
    int slice = 1;

    for (;;) {
        /* Looked at first: what it wrote before its end is then in the pipes for sure. */
        bool ended = has_ended(r);
        enum ib_rc rc = drain_both(r);
        if (rc != IB_OK) {
            return rc;
        }
        if (ended) {
            return reap(r);
        }
        rc = check_time(r);
        if (rc != IB_OK) {
            return rc;
        }
        struct pollfd fds[] = {
            { .fd = r->out, .events = POLLIN },
            { .fd = r->err_out, .events = POLLIN },
            { .fd = ib_signals_stop_fd(), .events = POLLIN },
        };
        int quiet = poll(fds, IB_ARRAY_LEN(fds), ib_deadline_left_int(&r->deadline, slice));
        slice = quiet == 0 && slice < SLICE_MAX_MS ? slice + 1 : quiet == 0 ? slice : 1;
    }
}

enum ib_rc ib_child_run(const char *const *argv, const struct ib_child_options *options,
                        struct ib_buf *ret_out, struct ib_buf *ret_err, int *ret_status,
                        struct ib_error *err)
{
    IB_CLEANUP(run_fini) struct run r = { .name = argv[0],
                                          .out = -1,
                                          .err_out = -1,
                                          .ret_out = ret_out,
                                          .ret_err = ret_err,
                                          .deadline = options->deadline,
                                          .err = err };
    enum ib_rc rc = check_time(&r);

    if (rc == IB_OK) {
        rc = start(&r, argv, options->environment);
    }
    if (rc == IB_OK) {
        rc = follow(&r);
    }
    if (rc == IB_OK) {
        *ret_status = WIFEXITED(r.status) ? WEXITSTATUS(r.status) : 128 + WTERMSIG(r.status);
    }
    return rc;
}
