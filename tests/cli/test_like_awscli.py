#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What works with the AWS CLI works here: the same files, variables and options give both the same caller and Region.

No endpoint is named. The stand-in is an HTTPS proxy at the end of whose tunnels is every host of AWS, so the host names
that each of them chooses are compared too.
"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('abs_top_builddir', TOP)
AWS_CLI = os.environ.get('AWS_CLI', '/usr/bin/aws')
sys.path.insert(0, os.path.join(TOP, 'tests/standin'))


def missing():
    """What there must be, or None."""
    if not os.access(AWS_CLI, os.X_OK):
        return 'no AWS CLI (Debian: awscli)'
    if shutil.which('openssl') is None:
        return 'no openssl'
    try:
        import botocore  # noqa: F401  # the stand-in's
    except ImportError:
        return 'python3-botocore is not installed'
    # Version 1 has other rules for Regions and STS; sso-session came with 2.9.
    said = subprocess.run([AWS_CLI, '--version'], capture_output=True, text=True, check=False).stdout
    version = said.partition('/')[2].split(' ')[0].split('.')
    if version[0] != '2' or int(version[1]) < 9:
        return f'the AWS CLI here is not 2.9 or later: {said.strip()}'
    return None


WHY_NOT = missing()
if WHY_NOT:
    print(f'1..0 # SKIP {WHY_NOT}')
    sys.exit(0)
from tap import KEY, SECRET, Standin, Tests, same  # noqa: E402

test = Tests()
ROLE = 'arn:aws:iam::123456789012:role/mon'
START = 'https://start.example/start'
HOSTS = [f'{service}.{region}.amazonaws.com' for service in ('sts', 'portal.sso', 'oidc', 'imagebuilder')
         for region in ('eu-central-1', 'eu-west-1', 'us-east-1')] + ['sts.cn-north-1.amazonaws.com.cn', 'sts.amazonaws.com']
BASE_KEYS = f'[base]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n'
ENV_KEYS = {'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET}


def make_certificate(folder):
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
                    '-subj', '/CN=everything', '-addext', 'subjectAltName=' + ','.join('DNS:' + host for host in HOSTS),
                    '-keyout', 'key.pem', '-out', 'cert.pem'], cwd=folder, check=True, capture_output=True)


FOLDER = tempfile.mkdtemp()
make_certificate(FOLDER)
standin = Standin('--connect-cert', os.path.join(FOLDER, 'cert.pem'), '--connect-key', os.path.join(FOLDER, 'key.pem'))


def token_file(home, name, **members):
    folder = os.path.join(home, '.aws/sso/cache')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, hashlib.sha1(name.encode()).hexdigest() + '.json'), 'w', encoding='ascii') as handle:
        json.dump({'startUrl': START, 'region': 'eu-west-1', **members}, handle)


def make_home(name, row):
    home = os.path.join(FOLDER, name)
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(os.path.join(home, '.aws'))
    files = {'.aws/config': row.get('config'), '.aws/credentials': row.get('credentials'), 'token': 'jwt-of-the-pod', **row.get('files', {})}
    for path, text in files.items():
        if text is not None:
            with open(os.path.join(home, path), 'w', encoding='utf-8') as handle:
                handle.write(text.replace('HOME', home))
    for name_, members in row.get('sso', {}).items():
        token_file(home, name_, **members)
    return home


def made_requests():
    """Operations in order; where the caller was asked for: host and Region."""
    rows = standin.ctl('requests')['requests']
    asked = [(r['host'], r['region']) for r in rows if r['op'] == 'GetCallerIdentity']
    return [r['op'] for r in rows if r['op'] != 'CONNECT'], asked[-1] if asked else None


def environment(home, row):
    env = {'HOME': home, 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C.UTF-8', 'AWS_EC2_METADATA_DISABLED': 'true', 'HTTPS_PROXY': standin.url,
           'NO_PROXY': '127.0.0.1', 'AWS_CA_BUNDLE': os.path.join(FOLDER, 'cert.pem'), 'AWS_DEFAULT_REGION': 'eu-central-1', 'AWS_MAX_ATTEMPTS': '1'}
    env.update({k: v.replace('HOME', home).replace('STANDIN', standin.url) for k, v in row.get('env', {}).items()})
    return {k: v for k, v in env.items() if v != ''}


def whom(arn):
    """The session of a role has a name that each client makes up."""
    return arn.rsplit('/', 1)[0] if ':assumed-role/' in arn else arn


def prepare(row):
    standin.ctl('reset')
    for settings in row.get('services', ()):
        standin.ctl('set-services', **settings)


def by_aws_cli(row):
    home = make_home('aws-cli', row)
    prepare(row)
    done = subprocess.run([AWS_CLI, 'sts', 'get-caller-identity', '--output', 'json', *row.get('options', [])], capture_output=True,
                          text=True, check=False, timeout=300, env=environment(home, row), stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1:]
    return (whom(json.loads(done.stdout)['Arn']), *made_requests()), []


def by_us(row):
    home = make_home('ours', row)
    prepare(row)
    done = subprocess.run([os.path.join(BUILD, 'plugins/check_ib_image'), '-A', '--diagnose', '--output', 'json', '-t', '120',
                           *row.get('options', [])], capture_output=True, text=True, check=False, timeout=300,
                          env={**environment(home, row), 'IB_STATE_DIR': os.path.join(home, 'state')}, stdin=subprocess.DEVNULL)
    answer = json.loads(done.stdout)
    if done.returncode != 0:
        return None, [answer['text']]
    ops, asked = made_requests()
    # What comes behind is --diagnose asking for permissions.
    ops = ops[:ops.index('GetCallerIdentity') + 1]
    return (whom([d['text'] for d in answer['diagnosis'] if d['topic'] == 'caller'][0]), ops, asked), []


ROWS = {
    'keys of the environment': {'env': ENV_KEYS},
    'half a key in the environment fails': {'env': {'AWS_ACCESS_KEY_ID': KEY}, 'fails': True},
    'a wrong secret fails': {'env': {**ENV_KEYS, 'AWS_SECRET_ACCESS_KEY': 'wrong'}, 'fails': True},
    'the default profile of the credentials file': {'credentials': BASE_KEYS.replace('base', 'default')},
    'the default profile of the config file': {'config': BASE_KEYS.replace('base', 'default')},
    'a profile of the config file by option': {'config': BASE_KEYS.replace('base', 'profile mon'), 'options': ['--profile', 'mon']},
    'a profile by variable': {'credentials': BASE_KEYS, 'env': {'AWS_PROFILE': 'base'}},
    'a profile that is not there fails': {'credentials': BASE_KEYS, 'env': {'AWS_PROFILE': 'nobody'}, 'fails': True},
    '--profile before the keys of the environment': {
        'credentials': BASE_KEYS, 'options': ['--profile', 'base'],
        'env': {'AWS_ACCESS_KEY_ID': 'AKIDOTHER', 'AWS_SECRET_ACCESS_KEY': 'other'}},
    'the keys of the environment before AWS_PROFILE': {
        'credentials': BASE_KEYS.replace(SECRET, 'wrong'), 'env': {**ENV_KEYS, 'AWS_PROFILE': 'base'}},
    'files that variables name': {
        'files': {'my-config': '[profile mon]\nregion = eu-west-1\n', 'my-keys': BASE_KEYS.replace('base', 'mon')},
        'env': {'AWS_CONFIG_FILE': 'HOME/my-config', 'AWS_SHARED_CREDENTIALS_FILE': 'HOME/my-keys', 'AWS_PROFILE': 'mon', 'AWS_DEFAULT_REGION': ''}},
    'a file in the home directory by tilde': {
        'files': {'my-keys': BASE_KEYS.replace('base', 'default')}, 'env': {'AWS_SHARED_CREDENTIALS_FILE': '~/my-keys'}},
    'AWS_REGION before AWS_DEFAULT_REGION': {'env': {**ENV_KEYS, 'AWS_REGION': 'us-east-1'}},
    'a Region by option': {'env': ENV_KEYS, 'options': ['--region', 'eu-west-1']},
    'the Region of the profile': {
        'config': '[default]\nregion = eu-west-1\n', 'credentials': BASE_KEYS.replace('base', 'default'), 'env': {'AWS_DEFAULT_REGION': ''}},
    'a Region of China': {'env': {**ENV_KEYS, 'AWS_DEFAULT_REGION': 'cn-north-1'}},
    'a role by the keys of another profile': {
        'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = base\n', 'credentials': BASE_KEYS},
    'a role with session name, duration and external id': {
        'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = base\nrole_session_name = me\nduration_seconds = 1800\nexternal_id = ext-1\n',
        'credentials': BASE_KEYS, 'services': [{'roles': {ROLE: {'external_id': 'ext-1'}}}]},
    'a role with a wrong external id fails': {
        'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = ext-2\n',
        'credentials': BASE_KEYS, 'services': [{'roles': {ROLE: {'external_id': 'ext-1'}}}], 'fails': True},
    'a chain of roles': {
        'config': f'[default]\nrole_arn = {ROLE}3\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}2\nsource_profile = c\n'
                  f'[profile c]\nrole_arn = {ROLE}\nsource_profile = base\n', 'credentials': BASE_KEYS},
    'roles in a circle fail': {
        'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}2\nsource_profile = default\n', 'fails': True},
    'a role that names itself as its source': {
        'config': f'[profile base]\nrole_arn = {ROLE}\nsource_profile = base\n', 'credentials': BASE_KEYS, 'options': ['--profile', 'base']},
    'a source that is not there fails': {'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = nobody\n', 'fails': True},
    'a role by the keys of the environment': {
        'config': f'[profile mon]\nrole_arn = {ROLE}\ncredential_source = Environment\n', 'env': ENV_KEYS, 'options': ['--profile', 'mon']},
    'a role by the instance': {
        'config': f'[default]\nrole_arn = {ROLE}\ncredential_source = Ec2InstanceMetadata\n',
        'env': {'AWS_EC2_METADATA_DISABLED': '', 'AWS_EC2_METADATA_SERVICE_ENDPOINT': 'STANDIN/', 'AWS_METADATA_SERVICE_TIMEOUT': '20'}},
    'a role by the container': {
        'config': f'[default]\nrole_arn = {ROLE}\ncredential_source = EcsContainer\n',
        'env': {'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'STANDIN/v1/credentials'}},
    'a role that demands MFA fails': {
        'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = base\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n',
        'credentials': BASE_KEYS, 'fails': True},
    'web identity by environment': {'env': {'AWS_WEB_IDENTITY_TOKEN_FILE': 'HOME/token', 'AWS_ROLE_ARN': ROLE, 'AWS_ROLE_SESSION_NAME': 'pod'}},
    'web identity by profile': {'config': f'[default]\nrole_arn = {ROLE}\nweb_identity_token_file = HOME/token\n'},
    'a role by web identity': {
        'config': f'[default]\nrole_arn = {ROLE}2\nsource_profile = web\n[profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = HOME/token\n'},
    'SSO with a session': {
        'config': f'[default]\nsso_session = mon\nsso_account_id = 123456789012\nsso_role_name = ImageBuilderMonitor\n'
                  f'[sso-session mon]\nsso_region = eu-west-1\nsso_start_url = {START}\n',
        'sso': {'mon': {'accessToken': 'aoaEXAMPLE', 'expiresAt': '2100-01-01T00:00:00Z'}}},
    'SSO with a session that is renewed': {
        'config': f'[default]\nsso_session = mon\nsso_account_id = 123456789012\nsso_role_name = ImageBuilderMonitor\n'
                  f'[sso-session mon]\nsso_region = eu-west-1\nsso_start_url = {START}\n',
        'sso': {'mon': {'accessToken': 'old', 'expiresAt': '2020-01-01T00:00:00Z', 'refreshToken': 'aorEXAMPLE', 'clientId': 'client-EXAMPLE',
                        'clientSecret': 'secret-EXAMPLE', 'registrationExpiresAt': '2100-01-01T00:00:00Z'}}},
    'SSO in its old form': {
        'config': f'[default]\nsso_account_id = 123456789012\nsso_role_name = ImageBuilderMonitor\nsso_region = eu-west-1\nsso_start_url = {START}\n',
        'sso': {START: {'accessToken': 'aoaEXAMPLE', 'expiresAt': '2100-01-01T00:00:00Z'}}},
    'SSO with a token that is no longer known fails': {
        'config': f'[default]\nsso_account_id = 123456789012\nsso_role_name = ImageBuilderMonitor\nsso_region = eu-west-1\nsso_start_url = {START}\n',
        'sso': {START: {'accessToken': 'gone', 'expiresAt': '2100-01-01T00:00:00Z'}}, 'fails': True},
    'a role by SSO': {
        'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = sso\n[profile sso]\nsso_account_id = 123456789012\n'
                  f'sso_role_name = ImageBuilderMonitor\nsso_region = eu-west-1\nsso_start_url = {START}\n',
        'sso': {START: {'accessToken': 'aoaEXAMPLE', 'expiresAt': '2100-01-01T00:00:00Z'}}},
    'a program': {
        'config': '[default]\ncredential_process = cat "HOME/my keys.json"\n',
        'files': {'my keys.json': json.dumps({'Version': 1, 'AccessKeyId': KEY, 'SecretAccessKey': SECRET})}},
    'a program of another version fails': {
        'config': '[default]\ncredential_process = cat HOME/keys.json\n',
        'files': {'keys.json': json.dumps({'Version': 2, 'AccessKeyId': KEY, 'SecretAccessKey': SECRET})}, 'fails': True},
    'a role by a program': {
        'config': f'[default]\nrole_arn = {ROLE}\nsource_profile = proc\n[profile proc]\ncredential_process = cat HOME/keys.json\n',
        'files': {'keys.json': json.dumps({'Version': 1, 'AccessKeyId': KEY, 'SecretAccessKey': SECRET})}},
    'a container': {'env': {'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'STANDIN/v1/credentials'}},
    'a container with a token': {
        'env': {'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'STANDIN/v1/credentials', 'AWS_CONTAINER_AUTHORIZATION_TOKEN': 'Bearer x'},
        'services': [{'container': {'token': 'Bearer x'}}]},
    'an instance': {
        'env': {'AWS_EC2_METADATA_DISABLED': '', 'AWS_EC2_METADATA_SERVICE_ENDPOINT': 'STANDIN/', 'AWS_METADATA_SERVICE_TIMEOUT': '20'}},
    'a container before the instance': {
        'env': {'AWS_EC2_METADATA_DISABLED': '', 'AWS_EC2_METADATA_SERVICE_ENDPOINT': 'STANDIN/', 'AWS_METADATA_SERVICE_TIMEOUT': '20',
                'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'STANDIN/v1/credentials'}},
    'a profile before the instance': {
        'credentials': BASE_KEYS.replace('base', 'default'),
        'env': {'AWS_EC2_METADATA_DISABLED': '', 'AWS_EC2_METADATA_SERVICE_ENDPOINT': 'STANDIN/', 'AWS_METADATA_SERVICE_TIMEOUT': '20'}},
    'web identity before the container': {
        'env': {'AWS_WEB_IDENTITY_TOKEN_FILE': 'HOME/token', 'AWS_ROLE_ARN': ROLE, 'AWS_CONTAINER_CREDENTIALS_FULL_URI': 'STANDIN/v1/credentials'}},
    'nothing at all fails': {'fails': True},
}


def add(name, row):
    def case():
        theirs, their_words = by_aws_cli(row)
        ours, our_words = by_us(row)
        if row.get('fails'):
            same((theirs, ours), (None, None))
            return
        same((ours, our_words), (theirs, their_words))
    case.__doc__ = name[0].upper() + name[1:]
    test(case)


for each, keys in ROWS.items():
    add(each, keys)
code = test.run()
shutil.rmtree(FOLDER, ignore_errors=True)
sys.exit(code)
