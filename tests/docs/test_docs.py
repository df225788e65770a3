# SPDX-License-Identifier: MIT
"""Documents, completion and shipped configuration agree with the programs' option tables, with the
configuration's keys, and with what the programs call at AWS. That they say what README tells is in
tests/cli/messages.sh."""
import json
import os
import re
import shutil
import subprocess
import sys

from document import BUILD, MAN, PROGRAMS, TOP, plain, read, shown_help
from validators import iam, run
from world import ARN, BASE, World
from tap import Skip, Tests, has, same  # pylint: disable=wrong-import-order

tests = Tests()
world = World()
STATES = ['ok', 'warning', 'critical', 'unknown']


class Row:
    """A row of a program's --help-table."""

    def __init__(self, line):
        self.heading, self.short, self.long, kind, self.arg, self.default, hidden, self.help = line.split('\t')
        self.kind, _, self.choices = kind.partition(':')
        self.hidden = bool(hidden)


def table(program):
    out = subprocess.run([os.path.join(BUILD, 'plugins', program), '--help-table'], text=True,
                         stdout=subprocess.PIPE, check=False).stdout
    return [r for r in map(Row, out.splitlines()) if not r.hidden]


TABLES = {program: table(program) for program in PROGRAMS}


def subset(small, large, what):
    missing = sorted(set(small) - set(large))
    if missing:
        raise AssertionError(f'{what}: {missing}')


# --- options ----------------------------------------------------------------------------------------

@tests
def options_in_help_and_man_page():
    """Each program's option table, --help and OPTIONS of its man page name the same options."""
    for program, rows in TABLES.items():
        options = {'--' + r.long for r in rows}
        page = read(f'packaging/man/{program}.8')
        section = page[page.index('.SH OPTIONS'):]
        section = section[:section.index('\n.SH ', 5)]
        named = re.findall(r'(?m)^(?:\\fB\\-\w\\fR, )?\\fB(\\-\\-[a-z\\-]+)\\fR', section)
        same({plain(n) for n in named}, options, program + '.8')
        shown = re.findall(r'(?m)^  (?:-\w, |    )(--[a-z-]+)', shown_help(program))
        same(set(shown), options, program + ' --help')
        for row in rows:
            if row.short:
                has(section, f'\\fB\\-{row.short}\\fR, \\fB' + ('--' + row.long).replace('-', '\\-') + '\\fR')


@tests
def help_in_80_columns():
    """--help of each program has 80 columns and examples; only a configured path may be wider."""
    for program in PROGRAMS:
        text = shown_help(program)
        has(text, '\nExamples\n  ' + program)
        wide = [line for line in text.splitlines() if len(line) > 80 and not re.fullmatch(r'  /\S{78,}', line)]
        same(wide, [], program)


# Options that somebody types before a terminal, and such as are the scheduler's to know.
BY_HAND = {'help', 'version', 'diagnose', 'output', 'explain', 'history', 'limit'}
MODES = {'resume', 'sweep'}


def icinga_arguments():
    """{command: options} of the shipped commands."""
    found, name = {}, None
    for line in read('conf/icinga2/ib-plugins.conf').splitlines():
        begun = re.match(r'object \w+Command "(\w+)"', line)
        name = begun.group(1) if begun else name
        option = re.match(r'    "--([a-z-]+)" = ', line)
        if option:
            found.setdefault(name, set()).add(option.group(1))
    return found


@tests
def options_in_icinga():
    """The Icinga commands take every option of their programs that makes sense there."""
    commands = icinga_arguments()
    same(set(commands), {'ib_image', 'ib_cancel_action', 'ib_resume', 'ib_sweep'})
    check = {r.long for r in TABLES['check_ib_image']}
    cancel = {r.long for r in TABLES['ib_cancel_action']}
    same(check - BY_HAND, commands['ib_image'] - {'limit'}, 'ib_image')
    same(cancel - BY_HAND - MODES, commands['ib_cancel_action'], 'ib_cancel_action')
    subset(commands['ib_resume'] | commands['ib_sweep'], cancel, 'no options of ib_cancel_action')
    for mode in MODES:
        same(mode in commands['ib_' + mode], True, mode)
    basket = json.loads(read('conf/director/ib-plugins-basket.json'))['Command']
    for name, options in commands.items():
        same({'--' + o for o in options}, set(basket[name]['arguments']), 'Director: ' + name)


@tests
def variables_of_schedulers():
    """Every custom variable in README and in the shipped objects is one that a command or a rule reads."""
    commands = set(re.findall(r'"\$(ib_\w+)\$"', read('conf/icinga2/ib-plugins.conf')))
    rules = set(re.findall(r'(?:host\.vars|entry)\.(ib_\w+)', read('conf/icinga2/services.conf')))
    same(len(commands) > 40 and len(rules) > 6, True)
    for name in ('README.md', 'conf/icinga2/services.conf', 'conf/icinga2/ib-plugins-templates.conf'):
        named = set(re.findall(r'(?<![\w/"-])(?:vars\.)?(ib_\w*[a-z])(?=\W{1,3}=|`|\[)', read(name)))
        subset(named - set(PROGRAMS), commands | rules, name)
    macros = set(re.findall(r'\$_SERVICE(IB_\w+)\$', read('conf/nagios/ib-plugins.cfg.in')))
    for name in ('README.md', 'conf/nagios/example-services.cfg', 'conf/nagios/ib-plugins.cfg.in'):
        subset(re.findall(r'(?<!\w)_(IB_\w+)', read(name)), macros, name)


def options_of(text):
    return {o for o in re.findall(r'(?<![\w-])--([a-z][a-z-]*[a-z])\b', text)}


@tests
def options_in_nagios_and_nrpe():
    """Every option in the commands for Nagios and NRPE is one of the program that is called."""
    seen = 0
    for name in ('conf/nagios/ib-plugins.cfg.in', 'conf/nrpe/ib-plugins.cfg.in'):
        for program, rest in re.findall(r'(?m)^(?!#).*/(check_ib_image|ib_cancel_action) (.*)$', read(name)):
            seen += 1
            subset(options_of(rest), {r.long for r in TABLES[program]}, f'{name}: {program}')
    same(seen >= 7, True, 'commands')


# Options of other programs that the documents speak of.
FOREIGN = {'configure': {'prefix', 'sysconfdir', 'with-plugin-dir', 'enable-werror', 'enable-sanitizers',
                         'enable-coverage', 'enable-fuzzing'},
           'all.sh': {'list'}, 'rpmbuild': {'rebuild'}, 'hidden': {'help-table'}}


@tests
def options_in_documents():
    """No document and no comment in the configuration names an option that does not exist."""
    known = {r.long for rows in TABLES.values() for r in rows}.union(*FOREIGN.values())
    for name in ('README.md', 'HACKING.md', 'NEWS.md', 'SECURITY.md', 'conf/ib-plugins.conf', *MAN,
                 'conf/icinga2/services.conf', 'conf/icinga2/ib-plugins-templates.conf',
                 'conf/icinga2/api-user.conf', 'conf/nagios/example-services.cfg'):
        subset(options_of(read(name).replace('\\-', '-')), known, name)


# --- completion -----------------------------------------------------------------------------------------

def complete(*words):
    """What bash offers for the last word, in a directory with two files."""
    folder = world.root + '/complete'
    os.makedirs(folder, exist_ok=True)
    for name in ('alpha.yaml', 'beta.pem'):
        with open(os.path.join(folder, name), 'w', encoding='ascii'):
            pass
    script = os.path.join(TOP, 'packaging/completion/ib-plugins.bash')
    # As bash does it: the function that "complete" has registered for the command.
    code = ('. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); set -- $(complete -p "$1"); '
            'shift; while [ "$1" != -F ]; do shift; done; "$2"; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(['bash', '-uc', code, script, *words], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, cwd=folder)
    same(done.returncode, 0, done.stdout)
    return sorted(done.stdout.split())


@tests
def completion_of_options():
    """bash completes every option of every program, and nothing else that begins so."""
    for program, rows in TABLES.items():
        words = [program] + (['run'] if program == 'ib_workflow' else [])
        same(complete(*words, '--'), sorted('--' + r.long for r in rows), program)
        for row in rows:
            has(complete(*words, '--' + row.long), '--' + row.long)


STATUSES = re.findall(r'\{ "([A-Z]+)", IB_IMAGE_', read('lib/imagebuilder/status.c'))
# Words that the table does not list, by the name of the value.
WORDS = {'STATE': STATES, 'on|off': ['on', 'off'], 'hard|soft:N|always': ['hard', 'always'],
         'TYPE': ['SOFT', 'HARD'], 'STATUS=STATE': [s + '=' for s in STATUSES],
         'STATUS=WARN,CRIT': [s + '=' for s in STATUSES]}


def words_of(row):
    if row.long == 'state':
        return [s.upper() for s in STATES]
    return row.choices.split('|') if row.choices else WORDS.get(row.arg)


@tests
def completion_of_values():
    """bash completes states, states of builds and choices, also behind the short name of an option."""
    seen = 0
    same(len(STATUSES), 12, STATUSES)
    for program, rows in TABLES.items():
        for row in rows:
            wanted = words_of(row)
            if wanted is None:
                continue
            seen += 1
            for name in ['--' + row.long] + (['-' + row.short] if row.short else []):
                same(complete(program, name, ''), sorted(wanted), f'{program} {name}')
                some = wanted[0][:2]
                same(complete(program, name, some), sorted(w for w in wanted if w.startswith(some)))
    same(seen >= 17, True, 'options with choices')


@tests
def completion_of_files():
    """bash completes files behind options that take one, and operands and commands of ib_workflow."""
    seen = 0
    for program, rows in TABLES.items():
        for row in rows:
            if row.arg.startswith('FILE'):
                seen += 1
                same(complete(program, '--' + row.long, ''), ['alpha.yaml', 'beta.pem'], f'{program} {row.long}')
                same(complete(program, '--' + row.long, 'al'), ['alpha.yaml'])
            elif row.arg and words_of(row) is None:
                same(complete(program, '--' + row.long, ''), [], f'{program} {row.long}')
    same(seen >= 10, True, 'options with files')
    same(complete('ib_workflow', ''), sorted(['run', 'check', 'show', '--help', '--version']))
    same(complete('ib_workflow', 'check', ''), ['alpha.yaml', 'beta.pem'])


# --- man pages --------------------------------------------------------------------------------------------

@tests
def man_pages_lint():
    """mandoc and man have nothing against the man pages."""
    if shutil.which('mandoc') is None or shutil.which('man') is None:
        raise Skip('mandoc or man is not installed')
    for name in MAN:
        path = os.path.join(TOP, name)
        _, said = run('mandoc', '-T', 'lint', path)
        # Where lines are cut in the source of a page that is written by hand is its writer's taste.
        said = [l for l in said.splitlines() if not (name.endswith('.5') and 'line longer than 80 bytes' in l)]
        same(said, [], name)
        done = subprocess.run(['man', '--warnings=w', '-EUTF-8', '-l', '-Tutf8', '-Z', path],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
                              env=dict(os.environ, MANWIDTH='80', LC_ALL='C.UTF-8'))
        same((done.returncode, done.stderr), (0, ''), name)


@tests
def man_pages_whole():
    """Every man page has its name, its section, the version's date and what one looks for."""
    date = re.search(r'(?m)^## \S+ \((\d{4}-\d\d-\d\d)\)$', read('NEWS.md')).group(1)
    for name in MAN:
        page = read(name)
        title, section = os.path.basename(name).rsplit('.', 1)
        has(page, f'.TH {title.upper()} {section} "{date}" "ib\\-plugins"'.replace('IB-', 'IB\\-'))
        wanted = ['NAME', 'DESCRIPTION', 'SEE ALSO']
        if section == '8':
            wanted += ['SYNOPSIS', 'OPTIONS', 'EXIT STATUS', 'ENVIRONMENT', 'EXAMPLES']
        subset(wanted, re.findall(r'(?m)^\.SH (.*)$', page), name)
        for other, number in re.findall(r'(?m)^\.BR (\S+) \((\d)\)', page):
            page_of = f'packaging/man/{plain(other)}.{number}'
            same(os.path.exists(os.path.join(TOP, page_of)), True, f'{name}: {page_of}')


@tests
def man_page_of_the_configuration():
    """ib-plugins.conf(5) has every key that is read, and no other."""
    source = read('lib/watch/targets.c')
    keys = set(re.findall(r'\{\s*\.name = "(\w+)"', source)) | set(re.findall(r'\bTEXT\("(\w+)"', source))
    same(len(keys) > 30, True, sorted(keys))
    page = read('packaging/man/ib-plugins.conf.5')
    page = page[:page.index('.SH EXAMPLE')]
    bold = set()
    for line in re.findall(r'(?m)^\.BR? (.*)$', page):
        bold |= set(re.findall(r'[\w]+', line.replace('\\-', '-')))
    subset(keys, bold, 'not in the page')
    headed = re.findall(r'(?m)^\.TP\n\.BR? (.*)$', page)
    named = {w for line in headed for w in re.findall(r'\w+', line)}
    subset(named, keys, 'not read')
    shown = set(re.findall(r'(?m)^#? *(\w+) *[=:] ', read('conf/ib-plugins.conf'))) - {'web', 'golden', 'everything'}
    subset(shown - {'server', 'ami', 'conf'}, keys, 'conf/ib-plugins.conf')


def labels(said):
    return set(re.findall(r"(?:^|[ '])([a-z_-]+)'?=[U0-9]", said.split('\n', 1)[0].split(' | ', 1)[1]))


@tests
def performance_data():
    """The man pages name every label of the performance data, and every member of the JSON of a run."""
    world.fresh()
    for command, program in ((f'check_ib_image -a {ARN} -c 90m', 'check_ib_image'),
                             (f'ib_cancel_action -a {ARN} -c 90m --dry-run', 'ib_cancel_action'),
                             ('ib_cancel_action --resume', 'ib_cancel_action'),
                             ('ib_workflow run --dry-run --from getImage --given '
                              'createImage.imageBuildVersionArn="$arn"', 'ib_workflow')):
        _, said = world.shell(command)
        page = read(f'packaging/man/{program}.8').replace('\\-', '-')
        found = labels(said)
        same(len(found) > 3, True, said)
        subset(found, re.findall(r'[\w-]+', page), f'{command}: not in the man page')
    _, said = world.shell('ib_workflow run --output json --from getImage --until getImage --given '
                          'createImage.imageBuildVersionArn="$arn"')
    run_of = json.loads(said)
    page = re.findall(r'\w+', read('packaging/man/ib_workflow.8'))
    subset(set(run_of) | set(run_of['steps'][0]), page, 'ib_workflow.8')
    _, said = world.shell('ib_workflow run --output json --from nowhere')
    subset(set(json.loads(said)['error']), page, 'ib_workflow.8')
    world.ran()


@tests
def environment_variables():
    """Every variable that the man pages name is one that the programs read, and the other way round."""
    sources = ''
    for folder in ('lib/aws', 'lib/base', 'lib/watch', 'plugins'):
        for name in sorted(os.listdir(os.path.join(TOP, folder))):
            if name.endswith(('.c', '.h')):
                sources += read(f'{folder}/{name}')
    named = set(re.findall(r'\b(?:AWS|IB)_[A-Z0-9_]+\b|\b[A-Z]+_PROXY\b|\bREQUESTS_\w+\b',
                           read('packaging/man/environment.in')))
    same(len(named) > 20, True)
    read_too = set(re.findall(r'"([A-Z0-9_]+)"', sources))
    known = read_too | {'AWS_ENDPOINT_URL_' + service for service in ('IMAGEBUILDER', 'STS', 'SSO', 'SSO_OIDC')}
    subset(named, known, 'not read by any program')
    # Old names, and an account id that nothing depends on.
    quiet = {'AWS_DEFAULT_PROFILE', 'AWS_SECURITY_TOKEN', 'AWS_ACCOUNT_ID'}
    subset({name for name in read_too if name.startswith('AWS_')} - quiet, named, 'named in no man page')


# --- permissions --------------------------------------------------------------------------------------------

def actions(*names):
    found = set()
    for name in names:
        for statement in json.loads(read(f'conf/iam/{name}.json'))['Statement']:
            found |= set(statement['Action'])
    return found


def called():
    """Actions that were needed since the record was emptied."""
    requests = world.standin.ctl('requests')['requests']
    return {'imagebuilder:' + r['op'] for r in requests if r['service'] == 'imagebuilder'}


def calls(*commands):
    world.fresh()
    world.standin.ctl('add-image', name='waiting', version='1.0.0', age_s=9000, status='BUILDING',
                      workflows='auto', waiting_step='Approve')
    world.standin.ctl('clear-requests')
    for command in commands:
        code, said = world.shell(command)
        same(code != 3, True, f'{command}: {said}')
    world.ran()
    return called()


@tests
def policies():
    """Every IAM policy in conf/iam is one, of actions that exist, and README names it."""
    names = sorted(n for n in os.listdir(os.path.join(TOP, 'conf/iam')) if n.endswith('.json'))
    same(names, ['after-cancel.json', 'assume-monitoring-role.json', 'cancel.json', 'create.json', 'read-only.json',
                 'trust-with-external-id.json'])
    for name in names:
        iam(name, read('conf/iam/' + name))
        has(read('README.md'), f'conf/iam/{name})')
    for action in actions('read-only'):
        same(re.match('imagebuilder:(Get|List)', action) is not None, True, action)
    trust = json.loads(read('conf/iam/trust-with-external-id.json'))['Statement'][0]
    same(list(trust['Condition']), ['StringEquals'])
    same(list(trust['Condition']['StringEquals']), ['sts:ExternalId'])


@tests
def policy_for_reading():
    """read-only.json permits all that the check calls, by build, pipeline, image and account."""
    used = calls(f'check_ib_image -a {ARN} -c 90m', 'check_ib_image -p web-server -c 90m',
                 'check_ib_image -n web-server -c 90m', 'check_ib_image -A -c 90m',
                 'check_ib_image -n waiting -c 90m', f'check_ib_image -p {BASE}image-pipeline/web-server -c 90m')
    same(len(used) > 6, True, used)
    subset(used, actions('read-only'), 'not permitted')


@tests
def policy_for_cancelling():
    """cancel.json permits what ib_cancel_action needs more, and nothing besides."""
    used = calls('ib_cancel_action -p web-server -c 90m --allow "arn:aws:imagebuilder:*:*:image/web-*"',
                 'ib_cancel_action --resume', 'ib_cancel_action --sweep --all-targets')
    same(used - actions('read-only'), actions('cancel') - actions('read-only'))
    # Without these it refuses, so whoever may cancel has them.
    subset({'imagebuilder:ListWorkflowExecutions', 'imagebuilder:ListWorkflowStepExecutions'},
           actions('cancel'), 'not permitted')
    same(actions('after-cancel'), {'imagebuilder:RetryImage', 'imagebuilder:StartImagePipelineExecution'})


@tests
def policy_for_creating():
    """create.json permits what ib_create_action needs more."""
    used = calls('ib_create_action -p web-server --wait', 'ib_create_action --recipe "$recipe" '
                 '--infrastructure "$infrastructure" --tag a=b')
    subset(used, actions('read-only', 'create'), 'not permitted')
    subset({'imagebuilder:CreateImage', 'imagebuilder:StartImagePipelineExecution'}, used, 'not called')


# --- the rest -----------------------------------------------------------------------------------------------------

@tests
def programs_everywhere():
    """README, NEWS and SECURITY name all four programs; README's man pages are all there are."""
    for program in PROGRAMS:
        for name in ('README.md', 'NEWS.md', 'SECURITY.md'):
            has(read(name), program)
    named = set(re.findall(r'`([\w.-]+)\((\d)\)`', read('README.md')))
    same({f'packaging/man/{n}.{s}' for n, s in named}, set(MAN))


sys.exit(tests.run())
