# SPDX-License-Identifier: MIT
bin_PROGRAMS += plugins/ib_workflow
plugins_ib_workflow_SOURCES = plugins/ib_workflow.c plugins/ib_workflow.h plugins/ib_workflow_args.c \
	plugins/ib_workflow_live.c plugins/ib_workflow_run.c \
	plugins/diagnose.c plugins/diagnose.h plugins/plan.c plugins/plan.h
plugins_ib_workflow_LDADD = $(IB_LIBS)
