# SPDX-License-Identifier: MIT
# The face of a plugin: states, ranges, perfdata, output, options, start-up. Third-party: none.
lib_libib_a_SOURCES += \
	lib/plugin/common.h \
	lib/plugin/option.h \
	lib/plugin/output.h \
	lib/plugin/perfdata.h \
	lib/plugin/range.h \
	lib/plugin/start.h \
	lib/plugin/state.c lib/plugin/state.h
