/* SPDX-License-Identifier: MIT */
/*
 * Fuzz targets. fuzz_X.c defines LLVMFuzzerTestOneInput(); tests/fuzz/corpus/X/ holds its inputs.
 *
 * make check links each with replay.c, which feeds it the corpus and changed copies of it. Configured
 * with CC=clang --enable-fuzzing --enable-sanitizers it is linked with libFuzzer instead, and
 * "make fuzz FUZZ_SECONDS=60" searches on. An input that found a defect joins the corpus.
 *
 * Targets check what must hold by IB_ASSERT(), which traps here, so that the input is kept.
 */
#ifndef IB_FUZZ_H
#define IB_FUZZ_H

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

/* Returns 0. data is exactly n bytes long, so that a sanitizer sees each byte too far. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#endif
