#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Instance and container metadata at the addresses that AWS gives them, in a network of its own."""
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

sys.dont_write_bytecode = True
TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get('abs_top_builddir', TOP)
sys.path.insert(0, os.path.join(TOP, 'tests/standin'))
from tap import Skip, Standin, Tests, has, same  # noqa: E402

test = Tests()
IPV4 = ('169.254.169.254', '169.254.170.2', '169.254.170.23')
IPV6 = ('fd00:ec2::254', 'fd00:ec2::23')
SIOCSIFADDR, SIOCSIFFLAGS, SIOCSIFNETMASK = 0x8916, 0x8914, 0x891c


def loopback_with_addresses():
    """lo is up and has the link-local addresses; whether it has those of IPv6 too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack('16sh14x', b'lo', 1 | 64))
        for i, address in enumerate(IPV4):
            name = b'lo:%d' % (i + 1)
            fcntl.ioctl(s, SIOCSIFADDR, struct.pack('16sHH4s8x', name, socket.AF_INET, 0, socket.inet_aton(address)))
            fcntl.ioctl(s, SIOCSIFNETMASK, struct.pack('16sHH4s8x', name, socket.AF_INET, 0, b'\xff' * 4))
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            for address in IPV6:
                fcntl.ioctl(s, SIOCSIFADDR, struct.pack('=16sIi', socket.inet_pton(socket.AF_INET6, address), 128,
                                                        socket.if_nametoindex('lo')))
    except OSError:
        return False
    return True


def relay(address, port, seen):
    """Port 80 of the address leads to the stand-in; `seen` notes that somebody came."""
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    listener = socket.create_server((address, 80), family=family)

    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def serve():
        while True:
            link, _ = listener.accept()
            seen.append(address)
            behind = socket.create_connection(('127.0.0.1', port))
            threading.Thread(target=pump, args=(link, behind), daemon=True).start()
            threading.Thread(target=pump, args=(behind, link), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()


class World:
    seen = []
    home = None


def find(arguments=(), **env):
    """First line of the probe, and the addresses that were called."""
    del World.seen[:]
    # Nobody listens at the proxy: who goes there gets nothing.
    proxies = {name: 'http://127.0.0.1:1' for name in ('http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'ALL_PROXY')}
    done = subprocess.run([os.path.join(BUILD, 'tests/cli/ib_cred_probe'), *arguments], capture_output=True, text=True, check=False,
                          env={'HOME': World.home, 'AWS_REGION': 'eu-central-1', 'AWS_METADATA_SERVICE_TIMEOUT': '20',
                               **proxies, **env})
    same(done.stderr, '')
    return done.stdout.splitlines()[0], sorted(set(World.seen))


@test
def imds():
    """Instance metadata is asked at its address, without a word in the environment, and by no proxy."""
    line, seen = find()
    has(line, 'IB_CRED OK - instance metadata (role ImageBuilderMonitor of this EC2 instance)')
    same(seen, ['169.254.169.254'])


@test
def imds_region():
    """The Region of the instance is asked there too."""
    line, seen = find(['--find-region'], AWS_REGION='')
    same((line, seen), ('IB_CRED OK - region eu-central-1 (instance metadata)', ['169.254.169.254']))


@test
def ecs():
    """A container of ECS: a path, below ECS's address."""
    line, seen = find(AWS_CONTAINER_CREDENTIALS_RELATIVE_URI='/v1/credentials')
    has(line, 'IB_CRED OK - container (container credentials at http://169.254.170.2')
    same(seen, ['169.254.170.2'])


@test
def eks():
    """EKS Pod Identity: its address in plain http, with the token file of the pod."""
    path = os.path.join(World.home, 'eks-token')
    with open(path, 'w', encoding='ascii') as handle:
        handle.write('Bearer pod')
    World.standin.ctl('set-services', container={'token': 'Bearer pod'})
    url = 'http://169.254.170.23/v1/credentials'
    line, seen = find(AWS_CONTAINER_CREDENTIALS_FULL_URI=url)
    has(line, f'IB_CRED UNKNOWN - container credentials at {url}: HTTP status 401')
    line, seen = find(AWS_CONTAINER_CREDENTIALS_FULL_URI=url, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=path)
    has(line, 'IB_CRED OK - container')
    same(seen, ['169.254.170.23'])
    World.standin.ctl('set-services', container={'token': None})


@test
def imds_over_ipv6():
    """Instance metadata in IPv6 mode."""
    if not World.has_ipv6:
        raise Skip('no IPv6 here')
    line, seen = find(AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE='IPv6')
    has(line, 'IB_CRED OK - instance metadata')
    same(seen, ['fd00:ec2::254'])


@test
def eks_over_ipv6():
    """EKS Pod Identity over IPv6."""
    if not World.has_ipv6:
        raise Skip('no IPv6 here')
    line, seen = find(AWS_CONTAINER_CREDENTIALS_FULL_URI='http://[fd00:ec2::23]/v1/credentials')
    has(line, 'IB_CRED OK - container')
    same(seen, ['fd00:ec2::23'])


@test
def other_addresses():
    """Another link-local address in plain http is not even called."""
    line, seen = find(AWS_CONTAINER_CREDENTIALS_FULL_URI='http://169.254.169.254/v1/credentials')
    has(line, 'plain http is allowed to loopback and to the hosts of ECS and EKS only, not to 169.254.169.254')
    same(seen, [])


def inside(folder):
    World.has_ipv6 = loopback_with_addresses()
    World.home = folder
    World.standin = Standin()
    for address in IPV4 + (IPV6 if World.has_ipv6 else ()):
        relay(address, World.standin.port, World.seen)
    return test.run()


def outside():
    if shutil.which('unshare') is None:
        print('1..0 # SKIP unshare (util-linux) is not installed')
        return 0
    namespace = ['unshare', *([] if os.geteuid() == 0 else ['-r']), '-n']
    tried = subprocess.run([*namespace, 'true'], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        print('1..0 # SKIP no private network here: ' + (tried.stderr.strip() or 'unshare failed').splitlines()[-1])
        return 0
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run([*namespace, sys.executable, os.path.abspath(__file__), folder], check=False).returncode


try:
    import botocore  # noqa: F401
except ImportError:
    print('1..0 # SKIP python3-botocore is not installed')
    sys.exit(0)
sys.exit(inside(sys.argv[1]) if len(sys.argv) > 1 else outside())
