# SPDX-License-Identifier: MIT
# Targets, judgement, cancel policy, journal.
lib_libib_a_SOURCES += \
	lib/watch/allow.c lib/watch/allow.h \
	lib/watch/feedback.c lib/watch/feedback.h \
	lib/watch/policy.c lib/watch/policy.h \
	lib/watch/gate.c lib/watch/gate.h \
	lib/watch/judge.c lib/watch/judge.h \
	lib/watch/sender.c lib/watch/sender.h \
	lib/watch/targets.c lib/watch/targets.h
