# SPDX-License-Identifier: MIT
"""The probe program as an object: one JSON line in, one out."""
import json
import os
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('abs_top_builddir') or os.path.join(TOP, 'build')
PROGRAM = os.path.join(BUILD, 'tests', 'aws', 'aws_probe')
OLD_PROGRAM = PROGRAM + '_old'  # built as for libcurl before 7.87
sys.path.insert(0, os.path.join(TOP, 'tests', 'standin'))
for name in list(os.environ):
    if name.startswith('AWS_') or name.lower().endswith('_proxy'):
        del os.environ[name]

if not os.access(PROGRAM, os.X_OK):
    print('1..0 # SKIP tests/aws/aws_probe is not built')
    sys.exit(0)


class Probe:
    """Ends with the block it is used in."""

    def __init__(self, program=PROGRAM, **env):
        base = {'PATH': os.environ['PATH'], 'HOME': '/nonexistent', 'LC_ALL': 'C',
                'AWS_EC2_METADATA_DISABLED': 'true', 'AWS_REGION': 'eu-central-1',
                'AWS_ACCESS_KEY_ID': 'AKIDEXAMPLE',
                'AWS_SECRET_ACCESS_KEY': 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS'):
            if name in os.environ:
                base[name] = os.environ[name]
        base.update(env)
        base = {name: value for name, value in base.items() if value is not None}
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env=base, text=True, bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        code = self.process.wait(30)
        if code not in (0, -signal.SIGTERM):
            raise AssertionError(f'the probe ended with {code}')

    def send(self, what, **keys):
        self.process.stdin.write(json.dumps({'do': what, **keys}) + '\n')

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f'the probe died: {self.process.wait(10)}')
        return json.loads(line)

    def ask(self, what, **keys):
        self.send(what, **keys)
        return self.read()
