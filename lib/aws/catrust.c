/* SPDX-License-Identifier: MIT */
/* Choice of trusted CAs. */
#include "lib/aws/catrust.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

#include "lib/base/str.h"

#define SMALL_PEM_MAX 32768 /* bytes; one certificate has about 2 KiB */

/* c_rehash's names: eight hexadecimal digits, a dot, a number. */
static bool is_hash_name(struct ib_str name)
{
    if (name.n < 10 || name.p[8] != '.') {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        if (i < 8 ? ib_hex_value(name.p[i]) < 0 : i > 8 && !ib_ascii_digit(name.p[i])) {
            return false;
        }
    }
    return true;
}

static bool is_small_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
           st.st_size <= SMALL_PEM_MAX && access(path, R_OK) == 0;
}

/*
 * True for a directory with hash links; *file becomes one of its certificates. Some versions of
 * curl put their whole default bundle back when they are given a directory alone, so a file of one
 * certificate goes with it.
 */
static bool use_dir(const char *dir, struct ib_catrust *ca)
{
    bool found = false;
    DIR *d = opendir(dir);

    if (d == NULL) {
        return false;
    }
    for (struct dirent *e = readdir(d); e != NULL && !found; e = readdir(d)) {
        if (is_hash_name(ib_str_from(e->d_name))) {
            int n = snprintf(ca->file, sizeof ca->file, "%s/%s", dir, e->d_name);
            found = n > 0 && (size_t)n < sizeof ca->file && is_small_file(ca->file);
        }
    }
    (void)closedir(d);
    if (!found) {
        ca->file[0] = '\0';
        return false;
    }
    (void)snprintf(ca->dir, sizeof ca->dir, "%s", dir);
    return true;
}

static enum ib_rc use_bundle(const struct ib_catrust_options *o, struct ib_catrust *ca,
                             struct ib_error *err)
{
    const char *source = o->source == NULL ? "CA bundle" : o->source;
    struct stat st;

    if (strlen(o->bundle) >= sizeof ca->file) {
        return ib_fail(err, IB_ECONFIG, "%s: the path is too long", source);
    }
    if (stat(o->bundle, &st) != 0 || access(o->bundle, R_OK) != 0) {
        char reason[128];
        int why = errno;
        return ib_fail(err, IB_ECONFIG, "%s: CA bundle %s cannot be read by this user: %s", source,
                       o->bundle, ib_errno_text(why, reason, sizeof reason));
    }
    if (S_ISDIR(st.st_mode)) {
        if (!o->has_dirs || !use_dir(o->bundle, ca)) {
            return ib_fail(
                err, IB_ECONFIG,
                "%s: %s is a directory without hashed certificates: name a PEM file, or run "
                "c_rehash on it",
                source, o->bundle);
        }
    } else if (!S_ISREG(st.st_mode)) {
        /* To read a FIFO may take for ever. */
        return ib_fail(err, IB_ECONFIG, "%s: CA bundle %s is neither a file nor a directory",
                       source, o->bundle);
    } else {
        (void)snprintf(ca->file, sizeof ca->file, "%s", o->bundle);
    }
    (void)snprintf(ca->shown, sizeof ca->shown, "%s (%s)", o->bundle, source);
    return IB_OK;
}

enum ib_rc ib_catrust_choose(const struct ib_catrust_options *options, struct ib_catrust *ret,
                             struct ib_error *err)
{
    memset(ret, 0, sizeof *ret);
    if (options->bundle != NULL) {
        return use_bundle(options, ret, err);
    }
    if (options->has_dirs && options->system_dir != NULL && use_dir(options->system_dir, ret)) {
        (void)snprintf(ret->shown, sizeof ret->shown, "%s", ret->dir);
        return IB_OK;
    }
    if (options->system_file != NULL && strlen(options->system_file) < sizeof ret->file) {
        (void)snprintf(ret->file, sizeof ret->file, "%s", options->system_file);
        (void)snprintf(ret->shown, sizeof ret->shown, "%s", ret->file);
        return IB_OK;
    }
    (void)snprintf(ret->shown, sizeof ret->shown, "the TLS library's default");
    return IB_OK;
}
