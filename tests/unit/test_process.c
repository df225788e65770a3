/* SPDX-License-Identifier: MIT */
/* lib/sys/process.c: the living, the dead, and numbers that were given to another. */
#include "ib_fork.h"

#include <poll.h>
#include <sys/prctl.h>

#include "lib/sys/process.h"

static void this_process_is_alive(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_process self;

    assert_ok(ib_process_self(&self, &err), &err);
    assert_int_equal(self.pid, getpid());
    assert_int_equal(strlen(self.boot_id), 36);
    assert_int_equal(ib_process_life(&self), IB_PROCESS_ALIVE);
}

static void the_same_number_with_another_start_is_gone(void **state)
{
    (void)state;
    struct ib_process self;

    assert_int_equal(ib_process_self(&self, NULL), IB_OK);
    self.start_ticks++;
    assert_int_equal(ib_process_life(&self), IB_PROCESS_GONE);
}

static void the_same_number_of_another_boot_is_gone(void **state)
{
    (void)state;
    struct ib_process self;

    assert_int_equal(ib_process_self(&self, NULL), IB_OK);
    self.boot_id[0] = self.boot_id[0] == 'a' ? 'b' : 'a';
    assert_int_equal(ib_process_life(&self), IB_PROCESS_GONE);
}

static void tell_who(void *arg)
{
    struct ib_process self;

    (void)arg;
    /* A name that would fool a careless reader of /proc/PID/stat. */
    (void)prctl(PR_SET_NAME, ") Z 1 2 (", 0, 0, 0);
    if (ib_process_self(&self, NULL) != IB_OK || write(1, &self, sizeof self) != (ssize_t)sizeof self) {
        return;
    }
    (void)poll(NULL, 0, 60000);
}

static void a_child_is_alive_then_a_zombie_then_gone(void **state)
{
    (void)state;
    struct ib_process child;
    siginfo_t info;
    int fd;
    pid_t pid = ib_fork_start(tell_who, NULL, &fd);

    assert_int_equal(read(fd, &child, sizeof child), sizeof child);
    assert_int_equal(child.pid, pid);
    assert_int_equal(ib_process_life(&child), IB_PROCESS_ALIVE);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(ib_process_life(&child), IB_PROCESS_GONE);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(ib_process_life(&child), IB_PROCESS_GONE);
    (void)close(fd);
}

int main(void)
{
    IB_TEST_CASE(this_process_is_alive);
    IB_TEST_CASE(the_same_number_with_another_start_is_gone);
    IB_TEST_CASE(the_same_number_of_another_boot_is_gone);
    IB_TEST_CASE(a_child_is_alive_then_a_zombie_then_gone);
    return IB_TEST_RUN();
}
