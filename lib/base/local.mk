# SPDX-License-Identifier: MIT
# Buffers, errors, numbers, time, text. Third-party: none.
lib_libib_a_SOURCES += \
	lib/base/attr.h \
	lib/base/banned.h \
	lib/base/base64.c lib/base/base64.h \
	lib/base/buf.c lib/base/buf.h \
	lib/base/env.c lib/base/env.h \
	lib/base/error.c lib/base/error.h \
	lib/base/num.c lib/base/num.h \
	lib/base/str.c lib/base/str.h \
	lib/base/text.c lib/base/text.h \
	lib/base/time.c lib/base/time.h
