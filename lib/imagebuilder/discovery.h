/* SPDX-License-Identifier: MIT */
/*
 * Finding builds: by ARN, by pipeline, by image name, or all of an account's Region.
 *
 * What AWS's lists are like: pages of at most 25, not sorted, up to two minutes behind; a list of
 * images shows no states, GetImage on a version shows only what is AVAILABLE. So running builds are
 * found by listing build versions, and every page is read.
 *
 * Nothing is dropped in silence: what could not be read is told as trouble.
 */
#ifndef IB_IMAGEBUILDER_DISCOVERY_H
#define IB_IMAGEBUILDER_DISCOVERY_H

#include "lib/imagebuilder/image.h"
#include "lib/imagebuilder/queue.h"

#define IB_DISCOVERY_PAGES_MAX 4000 /* of one list: 100,000 builds */

enum ib_discovery_kind {
    IB_DISCOVER_BUILD,    /* what: build ARN */
    IB_DISCOVER_PIPELINE, /* what: pipeline ARN or name */
    IB_DISCOVER_IMAGE,    /* what: image name; all its versions */
    IB_DISCOVER_ALL,      /* every build that the account owns in the Region */
};

/* A pipeline as far as monitoring cares; views into the answer, valid during the call. */
struct ib_pipeline {
    struct ib_str arn, name;
    bool enabled;                  /* status is not DISABLED */
    bool scheduled;                /* has a schedule */
    int64_t consecutive_failures;  /* -1 = not told */
    int64_t failure_limit;         /* autoDisablePolicy; 0 = none */
    struct ib_str last_run_status; /* may be empty */
};

struct ib_discovery_source {
    enum ib_discovery_kind kind;
    struct ib_str what;           /* borrowed until the queue has run */
    struct ib_aws_client *client; /* borrowed */
    const char *region;           /* for BUILD and PIPELINE of an ARN; copied; NULL = by configuration */
    size_t id;                    /* handed back */
};

struct ib_discovery_sink {
    void *ctx;
    /* A build; the callee owns it. */
    void (*image)(void *ctx, size_t id, struct ib_image *image);
    void (*pipeline)(void *ctx, size_t id, const struct ib_pipeline *pipeline);
    /* what: "build ARN", "pipeline web-server", "builds of the account". */
    void (*trouble)(void *ctx, size_t id, const char *what, const struct ib_error *err);
    /* All that there is of a source has been handed out, troubles too. May be NULL. */
    void (*done)(void *ctx, size_t id);
};

struct ib_discovery;

/* queue and sink are borrowed and must outlive it. */
IB_NODISCARD enum ib_rc ib_discovery_new(struct ib_queue *queue,
                                         const struct ib_discovery_sink *sink,
                                         struct ib_discovery **ret, struct ib_error *err);
void ib_discovery_free(struct ib_discovery *discovery);
void ib_discovery_cleanup(struct ib_discovery **discovery);

/* Add the first call of a source; ib_queue_run() does the rest. Errors: IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_discovery_add(struct ib_discovery *discovery,
                                         const struct ib_discovery_source *source,
                                         struct ib_error *err);

/* Read a pipeline object (GetImagePipeline, ListImagePipelines). False when it is no object with an ARN. */
bool ib_pipeline_decode(const struct ib_value *v, struct ib_pipeline *ret);

#endif
