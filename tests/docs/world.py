# SPDX-License-Identifier: MIT
"""The machine that the documents speak of, in a scratch directory: an account with builds (played
by the stand-in), the programs where packages install them, /etc/ib-plugins, the schedulers."""
import os
import re
import shutil
import subprocess
import sys

from document import BUILD, PROGRAMS, TOP

sys.path.insert(0, os.path.join(TOP, 'tests', 'standin'))
from tap import KEY, SECRET, Standin  # noqa: E402  pylint: disable=wrong-import-position

BASE = 'arn:aws:imagebuilder:eu-central-1:123456789012:'
ARN = BASE + 'image/web-server/1.4.2/7'
WRAPPER = '''#!/bin/sh
# Notes what came of it; an example may not be a wrong one.
AWS_ENDPOINT_URL='{url}' AWS_EC2_METADATA_DISABLED=true IB_STATE_DIR='{root}/state'
export AWS_ENDPOINT_URL AWS_EC2_METADATA_DISABLED IB_STATE_DIR
case " $* " in
*' --config '* | *' --help '* | ' check '* | ' show '*) '{program}' "$@" ;;
*) '{program}' "$@" --config '{root}/etc/ib-plugins/ib-plugins.conf' ;;
esac
rc=$?
echo "{name} $rc $*" >>'{root}/ran'
exit $rc
'''
# What is not ours in an example, and what it does here: users of the machine, mostly.
STUBS = {
    'sudo': '#!/bin/sh\nwhile [ "$1" = -u ]; do shift 2; done\nexec "$@"\n',
    'install': '#!/bin/sh\nmode=\nwhile :; do case $1 in -o | -g) shift 2 ;; -d) mode="$mode -d"; shift ;;'
               ' -m) mode="$mode -m $2"; shift 2 ;; *) break ;; esac; done\n'
               '# shellcheck disable=SC2086\nexec /usr/bin/install $mode "$@"\n',
}


def script(path, text):
    with open(path, 'w', encoding='utf-8') as handle:
        handle.write(text)
    os.chmod(path, 0o755)


class World:
    key, secret = KEY, SECRET

    def __init__(self):
        self.standin = Standin()
        self.root = os.path.join(self.standin.dir, 'root')
        self.bin = self.root + '/usr/lib/nagios/plugins'
        self.fresh()

    def fresh(self):
        """As on the first day: builds, files, journal."""
        shutil.rmtree(self.root, ignore_errors=True)
        for folder in ('/etc/ib-plugins', '/usr/share', '/here', '/stubs'):
            os.makedirs(self.root + folder)
        os.mkdir(self.root + '/state', 0o700)
        os.symlink(os.path.join(TOP, 'conf'), self.root + '/usr/share/ib-plugins')
        os.makedirs(self.bin)
        os.symlink('.', self.bin + '/eventhandlers')
        for name in PROGRAMS:
            script(os.path.join(self.bin, name), WRAPPER.format(
                name=name, program=os.path.join(BUILD, 'plugins', name), root=self.root,
                url=self.standin.url))
        for name, text in STUBS.items():
            script(os.path.join(self.root, 'stubs', name), text)
        with open(self.root + '/etc/ib-plugins/ib-plugins.conf', 'w', encoding='utf-8') as handle:
            handle.write('defaults: { region = "eu-central-1"; };\ntargets: { web-server: { '
                         'pipeline = "web-server"; critical = "2h"; cancel: { enabled = true; }; }; };\n')
        with open(self.root + '/here/credentials', 'w', encoding='utf-8') as handle:
            handle.write(f'[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n')
        ctl = self.standin.ctl
        ctl('reset')
        ctl('add-pipeline', name='web-server', image_name='web-server', version='1.4.2',
            script=[[0, 'AVAILABLE']])
        ctl('add-image', name='web-server', version='1.4.2', build=6, status='AVAILABLE',
            age_s=90000, pipeline='web-server')
        ctl('add-image', name='web-server', version='1.4.2', build=7, status='BUILDING', age_s=7980,
            step='WaitForSSMAgent', pipeline='web-server')
        ctl('add-image', name='golden-ami', version='1.0.0', build=12, status='TESTING', age_s=720)
        ctl('set-defaults', script=[[0, 'AVAILABLE']])

    def environment(self, **more):
        env = {'PATH': f'{self.root}/stubs:{self.bin}:/usr/sbin:/usr/bin:/sbin:/bin',
               'LC_ALL': 'C', 'TZ': 'UTC', 'HOME': '/nonexistent', 'AWS_REGION': 'eu-central-1',
               'AWS_ACCESS_KEY_ID': KEY, 'AWS_SECRET_ACCESS_KEY': SECRET, 'arn': ARN,
               'recipe': BASE + 'image-recipe/web-server/1.4.2',
               'infrastructure': BASE + 'infrastructure-configuration/small'}
        for name in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS', 'LD_LIBRARY_PATH'):
            if name in os.environ:
                env[name] = os.environ[name]
        env.update(more)
        return env

    def local(self, text):
        """The same text, about this machine."""
        return re.sub(r'(?<![\w.:/-])(/etc/ib-plugins|/usr/lib/nagios/plugins|/usr/share/ib-plugins)\b',
                      lambda m: self.root + m.group(1), text)

    def shell(self, text, **more):
        """(exit code, output); nothing waits for a terminal, nor for ever."""
        done = subprocess.run(['/bin/sh', '-c', self.local(text)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=120, check=False, cwd=self.root + '/here',
                              env=self.environment(**more))
        return done.returncode, done.stdout

    def ran(self):
        """[(program, exit code, arguments)] since the last look."""
        try:
            with open(self.root + '/ran', encoding='utf-8') as handle:
                lines = handle.read().splitlines()
            os.unlink(self.root + '/ran')
        except FileNotFoundError:
            return []
        return [(n, int(c), a) for n, c, a in (line.split(' ', 2) for line in lines)]

    def file(self, name, text):
        path = os.path.join(self.root, 'here', name)
        with open(path, 'w', encoding='utf-8') as handle:
            handle.write(self.local(text))
        return path
