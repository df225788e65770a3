# SPDX-License-Identifier: MIT
"""TAP lines, and a stand-in of its own for a Python test."""
import atexit
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
KEY, SECRET = 'AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'


class Standin:
    """A stand-in process; it ends with the test."""

    def __init__(self, *arguments):
        self.dir = tempfile.mkdtemp()
        self.port_file = os.path.join(self.dir, 'port')
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, 'standin.py'), '--port-file', self.port_file,
             '--die-with-parent', '--log', os.path.join(self.dir, 'requests.jsonl'), *arguments])
        atexit.register(self.stop)
        end = time.monotonic() + 30
        while not os.path.exists(self.port_file):
            if self.process.poll() is not None or time.monotonic() > end:
                print('Bail out! the stand-in did not start')
                sys.exit(99)
            time.sleep(0.05)
        with open(self.port_file, encoding='ascii') as handle:
            self.port = int(handle.read())
        self.url = f'http://127.0.0.1:{self.port}'

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)
        shutil.rmtree(self.dir, ignore_errors=True)

    def raw(self, method, target, body=None, headers=None, timeout=20):
        """One request as it stands: (status, headers, body)."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=timeout)
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def ctl(self, command, **spec):
        status, _, body = self.raw('POST', '/_standin/' + command, json.dumps(spec), timeout=60)
        answer = json.loads(body)
        if status != 200:
            raise ValueError(answer.get('error'))
        return answer


class Skip(Exception):
    """Raised by a test that cannot be run: says what is missing."""


class Tests:
    """Collects functions; each is one TAP line, named by its docstring, and by what it measured: the
    text that the function returns."""

    def __init__(self):
        self.cases = []

    def __call__(self, function):
        self.cases.append(function)
        return function

    def run(self, standin=None):
        print(f'1..{len(self.cases)}')
        failed = 0
        for number, case in enumerate(self.cases, 1):
            name = case.__doc__.strip().rstrip('.')
            try:
                if standin is not None:
                    standin.ctl('reset')
                measured = case()
                print(f'ok {number} - {name}' + (f': {measured}' if measured else ''))
            except Skip as missing:
                print(f'ok {number} - {name} # SKIP {missing}')
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f'not ok {number} - {name}')
                for line in traceback.format_exc(limit=-2).splitlines():
                    print('# ' + line)
            sys.stdout.flush()
        return 1 if failed else 0


def until(wanted, get, limit=60):
    """Calls get() until it gives `wanted`; fails after `limit` seconds.  Gives how long it took."""
    begun = time.monotonic()
    while True:
        got = get()
        if got == wanted:
            return time.monotonic() - begun
        if time.monotonic() - begun > limit:
            raise AssertionError(f'still {got!r} after {limit} s, wanted {wanted!r}')
        time.sleep(0.02)


def same(got, wanted, what=''):
    if got != wanted:
        raise AssertionError(f'{what} got {got!r}, wanted {wanted!r}')


def has(text, part):
    if part not in text:
        raise AssertionError(f'{part!r} is not in {text!r}')
