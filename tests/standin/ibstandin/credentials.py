# SPDX-License-Identifier: MIT
"""Where credentials come from: STS, IMDSv2, ECS and EKS containers, SSO portal and SSO OIDC.

Every key handed out here is known to the signature check from then on, until it expires.
"""
import base64
import hashlib
import json
import re
import secrets
import time
import uuid
from urllib.parse import unquote
from xml.sax.saxutils import escape

from . import sigv4
from .state import SpecError
from .wire import Reply, parse_query

STS_OPERATIONS = ('GetCallerIdentity', 'AssumeRole', 'AssumeRoleWithWebIdentity', 'GetSessionToken')
STS_NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
ROLE_ARN = re.compile(r'^arn:aws[a-z-]*:iam::([0-9]{12}):role/([\w+=,.@/-]+)$')
SESSION_NAME = re.compile(r'^[\w+=,.@-]{2,64}$')
IMDS_ROLES = '/latest/meta-data/iam/security-credentials'

DEFAULTS = {
    # lifetime announced and kept, unless an AssumeRole asks for another
    'expires_in_s': 3600,
    # ARN → {assumable, external_id, trusted: [key ids or ARNs], mfa, max_duration_s}
    'roles': {}, 'any_role': True,
    'web_identity': {'token': None, 'expired': False},
    'imds': {'enabled': True, 'role': 'ImageBuilderMonitor', 'v1': False, 'code': 'Success',
             'message': '', 'region': 'eu-central-1', 'expires_in_s': 21600},
    'container': {'token': None, 'path': None, 'role': 'ImageBuilderMonitor',
                  'expires_in_s': 21600},
    'sso': {'access_tokens': ['aoaEXAMPLE'], 'refresh_tokens': ['aorEXAMPLE'],
            'client_id': 'client-EXAMPLE', 'client_secret': 'secret-EXAMPLE',
            'roles': {'ImageBuilderMonitor': '123456789012'}, 'expires_in_s': 3600,
            'token_expires_in_s': 28800},
}


class StsError(Exception):
    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def unfit(value, member, rule):
    return StsError('ValidationError', f"1 validation error detected: Value '{value}' at "
                                       f"'{member}' failed to satisfy constraint: {rule}")


def iso_seconds(when):
    return time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(when))


def text_reply(status, text, content_type='text/plain', headers=None):
    return Reply(status, text.encode(), content_type, headers)


def json_reply(status, body, code=None):
    reply = Reply(status, json.dumps(body).encode(),
                  headers={} if code is None else {'x-amzn-ErrorType': code})
    reply.code = code
    return reply


class CredentialServices:
    OPERATIONS = STS_OPERATIONS + ('ImdsToken', 'ImdsRoleList', 'ImdsRole', 'ImdsRegion',
                                   'ImdsDocument', 'ImdsOther', 'ContainerCredentials',
                                   'GetRoleCredentials', 'CreateToken')

    def __init__(self, app):
        self.app = app
        self.reset()

    def reset(self):
        self.settings = json.loads(json.dumps(DEFAULTS))
        self.imds_tokens, self.issued, self.kept = {}, [], {}

    def configure(self, spec):
        """Merges one level deep: set-services '{"imds": {"v1": true}}'."""
        for key, value in spec.items():
            if key not in DEFAULTS:
                raise SpecError(f'{key}: known services and settings are ' + ', '.join(DEFAULTS))
            if key == 'roles' or not isinstance(DEFAULTS[key], dict):
                self.settings[key] = value
                continue
            for name in value:
                if name not in DEFAULTS[key]:
                    raise SpecError(f'{key}.{name}: known are ' + ', '.join(DEFAULTS[key]))
            self.settings[key].update(value)
        self.kept = {}
        return self.settings

    def expire(self, key=None):
        """Ends the life of one key handed out, or of all of them."""
        chosen = [key] if key is not None else self.issued
        for name in chosen:
            if name not in self.app.keys:
                raise SpecError(f'key: no key {name!r}')
            self.app.keys[name]['expires'] = self.app.world.now() - 1
        self.kept = {}
        return {'expired': len(chosen)}

    def shift(self, seconds):
        """The clock jumps; what is left of each key's life stays."""
        for record in self.app.keys.values():
            if record['expires'] is not None:
                record['expires'] += seconds

    def issue(self, arn, lifetime):
        """Makes temporary credentials for an ARN."""
        key = 'ASIA' + base64.b32encode(secrets.token_bytes(10)).decode()
        record = {'secret': base64.b64encode(secrets.token_bytes(30)).decode(),
                  'token': 'IQoJb3JpZ2luX2Vj' + base64.b64encode(secrets.token_bytes(160)).decode()
                           + '+/==',
                  'expires': self.app.world.now() + float(lifetime), 'arn': arn, 'key': key}
        self.app.keys[key] = record
        self.issued.append(key)
        return record

    def _steady(self, place, arn, lifetime):
        """Metadata services hand the same credentials out until they near their end."""
        record = self.kept.get(place)
        if record is None or record['expires'] - self.app.world.now() < min(300, lifetime / 4):
            record = self.kept[place] = self.issue(arn, lifetime)
        return record

    # Finding the service -------------------------------------------------------------------

    def takes(self, request):
        path = unquote(request.path)
        own = self.settings['container']['path']
        return path == '/' or path.startswith(('/latest/', '/v1/credentials', '/v2/credentials/')) \
            or path in ('/federation/credentials', '/token') or (own is not None and path == own)

    def identify(self, request):
        path = unquote(request.path)
        request.query = dict(parse_query(request.query_text))
        if path == '/':
            request.service = 'sts'
            request.params = dict(request.query)
            request.params.update(parse_query(request.body.decode('utf-8', 'replace')))
            request.op = request.params.get('Action')
        elif path.startswith('/latest/'):
            request.service, request.op = 'imds', self._imds_op(path)
        elif path == '/federation/credentials':
            request.service, request.op = 'sso', 'GetRoleCredentials'
        elif path == '/token':
            request.service, request.op = 'sso-oidc', 'CreateToken'
        else:
            request.service, request.op = 'container', 'ContainerCredentials'

    @staticmethod
    def _imds_op(path):
        if path == '/latest/api/token':
            return 'ImdsToken'
        if path.rstrip('/') == IMDS_ROLES:
            return 'ImdsRoleList'
        if path.startswith(IMDS_ROLES + '/'):
            return 'ImdsRole'
        return {'/latest/meta-data/placement/region': 'ImdsRegion',
                '/latest/dynamic/instance-identity/document': 'ImdsDocument'}.get(path, 'ImdsOther')

    def authenticate(self, request):
        if request.service != 'sts' or request.op == 'AssumeRoleWithWebIdentity':
            return None
        try:
            scope, record = sigv4.verify(request.method, request.target, request.headers,
                                         request.body, self.app.keys, self.app.world.now(),
                                         ('sts',))
        except sigv4.Refused as refused:
            request.signature = refused.kind
            return self.error(sigv4.NAMES[refused.kind][1], refused.message, 403)
        except (ValueError, UnicodeError) as error:
            request.signature = 'mismatch'
            return self.error('IncompleteSignature', str(error), 400)
        request.signature, request.key, request.signed_headers = 'ok', scope.key, scope.signed
        request.region = scope.region
        request.record = record
        return None

    def error(self, code, message, status, headers=None):
        """An error in the shape of query services."""
        reply = text_reply(status, f'<ErrorResponse xmlns="{STS_NAMESPACE}">\n  <Error>\n'
                                   f'    <Type>{"Sender" if status < 500 else "Receiver"}</Type>\n'
                                   f'    <Code>{escape(code)}</Code>\n'
                                   f'    <Message>{escape(message)}</Message>\n  </Error>\n'
                                   f'  <RequestId>{uuid.uuid4()}</RequestId>\n</ErrorResponse>\n',
                           'text/xml', headers)
        reply.code = code
        return reply

    def perform(self, request):
        try:
            return getattr(self, '_' + request.service.replace('-', '_'))(request)
        except StsError as error:
            return self.error(error.code, error.message, error.status)

    # STS -----------------------------------------------------------------------------------

    def _sts(self, request):
        if request.params.get('Version', '2011-06-15') != '2011-06-15' \
                or request.op not in STS_OPERATIONS:
            raise StsError('InvalidAction', f'Could not find operation {request.op} for version '
                                            f'{request.params.get("Version")}')
        result = getattr(self, '_sts_' + request.op)(request)
        return text_reply(200, f'<{request.op}Response xmlns="{STS_NAMESPACE}">\n'
                               f'  <{request.op}Result>\n{result}  </{request.op}Result>\n'
                               '  <ResponseMetadata>\n'
                               f'    <RequestId>{uuid.uuid4()}</RequestId>\n'
                               f'  </ResponseMetadata>\n</{request.op}Response>\n', 'text/xml')

    def _sts_GetCallerIdentity(self, request):
        arn = request.record['arn']
        return (f'    <Arn>{escape(arn)}</Arn>\n'
                f'    <UserId>{user_id(arn)}</UserId>\n'
                f'    <Account>{arn.split(":")[4]}</Account>\n')

    def _sts_GetSessionToken(self, request):
        return credentials_xml(self.issue(request.record['arn'], self._duration(request, None)))

    def _duration(self, request, role):
        text = request.params.get('DurationSeconds')
        if text is None:
            return self.settings['expires_in_s']
        limit = int((role or {}).get('max_duration_s', 43200))
        if not text.isdigit() or not 900 <= int(text) <= 43200:
            raise unfit(text, 'durationSeconds', 'Member must be between 900 and 43200')
        if int(text) > limit:
            raise StsError('ValidationError', 'The requested DurationSeconds exceeds the '
                                              'MaxSessionDuration set for this role.')
        return int(text)

    def _role(self, request):
        arn, name = request.params.get('RoleArn', ''), request.params.get('RoleSessionName', '')
        match = ROLE_ARN.match(arn)
        if match is None:
            raise StsError('ValidationError', f'{arn} is invalid')
        if not SESSION_NAME.match(name):
            raise unfit(name, 'roleSessionName',
                        r'Member must satisfy regular expression pattern: [\w+=,.@-]*')
        role = self.settings['roles'].get(arn)
        if role is None and self.settings['any_role']:
            role = {}
        short = match.group(2).split('/')[-1]
        return arn, role, f'arn:aws:sts::{match.group(1)}:assumed-role/{short}/{name}'

    def _denied(self, request, arn, action):
        who = getattr(request, 'record', {}).get('arn', 'anonymous')
        return StsError('AccessDenied', f'User: {who} is not authorized to perform: sts:{action} '
                                        f'on resource: {arn}', 403)

    def _sts_AssumeRole(self, request):
        arn, role, assumed = self._role(request)
        if role is None or not role.get('assumable', True) \
                or ('external_id' in role
                    and role['external_id'] != request.params.get('ExternalId')) \
                or ('trusted' in role and request.key not in role['trusted']
                    and request.record['arn'] not in role['trusted']) \
                or (role.get('mfa') and not request.params.get('TokenCode')):
            raise self._denied(request, arn, 'AssumeRole')
        record = self.issue(assumed, self._duration(request, role))
        return assumed_xml(assumed) + credentials_xml(record)

    def _sts_AssumeRoleWithWebIdentity(self, request):
        settings, token = self.settings['web_identity'], request.params.get('WebIdentityToken', '')
        arn, role, assumed = self._role(request)
        if settings['expired']:
            raise StsError('ExpiredTokenException', 'Token expired: current date/time must be '
                                                    'before the expiration date/time')
        if not token or (settings['token'] is not None and settings['token'] != token):
            raise StsError('InvalidIdentityToken', "Couldn't retrieve verification key from your "
                                                   'identity provider')
        if role is None or not role.get('assumable', True):
            raise StsError('AccessDenied', 'Not authorized to perform '
                                           'sts:AssumeRoleWithWebIdentity', 403)
        record = self.issue(assumed, self._duration(request, role))
        return ('    <SubjectFromWebIdentityToken>system:serviceaccount:monitoring:ib'
                '</SubjectFromWebIdentityToken>\n    <Audience>sts.amazonaws.com</Audience>\n'
                + assumed_xml(assumed) + credentials_xml(record)
                + '    <Provider>arn:aws:iam::123456789012:oidc-provider/oidc.example.com'
                  '</Provider>\n')

    # Instance metadata ---------------------------------------------------------------------

    def _imds(self, request):
        settings = self.settings['imds']
        if not settings['enabled']:
            return text_reply(403, 'Forbidden')
        if request.op == 'ImdsToken':
            return self._imds_token(request)
        if request.method != 'GET':
            return text_reply(405, 'Method Not Allowed')
        token = request.header('x-aws-ec2-metadata-token')
        if token or not settings['v1']:
            if self.imds_tokens.get(token, 0) <= time.time():
                return text_reply(401, 'Unauthorized')
        return self._imds_data(request, settings)

    def _imds_token(self, request):
        if request.method != 'PUT':
            return text_reply(405, 'Method Not Allowed')
        if request.header('x-forwarded-for'):
            return text_reply(403, 'Forbidden')
        lifetime = request.header('x-aws-ec2-metadata-token-ttl-seconds')
        if not lifetime.isdigit() or not 1 <= int(lifetime) <= 21600:
            return text_reply(400, 'Bad Request')
        token = 'AQAEA' + secrets.token_urlsafe(36) + '=='
        self.imds_tokens[token] = time.time() + int(lifetime)
        return text_reply(200, token, headers={'X-Aws-Ec2-Metadata-Token-Ttl-Seconds': lifetime})

    def _imds_data(self, request, settings):
        role, path = settings['role'], unquote(request.path)
        if request.op == 'ImdsRegion':
            return text_reply(200, settings['region'])
        if request.op == 'ImdsDocument':
            return text_reply(200, json.dumps({'accountId': self.app.world.account,
                                               'region': settings['region'],
                                               'instanceId': 'i-0123456789abcdef0'}))
        if request.op == 'ImdsRoleList' and role:
            return text_reply(200, role)
        if request.op == 'ImdsRole' and role and path == f'{IMDS_ROLES}/{role}':
            now = iso_seconds(self.app.world.now())
            if settings['code'] != 'Success':
                return text_reply(200, json.dumps({'Code': settings['code'], 'LastUpdated': now,
                                                   'Message': settings['message']}))
            arn = f'arn:aws:sts::{self.app.world.account}:assumed-role/{role}/i-0123456789abcdef0'
            record = self._steady('imds', arn, settings['expires_in_s'])
            return text_reply(200, json.dumps(dict(
                {'Code': 'Success', 'LastUpdated': now, 'Type': 'AWS-HMAC'}, **plain(record))))
        return text_reply(404, '<html><head><title>404 - Not Found</title></head>'
                               '<body><h1>404 - Not Found</h1></body></html>\n', 'text/html')

    # Containers ----------------------------------------------------------------------------

    def _container(self, request):
        settings = self.settings['container']
        if request.method != 'GET':
            return text_reply(405, 'Method Not Allowed')
        given = next((v for k, v in request.headers if k.lower() == 'authorization'), None)
        if settings['token'] is not None and given != settings['token']:
            return json_reply(401, {'code': 'AuthorizationFailed',
                                    'message': 'The authorization token is missing or wrong.'})
        record = self._steady('container', f'arn:aws:sts::{self.app.world.account}:assumed-role/'
                                           f'{settings["role"]}/task', settings['expires_in_s'])
        body = plain(record)
        if request.path.startswith('/v2/'):
            body['RoleArn'] = f'arn:aws:iam::{self.app.world.account}:role/{settings["role"]}'
        else:
            body['AccountId'] = self.app.world.account
        return json_reply(200, body)

    # SSO -----------------------------------------------------------------------------------

    def _sso(self, request):
        settings = self.settings['sso']
        if request.header('x-amz-sso_bearer_token') not in settings['access_tokens']:
            return json_reply(401, {'message': 'Session token not found or invalid'},
                              'UnauthorizedException')
        role, account = request.query.get('role_name', ''), request.query.get('account_id', '')
        if not role or not account:
            return json_reply(400, {'message': 'Request parameters are invalid'},
                              'InvalidRequestException')
        if settings['roles'].get(role) != account:
            return json_reply(403, {'message': 'No access'}, 'ForbiddenException')
        record = self.issue(f'arn:aws:sts::{account}:assumed-role/AWSReservedSSO_{role}_'
                            f'{hashlib.sha256(role.encode()).hexdigest()[:16]}/monitoring',
                            settings['expires_in_s'])
        return json_reply(200, {'roleCredentials': {
            'accessKeyId': record['key'], 'secretAccessKey': record['secret'],
            'sessionToken': record['token'], 'expiration': int(record['expires'] * 1000)}})

    def _sso_oidc(self, request):
        settings = self.settings['sso']
        try:
            body = json.loads(request.body or b'{}')
            grant = body.get('grantType')
        except (ValueError, AttributeError, RecursionError):
            return oidc_error('InvalidRequestException', 'invalid_request', 400)
        if request.method != 'POST':
            return oidc_error('InvalidRequestException', 'invalid_request', 400)
        if grant != 'refresh_token':
            return oidc_error('UnsupportedGrantTypeException', 'unsupported_grant_type', 400)
        if (body.get('clientId'), body.get('clientSecret')) != (settings['client_id'],
                                                                settings['client_secret']):
            return oidc_error('InvalidClientException', 'invalid_client', 401)
        if body.get('refreshToken') not in settings['refresh_tokens']:
            return oidc_error('InvalidGrantException', 'invalid_grant', 400)
        access, refresh = 'aoa' + secrets.token_urlsafe(24), 'aor' + secrets.token_urlsafe(24)
        settings['access_tokens'].append(access)
        # A refresh token serves once.
        settings['refresh_tokens'] = [t for t in settings['refresh_tokens']
                                      if t != body['refreshToken']] + [refresh]
        return json_reply(200, {'accessToken': access, 'tokenType': 'Bearer',
                                'expiresIn': settings['token_expires_in_s'],
                                'refreshToken': refresh})


def oidc_error(name, word, status):
    return json_reply(status, {'error': word,
                               'error_description': f'The request was refused: {word}'}, name)


def plain(record):
    return {'AccessKeyId': record['key'], 'SecretAccessKey': record['secret'],
            'Token': record['token'], 'Expiration': iso_seconds(record['expires'])}


def user_id(arn):
    prefix = 'AROA' if ':assumed-role/' in arn else 'AIDA'
    unique = prefix + hashlib.sha256(arn.encode()).hexdigest()[:17].upper()
    return escape(unique + ':' + arn.split('/')[-1] if prefix == 'AROA' else unique)


def assumed_xml(arn):
    return (f'    <AssumedRoleUser>\n      <AssumedRoleId>{user_id(arn)}</AssumedRoleId>\n'
            f'      <Arn>{escape(arn)}</Arn>\n    </AssumedRoleUser>\n')


def credentials_xml(record):
    # A plus sign as a character reference, as the real service writes some characters.
    token = escape(record['token']).replace('+', '&#43;')
    return (f'    <Credentials>\n      <AccessKeyId>{record["key"]}</AccessKeyId>\n'
            f'      <SecretAccessKey>{escape(record["secret"])}</SecretAccessKey>\n'
            f'      <SessionToken>{token}</SessionToken>\n'
            f'      <Expiration>{iso_seconds(record["expires"])}</Expiration>\n'
            '    </Credentials>\n')
