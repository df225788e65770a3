# SPDX-License-Identifier: MIT
unit_programs += tests/unit/test_feedback tests/unit/test_targets tests/unit/test_allow tests/unit/test_clients tests/unit/test_gate tests/unit/test_judge tests/unit/test_policy
unit_programs += tests/unit/test_follow
tests_unit_test_follow_SOURCES = tests/unit/test_follow.c
tests_unit_test_follow_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_follow_LDADD = $(UNIT_LIBS)
tests_unit_test_allow_SOURCES = tests/unit/test_allow.c
tests_unit_test_allow_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_allow_LDADD = $(UNIT_LIBS)
tests_unit_test_clients_SOURCES = tests/unit/test_clients.c
tests_unit_test_clients_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_clients_LDADD = $(UNIT_LIBS)
tests_unit_test_gate_SOURCES = tests/unit/test_gate.c
tests_unit_test_gate_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_gate_LDADD = $(UNIT_LIBS)
tests_unit_test_judge_SOURCES = tests/unit/test_judge.c
tests_unit_test_judge_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_judge_LDADD = $(UNIT_LIBS)
tests_unit_test_policy_SOURCES = tests/unit/test_policy.c
tests_unit_test_policy_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_policy_LDADD = $(UNIT_LIBS)
tests_unit_test_targets_SOURCES = tests/unit/test_targets.c
tests_unit_test_targets_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_targets_LDADD = $(UNIT_LIBS)
tests_unit_test_feedback_SOURCES = tests/unit/test_feedback.c
tests_unit_test_feedback_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_feedback_LDADD = $(UNIT_LIBS)
unit_programs += tests/unit/test_journal
tests_unit_test_journal_SOURCES = tests/unit/test_journal.c
tests_unit_test_journal_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_journal_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray
tests_unit_test_journal_LDADD = $(UNIT_LIBS)
unit_programs += tests/unit/test_survey_oom
tests_unit_test_survey_oom_SOURCES = tests/unit/test_survey_oom.c
tests_unit_test_survey_oom_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_test_survey_oom_LDADD = $(UNIT_LIBS)
tests_unit_test_survey_oom_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray
