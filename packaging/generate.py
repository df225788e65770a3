#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes what is made from the programs' own option tables: Icinga 2 commands, the Icinga Director
basket, bash completion and the OPTIONS of the man pages. What it writes is kept in the repository.

usage: generate.py [--check] [--sysconfdir DIR] [--statedir DIR] BUILD-DIRECTORY SOURCE-DIRECTORY

--check writes nothing, shows what differs and exits 1 when something does. The directories are those
that the programs were configured with; defaults in help texts show the packages' ones instead.
"""
import argparse
import difflib
import json
import os
import re
import subprocess
import sys
import textwrap
import uuid

PROGRAMS = ('check_ib_image', 'ib_cancel_action', 'ib_create_action', 'ib_workflow')


class Option:
    def __init__(self, row):
        (self.heading, self.short, self.long, kind, self.arg, self.default, hidden,
         self.help) = row.split('\t')
        self.kind, _, choices = kind.partition(':')
        self.choices = choices.split('|') if choices else self.words_of_arg()
        self.hidden = bool(hidden)

    def words_of_arg(self):
        """What may be completed where the table has no choices but the argument's name tells them."""
        if self.long in ('state', 'state-type'):  # as schedulers write them
            return ['OK', 'WARNING', 'CRITICAL', 'UNKNOWN'] if self.long == 'state' else ['SOFT', 'HARD']
        if self.arg == 'STATE':
            return ['ok', 'warning', 'critical', 'unknown']
        return [w for w in self.arg.split('|') if w.islower()] if '|' in self.arg else []

    @property
    def takes_value(self):
        return self.arg != ''

    @property
    def repeats(self):
        return self.kind == 'list' or 'repeatable' in self.help

    @property
    def key(self):
        return '--' + self.long


def read_table(build, program, paths):
    out = subprocess.run([os.path.join(build, 'plugins', program), '--help-table'], text=True,
                         stdout=subprocess.PIPE, check=False).stdout
    for given, shown in paths:
        out = out.replace(given, shown)
    options = [Option(line) for line in out.splitlines() if line.count('\t') == 7]
    if not options:
        sys.exit(f'{program} --help-table shows no table')
    return [o for o in options if not o.hidden]


# --- Icinga 2 ------------------------------------------------------------------------------------
# Not for a scheduler: they answer somebody who sits before a terminal.
BY_HAND = {'help', 'version', 'diagnose', 'output', 'explain', 'history'}
# What Icinga itself knows about the service whose handler it calls.
HANDLER = {
    'state': '"$service.state$"', 'state-type': '"$service.state_type$"',
    'check-source': '"$service.check_source$"', 'node': 'NodeName',
    'attempt': '"$service.check_attempt$"', 'host': '"$host.name$"', 'service': '"$service.name$"',
    'downtime-depth': '"$service.downtime_depth$"',
}
# A handler's budget is not the check's.
OWN = {'timeout', 'verbose'}
ENVIRONMENT = (('AWS_SHARED_CREDENTIALS_FILE', 'ib_credentials_file'),
               ('AWS_CONFIG_FILE', 'ib_aws_config_file'))


class Command:
    """One command object: which program, which of its options, under which variables."""

    def __init__(self, name, kind, program, table, shared, fixed=None, flags=(), leave=()):
        self.name, self.kind, self.program = name, kind, program
        self.options = [o for o in table if o.long not in BY_HAND and o.long not in leave]
        self.fixed, self.flags = fixed or {}, flags
        self.shared = shared

    def variable(self, option):
        name = option.long.replace('-', '_')
        if self.shared is None or (option.long in self.shared and option.long not in OWN):
            return 'ib_' + name
        return 'ib_cancel_' + name


def commands(tables):
    check, cancel = tables['check_ib_image'], tables['ib_cancel_action']
    shared = {o.long for o in check}
    have = {o.long for o in cancel}
    yield Command('ib_image', 'CheckCommand', 'check_ib_image', check, None)
    fixed = {k: v for k, v in HANDLER.items() if k in have}
    modes = {'resume', 'sweep'} & have
    yield Command('ib_cancel_action', 'EventCommand', 'ib_cancel_action', cancel, shared, fixed,
                  leave=modes | {'limit'})
    # Checks of their own: no event has called them, and what --resume works on is in the journal.
    event = set(HANDLER) | {'on', 'problem-id', 'skip-in-downtime', 'any-age', 'limit', 'recheck',
                            'comment', 'detach'}
    # Beside what a mode has no use for: variables may stand on the host, for all of its services, and
    # what it refuses must not reach it from there.
    refused = {'resume': {o.long for o in cancel if o.heading.startswith('What ')} | {
        'allow', 'max-cancel', 'minimum-age', 'also-distributing', 'no-journal', 'after-cancel'},
               'sweep': {'no-journal'}}
    for mode in sorted(modes):
        yield Command('ib_' + mode, 'CheckCommand', 'ib_cancel_action', cancel, shared,
                      flags=(mode,), leave=modes | event | refused[mode])


ABOUT = {
    'ib_image': 'Watches builds: which are stuck, which failed.',
    'ib_cancel_action': 'Event handler that cancels what the check with the same options calls stuck.',
    'ib_resume': 'What earlier cancels left open: finishes or retries it, CRITICAL while it cannot.',
    'ib_sweep': 'The same, then acts on every stuck build that targets and policy allow.',
}


def dsl(text):
    return '"' + text.replace('\\', '\\\\').replace('"', '\\"') + '"'


def icinga(tables):
    lines = ['/* SPDX-License-Identifier: MIT',
             ' *',
             ' * Commands of ib-plugins for Icinga 2, made by packaging/generate.py from the option tables of',
             ' * the programs. Custom variables are the options with an ib_ in front; those of the event',
             ' * handler alone, and its timeout, begin with ib_cancel_.',
             ' */']
    for command in commands(tables):
        directory = '' if command.program.startswith('check_') else '/eventhandlers'
        lines += ['', f'/* {ABOUT[command.name]} */',
                  f'object {command.kind} "{command.name}" {{',
                  f'  command = [ PluginContribDir + "{directory}/{command.program}" ]',
                  '  arguments = {']
        for mode in command.flags:
            lines += [f'    "--{mode}" = {{ set_if = true }}']
        for o in command.options:
            lines.append(f'    "{o.key}" = {{')
            if o.long in command.fixed:
                lines.append(f'      value = {command.fixed[o.long]}')
            elif o.takes_value:
                lines.append(f'      value = "${command.variable(o)}$"')
                if o.repeats:
                    lines.append('      repeat_key = true')
            else:
                lines.append(f'      set_if = "${command.variable(o)}$"')
            lines += [f'      description = {dsl(o.help)}', '    }']
        lines += ['  }', '  env = {']
        lines += [f'    "{name}" = "${variable}$"' for name, variable in ENVIRONMENT]
        lines += ['  }',
                  '  /* An unset variable would hide what the daemon itself has. */']
        lines += [f'  vars.{variable} = getenv("{name}")' for name, variable in ENVIRONMENT]
        lines += ['  timeout = 1m', '}']
    return '\n'.join(lines) + '\n'


# --- Icinga Director -----------------------------------------------------------------------------
def stable_uuid(name):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, 'https://github.com/ib-plugins/ib-plugins/' + name))


def director_value(expression):
    """Text with macros is a string there; anything else, as the constant NodeName, is not known before a
    node runs the command, and is a function as Director exports one."""
    if expression.startswith('"'):
        return expression.strip('"')
    return {'type': 'Function', 'body': 'return ' + expression}


def director(tables):
    basket = {'Command': {}, 'Datafield': {}, 'ServiceTemplate': {}}
    fields = {}
    for command in commands(tables):
        directory = '' if command.program.startswith('check_') else 'eventhandlers/'
        arguments, own = {}, []
        for mode in command.flags:
            arguments['--' + mode] = {'set_if': '1'}
        for o in command.options:
            if o.long in command.fixed:
                arguments[o.key] = {'value': director_value(command.fixed[o.long])}
                continue
            variable = command.variable(o)
            if o.takes_value:
                arguments[o.key] = {'value': f'${variable}$'}
                if o.repeats:
                    arguments[o.key]['repeat_key'] = True
            else:
                arguments[o.key] = {'set_if': f'${variable}$'}
            arguments[o.key]['description'] = o.help
            if variable not in fields:
                fields[variable] = len(fields) + 1
                kind = 'Array' if o.repeats else 'String' if o.takes_value else 'Boolean'
                basket['Datafield'][str(fields[variable])] = {
                    'uuid': stable_uuid('field/' + variable), 'varname': variable,
                    'caption': 'Image Builder: ' + o.long, 'description': o.help,
                    'datatype': 'Icinga\\Module\\Director\\DataType\\DataType' + kind,
                    'format': None, 'settings': {}}
            own.append(variable)
        basket['Command'][command.name] = {
            'uuid': stable_uuid('command/' + command.name), 'object_name': command.name,
            'object_type': 'object', 'disabled': False, 'imports': [], 'is_string': None,
            'methods_execute': 'PluginCheck' if command.kind == 'CheckCommand' else 'PluginEvent',
            'command': f'/usr/lib/nagios/plugins/{directory}{command.program}', 'timeout': '60',
            'arguments': arguments, 'vars': {}, 'zone': None,
            'fields': [{'datafield_id': fields[v], 'is_required': 'n', 'var_filter': None}
                       for v in own]}

    def template(name, **settings):
        basket['ServiceTemplate'][name] = dict(
            {'uuid': stable_uuid('service/' + name), 'object_name': name, 'object_type': 'template',
             'imports': [], 'fields': [], 'vars': {}, 'max_check_attempts': '3'}, **settings)
    template('ib-image-service', check_command='ib_image', check_interval='300', retry_interval='60')
    stuck = {'check_command': 'ib_image', 'check_interval': '60', 'retry_interval': '30',
             'volatile': True, 'enable_notifications': False, 'vars': {'ib_stuck_only': True}}
    template('ib-stuck-service', **stuck)
    # Whole, with no import: a basket restores its objects in an order that it does not promise.
    template('ib-stuck-cancel-service', event_command='ib_cancel_action', enable_event_handler=True,
             **stuck)
    template('ib-unconfirmed-service', check_command='ib_resume', check_interval='60',
             retry_interval='30')
    template('ib-sweep-service', check_command='ib_sweep', check_interval='120', retry_interval='60')
    return json.dumps(basket, indent=2, sort_keys=True) + '\n'


# --- bash completion -----------------------------------------------------------------------------
def statuses(source):
    """The states of builds, from the one table that has them."""
    with open(os.path.join(source, 'lib/imagebuilder/status.c'), encoding='utf-8') as f:
        return re.findall(r'\{ "([A-Z]+)", IB_IMAGE_', f.read())


def completion(tables, source):
    lines = ['# SPDX-License-Identifier: MIT',
             '# bash completion of ib-plugins, made by packaging/generate.py from the option tables.',
             '# shellcheck shell=bash disable=SC2207', '']
    for program in tables:
        options = tables[program]
        words = ' '.join(o.key for o in options)
        lines += [f'_{program}()', '{',
                  '    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}',
                  '    case $previous in']
        for o in options:
            names = o.key + (f' | -{o.short}' if o.short else '')
            if o.choices:
                lines += [f'    {names})',
                          f'        COMPREPLY=($(compgen -W "{" ".join(o.choices)}" -- "$current"))',
                          '        return', '        ;;']
        by_status = [n for o in options if o.arg.startswith('STATUS=')
                     for n in [o.key] + (['-' + o.short] if o.short else [])]
        if by_status:
            words_of_status = ' '.join(s + '=' for s in statuses(source))
            lines += [f'    {" | ".join(by_status)})',
                      f'        COMPREPLY=($(compgen -W "{words_of_status}" -- "$current"))',
                      '        compopt -o nospace 2>/dev/null', '        return', '        ;;']
        files = [n for o in options if o.arg.startswith('FILE')
                 for n in [o.key] + (['-' + o.short] if o.short else [])]
        if files:
            lines += [f'    {" | ".join(files)})', '        COMPREPLY=($(compgen -f -- "$current"))',
                      '        return', '        ;;']
        values = [n for o in options if o.takes_value and not o.choices and o.key not in files + by_status
                  for n in [o.key] + (['-' + o.short] if o.short else [])]
        if values:
            lines += ['    ' + ' | \\\n        '.join(values) + ')', '        return', '        ;;']
        lines += ['    esac']
        if program == 'ib_workflow':
            lines += ['    if [ "$COMP_CWORD" = 1 ]; then',
                      '        COMPREPLY=($(compgen -W "run check show --help --version" -- "$current"))',
                      '        return', '    fi',
                      '    if [ "${current#-}" = "$current" ]; then',
                      '        COMPREPLY=($(compgen -f -- "$current"))', '        return', '    fi']
        lines += [f'    COMPREPLY=($(compgen -W "{words}" -- "$current"))', '}',
                  f'complete -F _{program} {program}', '']
    return '\n'.join(lines[:-1]) + '\n'


# --- man pages -----------------------------------------------------------------------------------
def roff(text):
    return roff_safe(text.replace('\\', '\\e').replace('-', '\\-'))


def roff_safe(text):
    return '\\&' + text if text[:1] in ('.', "'") else text


def wrapped(line, width=78):
    """Lines of text, none of which looks like a request."""
    lines = textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
    return lines[:1] + [roff_safe(more) for more in lines[1:]]


def wrap_page(text):
    """Long lines of text cut where there is a blank; requests and examples stay as they are."""
    lines, example = [], False
    for line in text.splitlines():
        example = line == '.EX' or (example and line != '.EE')
        plain = not example and not line.startswith(('.', "'"))
        lines += wrapped(line) if plain and len(line) > 80 else [line]
    return '\n'.join(lines) + '\n'


def man_options(options):
    lines, heading = ['.SH OPTIONS'], None
    for o in options:
        if o.heading != heading:
            heading = o.heading
            lines.append(f'.SS {heading}')
        names = [f'\\fB{roff("-" + o.short)}\\fR'] if o.short else []
        names.append(f'\\fB{roff(o.key)}\\fR')
        names = ', '.join(names) + (f' \\fI{roff(o.arg)}\\fR' if o.arg else '')
        text = o.help[:1].upper() + o.help[1:]
        if not text.endswith('.'):
            text += '.'
        if o.repeats and 'repeatable' not in o.help:
            text += ' May be given more than once.'
        if o.default:
            text += f' Default: {o.default}.'
        lines += ['.TP', names, roff(text)]
    return '\n'.join(lines)


def man(program, source, options):
    parts = []
    for name in (program + '.8.in', 'environment.in'):
        with open(os.path.join(source, 'packaging/man', name), encoding='utf-8') as f:
            parts.append(f.read())
    page, environment = parts
    page = page.replace('@OPTIONS@', man_options(options)).replace('@ENVIRONMENT@\n', environment)
    return wrap_page(page)


# --- main ----------------------------------------------------------------------------------------
def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n\n')[0])
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--sysconfdir', default='/etc')
    parser.add_argument('--statedir', default='/var/lib/ib-plugins')
    parser.add_argument('build')
    parser.add_argument('source')
    args = parser.parse_args()
    paths = ((args.statedir, '/var/lib/ib-plugins'),
             (args.sysconfdir + '/ib-plugins', '/etc/ib-plugins'))
    tables = {p: read_table(args.build, p, paths) for p in PROGRAMS
              if os.path.exists(os.path.join(args.build, 'plugins', p))}
    made = {
        'conf/icinga2/ib-plugins.conf': icinga(tables),
        'conf/director/ib-plugins-basket.json': director(tables),
        'packaging/completion/ib-plugins.bash': completion(tables, args.source),
    }
    for program in tables:
        made[f'packaging/man/{program}.8'] = man(program, args.source, tables[program])
    stale = 0
    for name, text in made.items():
        path = os.path.join(args.source, name)
        try:
            with open(path, encoding='utf-8') as f:
                old = f.read()
        except FileNotFoundError:
            old = ''
        if old == text:
            continue
        stale += 1
        if args.check:
            sys.stdout.writelines(difflib.unified_diff(
                old.splitlines(True), text.splitlines(True), name, 'generated'))
        else:
            with open(path, 'w', encoding='utf-8') as f:
                f.write(text)
            print('wrote', name)
    sys.exit(1 if args.check and stale else 0)


if __name__ == '__main__':
    main()
