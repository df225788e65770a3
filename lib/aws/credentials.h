/* SPDX-License-Identifier: MIT */
/*
 * AWS credentials, as providers give them and the signer takes them.
 *
 * All texts belong to the struct and are wiped when it ends.
 */
#ifndef IB_AWS_CREDENTIALS_H
#define IB_AWS_CREDENTIALS_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

struct ib_credentials {
    char *access_key_id;
    char *secret_access_key;
    char *session_token;   /* NULL for long-term keys */
    char *account_id;      /* NULL when the provider does not tell */
    int64_t expiration_ms; /* 0 = they do not expire, or nobody says when */
    const char *provider;  /* static text: "environment", "assume role", "IMDS" ... */
    char *source;          /* for people: "profile x in /y/.aws/credentials"; may be NULL */
};

#define IB_CREDENTIALS_INIT { NULL }

/* Wipes and frees; safe on a zeroed one. Keeps nothing. */
void ib_credentials_fini(struct ib_credentials *c);

#endif
