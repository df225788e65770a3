/* SPDX-License-Identifier: MIT */
/* The steps of a build's workflows, read for what they made. */
#include "lib/watch/behind.h"

#include "lib/data/members.h"
#include "lib/imagebuilder/queue.h"
#include "lib/watch/survey.h"

#define PAGE_SIZE 25 /* steps; AWS's own workflows have about ten */

struct look;

#define PAGES_MAX 4 /* of one list; what has more is not told about, for the last step may end the instance */

struct workflow {
    struct look *look;
    size_t number, pages;
    char id[128];
};

struct look {
    struct ib_queue *queue;
    struct ib_aws_client *client;
    const char *region;
    struct workflow workflows[IB_BEHIND_WORKFLOWS_MAX];
    struct ib_leftover *left;
    bool is_partial; /* a list was not read to its end */
};

static void ask(struct look *l, const char *operation, struct ib_members *params, ib_queue_fn fn,
                void *ctx)
{
    struct ib_error ignored = IB_ERROR_INIT;
    struct ib_queue_call call = {.client = l->client,
                                 .operation = operation,
                                 .params = params->object,
                                 .region = l->region,
                                 .fn = fn,
                                 .ctx = ctx};

    params->object = NULL;
    if (ib_queue_add(l->queue, &call, &ignored) != IB_OK) {
        l->is_partial = true; /* out of memory: less is told */
    }
}

static void ask_steps(struct workflow *w, struct ib_str token);

static void on_steps(void *ctx, const struct ib_queue_result *result)
{
    struct workflow *w = ctx;

    if (result->rc != IB_OK) {
        w->look->is_partial = true;
        return;
    }
    ib_leftover_add(w->look->left, result->response->value, w->number);
    const struct ib_value *token = ib_value_get_c(result->response->value, "nextToken");
    if (ib_value_is(token, IB_VALUE_STRING) && ++w->pages < PAGES_MAX) {
        ask_steps(w, ib_value_as_str(token));
    } else if (token != NULL && !ib_value_is(token, IB_VALUE_NULL)) {
        w->look->is_partial = true;
    }
}

static void ask_steps(struct workflow *w, struct ib_str token)
{
    struct ib_members params = ib_members_new();

    ib_members_c(&params, "workflowExecutionId", w->id);
    ib_members_int(&params, "maxResults", PAGE_SIZE);
    ib_members_str_if(&params, "nextToken", token);
    ask(w->look, "ListWorkflowStepExecutions", &params, on_steps, w);
}

static void on_executions(void *ctx, const struct ib_queue_result *result)
{
    struct look *l = ctx;
    struct ib_workflow_list list = {0};
    struct ib_error ignored = IB_ERROR_INIT;

    if (result->rc == IB_OK &&
        ib_workflow_list_add(&list, result->response->value, &ignored) == IB_OK) {
        const struct ib_value *more = ib_value_get_c(result->response->value, "nextToken");
        l->is_partial = list.count > IB_BEHIND_WORKFLOWS_MAX || ib_value_is(more, IB_VALUE_STRING);
        for (size_t i = 0; i < list.count && i < IB_BEHIND_WORKFLOWS_MAX; i++) {
            l->workflows[i] = (struct workflow){.look = l, .number = i};
            (void)snprintf(l->workflows[i].id, sizeof l->workflows[i].id, "%s", list.items[i].id);
            ask_steps(&l->workflows[i], (struct ib_str){"", 0});
        }
    }
    ib_workflow_list_fini(&list);
}

void ib_behind_look(const struct ib_target *target, struct ib_clients *clients,
                    const struct ib_image *image, int64_t within_ms, struct ib_leftover *ret)
{
    IB_CLEANUP(ib_queue_cleanup) struct ib_queue *queue = NULL;
    struct ib_aws_options options = ib_survey_aws_options(target);
    struct look l = {.left = ret};
    struct ib_error ignored = IB_ERROR_INIT;
    char *region = image->region.n == 0 ? NULL : ib_str_dup(image->region);

    if (image->value != NULL && within_ms > 0 &&
        ib_clients_get(clients, &options, &l.client, &ignored) == IB_OK &&
        ib_queue_new(IB_BEHIND_WORKFLOWS_MAX, &queue, &ignored) == IB_OK) {
        struct ib_members params = ib_members_new();
        l.queue = queue;
        l.region = region;
        ib_queue_until(queue, ib_deadline_in(within_ms));
        ib_members_str(&params, "imageBuildVersionArn", image->arn);
        ib_members_int(&params, "maxResults", PAGE_SIZE);
        ask(&l, "ListWorkflowExecutions", &params, on_executions, &l);
        if (ib_queue_run(queue, &ignored) == IB_OK) {
            ib_leftover_settle(ret, image);
            /* An instance that a step not read has terminated is none that was left behind. */
            ret->instance_count = l.is_partial ? 0 : ret->instance_count;
        } else {
            *ret = (struct ib_leftover){.instance_count = 0};
        }
    }
    free(region);
}
