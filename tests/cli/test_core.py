#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Memory of the programs, where secrets are: no core file, no debugger, nothing in the process list."""
import os
import resource
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('abs_top_builddir', TOP)
sys.path.insert(0, os.path.join(TOP, 'tests/standin'))
try:
    import botocore  # noqa: F401
except ImportError:
    print('1..0 # SKIP python3-botocore is not installed')
    sys.exit(0)
from tap import KEY, SECRET, Skip, Standin, Tests, same, until  # noqa: E402

test = Tests()
standin = Standin()
HERE = os.path.join(standin.dir, 'cwd')
os.mkdir(HERE)
ARN = 'arn:aws:imagebuilder:eu-central-1:123456789012:image/web-server/1.4.2/7'
BASE = ARN.rsplit(':', 1)[0]
PROGRAMS = {
    'check_ib_image': ['-a', ARN],
    'ib_cancel_action': ['-a', ARN, '-c', '1h', '--no-journal'],
    'ib_create_action': ['--recipe', BASE + ':image-recipe/web/1.0.0', '--infrastructure', BASE + ':infrastructure-configuration/web'],
    'ib_workflow': ['run', '--from', 'getImage', '--given', 'createImage.imageBuildVersionArn=' + ARN],
}


def has_sanitizers():
    with open(os.path.join(BUILD, 'config.h'), encoding='ascii', errors='replace') as handle:
        return '#define IB_SANITIZERS 1' in handle.read()


def core_goes_to_a_program():
    with open('/proc/sys/kernel/core_pattern', encoding='ascii', errors='replace') as handle:
        return handle.read().startswith('|')


def allow_cores():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


class Waiting:
    """A program that waits for an answer that does not come, with its credentials in memory."""

    def __init__(self, name):
        standin.ctl('reset')
        standin.ctl('add-image', arn=ARN, age_s=60)
        standin.ctl('add-fault', op='*', kind='silent')
        self.process = subprocess.Popen(
            [os.path.join(BUILD, 'plugins', name), *PROGRAMS[name], '-t', '300', '--endpoint-url', standin.url], cwd=HERE,
            stdout=subprocess.DEVNULL, preexec_fn=allow_cores,
            env={'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET, 'IB_STATE_DIR': os.path.join(standin.dir, 'state'),
                 'ASAN_OPTIONS': 'disable_coredump=0:handle_segv=0:handle_abort=0'})
        until(1, lambda: standin.ctl('count', op='*', status='any')['count'])

    def __enter__(self):
        return self.process

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def dies_without_core(name, number):
    def case():
        with Waiting(name) as process:
            process.send_signal(number)
            _, status = os.waitpid(process.pid, 0)
            process.returncode = -number
            if has_sanitizers() and core_goes_to_a_program():
                raise Skip('core files go to a program here, and with sanitizers processes may be traced')
            same((os.WIFSIGNALED(status) and os.WTERMSIG(status), os.WCOREDUMP(status)), (number, False))
            same(os.listdir(HERE), [])
    case.__doc__ = f'{name}: no core file when {signal.Signals(number).name} ends it'
    test(case)


@test
def control():
    """A process that does not forbid it does leave a core file here, so that the tests below show something."""
    child = subprocess.Popen(['/bin/sh', '-c', 'kill -ABRT $$'], cwd=HERE, preexec_fn=allow_cores)
    _, status = os.waitpid(child.pid, 0)
    child.returncode = -signal.SIGABRT
    for name in os.listdir(HERE):
        os.remove(os.path.join(HERE, name))
    if not os.WCOREDUMP(status):
        raise Skip('this machine writes no core files at all')


for each in PROGRAMS:
    dies_without_core(each, signal.SIGABRT)
    dies_without_core(each, signal.SIGSEGV)


def shows_nothing(name):
    def case():
        with Waiting(name) as process:
            with open(f'/proc/{process.pid}/cmdline', 'rb') as handle:
                same(SECRET.encode() in handle.read(), False)
            with open(f'/proc/{process.pid}/limits', encoding='ascii') as handle:
                same([line.split()[4] for line in handle if line.startswith('Max core file size')], ['0'])
            if has_sanitizers():
                raise Skip('with sanitizers processes may be traced')
            # Of a process that may not be traced, /proc belongs to root.
            same(os.stat(f'/proc/{process.pid}/environ').st_uid, 0)
            if os.geteuid() == 0 and shutil.which('setpriv'):
                other = subprocess.run(['setpriv', '--reuid', '65534', '--clear-groups', 'cat', f'/proc/{process.pid}/environ'],
                                       capture_output=True, check=False)
                same(SECRET.encode() in other.stdout, False)
    case.__doc__ = f'{name}: nothing in the process list, and no debugger'
    test(case)


for each in PROGRAMS:
    shows_nothing(each)

sys.exit(test.run())
