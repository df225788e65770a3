# SPDX-License-Identifier: MIT
lib_libib_a_SOURCES += \
	lib/sys/process.c lib/sys/process.h
