#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A bill of materials is CycloneDX, and lists exactly the libraries that programs are linked to.

usage: check_sbom.py SBOM PROGRAM...
"""
import json
import os
import re
import subprocess
import sys


def needed(program):
    listing = subprocess.run(('readelf', '-dW', program), check=True, stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r'\(NEEDED\).*\[(.*)\]', listing))


def main():
    with open(sys.argv[1], encoding='utf-8') as handle:
        bom = json.load(handle)
    bad = []

    def must(holds, text):
        if not holds:
            bad.append(text)

    # What the specification of version 1.4 requires, and what makes it of use.
    must(bom.get('bomFormat') == 'CycloneDX', 'bomFormat')
    must(bom.get('specVersion') == '1.4', 'specVersion')
    must(isinstance(bom.get('version'), int), 'version')
    must(re.fullmatch('urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', bom.get('serialNumber', '')), 'serialNumber')
    must(re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ', bom['metadata'].get('timestamp', '')), 'metadata.timestamp')
    must(bom['metadata']['component']['name'] == 'ib-plugins', 'metadata.component.name')
    must(bom['metadata']['component']['version'], 'metadata.component.version')
    for part in bom['components']:
        for key in ('type', 'name', 'version', 'purl', 'bom-ref', 'licenses'):
            must(part.get(key), f"{part.get('name')}: has no {key}")
        must(re.fullmatch(r'pkg:(deb|rpm|generic)/[^ @]+@[A-Za-z0-9.~%_-]+(\?[a-z0-9=&._-]+)?', part['purl']),
             f"{part['name']}: purl {part['purl']}")
        must(part['version'] != 'unknown', f"{part['name']}: version")
    refs = [part['bom-ref'] for part in bom['components']]
    must(len(refs) == len(set(refs)), 'a library is listed twice')

    links = {item['ref']: set(item.get('dependsOn', [])) for item in bom['dependencies']}
    everything = set()
    for program in sys.argv[2:]:
        wanted = needed(program)
        everything |= wanted
        seen = links.get(os.path.basename(program), set())
        must(wanted == seen, f'{os.path.basename(program)}: is linked to {sorted(wanted)}, listed are {sorted(seen)}')
    must(set(refs) == everything, f'listed are {sorted(refs)}, linked are {sorted(everything)}')
    must(links['ib-plugins'] == {os.path.basename(p) for p in sys.argv[2:]}, f"programs: {links['ib-plugins']}")
    print('\n'.join(bad))
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
