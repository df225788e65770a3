# SPDX-License-Identifier: MIT
# Deadline and watchdog, signals, safe files, child processes, randomness. Third-party: none.
lib_libib_a_SOURCES += \
	lib/sys/child.c lib/sys/child.h \
	lib/sys/deadline.c lib/sys/deadline.h \
	lib/sys/detach.c lib/sys/detach.h \
	lib/sys/file.c lib/sys/file.h \
	lib/sys/process.c lib/sys/process.h \
	lib/sys/random.c lib/sys/random.h \
	lib/sys/signals.c lib/sys/signals.h \
	lib/sys/watchdog.c lib/sys/watchdog.h
