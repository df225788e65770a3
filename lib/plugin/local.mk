# SPDX-License-Identifier: MIT
# The face of a plugin: states, ranges, perfdata, output, options, start-up. Third-party: none.
lib_libib_a_SOURCES += \
	lib/plugin/common.c lib/plugin/common.h \
	lib/plugin/option.c lib/plugin/option.h \
	lib/plugin/output.c lib/plugin/output.h \
	lib/plugin/perfdata.c lib/plugin/perfdata.h \
	lib/plugin/range.c lib/plugin/range.h \
	lib/plugin/record.c lib/plugin/record.h \
	lib/plugin/start.c lib/plugin/start.h \
	lib/plugin/state.c lib/plugin/state.h
