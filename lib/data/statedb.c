/* SPDX-License-Identifier: MIT */
/* The journal on SQLite: opening with suspicion, and the transactions. */
#include "lib/data/statedb.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/json.h"

#define HOUR_MS IB_HOUR_MS
#define QUICK_CHECK_BYTES \
    (INT64_C(4) * 1024 * 1024) /* a few ms; larger ones are checked as they are read */
#define AUDIT_JSON_MAX ((size_t)16 * 1024)

struct ib_statedb {
    sqlite3 *sql;
    char path[512];
    bool read_only;
    bool is_shared; /* a directory of a group's: while it is opened and written, files are made for the group */
    mode_t umask;   /* what the process had before */
    int64_t busy_ms;
    struct ib_deadline until; /* end_mono_ms 0 = none */
};

static const char *const phase_names[IB_CANCEL_PHASE_COUNT] = {
    [IB_CANCEL_CLAIMED] = "claimed",
    [IB_CANCEL_SENT] = "sent",
    [IB_CANCEL_ACCEPTED] = "accepted",
    [IB_CANCEL_ENDED] = "ended",
};

const char *ib_cancel_phase_name(enum ib_cancel_phase phase)
{
    return (unsigned)phase < IB_CANCEL_PHASE_COUNT ? phase_names[phase] : "unknown";
}

/*
 * The schema of version 1, and what made version 2 of it: a new database goes the same way as an old one. A
 * database of a later version is refused, for it may hold rules that this program would break.
 */
static const char schema_1[] =
    "CREATE TABLE cancels ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " arn TEXT NOT NULL, target TEXT NOT NULL, token TEXT NOT NULL UNIQUE, problem TEXT NOT NULL,"
    " phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 3),"
    " outcome TEXT NOT NULL DEFAULT '', text TEXT NOT NULL DEFAULT '', status TEXT NOT NULL "
    "DEFAULT '',"
    " context TEXT NOT NULL DEFAULT '',"
    " pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL, boot_id TEXT NOT NULL,"
    " created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,"
    " sent_ms INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER NOT NULL DEFAULT 0,"
    " attempts INTEGER NOT NULL DEFAULT 1);"
    /* One open row per build, whatever the code above believes. */
    "CREATE UNIQUE INDEX cancels_open ON cancels (arn) WHERE ended_ms = 0;"
    "CREATE INDEX cancels_sent ON cancels (sent_ms);"
    "CREATE INDEX cancels_arn ON cancels (arn, id);"
    "CREATE TABLE audit ("
    " id INTEGER PRIMARY KEY AUTOINCREMENT,"
    " time_ms INTEGER NOT NULL, arn TEXT NOT NULL, cancel INTEGER, event TEXT NOT NULL,"
    " members TEXT NOT NULL DEFAULT '{}');"
    "CREATE INDEX audit_time ON audit (time_ms);"
    "CREATE INDEX audit_arn ON audit (arn, id);"
    "CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit"
    " BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;";

/* Starts after a cancel, and the name of the host. */
static const char schema_2[] =
    "ALTER TABLE cancels ADD COLUMN kind TEXT NOT NULL DEFAULT 'cancel';"
    "ALTER TABLE cancels ADD COLUMN what TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE cancels ADD COLUMN started TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE cancels ADD COLUMN host TEXT NOT NULL DEFAULT '';"
    "DROP INDEX cancels_open;"
    "CREATE UNIQUE INDEX cancels_open ON cancels (arn) WHERE ended_ms = 0 AND kind = 'cancel';"
    /* One start per build for ever, whatever the code above believes. */
    "CREATE UNIQUE INDEX cancels_start ON cancels (arn)"
    " WHERE kind <> 'cancel' AND outcome <> 'refused';"
    "CREATE INDEX cancels_started ON cancels (started) WHERE started <> '';"
    "PRAGMA user_version = 2;";

/* For a reader of an old database that it may not write to. */
static const char view_of_1[] =
    "CREATE TEMP VIEW cancels AS SELECT *, 'cancel' AS kind, '' AS what, '' AS started, '' AS host"
    " FROM main.cancels;";

/* One clear line for what SQLite says. */
static enum ib_rc fail_sql(const struct ib_statedb *db, const char *what, struct ib_error *err)
{
    int code = sqlite3_errcode(db->sql);

    switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ib_fail(err, IB_ETIMEOUT, "%s: cannot %s: another process holds it locked", db->path,
                       what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ib_fail(err, IB_EPARSE,
                       "%s: cannot %s: the database is damaged; move it away to begin a new one",
                       db->path, what);
    case SQLITE_FULL:
        return ib_fail(err, IB_ESYS, "%s: cannot %s: the disk is full", db->path, what);
    case SQLITE_READONLY:
        if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_CANTINIT) {
            return ib_fail(err, IB_ESYS,
                           "%s: cannot %s: a call was killed while it wrote, and this user may not tidy up "
                           "after it; the next call that may write will", db->path, what);
        }
        return ib_fail(err, IB_ESYS, "%s: cannot %s: it may not be written by this user", db->path,
                       what);
    case SQLITE_CANTOPEN:
        return ib_fail(err, IB_ESYS, "%s: cannot %s: it may not be opened by this user", db->path,
                       what);
    case SQLITE_NOMEM:
        return ib_fail_nomem(err);
    default:
        return ib_fail(err, IB_ESYS, "%s: cannot %s: %s", db->path, what, sqlite3_errmsg(db->sql));
    }
}

static enum ib_rc run_sql(struct ib_statedb *db, const char *sql, const char *what,
                          struct ib_error *err)
{
    if (sqlite3_exec(db->sql, sql, NULL, NULL, NULL) != SQLITE_OK) {
        return fail_sql(db, what, err);
    }
    return IB_OK;
}

static void finalize(sqlite3_stmt **stmt)
{
    (void)sqlite3_finalize(*stmt);
    *stmt = NULL;
}

#define STMT IB_CLEANUP(finalize) sqlite3_stmt *

static void set_patience(struct ib_statedb *db);

static enum ib_rc prepare(struct ib_statedb *db, const char *sql, const char *what,
                          sqlite3_stmt **ret, struct ib_error *err)
{
    set_patience(db);
    if (sqlite3_prepare_v2(db->sql, sql, -1, ret, NULL) != SQLITE_OK) {
        return fail_sql(db, what, err);
    }
    return IB_OK;
}

static void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
    (void)sqlite3_bind_text(stmt, at, text == NULL ? "" : text, -1, SQLITE_TRANSIENT);
}

static void bind_i64(sqlite3_stmt *stmt, int at, int64_t value)
{
    (void)sqlite3_bind_int64(stmt, at, value);
}

/* Runs a statement that gives no rows. */
static enum ib_rc step_done(struct ib_statedb *db, sqlite3_stmt *stmt, const char *what,
                            struct ib_error *err)
{
    if (sqlite3_step(stmt) != SQLITE_DONE) {
        return fail_sql(db, what, err);
    }
    return IB_OK;
}

/* --- opening --------------------------------------------------------------------------------- */

static bool is_trusted_owner(uid_t uid)
{
    return uid == 0 || uid == geteuid();
}

/*
 * The directory decides who may share the journal: owned by root or by us, not writable by
 * everybody. Writable by its group (with setgid) means that the group is trusted.
 */
static enum ib_rc check_dir(int fd, const char *dir, bool *ret_shared, struct ib_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return ib_fail_errno(err, errno, "cannot look at state directory %s", dir);
    }
    if (!is_trusted_owner(st.st_uid)) {
        return ib_fail(
            err, IB_ECONFIG,
            "state directory %s belongs to user %u, not to root or to this user (%u): run as "
            "that user",
            dir, (unsigned)st.st_uid, (unsigned)geteuid());
    }
    if ((st.st_mode & S_IWOTH) != 0) {
        return ib_fail(err, IB_ECONFIG, "state directory %s is writable by everybody", dir);
    }
    if ((st.st_mode & S_IWGRP) != 0 && (st.st_mode & S_ISGID) == 0) {
        return ib_fail(
            err, IB_ECONFIG,
            "state directory %s is writable by its group but lacks the setgid bit (chmod 2770)",
            dir);
    }
    *ret_shared = (st.st_mode & S_IWGRP) != 0;
    return IB_OK;
}

static enum ib_rc open_dir(const struct ib_statedb_options *o, int *ret_fd, bool *ret_shared,
                           struct ib_error *err)
{
    int fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && o->create) {
        if (mkdir(o->dir, 0700) != 0 && errno != EEXIST) {
            return ib_fail_errno(err, errno, "cannot create state directory %s", o->dir);
        }
        fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) {
        if (errno == ENOENT) {
            return ib_fail(err, IB_ENOENT, "there is no state directory %s", o->dir);
        }
        if (errno == ELOOP || errno == ENOTDIR) {
            return ib_fail(err, IB_ECONFIG, "state directory %s is a symbolic link or no directory",
                           o->dir);
        }
        return ib_fail_errno(err, errno, "cannot open state directory %s", o->dir);
    }
    enum ib_rc rc = check_dir(fd, o->dir, ret_shared, err);
    if (rc != IB_OK) {
        (void)close(fd);
        return rc;
    }
    *ret_fd = fd;
    return IB_OK;
}

static enum ib_rc check_file(const struct stat *st, const char *path, bool shared,
                             struct ib_error *err)
{
    if (!S_ISREG(st->st_mode) || st->st_nlink != 1) {
        return ib_fail(err, IB_ECONFIG, "%s is not a plain file with one name", path);
    }
    if (!shared && !is_trusted_owner(st->st_uid)) {
        return ib_fail(err, IB_ECONFIG, "%s belongs to user %u, not to root or to this user (%u)",
                       path, (unsigned)st->st_uid, (unsigned)geteuid());
    }
    if ((st->st_mode & S_IWOTH) != 0 || (!shared && (st->st_mode & S_IWGRP) != 0)) {
        return ib_fail(err, IB_ECONFIG, "%s is writable by others (mode %04o)", path,
                       (unsigned)st->st_mode & 07777U);
    }
    if (st->st_size > IB_STATEDB_MAX_BYTES) {
        return ib_fail(err, IB_ELIMIT,
                       "%s has %lld bytes, more than %lld; move it away to begin a new one", path,
                       (long long)st->st_size, (long long)IB_STATEDB_MAX_BYTES);
    }
    return IB_OK;
}

/*
 * In a shared directory every file is made with the group's rights from its first moment on, SQLite's own
 * side files too: a process that is killed between making one and changing its mode would lock the others out.
 */
static void open_umask(struct ib_statedb *db)
{
    if (db->is_shared) {
        db->umask = umask(007);
    }
}

/* What else this process makes, or has made by others, is nobody's but its user's. */
static void close_umask(struct ib_statedb *db)
{
    if (db->is_shared) {
        (void)umask(db->umask);
    }
}

/* What an older version, or such a kill, left behind; others cannot mend it. */
static void mend_mode(int fd, const struct stat *st)
{
    if (st->st_uid == geteuid() && (st->st_mode & 0660) != 0660 && fchmod(fd, 0660) != 0) {
        return; /* as it was */
    }
}

/* Makes the file with the right mode before SQLite would by umask, and looks at it. */
static enum ib_rc prepare_file(int dirfd, const struct ib_statedb_options *o, const char *path,
                               bool shared, int64_t *ret_size, struct ib_error *err)
{
    int flags = (o->read_only ? O_RDONLY : O_RDWR) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    int fd = openat(dirfd, IB_STATEDB_FILE, flags);
    struct stat st;

    if (fd < 0 && errno == ENOENT && o->create) {
        fd = openat(dirfd, IB_STATEDB_FILE, flags | O_CREAT, shared ? 0660 : 0600);
    }
    if (fd < 0) {
        if (errno == ENOENT) {
            return ib_fail(err, IB_ENOENT, "there is no %s", path);
        }
        if (errno == ELOOP) {
            return ib_fail(err, IB_ECONFIG, "%s is a symbolic link", path);
        }
        return ib_fail_errno(err, errno, "cannot open %s", path);
    }
    enum ib_rc rc = fstat(fd, &st) != 0 ? ib_fail_errno(err, errno, "cannot look at %s", path)
                                        : check_file(&st, path, shared, err);
    if (rc == IB_OK && shared && !o->read_only) {
        mend_mode(fd, &st);
    }
    (void)close(fd);
    if (rc == IB_OK) {
        *ret_size = (int64_t)st.st_size;
    }
    return rc;
}

static enum ib_rc read_pragma(struct ib_statedb *db, const char *sql, int64_t *ret,
                              struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db, sql, "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        return fail_sql(db, "read", err);
    }
    *ret = sqlite3_column_int64(stmt, 0);
    return IB_OK;
}

static enum ib_rc quick_check(struct ib_statedb *db, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db, "PRAGMA quick_check(1)", "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        return fail_sql(db, "read", err);
    }
    const char *verdict = (const char *)sqlite3_column_text(stmt, 0);
    if (verdict == NULL || strcmp(verdict, "ok") != 0) {
        return ib_fail(err, IB_EPARSE,
                       "%s: the database is damaged; move it away to begin a new one", db->path);
    }
    return IB_OK;
}

/* Inside a transaction: from nothing, or from an older version, to this one. */
static enum ib_rc upgrade(struct ib_statedb *db, int64_t *version, struct ib_error *err)
{
    enum ib_rc rc = read_pragma(db, "PRAGMA user_version", version, err);

    if (rc == IB_OK && *version == 0) {
        int64_t tables = 0;
        rc = read_pragma(db, "SELECT count(*) FROM sqlite_master", &tables, err);
        if (rc == IB_OK && tables > 0) {
            rc = ib_fail(err, IB_ECONFIG, "%s is a database of another program", db->path);
        }
        if (rc == IB_OK) {
            rc = run_sql(db, schema_1, "create its tables", err);
        }
        *version = 1;
    }
    if (rc == IB_OK && *version == 1) {
        rc = run_sql(db, schema_2, "create its tables", err);
        *version = 2;
    }
    return rc;
}

/* Makes or accepts the schema. Two processes may be here at once with an empty file. */
static enum ib_rc accept_schema(struct ib_statedb *db, struct ib_error *err)
{
    int64_t version = 0;
    enum ib_rc rc = read_pragma(db, "PRAGMA user_version", &version, err);

    if (rc == IB_OK && version >= 0 && version < IB_STATEDB_VERSION && !db->read_only) {
        rc = run_sql(db, "BEGIN IMMEDIATE", "begin", err);
        if (rc != IB_OK) {
            return rc;
        }
        rc = upgrade(db, &version, err);
        if (rc != IB_OK) {
            (void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
            return rc;
        }
        rc = run_sql(db, "COMMIT", "create its tables", err);
    }
    if (rc == IB_OK && version == 1) {
        rc = run_sql(db, view_of_1, "open", err);
        version = 2;
    }
    if (rc == IB_OK && db->read_only) {
        rc = run_sql(db, "PRAGMA query_only = 1", "open", err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    if (version > IB_STATEDB_VERSION) {
        return ib_fail(err, IB_ECONFIG,
                       "%s was written by a newer version of ib-plugins (schema %" PRId64
                       ", this one knows %d)",
                       db->path, version, IB_STATEDB_VERSION);
    }
    if (version != IB_STATEDB_VERSION) {
        return ib_fail(err, db->read_only && version == 0 ? IB_ENOENT : IB_ECONFIG,
                       "%s holds no journal (schema %" PRId64 ")", db->path, version);
    }
    return IB_OK;
}

static void set_patience(struct ib_statedb *db)
{
    int64_t ms = db->busy_ms < 0 ? 0 : db->busy_ms > 60000 ? 60000 : db->busy_ms;
    int64_t left_ms = ib_deadline_left_ms(&db->until) / 2;

    if (db->until.end_mono_ms != 0 && left_ms < ms) {
        ms = left_ms;
    }
    (void)sqlite3_busy_timeout(db->sql, (int)ms);
}

void ib_statedb_patience(struct ib_statedb *db, int64_t busy_ms)
{
    db->busy_ms = busy_ms;
    set_patience(db);
}

void ib_statedb_until(struct ib_statedb *db, struct ib_deadline until)
{
    db->until = until;
    set_patience(db);
}

static enum ib_rc configure(struct ib_statedb *db, int64_t busy_ms, struct ib_error *err)
{
    (void)sqlite3_extended_result_codes(db->sql, 1);
    ib_statedb_patience(db, busy_ms);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_limit(db->sql, SQLITE_LIMIT_LENGTH, 1024 * 1024);
    /*
     * A rollback journal, not WAL: its side files need no shared memory and take the database's own
     * mode, so users of one group can follow each other. FULL: a claim is on disk before the
     * request leaves.
     */
    if (db->read_only) {
        return run_sql(db, "PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;", "open", err);
    }
    return run_sql(db,
                   "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA mmap_size = 0;"
                   "PRAGMA cell_size_check = 1; PRAGMA temp_store = MEMORY;",
                   "open", err);
}

/*
 * A call that was killed while it wrote leaves a journal that whoever comes next must roll back, be it to read:
 * who may write does it, and has no other right than to read from then on (query_only).
 */
static bool may_recover(const char *dir, const char *path)
{
    return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 &&
           faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS) == 0;
}

static enum ib_rc open_sql(struct ib_statedb *db, const struct ib_statedb_options *options,
                           const char *dir, int64_t size, struct ib_error *err)
{
    /* Links were refused above where they matter; SQLite's own flag would refuse /var -> /srv/var.
     */
    int flags = (options->read_only && !may_recover(dir, db->path) ? SQLITE_OPEN_READONLY
                                                                    : SQLITE_OPEN_READWRITE) |
                SQLITE_OPEN_PRIVATECACHE;
    if (sqlite3_open_v2(db->path, &db->sql, flags, NULL) != SQLITE_OK) {
        return db->sql == NULL ? ib_fail_nomem(err) : fail_sql(db, "open", err);
    }
    enum ib_rc rc = configure(db, options->busy_ms, err);
    if (rc == IB_OK) {
        rc = accept_schema(db, err);
    }
    if (rc == IB_OK && size > 0 && size <= QUICK_CHECK_BYTES) {
        rc = quick_check(db, err);
    }
    return rc;
}

static enum ib_rc open_database(struct ib_statedb *db, const struct ib_statedb_options *options,
                                struct ib_error *err)
{
    bool shared = false;
    int64_t size = 0;
    int dirfd = -1;

    db->read_only = options->read_only;
    /* With a slash at its end a symbolic link would be followed. */
    struct ib_str name = ib_str_from(options->dir);
    while (name.n > 1 && name.p[name.n - 1] == '/') {
        name.n--;
    }
    char dir[sizeof db->path];
    int n = snprintf(db->path, sizeof db->path, "%.*s/" IB_STATEDB_FILE, IB_STR_ARG(name));
    if (n < 0 || (size_t)n >= sizeof db->path) {
        return ib_fail(err, IB_ECONFIG, "the name of the state directory is longer than %zu bytes",
                       sizeof db->path);
    }
    (void)ib_text_copy(dir, sizeof dir, name);
    struct ib_statedb_options trimmed = *options;
    trimmed.dir = dir;
    enum ib_rc rc = open_dir(&trimmed, &dirfd, &shared, err);
    if (rc != IB_OK) {
        return rc;
    }
    db->is_shared = shared;
    open_umask(db);
    rc = prepare_file(dirfd, options, db->path, shared, &size, err);
    (void)close(dirfd);
    if (rc == IB_OK) {
        rc = open_sql(db, options, dir, size, err);
    }
    close_umask(db);
    return rc;
}

enum ib_rc ib_statedb_open(const struct ib_statedb_options *options, struct ib_statedb **ret,
                           struct ib_error *err)
{
    struct ib_statedb *db = calloc(1, sizeof *db);

    if (db == NULL) {
        return ib_fail_nomem(err);
    }
    enum ib_rc rc = open_database(db, options, err);
    if (rc != IB_OK) {
        ib_statedb_close(db);
        return rc;
    }
    *ret = db;
    return IB_OK;
}

void ib_statedb_close(struct ib_statedb *db)
{
    if (db != NULL) {
        (void)sqlite3_close(db->sql);
        free(db);
    }
}

enum ib_rc ib_statedb_may_write(const char *dir, struct ib_error *err)
{
    char path[sizeof ((struct ib_statedb *)NULL)->path];
    struct ib_str name = ib_str_from(dir);

    /* The file, its directory (for the rollback journal), and what that would be made in. */
    for (int step = 0; step < 3; step++) {
        while (name.n > 1 && name.p[name.n - 1] == '/') {
            name.n--;
        }
        int n = snprintf(path, sizeof path, "%.*s%s", IB_STR_ARG(name), step == 0 ? "/" IB_STATEDB_FILE : "");
        if (n < 0 || (size_t)n >= sizeof path) {
            return ib_fail(err, IB_ECONFIG, "the name of the state directory is longer than %zu bytes",
                           sizeof path);
        }
        if (faccessat(AT_FDCWD, path, step == 0 ? W_OK : W_OK | X_OK, AT_EACCESS) != 0) {
            if (errno != ENOENT) {
                return ib_fail_errno(err, errno, "%s may not be written by this user", path);
            }
        } else if (step > 0) {
            return IB_OK;
        }
        if (step == 1) {
            const char *slash = memrchr(name.p, '/', name.n);
            name = slash == NULL ? IB_STR(".") : ib_str_head(name, slash == name.p ? 1 : (size_t)(slash - name.p));
        }
    }
    return ib_fail(err, IB_ENOENT, "there is no directory that %s could be made in", dir);
}

void ib_statedb_cleanup(struct ib_statedb **db)
{
    ib_statedb_close(*db);
    *db = NULL;
}

/* --- transactions ---------------------------------------------------------------------------- */

static enum ib_rc begin(struct ib_statedb *db, struct ib_error *err)
{
    set_patience(db);
    open_umask(db);
    /* IMMEDIATE: what is read below is still true when it is acted upon. */
    enum ib_rc rc = run_sql(db, "BEGIN IMMEDIATE", "write", err);
    if (rc != IB_OK) {
        close_umask(db);
    }
    return rc;
}

static enum ib_rc end(struct ib_statedb *db, enum ib_rc rc, struct ib_error *err)
{
    if (rc == IB_OK) {
        rc = run_sql(db, "COMMIT", "write", err);
    }
    if (rc != IB_OK) {
        (void)sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    }
    close_umask(db);
    return rc;
}

static enum ib_rc add_audit(struct ib_statedb *db, int64_t now_ms, const char *arn, int64_t cancel,
                            const char *event, const struct ib_value *members, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf json = IB_BUF_INIT(AUDIT_JSON_MAX);
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db,
                            "INSERT INTO audit (time_ms, arn, cancel, event, members)"
                            " VALUES (?1, ?2, ?3, ?4, ?5)",
                            "write", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (members == NULL) {
        ib_buf_add_c(&json, "{}");
    } else {
        ib_json_print(members, IB_JSON_COMPACT, &json);
    }
    if (json.failed) {
        /* Losing the details is better than losing the line. */
        ib_buf_reset(&json);
        ib_buf_add_c(&json, "{\"note\":\"details were too large\"}");
    }
    bind_i64(stmt, 1, now_ms);
    bind_text(stmt, 2, arn);
    if (cancel > 0) {
        bind_i64(stmt, 3, cancel);
    }
    bind_text(stmt, 4, event);
    bind_text(stmt, 5, ib_buf_c(&json));
    return step_done(db, stmt, "write", err);
}

#define CANCEL_COLUMNS                                                                          \
    "id, arn, target, token, problem, phase, outcome, text, status, context, pid, start_ticks," \
    " boot_id, created_ms, updated_ms, sent_ms, ended_ms, attempts, kind, what, started, host"

static void column_text(sqlite3_stmt *stmt, int at, char *dst, size_t cap)
{
    const char *text = (const char *)sqlite3_column_text(stmt, at);
    size_t n = (size_t)sqlite3_column_bytes(stmt, at);

    (void)ib_text_copy(dst, cap, ib_str_head((struct ib_str){text, text == NULL ? 0 : n}, cap - 1));
}

static void read_row(sqlite3_stmt *stmt, struct ib_cancel_row *row)
{
    *row = (struct ib_cancel_row){.id = sqlite3_column_int64(stmt, 0)};
    column_text(stmt, 1, row->arn, sizeof row->arn);
    column_text(stmt, 2, row->target, sizeof row->target);
    column_text(stmt, 3, row->token, sizeof row->token);
    column_text(stmt, 4, row->problem, sizeof row->problem);
    row->phase = (enum ib_cancel_phase)(sqlite3_column_int(stmt, 5) & 3);
    column_text(stmt, 6, row->outcome, sizeof row->outcome);
    column_text(stmt, 7, row->text, sizeof row->text);
    column_text(stmt, 8, row->status, sizeof row->status);
    column_text(stmt, 9, row->context, sizeof row->context);
    row->owner.pid = sqlite3_column_int64(stmt, 10);
    row->owner.start_ticks = sqlite3_column_int64(stmt, 11);
    column_text(stmt, 12, row->owner.boot_id, sizeof row->owner.boot_id);
    row->created_ms = sqlite3_column_int64(stmt, 13);
    row->updated_ms = sqlite3_column_int64(stmt, 14);
    row->sent_ms = sqlite3_column_int64(stmt, 15);
    row->ended_ms = sqlite3_column_int64(stmt, 16);
    row->attempts = sqlite3_column_int64(stmt, 17);
    column_text(stmt, 18, row->kind, sizeof row->kind);
    column_text(stmt, 19, row->what, sizeof row->what);
    column_text(stmt, 20, row->started, sizeof row->started);
    column_text(stmt, 21, row->owner.host, sizeof row->owner.host);
}

/* One row or IB_ENOENT (without a sentence: the caller knows what it looked for). */
static enum ib_rc select_row(struct ib_statedb *db, const char *sql, int64_t id, const char *arn,
                             struct ib_cancel_row *ret, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db, sql, "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    if (arn != NULL) {
        bind_text(stmt, 1, arn);
    } else {
        bind_i64(stmt, 1, id);
    }
    int step = sqlite3_step(stmt);
    if (step == SQLITE_DONE) {
        return IB_ENOENT;
    }
    if (step != SQLITE_ROW) {
        return fail_sql(db, "read", err);
    }
    read_row(stmt, ret);
    return IB_OK;
}

static bool is_self(const struct ib_process *a, const struct ib_process *b)
{
    return a->pid == b->pid && a->start_ticks == b->start_ticks &&
           strcmp(a->boot_id, b->boot_id) == 0;
}

/* Of another machine that shares the directory, or another container: its processes are not ours to look for. */
static bool is_elsewhere(const struct ib_process *owner, const struct ib_process *self)
{
    return owner->host[0] != '\0' && strcmp(owner->host, self->host) != 0;
}

/* May another process go on with an open row? */
static bool is_orphan(const struct ib_cancel_row *row, const struct ib_process *self,
                      int64_t now_ms)
{
    if (row->owner.pid == 0 || is_self(&row->owner, self)) {
        return true; /* released, or ours already */
    }
    switch (is_elsewhere(&row->owner, self) ? IB_PROCESS_UNKNOWN : ib_process_life(&row->owner)) {
    case IB_PROCESS_ALIVE:
        return false;
    case IB_PROCESS_GONE:
        return true;
    case IB_PROCESS_UNKNOWN:
        break;
    }
    /* A clock that went back must not keep a row locked for ever: both directions count. */
    int64_t idle_ms = now_ms - row->updated_ms;
    return idle_ms > IB_STATEDB_OWNER_MAX_MS || idle_ms < -IB_STATEDB_OWNER_MAX_MS;
}

/* The caller's members and others in one object. */
static struct ib_value *join_audit(const struct ib_value *base, const struct ib_value *more)
{
    struct ib_value *joined = base == NULL ? ib_value_object() : ib_value_copy(base);

    for (size_t i = 0; joined != NULL && i < ib_value_count(more); i++) {
        if (ib_value_set(joined, ib_value_key_at(more, i), ib_value_ref(ib_value_at(more, i)),
                         NULL) != IB_OK) {
            break;
        }
    }
    return joined;
}

/* Sticky on failure: what cannot be said of a line does not cost the line. */
static void put(struct ib_value **object, const char *key, struct ib_value *item)
{
    struct ib_error ignored = IB_ERROR_INIT;

    if (*object == NULL) {
        ib_value_unref(item);
        return;
    }
    if (ib_value_set(*object, ib_str_from(key), item, &ignored) != IB_OK) {
        ib_value_unref(*object);
        *object = NULL;
    }
}

static struct ib_value *process_value(const struct ib_process *p, bool is_self)
{
    struct ib_value *v = ib_value_object();

    put(&v, "pid", ib_value_int(p->pid));
    if (is_self) {
        put(&v, "user", ib_value_int((int64_t)getuid()));
    }
    if (p->host[0] != '\0') {
        put(&v, "host", ib_value_string(ib_str_from(p->host)));
    }
    return v;
}

/* Who took over, from whom, and why that one counts as gone. */
static struct ib_value *take_over_value(const struct ib_cancel_row *row,
                                        const struct ib_process *self)
{
    struct ib_value *v = ib_value_object();
    bool same_boot = strcmp(row->owner.boot_id, self->boot_id) == 0;

    put(&v, "by", process_value(self, true));
    if (row->owner.pid != 0) {
        put(&v, "from", process_value(&row->owner, false));
    }
    put(&v, "reason",
        ib_value_string(row->owner.pid == 0 ? IB_STR("left open by the call before")
                        : is_elsewhere(&row->owner, self)
                            ? IB_STR("it is of another host, and no call lives so long")
                        : same_boot         ? IB_STR("its process is gone")
                                            : IB_STR("its process was of another boot")));
    put(&v, "phase", ib_value_string(ib_str_from(ib_cancel_phase_name(row->phase))));
    return v;
}

static enum ib_rc adopt(struct ib_statedb *db, const struct ib_process *self, int64_t now_ms,
                        const struct ib_value *caller, struct ib_cancel_row *row,
                        struct ib_error *err)
{
    STMT stmt = NULL;
    bool again = is_self(&row->owner, self); /* taken over before, by this very call */
    IB_CLEANUP(ib_value_cleanup) struct ib_value *what = take_over_value(row, self);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = join_audit(caller, what);
    enum ib_rc rc = prepare(db,
                            "UPDATE cancels SET pid = ?1, start_ticks = ?2, boot_id = ?3,"
                            " updated_ms = ?4, attempts = attempts + ?7, host = ?6 WHERE id = ?5",
                            "write", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_i64(stmt, 1, self->pid);
    bind_i64(stmt, 2, self->start_ticks);
    bind_text(stmt, 3, self->boot_id);
    bind_i64(stmt, 4, now_ms);
    bind_i64(stmt, 5, row->id);
    bind_text(stmt, 6, self->host);
    bind_i64(stmt, 7, again ? 0 : 1);
    rc = step_done(db, stmt, "write", err);
    if (rc == IB_OK) {
        row->owner = *self;
        row->attempts += again ? 0 : 1;
    }
    if (rc == IB_OK && !again) {
        rc = add_audit(db, now_ms, row->arn, row->id, "take-over", audit, err);
    }
    return rc;
}

/*
 * Cancels sent (or about to be) within the last hour. A row in the future, from a clock that has
 * gone back since, counts too: uncertain means do not cancel.
 */
enum ib_rc ib_statedb_count(struct ib_statedb *db, const char *target, const char *arn,
                            int64_t now_ms, int64_t *ret_target, int64_t *ret_total,
                            struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db,
                            "SELECT count(*), count(CASE WHEN target = ?1 THEN 1 END) FROM cancels"
                            " WHERE (sent_ms > ?2 OR (ended_ms = 0 AND created_ms > ?2))"
                            " AND NOT (ended_ms = 0 AND kind = 'cancel' AND arn = ?3)",
                            "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_text(stmt, 1, target);
    bind_i64(stmt, 2, now_ms - HOUR_MS);
    bind_text(stmt, 3, arn);
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        return fail_sql(db, "read", err);
    }
    *ret_total = sqlite3_column_int64(stmt, 0);
    *ret_target = sqlite3_column_int64(stmt, 1);
    return IB_OK;
}

/* follow: of a start. refused: why it is not made; its row has ended already, and the index that allows one start per
 * build does not see it. */
static enum ib_rc insert_row(struct ib_statedb *db, const struct ib_claim_request *q,
                             const struct ib_follow_request *follow, const char *refused,
                             int64_t *ret_id, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db,
                            "INSERT INTO cancels (arn, target, token, problem, context, pid,"
                            " start_ticks, boot_id, created_ms, updated_ms, host, kind, what, text,"
                            " phase, outcome, ended_ms)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9, ?10, ?11, ?12, ?13,"
                            " ?14, ?15, ?16)",
                            "write", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_text(stmt, 1, q->arn);
    bind_text(stmt, 2, q->target);
    bind_text(stmt, 3, q->token);
    bind_text(stmt, 4, q->problem);
    bind_text(stmt, 5, q->context);
    bind_i64(stmt, 6, q->self->pid);
    bind_i64(stmt, 7, q->self->start_ticks);
    bind_text(stmt, 8, q->self->boot_id);
    bind_i64(stmt, 9, q->now_ms);
    bind_text(stmt, 10, q->self->host);
    bind_text(stmt, 11, follow == NULL ? IB_CANCEL_KIND : follow->kind);
    bind_text(stmt, 12, follow == NULL ? "" : follow->what);
    bind_text(stmt, 13, refused);
    bind_i64(stmt, 14, refused == NULL ? IB_CANCEL_CLAIMED : IB_CANCEL_ENDED);
    bind_text(stmt, 15, refused == NULL ? "" : "refused");
    bind_i64(stmt, 16, refused == NULL ? 0 : q->now_ms);
    rc = step_done(db, stmt, "write", err);
    if (rc == IB_OK) {
        *ret_id = sqlite3_last_insert_rowid(db->sql);
    }
    return rc;
}

#define SELECT_OPEN_BY_ARN   \
    "SELECT " CANCEL_COLUMNS \
    " FROM cancels WHERE arn = ?1 AND ended_ms = 0 AND kind = '" IB_CANCEL_KIND "'"
#define SELECT_LAST_ENDED                                                              \
    "SELECT " CANCEL_COLUMNS " FROM cancels WHERE arn = ?1 AND ended_ms <> 0 AND kind" \
    " = '" IB_CANCEL_KIND "' ORDER BY id DESC LIMIT 1"
#define SELECT_BY_ID "SELECT " CANCEL_COLUMNS " FROM cancels WHERE id = ?1"

/* A build without an open row: budgets are counted, decide() is asked, a row is made or not. */
static enum ib_rc claim_new(struct ib_statedb *db, const struct ib_claim_request *q,
                            enum ib_claim_result *ret, struct ib_cancel_row *ret_row,
                            struct ib_error *err)
{
    struct ib_claim_counts counts = {0};
    IB_CLEANUP(ib_value_cleanup) struct ib_value *more = NULL;
    int64_t id = 0;
    enum ib_rc rc = ib_statedb_count(db, q->target, q->arn, q->now_ms,
                                     &counts.target_last_hour, &counts.total_last_hour, err);

    if (rc == IB_OK) {
        rc = ib_statedb_standing(db, q->arn, &counts.build, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    bool granted = q->decide(q->ctx, &counts, &more);
    IB_CLEANUP(ib_value_cleanup) struct ib_value *members = join_audit(q->audit, more);
    if (granted) {
        rc = insert_row(db, q, NULL, NULL, &id, err);
    }
    if (rc == IB_OK) {
        rc = add_audit(db, q->now_ms, q->arn, id, granted ? "claim" : "refuse", members, err);
    }
    if (rc == IB_OK && granted) {
        rc = select_row(db, SELECT_BY_ID, id, NULL, ret_row, err);
    }
    if (rc == IB_OK) {
        *ret = granted ? IB_CLAIM_GRANTED : IB_CLAIM_REFUSED;
    }
    return rc;
}

enum ib_rc ib_statedb_claim(struct ib_statedb *db, const struct ib_claim_request *request,
                            enum ib_claim_result *ret, struct ib_cancel_row *ret_row,
                            struct ib_error *err)
{
    enum ib_claim_result result = IB_CLAIM_REFUSED;
    struct ib_cancel_row row = {0};
    enum ib_rc rc = begin(db, err);

    if (rc != IB_OK) {
        return rc;
    }
    rc = select_row(db, SELECT_OPEN_BY_ARN, 0, request->arn, &row, err);
    if (rc == IB_OK) {
        result = IB_CLAIM_BUSY;
        if (is_orphan(&row, request->self, request->now_ms)) {
            result = IB_CLAIM_TAKEN_OVER;
            rc = adopt(db, request->self, request->now_ms, request->audit, &row, err);
        }
    } else if (rc == IB_ENOENT) {
        rc = claim_new(db, request, &result, &row, err);
    }
    rc = end(db, rc, err);
    if (rc == IB_OK) {
        *ret = result;
        *ret_row = row;
    }
    return rc;
}

enum ib_rc ib_statedb_take(struct ib_statedb *db, int64_t id, const struct ib_process *self,
                           int64_t now_ms, const struct ib_value *audit, enum ib_claim_result *ret, struct ib_cancel_row *ret_row,
                           struct ib_error *err)
{
    enum ib_claim_result result = IB_CLAIM_BUSY;
    struct ib_cancel_row row = {0};
    enum ib_rc rc = begin(db, err);

    if (rc != IB_OK) {
        return rc;
    }
    rc = select_row(db, SELECT_BY_ID, id, NULL, &row, err);
    if (rc == IB_ENOENT) {
        rc = ib_fail(err, IB_ENOENT, "%s has no cancel %" PRId64, db->path, id);
    } else if (rc == IB_OK && row.ended_ms != 0) {
        result = IB_CLAIM_REFUSED;
    } else if (rc == IB_OK && is_orphan(&row, self, now_ms)) {
        result = IB_CLAIM_TAKEN_OVER;
        rc = adopt(db, self, now_ms, audit, &row, err);
    }
    rc = end(db, rc, err);
    if (rc == IB_OK) {
        *ret = result;
        *ret_row = row;
    }
    return rc;
}

/* The open row that self owns, inside a transaction. */
static enum ib_rc own_row(struct ib_statedb *db, int64_t id, const struct ib_process *self,
                          struct ib_cancel_row *ret, struct ib_error *err)
{
    enum ib_rc rc = select_row(db, SELECT_BY_ID, id, NULL, ret, err);

    if (rc == IB_ENOENT) {
        return ib_fail(err, IB_ENOENT, "%s has no cancel %" PRId64, db->path, id);
    }
    if (rc == IB_OK && ret->ended_ms != 0) {
        return ib_fail(err, IB_EREFUSED, "cancel %" PRId64 " has ended already (%s)", id,
                       ret->outcome);
    }
    if (rc == IB_OK && !is_self(&ret->owner, self)) {
        return ib_fail(err, IB_EREFUSED, "cancel %" PRId64 " was taken over by process %" PRId64,
                       id, ret->owner.pid);
    }
    return rc;
}

static enum ib_rc write_update(struct ib_statedb *db, const struct ib_cancel_update *u,
                               const struct ib_cancel_row *row, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_cancel_phase phase = u->unsent              ? IB_CANCEL_CLAIMED
                                 : u->phase > row->phase ? u->phase
                                                         : row->phase;
    enum ib_rc rc = prepare(db,
                            "UPDATE cancels SET phase = ?1, outcome = ?2, status = ?3, text = ?4,"
                            " updated_ms = ?5, sent_ms = ?6, ended_ms = ?7, started = ?9"
                            " WHERE id = ?8",
                            "write", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bool first_send = row->sent_ms == 0 && (phase == IB_CANCEL_SENT || phase == IB_CANCEL_ACCEPTED);
    bind_i64(stmt, 1, phase);
    bind_text(stmt, 2, phase == IB_CANCEL_ENDED && u->outcome != NULL ? u->outcome : row->outcome);
    bind_text(stmt, 3, u->status != NULL ? u->status : row->status);
    bind_text(stmt, 4, u->text != NULL ? u->text : row->text);
    bind_i64(stmt, 5, u->now_ms);
    bind_i64(stmt, 6, u->unsent ? 0 : first_send ? u->now_ms : row->sent_ms);
    bind_i64(stmt, 7, phase == IB_CANCEL_ENDED ? u->now_ms : 0);
    bind_i64(stmt, 8, u->id);
    bind_text(stmt, 9, u->started != NULL ? u->started : row->started);
    return step_done(db, stmt, "write", err);
}

/* Inside a transaction. *ret_row: as it was before. */
static enum ib_rc update_row(struct ib_statedb *db, const struct ib_cancel_update *update,
                             struct ib_cancel_row *ret_row, struct ib_error *err)
{
    enum ib_rc rc = own_row(db, update->id, update->self, ret_row, err);

    if (rc == IB_OK) {
        rc = write_update(db, update, ret_row, err);
    }
    return rc == IB_OK ? add_audit(db, update->now_ms, ret_row->arn, ret_row->id, update->event,
                                   update->audit, err)
                       : rc;
}

enum ib_rc ib_statedb_update(struct ib_statedb *db, const struct ib_cancel_update *update,
                             struct ib_error *err)
{
    struct ib_cancel_row row = {0};
    enum ib_rc rc = begin(db, err);

    if (rc != IB_OK) {
        return rc;
    }
    rc = update_row(db, update, &row, err);
    return end(db, rc, err);
}

/* --- the start that follows a cancel ---------------------------------------------------------- */

static enum ib_rc is_there(struct ib_statedb *db, const char *sql, const char *arn, int64_t since_ms,
                           bool *ret, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db, sql, "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_text(stmt, 1, arn);
    bind_i64(stmt, 2, since_ms);
    int step = sqlite3_step(stmt);
    *ret = step == SQLITE_ROW;
    return step == SQLITE_ROW || step == SQLITE_DONE ? IB_OK : fail_sql(db, "read", err);
}

enum ib_rc ib_statedb_follow_look(struct ib_statedb *db, const char *arn, const char *what,
                                  const char *target, int64_t now_ms, struct ib_follow_counts *ret,
                                  struct ib_error *err)
{
    struct ib_follow_counts c = {.again = false};
    struct ib_cancel_row origin = {0};
    enum ib_rc rc =
        ib_statedb_count(db, target, "", now_ms, &c.target_last_hour, &c.total_last_hour, err);

    if (rc == IB_OK) {
        rc = is_there(db,
                      "SELECT 1 FROM cancels WHERE arn = ?1 AND ?2 = ?2 AND kind <> 'cancel'"
                      " AND outcome <> 'refused'",
                      arn, 0, &c.again, err);
    }
    if (rc == IB_OK) {
        rc = is_there(db,
                      "SELECT 1 FROM cancels WHERE kind <> 'cancel' AND what = ?1 AND started = ''"
                      " AND sent_ms > ?2 AND outcome IN ('', 'expired')",
                      what, now_ms - IB_DAY_MS, &c.lost, err);
    }
    if (rc == IB_OK) {
        /* RetryImage keeps the ARN: such a row is the build's own, and told by `again`. */
        rc = select_row(db,
                        "SELECT " CANCEL_COLUMNS " FROM cancels WHERE started = ?1 AND arn <> ?1"
                        " AND started <> '' LIMIT 1",
                        0, arn, &origin, err);
        if (rc == IB_OK) {
            memcpy(c.origin, origin.arn, sizeof c.origin);
        }
        rc = rc == IB_ENOENT ? IB_OK : rc;
    }
    if (rc == IB_OK) {
        *ret = c;
    }
    return rc;
}

/* Its row, and the line that says so. A start that is not made has both too: schedulers drop what handlers print. */
static enum ib_rc add_start(struct ib_statedb *db, const struct ib_cancel_row *cancel,
                            const struct ib_cancel_update *update,
                            const struct ib_follow_request *follow, const char *refused,
                            struct ib_cancel_row *ret_row, struct ib_error *err)
{
    const struct ib_claim_request q = {.arn = cancel->arn,
                                       .target = cancel->target,
                                       .token = follow->token,
                                       .problem = cancel->problem,
                                       .context = cancel->context,
                                       .now_ms = update->now_ms,
                                       .self = update->self};
    IB_CLEANUP(ib_value_cleanup) struct ib_value *audit = ib_value_object();
    int64_t id = 0;
    enum ib_rc rc = insert_row(db, &q, follow, refused, &id, err);

    put(&audit, "kind", ib_value_string(ib_str_from(follow->kind)));
    put(&audit, "what", ib_value_string(ib_str_from(follow->what)));
    put(&audit, "after", ib_value_int(cancel->id));
    if (refused != NULL) {
        put(&audit, "reason", ib_value_string(ib_str_from(refused)));
    } else {
        put(&audit, "token", ib_value_string(ib_str_from(follow->token)));
    }
    if (rc == IB_OK) {
        rc = add_audit(db, update->now_ms, cancel->arn, id,
                       refused == NULL ? "start-claim" : "start-refuse", audit, err);
    }
    return rc == IB_OK ? select_row(db, SELECT_BY_ID, id, NULL, ret_row, err) : rc;
}

enum ib_rc ib_statedb_end_and_follow(struct ib_statedb *db, const struct ib_cancel_update *update,
                                     const struct ib_follow_request *follow,
                                     enum ib_claim_result *ret, struct ib_cancel_row *ret_row,
                                     struct ib_error *err)
{
    struct ib_cancel_row cancel = {0}, row = {0};
    struct ib_follow_counts counts;
    char why[IB_CANCEL_TEXT_MAX] = "";
    bool granted = false;
    enum ib_rc rc = begin(db, err);

    if (rc != IB_OK) {
        return rc;
    }
    rc = update_row(db, update, &cancel, err);
    if (rc == IB_OK) {
        rc = ib_statedb_follow_look(db, cancel.arn, follow->what, cancel.target, update->now_ms,
                                    &counts, err);
    }
    if (rc == IB_OK) {
        granted = follow->decide(follow->ctx, &counts, why, sizeof why);
        rc = add_start(db, &cancel, update, follow, granted ? NULL : why, &row, err);
    }
    rc = end(db, rc, err);
    if (rc == IB_OK) {
        *ret = granted ? IB_CLAIM_GRANTED : IB_CLAIM_REFUSED;
        *ret_row = row;
    }
    return rc;
}

enum ib_rc ib_statedb_release(struct ib_statedb *db, int64_t id, const struct ib_process *self,
                              int64_t now_ms, struct ib_error *err)
{
    struct ib_cancel_row row = {0};
    enum ib_rc rc = begin(db, err);

    if (rc != IB_OK) {
        return rc;
    }
    rc = own_row(db, id, self, &row, err);
    if (rc == IB_OK) {
        STMT stmt = NULL;
        rc = prepare(db,
                     "UPDATE cancels SET pid = 0, start_ticks = 0, boot_id = '', updated_ms = ?1"
                     " WHERE id = ?2",
                     "write", &stmt, err);
        if (rc == IB_OK) {
            bind_i64(stmt, 1, now_ms);
            bind_i64(stmt, 2, id);
            rc = step_done(db, stmt, "write", err);
        }
    }
    return end(db, rc, err);
}

/* Is the newest line of this build the same event by the same rule, and not older than that? */
static enum ib_rc said_before(struct ib_statedb *db, const char *arn, const char *event,
                              const struct ib_value *members, int64_t now_ms, int64_t quiet_ms,
                              bool *ret, struct ib_error *err)
{
    STMT stmt = NULL;
    IB_CLEANUP(ib_value_cleanup) struct ib_value *before = NULL;
    struct ib_error ignored = IB_ERROR_INIT;
    enum ib_rc rc = prepare(db,
                            "SELECT event, members, time_ms FROM audit WHERE arn = ?1"
                            " ORDER BY id DESC LIMIT 1",
                            "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_text(stmt, 1, arn);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_DONE) {
        return IB_OK;
    }
    if (step != SQLITE_ROW) {
        return fail_sql(db, "read", err);
    }
    const char *last = (const char *)sqlite3_column_text(stmt, 0);
    const char *json = (const char *)sqlite3_column_text(stmt, 1);
    if (last == NULL || json == NULL || strcmp(last, event) != 0 ||
        sqlite3_column_int64(stmt, 2) < now_ms - quiet_ms || sqlite3_column_int64(stmt, 2) > now_ms + IB_MINUTE_MS ||
        ib_json_parse(ib_str_from(json), "audit line", NULL, &before, &ignored) != IB_OK) {
        return IB_OK;
    }
    static const char *const keys[] = {"rule", "problem", "user", "arguments", "code"};
    for (size_t i = 0; i < IB_ARRAY_LEN(keys); i++) {
        const struct ib_value *a = ib_value_get_c(before, keys[i]);
        const struct ib_value *b = ib_value_get_c(members, keys[i]);
        if ((a == NULL) != (b == NULL) || (a != NULL && !ib_value_equal(a, b))) {
            return IB_OK;
        }
    }
    *ret = true;
    return IB_OK;
}

enum ib_rc ib_statedb_audit_change(struct ib_statedb *db, int64_t now_ms, int64_t quiet_ms,
                                   const char *arn, const char *event,
                                   const struct ib_value *members, struct ib_error *err)
{
    bool said = false;
    enum ib_rc rc = said_before(db, arn, event, members, now_ms, quiet_ms, &said, err);

    return rc != IB_OK || said ? rc : ib_statedb_audit(db, now_ms, arn, event, members, err);
}

enum ib_rc ib_statedb_audit(struct ib_statedb *db, int64_t now_ms, const char *arn,
                            const char *event, const struct ib_value *members, struct ib_error *err)
{
    enum ib_rc rc = begin(db, err);

    if (rc != IB_OK) {
        return rc;
    }
    return end(db, add_audit(db, now_ms, arn, 0, event, members, err), err);
}

/* --- reading --------------------------------------------------------------------------------- */

static enum ib_rc each_row(struct ib_statedb *db, const char *sql, int64_t number,
                           ib_cancel_row_fn fn, void *ctx, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db, sql, "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_i64(stmt, 1, number);
    int step = sqlite3_step(stmt);
    while (step == SQLITE_ROW) {
        struct ib_cancel_row row = {0};
        read_row(stmt, &row);
        if (!fn(ctx, &row)) {
            return IB_OK;
        }
        step = sqlite3_step(stmt);
    }
    return step == SQLITE_DONE ? IB_OK : fail_sql(db, "read", err);
}

enum ib_rc ib_statedb_open_rows(struct ib_statedb *db, int64_t max, ib_cancel_row_fn fn, void *ctx,
                                struct ib_error *err)
{
    return each_row(db,
                    "SELECT " CANCEL_COLUMNS " FROM cancels WHERE ended_ms = 0"
                    " ORDER BY kind <> 'cancel', updated_ms, id LIMIT ?1",
                    max, fn, ctx, err);
}

enum ib_rc ib_statedb_recent_rows(struct ib_statedb *db, int64_t since_ms, ib_cancel_row_fn fn,
                                  void *ctx, struct ib_error *err)
{
    return each_row(db,
                    "SELECT " CANCEL_COLUMNS " FROM cancels WHERE ended_ms = 0 OR ended_ms > ?1"
                    " ORDER BY id DESC",
                    since_ms, fn, ctx, err);
}

enum ib_rc ib_statedb_standing(struct ib_statedb *db, const char *arn, struct ib_cancel_standing *ret,
                               struct ib_error *err)
{
    struct ib_cancel_standing s = {.has_open = false};
    enum ib_rc rc = select_row(db, SELECT_OPEN_BY_ARN, 0, arn, &s.open, err);

    s.has_open = rc == IB_OK;
    if (rc == IB_OK || rc == IB_ENOENT) {
        rc = select_row(db, SELECT_LAST_ENDED, 0, arn, &s.last, err);
        s.has_last = rc == IB_OK;
    }
    if (rc == IB_OK) {
        STMT stmt = NULL;
        rc = prepare(db, "SELECT 1 FROM audit WHERE cancel = ?1 AND arn = ?2 AND event = 'accepted'",
                     "read", &stmt, err);
        if (rc == IB_OK) {
            bind_i64(stmt, 1, s.last.id);
            bind_text(stmt, 2, arn);
            int step = sqlite3_step(stmt);
            s.last_accepted = step == SQLITE_ROW;
            rc = step == SQLITE_ROW || step == SQLITE_DONE ? IB_OK : fail_sql(db, "read", err);
        }
    }
    if (rc == IB_OK || rc == IB_ENOENT) {
        *ret = s;
        rc = IB_OK;
    }
    return rc;
}

enum ib_rc ib_statedb_last(struct ib_statedb *db, const char *arn, struct ib_cancel_row *ret,
                           struct ib_error *err)
{
    enum ib_rc rc = select_row(
        db, "SELECT " CANCEL_COLUMNS " FROM cancels WHERE arn = ?1 ORDER BY id DESC LIMIT 1", 0,
        arn, ret, err);

    if (rc == IB_ENOENT) {
        return ib_fail(err, IB_ENOENT, "the journal knows no cancel of %s", arn);
    }
    return rc;
}

enum ib_rc ib_statedb_begun_after(struct ib_statedb *db, const char *arn, int64_t *ret_ms,
                                  struct ib_error *err)
{
    struct ib_cancel_row row = {0}, ended = {0};
    enum ib_rc rc = select_row(db,
                               "SELECT " CANCEL_COLUMNS " FROM cancels WHERE arn = ?1 AND what = ?1"
                               " AND kind <> 'cancel' AND sent_ms <> 0 ORDER BY id DESC LIMIT 1",
                               0, arn, &row, err);

    if (rc == IB_OK || rc == IB_ENOENT) {
        rc = select_row(db,
                        "SELECT " CANCEL_COLUMNS " FROM cancels WHERE arn = ?1 AND kind = 'cancel'"
                        " AND ended_ms <> 0 AND status IN ('CANCELLED', 'FAILED', 'AVAILABLE')"
                        " ORDER BY id DESC LIMIT 1",
                        0, arn, &ended, err);
    }
    if (rc != IB_OK && rc != IB_ENOENT) {
        return rc;
    }
    *ret_ms = row.sent_ms > ended.ended_ms ? row.sent_ms : ended.ended_ms;
    return IB_OK;
}

/* One audit line as an object. */
static enum ib_rc read_audit(sqlite3_stmt *stmt, struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *line = ib_value_object();
    IB_CLEANUP(ib_value_cleanup) struct ib_value *members = NULL;
    char when[IB_TIME_TEXT_MAX];
    const char *arn = (const char *)sqlite3_column_text(stmt, 2);
    const char *event = (const char *)sqlite3_column_text(stmt, 4);
    const char *json = (const char *)sqlite3_column_text(stmt, 5);

    if (line == NULL || arn == NULL || event == NULL || json == NULL) {
        return ib_fail_nomem(err);
    }
    ib_time_fmt_iso8601(sqlite3_column_int64(stmt, 1), when, sizeof when);
    enum ib_rc rc =
        ib_value_set(line, IB_STR("id"), ib_value_int(sqlite3_column_int64(stmt, 0)), err);
    if (rc == IB_OK) {
        rc = ib_value_set(line, IB_STR("time"), ib_value_string(ib_str_from(when)), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(line, IB_STR("arn"), ib_value_string(ib_str_from(arn)), err);
    }
    if (rc == IB_OK && sqlite3_column_type(stmt, 3) != SQLITE_NULL) {
        rc = ib_value_set(line, IB_STR("cancel"), ib_value_int(sqlite3_column_int64(stmt, 3)), err);
    }
    if (rc == IB_OK) {
        rc = ib_value_set(line, IB_STR("event"), ib_value_string(ib_str_from(event)), err);
    }
    if (rc == IB_OK) {
        rc = ib_json_parse(ib_str_from(json), "audit line", NULL, &members, err);
    }
    for (size_t i = 0; rc == IB_OK && i < ib_value_count(members); i++) {
        if (ib_value_get(line, ib_value_key_at(members, i)) == NULL) {
            rc = ib_value_set(line, ib_value_key_at(members, i),
                              ib_value_ref(ib_value_at(members, i)), err);
        }
    }
    if (rc == IB_OK) {
        *ret = line;
        line = NULL;
    }
    return rc;
}

enum ib_rc ib_statedb_history(struct ib_statedb *db, const char *arn, int64_t max, ib_audit_fn fn,
                              void *ctx, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc = prepare(db,
                            "SELECT id, time_ms, arn, cancel, event, members FROM audit"
                            " WHERE ?1 = '' OR arn = ?1 ORDER BY id DESC LIMIT ?2",
                            "read", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_text(stmt, 1, arn);
    bind_i64(stmt, 2, max);
    int step = sqlite3_step(stmt);
    while (step == SQLITE_ROW) {
        IB_CLEANUP(ib_value_cleanup) struct ib_value *line = NULL;
        rc = read_audit(stmt, &line, err);
        if (rc != IB_OK) {
            (void)ib_error_context(err, "%s", db->path);
            return rc;
        }
        if (!fn(ctx, line)) {
            return IB_OK;
        }
        step = sqlite3_step(stmt);
    }
    return step == SQLITE_DONE ? IB_OK : fail_sql(db, "read", err);
}

/* Most runs have nothing to remove, and need not write to the disk for it. */
static enum ib_rc has_old(struct ib_statedb *db, int64_t before_ms, bool *ret, struct ib_error *err)
{
    STMT stmt = NULL;
    enum ib_rc rc =
        prepare(db,
                "SELECT EXISTS (SELECT 1 FROM cancels WHERE ended_ms <> 0 AND ended_ms < ?1"
                " AND (kind = 'cancel' OR outcome = 'refused' OR context <> ''))"
                " OR EXISTS (SELECT 1 FROM audit WHERE time_ms < ?1)",
                "prune", &stmt, err);

    if (rc != IB_OK) {
        return rc;
    }
    bind_i64(stmt, 1, before_ms);
    if (sqlite3_step(stmt) != SQLITE_ROW) {
        return fail_sql(db, "prune", err);
    }
    *ret = sqlite3_column_int(stmt, 0) != 0;
    return IB_OK;
}

/* Bytes that hold something; what was removed is used again. */
static enum ib_rc used_bytes(struct ib_statedb *db, int64_t *ret, struct ib_error *err)
{
    int64_t pages = 0, unused = 0, bytes = 0;
    enum ib_rc rc = read_pragma(db, "PRAGMA page_count", &pages, err);

    if (rc == IB_OK) {
        rc = read_pragma(db, "PRAGMA freelist_count", &unused, err);
    }
    if (rc == IB_OK) {
        rc = read_pragma(db, "PRAGMA page_size", &bytes, err);
    }
    *ret = rc == IB_OK ? (pages - unused) * bytes : 0;
    return rc;
}

enum ib_rc ib_statedb_prune(struct ib_statedb *db, int64_t before_ms, struct ib_error *err)
{
    bool old = false;
    int64_t bytes = 0;
    enum ib_rc rc = has_old(db, before_ms, &old, err);

    if (rc == IB_OK) {
        rc = used_bytes(db, &bytes, err);
    }
    bool full = bytes > IB_STATEDB_MAX_BYTES / 2;
    if (rc != IB_OK || (!old && !full)) {
        return rc;
    }
    rc = begin(db, err);
    if (rc != IB_OK) {
        return rc;
    }
    static const char *const statements[] = {
        "DELETE FROM cancels WHERE ended_ms <> 0 AND ended_ms < ?1"
        " AND (kind = 'cancel' OR outcome = 'refused')",
        "UPDATE cancels SET text = '', context = '' WHERE ended_ms <> 0 AND ended_ms < ?1"
        " AND context <> ''",
        /* Lines of a row that is still open stay with it. */
        "DELETE FROM audit WHERE time_ms < ?1"
        " AND (cancel IS NULL OR cancel NOT IN (SELECT id FROM cancels WHERE ended_ms = 0))",
    };
    if (full) {
        /* Long before it is so large that it is refused: the oldest lines go, whatever their age. */
        rc = run_sql(db,
                     "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE cancel IS NULL OR cancel"
                     " NOT IN (SELECT id FROM cancels WHERE ended_ms = 0) ORDER BY id LIMIT 10000)",
                     "prune", err);
    }
    for (size_t i = 0; rc == IB_OK && i < IB_ARRAY_LEN(statements); i++) {
        STMT stmt = NULL;
        rc = prepare(db, statements[i], "prune", &stmt, err);
        if (rc == IB_OK) {
            bind_i64(stmt, 1, before_ms);
            rc = step_done(db, stmt, "prune", err);
        }
    }
    return end(db, rc, err);
}
