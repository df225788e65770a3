#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""check_ib_image against whole accounts: lists, pages, pipelines, several Regions, trouble in the middle."""
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from survey import (CRITICAL, OK, SANITIZED, UNKNOWN, WARNING, Endless, Run, arn,  # noqa: E402
                    error)

try:
    import botocore  # noqa: F401
except ImportError:
    print('1..0 # SKIP python3-botocore is not installed')
    sys.exit(0)
from tap import Standin, Tests, has, same  # noqa: E402

standin = Standin()
other = Standin()
endless = Endless()
test = Tests()
HOUR = 3600
LOAD = 20  # seconds: what a run may take over its -t on a machine that is busy with other things
PAGE = ('ListImagePipelineImages', 'ListImageBuildVersions', 'ListImages', 'ListImagePipelines')


def check(*arguments, **keys):
    return Run(*arguments, url=standin.url, **keys)


def add(name='web-server', **keys):
    return standin.ctl('add-image', name=name, **keys)['arn']


def fault(**keys):
    standin.ctl('add-fault', **keys)


def pipeline(name='web-server', **keys):
    return standin.ctl('add-pipeline', name=name, **keys)['arn']


def requests(operation):
    return standin.ctl('requests', op=operation)['requests']


def configure(text, name='ib.conf'):
    path = os.path.join(standin.dir, name)
    with open(path, 'w', encoding='ascii') as handle:
        handle.write(text)
    os.chmod(path, 0o600)
    return path


# --- nothing -------------------------------------------------------------------------------------

@test
def _():
    """An account without builds is OK, and says that nothing is in flight."""
    r = check('-A', '-c', '90m')
    same(r.rc, OK)
    has(r['text'], 'no build in flight')
    same((r['builds'], r['errors'], r.perf('age'), r.perf('in_flight')), ([], [], '0s', '0'))


@test
def _():
    """--none decides about an account without builds."""
    same(check('-A', '-c', '90m', '--none', 'warning').rc, WARNING)


@test
def _():
    """An image that has no build is UNKNOWN and named."""
    r = check('-n', 'no-such-image', '-c', '90m')
    same(r.rc, UNKNOWN)
    has(r['text'], 'no-such-image')


@test
def _():
    """A pipeline name that does not exist is UNKNOWN and named, --none ok or not."""
    r = check('-p', 'no-such-pipeline', '-c', '90m', '--none', 'ok')
    same(r.rc, UNKNOWN)
    has(r.errors(), 'no-such-pipeline')
    has(r.errors(), 'no pipeline of this name')


@test
def _():
    """A pipeline ARN that does not exist is UNKNOWN and named."""
    r = check('-p', arn('image-pipeline', 'no-such'), '-c', '90m', '--none', 'ok')
    same(r.rc, UNKNOWN)
    has(r.errors(), 'image-pipeline/no-such')
    has(r.errors(), 'ResourceNotFoundException')


@test
def _():
    """One of two pipelines does not exist: the builds of the other are judged."""
    add(pipeline=pipeline(), age_s=2 * HOUR)
    r = check('-p', 'web-server', '-p', 'no-such', '-c', '90m')
    same(r.rc, CRITICAL)
    same(len(r['builds']), 1)
    has(r.errors(), 'no-such')


# --- pipelines -----------------------------------------------------------------------------------

@test
def _():
    """A pipeline is found by name and by ARN, with the same builds."""
    line = pipeline()
    add(pipeline=line, age_s=2 * HOUR, build=3)
    add(pipeline=line, age_s=600, build=4)
    add(name='other', age_s=9 * HOUR)
    by_name, by_arn = check('-p', 'web-server', '-c', '90m'), check('-p', line, '-c', '90m')
    for r in by_name, by_arn:
        same(r.rc, CRITICAL)
        same(sorted(r.titles()), ['web-server 1.0.0/3', 'web-server 1.0.0/4'])


@test
def _():
    """A pipeline whose name another one begins with is not mistaken for it."""
    pipeline('web-server')
    add(name='web-server-arm', pipeline=pipeline('web-server-arm'), age_s=5 * HOUR)
    r = check('-p', 'web-server', '-c', '90m')
    same((r.rc, r['builds'], [p['name'] for p in r['pipelines']]), (UNKNOWN, [], ['web-server']))
    has(r['text'], 'pipeline web-server has never run')


@test
def _():
    """A pipeline behind many pages of others is found."""
    for i in range(60):
        pipeline(f'line-{i}')
    standin.ctl('set-defaults', page_size=1)
    add(name='x', pipeline='line-59', age_s=5 * HOUR)
    same(check('-p', 'line-59', '-c', '90m').rc, CRITICAL)


@test
def _():
    """A pipeline that is disabled by hand is told, and is no alert."""
    add(status='AVAILABLE', age_s=9 * HOUR, pipeline=pipeline(status='DISABLED'))
    r = check('-p', 'web-server', '-c', '90m')
    same(r.rc, OK)
    has(r['pipelines'][0]['text'], 'is disabled')
    has(check('-p', 'web-server', form='text').out, 'pipeline web-server is disabled')


def failing_pipeline(failures, limit):
    line = arn('image-pipeline', 'web-server')
    body = {'requestId': 'a1b2', 'imagePipeline': {
        'arn': line, 'name': 'web-server', 'status': 'DISABLED', 'consecutiveFailures': failures,
        'schedule': {'scheduleExpression': 'rate(1 day)', 'autoDisablePolicy': {'failureCount': limit}}}}
    pipeline()
    add(pipeline=line, status='AVAILABLE', age_s=9 * HOUR)
    fault(kind='http', op='GetImagePipeline', status=200, body=body)
    return line


@test
def _():
    """A pipeline that AWS has disabled after failures in a row is a WARNING with the number."""
    r = check('-p', failing_pipeline(5, 5), '-c', '90m')
    same((r.rc, r['pipelines'][0]['disabledByFailures']), (WARNING, True))
    has(r['text'], 'disabled by AWS after 5 failed builds in a row')


@test
def _():
    """With --stuck-only a disabled pipeline is no alert."""
    same(check('--stuck-only', '-p', failing_pipeline(5, 5), '-c', '90m').rc, OK)


@test
def _():
    """Fewer failures than the limit: somebody disabled the pipeline, no alert."""
    r = check('-p', failing_pipeline(2, 5), '-c', '90m')
    same((r.rc, r['pipelines'][0]['disabledByFailures']), (OK, False))


# --- which builds count --------------------------------------------------------------------------

@test
def _():
    """Of a pipeline all builds in flight count, and the newest that has ended."""
    line = pipeline()
    for build, status, age in ((1, 'FAILED', 50), (2, 'AVAILABLE', 40), (3, 'FAILED', 30),
                               (4, 'AVAILABLE', 20), (5, 'BUILDING', 1), (6, 'TESTING', 0.5)):
        add(pipeline=line, build=build, status=status, age_s=age * HOUR)
    r = check('-p', 'web-server', '-c', '90m')
    same(r.rc, OK)
    same(sorted(r.titles()), [f'web-server 1.0.0/{n}' for n in (4, 5, 6)])


@test
def _():
    """The newest of an image is told by date, over all versions, whatever the order of the lists."""
    for version, status, age in (('1.9.0', 'AVAILABLE', 3), ('1.10.0', 'FAILED', 2),
                                 ('1.2.0', 'AVAILABLE', 1), ('2.0.0', 'FAILED', 4)):
        add(version=version, status=status, age_s=age * HOUR)
    r = check('-n', 'web-server', '-c', '90m')
    same((r.rc, r.titles()), (OK, ['web-server 1.2.0/1']))


@test
def _():
    """Of builds of one moment the highest build number is the newest: 10 after 9."""
    date = '2026-01-01T00:00:00.000Z'
    for build, status in ((9, 'FAILED'), (10, 'AVAILABLE'), (2, 'FAILED')):
        add(build=build, status=status, dateCreated=date)
    same(check('-n', 'web-server').titles(), ['web-server 1.0.0/10'])


@test
def _():
    """A build in flight is found in an old version of an image that has been deprecated since."""
    add(version='1.0.0', build=1, age_s=5 * HOUR)
    add(version='1.0.0', build=2, status='DEPRECATED', age_s=9 * HOUR)
    add(version='2.0.0', status='AVAILABLE', age_s=HOUR)
    same(check('-n', 'web-server', '-c', '90m').rc, CRITICAL)


@test
def _():
    """An image whose builds are all deprecated has them, and is not said to have none."""
    add(status='DEPRECATED', age_s=9 * HOUR)
    r = check('-n', 'web-server', '-c', '90m')
    same((r.rc, r.titles()), (OK, ['web-server 1.0.0/1']))


@test
def _():
    """Of an account, ended builds count within the lookback: the newest of each image."""
    add('a', build=1, status='FAILED', age_s=2 * HOUR)
    add('a', build=2, status='AVAILABLE', age_s=HOUR)
    add('b', status='FAILED', age_s=30 * HOUR)
    r = check('-A', '-c', '90m')
    same((r.rc, r.titles()), (OK, ['a 1.0.0/2']))
    r = check('-A', '-c', '90m', '--lookback', '2d')
    same((r.rc, r.titles()), (CRITICAL, ['b 1.0.0/1', 'a 1.0.0/2']))


@test
def _():
    """A build in flight of an account counts however old it is."""
    add('old', age_s=30 * 24 * HOUR)
    r = check('-A', '-c', '90m', '--lookback', '1h')
    same((r.rc, r.titles(), r['builds'][0]['stuck']), (CRITICAL, ['old 1.0.0/1'], True))


@test
def _():
    """Images of others are not ours."""
    add('amazon-linux', owner='Amazon', age_s=9 * HOUR)
    same(check('-A', '-c', '90m')['builds'], [])


@test
def _():
    """A build that two targets select is counted once."""
    add(pipeline=pipeline(), age_s=2 * HOUR)
    conf = configure('targets: { a: { pipeline = "web-server"; critical = "90m"; };'
                     ' b: { image = "web-server"; critical = "3h"; }; };')
    r = check('--all-targets', config=conf)
    same((r.rc, r['inFlight'], r.perf('stuck')), (CRITICAL, 1, '1'))


@test
def _():
    """A build whose page is given twice, for the list moved meanwhile, is counted once."""
    one = add(age_s=2 * HOUR)
    summary = {'arn': one, 'name': 'web-server', 'version': '1.0.0', 'dateCreated': '2026-01-01T00:00:00.000Z',
               'state': {'status': 'BUILDING'}}
    fault(kind='http', op='ListImageBuildVersions', nth=1, status=200,
          body={'imageSummaryList': [summary], 'nextToken': 'next'})
    fault(kind='http', op='ListImageBuildVersions', nth=1, status=200, body={'imageSummaryList': [summary]})
    r = check('-A', '-c', '90m')
    same((r.rc, r['inFlight'], r['seen']), (CRITICAL, 1, 2))


# --- pages ---------------------------------------------------------------------------------------

@test
def _():
    """Builds on all pages are read: 60 of them, one to a page."""
    standin.ctl('bulk-images', count=60, names=3, status='BUILDING', age_s=60)
    standin.ctl('set-defaults', page_size=1)
    r = check('-A', '-c', '90m')
    same((r.rc, r['inFlight'], len(requests('ListImageBuildVersions'))), (OK, 60, 60))


@test
def _():
    """No page asks for more than 25."""
    standin.ctl('bulk-images', count=60, names=3, pipeline=pipeline())
    check('-A')
    check('-p', 'web-server')
    check('-n', 'bulk-1')
    seen = [q['body']['maxResults'] for op in PAGE for q in requests(op)]
    same((len(seen) > 5, set(seen)), (True, {25}))


@test
def _():
    """An empty page with a token is followed."""
    add(age_s=2 * HOUR)
    fault(kind='empty-page', op='ListImageBuildVersions', times=1)
    r = check('-A', '-c', '90m')
    same((r.rc, r['inFlight'], len(requests('ListImageBuildVersions'))), (CRITICAL, 1, 2))


def token_that_repeats(operation, member, *arguments):
    pipeline()
    add(age_s=60, pipeline='web-server')
    fault(kind='http', op=operation, status=200, body={member: [], 'nextToken': 'again'})
    r = check(*arguments, '-c', '90m', '--none', 'ok')
    same(r.rc, UNKNOWN)
    has(r.errors(), 'names a next page that was read before')
    same(len(requests(operation)), 2)


@test
def _():
    """A token that repeats ends the list of builds of an account: UNKNOWN after two calls."""
    token_that_repeats('ListImageBuildVersions', 'imageSummaryList', '-A')


@test
def _():
    """A token that repeats ends the list of builds of a pipeline: UNKNOWN after two calls."""
    token_that_repeats('ListImagePipelineImages', 'imageSummaryList', '-p', arn('image-pipeline', 'web-server'))


@test
def _():
    """A token that repeats ends the list of pipelines: UNKNOWN after two calls."""
    token_that_repeats('ListImagePipelines', 'imagePipelineList', '-p', 'web-server')


@test
def _():
    """A token that repeats ends the list of images: UNKNOWN after two calls."""
    token_that_repeats('ListImages', 'imageVersionList', '-n', 'web-server')


@test
def _():
    """Tokens that go round in a circle of two are seen."""
    for token in ('a', 'b', 'a'):
        fault(kind='http', op='ListImageBuildVersions', times=1, status=200,
              body={'imageSummaryList': [], 'nextToken': token})
    r = check('-A', '-c', '90m')
    same((r.rc, len(requests('ListImageBuildVersions'))), (UNKNOWN, 3))


def broken_page(body, words):
    fault(kind='http', op='ListImageBuildVersions', status=200, body=body)
    r = check('-A', '-c', '90m')
    same((r.rc, len(r['errors'])), (UNKNOWN, 1))
    has(r.errors(), words)


@test
def _():
    """A page whose list is no list is UNKNOWN."""
    broken_page({'imageSummaryList': {'arn': 'x'}}, 'imageSummaryList')


@test
def _():
    """A page that is no object is UNKNOWN."""
    broken_page([], 'imageSummaryList')


@test
def _():
    """A page whose token is a number is UNKNOWN."""
    broken_page({'imageSummaryList': [], 'nextToken': 7}, 'nextToken')


@test
def _():
    """An object that is no page of builds is UNKNOWN, not an account without builds."""
    broken_page({'message': 'We will be back soon.'}, 'imageSummaryList')


@test
def _():
    """An empty object is UNKNOWN, not an account without builds."""
    broken_page({}, 'imageSummaryList')


@test
def _():
    """A page of the service that lacks its list is an empty page."""
    fault(kind='http', op='ListImageBuildVersions', status=200, body={'requestId': 'a1b2c3'})
    same(check('-A', '-c', '90m').rc, OK)


@test
def _():
    """A page that is HTML is UNKNOWN."""
    fault(kind='html', op='ListImageBuildVersions', status=200)
    same(check('-A', '-c', '90m').rc, UNKNOWN)


@test
def _():
    """A build without a status is UNKNOWN and told; those beside it are judged."""
    good = {'arn': add(build=2, age_s=2 * HOUR), 'dateCreated': '2026-01-01T00:00:00Z',
            'state': {'status': 'BUILDING'}}
    bad = {'arn': arn('image', 'web-server/1.0.0/1'), 'state': {}}
    fault(kind='http', op='ListImageBuildVersions', status=200, body={'imageSummaryList': [bad, good]})
    r = check('-A', '-c', '90m')
    same((r.rc, r.titles()), (CRITICAL, ['web-server 1.0.0/2']))
    has(r.errors(), 'state.status')


# --- trouble in the middle -----------------------------------------------------------------------

@test
def _():
    """Throttling in the middle of the pages is waited out: nothing is missed."""
    standin.ctl('bulk-images', count=75, names=3, status='BUILDING', age_s=60)
    fault(kind='throttle', op='ListImageBuildVersions', nth=[2, 4])
    r = check('-A', '-c', '90m')
    same((r.rc, r['inFlight'], r['aws']['throttled'], r['errors']), (OK, 75, 2, []))


@test
def _():
    """Throttling that does not end is UNKNOWN; what was read before is judged."""
    standin.ctl('bulk-images', count=50, names=3, status='BUILDING', age_s=60)
    fault(kind='throttle', op='ListImageBuildVersions', after=1)
    r = check('-A', '-c', '90m', '-t', '6s')
    same((r.rc, r['inFlight']), (UNKNOWN, 25))
    has(r.errors(), 'CallRateLimitExceededException')


@test
def _():
    """The deadline in the middle of the pages is UNKNOWN, never OK; what was read is judged."""
    standin.ctl('bulk-images', count=100, names=3, status='BUILDING', age_s=60)
    fault(kind='silent', op='ListImageBuildVersions', after=2)
    r = check('-A', '-c', '90m', '-t', '3s')
    same((r.rc, r['inFlight'], r.seconds < 4.5), (UNKNOWN, 50, True))
    same([e['kind'] for e in r['errors']], ['timeout'])


@test
def _():
    """--timeout-state says what a list that the deadline cut off is."""
    fault(kind='silent', op='ListImageBuildVersions')
    same(check('-A', '-c', '90m', '-t', '2s', '--timeout-state', 'critical').rc, CRITICAL)


@test
def _():
    """A stuck build on the pages that were read stays CRITICAL when the rest cannot be read."""
    standin.ctl('bulk-images', count=50, names=3, status='BUILDING', age_s=5 * HOUR)
    fault(op='ListImageBuildVersions', after=1, **error('AccessDeniedException', status=403))
    r = check('-A', '-c', '90m')
    same(r.rc, CRITICAL)
    has(r['text'], 'UNKNOWN')


@test
def _():
    """No permission to list is UNKNOWN with what is missing."""
    fault(op='ListImageBuildVersions', **error(
        'AccessDeniedException', status=403, capital_message=True,
        message='User: arn:aws:iam::123456789012:user/icinga is not authorized to perform: '
                'imagebuilder:ListImageBuildVersions'))
    r = check('-A', '-c', '90m')
    same(r.rc, UNKNOWN)
    has(r['text'], 'the permission imagebuilder:ListImageBuildVersions is')


@test
def _():
    """A version whose builds cannot be listed is UNKNOWN; the builds of the other count."""
    add(version='1.0.0', status='AVAILABLE', age_s=HOUR)
    add(version='2.0.0', status='AVAILABLE', age_s=2 * HOUR)
    fault(op='ListImageBuildVersions', times=1, **error('ForbiddenException', status=403))
    r = check('-n', 'web-server', '-c', '90m')
    same((r.rc, len(r['builds']), len(r['errors'])), (UNKNOWN, 1, 1))


# --- between list and read -----------------------------------------------------------------------

@test
def _():
    """A build over its limit is read again before it is judged: one that has ended meanwhile is not stuck."""
    one = add(age_s=2 * HOUR, status='BUILDING', raw={'body': {'requestId': 'a1', 'image': {
        'arn': arn('image', 'web-server/1.0.0/1'), 'state': {'status': 'AVAILABLE'},
        'dateCreated': '2026-01-01T00:00:00.000Z'}}})
    r = check('-A', '-c', '90m')
    same((r.rc, r['inFlight'], r.build('web-server 1.0.0/1')['status']), (OK, 0, 'AVAILABLE'))
    same([q['arn'] for q in requests('GetImage')], [one])


def ended_unseen(build, status, age_s=2 * HOUR):
    """GetImage shows it ended; the list does not yet."""
    created = time.strftime('%Y-%m-%dT%H:%M:%S.000Z', time.gmtime(time.time() - age_s))
    return {'body': {'requestId': 'a1', 'image': {
        'arn': arn('image', f'web-server/1.0.0/{build}'), 'state': {'status': status},
        'dateCreated': created}}}


@test
def _():
    """A build that ended between list and read hides no failure of another pipeline with the same image name."""
    one, two = pipeline('line-1'), pipeline('line-2')
    add(pipeline=one, build=1, status='FAILED', age_s=3 * HOUR)
    add(pipeline=two, build=2, status='BUILDING', age_s=2 * HOUR, raw=ended_unseen(2, 'AVAILABLE'))
    r = check('-p', 'line-1', '-p', 'line-2', '-c', '90m')
    same((r.rc, sorted(r.titles())), (CRITICAL, ['web-server 1.0.0/1', 'web-server 1.0.0/2']))


@test
def _():
    """A build that ended between list and read takes the place of an older one, or leaves it to a newer one."""
    line = pipeline()
    add(pipeline=line, build=1, status='FAILED', age_s=3 * HOUR)
    add(pipeline=line, build=2, status='BUILDING', age_s=2 * HOUR, raw=ended_unseen(2, 'AVAILABLE'))
    r = check('-p', 'web-server', '-c', '90m')
    same((r.rc, r.titles()), (OK, ['web-server 1.0.0/2']))
    add(pipeline=line, build=3, status='AVAILABLE', age_s=HOUR)
    add(pipeline=line, build=4, status='BUILDING', age_s=2 * HOUR + 60,
        raw=ended_unseen(4, 'FAILED', 2 * HOUR + 60))
    r = check('-p', 'web-server', '-c', '90m')
    same((r.rc, r.titles()), (OK, ['web-server 1.0.0/3']))


@test
def _():
    """A build below its limits is not read again: the list is enough."""
    add(age_s=600)
    same((check('-A', '-c', '90m').rc, requests('GetImage'), requests('ListWorkflowExecutions')), (OK, [], []))


@test
def _():
    """A build that vanished between list and read is told, and is no failure of the run."""
    gone = add(age_s=2 * HOUR, build=1)
    add(age_s=600, build=2)
    for op in ('GetImage', 'ListWorkflowExecutions'):
        fault(op=op, arn=gone, **error('ResourceNotFoundException', status=404))
    r = check('-A', '-c', '90m')
    same((r.rc, r['vanished'], r.titles(), r['errors']), (OK, 1, ['web-server 1.0.0/2'], []))
    has(check('-A', '-c', '90m', form='text').out, 'vanished')


@test
def _():
    """When the only build vanished, that is told."""
    gone = add(age_s=2 * HOUR)
    for op in ('GetImage', 'ListWorkflowExecutions'):
        fault(op=op, arn=gone, **error('ResourceNotFoundException', status=404))
    r = check('-n', 'web-server', '-c', '90m')
    same((r.rc, r['vanished']), (UNKNOWN, 1))


@test
def _():
    """A build named by its ARN that does not exist is UNKNOWN: nothing vanished."""
    r = check('-a', arn('image', 'web-server/1.0.0/1'), '-c', '90m')
    same((r.rc, r['vanished']), (UNKNOWN, 0))
    has(r['text'], 'ResourceNotFoundException')


@test
def _():
    """A build that cannot be read again stays what the list said of it, with the reason."""
    add(age_s=2 * HOUR)
    fault(op='GetImage', **error('ServiceException', status=400))
    r = check('-A', '-c', '90m')
    same(r.rc, CRITICAL)
    has(r['builds'][0]['detailError'], 'ServiceException')


# --- dates ---------------------------------------------------------------------------------------

def dated(**keys):
    add(**keys)
    r = check('-A', '-c', '90m')
    return r.rc, r['builds'][0]['ageSeconds']


@test
def _():
    """A build without a date is UNKNOWN under a limit, never OK."""
    same(dated(no_date=True), (UNKNOWN, None))


@test
def _():
    """A date for people is not guessed at: UNKNOWN."""
    same(dated(dateCreated='Jul 28, 2022 1:13:45 AM'), (UNKNOWN, None))


@test
def _():
    """A date without fraction is read."""
    same(dated(dateCreated='2026-01-01T00:00:00Z', workflows=[])[0], CRITICAL)


@test
def _():
    """A date with microseconds and an offset is read."""
    same(dated(dateCreated='2026-01-01T02:00:00.123456+02:00', workflows=[])[0], CRITICAL)


@test
def _():
    """A date far in the future is UNKNOWN."""
    same(dated(dateCreated='2099-01-01T00:00:00.000Z')[0], UNKNOWN)


@test
def _():
    """Without any limit a build without a date is OK: nobody asked for its age."""
    add(no_date=True)
    same(check('-A').rc, OK)


@test
def _():
    """An ended build without a date is not hidden by the lookback."""
    add(status='FAILED', no_date=True)
    r = check('-A', '-c', '90m')
    same((r.rc, len(r['builds'])), (CRITICAL, 1))


# --- what it is doing ----------------------------------------------------------------------------

@test
def _():
    """A stuck build comes with its running workflow and step, and since when."""
    add(age_s=2 * HOUR, step='RunTests')
    b = check('-A', '-c', '90m')['builds'][0]
    same((b['state'], b['stuck'], b['workflow']['type'], b['step']['name'], 'startTime' in b['step']),
         ('CRITICAL', True, 'BUILD', 'RunTests', True))
    has(check('-A', '-c', '90m', form='text').first, 'step RunTests')


@test
def _():
    """A build that waits for a person is WARNING by default, and not stuck."""
    add(age_s=2 * HOUR, waiting_step='Approve')
    r = check('-A', '-c', '90m')
    b = r['builds'][0]
    same((r.rc, b['waiting'], b['stuck'], b['step']['action']), (WARNING, True, False, 'WaitForAction'))
    has(r['text'], 'waits for an answer in step Approve')


@test
def _():
    """Of tests that run side by side the one that waits for a person is found."""
    def tests(name, action, start_h):
        return {'type': 'TEST', 'status': 'RUNNING', 'start_age_s': start_h * HOUR, 'steps': [
            {'name': name, 'action': action, 'status': 'RUNNING', 'start_age_s': start_h * HOUR}]}
    add(age_s=5 * HOUR, status='TESTING', workflows=[
        dict(failed(5), status='COMPLETED'), tests('Approve', 'WaitForAction', 2), tests('Run', 'RunCommand', 1)])
    r = check('-A', '-c', '90m')
    same((r.rc, r['builds'][0]['step']['name']), (WARNING, 'Approve'))


@test
def _():
    """--waiting critical makes a waiting build CRITICAL, --waiting ok makes it OK."""
    add(age_s=2 * HOUR, waiting_step='Approve')
    same((check('-A', '-c', '90m', '--waiting', 'critical').rc, check('-A', '-c', '90m', '--waiting', 'ok').rc),
         (CRITICAL, OK))


@test
def _():
    """A critical range that every build or only a young one breaks is taken, and -v says that it is never stuck."""
    add(age_s=600)
    for text, rc in (('~:', OK), ('0:', OK), ('@0:', CRITICAL), ('@5', OK), ('90m:', CRITICAL)):
        r = check('-A', '-v', '-c', text)
        same((r.rc, r['builds'][0]['stuck']), (rc, False), text)
        has(check('-A', '-v', '-c', text, form='text').out, f'note: critical range "{text}" never says that a build')


@test
def _():
    """--stuck-only: a build that is too young for a range is WARNING, one that is too old is CRITICAL."""
    add(age_s=300)
    same(check('-A', '--stuck-only', '-c', '10m:90m').rc, WARNING)
    add(age_s=2 * HOUR)
    same(check('-A', '--stuck-only', '-c', '10m:90m').rc, CRITICAL)


@test
def _():
    """--stuck-only: a target without limits beside others is no mistake, and -v says that it judges nothing."""
    add(age_s=9 * HOUR)
    conf = targets('web: { image = "web-server"; };', 'all: { all = true; critical = "1d"; };')
    r = check('--all-targets', '--stuck-only', '-v', config=conf, form='text')
    same(r.rc, OK)
    has(r.out, 'note on target web: nothing says when a build is stuck')
    has(check('-T', 'web', '--stuck-only', config=conf, form='text').out, 'nothing says when a build is stuck')


@test
def _():
    """A waiting step below all limits is not looked for."""
    add(age_s=60, waiting_step='Approve')
    same((check('-A', '-c', '90m').rc, requests('ListWorkflowStepExecutions')), (OK, []))


@test
def _():
    """The time in one state is counted from the start of its workflow."""
    add(status='TESTING', age_s=5 * HOUR, phase_age_s=600)
    r = check('-A', '--phase', 'TESTING=20m,40m')
    same((r.rc, 550 < r['builds'][0]['phaseSeconds'] < 660), (OK, True))
    same(check('-A', '--phase', 'TESTING=5m,40m').rc, WARNING)


def no_details(**keys):
    add(age_s=2 * HOUR)
    fault(op='ListWorkflowExecutions', **keys)
    r = check('-A', '-c', '90m')
    same((r.rc, r['errors'], r['builds'][0]['stuck']), (CRITICAL, [], True))
    return r['builds'][0]['detailError']


@test
def _():
    """No permission for the workflow calls costs only the detail (AccessDenied)."""
    has(no_details(**error('AccessDeniedException', status=403, capital_message=True)), 'access denied')


@test
def _():
    """No permission for the workflow calls costs only the detail (Forbidden)."""
    has(no_details(**error('ForbiddenException', status=403)), 'access denied')


@test
def _():
    """An endpoint that does not know the workflow calls costs only the detail."""
    has(no_details(**error('UnknownOperationException', status=404)), 'UnknownOperation')


@test
def _():
    """No permission for the steps alone: the workflow is told."""
    add(age_s=2 * HOUR)
    fault(op='ListWorkflowStepExecutions', **error('AccessDeniedException', status=403))
    b = check('-A', '-c', '90m')['builds'][0]
    same((b['workflow']['type'], 'step' in b), ('BUILD', False))
    has(b['detailError'], 'access denied')


# --- retried builds ------------------------------------------------------------------------------

def failed(start_h, **keys):
    return dict(keys, type='BUILD', status='FAILED', start_age_s=start_h * HOUR, steps=[])


def running(start_h, **keys):
    return dict(keys, type='BUILD', status='RUNNING', start_age_s=start_h * HOUR,
                steps=[{'name': 'Build', 'action': 'RunCommand', 'status': 'RUNNING', 'start_age_s': start_h * HOUR}])


def retried(*workflows, **keys):
    add(**dict({'age_s': 30 * HOUR, 'workflows': list(workflows)}, **keys))
    r = check('-A', '-c', '90m')
    b = r['builds'][0]
    return r.rc, b['stuck'], b.get('retried')


@test
def _():
    """A build put back to work ten minutes ago is not stuck, though it was made 30 hours ago."""
    same(retried(failed(29), running(0.2)), (OK, False, True))


@test
def _():
    """A build put back to work two hours ago is stuck."""
    same(retried(failed(29), running(2)), (CRITICAL, True, True))


@test
def _():
    """Of several retries the last one counts."""
    same(retried(failed(29), failed(20), failed(5), running(0.5)), (OK, False, True))


@test
def _():
    """A build whose tests failed and that was built anew is aged from its new build workflow."""
    same(retried(dict(failed(29), status='COMPLETED'), dict(failed(28), type='TEST'), running(0.2)), (OK, False, True))


@test
def _():
    """A build put back to work whose workflow has not begun is UNKNOWN: nobody knows since when."""
    same(retried(failed(29)), (UNKNOWN, False, True))


@test
def _():
    """The same when the old execution is marked as retried."""
    same(retried(failed(29, retried=True)), (UNKNOWN, False, True))


@test
def _():
    """A retry is seen when the old execution is marked and the new one is not."""
    same(retried(failed(29, retried=True), running(0.2)), (OK, False, True))


@test
def _():
    """A retry is seen when only the new execution is left and marked."""
    same(retried(running(0.2, retried=True)), (OK, False, True))


@test
def _():
    """A build that failed before any workflow began, put back to work: aged from its first workflow."""
    same(retried(running(0.2))[:2], (OK, False))


@test
def _():
    """A build that waited half a day for its turn is aged from when it began, and that is said."""
    add(age_s=12 * HOUR, workflows=[running(0.5)])
    has(check('-A', '-c', '90m', form='text').out, 'begun 30m 0s ago')


@test
def _():
    """A build that began late and hangs grows old from its beginning: it is stuck after 90 minutes."""
    same(retried(running(1.4), age_s=12 * HOUR)[:2], (OK, False))
    standin.ctl('reset')
    same(retried(running(1.6), age_s=12 * HOUR)[:2], (CRITICAL, True))


@test
def _():
    """The tests of a build that began late do not make it young again."""
    tests = dict(running(0.2), type='TEST')
    same(retried(dict(running(2), status='COMPLETED'), tests, age_s=12 * HOUR, status='TESTING')[:2], (CRITICAL, True))


@test
def _():
    """A build that has waited half a day for its turn and has not begun is stuck."""
    same(retried(age_s=12 * HOUR, status='PENDING'), (CRITICAL, True, False))


@test
def _():
    """A build that never failed is aged from its creation."""
    same(retried(running(1.9), age_s=2 * HOUR), (CRITICAL, True, False))


@test
def _():
    """More than a page of workflow executions is read."""
    standin.ctl('set-defaults', page_size=2)
    same(retried(*[failed(29 - i) for i in range(8)], running(0.2)), (OK, False, True))


# --- many targets --------------------------------------------------------------------------------

def targets(*rows):
    return configure('targets: {\n' + '\n'.join(rows) + '\n};\n')


@test
def _():
    """Targets in several Regions are read in one run, each in its own."""
    rows = []
    for i, region in enumerate(('eu-central-1', 'us-east-1', 'eu-west-1', 'ap-southeast-2')):
        line = standin.ctl('add-pipeline', name=f'line-{i}', region=region)['arn']
        add(f'image-{i}', pipeline=line, region=region, age_s=2 * HOUR if i == 2 else 600)
        rows.append(f't{i}: {{ pipeline = "{line}"; critical = "90m"; }};')
        rows.append(f'a{i}: {{ all = true; region = "{region}"; critical = "90m"; }};')
    r = check('--all-targets', config=targets(*rows))
    same((r.rc, r['inFlight'], r['errors'], r['nothing']), (CRITICAL, 4, [], []))
    same(sorted({b['region'] for b in r['builds']}), ['ap-southeast-2', 'eu-central-1', 'eu-west-1', 'us-east-1'])


@test
def _():
    """One target without permission is UNKNOWN and named; the others are judged."""
    add('good', age_s=600)
    add('bad', age_s=600, region='us-east-1')
    fault(op='ListImages', **error('AccessDeniedException', status=403))
    r = check('--all-targets', config=targets(
        'bad: { image = "bad"; region = "us-east-1"; critical = "90m"; };',
        'good: { all = true; critical = "90m"; };'))
    same((r.rc, r.titles(), [e['target'] for e in r['errors']]), (UNKNOWN, ['good 1.0.0/1'], ['bad']))


@test
def _():
    """A target whose profile does not exist is UNKNOWN and named; the others are judged."""
    add('good', age_s=2 * HOUR)
    r = check('--all-targets', config=targets(
        'bad: { all = true; profile = "no-such"; critical = "90m"; };',
        'good: { all = true; critical = "90m"; };'))
    same((r.rc, len(r['builds']), [e['target'] for e in r['errors']]), (CRITICAL, 1, ['bad']))
    has(r.errors(), 'no-such')


@test
def _():
    """A Region that does not answer is UNKNOWN by the deadline; the others are judged, page by page."""
    standin.ctl('bulk-images', count=200, names=3, status='BUILDING', age_s=600)
    r = Run('--all-targets', '-t', '6s', config=targets(
        f'a-silent: {{ all = true; endpoint_url = "{endless.url}"; critical = "90m"; }};',
        f'good: {{ all = true; endpoint_url = "{standin.url}"; critical = "90m"; }};'))
    same((r.rc, r['inFlight'], [e['target'] for e in r['errors']]), (UNKNOWN, 200, ['a-silent']))
    same(r.seconds < 6 + LOAD, True, f'{r.seconds:.1f} s')


@test
def _():
    """Many targets of a Region that does not answer leave room for the others."""
    standin.ctl('bulk-images', count=200, names=3, status='BUILDING', age_s=2 * HOUR)
    rows = [f's{i}: {{ image = "image-{i}"; endpoint_url = "{endless.url}"; critical = "90m"; }};' for i in range(20)]
    rows.append(f'good: {{ all = true; endpoint_url = "{standin.url}"; critical = "90m"; }};')
    r = Run('--all-targets', '-t', '8s', config=targets(*rows))
    same((r.rc, r['inFlight'], len(r['errors'])), (CRITICAL, 200, 20))
    same(r['builds'][0]['workflow']['type'], 'BUILD')


@test
def _():
    """A role that STS gives no answer about leaves room for the other targets."""
    standin.ctl('bulk-images', count=100, names=3, status='BUILDING', age_s=600)
    fault(kind='silent', op='AssumeRole')
    r = check('--all-targets', '-t', '8s', config=targets(
        'bad: { all = true; role_arn = "arn:aws:iam::123456789012:role/x"; critical = "90m"; };',
        'good: { all = true; critical = "90m"; };'))
    same((r.rc, r['inFlight'], [e['target'] for e in r['errors']]), (UNKNOWN, 100, ['bad']))


@test
def _():
    """ib_cancel_action cancels what is stuck beside a Region that gives no answers."""
    one = add(age_s=2 * HOUR)
    r = Run('--all-targets', '--sweep', '-t', '8s', program='ib_cancel_action', form='text', config=configure(
        f'state_dir = "{standin.dir}/state"; defaults: {{ critical = "90m"; }}; targets: {{'
        f' silent: {{ all = true; endpoint_url = "{endless.url}"; cancel: {{ enabled = true; }}; }};'
        f' good: {{ all = true; endpoint_url = "{standin.url}"; cancel: {{ enabled = true; }}; }}; }};'
        'cancel: { allow = [ "arn:aws:imagebuilder:*:*:image/*" ]; };'))
    same((standin.ctl('cancels', arn=one)['cancels'], len(requests('CancelImageCreation'))), (1, 1), r.out)


@test
def _():
    """A Region that refuses connections does not keep the others waiting."""
    add('good', age_s=600)
    r = Run('--all-targets', '-t', '20s', config=targets(
        'bad: { all = true; endpoint_url = "http://127.0.0.1:9"; critical = "90m"; };',
        f'good: {{ all = true; endpoint_url = "{standin.url}"; critical = "90m"; }};'))
    same((r.rc, r.titles(), [e['target'] for e in r['errors']]), (UNKNOWN, ['good 1.0.0/1'], ['bad']))


@test
def _():
    """Two accounts behind two endpoints are both read."""
    add('here', age_s=600)
    other.ctl('reset')
    other.ctl('add-image', name='there', age_s=2 * HOUR)
    r = Run('--all-targets', config=targets(
        f'a: {{ all = true; endpoint_url = "{standin.url}"; critical = "90m"; }};',
        f'b: {{ all = true; endpoint_url = "{other.url}"; critical = "90m"; }};'))
    same((r.rc, r.titles()), (CRITICAL, ['there 1.0.0/1', 'here 1.0.0/1']))


@test
def _():
    """-T reads that target alone, with its own limits; the command line wins over them."""
    add('a', age_s=2 * HOUR)
    add('b', age_s=2 * HOUR)
    conf = targets('a: { image = "a"; critical = "90m"; };', 'b: { image = "b"; critical = "3h"; };')
    same([check('-T', name, *more, config=conf).rc for name, more in
          (('a', ()), ('b', ()), ('b', ('-c', '1h')))], [CRITICAL, OK, CRITICAL])


@test
def _():
    """A target where nothing matches is told by its own --none, beside one with builds."""
    add('a', age_s=60)
    conf = targets('a: { image = "a"; critical = "90m"; };', 'b: { image = "none-such"; none = "warning"; };')
    r = check('--all-targets', config=conf)
    same((r.rc, [x['target'] for x in r['nothing']]), (WARNING, ['b']))
    has(r['text'], 'none-such')


# --- in parallel ---------------------------------------------------------------------------------

def slow_versions(parallel):
    """12 versions of an image, each answer half a second late: how many were under way at once at the least."""
    for i in range(12):
        add(version=f'1.{i}.0', status='AVAILABLE', age_s=HOUR + i)
    fault(kind='delay', op='ListImageBuildVersions', seconds=0.5)
    r = check('-n', 'web-server', '--parallel', str(parallel))
    same((r.rc, r['seen']), (OK, 12))
    times = [x['time'] for x in requests('ListImageBuildVersions')]
    standin.ctl('reset')
    return max(sum(0 <= one - other < 0.5 for other in times) for one in times)


@test
def _():
    """Requests go out in parallel, and no more at once than --parallel says."""
    wide, narrow = slow_versions(12), slow_versions(4)
    same((4 < wide <= 12, 1 < narrow <= 4), (True, True), f'{wide} with 12, {narrow} with 4')


# --- large ---------------------------------------------------------------------------------------

@test
def _():
    """10,000 builds in one run: all read, the stuck ones found, memory below 100 MB."""
    stuck = standin.ctl('bulk-images', count=10000, names=100, stuck_every=500)['stuck']
    r = check('-A', '-c', '90m', '-t', '110s', '--limit', '5')
    same((r.rc, r['seen'], r['inFlight'], r.perf('stuck'), r['errors']), (CRITICAL, 10000, 20, '20', []))
    same(sorted(b['arn'] for b in r['builds'] if b['inFlight']), sorted(stuck))
    same(len(requests('ListImageBuildVersions')), 400)
    if not SANITIZED:
        same(r.memory_kb < 100 * 1024, True, f'{r.memory_kb} KB')
    return f"{r.seconds:.1f} s, {r.memory_kb // 1024} MB, {r['aws']['requests']} requests"


@test
def _():
    """2,000 builds in flight that three targets select: each is shown once, by the first that is worst."""
    standin.ctl('bulk-images', count=2000, names=100, status='BUILDING', age_s=5 * HOUR)
    r = check('--all-targets', '-t', '110s', '--limit', '2000', form='text', config=targets(
        'a: { all = true; critical = "9h"; };', 'b: { all = true; critical = "90m"; };',
        'c: { all = true; critical = "2h"; };'))
    shown = [line for line in r.out.splitlines() if line.startswith('[CRITICAL] bulk-')]
    same((r.rc, len(shown), len([x for x in shown if '(critical 1h 30m)' in x])), (CRITICAL, 2000, 2000))
    has(r.out, ' in_flight=2000;')
    return f'{r.seconds:.1f} s, {r.memory_kb // 1024} MB'


@test
def _():
    """A list too long for the time is UNKNOWN, ends in time, and says how far it came and what to raise."""
    standin.ctl('bulk-images', count=2000, names=100, status='BUILDING', age_s=600)
    fault(kind='delay', op='ListImageBuildVersions', seconds=0.1)
    r = check('-A', '-c', '90m', '-t', '6s', form='text')
    same(r.rc, UNKNOWN)
    found = re.match(r'IB_IMAGE UNKNOWN - ListImageBuildVersions: out of time after (\d+) pages? with (\d+) items, '
                     r'raise --timeout', r.first)
    same(found is not None and 0 < int(found[1]) < 61 and int(found[2]) == 25 * int(found[1]), True, r.first)
    has(r.out, f' in_flight={found[2]};')  # what was read is judged all the same
    same(r.seconds < 6 + LOAD, True, f'{r.seconds:.1f} s')


@test
def _():
    """ib_cancel_action that cannot read a list in half of its time says the same, alone and as a sweep."""
    standin.ctl('bulk-images', count=2000, names=100, status='BUILDING', age_s=600)
    fault(kind='delay', op='ListImageBuildVersions', seconds=0.1)
    for mode in ([], ['--sweep']):
        r = Run('-A', '-c', '90m', '-t', '12s', '--allow', 'arn:aws:imagebuilder:*:*:image/*', *mode, url=standin.url,
                program='ib_cancel_action', form='text', env={'IB_STATE_DIR': os.path.join(standin.dir, 'state')})
        same((r.rc, requests('CancelImageCreation')), (UNKNOWN, []))
        has(r.first, 'IB_CANCEL UNKNOWN - not tried: ListImageBuildVersions: out of time after')
        same(r.seconds < 12 + LOAD, True, f'{r.seconds:.1f} s')


@test
def _():
    """The same account in more time is read whole."""
    standin.ctl('bulk-images', count=2000, names=100, status='BUILDING', age_s=600)
    fault(kind='delay', op='ListImageBuildVersions', seconds=0.1)
    r = check('-A', '-c', '90m', '-t', '110s')
    same((r.rc, r['inFlight'], r['errors']), (OK, 2000, []))


@test
def _():
    """A stuck build on a page that was read is CRITICAL though the list was cut off."""
    standin.ctl('bulk-images', count=2000, names=100, stuck_every=10)
    fault(kind='delay', op='ListImageBuildVersions', seconds=0.1)
    r = check('-A', '-c', '90m', '-t', '6s')
    same((r.rc, len(r['errors'])), (CRITICAL, 1))


@test
def _():
    """10,000 builds in flight at once: all judged, in text with --limit."""
    standin.ctl('bulk-images', count=10000, names=100, status='BUILDING', age_s=5 * HOUR)
    r = check('-A', '-c', '90m', '-t', '110s', '--limit', '5', form='text')
    same(r.rc, CRITICAL)
    same(len(check('-A', '-c', '90m', '-t', '110s')['builds']), 10000)  # --limit is for people
    has(r.out, 'and 9995 more builds (--limit)')
    has(r.first, '9999 CRITICAL')
    if not SANITIZED:
        same(r.memory_kb < 200 * 1024, True, f'{r.memory_kb} KB')
    return f'{r.seconds:.1f} s, {r.memory_kb // 1024} MB'


sys.exit(test.run(standin))
