# SPDX-License-Identifier: MIT
"""Every example of README.md, of the man pages and of --help is run: commands against the stand-in,
whose builds are those that the documents speak of; configuration by the tools that it is for; what
a document shows as output is what comes out, but for ages, ids and addresses."""
import re
import sys

import document
from validators import VALIDATORS, Missing
from world import World

# What is not run here, by the beginning of a command line, and why.
NOT_RUN = (
    ('sh tests/demo.sh', 'it builds and installs everything; tests/e2e/demo.sh runs the rest of it'),
    ('sh tests/all.sh', 'it runs this test'),
    ('sh tests/install-packages.sh', 'installs packages; tests/all.sh begins with it'),
    ('IB_ALL_DIR=/var/tmp/ib sh tests/all.sh', 'it runs this test'),
    ('autoreconf', 'tests/all.sh builds the project'),
    ('./configure', 'tests/all.sh builds the project'),
    ('apt install', 'changes the machine; tests/packaging installs the package in a root of its own'),
    ('rpmbuild --rebuild', 'builds the whole package; tests/packaging does'),
    ('dnf install', 'there is no dnf on Debian; tests/packaging installs the package with rpm'),
)

TIME = r'(?:\d+[dhms] ?){1,2}(?<! )'


def commands(text):
    """Command lines; one may go on after a backslash."""
    lines = re.sub(r'\\\n\s*', ' ', text).splitlines()
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith('#')]


def normal(line):
    line = re.sub(r'\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b', '<id>', line)
    line = re.sub(r'\bami-[0-9a-f]+', 'ami-<id>', line)
    line = re.sub(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z', '<date>', line)
    line = re.sub(r'http://127\.0\.0\.1:\d+', 'https://imagebuilder.eu-central-1.amazonaws.com', line)
    line = re.sub(r'\b(age|duration|time|oldest)=[0-9.]+s', r'\1=<time>', line)
    line = re.sub(r'\bpid=\d+|\bparent=\d+|\buser=\d+', '<process>', line)
    return re.sub(r'\b' + TIME, '<time>', line)


def fits(wanted, got):
    """'...' at the end of a line, or between blanks, stands for whatever is there."""
    pattern = re.escape(normal(wanted)).replace(r'\.\.\.', '.*')
    return re.fullmatch(pattern, normal(got)) is not None


def check_ran(world, text):
    """Every program that ran was given what it understands: exit 3 is for what could not be tried."""
    ran = world.ran()
    bad = [r for r in ran if r[1] == 3 and '--help' not in r[2] and '--version' not in r[2]]
    if bad:
        raise AssertionError(f'{bad}\n{text}')
    return ran


def not_run(command):
    """(beginning, reason), or None."""
    return next((row for row in NOT_RUN if re.sub('^sudo ', '', command).startswith(row[0])), None)


def run_shell(world, block):
    """A script of an example: line by line, so that what cannot be run here is left out by name."""
    left_out, variables = [], ''
    for command in commands(block.text):
        if re.fullmatch(r'\w+=\S+', command):
            variables += command + '\n'
            continue
        row = not_run(command)
        if row is not None:
            left_out.append((command, *row))
            continue
        code, said = world.shell(variables + command)
        ran = check_ran(world, said)
        if not ran and code != 0:
            raise AssertionError(f'{command}: exit {code}\n{said}')
    return left_out


def run_console(world, block):
    """Lines that begin with '$ ' are typed, what follows each is what comes."""
    parts = re.split(r'(?m)^\$ ', re.sub(r'\\\n\s*', ' ', block.text))
    if parts[0].strip():
        raise AssertionError('the first line is no "$ command"')
    for part in parts[1:]:
        command, _, wanted = part.partition('\n')
        code, said = world.shell(command)
        check_ran(world, said)
        wanted, got = wanted.rstrip('\n').split('\n'), said.rstrip('\n').split('\n')
        if len(wanted) != len(got) or not all(map(fits, wanted, got)):
            raise AssertionError(f'{command} (exit {code})\nthe document:\n' + '\n'.join(wanted) +
                                 '\nthe program:\n' + '\n'.join(got))
    return []


def check(world, block):
    """Commands that were left out."""
    if block.language == 'sh':
        return run_shell(world, block)
    if block.language == 'console':
        world.fresh()
        return run_console(world, block)
    if block.language not in VALIDATORS:
        raise AssertionError('nothing is known that runs this language')
    wrong = VALIDATORS[block.language](world, block.text)
    if wrong is not None:
        raise AssertionError(wrong)
    return []


def main():
    world = World()
    blocks = document.all_blocks()
    print(f'1..{len(blocks) + 1}')
    failed, before, used = 0, None, set()
    for number, block in enumerate(blocks, 1):
        if block.document != before:  # a document's own examples may build on each other
            world.fresh()
            before = block.document
        try:
            left_out = check(world, block)
            for command, start, reason in left_out:
                print(f'# not run: {command} -- {reason}')
                used.add(start)
            print(f'ok {number} - {block} does what it says')
        except Missing as missing:
            print(f'ok {number} - {block} # SKIP {missing}')
        except Exception as wrong:  # pylint: disable=broad-except
            failed += 1
            print(f'not ok {number} - {block} does what it says')
            print(re.sub('(?m)^', '# ', f'{block.text}\n{type(wrong).__name__}: {wrong}'))
        sys.stdout.flush()
    unused = [start for start, _ in NOT_RUN if start not in used]
    failed += bool(unused)
    print(f'{"not " if unused else ""}ok {len(blocks) + 1} - all that is excepted is there {unused or ""}')
    print('# ' + str(world.standin.ctl('problems')))
    return 1 if failed else 0


sys.exit(main())
