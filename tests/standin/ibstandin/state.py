# SPDX-License-Identifier: MIT
"""The state kept: images that move by script, pipelines, workflow executions, tokens, requests."""
import calendar
import hashlib
import re
import threading
import time
import uuid

IN_FLIGHT = ('PENDING', 'CREATING', 'BUILDING', 'TESTING', 'DISTRIBUTING', 'INTEGRATING')
STATUSES = IN_FLIGHT + ('AVAILABLE', 'CANCELLED', 'FAILED', 'DEPRECATED', 'DELETED', 'DISABLED')
_ARN = r'^arn:(aws[a-z-]*):imagebuilder:([a-z0-9-]+):([0-9]{12}|aws(?:-[a-z-]+)?):'
BUILD_ARN = re.compile(_ARN + r'image/([a-z0-9_-]+)/([0-9]+)\.([0-9]+)\.([0-9]+)/([0-9]+)$')
VERSION_ARN = re.compile(_ARN + r'image/([a-z0-9_-]+)/([0-9]+|x)\.([0-9]+|x)\.([0-9]+|x)$')
PIPELINE_ARN = re.compile(_ARN + r'image-pipeline/([a-z0-9_-]+)$')

DEFAULT_SCRIPT = [[0, 'PENDING'], [2, 'CREATING'], [4, 'BUILDING'], [600, 'TESTING'],
                  [900, 'DISTRIBUTING'], [960, 'AVAILABLE']]
WORKFLOW_TYPE = {'BUILDING': 'BUILD', 'TESTING': 'TEST', 'DISTRIBUTING': 'DISTRIBUTION',
                 'INTEGRATING': 'DISTRIBUTION'}
WORKFLOW_NAME = {'BUILD': 'build/build-image', 'TEST': 'test/test-image',
                 'DISTRIBUTION': 'distribution/distribute-image'}
WORKFLOW_STEPS = {
    'BUILD': [('LaunchBuildInstance', 'LaunchInstance'), ('WaitForSSMAgent', 'WaitForSSMAgent'),
              ('ApplyBuildComponents', 'ExecuteComponents'), ('InventoryCollection',
                                                              'CollectImageMetadata'),
              ('RunSanitizeScript', 'SanitizeInstance'), ('CreateOutputAMI', 'CreateImage'),
              ('TerminateBuildInstance', 'TerminateInstance')],
    'TEST': [('LaunchTestInstance', 'LaunchInstance'), ('WaitForSSMAgent', 'WaitForSSMAgent'),
             ('ApplyTestComponents', 'ExecuteComponents'),
             ('TerminateTestInstance', 'TerminateInstance')],
    'DISTRIBUTION': [('DistributeImage', 'DistributeImage')],
}


class SpecError(ValueError):
    """What the control API was told makes no sense."""


def iso(when):
    """ISO 8601 with milliseconds and Z, as on the wire."""
    milli = int(round(when * 1000))
    return time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(milli // 1000)) + f'.{milli % 1000:03d}Z'


def named_uuid(*parts):
    return str(uuid.UUID(bytes=hashlib.sha256('\0'.join(parts).encode()).digest()[:16], version=4))


class Image:
    """One build of an image."""

    def __init__(self, arn):
        match = BUILD_ARN.match(arn)
        if match is None:
            raise SpecError(f'arn: {arn!r} is no image build version ARN')
        self.arn = arn
        self.partition, self.region, self.account, self.name = match.group(1, 2, 3, 4)
        self.version = '.'.join(match.group(5, 6, 7))
        self.numbers = tuple(int(match.group(i)) for i in (5, 6, 7, 8))
        self.version_arn = arn.rsplit('/', 1)[0]
        self.order = hashlib.sha256(arn.encode()).hexdigest()
        self.kind, self.platform, self.os_version = 'AMI', 'Linux', 'Amazon Linux 2023'
        self.status, self.reason, self.failure_context = 'PENDING', None, None
        self.created = 0.0
        self.date_text = None
        self.no_date = False
        self.events = []
        self.on_cancel = {'polls': 1}
        self.cancelling = None
        self.cancel_tokens = []
        self.retries = 0
        self.visible_from = 0.0
        self.pipeline = None
        self.tags = {}
        self.amis = None
        self.containers = None
        self.owner = 'Self'
        self.build_type = 'USER_INITIATED'
        self.workflows = None
        self.running_step = None
        self.waiting_step = None
        self.entered = {}
        self.raw = None
        self.extra = {}
        self.history = []

    def enter(self, status, when, reason=None):
        self.status = status
        self.entered[status] = when
        self.history.append([iso(when), status])
        if reason is not None:
            self.reason = reason
        elif status in IN_FLIGHT:
            self.reason = None

    def advance(self, now):
        while self.events and self.events[0][0] <= now:
            when, status, reason = self.events.pop(0)
            if status != self.status or reason is not None:
                self.enter(status, when, reason)
            if status not in IN_FLIGHT:
                self.cancelling = None

    def shift(self, seconds):
        """Everything dated moves along with the service's clock."""
        self.created += seconds
        self.visible_from += seconds
        self.events = [(when + seconds, status, reason) for when, status, reason in self.events]
        self.entered = {status: when + seconds for status, when in self.entered.items()}
        for dated in [d for f in self.workflows or [] for d in [f] + f['steps']]:
            for key in ('startTime', 'endTime'):
                if key in dated:
                    when = parse_iso(dated[key], None)
                    dated[key] = dated[key] if when is None else iso(when + seconds)

    def in_flight(self):
        return self.status in IN_FLIGHT

    def schedule(self, script, now, scale):
        for entry in script:
            reason = entry[2] if len(entry) == 3 else None
            self.events.append((now + float(entry[0]) / scale, str(entry[1]), reason))
        self.events.sort(key=lambda e: e[0])

    def start_cancel(self, now, scale):
        """The call was accepted: plan how the cancel lands.  A second one changes no plan."""
        if self.cancelling is not None:
            return
        plan = self.on_cancel
        if plan == 'never' or plan.get('never'):
            self.cancelling = {'never': True}
            return
        status, reason = plan.get('status', 'CANCELLED'), plan.get('reason')
        self.events = []
        self.cancelling = {'status': status, 'reason': reason}
        if 'polls' in plan:
            self.cancelling['polls'] = int(plan['polls'])
        else:
            self.events = [(now + float(plan.get('after_s', 0)) / scale, status, reason)]
        self.advance(now)

    def polled(self, now):
        """GetImage is about to answer: a cancel that lands after N reads may land now."""
        if self.cancelling is None or 'polls' not in self.cancelling:
            return
        if self.cancelling['polls'] > 0:
            self.cancelling['polls'] -= 1
            return
        self.enter(self.cancelling['status'], now, self.cancelling['reason'])
        self.cancelling = None

    def shown_amis(self):
        if self.amis is not None:
            return self.amis
        if self.status in ('AVAILABLE', 'DEPRECATED', 'DISABLED') and self.kind == 'AMI':
            return [{'region': self.region,
                     'image': 'ami-' + hashlib.sha256(self.arn.encode()).hexdigest()[:17],
                     'name': f'{self.name} {iso(self.created)}'.replace('.', '-'),
                     'accountId': self.account if self.account.isdigit() else '123456789012'}]
        return []

    def state_body(self):
        body = {'status': self.status}
        if self.reason is not None:
            body['reason'] = self.reason
        if self.failure_context is not None:
            body['failureContext'] = self.failure_context
        return body

    def date(self):
        return self.date_text if self.date_text is not None else iso(self.created)

    def may_wait(self):
        return self.workflows is not None or self.waiting_step is not None

    # Workflow executions -------------------------------------------------------------------

    def executions(self, now):
        """Workflow executions as they stand, oldest first; made up from the states if not told."""
        if self.workflows is None:
            return self._made_up_executions(now)
        for flow in self.workflows:
            self._follow_image(flow, now)
        return self.workflows

    def _follow_image(self, flow, now):
        if self.in_flight() or flow['status'] not in ('RUNNING', 'PENDING'):
            return
        status = {'CANCELLED': 'CANCELLED', 'FAILED': 'FAILED'}.get(self.status, 'COMPLETED')
        flow['status'], flow['endTime'] = status, iso(self.entered.get(self.status, now))
        for step in flow['steps']:
            if step['status'] in ('RUNNING', 'PENDING'):
                step['status'] = status if step['status'] == 'RUNNING' else 'SKIPPED'
                step['endTime'] = flow['endTime']

    def _made_up_executions(self, now):
        flows = []
        stages = [s for s in ('BUILDING', 'TESTING', 'DISTRIBUTING', 'INTEGRATING')
                  if s in self.entered]
        for index, stage in enumerate(stages):
            if stage == 'INTEGRATING' and 'DISTRIBUTING' in self.entered:
                continue
            kind = WORKFLOW_TYPE[stage]
            last = index == len(stages) - 1 or stage == 'DISTRIBUTING'
            flow = self.new_execution(kind, self.entered[stage])
            if last and self.in_flight():
                flow['status'] = 'RUNNING'
            elif last and self.status in ('CANCELLED', 'FAILED'):
                flow['status'] = self.status
            else:
                flow['status'] = 'COMPLETED'
            if flow['status'] != 'RUNNING':
                following = stages[index + 1] if index + 1 < len(stages) else self.status
                flow['endTime'] = iso(self.entered.get(following, now))
            self._fill_steps(flow, self.entered[stage])
            flows.append(flow)
        return flows

    def new_execution(self, kind, started, number=0):
        if kind not in WORKFLOW_NAME:
            raise SpecError(f'workflows: type {kind!r} is none of {", ".join(WORKFLOW_NAME)}')
        return {'workflowBuildVersionArn': f'arn:{self.partition}:imagebuilder:{self.region}:aws:'
                                           f'workflow/{WORKFLOW_NAME[kind]}/1.0.3/1',
                'workflowExecutionId': 'wf-' + named_uuid(self.arn, kind, str(self.retries),
                                                          str(number)),
                'type': kind, 'status': 'RUNNING', 'startTime': iso(started), 'steps': []}

    def _fill_steps(self, flow, started):
        names = WORKFLOW_STEPS[flow['type']]
        running = self.running_step or names[min(1, len(names) - 1)][0]
        if self.waiting_step is not None:
            names = names[:1] + [(self.waiting_step, 'WaitForAction')] + names[1:]
            running = self.waiting_step
        elif running not in [n for n, _ in names]:
            names = names[:1] + [(running, 'RunCommand')] + names[1:]
        ended, seen = flow['status'], False
        for index, (name, action) in enumerate(names):
            step = self.new_step(flow, name, action, started + 2 * index)
            if ended == 'COMPLETED':
                step['status'], step['endTime'] = 'COMPLETED', flow['endTime']
            elif name == running:
                seen = True
                step['status'] = ended
                if ended != 'RUNNING':
                    step['endTime'] = flow['endTime']
            elif seen:
                step['status'] = 'PENDING' if ended == 'RUNNING' else 'SKIPPED'
                del step['startTime']
            else:
                step['status'], step['endTime'] = 'COMPLETED', iso(started + 2 * index + 1)
            flow['steps'].append(step)

    def new_step(self, flow, name, action, started):
        return {'stepExecutionId': 'step-' + named_uuid(flow['workflowExecutionId'], name),
                'name': name, 'action': action, 'status': 'RUNNING', 'inputs': '{}',
                'startTime': iso(started)}

    def told_executions(self, specs, now):
        """Executions from the control API: types, states, ages and steps as given."""
        self.workflows = []
        for number, spec in enumerate(specs):
            spec = dict(spec)
            age = float(spec.pop('start_age_s', 0))
            flow = self.new_execution(spec.pop('type', 'BUILD'), now - age, number)
            steps = spec.pop('steps', [])
            if spec.pop('no_start', False) or spec.get('status') == 'PENDING':
                del flow['startTime']
            flow.update(spec)
            for step_spec in steps:
                step_spec = dict(step_spec)
                step_age = float(step_spec.pop('start_age_s', age))
                step = self.new_step(flow, step_spec.pop('name', 'Step'),
                                     step_spec.pop('action', 'RunCommand'), now - step_age)
                if step_spec.get('status') in ('PENDING', 'SKIPPED'):
                    del step['startTime']
                step.update(step_spec)
                flow['steps'].append(step)
            self.workflows.append(flow)


class Pipeline:
    def __init__(self, arn):
        match = PIPELINE_ARN.match(arn)
        if match is None:
            raise SpecError(f'arn: {arn!r} is no image pipeline ARN')
        self.arn = arn
        self.partition, self.region, self.account, self.name = match.groups()
        self.order = hashlib.sha256(arn.encode()).hexdigest()
        self.status, self.description = 'ENABLED', None
        self.image_name = self.name
        self.version = '1.0.0'
        self.created = time.time()
        self.tags = {}
        self.extra = {}
        self.script, self.on_cancel = None, None
        self.consecutive_failures = 0

    def base(self):
        return f'arn:{self.partition}:imagebuilder:{self.region}:{self.account}:'


class World:
    """Everything that one stand-in knows.  Every access is made under `lock`."""

    def __init__(self, account='123456789012', scale=1.0):
        self.lock = threading.RLock()
        self.account, self.scale = account, scale
        self.reset()

    def reset(self):
        self.images, self.pipelines, self.ordered = {}, {}, None
        self.tokens = {}
        self.other_tags = {}
        self.requests = []
        self.list_delay = 0.0
        self.skew = 0.0
        self.scenario = None
        self.defaults = {'script': DEFAULT_SCRIPT, 'on_cancel': {'polls': 1}, 'page_size': 25}
        self.owners = {}

    def now(self):
        return time.time() + self.skew

    def set_skew(self, seconds):
        """The service's clock jumps; what it dated and planned keeps its distance to now."""
        jump, self.skew = seconds - self.skew, seconds
        for image in self.images.values():
            image.shift(jump)
        for pipeline in self.pipelines.values():
            pipeline.created += jump

    def image(self, arn, now):
        image = self.images.get(arn)
        if image is not None:
            image.advance(now)
        return image

    def all_images(self, now):
        for image in self.images.values():
            image.advance(now)
        return list(self.images.values())

    def ordered_images(self):
        """All images by their `order`, and these orders, so that a page is found without a walk."""
        if self.ordered is None:
            images = sorted(self.images.values(), key=lambda i: i.order)
            self.ordered = (images, [i.order for i in images])
        return self.ordered

    def forget_image(self, arn):
        del self.images[arn]
        self.ordered = None

    def next_build(self, version_arn):
        builds = [i.numbers[3] for i in self.images.values() if i.version_arn == version_arn]
        return max(builds, default=0) + 1

    def version_arn(self, spec):
        if 'name' not in spec:
            raise SpecError('an image needs arn, or name (and version, build)')
        region = spec.get('region', 'eu-central-1')
        partition = 'aws-cn' if region.startswith('cn-') else \
            'aws-us-gov' if region.startswith('us-gov-') else 'aws'
        return (f'arn:{partition}:imagebuilder:{region}:{spec.get("account", self.account)}:image/'
                f'{spec["name"]}/{spec.get("version", "1.0.0")}')

    def add_image(self, spec):
        now = self.now()
        arn = spec.get('arn')
        if arn is None:
            version_arn = self.version_arn(spec)
            arn = f'{version_arn}/{spec.get("build") or self.next_build(version_arn)}'
        image = Image(arn)
        if arn in self.images:
            raise SpecError(f'arn: {arn} is there already')
        image.created = now
        image.visible_from = now + self.list_delay / self.scale
        image.on_cancel = self.defaults['on_cancel']
        self.change_image(image, spec, now, fresh=True)
        self.images[arn] = image
        self.ordered = None
        return image

    _PLAIN = {'platform': 'platform', 'osVersion': 'os_version', 'type': 'kind', 'owner': 'owner',
              'buildType': 'build_type', 'tags': 'tags', 'amis': 'amis', 'containers': 'containers',
              'failureContext': 'failure_context', 'raw': 'raw', 'extra': 'extra',
              'step': 'running_step', 'waiting_step': 'waiting_step', 'no_date': 'no_date'}
    _OWN = ('arn', 'name', 'version', 'build', 'region', 'account', 'status', 'reason', 'age_s',
            'dateCreated', 'script', 'on_cancel', 'pipeline', 'workflows', 'phase_age_s',
            'visible_after_s')

    def change_image(self, image, spec, now, fresh=False):
        for key in spec:
            if key not in self._PLAIN and key not in self._OWN:
                raise SpecError(f'{key}: unknown key for an image; known: '
                                + ', '.join(sorted(list(self._PLAIN) + list(self._OWN))))
        if 'script' in spec:
            check_script(spec['script'])
        for key, attribute in self._PLAIN.items():
            if key in spec:
                setattr(image, attribute, spec[key])
        if 'on_cancel' in spec:
            image.on_cancel = check_on_cancel(spec['on_cancel'])
        if 'dateCreated' in spec:
            image.date_text = spec['dateCreated']
            image.created = parse_iso(image.date_text, image.created)
        if 'age_s' in spec:
            image.date_text, image.created = None, now - float(spec['age_s'])
            image.visible_from = min(image.visible_from,
                                     image.created + self.list_delay / self.scale)
        if 'visible_after_s' in spec:
            image.visible_from = now + float(spec['visible_after_s']) / self.scale
        if 'pipeline' in spec:
            image.pipeline = self._pipeline_arn(image, spec['pipeline'])
            self._have_pipeline(image)
        if 'status' in spec or fresh:
            self._set_status(image, spec, now, fresh)
        elif 'reason' in spec:
            image.reason = spec['reason']
        if 'script' in spec:
            image.events = []
            image.schedule(spec['script'], now, self.scale)
            image.advance(now)
        if 'workflows' in spec:
            image.workflows = None
            if spec['workflows'] != 'auto':
                image.told_executions(spec['workflows'], now)

    def _have_pipeline(self, image):
        """A pipeline that a build names exists, unless its ARN is none."""
        if image.pipeline is None or image.pipeline in self.pipelines \
                or PIPELINE_ARN.match(image.pipeline) is None:
            return
        self.add_pipeline({'arn': image.pipeline, 'image_name': image.name,
                           'version': image.version})

    def _pipeline_arn(self, image, given):
        if given is None or given.startswith('arn:'):
            return given
        return (f'arn:{image.partition}:imagebuilder:{image.region}:{image.account}:'
                f'image-pipeline/{given}')

    def _set_status(self, image, spec, now, fresh):
        script = spec.get('script') or [[1, 'BUILDING']]
        first = str(script[0][1]) if float(script[0][0]) <= 0 else 'PENDING'
        status = spec.get('status', first if 'script' in spec else 'BUILDING')
        if not fresh:
            image.events, image.cancelling = [], None
            image.enter(status, now, spec.get('reason'))
            return
        age = max(0.0, now - image.created)
        phase = float(spec.get('phase_age_s', age - 4 if status == 'BUILDING' else age / 2))
        begun = now - max(0.0, min(phase, age))
        order = ('BUILDING', 'TESTING', 'DISTRIBUTING', 'INTEGRATING')
        earlier = order[:order.index(status)] if status in order else \
            () if status in ('PENDING', 'CREATING') else order[:3]
        for index, stage in enumerate(earlier):
            image.entered[stage] = image.created + (begun - image.created) * (index / len(earlier))
        image.enter(status, begun, spec.get('reason'))

    def add_pipeline(self, spec):
        arn = spec.get('arn')
        if arn is None:
            if 'name' not in spec:
                raise SpecError('a pipeline needs arn or name')
            arn = self.version_arn(dict(spec, version='1.0.0')).split(':image/')[0] \
                + ':image-pipeline/' + spec['name']
        pipeline = Pipeline(arn)
        known = ('arn', 'name', 'region', 'account', 'status', 'description', 'image_name',
                 'version', 'tags', 'extra', 'script', 'on_cancel', 'consecutiveFailures')
        for key in spec:
            if key not in known:
                raise SpecError(f'{key}: unknown key for a pipeline; known: ' + ', '.join(known))
        for key in ('status', 'description', 'image_name', 'version', 'tags', 'extra', 'script'):
            if key in spec:
                setattr(pipeline, key, spec[key])
        if 'script' in spec:
            check_script(spec['script'])
        pipeline.consecutive_failures = int(spec.get('consecutiveFailures', 0))
        if 'on_cancel' in spec:
            pipeline.on_cancel = check_on_cancel(spec['on_cancel'])
        self.pipelines[arn] = pipeline
        return pipeline


def check_script(script):
    for entry in script if isinstance(script, list) else [None]:
        if not isinstance(entry, list) or len(entry) not in (2, 3) \
                or not isinstance(entry[0], (int, float)):
            raise SpecError('script: a list of [after_s, STATUS] or [after_s, STATUS, reason]')


def check_on_cancel(plan):
    if plan == 'never':
        return {'never': True}
    if isinstance(plan, str):
        return {'after_s': 0, 'status': plan}
    if not isinstance(plan, dict):
        raise SpecError('on_cancel: "never", a STATUS, or {"after_s"|"polls": N, "status": STATUS}')
    for key in plan:
        if key not in ('after_s', 'polls', 'never', 'status', 'reason'):
            raise SpecError(f'on_cancel.{key}: unknown key')
    return plan


def parse_iso(text, fallback):
    match = re.match(r'^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z$', text) \
        if isinstance(text, str) else None
    if match is None:
        return fallback
    seconds = calendar.timegm(time.strptime(match.group(1), '%Y-%m-%dT%H:%M:%S'))
    return seconds + float(match.group(2) or 0)
