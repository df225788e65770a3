/* SPDX-License-Identifier: MIT */
/*
 * Points in time and durations, without TZ, locale or libc's calendar.
 *
 * A point is int64 milliseconds since 1970-01-01T00:00:00Z; a duration is int64 milliseconds.
 * Every variable says so in its name: now_ms, age_ms.
 */
#ifndef IB_BASE_TIME_H
#define IB_BASE_TIME_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

#define IB_SECOND_MS INT64_C(1000)
#define IB_MINUTE_MS INT64_C(60000)
#define IB_HOUR_MS   INT64_C(3600000)
#define IB_DAY_MS    INT64_C(86400000)

/* Longest duration anybody may set: ten years. Sums of two never overflow. */
#define IB_DURATION_MAX_MS (INT64_C(3650) * IB_DAY_MS)

/*
 * ISO 8601 as AWS writes it: YYYY-MM-DDThh:mm:ss[.f{1,9}](Z|±hh[:]mm). Every field is checked
 * (2024-02-30 is an error), second 60 is read as 59, digits after the millisecond are cut.
 * Years 1970..9999. Errors: IB_EPARSE.
 */
IB_NODISCARD enum ib_rc ib_time_parse_iso8601(struct ib_str text, int64_t *ret_ms,
                                              struct ib_error *err);

/*
 * HTTP dates (RFC 9110 §5.6.7, the IMF-fixdate form "Tue, 03 Sep 2026 05:44:21 GMT" only).
 * Errors: IB_EPARSE.
 */
IB_NODISCARD enum ib_rc ib_time_parse_http(struct ib_str text, int64_t *ret_ms,
                                           struct ib_error *err);

#define IB_TIME_TEXT_MAX 32 /* bytes with NUL for all forms below */

/* "2026-09-03T05:44:21.121Z"; without milliseconds when they are 0. */
const char *ib_time_fmt_iso8601(int64_t ms, char *buf, size_t cap);
/* "20260903T054421Z", the form that SigV4 signs; its first 8 characters are the date. */
const char *ib_time_fmt_amz(int64_t ms, char *buf, size_t cap);

/*
 * Durations of the command line and the configuration: "90", "90s", "45m", "2h", "1h30m", "1d",
 * "1d12h"; "500ms" too. Units in falling order, each once; a bare number counts seconds and may have
 * a fraction ("1.5"). 0..IB_DURATION_MAX_MS. Errors: IB_EPARSE, IB_ELIMIT.
 */
IB_NODISCARD enum ib_rc ib_duration_parse(struct ib_str text, const char *what, int64_t *ret_ms,
                                          struct ib_error *err);
/* For people, the two largest units: "2h 13m", "45s", "3d 4h", "0s". Negative: "-5m 0s". */
const char *ib_duration_fmt(int64_t ms, char *buf, size_t cap);

/* CLOCK_REALTIME and CLOCK_MONOTONIC in milliseconds. */
int64_t ib_time_now_ms(void);
int64_t ib_time_mono_ms(void);

#endif
