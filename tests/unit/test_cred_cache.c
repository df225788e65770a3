/* SPDX-License-Identifier: MIT */
/* lib/aws/cred_cache.c: when STS is asked, what is on disk, fifty processes at once. */
#include "cred_world.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/aws/cred_cache.h"

#define PROCESSES 50
#define HOUR      IB_HOUR_MS

static char top[] = "/tmp/ib-cred-cache-XXXXXX";
static char dir[64], counter[64];
static int round_number; /* each test has a directory of its own */

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/%d", top, ++round_number);
    (void)snprintf(counter, sizeof counter, "%s/%d.count", top, round_number);
    return 0;
}

/* What a provider would do; each call leaves a byte in a file that all processes see. */
struct provider {
    int64_t life_ms;
    bool fails;
};

static int calls(void)
{
    struct stat facts;

    return stat(counter, &facts) == 0 ? (int)facts.st_size : 0;
}

static enum ib_rc fetch(const struct ib_cred_context *ctx, void *arg, struct ib_credentials *ret,
                        struct ib_error *err)
{
    const struct provider *p = arg;
    char key[32];
    int fd = open(counter, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    struct ib_cred_fields f = { .secret_access_key = IB_STR("geheim-secret"),
                                .session_token = IB_STR("geheim-token"),
                                .account_id = IB_STR("123456789012") };

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "x", 1), 1);
    (void)close(fd);
    if (p->fails) {
        return ib_fail(err, IB_ENET, "made-up failure");
    }
    (void)snprintf(key, sizeof key, "ASIAKEY%d", calls());
    f.access_key_id = ib_str_from(key);
    f.expiration_ms = p->life_ms == 0 ? 0 : IB_OUTSIDE_NOW(ctx->outside) + p->life_ms;
    return ib_cred_accept(&f, "made up", "role r", ret, err);
}

struct run {
    struct world world;
    struct ib_aws_config config;
    struct ib_cred_trail trail;
    struct ib_cred_context ctx;
};

static void start(struct run *r, int64_t now_ms)
{
    *r = (struct run){ .world = { .now_ms = now_ms } };
    r->config.options.cache_dir = dir;
    r->ctx = (struct ib_cred_context){ .config = &r->config, .outside = world_open(&r->world),
                                       .deadline = ib_deadline_in(20000), .trail = &r->trail };
}

static enum ib_rc get(struct run *r, const char *what, struct provider *p,
                      struct ib_credentials *ret, struct ib_error *err)
{
    const struct ib_cred_ask ask = { "made up", ib_str_from(what), fetch, p };

    return ib_cred_cache_get(&r->ctx, &ask, ret, err);
}

/* Ask at a time; compare the key that comes and the number of calls so far. */
static void ask(int64_t now_ms, struct provider *p, const char *key, int calls_wanted)
{
    struct run r;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    start(&r, now_ms);
    assert_ok(get(&r, "role=a\n", p, &c, &err), &err);
    assert_string_equal(c.access_key_id, key);
    assert_string_equal(c.secret_access_key, "geheim-secret");
    assert_string_equal(c.session_token, "geheim-token");
    assert_string_equal(c.account_id, "123456789012");
    assert_string_equal(c.provider, "made up");
    assert_int_equal(calls(), calls_wanted);
}

static void a_check_each_minute_does_not_ask_each_minute(void **state)
{
    struct provider p = { .life_ms = HOUR };
    int64_t now = WORLD_NOW_MS;

    (void)make_dir(state);
    ask(now, &p, "ASIAKEY1", 1);
    for (int minute = 1; minute <= 44; minute++) {
        ask(now + minute * IB_MINUTE_MS, &p, "ASIAKEY1", 1);
    }
    /* 15 minutes before their end they are renewed, early enough for anybody's clock. */
    ask(now + 45 * IB_MINUTE_MS, &p, "ASIAKEY2", 2);
    ask(now + 46 * IB_MINUTE_MS, &p, "ASIAKEY2", 2);
}

static void the_shortest_session_is_not_renewed_at_once(void **state)
{
    struct provider p = { .life_ms = 15 * IB_MINUTE_MS };
    int64_t now = WORLD_NOW_MS;

    (void)make_dir(state);
    ask(now, &p, "ASIAKEY1", 1);
    ask(now + 11 * IB_MINUTE_MS, &p, "ASIAKEY1", 1);
    ask(now + 12 * IB_MINUTE_MS, &p, "ASIAKEY2", 2);
}

static void a_failed_renewal_leaves_what_is_still_good(void **state)
{
    struct provider p = { .life_ms = HOUR };
    int64_t now = WORLD_NOW_MS;

    (void)make_dir(state);
    ask(now, &p, "ASIAKEY1", 1);
    p.fails = true;
    ask(now + 50 * IB_MINUTE_MS, &p, "ASIAKEY1", 2);
}

static void a_failed_renewal_at_the_end_is_an_error(void **state)
{
    struct provider p = { .life_ms = HOUR };
    struct run r;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    (void)make_dir(state);
    ask(WORLD_NOW_MS, &p, "ASIAKEY1", 1);
    p.fails = true;
    start(&r, WORLD_NOW_MS + 59 * IB_MINUTE_MS);
    assert_rc(get(&r, "role=a\n", &p, &c, &err), IB_ENET, &err);
    assert_string_equal(err.text, "made-up failure");
}

static void what_aws_refused_is_not_handed_out_again(void **state)
{
    struct provider p = { .life_ms = HOUR };
    struct run r;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    char refused[] = "ASIAKEY1";

    (void)make_dir(state);
    ask(WORLD_NOW_MS, &p, "ASIAKEY1", 1);
    start(&r, WORLD_NOW_MS);
    r.ctx.fresh = true;
    r.config.refused_key = refused;
    assert_ok(get(&r, "role=a\n", &p, &c, &err), &err);
    assert_string_equal(c.access_key_id, "ASIAKEY2");
    /* Another process that was refused the same finds the new ones. */
    ib_credentials_fini(&c);
    assert_ok(get(&r, "role=a\n", &p, &c, &err), &err);
    assert_string_equal(c.access_key_id, "ASIAKEY2");
    assert_int_equal(calls(), 2);
}

static void other_parameters_have_an_entry_of_their_own(void **state)
{
    struct provider p = { .life_ms = HOUR };
    struct run r;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    (void)make_dir(state);
    ask(WORLD_NOW_MS, &p, "ASIAKEY1", 1);
    start(&r, WORLD_NOW_MS);
    assert_ok(get(&r, "role=b\n", &p, &c, &err), &err);
    assert_string_equal(c.access_key_id, "ASIAKEY2");
}

static void credentials_without_end_are_not_kept(void **state)
{
    struct provider p = { .life_ms = 0 };

    (void)make_dir(state);
    ask(WORLD_NOW_MS, &p, "ASIAKEY1", 1);
    ask(WORLD_NOW_MS, &p, "ASIAKEY2", 2);
}

/* The one entry of the cache. */
static void entry_path(char *buf, size_t cap)
{
    /* printf 'role=a\n' | sha256sum */
    (void)snprintf(buf, cap, "%s/%s.json", dir,
                   "6e4232e63af492e765a2f4aaa10a88c49fcf720282a7ed748a283d15915d7e13");
}

static void files_are_private_and_named_without_secrets(void **state)
{
    struct provider p = { .life_ms = HOUR };
    struct stat facts;
    char path[192];

    (void)make_dir(state);
    ask(WORLD_NOW_MS, &p, "ASIAKEY1", 1);
    assert_int_equal(stat(dir, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0700);
    entry_path(path, sizeof path);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
}

static void write_entry(const char *text, mode_t mode)
{
    char path[192];
    FILE *f;

    entry_path(path, sizeof path);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

struct broken {
    const char *name, *text;
    mode_t mode;
    const char *note;
};
static const struct broken broken_rows[] = {
    { "an_entry_that_is_no_json_is_replaced", "geheim{", 0600, "cached credentials" },
    { "an_empty_entry_is_replaced", "", 0600, "cached credentials" },
    { "an_entry_without_secret_is_replaced", "{\"AccessKeyId\":\"A\"}", 0600, "no SecretAccessKey" },
    { "an_entry_from_the_future_is_replaced",
      "{\"Fetched\":9999999999999,\"Expiration\":\"2300-01-01T00:00:00Z\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"geheim\","
      "\"SessionToken\":\"t\"}", 0600, "fetched in the future" },
    { "an_entry_that_others_can_read_is_replaced",
      "{\"Fetched\":1788414261121,\"Expiration\":\"2026-09-03T06:44:21Z\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"geheim\","
      "\"SessionToken\":\"t\"}", 0644, NULL },
};

static void broken_row(void **state)
{
    const struct broken *b = *state;
    struct provider p = { .life_ms = HOUR };
    struct run r;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    (void)make_dir(state);
    assert_int_equal(mkdir(dir, 0700), 0);
    write_entry(b->text, b->mode);
    start(&r, WORLD_NOW_MS);
    assert_ok(get(&r, "role=a\n", &p, &c, &err), &err);
    assert_string_equal(c.access_key_id, "ASIAKEY1");
    assert_true(r.trail.count > 0);
    assert_no_secret(r.trail.rows[0].text);
    if (b->note != NULL) {
        assert_contains(r.trail.rows[0].text, b->note);
    }
    ask(WORLD_NOW_MS, &p, "ASIAKEY1", 1);
}

static void a_directory_that_others_can_enter_is_not_used(void **state)
{
    struct provider p = { .life_ms = HOUR };
    struct run r;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    char path[192];

    (void)make_dir(state);
    assert_int_equal(mkdir(dir, 0700), 0);
    assert_int_equal(chmod(dir, 0755), 0);
    start(&r, WORLD_NOW_MS);
    assert_ok(get(&r, "role=a\n", &p, &c, &err), &err);
    assert_int_equal(r.trail.count, 1);
    assert_contains(r.trail.rows[0].text, dir);
    entry_path(path, sizeof path);
    assert_int_equal(access(path, F_OK), -1);
}

static void without_a_directory_the_provider_is_asked(void **state)
{
    struct provider p = { .life_ms = HOUR };
    struct run r;
    IB_CLEANUP(ib_credentials_fini) struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;

    (void)make_dir(state);
    start(&r, WORLD_NOW_MS);
    r.config.options.cache_dir = NULL;
    assert_ok(get(&r, "role=a\n", &p, &c, &err), &err);
    assert_int_equal(calls(), 1);
    assert_int_equal(r.trail.count, 0);
}

/* Begin when all are there, ask once, end with 0 when the key is the first one. */
static void child(int gate)
{
    struct provider p = { .life_ms = HOUR };
    struct run r;
    struct ib_credentials c = IB_CREDENTIALS_INIT;
    struct ib_error err = IB_ERROR_INIT;
    char byte;

    start(&r, WORLD_NOW_MS);
    (void)!read(gate, &byte, 1); /* until the other end closes */
    _exit(get(&r, "role=a\n", &p, &c, &err) == IB_OK &&
                  strcmp(c.access_key_id, "ASIAKEY1") == 0
              ? 0
              : 1);
}

static void fifty_processes_ask_once(void **state)
{
    int gate[2], status, good = 0;

    (void)make_dir(state);
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0) {
            (void)close(gate[1]);
            child(gate[0]);
        }
    }
    (void)close(gate[0]);
    (void)close(gate[1]);
    for (int i = 0; i < PROCESSES; i++) {
        assert_true(wait(&status) > 0);
        good += WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 1 : 0;
    }
    assert_int_equal(good, PROCESSES);
    assert_int_equal(calls(), 1);
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *where)
{
    (void)facts;
    (void)kind;
    (void)where;
    return remove(path);
}

int main(void)
{
    int failed;

    if (mkdtemp(top) == NULL) {
        (void)printf("Bail out! no scratch directory\n");
        return 1;
    }
    (void)umask(022);
    IB_TEST_CASE(a_check_each_minute_does_not_ask_each_minute);
    IB_TEST_CASE(the_shortest_session_is_not_renewed_at_once);
    IB_TEST_CASE(a_failed_renewal_leaves_what_is_still_good);
    IB_TEST_CASE(a_failed_renewal_at_the_end_is_an_error);
    IB_TEST_CASE(what_aws_refused_is_not_handed_out_again);
    IB_TEST_CASE(other_parameters_have_an_entry_of_their_own);
    IB_TEST_CASE(credentials_without_end_are_not_kept);
    IB_TEST_CASE(files_are_private_and_named_without_secrets);
    IB_TEST_ROWS(broken_rows, broken_row);
    IB_TEST_CASE(a_directory_that_others_can_enter_is_not_used);
    IB_TEST_CASE(without_a_directory_the_provider_is_asked);
    IB_TEST_CASE(fifty_processes_ask_once);
    failed = IB_TEST_RUN();
    (void)nftw(top, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return failed;
}
