# SPDX-License-Identifier: MIT
"""What tests of ib_cancel_action in Python share: a stand-in, a state directory, runs, the journal."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get('abs_top_builddir') or os.path.join(TOP, 'build')
sys.path.insert(0, os.path.join(TOP, 'tests', 'standin'))
PROGRAM = os.path.join(BUILD, 'plugins', 'ib_cancel_action')
CHECK = os.path.join(BUILD, 'plugins', 'check_ib_image')

for name in list(os.environ):
    if name.startswith(('AWS_', 'NAGIOS_')) or name.lower().endswith('_proxy'):
        del os.environ[name]

try:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError:
    print('1..0 # SKIP python3-botocore is not installed: the stand-in needs it')
    sys.exit(0)

from tap import KEY, SECRET, Standin  # noqa: E402


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.first = out.split('\n', 1)[0]

    def __repr__(self):
        return f'exit {self.code}: {self.out!r} {self.err!r}'


class World:
    """One stand-in; a new, empty state directory whenever fresh() is called."""

    def __init__(self, *arguments):
        self.standin = Standin(*arguments)
        self.dir = self.standin.dir
        os.chmod(self.dir, 0o755)
        self.state = None
        self.numbers = 0
        self.fresh()

    def fresh(self):
        self.standin.ctl('reset')
        self.numbers += 1
        self.state = os.path.join(self.dir, f'state{self.numbers}')
        for name in ('config', 'out'):
            path = os.path.join(self.dir, name)
            if os.path.exists(path):
                os.unlink(path)

    def env(self, **more):
        env = dict(os.environ, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET,
                   AWS_EC2_METADATA_DISABLED='true', AWS_REGION='eu-central-1',
                   AWS_CONFIG_FILE='/nonexistent/file', HOME=self.dir,
                   AWS_SHARED_CREDENTIALS_FILE='/nonexistent/file', IB_STATE_DIR=self.state)
        env.update(more)
        return env

    def command(self, *arguments):
        return [PROGRAM, *arguments, '--endpoint-url', self.standin.url, '--syslog', 'none']

    def start(self, *arguments, before=(), env=None, **more):
        return subprocess.Popen([*before, *self.command(*arguments)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=env or self.env(), **more)

    @staticmethod
    def finish(process, timeout=180):
        out, err = process.communicate(timeout=timeout)
        return Result(process.returncode, out.decode('utf-8', 'replace'),
                      err.decode('utf-8', 'replace'))

    def run(self, *arguments, **more):
        return self.finish(self.start(*arguments, **more))

    def config(self, text):
        path = os.path.join(self.dir, 'config')
        with open(path, 'w', encoding='utf-8') as handle:
            handle.write(text)
        os.chmod(path, 0o644)
        return path

    # The stand-in

    def image(self, **spec):
        spec.setdefault('name', 'web-server')
        spec.setdefault('age_s', 7980)
        spec.setdefault('on_cancel', {'polls': 0})
        return self.standin.ctl('add-image', **spec)['arn']

    def cancels(self, arn):
        return self.standin.ctl('cancels', arn=arn)['cancels']

    def requests(self, op='CancelImageCreation'):
        return [r for r in self.standin.ctl('requests')['requests'] if op in ('*', r['op'])]

    def set(self, arn, **spec):
        self.standin.ctl('set-image', arn=arn, **spec)

    def state_of(self, arn):
        return self.standin.ctl('state', arn=arn)

    def call(self, operation, **body):
        """A signed call of somebody else."""
        data = json.dumps(body).encode()
        request = AWSRequest(method='PUT', url=f'{self.standin.url}/{operation}', data=data)
        SigV4Auth(Credentials(KEY, SECRET), 'imagebuilder', 'eu-central-1').add_auth(request)
        status, _, answer = self.standin.raw('PUT', '/' + operation, data,
                                             dict(request.headers.items()))
        if status != 200:
            raise AssertionError(f'{operation}: {status} {answer!r}')

    # The journal

    def path(self):
        return os.path.join(self.state, 'journal.db')

    def sql(self, text, *values):
        base = sqlite3.connect(self.path(), timeout=60)
        base.row_factory = sqlite3.Row
        try:
            rows = [dict(r) for r in base.execute(text, values).fetchall()]
            base.commit()
            return rows
        finally:
            base.close()

    def rows(self, arn=None):
        return self.sql('SELECT * FROM cancels WHERE ?1 IS NULL OR arn = ?1 ORDER BY id', arn)

    def outcome(self, arn):
        return [(r['outcome'], r['ended_ms'] != 0) for r in self.rows(arn)]

    def history(self, arn=None):
        named = ('-a', arn) if arn else ()
        return json.loads(self.run('--history', *named, '--output', 'json', '--limit', '1000').out)

    # A cancel that is left open

    def lost_reply(self, arn, times=5, limit=('-c', '90m')):
        """The answer never comes; whether it took effect is the fault's business."""
        self.standin.ctl('add-fault', op='CancelImageCreation', kind='reset', times=times)
        result = self.run('-a', arn, *limit, '--confirm-timeout', '1s', env=self.env(AWS_MAX_ATTEMPTS='1'))
        if result.code != 1 or 'outcome unknown' not in result.first or '--resume' not in result.first:
            raise AssertionError(result)
        self.standin.ctl('clear-faults')

    def throttled(self, *arguments):
        """Nothing arrives: AWS says to come back later."""
        self.standin.ctl('add-fault', op='CancelImageCreation', kind='throttle')
        result = self.run(*arguments, env=self.env(AWS_MAX_ATTEMPTS='1'))
        if result.code != 3 or 'not cancelled yet: ' not in result.first:
            raise AssertionError(result)
        self.standin.ctl('clear-faults')

    def age(self, seconds, where='1'):
        """All that the journal knows was so much earlier."""
        ms = int(seconds * 1000)
        self.sql('UPDATE cancels SET ' + ', '.join(
            f'{c} = CASE WHEN {c} = 0 THEN 0 ELSE {c} - {ms} END'
            for c in ('created_ms', 'updated_ms', 'sent_ms', 'ended_ms')) + f' WHERE {where}')

    def remove_state(self):
        shutil.rmtree(self.state, ignore_errors=True)


class Fresh:
    """A test with a state directory of its own."""

    def __init__(self, world, case):
        self.world, self.case, self.__doc__ = world, case, case.__doc__

    def __call__(self):
        self.world.fresh()
        begun = time.monotonic()
        measured = self.case()
        if os.environ.get('IB_TEST_TIMES'):
            print(f'# {time.monotonic() - begun:.1f} s')
        return measured


def kill(process, number=signal.SIGKILL):
    """To the process that was started here and nothing else."""
    if process.poll() is None:
        process.send_signal(number)
