/* SPDX-License-Identifier: MIT */
/*
 * An ordered list of HTTP header fields, for requests and answers.
 *
 * Values may be secrets (tokens): ending a list wipes them.
 */
#ifndef IB_AWS_HEADERS_H
#define IB_AWS_HEADERS_H

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_HEADERS_COUNT_MAX 128           /* fields; AWS sends about ten */
#define IB_HEADERS_BYTES_MAX (64 * 1024)   /* names and values together */

struct ib_header {
    char *name;  /* as given; compared without regard to case */
    char *value; /* without blanks at both ends */
};

struct ib_headers {
    struct ib_header *items;
    size_t count, cap, bytes;
};

#define IB_HEADERS_INIT { NULL }

/*
 * Append a field. name is a token (RFC 9110 §5.6.2); value may hold anything but CR, LF and NUL:
 * those would let a value write further fields. Errors: IB_EPARSE for either, IB_ELIMIT for the
 * caps.
 */
IB_NODISCARD enum ib_rc ib_headers_add(struct ib_headers *h, const char *name, struct ib_str value,
                                       struct ib_error *err);
/* Remove all fields of this name, then add one. */
IB_NODISCARD enum ib_rc ib_headers_set(struct ib_headers *h, const char *name, struct ib_str value,
                                       struct ib_error *err);
void ib_headers_remove(struct ib_headers *h, const char *name);
/* Value of the first field of this name; NULL when there is none. */
const char *ib_headers_get(const struct ib_headers *h, const char *name);
/* Append copies of all fields of another list. */
IB_NODISCARD enum ib_rc ib_headers_copy(struct ib_headers *h, const struct ib_headers *from,
                                        struct ib_error *err);
/* True for fields whose value is a secret: Authorization, security and bearer tokens, cookies. */
bool ib_header_is_secret(struct ib_str name);
/* Ends the list; wipes values; safe on a zeroed one. */
void ib_headers_fini(struct ib_headers *h);

#endif
