#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The client against the stand-in: faults on the wire, retries, clock, credentials, proxies, TLS, parallel calls."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from probe import Probe  # noqa: E402

import shutil  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import ssl  # noqa: E402
import subprocess  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402

try:
    import botocore  # noqa: F401
except ImportError:
    print('1..0 # SKIP python3-botocore is not installed')
    sys.exit(0)
from tap import KEY, SECRET, Standin, Tests, has, same  # noqa: E402


def make_certificates(folder):
    """A CA, one certificate for this machine and one for AWS's names."""
    run = lambda *a: subprocess.run(['openssl', *a], cwd=folder, check=True, capture_output=True)  # noqa: E731
    run('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=test CA',
        '-keyout', 'ca.key', '-out', 'ca.pem')
    for name, names in (('local', 'IP:127.0.0.1,DNS:localhost'),
                        ('aws', 'DNS:imagebuilder.eu-central-1.amazonaws.com,DNS:sts.eu-central-1.amazonaws.com'),
                        ('other', 'DNS:other.example')):
        with open(os.path.join(folder, name + '.ext'), 'w', encoding='ascii') as handle:
            handle.write('subjectAltName=' + names)
        run('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=' + name, '-keyout', name + '.key', '-out', name + '.csr')
        run('x509', '-req', '-in', name + '.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
            '-extfile', name + '.ext', '-out', name + '.pem')


standin = Standin('--time-scale', '10')
FOLDER = standin.dir
make_certificates(FOLDER)
test = Tests()
ARN = 'arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7'
QUERY = 'imageBuildVersionArn=' + ARN.replace(':', '%3A').replace('/', '%2F')
GET = {'operation': 'GetImage', 'method': 'GET', 'path': '/GetImage', 'query': QUERY}


# Room for a busy machine, behind bounds that the client itself keeps; 0 demands them exactly.
LOAD_S = float(os.environ.get('IB_LOAD_MARGIN_MS', '20000')) / 1000


def wait_for_request(count=1):
    """Until the stand-in has so many requests."""
    begun = time.monotonic()
    while standin.ctl('count', op='*', status='any')['count'] < count:
        same(time.monotonic() - begun < 60, True, 'no request came')
        time.sleep(0.05)


def path(name):
    return os.path.join(FOLDER, name)


def cancel_body(token='7b0c9e4e-0000-4000-8000-000000000001'):
    return {'operation': 'CancelImageCreation', 'method': 'PUT', 'path': '/CancelImageCreation',
            'body': '{"imageBuildVersionArn":"%s","clientToken":"%s"}' % (ARN, token)}


def one(call=None, timeout_ms=10000, open_keys=None, image=True, env=None):
    """One client, one call: the answer with notes, stats and trace in it, and the seconds it took."""
    if image:
        standin.ctl('add-image', arn=ARN, age_s=600)
    with Probe(**(env or {})) as probe:
        begun = time.monotonic()
        opened = probe.ask('open', timeout_ms=timeout_ms, **{'endpoint_url': standin.url, **(open_keys or {})})
        if opened['rc'] != 'ok':
            return opened
        got = probe.ask('call', **(call or GET))
        got['took_s'] = time.monotonic() - begun
        got.update(probe.ask('close'))
        return got


def once(**keys):
    """As one(), with a single try."""
    env = {'AWS_MAX_ATTEMPTS': '1', **keys.pop('env', {})}
    return one(env=env, **keys)


@test
def answers():
    """A plain call is answered, its JSON is read and its request id is known."""
    got = one()
    same((got['rc'], got['status'], got['error_rc'], got['attempts']), ('ok', 200, 'ok', 1))
    same(got['value']['image']['state']['status'], 'BUILDING')
    same(got['url'], standin.url + '/GetImage')
    same(len(got['request_id']) > 0, True)


@test
def connection_is_kept():
    """Calls of one run share a connection."""
    accepted = []

    def serve(listener):
        while True:
            link, _ = listener.accept()
            accepted.append(link)
            threading.Thread(target=answer_all, args=(link,), daemon=True).start()

    def answer_all(link):
        while link.recv(65536):
            link.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
    with socket.create_server(('127.0.0.1', 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with Probe() as probe:
            probe.ask('open', endpoint_url=f'http://127.0.0.1:{listener.getsockname()[1]}', timeout_ms=10000)
            for _ in range(5):
                same(probe.ask('call', **GET)['status'], 200)
    same(len(accepted), 1)


@test
def stale_connection():
    """A kept connection that the server closed meanwhile costs nothing but a new one."""
    seen = []

    def serve(listener):
        while True:
            link, _ = listener.accept()
            seen.append(link.recv(65536))
            link.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
            link.close()
    with socket.create_server(('127.0.0.1', 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        with Probe() as probe:
            probe.ask('open', endpoint_url=f'http://127.0.0.1:{listener.getsockname()[1]}', timeout_ms=10000)
            for _ in range(3):
                got = probe.ask('call', **GET)
                same((got['status'], got['attempts']), (200, 1))
                time.sleep(0.05)
    same(len(seen), 3)


@test
def on_the_wire():
    """The request line and the fields are exactly what was signed, and nothing that curl adds."""
    seen = []

    def serve(listener):
        link, _ = listener.accept()
        seen.append(link.recv(65536))
        link.sendall(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}')
    with socket.create_server(('127.0.0.1', 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        port = listener.getsockname()[1]
        with Probe() as probe:
            probe.ask('open', endpoint_url=f'http://127.0.0.1:{port}/base/../x', timeout_ms=10000)
            probe.ask('call', operation='Foo', method='PUT', path='/a%20b/./c', query='q=%2F', body='{"a":1}')
    head, _, body = seen[0].decode().partition('\r\n\r\n')
    lines = head.split('\r\n')
    same(lines[0], 'PUT /base/../x/a%20b/./c?q=%2F HTTP/1.1')
    same(body, '{"a":1}')
    same(sorted(line.split(':')[0].lower() for line in lines[1:]),
         ['authorization', 'content-length', 'content-type', 'host', 'user-agent', 'x-amz-date'])
    has(head, f'Host: 127.0.0.1:{port}')
    has(head, 'Content-Type: application/json')
    has(head, 'User-Agent: ib-plugins/')


# --- faults: (name, keys of the fault, rc, words) ---
HANG = 3000
FAULTS = [
    ('silent', {}, 'timeout', ['127.0.0.1:', 'waiting for the answer', 'GetImage: ']),
    ('slow-drip', {'interval_s': 0.2}, 'timeout', ['reading the answer']),
    ('delay', {'seconds': 30}, 'timeout', ['waiting for the answer']),
    ('reset', {}, 'network', ['127.0.0.1:', 'broke while waiting for the answer']),
    ('close', {}, 'network', ['closed without an answer']),
    ('cut-off', {'keep': 40}, 'network', ['cut off after 40 bytes']),
    ('garbage', {}, 'network', ['not HTTP']),
    ('huge', {'bytes': 100 * 1024 * 1024}, 'limit', ['answer', '1048576']),
]


def add_fault_test(kind, keys, rc, words):
    def case():
        standin.ctl('add-fault', kind=kind, **keys)
        # A flood is no hang: it must end by its size, however slowly a loaded machine delivers it.
        limit_ms = 20000 if rc == 'limit' else HANG
        got = once(timeout_ms=limit_ms)
        same(got['rc'], rc, got['text'])
        for word in words:
            has(got['text'], word)
        same(got['took_s'] < limit_ms / 1000 + 1 + LOAD_S, True, f'took {got["took_s"]}')
        same(got['stats']['attempts'], 1)
    case.__doc__ = f'Fault {kind} ends in time, in one clear line'
    test(case)


for row in FAULTS:
    add_fault_test(*row)

ANSWERS = [
    ('wrong-content-type', {}, 200, 'parse', ['instead of JSON']),
    ('redirect', {'status': 302}, 302, 'http', ['HTTP 302', 'redirect']),
    ('redirect', {}, 307, 'http', ['redirect']),
    ('html', {}, 502, 'http', ['HTTP 502 with a web page']),
    ('html', {'status': 200}, 200, 'parse', ['text/html', 'instead of JSON']),
    ('http', {'status': 500, 'body': ''}, 500, 'http', ['HTTP 500']),
    ('http', {'status': 200, 'body': '{"image":'}, 200, 'parse', ['answer to GetImage', 'the text ends']),
    ('deep-json', {'depth': 20000}, 200, 'parse', ['answer to GetImage']),
    ('nul', {}, 200, 'parse', ['answer to GetImage']),
    ('empty-body', {}, 200, 'parse', ['empty']),
    ('error', {'code': 'ServiceException'}, 500, 'aws', ['ServiceException']),
    ('error', {'code': 'AccessDeniedException', 'status': 403, 'capital_message': True, 'message': 'no'}, 403, 'aws',
     ['access denied', 'imagebuilder:GetImage', 'no']),
]


def add_answer_test(kind, keys, status, rc, words):
    def case():
        standin.ctl('add-fault', kind=kind, **keys)
        got = once()
        same((got['rc'], got['status']), ('ok', status), got['text'])
        same(got['error_rc'] in (rc, 'limit'), True, got['error_rc'] + ' ' + got['text'])
        for word in words:
            has(got['text'], word)
    case.__doc__ = f'Answer {kind} {keys} is told for what it is'
    test(case)


for row in ANSWERS:
    add_answer_test(*row)


@test
def no_length():
    """An answer without a length, ended by the close of the connection, is read."""
    standin.ctl('add-fault', kind='no-length')
    same(once()['error_rc'], 'ok')


@test
def refused():
    """A refused connection names host, port and reason."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    got = once(image=False, open_keys={'endpoint_url': f'http://127.0.0.1:{port}'})
    same(got['rc'], 'network')
    has(got['text'], f'GetImage: 127.0.0.1:{port}: cannot connect: Connection refused')


@test
def unknown_host():
    """A name that does not exist is a matter of DNS and Region."""
    got = once(image=False, open_keys={'endpoint_url': 'https://imagebuilder.invalid'}, timeout_ms=5000)
    same(got['rc'] in ('network', 'timeout'), True)
    has(got['text'], 'DNS')


@test
def plain_http_elsewhere():
    """Plain http to another host is refused before anything is sent."""
    got = once(image=False, open_keys={'endpoint_url': 'http://192.0.2.1:80'})
    same(got['rc'], 'usage')
    has(got['text'], 'use https')


# --- retries ---

@test
def retried_500():
    """A 500 is tried again and then succeeds."""
    standin.ctl('add-fault', kind='error', code='ServiceException', times=2)
    got = one()
    same((got['status'], got['attempts'], got['stats']['retries']), (200, 3, 2))


@test
def three_tries():
    """Three tries in all, and the error says so."""
    standin.ctl('add-fault', kind='http', status=503)
    got = one(timeout_ms=20000)
    same((got['status'], got['attempts']), (503, 3))
    has(got['text'], 'after 3 tries: GetImage: HTTP 503')


@test
def max_attempts_and_mode():
    """AWS_MAX_ATTEMPTS and AWS_RETRY_MODE are obeyed."""
    standin.ctl('add-fault', kind='throttle', retry_after_ms=1)
    got = one(env={'AWS_MAX_ATTEMPTS': '2'})
    same((got['status'], got['attempts'], got['stats']['throttled']), (429, 2, 2))
    got = one(env={'AWS_RETRY_MODE': 'legacy'}, timeout_ms=60000, image=False)
    same(got['attempts'], 5)


@test
def image_builders_throttle():
    """CallRateLimitExceededException is retried, and x-amz-retry-after is waited for."""
    standin.ctl('add-fault', kind='throttle', times=1, retry_after_ms=700)
    got = one()
    same((got['status'], got['attempts']), (200, 2))
    same(got['took_s'] >= 0.7, True)


@test
def retry_after_too_long():
    """A Retry-After beyond the deadline ends the call at once with the answer that there is."""
    standin.ctl('add-fault', kind='throttle', retry_after=60)
    got = one(timeout_ms=50000)
    same((got['status'], got['attempts'], got['code']), (429, 1, 'CallRateLimitExceededException'))
    same(got['took_s'] < 40, True)


@test
def retried_reset_keeps_token():
    """A lost answer to a cancel is tried again with the same token: one cancel."""
    standin.ctl('add-image', arn=ARN)
    standin.ctl('add-fault', op='CancelImageCreation', kind='reset', times=1, apply=True)
    got = one(call=cancel_body(), image=False)
    same((got['status'], got['attempts']), (200, 2))
    same(standin.ctl('cancels', arn=ARN)['cancels'], 1)


@test
def no_retry():
    """What must not be repeated is not, but for a throttle."""
    standin.ctl('add-fault', kind='reset', times=1)
    got = one(call={**GET, 'no_retry': True})
    same((got['rc'], got['stats']['attempts']), ('network', 1))
    standin.ctl('clear-faults')
    standin.ctl('add-fault', kind='throttle', retry_after_ms=1, times=1)
    got = one(call={**GET, 'no_retry': True}, image=False)
    same((got['status'], got['attempts']), (200, 2))


@test
def silent_then_answer():
    """A try that gets no answer leaves time for the next."""
    standin.ctl('add-fault', kind='silent', times=1)
    got = one(timeout_ms=12000)
    same((got['status'], got['attempts']), (200, 2))


@test
def fresh_signature():
    """Every try is signed anew: the stand-in, whose clock goes right, takes them all."""
    standin.ctl('add-fault', kind='error', code='ServiceException', times=2)
    got = one(open_keys={'trace': True})
    signed = [line for line in got['trace'] if line.startswith('> X-Amz-Date: ')]
    same(len(signed), 3)


# --- clock and credentials ---

@test
def skewed_clock():
    """A clock that is 20 minutes off is corrected once from the Date header, and both times are told."""
    standin.ctl('set-clock-skew', seconds=1200)
    got = one()
    same((got['status'], got['attempts']), (200, 2))
    same(len(got['notes']), 1)
    has(got['notes'][0], 'the clock of this machine says ')
    has(got['notes'][0], ', AWS says ')
    same(1190000 < got['stats']['skew_ms'] < 1210000, True)


@test
def skew_is_remembered():
    """The corrected clock serves the calls that follow."""
    standin.ctl('set-clock-skew', seconds=-900)
    standin.ctl('add-image', arn=ARN)
    with Probe() as probe:
        probe.ask('open', endpoint_url=standin.url, timeout_ms=10000)
        same(probe.ask('call', **GET)['attempts'], 2)
        same(probe.ask('call', **GET)['attempts'], 1)


@test
def wrong_secret():
    """A wrong secret with a right clock is not tried again."""
    got = one(env={'AWS_SECRET_ACCESS_KEY': 'wrong'})
    same((got['status'], got['attempts'], got['error_rc']), (403, 1, 'aws'))
    has(got['text'], 'secret key does not fit')


@test
def expired_without_others():
    """Expired credentials from the environment cannot be renewed: told, and not tried for ever."""
    standin.ctl('add-fault', kind='error', code='ExpiredTokenException', status=403)
    got = one()
    same((got['status'], got['code']), (403, 'ExpiredTokenException'))
    same(got['attempts'] <= 2, True)
    has(got['text'], 'expired')


@test
def expired_is_renewed():
    """ExpiredToken in the middle of a run asks the provider once and goes on."""
    script = path('process.sh')
    with open(script, 'w', encoding='ascii') as handle:
        handle.write('#!/bin/sh\necho x >> "%s"\n' % path('calls') +
                     'echo \'{"Version":1,"AccessKeyId":"%s","SecretAccessKey":"%s","Expiration":"2099-01-01T00:00:00Z"}\'\n' % (KEY, SECRET))
    os.chmod(script, 0o755)
    with open(path('config'), 'w', encoding='ascii') as handle:
        handle.write('[default]\ncredential_process = %s\n' % script)
    standin.ctl('add-fault', kind='error', code='ExpiredTokenException', status=403, times=1)
    os.chmod(FOLDER, 0o755)
    got = one(env={'AWS_CONFIG_FILE': path('config'), 'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None})
    if got.get('rc') == 'credentials' and 'written by' in got['text']:
        raise AssertionError(got['text'])
    same((got.get('status'), got.get('attempts')), (200, 2), got['text'])
    with open(path('calls'), encoding='ascii') as handle:
        same(len(handle.readlines()), 2)
    has(got['notes'][0], 'asked credential_process for new ones')


@test
def no_credentials():
    """Without credentials nothing is sent, once for a whole batch."""
    standin.ctl('clear-requests')
    got = one(call={**GET, 'times': 8, 'parallel': 4}, env={'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None})
    same({job['rc'] for job in got['all']}, {'credentials'})
    same(standin.ctl('requests')['requests'], [])


@test
def no_region():
    """Without a Region nothing is sent, and what was looked at is named."""
    got = one(env={'AWS_REGION': None})
    same(got['rc'], 'usage')
    has(got['text'], '--region')


@test
def region_of_the_arn():
    """The ARN's Region wins over the environment; against --region it is an error that names both."""
    got = one(call={**GET, 'region': 'eu-central-1'}, env={'AWS_REGION': 'us-east-1'})
    same(got['status'], 200)
    got = one(call={**GET, 'region': 'eu-central-1'}, open_keys={'region': 'us-east-1'}, image=False)
    same(got['rc'], 'usage')
    has(got['text'], 'us-east-1')
    has(got['text'], 'eu-central-1')


# --- trace ---

@test
def trace_hides_secrets():
    """The trace shows requests and answers, and neither signature, token nor secret."""
    standin.ctl('credentials', key='ASIATESTTOKEN', secret=SECRET, token='FwoGSECRETTOKEN==')
    got = one(open_keys={'trace': True},
              env={'AWS_ACCESS_KEY_ID': 'ASIATESTTOKEN', 'AWS_SESSION_TOKEN': 'FwoGSECRETTOKEN=='})
    text = '\n'.join(got['trace'])
    same(got['status'], 200)
    has(text, '> GET ' + standin.url + '/GetImage?imageBuildVersionArn=')
    has(text, '> Authorization: (hidden)')
    has(text, '> X-Amz-Security-Token: (hidden)')
    has(text, '< 200 in ')
    has(text, '"BUILDING"')
    for secret in (SECRET, 'FwoGSECRETTOKEN', 'Signature='):
        same(secret in text, False, secret)


# --- --diagnose ---

def diagnose(env=None, **keys):
    with Probe(**(env or {})) as probe:
        got = probe.ask('diagnose', **{'endpoint_url': standin.url, **keys})
    return got, {topic: '\n'.join(text for name, text in got['rows'] if name == topic) for topic, _ in got['rows']}


@test
def diagnose_health():
    """--diagnose tells every setting with who said so, the provider that answered, the caller and the clock."""
    got, rows = diagnose(arn_region='eu-central-1')
    same(got['rc'], 'ok', got['text'])
    has(rows['region'], 'eu-central-1 (')
    has(rows['region'], 'partition aws')
    has(rows['endpoint'], 'imagebuilder: ' + standin.url + ' (--endpoint-url), proxy: none')
    has(rows['credentials'], 'environment: used')
    has(rows['caller'], 'arn:aws:')
    has(rows['clock'], ', as AWS')
    has(rows['trusted CAs'], '/')
    has(rows['tries'], '3 at most (retry mode standard)')
    has(rows['user'], 'HOME /nonexistent, home in the password database ')
    has(rows['config file'], '/nonexistent/.aws/config: ')
    same(SECRET in str(got), False)


@test
def diagnose_sickness():
    """--diagnose goes on without Region, credentials or a profile, and says what is missing."""
    got, rows = diagnose(env={'AWS_REGION': None})
    same(got['rc'], 'usage')
    has(rows['region'], '--region')
    has(rows['credentials'], 'environment: used')
    got, rows = diagnose(env={'AWS_ACCESS_KEY_ID': None, 'AWS_SECRET_ACCESS_KEY': None})
    same(got['rc'], 'credentials')
    has(rows['credentials'], 'environment: passed over')
    has(rows['endpoint'], 'imagebuilder')
    got, rows = diagnose(profile='nowhere')
    same(got['rc'], 'credentials')
    has(rows['settings'], 'nowhere')
    has(rows['config file'], '/nonexistent/.aws/config')


@test
def diagnose_skew_and_denial():
    """--diagnose shows a wrong clock and a caller that is refused."""
    standin.ctl('set-clock-skew', seconds=1200)
    got, rows = diagnose()
    same(got['rc'], 'ok', got['text'])
    has(rows['clock'], 'ahead: check the time service')
    standin.ctl('reset')
    got, rows = diagnose(env={'AWS_SECRET_ACCESS_KEY': 'wrong'})
    same(got['rc'], 'aws')
    has(rows['caller'], 'secret key does not fit')


# --- several at once ---

@test
def parallel():
    """Twelve slow calls at once take little longer than one, never more than the limit at a time."""
    standin.ctl('add-fault', kind='delay', seconds=1)
    got = one(call={**GET, 'times': 12, 'parallel': 6}, timeout_ms=60000)
    same([job['status'] for job in got['all']], [200] * 12)
    # Two rounds of six; one after the other they would take twelve seconds.
    same(2.0 <= got['elapsed_ms'] / 1000 < 11.0, True, got['elapsed_ms'])


@test
def parallel_faults_stay_apart():
    """One failing call of a batch leaves the others alone."""
    standin.ctl('add-fault', kind='error', code='InvalidRequestException', status=400, nth=[3])
    got = one(call={**GET, 'times': 5, 'parallel': 5})
    same(sorted(job['status'] for job in got['all']), [200, 200, 200, 200, 400])


@test
def parallel_skew():
    """A wrong clock is corrected once for all calls of a batch."""
    standin.ctl('set-clock-skew', seconds=1200)
    got = one(call={**GET, 'times': 6, 'parallel': 6})
    same([job['status'] for job in got['all']], [200] * 6)
    same(len(got['notes']), 1)


@test
def stop_signal():
    """SIGTERM ends a wait at once, and the line says so."""
    standin.ctl('add-image', arn=ARN)
    standin.ctl('add-fault', kind='silent')
    with Probe() as probe:
        probe.ask('open', endpoint_url=standin.url, timeout_ms=60000)
        probe.send('call', **GET)
        wait_for_request()
        begun = time.monotonic()
        probe.process.send_signal(signal.SIGTERM)
        got = probe.read()
        same(got['rc'], 'timeout')
        has(got['text'], 'stopped by SIGTERM while waiting for the answer')
        same(time.monotonic() - begun < 40, True)


@test
def stop_between_tries():
    """SIGTERM ends the wait before another try."""
    standin.ctl('add-image', arn=ARN)
    standin.ctl('add-fault', kind='throttle', retry_after=50)
    with Probe() as probe:
        probe.ask('open', endpoint_url=standin.url, timeout_ms=60000)
        probe.send('call', **GET)
        wait_for_request()
        begun = time.monotonic()
        probe.process.send_signal(signal.SIGTERM)
        got = probe.read()
        same(got['rc'], 'timeout')
        has(got['text'], 'stopped by SIGTERM')
        same(time.monotonic() - begun < 40, True)


# --- TLS ---

def tls_standin(name):
    return Standin('--tls-cert', path(name + '.pem'), '--tls-key', path(name + '.key'))


@test
def tls_trusted():
    """A server whose CA is named by --ca-bundle is trusted."""
    server = tls_standin('local')
    got = once(image=False, open_keys={'endpoint_url': server.url.replace('http:', 'https:'), 'ca_bundle': path('ca.pem')})
    server.stop()
    same((got['rc'], got['status'], got['code']), ('ok', 404, 'ResourceNotFoundException'), got['text'])


@test
def tls_untrusted():
    """A server of an unknown CA is refused, and the CAs that were used are named."""
    server = tls_standin('local')
    url = server.url.replace('http:', 'https:')
    got = once(image=False, open_keys={'endpoint_url': url})
    same(got['rc'], 'tls')
    has(got['text'], 'certificate not trusted')
    has(got['text'], 'CAs from /etc/ssl/certs')
    got = once(image=False, open_keys={'endpoint_url': url}, env={'AWS_CA_BUNDLE': path('aws.pem')})
    same(got['rc'], 'tls')
    has(got['text'], path('aws.pem') + ' (AWS_CA_BUNDLE)')
    server.stop()


@test
def tls_other_name():
    """A certificate for another host is refused and told."""
    server = tls_standin('other')
    got = once(image=False, open_keys={'endpoint_url': server.url.replace('http:', 'https:'), 'ca_bundle': path('ca.pem')})
    server.stop()
    same(got['rc'], 'tls')
    has(got['text'], 'the certificate is for another host')


@test
def tls_missing_bundle():
    """A CA bundle that is not there is a configuration error, not a fall-back."""
    got = once(image=False, open_keys={'ca_bundle': '/nonexistent/ca.pem'})
    same(got['rc'], 'config')
    has(got['text'], '--ca-bundle')


@test
def tls_to_plain_port():
    """https to a port that speaks plain HTTP is a TLS failure."""
    got = once(image=False, open_keys={'endpoint_url': standin.url.replace('http:', 'https:'), 'ca_bundle': path('ca.pem')}, timeout_ms=4000)
    same(got['rc'] in ('tls', 'timeout', 'network'), True, got['rc'])
    has(got['text'], '127.0.0.1:')


@test
def tls_old_version():
    """A server that offers TLS 1.1 at most is refused."""
    listener = socket.create_server(('127.0.0.1', 0))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path('local.pem'), path('local.key'))
    context.set_ciphers('ALL:@SECLEVEL=0')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    def serve():
        link, _ = listener.accept()
        try:
            context.wrap_socket(link, server_side=True).close()
        except OSError:
            link.close()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = listener.getsockname()[1]
    got = once(image=False, open_keys={'endpoint_url': f'https://127.0.0.1:{port}', 'ca_bundle': path('ca.pem')}, timeout_ms=4000)
    listener.close()
    same(got['rc'], 'tls')
    has(got['text'], 'TLS failed')


@test
def tls_silent():
    """A server that says nothing in the handshake ends in time, and the stage is named."""
    with socket.create_server(('127.0.0.1', 0)) as listener:
        port = listener.getsockname()[1]
        got = once(image=False, open_keys={'endpoint_url': f'https://127.0.0.1:{port}'}, timeout_ms=1500)
    same(got['rc'], 'timeout')
    has(got['text'], 'the TLS handshake')
    same(got['took_s'] < 2.5 + LOAD_S, True)


# --- proxies ---

def proxy_standin():
    return Standin('--connect-cert', path('aws.pem'), '--connect-key', path('aws.key'))


@test
def proxy_real_names():
    """Through a proxy the real host name is called, without an endpoint URL."""
    proxy = proxy_standin()
    image = proxy.ctl('add-image', arn=ARN)
    same(image['arn'], ARN)
    for env, keys in (({'HTTPS_PROXY': proxy.url}, {}), ({'https_proxy': proxy.url}, {}), ({}, {'proxy': proxy.url})):
        got = once(image=False, env=env, timeout_ms=5000, open_keys={'endpoint_url': None, 'ca_bundle': path('ca.pem'), **keys})
        same((got['rc'], got.get('status')), ('ok', 200), got['text'])
        same(got['url'], 'https://imagebuilder.eu-central-1.amazonaws.com/GetImage')
    proxy.stop()


@test
def proxy_refuses():
    """A proxy that wants a password, or says no, is named with where it was set."""
    proxy = proxy_standin()
    proxy.ctl('add-fault', op='CONNECT', kind='http', status=407)
    got = once(image=False, env={'HTTPS_PROXY': proxy.url}, timeout_ms=5000, open_keys={'endpoint_url': None, 'ca_bundle': path('ca.pem')})
    proxy.stop()
    same(got['rc'], 'http')
    has(got['text'], f'proxy 127.0.0.1:{proxy.port} (HTTPS_PROXY) refused the way to imagebuilder.eu-central-1.amazonaws.com: HTTP 407')


@test
def proxy_recovers():
    """A proxy's 503 is tried again."""
    proxy = proxy_standin()
    proxy.ctl('add-image', arn=ARN)
    proxy.ctl('add-fault', op='CONNECT', kind='http', status=503, times=1)
    got = one(image=False, env={'HTTPS_PROXY': proxy.url}, open_keys={'endpoint_url': None, 'ca_bundle': path('ca.pem')})
    proxy.stop()
    same((got['rc'], got.get('status'), got.get('attempts')), ('ok', 200, 2), got['text'])


@test
def proxy_down():
    """A proxy that is not there is told as such, without its password."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        port = s.getsockname()[1]
    got = once(image=False, env={'HTTPS_PROXY': f'http://user:hunter2@127.0.0.1:{port}'}, timeout_ms=5000, open_keys={'endpoint_url': None})
    same(got['rc'], 'network')
    has(got['text'], f'through the proxy 127.0.0.1:{port} (HTTPS_PROXY): cannot connect: Connection refused')
    same('hunter2' in str(got), False)


@test
def proxy_not_for_loopback():
    """A proxy in the environment is not used for this machine."""
    got = one(env={'HTTPS_PROXY': 'http://127.0.0.1:1', 'HTTP_PROXY': 'http://127.0.0.1:1', 'ALL_PROXY': 'http://127.0.0.1:1'})
    same(got['status'], 200)


if shutil.which('openssl') is None:
    print('1..0 # SKIP openssl is not installed')
    sys.exit(0)
code = test.run(standin)
standin.stop()
sys.exit(code)
