/* SPDX-License-Identifier: MIT */
/*
 * Files read and written with suspicion: the file that was opened is judged, not its name; nothing
 * blocks on a FIFO; every read has a cap; writes are one step.
 */
#ifndef IB_SYS_FILE_H
#define IB_SYS_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/sys/deadline.h"

/* What is known of the opened file. */
struct ib_file_facts {
    bool others_may_read;  /* its group or everybody */
    bool others_may_write;
    bool foreign_owner;    /* neither root nor this user */
    uid_t owner;
    mode_t mode;           /* permission bits */
    int64_t size;          /* bytes, as fstat said */
    int64_t modified_ms;
};

/* All false: any regular file, symbolic links followed. */
struct ib_file_options {
    size_t max_bytes;    /* 0 = what is left in the buffer */
    bool no_symlink;     /* the last component may be none, nor a file with a second hard link */
    bool need_private;   /* refuse what group or others may read or write: for secrets of ours */
    bool need_owner;     /* refuse another owner than root and this user, and what others may write */
    bool need_trusted;   /* need_owner, and so for every directory above it: it names programs to run */
};

/*
 * Append the whole file to ret; ret_facts may be NULL. Only regular files; a ret that is secret is
 * filled without stdio. On failure ret may hold a part.
 * Errors, each naming path and rule: IB_ENOENT not there; IB_ESYS cannot be opened or read (err->sys);
 * IB_ECONFIG a rule of the options, or no regular file; IB_ELIMIT larger than the cap.
 */
IB_NODISCARD enum ib_rc ib_file_read(const char *path, const struct ib_file_options *options,
                                     struct ib_buf *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_file_read_facts(const char *path, const struct ib_file_options *options,
                                           struct ib_buf *ret, struct ib_file_facts *ret_facts,
                                           struct ib_error *err);
/* The same below a directory that is open; name without '/'. */
IB_NODISCARD enum ib_rc ib_file_read_at(int dir_fd, const char *name,
                                        const struct ib_file_options *options, struct ib_buf *ret,
                                        struct ib_file_facts *ret_facts, struct ib_error *err);

/*
 * Replace or make a file as one step: temporary file beside it, fsync, rename. Readers see the old or
 * the new content. mode is exact, whatever the umask. The temporary file goes away on every failure,
 * and at the watchdog's end. Errors: IB_ESYS.
 */
IB_NODISCARD enum ib_rc ib_file_write_atomic(const char *path, struct ib_str content, mode_t mode,
                                             struct ib_error *err);
IB_NODISCARD enum ib_rc ib_file_write_atomic_at(int dir_fd, const char *name, struct ib_str content,
                                                mode_t mode, struct ib_error *err);

/*
 * Open a directory that is ours alone: no symbolic link, owned by this user, no rights for others.
 * create: make it (0700; its parent must be there). *ret_fd is closed by the caller. Errors: IB_ENOENT, IB_ESYS,
 * IB_ECONFIG (the rule that is broken).
 */
IB_NODISCARD enum ib_rc ib_dir_private_open(const char *path, bool create, int *ret_fd,
                                            struct ib_error *err);

/* close() for IB_CLEANUP on file descriptors that start as -1. */
void ib_cleanup_fd(int *fd);

/*
 * An advisory lock (flock) on a file of its own, never on one that is replaced by rename. Ends with the
 * process at the latest.
 */
struct ib_lock {
    int fd; /* -1 = not held */
};
#define IB_LOCK_INIT { -1 }

/*
 * Take it, waiting until the deadline. ret must be IB_LOCK_INIT. Errors: IB_ETIMEOUT held by another
 * until then, or a stop was requested; IB_ESYS; IB_ECONFIG for no regular file.
 */
IB_NODISCARD enum ib_rc ib_lock_take(int dir_fd, const char *name, const struct ib_deadline *deadline,
                                     struct ib_lock *ret, struct ib_error *err);
/* Safe on one that is not held; fit for IB_CLEANUP. */
void ib_lock_release(struct ib_lock *lock);

#endif
