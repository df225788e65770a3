/* SPDX-License-Identifier: MIT */
/*
 * The way out of a workflow: what the engine wants to call becomes a signed request to Image
 * Builder.
 *
 * Operations are those of the built-in table, by operationId, or by method and path where a local
 * OpenAPI document names them otherwise; one that the table does not know is sent as OpenAPI
 * describes it. Requests go to the Image Builder endpoint of the region, or to an endpoint that was
 * configured, and nowhere else: a server of an OpenAPI document that is neither is refused.
 *
 * An answer 200 to GetImage that holds no status as text is an error here, whatever a document
 * makes of it: on such an answer nothing may be decided.
 */
#ifndef IB_WATCH_SENDER_H
#define IB_WATCH_SENDER_H

#include "lib/arazzo/check.h"
#include "lib/arazzo/engine.h"
#include "lib/imagebuilder/api.h"

/*
 * Asked before a request is sent; another code than IB_OK keeps it from being sent and ends the run
 * with this error (IB_EREFUSED for a policy). operation NULL: not one of the table. changes: it
 * does more than read.
 */
typedef enum ib_rc (*ib_sender_gate_fn)(void *ctx, const struct ib_arazzo_call *call,
                                        const struct ib_operation *operation, bool changes,
                                        struct ib_error *err);
/* Shown every complete answer before the engine sees it; an error ends the run. */
typedef enum ib_rc (*ib_sender_seen_fn)(void *ctx, const struct ib_arazzo_call *call,
                                        const struct ib_operation *operation,
                                        const struct ib_aws_response *response,
                                        struct ib_error *err);

struct ib_sender {
    struct ib_aws_client *client; /* borrowed; may be NULL in a dry run that must not read either */
    bool dry_run;                 /* withhold what changes something */
    ib_sender_gate_fn gate;       /* may be NULL */
    ib_sender_seen_fn seen;       /* may be NULL */
    void *ctx;                    /* of both */
};

/* The engine's call function; ctx is a struct ib_sender. */
enum ib_rc ib_sender_call(void *ctx, const struct ib_arazzo_call *call,
                          struct ib_arazzo_reply *reply, struct ib_error *err);

/* For ib_arazzo_open(): operations that the table knows. ctx is not used. */
bool ib_sender_knows(void *ctx, struct ib_str operation_id);
#define IB_SENDER_CHECK ((struct ib_check_options){.known = ib_sender_knows})

/*
 * What would be sent, on one line: `PUT /CancelImageCreation {"clientToken":...}`. Errors as
 * ib_sender_call() has them before it sends.
 */
IB_NODISCARD enum ib_rc ib_sender_describe(const struct ib_arazzo_call *call, struct ib_buf *out,
                                           struct ib_error *err);
/* Does the call do more than read? */
bool ib_sender_changes(const struct ib_arazzo_call *call);

#endif
