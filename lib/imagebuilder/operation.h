/* SPDX-License-Identifier: MIT */
/*
 * The 77 operations of EC2 Image Builder, API version 2019-12-02: where each parameter goes.
 *
 * Source: service model 2019-12-02 as in botocore 1.43.11 (protocol rest-json).
 */
#ifndef IB_IMAGEBUILDER_OPERATION_H
#define IB_IMAGEBUILDER_OPERATION_H

#include <stdbool.h>

#include "lib/base/str.h"

#define IB_OPERATION_COUNT 77

enum ib_operation_place {
    IB_PLACE_NONE, /* the model does not know the parameter */
    IB_PLACE_QUERY,
    IB_PLACE_PATH,
    IB_PLACE_BODY,
};

struct ib_operation {
    const char *name;        /* "GetImage" */
    const char *method;      /* "GET" */
    const char *path;        /* "/GetImage", "/tags/{resourceArn}" */
    const char *query;       /* names separated by commas, "" = none */
    const char *path_params;
    const char *body;        /* top-level members of the JSON body */
};

/* The operation of this name (case matters); NULL when there is none. */
const struct ib_operation *ib_operation_find(struct ib_str name);
/* Operation i < IB_OPERATION_COUNT, in order of names. */
const struct ib_operation *ib_operation_at(size_t i);
/* Where the model puts a parameter. */
enum ib_operation_place ib_operation_place(const struct ib_operation *operation,
                                           struct ib_str parameter);
/* True when it only reads (Get*, List*): it may be repeated without harm. */
bool ib_operation_reads(const struct ib_operation *operation);
/* True when it takes a clientToken, which makes a repeated call harmless. */
bool ib_operation_has_token(const struct ib_operation *operation);

#endif
