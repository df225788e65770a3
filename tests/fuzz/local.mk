# SPDX-License-Identifier: MIT
# Fuzz targets: see fuzz.h. A room adds its targets in a fragment of its own, each with these lines:
#
#   fuzz_programs += tests/fuzz/fuzz_X
#   tests_fuzz_fuzz_X_SOURCES = tests/fuzz/fuzz_X.c $(FUZZ_MAIN)
#   tests_fuzz_fuzz_X_CPPFLAGS = $(FUZZ_CPPFLAGS)
#   tests_fuzz_fuzz_X_LDFLAGS = $(FUZZ_LINK)
#   tests_fuzz_fuzz_X_LDADD = $(IB_LIBS)
#
# and its inputs in tests/fuzz/corpus/X/.
if IB_FUZZING
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/trap.c
else
FUZZ_MAIN = tests/fuzz/fuzz.h tests/fuzz/trap.c tests/fuzz/replay.c
endif
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/fuzz
FUZZ_LINK = $(AM_LDFLAGS) $(FUZZ_LDFLAGS) -Wl,--wrap=ib_assert_failed
fuzz_programs =

include tests/fuzz/arazzo.mk
include tests/fuzz/arazzo_engine.mk
include tests/fuzz/aws.mk
include tests/fuzz/cred.mk
include tests/fuzz/data.mk
include tests/fuzz/plugins.mk

EXTRA_DIST += tests/fuzz/corpus
EXTRA_PROGRAMS += $(fuzz_programs)
check_PROGRAMS += $(fuzz_programs)
if !IB_FUZZING
TESTS += $(fuzz_programs)
endif

# Search for FUZZ_SECONDS per target (FUZZ_TARGETS: which); new inputs go to the build tree.
FUZZ_SECONDS = 60
FUZZ_TARGETS = $(fuzz_programs)
.PHONY: fuzz
fuzz: $(fuzz_programs)
	@test -n "$(FUZZ_LDFLAGS)" || { echo "make fuzz: configure with CC=clang --enable-fuzzing --enable-sanitizers" >&2; exit 1; }
	@for f in $(FUZZ_TARGETS); do \
	  name=`basename $$f | sed 's/^fuzz_//'`; \
	  $(MKDIR_P) tests/fuzz/found/$$name || exit 1; \
	  echo "== $$name, $(FUZZ_SECONDS) s"; \
	  ./$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
	    -artifact_prefix=tests/fuzz/found/$$name- tests/fuzz/found/$$name $(top_srcdir)/tests/fuzz/corpus/$$name \
	    || exit 1; \
	done
