/* SPDX-License-Identifier: MIT */
/* lib/data/statedb.c: the journal's transactions, and what it refuses to open. */
#include "ib_test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/base/time.h"
#include "lib/data/statedb.h"

#define WEB "arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7"
#define DB  "arn:aws:imagebuilder:eu-central-1:123456789012:image/db-server/1.0.0/1"
#define NOW INT64_C(1788414261000)

static char dir[128];
static struct ib_process self;

static void path_of(char *buf, size_t cap, const char *name)
{
    (void)snprintf(buf, cap, "%s/%s", dir, name);
}

static int set_up(void **state)
{
    struct ib_error err = IB_ERROR_INIT;
    const char *tmp = "/tmp";

    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/ib-statedb-XXXXXX", tmp);
    assert_non_null(mkdtemp(dir));
    assert_ok(ib_process_self(&self, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"journal.db", "journal.db-journal", "link", "count"};
    char path[256];

    (void)state;
    for (size_t i = 0; i < IB_ARRAY_LEN(names); i++) {
        path_of(path, sizeof path, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

static struct ib_statedb *open_db(void)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_statedb *db = NULL;
    struct ib_statedb_options o = {.dir = dir, .create = true, .busy_ms = 20000};

    assert_ok(ib_statedb_open(&o, &db, &err), &err);
    return db;
}

static enum ib_rc try_open(bool read_only, bool create, struct ib_error *err)
{
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = NULL;
    struct ib_statedb_options o = {
        .dir = dir, .create = create, .read_only = read_only, .busy_ms = 100};

    return ib_statedb_open(&o, &db, err);
}

static bool yes(void *ctx, const struct ib_claim_counts *counts, struct ib_value **ret_audit)
{
    (void)ctx;
    (void)counts;
    (void)ret_audit;
    return true;
}

/* Grants while fewer than *ctx cancels of the target were sent in the last hour. */
static bool budget(void *ctx, const struct ib_claim_counts *counts, struct ib_value **ret_audit)
{
    *ret_audit = ib_value_object();
    assert_int_equal(
        ib_value_set(*ret_audit, IB_STR("counted"), ib_value_int(counts->target_last_hour), NULL),
        IB_OK);
    return counts->target_last_hour < *(int64_t *)ctx;
}

static struct ib_claim_request request(const char *arn, const char *token)
{
    return (struct ib_claim_request){.arn = arn,
                                     .target = "web",
                                     .token = token,
                                     .problem = "",
                                     .context = "{}",
                                     .now_ms = NOW,
                                     .self = &self,
                                     .decide = yes};
}

static enum ib_claim_result claim(struct ib_statedb *db, const char *arn, const char *token,
                                  struct ib_cancel_row *row)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_claim_request q = request(arn, token);
    enum ib_claim_result result = IB_CLAIM_REFUSED;

    assert_ok(ib_statedb_claim(db, &q, &result, row, &err), &err);
    return result;
}

static enum ib_rc move(struct ib_statedb *db, int64_t id, enum ib_cancel_phase phase,
                       const char *outcome, int64_t now_ms, struct ib_error *err)
{
    struct ib_cancel_update u = {.id = id,
                                 .now_ms = now_ms,
                                 .self = &self,
                                 .phase = phase,
                                 .outcome = outcome,
                                 .event = "step",
                                 .status = "BUILDING"};

    return ib_statedb_update(db, &u, err);
}

static void a_cancel_goes_through_its_phases(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();
    struct ib_cancel_row row;

    assert_int_equal(claim(db, WEB, "token-1", &row), IB_CLAIM_GRANTED);
    assert_string_equal(row.token, "token-1");
    assert_int_equal(row.phase, IB_CANCEL_CLAIMED);
    assert_true(row.sent_ms == 0);
    assert_ok(move(db, row.id, IB_CANCEL_SENT, NULL, NOW + 1, &err), &err);
    assert_ok(move(db, row.id, IB_CANCEL_ACCEPTED, NULL, NOW + 2, &err), &err);
    assert_ok(move(db, row.id, IB_CANCEL_SENT, NULL, NOW + 3, &err), &err);
    assert_ok(ib_statedb_last(db, WEB, &row, &err), &err);
    assert_int_equal(row.phase, IB_CANCEL_ACCEPTED);
    assert_true(row.sent_ms == NOW + 1 && row.ended_ms == 0);
    assert_ok(move(db, row.id, IB_CANCEL_ENDED, "cancelled", NOW + 9, &err), &err);
    assert_ok(ib_statedb_last(db, WEB, &row, &err), &err);
    assert_string_equal(row.outcome, "cancelled");
    assert_string_equal(row.status, "BUILDING");
    assert_true(row.ended_ms == NOW + 9);
    assert_rc(move(db, row.id, IB_CANCEL_SENT, NULL, NOW + 10, &err), IB_EREFUSED, &err);
    assert_contains(err.text, "has ended already (cancelled)");
}

static void own_open_row_is_taken_up_with_its_token(void **state)
{
    (void)state;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();
    struct ib_cancel_row row;

    assert_int_equal(claim(db, WEB, "token-1", &row), IB_CLAIM_GRANTED);
    assert_int_equal(claim(db, WEB, "token-2", &row), IB_CLAIM_TAKEN_OVER);
    assert_string_equal(row.token, "token-1");
    assert_true(row.attempts == 1); /* one call, not two tries */
    assert_int_equal(claim(db, DB, "token-2", &row), IB_CLAIM_GRANTED);
}

/* Claims in a child that then stays alive or is killed. */
static pid_t child_with_claim(const char *token, int *ret_pipe)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ib_test_die_with_parent();
        struct ib_error err = IB_ERROR_INIT;
        struct ib_cancel_row row;
        (void)close(fds[0]);
        if (ib_process_self(&self, &err) != IB_OK) {
            _exit(2);
        }
        struct ib_statedb *db = open_db();
        char c = claim(db, WEB, token, &row) == IB_CLAIM_GRANTED ? 'g' : 'x';
        if (write(fds[1], &c, 1) != 1) {
            _exit(3);
        }
        for (;;) {
            (void)pause();
        }
    }
    (void)close(fds[1]);
    char c = 0;
    assert_int_equal(read(fds[0], &c, 1), 1);
    assert_int_equal(c, 'g');
    *ret_pipe = fds[0];
    return pid;
}

static void living_owner_keeps_its_row_and_a_dead_one_loses_it(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cancel_row row;
    int fd = -1, status;
    pid_t pid = child_with_claim("token-child", &fd);
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();

    assert_int_equal(claim(db, WEB, "token-2", &row), IB_CLAIM_BUSY);
    assert_string_equal(row.token, "token-child");
    assert_true(row.owner.pid == pid);
    assert_rc(move(db, row.id, IB_CANCEL_SENT, NULL, NOW, &err), IB_EREFUSED, &err);
    assert_contains(err.text, "was taken over by process");
    assert_int_equal(kill(pid, SIGKILL), 0);
    /* A zombie holds nothing either. */
    assert_int_equal(waitpid(pid, &status, 0), pid);
    (void)close(fd);
    assert_int_equal(claim(db, WEB, "token-3", &row), IB_CLAIM_TAKEN_OVER);
    assert_string_equal(row.token, "token-child");
    assert_ok(move(db, row.id, IB_CANCEL_SENT, NULL, NOW, &err), &err);
}

static void row_of_an_earlier_boot_is_taken_over(void **state)
{
    (void)state;
    struct ib_cancel_row row;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();
    struct ib_process real = self;

    (void)snprintf(self.boot_id, sizeof self.boot_id, "another-boot");
    assert_int_equal(claim(db, WEB, "token-1", &row), IB_CLAIM_GRANTED);
    self = real;
    assert_int_equal(claim(db, WEB, "token-2", &row), IB_CLAIM_TAKEN_OVER);
    assert_string_equal(row.token, "token-1");
}

/* Its process cannot be looked at from here: only time tells. */
static void row_of_another_host_is_busy_for_as_long_as_a_call_may_live(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cancel_row row;
    enum ib_claim_result result;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();
    struct ib_process real = self;

    (void)snprintf(self.host, sizeof self.host, "another-host");
    self.pid = 1 << 30; /* nobody here */
    assert_int_equal(claim(db, WEB, "token-1", &row), IB_CLAIM_GRANTED);
    self = real;
    assert_int_equal(claim(db, WEB, "token-2", &row), IB_CLAIM_BUSY);
    assert_ok(ib_statedb_take(db, row.id, &self, NOW + IB_STATEDB_OWNER_MAX_MS, NULL, &result, &row, &err), &err);
    assert_int_equal(result, IB_CLAIM_BUSY);
    assert_ok(ib_statedb_take(db, row.id, &self, NOW + IB_STATEDB_OWNER_MAX_MS + 1, NULL, &result, &row, &err),
              &err);
    assert_int_equal(result, IB_CLAIM_TAKEN_OVER);
}

static void released_row_is_open_for_anybody(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cancel_row row;
    enum ib_claim_result result;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();

    assert_int_equal(claim(db, WEB, "token-1", &row), IB_CLAIM_GRANTED);
    assert_ok(ib_statedb_release(db, row.id, &self, NOW, &err), &err);
    assert_rc(move(db, row.id, IB_CANCEL_SENT, NULL, NOW, &err), IB_EREFUSED, &err);
    assert_ok(ib_statedb_take(db, row.id, &self, NOW, NULL, &result, &row, &err), &err);
    assert_int_equal(result, IB_CLAIM_TAKEN_OVER);
    assert_ok(move(db, row.id, IB_CANCEL_ENDED, "gone", NOW, &err), &err);
    assert_ok(ib_statedb_take(db, row.id, &self, NOW, NULL, &result, &row, &err), &err);
    assert_int_equal(result, IB_CLAIM_REFUSED);
    assert_rc(ib_statedb_take(db, 4711, &self, NOW, NULL, &result, &row, &err), IB_ENOENT, &err);
}

static void budget_counts_the_last_hour_of_its_target(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cancel_row row;
    enum ib_claim_result result;
    int64_t limit = 2;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();
    char arn[256], token[64];

    for (int i = 0; i < 4; i++) {
        (void)snprintf(arn, sizeof arn, "%s%d", WEB, i);
        (void)snprintf(token, sizeof token, "token-%d", i);
        struct ib_claim_request q = request(arn, token);
        q.decide = budget;
        q.ctx = &limit;
        q.target = i == 2 ? "other" : "web";
        assert_ok(ib_statedb_claim(db, &q, &result, &row, &err), &err);
        assert_int_equal(result, i < 3 ? IB_CLAIM_GRANTED : IB_CLAIM_REFUSED);
        if (result == IB_CLAIM_GRANTED) {
            assert_ok(move(db, row.id, IB_CANCEL_SENT, NULL, NOW, &err), &err);
            assert_ok(move(db, row.id, IB_CANCEL_ENDED, "cancelled", NOW, &err), &err);
        }
    }
    struct ib_claim_request later = request(WEB, "token-later");
    later.decide = budget;
    later.ctx = &limit;
    later.now_ms = NOW + IB_HOUR_MS;
    assert_ok(ib_statedb_claim(db, &later, &result, &row, &err), &err);
    assert_int_equal(result, IB_CLAIM_GRANTED);
}

struct lines {
    int count;
    char events[512];
};

static bool take_line(void *ctx, const struct ib_value *line)
{
    struct lines *l = ctx;
    struct ib_str event = ib_value_as_str(ib_value_get_c(line, "event"));
    size_t used = strlen(l->events);

    l->count++;
    (void)snprintf(l->events + used, sizeof l->events - used, "%.*s ", IB_STR_ARG(event));
    return true;
}

static void every_step_leaves_an_audit_line(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cancel_row row;
    struct lines l = {0};
    int64_t none = 0;
    enum ib_claim_result result;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();
    struct ib_claim_request q = request(DB, "token-2");

    assert_int_equal(claim(db, WEB, "token-1", &row), IB_CLAIM_GRANTED);
    assert_ok(move(db, row.id, IB_CANCEL_SENT, NULL, NOW, &err), &err);
    q.decide = budget;
    q.ctx = &none;
    assert_ok(ib_statedb_claim(db, &q, &result, &row, &err), &err);
    assert_int_equal(result, IB_CLAIM_REFUSED);
    assert_ok(ib_statedb_audit(db, NOW, DB, "dry-run", NULL, &err), &err);
    assert_ok(ib_statedb_history(db, NULL, 100, take_line, &l, &err), &err);
    assert_string_equal(l.events, "dry-run refuse step claim ");
    l = (struct lines){0};
    assert_ok(ib_statedb_history(db, WEB, 100, take_line, &l, &err), &err);
    assert_string_equal(l.events, "step claim ");
    l = (struct lines){0};
    assert_ok(ib_statedb_prune(db, NOW + 1, &err), &err);
    assert_ok(ib_statedb_history(db, NULL, 100, take_line, &l, &err), &err);
    assert_string_equal(l.events, "step claim ");
}

static void one_of_fifty_processes_gets_the_claim(void **state)
{
    (void)state;
    pid_t pids[50];
    int go[2], granted = 0, joined = 0;

    assert_int_equal(pipe(go), 0);
    ib_statedb_close(open_db());
    for (int i = 0; i < 50; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            struct ib_error err = IB_ERROR_INIT;
            struct ib_cancel_row row;
            char token[32], c;
            (void)close(go[1]);
            (void)!read(go[0], &c, 1); /* all begin when the pipe closes */
            if (ib_process_self(&self, &err) != IB_OK) {
                _exit(9);
            }
            struct ib_statedb *db = open_db();
            (void)snprintf(token, sizeof token, "token-%d", i);
            enum ib_claim_result r = claim(db, WEB, token, &row);
            bool mine = strcmp(row.token, token) == 0;
            ib_statedb_close(db);
            _exit(r == IB_CLAIM_GRANTED && mine ? 1 : !mine ? 2 : 9);
        }
    }
    (void)close(go[0]);
    (void)close(go[1]);
    for (int i = 0; i < 50; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 9);
        granted += WEXITSTATUS(status) == 1;
        joined += WEXITSTATUS(status) == 2;
    }
    assert_int_equal(granted, 1);
    assert_int_equal(joined, 49);
}

/* --- what is refused ---------------------------------------------------------------------------
 */

static void write_file(const char *name, const char *data, size_t n, mode_t mode)
{
    char path[256];

    path_of(path, sizeof path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, n), (ssize_t)n);
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void no_database_is_no_error_to_a_reader(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_rc(try_open(true, false, &err), IB_ENOENT, &err);
    assert_rc(try_open(false, false, &err), IB_ENOENT, &err);
    assert_contains(err.text, "there is no ");
}

static void garbage_is_no_database(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char junk[4096];

    memset(junk, 'x', sizeof junk);
    write_file("journal.db", junk, sizeof junk, 0600);
    assert_rc(try_open(false, true, &err), IB_EPARSE, &err);
    assert_contains(err.text, "damaged");
}

static void half_a_database_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char path[256];
    struct stat st;

    ib_statedb_close(open_db());
    path_of(path, sizeof path, "journal.db");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
    assert_rc(try_open(false, true, &err), IB_EPARSE, &err);
    assert_contains(err.text, "damaged; move it away");
}

static void newer_database_is_left_alone(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char path[256];
    unsigned char version[4] = {0, 0, 0, 99};

    ib_statedb_close(open_db());
    path_of(path, sizeof path, "journal.db");
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    /* user_version stands at byte 60 of the file. */
    assert_int_equal(pwrite(fd, version, 4, 60), 4);
    (void)close(fd);
    assert_rc(try_open(false, true, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "newer version of ib-plugins (schema 99");
}

static void huge_database_is_refused_at_once(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char path[256];

    write_file("journal.db", "", 0, 0600);
    path_of(path, sizeof path, "journal.db");
    assert_int_equal(truncate(path, 100 * 1024 * 1024), 0);
    assert_rc(try_open(false, true, &err), IB_ELIMIT, &err);
    assert_contains(err.text, "more than 67108864");
}

static void file_that_others_write_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    write_file("journal.db", "", 0, 0666);
    assert_rc(try_open(false, true, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "is writable by others (mode 0666)");
}

static void symlink_for_the_file_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    char path[256];

    path_of(path, sizeof path, "journal.db");
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_rc(try_open(false, true, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "is a symbolic link");
}

static void symlink_for_the_directory_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = NULL;
    char path[256];
    struct ib_statedb_options o = {.dir = path, .create = true};

    path_of(path, sizeof path, "link");
    assert_int_equal(symlink(dir, path), 0);
    assert_rc(ib_statedb_open(&o, &db, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "is a symbolic link or no directory");
    path_of(path, sizeof path, "link//");
    assert_rc(ib_statedb_open(&o, &db, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "is a symbolic link or no directory");
}

static void open_directory_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_int_equal(chmod(dir, 0777), 0);
    assert_rc(try_open(false, true, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "is writable by everybody");
    assert_int_equal(chmod(dir, 0770), 0);
    assert_rc(try_open(false, true, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "lacks the setgid bit");
    assert_int_equal(chmod(dir, 0700), 0);
}

static void shared_directory_makes_a_shared_file(void **state)
{
    (void)state;
    struct stat st;
    char path[256];

    assert_int_equal(chmod(dir, 02770), 0);
    ib_statedb_close(open_db());
    path_of(path, sizeof path, "journal.db");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(chmod(dir, 0700), 0);
}

static void private_directory_makes_a_private_file(void **state)
{
    (void)state;
    struct stat st;
    char path[256];

    ib_statedb_close(open_db());
    path_of(path, sizeof path, "journal.db");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
}

static void a_stranger_s_directory_is_refused(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;

    assert_int_equal(chown(dir, 4711, (gid_t)-1), 0);
    assert_rc(try_open(false, true, &err), IB_ECONFIG, &err);
    assert_contains(err.text, "belongs to user 4711");
    assert_int_equal(chown(dir, 0, (gid_t)-1), 0);
}

static void locked_database_ends_in_time(void **state)
{
    (void)state;
    struct ib_error err = IB_ERROR_INIT;
    struct ib_cancel_row row;
    enum ib_claim_result result;
    struct ib_claim_request q = request(WEB, "token-1");
    int ready[2], status;
    char c;

    ib_statedb_close(open_db());
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ib_test_die_with_parent();
        /* The rollback journal's write lock, as SQLite takes it (bytes 0x40000000 and on). */
        char path[256];
        struct flock lock = {
            .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0x40000000, .l_len = 512};
        path_of(path, sizeof path, "journal.db");
        int fd = open(path, O_RDWR);
        bool locked = fd >= 0 && fcntl(fd, F_SETLK, &lock) == 0;
        c = locked ? 'l' : 'x';
        (void)!write(ready[1], &c, 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    assert_int_equal(c, 'l');
    int64_t began_ms = ib_time_mono_ms();
    enum ib_rc rc = try_open(false, true, &err);
    int64_t took_ms = ib_time_mono_ms() - began_ms;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &status, 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
    assert_int_equal(rc, IB_ETIMEOUT);
    assert_contains(err.text, "another process holds it locked");
    assert_true(took_ms < 20000);
    IB_CLEANUP(ib_statedb_cleanup) struct ib_statedb *db = open_db();
    assert_ok(ib_statedb_claim(db, &q, &result, &row, &err), &err);
}

#define WITH_DIR(fn)                                \
    ib_tests[ib_test_count++] = (struct CMUnitTest) \
    {                                               \
#        fn, fn, set_up, tear_down, NULL            \
    }

int main(void)
{
    (void)ib_test_add;
    WITH_DIR(a_cancel_goes_through_its_phases);
    WITH_DIR(own_open_row_is_taken_up_with_its_token);
    WITH_DIR(living_owner_keeps_its_row_and_a_dead_one_loses_it);
    WITH_DIR(row_of_an_earlier_boot_is_taken_over);
    WITH_DIR(row_of_another_host_is_busy_for_as_long_as_a_call_may_live);
    WITH_DIR(released_row_is_open_for_anybody);
    WITH_DIR(budget_counts_the_last_hour_of_its_target);
    WITH_DIR(every_step_leaves_an_audit_line);
    WITH_DIR(one_of_fifty_processes_gets_the_claim);
    WITH_DIR(no_database_is_no_error_to_a_reader);
    WITH_DIR(garbage_is_no_database);
    WITH_DIR(half_a_database_is_refused);
    WITH_DIR(newer_database_is_left_alone);
    WITH_DIR(huge_database_is_refused_at_once);
    WITH_DIR(file_that_others_write_is_refused);
    WITH_DIR(symlink_for_the_file_is_refused);
    WITH_DIR(symlink_for_the_directory_is_refused);
    WITH_DIR(open_directory_is_refused);
    WITH_DIR(shared_directory_makes_a_shared_file);
    WITH_DIR(private_directory_makes_a_private_file);
    if (geteuid() == 0) { /* only root can give a directory away */
        WITH_DIR(a_stranger_s_directory_is_refused);
    } else {
        IB_TEST_SKIP_ROW("a_stranger_s_directory_is_refused", "only root can give a directory away");
    }
    WITH_DIR(locked_database_ends_in_time);
    return IB_TEST_RUN();
}
