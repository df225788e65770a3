# SPDX-License-Identifier: MIT
"""What the service accepts and answers: operation table, and a check of bodies against models.

Three models are known.  `facts.json` is our own table of the operations that the programs use and
always counts.  botocore's model (Debian's, of 2022) and npm aws-sdk's are used for the operations
that the table does not hold, and as second opinion on answers.
"""
import gzip
import json
import os
import re

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Route:
    """One operation: where it is found and which parameters it takes."""

    def __init__(self, name, method, uri, query, path, body):
        self.name, self.method, self.uri = name, method, uri
        self.query, self.path, self.body = query, path, body


def _names(text):
    return [n for n in text.split(',') if n]


def load_routes(path=None):
    routes = {}
    with open(path or os.path.join(HERE, 'operations.tsv'), encoding='utf-8') as handle:
        for line in handle:
            if line.startswith('#') or not line.strip():
                continue
            cells = (line.rstrip('\n') + '\t' * 5).split('\t')
            routes[cells[0]] = Route(cells[0], cells[1], cells[2], _names(cells[3]),
                                     _names(cells[4]), _names(cells[5]))
    return routes


class Problem(Exception):
    """A value breaks the model; names the place and the rule."""

    def __init__(self, place, rule):
        super().__init__(f'{place}: {rule}')
        self.place, self.rule = place, rule


class Model:
    """A set of operations with shapes; walks values and lists what breaks the rules."""

    def __init__(self, name, operations, shapes):
        self.name, self.operations, self.shapes = name, operations, shapes

    def resolve(self, ref):
        seen = dict(ref)
        while 'shape' in seen and seen.get('type') is None:
            outer = {k: v for k, v in seen.items() if k in ('location', 'locationName')}
            seen = dict(self.shapes[seen['shape']], **outer)
        seen.setdefault('type', 'string')
        return seen

    def problems(self, ref, value, place, lax=False):
        """lax: forgive unknown members and enum values, as an older model must."""
        found = []
        self._walk(self.resolve(ref), value, place, lax, found)
        return found

    def _walk(self, shape, value, place, lax, found):
        kind = shape['type']
        check = getattr(self, '_walk_' + kind, None)
        if check is None:
            return
        check(shape, value, place, lax, found)

    def _walk_structure(self, shape, value, place, lax, found):
        if not isinstance(value, dict):
            found.append(Problem(place, 'must be an object'))
            return
        members = shape.get('members', {})
        for key, item in value.items():
            inner = f'{place}.{key}'.lstrip('.')
            if key in members:
                self._walk(self.resolve(members[key]), item, inner, lax, found)
            elif not lax:
                found.append(Problem(inner, 'unknown member'))
        for key in shape.get('required', []):
            if key not in value:
                found.append(Problem(f'{place}.{key}'.lstrip('.'), 'is required'))

    def _size(self, shape, size, place, what, found):
        if size < shape.get('min', 0) or size > shape.get('max', 1 << 60):
            found.append(Problem(place, f'{what} {size} outside '
                                        f'{shape.get("min", 0)}..{shape.get("max", "")}'))

    def _walk_list(self, shape, value, place, lax, found):
        if not isinstance(value, list):
            found.append(Problem(place, 'must be a list'))
            return
        self._size(shape, len(value), place, 'number of items', found)
        member = self.resolve(shape['member'])
        for index, item in enumerate(value):
            self._walk(member, item, f'{place}[{index}]', lax, found)

    def _walk_map(self, shape, value, place, lax, found):
        if not isinstance(value, dict):
            found.append(Problem(place, 'must be a map'))
            return
        self._size(shape, len(value), place, 'number of items', found)
        for key, item in value.items():
            self._walk(self.resolve(shape.get('key', {})), key, f'{place}<key>', lax, found)
            self._walk(self.resolve(shape.get('value', {})), item, f'{place}.{key}', lax, found)

    def _walk_string(self, shape, value, place, lax, found):
        if not isinstance(value, str):
            found.append(Problem(place, 'must be a string'))
            return
        if lax:
            return
        self._size(shape, len(value), place, 'length', found)
        if 'enum' in shape and value not in shape['enum']:
            found.append(Problem(place, 'must be one of ' + ', '.join(shape['enum'])))
        if 'pattern' in shape and not re.search(shape['pattern'], value):
            # On the wire an image's version carries its build number, whatever the pattern says.
            if not (place.endswith('version') and re.fullmatch(r'\d+\.\d+\.\d+/\d+', value)):
                found.append(Problem(place, f'does not match {shape["pattern"]}'))

    def _walk_integer(self, shape, value, place, lax, found):
        if not isinstance(value, int) or isinstance(value, bool):
            found.append(Problem(place, 'must be an integer'))
        elif not lax and (value < shape.get('min', -1 << 60) or value > shape.get('max', 1 << 60)):
            found.append(Problem(place, f'{value} outside {shape.get("min")}..{shape.get("max")}'))

    _walk_long = _walk_integer

    def _walk_boolean(self, shape, value, place, lax, found):
        if not isinstance(value, bool):
            found.append(Problem(place, 'must be true or false'))

    def _walk_timestamp(self, shape, value, place, lax, found):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            found.append(Problem(place, 'must be a number of seconds'))


def load_facts():
    with open(os.path.join(HERE, 'facts.json'), encoding='utf-8') as handle:
        raw = json.load(handle)
    return Model('facts', raw['operations'], raw['shapes']), raw['errors']


def load_botocore():
    """Debian's model, or None when it holds no such service."""
    import botocore
    base = os.path.join(os.path.dirname(botocore.__file__), 'data', 'imagebuilder', '2019-12-02',
                        'service-2.json')
    try:
        if os.path.exists(base):
            with open(base, encoding='utf-8') as handle:
                raw = json.load(handle)
        else:
            with gzip.open(base + '.gz', 'rt', encoding='utf-8') as handle:
                raw = json.load(handle)
    except OSError:
        return None
    return Model('botocore ' + botocore.__version__, raw['operations'], raw['shapes'])


def load_awssdk(directory):
    """npm aws-sdk's model below `directory` (an install dir, or the package itself), or None."""
    if not directory:
        return None
    for middle in ('node_modules/aws-sdk/apis', 'aws-sdk/apis', 'apis', '.'):
        folder = os.path.join(directory, middle)
        for kind in ('normal', 'min'):
            path = os.path.join(folder, f'imagebuilder-2019-12-02.{kind}.json')
            if os.path.exists(path):
                with open(path, encoding='utf-8') as handle:
                    raw = json.load(handle)
                return Model('aws-sdk', raw['operations'], raw.get('shapes', {}))
    return None


class Oracle:
    """All models together: checks requests strictly by the best one, answers by every one."""

    def __init__(self, sdk_dir=None):
        self.routes = load_routes()
        self.facts, self.errors = load_facts()
        self.others = [m for m in (load_botocore(), load_awssdk(sdk_dir)) if m is not None]
        self._by_path = {}
        for route in self.routes.values():
            self._by_path[(route.method, route.uri)] = route

    def route(self, method, path):
        """The operation at a decoded-once path, with its path parameters."""
        found = self._by_path.get((method, path))
        if found is not None:
            return found, {}
        if path.startswith('/tags/') and len(path) > len('/tags/'):
            found = self._by_path.get((method, '/tags/{resourceArn}'))
            if found is not None:
                return found, {'resourceArn': path[len('/tags/'):]}
        return None, {}

    def _best(self, name):
        if name in self.facts.operations:
            return self.facts, False
        for model in reversed(self.others):
            if name in model.operations:
                return model, True
        return None, False

    def request_problems(self, name, params):
        route = self.routes[name]
        known = set(route.query + route.path + route.body)
        found = [Problem(key, 'unknown parameter') for key in params if key not in known]
        model, lax = self._best(name)
        if model is not None and 'input' in model.operations[name]:
            ref = model.operations[name]['input']
            found += [p for p in model.problems(ref, params, '', lax)
                      if 'unknown member' not in p.rule]
        return found

    def answer_problems(self, name, body):
        found = []
        if name in self.facts.operations:
            ref = self.facts.operations[name]['output']
            found += [f'facts: {p}' for p in self.facts.problems(ref, body, '')]
        for model in self.others:
            operation = model.operations.get(name)
            if operation is not None and 'output' in operation:
                found += [f'{model.name}: {p}'
                          for p in model.problems(operation['output'], body, '', lax=True)]
        return found

    def minimal_answer(self, name):
        """The smallest valid answer: required members only, which for outputs is none."""
        return {}
