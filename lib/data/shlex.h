/* SPDX-License-Identifier: MIT */
/*
 * A command line split into words as a POSIX shell quotes them, with nothing expanded: for
 * credential_process, which is run without a shell.
 */
#ifndef IB_DATA_SHLEX_H
#define IB_DATA_SHLEX_H

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_SHLEX_BYTES_MAX 16384
#define IB_SHLEX_WORDS_MAX 256

struct ib_words {
    char **argv;  /* NULL-terminated; NULL when empty */
    size_t count;
};
#define IB_WORDS_INIT { NULL, 0 }

void ib_words_fini(struct ib_words *words);

/*
 * Blanks separate; '...' is literal; "..." keeps all but \" \\ \$ \` and \newline; \x outside of quotes is x.
 * ret must be IB_WORDS_INIT. Errors: IB_EPARSE open quote, trailing backslash, no word, NUL byte;
 * IB_ELIMIT too long. The text itself is never in the sentence: it may hold a secret.
 */
IB_NODISCARD enum ib_rc ib_shlex_split(struct ib_str text, struct ib_words *ret, struct ib_error *err);

#endif
