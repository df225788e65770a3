/* SPDX-License-Identifier: MIT */
/* Any bytes as a command line: quoting the words that came out gives the same words again. */
#include "fuzz.h"

#include "lib/base/buf.h"
#include "lib/data/shlex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct ib_error err = IB_ERROR_INIT;
    IB_CLEANUP(ib_words_fini) struct ib_words words = IB_WORDS_INIT;
    IB_CLEANUP(ib_words_fini) struct ib_words again = IB_WORDS_INIT;
    IB_CLEANUP(ib_buf_fini) struct ib_buf quoted = IB_BUF_INIT((size_t)10 * IB_SHLEX_BYTES_MAX);

    enum ib_rc rc = ib_shlex_split((struct ib_str){ (const char *)data, n }, &words, &err);
    if (rc != IB_OK) {
        IB_ASSERT((rc == IB_EPARSE || rc == IB_ELIMIT) && words.argv == NULL);
        return 0;
    }
    IB_ASSERT(words.count > 0 && words.argv[words.count] == NULL);
    for (size_t i = 0; i < words.count; i++) {
        ib_buf_add_c(&quoted, " '");
        for (const char *c = words.argv[i]; *c != '\0'; c++) {
            if (*c == '\'') {
                ib_buf_add_c(&quoted, "'\\''");
            } else {
                ib_buf_add_char(&quoted, *c);
            }
        }
        ib_buf_add_char(&quoted, '\'');
    }
    if (quoted.len > IB_SHLEX_BYTES_MAX) {
        return 0;
    }
    IB_ASSERT(ib_shlex_split(ib_buf_str(&quoted), &again, &err) == IB_OK);
    IB_ASSERT(again.count == words.count);
    for (size_t i = 0; i < words.count; i++) {
        IB_ASSERT(strcmp(words.argv[i], again.argv[i]) == 0);
    }
    return 0;
}
