/* SPDX-License-Identifier: MIT */
/*
 * Operations of a local OpenAPI document: no more of it than a step needs to be sent.
 *
 * Read is OpenAPI 3.x as YAML or JSON. A path is cut at '#' (published descriptions of AWS APIs
 * tell operations of one path apart by a fragment); an https server goes before an http one; the
 * server's variables are left for the caller, with the defaults that the document gives.
 */
#ifndef IB_ARAZZO_OPENAPI_H
#define IB_ARAZZO_OPENAPI_H

#include "lib/data/value.h"

struct ib_openapi;

struct ib_openapi_operation {
    struct ib_str id;     /* operationId; p NULL: it has none */
    struct ib_str method; /* "GET" ... */
    struct ib_str path;   /* "/tags/{resourceArn}" */
    struct ib_str server; /* "https://imagebuilder.{region}.amazonaws.com"; p NULL: none */
    const struct ib_value
        *variables; /* object: name of a server variable -> default; may be NULL */
};

/* Largest description that is read. */
#define IB_OPENAPI_BYTES_MAX  ((size_t)4 * 1024 * 1024)
#define IB_OPENAPI_VALUES_MAX ((size_t)1000000)

/* Errors IB_EPARSE (no JSON or YAML, no OpenAPI 3 document), IB_ELIMIT, IB_ENOMEM. */
IB_NODISCARD enum ib_rc ib_openapi_parse(struct ib_str text, const char *name,
                                         struct ib_openapi **ret, struct ib_error *err);
/* The same from a parsed document; takes root over, also on failure. */
IB_NODISCARD enum ib_rc ib_openapi_from_tree(struct ib_value *root, const char *name,
                                             struct ib_openapi **ret, struct ib_error *err);
/* JSON or YAML of that size to a tree, whatever it is. Errors as above. */
IB_NODISCARD enum ib_rc ib_openapi_tree(struct ib_str text, const char *name,
                                        struct ib_value **ret, struct ib_error *err);
void ib_openapi_free(struct ib_openapi *o);
void ib_openapi_cleanup(struct ib_openapi **o);

/* The operation of this operationId; NULL when there is none. *ret_count (may be NULL): how many
 * have it. */
const struct ib_openapi_operation *ib_openapi_by_id(const struct ib_openapi *o, struct ib_str id,
                                                    size_t *ret_count);
/* By the pointer of an operationPath: "/paths/~1pet~1{petId}/get". NULL when there is none. */
const struct ib_openapi_operation *ib_openapi_by_pointer(const struct ib_openapi *o,
                                                         struct ib_str pointer);
size_t ib_openapi_count(const struct ib_openapi *o);
const struct ib_openapi_operation *ib_openapi_at(const struct ib_openapi *o, size_t i);

#endif
