#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A CycloneDX bill of materials of what was built: the shared libraries that each program is linked to.

usage: sbom.py NAME VERSION PROGRAM...   JSON on standard output

Libraries come from the programs themselves (readelf). Each has the version of the distribution's package that
it is of here, as a package URL that vulnerability databases know; without one, what pkg-config says. The same
programs give the same bytes: no clock but SOURCE_DATE_EPOCH, no random number.
"""
import datetime
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.parse
import uuid

# soname without version: pkg-config module, licence
KNOWN = {
    'libc': ('glibc', 'LGPL-2.1-or-later'),
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


def where(program):
    """The libraries of a program by soname, as the loader finds them here."""
    run = subprocess.run(('ldd', program), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return dict(re.findall(r'^\s*(\S+) => (/\S+)', run.stdout, re.MULTILINE))


def said(*command):
    """A line that a program prints, or None: it may be missing, or not know."""
    if shutil.which(command[0]) is None:
        return None
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return run.stdout.strip().split('\n')[0] if run.returncode == 0 and run.stdout.strip() else None


def distribution():
    """ID and VERSION_ID of os-release."""
    try:
        with open('/etc/os-release', encoding='utf-8') as handle:
            lines = dict(re.findall(r'^([A-Z_]+)="?([^"\n]*)"?$', handle.read(), re.MULTILINE))
    except OSError:
        lines = {}
    return lines.get('ID', 'linux'), lines.get('VERSION_ID', '')


def package_of(path):
    """Type, name, version and architecture of the package that a file is of, or None."""
    for name in (path, os.path.realpath(path), os.path.realpath(path).replace('/usr/lib', '/lib', 1)):
        owner = said('dpkg-query', '-S', name)
        if owner is not None:
            owner = owner.split(': ')[0]
            found = said('dpkg-query', '-W', '-f', '${Package} ${Version} ${Architecture}', owner)
            return ['deb'] + found.split(' ')
        found = said('rpm', '-qf', '--qf', '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\\n', name)
        if found is not None:
            return ['rpm'] + found.split(' ')
    return None


def component(soname, path):
    module, licence = KNOWN.get(soname.split('.so')[0], (None, None))
    found = {'type': 'library', 'bom-ref': soname, 'name': module or soname}
    if licence is not None:
        found['licenses'] = [{'license': {'id': licence}}]
    package = package_of(path) if path is not None else None
    if package is not None:
        kind, name, version, architecture = package
        vendor, release = distribution()
        quoted = [urllib.parse.quote(part, safe='') for part in (vendor, name, version)]
        found['version'] = version
        found['purl'] = (f'pkg:{kind}/{quoted[0]}/{quoted[1]}@{quoted[2]}'
                         f'?arch={architecture}&distro={vendor}-{release}')
    else:
        found['version'] = (platform.libc_ver()[1] if module == 'glibc'
                            else module and said('pkg-config', '--modversion', module)) or 'unknown'
        found['purl'] = f"pkg:generic/{found['name']}@{found['version']}"
    return found


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__.split('\n\n')[1])
    name, version, programs = sys.argv[1], sys.argv[2], sys.argv[3:]
    links = {os.path.basename(p): sorted(needed(p)) for p in sorted(programs)}
    sonames = sorted({s for list_ in links.values() for s in list_})
    paths = {soname: path for p in programs for soname, path in where(p).items()}
    bom = {
        'bomFormat': 'CycloneDX', 'specVersion': '1.4', 'version': 1,
        'metadata': {'component': {
            'type': 'application', 'bom-ref': name, 'name': name, 'version': version,
            'licenses': [{'license': {'id': 'MIT'}}],
            'components': [{'type': 'application', 'bom-ref': p, 'name': p, 'version': version}
                           for p in links]}},
        'components': [component(s, paths.get(s)) for s in sonames],
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
