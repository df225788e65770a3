/* SPDX-License-Identifier: MIT */
/*
 * lib/watch/survey.c when memory runs out: an account and a pipeline with stuck builds, read from a
 * server of canned answers, with one allocation after the other failing. A run ends with IB_ENOMEM, or
 * with all that there is, or with what could not be read named: never as if all were well.
 */
#include "ib_oom.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "lib/base/num.h"
#include "lib/base/time.h"
#include "lib/watch/survey.h"

#undef setenv

#define RUNS_MAX 400 /* with more allocations than that, not each of them fails */
#define ARN      "arn:aws:imagebuilder:eu-central-1:123456789012:"
#define IMAGE(n, status)                                                                       \
    "{\"arn\":\"" ARN "image/web/1.0.0/" n "\",\"name\":\"web\",\"version\":\"1.0.0\","         \
    "\"state\":{\"status\":\"" status "\",\"reason\":\"r\"},\"tags\":{\"a\":\"b\"},"             \
    "\"dateCreated\":\"2020-01-0" n "T00:00:00.000Z\"}"
#define WORKFLOW(n, status)                                                                    \
    "{\"workflowExecutionId\":\"wf-" n "\",\"workflowBuildVersionArn\":\"arn:aws:imagebuilder:r:" \
    "aws:workflow/build/build-image/1.0.3/1\",\"type\":\"BUILD\",\"status\":\"" status "\","     \
    "\"startTime\":\"2020-01-0" n "T00:01:00.000Z\",\"endTime\":\"2020-01-0" n "T00:31:00.000Z\"}"

static const struct {
    const char *path, *body;
} answers[] = {
    { " /ListImageBuildVersions ",
      "{\"requestId\":\"r\",\"imageSummaryList\":[" IMAGE("1", "BUILDING") "," IMAGE("2", "BUILDING")
      "]}" },
    { " /GetImagePipeline?",
      "{\"requestId\":\"r\",\"imagePipeline\":{\"arn\":\"" ARN "image-pipeline/web\",\"name\":\"web\","
      "\"status\":\"ENABLED\"}}" },
    { " /ListImagePipelineImages ",
      "{\"requestId\":\"r\",\"imageSummaryList\":[" IMAGE("1", "BUILDING") "," IMAGE("3", "AVAILABLE")
      "]}" },
    { "%2F1 ", "{\"requestId\":\"r\",\"image\":" IMAGE("1", "BUILDING") "}" },
    { "%2F2 ", "{\"requestId\":\"r\",\"image\":" IMAGE("2", "BUILDING") "}" },
    { " /ListWorkflowExecutions ",
      "{\"requestId\":\"r\",\"workflowExecutions\":[" WORKFLOW("1", "FAILED") "," WORKFLOW("2", "RUNNING")
      "]}" },
    { " /ListWorkflowStepExecutions ",
      "{\"requestId\":\"r\",\"steps\":[{\"name\":\"Apply\",\"action\":\"RunCommand\",\"status\":\"RUNNING\","
      "\"startTime\":\"2020-01-02T00:02:00.000Z\"}]}" },
};

static int server_port;
static struct ib_watch_config config;

/* Whole requests only: the head, and as much as it says. */
static bool read_request(int fd, char *buf, size_t cap)
{
    size_t n = 0;

    for (;;) {
        ssize_t got = read(fd, buf + n, cap - 1 - n);
        if (got <= 0) {
            return false;
        }
        n += (size_t)got;
        buf[n] = '\0';
        const char *end = strstr(buf, "\r\n\r\n");
        const char *length = strstr(buf, "Content-Length: ");
        int64_t body = 0;
        if (end != NULL && length != NULL && length < end) {
            length += strlen("Content-Length: ");
            struct ib_str digits = { length, strspn(length, "0123456789") };
            assert_true(ib_num_i64(digits, 0, 65536, "length", &body, NULL) == IB_OK);
        }
        if (end != NULL && n >= (size_t)(end - buf) + 4 + (size_t)body) {
            return true;
        }
    }
}

static void answer(int fd)
{
    char request[16384], head[256];

    if (!read_request(fd, request, sizeof request)) {
        return;
    }
    request[strcspn(request, "\r")] = '\0';
    for (size_t i = 0; i < IB_ARRAY_LEN(answers); i++) {
        if (strstr(request, answers[i].path) != NULL) {
            int n = snprintf(head, sizeof head,
                             "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                             "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                             strlen(answers[i].body));
            assert_true(write(fd, head, (size_t)n) > 0);
            assert_true(write(fd, answers[i].body, strlen(answers[i].body)) > 0);
            return;
        }
    }
}

static pid_t start_server(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    server_port = ntohs(at.sin_port);
    (void)fflush(stdout);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        ib_test_die_with_parent();
        (void)signal(SIGPIPE, SIG_IGN);
        for (;;) {
            int one = accept(fd, NULL, NULL);
            if (one >= 0) {
                answer(one);
                (void)close(one);
            }
        }
    }
    (void)close(fd);
    return pid;
}

/* What a run came to: the rest of it is freed. */
struct came_to {
    size_t builds, stuck, troubles;
    bool explained; /* every build was looked at, or says why not */
    enum ib_state state;
};

static enum ib_rc run(struct came_to *ret, struct ib_error *err)
{
    IB_CLEANUP(ib_clients_cleanup) struct ib_clients *clients = NULL;
    struct ib_survey survey = { .plan = NULL };
    enum ib_rc rc = ib_clients_new(ib_deadline_in(60000), NULL, NULL, &clients, err);
    struct ib_survey_options options = { .clients = clients, .parallel = 4,
                                         .now_ms = ib_time_now_ms() };

    if (rc == IB_OK) {
        rc = ib_survey_run(config.targets, config.target_count, &options, &survey, err);
    }
    *ret = (struct came_to){ .builds = survey.build_count, .troubles = survey.trouble_count,
                             .explained = true };
    for (size_t i = 0; rc == IB_OK && i < survey.build_count; i++) {
        const struct ib_survey_build *b = &survey.builds[i];
        ret->stuck += b->judgement.stuck;
        if (b->judgement.in_flight && b->detail.step.name[0] == '\0' && b->detail.trouble.rc == IB_OK) {
            ret->explained = false;
        }
    }
    ret->state = rc == IB_OK ? ib_survey_state(&survey, IB_STATE_UNKNOWN) : IB_STATE_UNKNOWN;
    ib_survey_fini(&survey);
    return rc;
}

static void memory_runs_out_in_a_survey(void **state)
{
    struct came_to whole, got;
    struct ib_error err = IB_ERROR_INIT;
    size_t runs = 0;

    (void)state;
    ib_oom_arm(0);
    assert_ok(run(&whole, &err), &err);
    size_t count = ib_oom.made;
    assert_int_equal(whole.builds, 4);
    assert_int_equal(whole.stuck, 3);
    assert_int_equal(whole.troubles, 0);
    assert_int_equal(whole.state, IB_STATE_CRITICAL);
    assert_true(whole.explained);
    assert_true(count > 200);
    for (size_t n = 1; n <= count; n += 1 + count / RUNS_MAX, runs++) {
        err = (struct ib_error)IB_ERROR_INIT;
        ib_oom_arm(n);
        enum ib_rc rc = run(&got, &err);
        bool struck = ib_oom_disarm();
        if (rc != IB_OK && (rc != IB_ENOMEM || !struck)) {
            fail_msg("allocation %zu of %zu: %s (%s)", n, count, err.text, ib_rc_name(rc));
        }
        bool is_whole = got.builds == whole.builds && got.stuck == whole.stuck && got.explained;
        if (rc == IB_OK && got.troubles == 0 && !is_whole) {
            fail_msg("allocation %zu of %zu: %zu builds, %zu stuck, and nothing said of the rest", n,
                     count, got.builds, got.stuck);
        }
        if (rc == IB_OK && got.state != IB_STATE_CRITICAL && got.state != IB_STATE_UNKNOWN) {
            fail_msg("allocation %zu of %zu: %s", n, count, ib_state_name(got.state));
        }
    }
    assert_true(runs >= 100);
}

int main(void)
{
    char text[512];
    struct ib_error err = IB_ERROR_INIT;

    (void)setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE", 1);
    (void)setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    (void)setenv("AWS_MAX_ATTEMPTS", "1", 1);
    pid_t server = start_server();
    (void)snprintf(text, sizeof text,
                   "defaults: { region = \"eu-central-1\"; endpoint_url = \"http://127.0.0.1:%d\";"
                   " critical = \"90m\"; }; targets: { account: { all = true; };"
                   " line: { pipeline = \"" ARN "image-pipeline/web\"; }; };",
                   server_port);
    assert_ok(ib_watch_config_parse(ib_str_from(text), "f", &config, &err), &err);
    IB_TEST_CASE(memory_runs_out_in_a_survey);
    int failed = IB_TEST_RUN();
    ib_watch_config_fini(&config);
    (void)kill(server, SIGKILL);
    (void)waitpid(server, NULL, 0);
    return failed;
}
