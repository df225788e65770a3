/* SPDX-License-Identifier: MIT */
/* Collecting and writing what a program prints. */
#include "lib/plugin/output.h"

#include "lib/base/text.h"

void ib_output_fini(struct ib_output *out)
{
    ib_buf_fini(&out->text);
    ib_buf_fini(&out->lines);
    ib_buf_fini(&out->perf);
    ib_buf_fini(&out->json);
}

void ib_output_text(struct ib_output *out, const char *fmt, ...)
{
    va_list ap;

    ib_buf_reset(&out->text);
    va_start(ap, fmt);
    ib_buf_vaddf(&out->text, fmt, ap);
    va_end(ap);
}

void ib_output_more(struct ib_output *out, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    ib_buf_vaddf(&out->text, fmt, ap);
    va_end(ap);
}

void ib_output_line(struct ib_output *out, const char *fmt, ...)
{
    IB_CLEANUP(ib_buf_fini) struct ib_buf raw = IB_BUF_INIT(64 * 1024);
    char line[IB_OUTPUT_LINE_MAX];
    va_list ap;

    va_start(ap, fmt);
    ib_buf_vaddf(&raw, fmt, ap);
    va_end(ap);
    size_t n = ib_text_plugin(ib_buf_c(&raw), ib_buf_str(&raw).n, line, sizeof line);
    /* One append for line and end, which fails as a whole: the last line is never half a line. */
    line[n] = '\n';
    ib_buf_add(&out->lines, line, n + 1);
}

void ib_output_perf(struct ib_output *out, const struct ib_perf *perf)
{
    ib_perfdata_add(&out->perf, perf);
}

static void add_first_line(const struct ib_output *out, const char *prefix, enum ib_state state,
                           struct ib_buf *dst)
{
    char text[IB_OUTPUT_FIRST_MAX + 1];
    size_t max = out->first_max == 0 || out->first_max > IB_OUTPUT_FIRST_MAX ? IB_OUTPUT_FIRST_MAX
                                                                             : out->first_max;
    size_t used = strlen(prefix) + strlen(ib_state_name(state)) + strlen(" " " - ");
    size_t room = max > used + 8 ? max - used : 8;

    (void)ib_text_plugin(ib_buf_c(&out->text), ib_buf_str(&out->text).n, text, room + 1);
    ib_buf_addf(dst, "%s %s - %s", prefix, ib_state_name(state), text);
    /* Half of the perfdata would be taken for all of it; none is seen to be missing. */
    if (out->perf.len > 0 && !out->perf.failed) {
        ib_buf_addf(dst, " | %s", ib_buf_c(&out->perf));
    }
    ib_buf_add_char(dst, '\n');
}

enum ib_rc ib_output_render(const struct ib_output *out, const char *prefix, enum ib_state state,
                            struct ib_buf *dst, struct ib_error *err)
{
    if (out->json.failed) {
        return ib_buf_ok(&out->json, "JSON output", err);
    }
    if (out->json.len > 0) {
        ib_buf_add_str(dst, ib_buf_str(&out->json));
        if (out->json.data[out->json.len - 1] != '\n') {
            ib_buf_add_char(dst, '\n');
        }
        return ib_buf_ok(dst, "output", err);
    }
    add_first_line(out, prefix, state, dst);
    if (out->lines.len > 0) {
        ib_buf_add(dst, out->lines.data, out->lines.len);
    }
    if (out->lines.failed) {
        ib_buf_add_c(dst, "(more lines did not fit)\n");
    }
    return ib_buf_ok(dst, "output", err);
}

/* text is clean UTF-8: only quotes and backslashes are left to escape. */
static void add_json_string(struct ib_buf *dst, const char *text)
{
    char clean[IB_ERROR_TEXT_MAX];
    size_t n = ib_text_clean(text, strlen(text), clean, sizeof clean);

    ib_buf_add_char(dst, '"');
    for (size_t i = 0; i < n; i++) {
        if (clean[i] == '"' || clean[i] == '\\') {
            ib_buf_add_char(dst, '\\');
        }
        ib_buf_add_char(dst, clean[i]);
    }
    ib_buf_add_char(dst, '"');
}

void ib_output_error_json(const char *program, enum ib_state state, const struct ib_error *error,
                          struct ib_buf *dst)
{
    ib_buf_addf(dst, "{\"program\":\"%s\",\"state\":\"%s\",\"exitCode\":%d,\"text\":", program,
                ib_state_name(state), (int)state);
    add_json_string(dst, error->text);
    ib_buf_addf(dst, ",\"error\":{\"kind\":\"%s\"", ib_rc_name(error->rc));
    if (error->http_status != 0) {
        ib_buf_addf(dst, ",\"httpStatus\":%d", error->http_status);
    }
    if (error->aws_code[0] != '\0') {
        ib_buf_add_c(dst, ",\"code\":");
        add_json_string(dst, error->aws_code);
    }
    if (error->request_id[0] != '\0') {
        ib_buf_add_c(dst, ",\"requestId\":");
        add_json_string(dst, error->request_id);
    }
    ib_buf_add_c(dst, "}}\n");
}
