#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""ib_cancel_action killed at random points, and called by many at once: one cancel per build, no record lost."""
import json
import os
import random
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_world import World, kill  # noqa: E402
from tap import Tests, has, same  # noqa: E402

KILLS = int(os.environ.get('IB_TORTURE_KILLS', '200'))
CALLERS = int(os.environ.get('IB_TORTURE_CALLERS', '50'))
BATCH = 20  # builds; each is called twice
SEED = int(os.environ.get('IB_TORTURE_SEED', str(random.randrange(1 << 32))))

world = World()
test = Tests()
chance = random.Random(SEED)
LIMIT = ('-c', '90m', '--confirm-timeout', '5s', '-t', '100s')  # fifty at once on a busy machine


def killed_runs(calls, longest):
    """Runs side by side, each killed after a random while; how many had not ended by themselves."""
    begun = time.monotonic()
    processes = [world.start(*call) for call in calls]
    for end, process in sorted(((chance.uniform(0, longest), p) for p in processes),
                               key=lambda pair: pair[0]):
        time.sleep(max(0, begun + end - time.monotonic()))
        kill(process)
    for process in processes:
        process.communicate()
    return sum(1 for p in processes if p.returncode == -9)


def whole_run():
    """How long three runs beside each other take now: the machine may do much else."""
    arns = [world.image(name=f'whole-{world.whole + i}') for i in range(3)]
    world.whole += 3
    begun = time.monotonic()
    for process in [world.start('-a', arn, *LIMIT) for arn in arns]:
        same(world.finish(process).code, 0)
    return time.monotonic() - begun


world.whole = 0


def check_records(arns):
    """Every cancel that the stand-in ever took stands in the journal, written before it came."""
    tokens = {r['token']: r for r in world.rows()}
    before = {}
    for line in world.sql("SELECT * FROM audit WHERE event = 'send' ORDER BY id DESC"):
        before[json.loads(line['members'])['token']] = line
    for request in world.requests():
        token = request['client_token']
        same(token in tokens and token in before, True, f'seed {SEED}: no record of {request}')
        same(tokens[token]['arn'], request['arn'])
        same(before[token]['time_ms'] / 1000 <= request['time'] + 0.01, True, (before[token], request))
    for arn in arns:
        same(world.cancels(arn) <= 1, True, f'seed {SEED}: {arn} {world.state_of(arn)}')
    same(world.sql('PRAGMA integrity_check'), [{'integrity_check': 'ok'}])


def resume_all():
    """--resume until nothing is open; how many calls it took."""
    for calls in range(1, 6):
        result = world.run('--resume')
        same(result.code in (0, 1), True, f'seed {SEED}: {result}')
        if result.code == 0:
            has(result.first, 'no cancel is open')
            same(world.sql('SELECT count(*) AS n FROM cancels WHERE ended_ms = 0')[0]['n'], 0)
            return calls
    raise AssertionError(f'seed {SEED}: still open after five calls: {result}')


@test
def _():
    """runs killed at random points: every build cancelled exactly once or not at all, all on record."""
    killed = runs = resumes = batches = left_open = killed_resumes = 0
    phases = {}
    arns, untouched = [], 0
    name = 0
    while killed < KILLS:
        batches += 1
        batch = []
        for _ in range(BATCH):
            name += 1
            batch.append(world.image(name=f'torture-{name}', on_cancel=chance.choice(
                [{'polls': 0}] * 8 + [{'polls': 1}, {'after_s': 0.1}])))
        arns += batch
        longest = whole_run()
        # Half of the batches are slow where it matters, and lose answers.
        slow = batches % 2 == 0
        if slow:
            world.standin.ctl('add-fault', op='CancelImageCreation', kind='delay', seconds=0.1,
                              times=10)
            world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', times=3,
                              apply=True)
            world.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', times=3)
        calls = batch + batch
        for at in range(0, len(calls), 3):
            three = [('-a', arn, *LIMIT) for arn in calls[at:at + 3]]
            runs += len(three)
            killed += killed_runs(three, longest + 0.2 if slow else longest)
            if batches % 3 == 0 and os.path.exists(world.path()):
                # Clean after each; in the other batches the second call meets what the first left.
                world.standin.ctl('clear-faults')
                resumes += resume_all()
        world.standin.ctl('clear-faults')
        if os.path.exists(world.path()):
            for row in world.sql('SELECT phase FROM cancels WHERE ended_ms = 0'):
                left_open += 1
                phases[row['phase']] = phases.get(row['phase'], 0) + 1
        # Who finishes what was left may be killed as well, and two may be at it.
        killed_resumes += killed_runs([('--resume', '-t', '100s')] * 3, longest)
        resumes += resume_all()
        check_records(batch)
        for arn in batch:
            rows = world.rows(arn)
            same(world.cancels(arn), 1 if rows else 0, f'seed {SEED}: {rows}')
            same([r['outcome'] for r in rows], ['cancelled'] if rows else [])
            untouched += 0 if rows else 1
    for arn in arns:
        if world.cancels(arn) == 0:
            same(world.run('-a', arn, *LIMIT).code, 0)
    check_records(arns)
    same([a for a in arns if world.cancels(a) != 1], [])
    same(killed >= KILLS, True)
    names = ('claimed', 'sent', 'accepted')
    print(f'# counts: seed {SEED}: {runs} runs, {killed} killed, {len(arns)} builds, {untouched} killed before '
          f'their claim, {left_open} left open (' +
          ', '.join(f'{n} {names[p]}' for p, n in sorted(phases.items())) +
          f'), {batches} batches, {resumes} calls of --resume, {killed_resumes} more of them killed')
    print(f'# counts: {len(arns)} of these builds and {world.whole} others cancelled exactly once, {len(world.requests())} requests, '
          f'{len(world.rows())} rows')


@test
def _():
    """after each single run that was killed, --resume alone brings all to its end."""
    world.fresh()
    killed, calls, states = 0, 0, {}
    for i in range(KILLS // 4):
        arn = world.image(name=f'single-{i}', on_cancel=chance.choice([{'polls': 0}, {'polls': 1}]))
        lost = chance.choice([None, True, False])
        if lost is not None:
            world.standin.ctl('add-fault', op='CancelImageCreation', kind='delay', seconds=0.05, times=1, apply=lost)
        killed += killed_runs([('-a', arn, *LIMIT)], 0.1)
        world.standin.ctl('clear-faults')
        if not os.path.exists(world.path()):
            continue
        calls += resume_all()
        rows = world.rows(arn)
        states[rows[0]['outcome'] if rows else 'none'] = states.get(rows[0]['outcome'] if rows else 'none', 0) + 1
        same(world.cancels(arn), 1 if rows else 0, f'seed {SEED}: {rows}')
        check_records([arn])
    same(killed > 0 and set(states) <= {'none', 'cancelled'}, True, states)
    print(f'# counts: {KILLS // 4} single runs, {killed} killed, {calls} calls of --resume, came to {states}')


@test
def _():
    """many callers at once for one build send one cancel, and all of them say so."""
    world.fresh()
    arn = world.image(on_cancel={'polls': 3})
    processes = [world.start('-a', arn, *LIMIT, '--problem-id', str(i)) for i in range(CALLERS)]
    results = [world.finish(p) for p in processes]
    codes = {c: sum(1 for r in results if r.code == c) for c in {r.code for r in results}}
    print(f'# counts: {CALLERS} callers, exit codes {codes}, {len(world.requests())} requests')
    same(len(world.requests()), 1)  # not only one token: nobody takes over who lives
    same(world.cancels(arn), 1)
    same(len({r['client_token'] for r in world.requests()}), 1)
    for r in results:
        same(r.code in (0, 1) and r.err == '', True, r)
    same([r['outcome'] for r in world.rows(arn)], ['cancelled'])
    check_records([arn])
    same(resume_all(), 1)


@test
def _():
    """many callers at once, half of them killed, leave one cancel and a clean journal."""
    world.fresh()
    arn = world.image(on_cancel={'polls': 3})
    processes = [world.start('-a', arn, *LIMIT) for _ in range(CALLERS)]
    for process in chance.sample(processes, CALLERS // 2):
        time.sleep(chance.uniform(0, 0.02))
        kill(process)
    results = [world.finish(p) for p in processes]
    print(f'# counts: {sum(1 for r in results if r.code == -9)} of {CALLERS} callers killed')
    resume_all()
    if world.cancels(arn) == 0:
        same(world.run('-a', arn, *LIMIT).code, 0)
    same(world.cancels(arn), 1, f'seed {SEED}')
    check_records([arn])


sys.exit(test.run())
