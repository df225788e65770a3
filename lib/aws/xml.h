/* SPDX-License-Identifier: MIT */
/*
 * XML answers (STS) as values: an element with children is an object, one without a string.
 * Namespaces and attributes are dropped. By expat.
 */
#ifndef IB_AWS_XML_H
#define IB_AWS_XML_H

#include "lib/data/value.h"

#define IB_XML_BYTES_MAX ((size_t)256 * 1024)
#define IB_XML_DEPTH_MAX 16
#define IB_XML_NODES_MAX 4096

/*
 * Parse; ret is the content of the root element, ret_root (may be NULL) its name in 64 bytes.
 * Elements that come again under the same parent become an array. Refused: a document type
 * declaration (entities), depth, size, more elements than the caps. Errors: IB_EPARSE with line,
 * IB_ELIMIT, IB_ENOMEM.
 */
IB_NODISCARD enum ib_rc ib_xml_parse(struct ib_str text, const char *what, char ret_root[64],
                                     struct ib_value **ret, struct ib_error *err);

#endif
