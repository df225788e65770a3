# SPDX-License-Identifier: MIT
"""Checks the signature of a request as it was received, by computing it anew with botocore."""
import calendar
import hashlib
import hmac
import re
import time
from urllib.parse import quote, unquote, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

MAX_SKEW = 300
MISMATCH = ('The request signature we calculated does not match the signature you provided. Check '
            'your AWS Secret Access Key and signing method. Consult the service documentation for '
            'details.')
_CREDENTIAL = re.compile(r'^([A-Za-z0-9]{1,128})/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request$')


class Refused(Exception):
    """The request's signature is no good; `kind` is one of the keys of NAMES."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind, self.message = kind, message


# What each refusal is called by JSON services and by query (XML) services.
NAMES = {
    'missing': ('MissingAuthenticationTokenException', 'MissingAuthenticationToken'),
    'incomplete': ('IncompleteSignatureException', 'IncompleteSignature'),
    'unknown-key': ('UnrecognizedClientException', 'InvalidClientTokenId'),
    'expired-token': ('ExpiredTokenException', 'ExpiredToken'),
    'mismatch': ('InvalidSignatureException', 'SignatureDoesNotMatch'),
}


class Scope:
    """Who signed, for which day, Region and service."""

    def __init__(self, key, date, region, service):
        self.key, self.date, self.region, self.service = key, date, region, service
        self.signed = []


def parse_authorization(value):
    """The parts of an Authorization header; raises Refused when one is missing."""
    if not value.startswith('AWS4-HMAC-SHA256'):
        raise Refused('incomplete', f"'{value[:40]}' not a valid key=value pair (missing "
                                    'equal-sign) in Authorization header.')
    parts = {}
    for piece in value[len('AWS4-HMAC-SHA256'):].split(','):
        name, equal, text = piece.strip().partition('=')
        if equal:
            parts[name] = text
    for name in ('Credential', 'SignedHeaders', 'Signature'):
        if not parts.get(name):
            raise Refused('incomplete', f"Authorization header requires '{name}' parameter.")
    match = _CREDENTIAL.match(parts['Credential'])
    if match is None:
        raise Refused('incomplete', 'Credential must have exactly 5 slash-delimited elements, e.g. '
                                    'keyid/date/region/service/term')
    return Scope(*match.groups()), parts['SignedHeaders'].split(';'), parts['Signature']


def _normal_query(query):
    """AWS decodes and encodes again; botocore takes the text as it stands."""
    pairs = []
    for piece in query.split('&'):
        if piece:
            name, _, value = piece.partition('=')
            pairs.append(quote(unquote(name), safe='-_.~') + '='
                         + quote(unquote(value), safe='-_.~'))
    return '&'.join(pairs)


def expected_signature(method, target, headers, signed, body, scope, secret):
    """What botocore would sign.  headers is a list of (name, value); signed the names."""
    parts = urlsplit('http://host' + target if target.startswith('/') else target)
    query = _normal_query(parts.query)
    url = 'http://host' + (parts.path or '/') + ('?' + query if query else '')
    request = AWSRequest(method=method, url=url, data=body)
    date = ''
    for name, value in headers:
        if name.lower() == 'x-amz-date':
            date = value.strip()
        if name.lower() in signed:
            request.headers.add_header(name.lower(), value)
    request.context['timestamp'] = date
    signer = SigV4Auth(Credentials(scope.key, secret), scope.service, scope.region)
    # The signer leaves some headers out on its own; a client may sign them all the same.
    signer.headers_to_sign = lambda req: req.headers
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)),
                            request)


def _check_headers(headers, signed):
    names = {name.lower() for name, _ in headers}
    if signed != sorted(signed) or len(set(signed)) != len(signed):
        raise Refused('mismatch', MISMATCH)
    if 'host' not in signed:
        raise Refused('mismatch', "'Host' or ':authority' must be a 'SignedHeader' in the AWS "
                                  'Authorization.')
    for name in signed:
        if name not in names:
            raise Refused('mismatch', MISMATCH)
    for name in names:
        if name.startswith('x-amz-') and name not in signed and name != 'x-amz-user-agent':
            raise Refused('mismatch', f"'{name}' must be a 'SignedHeader' in the AWS "
                                      'Authorization.')


def _check_time(date, scope, now):
    try:
        stamp = calendar.timegm(time.strptime(date, '%Y%m%dT%H%M%SZ'))
    except ValueError:
        raise Refused('incomplete', 'Date must be in ISO-8601 \'basic format\'. Got '
                                    f"'{date}'. See http://en.wikipedia.org/wiki/ISO_8601")
    if scope.date != date[:8]:
        raise Refused('mismatch', 'Date in Credential scope does not match YYYYMMDD from ISO-8601 '
                                  f"version of date from HTTP: '{scope.date}' != '{date[:8]}', "
                                  f"from '{date}'.")

    def text(when):
        return time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(when))
    if stamp < now - MAX_SKEW:
        raise Refused('mismatch', f'Signature expired: {date} is now earlier than '
                                  f'{text(now - MAX_SKEW)} ({text(now)} - 5 min.)')
    if stamp > now + MAX_SKEW:
        raise Refused('mismatch', f'Signature not yet current: {date} is still later than '
                                  f'{text(now + MAX_SKEW)} ({text(now)} + 5 min.)')


def verify(method, target, headers, body, keys, now, services):
    """Raises Refused, or returns the Scope of the good signature and the key's record.

    keys maps an access key id to {'secret', 'token' or None, 'expires' or None, 'arn'}.
    """
    values = {}
    for name, value in headers:
        values.setdefault(name.lower(), value.strip())
    if 'authorization' not in values:
        raise Refused('missing', 'Missing Authentication Token')
    scope, signed, signature = parse_authorization(values['authorization'])
    date = values.get('x-amz-date') or ''
    if not date:
        raise Refused('incomplete', 'Authorization header requires existence of either a '
                                    "'X-Amz-Date' or a 'Date' header.")
    if scope.service not in services:
        raise Refused('mismatch', 'Credential should be scoped to correct service: '
                                  f"'{services[0]}'. ")
    record = keys.get(scope.key)
    if record is None:
        raise Refused('unknown-key', 'The security token included in the request is invalid.')
    if (record.get('token') or '') != values.get('x-amz-security-token', ''):
        raise Refused('unknown-key', 'The security token included in the request is invalid.')
    _check_headers(headers, signed)
    _check_time(date, scope, now)
    claimed = values.get('x-amz-content-sha256')
    if claimed is not None and claimed != hashlib.sha256(body).hexdigest():
        raise Refused('mismatch', 'The provided x-amz-content-sha256 header does not match what '
                                  'was computed.')
    wanted = expected_signature(method, target, headers, signed, body, scope, record['secret'])
    if not hmac.compare_digest(wanted, signature):
        raise Refused('mismatch', MISMATCH)
    if record.get('expires') is not None and record['expires'] <= now:
        raise Refused('expired-token', 'The security token included in the request is expired')
    scope.signed = signed
    return scope, record
