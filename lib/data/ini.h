/* SPDX-License-Identifier: MIT */
/*
 * The AWS profile files, one at a time, as the SDKs agreed to read them ("Shared config and
 * credentials file format" of the SDK reference guide and its parser tests).
 *
 *     # comment        ; comment            full lines; behind a value after a blank only
 *     [profile NAME]                        config; [default] too, and [profile default] wins over it
 *     [NAME]                                credentials
 *     [sso-session NAME] [services NAME]    config
 *     key = value                           key in any case, given lower-cased
 *       more                                a line that begins with a blank continues the value, after "\n"
 *
 * Sections of the other file's form, and names with other characters than A-Za-z0-9_-/.%@:+, are left
 * out. Reading both files through one callback that keeps the last value of a key, config first,
 * gives the merged profiles.
 */
#ifndef IB_DATA_INI_H
#define IB_DATA_INI_H

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_INI_BYTES_MAX ((size_t)1024 * 1024)

enum ib_ini_file {
    IB_INI_CONFIG,
    IB_INI_CREDENTIALS,
};

enum ib_ini_section {
    IB_INI_PROFILE,
    IB_INI_SSO_SESSION,
    IB_INI_SERVICES,
};

/* One thing that was read. Views end with the callback. */
struct ib_ini_entry {
    enum ib_ini_section section;
    struct ib_str name;  /* of the section */
    struct ib_str key;   /* lower case; p == NULL: the section begins here (each time it does) */
    struct ib_str value; /* whole, with its continuation lines; a value that is empty on its first line and
                            goes on is "\nsub = value\nsub2 = ..." */
    unsigned line;       /* 1-based, where it begins */
};
/* An error ends the reading and is returned. */
typedef enum ib_rc (*ib_ini_fn)(void *ctx, const struct ib_ini_entry *entry, struct ib_error *err);

/*
 * Read one file's text. what names it in errors. Errors: IB_ECONFIG with "WHAT:LINE: rule" (a value is
 * never quoted); IB_ELIMIT too large; IB_ENOMEM; whatever fn returns.
 */
IB_NODISCARD enum ib_rc ib_ini_parse(struct ib_str text, const char *what, enum ib_ini_file file,
                                     ib_ini_fn fn, void *ctx, struct ib_error *err);

#endif
