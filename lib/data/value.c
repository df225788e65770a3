/* SPDX-License-Identifier: MIT */
/* JSON values in memory. */
#include "lib/data/value.h"

#include <math.h>

#include "lib/base/num.h"

/* Objects up to this size are searched by looking at each key; larger ones get a hash index. */
#define SMALL_OBJECT ((size_t)16)

struct member {
    uint64_t hash; /* of the key; 0 in arrays */
    char *key;     /* NULL in arrays */
    uint32_t key_len;
    struct ib_mark key_mark;
    struct ib_value *item;
};

struct container {
    struct member *members;
    size_t count, cap;
    uint32_t *index; /* open addressing, position + 1, 0 = free; NULL while small */
    size_t index_cap;
};

struct ib_value {
    enum ib_value_type type;
    uint32_t refs;
    struct ib_mark mark;
    union {
        bool b;
        int64_t i;
        double d;
        struct {
            char *p;
            size_t n;
        } s;
        struct container c;
    } u;
};

static struct ib_value *new_value(enum ib_value_type type)
{
    struct ib_value *v = calloc(1, sizeof *v);

    if (v != NULL) {
        v->type = type;
        v->refs = 1;
    }
    return v;
}

struct ib_value *ib_value_null(void)
{
    return new_value(IB_VALUE_NULL);
}

struct ib_value *ib_value_bool(bool b)
{
    struct ib_value *v = new_value(IB_VALUE_BOOL);

    if (v != NULL) {
        v->u.b = b;
    }
    return v;
}

struct ib_value *ib_value_int(int64_t i)
{
    struct ib_value *v = new_value(IB_VALUE_INT);

    if (v != NULL) {
        v->u.i = i;
    }
    return v;
}

struct ib_value *ib_value_real(double d)
{
    IB_ASSERT(isfinite(d));
    struct ib_value *v = new_value(IB_VALUE_REAL);

    if (v != NULL) {
        v->u.d = d;
    }
    return v;
}

struct ib_value *ib_value_string(struct ib_str s)
{
    char *copy = ib_str_dup(s);

    if (copy == NULL) {
        return NULL;
    }
    struct ib_value *v = new_value(IB_VALUE_STRING);
    if (v == NULL) {
        free(copy);
        return NULL;
    }
    v->u.s.p = copy;
    v->u.s.n = s.n;
    return v;
}

struct ib_value *ib_value_array(void)
{
    return new_value(IB_VALUE_ARRAY);
}

struct ib_value *ib_value_object(void)
{
    return new_value(IB_VALUE_OBJECT);
}

static bool is_container(const struct ib_value *v)
{
    return v != NULL && (v->type == IB_VALUE_ARRAY || v->type == IB_VALUE_OBJECT);
}

struct ib_value *ib_value_ref(const struct ib_value *v)
{
    /* The count is the one part of a frozen value that changes. */
    struct ib_value *mine = (struct ib_value *)(uintptr_t)v;

    if (mine != NULL) {
        IB_ASSERT(mine->refs < UINT32_MAX);
        mine->refs++;
    }
    return mine;
}

void ib_value_unref(struct ib_value *v)
{
    /* Depth-first with an explicit stack that lives in the dead containers themselves. */
    struct ib_value *stack = NULL;

    if (v == NULL || --v->refs > 0) {
        return;
    }
    for (;;) {
        if (is_container(v)) {
            struct container *c = &v->u.c;
            if (c->count > 0) {
                struct member *last = &c->members[--c->count];
                struct ib_value *item = last->item;
                free(last->key);
                if (item != NULL && --item->refs == 0) {
                    /* The freed slot keeps the way back. */
                    last->item = stack;
                    stack = v;
                    v = item;
                }
                continue;
            }
            free(c->members);
            free(c->index);
        } else if (v->type == IB_VALUE_STRING) {
            explicit_bzero(v->u.s.p, v->u.s.n);
            free(v->u.s.p);
        }
        free(v);
        if (stack == NULL) {
            return;
        }
        v = stack;
        stack = v->u.c.members[v->u.c.count].item;
    }
}

void ib_value_cleanup(struct ib_value **v)
{
    ib_value_unref(*v);
    *v = NULL;
}

static enum ib_rc grow(struct container *c, struct ib_error *err)
{
    if (c->count < c->cap) {
        return IB_OK;
    }
    size_t cap = c->cap == 0 ? 4 : c->cap * 2;
    if (cap > UINT32_MAX / 2) {
        return ib_fail(err, IB_ELIMIT, "more than %zu elements in one array or object", c->cap);
    }
    struct member *grown = reallocarray(c->members, cap, sizeof *grown);
    if (grown == NULL) {
        return ib_fail_nomem(err);
    }
    c->members = grown;
    c->cap = cap;
    return IB_OK;
}

enum ib_rc ib_value_push(struct ib_value *array, struct ib_value *item, struct ib_error *err)
{
    if (item == NULL) {
        return ib_fail_nomem(err);
    }
    IB_ASSERT(array->type == IB_VALUE_ARRAY);
    enum ib_rc rc = grow(&array->u.c, err);
    if (rc != IB_OK) {
        ib_value_unref(item);
        return rc;
    }
    IB_ASSERT(array->u.c.members != NULL); /* grow() made room */
    array->u.c.members[array->u.c.count++] = (struct member){ .item = item };
    return IB_OK;
}

static bool member_is(const struct member *m, uint64_t hash, struct ib_str key)
{
    return m->hash == hash && m->key_len == key.n && (key.n == 0 || memcmp(m->key, key.p, key.n) == 0);
}

/* Position of a key, or SIZE_MAX. */
static size_t find_member(const struct container *c, struct ib_str key)
{
    uint64_t hash = ib_str_hash(key);

    if (c->index == NULL) {
        for (size_t i = 0; i < c->count; i++) {
            if (member_is(&c->members[i], hash, key)) {
                return i;
            }
        }
        return SIZE_MAX;
    }
    for (size_t slot = (size_t)hash & (c->index_cap - 1);; slot = (slot + 1) & (c->index_cap - 1)) {
        uint32_t at = c->index[slot];
        if (at == 0) {
            return SIZE_MAX;
        }
        if (member_is(&c->members[at - 1], hash, key)) {
            return at - 1;
        }
    }
}

static void index_put(struct container *c, size_t position)
{
    size_t slot = (size_t)c->members[position].hash & (c->index_cap - 1);

    while (c->index[slot] != 0) {
        slot = (slot + 1) & (c->index_cap - 1);
    }
    c->index[slot] = (uint32_t)position + 1;
}

/* Keeps the index at most half full; called before member number count is added. */
static enum ib_rc index_grow(struct container *c, struct ib_error *err)
{
    if (c->count < SMALL_OBJECT || (c->count + 1) * 2 <= c->index_cap) {
        return IB_OK;
    }
    size_t cap = c->index_cap == 0 ? SMALL_OBJECT * 4 : c->index_cap * 2;
    uint32_t *index = calloc(cap, sizeof *index);
    if (index == NULL) {
        return ib_fail_nomem(err);
    }
    free(c->index);
    c->index = index;
    c->index_cap = cap;
    for (size_t i = 0; i < c->count; i++) {
        index_put(c, i);
    }
    return IB_OK;
}

static enum ib_rc add_member(struct container *c, struct ib_str key, struct ib_mark key_mark,
                             struct ib_value *item, struct ib_error *err)
{
    if (key.n > UINT32_MAX) {
        return ib_fail(err, IB_ELIMIT, "object key is too long");
    }
    enum ib_rc rc = grow(c, err);
    if (rc == IB_OK) {
        rc = index_grow(c, err);
    }
    if (rc != IB_OK) {
        return rc;
    }
    char *copy = ib_str_dup(key);
    if (copy == NULL) {
        return key.n > 0 && memchr(key.p, '\0', key.n) != NULL
                   ? ib_fail(err, IB_EPARSE, "object key holds a NUL byte")
                   : ib_fail_nomem(err);
    }
    IB_ASSERT(c->members != NULL); /* grow() made room */
    c->members[c->count] = (struct member){ .hash = ib_str_hash(key),
                                            .key = copy,
                                            .key_len = (uint32_t)key.n,
                                            .key_mark = key_mark,
                                            .item = item };
    c->count++;
    if (c->index != NULL) {
        index_put(c, c->count - 1);
    }
    return IB_OK;
}

enum ib_rc ib_value_add(struct ib_value *object, struct ib_str key, struct ib_mark key_mark,
                        struct ib_value *item, struct ib_error *err)
{
    enum ib_rc rc;

    if (item == NULL) {
        return ib_fail_nomem(err);
    }
    IB_ASSERT(object->type == IB_VALUE_OBJECT);
    if (find_member(&object->u.c, key) != SIZE_MAX) {
        struct ib_str shown = ib_str_head(key, 64);
        rc = ib_fail(err, IB_EPARSE, "duplicate key \"%.*s\"", IB_STR_ARG(shown));
    } else {
        rc = add_member(&object->u.c, key, key_mark, item, err);
    }
    if (rc != IB_OK) {
        ib_value_unref(item);
    }
    return rc;
}

enum ib_rc ib_value_set(struct ib_value *object, struct ib_str key, struct ib_value *item,
                        struct ib_error *err)
{
    if (item == NULL) {
        return ib_fail_nomem(err);
    }
    IB_ASSERT(object->type == IB_VALUE_OBJECT);
    size_t at = find_member(&object->u.c, key);
    if (at == SIZE_MAX) {
        return ib_value_add(object, key, (struct ib_mark){ 0, 0 }, item, err);
    }
    ib_value_unref(object->u.c.members[at].item);
    object->u.c.members[at].item = item;
    return IB_OK;
}

enum ib_rc ib_value_set_at(struct ib_value *array, size_t at, struct ib_value *item,
                           struct ib_error *err)
{
    if (item == NULL) {
        return ib_fail_nomem(err);
    }
    IB_ASSERT(array->type == IB_VALUE_ARRAY && at < array->u.c.count);
    ib_value_unref(array->u.c.members[at].item);
    array->u.c.members[at].item = item;
    return IB_OK;
}

struct ib_value *ib_value_copy(const struct ib_value *v)
{
    if (!is_container(v)) {
        return ib_value_ref(v);
    }
    struct ib_value *copy = new_value(v->type);
    for (size_t i = 0; copy != NULL && i < v->u.c.count; i++) {
        const struct member *m = &v->u.c.members[i];
        enum ib_rc rc = v->type == IB_VALUE_ARRAY
                            ? ib_value_push(copy, ib_value_ref(m->item), NULL)
                            : ib_value_add(copy, (struct ib_str){ m->key, m->key_len }, m->key_mark,
                                           ib_value_ref(m->item), NULL);
        if (rc != IB_OK) {
            ib_value_unref(copy);
            return NULL;
        }
    }
    if (copy != NULL) {
        copy->mark = v->mark;
    }
    return copy;
}

enum ib_value_type ib_value_type(const struct ib_value *v)
{
    IB_ASSERT(v != NULL);
    return v->type;
}

const char *ib_value_type_name(const struct ib_value *v)
{
    static const char *const names[] = {
        [IB_VALUE_NULL] = "null",     [IB_VALUE_BOOL] = "boolean", [IB_VALUE_INT] = "integer",
        [IB_VALUE_REAL] = "number",   [IB_VALUE_STRING] = "string", [IB_VALUE_ARRAY] = "array",
        [IB_VALUE_OBJECT] = "object",
    };

    return v == NULL ? "nothing" : names[v->type];
}

bool ib_value_is(const struct ib_value *v, enum ib_value_type type)
{
    return v != NULL && v->type == type;
}

bool ib_value_is_number(const struct ib_value *v)
{
    return ib_value_is(v, IB_VALUE_INT) || ib_value_is(v, IB_VALUE_REAL);
}

bool ib_value_as_bool(const struct ib_value *v)
{
    IB_ASSERT(ib_value_is(v, IB_VALUE_BOOL));
    return v->u.b;
}

int64_t ib_value_as_int(const struct ib_value *v)
{
    IB_ASSERT(ib_value_is(v, IB_VALUE_INT));
    return v->u.i;
}

double ib_value_as_real(const struct ib_value *v)
{
    IB_ASSERT(ib_value_is_number(v));
    return v->type == IB_VALUE_INT ? (double)v->u.i : v->u.d;
}

struct ib_str ib_value_as_str(const struct ib_value *v)
{
    IB_ASSERT(ib_value_is(v, IB_VALUE_STRING));
    return (struct ib_str){ v->u.s.p, v->u.s.n };
}

size_t ib_value_count(const struct ib_value *v)
{
    return is_container(v) ? v->u.c.count : 0;
}

struct ib_value *ib_value_at(const struct ib_value *v, size_t i)
{
    return i < ib_value_count(v) ? v->u.c.members[i].item : NULL;
}

struct ib_str ib_value_key_at(const struct ib_value *object, size_t i)
{
    IB_ASSERT(ib_value_is(object, IB_VALUE_OBJECT) && i < object->u.c.count);
    return (struct ib_str){ object->u.c.members[i].key, object->u.c.members[i].key_len };
}

struct ib_mark ib_value_key_mark_at(const struct ib_value *object, size_t i)
{
    IB_ASSERT(ib_value_is(object, IB_VALUE_OBJECT) && i < object->u.c.count);
    return object->u.c.members[i].key_mark;
}

struct ib_value *ib_value_get(const struct ib_value *v, struct ib_str key)
{
    if (!ib_value_is(v, IB_VALUE_OBJECT)) {
        return NULL;
    }
    size_t at = find_member(&v->u.c, key);
    return at == SIZE_MAX ? NULL : v->u.c.members[at].item;
}

struct ib_value *ib_value_get_c(const struct ib_value *v, const char *key)
{
    return ib_value_get(v, ib_str_from(key));
}

struct ib_mark ib_value_mark(const struct ib_value *v)
{
    return v == NULL ? (struct ib_mark){ 0, 0 } : v->mark;
}

void ib_value_set_mark(struct ib_value *v, struct ib_mark mark)
{
    v->mark = mark;
}

static bool numbers_equal(const struct ib_value *a, const struct ib_value *b)
{
    if (a->type == IB_VALUE_INT && b->type == IB_VALUE_INT) {
        return a->u.i == b->u.i;
    }
    double x = ib_value_as_real(a);
    double y = ib_value_as_real(b);
    return !(x < y) && !(x > y);
}

/* Recursion is bounded by the depth caps of the parsers that make values. */
bool ib_value_equal(const struct ib_value *a, const struct ib_value *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    if (ib_value_is_number(a) && ib_value_is_number(b)) {
        return numbers_equal(a, b);
    }
    if (a->type != b->type) {
        return false;
    }
    if (a->type == IB_VALUE_BOOL) {
        return a->u.b == b->u.b;
    }
    if (a->type == IB_VALUE_STRING) {
        return ib_str_eq(ib_value_as_str(a), ib_value_as_str(b));
    }
    if (ib_value_count(a) != ib_value_count(b)) {
        return false;
    }
    for (size_t i = 0; i < ib_value_count(a); i++) {
        const struct ib_value *other = a->type == IB_VALUE_ARRAY
                                           ? ib_value_at(b, i)
                                           : ib_value_get(b, ib_value_key_at(a, i));
        if (!ib_value_equal(ib_value_at(a, i), other)) {
            return false;
        }
    }
    return true;
}

/* One reference token with ~0 and ~1 undone. */
static enum ib_rc unescape_token(struct ib_str token, struct ib_buf *ret, struct ib_error *err)
{
    ib_buf_reset(ret);
    for (size_t i = 0; i < token.n; i++) {
        char c = token.p[i];
        if (c == '~') {
            i++;
            if (i >= token.n || (token.p[i] != '0' && token.p[i] != '1')) {
                return ib_fail(err, IB_EPARSE, "JSON pointer: '~' is not followed by 0 or 1");
            }
            c = token.p[i] == '0' ? '~' : '/';
        }
        ib_buf_add_char(ret, c);
    }
    return ib_buf_ok(ret, "JSON pointer", err);
}

static struct ib_value *step_into(const struct ib_value *v, struct ib_str token)
{
    int64_t at;

    if (!ib_value_is(v, IB_VALUE_ARRAY)) {
        return ib_value_get(v, token);
    }
    bool is_index = token.n > 0 && ib_ascii_digit(token.p[0]) && (token.n == 1 || token.p[0] != '0');
    if (!is_index || ib_num_i64(token, 0, UINT32_MAX, "", &at, NULL) != IB_OK) {
        return NULL;
    }
    return ib_value_at(v, (size_t)at);
}

enum ib_rc ib_value_pointer(const struct ib_value *root, struct ib_str pointer,
                            struct ib_value **ret, struct ib_error *err)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf token = IB_BUF_INIT((size_t)64 * 1024);
    const struct ib_value *at = root;
    struct ib_str rest = pointer;

    if (rest.n > 0 && rest.p[0] != '/') {
        struct ib_str shown = ib_str_head(pointer, 64);
        return ib_fail(err, IB_EPARSE, "JSON pointer \"%.*s\" does not start with '/'",
                       IB_STR_ARG(shown));
    }
    if (rest.n > 0) {
        rest = ib_str_skip(rest, 1);
        while (rest.p != NULL) {
            enum ib_rc rc = unescape_token(ib_str_split(&rest, '/'), &token, err);
            if (rc != IB_OK) {
                return rc;
            }
            at = at == NULL ? NULL : step_into(at, ib_buf_str(&token));
        }
    }
    *ret = (struct ib_value *)(uintptr_t)at;
    return IB_OK;
}

struct ib_value *ib_value_path(const struct ib_value *root, const char *path)
{
    const struct ib_value *at = root;
    struct ib_str rest = ib_str_from(path);

    while (rest.p != NULL && at != NULL) {
        at = ib_value_get(at, ib_str_split(&rest, '.'));
    }
    return (struct ib_value *)(uintptr_t)at;
}

static enum ib_rc read_str(const struct ib_value *v, const char *path, size_t max,
                           struct ib_str *ret, struct ib_error *err)
{
    if (!ib_value_is(v, IB_VALUE_STRING)) {
        return ib_fail(err, IB_EPARSE, "%s is %s, not a string", path, ib_value_type_name(v));
    }
    struct ib_str s = ib_value_as_str(v);
    if (s.n > max) {
        return ib_fail(err, IB_EPARSE, "%s has %zu bytes, more than %zu", path, s.n, max);
    }
    *ret = s;
    return IB_OK;
}

enum ib_rc ib_value_need_str(const struct ib_value *root, const char *path, size_t max,
                             struct ib_str *ret, struct ib_error *err)
{
    const struct ib_value *v = ib_value_path(root, path);

    if (v == NULL) {
        return ib_fail(err, IB_EPARSE, "%s is missing", path);
    }
    return read_str(v, path, max, ret, err);
}

enum ib_rc ib_value_opt_str(const struct ib_value *root, const char *path, size_t max,
                            struct ib_str *ret, struct ib_error *err)
{
    const struct ib_value *v = ib_value_path(root, path);

    if (v == NULL || v->type == IB_VALUE_NULL) {
        *ret = (struct ib_str){ NULL, 0 };
        return IB_OK;
    }
    return read_str(v, path, max, ret, err);
}

enum ib_rc ib_value_opt_i64(const struct ib_value *root, const char *path, int64_t min, int64_t max,
                            int64_t *ret, struct ib_error *err)
{
    const struct ib_value *v = ib_value_path(root, path);

    if (v == NULL || v->type == IB_VALUE_NULL) {
        return IB_OK;
    }
    if (v->type != IB_VALUE_INT) {
        return ib_fail(err, IB_EPARSE, "%s is %s, not an integer", path, ib_value_type_name(v));
    }
    if (v->u.i < min || v->u.i > max) {
        return ib_fail(err, IB_EPARSE, "%s is %" PRId64 ", outside %" PRId64 "..%" PRId64, path,
                       v->u.i, min, max);
    }
    *ret = v->u.i;
    return IB_OK;
}
