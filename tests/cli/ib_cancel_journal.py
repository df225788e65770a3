#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ib_cancel_action and its journal against the stand-in: once and only once, resumed, bounded."""
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_world import CHECK, PROGRAM, Fresh, World, kill  # noqa: E402
from tap import Skip, Tests, has, same, until  # noqa: E402

world = World()
test = Tests()
LIMIT = ('-c', '90m')
EVERY = 'arn:*:imagebuilder:*:*:image/*'
QUICK = ('--confirm-timeout', '1s')


def one_line(result, code):
    """A failure: this exit code, one clear line, nothing on stderr."""
    same(result.code, code, result)
    same(result.err, '')
    if len(result.out.strip().split('\n')) != 1:
        raise AssertionError(f'more than one line: {result}')
    has(result.first, 'IB_CANCEL UNKNOWN')


def sent():
    return len(world.requests())


def one(result):
    """The one result of a call with --output json."""
    results = json.loads(result.out)['results']
    same(len(results), 1, result)
    return results[0]


outcome, lost_reply = world.outcome, world.lost_reply


# Once and only once


@test
def _():
    """ten calls at once send one cancel, and each says what it did."""
    arn = world.image(on_cancel={'polls': 2})
    processes = [world.start('-a', arn, *LIMIT, '--problem-id', str(i), '--output', 'json')
                 for i in range(10)]
    results = [(p.returncode, r) for p, r in [(p, one(world.finish(p))) for p in processes]]
    same(world.cancels(arn), 1)
    same(len({r['client_token'] for r in world.requests()}), 1)
    # One has sent it. The others came while it waited, when it had just ended, or later.
    same([(code, r['outcome']) for code, r in results if r['sent']], [(0, 'cancelled')], results)
    for code, r in results:
        if not r['sent']:
            same((code, r['outcome']) in ((1, 'requested'), (0, 'nothing')), True, r)
    same(outcome(arn), [('cancelled', True)])


@test
def _():
    """a second call for the same problem finds nothing to do and sends nothing."""
    arn = world.image()
    same(world.run('-a', arn, *LIMIT, '--problem-id', '77').code, 0)
    again = world.run('-a', arn, *LIMIT, '--problem-id', '77')
    same(again.code, 0)
    has(again.first, 'nothing to cancel: it has ended as CANCELLED')
    same((world.cancels(arn), len(world.rows())), (1, 1))


@test
def _():
    """a second call joins the first that still waits, exit 1."""
    arn = world.image(on_cancel='never')
    first = world.start('-a', arn, *LIMIT, '-t', '2m', '--confirm-timeout', '110s')
    until(1, lambda: world.cancels(arn))
    second = world.run('-a', arn, *LIMIT)
    same(second.code, 1, second)
    has(second.first, f'another call (process {first.pid}) has been cancelling it for')
    world.set(arn, status='CANCELLED')
    same(world.finish(first).code, 0)
    same(world.cancels(arn), 1)


@test
def _():
    """a reply that was lost is found out at once when the build shows it."""
    arn = world.image(on_cancel={'polls': 0})
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', times=1, apply=True)
    result = world.run('-a', arn, *LIMIT)
    same(result.code, 0, result)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


@test
def _():
    """a process killed while it waits for the answer is followed by --resume with its token."""
    arn = world.image(on_cancel={'polls': 1})
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='silent', seconds=30, times=1,
                      apply=True)
    process = world.start('-a', arn, *LIMIT)
    until(1, lambda: world.cancels(arn))
    kill(process)
    process.communicate()
    same(world.rows(arn)[0]['ended_ms'], 0)
    result = world.run('--resume')
    same(result.code, 0, result)
    has(result.out, '[cancelled]')
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))
    has(world.run('--resume').first, 'no cancel is open')


@test
def _():
    """a request that did not arrive is sent by --resume with the token on record."""
    arn = world.image()
    lost_reply(arn)
    same(world.cancels(arn), 0)
    token = world.rows(arn)[0]['token']
    result = world.run('--resume')
    same(result.code, 0, result)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))
    same({r['client_token'] for r in world.requests()}, {token})


@test
def _():
    """a build that never ends stays open, is asked again with one token, and expires as CRITICAL."""
    arn = world.image(on_cancel='never')
    config = world.config('cancel: { retry_for = "1h"; };\n')
    result = world.run('--config', config, '-a', arn, *LIMIT, *QUICK)
    same(result.code, 1, result)
    has(result.first, 'cancel requested, not confirmed within 1s: still BUILDING; --resume')
    opened = world.run('--config', config, '--resume', *QUICK)
    same(opened.code, 1, opened)
    has(opened.first, '1 cancel not confirmed yet')
    has(opened.out, 'open=1;;;0 failed=0;;;0 oldest=')
    world.sql('UPDATE cancels SET created_ms = created_ms - 3600000, sent_ms = sent_ms - 3600000')
    ended = world.run('--config', config, '--resume', *QUICK)
    same(ended.code, 2, ended)
    has(ended.first, '1 cancel failed within the last hour')
    has(ended.out, 'given up: still BUILDING')
    has(ended.out, 'open=0;;;0 failed=1;;;0 oldest=0s')
    same((world.cancels(arn), outcome(arn)), (1, [('expired', True)]))


@test
def _():
    """--resume goes to the endpoint that the cancel of a target was asked for at, not to the file's."""
    arn = world.image(on_cancel='never')
    config = world.config('defaults: { endpoint_url = "http://127.0.0.1:9"; };\n'
                          'cancel: { allow = [ "' + EVERY + '" ]; };\n'
                          'targets: { w: { image = "web-server"; critical = "90m";'
                          ' cancel: { enabled = true; }; }; };\n')
    begun = world.run('--config', config, '-T', 'w', *QUICK)
    same(begun.code, 1, begun)
    world.set(arn, status='CANCELLED')
    bare = subprocess.run([PROGRAM, '--config', config, '--resume', '--syslog', 'none', *QUICK],
                          env=world.env(), stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=120, check=False)
    same((bare.returncode, bare.stderr), (0, b''), bare)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


@test
def _():
    """--resume takes its command line where the journal does not say how the build was reached."""
    arn = world.image(on_cancel='never')
    config = world.config('defaults: { endpoint_url = "http://127.0.0.1:9"; };\n')
    same(world.run('--config', config, '-a', arn, *LIMIT, *QUICK).code, 1)
    world.sql("UPDATE cancels SET context = json_remove(context, '$.endpointUrl')")
    world.set(arn, status='CANCELLED')
    result = world.run('--config', config, '--resume', *QUICK)
    same(result.code, 0, result)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


@test
def _():
    """what ended as cancelled meanwhile is confirmed by --resume without another request."""
    arn = world.image(on_cancel='never')
    same(world.run('-a', arn, *LIMIT, *QUICK).code, 1)
    world.set(arn, status='CANCELLED')
    before = sent()
    same(world.run('--resume').code, 0)
    same((sent(), outcome(arn)), (before, [('cancelled', True)]))


@test
def _():
    """a build that is gone is nothing to do, before the cancel and at --resume."""
    arn = world.image()
    lost_reply(arn)
    world.standin.ctl('remove-image', arn=arn)
    result = world.run('--resume')
    same(result.code, 0, result)
    same(world.rows(arn)[0]['ended_ms'] != 0, True, result)
    never = 'arn:aws:imagebuilder:eu-central-1:123456789012:image/none/1.0.0/1'
    before = sent()
    gone = world.run('-a', never, *LIMIT)
    same(sent(), before)
    same('IB_CANCEL' in gone.first, True)


@test
def _():
    """no permission to cancel ends as refused, exit 2, and --resume shows it as CRITICAL."""
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error',
                      code='AccessDeniedException', status=403)
    result = world.run('-a', arn, *LIMIT)
    same(result.code, 2, result)
    has(result.first, 'it may be read but not cancelled')
    same(outcome(arn), [('failed', True)])
    later = world.run('--resume')
    same((later.code, sent()), (2, 1), later)
    has(later.out, 'failed=1')


@test
def _():
    """a cancel that was throttled to the end is left open and sent by --resume."""
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='throttle')
    result = world.run('-a', arn, *LIMIT, '-t', '8s')
    same(result.code in (1, 3), True, result)
    has(result.first, '--resume')
    same(world.rows(arn)[0]['ended_ms'], 0)
    world.standin.ctl('clear-faults')
    same(world.run('--resume').code, 0)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


@test
def _():
    """a build that is in use is refused for now: exit 2, left open, and asked for again by --resume."""
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error',
                      code='ResourceInUseException', status=400)
    result = world.run('-a', arn, *LIMIT)
    same((result.code, outcome(arn)), (2, [('', False)]), result)
    has(result.first, 'not cancelled, the build is in use: ')
    has(result.first, '; --resume goes on with it')
    later = world.run('--resume')
    same((later.code, outcome(arn)), (1, [('', False)]), later)
    has(later.out, 'open=1')
    world.standin.ctl('clear-faults')
    same(world.run('--resume').code, 0)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))
    same(len({r['client_token'] for r in world.requests()}), 1)


@test
def _():
    """a try that was lost and took effect is ours, though the next one is refused."""
    arn = world.image(on_cancel={'polls': 0})
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', times=1, apply=True)
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error',
                      code='InvalidRequestException', status=400)
    result = world.run('-a', arn, *LIMIT)
    same((result.code, sent(), outcome(arn)), (0, 2, [('cancelled', True)]), result)
    has(result.first, 'cancelled and confirmed')


NOT_AWS = (
    {'kind': 'http', 'status': 407, 'body': 'Proxy Authentication Required', 'content_type': 'text/plain'},
    {'kind': 'http', 'status': 302, 'body': '', 'content_type': 'text/html'},
    {'kind': 'http', 'status': 404, 'body': '<html>not here</html>', 'content_type': 'text/html'},
    {'kind': 'http', 'status': 400, 'body': '{}', 'content_type': 'application/json'},
    {'kind': 'http', 'status': 403, 'body': '<html>forbidden</html>', 'content_type': 'text/html'},
    {'kind': 'http', 'status': 200, 'body': '<html>login</html>', 'content_type': 'text/html'},
    {'kind': 'http', 'status': 200, 'body': '{}', 'content_type': 'application/json'},
    {'kind': 'http', 'status': 200, 'body': '{"imageBuildVersionArn": "arn:aws:imagebuilder:x"}',
     'content_type': 'application/json'},
    {'kind': 'http', 'status': 200, 'body': '["yes"]', 'content_type': 'application/json'},
    {'kind': 'http', 'status': 202, 'body': '', 'content_type': 'text/plain'},
)


@test
def _():
    """an answer that is not Image Builder's neither ends a cancel nor counts as a yes: --resume asks again."""
    for fault in NOT_AWS:
        world.fresh()
        arn = world.image()
        world.standin.ctl('add-fault', op='CancelImageCreation', **fault)
        result = world.run('-a', arn, *LIMIT, *QUICK)
        same((result.code, world.cancels(arn), outcome(arn)), (1, 0, [('', False)]), (fault, result))
        has(result.first, 'outcome unknown')
        same('accepted' in [x['event'] for x in world.history(arn)], False)
        world.standin.ctl('clear-faults')
        same((world.run('--resume').code, world.cancels(arn), outcome(arn)),
             (0, 1, [('cancelled', True)]), fault)


@test
def _():
    """and where the request took effect behind such an answer, the cancel is ours."""
    for fault in NOT_AWS[:6]:
        world.fresh()
        arn = world.image(on_cancel={'polls': 1})
        world.standin.ctl('add-fault', op='CancelImageCreation', apply=True, **fault)
        result = world.run('-a', arn, *LIMIT)
        same((result.code, world.cancels(arn), outcome(arn)), (0, 1, [('cancelled', True)]), (fault, result))


@test
def _():
    """credentials that expire between look and request leave the cancel open."""
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', code='ExpiredTokenException',
                      status=403)
    result = world.run('-a', arn, *LIMIT)
    same((result.code, outcome(arn)), (3, [('', False)]), result)
    has(result.first, 'not cancelled yet: ')
    world.standin.ctl('clear-faults')
    same((world.run('--resume').code, outcome(arn)), (0, [('cancelled', True)]))


@test
def _():
    """a build that ends within the time to confirm is seen, whatever the pause between two looks."""
    arn = world.image(on_cancel={'after_s': 0.7})
    result = world.run('-a', arn, *LIMIT, '--confirm-timeout', '2s')
    same((result.code, outcome(arn)), (0, [('cancelled', True)]), result)
    short = world.image(on_cancel='never')
    begun = time.monotonic()
    result = world.run('-a', short, *LIMIT, '--confirm-timeout', '30s', '-t', '4s')
    took = time.monotonic() - begun
    has(result.first, 'not confirmed within 3s: still BUILDING')
    same(took > 3, True, took)


# Put back to work


def retry(arn):
    world.set(arn, status='FAILED')
    world.call('RetryImage', imageBuildVersionArn=arn, clientToken='somebody')


@test
def _():
    """a build that was put back to work after the cancel was decided is not cancelled."""
    arn = world.image()
    lost_reply(arn)
    before = sent()
    retry(arn)
    world.set(arn, status='BUILDING')
    result = world.run('--resume')
    same(result.code, 0, result)
    has(result.out, 'put back to work after this cancel was decided: left alone')
    same((sent(), world.cancels(arn), outcome(arn)), (before, 0, [('superseded', True)]))


@test
def _():
    """put back to work and not begun yet is not cancelled either."""
    arn = world.image()
    lost_reply(arn)
    before = sent()
    retry(arn)
    result = world.run('--resume')
    same((sent(), world.cancels(arn)), (before, 0), result)


@test
def _():
    """when the workflows cannot be read, --resume sends nothing and leaves it open."""
    for code, status in (('AccessDeniedException', 403), ('ServiceException', 500)):
        world.fresh()
        arn = world.image()
        lost_reply(arn)
        before = sent()
        world.standin.ctl('add-fault', op='ListWorkflowExecutions', kind='error', code=code,
                          status=status)
        result = world.run('--resume', '-t', '8s')
        same(result.code in (1, 3), True, result)
        same((sent(), outcome(arn)), (before, [('', False)]), result)
        world.standin.ctl('clear-faults')
        same(world.run('--resume').code, 0)
        same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


@test
def _():
    """a row of a dead process for a build that was put back to work and is stuck again: a new token."""
    arn = world.image()
    lost_reply(arn)
    old = world.rows(arn)[0]['token']
    retry(arn)
    world.set(arn, status='BUILDING', workflows=[
        {'type': 'BUILD', 'status': 'FAILED', 'start_age_s': 7900},
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 6000}])
    result = world.run('-a', arn, *LIMIT)
    same(result.code, 0, result)
    same(outcome(arn), [('superseded', True), ('cancelled', True)])
    same(world.requests()[-1]['client_token'] != old, True)
    same(world.cancels(arn), 1)


@test
def _():
    """a build that was tagged ib-plugins:no-cancel meanwhile is not asked for again."""
    arn = world.image()
    lost_reply(arn)
    before = sent()
    world.set(arn, tags={'ib-plugins:no-cancel': 'true'})
    result = world.run('--resume')
    same((result.code, sent(), outcome(arn)), (1, before, [('', False)]), result)
    has(result.out, 'opt-out')


@test
def _():
    """a damaged row does not keep --resume from the others."""
    arn, other = world.image(), world.image()
    lost_reply(arn)
    lost_reply(other)
    world.sql("UPDATE cancels SET context = '{broken' WHERE arn = ?", arn)
    result = world.run('--resume')
    same(result.code, 1, result)
    has(result.out, '[untried] web-server/1.0.0/1 not tried: context in the journal')
    same((world.cancels(arn), world.cancels(other)), (0, 1), result)
    same(outcome(other), [('cancelled', True)])


# Rules and budgets

TARGETS = '''
targets: {
  web: { image = "web-server"; critical = "90m"; cancel: { enabled = true; max_per_hour = 2; max_cancel = 5; }; };
  db: { image = "db"; critical = "90m"; cancel: { enabled = true; max_per_hour = 9; max_cancel = 5; }; };
  off: { image = "off"; critical = "90m"; };
};
cancel: { max_per_hour = 3; };
'''


@test
def _():
    """the budgets per hour hold, of a target and in all, and say which rule refused."""
    config = world.config(TARGETS)
    web = [world.image(name='web-server', build=i) for i in range(1, 4)]
    db = [world.image(name='db', build=i) for i in range(1, 4)]
    first = world.run('--config', config, '-T', 'web')
    same((first.code, sum(world.cancels(a) for a in web)), (2, 2), first)
    has(first.out, 'refused by rule target-budget: 2 of 2 cancels per hour used for this target')
    second = world.run('--config', config, '-T', 'db')
    same((second.code, sum(world.cancels(a) for a in db)), (2, 1), second)
    has(second.out, 'refused by rule total-budget: 3 of 3 cancels per hour used for this host')
    world.sql('UPDATE cancels SET sent_ms = sent_ms - 3600000, created_ms = created_ms - 3600000')
    third = world.run('--config', config, '-T', 'web')
    same((third.code, sum(world.cancels(a) for a in web)), (0, 3), third)


@test
def _():
    """what AWS is known to have refused uses up no budget; what may have arrived does."""
    config = world.config('cancel: { max_per_hour = 1; };\n')
    denied, other = world.image(), world.image()
    fault = {'op': 'CancelImageCreation', 'arn': denied}
    world.standin.ctl('add-fault', kind='error', code='AccessDeniedException', status=403, **fault)
    for _ in range(3):
        same(world.run('--config', config, '-a', denied, *LIMIT).code, 2)
    same((sent(), outcome(denied)), (3, [('failed', True)] * 3))
    world.standin.ctl('clear-faults')
    # The first try gets no answer and might have arrived; the second one is refused.
    world.standin.ctl('add-fault', kind='reset', times=1, **fault)
    world.standin.ctl('add-fault', kind='error', code='AccessDeniedException', status=403, **fault)
    same(world.run('--config', config, '-a', denied, *LIMIT, *QUICK).code, 1)
    result = world.run('--config', config, '-a', other, *LIMIT)
    same((result.code, world.cancels(other)), (2, 0), result)
    has(result.first, 'refused by rule total-budget: 1 of 1')
    world.sql('DELETE FROM cancels WHERE sent_ms <> 0')
    result = world.run('--config', config, '-a', other, *LIMIT)
    same((result.code, world.cancels(other)), (0, 1), result)


@test
def _():
    """budgets hold when calls for many builds come at once."""
    config = world.config('cancel: { max_per_hour = 3; };\n')
    arns = [world.image(build=i) for i in range(1, 9)]
    processes = [world.start('--config', config, '-a', a, *LIMIT) for a in arns]
    results = [world.finish(p) for p in processes]
    same(sum(world.cancels(a) for a in arns), 3)
    same(sorted(r.code for r in results), [0] * 3 + [2] * 5, results)


@test
def _():
    """one run cancels at most --max-cancel builds, by default one."""
    arns = [world.image(build=i) for i in range(1, 5)]
    allow = ('-n', 'web-server', '--allow', EVERY, *LIMIT)
    same(world.run(*allow).code, 2)
    same(sum(world.cancels(a) for a in arns), 1)
    result = world.run(*allow, '--max-cancel', '2')
    same((result.code, sum(world.cancels(a) for a in arns)), (2, 3), result)
    has(result.out, 'max-cancel: 2 of 2 cancels of this run used' if 'BROKEN' in result.out
        else 'refused by rule max-cancel: 2 of 2 cancels of this run used')


@test
def _():
    """every other rule refuses with its name and sends nothing."""
    config = world.config(TARGETS + 'defaults: { critical = "90m"; };\n')
    allow = world.config(TARGETS.replace('max_per_hour = 3;', f'allow = [ "{EVERY[:-1]}db/*" ];'))
    del config
    rows = [
        ('opt-out', {'tags': {'ib-plugins:no-cancel': 'yes'}}, ('-a', 'ARN')),
        ('allow-list', {}, ('--config', allow, '-a', 'ARN')),
        ('allow-list', {}, ('-a', 'ARN', '--allow', EVERY[:-1] + 'other/*')),
        ('enabled', {'name': 'off'}, ('--config', allow, '-T', 'off')),
        ('state', {'status': 'DISTRIBUTING'}, ('-a', 'ARN')),
        ('minimum-age', {}, ('-a', 'ARN', '--minimum-age', '3h')),
        ('minimum-age', {}, ('-a', 'ARN', '--any-age', '--minimum-age', '3h')),
    ]
    for rule, spec, arguments in rows:
        world.standin.ctl('reset')
        arn = world.image(**spec)
        limits = () if '-T' in arguments else LIMIT
        result = world.run(*[arn if a == 'ARN' else a for a in arguments], *limits)
        same((result.code, sent()), (2, 0), result)
        has(result.first, f'refused by rule {rule}: ')


@test
def _():
    """DISTRIBUTING is cancelled when told, and --resume remembers that it was."""
    arn = world.image(status='DISTRIBUTING')
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset')
    same(world.run('-a', arn, *LIMIT, *QUICK, '--also-distributing').code, 1)
    world.standin.ctl('clear-faults')
    result = world.run('--resume')
    same((result.code, world.cancels(arn)), (0, 1), result)


@test
def _():
    """--explain shows every rule and sends and records nothing."""
    arn = world.image()
    result = world.run('-a', arn, *LIMIT, '--explain')
    same((result.code, sent(), os.path.exists(world.path())), (0, 0, False), result)
    for rule in ('in-flight', 'age-known', 'stuck', 'minimum-age', 'state', 'opt-out', 'enabled',
                 'allow-list', 'max-cancel', 'target-budget', 'total-budget'):
        has(result.out, f'holds {rule}: ')
    world.set(arn, tags={'ib-plugins:no-cancel': 'yes'})
    result = world.run('-a', arn, *LIMIT, '--explain')
    same((result.code, sent()), (2, 0), result)
    has(result.out, 'BROKEN opt-out: ')


def dry(arn, part, **more):
    """A dry run says what the real one would: nothing is sent, for it could not be recorded."""
    for option in ('--dry-run', '--explain'):
        result = world.run('-a', arn, *LIMIT, option, **more)
        same((result.code, sent(), result.err), (3, 0, ''), result)
        has(result.first, 'nothing would be cancelled, for it could not be recorded '
                          '(--no-journal lifts this): ')
        has(result.first, part)
        same('would be cancelled (dry run)' in result.out, False, result)
        same('BROKEN journal: ' in result.out, option == '--explain', result)
        same(world.run('-a', arn, *LIMIT, option, '--no-journal', **more).code, 0)
    young = world.image(age_s=60)
    result = world.run('-a', young, *LIMIT, '--dry-run', **more)
    same(result.code, 3, result)


@test
def _():
    """a dry run takes no damaged, locked or forbidden journal for an empty one."""
    arn = world.image()
    os.mkdir(world.state, 0o700)
    same(world.run('-a', arn, *LIMIT, '--dry-run').code, 0)  # none yet
    same(os.listdir(world.state), [])
    with open(world.path(), 'wb') as handle:
        handle.write(b'no database' * 1000)
    os.chmod(world.path(), 0o600)
    dry(arn, 'the database is damaged')
    os.unlink(world.path())
    sound_journal()
    base = sqlite3.connect(world.path())
    base.execute('BEGIN EXCLUSIVE')
    dry(arn, 'locked', env=None)
    base.rollback()
    base.close()
    same(world.run('-a', arn, *LIMIT, '--dry-run').code, 0)


@test
def _():
    """a dry run by somebody who may not write the journal says so."""
    need_nobody()
    arn = world.image()
    os.mkdir(world.state, 0o755)
    dry(arn, 'may not be written by this user: Permission denied', preexec_fn=as_nobody)
    os.rmdir(world.state)
    os.mkdir(world.state + '.up', 0o755)
    env = world.env(IB_STATE_DIR=world.state + '.up/state')
    dry(arn, 'may not be written by this user: Permission denied', preexec_fn=as_nobody, env=env)


def hot_journal():
    """What a call leaves behind that was killed in the middle of a write."""
    sound_journal()
    base = sqlite3.connect(world.path())
    base.execute('PRAGMA cache_size = 1')
    base.execute('BEGIN IMMEDIATE')
    base.executemany("INSERT INTO audit (time_ms, arn, event, members) VALUES (1, 'half', 'half', ?)",
                     [('{"text":"' + 'x' * 3000 + '"}',)] * 200)
    for name in (world.path(), world.path() + '-journal'):
        shutil.copy(name, name + '.copy')
    base.rollback()
    base.close()
    for name in (world.path(), world.path() + '-journal'):
        os.chmod(name + '.copy', 0o600)
        os.rename(name + '.copy', name)


@test
def _():
    """what a killed call left half written is rolled back by whoever reads next, and may."""
    hot_journal()
    result = world.run('--history')
    same((result.code, 'half' in result.out, 'seed/1.0.0/1' in result.out), (0, False, True), result)
    same(os.path.exists(world.path() + '-journal'), False)
    need_nobody()
    world.fresh()
    hot_journal()
    os.chmod(world.state, 0o755)
    for name in (world.path(), world.path() + '-journal'):
        os.chmod(name, 0o644)
    result = world.run('--history', preexec_fn=as_nobody)
    same(result.code, 3, result)
    has(result.first, 'a call was killed while it wrote, and this user may not tidy up after it')
    same(world.run('--resume').code, 0)
    same(world.run('--history', preexec_fn=as_nobody).code, 0)


@test
def _():
    """in a shared directory the group has its rights from the first moment on, and again after a kill."""
    os.mkdir(world.state)
    os.chmod(world.state, 0o2770)
    arn = world.image()
    trace = os.path.join(world.dir, 'trace')
    strace = ['strace', '-f', '-qq', '-e', 'trace=fchmod,openat', '-o', trace] if shutil.which('strace') else []
    # The leak checker of a sanitizer build cannot work beside strace.
    same(world.run('-a', arn, *LIMIT, before=strace, env=world.env(ASAN_OPTIONS='detect_leaks=0')).code, 0)
    same(stat.S_IMODE(os.stat(world.path()).st_mode), 0o660)
    if strace:
        with open(trace, encoding='utf-8', errors='replace') as handle:
            made = [x for x in handle if 'journal.db' in x and 'O_CREAT' in x]
        same([x for x in made if ', 0660)' not in x and '/cache' not in x], [], made)
    os.chmod(world.path(), 0o600)  # as a version before left it, killed between two calls
    same(world.run('-a', world.image(), *LIMIT).code, 0)
    same(stat.S_IMODE(os.stat(world.path()).st_mode), 0o660)


# The record


@test
def _():
    """--history tells who, why, with which token, and what came of it, as text and as JSON."""
    arn = world.image()
    same(world.run('-a', arn, *LIMIT, '--problem-id', '4711').code, 0)
    token = world.requests()[0]['client_token']
    text = world.run('--history')
    same(text.code, 0, text)
    for part in (arn, token, '4711', 'claim', 'send', 'accepted', 'CANCELLED', 'newest first'):
        has(text.out, part)
    lines = json.loads(world.run('--history', '-a', arn, '--output', 'json').out)
    same([x['event'] for x in reversed(lines)], ['claim', 'send', 'accepted', 'state', 'end'],
         lines)
    same(lines[-1]['problem'], '4711')
    same((lines[-2]['token'], lines[-2]['status']), (token, 'BUILDING'))
    same(lines[0]['outcome'], 'cancelled')
    same(lines[-1]['user'], os.getuid())
    same(lines[-1]['arguments'][:2], ['-a', arn])
    same(json.loads(world.run('--history', '--output', 'json', '--limit', '2').out),
         lines[:2])


@test
def _():
    """the claim and its token are on record before the request is sent."""
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='delay', seconds=1)
    process = world.start('-a', arn, *LIMIT)
    until(1, sent)
    world.finish(process)
    request = world.requests()[0]
    claimed = world.sql("SELECT * FROM audit WHERE event = 'send'")[0]
    same(claimed['time_ms'] / 1000 <= request['time'] + 0.002, True, (claimed, request))
    same(json.loads(claimed['members'])['token'], request['client_token'])


@test
def _():
    """refusals and idle calls leave a line in the history as well."""
    arn = world.image(tags={'ib-plugins:no-cancel': 'yes'})
    young = world.image(age_s=60)
    world.run('-a', arn, *LIMIT)
    world.run('-a', young, *LIMIT)
    events = {x['arn']: (x['event'], x['rule']) for x in
              json.loads(world.run('--history', '--output', 'json').out)}
    same(events, {arn: ('refuse', 'opt-out'), young: ('nothing', 'stuck')})


@test
def _():
    """--no-journal cancels without a record."""
    arn = world.image()
    same(world.run('-a', arn, *LIMIT, '--no-journal').code, 0)
    same((world.cancels(arn), os.path.exists(world.state)), (1, False))


def sound_journal():
    arn = world.image(name='seed')
    same(world.run('-a', arn, *LIMIT).code, 0)
    world.standin.ctl('clear-requests')


def refused(part, **more):
    """Nothing is sent, the first line says why; --no-journal lifts it."""
    world.standin.ctl('clear-requests')
    arn = world.image(name='stopped')
    result = world.run('-a', arn, *LIMIT, **more)
    same((result.code, result.err, world.cancels(arn), sent()), (3, '', 0, 0), result)
    has(result.first, part)
    has(result.first, world.state)
    lifted = world.run('-a', arn, *LIMIT, '--no-journal', **more)
    same((lifted.code, world.cancels(arn)), (0, 1), lifted)


@test
def _():
    """a state directory that is a symbolic link stops the cancel."""
    os.mkdir(world.state + '.real', 0o700)
    os.symlink(world.state + '.real', world.state)
    refused('symbolic link')


@test
def _():
    """a state directory that everybody may write to stops the cancel."""
    os.mkdir(world.state)
    os.chmod(world.state, 0o777)
    refused('is writable by everybody')


@test
def _():
    """a state directory that its group may write to without setgid stops the cancel."""
    os.mkdir(world.state)
    os.chmod(world.state, 0o770)
    refused('setgid')


@test
def _():
    """a journal that is a symbolic link, or has a second name, stops the cancel."""
    os.mkdir(world.state, 0o700)
    os.symlink('/etc/hostname', world.path())
    refused('symbolic link')
    world.fresh()
    sound_journal()
    os.link(world.path(), world.path() + '.too')
    refused('one name')


def as_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


def need_nobody():
    """Another user to be: only root can, and that one must get at the programs."""
    if os.getuid() != 0:
        raise Skip('only root can work as two users')
    if subprocess.call(['test', '-x', PROGRAM], preexec_fn=as_nobody, cwd='/') != 0:
        raise Skip('the build directory is closed to other users')


@test
def _():
    """a state directory that its owner may not write to, or that cannot be made, stops the cancel."""
    if os.getuid() == 0:
        need_nobody()  # root may write anywhere
    more = {'preexec_fn': as_nobody} if os.getuid() == 0 else {}
    os.mkdir(world.state, 0o500)
    if os.getuid() == 0:
        os.chown(world.state, 65534, 65534)
    refused('Permission denied', **more)
    world.fresh()
    world.state += '/below/that'
    refused('No such file', **more)


@test
def _():
    """a state directory of another user, or one of root that may only be read, stops the cancel."""
    need_nobody()
    os.mkdir(world.state, 0o755)
    os.chown(world.state, 12345, 12345)
    refused('belongs to user 12345', preexec_fn=as_nobody)
    refused('belongs to user 12345')  # root does not use it either
    world.fresh()
    os.mkdir(world.state, 0o755)
    refused('Permission denied', preexec_fn=as_nobody)


@test
def _():
    """a journal that may be read but not written stops the cancel; --history still works."""
    need_nobody()
    os.mkdir(world.state, 0o755)
    sound_journal()
    os.chmod(world.path(), 0o644)
    refused('Permission denied', preexec_fn=as_nobody)
    same(world.run('--history', preexec_fn=as_nobody).code, 0)


@test
def _():
    """users of one group follow each other in a setgid directory, and strangers do not."""
    need_nobody()

    def as_user(uid, *groups):
        def become():
            os.setgroups(groups)
            os.setgid(uid)
            os.setuid(uid)
        return become

    os.mkdir(world.state)
    os.chown(world.state, 0, 4242)
    os.chmod(world.state, 0o2770)
    arn = world.image(on_cancel='never')
    one = world.run('-a', arn, *LIMIT, *QUICK, preexec_fn=as_user(5001, 4242))
    same((one.code, stat.S_IMODE(os.stat(world.path()).st_mode), os.stat(world.path()).st_gid),
         (1, 0o660, 4242), one)
    two = world.run('--resume', *QUICK, preexec_fn=as_user(5002, 4242))
    same(two.code, 1, two)
    has(two.first, '1 cancel not confirmed yet')
    world.set(arn, status='CANCELLED')
    three = world.run('--resume')  # root
    same((three.code, outcome(arn)), (0, [('cancelled', True)]), three)
    refused('Permission denied', preexec_fn=as_user(5003, 4243))


def no_space():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))


@test
def _():
    """when the journal cannot grow, nothing is sent."""
    refused('cannot', preexec_fn=no_space)
    world.fresh()
    sound_journal()
    refused('cannot', preexec_fn=no_space)


# In a mount namespace of its own: a small file system with the journal of before, full to the last byte.
FULL_DISK = '''mount -t tmpfs -o size=256k,mode=0700 tmpfs "$1" || exit 77
if [ -e "$2" ]; then cp "$2" "$1/journal.db" && chmod 600 "$1/journal.db" || exit 78; fi
dd if=/dev/zero of="$1/filler" bs=4096 2>/dev/null
shift 2
exec "$@"'''


@test
def _():
    """on a full disk nothing is sent."""
    private = ['unshare', *([] if os.getuid() == 0 else ['-r']), '-m']
    if subprocess.call([*private, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'],
                       stderr=subprocess.DEVNULL) != 0:
        raise Skip('no private mount namespace here')
    for journal in (False, True):
        world.fresh()
        saved = os.path.join(world.dir, 'saved.db')
        if journal:
            sound_journal()
            os.rename(world.path(), saved)
        else:
            os.mkdir(world.state, 0o700)
        refused('the disk is full' if journal else 'cannot',
                before=(*private, 'sh', '-c', FULL_DISK, 'sh', world.state, saved))


def damage(how):
    with open(world.path(), 'r+b') as handle:
        how(handle)


@test
def _():
    """a journal of noise, cut in half, with broken pages, or of another program stops the cancel."""
    def noise(handle):
        handle.write(b'this is no database at all, and it is long enough to be looked at' * 20)

    def half(handle):
        handle.truncate(os.path.getsize(world.path()) // 2 // 4096 * 4096 or 4096)

    def odd(handle):
        handle.truncate(os.path.getsize(world.path()) * 2 // 3 + 123)

    def pages(handle):
        handle.seek(4096)
        handle.write(b'\xff' * 8192)

    def aside(handle):
        """A page that no call reads but PRAGMA quick_check."""
        base = sqlite3.connect(world.path())
        base.executemany("INSERT INTO audit (time_ms, arn, event, members) VALUES (?, 'x', 'old', ?)",
                         [(2 ** 50, '{"mark":"%06d"%s}' % (i, ' ' * 900)) for i in range(300)])
        base.commit()
        base.close()
        with open(world.path(), 'rb') as reader:
            at = reader.read().index(b'"mark":"000150"')
        handle.seek(at // 4096 * 4096)
        handle.write(b'\xff' * 16)

    for how in (noise, half, odd, pages, aside):
        world.fresh()
        sound_journal()
        damage(how)
        refused('is damaged')
    world.fresh()
    os.mkdir(world.state, 0o700)
    with sqlite3.connect(world.path()) as other:
        other.execute('CREATE TABLE theirs (x)')
    os.chmod(world.path(), 0o600)
    refused('another program')


@test
def _():
    """a journal of a newer version stops the cancel, and --history and --resume say so too."""
    sound_journal()
    world.sql('PRAGMA user_version = 99')
    refused('newer version')
    for mode in ('--history', '--resume'):
        one_line(world.run(mode), 3)


@test
def _():
    """a journal of 100 MB stops the cancel."""
    sound_journal()
    os.truncate(world.path(), 100 * 1024 * 1024)
    refused('more than')


@test
def _():
    """a journal that another process holds locked stops the cancel in time."""
    sound_journal()
    holder = sqlite3.connect(world.path(), isolation_level=None)
    holder.execute('BEGIN EXCLUSIVE')
    begun = time.monotonic()
    arn = world.image(name='stopped')
    result = world.run('-a', arn, *LIMIT, '-t', '3s')
    holder.execute('ROLLBACK')
    one_line(result, 3)
    has(result.first, 'locked')
    # Its patience is a third of -t; the bound is for a machine that does much else.
    same((world.cancels(arn), time.monotonic() - begun < 20), (0, True))


# Clocks


@test
def _():
    """rows of the future, after a clock went back, send nothing on a guess and are not lost."""
    arn = world.image(on_cancel='never')
    same(world.run('-a', arn, *LIMIT, *QUICK).code, 1)
    before = sent()
    world.sql('UPDATE cancels SET created_ms = created_ms + 7200000, sent_ms = sent_ms + 7200000,'
              ' updated_ms = updated_ms + 7200000')
    result = world.run('--resume', *QUICK)
    same((sent(), outcome(arn)), (before, [('', False)]), result)
    same(result.code, 1, result)
    has(result.first, f'1 cancel not confirmed yet: {arn}: cancel requested 0s ago')
    has(result.out, 'decided in the future, so its time cannot be told')
    same('-' not in result.out.split('oldest=')[1][:3], True, result)
    world.set(arn, status='CANCELLED')
    same((world.run('--resume').code, outcome(arn)), (0, [('cancelled', True)]))


@test
def _():
    """cancels dated in the future count for the budget: a clock that went back gives no more."""
    config = world.config('cancel: { max_per_hour = 1; };\n')
    one, two = world.image(build=1), world.image(build=2)
    same(world.run('--config', config, '-a', one, *LIMIT).code, 0)
    world.sql('UPDATE cancels SET created_ms = created_ms + 7200000, sent_ms = sent_ms + 7200000,'
              ' ended_ms = ended_ms + 7200000')
    result = world.run('--config', config, '-a', two, *LIMIT)
    same((result.code, world.cancels(two)), (2, 0), result)


@test
def _():
    """an open row of a process of an earlier boot, dated in the future, is taken over."""
    arn = world.image()
    lost_reply(arn)
    world.sql("UPDATE cancels SET pid = 1, start_ticks = 1, boot_id = 'another',"
              ' updated_ms = updated_ms + 86400000')
    same(world.run('--resume').code, 0)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


# Hostile macros


@test
def _():
    """hostile arguments are one clear line, run nothing and cancel nothing wrong."""
    arn = world.image()
    mark = os.path.join(world.dir, 'executed')
    rows = [
        ('-a', arn + '\n[1] SHUTDOWN_PROGRAM'), ('-a', arn + f'; touch {mark}'),
        ('-a', f'$(touch {mark})'), ('-a', f'`touch {mark}`'), ('-a', f"'{arn}'"),
        ('-a', f'"{arn}"'), ('-a', arn + ' '), ('-a', '$_SERVICEIB_ARN$'), ('-a', ''),
        ('-a', arn + '/../8'), ('-a', arn.rsplit('/', 1)[0]), ('-a', 'x' * 100000),
        ('-a', arn[:-1] + '7' * 100000), ('-a', arn.replace('imagebuilder', 'ec2')),
        ('-a', arn + '%0a'), ('-a', arn.replace('image/', 'image-recipe/')),
        ('-n', f'web;touch {mark}', '--allow', arn), ('-n', 'x' * 100000, '--allow', EVERY),
        ('-p', f'$(touch {mark})', '--allow', arn), ('-p', 'x' * 100000, '--allow', EVERY),
        ('-a', arn, '--state', 'CRITICAL\n', '--state-type', 'HARD'),
        ('-a', arn, '--state', '$SERVICESTATE$', '--state-type', 'HARD'),
        ('-a', arn, '--state', 'x' * 100000, '--state-type', 'HARD'),
    ]
    for row in rows:
        result = world.run(*row, *LIMIT)
        same(result.code, 3, result.out[:300])
        same(result.err, '')
        same(len(result.out.strip().split('\n')) <= 3 and len(result.out) < 9000, True,
             result.out[:300])
        same([c for c in result.out if ord(c) < 32 and c != '\n'], [])
    same((world.cancels(arn), sent(), os.path.exists(mark)), (0, 0, False))


@test
def _():
    """hostile texts that are only kept do no harm: cancelled once, on record in clean form."""
    arn = world.image()
    mark = os.path.join(world.dir, 'executed')
    evil = f'7\n[1] X;$(touch {mark})`touch {mark}`\'"|\x1b[31m' + 'x' * 100000
    result = world.run('-a', arn, *LIMIT, '--problem-id', evil, '--syslog-tag', 'a;b',
                       '--check-source', 'n1', '--node', 'n1')
    same((result.code, world.cancels(arn), os.path.exists(mark)), (0, 1, False), result.out[:300])
    history = world.run('--history')
    same([c for c in history.out if ord(c) < 32 and c != '\n'], [])
    same(len(json.loads(world.run('--history', '--output', 'json').out)), 5)


@test
def _():
    """ARNs of another account or Region cancel nothing here."""
    arn = world.image()
    for other in (arn.replace('123456789012', '210987654321'),
                  arn.replace('eu-central-1', 'us-east-1')):
        result = world.run('-a', other, *LIMIT)
        same('IB_CANCEL' in result.first and result.err == '', True, result)
        same((world.cancels(arn), sent()), (0, 0), result)


# Signals, and not waiting


def stopped(arn, ready):
    """SIGTERM to a call that is ready for it: its result, which came in time."""
    process = world.start('-a', arn, *LIMIT, '-t', '2m', '--confirm-timeout', '110s')
    until(True, ready)
    begun = time.monotonic()
    kill(process, signal.SIGTERM)
    result = world.finish(process)
    took = time.monotonic() - begun
    same(took < 20, True, f'{took:.2f} s')  # whatever else the machine does meanwhile
    same(result.code, 1, result)
    has(result.first, 'outcome unknown')
    has(result.first, '--resume')
    return took


def in_two_seconds(prepare):
    """On a quiet machine it takes milliseconds; on one that is busy one of three is to be in time."""
    took = []
    while not took or (took[-1] >= 2 and len(took) < 3):
        world.fresh()
        arn, ready = prepare(f'stopped-{len(took)}')
        took.append(stopped(arn, ready))
    same(took[-1] < 2, True, took)
    return arn


@test
def _():
    """SIGTERM while confirming ends within 2 s with what is known, and --resume finishes."""
    def prepare(name):
        arn = world.image(name=name, on_cancel='never')
        return arn, lambda: world.cancels(arn) == 1 and world.rows(arn)[0]['phase'] == 2

    arn = in_two_seconds(prepare)
    world.set(arn, status='CANCELLED')
    same(world.run('--resume').code, 0)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


@test
def _():
    """SIGTERM while the request is under way ends within 2 s as unknown, and --resume finishes."""
    def prepare(name):
        arn = world.image(name=name)
        world.standin.ctl('add-fault', op='CancelImageCreation', kind='silent', seconds=60,
                          times=1, apply=True)
        return arn, lambda: world.cancels(arn) == 1

    arn = in_two_seconds(prepare)
    same(world.run('--resume').code, 0)
    same((world.cancels(arn), outcome(arn)), (1, [('cancelled', True)]))


@test
def _():
    """--detach does not wait, leaves nobody on the pipe, and the background confirms."""
    arn = world.image(on_cancel='never')
    # Both ends of the pipe are closed before run() returns: the build has not ended yet.
    result = world.run('-a', arn, *LIMIT, '--detach')
    same(result.code, 1, result)
    same((world.state_of(arn)['status'], world.cancels(arn)), ('BUILDING', 1))
    until([True], lambda: [r['attempts'] > 1 for r in world.rows(arn)])
    same(outcome(arn), [('', False)])
    world.set(arn, status='CANCELLED')
    until([('cancelled', True)], lambda: outcome(arn))
    same(world.cancels(arn), 1)


@test
def _():
    """--detach: the background finishes a cancel whose answer was lost."""
    arn = world.image(on_cancel='never')
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', apply=True)
    result = world.run('-a', arn, *LIMIT, '--detach', env=world.env(AWS_MAX_ATTEMPTS='1'))
    world.standin.ctl('clear-faults')
    same(result.code, 1, result)
    has(result.first, 'outcome unknown')
    until([True], lambda: [r['attempts'] > 1 for r in world.rows(arn)])
    world.set(arn, status='CANCELLED')
    until([('cancelled', True)], lambda: outcome(arn))


@test
def _():
    """--detach says that the background goes on, not that it waited for no time."""
    arn = world.image(on_cancel={'polls': 3})
    result = world.run('-a', arn, *LIMIT, '--detach')
    same(result.code, 1, result)
    has(result.first, 'cancel requested, not confirmed yet: last seen BUILDING; a background process goes on')
    until([('cancelled', True)], lambda: outcome(arn))


@test
def _():
    """--detach with what it does not hand on is refused before anything is sent."""
    arn = world.image()
    for option in (('--external-id', 'abc'), ('--proxy', 'http://127.0.0.1:1')):
        result = world.run('-a', arn, *LIMIT, '--detach', *option)
        same((result.code, world.cancels(arn)), (3, 0), result)
        has(result.first, '--detach does not hand --external-id and --proxy on')


@test
def _():
    """a build that AWS does not let cancel keeps no other from its turn; one that it throttles does."""
    arns = [world.image(build=i) for i in range(1, 4)]
    config = world.config(TARGETS.replace('max_cancel = 5', 'max_cancel = 1'))
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', times=1,
                      code='AccessDeniedException', status=403)
    result = world.run('--config', config, '--sweep')
    same((result.code, sum(world.cancels(a) for a in arns)), (2, 1), result)
    has(result.out, 'may be read but not cancelled')
    world.fresh()
    arns = [world.image(build=i) for i in range(1, 4)]
    config = world.config(TARGETS.replace('max_cancel = 5', 'max_cancel = 1'))
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error',
                      code='ThrottlingException', status=429)
    result = world.run('--config', config, '--sweep', env=world.env(AWS_MAX_ATTEMPTS='1'))
    same(sum(world.cancels(a) for a in arns), 0, result)
    has(result.out, 'refused by rule max-cancel: 1 of 1')


@test
def _():
    """tags that cannot be read are no permission."""
    for tags in (['ib-plugins:no-cancel'], 'x', False):
        arn = world.image(extra={'tags': tags})
        result = world.run('-a', arn, *LIMIT)
        same((result.code, world.cancels(arn)), (2, 0), (tags, result))
        has(result.first, 'refused by rule opt-out: its tags could not be read')
    arn = world.image(extra={'tags': None})
    same((world.run('-a', arn, *LIMIT).code, world.cancels(arn)), (0, 1))


@test
def _():
    """what the configuration forbids meanwhile is not asked for again, and confirmed when it ended."""
    base = (TARGETS.replace('max_per_hour = 3;', '') +
            f'defaults: {{ endpoint_url = "{world.standin.url}"; }};\n')
    off = base.replace('enabled = true; max_per_hour = 2', 'enabled = false; max_per_hour = 2')
    other = base.replace('cancel: {  }', f'cancel: {{ allow = [ "{EVERY[:-1]}db/*" ]; }}')
    for changed, rule in ((off, 'enabled'), (other, 'allow-list')):
        same(changed != base, True)
        world.fresh()
        arn = world.image()
        world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset')
        result = world.run('--config', world.config(base), '-T', 'web', *QUICK,
                           env=world.env(AWS_MAX_ATTEMPTS='1'))
        has(result.first, 'outcome unknown')
        world.standin.ctl('clear-faults')
        config, before = world.config(changed), sent()
        result = world.run('--config', config, '--resume')
        same((result.code, sent(), outcome(arn)), (1, before, [('', False)]), result)
        has(result.out, f'refused by rule {rule}: ')
        world.set(arn, status='CANCELLED')
        result = world.run('--config', config, '--resume')
        same((result.code, sent(), outcome(arn)), (0, before, [('cancelled', True)]), result)
    world.fresh()
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', code='ThrottlingException',
                      status=429)
    world.run('--config', world.config(base), '-T', 'web', *QUICK, env=world.env(AWS_MAX_ATTEMPTS='1'))
    world.standin.ctl('clear-faults')
    result = world.run('--config', world.config(off), '--resume')
    # Nothing was asked for yet: there is nothing to wait for.
    same((result.code, world.cancels(arn), outcome(arn)), (0, 0, [('withdrawn', True)]), result)
    has(result.out, 'refused by rule enabled: ')


@test
def _():
    """--sweep finishes what is open and cancels what is stuck, enabled targets alone."""
    config = world.config(TARGETS)
    opened = world.image(name='db', build=9)
    lost_reply(opened)
    web, off, young = world.image(), world.image(name='off'), world.image(name='db', age_s=60)
    result = world.run('--config', config, '--sweep')
    same([world.cancels(a) for a in (opened, web, off, young)], [1, 1, 0, 0], result)
    same(result.code, 0, result)
    same(outcome(opened), [('cancelled', True)])  # it waits a little for what it took up
    same(world.run('--config', config, '--sweep').code, 0)


def silent(*arns):
    for arn in arns:
        world.standin.ctl('add-fault', op='GetImage', arn=arn, kind='silent', seconds=60)


def timed(*arguments, **more):
    begun = time.monotonic()
    result = world.run(*arguments, **more)
    return time.monotonic() - begun, result


@test
def _():
    """open cancels whose builds give no answer leave --sweep time for new ones, and --resume for others."""
    config = world.config(TARGETS.replace('max_per_hour = 3;', ''))
    opened = [world.image(name='db', build=i) for i in (1, 2)]
    answers = world.image(name='db', build=3)
    for arn in [*opened, answers]:
        lost_reply(arn)
    web = world.image()
    silent(*opened)
    # A busy machine may make it longer; less than what two silent builds would take is what counts.
    took, result = timed('--config', config, '--sweep', '-t', '16s')
    same((world.cancels(web), outcome(web)), (1, [('cancelled', True)]), result)
    same(outcome(answers), [('cancelled', True)], result)
    same([outcome(a) for a in opened], [[('', False)]] * 2, result)
    has(result.out, 'timed out')
    # The other way round: who was left alone longest comes first.
    late = world.image(name='db', build=4)
    world.sql('UPDATE cancels SET updated_ms = updated_ms + 1 WHERE ended_ms = 0')
    world.standin.ctl('clear-faults')
    lost_reply(late)
    silent(*opened)
    again, result = timed('--resume', '-t', '9s')
    same(outcome(late), [('cancelled', True)], result)
    same([outcome(a) for a in opened], [[('', False)]] * 2, result)
    world.standin.ctl('clear-faults')
    same(world.run('--resume').code, 0)
    same([outcome(a) for a in opened], [[('cancelled', True)]] * 2)
    return f'{took:.1f} s of 16, {again:.1f} s of 9'


@test
def _():
    """of several builds one that gives no answer does not use up the time of all."""
    arns = [world.image(build=i) for i in (1, 2, 3)]
    silent(arns[0])
    named = [x for a in arns for x in ('-a', a)]
    took, result = timed(*named, *LIMIT, '--max-cancel', '3', '-t', '14s')
    same([world.cancels(a) for a in arns], [0, 1, 1], result)
    same((result.code, outcome(arns[1]), outcome(arns[2])),
         (3, [('cancelled', True)], [('cancelled', True)]), result)
    return f'{took:.1f} s of 14'


@test
def _():
    """a confirmation that gives no answer ends at --confirm-timeout."""
    arn = world.image(on_cancel='never')
    world.standin.ctl('add-fault', op='GetImage', arn=arn, kind='silent', seconds=60, after=1)
    took, result = timed('-a', arn, *LIMIT, *QUICK, '-t', '1m')
    same((result.code, outcome(arn)), (1, [('', False)]), result)
    has(result.first, 'cancel requested, not confirmed within 1s')
    same(took < 30, True, took)
    return f'{took:.1f} s'


@test
def _():
    """a lock on the journal that stays does not outlast the run, and what was sent is told."""
    arn = world.image(on_cancel='never')
    same(world.run('-a', world.image(name='seed'), *LIMIT).code, 0)
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='delay', seconds=1)
    process = world.start('-a', arn, *LIMIT, '-t', '12s', '--confirm-timeout', '1s')
    begun = time.monotonic()
    until(True, lambda: any(r['arn'] == arn for r in world.requests()))
    base = sqlite3.connect(world.path())
    base.execute('BEGIN EXCLUSIVE')
    result = world.finish(process)
    took = time.monotonic() - begun
    base.rollback()
    base.close()
    same((result.code, world.cancels(arn)), (1, 1), result)
    has(result.first, 'cancel requested, not confirmed within 1s')
    has(result.out, '[record] what came of it could not be written down: ')
    has(result.out, 'locked')
    world.set(arn, status='CANCELLED')
    same((world.run('--resume').code, world.cancels(arn)), (0, 1))
    return f'{took:.1f} s of 12'


# What the check shows


def check(arn, *arguments, **more):
    process = subprocess.Popen(
        [CHECK, '-a', arn, *LIMIT, '--endpoint-url', world.standin.url, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world.env(),
        **more)
    return world.finish(process)


@test
def _():
    """check_ib_image tells what the journal knows of a build, in its line and as JSON."""
    arn = world.image(on_cancel='never')
    same('not confirmed' in check(arn).out, False)
    same(world.run('-a', arn, *LIMIT, *QUICK).code, 1)
    world.sql('UPDATE cancels SET sent_ms = sent_ms - 180000')
    result = check(arn)
    same(result.code, 2, result)
    for text in (result.first.split(' | ')[0], result.out.split('\n')[1]):
        has(text, ', cancel requested 3m ')
        has(text, ' ago, not confirmed')
    same(json.loads(check(arn, '--output', 'json').out)['builds'][0]['cancel']['phase'], 'accepted')
    world.set(arn, status='CANCELLED')
    same(world.run('--resume').code, 0)
    has(check(arn).first, 'CANCELLED, cancelled by ib_cancel_action')
    failing = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error',
                      code='AccessDeniedException', status=403)
    same(world.run('-a', failing, *LIMIT).code, 2)
    has(check(failing).first, ', cancel failed ')
    has(check(failing).out, 'ago: it may be read but not cancelled')
    has(json.loads(check(failing, '--output', 'json').out)['builds'][0]['cancel']['text'],
        'cancel failed')


@test
def _():
    """the long line tells of the cancel after all that it tells of the step."""
    arn = world.image(on_cancel='never', workflows=[
        {'name': 'build-image', 'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 7900,
         'steps': [{'name': 'Bake', 'action': 'RunCommand', 'status': 'RUNNING',
                    'start_age_s': 7900}]}])
    same(world.run('-a', arn, *LIMIT, *QUICK).code, 1)
    line = check(arn).out.split('\n')[1]
    same(re.search(r', step Bake for 2h 1[0-9]m in workflow build-image, cancel requested [^,]* ago, '
                   r'not confirmed, ', line) is not None, True, line)


@test
def _():
    """check_ib_image never fails for a journal that is damaged, newer, locked, foreign or unreadable."""
    arn = world.image(name='seed')
    sound_journal()
    want = check(arn).first.split('|')[0]
    world.sql('PRAGMA user_version = 99')
    same((check(arn).code, check(arn).first.split('|')[0]), (2, want))
    world.sql('PRAGMA user_version = 2')
    holder = sqlite3.connect(world.path(), isolation_level=None)
    holder.execute('BEGIN EXCLUSIVE')
    same((check(arn).code, check(arn).first.split('|')[0]), (2, want))
    holder.execute('ROLLBACK')
    damage(lambda handle: handle.write(b'noise' * 100))
    result = check(arn)
    same((result.code, result.err, result.first.split('|')[0]), (2, '', want), result)


@test
def _():
    """check_ib_image never fails for a journal that its user may not read."""
    need_nobody()
    arn = world.image(name='seed')
    os.mkdir(world.state, 0o755)
    sound_journal()
    want = check(arn).first.split('|')[0]
    same((check(arn, preexec_fn=as_nobody).code, check(arn, preexec_fn=as_nobody).err), (2, ''))
    os.chmod(world.state, 0o700)
    result = check(arn, preexec_fn=as_nobody)
    same((result.code, result.err, result.first.split('|')[0]), (2, '', want), result)


test.cases = [Fresh(world, case) for case in test.cases]
sys.exit(test.run())
