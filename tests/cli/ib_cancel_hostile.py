#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Hostile macros in every option there is: one clear line, no request, and nothing is ever run.

Linux takes at most 128 KiB (MAX_ARG_STRLEN) for one argument: one of 200 kB never reaches a program, so
those here are as long as can be, and several of them make more than 200 kB.
"""
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_world import BUILD, PROGRAM, World  # noqa: E402
from tap import Tests, has, same  # noqa: E402

world = World()
test = Tests()
LONGEST = 128 * 1024 - 1
MARK = os.path.join(world.dir, 'executed')
ARN = world.image()
HOSTILE = [
    ('newline', 'x\n[1] SHUTDOWN_PROGRAM;1'), ('quotes', 'x\'"; touch ' + MARK + '; echo "\''),
    ('semicolon', 'x;touch ' + MARK), ('substitution', f'$(touch {MARK})'), ('backtick', f'`touch {MARK}`'),
    ('macro', '$SERVICESTATE$'), ('control', 'x\x01\x1b[2J\x7f'), ('perfdata', 'x|a=1;2;3'), ('empty', ''),
    ('blank', ' '), ('longest', 'x' * LONGEST), ('no_utf8', 'x\udcff\udcfe'), ('percent', '%n%s%s%n' * 20),
    ('parent', '../' * 40 + 'etc/shadow'), ('option', '--no-journal'), ('zeros', '0' * 5000),
]

# Means nothing to this call, or is a good value all the same (0000 downtimes, a file that root may read).
KEPT = {'--problem-id', '--syslog-tag', '--external-id', '--host', '--service', '--check-source', '--node',
        '--proxy', '--profile', '--state-dir', '--limit', '--attempt', '--downtime-depth', '--ca-bundle'}


def options(program):
    """Every option that takes a value, from --help."""
    text = subprocess.run([program, '--help'], stdout=subprocess.PIPE, check=False).stdout.decode()
    found = re.findall(r'^ +(?:-\w, )?(--[a-z-]+) [A-Za-z|:]+', text, re.MULTILINE)
    same(len(found) > 20, True, found)
    return found


def clear_line(result, prefix, what):
    same(result.code, 3, f'{what}: {result!r}'[:700])
    same(result.err, '', what)
    lines = result.out.rstrip('\n').split('\n')
    same(len(lines), 1, f'{what}: {result.out[:700]!r}')
    has(result.first, prefix + ' UNKNOWN - ')
    same([c for c in result.first if ord(c) < 32 or ord(c) == 127], [], what)
    same(result.first.count('|'), 0, what)
    same(len(result.first) <= 1000, True, f'{what}: {len(result.first)} characters')


def quiet():
    same((world.cancels(ARN), [r['op'] for r in world.requests('*')], os.path.exists(MARK)), (0, [], False))


def run(program, *arguments):
    command = [os.path.join(BUILD, 'plugins', program), *arguments, '--endpoint-url', world.standin.url]
    return World.finish(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, env=world.env(), cwd=world.dir))


def try_option(program, prefix, option, base):
    for name, value in HOSTILE:
        what = f'{program} {option} {name}'
        world.standin.ctl('clear-requests')
        result = run(program, *base, option, value)
        if result.code == 3:
            clear_line(result, prefix, what)
        elif option not in KEPT:
            raise AssertionError(f'{what}: {result!r}'[:700])
        same(os.path.exists(MARK), False, what)
        if option not in KEPT:
            same([r['op'] for r in world.requests('*')], [], what)


def add(program, prefix, option, base):
    def case():
        try_option(program, prefix, option, base)
    case.__doc__ = f'{program} {option}: every hostile value is one clear line and sends nothing'
    test(case)


for some in options(PROGRAM):
    # Dry: what a value that is only kept does to a real cancel is a test of its own below.
    if some != '--endpoint-url':
        add('ib_cancel_action', 'IB_CANCEL', some, ('-a', ARN, '-c', '90m', '--dry-run'))
for some in options(os.path.join(BUILD, 'plugins', 'check_ib_image')):
    if some != '--endpoint-url':
        add('check_ib_image', 'IB_IMAGE', some, ('-a', ARN, '-c', '90m'))


@test
def _():
    """an endpoint that is hostile is one clear line too."""
    for name, value in HOSTILE:
        result = World.finish(subprocess.Popen(
            [PROGRAM, '-a', ARN, '-c', '90m', '--syslog', 'none', '--endpoint-url', value],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world.env()))
        clear_line(result, 'IB_CANCEL', f'--endpoint-url {name}')
    quiet()


@test
def _():
    """an argument of 200 kB reaches no program; several that make 200 kB and 2 MB are refused."""
    try:
        subprocess.run([PROGRAM, '-a', 'x' * 200000], stdout=subprocess.DEVNULL, check=False)
        raise AssertionError('this kernel takes arguments of 200 kB: try them too')
    except OSError as error:
        has(str(error), 'Argument list too long')
    long = [x for i in range(2) for x in ('-a', ARN[:-1] + str(i + 1) * 100000)]
    clear_line(run('ib_cancel_action', *long, '-c', '90m'), 'IB_CANCEL', '200 kB of ARNs')
    many = [x for i in range(15) for x in ('-a', 'x' * LONGEST)]
    clear_line(run('ib_cancel_action', *many, '-c', '90m'), 'IB_CANCEL', '2 MB of ARNs')
    quiet()


@test
def _():
    """200 kB of words that are no options are refused."""
    clear_line(run('ib_cancel_action', 'x' * 100000, '; y' * 35000), 'IB_CANCEL', 'words')
    clear_line(run('ib_cancel_action', '--' + 'x' * 100000, '-' + '\n' * 100000), 'IB_CANCEL', 'options')
    quiet()


@test
def _():
    """hostile ARNs, near the right one, are refused by name."""
    rows = [ARN + '\n', '\n' + ARN, ARN + ' ', ' ' + ARN, ARN + ';', ARN + '/', ARN + '/1', ARN + '\x00'[:0] + '\t',
            f"'{ARN}'", f'"{ARN}"', ARN + '%0a', ARN + '?x=1', ARN + '#x', ARN.upper(), ARN + ARN,
            ARN.replace('image/', 'image-pipeline/'), ARN.replace('imagebuilder', 'ec2'),
            ARN.replace('arn:', 'arn:aws:'), ARN.replace(':123456789012:', '::'),
            ARN.replace(':123456789012:', ':12345678901:'), ARN.replace(':123456789012:', ':1234567890123:'),
            ARN.replace(':123456789012:', ':١٢٣٤٥٦٧٨٩٠١٢:'), ARN.replace('eu-central-1', ''),
            ARN.replace('eu-central-1', 'eu-central-1.evil.example/'), ARN.replace('eu-central-1', '..'),
            ARN.replace('web-server', '../..'), ARN.replace('web-server', 'web%2fserver'),
            ARN[:-1] + '0', ARN[:-1] + '-1', ARN[:-1] + '1.5', ARN[:-1] + '99999999999999999999',
            ARN.replace('1.0.0', '1.0'), ARN.replace('1.0.0', '1.0.0.0'), ARN.replace('1.0.0', 'x.x.x')]
    for row in rows:
        world.standin.ctl('clear-requests')
        clear_line(run('ib_cancel_action', '-a', row, '-c', '90m'), 'IB_CANCEL', repr(row))
        quiet()


@test
def _():
    """an ARN of another Region than --region says is refused before any request."""
    other = ARN.replace('eu-central-1', 'us-east-1')
    result = run('ib_cancel_action', '-a', other, '-c', '90m', '-r', 'eu-central-1')
    clear_line(result, 'IB_CANCEL', 'another Region')
    has(result.first, 'us-east-1')
    quiet()


@test
def _():
    """an ARN of another account, or of a Region where it is not, is looked for there and nothing is cancelled."""
    for other in (ARN.replace('123456789012', '210987654321'), ARN.replace('eu-central-1', 'us-east-1')):
        world.standin.ctl('clear-requests')
        result = run('ib_cancel_action', '-a', other, '-c', '90m')
        same((result.code, result.err), (3, ''), result)
        has(result.first, f'ResourceNotFoundException: The resource with ARN {other} does not exist')
        same((world.cancels(ARN), {r['op'] for r in world.requests('*')}), (0, {'GetImage'}), result)


@test
def _():
    """texts that are only kept make no difference to a cancel, and are clean on record."""
    for name, value in HOSTILE:
        world.fresh()
        arn = world.image(name='kept')
        result = run('ib_cancel_action', '-a', arn, '-c', '90m', '--problem-id', value, '--syslog', 'none',
                     *(('--syslog-tag', value) if value.strip() else ()))
        if name in ('empty', 'option'):
            clear_line(result, 'IB_CANCEL', name)
            continue
        same((result.code, world.cancels(arn), os.path.exists(MARK)), (0, 1, False), f'{name}: {result!r}'[:600])
        text = run('ib_cancel_action', '--history').out
        same([c for c in text if (ord(c) < 32 and c != '\n') or ord(c) == 127], [], name)
        same(len(text) < 20000, True, len(text))


@test
def _():
    """hostile environments of a scheduler change nothing."""
    for name, value in HOSTILE:
        if name in ('empty', 'no_utf8'):
            continue
        world.fresh()
        arn = world.image(name='kept')
        env = world.env(**{f'NAGIOS_{n}': value[:100000] for n in ('SERVICESTATE', 'ARG1', 'SERVICEOUTPUT')})
        result = world.run('-a', arn, '-c', '90m', env=env)
        same((result.code, world.cancels(arn), os.path.exists(MARK)), (0, 1, False), f'{name}: {result!r}'[:600])


sys.exit(test.run())
