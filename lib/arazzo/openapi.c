/* SPDX-License-Identifier: MIT */
/* A local OpenAPI document as a list of operations. */
#include "lib/arazzo/openapi.h"

#include "lib/data/json.h"
#include "lib/data/yaml.h"

struct ib_openapi {
    struct ib_value *root;
    struct ib_openapi_operation *operations;
    struct ib_str *raw_paths; /* of the operations: as written, for pointers */
    size_t count, cap;
};

static const char *const methods[] = {"get",     "put",  "post",  "delete",
                                      "options", "head", "patch", "trace"};
static const char *const method_names[] = {"GET",     "PUT",  "POST",  "DELETE",
                                           "OPTIONS", "HEAD", "PATCH", "TRACE"};

void ib_openapi_free(struct ib_openapi *o)
{
    if (o == NULL) {
        return;
    }
    ib_value_unref(o->root);
    free(o->operations);
    free(o->raw_paths);
    free(o);
}

void ib_openapi_cleanup(struct ib_openapi **o)
{
    ib_openapi_free(*o);
    *o = NULL;
}

static struct ib_str text_member(const struct ib_value *object, const char *key)
{
    const struct ib_value *v = ib_value_get_c(object, key);

    return ib_value_is(v, IB_VALUE_STRING) ? ib_value_as_str(v) : (struct ib_str){NULL, 0};
}

/* The nearest list of servers counts: operation, path, document. https goes before http. */
static const struct ib_value *best_server(const struct ib_value *holder)
{
    const struct ib_value *servers = ib_value_get_c(holder, "servers");
    const struct ib_value *first = NULL;

    for (size_t i = 0; ib_value_is(servers, IB_VALUE_ARRAY) && i < ib_value_count(servers); i++) {
        const struct ib_value *server = ib_value_at(servers, i);
        struct ib_str url = text_member(server, "url");
        if (url.p == NULL) {
            continue;
        }
        if (ib_str_starts(url, IB_STR("https://"))) {
            return server;
        }
        first = first == NULL ? server : first;
    }
    return first;
}

static bool add_operation(struct ib_openapi *o, struct ib_openapi_operation operation,
                          struct ib_str raw_path)
{
    if (o->count == o->cap) {
        size_t cap = o->cap == 0 ? 64 : o->cap * 2;
        struct ib_openapi_operation *operations =
            reallocarray(o->operations, cap, sizeof *operations);
        if (operations == NULL) {
            return false;
        }
        o->operations = operations;
        struct ib_str *raw_paths = reallocarray(o->raw_paths, cap, sizeof *raw_paths);
        if (raw_paths == NULL) {
            return false;
        }
        o->raw_paths = raw_paths;
        o->cap = cap;
    }
    o->raw_paths[o->count] = raw_path;
    o->operations[o->count++] = operation;
    return true;
}

static bool add_path(struct ib_openapi *o, struct ib_str path, const struct ib_value *item)
{
    for (size_t m = 0; m < IB_ARRAY_LEN(methods); m++) {
        const struct ib_value *one = ib_value_get_c(item, methods[m]);
        if (!ib_value_is(one, IB_VALUE_OBJECT)) {
            continue;
        }
        const struct ib_value *server = best_server(one);
        server = server == NULL ? best_server(item) : server;
        server = server == NULL ? best_server(o->root) : server;
        struct ib_openapi_operation operation = {
            .id = text_member(one, "operationId"),
            .method = ib_str_from(method_names[m]),
            .path = ib_str_head(path, ib_str_find(path, '#')),
            .server = text_member(server, "url"),
            .variables = ib_value_get_c(server, "variables"),
        };
        if (!add_operation(o, operation, path)) {
            return false;
        }
    }
    return true;
}

static enum ib_rc build(struct ib_openapi *o, const char *name, struct ib_error *err)
{
    struct ib_str version = text_member(o->root, "openapi");
    const struct ib_value *paths = ib_value_get_c(o->root, "paths");

    if (version.p == NULL || !ib_str_starts(version, IB_STR("3."))) {
        return ib_fail(err, IB_EPARSE, "%s: no OpenAPI 3 document", name);
    }
    for (size_t i = 0; ib_value_is(paths, IB_VALUE_OBJECT) && i < ib_value_count(paths); i++) {
        if (!add_path(o, ib_value_key_at(paths, i), ib_value_at(paths, i))) {
            return ib_fail_nomem(err);
        }
    }
    return IB_OK;
}

enum ib_rc ib_openapi_from_tree(struct ib_value *root, const char *name, struct ib_openapi **ret,
                                struct ib_error *err)
{
    struct ib_openapi *o = calloc(1, sizeof *o);

    if (o == NULL) {
        ib_value_unref(root);
        return ib_fail_nomem(err);
    }
    o->root = root;
    enum ib_rc rc = build(o, name, err);
    if (rc != IB_OK) {
        ib_openapi_free(o);
        return rc;
    }
    *ret = o;
    return IB_OK;
}

enum ib_rc ib_openapi_parse(struct ib_str text, const char *name, struct ib_openapi **ret,
                            struct ib_error *err)
{
    struct ib_value *root = NULL;
    enum ib_rc rc = ib_openapi_tree(text, name, &root, err);

    return rc == IB_OK ? ib_openapi_from_tree(root, name, ret, err) : rc;
}

enum ib_rc ib_openapi_tree(struct ib_str text, const char *name, struct ib_value **ret,
                           struct ib_error *err)
{
    struct ib_str trimmed = ib_str_trim(text);
    const struct ib_json_limits json = {.max_bytes = IB_OPENAPI_BYTES_MAX};
    const struct ib_yaml_limits yaml = {.max_bytes = IB_OPENAPI_BYTES_MAX,
                                        .max_events = IB_OPENAPI_VALUES_MAX};

    return trimmed.n > 0 && trimmed.p[0] == '{'
               ? ib_json_parse(text, name, &json, ret, err)
               : ib_yaml_parse_limited(text, name, &yaml, ret, err);
}

const struct ib_openapi_operation *ib_openapi_by_id(const struct ib_openapi *o, struct ib_str id,
                                                    size_t *ret_count)
{
    const struct ib_openapi_operation *found = NULL;
    size_t count = 0;

    for (size_t i = 0; i < o->count; i++) {
        if (o->operations[i].id.p != NULL && ib_str_eq(o->operations[i].id, id)) {
            found = found == NULL ? &o->operations[i] : found;
            count++;
        }
    }
    if (ret_count != NULL) {
        *ret_count = count;
    }
    return found;
}

const struct ib_openapi_operation *ib_openapi_by_pointer(const struct ib_openapi *o,
                                                         struct ib_str pointer)
{
    struct ib_value *there = NULL;
    struct ib_str prefix = IB_STR("/paths/");

    if (!ib_str_starts(pointer, prefix) ||
        ib_value_pointer(o->root, pointer, &there, NULL) != IB_OK || there == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < o->count; i++) {
        const struct ib_value *item =
            ib_value_get(ib_value_get_c(o->root, "paths"), o->raw_paths[i]);
        for (size_t m = 0; m < IB_ARRAY_LEN(methods); m++) {
            /* The same value in memory: the pointer walked to this operation. */
            if (ib_str_eq_c(o->operations[i].method, method_names[m]) &&
                ib_value_get_c(item, methods[m]) == there) {
                return &o->operations[i];
            }
        }
    }
    return NULL;
}

size_t ib_openapi_count(const struct ib_openapi *o)
{
    return o->count;
}

const struct ib_openapi_operation *ib_openapi_at(const struct ib_openapi *o, size_t i)
{
    return i < o->count ? &o->operations[i] : NULL;
}
