/* SPDX-License-Identifier: MIT */
/*
 * Which CAs are trusted. Reading a system's whole bundle costs about 45 ms of CPU at every start
 * with OpenSSL 3.0; a hashed directory costs nothing, so it is preferred where it is there.
 */
#ifndef IB_AWS_CATRUST_H
#define IB_AWS_CATRUST_H

#include <stdbool.h>

#include "lib/base/error.h"

#define IB_CATRUST_PATH_MAX 1024 /* bytes with NUL */

struct ib_catrust {
    char file[IB_CATRUST_PATH_MAX]; /* PEM file; "" = what the TLS library has by default */
    char dir[IB_CATRUST_PATH_MAX];  /* hashed directory; "" = none */
    char shown[IB_CATRUST_PATH_MAX + 64]; /* for errors: "/x/ca.pem (AWS_CA_BUNDLE)" */
};

/*
 * bundle: PEM file or hashed directory that the user named, NULL = the system's; source says who
 * named it. system_dir, system_file: where the system keeps its own; NULL = unknown. has_dirs: the
 * TLS library reads hashed directories. Errors: IB_ECONFIG when the user's bundle cannot be read.
 */
struct ib_catrust_options {
    const char *bundle, *source;
    const char *system_dir, *system_file;
    bool has_dirs;
};
IB_NODISCARD enum ib_rc ib_catrust_choose(const struct ib_catrust_options *options,
                                          struct ib_catrust *ret, struct ib_error *err);

#endif
