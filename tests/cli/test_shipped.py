# SPDX-License-Identifier: MIT
"""What the project ships beside its programs agrees with them, and with itself."""
import json
import os
import re
import shlex
import subprocess
import sys

TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'standin'))
from tap import KEY, SECRET, Skip, Standin, Tests, same  # noqa: E402  pylint: disable=wrong-import-position

tests = Tests()
BUILD = os.environ.get('abs_top_builddir', TOP)


def read(name):
    with open(os.path.join(TOP, name), encoding='utf-8') as handle:
        return handle.read()


def files(folder, suffix):
    return sorted(os.path.join(folder, n) for n in os.listdir(os.path.join(TOP, folder))
                  if n.endswith(suffix))


@tests
def links():
    """Every relative link of README, HACKING, NEWS and SECURITY leads to a file."""
    for name in ('README.md', 'HACKING.md', 'NEWS.md', 'SECURITY.md'):
        for target in re.findall(r'\]\(([^)#]+)[^)]*\)', read(name)):
            if '://' not in target:
                same(os.path.exists(os.path.join(TOP, target)), True, f'{name}: {target}')


@tests
def versions():
    """configure.ac, the Debian changelog, the RPM spec and NEWS.md tell one version."""
    version = re.search(r'AC_INIT\(\[ib-plugins\], \[([^]]*)\]', read('configure.ac')).group(1)
    same(re.match(r'ib-plugins \(([^-]*)-', read('packaging/debian/changelog')).group(1), version)
    spec = read('packaging/rpm/nagios-plugins-imagebuilder.spec')
    same(re.search('global ib_version (.*)}', spec).group(1), version)
    same(re.search(f'> - {re.escape(version)}-1$', spec, re.M) is not None, True, 'spec changelog')
    same(re.search(r'^## (\S+) \(', read('NEWS.md'), re.M).group(1), version, 'NEWS.md')


@tests
def manual_pages():
    """groff has nothing to say against the man pages."""
    pages = files('packaging/man', '.5') + files('packaging/man', '.8')
    for name in pages:
        done = subprocess.run(['groff', '-man', '-Tutf8', '-ww', os.path.join(TOP, name)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              check=False)
        same((done.returncode, done.stderr), (0, ''), name)
    same(len(pages) >= 2, True)


@tests
def generated():
    """Icinga commands, Director basket, completion and man pages are what the option tables say."""
    done = subprocess.run(
        [sys.executable, os.path.join(TOP, 'packaging/generate.py'), '--check',
         '--sysconfdir', os.environ.get('sysconfdir', '/etc'),
         '--statedir', os.environ.get('statedir', '/var/lib/ib-plugins'), BUILD, TOP],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    same((done.returncode, done.stdout), (0, ''), 'run "make generated";')


@tests
def director_basket():
    """The Director basket refers to nothing that it does not hold."""
    basket = json.loads(read('conf/director/ib-plugins-basket.json'))
    same(set(basket), {'Command', 'Datafield', 'ServiceTemplate'})
    variables = {f['varname'] for f in basket['Datafield'].values()}
    for name, command in basket['Command'].items():
        same(command['object_name'], name)
        same(command['object_type'], 'object', name)
        same(command['methods_execute'] in ('PluginCheck', 'PluginEvent'), True, name)
        for field in command['fields']:
            same(str(field['datafield_id']) in basket['Datafield'], True, name)
        for option, argument in command['arguments'].items():
            text = argument.get('value') or argument.get('set_if')
            if isinstance(text, dict):
                # The form of Director's own exports; any other "type" ends its import.
                same((set(text), text['type']), ({'type', 'body'}, 'Function'), f'{name} {option}')
                continue
            macro = re.fullmatch(r'\$(ib_[a-z0-9_]+)\$', text)
            same(macro is None or macro.group(1) in variables, True, f'{name} {option}')
    for name, template in basket['ServiceTemplate'].items():
        same(template['object_type'], 'template', name)
        same(template['check_command'] in basket['Command'], True, name)
        same(template['imports'], [], name)
        handler = template.get('event_command')
        same(handler is None or basket['Command'][handler]['methods_execute'] == 'PluginEvent', True, name)
    # The handler hangs where CRITICAL means stuck and nothing else, and only there.
    same([(name, template['vars']) for name, template in basket['ServiceTemplate'].items()
          if 'event_command' in template], [('ib-stuck-cancel-service', {'ib_stuck_only': True})])


@tests
def director_names_the_node():
    """Under Director too a handler knows which node it runs on, and which one ran the check."""
    arguments = json.loads(read('conf/director/ib-plugins-basket.json'))['Command']['ib_cancel_action']['arguments']
    same(arguments['--check-source'], {'value': '$service.check_source$'})
    same(arguments['--node'], {'value': {'type': 'Function', 'body': 'return NodeName'}})


# --- every shipped command, called -----------------------------------------------------------------
# What a program refuses is seen when the scheduler calls it, or not at all: a daemon only logs what
# its handler says. So each command is called with every variable that it has, in a few calls, for
# some do not go together and an administrator has to choose as well.
SELECTIONS = ('arn', 'pipeline', 'image', 'all', 'target', 'all-targets')
LEAVE = (
    {'detach', 'no-journal'},
    {'detach', 'no-journal', 'dry-run'},  # for real
    {'detach'},  # a background process works from the journal ...
    {'no-journal', 'external-id', 'proxy'},  # ... which does not keep these two
)


def shipped_icinga():
    """{command: [(option, value or None for a flag)]}; a value is text with macros, or a constant's name."""
    found, options, key = {}, None, None
    for line in read('conf/icinga2/ib-plugins.conf').splitlines():
        begun = re.match(r'object \w+Command "(\w+)"', line)
        option = re.match(r'    "--([a-z-]+)" = \{(.*)', line)
        value = re.match(r'      (value|set_if) = (.*)', line)
        if begun:
            options = found.setdefault(begun.group(1), {})
        elif option:
            key = option.group(1)
            options[key] = None if 'set_if = true' in option.group(2) else options.get(key)
        elif value:
            options[key] = (value.group(1), value.group(2).strip('"'))
    return found


def shipped_director():
    found = {}
    for name, command in json.loads(read('conf/director/ib-plugins-basket.json'))['Command'].items():
        options = found.setdefault(name, {})
        for key, argument in command['arguments'].items():
            value = argument.get('value')
            if argument.get('set_if') == '1':
                options[key[2:]] = None
            elif isinstance(value, dict):
                options[key[2:]] = ('value', value['body'].replace('return ', ''))
            else:
                options[key[2:]] = ('value', value) if value else ('set_if', argument['set_if'])
    return found


class Machine:
    """A stand-in with a stuck build, and plausible values of all options."""

    def __init__(self):
        try:
            import botocore  # noqa: F401  pylint: disable=import-outside-toplevel,unused-import
        except ImportError as missing:
            raise Skip('python3-botocore is not installed: the stand-in needs it') from missing
        self.standin = Standin()
        self.dir = self.standin.dir
        self.calls = 0
        self.standin.ctl('add-pipeline', name='web-server', image_name='web-server')
        self.arn = self.standin.ctl('add-image', name='web-server', pipeline='web-server', status='BUILDING',
                                    age_s=7980, on_cancel='never')['arn']
        role = 'arn:aws:iam::123456789012:role/monitoring'
        self.file('aws-config', '[profile monitoring]\nregion = eu-central-1\n')
        self.file('credentials', f'[monitoring]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n')
        subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
                        '-nodes', '-days', '2', '-subj', '/CN=nobody', '-keyout', self.dir + '/ca.key',
                        '-out', self.dir + '/ca.pem'], stderr=subprocess.DEVNULL, check=True)
        self.values = {
            'arn': self.arn, 'pipeline': 'web-server', 'image': 'web-server', 'target': 'web-server',
            'warning': '45m', 'critical': '90m', 'phase': 'TESTING=20m,40m', 'waiting': 'warning',
            'map': 'CANCELLED=ok', 'none': 'ok', 'lookback': '2d', 'timeout-state': 'critical', 'limit': '20',
            'parallel': '4', 'region': 'eu-central-1', 'profile': 'monitoring', 'role-arn': role,
            'external-id': 'id-1', 'endpoint-url': self.standin.url, 'ca-bundle': self.dir + '/ca.pem',
            'proxy': 'http://127.0.0.1:9', 'timeout': '20s', 'verbose': '1', 'max-cancel': '2',
            'allow': 'arn:aws:imagebuilder:*:123456789012:image/web-server/*', 'minimum-age': '1h',
            'confirm-timeout': '1s', 'state': 'CRITICAL', 'state-type': 'HARD', 'attempt': '3', 'on': 'hard',
            'problem-id': '17', 'check-source': 'node1', 'node': 'node1', 'downtime-depth': '0',
            'workflow': os.path.join(TOP, 'conf/workflows/cancel-running-image-build.arazzo.yaml'),
            'state-dir': self.dir + '/state', 'after-cancel': 'retry', 'syslog': 'none', 'syslog-tag': 'ib',
            'recheck': 'nagios', 'host': 'aws', 'service': 'ib-stuck web-server',
            'config': self.file('ib-plugins.conf', """
defaults: { region = "eu-central-1"; };
targets: { web-server: { pipeline = "web-server"; critical = "2h"; cancel: { enabled = true; }; }; };
feedback: { nagios: { command_file = "/nonexistent/nagios.cmd"; }; };
""")}
        # What a scheduler knows by itself, by the names of its macros.
        self.macros = {'SERVICESTATE': 'CRITICAL', 'SERVICESTATETYPE': 'HARD', 'SERVICEATTEMPT': '3',
                       'SERVICEPROBLEMID': '17', 'SERVICEDOWNTIME': '0', 'HOSTNAME': 'aws',
                       'SERVICEDESC': 'ib-stuck web-server', 'service.state': 'CRITICAL',
                       'service.state_type': 'HARD', 'service.check_source': 'node1', 'NodeName': 'node1',
                       'service.check_attempt': '3', 'host.name': 'aws', 'service.name': 'ib-stuck web-server',
                       'service.downtime_depth': '0'}
        # Somebody must have cancelled before: the journal is there.
        self.call('an earlier cancel', ['ib_cancel_action', '-a', self.arn, '--any-age', '--confirm-timeout', '1s',
                                        '--endpoint-url', self.standin.url, '--state-dir', self.dir + '/state',
                                        '--syslog', 'none', '--profile', 'monitoring'])

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, 'w', encoding='utf-8') as handle:
            handle.write(text)
        os.chmod(path, 0o600)
        return path

    def word(self, option, text):
        """What a value of an Icinga command becomes: a macro of its own or of the service, a constant."""
        name = text.strip('$')
        return self.macros[name] if name in self.macros else self.values[option]

    def call(self, what, words):
        """A call with these words, of which none is refused: it works, and comes to a result."""
        self.calls += 1
        done = subprocess.run(
            [os.path.join(BUILD, 'plugins', words[0]), *words[1:]], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
            env={'AWS_CONFIG_FILE': self.dir + '/aws-config', 'AWS_EC2_METADATA_DISABLED': 'true',
                 'AWS_SHARED_CREDENTIALS_FILE': self.dir + '/credentials', 'HOME': self.dir, 'PATH': '/usr/bin:/bin',
                 'IB_STATE_DIR': self.dir + '/state',
                 **{n: os.environ[n] for n in ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'LSAN_OPTIONS') if n in os.environ}})
        if not re.match('IB_(IMAGE|CANCEL) (OK|WARNING|CRITICAL) - ', done.stdout) or ' --help)' in done.stdout:
            raise AssertionError(f'{what}: {shlex.join(words)}: exit {done.returncode}: {done.stdout}')
        return done.stdout

    def choices(self, options):
        """Sets of options that cover all of these, each without what does not go together."""
        for chosen in [s for s in SELECTIONS if s in options] or [None]:
            seen = []
            for leave in LEAVE:
                leave = leave | {s for s in SELECTIONS if s != chosen} | (set() if chosen == 'arn' else {'any-age'})
                choice = [o for o in options if o not in leave]
                if choice not in seen:
                    seen.append(choice)
                    yield choice


def call_all(machine, shipped, wanted):
    """Each command with each choice of its options."""
    same(set(shipped), wanted)
    for name, options in shipped.items():
        used = set()
        for choice in machine.choices(options):
            words = [('check_ib_image' if name == 'ib_image' else 'ib_cancel_action')]
            for option in choice:
                used.add(option)
                kind, text = options[option] or ('set_if', '')
                words += ['--' + option] + ([machine.word(option, text)] if kind == 'value' else [])
            machine.call(name, words)
        same(used, set(options), name)


COMMANDS = {'ib_image', 'ib_cancel_action', 'ib_resume', 'ib_sweep'}


@tests
def icinga_commands_called():
    """No Icinga command passes what its program refuses, whichever variables are set"""
    machine = Machine()
    call_all(machine, shipped_icinga(), COMMANDS)
    return f'{machine.calls} calls'


@tests
def director_commands_called():
    """No command of the Director basket passes what its program refuses, whichever fields are set"""
    machine = Machine()
    call_all(machine, shipped_director(), COMMANDS)
    return f'{machine.calls} calls'


@tests
def nagios_commands_called():
    """No Nagios command passes what its program refuses, whatever its three custom variables say"""
    machine = Machine()
    icinga = shipped_icinga()
    commands = dict(re.findall(r'command_name +(\w+)\n +command_line +(.*)', read('conf/nagios/ib-plugins.cfg.in')))
    same(set(commands), {'check_ib_image', 'check_ib_stuck', 'ib_cancel_action', 'check_ib_unconfirmed',
                         'check_ib_sweep'})
    same_as = {'check_ib_image': 'ib_image', 'check_ib_stuck': 'ib_image', 'ib_cancel_action': 'ib_cancel_action',
               'check_ib_unconfirmed': 'ib_resume', 'check_ib_sweep': 'ib_sweep'}
    both = set(icinga['ib_image']) & set(icinga['ib_cancel_action']) - {'timeout', 'verbose'}
    for name, line in commands.items():
        options = icinga[same_as[name]]
        own = set(re.findall(r'--([a-z-]+)', line))
        for choice in machine.choices(options):
            macros = {'_SERVICEIB_BUILDS': [], '_SERVICEIB_CHECK_OPTIONS': [], '_SERVICEIB_CANCEL_OPTIONS': []}
            for option in set(choice) - own:
                # Where a command has no builds, as that of --resume, the rest says how to reach AWS.
                where = '_SERVICEIB_CHECK_OPTIONS' if same_as[name] == 'ib_image' else '_SERVICEIB_CANCEL_OPTIONS'
                where = '_SERVICEIB_BUILDS' if option in both and '_SERVICEIB_BUILDS' in line else where
                macros[where].append('--' + option)
                if (options[option] or ('set_if',))[0] == 'value':
                    macros[where].append(machine.word(option, options[option][1]))
            text = re.sub(r'\$(\w+)\$', lambda m, more=macros: shlex.join(more[m.group(1)]) if m.group(1) in more
                          else machine.macros[m.group(1)], line)
            words = shlex.split(text)
            machine.call(name, [os.path.basename(words[0]), *words[1:]])
    return f'{machine.calls} calls'


sys.exit(tests.run())
