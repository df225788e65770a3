# SPDX-License-Identifier: MIT
fuzz_programs += tests/fuzz/fuzz_cred
tests_fuzz_fuzz_cred_SOURCES = tests/fuzz/fuzz_cred.c $(FUZZ_MAIN)
tests_fuzz_fuzz_cred_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_cred_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_cred_LDADD = $(IB_LIBS)
fuzz_programs += tests/fuzz/fuzz_profile
tests_fuzz_fuzz_profile_SOURCES = tests/fuzz/fuzz_profile.c $(FUZZ_MAIN)
tests_fuzz_fuzz_profile_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_profile_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_profile_LDADD = $(IB_LIBS)
