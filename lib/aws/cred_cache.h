/* SPDX-License-Identifier: MIT */
/*
 * Temporary credentials kept on disk between runs, so that a check each minute does not call STS
 * each minute.
 *
 * One file per set of parameters in a directory that is this user's alone (0700, files 0600, no
 * symbolic links): its name is a SHA-256 of what was asked for, never of a secret. Written in one
 * step; a lock beside it lets one of many processes ask STS while the others wait for its answer.
 * Nearing their end, credentials are renewed by whoever gets the lock at once, while the others go on
 * with what is there: nobody waits before it must.
 */
#ifndef IB_AWS_CRED_CACHE_H
#define IB_AWS_CRED_CACHE_H

#include "lib/aws/cred.h"

/* Asks the provider. */
typedef enum ib_rc (*ib_cred_fetch_fn)(const struct ib_cred_context *ctx, void *arg,
                                       struct ib_credentials *ret, struct ib_error *err);

/* What is asked for, and how. */
struct ib_cred_ask {
    const char *provider; /* of credentials that come out of the cache; static text */
    /* Lines of names and values that tell this request from others; hashed, and without a secret. */
    struct ib_str description;
    ib_cred_fetch_fn fetch;
    void *arg; /* of fetch */
};

/*
 * Credentials from the cache while they are good, else by fetch. A cache that cannot be used (no
 * directory, wrong owner, broken file) is noted in the trail and never an error.
 * Errors: those of fetch; IB_ETIMEOUT while another process held the lock.
 */
IB_NODISCARD enum ib_rc ib_cred_cache_get(const struct ib_cred_context *ctx,
                                          const struct ib_cred_ask *ask, struct ib_credentials *ret,
                                          struct ib_error *err);

/* When credentials that were fetched at one time and end at another are renewed, in milliseconds. */
struct ib_cred_window {
    int64_t early_ms; /* from here on somebody renews them, if nobody else does */
    int64_t must_ms;  /* from here on everybody waits for new ones */
};
struct ib_cred_window ib_cred_window_of(int64_t fetched_ms, int64_t expiration_ms);

#endif
