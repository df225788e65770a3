#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Command line of the stand-in's control API: ctl.py PORT|PORTFILE COMMAND [ARGUMENT…].

Arguments are JSON objects, key=value pairs (the value is JSON when it parses as such, else text),
--key value options, or the command's own positional ones.  See README.md.
"""
import http.client
import json
import sys
import time

# command → names of its positional arguments
POSITIONAL = {
    'count': ['op'], 'peak': ['op'], 'cancels': ['arn'], 'state': ['arn'], 'requests': ['op'],
    'set-image': ['arn'], 'remove-image': ['arn'], 'set-clock-skew': ['seconds'],
    'list-delay': ['seconds'], 'expire-credentials': ['key'], 'load-scenario': ['name'],
    'credentials': ['key', 'secret', 'token'],
}
# command → the one member that is printed as plain text
PLAIN = {'count': 'count', 'peak': 'peak', 'cancels': 'cancels', 'state': 'status', 'add-image': 'arn',
         'add-pipeline': 'arn', 'set-image': 'status'}


def value_of(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def parse(command, words):
    spec, names, index = {}, list(POSITIONAL.get(command, [])), 0
    while index < len(words):
        word = words[index]
        if word.startswith('{'):
            spec.update(json.loads(word))
        elif word.startswith('--'):
            name, equal, text = word[2:].partition('=')
            if not equal:
                index += 1
                if index == len(words):
                    raise ValueError(f'{word}: a value must follow')
                text = words[index]
            spec[name.replace('-', '_')] = value_of(text)
        elif word.split('=')[0].replace('_', '').isalnum() and '=' in word:
            name, _, text = word.partition('=')
            spec[name] = value_of(text)
        elif names:
            spec[names.pop(0)] = word
        else:
            raise ValueError(f'{word!r} is neither JSON, key=value nor an option')
        index += 1
    return spec


def call(port, command, spec):
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=60)
    connection.request('POST', '/_standin/' + command, json.dumps(spec),
                       {'Content-Type': 'application/json'})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b'{}')


def wait(port, words):
    """wait state ARN STATUS | wait count OP N | wait cancels ARN N, each with --timeout S (30)."""
    if len(words) < 3 or words[0] not in ('state', 'count', 'cancels'):
        raise ValueError('wait state ARN STATUS, wait count OP N, or wait cancels ARN N')
    command, wanted = words[0], words[2]
    spec = parse(command, words[1:2] + words[3:])
    end = time.monotonic() + float(spec.pop('timeout', 30))
    while True:
        status, answer = call(port, command, spec)
        if status != 200:
            raise ValueError(answer.get('error'))
        got = answer[PLAIN[command]]
        if str(got) == wanted or (command != 'state' and got >= int(wanted)):
            print(got)
            return 0
        if time.monotonic() > end:
            raise ValueError(f'{command} {words[1]} is still {got}, not {wanted}')
        time.sleep(0.1)


def show(command, spec, answer):
    if command in PLAIN and not spec.get('json'):
        print(answer[PLAIN[command]])
    elif command == 'requests':
        for entry in answer['requests']:
            print(json.dumps(entry, sort_keys=True))
    elif command == 'problems':
        for entry in answer['problems']:
            print(*entry)
    elif answer:
        print(json.dumps(answer, sort_keys=True))


def main(argv):
    if len(argv) < 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        port = int(argv[1])
    except ValueError:
        with open(argv[1], encoding='ascii') as handle:
            port = int(handle.read())
    command = argv[2]
    try:
        if command == 'wait':
            return wait(port, argv[3:])
        spec = parse(command, argv[3:])
        wants_json = spec.pop('json', None)
        status, answer = call(port, command, spec)
    except (ValueError, OSError) as error:
        print(f'ctl.py {command}: {error}', file=sys.stderr)
        return 1
    if status != 200:
        print(f'ctl.py {command}: {answer.get("error", answer)}', file=sys.stderr)
        return 1
    show(command, {'json': wants_json}, answer)
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv))
