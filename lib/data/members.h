/* SPDX-License-Identifier: MIT */
/*
 * Writing a JSON object member by member, with sticky failure: after the first one that fails all
 * later calls do nothing, and ib_members_take() reports it.
 *
 * Foreign texts may hold anything: what is no valid UTF-8, or holds a NUL, is cleaned on the way in.
 */
#ifndef IB_DATA_MEMBERS_H
#define IB_DATA_MEMBERS_H

#include "lib/data/value.h"

struct ib_members {
    struct ib_value *object; /* NULL once failed */
    struct ib_error err;
};

/* Start an object. */
struct ib_members ib_members_new(void);
void ib_members_fini(struct ib_members *m); /* for IB_CLEANUP */

/* A text with p == NULL, and a NULL one, is left out. */
void ib_members_str(struct ib_members *m, const char *key, struct ib_str text);
void ib_members_c(struct ib_members *m, const char *key, const char *text);
/* The same, but an empty text is left out too. */
void ib_members_str_if(struct ib_members *m, const char *key, struct ib_str text);
void ib_members_bool(struct ib_members *m, const char *key, bool b);
void ib_members_int(struct ib_members *m, const char *key, int64_t i);
/* Not finite: null. */
void ib_members_real(struct ib_members *m, const char *key, double d);
void ib_members_null(struct ib_members *m, const char *key);
/* A point in time as ISO 8601. */
void ib_members_time(struct ib_members *m, const char *key, int64_t ms);
/* Takes the reference over; NULL counts as out of memory. */
void ib_members_value(struct ib_members *m, const char *key, struct ib_value *v);
/* An object that was written the same way; ends it. */
void ib_members_object(struct ib_members *m, const char *key, struct ib_members *member);

/* Append an object written this way to an array member that is made when it is missing; ends it. */
void ib_members_push(struct ib_members *m, const char *key, struct ib_members *item);
void ib_members_push_str(struct ib_members *m, const char *key, struct ib_str text);
/* An empty array, when nothing may follow. */
void ib_members_array(struct ib_members *m, const char *key);

/* The object, which the caller owns. */
IB_NODISCARD enum ib_rc ib_members_take(struct ib_members *m, struct ib_value **ret,
                                        struct ib_error *err);

#endif
