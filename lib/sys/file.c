/* SPDX-License-Identifier: MIT */
/* Files: open, then judge what was opened; write beside, then rename. */
#include "lib/sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lib/base/text.h"
#include "lib/sys/random.h"
#include "lib/sys/watchdog.h"

#define BLOCK 8192        /* bytes of one read */
#define LOCK_RETRY_MS 20  /* between two tries for a lock; holders keep it for milliseconds */

void ib_cleanup_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

/* Hands the descriptor out of a variable that would close it. */
static int take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* --- judging ----------------------------------------------------------------------------------- */

static const char *kind_of(mode_t mode)
{
    if (S_ISDIR(mode)) {
        return "a directory";
    }
    if (S_ISFIFO(mode)) {
        return "a FIFO";
    }
    if (S_ISSOCK(mode)) {
        return "a socket";
    }
    return S_ISLNK(mode) ? "a symbolic link" : "a device";
}

static bool is_foreign(uid_t owner)
{
    return owner != 0 && owner != geteuid();
}

static enum ib_rc check_owner(const struct stat *st, const char *path, struct ib_error *err)
{
    if (is_foreign(st->st_uid)) {
        return ib_fail(err, IB_ECONFIG,
                       "%s belongs to user id %ld, neither to root nor to this user (id %ld)", path,
                       (long)st->st_uid, (long)geteuid());
    }
    return IB_OK;
}

static enum ib_rc check_rules(const struct stat *st, const char *path,
                              const struct ib_file_options *options, struct ib_error *err)
{
    const unsigned mode = st->st_mode & 07777U;

    if (!S_ISREG(st->st_mode)) {
        return ib_fail(err, IB_ECONFIG, "%s is %s, not a regular file", path, kind_of(st->st_mode));
    }
    if (options->no_symlink && st->st_nlink != 1) {
        return ib_fail(err, IB_ECONFIG, "%s has %lu hard links; it should have one", path,
                       (unsigned long)st->st_nlink);
    }
    if (options->need_owner || options->need_trusted) {
        enum ib_rc rc = check_owner(st, path, err);
        if (rc != IB_OK) {
            return rc;
        }
        if ((mode & 022U) != 0) {
            return ib_fail(err, IB_ECONFIG, "%s may be written by others (mode %04o): chmod go-w it",
                           path, mode);
        }
    }
    if (options->need_private && (mode & 066U) != 0) {
        return ib_fail(err, IB_ECONFIG,
                       "%s may be read or written by others (mode %04o): chmod 600 it", path, mode);
    }
    return IB_OK;
}

/* Who may write a directory may replace what lies in it, unless the sticky bit keeps others' files. */
static enum ib_rc check_directory(const char *path, struct ib_error *err)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return ib_fail_errno(err, errno, "cannot look at %s", path);
    }
    enum ib_rc rc = check_owner(&st, path, err);
    if (rc == IB_OK && (st.st_mode & 022U) != 0 && (st.st_mode & S_ISVTX) == 0) {
        rc = ib_fail(err, IB_ECONFIG, "%s may be written by others (mode %04o)", path,
                     st.st_mode & 07777U);
    }
    return rc;
}

/* Every directory from the file up to the root; fd is what was opened under this name. */
static enum ib_rc check_path(int fd, const char *path, struct ib_error *err)
{
    char real[PATH_MAX];
    struct stat opened, named;

    if (realpath(path, real) == NULL) {
        return ib_fail_errno(err, errno, "cannot resolve %s", path);
    }
    if (fstat(fd, &opened) != 0 || lstat(real, &named) != 0) {
        return ib_fail_errno(err, errno, "cannot look at %s", real);
    }
    if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino) {
        return ib_fail(err, IB_ECONFIG, "%s was replaced while it was read", path);
    }
    for (char *slash = strrchr(real, '/'); slash != NULL; slash = strrchr(real, '/')) {
        if (slash == real) {
            return check_directory("/", err);
        }
        *slash = '\0';
        enum ib_rc rc = check_directory(real, err);
        if (rc != IB_OK) {
            return ib_error_context(err, "%s cannot be trusted", path);
        }
    }
    return IB_OK;
}

static enum ib_rc fail_open(int errnum, const char *path, struct ib_error *err)
{
    if (errnum == ENOENT) {
        return ib_fail(err, IB_ENOENT, "%s does not exist", path);
    }
    if (errnum == ELOOP) {
        return ib_fail(err, IB_ECONFIG, "%s is a symbolic link", path);
    }
    if (errnum == ENXIO) {
        return ib_fail(err, IB_ECONFIG, "%s is a socket or a device, not a regular file", path);
    }
    return ib_fail_errno(err, errnum, "cannot open %s", path);
}

/* --- reading ----------------------------------------------------------------------------------- */

static int64_t modified_ms(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
}

static enum ib_rc read_all(int fd, const char *path, size_t max, struct ib_buf *ret,
                           struct ib_error *err)
{
    char block[BLOCK];
    size_t have = 0;
    enum ib_rc rc = IB_OK;

    for (;;) {
        ssize_t n = read(fd, block, sizeof block);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            rc = ib_fail_errno(err, errno, "cannot read %s", path);
            break;
        }
        if (n == 0) {
            rc = ib_buf_ok(ret, path, err);
            break;
        }
        have += (size_t)n;
        if (have > max) {
            rc = ib_fail(err, IB_ELIMIT, "%s is larger than %zu bytes", path, max);
            break;
        }
        ib_buf_add(ret, block, (size_t)n);
    }
    if (ret->secret) {
        explicit_bzero(block, sizeof block);
    }
    return rc;
}

static enum ib_rc read_file(int dir_fd, const char *name, const struct ib_file_options *options,
                            struct ib_buf *ret, struct ib_file_facts *ret_facts,
                            struct ib_error *err)
{
    /* Not blocking: opening a FIFO would wait for its writer. */
    const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
                      (options->no_symlink ? O_NOFOLLOW : 0);
    IB_CLEANUP(ib_cleanup_fd) int fd = openat(dir_fd, name, flags);
    struct stat st;

    if (fd < 0) {
        return fail_open(errno, name, err);
    }
    if (fstat(fd, &st) != 0) {
        return ib_fail_errno(err, errno, "cannot look at %s", name);
    }
    enum ib_rc rc = check_rules(&st, name, options, err);
    if (rc == IB_OK && options->need_trusted) {
        rc = check_path(fd, name, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    size_t room = ret->max > ret->len ? ret->max - ret->len : 0;
    size_t max = options->max_bytes > 0 && options->max_bytes < room ? options->max_bytes : room;
    if (st.st_size > 0 && (uintmax_t)st.st_size > max) {
        return ib_fail(err, IB_ELIMIT, "%s has %jd bytes, more than %zu", name, (intmax_t)st.st_size,
                       max);
    }
    rc = read_all(fd, name, max, ret, err);
    if (rc == IB_OK && ret_facts != NULL) {
        *ret_facts = (struct ib_file_facts){
            .others_may_read = (st.st_mode & 044U) != 0,
            .others_may_write = (st.st_mode & 022U) != 0,
            .foreign_owner = is_foreign(st.st_uid),
            .owner = st.st_uid,
            .mode = st.st_mode & 07777U,
            .size = st.st_size,
            .modified_ms = modified_ms(&st),
        };
    }
    return rc;
}

enum ib_rc ib_file_read(const char *path, const struct ib_file_options *options, struct ib_buf *ret,
                        struct ib_error *err)
{
    return read_file(AT_FDCWD, path, options, ret, NULL, err);
}

enum ib_rc ib_file_read_facts(const char *path, const struct ib_file_options *options,
                              struct ib_buf *ret, struct ib_file_facts *ret_facts,
                              struct ib_error *err)
{
    return read_file(AT_FDCWD, path, options, ret, ret_facts, err);
}

enum ib_rc ib_file_read_at(int dir_fd, const char *name, const struct ib_file_options *options,
                           struct ib_buf *ret, struct ib_file_facts *ret_facts,
                           struct ib_error *err)
{
    /* The directories above are not known by name here. */
    IB_ASSERT(!options->need_trusted && strchr(name, '/') == NULL);
    return read_file(dir_fd, name, options, ret, ret_facts, err);
}

/* --- writing ----------------------------------------------------------------------------------- */

static bool write_all(int fd, struct ib_str content)
{
    while (content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        content = ib_str_skip(content, (size_t)n);
    }
    return true;
}

/* Fill the temporary file; false with errno set. */
static bool fill(int fd, struct ib_str content, mode_t mode)
{
    return fchmod(fd, mode) == 0 && write_all(fd, content) && fsync(fd) == 0;
}

static enum ib_rc write_file(int dir_fd, const char *name, const char *path, struct ib_str content,
                             mode_t mode, struct ib_error *err)
{
    char temp[NAME_MAX + 1];
    uint64_t unique;
    enum ib_rc rc = ib_random_bytes(&unique, sizeof unique, err);

    if (rc != IB_OK) {
        return rc;
    }
    int n = snprintf(temp, sizeof temp, ".%s.%016" PRIx64, name, unique);
    if (n < 0 || (size_t)n >= sizeof temp) {
        return ib_fail_errno(err, ENAMETOOLONG, "cannot write %s", path);
    }
    /* Remembered before it exists: the watchdog may strike at once. */
    ib_watchdog_set_temp(dir_fd, temp);
    IB_CLEANUP(ib_cleanup_fd) int fd =
        openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        int saved = errno;
        ib_watchdog_set_temp(0, NULL);
        return ib_fail_errno(err, saved, "cannot create a file beside %s", path);
    }
    bool done = fill(fd, content, mode) && renameat(dir_fd, temp, dir_fd, name) == 0;
    int saved = errno;
    if (!done) {
        (void)unlinkat(dir_fd, temp, 0);
    }
    ib_watchdog_set_temp(0, NULL);
    if (!done) {
        return ib_fail_errno(err, saved, "cannot write %s", path);
    }
    /* The name is durable when its directory is; not every file system can, and the file is whole. */
    (void)fsync(dir_fd);
    return IB_OK;
}

enum ib_rc ib_file_write_atomic_at(int dir_fd, const char *name, struct ib_str content, mode_t mode,
                                   struct ib_error *err)
{
    IB_ASSERT(strchr(name, '/') == NULL);
    return write_file(dir_fd, name, name, content, mode, err);
}

enum ib_rc ib_file_write_atomic(const char *path, struct ib_str content, mode_t mode,
                                struct ib_error *err)
{
    const char *slash = strrchr(path, '/');
    struct ib_str dir = IB_STR(".");

    if (slash != NULL) {
        dir = slash == path ? IB_STR("/") : ib_str_head(ib_str_from(path), (size_t)(slash - path));
    }
    IB_CLEANUP(ib_cleanup_char) char *dir_name = ib_str_dup(dir);
    if (dir_name == NULL) {
        return ib_fail_nomem(err);
    }
    IB_CLEANUP(ib_cleanup_fd) int dir_fd = open(dir_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0) {
        return ib_fail_errno(err, errno, "cannot open %s", dir_name);
    }
    return write_file(dir_fd, slash == NULL ? path : slash + 1, path, content, mode, err);
}

/* --- directories ------------------------------------------------------------------------------- */

static enum ib_rc fail_open_directory(int errnum, const char *path, struct ib_error *err)
{
    struct stat st;

    if (errnum == ENOENT) {
        return ib_fail(err, IB_ENOENT, "%s does not exist", path);
    }
    if ((errnum == ENOTDIR || errnum == ELOOP) && lstat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        return ib_fail(err, IB_ECONFIG, "%s is %s, not a directory", path,
                       S_ISREG(st.st_mode) ? "a file" : kind_of(st.st_mode));
    }
    return ib_fail_errno(err, errnum, "cannot open the directory %s", path);
}

enum ib_rc ib_dir_private_open(const char *path, bool create, int *ret_fd, struct ib_error *err)
{
    struct stat st;

    if (create && mkdir(path, 0700) != 0 && errno != EEXIST) {
        return ib_fail_errno(err, errno, "cannot create the directory %s", path);
    }
    IB_CLEANUP(ib_cleanup_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return fail_open_directory(errno, path, err);
    }
    if (fstat(fd, &st) != 0) {
        return ib_fail_errno(err, errno, "cannot look at %s", path);
    }
    if (st.st_uid != geteuid()) {
        return ib_fail(err, IB_ECONFIG, "the directory %s belongs to user id %ld, not to this user (id %ld)",
                       path, (long)st.st_uid, (long)geteuid());
    }
    if ((st.st_mode & 077U) != 0) {
        return ib_fail(err, IB_ECONFIG, "the directory %s is open to others (mode %04o): chmod 700 it",
                       path, st.st_mode & 07777U);
    }
    *ret_fd = take_fd(&fd);
    return IB_OK;
}

/* --- locks ------------------------------------------------------------------------------------- */

void ib_lock_release(struct ib_lock *lock)
{
    /* Closing gives the lock up: nobody else shares this open file. */
    ib_cleanup_fd(&lock->fd);
}

enum ib_rc ib_lock_take(int dir_fd, const char *name, const struct ib_deadline *deadline,
                        struct ib_lock *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_cleanup_fd) int fd =
        openat(dir_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    struct stat st;

    if (fd < 0) {
        return fail_open(errno, name, err);
    }
    if (fstat(fd, &st) != 0) {
        return ib_fail_errno(err, errno, "cannot look at %s", name);
    }
    if (!S_ISREG(st.st_mode)) {
        return ib_fail(err, IB_ECONFIG, "%s is %s, not a regular file", name, kind_of(st.st_mode));
    }
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EWOULDBLOCK) {
            return ib_fail_errno(err, errno, "cannot lock %s", name);
        }
        enum ib_rc rc = ib_deadline_sleep(deadline, LOCK_RETRY_MS, err);
        if (rc != IB_OK) {
            return ib_error_context(err, "%s is locked by another process", name);
        }
    }
    ret->fd = take_fd(&fd);
    return IB_OK;
}
