/* SPDX-License-Identifier: MIT */
/* A first-in, first-out list of calls, sent in batches. */
#include "lib/imagebuilder/queue.h"

/* A batch keeps the connections busy while its slow answers come in, and bounds the memory of answers. */
#define BATCH_PER_CONNECTION 4

struct call {
    struct ib_aws_client *client;
    const struct ib_operation *operation;
    struct ib_value *params;
    char *region;
    ib_queue_fn fn;
    void *ctx;
    struct call *next;
};

struct ib_queue {
    size_t parallel, calls;
    struct call *first, **last;
};

static void call_free(struct call *call)
{
    if (call != NULL) {
        ib_value_unref(call->params);
        free(call->region);
        free(call);
    }
}

enum ib_rc ib_queue_new(size_t parallel, struct ib_queue **ret, struct ib_error *err)
{
    struct ib_queue *queue = calloc(1, sizeof *queue);

    if (queue == NULL) {
        return ib_fail_nomem(err);
    }
    queue->parallel = parallel == 0                     ? 1
                      : parallel > IB_AWS_PARALLEL_MAX ? IB_AWS_PARALLEL_MAX
                                                        : parallel;
    queue->last = &queue->first;
    *ret = queue;
    return IB_OK;
}

void ib_queue_free(struct ib_queue *queue)
{
    if (queue == NULL) {
        return;
    }
    while (queue->first != NULL) {
        struct call *call = queue->first;
        queue->first = call->next;
        call_free(call);
    }
    free(queue);
}

void ib_queue_cleanup(struct ib_queue **queue)
{
    ib_queue_free(*queue);
}

size_t ib_queue_calls(const struct ib_queue *queue)
{
    return queue->calls;
}

enum ib_rc ib_queue_add(struct ib_queue *queue, const struct ib_queue_call *call,
                        struct ib_error *err)
{
    struct call *c = calloc(1, sizeof *c);
    char *region = call->region == NULL ? NULL : ib_str_dup(ib_str_from(call->region));

    if (c == NULL || call->params == NULL || (call->region != NULL && region == NULL)) {
        ib_value_unref(call->params);
        free(region);
        free(c);
        return ib_fail_nomem(err);
    }
    *c = (struct call){
        .client = call->client,
        .operation = ib_operation_find(ib_str_from(call->operation)),
        .params = call->params,
        .region = region,
        .fn = call->fn,
        .ctx = call->ctx,
    };
    IB_ASSERT(c->operation != NULL);
    *queue->last = c;
    queue->last = &c->next;
    return IB_OK;
}

/* One batch of calls, with everything that must live until the answers are there. */
struct batch {
    size_t count;
    struct call **calls;
    struct ib_aws_job *jobs;
    struct ib_imagebuilder_request *requests;
};

static void batch_fini(struct batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        call_free(b->calls[i]);
        ib_aws_response_fini(&b->jobs[i].response);
        ib_imagebuilder_request_fini(&b->requests[i]);
    }
    free(b->calls);
    free(b->jobs);
    free(b->requests);
}

/* Take the calls that have waited longest. */
static enum ib_rc batch_take(struct ib_queue *queue, struct batch *b, struct ib_error *err)
{
    size_t max = queue->parallel * BATCH_PER_CONNECTION;

    b->calls = calloc(max, sizeof *b->calls);
    b->jobs = calloc(max, sizeof *b->jobs);
    b->requests = calloc(max, sizeof *b->requests);
    if (b->calls == NULL || b->jobs == NULL || b->requests == NULL) {
        return ib_fail_nomem(err);
    }
    while (queue->first != NULL && b->count < max) {
        struct call *call = queue->first;
        queue->first = call->next;
        call->next = NULL;
        b->requests[b->count] = (struct ib_imagebuilder_request)IB_IMAGEBUILDER_REQUEST_INIT;
        b->calls[b->count++] = call;
    }
    if (queue->first == NULL) {
        queue->last = &queue->first;
    }
    return IB_OK;
}

static void hand_out(struct call *call, struct ib_aws_job *job)
{
    struct ib_queue_result result = { .rc = job->rc, .err = &job->err };
    struct ib_error err = IB_ERROR_INIT;

    if (job->rc == IB_OK) {
        result.response = &job->response;
        result.rc = ib_aws_response_error(&job->response, &err);
        result.err = &err;
    }
    call->fn(call->ctx, &result);
}

static enum ib_rc run_batch(struct ib_queue *queue, struct batch *b, struct ib_error *err)
{
    size_t ready = 0;

    for (size_t i = 0; i < b->count; i++) {
        struct ib_imagebuilder_params params = { b->calls[i]->params, NULL, b->calls[i]->region };
        struct ib_error bad = IB_ERROR_INIT;
        enum ib_rc rc =
            ib_imagebuilder_prepare(b->calls[i]->operation, &params, &b->requests[i], &bad);
        if (rc != IB_OK) {
            return ib_fail(err, rc, "%s", bad.text);
        }
        b->jobs[i].client = b->calls[i]->client;
        b->jobs[i].request = b->requests[i].aws;
        ready++;
    }
    struct ib_error whole = IB_ERROR_INIT;
    enum ib_rc rc = ib_aws_call_many(b->calls[0]->client, b->jobs, ready, queue->parallel, &whole);
    if (rc == IB_ENOMEM) {
        return ib_fail_nomem(err);
    }
    for (size_t i = 0; i < b->count; i++) {
        if (rc != IB_OK) {
            /* Nothing was sent for any of them (no credentials): that is the result of each. */
            b->jobs[i].rc = rc;
            b->jobs[i].err = whole;
        }
        queue->calls++;
        hand_out(b->calls[i], &b->jobs[i]);
    }
    return IB_OK;
}

enum ib_rc ib_queue_run(struct ib_queue *queue, struct ib_error *err)
{
    while (queue->first != NULL) {
        IB_CLEANUP(batch_fini) struct batch b = { 0 };
        enum ib_rc rc = batch_take(queue, &b, err);
        if (rc == IB_OK) {
            rc = run_batch(queue, &b, err);
        }
        if (rc != IB_OK) {
            return rc;
        }
    }
    return IB_OK;
}
