/* SPDX-License-Identifier: MIT */
/* Objects written member by member. */
#include "lib/data/members.h"

#include <math.h>

#include "lib/base/text.h"
#include "lib/base/time.h"

static void fail(struct ib_members *m)
{
    ib_value_unref(m->object);
    m->object = NULL;
}

struct ib_members ib_members_new(void)
{
    struct ib_members m = { .object = ib_value_object() };

    if (m.object == NULL) {
        (void)ib_fail_nomem(&m.err);
    }
    return m;
}

void ib_members_fini(struct ib_members *m)
{
    ib_value_unref(m->object);
    m->object = NULL;
}

void ib_members_value(struct ib_members *m, const char *key, struct ib_value *v)
{
    if (m->object == NULL) {
        ib_value_unref(v);
        return;
    }
    if (ib_value_set(m->object, ib_str_from(key), v, &m->err) != IB_OK) {
        fail(m);
    }
}

/* A string value from foreign bytes. */
static struct ib_value *string_of(struct ib_str text)
{
    if (ib_utf8_valid(text.p, text.n) && memchr(text.n == 0 ? "x" : text.p, '\0', text.n) == NULL) {
        return ib_value_string(text);
    }
    char *clean = malloc(text.n + 4);
    if (clean == NULL) {
        return NULL;
    }
    size_t n = ib_text_clean(text.p, text.n, clean, text.n + 4);
    struct ib_value *v = ib_value_string((struct ib_str){ clean, n });
    free(clean);
    return v;
}

void ib_members_str(struct ib_members *m, const char *key, struct ib_str text)
{
    if (text.p != NULL && m->object != NULL) {
        ib_members_value(m, key, string_of(text));
    }
}

void ib_members_str_if(struct ib_members *m, const char *key, struct ib_str text)
{
    if (text.n > 0) {
        ib_members_str(m, key, text);
    }
}

void ib_members_c(struct ib_members *m, const char *key, const char *text)
{
    if (text != NULL) {
        ib_members_str(m, key, ib_str_from(text));
    }
}

void ib_members_bool(struct ib_members *m, const char *key, bool b)
{
    ib_members_value(m, key, ib_value_bool(b));
}

void ib_members_int(struct ib_members *m, const char *key, int64_t i)
{
    ib_members_value(m, key, ib_value_int(i));
}

void ib_members_real(struct ib_members *m, const char *key, double d)
{
    ib_members_value(m, key, isfinite(d) ? ib_value_real(d) : ib_value_null());
}

void ib_members_null(struct ib_members *m, const char *key)
{
    ib_members_value(m, key, ib_value_null());
}

void ib_members_time(struct ib_members *m, const char *key, int64_t ms)
{
    char text[IB_TIME_TEXT_MAX];

    ib_members_c(m, key, ib_time_fmt_iso8601(ms, text, sizeof text));
}

void ib_members_object(struct ib_members *m, const char *key, struct ib_members *member)
{
    struct ib_value *v = member->object;

    member->object = NULL;
    ib_members_value(m, key, v);
}

/* The array at key, made when it is missing; borrowed. NULL when failed. */
static struct ib_value *array_at(struct ib_members *m, const char *key)
{
    if (m->object == NULL) {
        return NULL;
    }
    if (ib_value_get_c(m->object, key) == NULL) {
        ib_members_value(m, key, ib_value_array());
    }
    return m->object == NULL ? NULL : ib_value_get_c(m->object, key);
}

static void push(struct ib_members *m, const char *key, struct ib_value *v)
{
    struct ib_value *array = array_at(m, key);

    if (array == NULL) {
        ib_value_unref(v);
        return;
    }
    if (ib_value_push(array, v, &m->err) != IB_OK) {
        fail(m);
    }
}

void ib_members_push(struct ib_members *m, const char *key, struct ib_members *item)
{
    struct ib_value *v = item->object;

    item->object = NULL;
    push(m, key, v);
}

void ib_members_push_str(struct ib_members *m, const char *key, struct ib_str text)
{
    push(m, key, string_of(text));
}

void ib_members_array(struct ib_members *m, const char *key)
{
    (void)array_at(m, key);
}

enum ib_rc ib_members_take(struct ib_members *m, struct ib_value **ret, struct ib_error *err)
{
    if (m->object == NULL) {
        return m->err.rc == IB_OK ? ib_fail_nomem(err) : ib_fail(err, m->err.rc, "%s", m->err.text);
    }
    *ret = m->object;
    m->object = NULL;
    return IB_OK;
}
