/* SPDX-License-Identifier: MIT */
/* Instances and AMIs in the steps of a build's workflows. */
#include "lib/imagebuilder/leftover.h"

#include "lib/base/text.h"
#include "lib/data/json.h"

static struct ib_str text_of(const struct ib_value *v, const char *key)
{
    const struct ib_value *text = ib_value_get_c(v, key);

    return ib_value_is(text, IB_VALUE_STRING) ? ib_value_as_str(text) : (struct ib_str){"", 0};
}

static bool is_id(struct ib_str text, const char *prefix)
{
    size_t n = strlen(prefix);

    if (!ib_str_starts(text, ib_str_from(prefix)) || text.n < n + 8 ||
        text.n >= IB_LEFTOVER_ID_MAX) {
        return false;
    }
    for (size_t i = n; i < text.n; i++) {
        char c = text.p[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) {
            return false;
        }
    }
    return true;
}

/* Inputs and outputs of a step are JSON in a text: {"instanceId":"i-0123456789abcdef0"}. */
static void find_id(const struct ib_value *step, const char *member, const char *key,
                    const char *prefix, char ret[IB_LEFTOVER_ID_MAX])
{
    IB_CLEANUP(ib_value_cleanup) struct ib_value *v = NULL;
    struct ib_error ignored = IB_ERROR_INIT;

    ret[0] = '\0';
    if (ib_json_parse(text_of(step, member), member, NULL, &v, &ignored) != IB_OK) {
        return;
    }
    struct ib_str id = text_of(v, key);
    if (is_id(id, prefix)) {
        (void)ib_text_copy(ret, IB_LEFTOVER_ID_MAX, id);
    }
}

static void keep(struct ib_leftover_thing *list, size_t *count, const struct ib_value *step,
                 const char *id, size_t execution)
{
    struct ib_str name = text_of(step, "name");

    for (size_t i = 0; i < *count; i++) {
        if (id[0] != '\0' && strcmp(list[i].id, id) == 0) {
            return;
        }
    }
    if (*count == IB_LEFTOVER_MAX) {
        return;
    }
    struct ib_leftover_thing *t = &list[(*count)++];
    *t = (struct ib_leftover_thing){.execution = execution};
    (void)snprintf(t->id, sizeof t->id, "%s", id);
    (void)ib_text_plugin(name.p, name.n, t->step, sizeof t->step);
}

void ib_leftover_add(struct ib_leftover *left, const struct ib_value *body, size_t execution)
{
    const struct ib_value *steps = ib_value_get_c(body, "steps");
    char id[IB_LEFTOVER_ID_MAX];

    for (size_t i = 0; ib_value_is(steps, IB_VALUE_ARRAY) && i < ib_value_count(steps); i++) {
        const struct ib_value *step = ib_value_at(steps, i);
        struct ib_str action = text_of(step, "action"), status = text_of(step, "status");
        bool begun = !ib_str_eq_c(status, "PENDING") && !ib_str_eq_c(status, "SKIPPED");

        if (ib_str_eq_c(action, "LaunchInstance") && begun) {
            find_id(step, "outputs", "instanceId", "i-", id);
            if (id[0] != '\0') {
                keep(left->instances, &left->instance_count, step, id, execution);
            }
        } else if (ib_str_eq_c(action, "TerminateInstance") && ib_str_eq_c(status, "COMPLETED")) {
            find_id(step, "inputs", "instanceId", "i-", id);
            keep(left->ended, &left->ended_count, step, id, execution);
        } else if (ib_str_eq_c(action, "CreateImage") || ib_str_eq_c(action, "RegisterImage")) {
            find_id(step, "outputs", "imageId", "ami-", id);
            if (id[0] != '\0') {
                keep(left->images, &left->image_count, step, id, execution);
            }
        }
    }
}

static bool was_ended(const struct ib_leftover *left, const struct ib_leftover_thing *t)
{
    for (size_t i = 0; i < left->ended_count; i++) {
        const struct ib_leftover_thing *e = &left->ended[i];
        if (e->id[0] == '\0' ? e->execution == t->execution : strcmp(e->id, t->id) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_listed(const struct ib_image *image, const struct ib_leftover_thing *t)
{
    struct ib_image_ami ami;

    for (size_t i = 0; image->value != NULL && ib_image_ami_at(image, i, &ami); i++) {
        if (ib_str_eq_c(ami.id, t->id)) {
            return true;
        }
    }
    return false;
}

void ib_leftover_settle(struct ib_leftover *left, const struct ib_image *image)
{
    size_t kept = 0;

    for (size_t i = 0; i < left->instance_count; i++) {
        if (!was_ended(left, &left->instances[i])) {
            left->instances[kept++] = left->instances[i];
        }
    }
    left->instance_count = kept;
    kept = 0;
    for (size_t i = 0; i < left->image_count; i++) {
        if (!is_listed(image, &left->images[i])) {
            left->images[kept++] = left->images[i];
        }
    }
    left->image_count = kept;
}
