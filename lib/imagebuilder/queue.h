/* SPDX-License-Identifier: MIT */
/*
 * Many calls in parallel, where an answer may ask for further calls (the next page, a detail).
 *
 * Calls wait in order; ib_queue_run() sends them in batches, never more than `parallel` at a time, and
 * hands each result to its function, which may add more. Results are handed out one by one on the
 * calling thread.
 */
#ifndef IB_IMAGEBUILDER_QUEUE_H
#define IB_IMAGEBUILDER_QUEUE_H

#include "lib/imagebuilder/request.h"

struct ib_queue;

/*
 * One result. rc IB_OK: a sound 2xx, its body in response->value (may be NULL for an empty body).
 * Else err says why; response is NULL when none came. Everything is borrowed.
 */
struct ib_queue_result {
    enum ib_rc rc;
    const struct ib_error *err;
    const struct ib_aws_response *response;
};
typedef void (*ib_queue_fn)(void *ctx, const struct ib_queue_result *result);

struct ib_queue_call {
    struct ib_aws_client *client; /* borrowed */
    const char *operation;        /* static: a name of the operation table */
    struct ib_value *params;      /* object; the reference is taken over, also on failure */
    const char *region;           /* copied; NULL = by configuration */
    ib_queue_fn fn;
    void *ctx;
};

IB_NODISCARD enum ib_rc ib_queue_new(size_t parallel, struct ib_queue **ret, struct ib_error *err);
void ib_queue_free(struct ib_queue *queue);
void ib_queue_cleanup(struct ib_queue **queue);

/* Errors: IB_ENOMEM; params NULL counts as that. */
IB_NODISCARD enum ib_rc ib_queue_add(struct ib_queue *queue, const struct ib_queue_call *call,
                                     struct ib_error *err);

/*
 * Until nothing waits. Every call gets its result exactly once. Errors: IB_ENOMEM alone; what a call
 * meets is its own result.
 */
IB_NODISCARD enum ib_rc ib_queue_run(struct ib_queue *queue, struct ib_error *err);

/* Calls that were handed out so far. */
size_t ib_queue_calls(const struct ib_queue *queue);

#endif
