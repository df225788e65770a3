#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What follows a cancel: after_cancel, its bounds and its record; what is left behind."""
import json
import os
import sqlite3
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_world import CHECK, Fresh, World, kill  # noqa: E402
from tap import Tests, has, same, until  # noqa: E402

world = World()
test = Tests()
QUICK = ('--confirm-timeout', '1s')
RETRY, START = 'RetryImage', 'StartImagePipelineExecution'


def config(kind='retry', cancel='', top=''):
    select = 'pipeline = "web-server"' if kind == 'start-pipeline' else 'image = "web-server"'
    return world.config(f'''
defaults: {{ endpoint_url = "{world.standin.url}"; }};
targets: {{ web: {{ {select}; critical = "90m"; cancel: {{ enabled = true;
  after_cancel = "{kind}"; max_cancel = 5; {cancel} }}; }}; }};
{top}
''')


def pipeline(**more):
    return world.standin.ctl('add-pipeline', name='web-server', **more)['arn']


def starts(arn=None):
    """(kind, outcome, ended) of every start on record, oldest first."""
    rows = [r for r in world.rows(arn) if r['kind'] != 'cancel']
    return [(r['kind'], r['outcome'], r['ended_ms'] != 0) for r in rows]


def asked(op=RETRY):
    return world.requests(op)


def went(op=RETRY):
    return [r for r in asked(op) if r['applied']]


def stuck_again(arn):
    """Put back to work long ago, and hanging anew."""
    world.set(arn, status='BUILDING', workflows=[
        {'type': 'BUILD', 'status': 'CANCELLED', 'start_age_s': 17000},
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 7000}])
    # What the journal knows of it was hours ago, too.
    world.sql('UPDATE cancels SET created_ms = created_ms - 7200000, updated_ms = updated_ms - 7200000,'
              ' sent_ms = max(0, sent_ms - 7200000), ended_ms = max(0, ended_ms - 7200000)'
              ' WHERE arn = ?', arn)


def events(arn=None):
    arguments = ('-a', arn) if arn else ()
    return [x['event'] for x in
            reversed(json.loads(world.run('--history', *arguments, '--output', 'json').out))]


# What it does


@test
def _():
    """nothing is started where the configuration does not ask for it."""
    arn = world.image(pipeline=pipeline())
    result = world.run('--config', config('nothing'), '-T', 'web')
    same((result.code, world.cancels(arn), starts()), (0, 1, []), result)
    same(asked() + asked(START), [])


@test
def _():
    """retry puts the build back to work once its cancel is confirmed, and says so everywhere."""
    arn = world.image()
    result = world.run('--config', config(), '-T', 'web')
    same((result.code, result.err, world.cancels(arn), len(went())), (0, '', 1, 1), result)
    has(result.first, 'cancelled and confirmed; put back to work by RetryImage')
    token = asked()[0]['client_token']
    has(result.out, f'after_cancel retry: put back to work by RetryImage, token {token}')
    same(asked()[0]['body'], {'imageBuildVersionArn': arn, 'clientToken': token})
    same(world.state_of(arn)['status'] in ('PENDING', 'CREATING', 'BUILDING'), True)
    same(starts(arn), [('retry', 'started', True)])
    same(events(arn), ['claim', 'send', 'accepted', 'state', 'end', 'start-claim', 'start-send',
                       'start-end'])
    text = world.run('--history').out
    for part in (token, 'start-send', 'RetryImage', 'outcome="started"'):
        has(text, part)
    same(token != world.requests()[0]['client_token'], True)


@test
def _():
    """start-pipeline starts the build's own pipeline and names the new build, in text and JSON."""
    arn = world.image(pipeline=pipeline())
    result = world.run('--config', config('start-pipeline'), '-T', 'web', '--output', 'json')
    same((result.code, world.cancels(arn), len(went(START))), (0, 1, 1), result)
    follow = json.loads(result.out)['results'][0]['afterCancel']
    same((follow['kind'], follow['outcome'], follow['sent']), ('start-pipeline', 'started', True))
    same(follow['clientToken'], asked(START)[0]['client_token'])
    same(follow['arn'] != arn and follow['arn'].startswith(arn.rsplit('/', 1)[0]), True, follow)
    has(json.loads(result.out)['text'],
        'cancelled and confirmed; started again as web-server/1.0.0/2')
    same(world.state_of(follow['arn'])['status'] is not None, True)


@test
def _():
    """the defaults' after_cancel holds for builds named by their ARN."""
    file = world.config('defaults: { critical = "90m"; cancel: { after_cancel = "retry"; }; };\n')
    arn = world.image()
    result = world.run('--config', file, '-a', arn)
    same((result.code, len(went())), (0, 1), result)


@test
def _():
    """it is on record, with its token, before it is asked for."""
    arn = world.image()
    result = world.run('--config', config(), '-T', 'web')
    line = world.sql("SELECT * FROM audit WHERE event = 'start-send'")[0]
    same(line['time_ms'] / 1000 <= asked()[0]['time'] + 0.002, True, (line, asked(), result))
    same(json.loads(line['members'])['token'], asked()[0]['client_token'])
    same(world.rows(arn)[1]['token'], asked()[0]['client_token'])


@test
def _():
    """--after-cancel says otherwise for one call, also for what --resume finishes of it."""
    for said, set_up, wanted in (('nothing', 'retry', 0), ('retry', 'nothing', 1)):
        world.fresh()
        arn = world.image()
        result = world.run('--config', config(set_up), '-T', 'web', '--after-cancel', said)
        same((result.code, world.cancels(arn), len(went())), (0, 1, wanted), result)
        left = world.image(on_cancel='never', build=9)
        same(world.run('--config', config(set_up), '-T', 'web', '--after-cancel', said, *QUICK).code, 1)
        world.set(left, status='CANCELLED')
        result = world.run('--config', config(set_up), '--resume')
        same((result.code, len(went())), (0, 2 * wanted), result)
    wrong = world.run('--resume', '--after-cancel', 'nothing')
    same(wrong.code, 3, wrong)
    has(wrong.first, '--after-cancel goes with a cancel')


@test
def _():
    """the background process of --detach starts it again."""
    arn = world.image(on_cancel={'after_s': 1})
    result = world.run('--config', config(), '-T', 'web', '--detach')
    same(result.code, 1, result)
    until([('retry', 'started', True)], lambda: starts(arn), 60)
    same((world.cancels(arn), len(went())), (1, 1))


# Never


@test
def _():
    """a build that ended by itself is not started again."""
    for status in ('AVAILABLE', 'FAILED'):
        world.fresh()
        arn = world.image(on_cancel={'polls': 0, 'status': status})
        result = world.run('--config', config(), '-T', 'web')
        same((result.code, world.cancels(arn)), (0, 1), result)
        has(result.first, f'it ended by itself as {status}')
        same((asked(), starts()), ([], []))


@test
def _():
    """a cancel that is not confirmed, or was refused, starts nothing."""
    world.image(on_cancel='never')
    result = world.run('--config', config(), '-T', 'web', *QUICK)
    same((result.code, asked(), starts()), (1, [], []), result)
    world.fresh()
    world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='error',
                      code='AccessDeniedException', status=403)
    same((world.run('--config', config(), '-T', 'web').code, asked(), starts()), (2, [], []))


@test
def _():
    """without a journal nothing is started, and the line says so."""
    arn = world.image()
    result = world.run('--config', config(), '-T', 'web', '--no-journal')
    same((result.code, world.cancels(arn), asked()), (1, 1, []), result)
    has(result.first, 'cancelled and confirmed; not started again: --no-journal leaves no record')


@test
def _():
    """--dry-run and --explain say what would be started, and ask for nothing."""
    world.image(pipeline=pipeline())
    for kind, words in (('retry', 'then it would be put back to work by RetryImage'),
                        ('start-pipeline', 'then its pipeline would be started again')):
        for option in ('--dry-run', '--explain'):
            result = world.run('--config', config(kind), '-T', 'web', option)
            same((result.code, world.requests(), asked(), asked(START)), (0, [], [], []), result)
            has(result.first, words)
            same(f'after_cancel {kind}: {words}' in result.out, option == '--explain', result)
        answer = world.run('--config', config(kind), '-T', 'web', '--dry-run', '--output', 'json')
        same(json.loads(answer.out)['results'][0]['afterCancel']['outcome'], 'would-start')
    full = world.run('--config', config('retry', '', 'cancel: { max_per_hour = 1; };'), '-T', 'web',
                     '--dry-run')
    same(full.code, 0, full)
    has(full.first, 'not started again: refused by rule total-budget: 1 of 1')


# Bounds


@test
def _():
    """what was put back to work a moment ago is not stuck, though its date is old and no workflow shows it."""
    arn = world.image()
    same(world.run('--config', config(), '-T', 'web').code, 0)
    world.set(arn, status='BUILDING', workflows=[])
    for arguments in (('-T', 'web'), ('--sweep',), ('-a', arn, '-c', '90m')):
        result = world.run('--config', config(), *arguments)
        same((result.code, world.cancels(arn)), (0, 1), result)
        has(result.first, 'nothing to cancel: BUILDING for 0s' if '-a' in arguments else
            'no cancel is open' if '--sweep' in arguments else 'nothing to cancel: no build is stuck')
        same(check(arn).code, 0)  # and the check says the same


@test
def _():
    """what we cancelled and a person put back to work is not stuck by its old date."""
    for status, workflows in (('BUILDING', []), ('PENDING', 'none')):
        world.fresh()
        arn = world.image(status=status, **({} if workflows else {'workflows': []}))
        same(world.run('-a', arn, '-c', '90m').code, 0)
        world.call('RetryImage', imageBuildVersionArn=arn, clientToken='somebody')
        world.set(arn, workflows=[])
        for arguments in (('-a', arn, '-c', '90m'), ('--config', config(), '--sweep')):
            result = world.run(*arguments)
            same((result.code, world.cancels(arn)), (0, 1), result)
        same(check(arn).code, 0)


@test
def _():
    """a build is put back to work once for ever: stuck again, it is cancelled and left."""
    arn = world.image()
    same(world.run('--config', config(), '-T', 'web').code, 0)
    stuck_again(arn)
    result = world.run('--config', config(), '-T', 'web')
    same((result.code, world.cancels(arn), len(asked())), (1, 2, 1), result)
    has(result.first, 'cancelled and confirmed; not started again: it was started again once already')
    same(starts(arn), [('retry', 'started', True), ('retry', 'refused', True)])
    same('start-refuse' in events(arn), True)
    later = world.run('--resume')
    same(later.code, 1, later)
    has(later.first, '1 start after a cancel not made')
    has(later.out, 'starts_open=0;;;0 starts_failed=1;;;0')
    world.sql("UPDATE cancels SET ended_ms = ended_ms - 3700000 WHERE outcome = 'refused'")
    same(world.run('--resume').code, 0)


@test
def _():
    """the journal itself holds that, also after it has forgotten all else."""
    arn = world.image()
    old = 'cancel: { keep = "1d"; };'
    same(world.run('--config', config('retry', '', old), '-T', 'web').code, 0)
    world.sql('UPDATE cancels SET created_ms = 1, updated_ms = 1, sent_ms = 1, ended_ms = 1')
    same(world.run('--config', config('retry', '', old), '--resume').code, 0)
    same([(r['kind'], r['text'], r['context']) for r in world.rows()], [('retry', '', '')])
    stuck_again(arn)
    same(world.run('--config', config('retry', '', old), '-T', 'web').code, 1)
    same((world.cancels(arn), len(asked())), (2, 1))
    try:
        world.sql("INSERT INTO cancels (arn, target, token, problem, phase, pid, start_ticks, boot_id,"
                  " created_ms, updated_ms, kind) VALUES (?, '', 'x', '', 0, 0, 0, '', 0, 0, 'retry')",
                  arn)
    except sqlite3.IntegrityError:
        return
    raise AssertionError('the journal took a second start of one build')


@test
def _():
    """a pipeline that gets stuck each time is started once, and then left to a person."""
    arn = world.image(pipeline=pipeline())
    first = world.run('--config', config('start-pipeline'), '-T', 'web', '--output', 'json')
    again = json.loads(first.out)['results'][0]['afterCancel']['arn']
    world.set(again, status='BUILDING', age_s=7980, on_cancel={'polls': 0}, workflows=[
        {'type': 'BUILD', 'status': 'RUNNING', 'start_age_s': 7900}])
    result = world.run('--config', config('start-pipeline'), '-T', 'web')
    same((result.code, world.cancels(arn), world.cancels(again)), (1, 1, 1), result)
    same(len(asked(START)), 1)
    has(result.first, 'not started again: it was itself started after the cancel of '
                      'web-server/1.0.0/1')


@test
def _():
    """a start of which nobody knows what became keeps its pipeline from another one."""
    world.image(pipeline=pipeline())
    world.standin.ctl('add-fault', op=START, kind='reset', apply=True)
    first = world.run('--config', config('start-pipeline'), '-T', 'web',
                      env=world.env(AWS_MAX_ATTEMPTS='1'))
    same(first.code, 1, first)
    world.standin.ctl('clear-faults')
    count = len(asked(START))
    other = world.image(pipeline='web-server', version='1.0.1')
    result = world.run('--config', config('start-pipeline'), '-T', 'web')
    same((result.code, world.cancels(other), len(asked(START))), (1, 1, count), result)
    has(result.first, 'what became of an earlier start of this pipeline is not known')


@test
def _():
    """starts count for the hourly budgets, of the target and in all, and are refused by them."""
    rows = (('max_per_hour = 3;', '', 'target-budget: 3 of 3'),
            ('', 'cancel: { max_per_hour = 3; };', 'total-budget: 3 of 3'))
    for cancel, top, words in rows:
        world.fresh()
        first, second = world.image(build=1), world.image(build=2)
        file = config('retry', cancel, top)
        result = world.run('--config', file, '-T', 'web')
        same((result.code, world.cancels(first) + world.cancels(second)), (1, 2), result)
        same(len(asked()), 1)
        has(result.first, f'not started again: refused by rule {words} cancels per hour used')
        third = world.image(build=3)
        refused = world.run('--config', file, '-T', 'web')
        same((refused.code, world.cancels(third)), (2, 0), refused)


@test
def _():
    """a build of no pipeline cannot be started by one, and says so."""
    file = world.config('''
defaults: { critical = "90m"; cancel: { after_cancel = "start-pipeline"; }; };
''')
    arn = world.image()
    result = world.run('--config', file, '-a', arn)
    same((result.code, world.cancels(arn), asked(START)), (1, 1, []), result)
    has(result.first, 'cancelled and confirmed; not started again: the build is of no pipeline')


# Answers of AWS


@test
def _():
    """no permission and a quota leave the cancel a success, exit 1, and end the start."""
    rows = (('AccessDeniedException', 403, 'the permission imagebuilder:RetryImage is needed'),
            ('ServiceQuotaExceededException', 402, 'ServiceQuotaExceededException'),
            ('InvalidRequestException', 400, 'InvalidRequestException'),
            ('IdempotentParameterMismatchException', 400, 'IdempotentParameterMismatch'))
    for code, status, words in rows:
        world.fresh()
        arn = world.image()
        world.standin.ctl('add-fault', op=RETRY, kind='error', code=code, status=status)
        result = world.run('--config', config(), '-T', 'web')
        same((result.code, result.err, world.cancels(arn)), (1, '', 1), result)
        has(result.first, 'cancelled and confirmed; not started again: RetryImage: ')
        has(result.first, words)
        same(starts(), [('retry', 'failed', True)])
        later = world.run('--resume')
        same((later.code, len(asked())), (1, 1), later)
        has(later.first, 'not started again: RetryImage: ')


@test
def _():
    """in use, throttled and broken answers are left open, and --resume asks again with the token."""
    rows = (('ResourceInUseException', 400), ('CallRateLimitExceededException', 429),
            ('ServiceException', 500))
    for code, status in rows:
        world.fresh()
        world.image()
        world.standin.ctl('add-fault', op=RETRY, kind='error', code=code, status=status)
        result = world.run('--config', config(), '-T', 'web', env=world.env(AWS_MAX_ATTEMPTS='1'))
        same((result.code, starts()), (1, [('retry', '', False)]), result)
        has(result.first, 'not started again yet: RetryImage')
        has(result.first, '--resume goes on with it')
        world.standin.ctl('clear-faults')
        later = world.run('--config', config(), '--resume')
        same((later.code, starts(), len(went())), (0, [('retry', 'started', True)], 1), later)
        same(len({r['client_token'] for r in asked()}), 1)
        has(later.out, 'was cancelled before; put back to work by RetryImage')


@test
def _():
    """what was not answered within retry_for is given up, not asked for again."""
    world.image()
    world.standin.ctl('add-fault', op=RETRY, kind='reset')
    env = world.env(AWS_MAX_ATTEMPTS='1')
    same(world.run('--config', config(), '-T', 'web', env=env).code, 1)
    count = len(asked())
    world.sql("UPDATE cancels SET created_ms = created_ms - 1900000 WHERE kind = 'retry'")
    result = world.run('--config', config(), '--resume')
    same((result.code, len(asked()), starts()), (1, count, [('retry', 'expired', True)]), result)
    has(result.first, 'not started again: given up after 30m')


@test
def _():
    """a start that the configuration does not ask for any more is not made."""
    world.image()
    world.standin.ctl('add-fault', op=RETRY, kind='error', code='ResourceInUseException', times=1)
    same(world.run('--config', config(), '-T', 'web').code, 1)
    count = len(asked())
    result = world.run('--config', config('nothing'), '--resume')
    same((result.code, len(asked())), (1, count), result)
    has(result.first, 'after_cancel does not ask for it any more')


# Cut off


@test
def _():
    """a cancel that --resume confirms is followed by its start, one that --sweep confirms too."""
    for mode in ('--resume', '--sweep'):
        world.fresh()
        arn = world.image(on_cancel='never')
        same(world.run('--config', config(), '-T', 'web', *QUICK).code, 1)
        world.set(arn, status='CANCELLED')
        result = world.run('--config', config(), mode)
        same((result.code, world.cancels(arn), len(went())), (0, 1, 1), result)
        same(starts(arn), [('retry', 'started', True)])
        has(result.out, 'put back to work by RetryImage')


@test
def _():
    """a sweep cancels and starts again in one run."""
    arn = world.image()
    result = world.run('--config', config(), '--sweep')
    same((result.code, world.cancels(arn), len(went())), (0, 1, 1), result)


@test
def _():
    """a cancel confirmed long after it was decided is not followed by a start."""
    arn = world.image(on_cancel='never')
    same(world.run('--config', config(), '-T', 'web', *QUICK).code, 1)
    world.set(arn, status='CANCELLED')
    world.sql('UPDATE cancels SET created_ms = created_ms - 7200000')
    result = world.run('--config', config(), '--resume')
    same((result.code, asked(), starts(arn)), (1, [], [('retry', 'refused', True)]), result)
    has(result.first, 'the cancel was decided 2h')


def killed_in_start(op, apply):
    world.standin.ctl('add-fault', op=op, kind='silent', seconds=30, times=1, apply=apply)
    process = world.start('--config', config('retry' if op == RETRY else 'start-pipeline'), '-T',
                          'web')
    until(1, lambda: len(asked(op)))
    kill(process)
    process.communicate()


@test
def _():
    """killed between record and answer, --resume ends with exactly one start, arrived or not."""
    for op, kind in ((RETRY, 'retry'), (START, 'start-pipeline')):
        for apply in (True, False):
            world.fresh()
            arn = world.image(pipeline=pipeline())
            killed_in_start(op, apply)
            same(starts(arn), [(kind, '', False)])
            before = len(world.standin.ctl('images')['images'])
            result = world.run('--config', config(kind), '--resume')
            same((result.code, starts(arn)), (0, [(kind, 'started', True)]), result)
            same(len({r['client_token'] for r in asked(op)}), 1)
            images = len(world.standin.ctl('images')['images'])
            same(images, before + (1 if op == START and not apply else 0))
            same(images, 2 if op == START else 1)
            same(world.state_of(arn)['status'] == 'CANCELLED', op == START)
            has(world.run('--config', config(kind), '--resume').first, 'no cancel is open')


@test
def _():
    """killed at any of 24 points, --resume ends with one cancel and one start."""
    file, told = config(), []
    arn = world.image(build=100)
    begun = time.monotonic()
    same(world.run('--config', file, '-T', 'web').code, 0)
    took = time.monotonic() - begun
    for i in range(24):
        world.set(arn, status='AVAILABLE')
        arn = world.image(build=i + 1)
        process = world.start('--config', file, '-T', 'web')
        time.sleep(took * i / 20)  # the point, not a condition
        kill(process)
        process.communicate()
        told.append(len(starts(arn)))
        if world.cancels(arn) == 0:
            same(world.run('--config', file, '-T', 'web').code, 0)
        until(0, lambda: world.run('--config', file, '--resume').code)
        mine = {r['client_token'] for r in went() if r['body']['imageBuildVersionArn'] == arn}
        same((world.cancels(arn), len(mine), starts(arn)), (1, 1, [('retry', 'started', True)]),
             (i, world.rows(arn)))
    print(f'# killed at 24 points, {sum(told)} after the start was on record')


@test
def _():
    """killed before it was asked for, --resume asks; two at once ask once."""
    arn = world.image()
    world.standin.ctl('add-fault', op=RETRY, kind='error', code='ResourceInUseException', times=1)
    same(world.run('--config', config(), '-T', 'web').code, 1)
    world.sql("UPDATE cancels SET phase = 0, sent_ms = 0, pid = 1, start_ticks = 1, boot_id = 'x'"
              " WHERE kind = 'retry'")
    file = config()
    both = [world.start('--config', file, '--resume') for _ in range(2)]
    results = [world.finish(p) for p in both]
    same((len(went()), starts(arn)), (1, [('retry', 'started', True)]), results)


@test
def _():
    """a start that is open does not keep the build from a cancel of its own."""
    arn = world.image()
    world.standin.ctl('add-fault', op=RETRY, kind='reset', apply=True)
    env = world.env(AWS_MAX_ATTEMPTS='1')
    same(world.run('--config', config(), '-T', 'web', env=env).code, 1)
    world.standin.ctl('clear-faults')
    stuck_again(arn)
    result = world.run('--config', config(), '-T', 'web')
    same((result.code, world.cancels(arn)), (1, 2), result)
    has(result.first, 'not started again: it was started again once already')


# Put back to work, unseen


def blind(**more):
    fault = dict({'kind': 'error', 'op': 'ListWorkflowExecutions',
                  'code': 'AccessDeniedException', 'status': 403}, **more)
    world.standin.ctl('add-fault', **fault)


UNKNOWN_OPERATION = {'code': 'UnknownOperationException', 'status': 404}
LIFT = '--age-from-creation'


@test
def _():
    """what may not be read as put back to work is not cancelled, and the permission is named."""
    rows = (({}, 'the permission imagebuilder:ListWorkflowExecutions is needed'),
            ({'op': 'ListWorkflowStepExecutions'},
             'the permission imagebuilder:ListWorkflowStepExecutions is needed'),
            (UNKNOWN_OPERATION, 'UnknownOperationException'))
    for fault, words in rows:
        world.fresh()
        arn = world.image()
        blind(**fault)
        result = world.run('-a', arn, '-c', '90m')
        same((result.code, result.err, world.requests()), (2, '', []), result)
        has(result.first, 'refused by rule age-known: whether it was put back to work is not known '
                          f'({LIFT} lifts this): ')
        has(result.first, words)
        has(world.run('-a', arn, '-c', '90m', '--explain').out, 'BROKEN age-known: ')
        lifted = world.run('-a', arn, '-c', '90m', LIFT)
        same((lifted.code, world.cancels(arn)), (0, 1), lifted)


@test
def _():
    """a target may lift that, and --any-age asks for no age."""
    arn, other = world.image(), world.image(name='other')
    blind()
    same(world.run('--config', config('nothing'), '-T', 'web').code, 2)
    result = world.run('--config', config('nothing', 'age_from_creation = true;'), '-T', 'web')
    same((result.code, world.cancels(arn)), (0, 1), result)
    result = world.run('-a', other, '--any-age')
    same((result.code, world.cancels(other)), (0, 1), result)


@test
def _():
    """a young build needs nothing, whatever may be read of it; a passing error is no rule."""
    blind()
    young = world.run('-a', world.image(age_s=60), '-c', '90m')
    same((young.code, world.requests()), (0, []), young)
    has(young.first, 'nothing to cancel: ')
    world.standin.ctl('clear-faults')
    blind(code='ServiceException', status=500)
    result = world.run('-a', world.image(), '-c', '90m', LIFT, '-t', '8s')
    same((result.code, world.requests()), (3, []), result)
    has(result.first, 'not tried, for what it is doing could not be read')


@test
def _():
    """--resume goes on with what was cancelled so, and with nothing else."""
    for lift in (True, False):
        world.fresh()
        arn = world.image()
        if lift:
            blind()
        world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', times=5)
        env = world.env(AWS_MAX_ATTEMPTS='1')
        same(world.run('-a', arn, '-c', '90m', *QUICK, *([LIFT] if lift else []), env=env).code, 1)
        world.standin.ctl('clear-faults')
        blind()
        result = world.run('--resume')
        same((result.code in (1, 3), world.cancels(arn)), (not lift, 1 if lift else 0), result)


# Of any age


def lost_any_age(arn):
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset')
    result = world.run('-a', arn, '--any-age', *QUICK, env=world.env(AWS_MAX_ATTEMPTS='1'))
    same(result.code, 1, result)
    world.standin.ctl('clear-faults')


@test
def _():
    """a build that had begun nothing when it was decided is still the same when it has begun."""
    arn = world.image(status='PENDING', age_s=5, workflows=[])
    lost_any_age(arn)
    world.set(arn, status='BUILDING', workflows=[{'type': 'BUILD', 'start_age_s': 0}])
    result = world.run('--resume')
    same((result.code, world.cancels(arn)), (0, 1), result)


@test
def _():
    """put back to work since, it is another problem: left alone by --resume, cancelled anew when asked."""
    for begun in (True, False):
        for again in (False, True):
            world.fresh()
            arn = world.image(age_s=600, workflows=[{'type': 'BUILD', 'start_age_s': 590}])
            lost_any_age(arn)
            old = world.rows(arn)[0]['token']
            world.set(arn, status='FAILED')
            world.call('RetryImage', imageBuildVersionArn=arn, clientToken='somebody')
            if begun:
                world.set(arn, status='BUILDING', workflows=[
                    {'type': 'BUILD', 'status': 'FAILED', 'start_age_s': 590},
                    {'type': 'BUILD', 'start_age_s': 0}])
            count = len(world.requests())
            result = world.run('-a', arn, '--any-age') if again else world.run('--resume')
            same((world.cancels(arn), len(world.requests()) - count), (int(again), int(again)), result)
            if again:
                same(world.requests()[-1]['client_token'] != old, True, result)


@test
def _():
    """cancelled, put back to work by somebody and asked for again, it is cancelled again."""
    arn = world.image()
    same(world.run('-a', arn, '--any-age').code, 0)
    world.call('RetryImage', imageBuildVersionArn=arn, clientToken='somebody')
    result = world.run('-a', arn, '--any-age')
    same((result.code, world.cancels(arn)), (0, 2), result)


@test
def _():
    """--any-age waits 5 s at most for what it need not know."""
    arn = world.image(age_s=60)
    world.standin.ctl('add-fault', op='ListWorkflowExecutions', kind='silent', seconds=60)
    result = world.run('-a', arn, '--any-age')
    same((result.code, world.cancels(arn)), (0, 1), result)


@test
def _():
    """an answer that names no build, or another one, is no start: it is asked for again with the token."""
    for answer in ('not an arn | x\n', 'arn:aws:imagebuilder:eu-central-1:123456789012:image/other/1.0.0/1', '', 7):
        world.fresh()
        arn = world.image()
        world.standin.ctl('add-fault', op=RETRY, kind='http', status=200, content_type='application/json',
                          body=json.dumps({'requestId': 'x', 'imageBuildVersionArn': answer}))
        result = world.run('--config', config(), '-T', 'web')
        same((result.code, starts(arn)), (1, [('retry', '', False)]), (answer, result))
        has(result.first, 'not started again yet: the answer names')
        world.standin.ctl('clear-faults')
        result = world.run('--config', config(), '--resume')
        same((result.code, starts(arn)), (0, [('retry', 'started', True)]), (answer, result))


@test
def _():
    """an answer that is not Image Builder's ends no start: it may have been made all the same."""
    arn = world.image(pipeline=pipeline())
    world.standin.ctl('add-fault', op=START, kind='http', status=404, body='<html>', content_type='text/html',
                      apply=True)
    result = world.run('--config', config('start-pipeline'), '-T', 'web')
    same((result.code, starts(arn)), (1, [('start-pipeline', '', False)]), result)
    world.standin.ctl('clear-faults')
    result = world.run('--config', config('start-pipeline'), '--resume')
    same((result.code, starts(arn)), (0, [('start-pipeline', 'started', True)]), result)
    same(len({r['client_token'] for r in world.requests(START)}), 1)


# What is left behind

AMI = {'region': 'eu-central-1', 'image': 'ami-0a1b2c3d4e5f60718', 'name': 'web 1', 'accountId': '123456789012'}


def made(**more):
    """A build whose steps launched an instance and made an AMI."""
    return world.image(amis=[AMI], workflows=[{'type': 'BUILD', 'start_age_s': 7900, 'steps': [
        {'name': 'Launch', 'action': 'LaunchInstance', 'status': 'COMPLETED',
         'outputs': json.dumps({'instanceId': 'i-0123456789abcdef0'})},
        {'name': 'Make', 'action': 'CreateImage', 'status': 'COMPLETED',
         'outputs': json.dumps({'imageId': 'ami-0fedcba9876543210'})},
        {'name': 'Test', 'action': 'ExecuteComponents', 'status': 'RUNNING'}]}], **more)


LEFT = ('left behind: AMI ami-0a1b2c3d4e5f60718 in eu-central-1 web 1, with its snapshots',
        'may be left behind: instance i-0123456789abcdef0, launched by step Launch and terminated by none',
        'may be left behind: AMI ami-0fedcba9876543210 with its snapshots, made by step Make')


@test
def _():
    """an instance that a later page of steps terminates is not called left behind."""
    steps = [{'name': 'Launch', 'action': 'LaunchInstance', 'status': 'COMPLETED',
              'outputs': json.dumps({'instanceId': 'i-0123456789abcdef0'})},
             {'name': 'Test', 'action': 'ExecuteComponents', 'status': 'COMPLETED'},
             {'name': 'End', 'action': 'TerminateInstance', 'status': 'COMPLETED',
              'inputs': json.dumps({'instanceId': 'i-0123456789abcdef0'})},
             {'name': 'Wait', 'action': 'ExecuteComponents', 'status': 'RUNNING'}]
    world.standin.ctl('set-defaults', page_size=2)
    arn = world.image(workflows=[{'type': 'BUILD', 'start_age_s': 7900, 'steps': steps}])
    result = world.run('-a', arn, '-c', '90m')
    same((result.code, 'left behind' in result.out), (0, False), result)
    del steps[2]
    arn = world.image(workflows=[{'type': 'BUILD', 'start_age_s': 7900, 'steps': steps}])
    has(world.run('-a', arn, '-c', '90m').out, 'may be left behind: instance i-0123456789abcdef0')
    # A list that is not read to its end says nothing: the end may be behind it.
    arn = world.image(workflows=[{'type': 'BUILD', 'start_age_s': 7900, 'steps': steps + [
        {'name': f'Test{i}', 'action': 'ExecuteComponents', 'status': 'COMPLETED'} for i in range(20)]}])
    result = world.run('-a', arn, '-c', '90m')
    same((result.code, 'left behind' in result.out), (0, False), result)


@test
def _():
    """AMIs and instances that remain are named after a cancel, as text, as JSON and in the history."""
    arn = made()
    result = world.run('-a', arn, '-c', '90m')
    same(result.code, 0, result)
    has(result.first, 'cancelled and confirmed; an AMI was left behind')
    for line in LEFT:
        has(result.out, line)
    line = [x for x in json.loads(world.run('--history', '--output', 'json').out)
            if x['event'] == 'left-behind'][0]
    same(line['amis'], [{'id': 'ami-0a1b2c3d4e5f60718', 'region': 'eu-central-1'}])
    same(line['maybeInstances'], [{'id': 'i-0123456789abcdef0', 'step': 'Launch'}])
    same(line['maybeAmis'], [{'id': 'ami-0fedcba9876543210', 'step': 'Make'}])
    answer = world.run('-a', made(), '-c', '90m', '--output', 'json', '--no-journal')
    same(json.loads(answer.out)['results'][0]['maybeInstances'], line['maybeInstances'])


@test
def _():
    """--resume names them too, also before it starts the build again."""
    arn = made(on_cancel='never')
    same(world.run('--config', config(), '-T', 'web', *QUICK).code, 1)
    world.set(arn, status='CANCELLED')
    result = world.run('--config', config(), '--resume')
    same((result.code, len(went())), (0, 1), result)
    for line in LEFT:
        has(result.out, line)


@test
def _():
    """what cannot be read about them costs the cancel nothing."""
    for fault in ({'kind': 'error', 'code': 'AccessDeniedException', 'status': 403},
                  {'kind': 'silent', 'seconds': 60}, {'kind': 'html', 'status': 200},
                  {'kind': 'huge'}, {'kind': 'empty-body'}):
        world.fresh()
        arn = made()
        world.standin.ctl('add-fault', op='ListWorkflowExecutions', after=1, **fault)
        world.standin.ctl('add-fault', op='ListWorkflowStepExecutions', after=1, **fault)
        result = world.run('-a', arn, '-c', '90m')
        same((result.code, result.err, world.cancels(arn)), (0, '', 1), result)
        same([r['outcome'] for r in world.rows()], ['cancelled'])
        has(result.out, LEFT[0])


# A sweep as a check


@test
def _():
    """a sweep leaves what policy protects to the check, and warns of what waits for its next run."""
    file = world.config(f'''
defaults: {{ endpoint_url = "{world.standin.url}"; critical = "90m"; cancel: {{ enabled = true; }}; }};
targets: {{ web: {{ image = "web-server"; }}; old: {{ image = "old"; cancel: {{ minimum_age = "9h"; }}; }};
  db: {{ image = "db"; }}; }};
cancel: {{ allow = [ "arn:aws:imagebuilder:*:*:image/web-server/*", "arn:aws:imagebuilder:*:*:image/old/*" ];
  max_per_hour = 2; }};
''')
    tagged = world.image(tags={'ib-plugins:no-cancel': 'yes'})
    copying = world.image(status='DISTRIBUTING')
    others = [world.image(name='db'), world.image(name='old')]
    result = world.run('--config', file, '--sweep')
    same((result.code, world.requests()), (0, []), result)
    for rule in ('opt-out', 'state', 'allow-list', 'minimum-age'):
        has(result.out, f'refused by rule {rule}: ')
    same(world.run('--config', file, '-T', 'web').code, 2)
    one, two, three = (world.image(build=i) for i in (11, 12, 13))
    result = world.run('--config', file, '--sweep')
    same((result.code, sum(world.cancels(a) for a in (one, two, three))), (1, 1), result)
    has(result.first, 'refused by rule max-cancel')
    same(world.run('--config', file, '--sweep').code, 1)
    result = world.run('--config', file, '--sweep')
    same((result.code, sum(world.cancels(a) for a in (one, two, three))), (2, 2), result)
    has(result.first, 'refused by rule total-budget')
    same([world.cancels(a) for a in (tagged, copying, *others)], [0] * 4)


# The record


def check(arn, *arguments):
    import subprocess
    process = subprocess.Popen(
        [CHECK, '-a', arn, '-c', '90m', '--endpoint-url', world.standin.url, *arguments],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=world.env())
    return world.finish(process)


@test
def _():
    """the check tells who put a build back to work, and why one was not."""
    arn = world.image()
    same(world.run('--config', config(), '-T', 'web').code, 0)
    has(check(arn).out, 'cancelled by ib_cancel_action and put back to work by RetryImage')
    stuck_again(arn)
    same(world.run('--config', config(), '-T', 'web').code, 1)
    has(check(arn).out, 'cancelled by ib_cancel_action, not started again: it was started again once')
    has(json.loads(check(arn, '--output', 'json').out)['builds'][0]['cancel']['outcome'], 'refused')


@test
def _():
    """a take-over tells who took over, and from whom."""
    arn = world.image()
    world.standin.ctl('add-fault', op='CancelImageCreation', kind='silent', seconds=30, times=1)
    process = world.start('-a', arn, '-c', '90m')
    until(1, lambda: len(world.requests()))
    kill(process)
    process.communicate()
    same(world.run('--resume').code, 0)
    line = [x for x in json.loads(world.run('--history', '--output', 'json').out)
            if x['event'] == 'take-over'][0]
    same(line['from'], {'pid': process.pid, 'host': os.uname().nodename[:64]})
    same((line['by']['user'], line['by']['host']), (os.getuid(), os.uname().nodename[:64]))
    same(line['by']['pid'] not in (0, process.pid), True)
    same((line['reason'], line['phase']), ('its process is gone', 'sent'))
    has(world.run('--history').out, f'from={{"pid":{process.pid}')


VERSION_1 = """
CREATE TABLE cancels ( id INTEGER PRIMARY KEY AUTOINCREMENT, arn TEXT NOT NULL, target TEXT NOT NULL,
 token TEXT NOT NULL UNIQUE, problem TEXT NOT NULL, phase INTEGER NOT NULL CHECK (phase BETWEEN 0 AND 3),
 outcome TEXT NOT NULL DEFAULT '', text TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT '',
 context TEXT NOT NULL DEFAULT '', pid INTEGER NOT NULL, start_ticks INTEGER NOT NULL,
 boot_id TEXT NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
 sent_ms INTEGER NOT NULL DEFAULT 0, ended_ms INTEGER NOT NULL DEFAULT 0,
 attempts INTEGER NOT NULL DEFAULT 1);
CREATE UNIQUE INDEX cancels_open ON cancels (arn) WHERE ended_ms = 0;
CREATE INDEX cancels_sent ON cancels (sent_ms);
CREATE INDEX cancels_arn ON cancels (arn, id);
CREATE TABLE audit ( id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, arn TEXT NOT NULL,
 cancel INTEGER, event TEXT NOT NULL, members TEXT NOT NULL DEFAULT '{}');
CREATE INDEX audit_time ON audit (time_ms);
CREATE INDEX audit_arn ON audit (arn, id);
CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
 BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
PRAGMA user_version = 1;
"""


@test
def _():
    """a journal of the version before is read as it is, and brought up when it is written."""
    arn = world.image(on_cancel='never')
    os.mkdir(world.state, 0o700)
    base = sqlite3.connect(world.path())
    base.executescript(VERSION_1)
    now = int(time.time() * 1000)
    base.execute("INSERT INTO cancels (arn, target, token, problem, phase, context, pid, start_ticks,"
                 " boot_id, created_ms, updated_ms, sent_ms, attempts)"
                 " VALUES (?, '', 't-1', '', 2, '{}', 1, 1, 'x', ?, ?, ?, 1)", (arn, now, now, now))
    base.execute("INSERT INTO audit (time_ms, arn, cancel, event) VALUES (?, ?, 1, 'accepted')",
                 (now, arn))
    base.commit()
    base.close()
    os.chmod(world.path(), 0o600)
    has(check(arn).out, 'cancel requested')
    same(events(), ['accepted'])
    same(world.sql('PRAGMA user_version')[0]['user_version'], 1)
    world.set(arn, status='CANCELLED')
    file = world.config(f'defaults: {{ endpoint_url = "{world.standin.url}";'
                        ' cancel: { after_cancel = "retry"; }; };\n')
    result = world.run('--config', file, '--resume')
    same((result.code, len(went())), (0, 1), result)
    same(world.sql('PRAGMA user_version')[0]['user_version'], 2)
    same([(r['kind'], r['outcome']) for r in world.rows()],
         [('cancel', 'cancelled'), ('retry', 'started')])


test.cases = [Fresh(world, case) for case in test.cases]
sys.exit(test.run())
