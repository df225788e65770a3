/* SPDX-License-Identifier: MIT */
/* Lists, page by page, down to builds. */
#include "lib/imagebuilder/discovery.h"

#include "lib/base/text.h"
#include "lib/data/members.h"

#define PAGE_SIZE 25 /* the most that the API gives */

struct ib_discovery {
    struct ib_queue *queue;
    const struct ib_discovery_sink *sink;
    struct walk *walks; /* all of them, to be freed */
};

/* One question, or one list that is walked over its pages. */
struct walk {
    struct ib_discovery *discovery;
    struct walk *next;
    struct walk *origin; /* the first walk of its source; maybe itself */
    size_t open;         /* of an origin: calls under way for its source */
    struct ib_discovery_source source;
    char region[64];    /* what source.region points to */
    const char *operation;
    const char *list;   /* member that holds the items; NULL: no list */
    struct ib_value *params; /* without token; owned */
    bool (*item)(struct walk *w, struct ib_value *item); /* false: stop, trouble was told */
    void (*end)(struct walk *w); /* after the last page; may be NULL */
    size_t found;       /* items that were wanted */
    uint64_t *tokens;   /* hashes of the tokens so far */
    size_t pages; /* read so far, of a list that goes on */
    size_t items; /* on them */
};

static void walk_free(struct walk *w)
{
    ib_value_unref(w->params);
    free(w->tokens);
    free(w);
}

enum ib_rc ib_discovery_new(struct ib_queue *queue, const struct ib_discovery_sink *sink,
                            struct ib_discovery **ret, struct ib_error *err)
{
    struct ib_discovery *d = calloc(1, sizeof *d);

    if (d == NULL) {
        return ib_fail_nomem(err);
    }
    d->queue = queue;
    d->sink = sink;
    *ret = d;
    return IB_OK;
}

void ib_discovery_free(struct ib_discovery *discovery)
{
    if (discovery == NULL) {
        return;
    }
    while (discovery->walks != NULL) {
        struct walk *w = discovery->walks;
        discovery->walks = w->next;
        walk_free(w);
    }
    free(discovery);
}

void ib_discovery_cleanup(struct ib_discovery **discovery)
{
    ib_discovery_free(*discovery);
}

static void tell_trouble(const struct walk *w, const struct ib_error *err)
{
    static const char *const kinds[] = {
        [IB_DISCOVER_BUILD] = "build", [IB_DISCOVER_PIPELINE] = "pipeline",
        [IB_DISCOVER_IMAGE] = "image", [IB_DISCOVER_ALL] = "builds of the account",
    };
    char what[512];
    struct ib_str name = ib_str_head(w->source.what, 400);

    (void)snprintf(what, sizeof what, "%s%s%.*s", kinds[w->source.kind], name.n > 0 ? " " : "",
                   IB_STR_ARG(name));
    w->discovery->sink->trouble(w->discovery->sink->ctx, w->source.id, what, err);
}

static void on_answer(void *ctx, const struct ib_queue_result *result);

/* Ask for a page; token p NULL: the first. */
static enum ib_rc ask(struct walk *w, struct ib_str token, struct ib_error *err)
{
    struct ib_value *params = ib_value_copy(w->params);

    if (params != NULL && token.p != NULL &&
        ib_value_set(params, IB_STR("nextToken"), ib_value_string(token), err) != IB_OK) {
        ib_value_unref(params);
        return IB_ENOMEM;
    }
    struct ib_queue_call call = {
        .client = w->source.client, .operation = w->operation, .params = params,
        .region = w->source.region, .fn = on_answer, .ctx = w,
    };
    enum ib_rc rc = ib_queue_add(w->discovery->queue, &call, err);
    w->origin->open += rc == IB_OK ? 1 : 0;
    return rc;
}

/* Takes params over. */
static struct walk *walk_new(struct ib_discovery *d, const struct ib_discovery_source *source,
                             const char *operation, struct ib_members *params)
{
    struct walk *w = calloc(1, sizeof *w);

    if (w == NULL || params->object == NULL) {
        ib_members_fini(params);
        free(w);
        return NULL;
    }
    *w = (struct walk){ .discovery = d, .next = d->walks, .source = *source,
                        .operation = operation, .params = params->object };
    params->object = NULL;
    w->origin = w;
    if (source->region != NULL) {
        (void)ib_text_copy(w->region, sizeof w->region, ib_str_from(source->region));
        w->source.region = w->region;
    }
    d->walks = w;
    return w;
}

/* A token that was seen before would be followed for ever. */
static enum ib_rc next_page(struct walk *w, struct ib_str token, struct ib_error *err)
{
    uint64_t hash = ib_str_hash(token);

    for (size_t i = 0; i < w->pages; i++) {
        if (w->tokens[i] == hash) {
            return ib_fail(err, IB_EPARSE, "%s: page %zu names a next page that was read before",
                           w->operation, w->pages + 1);
        }
    }
    if (w->pages >= IB_DISCOVERY_PAGES_MAX) {
        return ib_fail(err, IB_ELIMIT, "%s: more than %d pages", w->operation,
                       IB_DISCOVERY_PAGES_MAX);
    }
    uint64_t *tokens = reallocarray(w->tokens, w->pages + 1, sizeof *tokens);
    if (tokens == NULL) {
        return ib_fail_nomem(err);
    }
    w->tokens = tokens;
    w->tokens[w->pages++] = hash;
    return ask(w, token, err);
}

/*
 * An empty page may lack its list, but then it must look like an answer of the service: a 200 of
 * something in between must never pass for an account without builds.
 */
static bool is_page(const struct ib_value *body, const struct ib_value *items)
{
    if (!ib_value_is(body, IB_VALUE_OBJECT)) {
        return false;
    }
    if (items == NULL || ib_value_is(items, IB_VALUE_NULL)) {
        return ib_value_is(ib_value_get_c(body, "requestId"), IB_VALUE_STRING) ||
               ib_value_is(ib_value_get_c(body, "nextToken"), IB_VALUE_STRING);
    }
    return ib_value_is(items, IB_VALUE_ARRAY);
}

static enum ib_rc take_page(struct walk *w, const struct ib_value *body, struct ib_error *err)
{
    const struct ib_value *items = ib_value_get_c(body, w->list);
    const struct ib_value *token = ib_value_get_c(body, "nextToken");
    bool has_token = ib_value_is(token, IB_VALUE_STRING) && ib_value_as_str(token).n > 0;

    if (!is_page(body, items)) {
        return ib_fail(err, IB_EPARSE, "%s: the answer has no %s", w->operation, w->list);
    }
    if (token != NULL && !ib_value_is(token, IB_VALUE_NULL) &&
        !ib_value_is(token, IB_VALUE_STRING)) {
        return ib_fail(err, IB_EPARSE, "%s: the answer's nextToken is no text", w->operation);
    }
    size_t count = ib_value_is(items, IB_VALUE_ARRAY) ? ib_value_count(items) : 0;
    w->items += count;
    for (size_t i = 0; i < count; i++) {
        if (!w->item(w, ib_value_at(items, i))) {
            return IB_OK;
        }
    }
    if (has_token) {
        return next_page(w, ib_value_as_str(token), err);
    }
    if (w->end != NULL) {
        w->end(w);
    }
    return IB_OK;
}

/* A long list, cut off by the deadline: pages come one after another, which takes what it takes. */
static void tell_cut_off(const struct walk *w, const struct ib_error *why)
{
    struct ib_error err = *why;
    struct ib_str rest = ib_str_from(why->text);

    if (ib_str_starts(rest, ib_str_from(w->operation))) {
        rest = ib_str_skip(rest, strlen(w->operation));
    }
    (void)snprintf(err.text, sizeof err.text,
                   "%s: out of time after %zu page%s with %zu items, raise --timeout%s%.*s",
                   w->operation, w->pages, w->pages == 1 ? "" : "s", w->items,
                   rest.n < strlen(why->text) ? "" : ": ", IB_STR_ARG(rest));
    tell_trouble(w, &err);
}

static void take_answer(struct walk *w, const struct ib_queue_result *result)
{
    struct ib_error err = IB_ERROR_INIT;

    if (result->rc == IB_ETIMEOUT && w->pages > 0) {
        tell_cut_off(w, result->err);
        return;
    }
    if (result->rc != IB_OK) {
        tell_trouble(w, result->err);
        return;
    }
    if (w->list == NULL) {
        (void)w->item(w, result->response->value);
        return;
    }
    if (take_page(w, result->response->value, &err) != IB_OK) {
        tell_trouble(w, &err);
    }
}

static void on_answer(void *ctx, const struct ib_queue_result *result)
{
    struct walk *w = ctx;
    const struct ib_discovery_sink *sink = w->discovery->sink;

    take_answer(w, result);
    if (--w->origin->open == 0 && sink->done != NULL) {
        sink->done(sink->ctx, w->source.id);
    }
}

static bool take_build(struct walk *w, struct ib_value *item)
{
    struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;
    struct ib_str none = { "", 0 };

    if (ib_image_decode(item, none, &image, &err) != IB_OK) {
        (void)ib_error_context(&err, "%s", w->operation);
        tell_trouble(w, &err);
        return true;
    }
    w->found++;
    w->discovery->sink->image(w->discovery->sink->ctx, w->source.id, &image);
    return true;
}

static bool take_answered_build(struct walk *w, struct ib_value *body)
{
    struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;

    if (ib_image_from_answer(body, w->source.what, &image, &err) != IB_OK) {
        tell_trouble(w, &err);
    } else {
        w->discovery->sink->image(w->discovery->sink->ctx, w->source.id, &image);
    }
    return true;
}

static struct ib_str text_of(const struct ib_value *v, const char *path)
{
    const struct ib_value *text = ib_value_path(v, path);

    return ib_value_is(text, IB_VALUE_STRING) ? ib_value_as_str(text) : (struct ib_str){ "", 0 };
}

bool ib_pipeline_decode(const struct ib_value *v, struct ib_pipeline *ret)
{
    int64_t failures = -1, limit = 0;

    if (text_of(v, "arn").n == 0) {
        return false;
    }
    if (ib_value_opt_i64(v, "consecutiveFailures", 0, INT32_MAX, &failures, NULL) != IB_OK) {
        failures = -1;
    }
    if (ib_value_opt_i64(v, "schedule.autoDisablePolicy.failureCount", 0, INT32_MAX, &limit,
                         NULL) != IB_OK) {
        limit = 0;
    }
    *ret = (struct ib_pipeline){
        .arn = text_of(v, "arn"),
        .name = text_of(v, "name"),
        .enabled = !ib_str_eq_c(text_of(v, "status"), "DISABLED"),
        .scheduled = ib_value_is(ib_value_get_c(v, "schedule"), IB_VALUE_OBJECT),
        .consecutive_failures = failures,
        .failure_limit = limit,
        .last_run_status = text_of(v, "lastRunStatus"),
    };
    return true;
}

/* The builds of a pipeline whose ARN is known. */
static enum ib_rc list_pipeline(struct walk *from, struct ib_str arn, struct ib_error *err)
{
    struct ib_members params = ib_members_new();

    ib_members_str(&params, "imagePipelineArn", arn);
    ib_members_int(&params, "maxResults", PAGE_SIZE);
    struct walk *w =
        walk_new(from->discovery, &from->source, "ListImagePipelineImages", &params);
    if (w == NULL) {
        return ib_fail_nomem(err);
    }
    w->origin = from->origin;
    w->list = "imageSummaryList";
    w->item = take_build;
    return ask(w, (struct ib_str){ NULL, 0 }, err);
}

static bool take_pipeline(struct walk *w, const struct ib_value *v)
{
    struct ib_pipeline pipeline;
    struct ib_error err = IB_ERROR_INIT;

    if (!ib_pipeline_decode(v, &pipeline)) {
        (void)ib_fail(&err, IB_EPARSE, "%s: the answer has a pipeline without ARN", w->operation);
        tell_trouble(w, &err);
        return false;
    }
    w->discovery->sink->pipeline(w->discovery->sink->ctx, w->source.id, &pipeline);
    w->found++;
    if (list_pipeline(w, pipeline.arn, &err) != IB_OK) {
        tell_trouble(w, &err);
        return false;
    }
    return true;
}

static bool take_answered_pipeline(struct walk *w, struct ib_value *body)
{
    return take_pipeline(w, ib_value_get_c(body, "imagePipeline"));
}

/* The last part of an ARN's resource that is a name: "image-pipeline/NAME", "image/NAME/1.0.0". */
static bool arn_is_named(struct ib_str arn, struct ib_str name)
{
    size_t slash = ib_str_find(arn, '/');
    struct ib_str rest = ib_str_skip(arn, slash + 1);

    return ib_str_eq(ib_str_split(&rest, '/'), name);
}

/* The filter is the service's; which item is meant is decided here. */
static bool is_named(const struct ib_value *item, struct ib_str name)
{
    return ib_str_eq(text_of(item, "name"), name) || arn_is_named(text_of(item, "arn"), name);
}

static bool take_named_pipeline(struct walk *w, struct ib_value *item)
{
    return !is_named(item, w->source.what) || take_pipeline(w, item);
}

static void end_named_pipeline(struct walk *w)
{
    struct ib_error err = IB_ERROR_INIT;

    if (w->found == 0) {
        (void)ib_fail(&err, IB_ENOENT, "there is no pipeline of this name");
        tell_trouble(w, &err);
    }
}

static bool take_version(struct walk *w, struct ib_value *item)
{
    struct ib_members params = ib_members_new();
    struct ib_error err = IB_ERROR_INIT;
    struct ib_str arn = text_of(item, "arn");

    if (!is_named(item, w->source.what)) {
        ib_members_fini(&params);
        return true;
    }
    if (arn.n == 0) {
        ib_members_fini(&params);
        (void)ib_fail(&err, IB_EPARSE, "ListImages: the answer has an image without ARN");
        tell_trouble(w, &err);
        return true;
    }
    ib_members_str(&params, "imageVersionArn", arn);
    ib_members_int(&params, "maxResults", PAGE_SIZE);
    struct walk *builds =
        walk_new(w->discovery, &w->source, "ListImageBuildVersions", &params);
    if (builds == NULL) {
        (void)ib_fail_nomem(&err);
        tell_trouble(w, &err);
        return false;
    }
    builds->origin = w->origin;
    builds->list = "imageSummaryList";
    builds->item = take_build;
    if (ask(builds, (struct ib_str){ NULL, 0 }, &err) != IB_OK) {
        tell_trouble(w, &err);
        return false;
    }
    return true;
}

/* filters: [{ name: "name", values: [NAME] }] */
static void add_name_filter(struct ib_members *params, struct ib_str name)
{
    struct ib_members filter = ib_members_new();

    ib_members_c(&filter, "name", "name");
    ib_members_push_str(&filter, "values", name);
    ib_members_push(params, "filters", &filter);
}

static struct walk *first_walk(struct ib_discovery *d, const struct ib_discovery_source *source)
{
    struct ib_members params = ib_members_new();
    bool by_arn = ib_str_starts(source->what, IB_STR("arn:"));
    struct walk *w = NULL;

    switch (source->kind) {
    case IB_DISCOVER_BUILD:
        ib_members_str(&params, "imageBuildVersionArn", source->what);
        w = walk_new(d, source, "GetImage", &params);
        if (w != NULL) {
            w->item = take_answered_build;
        }
        break;
    case IB_DISCOVER_PIPELINE:
        if (by_arn) {
            ib_members_str(&params, "imagePipelineArn", source->what);
            w = walk_new(d, source, "GetImagePipeline", &params);
            if (w != NULL) {
                w->item = take_answered_pipeline;
            }
            break;
        }
        add_name_filter(&params, source->what);
        ib_members_int(&params, "maxResults", PAGE_SIZE);
        w = walk_new(d, source, "ListImagePipelines", &params);
        if (w != NULL) {
            w->list = "imagePipelineList";
            w->item = take_named_pipeline;
            w->end = end_named_pipeline;
        }
        break;
    case IB_DISCOVER_IMAGE:
        ib_members_c(&params, "owner", "Self");
        /* A version whose images are deprecated may have a build in flight beside them. */
        ib_members_bool(&params, "includeDeprecated", true);
        add_name_filter(&params, source->what);
        ib_members_int(&params, "maxResults", PAGE_SIZE);
        w = walk_new(d, source, "ListImages", &params);
        if (w != NULL) {
            w->list = "imageVersionList";
            w->item = take_version;
        }
        break;
    case IB_DISCOVER_ALL:
        ib_members_int(&params, "maxResults", PAGE_SIZE);
        w = walk_new(d, source, "ListImageBuildVersions", &params);
        if (w != NULL) {
            w->list = "imageSummaryList";
            w->item = take_build;
        }
        break;
    }
    return w;
}

enum ib_rc ib_discovery_add(struct ib_discovery *discovery,
                            const struct ib_discovery_source *source, struct ib_error *err)
{
    struct walk *w = first_walk(discovery, source);

    return w == NULL ? ib_fail_nomem(err) : ask(w, (struct ib_str){ NULL, 0 }, err);
}
