#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Name servers that never answer: in a network of its own, so that no real one is asked."""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from probe import OLD_PROGRAM, PROGRAM, Probe  # noqa: E402
from tap import Tests, has, same  # noqa: E402

import time  # noqa: E402

test = Tests()
CALL = {'operation': 'GetImage', 'method': 'GET', 'path': '/GetImage', 'query': 'imageBuildVersionArn=x'}


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack('16sh14x', b'lo', 1 | 64))  # SIOCSIFFLAGS: up, running


# The resolver would wait for a minute and more; what is between is room for a busy machine.
SOON_S = 25


def look_up(program=PROGRAM, **env):
    """Seconds, the answer, and the seconds until the process was gone."""
    begun = time.monotonic()
    with Probe(program, **env) as probe:
        probe.ask('open', timeout_ms=1500)
        got = probe.ask('call', **CALL)
        took = time.monotonic() - begun
    return took, got, time.monotonic() - begun


@test
def silent():
    """A silent name server ends the call in time, in words about DNS."""
    took, got, gone = look_up(AWS_MAX_ATTEMPTS='1')
    same(got['rc'], 'timeout')
    has(got['text'], 'imagebuilder.eu-central-1.amazonaws.com:443: timed out after ')
    same(took < SOON_S, True, f'took {took}')
    same(gone < SOON_S, True, f'the process was gone after {gone}')


@test
def silent_with_retries():
    """Retries do not make it longer."""
    took, got, gone = look_up()
    same(got['rc'], 'timeout')
    has(got['text'], '(DNS)')
    same(took < SOON_S and gone < SOON_S, True, f'took {took}, {gone}')


@test
def silent_for_old_curl():
    """A libcurl that would wait for its resolver is not asked to end the look-up."""
    took, got, gone = look_up(OLD_PROGRAM)
    same(got['rc'], 'timeout')
    has(got['text'], '(DNS)')
    same(took < SOON_S and gone < SOON_S, True, f'took {took}, {gone}')


@test
def silent_for_the_proxy():
    """The proxy's name hangs the same way."""
    took, got, _ = look_up(AWS_MAX_ATTEMPTS='1', HTTPS_PROXY='http://proxy.example:3128')
    same(got['rc'], 'timeout')
    has(got['text'], 'proxy.example:3128 (HTTPS_PROXY)')
    same(took < SOON_S, True, f'took {took}')


def inside(folder):
    loopback_up()
    with open(os.path.join(folder, 'resolv.conf'), 'w', encoding='ascii') as handle:
        handle.write('nameserver 127.0.0.1\noptions timeout:30 attempts:2\n')
    subprocess.run(['mount', '--bind', os.path.join(folder, 'resolv.conf'), os.path.realpath('/etc/resolv.conf')], check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent_server:
        silent_server.bind(('127.0.0.1', 53))
        return test.run()


def outside():
    if shutil.which('unshare') is None:
        print('1..0 # SKIP unshare (util-linux) is not installed')
        return 0
    namespaces = ['unshare', *([] if os.geteuid() == 0 else ['-r']), '-n', '-m']
    probe = subprocess.run([*namespaces, 'mount', '--bind', '/dev/null', os.path.realpath('/etc/resolv.conf')],
                           capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        print('1..0 # SKIP no private network namespace here: ' + (probe.stderr.strip() or 'unshare failed').splitlines()[-1])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([*namespaces, sys.executable, os.path.abspath(__file__), folder], check=False).returncode


sys.exit(inside(sys.argv[1]) if len(sys.argv) > 1 else outside())
