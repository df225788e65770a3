#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Signatures against botocore: 1,000 random requests, and the requests of our own operations."""
import json
import os
import random
import sys
import types
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from probe import Probe  # noqa: E402

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print('1..0 # SKIP python3-botocore is not installed')
    sys.exit(0)

import datetime  # noqa: E402

SEED = 20260903
COUNT = 1000
PIECES = ['a', 'Z', '0', '9', '-', '.', '_', '~', '/', ' ', '+', '%', '&', '=', '?', '#', ':', ',', ';', '@', '!', '$',
          "'", '(', ')', '*', '"', '<', '|', 'ä', '€', '\U0001F600', 'arn:aws:imagebuilder:eu-central-1:123456789012:image/x/1.0.0/1']
random_ = random.Random(SEED)


def text(most, pieces=None):
    return ''.join(random_.choice(pieces or PIECES) for _ in range(random_.randint(0, most)))


def quoted(value, safe=''):
    return urllib.parse.quote(value, safe=safe + '-._~')


def one():
    """A request as a client of ours could make it: everything on the wire is encoded."""
    words = [quoted(text(6)) for _ in range(random_.randint(1, 4))]
    if random_.random() < 0.2:
        words.insert(random_.randrange(len(words) + 1), random_.choice(['.', '..', '']))
    query = []
    for _ in range(random_.randint(0, 6)):
        query.append((quoted(text(4) or 'k'), quoted(text(8))))
    headers = {'Host': random_.choice(['imagebuilder.eu-central-1.amazonaws.com', '127.0.0.1:8080', '[::1]:4566', 'h.example'])}
    if random_.random() < 0.5:
        headers['Content-Type'] = 'application/json'
    for _ in range(random_.randint(0, 3)):
        name = 'X-' + (text(5, ['A', 'b', 'C', '0', '-', 'z']) or 'n')
        if name.lower() not in [n.lower() for n in headers]:
            headers[name] = ' ' + text(6, ['a', ' ', '  ', 'B', ',', '"', '=', '/']) + ' '
    return {
        'method': random_.choice(['GET', 'PUT', 'POST', 'DELETE']), 'path': '/' + '/'.join(words),
        'query': '&'.join('='.join(pair) for pair in query), 'headers': headers,
        'body': text(40) if random_.random() < 0.6 else '',
        'access': 'AKID' + text(12, ['A', 'B', '7']), 'secret': text(40, ['a', 'Z', '/', '+', '0']) or 's',
        'token': text(60, ['a', '=', '/', '+', 'Q']) or None if random_.random() < 0.5 else None,
        'region': random_.choice(['eu-central-1', 'us-gov-west-1', 'cn-north-1', 'us-isob-east-1']),
        'service': random_.choice(['imagebuilder', 'sts']),
        'now_ms': random_.randrange(946684800, 4102444800) * 1000 + random_.randrange(1000),
    }


def by_botocore(r):
    """Authorization and canonical request as botocore makes them, its clock set to the request's."""
    when = datetime.datetime.utcfromtimestamp(r['now_ms'] // 1000)

    class Clock(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return when

    module = types.SimpleNamespace(datetime=Clock, timedelta=datetime.timedelta)
    saved, botocore.auth.datetime = botocore.auth.datetime, module
    try:
        signer = botocore.auth.SigV4Auth(Credentials(r['access'], r['secret'], r['token']), r['service'], r['region'])
        url = 'https://' + r['headers']['Host'] + r['path'] + ('?' + r['query'] if r['query'] else '')
        request = AWSRequest(method=r['method'], url=url, data=r['body'].encode(), headers=dict(r['headers']))
        seen = {}
        plain = signer.canonical_request
        signer.canonical_request = lambda q: seen.setdefault('canonical', plain(q))
        signer.add_auth(request)
        return request.headers['Authorization'], seen['canonical']
    finally:
        botocore.auth.datetime = saved


def differ(probe, r):
    got = probe.ask('sign', **{k: v for k, v in r.items() if v is not None})
    authorization, canonical = by_botocore(r)
    if got['authorization'] == authorization:
        return None
    return [f'request  {json.dumps(r)}', f'botocore {canonical!r}', f'ours     {got["canonical_request"]!r}', got['text']]


def vectors():
    path = os.path.join(os.environ.get('IB_SHARED', '/nonexistent'), 'aws-vectors', 'imagebuilder-sigv4.json')
    if not os.path.exists(path):
        return []
    with open(path, encoding='utf-8') as handle:
        return json.load(handle)['cases']


def check_vector(probe, case):
    url = urllib.parse.urlsplit(case['url'])
    when = datetime.datetime.strptime(case['timestamp'], '%Y%m%dT%H%M%SZ').replace(tzinfo=datetime.timezone.utc)
    host = url.netloc
    for scheme, port in (('https', ':443'), ('http', ':80')):
        if url.scheme == scheme and host.endswith(port):
            host = host[:-len(port)]
    line = {'method': case['method'], 'path': url.path or '/', 'query': url.query, 'body': case['body'],
            'headers': {'Host': host, **case['headers']}, 'access': case['access_key_id'],
            'secret': case['secret_access_key'], 'region': case['region'], 'service': case['service'],
            'now_ms': int(when.timestamp()) * 1000}
    if case['session_token']:
        line['token'] = case['session_token']
    got = probe.ask('sign', **line)
    wanted = {'canonical_request': case['canonical_request'], 'authorization': case['authorization']}
    return [f'{key}: got {got[key]!r}, wanted {value!r}' for key, value in wanted.items() if got[key] != value]


def main():
    cases = vectors()
    print(f'1..{len(cases) + 2}')
    number = failed = 0
    with Probe() as probe:
        for case in cases:
            number += 1
            wrong = check_vector(probe, case)
            print(f'{"not " if wrong else ""}ok {number} - imagebuilder-sigv4: {case["name"]}')
            for line in wrong:
                print('# ' + line)
            failed += bool(wrong)
        number += 1
        if cases:
            failed += len(cases) != 18
            print(f'{"ok" if len(cases) == 18 else "not ok"} {number} - all 18 signed requests were found')
        else:
            print(f'ok {number} # SKIP no aws-vectors below $IB_SHARED')
        number += 1
        wrong = [d for d in (differ(probe, one()) for _ in range(COUNT)) if d]
        failed += bool(wrong)
        print(f'{"not " if wrong else ""}ok {number} - {COUNT} random requests are signed as botocore signs them (seed {SEED})')
        for lines in wrong[:5]:
            for line in lines:
                print('# ' + line)
        if wrong:
            print(f'# {len(wrong)} differ')
    return 1 if failed else 0


sys.exit(main())
