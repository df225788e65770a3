# SPDX-License-Identifier: MIT
"""For the tests of what check_ib_image finds: runs it, reads its JSON."""
import json
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.environ.get('abs_top_srcdir', os.path.dirname(os.path.dirname(HERE)))
BUILD = os.environ.get('abs_top_builddir', TOP)
sys.path.insert(0, os.path.join(TOP, 'tests', 'standin'))
from tap import KEY, SECRET  # noqa: E402

REGION, ACCOUNT = 'eu-central-1', '123456789012'
OK, WARNING, CRITICAL, UNKNOWN = range(4)
with open(os.path.join(BUILD, 'config.h'), encoding='utf-8') as handle:
    SANITIZED = '#define IB_SANITIZERS' in handle.read()


def arn(kind, rest, region=REGION):
    return f'arn:aws:imagebuilder:{region}:{ACCOUNT}:{kind}/{rest}'


def error(code, **more):
    """A fault for a real AWS error."""
    return dict(more, kind='error', code=code)


class Run:
    """One run: exit code, output, JSON facts, time and memory."""

    def __init__(self, *arguments, program='check_ib_image', url=None, config=None, form='json', env=None):
        command = [os.path.join(BUILD, 'plugins', program), *arguments, '--output', form]
        if url is not None:
            command += ['--endpoint-url', url]
        if config is not None:
            command += ['--config', config]
        world = {'PATH': os.environ.get('PATH', '/usr/bin:/bin'), 'HOME': '/nonexistent',
                 'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET, 'AWS_REGION': REGION,
                 'AWS_EC2_METADATA_DISABLED': 'true', 'TZ': 'UTC', 'LC_ALL': 'C'}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
            if name in os.environ:
                world[name] = os.environ[name]
        world.update(env or {})
        with tempfile.TemporaryFile() as out_file, tempfile.TemporaryFile() as err_file:
            begun = time.monotonic()
            process = subprocess.Popen(command, env=world, stdin=subprocess.DEVNULL,
                                       stdout=out_file, stderr=err_file)
            _, status, usage = os.wait4(process.pid, 0)  # it ends by its own -t
            self.seconds = time.monotonic() - begun
            out_file.seek(0)
            err_file.seek(0)
            out, err = out_file.read(), err_file.read()
        self.rc = process.returncode = os.waitstatus_to_exitcode(status)
        self.memory_kb = usage.ru_maxrss
        self.out = out.decode()
        self.err = err.decode(errors='replace')
        self.first = self.out.split('\n', 1)[0].split(' | ')[0]
        if self.err:
            raise AssertionError('on stderr: ' + self.err[:2000])
        if self.rc not in (OK, WARNING, CRITICAL, UNKNOWN):
            raise AssertionError(f'ended with {self.rc}: {self.out[:500]}')
        self.facts = json.loads(self.out) if form == 'json' else None

    def __getitem__(self, key):
        return self.facts[key]

    def build(self, title):
        """The one build "name version/build"."""
        found = [b for b in self['builds']
                 if f"{b['name']} {b['version']}/{b['build']}" == title]
        if len(found) != 1:
            raise AssertionError(f'{len(found)} of {title}: ' + ', '.join(self.titles()))
        return found[0]

    def titles(self):
        return [f"{b['name']} {b['version']}/{b['build']}" for b in self['builds']]

    def errors(self):
        return ' / '.join(e['what'] + ': ' + e['text'] for e in self['errors'])

    def perf(self, label):
        for item in self['perfdata'].split():
            if item.startswith(label + '='):
                return item[len(label) + 1:].split(';')[0]
        raise AssertionError(f'no perfdata {label}: ' + self['perfdata'])


class Endless:
    """An endpoint that takes connections and never says a word."""

    def __init__(self):
        import socket
        self.socket = socket.socket()
        self.socket.bind(('127.0.0.1', 0))
        self.socket.listen(64)
        self.url = f'http://127.0.0.1:{self.socket.getsockname()[1]}'
