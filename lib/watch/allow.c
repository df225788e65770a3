/* SPDX-License-Identifier: MIT */
/* Allow-list patterns. */
#include "lib/watch/allow.h"

#define ARN_PARTS 6

/*
 * Wildcard match in O(pattern * text) at worst and without recursion: on a mismatch only the last
 * '*' is widened, an earlier one never has to be.
 */
static bool part_matches(struct ib_str pattern, struct ib_str text)
{
    size_t p = 0, t = 0, star = SIZE_MAX, retry = 0;

    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            retry = t;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}

/* The first five parts at their colons, the rest whole. False when there are fewer than six. */
static bool split_arn(struct ib_str text, struct ib_str parts[ARN_PARTS])
{
    for (size_t i = 0; i + 1 < ARN_PARTS; i++) {
        parts[i] = ib_str_split(&text, ':');
        if (text.p == NULL) {
            return false;
        }
    }
    parts[ARN_PARTS - 1] = text;
    return true;
}

/* Could the pattern match a text that begins with prefix? */
static bool can_begin_with(struct ib_str pattern, struct ib_str prefix)
{
    for (size_t i = 0; i < prefix.n; i++) {
        if (i >= pattern.n) {
            return false;
        }
        if (pattern.p[i] == '*') {
            return true;
        }
        if (pattern.p[i] != '?' && pattern.p[i] != prefix.p[i]) {
            return false;
        }
    }
    return true;
}

enum ib_rc ib_allow_check(struct ib_str pattern, const char *what, struct ib_error *err)
{
    struct ib_str parts[ARN_PARTS];
    struct ib_str shown = ib_str_head(pattern, 128);
    const char *rule = NULL;

    if (pattern.n > IB_ALLOW_PATTERN_MAX) {
        rule = "is longer than 512 bytes";
    } else if (!split_arn(pattern, parts)) {
        rule = "has fewer than six parts (arn:PARTITION:imagebuilder:REGION:ACCOUNT:image/NAME/VERSION/BUILD)";
    } else if (!part_matches(parts[0], IB_STR("arn"))) {
        rule = "does not begin with \"arn:\"";
    } else if (!part_matches(parts[2], IB_STR("imagebuilder"))) {
        rule = "names another service than imagebuilder";
    } else if (ib_str_find(parts[5], ':') != parts[5].n) {
        rule = "has a ':' in its resource part";
    } else if (!can_begin_with(parts[5], IB_STR("image/"))) {
        rule = "names no image: the resource part must begin with \"image/\"";
    }
    if (rule != NULL) {
        return ib_fail(err, IB_ECONFIG, "%s: pattern \"%.*s\" %s", what, IB_STR_ARG(shown), rule);
    }
    return IB_OK;
}

bool ib_allow_matches(struct ib_str pattern, struct ib_str arn)
{
    struct ib_str want[ARN_PARTS], have[ARN_PARTS];

    if (ib_allow_check(pattern, "", NULL) != IB_OK || !split_arn(arn, have)) {
        return false;
    }
    (void)split_arn(pattern, want);
    for (size_t i = 0; i < ARN_PARTS; i++) {
        if (!part_matches(want[i], have[i])) {
            return false;
        }
    }
    return true;
}
