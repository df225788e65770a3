# SPDX-License-Identifier: MIT
"""The operations of Image Builder that really work, and a valid empty answer for the others."""
import base64
import bisect
import hashlib
import itertools
import json
import uuid

from .state import BUILD_ARN, IN_FLIGHT, PIPELINE_ARN, VERSION_ARN, iso

BUSY = 'The resource that you are trying to operate on is currently in use.'


class ServiceError(Exception):
    def __init__(self, code, message, status=None, headers=None):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status
        self.headers = headers or {}


def not_found(arn):
    return ServiceError('ResourceNotFoundException',
                        f'The resource with ARN {arn} does not exist.', 404)


def invalid(name, why):
    return ServiceError('InvalidRequestException',
                        f"The value supplied for parameter '{name}' is not valid. {why}", 400)


class Call:
    """One call: who, where and with what parameters."""

    def __init__(self, name, params, region, account, now):
        self.name, self.params = name, params
        self.region, self.account, self.now = region, account, now


class ImageBuilder:
    def __init__(self, world, oracle):
        self.world, self.oracle = world, oracle

    def answer(self, call):
        """The body of a good answer; raises ServiceError."""
        problems = self.oracle.request_problems(call.name, call.params)
        if problems:
            raise invalid(problems[0].place, f'It {problems[0].rule}.')
        self._check_region(call)
        method = getattr(self, 'op_' + call.name, None)
        body = method(call) if method is not None else self._minimal(call)
        known = self._output_members(call.name)
        if known is not None and 'requestId' in known:
            body = dict({'requestId': str(uuid.uuid4())}, **body)
        return body

    def _check_region(self, call):
        for name, value in call.params.items():
            if name.endswith('Arn') and isinstance(value, str) and value.startswith('arn:'):
                parts = value.split(':')
                if len(parts) > 5 and parts[2] == 'imagebuilder' and parts[3] != call.region:
                    raise invalid(name, f'The ARN is of Region {parts[3]}, the request was sent to '
                                        f'{call.region}.')

    def _minimal(self, call):
        """The least that is a valid answer: what was asked by, said back."""
        body = {'clientToken': call.params.get('clientToken')}
        route = self.oracle.routes[call.name]
        for name in route.query + route.body:
            if name.endswith(('Arn', 'Id')):
                body[name] = call.params.get(name)
        if call.name.startswith('Get') and route.query:
            # GetImageRecipe answers imageRecipe, GetImageRecipePolicy its policy.
            thing, asked = call.name[3].lower() + call.name[4:], route.query[0]
            body[thing] = {'arn' if asked.endswith('Arn') else asked: call.params.get(asked)}
            if thing == 'distributionConfiguration':
                body[thing]['timeoutMinutes'] = 720
            body['policy'] = '{"Version":"2012-10-17","Statement":[]}'
        known = self._output_members(call.name)
        return {k: v for k, v in body.items() if v is not None and (known is None or k in known)}

    def _output_members(self, name):
        for model in [self.oracle.facts] + self.oracle.others[::-1]:
            operation = model.operations.get(name)
            if operation is not None and 'output' in operation:
                return model.resolve(operation['output']).get('members', {})
        return None

    # Tokens --------------------------------------------------------------------------------

    def _once(self, call, act):
        """Runs act() once per client token; the same token with other parameters is an error."""
        token = call.params['clientToken']
        digest = hashlib.sha256(json.dumps(call.params, sort_keys=True).encode()).hexdigest()
        key = (call.account, call.region, call.name, token)
        earlier = self.world.tokens.get(key)
        if earlier is not None:
            if earlier[0] != digest:
                raise ServiceError('IdempotentParameterMismatchException',
                                   'You have specified a client token for an operation using '
                                   'parameter values that differ from a previous request that used '
                                   'the same client token.', 400)
            return earlier[1]
        body = dict({'clientToken': token}, **act())
        self.world.tokens[key] = (digest, body)
        return body

    # Paging --------------------------------------------------------------------------------

    def _page(self, call, items, key, member):
        """At most 25 of `items`, in no useful order, with a token for the rest."""
        digest = self._list_digest(call.name, call.region, call.params)
        items = sorted(items, key=key)
        last = ''
        if 'nextToken' in call.params:
            last = self._open_token(call.params['nextToken'], digest)
            items = [i for i in items if key(i) > last]
        return self._cut_page(call, items, key, digest, member)

    def _page_size(self, call):
        return min(call.params.get('maxResults', 25), self.world.defaults['page_size'])

    def _cut_page(self, call, items, key, digest, member):
        size = self._page_size(call)
        body = {member: items[:size]}
        if len(items) > size:
            body['nextToken'] = self._token(digest, key(items[size - 1]))
        return body

    def _page_of_builds(self, call, passes):
        """A page of image summaries; reads no further than it has to among many builds."""
        digest = self._list_digest(call.name, call.region, call.params)
        images, orders = self.world.ordered_images()
        start = 0
        if 'nextToken' in call.params:
            start = bisect.bisect_right(orders, self._open_token(call.params['nextToken'], digest))
        found = []
        for image in itertools.islice(images, start, None):
            image.advance(call.now)
            if image.region == call.region and image.visible_from <= call.now and passes(image):
                found.append(image)
                if len(found) > self._page_size(call):
                    break
        body = self._cut_page(call, found, lambda i: i.order, digest, 'imageSummaryList')
        body['imageSummaryList'] = [self._summary(i) for i in body['imageSummaryList']]
        return body

    @staticmethod
    def _list_digest(name, region, params):
        wanted = {k: v for k, v in params.items() if k not in ('nextToken', 'maxResults')}
        return hashlib.sha256(json.dumps([name, region, wanted],
                                         sort_keys=True).encode()).hexdigest()[:24]

    @staticmethod
    def _token(digest, last):
        return base64.b64encode(json.dumps([digest, last]).encode()).decode()

    def start_token(self, name, region, params):
        """A token that leads to where this request's own page begins."""
        digest = self._list_digest(name, region, params)
        last = self._open_token(params['nextToken'], digest) if 'nextToken' in params else ''
        return self._token(digest, last)

    @staticmethod
    def _open_token(token, digest):
        try:
            made_for, last = json.loads(base64.b64decode(token, validate=True))
            if made_for == digest and isinstance(last, str):
                return last
        except (ValueError, TypeError):
            pass
        raise ServiceError('InvalidPaginationTokenException',
                           'You have provided an invalid pagination token in your request.', 400)

    @staticmethod
    def _filters(call, allowed):
        """A function that tells whether a dict of filter values passes."""
        wanted = []
        for item in call.params.get('filters', []):
            name, values = item.get('name'), item.get('values', [])
            if name not in allowed:
                raise invalid('filters', f'The filter {name!r} is none of {", ".join(allowed)}.')
            wanted.append((name, values))
        return lambda facts: all(facts.get(n) in v for n, v in wanted)

    # Images --------------------------------------------------------------------------------

    def _visible(self, call):
        return [i for i in self.world.all_images(call.now)
                if i.region == call.region and i.visible_from <= call.now]

    def _find_build(self, call, name='imageBuildVersionArn'):
        image = self.world.image(call.params[name], call.now)
        if image is None or image.region != call.region:
            raise not_found(call.params[name])
        return image

    def _resolve(self, call):
        arn = call.params['imageBuildVersionArn']
        if BUILD_ARN.match(arn):
            return self._find_build(call)
        match = VERSION_ARN.match(arn)
        if match is None:
            raise invalid('imageBuildVersionArn', 'It is no image ARN.')
        found = [i for i in self.world.all_images(call.now)
                 if i.status == 'AVAILABLE'
                 and (i.region, i.account, i.name) == match.group(2, 3, 4)
                 and all(w in ('x', str(n)) for w, n in zip(match.group(5, 6, 7), i.numbers))]
        if not found:
            raise not_found(arn)
        return max(found, key=lambda i: i.numbers)

    def op_GetImage(self, call):
        image = self._resolve(call)
        image.polled(call.now)
        return {'image': self._image_body(image), 'latestVersionReferences': latest(image)}

    def _image_body(self, image):
        base = image.arn.split(':image/')[0]
        body = {
            'arn': image.arn, 'type': image.kind, 'name': image.name,
            'version': f'{image.version}/{image.numbers[3]}', 'platform': image.platform,
            'enhancedImageMetadataEnabled': True, 'osVersion': image.os_version,
            'state': image.state_body(),
            'infrastructureConfiguration': {
                'arn': f'{base}:infrastructure-configuration/{image.name}', 'name': image.name,
                'instanceTypes': ['m5.large'],
                'instanceProfileName': 'EC2InstanceProfileForImageBuilder',
                'terminateInstanceOnFailure': True},
            'imageTestsConfiguration': {'imageTestsEnabled': True, 'timeoutMinutes': 720},
            'outputResources': self._output(image), 'tags': image.tags,
            'buildType': image.build_type}
        recipe = {'arn': f'{base}:{"image" if image.kind == "AMI" else "container"}-recipe/'
                         f'{image.name}/{image.version}',
                  'name': image.name, 'platform': image.platform, 'owner': image.account,
                  'version': image.version,
                  'components': [{'componentArn': f'arn:{image.partition}:imagebuilder:'
                                                  f'{image.region}:aws:component/update-linux/'
                                                  '1.0.2/1'}]}
        if image.kind == 'AMI':
            body['imageRecipe'] = dict(recipe, type='AMI', workingDirectory='/tmp')
        else:
            body['containerRecipe'] = dict(recipe, containerType='DOCKER')
        if image.pipeline is not None:
            body['sourcePipelineArn'] = image.pipeline
            body['sourcePipelineName'] = image.pipeline.rsplit('/', 1)[-1]
        if not image.tags:
            del body['tags']
        if not image.no_date:
            body['dateCreated'] = image.date()
        body.update(image.extra)
        return body

    @staticmethod
    def _output(image):
        output = {'amis': image.shown_amis()}
        if image.containers is not None:
            output['containers'] = image.containers
        return output

    def _summary(self, image):
        body = {'arn': image.arn, 'name': image.name, 'type': image.kind,
                'version': f'{image.version}/{image.numbers[3]}', 'platform': image.platform,
                'osVersion': image.os_version, 'state': image.state_body(), 'owner': image.account,
                'outputResources': self._output(image), 'buildType': image.build_type}
        if image.tags:
            body['tags'] = image.tags
        if not image.no_date:
            body['dateCreated'] = image.date()
        return body

    @staticmethod
    def _image_facts(image):
        return {'name': image.name, 'osVersion': image.os_version, 'platform': image.platform,
                'type': image.kind, 'version': image.version}

    def op_ListImages(self, call):
        passes = self._filters(call, ('name', 'osVersion', 'platform', 'type', 'version'))
        owner, found = call.params.get('owner', 'Self'), {}
        for image in self._visible(call):
            if image.owner != owner or not passes(self._image_facts(image)):
                continue
            if image.status == 'DEPRECATED' and not call.params.get('includeDeprecated'):
                continue
            key = image.version_arn.rsplit('/', 1)[0] if call.params.get('byName') \
                else image.version_arn
            if key not in found or found[key].numbers < image.numbers:
                found[key] = image
        body = self._page(call, list(found.values()), lambda i: i.order, 'imageVersionList')
        body['imageVersionList'] = [self._version(i) for i in body['imageVersionList']]
        return body

    @staticmethod
    def _version(image):
        body = {'arn': image.version_arn, 'name': image.name, 'type': image.kind,
                'version': image.version, 'platform': image.platform, 'osVersion': image.os_version,
                'owner': image.account, 'buildType': image.build_type}
        if not image.no_date:
            body['dateCreated'] = image.date()
        return body

    def op_ListImageBuildVersions(self, call):
        passes = self._filters(call, ('name', 'osVersion', 'platform', 'type', 'version'))
        arn = call.params.get('imageVersionArn')
        return self._page_of_builds(call, lambda i: (
            i.owner == 'Self' if arn is None else i.version_arn == arn)
            and passes(self._image_facts(i)))

    def op_ListImagePipelineImages(self, call):
        passes = self._filters(call, ('name', 'version'))
        arn = call.params['imagePipelineArn']
        if arn not in self.world.pipelines:
            raise not_found(arn)
        return self._page_of_builds(call, lambda i: i.pipeline == arn
                                    and passes(self._image_facts(i)))

    def op_CreateImage(self, call):
        recipes = [n for n in ('imageRecipeArn', 'containerRecipeArn') if n in call.params]
        if len(recipes) != 1:
            raise invalid('imageRecipeArn', 'Exactly one of imageRecipeArn and containerRecipeArn '
                                            'must be given.')
        if 'workflows' in call.params and 'executionRole' not in call.params:
            raise invalid('executionRole', 'It is required when workflows are given.')

        def act():
            recipe = call.params[recipes[0]]
            name, version = recipe.split('/')[1:3]
            version = version.replace('x', '0')
            base = recipe.split(':' + ('image' if recipes[0] == 'imageRecipeArn' else 'container')
                                + '-recipe/')[0].rsplit(':', 1)[0] + ':' + call.account
            spec = {'type': 'AMI' if recipes[0] == 'imageRecipeArn' else 'DOCKER',
                    'tags': call.params.get('tags', {})}
            image = self._new_build(f'{base}:image/{name}/{version}', spec,
                                    self.world.defaults['script'], None)
            return {'imageBuildVersionArn': image.arn, 'latestVersionReferences': latest(image)}
        return self._once(call, act)

    def _new_build(self, version_arn, spec, script, on_cancel):
        arn = f'{version_arn}/{self.world.next_build(version_arn)}'
        spec = dict(spec, arn=arn, script=script)
        if on_cancel is not None:
            spec['on_cancel'] = on_cancel
        return self.world.add_image(spec)

    def op_StartImagePipelineExecution(self, call):
        pipeline = self.world.pipelines.get(call.params['imagePipelineArn'])
        if pipeline is None:
            raise not_found(call.params['imagePipelineArn'])

        def act():
            spec = {'pipeline': pipeline.arn, 'tags': call.params.get('tags', {})}
            image = self._new_build(f'{pipeline.base()}image/{pipeline.image_name}/'
                                    f'{pipeline.version}', spec,
                                    pipeline.script or self.world.defaults['script'],
                                    pipeline.on_cancel)
            return {'imageBuildVersionArn': image.arn}
        return self._once(call, act)

    def op_CancelImageCreation(self, call):
        def act():
            image = self._find_build(call)
            if image.status not in IN_FLIGHT:
                raise ServiceError('InvalidParameterValueException',
                                   f'The image {image.arn} is not in a state that can be '
                                   'cancelled.', 400)
            image.cancel_tokens.append(call.params['clientToken'])
            image.start_cancel(call.now, self.world.scale)
            return {'imageBuildVersionArn': image.arn}
        return self._once(call, act)

    def op_RetryImage(self, call):
        def act():
            image = self._find_build(call)
            if image.status not in ('FAILED', 'CANCELLED'):
                raise ServiceError('ResourceInUseException', BUSY, 400)
            image.retries += 1
            image.cancelling, image.workflows, image.entered = None, None, {}
            image.failure_context, image.events = None, []
            image.enter('PENDING', call.now)
            image.schedule([e for e in self.world.defaults['script'] if e[0] > 0], call.now,
                           self.world.scale)
            return {'imageBuildVersionArn': image.arn}
        return self._once(call, act)

    def op_DeleteImage(self, call):
        image = self._find_build(call)
        if image.status in IN_FLIGHT:
            raise ServiceError('ResourceDependencyException',
                               'You have attempted to mutate or delete a resource with a '
                               'dependency that prohibits this action.', 400)
        self.world.forget_image(image.arn)
        return {'imageBuildVersionArn': image.arn}

    # Pipelines -----------------------------------------------------------------------------

    def _pipeline_body(self, pipeline, now):
        base = pipeline.base()
        builds = [i for i in self.world.all_images(now) if i.pipeline == pipeline.arn]
        body = {'arn': pipeline.arn, 'name': pipeline.name, 'platform': 'Linux',
                'enhancedImageMetadataEnabled': True,
                'imageRecipeArn': f'{base}image-recipe/{pipeline.image_name}/{pipeline.version}',
                'infrastructureConfigurationArn':
                    f'{base}infrastructure-configuration/{pipeline.image_name}',
                'imageTestsConfiguration': {'imageTestsEnabled': True, 'timeoutMinutes': 720},
                'status': pipeline.status, 'dateCreated': iso(pipeline.created),
                'dateUpdated': iso(pipeline.created),
                'consecutiveFailures': pipeline.consecutive_failures}
        if pipeline.description:
            body['description'] = pipeline.description
        if pipeline.tags:
            body['tags'] = pipeline.tags
        if builds:
            body['lastRunStatus'] = max(builds, key=lambda i: i.created).status
        body.update(pipeline.extra)
        return body

    def op_GetImagePipeline(self, call):
        pipeline = self.world.pipelines.get(call.params['imagePipelineArn'])
        if pipeline is None:
            raise not_found(call.params['imagePipelineArn'])
        return {'imagePipeline': self._pipeline_body(pipeline, call.now)}

    def op_ListImagePipelines(self, call):
        names = ('description', 'distributionConfigurationArn', 'imageRecipeArn',
                 'infrastructureConfigurationArn', 'name', 'status')
        passes = self._filters(call, names)
        found = [self._pipeline_body(p, call.now) for p in self.world.pipelines.values()
                 if p.region == call.region]
        return self._page(call, [p for p in found if passes(p)],
                          lambda p: hashlib.sha256(p['arn'].encode()).hexdigest(),
                          'imagePipelineList')

    # Workflow executions -------------------------------------------------------------------

    def op_ListWorkflowExecutions(self, call):
        image = self._find_build(call)
        flows = [metadata(f) for f in image.executions(call.now)]
        for flow in flows:
            self.world.owners[flow['workflowExecutionId']] = image.arn
        body = self._page(call, flows, lambda f: f['workflowExecutionId'], 'workflowExecutions')
        return dict(body, imageBuildVersionArn=image.arn)

    def _executions(self, call, wanted=None):
        """All (image, execution) of the Region; those of the image known to own `wanted` first."""
        images = self.world.all_images(call.now)
        owner = self.world.images.get(self.world.owners.get(wanted))
        if owner is not None:
            images = [owner] + images
        for image in images:
            if image.region == call.region:
                for flow in image.executions(call.now):
                    yield image, flow

    def _find_execution(self, call):
        wanted = call.params['workflowExecutionId']
        for image, flow in self._executions(call, wanted):
            if flow['workflowExecutionId'] == wanted:
                for step in flow['steps']:
                    self.world.owners[step['stepExecutionId']] = image.arn
                return image, flow
        raise not_found(wanted)

    def _find_step(self, call):
        wanted = call.params['stepExecutionId']
        for image, flow in self._executions(call, wanted):
            for step in flow['steps']:
                if step['stepExecutionId'] == wanted:
                    return image, flow, step
        raise not_found(wanted)

    def op_GetWorkflowExecution(self, call):
        image, flow = self._find_execution(call)
        body = metadata(flow)
        body.pop('retried', None)
        return dict(body, imageBuildVersionArn=image.arn)

    def op_ListWorkflowStepExecutions(self, call):
        image, flow = self._find_execution(call)
        hidden = ('onFailure', 'timeoutSeconds')
        steps = [{k: v for k, v in s.items() if k not in hidden} for s in flow['steps']]
        body = self._page(call, steps, lambda s: s['stepExecutionId'], 'steps')
        return dict(body, workflowBuildVersionArn=flow['workflowBuildVersionArn'],
                    workflowExecutionId=flow['workflowExecutionId'],
                    imageBuildVersionArn=image.arn)

    def op_GetWorkflowStepExecution(self, call):
        image, flow, step = self._find_step(call)
        body = {'onFailure': 'Abort', 'timeoutSeconds': 3600}
        body.update(step)
        return dict(body, workflowBuildVersionArn=flow['workflowBuildVersionArn'],
                    workflowExecutionId=flow['workflowExecutionId'],
                    imageBuildVersionArn=image.arn)

    def op_ListWaitingWorkflowSteps(self, call):
        steps = []
        waiting = [(i, f) for i in self.world.all_images(call.now)
                   if i.region == call.region and i.in_flight() and i.may_wait()
                   for f in i.executions(call.now)]
        for image, flow in waiting:
            for step in flow['steps']:
                if step['action'] == 'WaitForAction' and step['status'] == 'RUNNING':
                    steps.append({'stepExecutionId': step['stepExecutionId'],
                                  'imageBuildVersionArn': image.arn,
                                  'workflowExecutionId': flow['workflowExecutionId'],
                                  'workflowBuildVersionArn': flow['workflowBuildVersionArn'],
                                  'name': step['name'], 'action': step['action'],
                                  'startTime': step['startTime']})
        return self._page(call, steps, lambda s: s['stepExecutionId'], 'steps')

    def op_SendWorkflowStepAction(self, call):
        def act():
            image, flow, step = self._find_step(call)
            if image.arn != call.params['imageBuildVersionArn']:
                raise not_found(call.params['stepExecutionId'])
            if step['action'] != 'WaitForAction' or step['status'] != 'RUNNING':
                raise ServiceError('InvalidParameterValueException',
                                   f'The step {step["stepExecutionId"]} is not waiting for an '
                                   'action.', 400)
            self._send(image, call)
            return {'stepExecutionId': step['stepExecutionId'], 'imageBuildVersionArn': image.arn}
        return self._once(call, act)

    def _send(self, image, call):
        # What was made up so far becomes fixed, so that the step's new state is kept.
        image.workflows = image.executions(call.now)
        _, flow, step = self._find_step(call)
        step['endTime'] = iso(call.now)
        if call.params['action'] == 'RESUME':
            step['status'] = 'COMPLETED'
            following = [s for s in flow['steps'] if s['status'] == 'PENDING']
            if following:
                following[0].update(status='RUNNING', startTime=iso(call.now))
            return
        step['status'] = flow['status'] = 'FAILED'
        flow['endTime'] = iso(call.now)
        image.events = []
        image.enter('FAILED', call.now,
                    f'Workflow Execution ID: {flow["workflowExecutionId"]} failed with reason: '
                    + call.params.get('reason', 'stopped'))

    # Tags ----------------------------------------------------------------------------------

    def _tags(self, call):
        arn = call.params['resourceArn']
        holder = self.world.images.get(arn) or self.world.pipelines.get(arn)
        if holder is not None:
            return holder.tags
        if BUILD_ARN.match(arn) or PIPELINE_ARN.match(arn):
            raise not_found(arn)
        return self.world.other_tags.setdefault(arn, {})

    def op_ListTagsForResource(self, call):
        return {'tags': dict(self._tags(call))} if self._tags(call) else {}

    def op_TagResource(self, call):
        self._tags(call).update(call.params.get('tags', {}))
        return {}

    def op_UntagResource(self, call):
        tags = self._tags(call)
        for key in call.params.get('tagKeys', []):
            tags.pop(key, None)
        return {}


def latest(image):
    base = image.version_arn.rsplit('/', 1)[0]
    major, minor, patch = image.numbers[:3]
    return {'latestVersionArn': f'{base}/x.x.x', 'latestMajorVersionArn': f'{base}/{major}.x.x',
            'latestMinorVersionArn': f'{base}/{major}.{minor}.x',
            'latestPatchVersionArn': f'{base}/{major}.{minor}.{patch}'}


def metadata(flow):
    """A workflow execution without its steps, with the counts made from them."""
    steps = flow['steps']
    body = {k: v for k, v in flow.items() if k != 'steps'}
    counts = {'totalStepCount': len(steps)}
    for name, status in (('totalStepsSucceeded', 'COMPLETED'), ('totalStepsFailed', 'FAILED'),
                         ('totalStepsSkipped', 'SKIPPED')):
        counts[name] = sum(1 for s in steps if s['status'] == status)
    body = dict(counts, **body)
    body.setdefault('retried', False)
    return body
