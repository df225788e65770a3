/* SPDX-License-Identifier: MIT */
/* lib/sys/file.c: what is read and refused, writing in one step, private directories, locks. */
#include "ib_fork.h"

#include <dirent.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/base/time.h"
#include "lib/sys/file.h"

/* A scratch directory per test, the working directory while it runs. */
static char scratch[] = "/tmp/ib-file.XXXXXX";

static int enter(void **state)
{
    (void)state;
    memcpy(scratch + strlen(scratch) - 6, "XXXXXX", 6);
    return mkdtemp(scratch) != NULL && chdir(scratch) == 0 ? 0 : -1;
}

static int remove_below(const char *dir)
{
    DIR *d = opendir(dir);

    for (struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        char path[PATH_MAX];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        if (snprintf(path, sizeof path, "%s/%s", dir, e->d_name) >= (int)sizeof path) {
            return -1;
        }
        if (unlink(path) != 0) {
            (void)remove_below(path);
        }
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return rmdir(dir);
}

static int leave(void **state)
{
    (void)state;
    return chdir("/") == 0 ? remove_below(scratch) : -1;
}

static void make(const char *name, const char *content, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static const char *content_of(const char *name)
{
    static char text[256];
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    (void)close(fd);
    text[n < 0 ? 0 : n] = '\0';
    return n < 0 ? NULL : text;
}

/* --- reading: one row, one file and the options it is read with --------------------------------- */

enum kind { FILE_, MISSING, DIRECTORY, FIFO, SOCKET, LINK, HARD_LINK, DEVICE, LOOP, FOREIGN };
struct row {
    const char *name;
    enum kind kind;
    mode_t mode;
    struct ib_file_options options;
    enum ib_rc rc;
    const char *error; /* part of the sentence */
};
static const struct row rows[] = {
    { "a_file_is_read", FILE_, 0644, { 0 }, IB_OK, NULL },
    { "a_missing_file", MISSING, 0, { 0 }, IB_ENOENT, "x does not exist" },
    { "a_directory_is_refused", DIRECTORY, 0700, { 0 }, IB_ECONFIG, "x is a directory, not a regular file" },
    { "a_fifo_is_refused_and_does_not_block", FIFO, 0600, { 0 }, IB_ECONFIG, "x is a FIFO" },
    { "a_socket_is_refused", SOCKET, 0600, { 0 }, IB_ECONFIG, "x is a socket" },
    { "a_device_is_refused", DEVICE, 0600, { 0 }, IB_ECONFIG, "is a device, not a regular file" },
    { "a_link_is_followed", LINK, 0600, { 0 }, IB_OK, NULL },
    { "a_link_may_be_refused", LINK, 0600, { .no_symlink = true }, IB_ECONFIG, "x is a symbolic link" },
    { "a_loop_of_links", LOOP, 0600, { 0 }, IB_ECONFIG, "x is a symbolic link" },
    { "a_second_hard_link_may_be_refused", HARD_LINK, 0600, { .no_symlink = true }, IB_ECONFIG,
      "x has 2 hard links" },
    { "a_second_hard_link_is_read_otherwise", HARD_LINK, 0600, { 0 }, IB_OK, NULL },
    { "private_0600", FILE_, 0600, { .need_private = true }, IB_OK, NULL },
    { "private_0400", FILE_, 0400, { .need_private = true }, IB_OK, NULL },
    { "private_but_group_reads", FILE_, 0640, { .need_private = true }, IB_ECONFIG, "(mode 0640): chmod 600 it" },
    { "private_but_all_read", FILE_, 0604, { .need_private = true }, IB_ECONFIG, "(mode 0604): chmod 600 it" },
    { "private_but_group_writes", FILE_, 0620, { .need_private = true }, IB_ECONFIG, "(mode 0620)" },
    { "owned_and_readable_by_all", FILE_, 0644, { .need_owner = true }, IB_OK, NULL },
    { "owned_but_group_writes", FILE_, 0664, { .need_owner = true }, IB_ECONFIG,
      "x may be written by others (mode 0664): chmod go-w it" },
    { "owned_but_all_write", FILE_, 0602, { .need_owner = true }, IB_ECONFIG, "(mode 0602)" },
    { "trusted_below_tmp", FILE_, 0644, { .need_trusted = true }, IB_OK, NULL },
    { "trusted_but_writable", FILE_, 0666, { .need_trusted = true }, IB_ECONFIG, "may be written by others" },
    { "trusted_through_a_link", LINK, 0644, { .need_trusted = true }, IB_OK, NULL },
    { "smaller_than_the_cap", FILE_, 0600, { .max_bytes = 6 }, IB_OK, NULL },
    { "larger_than_the_cap", FILE_, 0600, { .max_bytes = 4 }, IB_ELIMIT, "x has 5 bytes, more than 4" },
};
static const struct row root_rows[] = {
    { "a_stranger_s_file_is_read", FOREIGN, 0644, { 0 }, IB_OK, NULL },
    { "a_stranger_s_file_may_be_refused", FOREIGN, 0644, { .need_owner = true }, IB_ECONFIG,
      "x belongs to user id 54321, neither to root nor to this user (id 0)" },
    { "a_stranger_s_file_is_not_trusted", FOREIGN, 0644, { .need_trusted = true }, IB_ECONFIG,
      "x belongs to user id 54321" },
};

static void make_kind(const struct row *r)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "x" };

    switch (r->kind) {
    case FILE_:
        make("x", "hello", r->mode);
        return;
    case MISSING:
        return;
    case DIRECTORY:
        assert_int_equal(mkdir("x", r->mode), 0);
        return;
    case FIFO:
        assert_int_equal(mkfifo("x", r->mode), 0);
        return;
    case SOCKET: {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
        (void)close(fd);
        return;
    }
    case LINK:
        make("y", "hello", r->mode);
        assert_int_equal(symlink("y", "x"), 0);
        return;
    case HARD_LINK:
        make("y", "hello", r->mode);
        assert_int_equal(link("y", "x"), 0);
        return;
    case DEVICE:
        assert_int_equal(symlink("/dev/null", "x"), 0);
        return;
    case LOOP:
        assert_int_equal(symlink("x", "x"), 0);
        return;
    case FOREIGN:
        make("x", "hello", r->mode);
        assert_int_equal(chown("x", 54321, 54321), 0);
        return;
    }
}

static void test_row(void **state)
{
    const struct row *r = *state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(1000);

    assert_int_equal(enter(NULL), 0);
    make_kind(r);
    assert_rc(ib_file_read("x", &r->options, &text, &err), r->rc, &err);
    if (r->error == NULL) {
        assert_string_equal(ib_buf_c(&text), "hello");
    } else {
        assert_contains(err.text, r->error);
    }
    assert_int_equal(leave(NULL), 0);
}

static void facts_are_told(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_file_options options = { 0 };
    struct ib_file_facts facts;
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(1000);

    make("x", "hello", 0642);
    assert_ok(ib_file_read_facts("x", &options, &text, &facts, &err), &err);
    assert_true(facts.others_may_read && facts.others_may_write && !facts.foreign_owner);
    assert_int_equal(facts.mode, 0642);
    assert_int_equal(facts.size, 5);
    assert_int_equal(facts.owner, geteuid());
    assert_true(llabs(facts.modified_ms - ib_time_now_ms()) < 60000);
}

static void text_is_appended_and_the_buffer_is_a_cap_too(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_file_options options = { .max_bytes = 100 };
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT_SECRET(12);

    make("x", "hello", 0600);
    assert_ok(ib_file_read("x", &options, &text, &err), &err);
    assert_ok(ib_file_read("x", &options, &text, &err), &err);
    assert_string_equal(ib_buf_c(&text), "hellohello");
    assert_rc(ib_file_read("x", &options, &text, &err), IB_ELIMIT, &err);
}

static void files_without_a_size_are_read_up_to_the_cap(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_file_options options = { .max_bytes = 16 };
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(100000);

    /* stat says 0 bytes for all of /proc. */
    assert_rc(ib_file_read("/proc/self/maps", &options, &text, &err), IB_ELIMIT, &err);
    assert_contains(err.text, "/proc/self/maps is larger than 16 bytes");
    options.max_bytes = 0;
    ib_buf_reset(&text);
    assert_ok(ib_file_read("/proc/self/stat", &options, &text, &err), &err);
    assert_true(text.len > 10);
}

static void a_directory_that_others_write_makes_its_files_untrusted(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_file_options options = { .need_trusted = true };
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(100);

    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(mkdir("d/e", 0700), 0);
    make("d/e/x", "hello", 0600);
    assert_ok(ib_file_read("d/e/x", &options, &text, &err), &err);
    assert_int_equal(chmod("d", 0777), 0);
    assert_rc(ib_file_read("d/e/x", &options, &text, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "d/e/x cannot be trusted: ");
    assert_contains(err.text, "/d may be written by others (mode 0777)");
    /* The sticky bit keeps others from replacing what is ours. */
    assert_int_equal(chmod("d", 01777), 0);
    assert_ok(ib_file_read("d/e/x", &options, &text, &err), &err);
}

static void a_name_below_an_open_directory(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_file_options options = { .no_symlink = true };
    IB_CLEANUP(ib_buf_fini) struct ib_buf text = IB_BUF_INIT(100);
    IB_CLEANUP(ib_cleanup_fd) int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    make("x", "hello", 0600);
    assert_ok(ib_file_read_at(dir, "x", &options, &text, NULL, &err), &err);
    assert_string_equal(ib_buf_c(&text), "hello");
    assert_rc(ib_file_read_at(dir, "y", &options, &text, NULL, &err), IB_ENOENT, &err);
}

/* --- writing ----------------------------------------------------------------------------------- */

static size_t names_in(const char *dir)
{
    DIR *d = opendir(dir);
    size_t n = 0;

    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n++;
    }
    (void)closedir(d);
    return n - 2;
}

static void writing_makes_the_file_with_its_mode(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct stat st;
    mode_t before = umask(0777);

    enum ib_rc rc = ib_file_write_atomic("x", IB_STR("one"), 0640, &err);
    (void)umask(before);
    assert_ok(rc, &err);
    assert_string_equal(content_of("x"), "one");
    assert_int_equal(stat("x", &st), 0);
    assert_int_equal(st.st_mode & 07777U, 0640);
    assert_int_equal(names_in("."), 1);
}

static void writing_replaces_the_whole_file(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    make("x", "a longer content", 0644);
    int old = open("x", O_RDONLY | O_CLOEXEC);
    assert_ok(ib_file_write_atomic("./x", IB_STR("new"), 0600, &err), &err);
    assert_string_equal(content_of("x"), "new");
    /* A reader that has the old one open keeps all of it. */
    char text[32] = "";
    assert_int_equal(read(old, text, sizeof text - 1), 16);
    assert_string_equal(text, "a longer content");
    (void)close(old);
    assert_int_equal(names_in("."), 1);
}

static void a_link_in_place_of_the_file_is_replaced_not_followed(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct stat st;

    make("victim", "precious", 0600);
    assert_int_equal(symlink("victim", "x"), 0);
    assert_ok(ib_file_write_atomic("x", IB_STR("new"), 0600, &err), &err);
    assert_string_equal(content_of("victim"), "precious");
    assert_int_equal(lstat("x", &st), 0);
    assert_true(S_ISREG(st.st_mode));
}

static void a_failed_write_leaves_no_temporary_file(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_int_equal(mkdir("x", 0700), 0);
    assert_rc(ib_file_write_atomic("x", IB_STR("new"), 0600, &err), IB_ESYS, &err);
    assert_contains(err.text, "cannot write x: ");
    assert_int_equal(names_in("."), 1);
    assert_rc(ib_file_write_atomic("missing/x", IB_STR("new"), 0600, &err), IB_ESYS, &err);
    assert_contains(err.text, "cannot open missing");
}

/* No disk is filled: a limit on the size of files fails the same write. */
static void write_too_much(void *arg)
{
    static char large[65536];
    struct rlimit limit = { 1000, 1000 };
    struct ib_error err = IB_ERROR_INIT;

    (void)arg;
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)setrlimit(RLIMIT_FSIZE, &limit);
    enum ib_rc rc = ib_file_write_atomic("x", (struct ib_str){ large, sizeof large }, 0600, &err);
    (void)dprintf(1, "%s: %s", ib_rc_name(rc), err.text);
    _exit(0);
}

static void a_write_that_fails_half_way_leaves_the_old_file(void **state)
{
    (void)state;
    struct ib_ended ended;

    make("x", "old", 0600);
    ib_fork_run(write_too_much, NULL, &ended);
    assert_string_equal(ended.text, "system: cannot write x: File too large");
    assert_string_equal(content_of("x"), "old");
    assert_int_equal(names_in("."), 1);
}

static void a_long_name_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char name[NAME_MAX + 1];

    memset(name, 'n', NAME_MAX);
    name[NAME_MAX] = '\0';
    assert_rc(ib_file_write_atomic(name, IB_STR("new"), 0600, &err), IB_ESYS, &err);
    assert_int_equal(err.sys, ENAMETOOLONG);
}

/* --- private directories ------------------------------------------------------------------------ */

static void a_private_directory_is_made_and_opened_again(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_cleanup_fd) int a = -1;
    IB_CLEANUP(ib_cleanup_fd) int b = -1;
    struct stat st;

    assert_rc(ib_dir_private_open("d", false, &a, &err), IB_ENOENT, &err);
    assert_ok(ib_dir_private_open("d", true, &a, &err), &err);
    assert_ok(ib_dir_private_open("d", true, &b, &err), &err);
    assert_int_equal(fstat(b, &st), 0);
    assert_int_equal(st.st_mode & 07777U, 0700);
}

static void what_is_no_private_directory_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    int fd = -1;

    make("file", "", 0600);
    assert_rc(ib_dir_private_open("file", true, &fd, &err), IB_ECONFIG, &err);
    assert_string_equal(err.text, "file is a file, not a directory");
    assert_int_equal(mkdir("real", 0700), 0);
    assert_int_equal(symlink("real", "link"), 0);
    assert_rc(ib_dir_private_open("link", true, &fd, &err), IB_ECONFIG, &err);
    assert_string_equal(err.text, "link is a symbolic link, not a directory");
    assert_int_equal(chmod("real", 0750), 0);
    assert_rc(ib_dir_private_open("real", true, &fd, &err), IB_ECONFIG, &err);
    assert_string_equal(err.text, "the directory real is open to others (mode 0750): chmod 700 it");
    assert_rc(ib_dir_private_open("no/where", true, &fd, &err), IB_ESYS, &err);
    assert_int_equal(fd, -1);
}

static void a_stranger_s_directory_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    int fd = -1;

    assert_int_equal(mkdir("d", 0700), 0);
    assert_int_equal(chown("d", 54321, 54321), 0);
    assert_rc(ib_dir_private_open("d", true, &fd, &err), IB_ECONFIG, &err);
    assert_string_equal(err.text, "the directory d belongs to user id 54321, not to this user (id 0)");
}

/* --- locks ------------------------------------------------------------------------------------- */

static void a_lock_keeps_others_out_until_it_is_released(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_deadline soon = ib_deadline_in(60), later = ib_deadline_in(30000);
    IB_CLEANUP(ib_lock_release) struct ib_lock a = IB_LOCK_INIT, b = IB_LOCK_INIT;

    assert_ok(ib_lock_take(AT_FDCWD, "x.lock", &later, &a, &err), &err);
    assert_rc(ib_lock_take(AT_FDCWD, "x.lock", &soon, &b, &err), IB_ETIMEOUT, &err);
    assert_contains(err.text, "x.lock is locked by another process: ");
    assert_int_equal(b.fd, -1);
    ib_lock_release(&a);
    ib_lock_release(&a);
    assert_ok(ib_lock_take(AT_FDCWD, "x.lock", &later, &b, &err), &err);
}

static void hold_and_die(void *arg)
{
    struct ib_deadline d = ib_deadline_in(30000);
    struct ib_lock lock = IB_LOCK_INIT;

    (void)arg;
    if (ib_lock_take(AT_FDCWD, "x.lock", &d, &lock, NULL) != IB_OK) {
        _exit(1);
    }
    (void)dprintf(1, "held");
    (void)raise(SIGKILL);
}

static void a_killed_process_holds_no_lock(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_deadline d = ib_deadline_in(30000);
    IB_CLEANUP(ib_lock_release) struct ib_lock lock = IB_LOCK_INIT;
    struct ib_ended ended;

    ib_fork_run(hold_and_die, NULL, &ended);
    assert_string_equal(ended.text, "held");
    assert_ok(ib_lock_take(AT_FDCWD, "x.lock", &d, &lock, &err), &err);
}

static void a_lock_is_a_regular_file(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_deadline d = ib_deadline_in(30000);
    struct ib_lock lock = IB_LOCK_INIT;

    assert_int_equal(mkfifo("fifo", 0600), 0);
    assert_rc(ib_lock_take(AT_FDCWD, "fifo", &d, &lock, &err), IB_ECONFIG, &err);
    assert_int_equal(symlink("victim", "link"), 0);
    assert_rc(ib_lock_take(AT_FDCWD, "link", &d, &lock, &err), IB_ECONFIG, &err);
    assert_int_not_equal(access("victim", F_OK), 0);
}

/* Each of these runs in a scratch directory. */
struct scene {
    const char *name;
    CMUnitTestFunction fn;
    bool needs_root;
};
#define SCENE(fn) { #fn, fn, false }
static const struct scene scenes[] = {
    SCENE(facts_are_told),
    SCENE(text_is_appended_and_the_buffer_is_a_cap_too),
    SCENE(files_without_a_size_are_read_up_to_the_cap),
    SCENE(a_directory_that_others_write_makes_its_files_untrusted),
    SCENE(a_name_below_an_open_directory),
    SCENE(writing_makes_the_file_with_its_mode),
    SCENE(writing_replaces_the_whole_file),
    SCENE(a_link_in_place_of_the_file_is_replaced_not_followed),
    SCENE(a_failed_write_leaves_no_temporary_file),
    SCENE(a_write_that_fails_half_way_leaves_the_old_file),
    SCENE(a_long_name_is_refused),
    SCENE(a_private_directory_is_made_and_opened_again),
    SCENE(what_is_no_private_directory_is_refused),
    { "a_stranger_s_directory_is_refused", a_stranger_s_directory_is_refused, true },
    SCENE(a_lock_keeps_others_out_until_it_is_released),
    SCENE(a_killed_process_holds_no_lock),
    SCENE(a_lock_is_a_regular_file),
};

static void test_scene(void **state)
{
    const struct scene *s = *state;

    assert_int_equal(enter(NULL), 0);
    s->fn(NULL);
    assert_int_equal(leave(NULL), 0);
}

int main(void)
{
    IB_TEST_ROWS(rows, test_row);
    for (size_t i = 0; i < IB_ARRAY_LEN(scenes); i++) {
        if (!scenes[i].needs_root || geteuid() == 0) {
            ib_test_add(scenes[i].name, test_scene, &scenes[i]);
        }
    }
    if (geteuid() == 0) {
        IB_TEST_ROWS(root_rows, test_row);
    } else {
        IB_TEST_SKIP_ROW("what_belongs_to_strangers", "only root can give files away");
    }
    return IB_TEST_RUN();
}
