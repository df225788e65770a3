/* SPDX-License-Identifier: MIT */
/* The clients of a run. */
#include "lib/watch/clients.h"

struct client {
    struct ib_aws_options options; /* its texts are ours: a target of a resumed cancel is gone before we are */
    struct ib_aws_client *client;
};

/* Every text that tells one way to reach AWS from another. */
static const size_t texts[] = {
    offsetof(struct ib_aws_options, profile),
    offsetof(struct ib_aws_options, region),
    offsetof(struct ib_aws_options, default_region),
    offsetof(struct ib_aws_options, role_arn),
    offsetof(struct ib_aws_options, external_id),
    offsetof(struct ib_aws_options, endpoint_url),
    offsetof(struct ib_aws_options, ca_bundle),
    offsetof(struct ib_aws_options, proxy),
};

static const char *text_at(const struct ib_aws_options *options, size_t i)
{
    const char *text = NULL;

    memcpy(&text, (const char *)options + texts[i], sizeof text);
    return text;
}

static void set_text(struct ib_aws_options *options, size_t i, const char *text)
{
    memcpy((char *)options + texts[i], &text, sizeof text);
}

struct ib_clients {
    struct ib_deadline deadline; /* of all */
    struct ib_deadline until;    /* of what is being done now */
    ib_aws_trace_fn trace;
    void *trace_ctx;
    char *cache_dir; /* NULL: nowhere */
    struct client *items;
    size_t count;
};

enum ib_rc ib_clients_new(struct ib_deadline deadline, ib_aws_trace_fn trace, void *trace_ctx,
                          struct ib_clients **ret, struct ib_error *err)
{
    struct ib_clients *c = calloc(1, sizeof *c);

    if (c == NULL) {
        return ib_fail_nomem(err);
    }
    c->deadline = deadline;
    c->until = deadline;
    c->trace = trace;
    c->trace_ctx = trace_ctx;
    *ret = c;
    return IB_OK;
}

enum ib_rc ib_clients_cache_in(struct ib_clients *clients, const char *state_dir,
                               struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf path = IB_BUF_INIT(4096);
    enum ib_rc rc;

    ib_buf_addf(&path, "%s/cache", state_dir);
    rc = ib_buf_ok(&path, "state_dir", err);
    if (rc == IB_OK) {
        free(clients->cache_dir);
        clients->cache_dir = ib_buf_take(&path);
    }
    return rc;
}

static void free_client(struct client *client)
{
    ib_aws_client_free(client->client);
    for (size_t i = 0; i < IB_ARRAY_LEN(texts); i++) {
        free((void *)(uintptr_t)text_at(&client->options, i));
    }
    *client = (struct client){0};
}

void ib_clients_free(struct ib_clients *clients)
{
    if (clients == NULL) {
        return;
    }
    for (size_t i = 0; i < clients->count; i++) {
        free_client(&clients->items[i]);
    }
    free(clients->items);
    free(clients->cache_dir);
    free(clients);
}

void ib_clients_cleanup(struct ib_clients **clients)
{
    ib_clients_free(*clients);
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_options(const struct ib_aws_options *a, const struct ib_aws_options *b)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(texts); i++) {
        if (!same(text_at(a, i), text_at(b, i))) {
            return false;
        }
    }
    return true;
}

/* ret is freed by free_client() whatever comes of it. */
static enum ib_rc new_client(const struct ib_clients *clients, const struct ib_aws_options *options,
                             struct client *ret, struct ib_error *err)
{
    for (size_t i = 0; i < IB_ARRAY_LEN(texts); i++) {
        const char *text = text_at(options, i);
        char *copy = text == NULL ? NULL : ib_str_dup(ib_str_from(text));

        if (text != NULL && copy == NULL) {
            return ib_fail_nomem(err);
        }
        set_text(&ret->options, i, copy);
    }
    ret->options.cache_dir = clients->cache_dir;
    ret->options.trace = clients->trace;
    ret->options.trace_ctx = clients->trace_ctx;
    return ib_aws_client_new(&ret->options, clients->until, &ret->client, err);
}

enum ib_rc ib_clients_get(struct ib_clients *clients, const struct ib_aws_options *options,
                          struct ib_aws_client **ret, struct ib_error *err)
{
    for (size_t i = 0; i < clients->count; i++) {
        if (same_options(&clients->items[i].options, options)) {
            *ret = clients->items[i].client;
            return IB_OK;
        }
    }
    struct client *items = reallocarray(clients->items, clients->count + 1, sizeof *items);
    if (items == NULL) {
        return ib_fail_nomem(err);
    }
    clients->items = items;
    struct client one = {0};
    enum ib_rc rc = new_client(clients, options, &one, err);
    if (rc != IB_OK) {
        free_client(&one);
        return rc;
    }
    items[clients->count] = one;
    clients->count++;
    *ret = one.client;
    return IB_OK;
}

void ib_clients_until(struct ib_clients *clients, struct ib_deadline until)
{
    clients->until = ib_deadline_min(clients->deadline, until);
    for (size_t i = 0; i < clients->count; i++) {
        ib_aws_client_until(clients->items[i].client, clients->until);
    }
}

void ib_clients_until_end(struct ib_clients *clients)
{
    ib_clients_until(clients, clients->deadline);
}

struct ib_aws_stats ib_clients_stats(const struct ib_clients *clients)
{
    struct ib_aws_stats sum = { 0 };

    for (size_t i = 0; i < clients->count; i++) {
        struct ib_aws_stats one = ib_aws_client_stats(clients->items[i].client);
        sum.calls += one.calls;
        sum.attempts += one.attempts;
        sum.retries += one.retries;
        sum.throttled += one.throttled;
        sum.elapsed_ms += one.elapsed_ms;
        if (one.skew_known) {
            sum.skew_known = true;
            sum.skew_ms = one.skew_ms;
        }
        if (one.corrected_ms != 0) {
            sum.corrected_ms = one.corrected_ms;
        }
    }
    return sum;
}

int64_t ib_clients_skew_ms(const struct ib_clients *clients)
{
    /*
     * Not what the last Date header says: a proxy can write anything there. A signature that was taken
     * without a correction proves that our clock is within AWS's five minutes.
     */
    return ib_clients_stats(clients).corrected_ms;
}

const char *ib_clients_note(const struct ib_clients *clients, size_t i)
{
    for (size_t c = 0; c < clients->count; c++) {
        size_t n = 0;
        while (ib_aws_client_note(clients->items[c].client, n) != NULL) {
            n++;
        }
        if (i < n) {
            return ib_aws_client_note(clients->items[c].client, i);
        }
        i -= n;
    }
    return NULL;
}
