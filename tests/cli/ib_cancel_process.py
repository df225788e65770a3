#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ib_cancel_action as a process: its open files while it runs, who is left behind, its time, its lines in syslog."""
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_world import PROGRAM, Fresh, World, kill  # noqa: E402
from tap import Skip, Tests, has, same, until  # noqa: E402

world = World()
test = Tests()
LIMIT = ('-c', '90m')
EVERY = 'arn:*:imagebuilder:*:*:image/*'


# Files and children


def files_of(pid):
    """What 0, 1 and 2 are; None when the process has ended."""
    try:
        return [os.readlink(f'/proc/{pid}/fd/{n}') for n in range(3)]
    except OSError:
        return None


@test
def _():
    """stdout and stderr stay what they were until the end, wherever it waits."""
    # Closed while it runs, they freeze the whole of Icinga.
    for op in ('GetImage', 'ListWorkflowExecutions', 'CancelImageCreation', 'confirm'):
        world.fresh()
        arn = world.image(name=f'open-{op.lower()}', on_cancel='never')
        if op != 'confirm':
            world.standin.ctl('add-fault', op=op, kind='silent', seconds=120)
        process = world.start('-a', arn, *LIMIT, '-t', '2m', '--confirm-timeout', '110s')
        wanted = ['/dev/null', f'pipe:[{os.fstat(process.stdout.fileno()).st_ino}]',
                  f'pipe:[{os.fstat(process.stderr.fileno()).st_ino}]']
        until(True, lambda op=op, arn=arn: world.cancels(arn) == 1 if op == 'confirm'
              else len(world.requests(op)) > 0)
        same(files_of(process.pid), wanted, op)
        kill(process, signal.SIGTERM)
        result = world.finish(process)
        same(result.code in (1, 3) and result.out.startswith('IB_CANCEL '), True, result)


@test
def _():
    """a credential program that leaves a child behind leaves nobody on the pipe."""
    arn = world.image()
    mark = os.path.join(world.dir, 'left.pid')
    answer = ('{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": '
              '"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}')
    program = os.path.join(world.dir, 'leaves')
    with open(program, 'w', encoding='ascii') as handle:
        handle.write(f"#!/bin/sh\nsleep 300 </dev/null >/dev/null &\necho $! >'{mark}'\n"
                     f"setsid sleep 300 </dev/null >/dev/null &\necho $! >>'{mark}'\necho '{answer}'\n")
    os.chmod(program, 0o755)
    config = os.path.join(world.dir, 'aws-config')
    with open(config, 'w', encoding='ascii') as handle:
        handle.write(f'[profile leaves]\ncredential_process = {program}\n')
    os.chmod(config, 0o600)
    env = world.env(AWS_CONFIG_FILE=config, AWS_PROFILE='leaves')
    del env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']
    try:
        # Returns when both ends of stdout and stderr are closed: not after 300 s.
        result = world.finish(world.start('-a', arn, *LIMIT, env=env), timeout=100)
        same((result.code, world.cancels(arn)), (0, 1), result)
    finally:
        with open(mark, encoding='ascii') as handle:
            for pid in handle.read().split():
                try:
                    with open(f'/proc/{pid}/comm', encoding='ascii') as comm:
                        if comm.read().strip() == 'sleep':
                            os.kill(int(pid), signal.SIGKILL)
                except OSError:
                    pass


@test
def _():
    """the background process of --detach holds none of the caller's files and leads its own session."""
    arn = world.image(on_cancel='never')
    end, held = os.pipe()
    os.set_inheritable(held, True)  # as Nagios hands a pipe of its own down
    result = world.finish(world.start('-a', arn, *LIMIT, '--detach', pass_fds=(held,)))
    same(result.code, 1, result)
    os.close(held)
    until(True, lambda: world.rows(arn)[0]['pid'] not in (0, None) and world.rows(arn)[0]['attempts'] > 1)
    pid = world.rows(arn)[0]['pid']
    same(files_of(pid), ['/dev/null'] * 3)
    same(os.getsid(pid), pid)
    os.set_blocking(end, False)
    same(os.read(end, 1), b'')  # end of file: nobody has the other end
    os.close(end)
    world.set(arn, status='CANCELLED')
    until(['cancelled'], lambda: [r['outcome'] for r in world.rows(arn)])


@test
def _():
    """a call needs less than 25 s unless it is told otherwise, for Nagios kills handlers after 30."""
    text = subprocess.run([PROGRAM, '--help'], stdout=subprocess.PIPE, check=False).stdout.decode()
    same(re.search(r'--timeout DUR\s.*?\(default (\w+)\)', text, re.DOTALL).group(1), '25s')
    # That this is kept whatever hangs costs 25 s to see; a shorter one stands for it.
    for op in ('GetImage', 'CancelImageCreation'):
        world.fresh()
        arn = world.image(name=f'hangs-{op.lower()}')
        world.standin.ctl('add-fault', op=op, kind='silent', seconds=120)
        begun = time.monotonic()
        result = world.run('-a', arn, *LIMIT, '-t', '3s')
        same(time.monotonic() - begun < 20, True, result)
        same(result.code, 3 if op == 'GetImage' else 1, result)
    same(world.run('-a', arn, *LIMIT, '-t', '25s', '--confirm-timeout', '1h', '--dry-run').code, 0)


@test
def _():
    """by default it is over in less than 25 s, whatever gives no answer."""
    margin = float(os.environ.get('IB_LOAD_MARGIN_MS', '20000')) / 1000  # for a machine that does much else
    begun = time.monotonic()
    runs = {}
    for op in ('GetImage', 'CancelImageCreation'):
        arn = world.image(name=f'silent-{op.lower()}')
        world.standin.ctl('add-fault', op=op, arn=arn, kind='silent', seconds=120)
        runs[op] = world.start('-a', arn, *LIMIT)
    until(True, lambda: all(p.poll() is not None for p in runs.values()))
    took = time.monotonic() - begun
    for op, process in runs.items():
        result = world.finish(process)
        same(result.code, 3 if op == 'GetImage' else 1, result)
        has(result.first, 'not tried' if op == 'GetImage' else 'outcome unknown')
    same(took < 25 + margin, True, took)
    return f'{took:.2f} s'


# syslog: a socket of our own in the place of /dev/log, in a mount namespace of its own

IN_PLACE = '''for i in null zero full random urandom tty; do
    touch "$1/$i" && mount --bind "/dev/$i" "$1/$i" 2>/dev/null
done
ln -sfn "$2" "$1/log" && mount --rbind "$1" /dev || exit 77
shift 2
exec "$@"'''
PRIVATE = ['unshare', *([] if os.getuid() == 0 else ['-r']), '-m']


class Log:
    """What arrives at /dev/log of the calls that are made with it."""

    def __init__(self, listen=True):
        self.path = os.path.join(world.dir, 'log.socket')
        self.dev = os.path.join(world.dir, 'dev')
        os.makedirs(self.dev, exist_ok=True)
        if os.path.exists(self.path):
            os.unlink(self.path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        self.socket.setblocking(False)
        if not listen:
            self.socket.close()

    def run(self, *arguments, **more):
        command = [*PRIVATE, 'sh', '-c', IN_PLACE, 'sh', self.dev, self.path, PROGRAM, *arguments,
                   '--endpoint-url', world.standin.url]
        return World.finish(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                             stderr=subprocess.PIPE, env=world.env(), **more))

    def lines(self):
        found = []
        try:
            while True:
                found.append(self.socket.recv(65536).decode())
        except BlockingIOError:
            return found


def need_private():
    if subprocess.call([*PRIVATE, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
                       stderr=subprocess.DEVNULL) != 0:
        raise Skip('no private mount namespace here')


def one_line(log, priority, pattern, tag='ib_cancel_action'):
    lines = log.lines()
    same(len(lines), 1, lines)
    match = re.fullmatch(r'<(\d+)>... .\d \d\d:\d\d:\d\d (.+?)\[\d+\]: (.*)\n?\0?', lines[0], re.DOTALL)
    same(match is not None, True, lines)
    same((int(match.group(1)), match.group(2)), (priority, tag), lines)
    same(re.search(pattern, match.group(3)) is not None, True, (pattern, lines))
    same([c for c in match.group(3) if ord(c) < 32], [], lines)
    return match.group(3)


DAEMON, LOCAL3, NOTICE, WARNING = 3 * 8, 19 * 8, 5, 4


@test
def _():
    """syslog gets one line per decision, with who, what, token and request."""
    need_private()
    log = Log()
    arn = world.image()
    result = log.run('-a', arn, *LIMIT, '--problem-id', '4711')
    same(result.code, 0, result)
    text = one_line(log, DAEMON + NOTICE, f'^cancelled {arn}: cancelled and confirmed token=')
    token = world.requests()[0]['client_token']
    for part in (f'token={token}', 'request=', f'uid={os.getuid()}', 'problem=4711'):
        has(text, part)
    rows = [
        # the same again, refused, not stuck, waiting, the gate, nothing there, not tried
        (('-a', arn, *LIMIT), 0, NOTICE, f'^nothing {arn}: nothing to cancel: it has ended as CANCELLED'),
        (('-a', world.image(name='kept', tags={'ib-plugins:no-cancel': 'yes'}), *LIMIT), 2, WARNING,
         '^refused .*/kept/1.0.0/1: refused by rule opt-out'),
        (('-a', world.image(name='young', age_s=60), *LIMIT), 0, NOTICE, '^nothing .*/young/'),
        (('-a', world.image(name='hangs', on_cancel='never'), *LIMIT, '--confirm-timeout', '1s'), 1, WARNING,
         '^requested .*/hangs/1.0.0/1: cancel requested, not confirmed'),
        (('-a', world.image(name='dry'), *LIMIT, '--dry-run'), 0, NOTICE, '^dry-run .*/dry/'),
        (('-a', arn, *LIMIT, '--state', 'CRITICAL', '--state-type', 'SOFT', '--problem-id', '7'), 0, NOTICE,
         '^no action: .*SOFT.* problem=7$'),
        (('-a', arn, *LIMIT, '--state', 'OK', '--state-type', 'HARD'), 0, NOTICE, '^no action: '),
        (('-a', arn, *LIMIT, '--check-source', 'one', '--node', 'two'), 0, NOTICE, '^no action: .*one'),
        (('-n', 'nobody', *LIMIT, '--allow', EVERY), 0, NOTICE, '^nothing: no build is stuck'),
        (('-a', arn + 'x', *LIMIT), 3, WARNING, '^untried: '),
        (('-T', 'web'), 3, WARNING, '^untried: .*no configuration file'),
        (('-a', arn, *LIMIT, '--check-source', 'one'), 3, WARNING, '^untried: .*--node'),
        (('-a', arn, *LIMIT, '--state-dir', '/nonexistent/a/b'), 3, WARNING, '^untried: journal: '),
        (('-a', arn, *LIMIT, '--workflow', '/nonexistent/file'), 3, WARNING, '^untried: '),
    ]
    for arguments, code, level, pattern in rows:
        result = log.run(*arguments)
        same(result.code, code, result)
        one_line(log, DAEMON + level, pattern)


@test
def _():
    """one line for each build of a run, and none when there is nothing to decide or to be told."""
    need_private()
    log = Log()
    for i in range(3):
        world.image(name='many', build=i + 1)
    same(log.run('-n', 'many', *LIMIT, '--allow', EVERY, '--max-cancel', '5').code, 0)
    same(sorted(re.sub(r'^.*?\]: (\w+) .*/many/1.0.0/(\d).*', r'\1 \2', x, flags=re.DOTALL) for x in log.lines()),
         ['cancelled 1', 'cancelled 2', 'cancelled 3'])
    for arguments in (('--resume',), ('--history',), ('--help',)):
        same(log.run(*arguments).code, 0)
        same(log.lines(), [])
    same(log.run('-a', world.image(name='none'), *LIMIT, '--syslog', 'none').code, 0)
    same(log.lines(), [])


@test
def _():
    """facility and tag are the caller's, and hostile texts make no second line."""
    need_private()
    log = Log()
    same(log.run('-a', world.image(), *LIMIT, '--syslog', 'local3', '--syslog-tag', 'night',
                 '--problem-id', '7\n<0>Nov 24 00:00:00 root: evil\x1b[31m' + 'x' * 5000).code, 0)
    text = one_line(log, LOCAL3 + NOTICE, '^cancelled ', 'night')
    same(len(text) < 1000, True, len(text))


def full_log():
    """One whose queue is full, and that nobody reads."""
    log = Log()
    log.socket.setblocking(True)
    full = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    full.connect(log.path)
    full.setblocking(False)
    try:
        while True:
            full.send(b'x' * 100)
    except BlockingIOError:
        pass
    return log


@test
def _():
    """a syslog that nobody reads costs many builds no more time than one, and no end on record."""
    need_private()
    log = full_log()
    arns = [world.image(name='many', build=i + 1) for i in range(40)]
    begun = time.monotonic()
    result = log.run('-n', 'many', *LIMIT, '--allow', EVERY, '--max-cancel', '50', '-t', '20s')
    took = time.monotonic() - begun
    same((result.code, sum(world.cancels(a) for a in arns)), (0, 40), result)
    same({r['outcome'] for r in world.rows()}, {'cancelled'})
    same(result.out.count('[cancelled] many'), 40)
    return f'{took:.1f} s'


@test
def _():
    """--detach hands facility and tag on: the last word is logged where the first one was."""
    need_private()
    log = Log()
    arn = world.image(name='away', on_cancel={'polls': 2})
    result = log.run('-a', arn, *LIMIT, '--detach', '--syslog', 'local3', '--syslog-tag', 'night')
    same(result.code, 1, result)
    until([('cancelled', True)], lambda: world.outcome(arn))
    lines = []
    until(True, lambda: lines.extend(log.lines()) or any('cancelled and confirmed' in x for x in lines))
    same({x[:x.index('>') + 1] for x in lines}, {f'<{LOCAL3 + WARNING}>', f'<{LOCAL3 + NOTICE}>'}, lines)
    same([x for x in lines if 'night[' not in x], [])
    arn = world.image(name='quiet', on_cancel={'polls': 2})
    log.run('-a', arn, *LIMIT, '--detach', '--syslog', 'none')
    until([('cancelled', True)], lambda: world.outcome(arn))
    time.sleep(0.3)
    same(log.lines(), [])


@test
def _():
    """a syslog that is not there, or nobody reads, changes nothing."""
    need_private()
    log = Log(listen=False)
    result = log.run('-a', world.image(name='gone'), *LIMIT)
    same((result.code, result.err), (0, ''), result)
    log = full_log()
    arn = world.image(name='full')
    begun = time.monotonic()
    result = log.run('-a', arn, *LIMIT, '-t', '5s')
    took = time.monotonic() - begun
    same(world.cancels(arn), 1)
    same([r['outcome'] for r in world.rows(arn)], ['cancelled'], result)
    same((result.code, result.err, took < 30), (0, '', True), (took, result))


test.cases = [Fresh(world, case) for case in test.cases]
sys.exit(test.run())
