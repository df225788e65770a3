/* SPDX-License-Identifier: MIT */
/*
 * Many calls in parallel, where an answer may ask for further calls (the next page, a detail).
 *
 * Calls wait in order; ib_queue_run() keeps as many in flight as it may, never more than `parallel`,
 * and hands each result to its function as it comes; that may add more. Clients share the places: one
 * that gets no answers does not keep the others waiting. Results are handed out one by one on
 * the calling thread.
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

/* What has no answer by then ends with IB_ETIMEOUT; beside each client's own deadline. */
void ib_queue_until(struct ib_queue *queue, struct ib_deadline until);

/* Errors: IB_ENOMEM; params NULL counts as that. */
IB_NODISCARD enum ib_rc ib_queue_add(struct ib_queue *queue, const struct ib_queue_call *call,
                                     struct ib_error *err);

/*
 * Until nothing waits. Every call gets its result exactly once, unless this fails: IB_ENOMEM, IB_EBUG,
 * IB_ESYS; what a call meets is its own result.
 */
IB_NODISCARD enum ib_rc ib_queue_run(struct ib_queue *queue, struct ib_error *err);

/* Calls that were handed out so far. */
size_t ib_queue_calls(const struct ib_queue *queue);

#endif
