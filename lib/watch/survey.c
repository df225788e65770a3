/* SPDX-License-Identifier: MIT */
/* Gathering, looking closer, judging, sorting. */
#include "lib/watch/survey.h"

#include "lib/aws/arn.h"
#include "lib/aws/awserror.h"
#include "lib/base/text.h"
#include "lib/base/time.h"
#include "lib/data/members.h"
#include "lib/imagebuilder/discovery.h"

#define PAGE_SIZE 25

/* Beside the builds: what keeps finding one cheap when there are thousands. */
struct ib_survey_index {
    uint64_t *arns;   /* hash of target and ARN, per build */
    uint64_t *groups; /* hash of target and group, per build that has ended; 0 = in flight */
    size_t cap;
};

/* One question to AWS: an item of a target's selection. */
struct source {
    size_t target;
    char *what; /* owned; NULL for all */
    char region[64];
};

struct gather {
    struct ib_survey *survey;
    const struct ib_survey_options *options;
    struct ib_queue *queue;
    struct source *sources;
    size_t source_count;
    size_t *open;       /* per target: sources that are not all read */
    struct look *looks; /* closer looks, begun as soon as a target is read */
    enum ib_rc rc; /* first fatal one */
    struct ib_error err;
};

/* --- the survey as a container ------------------------------------------------------------------ */

void ib_survey_fini(struct ib_survey *survey)
{
    for (size_t i = 0; i < survey->build_count; i++) {
        ib_image_fini(&survey->builds[i].image);
    }
    free(survey->builds);
    free(survey->targets);
    free(survey->troubles);
    free(survey->pipelines);
    if (survey->index != NULL) {
        free(survey->index->arns);
        free(survey->index->groups);
        free(survey->index);
    }
    *survey = (struct ib_survey){ 0 };
}

static void fatal(struct gather *g, enum ib_rc rc, const struct ib_error *err)
{
    if (g->rc == IB_OK) {
        g->rc = rc;
        g->err = *err;
    }
}

static void fatal_nomem(struct gather *g)
{
    struct ib_error err = IB_ERROR_INIT;

    fatal(g, ib_fail_nomem(&err), &err);
}

static void add_trouble(struct gather *g, size_t target, const char *what,
                        const struct ib_error *err)
{
    struct ib_survey *s = g->survey;
    struct ib_survey_trouble *t = reallocarray(s->troubles, s->trouble_count + 1, sizeof *t);

    s->targets[target].troubled = true;
    if (t == NULL) {
        fatal_nomem(g);
        return;
    }
    s->troubles = t;
    t = &t[s->trouble_count++];
    *t = (struct ib_survey_trouble){ .target = target, .err = *err };
    (void)ib_text_plugin(what, strlen(what), t->what, sizeof t->what);
}

static bool grow(struct ib_survey *s)
{
    if (s->build_count < s->build_cap) {
        return true;
    }
    size_t cap = s->build_cap == 0 ? 16 : s->build_cap * 2;
    struct ib_survey_build *builds = reallocarray(s->builds, cap, sizeof *builds);
    if (builds == NULL) {
        return false;
    }
    s->builds = builds;
    uint64_t *arns = reallocarray(s->index->arns, cap, sizeof *arns);
    if (arns == NULL) {
        return false;
    }
    s->index->arns = arns;
    uint64_t *groups = reallocarray(s->index->groups, cap, sizeof *groups);
    if (groups == NULL) {
        return false;
    }
    s->index->groups = groups;
    s->build_cap = cap;
    return true;
}

/* Not zero: that marks a build in flight. */
static uint64_t mix(uint64_t hash, size_t number)
{
    return (hash ^ (uint64_t)number * UINT64_C(0x9E3779B97F4A7C15)) | 1;
}

/* --- which builds count ------------------------------------------------------------------------- */

/* Builds of one group compete for being the newest that has ended. */
static uint64_t group_of(const struct gather *g, size_t source, const struct ib_image *image)
{
    const struct ib_target *target = &g->survey->plan[g->sources[source].target];

    switch (target->select) {
    case IB_SELECT_PIPELINE:
    case IB_SELECT_IMAGE:
        return mix(UINT64_C(1), source + 1);
    case IB_SELECT_ALL:
        return mix(ib_str_hash(image->name), source + 1);
    case IB_SELECT_ARN:
    case IB_SELECT_NONE:
        break;
    }
    return mix(ib_str_hash(image->arn), source + 1);
}

static bool too_long_ago(const struct gather *g, size_t target, const struct ib_image *image)
{
    const struct ib_target *t = &g->survey->plan[target];
    int64_t lookback = t->lookback_ms >= 0 ? t->lookback_ms : IB_SURVEY_LOOKBACK_MS;

    return t->select == IB_SELECT_ALL && image->has_created &&
           image->created_ms < g->survey->now_ms - lookback;
}

/* Takes the image over. */
static void add_build(struct gather *g, size_t source, struct ib_image *image)
{
    struct ib_survey *s = g->survey;
    size_t target = g->sources[source].target;
    bool ended = ib_image_status_terminal(image->status);
    uint64_t arn = mix(ib_str_hash(image->arn), target);
    uint64_t home = group_of(g, source, image);
    uint64_t group = ended ? home : 0;
    size_t at = s->build_count;

    if (ended && too_long_ago(g, target, image)) {
        ib_image_fini(image);
        return;
    }
    for (size_t i = 0; i < s->build_count; i++) {
        if (s->index->arns[i] == arn) {
            ib_image_fini(image);
            return;
        }
        if (group != 0 && s->index->groups[i] == group) {
            at = i;
        }
    }
    if (at < s->build_count) {
        if (ib_image_cmp_newest(image, &s->builds[at].image) >= 0) {
            ib_image_fini(image);
            return;
        }
        ib_image_fini(&s->builds[at].image);
    } else if (!grow(s)) {
        ib_image_fini(image);
        fatal_nomem(g);
        return;
    } else {
        s->build_count++;
    }
    s->builds[at] = (struct ib_survey_build){
        .image = *image,
        .target = target,
        .from_list = s->plan[target].select != IB_SELECT_ARN,
        .group = home,
    };
    s->index->arns[at] = arn;
    s->index->groups[at] = group;
}

static void on_image(void *ctx, size_t id, struct ib_image *image)
{
    struct gather *g = ctx;
    struct ib_survey *s = g->survey;

    s->seen++;
    for (size_t i = s->pipeline_count; i > 0; i--) {
        if (s->pipelines[i - 1].source == id) {
            s->pipelines[i - 1].builds++;
            break;
        }
    }
    add_build(g, id, image);
}

static void judge_pipeline(const struct ib_target *target, struct ib_survey_pipeline *p)
{
    p->disabled_by_failures = !p->enabled && p->failure_limit > 0 &&
                              p->consecutive_failures >= p->failure_limit;
    p->state = p->disabled_by_failures && !target->rules.stuck_only ? IB_STATE_WARNING
                                                                    : IB_STATE_OK;
    if (p->disabled_by_failures) {
        (void)snprintf(p->words, sizeof p->words,
                       "pipeline %.80s was disabled by AWS after %" PRId64
                       " failed builds in a row",
                       p->name, p->consecutive_failures);
    } else if (!p->enabled) {
        (void)snprintf(p->words, sizeof p->words, "pipeline %.80s is disabled", p->name);
    } else if (p->builds == 0) {
        (void)snprintf(p->words, sizeof p->words, "pipeline %.80s has never run", p->name);
    }
}

static void on_pipeline(void *ctx, size_t id, const struct ib_pipeline *pipeline)
{
    struct gather *g = ctx;
    struct ib_survey *s = g->survey;
    struct ib_survey_pipeline *p = reallocarray(s->pipelines, s->pipeline_count + 1, sizeof *p);

    if (p == NULL) {
        fatal_nomem(g);
        return;
    }
    s->pipelines = p;
    p = &p[s->pipeline_count++];
    *p = (struct ib_survey_pipeline){
        .target = g->sources[id].target,
        .source = id,
        .enabled = pipeline->enabled,
        .scheduled = pipeline->scheduled,
        .consecutive_failures = pipeline->consecutive_failures,
        .failure_limit = pipeline->failure_limit,
    };
    (void)ib_text_plugin(pipeline->name.p, pipeline->name.n, p->name, sizeof p->name);
    (void)ib_text_plugin(pipeline->arn.p, pipeline->arn.n, p->arn, sizeof p->arn);
}

static void on_trouble(void *ctx, size_t id, const char *what, const struct ib_error *err)
{
    struct gather *g = ctx;

    add_trouble(g, g->sources[id].target, what, err);
}

/* --- sources ------------------------------------------------------------------------------------ */

struct ib_aws_options ib_survey_aws_options(const struct ib_target *t)
{
    return (struct ib_aws_options){
        .profile = t->profile,
        .region = t->region_option,
        .default_region = t->region,
        .role_arn = t->role_arn,
        .external_id = t->external_id,
        .endpoint_url = t->endpoint_url,
        .ca_bundle = t->ca_bundle,
        .proxy = t->proxy,
    };
}

static bool source_new(struct gather *g, size_t target, struct ib_str what)
{
    struct source *s = reallocarray(g->sources, g->source_count + 1, sizeof *s);

    if (s == NULL) {
        return false;
    }
    g->sources = s;
    s = &s[g->source_count];
    *s = (struct source){ .target = target };
    if (what.p != NULL) {
        struct ib_arn arn;
        s->what = ib_str_dup(what);
        if (s->what == NULL) {
            return false;
        }
        if (ib_arn_looks_like(what) && ib_arn_parse(what, "ARN", &arn, NULL) == IB_OK) {
            memcpy(s->region, arn.region, sizeof s->region);
        }
    }
    g->source_count++;
    return true;
}

static enum ib_discovery_kind kind_of(enum ib_select select)
{
    switch (select) {
    case IB_SELECT_ARN:
        return IB_DISCOVER_BUILD;
    case IB_SELECT_PIPELINE:
        return IB_DISCOVER_PIPELINE;
    case IB_SELECT_IMAGE:
        return IB_DISCOVER_IMAGE;
    case IB_SELECT_ALL:
    case IB_SELECT_NONE:
        break;
    }
    return IB_DISCOVER_ALL;
}

/* Sources of a target, and their first calls. A target that cannot be reached is trouble. */
static void add_target(struct gather *g, struct ib_discovery *discovery, size_t target)
{
    const struct ib_target *t = &g->survey->plan[target];
    struct ib_aws_options options = ib_survey_aws_options(t);
    struct ib_aws_client *client = NULL;
    struct ib_error err = IB_ERROR_INIT;
    size_t first = g->source_count;
    size_t count = t->select == IB_SELECT_ALL ? 1 : ib_conf_texts_count(&t->what);
    enum ib_rc rc = ib_clients_get(g->options->clients, &options, &client, &err);

    if (rc != IB_OK) {
        add_trouble(g, target, t->name != NULL ? t->name : "AWS", &err);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct ib_str all = { NULL, 0 };
        if (!source_new(g, target,
                        t->select == IB_SELECT_ALL ? all : ib_conf_texts_at(&t->what, i))) {
            fatal_nomem(g);
            return;
        }
    }
    for (size_t i = first; i < g->source_count && rc == IB_OK; i++) {
        const struct source *s = &g->sources[i];
        struct ib_discovery_source source = {
            .kind = kind_of(t->select),
            .what = s->what == NULL ? (struct ib_str){ "", 0 } : ib_str_from(s->what),
            .client = client,
            .region = s->region[0] == '\0' ? NULL : s->region,
            .id = i,
        };
        rc = ib_discovery_add(discovery, &source, &err);
        g->open[target]++;
    }
    if (rc != IB_OK) {
        fatal(g, rc, &err);
    }
}

static void phase(const struct gather *g, const char *what)
{
    if (g->options->phase != NULL) {
        g->options->phase(g->options->ctx, what);
    }
}

static void target_read(struct gather *g, size_t target);

static void on_done(void *ctx, size_t id)
{
    struct gather *g = ctx;
    size_t target = g->sources[id].target;

    if (--g->open[target] == 0) {
        target_read(g, target);
    }
}

static void gather_all(struct gather *g)
{
    const struct ib_discovery_sink sink = { g, on_image, on_pipeline, on_trouble, on_done };
    IB_CLEANUP(ib_discovery_cleanup) struct ib_discovery *discovery = NULL;
    struct ib_error err = IB_ERROR_INIT;
    enum ib_rc rc = ib_discovery_new(g->queue, &sink, &discovery, &err);

    if (rc == IB_OK) {
        for (size_t i = 0; i < g->survey->plan_count; i++) {
            add_target(g, discovery, i);
        }
        phase(g, "reading builds");
        rc = ib_queue_run(g->queue, &err);
    }
    if (rc != IB_OK) {
        fatal(g, rc, &err);
    }
}

/* --- facts and judgement ------------------------------------------------------------------------ */

void ib_survey_facts(const struct ib_survey_build *build, int64_t now_ms,
                     struct ib_judge_facts *ret)
{
    const struct ib_image *image = &build->image;
    const struct ib_survey_detail *d = &build->detail;
    struct ib_judge_facts f = {
        .status = image->status,
        .status_text = image->status_text,
        .age_known = image->has_created,
        .age_ms = image->has_created ? now_ms - image->created_ms : 0,
        .phase_known = d->has_workflow_start,
        .phase_ms = d->has_workflow_start ? now_ms - d->workflow_start_ms : 0,
        .waiting = d->step.waits,
        .waiting_step = ib_str_from(d->step.name),
    };

    if ((d->retried || d->begun_late) && d->restart_known) {
        f.age_known = true;
        f.age_ms = now_ms - d->restart_ms;
    } else if (d->retried) {
        f.age_known = false;
        f.age_ms = 0;
        f.restarting = true;
    }
    *ret = f;
}

static void judge_build(struct ib_survey *s, struct ib_survey_build *b)
{
    ib_survey_facts(b, s->now_ms, &b->facts);
    if (s->begun_after != NULL && ib_image_status_in_flight(b->image.status)) {
        int64_t at_ms = s->begun_after(s->begun_ctx, b->image.arn);
        if (at_ms != 0) {
            ib_judge_not_older(&b->facts, ib_time_now_ms() - at_ms);
        }
    }
    ib_judge(&s->plan[b->target].rules, &b->facts, &b->judgement);
    /* A view into the build itself, which moves. */
    b->facts.waiting_step = (struct ib_str){ "", 0 };
}

/* By AWS's clock, as far as answers have told it. */
static void take_now(struct gather *g)
{
    g->survey->now_ms = g->options->now_ms + ib_clients_skew_ms(g->options->clients);
}

enum ib_state ib_survey_none_state(const struct ib_target *target)
{
    if (target->none_set) {
        return target->none;
    }
    return target->select == IB_SELECT_ALL ? IB_STATE_OK : IB_STATE_UNKNOWN;
}

/* --- a closer look ------------------------------------------------------------------------------ */

struct look {
    bool only_duration; /* of a build that has ended: when did its last workflow end? */
    struct gather *g;
    struct ib_survey_build *single; /* NULL: number `at` of the survey, whose builds may move */
    size_t at;
    struct ib_aws_client *client;
    struct ib_workflow_list list;
    size_t asked;       /* number in the list of the execution whose steps are read */
    size_t first_asked; /* the one whose steps were read first */
    size_t pages;
    bool gone;
    char *region;
    struct look *next;
};

static struct ib_survey_build *build_of(const struct look *l)
{
    return l->single != NULL ? l->single : &l->g->survey->builds[l->at];
}

static void look_free(struct look *l)
{
    ib_workflow_list_fini(&l->list);
    free(l->region);
    free(l);
}

/* An older service, or another partition's: it answers, but not to this question. */
static bool is_unsupported(const struct ib_error *err)
{
    static const char *const codes[] = {"UnknownOperationException", "UnknownOperation",
                                        "InvalidAction", "MissingAuthenticationTokenException"};

    for (size_t i = 0; i < IB_ARRAY_LEN(codes); i++) {
        if (strcmp(err->aws_code, codes[i]) == 0) {
            return true;
        }
    }
    return err->rc == IB_EAWS && strcmp(err->aws_code, "ResourceNotFoundException") != 0 &&
           (err->http_status == 404 || err->http_status == 405 || err->http_status == 501);
}

/* The first trouble counts, but one that is no lack of permission counts more: it may pass. */
static void look_trouble(struct look *l, const struct ib_error *err)
{
    struct ib_survey_detail *d = &build_of(l)->detail;
    bool denied = err->rc == IB_EAWS && ib_awserror_is_denied(err->aws_code, err->http_status);

    if (d->trouble.rc == IB_OK || (d->denied && !denied)) {
        d->trouble = *err;
        d->denied = denied;
        d->unsupported = !denied && is_unsupported(err);
    }
}

static void look_ask(struct look *l, const char *operation, struct ib_members *params,
                     ib_queue_fn fn)
{
    struct ib_error err = IB_ERROR_INIT;
    struct ib_queue_call call = {
        .client = l->client, .operation = operation, .params = params->object,
        .region = l->region, .fn = fn, .ctx = l,
    };
    params->object = NULL;
    enum ib_rc rc = ib_queue_add(l->g->queue, &call, &err);
    if (rc != IB_OK) {
        fatal(l->g, rc, &err);
    }
}

static struct ib_str next_token(const struct ib_value *body)
{
    const struct ib_value *token = ib_value_get_c(body, "nextToken");

    return ib_value_is(token, IB_VALUE_STRING) ? ib_value_as_str(token) : (struct ib_str){ "", 0 };
}

#define LOOK_PAGES_MAX 8 /* 200 executions, then 200 steps */

static void on_steps(void *ctx, const struct ib_queue_result *result);

static void ask_steps(struct look *l, struct ib_str token)
{
    struct ib_members params = ib_members_new();

    ib_members_c(&params, "workflowExecutionId", l->list.items[l->asked].id);
    ib_members_int(&params, "maxResults", PAGE_SIZE);
    ib_members_str_if(&params, "nextToken", token);
    look_ask(l, "ListWorkflowStepExecutions", &params, on_steps);
}

/* An execution whose steps are worth reading. */
static bool has_steps(const struct ib_workflow_execution *e)
{
    return e->status == IB_WORKFLOW_RUNNING && e->id[0] != '\0';
}

/* Tests may run side by side, and the one that waits for a person may not be the first. */
static void ask_next_steps(struct look *l)
{
    size_t from = l->asked == l->first_asked ? 0 : l->asked + 1;

    for (size_t i = from; i < l->list.count; i++) {
        if (i != l->first_asked && has_steps(&l->list.items[i])) {
            l->asked = i;
            l->pages = 0;
            ask_steps(l, (struct ib_str){ "", 0 });
            return;
        }
    }
}

static void show_workflow(struct ib_survey_detail *d, const struct ib_workflow_execution *e)
{
    memcpy(d->workflow, e->name, sizeof d->workflow);
    memcpy(d->workflow_type, e->type, sizeof d->workflow_type);
}

static void on_steps(void *ctx, const struct ib_queue_result *result)
{
    struct look *l = ctx;
    struct ib_survey_detail *d = &build_of(l)->detail;
    struct ib_workflow_step step;

    if (result->rc != IB_OK) {
        look_trouble(l, result->err);
        return;
    }
    const struct ib_value *body = result->response->value;
    struct ib_str token = next_token(body);
    bool found = ib_workflow_running_step(body, &step);
    if (found && (step.waits || d->step.name[0] == '\0')) {
        d->step = step;
        show_workflow(d, &l->list.items[l->asked]);
    }
    if (found && step.waits) {
        return;
    }
    if (token.n > 0 && ++l->pages < LOOK_PAGES_MAX) {
        ask_steps(l, token);
    } else {
        ask_next_steps(l);
    }
}

static void on_executions(void *ctx, const struct ib_queue_result *result);

static void ask_executions(struct look *l, struct ib_str token)
{
    struct ib_members params = ib_members_new();

    ib_members_str(&params, "imageBuildVersionArn", build_of(l)->image.arn);
    ib_members_int(&params, "maxResults", PAGE_SIZE);
    ib_members_str_if(&params, "nextToken", token);
    look_ask(l, "ListWorkflowExecutions", &params, on_executions);
}

/* How long the build took: from its creation, or its last restart, to the end of its last workflow. */
static void take_duration(struct look *l, const struct ib_workflow_facts *facts)
{
    struct ib_survey *s = l->g->survey;
    int64_t start_ms = facts->retried && facts->restart_known ? facts->restart_ms
                                                              : build_of(l)->image.created_ms;

    for (size_t i = 0; i < l->list.count; i++) {
        const struct ib_workflow_execution *e = &l->list.items[i];
        if (e->has_end && e->end_ms - start_ms > s->duration_ms) {
            s->has_duration = true;
            s->duration_ms = e->end_ms - start_ms;
        }
    }
}

static void take_executions(struct look *l)
{
    const struct ib_image *image = &build_of(l)->image;
    struct ib_survey_detail *d = &build_of(l)->detail;
    struct ib_workflow_facts facts;

    ib_workflow_look(&l->list, &facts);
    if (l->only_duration) {
        take_duration(l, &facts);
        return;
    }
    d->looked = true;
    d->retried = facts.retried;
    d->restart_known = facts.restart_known;
    d->restart_ms = facts.restart_ms;
    d->has_first_start = facts.has_first;
    d->first_start_ms = facts.first_ms;
    if (image->has_created && ib_workflow_begun_late(&facts, image->created_ms)) {
        d->begun_late = true;
        d->restart_known = true;
        d->restart_ms = facts.first_ms;
    }
    if (facts.running == NULL) {
        return;
    }
    show_workflow(d, facts.running);
    d->has_workflow_start = facts.running->has_start;
    d->workflow_start_ms = facts.running->start_ms;
    l->asked = l->first_asked = (size_t)(facts.running - l->list.items);
    if (has_steps(facts.running)) {
        l->pages = 0;
        ask_steps(l, (struct ib_str){ "", 0 });
    }
}

static void on_executions(void *ctx, const struct ib_queue_result *result)
{
    struct look *l = ctx;
    struct ib_error err = IB_ERROR_INIT;

    if (result->rc != IB_OK) {
        if (!l->only_duration) {
            look_trouble(l, result->err);
        }
        return;
    }
    const struct ib_value *body = result->response->value;
    enum ib_rc rc = ib_workflow_list_add(&l->list, body, &err);
    if (rc == IB_ENOMEM) {
        fatal(l->g, rc, &err);
        return;
    }
    if (rc != IB_OK) {
        if (!l->only_duration) {
            look_trouble(l, &err);
        }
        return;
    }
    struct ib_str token = next_token(body);
    if (token.n > 0 && ++l->pages < LOOK_PAGES_MAX) {
        ask_executions(l, token);
        return;
    }
    if (token.n > 0 && !l->only_duration) {
        (void)ib_fail(&err, IB_ELIMIT, "ListWorkflowExecutions: more than %d pages",
                      LOOK_PAGES_MAX);
        look_trouble(l, &err);
    }
    take_executions(l);
}

static void on_reread(void *ctx, const struct ib_queue_result *result)
{
    struct look *l = ctx;
    struct ib_image image = { 0 };
    struct ib_error err = IB_ERROR_INIT;

    if (result->rc != IB_OK) {
        l->gone = strcmp(result->err->aws_code, "ResourceNotFoundException") == 0;
        if (!l->gone) {
            look_trouble(l, result->err);
        }
        return;
    }
    struct ib_survey_build *b = build_of(l);
    if (ib_image_from_answer(result->response->value, b->image.arn, &image, &err) != IB_OK) {
        look_trouble(l, &err);
        return;
    }
    ib_image_fini(&b->image);
    b->image = image;
}

/* Is what is known of this build so far not enough? */
static bool needs_look(const struct ib_survey *s, const struct ib_survey_build *b)
{
    const struct ib_judge_limits *limits;

    if (!b->judgement.in_flight) {
        return false;
    }
    limits = &s->plan[b->target].rules.phase[b->image.status];
    return b->judgement.state != IB_STATE_OK || limits->warn.is_set || limits->crit.is_set;
}

static struct look *look_new(struct gather *g, struct ib_survey_build *b)
{
    struct ib_aws_options options = ib_survey_aws_options(&g->survey->plan[b->target]);
    struct look *l = calloc(1, sizeof *l);
    struct ib_error err = IB_ERROR_INIT;

    if (l == NULL) {
        fatal_nomem(g);
        return NULL;
    }
    l->g = g;
    l->single = g->survey->builds == NULL ? b : NULL;
    l->at = l->single == NULL ? (size_t)(b - g->survey->builds) : 0;
    l->region = ib_str_dup(b->image.region);
    if (l->region == NULL) {
        fatal_nomem(g);
        look_free(l);
        return NULL;
    }
    if (l->region[0] == '\0') {
        free(l->region);
        l->region = NULL;
    }
    if (ib_clients_get(g->options->clients, &options, &l->client, &err) != IB_OK) {
        b->detail.trouble = err;
        look_free(l);
        return NULL;
    }
    return l;
}

/* Remove a build that is not there any more. */
static void drop_build(struct ib_survey *s, size_t at)
{
    size_t last = --s->build_count;

    ib_image_fini(&s->builds[at].image);
    if (at != last) {
        s->builds[at] = s->builds[last];
        s->index->arns[at] = s->index->arns[last];
        s->index->groups[at] = s->index->groups[last];
    }
}

static int cmp_worst(const void *a, const void *b)
{
    const struct ib_survey_build *x = a, *y = b;
    int by_state = ib_state_cmp(y->judgement.state, x->judgement.state);

    if (by_state != 0) {
        return by_state;
    }
    if (x->judgement.in_flight != y->judgement.in_flight) {
        return x->judgement.in_flight ? -1 : 1;
    }
    if (x->image.has_created && y->image.has_created &&
        x->image.created_ms != y->image.created_ms) {
        return x->image.created_ms < y->image.created_ms ? -1 : 1;
    }
    int by_arn = ib_str_cmp(x->image.arn, y->image.arn);
    return by_arn != 0 ? by_arn : x->target < y->target ? -1 : x->target > y->target;
}

/* The newest build that has ended, if anybody wants to know how long it took; NULL otherwise. */
static struct ib_survey_build *newest_ended(struct ib_survey *s)
{
    struct ib_survey_build *newest = NULL;

    for (size_t i = 0; i < s->build_count; i++) {
        struct ib_survey_build *b = &s->builds[i];
        bool wanted = ib_image_status_phase(b->image.status) == IB_IMAGE_ENDED &&
                      b->image.has_created && !s->plan[b->target].rules.stuck_only;
        if (wanted && (newest == NULL || ib_image_cmp_newest(&b->image, &newest->image) < 0)) {
            newest = b;
        }
    }
    return newest;
}

static int cmp_worst_at(const void *a, const void *b)
{
    struct ib_survey_build *const *x = a, *const *y = b;

    return cmp_worst(*x, *y);
}

static void begin_look(struct gather *g, struct ib_survey_build *b)
{
    struct look *l = look_new(g, b);

    if (l == NULL) {
        return;
    }
    l->next = g->looks;
    g->looks = l;
    ask_executions(l, (struct ib_str){ "", 0 });
    if (b->from_list) {
        struct ib_members params = ib_members_new();
        ib_members_str(&params, "imageBuildVersionArn", b->image.arn);
        look_ask(l, "GetImage", &params, on_reread);
    }
}

/*
 * All builds of a target are known: judge them and look closer, worst and oldest first. Not later, when
 * all targets are read, for a Region that gives no answers would use up the time.
 */
static void target_read(struct gather *g, size_t target)
{
    struct ib_survey *s = g->survey;
    struct ib_survey_build **some =
        calloc(s->build_count == 0 ? 1 : s->build_count, sizeof *some);
    size_t count = 0;

    if (some == NULL) {
        fatal_nomem(g);
        return;
    }
    take_now(g);
    for (size_t i = 0; i < s->build_count; i++) {
        if (s->builds[i].target != target) {
            continue;
        }
        judge_build(s, &s->builds[i]);
        if (!g->options->no_details && needs_look(s, &s->builds[i])) {
            some[count++] = &s->builds[i];
        }
    }
    if (count > 1) {
        qsort(some, count, sizeof(struct ib_survey_build *), cmp_worst_at);
    }
    if (count > 0) {
        phase(g, "looking closer at builds over their limits");
    }
    for (size_t i = 0; i < count; i++) {
        if (i < IB_SURVEY_DETAIL_MAX) {
            begin_look(g, some[i]);
        } else {
            (void)ib_fail(&some[i]->detail.trouble, IB_ELIMIT,
                          "%d older builds were looked at closer", IB_SURVEY_DETAIL_MAX);
        }
    }
    free(some);
}

/* A build that ended meanwhile competes with the one that was the newest before. */
static void settle_ended(struct gather *g, struct ib_survey_build *b)
{
    struct ib_survey *s = g->survey;

    for (size_t i = 0; i < s->build_count; i++) {
        struct ib_survey_build *other = &s->builds[i];
        bool rival = other != b && other->group == b->group && !other->vanished &&
                     ib_image_status_terminal(other->image.status) &&
                     s->plan[b->target].select != IB_SELECT_ARN;
        if (rival && ib_image_cmp_newest(&b->image, &other->image) < 0) {
            other->superseded = true;
        } else if (rival) {
            b->superseded = true;
        }
    }
}

/* What the closer looks found; the builds do not move any more until this is done. */
static void end_looks(struct gather *g)
{
    struct ib_survey *s = g->survey;

    while (g->looks != NULL) {
        struct look *l = g->looks;
        struct ib_survey_build *b = build_of(l);
        g->looks = l->next;
        b->vanished = l->gone;
        judge_build(s, b);
        if (!l->gone && ib_image_status_terminal(b->image.status)) {
            settle_ended(g, b);
        }
        look_free(l);
    }
    for (size_t i = s->build_count; i > 0; i--) {
        if (s->builds[i - 1].vanished || s->builds[i - 1].superseded) {
            s->vanished += s->builds[i - 1].vanished ? 1 : 0;
            drop_build(s, i - 1);
        }
    }
}

static void look_at_duration(struct gather *g)
{
    struct ib_survey_build *ended = newest_ended(g->survey);
    struct look *l = ended == NULL ? NULL : look_new(g, ended);
    struct ib_error err = IB_ERROR_INIT;

    if (l == NULL) {
        return;
    }
    l->only_duration = true;
    ask_executions(l, (struct ib_str){ "", 0 });
    enum ib_rc rc = ib_queue_run(g->queue, &err);
    if (rc != IB_OK) {
        fatal(g, rc, &err);
    }
    look_free(l);
}

struct look_options {
    bool always;
    int64_t within_ms; /* 0 = the client's own deadline */
};

static enum ib_rc look_at_one(const struct ib_target *target, struct ib_clients *clients,
                              int64_t now_ms, const struct look_options *how,
                              struct ib_survey_build *build, struct ib_error *err)
{
    IB_CLEANUP(ib_queue_cleanup) struct ib_queue *queue = NULL;
    struct ib_survey one = { .plan = target, .plan_count = 1, .now_ms = now_ms };
    const struct ib_survey_options options = { .clients = clients };
    struct gather g = { .survey = &one, .options = &options };

    build->target = 0;
    judge_build(&one, build);
    if (!how->always && !needs_look(&one, build)) {
        return IB_OK;
    }
    enum ib_rc rc = ib_queue_new(1, &queue, err);
    if (rc != IB_OK) {
        return rc;
    }
    g.queue = queue;
    if (how->within_ms > 0) {
        ib_queue_until(queue, ib_deadline_in(how->within_ms));
    }
    struct look *l = look_new(&g, build);
    if (l != NULL) {
        ask_executions(l, (struct ib_str){ "", 0 });
        rc = ib_queue_run(queue, err);
        look_free(l);
    }
    judge_build(&one, build);
    return rc != IB_OK || g.rc == IB_OK ? rc : ib_fail(err, g.rc, "%s", g.err.text);
}

enum ib_rc ib_survey_look(const struct ib_target *target, struct ib_clients *clients,
                          int64_t now_ms, struct ib_survey_build *build, struct ib_error *err)
{
    const struct look_options options = {.always = false};

    return look_at_one(target, clients, now_ms, &options, build, err);
}

enum ib_rc ib_survey_look_always(const struct ib_target *target, struct ib_clients *clients,
                                 int64_t now_ms, int64_t within_ms, struct ib_survey_build *build,
                                 struct ib_error *err)
{
    const struct look_options options = {.always = true, .within_ms = within_ms};

    return look_at_one(target, clients, now_ms, &options, build, err);
}

/* --- all together ------------------------------------------------------------------------------- */

static int cmp_arn_at(const void *a, const void *b)
{
    struct ib_survey_build *const *x = a, *const *y = b;
    int by_arn = ib_str_cmp((*x)->image.arn, (*y)->image.arn);

    return by_arn != 0 ? by_arn : *x < *y ? -1 : *x > *y;
}

/* The same build may be selected by several targets: the first, worst one is shown. */
static void mark_repeated(struct gather *g)
{
    struct ib_survey *s = g->survey;
    struct ib_survey_build **by_arn = calloc(s->build_count, sizeof *by_arn);

    if (by_arn == NULL) {
        fatal_nomem(g);
        return;
    }
    for (size_t i = 0; i < s->build_count; i++) {
        by_arn[i] = &s->builds[i];
    }
    qsort(by_arn, s->build_count, sizeof(struct ib_survey_build *), cmp_arn_at);
    for (size_t i = 1; i < s->build_count; i++) {
        by_arn[i]->repeated = ib_str_eq(by_arn[i]->image.arn, by_arn[i - 1]->image.arn);
    }
    free(by_arn);
}

static void sum_up(struct gather *g)
{
    struct ib_survey *s = g->survey;

    if (s->build_count > 1) {
        qsort(s->builds, s->build_count, sizeof *s->builds, cmp_worst);
    }
    if (s->build_count > 1 && s->plan_count > 1) {
        mark_repeated(g);
    }
    for (size_t i = 0; i < s->build_count; i++) {
        s->targets[s->builds[i].target].builds++;
    }
    for (size_t i = 0; i < s->pipeline_count; i++) {
        judge_pipeline(&s->plan[s->pipelines[i].target], &s->pipelines[i]);
    }
    for (size_t i = 0; i < s->plan_count; i++) {
        struct ib_survey_target *t = &s->targets[i];
        t->none = t->builds == 0 && !t->troubled;
        t->none_state = t->none ? ib_survey_none_state(&s->plan[i]) : IB_STATE_OK;
    }
}

enum ib_rc ib_survey_run(const struct ib_target *plan, size_t plan_count,
                         const struct ib_survey_options *options, struct ib_survey *ret,
                         struct ib_error *err)
{
    IB_CLEANUP(ib_queue_cleanup) struct ib_queue *queue = NULL;
    struct gather g = { .survey = ret, .options = options };
    enum ib_rc rc = ib_queue_new(options->parallel, &queue, err);

    if (rc != IB_OK) {
        return rc;
    }
    g.queue = queue;
    ret->plan = plan;
    ret->plan_count = plan_count;
    ret->now_ms = options->now_ms;
    ret->begun_after = options->begun_after;
    ret->begun_ctx = options->begun_ctx;
    ret->targets = calloc(plan_count == 0 ? 1 : plan_count, sizeof *ret->targets);
    ret->index = calloc(1, sizeof *ret->index);
    g.open = calloc(plan_count == 0 ? 1 : plan_count, sizeof *g.open);
    if (ret->targets == NULL || ret->index == NULL || g.open == NULL) {
        free(g.open);
        return ib_fail_nomem(err);
    }
    if (options->until != NULL) {
        ib_queue_until(queue, *options->until);
    }
    gather_all(&g);
    take_now(&g);
    end_looks(&g);
    for (size_t i = 0; i < ret->build_count; i++) {
        judge_build(ret, &ret->builds[i]);
    }
    if (!options->no_details && g.rc == IB_OK) {
        look_at_duration(&g);
    }
    for (size_t i = 0; i < g.source_count; i++) {
        free(g.sources[i].what);
    }
    free(g.sources);
    free(g.open);
    if (g.rc == IB_OK) {
        sum_up(&g);
    }
    return g.rc == IB_OK ? IB_OK : ib_fail(err, g.rc, "%s", g.err.text);
}

enum ib_state ib_survey_state(const struct ib_survey *survey, enum ib_state timeout_state)
{
    enum ib_state worst = IB_STATE_OK;

    for (size_t i = 0; i < survey->trouble_count; i++) {
        enum ib_state state =
            survey->troubles[i].err.rc == IB_ETIMEOUT ? timeout_state : IB_STATE_UNKNOWN;
        worst = ib_state_worst(worst, state);
    }
    for (size_t i = 0; i < survey->build_count; i++) {
        worst = ib_state_worst(worst, survey->builds[i].judgement.state);
    }
    for (size_t i = 0; i < survey->pipeline_count; i++) {
        worst = ib_state_worst(worst, survey->pipelines[i].state);
    }
    for (size_t i = 0; i < survey->plan_count; i++) {
        worst = ib_state_worst(worst, survey->targets[i].none_state);
    }
    return worst;
}
