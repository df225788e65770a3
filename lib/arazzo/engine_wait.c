/* SPDX-License-Identifier: MIT */
/* Time in a run: the clock, limits, pacing, Retry-After. */
#include "lib/arazzo/engine_run.h"

#include "lib/base/num.h"
#include "lib/base/time.h"
#include "lib/sys/signals.h"

/* Longest wait that an answer may ask for; the deadline is nearer in practice. */
#define RETRY_AFTER_MAX_MS IB_DAY_MS

static int64_t real_mono(void *ctx)
{
    (void)ctx;
    return ib_time_mono_ms();
}

static int64_t real_wall(void *ctx)
{
    (void)ctx;
    return ib_time_now_ms();
}

static enum ib_rc real_sleep(void *ctx, int64_t ms, struct ib_error *err)
{
    const struct run *run = ctx;
    const struct ib_deadline never = {INT64_MAX};

    return ib_deadline_sleep(run->o->deadline == NULL ? &never : run->o->deadline, ms, err);
}

void ib_run_clock_init(struct run *run)
{
    run->clock = (struct ib_run_clock){real_mono, real_wall, real_sleep, run};
    if (run->o->clock != NULL) {
        run->clock = *run->o->clock;
    }
    run->pace_ms = run->o->pace_ms < 0 ? IB_RUN_PACE_DEFAULT_MS : run->o->pace_ms;
    run->steps_left = run->o->max_steps == 0 ? IB_RUN_STEPS_DEFAULT : run->o->max_steps;
    run->last_jump_ms = -1;
}

enum ib_rc ib_run_may_go_on(struct run *run, const struct ib_arazzo_step *step)
{
    if (ib_signals_stop_requested()) {
        return ib_fail(run->err, IB_ETIMEOUT, "stopped by %s before step %.*s",
                       ib_signals_stop_name(), IB_STR_ARG(step->id));
    }
    if (run->o->deadline != NULL && run->o->clock == NULL && ib_deadline_passed(run->o->deadline)) {
        return ib_fail(run->err, IB_ETIMEOUT, "the time is up before step %.*s",
                       IB_STR_ARG(step->id));
    }
    if (run->steps_left <= 0) {
        return ib_fail(
            run->err, IB_ELIMIT, "stopped before step %.*s: %lld steps have run (--max-steps)",
            IB_STR_ARG(step->id),
            (long long)(run->o->max_steps == 0 ? IB_RUN_STEPS_DEFAULT : run->o->max_steps));
    }
    run->steps_left--;
    return IB_OK;
}

enum ib_rc ib_run_wait(struct frame *f, const struct ib_arazzo_step *step, int64_t attempt,
                       int64_t ms, const char *why)
{
    struct run *run = f->run;
    char text[IB_TIME_TEXT_MAX];

    if (ms <= 0) {
        return IB_OK;
    }
    ib_run_tell(
        f,
        (struct ib_run_event){
            .type = IB_EVENT_WAIT, .step = step, .attempt = attempt, .wait_ms = ms, .text = why});
    enum ib_rc rc = run->clock.wait(run->clock.ctx, ms, run->err);
    if (rc == IB_OK) {
        return IB_OK;
    }
    if (rc == IB_ETIMEOUT && !ib_signals_stop_requested()) {
        return ib_fail(run->err, IB_ETIMEOUT,
                       "the time is up: step %.*s would go on in %s (%s), after the deadline",
                       IB_STR_ARG(step->id), ib_duration_fmt(ms, text, sizeof text), why);
    }
    return ib_error_context(run->err, "waiting for step %.*s", IB_STR_ARG(step->id));
}

enum ib_rc ib_run_pace(struct frame *f, const struct ib_arazzo_step *step, int64_t attempt)
{
    const struct step_state *state = &f->states[step - f->workflow->steps];
    int64_t since = f->run->clock.mono_ms(f->run->clock.ctx) - state->started_ms;

    if (!state->ran) {
        return IB_OK;
    }
    return ib_run_wait(f, step, attempt, f->run->pace_ms - since, "pace");
}

int64_t ib_run_retry_after(const struct run *run, const struct ib_arazzo_reply *reply)
{
    const struct ib_value *header = ib_scope_header(reply->headers, IB_STR("Retry-After"));
    double seconds = 0;
    int64_t date_ms = 0;
    int64_t ms = -1;

    if (!ib_value_is(header, IB_VALUE_STRING)) {
        return -1;
    }
    struct ib_str text = ib_str_trim(ib_value_as_str(header));
    if (ib_num_double(text, 0, (double)RETRY_AFTER_MAX_MS / 1000, "Retry-After", &seconds, NULL) ==
        IB_OK) {
        /* Rounded up: earlier than asked is not what was asked. */
        ms = (int64_t)(seconds * 1000.0 + 0.999);
    } else if (ib_time_parse_http(text, &date_ms, NULL) == IB_OK) {
        ms = date_ms - run->clock.wall_ms(run->clock.ctx);
        ms = ms < 0 ? 0 : ms;
        ms = ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
    }
    return ms;
}
