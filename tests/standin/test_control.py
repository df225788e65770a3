#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The stand-in's control API, its faults on the wire, and that nothing hostile brings it down."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
for name in list(os.environ):
    if name.startswith('AWS_') or name.lower().endswith('_proxy'):
        del os.environ[name]
os.environ['AWS_CONFIG_FILE'] = os.environ['AWS_SHARED_CREDENTIALS_FILE'] = '/nonexistent/file'

import http.client  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import ssl  # noqa: E402
import subprocess  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402

import botocore.session  # noqa: E402
from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402

from tap import HERE, KEY, SECRET, Standin, Tests, has, same, until  # noqa: E402

standin = Standin('--time-scale', '10')
test = Tests()
ARN = 'arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7'
GET = '/GetImage?imageBuildVersionArn=' + ARN.replace(':', '%3A').replace('/', '%2F')


def headers(method, target, body=b'', given=None):
    request = AWSRequest(method=method, url=standin.url + target, data=body, headers=given or {})
    SigV4Auth(Credentials(KEY, SECRET), 'imagebuilder', 'eu-central-1').add_auth(request)
    return dict(request.headers.items())


def send(method='GET', target=GET, body=b'', timeout=20):
    return standin.raw(method, target, body or None, headers(method, target, body), timeout)


def cancel(arn=ARN, token='one'):
    body = json.dumps({'imageBuildVersionArn': arn, 'clientToken': token}).encode()
    return send('PUT', '/CancelImageCreation', body)


def raw_bytes(data, wait=5):
    """Sends bytes as they are and gives what comes back until the other side closes."""
    with socket.create_connection(('127.0.0.1', standin.port), timeout=wait) as link:
        got = b''
        try:
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            while True:
                part = link.recv(65536)
                if not part:
                    return got
                got += part
        except OSError:
            return got


def get_bytes():
    lines = [f'GET {GET} HTTP/1.1', f'Host: 127.0.0.1:{standin.port}']
    lines += [f'{k}: {v}' for k, v in headers('GET', GET).items()]
    return ('\r\n'.join(lines) + '\r\n\r\n').encode()


def complaint(command, **spec):
    try:
        standin.ctl(command, **spec)
    except ValueError as error:
        return str(error)
    raise AssertionError(f'{command} {spec} was taken')


def ctl(*words):
    """The command line: (exit code, stdout, stderr)."""
    done = subprocess.run([sys.executable, os.path.join(HERE, 'ctl.py'), standin.port_file, *words],
                          capture_output=True, text=True, timeout=30, check=False)
    return done.returncode, done.stdout.strip(), done.stderr.strip()


@test
def _():
    """ctl.py takes JSON, key=value, options and positional words, and prints plain values."""
    code, arn, _ = ctl('add-image', 'name=web-server', 'version=1.4.2', 'build=7', 'age_s=60')
    same((code, arn), (0, ARN))
    same(ctl('add-image', '{"name": "b", "status": "FAILED"}', '--reason', 'no')[0], 0)
    same(ctl('state', ARN)[1], 'BUILDING')
    same(ctl('set-image', ARN, 'status=TESTING')[1], 'TESTING')
    cancel()
    same(ctl('cancels', ARN)[1], '1')
    same(ctl('count', 'CancelImageCreation', '--arn', ARN)[1], '1')
    same(ctl('count', 'CancelImageCreation', '--arn=' + ARN + '1')[1], '0')
    lines = ctl('requests', 'CancelImageCreation')[1].splitlines()
    same([json.loads(x)['client_token'] for x in lines], ['one'])


@test
def _():
    """ctl.py says in one line what it refuses, and exits 1."""
    for words, part in ((('count', 'Nothing'), 'no operation'), (('state', ARN), 'no image'),
                        (('nonsense',), 'no command'),
                        (('add-image', 'name=a', 'colour=red'), 'colour'),
                        (('add-image', 'arn=x'), 'no image build version ARN')):
        code, out, err = ctl(*words)
        same((code, out, len(err.splitlines())), (1, '', 1))
        has(err, part)
    same(ctl()[0], 2)


@test
def _():
    """mistakes in a build, a fault, a pipeline or a setting are named."""
    standin.ctl('add-image', arn=ARN)
    has(complaint('add-image', arn=ARN), 'already')
    has(complaint('add-image'), 'name')
    has(complaint('add-image', name='x', script=[[1]]), 'script')
    has(complaint('add-image', name='x', on_cancel=7), 'on_cancel')
    has(complaint('add-image', name='x', on_cancel={'poll': 1}), 'on_cancel.poll')
    has(complaint('add-image', name='x', workflows=[{'type': 'Z'}]), 'type')
    has(complaint('add-fault', kind='flood'), 'kind')
    has(complaint('add-fault', often=3), 'often')
    has(complaint('add-pipeline', color=1), 'name')
    has(complaint('set-services', imds={'v2': 1}), 'imds.v2')
    has(complaint('set-defaults', speed=1), 'speed')
    has(complaint('load-scenario', name='none'), 'cancel-normal')
    same(standin.raw('POST', '/_standin/add-image', '[1]')[0], 400)
    same(standin.raw('POST', '/_standin/add-image', '{')[0], 400)


@test
def _():
    """a build carries workflow executions as told, with ages and steps."""
    standin.ctl('add-image', arn=ARN, age_s=9000, workflows=[
        {'type': 'BUILD', 'status': 'COMPLETED', 'start_age_s': 8900},
        {'type': 'TEST', 'start_age_s': 3600, 'steps': [
            {'name': 'LaunchTestInstance', 'action': 'LaunchInstance', 'status': 'COMPLETED'},
            {'name': 'Approve', 'action': 'WaitForAction', 'start_age_s': 3000}]}])
    body = json.dumps({'imageBuildVersionArn': ARN}).encode()
    flows = json.loads(send('POST', '/ListWorkflowExecutions', body)[2])['workflowExecutions']
    same(sorted((f['type'], f['status'], f['totalStepCount']) for f in flows),
         [('BUILD', 'COMPLETED', 0), ('TEST', 'RUNNING', 2)])
    found = json.loads(send('POST', '/ListWaitingWorkflowSteps', b'{}')[2])['steps']
    same([s['name'] for s in found], ['Approve'])
    same(standin.ctl('problems')['problems'], [])


@test
def _():
    """waiting steps go on by RESUME and end the build by STOP."""
    for action, status in (('RESUME', 'BUILDING'), ('STOP', 'FAILED')):
        arn = standin.ctl('add-image', name=action.lower(), waiting_step='Approve')['arn']
        steps = json.loads(send('POST', '/ListWaitingWorkflowSteps', b'{}')[2])['steps']
        step = [s for s in steps if s['imageBuildVersionArn'] == arn][0]
        call = {'stepExecutionId': step['stepExecutionId'], 'imageBuildVersionArn': arn,
                'action': action, 'clientToken': 't' + action}
        same(send('PUT', '/SendWorkflowStepAction', json.dumps(call).encode())[0], 200)
        same(standin.ctl('state', arn=arn)['status'], status)
        call['clientToken'] = 'again'
        same(send('PUT', '/SendWorkflowStepAction', json.dumps(call).encode())[0], 400)
    same(standin.ctl('problems')['problems'], [])


@test
def _():
    """a retried build is in flight again under its old ARN."""
    standin.ctl('add-image', arn=ARN, status='FAILED', age_s=86400)
    body = json.dumps({'imageBuildVersionArn': ARN, 'clientToken': 'r'}).encode()
    same(send('PUT', '/RetryImage', body)[0], 200)
    same(standin.ctl('state', arn=ARN)['status'], 'PENDING')
    same(standin.ctl('state', arn=ARN)['retries'], 1)


@test
def _():
    """the time scale makes scripts run faster, dates stay real."""
    standin.ctl('add-image', arn=ARN, script=[[0, 'BUILDING'], [15, 'AVAILABLE']])
    same(standin.ctl('state', arn=ARN)['status'], 'BUILDING')
    took = until('AVAILABLE', lambda: standin.ctl('state', arn=ARN)['status'])
    same(1 < took < 14, True, f'{took} s')
    same(time.time() - standin.ctl('state', arn=ARN)['created'] < 14, True)


@test
def _():
    """GetImage may answer a file or bytes as they are."""
    standin.ctl('add-image', arn=ARN, raw={'file': 'get-image-edge/deep-nesting.txt'})
    same(send()[0], 200)
    standin.ctl('set-image', arn=ARN, raw={'body': 'not json', 'status': 203,
                                             'content_type': 'a/b'})
    status, heads, body = send()
    same((status, heads['Content-Type'], body), (203, 'a/b', b'not json'))
    standin.ctl('set-image', arn=ARN, raw={'envelope': 'errors/html-502.json'})
    status, heads, body = send()
    same((status, heads['Content-Type']), (502, 'text/html'))


@test
def _():
    """every scenario of the samples plays its answers in order and repeats the last ones."""
    with open(os.path.join(HERE, '..', 'data', 'samples', 'scenarios.json'), encoding='utf-8') as f:
        scenarios = {k: v for k, v in json.load(f).items() if isinstance(v, list)}
    same(len(scenarios) > 10, True)
    for name, answers in scenarios.items():
        standin.ctl('load-scenario', name=name)
        for answer in answers:
            got = send() if answer['op'] == 'GetImage' else cancel()
            same(got[0], answer['status'], f'{name} {answer["file"]}')
        same(standin.ctl('scenario')['played'], [a['file'] for a in answers], name)
        last = [a for a in answers if a['op'] == 'GetImage'][-1]
        same(send()[0], last['status'], name)
    standin.ctl('end-scenario')
    same(send()[0], 404)


@test
def _():
    """cancels in a scenario, and of a build that was deleted, are counted from the record."""
    arn = 'arn:aws:imagebuilder:us-west-2:123456789012:image/golden-al2023/1.0.0/1'
    standin.ctl('load-scenario', name='cancel-never-lands')
    same(standin.ctl('cancels', arn=arn)['cancels'], 0)
    for token in ('a', 'a', 'b'):
        cancel(arn, token)
    same(standin.ctl('cancels', arn=arn)['cancels'], 2)


@test
def _():
    """all 77 operations are found by method and path; what they lack is named."""
    with open(os.path.join(HERE, 'operations.tsv'), encoding='utf-8') as handle:
        rows = [line.rstrip('\n').split('\t') for line in handle if not line.startswith('#')]
    same(len(rows), 77)
    refused = 0
    for name, method, uri, query, _, body in rows:
        quoted = ARN.replace(':', '%3A').replace('/', '%2F')
        target = uri.replace('{resourceArn}', quoted)
        pairs = [f'{q}={quoted}' for q in query.split(',') if q]
        data = json.dumps({b: 'x' for b in body.split(',') if b == 'clientToken'}).encode()
        status, heads, answer = send(method, target + ('?' + '&'.join(pairs) if pairs else ''),
                                     data if method in ('PUT', 'POST') else b'')
        if status != 200:
            refused += 1
            allowed = ('InvalidRequestException', 'ResourceNotFoundException')
            same(heads['x-amzn-ErrorType'] in allowed, True, f'{name} {answer}')
    found = standin.ctl('requests')['requests']
    same([r['op'] for r in found], [row[0] for row in rows])
    same(refused <= 50, True, f'{refused} refused')
    same(standin.ctl('problems')['problems'], [])


@test
def _():
    """faults strike the requests that they name: operation, build, number, after, times."""
    other = standin.ctl('add-image', name='other')['arn']
    standin.ctl('add-image', arn=ARN)
    standin.ctl('add-fault', op='GetImage', arn=ARN, nth=[2, 4], kind='html')
    target = GET.replace('web-server%2F1.4.2%2F7', 'other%2F1.0.0%2F1')
    same((standin.ctl('state', arn=other)['status'], send(target=target)[0]), ('BUILDING', 200))
    same([send()[0] for _ in range(5)], [200, 502, 200, 502, 200])
    standin.ctl('clear-faults')
    standin.ctl('add-fault', op=['GetImage', 'ListImages'], after=1, times=2, kind='error',
                code='ServiceUnavailableException')
    same([send()[0] for _ in range(4)], [200, 503, 503, 200])
    same(standin.ctl('faults')['faults'][0]['fired'], 2)


@test
def _():
    """reset, close, garbage and cut-off break the connection each in its way."""
    standin.ctl('add-image', arn=ARN)
    for kind, wanted in (('reset', (ConnectionResetError,)),
                         ('close', (http.client.RemoteDisconnected,)),
                         ('garbage', (http.client.BadStatusLine, http.client.LineTooLong)),
                         ('cut-off', (http.client.IncompleteRead,))):
        standin.ctl('add-fault', op='GetImage', kind=kind, times=1)
        try:
            send()
        except wanted:
            continue
        raise AssertionError(f'{kind} was not noticed')
    same(send()[0], 200)


@test
def _():
    """delay, drip and silence take the time told; whoever leaves blocks nobody."""
    standin.ctl('add-image', arn=ARN)
    standin.ctl('add-fault', op='GetImage', kind='delay', seconds=0.3, times=1)
    begun = time.monotonic()
    same(send()[0], 200)
    same(time.monotonic() - begun >= 0.3, True)
    for kind in ('silent', 'slow-drip'):
        standin.ctl('clear-faults')
        standin.ctl('add-fault', op='GetImage', kind=kind)
        try:
            send(timeout=0.3)
        except (socket.timeout, TimeoutError):
            same(cancel(token=kind)[0], 200)
            continue
        raise AssertionError(f'{kind} answered')


@test
def _():
    """spoilt answers: type, Date, length, members, NUL, depth, size, redirect, nothing."""
    standin.ctl('add-image', arn=ARN)

    def once(kind, **more):
        standin.ctl('clear-faults')
        standin.ctl('add-fault', op='GetImage', kind=kind, times=1, **more)
        return send()
    same(once('wrong-content-type')[1]['Content-Type'], 'text/html')
    has(once('date-skew', skew_s=-86400 * 400)[1]['Date'], str(time.gmtime().tm_year - 1))
    same('Content-Length' in once('no-length')[1], False)
    has(once('extra-members')[2], b'aMemberOfTheFuture')
    has(once('nul')[2], b'\0')
    same(once('deep-json', depth=50)[2].count(b'['), 50)
    same(len(once('huge', bytes=3000000)[2]), 3000000)
    got = once('redirect', status=301, location='http://example.invalid/')
    same((got[0], got[1]['Location']), (301, 'http://example.invalid/'))
    same(once('empty-body')[::2], (200, b''))
    got = once('throttle', retry_after=7, status=400, code='ThrottlingException')
    same((got[0], got[1]['Retry-After'], got[1]['x-amzn-ErrorType']),
         (400, '7', 'ThrottlingException'))
    got = once('error', code='InvalidRequestException', type_in_body=True)
    same((got[0], json.loads(got[2])['__type']), (400, 'com.amazonaws.imagebuilder#'
                                                       'InvalidRequestException'))
    same(once('http', status=418, body='x', headers={'X-A': 'b'})[0], 418)


@test
def _():
    """bytes that are not HTTP, and HTTP that is not ours, get an error and harm nothing."""
    standin.ctl('add-image', arn=ARN)
    random_bytes = random.Random(7)
    hostile = [b'', b'\r\n\r\n', b'\0' * 4096, b'GET', b'GET / HTTP/9.9\r\n\r\n',
               b'GET ' + b'/a' * 40000 + b' HTTP/1.1\r\n\r\n',
               b'PUT /CancelImageCreation HTTP/1.1\r\nContent-Length: -5\r\n\r\n',
               b'PUT /CancelImageCreation HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n{}',
               b'PUT /CancelImageCreation HTTP/1.1\r\nContent-Length: 50\r\n\r\n{}',
               b'PUT /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
               b'GET /GetImage?%zz=%ff&&&= HTTP/1.1\r\n\r\n',
               b'GET http://[::1/ HTTP/1.1\r\n\r\n', b'GET //[x HTTP/1.1\r\n\r\n',
               b'GET /GetImage HTTP/1.1\r\nAuthorization: \xff\xfe\r\nX-Amz-Date: \xe4\r\n\r\n',
               b'POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nAction=\xff\xfe',
               b'POST /_standin/add-image HTTP/1.1\r\nContent-Length: 100000\r\n\r\n'
               + b'[' * 100000,
               b'BREW / HTTP/1.1\r\n\r\n'] + [bytes(random_bytes.randrange(256) for _ in range(200))
                                               for _ in range(30)]
    for data in hostile:
        raw_bytes(data, wait=3)
    for cut in range(0, 400, 37):
        raw_bytes(get_bytes()[:cut])
    same(send()[0], 200)
    same(standin.process.poll(), None)


@test
def _():
    """signed nonsense in a body is an error of the caller, and changes nothing."""
    for body in (b'', b'[]', b'null', b'{', b'{"imageBuildVersionArn": 7, "clientToken": "x"}',
                 b'\xff\xfe', b'[' * 50000, b'{"a":' * 5000 + b'1' + b'}' * 5000,
                 b'{"imageBuildVersionArn": {"a": []}, "clientToken": null}',
                 json.dumps({'imageBuildVersionArn': ARN, 'clientToken': 'x' * 65}).encode()):
        status, _, answer = send('PUT', '/CancelImageCreation', body)
        same(status, 400, str(body[:40]) + str(answer[:300]))
    same(send('GET', '/NoSuchOperation')[0], 403)
    same(send('DELETE', '/GetImage')[0], 403)


@test
def _():
    """fifty callers at once are counted exactly, and one token makes one cancel."""
    standin.ctl('add-image', arn=ARN, on_cancel='never')
    answers, lock = [], threading.Lock()

    def caller(number):
        for turn in range(4):
            found = cancel(token=f'token-{(number + turn) % 5}')[0]
            seen = send()[0]
            with lock:
                answers.extend((found, seen))
    threads = [threading.Thread(target=caller, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    same((len(answers), set(answers)), (400, {200}))
    same(standin.ctl('count', op='CancelImageCreation', arn=ARN)['count'], 200)
    same(standin.ctl('count', op='GetImage')['count'], 200)
    same(standin.ctl('cancels', arn=ARN)['cancels'], 5)


@test
def _():
    """ten thousand builds are made and paged through; the stuck ones are told."""
    made = standin.ctl('bulk-images', count=10000, names=50, stuck_every=2500)
    same(len(made['stuck']), 4)
    token, found = None, []
    while token is not None or not found:
        body = {} if token is None else {'nextToken': token}
        page = json.loads(send('POST', '/ListImageBuildVersions', json.dumps(body).encode())[2])
        found += [s['arn'] for s in page['imageSummaryList']]
        token = page.get('nextToken')
    same((len(found), len(set(found))), (10000, 10000))
    same(found == sorted(found), False, 'sorted')
    same(set(made['stuck']) <= set(found), True)
    same({standin.ctl('state', arn=a)['status'] for a in made['stuck']}, {'BUILDING'})


@test
def _():
    """the log file holds the same records, without any secret."""
    standin.ctl('add-image', arn=ARN)
    cancel()
    with open(os.path.join(standin.dir, 'requests.jsonl'), encoding='utf-8') as handle:
        text = handle.read()
    last = json.loads(text.splitlines()[-1])
    same((last['op'], last['client_token'], last['status'], last['signature']),
         ('CancelImageCreation', 'one', 200, 'ok'))
    same((SECRET in text, 'Signature=' in text), (False, False))


def certificate(name, *hosts):
    """A self-signed certificate and its key: paths."""
    pem = os.path.join(standin.dir, name + '.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=' + name,
                    '-addext', 'subjectAltName=' + ','.join(hosts), '-keyout', pem + '.key',
                    '-out', pem], check=True, capture_output=True)
    return pem, pem + '.key'


@test
def _():
    """TLS is spoken when asked for, and a client that never shakes hands blocks nobody."""
    pem, key = certificate('tls', 'IP:127.0.0.1')
    secure = Standin('--tls-cert', pem, '--tls-key', key)
    with socket.create_connection(('127.0.0.1', secure.port)):
        link = http.client.HTTPSConnection('127.0.0.1', secure.port, timeout=5,
                                           context=ssl.create_default_context(cafile=pem))
        link.request('POST', '/_standin/ping', '{}')
        same(link.getresponse().status, 200)
        link.close()
    secure.stop()


@test
def _():
    """as HTTPS proxy it is every host of AWS: a client finds it by the real endpoint's name."""
    host = 'imagebuilder.eu-central-1.amazonaws.com'
    pem, key = certificate('aws', 'DNS:' + host)
    proxy = Standin('--connect-cert', pem, '--connect-key', key)
    proxy.ctl('add-image', arn=ARN)
    client = botocore.session.Session().create_client(
        'imagebuilder', region_name='eu-central-1', aws_access_key_id=KEY,
        aws_secret_access_key=SECRET, verify=pem,
        config=Config(proxies={'https': proxy.url}, retries={'max_attempts': 0}))
    for _ in range(2):
        same(client.get_image(imageBuildVersionArn=ARN)['image']['arn'], ARN)
    found = proxy.ctl('requests')['requests']
    same([(r['op'], r['path']) for r in found],
         [('CONNECT', host + ':443'), ('GetImage', '/GetImage'), ('GetImage', '/GetImage')])
    same(found[1]['host'], host)
    proxy.stop()


@test
def _():
    """as plain HTTP proxy it takes whole URLs; without a certificate no tunnel is opened."""
    standin.ctl('add-image', arn=ARN)
    same(standin.raw('GET', standin.url + GET, headers=headers('GET', GET))[0], 200)
    same(raw_bytes(b'CONNECT example.invalid:443 HTTP/1.1\r\n\r\n').split()[1], b'405')
    standin.ctl('add-fault', op='CONNECT', kind='http', status=407)
    same(raw_bytes(b'CONNECT example.invalid:443 HTTP/1.1\r\n\r\n').split()[1], b'407')


@test
def _():
    """a clock that is off moves dates along: an age by the service's clock stays what it was."""
    standin.ctl('add-image', arn=ARN, age_s=600, script=[[0, 'BUILDING'], [9000, 'FAILED']])
    before = standin.ctl('state', arn=ARN)['created']
    standin.ctl('set-clock-skew', seconds=3600)
    after = standin.ctl('state', arn=ARN)
    same((round(after['created'] - before), after['status']), (3600, 'BUILDING'))
    same(send()[0], 403)


@test
def _():
    """ctl.py wait returns as soon as the state or number is there, and tells what it is if not."""
    standin.ctl('add-image', arn=ARN, script=[[0, 'BUILDING'], [3, 'FAILED']])
    same(ctl('wait', 'state', ARN, 'FAILED'), (0, 'FAILED', ''))
    send()
    same(ctl('wait', 'count', 'GetImage', '1', '--arn', ARN)[:2], (0, '1'))
    code, _, err = ctl('wait', 'cancels', ARN, '1', '--timeout=0.2')
    same(code, 1)
    has(err, 'is still 0, not 1')


@test
def _():
    """a build that names a pipeline makes it known."""
    arn = standin.ctl('add-image', arn=ARN, pipeline='nightly')['pipeline']
    target = '/GetImagePipeline?imagePipelineArn=' + arn.replace(':', '%3A').replace('/', '%2F')
    same(json.loads(send(target=target)[2])['imagePipeline']['name'], 'nightly')


@test
def _():
    """with --die-with-parent it does not outlive the test that started it."""
    code = ('import subprocess, sys\n'
            'p = subprocess.Popen([sys.executable] + sys.argv[1:])\n'
            'import os, time\n'
            'while not os.path.exists(sys.argv[3]): time.sleep(0.05)\n'
            'print(open(sys.argv[3]).read())\n'
            'sys.stdout.flush(); os.kill(os.getpid(), 9)')
    port_file = os.path.join(standin.dir, 'orphan')
    done = subprocess.run([sys.executable, '-c', code, os.path.join(HERE, 'standin.py'),
                           '--port-file', port_file, '--die-with-parent'], capture_output=True,
                          timeout=30, check=False)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            socket.create_connection(('127.0.0.1', int(done.stdout)), timeout=1).close()
        except OSError:
            return
        time.sleep(0.05)
    raise AssertionError('it is still there')


@test
def _():
    """SIGTERM ends it at once with exit code 0, also with a silent request under way."""
    second = Standin()
    second.ctl('add-fault', op='*', kind='silent')
    with socket.create_connection(('127.0.0.1', second.port)) as link:
        link.sendall(b'GET /latest/meta-data/ HTTP/1.1\r\nHost: x\r\n\r\n')
        time.sleep(0.2)
        begun = time.monotonic()
        second.process.send_signal(signal.SIGTERM)
        same(second.process.wait(10), 0)
        same(time.monotonic() - begun < 8, True)


sys.exit(test.run(standin))
