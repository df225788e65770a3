#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What --resume, --sweep and repeated calls make of what is open, was given up, or is another target's business."""
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_world import CHECK, Fresh, World, kill  # noqa: E402
from tap import Tests, has, same, until  # noqa: E402

world = World()
test = Tests()
LIMIT = ('-c', '90m')
EVENT = ('--state', 'CRITICAL', '--state-type', 'HARD')
QUICK = ('--confirm-timeout', '1s')
EVERY = 'arn:*:imagebuilder:*:*:image/*'
WEB = 'targets: { web: { image = "web-server"; critical = "90m"; cancel: { enabled = true; }; }; };\n'


def sent():
    return len(world.requests())


def config(text=WEB):
    return world.config(text)


def check(arn, *arguments):
    return world.finish(subprocess.Popen(
        [CHECK, '-a', arn, *LIMIT, '--endpoint-url', world.standin.url, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world.env()))


def tests_of(arn):
    """It goes on to TESTING."""
    world.set(arn, status='TESTING', phase_age_s=0)


# Judged again, as long as nothing has arrived


@test
def _():
    """what is not stuck any more, and was never asked to cancel, is left alone by --resume."""
    phases = 'targets: { web: { image = "web-server"; phases: { BUILDING = [ "30m", "1h" ]; };' \
             ' cancel: { enabled = true; }; }; };\n'
    later = WEB.replace('"90m"', '"5h"')
    young = WEB.replace('enabled = true;', 'enabled = true; minimum_age = "5h";')
    waits = [{'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 7900, 'steps': [
        {'name': 'Approve', 'action': 'WaitForAction', 'status': 'RUNNING', 'start_age_s': 7000}]}]
    for before, after, change in ((phases, phases, tests_of), (WEB, later, None), (WEB, young, None),
                                  (WEB, WEB, lambda arn: world.set(arn, workflows=waits)),
                                  (None, None, lambda arn: world.set(arn, workflows=waits))):
        world.fresh()
        arn = world.image()
        named = ('--config', config(before), '-T', 'web') if before else ('-a', arn, *LIMIT)
        world.throttled(*named, *EVENT)
        if change:
            change(arn)
        mine = ('--config', config(after)) if after else ()
        result = world.run(*mine, '--resume')
        same((result.code, world.cancels(arn)), (0, 0), result)
        same(world.outcome(arn), [('withdrawn' if after == young else 'finished', True)], result)


@test
def _():
    """what is stuck still is asked to cancel by --resume, by the limits of its own call."""
    for limits in (LIMIT, ('--phase', 'BUILDING=,1h'), ('-c', '@1h:5h'), ('--any-age',)):
        world.fresh()
        arn = world.image()
        world.throttled('-a', arn, *limits)
        result = world.run('--resume')
        same((result.code, world.outcome(arn)), (0, [('cancelled', True)]), (limits, result))


@test
def _():
    """--also-distributing of a target's call is remembered."""
    arn = world.image(status='DISTRIBUTING')
    world.throttled('--config', config(), '-T', 'web', '--also-distributing')
    result = world.run('--config', config(), '--resume')
    same((result.code, world.outcome(arn)), (0, [('cancelled', True)]), result)


@test
def _():
    """a target that the file has lost allows nothing any more."""
    arn = world.image()
    world.throttled('--config', config(), '-T', 'web')
    result = world.run('--config', config('defaults: { critical = "90m"; };\n'), '--resume')
    same((result.code, world.cancels(arn), world.outcome(arn)), (0, 0, [('withdrawn', True)]), result)
    has(result.out, 'refused by rule enabled: ')
    world.fresh()
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset')
    world.run('--config', config(), '-T', 'web', *QUICK, env=world.env(AWS_MAX_ATTEMPTS='1'))
    world.standin.ctl('clear-faults')
    before = sent()
    result = world.run('--config', config('defaults: { critical = "90m"; };\n'), '--resume')
    same((result.code, sent(), world.outcome(arn)), (1, before, [('', False)]), result)


@test
def _():
    """a build that a person cancelled, and AWS had refused us, is not called ours, nor started again."""
    arn = world.image()
    world.throttled('--config', config(), '-T', 'web', '--after-cancel', 'retry')
    world.set(arn, status='CANCELLED')
    result = world.run('--config', config(), '--resume')
    same((result.code, world.outcome(arn)), (0, [('finished', True)]), result)
    same(world.requests('RetryImage'), [])


# Repeated calls


@test
def _():
    """an open cancel uses up no budget of its own build: the second call joins it, or takes it over."""
    one = config('cancel: { max_per_hour = 1; };\n')
    arn = world.image(on_cancel='never')
    first = world.start('--config', one, '-a', arn, *LIMIT, '-t', '2m', '--confirm-timeout', '110s')
    until(1, lambda: world.cancels(arn))
    second = world.run('--config', one, '-a', arn, *LIMIT)
    same(second.code, 1, second)
    has(second.first, f'another call (process {first.pid}) has been cancelling it for')
    dry = world.run('--config', one, '-a', arn, *LIMIT, '--explain')
    same(dry.code, 0, dry)
    has(dry.first, 'one is under way: cancel requested ')
    has(dry.out, 'holds once: one is under way: ')
    has(dry.out, 'holds total-budget: 0 of 1')
    kill(first)
    first.communicate()
    third = world.run('--config', one, '-a', arn, *LIMIT, *QUICK)
    same((third.code, len({r['client_token'] for r in world.requests()})), (1, 1), third)
    same([x['event'] for x in world.history(arn)].count('join'), 1)


@test
def _():
    """what was given up after AWS had accepted it is left to a person: no new token every half hour."""
    arn = world.image(on_cancel='never')
    short = config(WEB + 'cancel: { retry_for = "1s"; };\n')
    same(world.run('--config', short, '-T', 'web', *EVENT, *QUICK).code, 1)
    world.age(60)
    same(world.run('--config', short, '--resume').code, 2)
    same(world.outcome(arn), [('expired', True)])
    before = sent()
    for call in (('-T', 'web', *EVENT), ('--sweep',), ('-a', arn, *LIMIT, *EVENT)):
        for _ in range(2):
            result = world.run('--config', short, *call, *QUICK)
            same((result.code, sent()), (2, before), result)
            has(result.out, 'refused by rule once: it failed ')
            has(result.out, 'no event and no sweep asks again')
        result = world.run('--config', short, *call, '--explain')
        has(result.out, 'BROKEN once: ')
        world.age(86400)
    result = world.run('--config', short, '-a', arn, *LIMIT, *QUICK)
    same((result.code, sent()), (1, before + 1), result)


@test
def _():
    """what was put back to work since is another problem: it is asked for again."""
    arn = world.image(on_cancel='never')
    short = config(WEB + 'cancel: { retry_for = "1s"; };\n')
    world.run('--config', short, '-T', 'web', *EVENT, *QUICK)
    world.age(7200)
    same(world.run('--config', short, '--resume').code, 2)
    world.set(arn, workflows=[
        {'type': 'BUILD', 'status': 'CANCELLED', 'start_age_s': 7900},
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 6000}])
    result = world.run('--config', short, '-T', 'web', *EVENT, *QUICK)
    same((result.code, len({r['client_token'] for r in world.requests()})), (1, 2), result)


@test
def _():
    """what AWS refused is not asked for again by every call of a volatile service, but later it is."""
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', code='AccessDeniedException',
                      status=403)
    file = config()
    same(world.run('--config', file, '-T', 'web', *EVENT).code, 2)
    world.standin.ctl('clear-faults')
    for _ in range(3):
        result = world.run('--config', file, '-T', 'web', *EVENT)
        same((result.code, sent(), len(world.rows(arn))), (2, 1, 1), result)
        has(result.first, 'refused by rule once: it failed ')
        has(result.first, 'an event or a sweep may ask again in 29m ')
    world.age(1800)
    result = world.run('--config', file, '-T', 'web', *EVENT)
    same((result.code, world.outcome(arn)[-1]), (0, ('cancelled', True)), result)


@test
def _():
    """calls that are refused the same way every minute do not fill the journal; another reason is told."""
    arn = world.image(tags={'ib-plugins:no-cancel': 'yes'})
    file = config()
    for _ in range(5):
        world.run('--config', file, '-T', 'web', *EVENT, '--problem-id', '7')
    same([x['event'] for x in world.history(arn)], ['refuse'])
    world.run('--config', file, '-T', 'web', *EVENT, '--problem-id', '8')
    world.set(arn, tags={}, status='DISTRIBUTING')
    world.run('--config', file, '-T', 'web', *EVENT, '--problem-id', '8')
    same([x['rule'] for x in world.history(arn)], ['state', 'opt-out', 'opt-out'])
    base = sqlite3.connect(world.path())
    base.execute('DROP TRIGGER audit_is_append_only')
    base.execute('UPDATE audit SET time_ms = time_ms - 3700000')
    base.commit()
    base.close()
    world.run('--config', file, '-T', 'web', *EVENT, '--problem-id', '8')
    same(len(world.history(arn)), 4)


@test
def _():
    """a journal that is half full forgets its oldest lines long before it is refused."""
    arn = world.image()
    same(world.run('-a', arn, *LIMIT).code, 0)
    line = json.dumps({'text': 'x' * 4000})
    base = sqlite3.connect(world.path())
    base.executemany("INSERT INTO audit (time_ms, arn, event, members) VALUES (?, 'old', 'refuse', ?)",
                     [(int(time.time() * 1000) + i, line) for i in range(9000)])
    base.commit()
    base.close()
    size = os.path.getsize(world.path())
    same(size > 32 * 1024 * 1024, True, size)
    young = world.image(age_s=60)
    same(world.run('-a', young, *LIMIT).code, 0)
    same(world.sql('SELECT count(*) AS n FROM audit WHERE arn = ?', 'old')[0]['n'], 0)
    used = world.sql('PRAGMA page_count')[0]['page_count'] - world.sql('PRAGMA freelist_count')[0]['freelist_count']
    same(used * 4096 < 8 * 1024 * 1024, True, used)


# What cannot be worked on


@test
def _():
    """a cancel whose build AWS lets nobody read is given up when its time is up, and says why."""
    arn = world.image()
    world.lost_reply(arn)
    world.standin.ctl('add-fault', op='GetImage', kind='error', code='AccessDeniedException', status=403)
    early = world.run('--resume')
    same((early.code, world.outcome(arn)), (1, [('', False)]), early)
    world.age(3600)
    late = world.run('--resume')
    same((late.code, world.outcome(arn)), (2, [('expired', True)]), late)
    has(late.first, '1 cancel failed within the last hour: ')
    has(late.first, 'cancel failed 0s ago: given up after 30m 0s, it cannot be read: ')
    has(late.first, 'imagebuilder:GetImage')


@test
def _():
    """a network that is down at that moment gives nothing up, for a day."""
    arn = world.image()
    world.lost_reply(arn)
    world.standin.ctl('add-fault', op='GetImage', kind='reset')
    world.age(3600)
    one = ('--resume', '-t', '5s')
    same((world.run(*one, env=world.env(AWS_MAX_ATTEMPTS='1')).code, world.outcome(arn)), (1, [('', False)]))
    world.age(86400)
    same((world.run(*one, env=world.env(AWS_MAX_ATTEMPTS='1')).code, world.outcome(arn)), (2, [('expired', True)]))


@test
def _():
    """not found for the credentials of another account is not gone."""
    arn = world.image()
    world.lost_reply(arn)
    world.standin.ctl('credentials', key='AKIDOTHER', secret='other-secret',
                      arn='arn:aws:iam::999999999999:user/other')
    world.standin.ctl('add-fault', op='GetImage', kind='error', code='ResourceNotFoundException', status=404)
    env = world.env(AWS_ACCESS_KEY_ID='AKIDOTHER', AWS_SECRET_ACCESS_KEY='other-secret')
    result = world.run('--resume', env=env)
    same((result.code, world.outcome(arn)), (1, [('', False)]), result)
    has(result.out, 'account 999999999999, whose credentials these are, knows no such build; it is of account '
                    '123456789012')
    result = world.run('--resume')
    same((result.code, world.outcome(arn)), (0, [('gone', True)]), result)


@test
def _():
    """without credentials --resume tells what is open and has failed all the same."""
    failed, opened = world.image(), world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', code='AccessDeniedException',
                      status=403)
    same(world.run('-a', failed, *LIMIT).code, 2)
    world.standin.ctl('clear-faults')
    world.lost_reply(opened)
    env = world.env()
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        del env[name]
    result = world.run('--resume', env=env)
    same((result.code, result.out.count('open=1;;;0 failed=1;;;0 oldest=')), (2, 1), result)
    has(result.first, '1 cancel failed within the last hour')
    has(result.out, 'no AWS credentials')
    swept = world.image()
    file = config(f'targets: {{ one: {{ arn = "{swept}"; critical = "90m"; cancel: {{ enabled = true; }}; }}; }};\n')
    result = world.run('--config', file, '--sweep', env=env)
    same((result.code, result.out.count('open=1;;;0 failed=1;;;0 oldest=')), (2, 1), result)
    has(result.first, '1 cancel failed within the last hour')


@test
def _():
    """what failed lately is found among any number of newer rows, and the longest-waiting comes first."""
    opened = world.image(on_cancel='never')
    same(world.run('-a', opened, *LIMIT, *QUICK).code, 1)
    world.age(600)
    columns = 'arn, target, token, problem, phase, pid, start_ticks, boot_id, created_ms, updated_ms'
    now = int(time.time() * 1000)
    base = sqlite3.connect(world.path())
    base.executemany(f'INSERT INTO cancels ({columns}, ended_ms, outcome) VALUES (?, "", ?, "", 3, 0, 0, "", '
                     '?, ?, ?, "finished")', [(f'arn:{i}', f'token-{i}', now, now, now) for i in range(1200)])
    base.executemany(f'INSERT INTO cancels ({columns}, context) VALUES (?, "", ?, "", 0, 0, 0, "", ?, ?, "broken")',
                     [(f'arn:o{i}', f'token-o{i}', now, now) for i in range(110)])
    base.commit()
    base.close()
    result = world.run('--resume', *QUICK)
    same(result.out.count('open=111;;;0'), 1, result.first)
    has(result.out, '[requested] web-server 1.0.0/1')  # it was the oldest


@test
def _():
    """throttled, or with credentials that have expired, nothing is given up."""
    for code, status in (('CallRateLimitExceededException', 429), ('ExpiredTokenException', 403)):
        world.fresh()
        arn = world.image()
        world.lost_reply(arn)
        world.standin.ctl('add-fault', op='GetImage', kind='error', code=code, status=status)
        world.age(3600)
        result = world.run('--resume', '-t', '5s', env=world.env(AWS_MAX_ATTEMPTS='1'))
        same((result.code, world.outcome(arn)), (1, [('', False)]), (code, result))


# Repeated requests


NO = {'kind': 'error', 'code': 'InvalidRequestException', 'status': 400,
      'message': 'it is being cancelled already'}


@test
def _():
    """a no to a repetition takes nothing back that may have arrived: open, one token, one cancel."""
    arn = world.image(on_cancel={'after_s': 3})
    # Within one call: the first try gets 500 and took effect.
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', code='ServiceException', status=500,
                      times=1, apply=True)
    world.standin.ctl('add-fault', op='CancelImageCreation', **NO)
    result = world.run('-a', arn, *LIMIT, *QUICK)
    same((result.code, world.outcome(arn)), (1, [('', False)]), result)
    has(result.first, 'outcome unknown')
    # And of calls after one another, by --resume and by an event.
    for call in (('--resume',), ('-a', arn, *LIMIT, *EVENT)):
        result = world.run(*call, *QUICK)
        same(world.outcome(arn) in ([('', False)], [('cancelled', True)]), True, (call, result))
    world.set(arn, status='CANCELLED')
    same((world.run('--resume').code, world.cancels(arn), world.outcome(arn)), (0, 1, [('cancelled', True)]))


@test
def _():
    """ended by our earlier request while a later one is refused: ours, and what follows it is started."""
    arn = world.image(on_cancel='never')
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', apply=True, times=5)
    result = world.run('-a', arn, *LIMIT, *QUICK, '--after-cancel', 'retry', env=world.env(AWS_MAX_ATTEMPTS='1'))
    same((result.code, world.cancels(arn)), (1, 1), result)
    world.standin.ctl('clear-faults')
    # It ends between the look of --resume and its request.
    world.standin.ctl('add-fault', op='ListWorkflowExecutions', arn=arn, kind='delay', seconds=2, times=1)
    world.standin.ctl('add-fault', op='CancelImageCreation', **NO)
    before = len(world.requests('ListWorkflowExecutions'))
    process = world.start('--resume')
    until(True, lambda: len(world.requests('ListWorkflowExecutions')) > before)
    world.set(arn, status='CANCELLED')
    result = world.finish(process)
    same((world.cancels(arn), world.outcome(arn)[0]), (1, ('cancelled', True)), result)
    same(len(world.requests('RetryImage')), 1)


@test
def _():
    """an accepted cancel of a build in a state that nobody has heard of stays open."""
    arn = world.image(on_cancel='never')
    same(world.run('-a', arn, *LIMIT, *QUICK).code, 1)
    world.set(arn, status='CANCELLING')
    result = world.run('--resume', *QUICK)
    same((result.code, world.outcome(arn)), (1, [('', False)]), result)
    world.set(arn, status='CANCELLED')
    same((world.run('--resume').code, world.outcome(arn)), (0, [('cancelled', True)]))


@test
def _():
    """what another call withdrew, for its target says so by now, is no answer to who asks for it himself."""
    arn = world.image()
    world.throttled('--config', config(), '-T', 'web')
    world.standin.ctl('add-fault', op='ListWorkflowExecutions', arn=arn, kind='delay', seconds=2, times=1)
    person = world.start('-a', arn, *LIMIT)
    until(True, lambda: len(world.requests('ListWorkflowExecutions')) > 1)
    off = config(WEB.replace('enabled = true', 'enabled = false'))
    same(world.run('--config', off, '--resume').code, 0)
    result = world.finish(person)
    same((result.code, world.cancels(arn)), (0, 1), result)
    same([o for o, _ in world.outcome(arn)], ['withdrawn', 'cancelled'])


@test
def _():
    """at any age, several builds are asked for although nothing tells what they do."""
    arns = [world.image(build=i) for i in range(1, 7)]
    world.standin.ctl('add-fault', op='ListWorkflowExecutions', kind='silent', seconds=60)
    result = world.run(*[x for a in arns for x in ('-a', a)], '--any-age', '--max-cancel', '20')
    same(sum(world.cancels(a) for a in arns), 6, result)


@test
def _():
    """what nothing has left for: withdrawn at any time when forbidden, asked for at once when AWS answers again."""
    arn = world.image()
    file = config()
    world.throttled('--config', file, '-T', 'web', *EVENT)
    world.age(1900)
    off = config(WEB.replace('enabled = true', 'enabled = false'))
    result = world.run('--config', off, '--resume')
    same((result.code, world.outcome(arn)), (0, [('withdrawn', True)]), result)
    world.fresh()
    arn = world.image()
    file = config()
    world.throttled('--config', file, '-T', 'web', *EVENT)
    world.age(1900)
    result = world.run('--config', file, '--resume')
    same((result.code, world.outcome(arn)), (2, [('expired', True)]), result)
    has(result.first, 'given up: still BUILDING, could not be asked for within 30m')
    result = world.run('--config', file, '-T', 'web', *EVENT)
    same((result.code, world.outcome(arn)[-1]), (0, ('cancelled', True)), result)


@test
def _():
    """ends on record in the future, after the clock went back, hide no stuck build and block none."""
    arn = world.image(on_cancel={'polls': 0})
    same(world.run('-a', arn, *LIMIT).code, 0)
    world.age(-30 * 86400)
    world.set(arn, status='BUILDING', workflows=[
        {'type': 'BUILD', 'status': 'CANCELLED', 'start_age_s': 7900},
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 6000}])
    same(check(arn).code, 2)
    result = world.run('-a', arn, *LIMIT)
    same((result.code, world.cancels(arn)), (0, 2), result)
    # Where no workflow tells, its age is not known, which is neither young nor stuck.
    world.age(-30 * 86400)
    world.set(arn, status='BUILDING', workflows=[])
    result = check(arn)
    same(result.code, 3, result)
    has(result.first, 'it is dated in the future, check this host\'s clock')
    result = world.run('-a', arn, *LIMIT)
    same((result.code, world.cancels(arn)), (2, 2), result)
    has(result.first, 'refused by rule age-known: it is dated ')


# A dry run


@test
def _():
    """--resume and --sweep in a dry run tell what is open, and take up nothing."""
    for options in (('--dry-run',), ('--explain',)):
        world.fresh()
        none = world.run('--resume', *options)
        same((none.code, none.err, os.path.exists(world.state)), (0, '', False), none)
        has(none.first, 'no cancel is open (dry run: nothing taken up)')
        arn = world.image()
        world.lost_reply(arn)
        before, rows = sent(), world.rows()
        result = world.run('--resume', *options)
        same((result.code, sent(), world.rows()), (1, before, rows), result)
        has(result.first, '1 cancel not confirmed yet: ')
        has(result.first, '(dry run: nothing taken up)')
        result = world.run('--config', config(), '--sweep', *options)
        same((sent(), world.rows()), (before, rows), result)
        has(result.out, 'would be cancelled (dry run)')
        has(result.out, 'one is under way: cancel requested')
        has(result.out, 'open=1;;;0')


@test
def _():
    """without a journal that can be read, a dry run of --resume and --sweep is UNKNOWN, and says why."""
    os.mkdir(world.state, 0o700)
    with open(world.path(), 'wb') as handle:
        handle.write(b'no database' * 1000)
    os.chmod(world.path(), 0o600)
    for call in (('--resume', '--dry-run'), ('--resume', '--explain'), ('--config', config(), '--sweep', '--dry-run')):
        result = world.run(*call)
        same(result.code, 3, (call, result))
        has(result.first, 'the database is damaged')
        answer = json.loads(world.run(*call, '--output', 'json').out)
        has(answer['journalError'], 'the database is damaged')


# Sweeps


@test
def _():
    """a target that is only watched, without limits even, keeps no sweep from the others."""
    for info in ('', 'warning = "45m";', 'critical = "10m:";'):
        world.fresh()
        arn = world.image()
        world.image(name='db')
        file = config(WEB.replace('targets: {', f'targets: {{ info: {{ image = "db"; {info} }};'))
        more = ('--all-targets',) if info else ()
        result = world.run('--config', file, '--sweep', *more)
        same((result.code, world.cancels(arn)), (0, 1), result)
    world.fresh()
    result = world.run('--config', config(WEB.replace('cancel: { enabled = true; };', '')), '--sweep')
    same(result.code, 0, result)
    has(result.first, 'no cancel is open, and no target has cancel.enabled')


@test
def _():
    """fifty builds that may not be cancelled hide no other, and what is left out is said."""
    world.standin.ctl('bulk-images', count=60, names=1, prefix='off', status='BUILDING', age_s=9000)
    arn = world.image()
    both = WEB.replace('image = "web-server"', 'all = true') + f'cancel: {{ allow = [ "{EVERY[:-1]}web-*" ]; }};\n'
    result = world.run('--config', config(both), '--sweep')
    same(world.cancels(arn), 1, result)
    world.fresh()
    every = WEB.replace('image = "web-server"', 'all = true')
    world.standin.ctl('bulk-images', count=60, names=1, prefix='off', status='BUILDING', age_s=9000)
    for build in world.standin.ctl('images')['images']:
        world.set(build['arn'], tags={'ib-plugins:no-cancel': 'yes'})
    result = world.run('--config', config(every), '--sweep')
    has(result.first, '; 10 more stuck builds were not looked at')
    same((result.code, 'no cancel is open' in result.first), (2, False), result.first)
    arn = world.image()
    for _ in range(40):
        if world.cancels(arn):
            break
        world.run('--config', config(every), '--sweep')
    same(world.cancels(arn), 1)


@test
def _():
    """of several targets each may allow the cancel by its own rules, in any order."""
    off = '{ image = "web-server"; critical = "90m"; }'
    late = '{ image = "web-server"; critical = "90m"; cancel: { enabled = true; minimum_age = "12h"; }; }'
    high = '{ image = "web-server"; critical = "12h"; cancel: { enabled = true; }; }'
    good = '{ image = "web-server"; critical = "90m"; cancel: { enabled = true; }; }'
    for other in (off, late, high):
        for names in (('a', 'b'), ('b', 'a')):
            for call in (('--all-targets',), ('--sweep',)):
                world.fresh()
                arn = world.image()
                file = config(f'targets: {{ {names[0]}: {other}; {names[1]}: {good}; }};\n')
                result = world.run('--config', file, *call)
                same((result.code, world.cancels(arn)), (0, 1), (other, names, call, result))
    for call in (('--all-targets',), ('--sweep',)):
        world.fresh()
        arn = world.image()
        result = world.run('--config', config(f'targets: {{ a: {off}; b: {late}; }};\n'), *call)
        same((world.cancels(arn), sent()), (0, 0), result)


@test
def _():
    """of two refusals the worse one counts, in any order, and both are on record."""
    used = '{ image = "web-server"; critical = "90m"; cancel: { enabled = true; max_per_hour = 0; }; }'
    high = '{ image = "web-server"; critical = "9h"; cancel: { enabled = true; }; }'
    late = '{ image = "web-server"; critical = "90m"; cancel: { enabled = true; minimum_age = "9h"; }; }'
    for other in (high, late):
        for one, two in ((used, other), (other, used)):
            for call in (('--sweep',), ('--all-targets', *EVENT)):
                world.fresh()
                arn = world.image()
                result = world.run('--config', config(f'targets: {{ a: {one}; b: {two}; }};\n'), *call)
                same((result.code, world.cancels(arn)), (2, 0), (one, two, call, result))
                # By an event both are CRITICAL, and either may be shown.
                both = other == late and call[0] != '--sweep'
                has(result.first, 'refused by rule ' + ('' if both else 'target-budget'))
                same(len(result.out.strip().split('\n')), 2, result)
                same(sorted(x['rule'] for x in world.history(arn)),
                     (['minimum-age'] if other == late else []) + ['target-budget'])
    world.fresh()
    arn = world.image()
    good = '{ image = "web-server"; critical = "90m"; cancel: { enabled = true; }; }'
    for one, two in ((late, good), (good, late)):
        result = world.run('--config', config(f'targets: {{ a: {one}; b: {two}; }};\n'), '--all-targets', '--explain')
        same(result.code, 0, result)
        has(result.first, 'would be cancelled')


@test
def _():
    """a dry run keeps to the limits that the real one would meet."""
    for limits, options in (('', ()), ('cancel: { max_per_hour = 1; };\n', ('--max-cancel', '5'))):
        world.fresh()
        for i in (1, 2, 3):
            world.image(build=i)
        file = config(WEB + limits)
        dry = world.run('--config', file, '-T', 'web', *options, '--dry-run')
        same((dry.code, dry.out.count('[dry-run]'), dry.out.count('[refused]')), (2, 1, 2), dry)
        real = world.run('--config', file, '-T', 'web', *options)
        same((real.code, real.out.count('[cancelled]'), real.out.count('[refused]')), (2, 1, 2), real)


@test
def _():
    """left out is what is stuck and might have been cancelled, and nothing else."""
    world.standin.ctl('bulk-images', count=70, names=1, prefix='off', status='BUILDING', age_s=9000)
    arn = world.image(name='zz')
    result = world.run('--config', config('defaults: { critical = "90m"; };\n'), '--sweep', '-A', '--allow',
                       EVERY[:-1] + 'zz/*')
    same((result.code, world.cancels(arn), 'not looked at' in result.first), (0, 1, False), result.first)
    world.fresh()
    world.standin.ctl('bulk-images', count=60, names=1, prefix='young', status='BUILDING', age_s=60)
    result = world.run('-A', *LIMIT, '--allow', EVERY, '--explain')
    same((result.code, 'not looked at' in result.first), (0, False), result.first)


@test
def _():
    """what a list cannot tell is looked at closer: a range with an end, a date that is not in the list."""
    running = [{'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 5400}]
    arn = world.image(age_s=18000, workflows=running)
    result = world.run('-n', 'web-server', '--allow', EVERY, '--phase', 'BUILDING=,@1h:2h')
    same((result.code, world.cancels(arn)), (0, 1), result)


@test
def _():
    """a sweep tells in text, performance data and JSON what is open besides what it did."""
    failed = world.image(name='db')
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error', code='AccessDeniedException',
                      status=403)
    same(world.run('-a', failed, *LIMIT).code, 2)
    world.standin.ctl('clear-faults')
    arn = world.image()
    result = world.run('--config', config(), '--sweep')
    same((result.code, world.cancels(arn)), (2, 1), result)
    has(result.first, 'cancelled and confirmed; 1 cancel failed within the last hour: ')
    has(result.first, ' open=0;;;0 failed=1;;;0 oldest=0s;;;0 starts_open=0;;;0 starts_failed=0;;;0')
    for mode in ('--resume', '--sweep'):
        answer = json.loads(world.run('--config', config(), mode, '--output', 'json').out)
        same(answer['journal'], {'taken': 0, 'open': 0, 'failed': 1, 'oldestSeconds': 0, 'startsOpen': 0,
                                 'startsFailed': 0})


@test
def _():
    """a start that gives no answer leaves a sweep its time, and cancels come before starts."""
    pipeline = world.standin.ctl('add-pipeline', name='nightly')['arn']
    started = world.image(pipeline=pipeline, name='db')
    world.standin.ctl('add-fault', op='StartImagePipelineExecution', kind='reset')
    env = world.env(AWS_MAX_ATTEMPTS='1')
    result = world.run('-a', started, *LIMIT, '--after-cancel', 'start-pipeline', env=env)
    same(result.code, 1, result)
    world.standin.ctl('clear-faults')
    opened = world.image(name='db')
    world.lost_reply(opened)
    world.standin.ctl('add-fault', op='StartImagePipelineExecution', kind='silent', seconds=60)
    arn = world.image()
    begun = time.monotonic()
    result = world.run('--config', config(), '--sweep', '-t', '14s')
    took = time.monotonic() - begun
    same((world.cancels(arn), world.outcome(opened)), (1, [('cancelled', True)]), result)
    has(result.out, 'not started again yet')
    return f'{took:.1f} s of 14'


# Records


@test
def _():
    """who resumed is on record as who called, and a second try is the second."""
    arn = world.image()
    world.lost_reply(arn)
    same(world.run('--resume').code, 0)
    lines = world.history(arn)
    over = [x for x in lines if x['event'] == 'take-over'][0]
    same((over['program'], over['arguments'][0]), ('ib_cancel_action', '--resume'))
    same([x['try'] for x in reversed(lines) if x['event'] == 'send'], [1, 2])


@test
def _():
    """a long command line hides nothing of the decision in the text of --history."""
    arn = world.image(tags={'ib-plugins:no-cancel': 'yes'})
    world.run('-a', arn, *LIMIT, *[x for i in range(40) for x in ('--allow', EVERY[:-1] + f'web-server{i:030}*')],
              '--allow', EVERY)
    text = world.run('--history').out
    has(text, 'rule="opt-out"')
    has(text, 'it carries the tag ib-plugins:no-cancel')


@test
def _():
    """however long the arguments, the line of who asked is shown."""
    world.image()
    arn = world.image(tags={'ib-plugins:no-cancel': 'yes'})
    odd = EVERY[:-1] + '"' * 150
    world.run('-a', arn, *LIMIT, *[x for _ in range(29) for x in ('--allow', odd)], '--allow', EVERY)
    lines = world.run('--history').out.strip().split('\n')
    same(('' in lines, ' refuse ' in lines[1], 'arguments=' in lines[1]), (False, True, True), lines)


@test
def _():
    """what is wrong with a command line is JSON where JSON was asked for."""
    for call in (('--resume', '-A'), ('--sweep', '--history'), ('--resume', '--detach'), ('-A', '--any-age')):
        answer = world.run(*call, '--output', 'json')
        same((answer.code, json.loads(answer.out)['exitCode']), (3, 3), answer)


@test
def _():
    """--detach hands values on that begin with a dash."""
    arn = world.image(on_cancel={'polls': 2})
    same(world.run('-a', arn, *LIMIT, '--detach', '--syslog-tag=--mine').code, 1)
    until([('cancelled', True)], lambda: world.outcome(arn))


@test
def _():
    """the check calls cancelled by us what is CANCELLED, and nothing that was put back to work since."""
    arn = world.image()
    same(world.run('-a', arn, *LIMIT).code, 0)
    has(check(arn).out, 'cancelled by ib_cancel_action')
    for status in ('AVAILABLE', 'FAILED', 'BUILDING'):
        world.set(arn, status=status)
        same('cancelled by' in check(arn).out, False, status)


@test
def _():
    """selections that --resume and --history would ignore are refused."""
    for call in (('--resume', '-a', 'arn:aws:imagebuilder:eu-central-1:123456789012:image/x/1.0.0/1'),
                 ('--resume', '-A'), ('--history', '-n', 'one'), ('--history', '-A'),
                 ('--history', '-a', 'arn:aws:imagebuilder:eu-central-1:123456789012:image/x/1.0.0/1',
                  '-a', 'arn:aws:imagebuilder:eu-central-1:123456789012:image/x/1.0.0/2')):
        result = world.run(*call)
        same((result.code, len(result.out.strip().split('\n'))), (3, 1), result)
        has(result.first, 'takes no selection' if call[0] == '--resume' else '--history shows all builds, or the one')


@test
def _():
    """a journal that is locked after the first of two cancels stops the second, and tells of the first."""
    one, two = world.image(build=1), world.image(build=2)
    same(world.run('-a', world.image(name='seed'), *LIMIT).code, 0)
    world.standin.ctl('add-fault', op='GetImage', arn=two, kind='delay', seconds=2)
    process = world.start('-a', one, '-a', two, *LIMIT, '--max-cancel', '2', '-t', '12s')
    until(True, lambda: any(r['arn'] == two for r in world.requests('GetImage')))
    base = sqlite3.connect(world.path())
    base.execute('BEGIN EXCLUSIVE')
    result = world.finish(process)
    base.rollback()
    base.close()
    same([world.cancels(a) for a in (one, two)], [1, 0], result)
    has(result.out, 'web-server 1.0.0/1 cancelled and confirmed')
    has(result.out, 'cannot be recorded')
    has(result.out, '[record] what came of it could not be written down')
    same(result.code, 1, result)  # done, and not on record in full, is the worse of both


@test
def _():
    """told to stop while the journal is locked, it ends within 2 s and says what to do."""
    arn = world.image(on_cancel='never')
    same(world.run('-a', world.image(name='seed'), *LIMIT).code, 0)
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='delay', seconds=1)
    process = world.start('-a', arn, *LIMIT)
    until(True, lambda: any(r['arn'] == arn for r in world.requests()))
    base = sqlite3.connect(world.path())
    base.execute('BEGIN EXCLUSIVE')
    time.sleep(1.5)
    begun = time.monotonic()
    kill(process, signal.SIGTERM)
    result = world.finish(process)
    took = time.monotonic() - begun
    base.rollback()
    base.close()
    has(result.first, 'outcome unknown: ')
    has(result.first, '--resume goes on with it')
    same(took < float(os.environ.get('IB_LOAD_MARGIN_MS', '3000')) / 1000 + 2, True, took)
    world.set(arn, status='CANCELLED')
    same((world.run('--resume').code, world.outcome(arn)), (0, [('cancelled', True)]))
    return f'{took:.1f} s'


test.cases = [Fresh(world, case) for case in test.cases]
sys.exit(test.run())
