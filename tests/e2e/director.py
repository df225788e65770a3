# SPDX-License-Identifier: MIT
"""Objects of an Icinga Director basket as Director renders them: on stdout, Icinga 2's language.

usage: director.py BASKET PLUGIN-DIRECTORY

This is no Director: it shows what the basket means to Icinga 2, not that Director takes it. Director's
IcingaArguments and IcingaConfigHelper make {{ its body }} of a function, a string of text, and imports
of "PluginCheck" and "PluginEvent".
"""
import json
import sys


def string(text):
    return '"' + str(text).replace('\\', '\\\\').replace('"', '\\"') + '"'


def value(of):
    if isinstance(of, dict):
        if of['type'] != 'Function':
            sys.exit(f'Unable to resolve command argument: {of}')
        return '{{\n    ' + of['body'] + '\n}}'
    if isinstance(of, bool):
        return 'true' if of else 'false'
    return string(of)


def command(of, plugins):
    kind, base = {'PluginCheck': ('CheckCommand', 'plugin-check-command'),
                  'PluginEvent': ('EventCommand', 'plugin-event-command')}[of['methods_execute']]
    path = of['command'].replace('/usr/lib/nagios/plugins', plugins)
    lines = [f'object {kind} {string(of["object_name"])} {{', f'    import {string(base)}',
             f'    command = [ {string(path)} ]', f'    timeout = {of["timeout"]}s', '    arguments += {']
    for name, argument in sorted(of['arguments'].items()):
        lines.append(f'        {string(name)} = {{')
        for key in ('description', 'repeat_key', 'set_if', 'value'):
            if key in argument:
                lines.append(f'            {key} = {value(argument[key])}')
        lines.append('        }')
    return lines + ['    }', '}', '']


def template(of):
    lines = [f'template Service {string(of["object_name"])} {{']
    for key in ('check_command', 'event_command'):
        if key in of:
            lines.append(f'    {key} = {string(of[key])}')
    for key in ('max_check_attempts', 'check_interval', 'retry_interval'):
        lines.append(f'    {key} = {of[key]}')
    for key in ('volatile', 'enable_notifications', 'enable_event_handler'):
        if key in of:
            lines.append(f'    {key} = {value(of[key])}')
    lines += [f'    vars.{name} = {value(text)}' for name, text in sorted(of['vars'].items())]
    return lines + ['}', '']


def main():
    with open(sys.argv[1], encoding='utf-8') as handle:
        basket = json.load(handle)
    lines = []
    for of in basket['Command'].values():
        lines += command(of, sys.argv[2])
    for of in basket['ServiceTemplate'].values():
        lines += template(of)
    print('\n'.join(lines))


main()
