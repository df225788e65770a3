/* SPDX-License-Identifier: MIT */
/*
 * JSON values in memory: what answers, documents, inputs and outputs are made of.
 *
 * Values are counted references. A container may be filled while it has one owner; once shared it
 * is treated as frozen. null is a value of its own (never a NULL pointer): a NULL pointer always
 * means "absent". Numbers keep whether they were written as integers. Strings may hold any
 * UTF-8 but no NUL byte. Objects keep the order in which members were added; keys are unique.
 */
#ifndef IB_DATA_VALUE_H
#define IB_DATA_VALUE_H

#include <stdint.h>

#include "lib/base/buf.h"

enum ib_value_type {
    IB_VALUE_NULL,
    IB_VALUE_BOOL,
    IB_VALUE_INT,  /* fits an int64 and was written without fraction or exponent */
    IB_VALUE_REAL, /* every other finite number */
    IB_VALUE_STRING,
    IB_VALUE_ARRAY,
    IB_VALUE_OBJECT,
};

/* Where a value stood in its file: 1-based; line 0 = not from a file. column counts bytes. */
struct ib_mark {
    uint32_t line, column;
};

struct ib_value;

/* All constructors return NULL when out of memory. ib_value_string() too when s holds a NUL byte. */
struct ib_value *ib_value_null(void);
struct ib_value *ib_value_bool(bool b);
struct ib_value *ib_value_int(int64_t i);
struct ib_value *ib_value_real(double d); /* finite only */
struct ib_value *ib_value_string(struct ib_str s);
struct ib_value *ib_value_array(void);
struct ib_value *ib_value_object(void);

/* One more owner; returns v. NULL stays NULL. */
struct ib_value *ib_value_ref(const struct ib_value *v);
/* One owner less; frees without recursion, so depth does not matter. NULL is fine. */
void ib_value_unref(struct ib_value *v);
/* For IB_CLEANUP(ib_value_cleanup). */
void ib_value_cleanup(struct ib_value **v);

/* Add to a container; takes the caller's reference of item over, also on failure. item NULL = out of memory. */
IB_NODISCARD enum ib_rc ib_value_push(struct ib_value *array, struct ib_value *item,
                                      struct ib_error *err);
/* IB_EPARSE when the key is there already ("duplicate key ..."). key_mark may be zero. */
IB_NODISCARD enum ib_rc ib_value_add(struct ib_value *object, struct ib_str key,
                                     struct ib_mark key_mark, struct ib_value *item,
                                     struct ib_error *err);
/* Add or replace. */
IB_NODISCARD enum ib_rc ib_value_set(struct ib_value *object, struct ib_str key,
                                     struct ib_value *item, struct ib_error *err);
/* Replace element `at` (at < count) of an array. */
IB_NODISCARD enum ib_rc ib_value_set_at(struct ib_value *array, size_t at, struct ib_value *item,
                                        struct ib_error *err);
/* Shallow copy: a new container with the same members; a scalar is referenced. */
struct ib_value *ib_value_copy(const struct ib_value *v);

enum ib_value_type ib_value_type(const struct ib_value *v);
/* "null", "boolean", "integer", "number", "string", "array", "object"; "nothing" for NULL. */
const char *ib_value_type_name(const struct ib_value *v);
bool ib_value_is(const struct ib_value *v, enum ib_value_type type); /* false for NULL */
bool ib_value_is_number(const struct ib_value *v);

/* Content; the type must fit (checked by IB_ASSERT). _as_real takes both kinds of number. */
bool ib_value_as_bool(const struct ib_value *v);
int64_t ib_value_as_int(const struct ib_value *v);
double ib_value_as_real(const struct ib_value *v);
struct ib_str ib_value_as_str(const struct ib_value *v); /* also NUL-terminated */

/* Number of elements or members; 0 for scalars and NULL. */
size_t ib_value_count(const struct ib_value *v);
/* Element i of an array, or value of member i of an object; NULL when out of range. Borrowed. */
struct ib_value *ib_value_at(const struct ib_value *v, size_t i);
/* Key of member i of an object. */
struct ib_str ib_value_key_at(const struct ib_value *object, size_t i);
struct ib_mark ib_value_key_mark_at(const struct ib_value *object, size_t i);
/* Value of a member; NULL when absent or v is no object. Borrowed. Constant time for large objects. */
struct ib_value *ib_value_get(const struct ib_value *v, struct ib_str key);
struct ib_value *ib_value_get_c(const struct ib_value *v, const char *key);

struct ib_mark ib_value_mark(const struct ib_value *v);
void ib_value_set_mark(struct ib_value *v, struct ib_mark mark);

/* Deep equality as JSON has it: 1 equals 1.0, member order does not matter. */
bool ib_value_equal(const struct ib_value *a, const struct ib_value *b);

/*
 * RFC 6901 pointer ("" = whole, "/a/0/b~1c"). Absent: *ret = NULL and IB_OK. Errors: IB_EPARSE for
 * a pointer that is not one (no leading '/', '~' without 0 or 1). Array indexes have no leading
 * zeros; "-" and too large ones are absent. *ret is borrowed.
 */
IB_NODISCARD enum ib_rc ib_value_pointer(const struct ib_value *root, struct ib_str pointer,
                                         struct ib_value **ret, struct ib_error *err);

/*
 * Readers of one member by dotted path of plain names ("image.state.status"). Absent, null, wrong
 * type and too long are different errors (IB_EPARSE, naming the path); the _opt forms take absent
 * and null as IB_OK with *ret untouched (ib_value_opt_str: p == NULL).
 */
IB_NODISCARD enum ib_rc ib_value_need_str(const struct ib_value *root, const char *path, size_t max,
                                          struct ib_str *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_value_opt_str(const struct ib_value *root, const char *path, size_t max,
                                         struct ib_str *ret, struct ib_error *err);
IB_NODISCARD enum ib_rc ib_value_opt_i64(const struct ib_value *root, const char *path, int64_t min,
                                         int64_t max, int64_t *ret, struct ib_error *err);
/* Member at a dotted path, NULL when any part is absent or no object. Borrowed. */
struct ib_value *ib_value_path(const struct ib_value *root, const char *path);

#endif
