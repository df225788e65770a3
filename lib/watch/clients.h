/* SPDX-License-Identifier: MIT */
/* One AWS client for each way to reach AWS (profile, role, Region, endpoint ...), made when it is needed. */
#ifndef IB_WATCH_CLIENTS_H
#define IB_WATCH_CLIENTS_H

#include "lib/aws/client.h"

struct ib_clients;

/* Every client ends by the deadline of all. trace may be NULL. */
IB_NODISCARD enum ib_rc ib_clients_new(struct ib_deadline deadline, ib_aws_trace_fn trace,
                                       void *trace_ctx, struct ib_clients **ret,
                                       struct ib_error *err);
/*
 * Keep role credentials between runs below state_dir. Call before the first ib_clients_get(). A directory that is
 * not there or not ours is no error: then nothing is kept. Errors: IB_ENOMEM, IB_ELIMIT.
 */
IB_NODISCARD enum ib_rc ib_clients_cache_in(struct ib_clients *clients, const char *state_dir,
                                            struct ib_error *err);
void ib_clients_free(struct ib_clients *clients);
void ib_clients_cleanup(struct ib_clients **clients);

/* The client for these options, which are copied; borrowed. Errors: IB_ENOMEM, and of ib_aws_client_new(). */
IB_NODISCARD enum ib_rc ib_clients_get(struct ib_clients *clients,
                                       const struct ib_aws_options *options,
                                       struct ib_aws_client **ret, struct ib_error *err);

/*
 * From now on every call ends by this, should it be before the deadline of all: what gets no answer must not use
 * up the time of what comes after. ib_clients_until_end() takes it back.
 */
void ib_clients_until(struct ib_clients *clients, struct ib_deadline until);
void ib_clients_until_end(struct ib_clients *clients);

/* Sums over all clients. */
struct ib_aws_stats ib_clients_stats(const struct ib_clients *clients);

/*
 * AWS's clock minus ours, when ours had to be corrected before AWS took a signature; else 0: then
 * it is good enough, whatever a Date header says. Dates of builds are AWS's: an age by a clock that is an
 * hour ahead would make a young build stuck.
 */
int64_t ib_clients_skew_ms(const struct ib_clients *clients);

/* Note i over all clients (clock corrected, credentials renewed); NULL behind the last. */
const char *ib_clients_note(const struct ib_clients *clients, size_t i);

#endif
