#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A CycloneDX bill of materials of what was built: the shared libraries that each program is linked to.

usage: sbom.py NAME VERSION PROGRAM...   JSON on standard output

Libraries come from the programs themselves (readelf), their versions from pkg-config. The same
programs give the same bytes: no clock but SOURCE_DATE_EPOCH, no random number.
"""
import datetime
import hashlib
import json
import os
import subprocess
import sys
import uuid

# soname without version: pkg-config module, licence
KNOWN = {
    'libcurl': ('libcurl', 'curl'),
    'libcrypto': ('libcrypto', 'Apache-2.0'),
    'libssl': ('libssl', 'Apache-2.0'),
    'libexpat': ('expat', 'MIT'),
    'libjson-c': ('json-c', 'MIT'),
    'libyaml-0': ('yaml-0.1', 'MIT'),
    'libconfig': ('libconfig', 'LGPL-2.1-or-later'),
    'libsqlite3': ('sqlite3', 'blessing'),
    'libpcre2-8': ('libpcre2-8', 'BSD-3-Clause'),
}


def output(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def needed(program):
    for line in output('readelf', '-d', program).splitlines():
        if '(NEEDED)' in line:
            yield line.split('[', 1)[1].rstrip(']')


def component(soname):
    module, licence = KNOWN.get(soname.split('.so')[0], (None, None))
    found = {'type': 'library', 'bom-ref': soname, 'name': soname}
    if module is not None:
        version = output('pkg-config', '--modversion', module).strip()
        found.update(name=module, version=version, licenses=[{'license': {'id': licence}}],
                     purl=f'pkg:generic/{module}@{version}')
    return found


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__.split('\n\n')[1])
    name, version, programs = sys.argv[1], sys.argv[2], sys.argv[3:]
    links = {os.path.basename(p): sorted(needed(p)) for p in sorted(programs)}
    sonames = sorted({s for list_ in links.values() for s in list_})
    bom = {
        'bomFormat': 'CycloneDX', 'specVersion': '1.4', 'version': 1,
        'metadata': {'component': {
            'type': 'application', 'bom-ref': name, 'name': name, 'version': version,
            'licenses': [{'license': {'id': 'MIT'}}],
            'components': [{'type': 'application', 'bom-ref': p, 'name': p, 'version': version}
                           for p in links]}},
        'components': [component(s) for s in sonames],
        'dependencies': [{'ref': name, 'dependsOn': sorted(links)}]
        + [{'ref': p, 'dependsOn': list_} for p, list_ in links.items()],
    }
    epoch = os.environ.get('SOURCE_DATE_EPOCH')
    if epoch is not None:
        when = datetime.datetime.fromtimestamp(int(epoch), datetime.timezone.utc)
        bom['metadata']['timestamp'] = when.strftime('%Y-%m-%dT%H:%M:%SZ')
    digest = hashlib.sha256(json.dumps(bom, sort_keys=True).encode()).digest()
    bom['serialNumber'] = 'urn:uuid:' + str(uuid.UUID(bytes=digest[:16], version=4))
    json.dump(bom, sys.stdout, indent=2, sort_keys=True)
    print()


if __name__ == '__main__':
    main()
