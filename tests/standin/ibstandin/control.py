# SPDX-License-Identifier: MIT
"""The control API below /_standin/: unsigned JSON in, JSON out.  ctl.py is its command line."""
import json
import os
import random

from .faults import Fault
from .state import STATUSES, SpecError, check_on_cancel, check_script
from .wire import Reply

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SAMPLES = os.path.join(os.path.dirname(HERE), 'data', 'samples')
# Operations that change something: for them the question is how often they took effect.
REQUEST_FILTERS = ('op', 'arn', 'status', 'service', 'since', 'signature', 'region')


def reply_from(spec):
    """A Reply from {"status", "body" | "file" | "envelope", "content_type", "headers"}."""
    if 'envelope' in spec:
        with open(sample_path(spec['envelope']), encoding='utf-8') as handle:
            envelope = json.load(handle)
        reply = Reply(int(envelope['status']), envelope['body'].encode(), None, envelope['headers'])
        reply.code = envelope['headers'].get('x-amzn-ErrorType')
        return reply
    if 'file' in spec:
        with open(sample_path(spec['file']), 'rb') as handle:
            body = handle.read()
    else:
        body = spec.get('body', '')
        body = body.encode('utf-8', 'surrogateescape') if isinstance(body, str) \
            else json.dumps(body).encode()
    return Reply(int(spec.get('status', 200)), body, spec.get('content_type', 'application/json'),
                 spec.get('headers'))


def sample_path(name):
    """A file named absolutely, or relative to the samples."""
    return name if os.path.isabs(name) else os.path.join(SAMPLES, name)


def image_facts(image):
    return {'arn': image.arn, 'status': image.status, 'reason': image.reason,
            'cancels': len(image.cancel_tokens), 'cancel_tokens': image.cancel_tokens,
            'cancelling': image.cancelling is not None, 'pipeline': image.pipeline,
            'history': image.history, 'retries': image.retries, 'created': image.created,
            'tags': image.tags}


class Control:
    def __init__(self, app):
        self.app = app
        self.reset()

    def reset(self):
        self.scenario, self.played = None, []

    def handle(self, request):
        command = request.path[len('/_standin/'):].strip('/')
        method = getattr(self, 'do_' + command.replace('-', '_'), None)
        if method is None:
            known = sorted(n[3:].replace('_', '-') for n in dir(self) if n.startswith('do_'))
            raise SpecError(f'no command {command!r}; known: ' + ', '.join(known))
        try:
            spec = json.loads(request.body or b'{}')
        except (ValueError, RecursionError) as error:
            raise SpecError(f'the body is not JSON: {error}')
        if not isinstance(spec, dict):
            raise SpecError('the body must be a JSON object')
        try:
            with self.app.world.lock:
                answer = method(spec)
        except SpecError:
            raise
        except (TypeError, ValueError, KeyError, AttributeError, OSError) as error:
            raise SpecError(f'{command}: {error if str(error) else type(error).__name__}')
        return Reply(200, json.dumps(answer).encode())

    @staticmethod
    def _need(spec, key):
        if key not in spec:
            raise SpecError(f'{key} is required')
        return spec[key]

    def _image(self, spec):
        arn = self._need(spec, 'arn')
        image = self.app.world.image(arn, self.app.world.now())
        if image is None:
            raise SpecError(f'arn: no image {arn}')
        return image

    # Images and pipelines ------------------------------------------------------------------

    def do_add_image(self, spec):
        return image_facts(self.app.world.add_image(spec))

    def do_set_image(self, spec):
        image = self._image(spec)
        self.app.world.change_image(image, spec, self.app.world.now())
        return image_facts(image)

    def do_remove_image(self, spec):
        image = self._image(spec)
        self.app.world.forget_image(image.arn)
        return {'arn': image.arn}

    def do_add_pipeline(self, spec):
        pipeline = self.app.world.add_pipeline(spec)
        return {'arn': pipeline.arn}

    def do_bulk_images(self, spec):
        """count images over `names` names; every `stuck_every`-th is in flight and old."""
        count = int(spec.get('count', 10000))
        names, seed = int(spec.get('names', 100)), int(spec.get('seed', 1))
        status = spec.get('status', 'AVAILABLE')
        stuck_every = int(spec.get('stuck_every', 0))
        random_numbers = random.Random(seed)
        base = {k: spec[k] for k in ('region', 'account', 'pipeline') if k in spec}
        prefix = spec.get('prefix', 'bulk')
        arns = []
        for index in range(count):
            name, build = f'{prefix}-{index % names}', index // names
            version = f'1.{build // 1000}.0'
            age = float(spec.get('age_s', random_numbers.uniform(600, 90 * 86400)))
            one = dict(base, name=name, version=version, build=build % 1000 + 1, status=status,
                       age_s=age)
            if stuck_every and index % stuck_every == 0:
                one.update(status='BUILDING', age_s=float(spec.get('stuck_age_s', 4 * 3600)))
                arns.append(self.app.world.add_image(one).arn)
            else:
                self.app.world.add_image(one)
        return {'count': count, 'stuck': arns}

    def do_state(self, spec):
        return image_facts(self._image(spec))

    def do_images(self, spec):
        return {'images': [image_facts(i) for i in self.app.world.all_images(self.app.world.now())]}

    def do_statuses(self, spec):
        return {'statuses': list(STATUSES)}

    # Faults --------------------------------------------------------------------------------

    def do_add_fault(self, spec):
        self.app.faults.append(Fault(spec))
        return {'faults': len(self.app.faults)}

    def do_clear_faults(self, spec):
        self.app.faults = []
        return {'faults': 0}

    def do_faults(self, spec):
        return {'faults': [f.facts() for f in self.app.faults]}

    # Records -------------------------------------------------------------------------------

    def _requests(self, spec):
        found = self.app.world.requests
        for key in REQUEST_FILTERS:
            if key not in spec or spec[key] in ('any', None):
                continue
            if key == 'since':
                found = [r for r in found if r['n'] > int(spec['since'])]
            elif key == 'status':
                found = [r for r in found if str(r['status']) == str(spec['status'])]
            else:
                found = [r for r in found if r[key] == spec[key]]
        return found

    def do_requests(self, spec):
        return {'requests': self._requests(spec)}

    def do_count(self, spec):
        """Requests of an operation answered 200 ("status": "any" for all, or another status)."""
        op = self._need(spec, 'op')
        spec = dict(spec, status=spec.get('status', 200))
        if op == '*':
            del spec['op']
        elif op not in self.app.oracle.routes and op not in self.app.credentials.OPERATIONS:
            raise SpecError(f'op: there is no operation {op!r}')
        return {'count': len(self._requests(spec))}

    def do_peak(self, spec):
        """How many requests without an answer there were at once, while this operation was asked for."""
        if self._need(spec, 'op') == '*':
            spec = {k: v for k, v in spec.items() if k != 'op'}
        return {'peak': max((r['beside'] for r in self._requests(spec)), default=0)}

    def do_cancels(self, spec):
        """Effective cancels of one image: distinct client tokens that were accepted."""
        arn = self._need(spec, 'arn')
        image = self.app.world.images.get(arn)
        if image is not None:
            return {'cancels': len(image.cancel_tokens)}
        # Deleted since, or a scenario's: the record knows.
        tokens = {r['client_token'] for r in self.app.world.requests
                  if r['op'] == 'CancelImageCreation' and r['arn'] == arn
                  and (r['applied'] or r['status'] == 200)}
        if not tokens and self.scenario is None:
            raise SpecError(f'arn: no image {arn}')
        return {'cancels': len(tokens)}

    def do_problems(self, spec):
        """Answers of ours that broke a model: must stay empty."""
        found = [[r['n'], r['op'], p] for r in self.app.world.requests for p in r['problems']]
        return {'problems': found}

    def do_clear_requests(self, spec):
        self.app.world.requests = []
        return {}

    # The whole -----------------------------------------------------------------------------

    def do_ping(self, spec):
        return {'ok': True, 'pid': os.getpid(), 'models': ['facts'] + [
            m.name for m in self.app.oracle.others]}

    def do_reset(self, spec):
        self.app.reset()
        return {}

    def do_credentials(self, spec):
        """Adds {key, secret, token, expires_in_s, arn}, or removes {key, remove: true}."""
        key = self._need(spec, 'key')
        if spec.get('remove'):
            self.app.keys.pop(key, None)
            return {}
        expires = spec.get('expires_in_s')
        self.app.keys[key] = {
            'secret': self._need(spec, 'secret'), 'token': spec.get('token'),
            'expires': None if expires is None else self.app.world.now() + float(expires),
            'arn': spec.get('arn', f'arn:aws:iam::{self.app.world.account}:user/{key}')}
        return {'key': key}

    def do_set_clock_skew(self, spec):
        """The service's clock goes `seconds` ahead of ours."""
        seconds = float(self._need(spec, 'seconds'))
        self.app.credentials.shift(seconds - self.app.world.skew)
        self.app.world.set_skew(seconds)
        return {'seconds': seconds}

    def do_list_delay(self, spec):
        self.app.world.list_delay = float(self._need(spec, 'seconds'))
        return {'seconds': self.app.world.list_delay}

    def do_set_defaults(self, spec):
        """For builds made by calls: {script, on_cancel}; for lists: {page_size}."""
        for key, value in spec.items():
            if key == 'on_cancel':
                value = check_on_cancel(value)
            elif key == 'page_size':
                value = max(1, min(25, int(value)))
            elif key == 'script':
                check_script(value)
            else:
                raise SpecError(f'{key}: known defaults are script, on_cancel, page_size')
            self.app.world.defaults[key] = value
        return self.app.world.defaults

    def do_set_services(self, spec):
        return self.app.credentials.configure(spec)

    def do_expire_credentials(self, spec):
        return self.app.credentials.expire(spec.get('key'))

    # Canned scenarios ----------------------------------------------------------------------

    def do_load_scenario(self, spec):
        """Answers come from the named list, in order; the last one of an operation repeats."""
        name = self._need(spec, 'name')
        path = spec.get('file', os.path.join(SAMPLES, 'scenarios.json'))
        with open(path, encoding='utf-8') as handle:
            scenarios = json.load(handle)
        if not isinstance(scenarios.get(name), list):
            raise SpecError(f'name: no scenario {name!r}; there are: ' + ', '.join(
                k for k, v in scenarios.items() if isinstance(v, list)))
        self.scenario, self.played = list(scenarios[name]), []
        return {'name': name, 'answers': len(self.scenario)}

    def do_scenario(self, spec):
        """What was played, in order, and what is left."""
        return {'played': self.played, 'left': self.scenario}

    def do_end_scenario(self, spec):
        self.scenario = None
        return {}

    def scenario_reply(self, request):
        """The next answer for this operation; in the list's order within each operation."""
        if self.scenario is None or request.service != 'imagebuilder' or request.op is None:
            return None
        entry = next((e for e in self.scenario if e['op'] == request.op), None)
        if entry is None:
            raise SpecError(f'the scenario has no answer for {request.op}')
        others = [e for e in self.scenario if e['op'] == request.op]
        if len(others) > 1:
            self.scenario.remove(entry)
        self.played.append(entry['file'])
        if entry['file'].startswith('errors/'):
            return reply_from({'envelope': entry['file']})
        return reply_from({'status': entry['status'], 'file': entry['file']})
