/* SPDX-License-Identifier: MIT */
/* User-Agent. */
#include "lib/aws/useragent.h"

#include <sys/utsname.h>

static void add_clean(const char *text, size_t max, struct ib_buf *out)
{
    for (size_t i = 0; i < max && text[i] != '\0'; i++) {
        bool ok = ib_ascii_alnum(text[i]) || strchr("!$%&'*+-.^_`|~,", text[i]) != NULL;
        ib_buf_add_char(out, ok ? text[i] : '-');
    }
}

void ib_useragent_add(enum ib_aws_retry_mode mode, const char *app_id, struct ib_buf *out)
{
    static const char *const modes[] = {
        [IB_AWS_RETRY_STANDARD] = "standard",
        [IB_AWS_RETRY_LEGACY] = "legacy",
        [IB_AWS_RETRY_ADAPTIVE] = "adaptive",
    };
    struct utsname os;

    ib_buf_add_c(out, PACKAGE_NAME "/" PACKAGE_VERSION " ua/2.1");
    if (uname(&os) == 0) {
        ib_buf_add_c(out, " os/");
        for (char *p = os.sysname; *p != '\0'; p++) {
            *p = ib_ascii_tolower(*p);
        }
        add_clean(os.sysname, 32, out);
        ib_buf_add_char(out, '#');
        add_clean(os.release, 64, out);
    }
    ib_buf_addf(out, " lang/c#11 cfg/retry-mode#%s", modes[mode]);
    if (app_id != NULL && app_id[0] != '\0') {
        ib_buf_add_c(out, " app/");
        add_clean(app_id, IB_USERAGENT_APP_MAX, out);
    }
}
