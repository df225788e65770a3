#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Holds what a package contains against a list of what it shall contain.

usage: contents.py LIST <FOUND   lines of both: "drwxr-xr-x root/root path"; in the list, paths are patterns

Each entry of the package must be in the list, by the first pattern that fits, and each name that is no pattern
must be in the package. Directories that the list does not name are anybody's to enter and root's to change.
"""
import fnmatch
import sys


def lines(handle):
    for line in handle:
        if line.strip() and not line.startswith('#'):
            mode, owner, path = line.split(None, 2)
            yield mode, owner, path.strip().lstrip('./').rstrip('/').split(' -> ')[0]


def main():
    with open(sys.argv[1], encoding='utf-8') as handle:
        wanted = list(lines(handle))
    used = set()
    bad = []
    for mode, owner, path in lines(sys.stdin):
        rule = next((r for r in wanted if fnmatch.fnmatchcase(path, r[2])), None)
        if rule is None and mode.startswith('d'):
            rule = ('drwxr-xr-x', 'root/root', path)
        if rule is None:
            bad.append(f'{path}: is not in {sys.argv[1]}')
        elif (mode, owner) != rule[:2]:
            bad.append(f'{path}: is {mode} {owner}, shall be {rule[0]} {rule[1]}')
        used.add(rule)
    bad += [f'{rule[2]}: nothing of that name is in the package' for rule in wanted 
            if rule not in used and '*' not in rule[2]]
    print('\n'.join(bad))
    sys.exit(1 if bad else 0)


if __name__ == '__main__':
    main()
