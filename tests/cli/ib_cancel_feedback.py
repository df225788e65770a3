#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""--recheck and --comment against schedulers that are not there, wrong, silent or hostile.

Whatever they do, the build is cancelled, the exit code says so, and the call ends in time. That the
right answer is understood by the real daemons is shown in tests/e2e/night_*.sh.
"""
import base64
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_world import Fresh, World, kill  # noqa: E402
from tap import Tests, has, same, until  # noqa: E402

world = World()
test = Tests()
DIR = os.path.join(world.dir, 'feedback')
os.mkdir(DIR)
PASSWORD = 'correct horse:battery'
NAMED = ('--host', 'aws', '--service', 'ib web')
GOOD = b'{"results":[{"code":200.0,"status":"Successfully rescheduled"}]}'


def openssl(*arguments):
    subprocess.run(['openssl', *arguments], check=True, stderr=subprocess.DEVNULL,
                   stdin=subprocess.DEVNULL, cwd=DIR)


NEW_KEY = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes')


def make_ca(name):
    openssl('req', '-x509', *NEW_KEY, '-days', '2', '-subj', f'/CN={name}', '-keyout', name + '.key',
            '-out', name + '.crt')


def signed(name, ca, alt='IP:127.0.0.1'):
    """NAME.crt and NAME.key, of this CA, for this host."""
    write(name + '.ext', f'subjectAltName={alt}\nbasicConstraints=CA:FALSE\n')
    openssl('req', '-new', *NEW_KEY, '-subj', f'/CN={name}', '-keyout', name + '.key', '-out',
            name + '.csr')
    openssl('x509', '-req', '-in', name + '.csr', '-CA', ca + '.crt', '-CAkey', ca + '.key',
            '-CAcreateserial', '-days', '2', '-extfile', name + '.ext', '-out', name + '.crt')


class Api:
    """Answers every connection by what `answer(request)` gives: bytes, or None to be silent."""

    def __init__(self, answer, certificate='server', plain=False):
        self.answer, self.plain, self.requests, self.open = answer, plain, [], []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        path = os.path.join(DIR, certificate)
        self.context.load_cert_chain(path + '.crt', path + '.key')
        self.socket = socket.create_server(('127.0.0.1', 0))
        self.url = f'https://127.0.0.1:{self.socket.getsockname()[1]}'
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                raw, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(raw,), daemon=True).start()

    def serve(self, raw):
        self.open.append(raw)
        try:
            connection = raw if self.plain else self.context.wrap_socket(raw, server_side=True)
            self.open.append(connection)
            data = b''
            while b'\r\n\r\n' not in data:
                data += connection.recv(65536) or b'\r\n\r\n'
            head, _, body = data.partition(b'\r\n\r\n')
            length = next((int(line.split(b':')[1]) for line in head.split(b'\r\n')
                           if line.lower().startswith(b'content-length:')), 0)
            while len(body) < length:
                body += connection.recv(65536)
            self.requests.append((head.decode(), body))
            answer = self.answer(head.decode())
            if answer is None:
                return  # left open, without a word
            connection.sendall(answer)
            connection.close()
        except (OSError, ValueError):
            pass

    def stop(self):
        self.socket.close()
        for one in self.open:
            one.close()


def http(status, body, kind='application/json', more=''):
    body = body if isinstance(body, bytes) else body.encode()
    return (f'HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{more}'
            'Connection: close\r\n\r\n').encode() + body


def path(name):
    return os.path.join(DIR, name)


def write(name, text, mode=0o600):
    with open(path(name), 'w', encoding='utf-8') as handle:
        handle.write(text)
    os.chmod(path(name), mode)
    return path(name)


def icinga_config(url, ca='ca', password=None, user='ib-plugins'):
    password = password or write('password', PASSWORD + '\n')
    ca = path(ca + '.crt') if '/' not in ca else ca
    return world.config('feedback: { icinga: { '
                        f'url = "{url}"; user = "{user}"; password_file = "{password}"; '
                        f'ca = "{ca}"; }}; }};\n')


def nagios_config(command_file):
    return world.config(f'feedback: {{ nagios: {{ command_file = "{command_file}"; }}; }};\n')


def cancel(config, *arguments, limit='25s', named=NAMED, scheduler='icinga'):
    """A cancel with feedback: it is cancelled and said so, whatever the feedback does."""
    world.fresh_but_config()
    arn = world.image(name=f'fed-{world.numbers}')
    begun = time.monotonic()
    result = world.run('--config', config, '-a', arn, '-c', '90m', '-t', limit, '--recheck',
                       scheduler, *named, *arguments)
    result.took = time.monotonic() - begun
    same((result.code, result.err, world.cancels(arn)), (0, '', 1), result)
    has(result.first, 'IB_CANCEL OK - ')
    has(result.first, 'cancelled and confirmed')
    same([r['outcome'] for r in world.rows(arn)], ['cancelled'])
    same(PASSWORD in result.out or base64.b64encode(PASSWORD.encode()).decode() in result.out, False)
    return result


def fresh_but_config():
    saved = None
    if os.path.exists(os.path.join(world.dir, 'config')):
        with open(os.path.join(world.dir, 'config'), encoding='utf-8') as handle:
            saved = handle.read()
    world.fresh()
    if saved is not None:
        world.config(saved)


world.fresh_but_config = fresh_but_config


def failed(config, part, *arguments, **more):
    result = cancel(config, *arguments, **more)
    has(result.out, 'could not ask for a new check: ')
    has(result.out, part)
    same('asked for a new check' in result.out, False, result)
    return result


# Icinga 2


@test
def _():
    """the request is what Icinga's API wants, names travel as data, and the password in its header."""
    api = Api(lambda head: http('200 OK', GOOD))
    odd = ('--host', 'münchen (a) {b} 100%', '--service', 'ib #1: web/α [x] = ?*')
    result = cancel(icinga_config(api.url), '--comment', named=odd)
    has(result.out, 'asked for a new check of ib #1: web/α [x] = ?* on münchen (a) {b} 100%, and left a comment')
    same([head.split('\r\n')[0] for head, _ in api.requests],
         ['POST /v1/actions/add-comment HTTP/1.1', 'POST /v1/actions/reschedule-check HTTP/1.1'])
    token = base64.b64encode(f'ib-plugins:{PASSWORD}'.encode()).decode()
    bodies = []
    for head, body in api.requests:
        has(head, f'Authorization: Basic {token}')
        body = json.loads(body)
        same((body['type'], body['filter'], body['filter_vars']),
             ('Service', 'host.name == ib_host && service.name == ib_service',
              {'ib_host': odd[1], 'ib_service': odd[3]}))
        bodies.append(body)
    same((bodies[0]['author'], bodies[1]['force']), ('ib_cancel_action', True))
    has(bodies[0]['comment'], 'cancelled: cancelled and confirmed arn:aws:imagebuilder:')
    api.stop()


@test
def _():
    """answers that are no success are told, and change nothing else."""
    rows = [
        (http('401 Unauthorized', '{"error":401,"status":"Unauthorized"}'), 'user or password is not accepted'),
        (http('401 Unauthorized', '<h1>Unauthorized</h1>', 'text/html'), 'user or password is not accepted'),
        (http('403 Forbidden', '{"error":403,"status":"Missing permission: actions/reschedule-check"}'),
         'HTTP 403 Missing permission: actions/reschedule-check'),
        (http('404 Not Found', '{"error":404,"status":"No objects found."}'),
         'there is no service "ib web" on host "aws"'),
        (http('200 OK', '{"results":[]}'), 'the answer has no results'),
        (http('200 OK', '<html><title>Welcome to the proxy</title></html>', 'text/html'), 'the answer has no results'),
        (http('200 OK', ''), 'the answer has no results'),
        (http('200 OK', GOOD[:20]), 'the answer has no results'),
        (http('200 OK', '{"results":"all"}'), 'the answer has no results'),
        (http('200 OK', '{"results":[{"code":500,"status":"Action failed"}]}'), 'result 500 Action failed'),
        (http('200 OK', '{"results":[{"code":200,"status":"ok"},{"code":404}]}'), 'result 404 without a reason'),
        (http('200 OK', '{"results":["a"]}'), 'result 0 without a reason'),
        (http('200 OK', '{"results":{"code":200}}'), 'the answer has no results'),
        (http('502 Bad Gateway', '<html>' + 'x' * 5000, 'text/html'), 'HTTP 502'),
        (http('500 Oops', json.dumps({'status': 'bad\n[1] X | y=1 \x1b[31m' + 'z' * 900})), 'HTTP 500 bad'),
        (http('302 Found', '', more='Location: http://127.0.0.1:1/\r\n'), 'HTTP 302'),
        (http('200 OK', b'[' * 60000), 'the answer has no results'),
        (http('200 OK', b' ' * 200000), ''),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"results":[', ''),
        (b'SSH-2.0-OpenSSH_9.2\r\n', ''),
        (b'\x00\xff' * 100, ''),
        (b'', ''),
    ]
    for answer, part in rows:
        api = Api(lambda head, answer=answer: answer)
        result = failed(icinga_config(api.url), part)
        same([c for c in result.out if ord(c) < 32 and c != '\n'], [], result)
        same(len(result.out.strip().split('\n')), 3, result)
        api.stop()


@test
def _():
    """a URL that would send the password in clear is refused before anything else."""
    api = Api(lambda head: http('200 OK', GOOD), plain=True)
    arn = world.image(name='clear')
    result = world.run('--config', icinga_config(api.url.replace('https', 'http')), '-a', arn, '-c', '90m',
                       '--recheck', 'icinga', *NAMED)
    same((result.code, world.cancels(arn), api.requests), (3, 0, []), result)
    has(result.first, 'feedback.icinga.url')
    has(result.first, 'does not begin with https://')
    api.stop()


@test
def _():
    """an API of another CA, of another name, or without TLS is sent nothing."""
    rows = [
        ({'certificate': 'server'}, 'other-ca', ''),
        ({'certificate': 'elsewhere'}, 'ca', ''),
        ({'certificate': 'foreign'}, 'ca', ''),
        ({'plain': True}, 'ca', ''),
    ]
    for options, ca, part in rows:
        api = Api(lambda head: http('200 OK', GOOD), **options)
        failed(icinga_config(api.url, ca), part)
        same([r for r in api.requests if 'POST' in r[0]], [])
        api.stop()


@test
def _():
    """the system's own CAs do not count: what is not the pinned one is not trusted."""
    api = Api(lambda head: http('200 OK', GOOD))
    failed(icinga_config(api.url, '/etc/ssl/certs/ca-certificates.crt'), '')
    same(api.requests, [])
    api.stop()


@test
def _():
    """a refused connection, and a name that nobody knows, are told."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        failed(icinga_config(f'https://127.0.0.1:{probe.getsockname()[1]}'), 'Icinga reschedule-check')
    failed(icinga_config('https://no-such-host.invalid:5665'), 'Icinga reschedule-check', limit='10s')


@test
def _():
    """an API that takes the connection and says nothing costs seconds, not the call."""
    for answer in (lambda head: None, lambda head: time.sleep(60)):
        api = Api(answer)
        result = failed(icinga_config(api.url), 'Icinga add-comment', '--comment', limit='25s')
        same(result.took < 25, True, result.took)
        api.stop()
    silent = socket.create_server(('127.0.0.1', 0))  # not even a TLS handshake
    result = failed(icinga_config(f'https://127.0.0.1:{silent.getsockname()[1]}'), 'Icinga', limit='4s')
    # Whatever is left of -t bounds it; far more would be the API's time, or the watchdog's exit 3.
    same(result.took < 20, True, result.took)
    silent.close()


@test
def _():
    """SIGTERM while the API is silent ends the call with what was done."""
    api = Api(lambda head: None)
    config = icinga_config(api.url)
    arn = world.image(name='stopped')
    process = world.start('--config', config, '-a', arn, '-c', '90m', '-t', '2m', '--recheck', 'icinga',
                          *NAMED)
    until(1, lambda: len(api.requests))
    kill(process, signal.SIGTERM)
    result = world.finish(process)
    same((result.code, world.cancels(arn)), (0, 1), result)
    has(result.first, 'cancelled and confirmed')
    has(result.out, 'could not ask for a new check: ')
    api.stop()


@test
def _():
    """a comment that is refused does not keep the check from being asked for."""
    api = Api(lambda head: http('403 Forbidden', '{"status":"Missing permission: actions/add-comment"}')
              if 'add-comment' in head else http('200 OK', GOOD))
    result = cancel(icinga_config(api.url), '--comment')
    has(result.out, 'asked for a new check of ib web on aws, but left no comment: ')
    has(result.out, 'Missing permission: actions/add-comment')
    same(len(api.requests), 2)
    api.stop()


@test
def _():
    """password files that others may read, that are empty, huge, missing or no file, are told."""
    api = Api(lambda head: http('200 OK', GOOD))
    os.mkfifo(path('fifo'))
    os.mkdir(path('directory'))
    rows = [
        (write('wide', PASSWORD, 0o644), 'may not be readable by everybody'),
        (write('wider', PASSWORD, 0o666), ''),
        (write('empty', '\n'), 'holds no password'),
        (write('huge', 'x' * 100000), ''),
        (path('missing'), ''),
        (path('fifo'), ''),
        (path('directory'), ''),
    ]
    for password, part in rows:
        result = failed(icinga_config(api.url, password=password), part)
        has(result.out, password)
    same(api.requests, [])
    api.stop()


@test
def _():
    """a CA that is missing or no certificate, and a configuration that says nothing, are told."""
    api = Api(lambda head: http('200 OK', GOOD))
    failed(icinga_config(api.url, path('no-ca.pem')), 'no-ca.pem')
    failed(icinga_config(api.url, write('noise.pem', 'noise\n')), '')
    failed(world.config('cancel: { max_per_hour = 100; };\n'), 'feedback.icinga needs url, user, password_file and ca')
    failed(world.config('cancel: { max_per_hour = 100; };\n'), 'feedback.nagios.command_file is not set',
           scheduler='nagios')
    same(api.requests, [])
    api.stop()


# Nagios


def reader():
    """A command file with a reader; gives its path and what reads it."""
    name = path('nagios.cmd')
    if os.path.exists(name):
        os.unlink(name)
    os.mkfifo(name, 0o660)
    return name, os.open(name, os.O_RDONLY | os.O_NONBLOCK)


@test
def _():
    """the command file gets two lines, whatever its mode."""
    for mode in (0o660, 0o622, 0o666):
        name, handle = reader()
        os.chmod(name, mode)  # nothing secret is written, and nothing read
        result = cancel(nagios_config(name), '--comment', scheduler='nagios')
        has(result.out, 'asked for a new check of ib web on aws, and left a comment')
        text = os.read(handle, 65536).decode()
        lines = text.split('\n')
        same((len(lines), lines[2]), (3, ''), text)
        same([line.split(' ', 1)[1].split(';')[:3] for line in lines[:2]],
             [['ADD_SVC_COMMENT', 'aws', 'ib web'], ['SCHEDULE_FORCED_SVC_CHECK', 'aws', 'ib web']])
        os.close(handle)


@test
def _():
    """a command file that is missing, no FIFO, a link, unread or full is told, and never made."""
    failed(nagios_config(path('none.cmd')), 'cannot open command file', scheduler='nagios')
    same(os.path.exists(path('none.cmd')), False)
    plain = write('plain.cmd', 'before\n')
    failed(nagios_config(plain), 'is no FIFO', scheduler='nagios')
    with open(plain, encoding='ascii') as handle:
        same(handle.read(), 'before\n')
    failed(nagios_config(DIR), 'cannot open command file', scheduler='nagios')
    name, handle = reader()
    os.symlink(name, path('link.cmd'))
    failed(nagios_config(path('link.cmd')), 'cannot open command file', scheduler='nagios')
    same(stat.S_ISLNK(os.lstat(path('link.cmd')).st_mode), True)
    fill = os.open(name, os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(fill, b'x' * 4096)
    except BlockingIOError:
        pass
    failed(nagios_config(name), 'is full: the daemon does not read it', '--comment', scheduler='nagios')
    os.close(fill)
    os.close(handle)
    failed(nagios_config(name), 'the daemon is not running', scheduler='nagios')


@test
def _():
    """a socket or a device in the place of the command file is not written to."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path('socket.cmd'))
    listener.listen()
    failed(nagios_config(path('socket.cmd')), '', scheduler='nagios')
    listener.close()
    failed(nagios_config('/dev/null'), 'is no FIFO', scheduler='nagios')


# Hostile names and comments


@test
def _():
    """names that could become a command or a macro stop the call before anything is sent."""
    name, handle = reader()
    config = nagios_config(name)
    arn = world.image(name='kept')
    mark = path('executed')
    bad = ['web\n[1] SHUTDOWN_PROGRAM', 'web;1', 'web\r', 'web\t', 'web\x01', 'web\x7f', '',
           'web" || true || "', "web' || true", 'web$(touch ' + mark + ')', '`touch ' + mark + '`', '$HOSTNAME$',
           'web!x', 'web|x', 'web&x', 'web<x', 'web>x', 'web\\x', 'x' * 256, 'x' * 100000,
           'web\udcff', 'web\udcc3', 'web\udced\udca0\udc80']
    never = [x for x in bad if not 0 < len(os.fsencode(x)) < 256 or re.search('[\x00-\x1f\x7f\udc80-\udcff]', x)]
    for scheduler, names in (('nagios', bad), ('icinga', never)):
        for text in names:
            for named in (('--host', 'aws', '--service', text), ('--host', text, '--service', 'web')):
                result = world.run('--config', config, '-a', arn, '-c', '90m', '--recheck', scheduler,
                                   '--comment', *named)
                same(result.code, 3, (text[:50], result.out[:300]))
                same((result.err, len(result.out.strip().split('\n'))), ('', 1), result.out[:300])
                same([c for c in result.out if ord(c) < 32 and c != '\n'], [])
                same(len(result.out) < 1000, True, len(result.out))
    same((world.cancels(arn), len(world.requests('*')), os.path.exists(mark)), (0, 0, False))
    same(os.read(handle, 65536), b'')  # nobody ever opened it for writing
    os.close(handle)


@test
def _():
    """a build that has ended by itself asks for no check: one that is CRITICAL for it would call again, and so on."""
    name, handle = reader()
    config = nagios_config(name)
    arn = world.image(name='ended', status='FAILED')
    result = world.run('--config', config, '-a', arn, '-c', '90m', '--recheck', 'nagios', '--comment', *NAMED)
    same((result.code, 'asked for a new check' in result.out), (0, False), result)
    try:
        same(os.read(handle, 65536), b'')
    except BlockingIOError:
        pass
    os.close(handle)


@test
def _():
    """names that are only odd travel to Icinga as data, and cost no cancel."""
    for text in ('R&D builds', "Tom's builds", 'a<b', 'x" || true || "', '$HOSTNAME$', 'web;1'):
        api = Api(lambda head: http('200 OK', GOOD))
        result = cancel(icinga_config(api.url), named=('--host', 'aws', '--service', text))
        has(result.out, 'asked for a new check of ' + text.replace('|', '/') + ' on aws')
        same(json.loads(api.requests[0][1])['filter_vars'], {'ib_host': 'aws', 'ib_service': text})
        api.stop()


@test
def _():
    """what AWS says of a build cannot become a command by way of the comment."""
    evil = 'x;y\n[1] SHUTDOWN_PROGRAM\r\n[2] DEL_ALL_SVC_COMMENTS;aws;ib web\x1b[31m|a=1'
    name, handle = reader()
    config = nagios_config(name)
    for way in ('reason', 'message'):
        world.fresh_but_config()
        arn = world.image(name=f'evil-{way}', reason=evil)
        if way == 'message':
            world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', status=400,
                              code='InvalidRequestException', message=evil)
        result = world.run('--config', config, '-a', arn, '-c', '90m', '--recheck', 'nagios', '--comment',
                           *NAMED, '--confirm-timeout', '1s')
        lines = os.read(handle, 65536).decode().split('\n')
        same((len(lines), lines[2]), (3, ''), (lines, result))
        same([line.split(' ', 1)[1].split(';')[0] for line in lines[:2]],
             ['ADD_SVC_COMMENT', 'SCHEDULE_FORCED_SVC_CHECK'])
        same(lines[0].count(';'), 5, lines)
        same([c for c in lines[0] if ord(c) < 32], [])
    os.close(handle)


make_ca('ca')
make_ca('other-ca')
signed('server', 'ca')
signed('elsewhere', 'ca', 'DNS:icinga.example,IP:127.0.0.2')
signed('foreign', 'other-ca')


test.cases = [Fresh(world, case) for case in test.cases]
sys.exit(test.run())
