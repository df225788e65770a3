# SPDX-License-Identifier: MIT
# Image Builder: operations, statuses, images. Third-party: none.
lib_libib_a_SOURCES += \
	lib/imagebuilder/api.c lib/imagebuilder/api.h \
	lib/imagebuilder/discovery.c lib/imagebuilder/discovery.h \
	lib/imagebuilder/image.c lib/imagebuilder/image.h \
	lib/imagebuilder/leftover.c lib/imagebuilder/leftover.h \
	lib/imagebuilder/operation.c lib/imagebuilder/operation.h \
	lib/imagebuilder/permission.c lib/imagebuilder/permission.h \
	lib/imagebuilder/queue.c lib/imagebuilder/queue.h \
	lib/imagebuilder/request.c lib/imagebuilder/request.h \
	lib/imagebuilder/status.c lib/imagebuilder/status.h \
	lib/imagebuilder/workflow.c lib/imagebuilder/workflow.h
