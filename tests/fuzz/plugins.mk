# SPDX-License-Identifier: MIT
fuzz_programs += tests/fuzz/fuzz_option
tests_fuzz_fuzz_option_SOURCES = tests/fuzz/fuzz_option.c plugins/plan.c $(FUZZ_MAIN)
tests_fuzz_fuzz_option_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_option_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_option_LDADD = $(IB_LIBS)
fuzz_programs += tests/fuzz/fuzz_range
tests_fuzz_fuzz_range_SOURCES = tests/fuzz/fuzz_range.c $(FUZZ_MAIN)
tests_fuzz_fuzz_range_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_range_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_range_LDADD = $(IB_LIBS)
fuzz_programs += tests/fuzz/fuzz_report
tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz_report.c plugins/report.c $(FUZZ_MAIN)
tests_fuzz_fuzz_report_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_report_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_report_LDADD = $(IB_LIBS)
