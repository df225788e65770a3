/* SPDX-License-Identifier: MIT */
/* Ending credentials without leaving them in memory. */
#include "lib/aws/credentials.h"

static void wipe(char *text)
{
    if (text != NULL) {
        explicit_bzero(text, strlen(text));
        free(text);
    }
}

void ib_credentials_fini(struct ib_credentials *c)
{
    wipe(c->access_key_id);
    wipe(c->secret_access_key);
    wipe(c->session_token);
    wipe(c->account_id);
    wipe(c->source);
    *c = (struct ib_credentials)IB_CREDENTIALS_INIT;
}
