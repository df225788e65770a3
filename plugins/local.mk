# SPDX-License-Identifier: MIT
# The programs. Each is: options -> gather -> judge -> print.
plugin_PROGRAMS += plugins/check_ib_image
plugins_check_ib_image_SOURCES = plugins/check_ib_image.c plugins/plan.c plugins/plan.h \
	plugins/diagnose.c plugins/diagnose.h plugins/report.c plugins/report.h
plugins_check_ib_image_LDADD = $(IB_LIBS)
eventhandler_PROGRAMS += plugins/ib_cancel_action
plugins_ib_cancel_action_SOURCES = plugins/ib_cancel_action.c plugins/cancelled.c plugins/cancelled.h \
	plugins/history.c plugins/history.h plugins/recorded.c plugins/recorded.h \
	plugins/resume.c plugins/resume.h \
	plugins/diagnose.c plugins/diagnose.h plugins/plan.c plugins/plan.h
plugins_ib_cancel_action_LDADD = $(IB_LIBS)
bin_PROGRAMS += plugins/ib_create_action
plugins_ib_create_action_SOURCES = plugins/ib_create_action.c plugins/created.c plugins/created.h \
	plugins/diagnose.c plugins/diagnose.h plugins/plan.c plugins/plan.h
plugins_ib_create_action_LDADD = $(IB_LIBS)
include plugins/ib_workflow.mk
