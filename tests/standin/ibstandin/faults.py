# SPDX-License-Identifier: MIT
"""Faults injected by rule: which request they hit, and what they put on the wire instead."""
import json

from .state import SpecError
from .wire import Reply, json_error

# kind → does the operation take effect before the fault strikes (unless the rule says)?
KINDS = {
    'error': False, 'http': False, 'throttle': False, 'reset': False, 'cut-off': True,
    'slow-drip': True, 'silent': False, 'html': False, 'redirect': False, 'garbage': False,
    'huge': False, 'deep-json': False, 'nul': False, 'wrong-content-type': True, 'delay': True,
    'date-skew': True, 'empty-page': False, 'empty-body': True, 'no-length': True,
    'extra-members': True, 'headers': True, 'close': False,
}
_KEYS = ('kind', 'op', 'nth', 'times', 'after', 'arn', 'apply', 'status', 'code', 'message',
         'headers', 'body', 'body_file', 'content_type', 'seconds', 'location', 'bytes', 'depth',
         'retry_after', 'retry_after_ms', 'interval_s', 'skew_s', 'capital_message',
         'type_in_body', 'name', 'keep')


class Fault:
    def __init__(self, spec):
        for key in spec:
            if key not in _KEYS:
                raise SpecError(f'{key}: unknown key for a fault; known: ' + ', '.join(_KEYS))
        self.kind = spec.get('kind', 'error')
        if self.kind not in KINDS:
            raise SpecError(f'kind: {self.kind!r} is none of ' + ', '.join(KINDS))
        self.spec = spec
        self.ops = spec.get('op', '*')
        self.ops = [self.ops] if isinstance(self.ops, str) else list(self.ops)
        self.nth = spec.get('nth')
        self.nth = [self.nth] if isinstance(self.nth, int) else self.nth
        self.after = int(spec.get('after', 0))
        self.times = spec.get('times')
        self.arn = spec.get('arn')
        self.apply = bool(spec.get('apply', KINDS[self.kind]))
        self.seen = 0
        self.fired = 0
        self.name = spec.get('name', self.kind)

    def strikes(self, op, arn):
        """Counts a request that fits; True when the fault is to strike it."""
        if '*' not in self.ops and op not in self.ops:
            return False
        if self.arn is not None and self.arn != arn:
            return False
        self.seen += 1
        if self.nth is not None and self.seen not in self.nth:
            return False
        if self.seen <= self.after:
            return False
        if self.times is not None and self.fired >= int(self.times):
            return False
        self.fired += 1
        return True

    def get(self, key, default=None):
        return self.spec.get(key, default)

    def facts(self):
        return dict(self.spec, seen=self.seen, fired=self.fired)


def _body(fault):
    if fault.get('body_file') is not None:
        with open(fault.get('body_file'), 'rb') as handle:
            return handle.read()
    body = fault.get('body', '')
    return body.encode('utf-8', 'surrogateescape') if isinstance(body, str) \
        else json.dumps(body).encode()


def _throttle(fault, make):
    headers = dict(fault.get('headers') or {})
    if fault.get('retry_after') is not None:
        headers['Retry-After'] = str(fault.get('retry_after'))
    if fault.get('retry_after_ms') is not None:
        headers['x-amz-retry-after'] = str(fault.get('retry_after_ms'))
    code = fault.get('code', 'CallRateLimitExceededException' if make is None else 'Throttling')
    status = int(fault.get('status', 429 if make is None else 400))
    return (make or json_error)(code, fault.get('message', 'Rate exceeded'), status, headers)


def _deep(fault):
    depth = int(fault.get('depth', 100000))
    return Reply(200, b'{"image":' + b'[' * depth + b']' * depth + b'}')


def _huge(fault):
    size = int(fault.get('bytes', 64 * 1024 * 1024))
    return Reply(200, b'{"requestId":"' + b'a' * max(0, size - 16) + b'"}')


def _error(fault, errors, make):
    code = fault.get('code', 'ServiceException')
    status = int(fault.get('status', errors.get(code, 500)))
    message = fault.get('message', 'Injected.')
    if make is not None:
        return make(code, message, status, fault.get('headers'))
    return json_error(code, message, status, fault.get('headers'),
                      bool(fault.get('capital_message')), bool(fault.get('type_in_body')))


def instead(fault, errors, make=None):
    """The whole answer of a fault that needs no real one; None for those that spoil a real one.

    errors maps error codes to statuses; make builds an error for services that speak no JSON.
    """
    kind = fault.kind
    if kind == 'error':
        return _error(fault, errors, make)
    if kind == 'http':
        return Reply(int(fault.get('status', 500)), _body(fault),
                     fault.get('content_type', 'application/json'), fault.get('headers'))
    if kind == 'throttle':
        return _throttle(fault, make)
    if kind == 'html':
        body = fault.get('body', '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n'
                                 '<body>nginx</body></html>\r\n')
        return Reply(int(fault.get('status', 502)), body.encode(), 'text/html')
    if kind == 'redirect':
        return Reply(int(fault.get('status', 307)), b'', 'text/plain',
                     {'Location': fault.get('location', 'http://127.0.0.1:1/elsewhere')})
    if kind == 'deep-json':
        return _deep(fault)
    if kind == 'huge':
        return _huge(fault)
    if kind == 'nul':
        return Reply(200, b'{"image":{"arn":"a\x00b","state":{"status":"BUI\x00LDING"}}}\x00')
    if kind in ('reset', 'silent', 'garbage', 'close'):
        return Reply(0)
    return None


def spoil(fault, reply):
    """Sets on a reply what the fault does to it on the wire."""
    kind = fault.kind
    reply.delay = float(fault.get('seconds', 0 if kind != 'delay' else 1))
    reply.headers.update(fault.get('headers') or {} if kind == 'headers' else {})
    if kind in ('reset', 'silent', 'garbage', 'cut-off', 'slow-drip', 'no-length', 'close'):
        reply.mode = kind
    if kind == 'garbage':
        reply.body = _body(fault) or b'\x16\x03\x01\x00 this is not HTTP \xff\xfe\r\n\r\n'
    if kind == 'cut-off':
        reply.cut = int(fault.get('keep', len(reply.body) // 2))
    if kind == 'slow-drip':
        reply.interval = float(fault.get('interval_s', 0.5))
    if kind == 'wrong-content-type':
        reply.content_type = fault.get('content_type', 'text/html')
    if kind == 'date-skew':
        reply.date_skew = float(fault.get('skew_s', 600))
    if kind == 'empty-body':
        reply.body = b''
    if kind == 'extra-members' and reply.body.startswith(b'{'):
        body = json.loads(reply.body)
        body['aMemberOfTheFuture'] = {'x': [1, None, True]}
        reply.body = json.dumps(body).encode()
    return reply
