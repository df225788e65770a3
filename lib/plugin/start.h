/* SPDX-License-Identifier: MIT */
/*
 * How a program begins and ends. main() is:
 *
 *     ib_start(&program);
 *     ... ib_start_options(groups, n, argc, argv, &result);       does not return on --help, usage
 *     ib_start_timeout(common.timeout_ms, IB_STATE_UNKNOWN, json);
 *     enum ib_state state = run(&options, &out, &err);            all cleanup happens in there
 *     ib_start_end(&out, state);                                   the only exit
 *
 * The table of error code to state and the only exit() of the project live in start.c.
 */
#ifndef IB_PLUGIN_START_H
#define IB_PLUGIN_START_H

#include "lib/plugin/option.h"
#include "lib/plugin/output.h"

/*
 * First line of main: no core file, not traceable, umask 077, file descriptors 0..2 open, signals as
 * they should be (a scheduler hands down what it blocked or ignored). program must live on.
 */
void ib_start(const struct ib_program *program);

/*
 * Parse the command line; on --help and --version print and end, on a usage error print the one line
 * "PREFIX UNKNOWN - ..." and end with 3.
 */
void ib_start_options(const struct ib_option_group *groups, size_t group_count, int argc,
                      char *const *argv, struct ib_option_result *ret);

/*
 * "PREFIX UNKNOWN - text (see NAME --help)" for options that do not go together; ends with 3. Lines
 * that were collected so far are printed behind it (NULL = none).
 */
void ib_start_usage(struct ib_output *out, const struct ib_error *err) IB_NORETURN;

/*
 * Start the watchdog: a bit after timeout_ms it prints one line and ends the process with `state`, even
 * when a library hangs. json: the line is a JSON object. Programs that change something also catch
 * SIGTERM and SIGINT from here on (ib_signals_stop_requested).
 */
void ib_start_timeout(int64_t timeout_ms, enum ib_state state, bool json);

/*
 * What is under way, for the watchdog's line: "reading arn:...". A changing program whose
 * request may have been sent passes sent = true: the line then says that the outcome is unknown.
 */
void ib_start_phase(bool sent, const char *fmt, ...) IB_PRINTF(2, 3);

/* State for an error code. timeout_state is what IB_ETIMEOUT gives (--timeout-state). */
enum ib_state ib_start_state_of(enum ib_rc rc, enum ib_state timeout_state);

/* Print the output and end. Output that cannot be written ends with UNKNOWN. */
void ib_start_end(struct ib_output *out, enum ib_state state) IB_NORETURN;

/*
 * Print "PREFIX STATE - error text" (or its JSON) and end. Lines that were collected so far are
 * printed behind it (NULL = none): what -vvv tells is wanted most when a program fails.
 */
void ib_start_fail(struct ib_output *out, const struct ib_error *err, enum ib_state state,
                   bool json) IB_NORETURN;

#endif
