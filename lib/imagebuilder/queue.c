/* SPDX-License-Identifier: MIT */
/* A first-in, first-out list of calls; some of them fly at once. */
#include "lib/imagebuilder/queue.h"

struct call {
    struct ib_aws_client *client;
    const struct ib_operation *operation;
    struct ib_value *params;
    char *region;
    ib_queue_fn fn;
    void *ctx;
    struct ib_imagebuilder_request request; /* while it flies */
    struct call *next;
};

struct ib_queue {
    size_t parallel, calls;
    struct call *first, **last;
    bool has_until;
    struct ib_deadline until;
};

static void call_free(struct call *call)
{
    if (call != NULL) {
        ib_value_unref(call->params);
        free(call->region);
        ib_imagebuilder_request_fini(&call->request);
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

void ib_queue_until(struct ib_queue *queue, struct ib_deadline until)
{
    queue->has_until = true;
    queue->until = until;
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
        .request = IB_IMAGEBUILDER_REQUEST_INIT,
    };
    IB_ASSERT(c->operation != NULL);
    *queue->last = c;
    queue->last = &c->next;
    return IB_OK;
}

/* The call's result; the call ends. */
static void hand_out(struct ib_queue *queue, struct call *call, const struct ib_aws_landed *landed)
{
    struct ib_queue_result result = { .rc = landed->rc, .err = &landed->err };
    struct ib_error err = IB_ERROR_INIT;

    if (landed->rc == IB_OK) {
        result.response = &landed->response;
        result.rc = ib_aws_response_error(&landed->response, &err);
        result.err = &err;
    }
    queue->calls++;
    call->fn(call->ctx, &result);
    call_free(call);
}

/*
 * The first waiting call whose client has little under way leaves the list. Few are begun of each
 * client: a result may lead to calls that matter more, and requests are built when they are sent.
 */
static struct call *take(struct ib_queue *queue, const struct ib_aws_flight *flight)
{
    for (struct call **at = &queue->first; *at != NULL; at = &(*at)->next) {
        struct call *call = *at;
        if (ib_aws_flight_count(flight, call->client) < queue->parallel) {
            *at = call->next;
            if (*at == NULL) {
                queue->last = at;
            }
            call->next = NULL;
            return call;
        }
    }
    return NULL;
}

static enum ib_rc begin(struct ib_queue *queue, struct ib_aws_flight *flight, struct call *call,
                        struct ib_error *err)
{
    struct ib_imagebuilder_params params = { call->params, NULL, call->region };
    struct ib_aws_landed landed = { .err = IB_ERROR_INIT };

    landed.rc = ib_imagebuilder_prepare(call->operation, &params, &call->request, &landed.err);
    if (landed.rc != IB_OK) {
        hand_out(queue, call, &landed);
        return IB_OK;
    }
    enum ib_rc rc = ib_aws_flight_add(flight, call->client, &call->request.aws, call, err);
    if (rc != IB_OK) {
        call_free(call);
    }
    return rc;
}

/* The loop broke down or memory ran out: calls that fly have no owner but their tags. */
static void drop(struct ib_aws_flight *flight)
{
    for (struct call *call = ib_aws_flight_take(flight); call != NULL;
         call = ib_aws_flight_take(flight)) {
        call_free(call);
    }
}

enum ib_rc ib_queue_run(struct ib_queue *queue, struct ib_error *err)
{
    IB_CLEANUP(ib_aws_flight_cleanup) struct ib_aws_flight *flight = NULL;
    enum ib_rc rc = ib_aws_flight_new(queue->parallel, &flight, err);

    if (rc == IB_OK && queue->has_until) {
        ib_aws_flight_until(flight, queue->until);
    }
    while (rc == IB_OK) {
        struct call *call = take(queue, flight);
        if (call != NULL) {
            rc = begin(queue, flight, call, err);
            continue;
        }
        if (ib_aws_flight_count(flight, NULL) == 0) {
            return IB_OK;
        }
        struct ib_aws_landed landed;
        rc = ib_aws_flight_next(flight, &landed, err);
        if (rc == IB_OK) {
            hand_out(queue, landed.tag, &landed);
            ib_aws_response_fini(&landed.response);
        }
    }
    if (flight != NULL) {
        drop(flight);
    }
    return rc;
}
