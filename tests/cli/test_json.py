#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The JSON of check_ib_image, field by field: each object has exactly these members and values."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from survey import CRITICAL, OK, UNKNOWN, WARNING, Run, arn, error  # noqa: E402

try:
    import botocore  # noqa: F401
except ImportError:
    print('1..0 # SKIP python3-botocore is not installed')
    sys.exit(0)
from tap import Standin, Tests, same  # noqa: E402

standin = Standin()
test = Tests()
HOUR = 3600


def check(*arguments, **keys):
    return Run(*arguments, url=standin.url, **keys)


# --- what a member may be ------------------------------------------------------------------------

def near(wanted, by=120):
    """A number of seconds that grows while the test runs."""
    return lambda v: isinstance(v, int) and wanted <= v <= wanted + by


def number(v):
    return isinstance(v, int) and v >= 0


def text(pattern):
    return lambda v: isinstance(v, str) and re.fullmatch(pattern, v, re.DOTALL) is not None


TIME = text(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z')  # none of a whole second


def equal(got, wanted, path='the answer'):
    """`wanted` as it stands, with functions in place of what no test can know; no member more or less."""
    if callable(wanted):
        same(wanted(got), True, f'{path} is {got!r}:')
    elif isinstance(wanted, dict):
        same(isinstance(got, dict) and sorted(got), sorted(wanted), path)
        for key, value in wanted.items():
            equal(got[key], value, f'{path}.{key}')
    elif isinstance(wanted, list):
        same(isinstance(got, list) and len(got), len(wanted), path)
        for at, value in enumerate(wanted):
            equal(got[at], value, f'{path}[{at}]')
    else:
        same((type(got), got), (type(wanted), wanted), path)


PERF = {
    'age': 'U', 'in_flight': '0', 'stuck': '0', 'waiting': '0', 'pending': '0', 'creating': '0', 'building': '0',
    'testing': '0', 'distributing': '0', 'integrating': '0', 'available': '0', 'cancelled': '0', 'failed': '0',
    'deprecated': '0', 'deleted': '0', 'disabled': '0', 'other': '0', 'unreadable': '0', 'duration': 'U'}


def perf(**some):
    """Labels in their order, values, and the form that all back ends read."""
    def fits(got):
        items = [re.fullmatch(r"([a-z_]+)=(U|[0-9.]+s?);([0-9:@~.]*);([0-9:@~.]*);0", x) for x in got.split(' ')]
        if not all(items) or [x[1] for x in items] != [*PERF, 'api_calls', 'time']:
            return False
        seen = {x[1]: x[2] for x in items}
        return all(re.fullmatch(some.get(key, value), seen[key]) for key, value in PERF.items())
    return fits


def answer(state, words, builds, **more):
    """The outermost object."""
    return dict({
        'program': 'check_ib_image', 'state': ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')[state], 'exitCode': state,
        'text': words, 'time': TIME, 'inFlight': sum(b['inFlight'] for b in builds), 'seen': len(builds),
        'vanished': 0, 'builds': builds, 'pipelines': [], 'errors': [], 'nothing': [], 'perfdata': perf(),
        'aws': {'requests': number, 'retries': 0, 'throttled': 0, 'milliseconds': number}}, **more)


def build(name, status, state, **more):
    flies = status in ('PENDING', 'CREATING', 'BUILDING', 'TESTING', 'DISTRIBUTING', 'INTEGRATING')
    version, number_ = more.pop('version', '1.0.0'), more.pop('number', 1)
    return dict({
        'arn': arn('image', f'{name}/{version}/{number_}'), 'name': name, 'version': version, 'build': number_,
        'region': 'eu-central-1', 'account': '123456789012', 'status': status,
        'state': ('OK', 'WARNING', 'CRITICAL', 'UNKNOWN')[state], 'why': 'fine' if flies else 'ended', 'text': status,
        'inFlight': flies, 'stuck': False, 'waiting': False, 'created': TIME, 'dateCreated': TIME,
        'type': 'AMI', 'platform': 'Linux', 'osVersion': 'Amazon Linux 2023', 'buildType': 'USER_INITIATED',
        'amis': [], 'containers': []}, **more)


# --- builds --------------------------------------------------------------------------------------

@test
def _():
    """A stuck build of a pipeline: its age, its limits in words, its workflow and its step."""
    line = standin.ctl('add-pipeline', name='web-server')['arn']
    standin.ctl('add-image', name='web-server', version='1.4.2', build=7, pipeline='web-server', age_s=2 * HOUR,
                reason='odd | "words"\nand ünicode', tags={'team': 'platform'},
                workflows=[{'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 2 * HOUR, 'steps': [
                    {'name': 'Apply', 'action': 'RunCommand', 'status': 'RUNNING', 'start_age_s': HOUR}]}])
    one = build(
        'web-server', 'BUILDING', CRITICAL, version='1.4.2', number=7, why='age', stuck=True,
        text=text(r'BUILDING for 2h [0-2]m \(critical 1h 30m\)'), statusReason='odd | "words"\nand ünicode',
        ageSeconds=near(7200), phaseSeconds=near(7200), tags={'team': 'platform'}, pipelineName='web-server',
        pipelineArn=line, retried=False, begunLate=False,
        workflow={'name': 'build-image', 'type': 'BUILD', 'startTime': TIME},
        step={'name': 'Apply', 'action': 'RunCommand', 'startTime': TIME})
    equal(check('-p', 'web-server', '-w', '45m', '-c', '90m').facts, answer(
        CRITICAL, text(r'web-server 1.4.2/7 BUILDING for 2h [0-2]m \(critical 1h 30m\), step Apply'), [one],
        perfdata=perf(age=r'7[23]\d\ds', in_flight='1', stuck='1', building='1'),
        pipelines=[{'name': 'web-server', 'arn': line, 'state': 'OK', 'text': '', 'enabled': True,
                    'disabledByFailures': False, 'builds': 1, 'consecutiveFailures': 0}]))


@test
def _():
    """A young build: nothing was looked up, and nothing is said of it."""
    standin.ctl('add-image', name='young', age_s=600)
    equal(check('-n', 'young', '-c', '90m').facts, answer(
        OK, text(r'young 1.0.0/1 BUILDING for 1[0-2]m \d+s'),
        [build('young', 'BUILDING', OK, text=text(r'BUILDING for 1[0-2]m \d+s'), ageSeconds=near(600))],
        perfdata=perf(age=r'[67]\d\ds', in_flight='1', building='1')))


@test
def _():
    """A retried build has the time of its restart, and is aged from there."""
    standin.ctl('add-image', name='retried', age_s=30 * HOUR, workflows=[
        {'type': 'BUILD', 'status': 'FAILED', 'start_age_s': 29 * HOUR, 'steps': []},
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': HOUR, 'steps': []}])
    equal(check('-n', 'retried', '-c', '90m').facts, answer(
        OK, text(r'retried 1.0.0/1 BUILDING for 1h [0-2]m, workflow build-image, retried 1h [0-2]m ago'),
        [build('retried', 'BUILDING', OK, text=text(r'BUILDING for 1h [0-2]m'), ageSeconds=near(HOUR),
               phaseSeconds=near(HOUR), retried=True, begunLate=False, restarted=TIME,
               workflow={'name': 'build-image', 'type': 'BUILD', 'startTime': TIME})],
        perfdata=perf(age=r'3[67]\d\ds', in_flight='1', building='1')))


@test
def _():
    """A build that began late says so."""
    standin.ctl('add-image', name='late', age_s=12 * HOUR, workflows=[
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': HOUR, 'steps': []}])
    one = check('-n', 'late', '-c', '90m')['builds'][0]
    equal({k: one[k] for k in ('retried', 'begunLate', 'restarted', 'ageSeconds', 'state')},
          {'retried': False, 'begunLate': True, 'restarted': TIME, 'ageSeconds': near(HOUR), 'state': 'OK'})


@test
def _():
    """A build that waits for a person is no stuck one."""
    standin.ctl('add-image', name='asks', age_s=2 * HOUR, workflows=[
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 2 * HOUR, 'steps': [
            {'name': 'Approve', 'action': 'WaitForAction', 'status': 'RUNNING', 'start_age_s': HOUR}]}])
    words = r'BUILDING for 2h [0-2]m, waits for an answer in step Approve'
    equal(check('-n', 'asks', '-c', '90m').facts, answer(
        WARNING, text('asks 1.0.0/1 ' + words),
        [build('asks', 'BUILDING', WARNING, why='waiting', waiting=True, text=text(words), ageSeconds=near(7200),
               phaseSeconds=near(7200), retried=False, begunLate=False,
               workflow={'name': 'build-image', 'type': 'BUILD', 'startTime': TIME},
               step={'name': 'Approve', 'action': 'WaitForAction', 'startTime': TIME})],
        perfdata=perf(age=r'7[23]\d\ds', in_flight='1', waiting='1', building='1')))


@test
def _():
    """Without permission for the workflows the rest stands, with what is missing."""
    standin.ctl('add-image', name='web', age_s=2 * HOUR)
    standin.ctl('add-fault', op='ListWorkflowExecutions', **error('AccessDeniedException', status=403))
    equal(check('-n', 'web', '-c', '90m').facts, answer(
        CRITICAL, text(r'web 1.0.0/1 BUILDING for 2h [0-2]m \(critical 1h 30m\)'),
        [build('web', 'BUILDING', CRITICAL, why='age', stuck=True,
               text=text(r'BUILDING for 2h [0-2]m \(critical 1h 30m\)'), ageSeconds=near(7200),
               detailError=text(r'ListWorkflowExecutions: access denied.*'))],
        perfdata=perf(age=r'7[23]\d\ds', in_flight='1', stuck='1', building='1')))


@test
def _():
    """A failed build: reason, and where it failed."""
    standin.ctl('add-image', name='broken', status='FAILED', age_s=HOUR, reason='Document failed', failureContext={
        'imageStatus': 'BUILDING', 'failedStep': 'ApplyBuildComponents', 'componentFailure': {
            'componentArn': arn('component', 'site-hardening/2.1.0/3'), 'phaseName': 'build', 'stepName': 'ApplyCis',
            'action': 'ExecuteBash', 'errorMessage': 'exit status 1'}})
    equal(check('-n', 'broken').facts, answer(
        CRITICAL, text(r'broken 1.0.0/1 FAILED: Document failed; step ApplyBuildComponents.*'),
        [build('broken', 'FAILED', CRITICAL, statusReason='Document failed', ageSeconds=near(HOUR), failure={
            'phase': 'BUILDING', 'step': 'ApplyBuildComponents', 'component': arn('component', 'site-hardening/2.1.0/3'),
            'componentPhase': 'build', 'componentStep': 'ApplyCis', 'message': 'exit status 1'})],
        durationSeconds=number, perfdata=perf(age='0s', failed='1', duration=r'\d+s')))


@test
def _():
    """A distribution that failed: the first Region, and in how many."""
    standin.ctl('add-image', name='far', status='FAILED', age_s=HOUR, reason='Distribution failed', workflows=[],
                failureContext={'imageStatus': 'DISTRIBUTING', 'failedStep': 'Distribute', 'distributionFailure': {
                    'errorMessage': '2 of 3 regions failed', 'regionFailures': [
                        {'region': 'us-east-1', 'status': 'TIMED_OUT'}, {'region': 'us-west-2', 'status': 'FAILED'}]}})
    equal(check('-n', 'far')['builds'][0]['failure'], {
        'phase': 'DISTRIBUTING', 'step': 'Distribute', 'message': '2 of 3 regions failed', 'region': 'us-east-1',
        'regionStatus': 'TIMED_OUT', 'regionsFailed': 2})


@test
def _():
    """A finished build: its AMIs, and how long it took."""
    standin.ctl('add-image', name='done', status='AVAILABLE', age_s=HOUR, amis=[
        {'region': 'us-east-1', 'image': 'ami-0f1e2d3c4b5a69788', 'name': 'done 1', 'accountId': '210987654321'}])
    equal(check('-n', 'done').facts, answer(
        OK, 'done 1.0.0/1 AVAILABLE',
        [build('done', 'AVAILABLE', OK, ageSeconds=near(HOUR), amis=[
            {'id': 'ami-0f1e2d3c4b5a69788', 'region': 'us-east-1', 'name': 'done 1', 'accountId': '210987654321'}])],
        durationSeconds=number, perfdata=perf(age='0s', available='1', duration=r'\d+s')))


@test
def _():
    """A container image: its URIs."""
    standin.ctl('add-image', name='box', status='AVAILABLE', age_s=HOUR, type='DOCKER', containers=[
        {'region': 'us-west-2', 'imageUris': ['1.dkr.ecr.us-west-2.amazonaws.com/box:1', 'other/box:stable']}])
    one = check('-a', arn('image', 'box/1.0.0/1'))['builds'][0]
    equal((one['type'], one['amis'], one['containers']), ('DOCKER', [], [
        {'uri': '1.dkr.ecr.us-west-2.amazonaws.com/box:1', 'region': 'us-west-2'},
        {'uri': 'other/box:stable', 'region': 'us-west-2'}]))


@test
def _():
    """A date that cannot be read: null, the text as AWS wrote it, and no age."""
    standin.ctl('add-image', name='odd', dateCreated='yesterday')
    one = check('-n', 'odd', '-c', '90m')['builds'][0]
    equal({k: one[k] for k in ('created', 'dateCreated', 'ageSeconds', 'state', 'why', 'stuck')},
          {'created': None, 'dateCreated': 'yesterday', 'ageSeconds': None, 'state': 'UNKNOWN', 'why': 'age-unknown',
           'stuck': False})


@test
def _():
    """A state that nobody has heard of is told as AWS wrote it."""
    standin.ctl('add-image', name='new', age_s=HOUR, status='BUILDING', extra={'state': {'status': 'FROBBED'}})
    one = check('-a', arn('image', 'new/1.0.0/1'), '-c', '90m')['builds'][0]
    equal({k: one[k] for k in ('status', 'state', 'why', 'text', 'inFlight', 'stuck')},
          {'status': 'FROBBED', 'state': 'UNKNOWN', 'why': 'unheard-of', 'inFlight': False, 'stuck': False,
           'text': 'FROBBED, a state unknown to this version'})


# --- the rest ------------------------------------------------------------------------------------

@test
def _():
    """What could not be read: kind, sentence, AWS's code, request id and HTTP status."""
    gone = arn('image', 'gone/1.0.0/1')
    equal(check('-a', gone).facts, answer(
        UNKNOWN, text(r'.*ResourceNotFoundException.*'), [], perfdata=perf(unreadable='1'),
        errors=[{'what': 'build ' + gone, 'kind': 'aws', 'text': text(r'GetImage: .*'), 'httpStatus': 404,
                 'code': 'ResourceNotFoundException', 'requestId': text(r'[0-9a-f-]{36}')}]))


@test
def _():
    """Where nothing matches that is said, with the state that it gives."""
    equal(check('-A', '-c', '90m').facts, answer(
        OK, text(r'no build in flight.*'), [],
        nothing=[{'state': 'OK', 'text': text(r'no build in flight.*')}], perfdata=perf(age='0s')))


@test
def _():
    """A mistake on the command line is JSON too."""
    for mistake, words in ((['-a', 'nonsense'], r'--arn: "nonsense" is not an ARN.*'),
                           (['--nope'], 'unknown option --nope'), (['-A', '-n', 'x'], '.*do not go together')):
        equal(check(*mistake).facts, {'program': 'check_ib_image', 'state': 'UNKNOWN', 'exitCode': 3,
                                      'text': text(words), 'error': {'kind': 'usage'}})


@test
def _():
    """A target's name is with its builds, its errors and its nothings."""
    standin.ctl('add-image', name='a', age_s=60)
    path = os.path.join(standin.dir, 'ib.conf')
    with open(path, 'w', encoding='ascii') as handle:
        handle.write('targets: { one: { image = "a"; critical = "90m"; }; two: { image = "none"; none = "ok"; };'
                     f' three: {{ arn = "{arn("image", "gone/1.0.0/1")}"; }}; }};')
    os.chmod(path, 0o600)
    r = check('--all-targets', config=path)
    same(([b['target'] for b in r['builds']], [n['target'] for n in r['nothing']], [e['target'] for e in r['errors']]),
         (['one'], ['two'], ['three']))


sys.exit(test.run(standin))
