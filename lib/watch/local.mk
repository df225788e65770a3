# SPDX-License-Identifier: MIT
# Targets, survey, judgement, cancel policy, journal, feedback.
lib_libib_a_SOURCES += \
	lib/watch/allow.c lib/watch/allow.h \
	lib/watch/behind.c lib/watch/behind.h \
	lib/watch/cancel.c lib/watch/cancel.h \
	lib/watch/clients.c lib/watch/clients.h \
	lib/watch/feedback.c lib/watch/feedback.h \
	lib/watch/follow.c lib/watch/follow.h \
	lib/watch/gate.c lib/watch/gate.h \
	lib/watch/journal.c lib/watch/journal.h \
	lib/watch/judge.c lib/watch/judge.h \
	lib/watch/policy.c lib/watch/policy.h \
	lib/watch/sender.c lib/watch/sender.h \
	lib/watch/survey.c lib/watch/survey.h \
	lib/watch/targets.c lib/watch/targets.h
