# SPDX-License-Identifier: MIT
"""What the project ships beside its programs agrees with them, and with itself."""
import json
import os
import re
import subprocess
import sys

TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tests', 'standin'))
from tap import Tests, same  # noqa: E402  pylint: disable=wrong-import-position

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


sys.exit(tests.run())
