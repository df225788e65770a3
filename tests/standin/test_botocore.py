#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The stand-in seen by botocore: operations, errors, paging, signatures, credential services."""
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
for name in list(os.environ):
    if name.startswith('AWS_') or name.lower().endswith('_proxy'):
        del os.environ[name]
os.environ['AWS_CONFIG_FILE'] = os.environ['AWS_SHARED_CREDENTIALS_FILE'] = '/nonexistent/file'

import datetime  # noqa: E402
import json  # noqa: E402
import time  # noqa: E402

import botocore.session  # noqa: E402
from botocore import UNSIGNED  # noqa: E402
from botocore.auth import SigV4Auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.config import Config  # noqa: E402
from botocore.credentials import (ContainerProvider, Credentials,  # noqa: E402
                                  InstanceMetadataProvider)
from botocore.exceptions import ClientError  # noqa: E402
from botocore.utils import ContainerMetadataFetcher, InstanceMetadataFetcher  # noqa: E402

from tap import KEY, SECRET, Standin, Tests, has, same, until  # noqa: E402

standin = Standin()
test = Tests()
SESSION = botocore.session.Session()
REGION = 'eu-central-1'
ARN = f'arn:aws:imagebuilder:{REGION}:123456789012:image/web-server/1.4.2/7'
INFRA = f'arn:aws:imagebuilder:{REGION}:123456789012:infrastructure-configuration/small'
RECIPE = f'arn:aws:imagebuilder:{REGION}:123456789012:image-recipe/web-server/1.4.2'
CLIENTS = {}


def client(service='imagebuilder', key=KEY, secret=SECRET, token=None, region=REGION, **config):
    where = (service, key, secret, token, region, str(config))
    if where not in CLIENTS:
        config.setdefault('retries', {'max_attempts': 0})
        CLIENTS[where] = SESSION.create_client(
            service, region_name=region, endpoint_url=standin.url, aws_access_key_id=key,
            aws_secret_access_key=secret, aws_session_token=token, config=Config(**config))
    return CLIENTS[where]


def refused(call, code, status=None, **params):
    """The call must fail with this code; gives the message."""
    try:
        answer = call(**params)
    except ClientError as error:
        same(error.response['Error']['Code'], code, 'error code')
        if status is not None:
            same(error.response['ResponseMetadata']['HTTPStatusCode'], status, 'status')
        return error.response['Error']['Message']
    raise AssertionError(f'was not refused: {answer}')


def get(arn=ARN, **who):
    return client(**who).get_image(imageBuildVersionArn=arn)['image']


def cancel(arn=ARN, token='one', **who):
    return client(**who).cancel_image_creation(imageBuildVersionArn=arn, clientToken=token)


def pages_of(call, **params):
    """All pages: Debian's botocore has no paginators for this service."""
    pages = [call(**params)]
    while 'nextToken' in pages[-1]:
        pages.append(call(nextToken=pages[-1]['nextToken'], **params))
    return pages


def signed(method='GET', target='/GetImage?imageBuildVersionArn=' + ARN.replace(':', '%3A').replace(
        '/', '%2F'), body=b'', key=KEY, secret=SECRET, service='imagebuilder', headers=None):
    """A request signed by botocore, to be tampered with."""
    request = AWSRequest(method=method, url=standin.url + target, data=body, headers=headers or {})
    SigV4Auth(Credentials(key, secret), service, REGION).add_auth(request)
    return method, target, body, dict(request.headers.items())


def send(method, target, body, headers):
    status, heads, text = standin.raw(method, target, body or None, headers)
    return status, heads.get('x-amzn-ErrorType', ''), text.decode()


# Images ------------------------------------------------------------------------------------

@test
def _():
    """GetImage answers state, recipe, pipeline and date of a build."""
    standin.ctl('add-image', arn=ARN, age_s=7980, pipeline='web-server', tags={'team': 'web'})
    image = get()
    same(image['state'], {'status': 'BUILDING'})
    same(image['version'], '1.4.2/7')
    same(image['sourcePipelineName'], 'web-server')
    same(image['tags'], {'team': 'web'})
    made = datetime.datetime.strptime(image['dateCreated'], '%Y-%m-%dT%H:%M:%S.%fZ')
    age = (datetime.datetime.utcnow() - made).total_seconds()
    if not 7978 <= age <= 7995:
        raise AssertionError(f'age {age}')


@test
def _():
    """every one of the 12 states is answered as set."""
    for status in standin.ctl('statuses')['statuses']:
        arn = standin.ctl('add-image', name='each', status=status)['arn']
        same(get(arn)['state']['status'], status)
    same(standin.ctl('problems')['problems'], [])


@test
def _():
    """GetImage on a version or wildcard ARN sees builds that became AVAILABLE, and no others."""
    for build, version, status in ((1, '1.0.0', 'AVAILABLE'), (2, '1.0.0', 'BUILDING'),
                                   (1, '1.2.0', 'AVAILABLE'), (1, '1.10.0', 'AVAILABLE'),
                                   (1, '2.0.0', 'FAILED'), (2, '1.10.0', 'DEPRECATED')):
        standin.ctl('add-image', name='v', version=version, build=build, status=status)
    base = f'arn:aws:imagebuilder:{REGION}:123456789012:image/v/'
    same(get(base + '1.0.0')['arn'], base + '1.0.0/1')
    same(get(base + 'x.x.x')['arn'], base + '1.10.0/1')
    same(get(base + '1.x.x')['arn'], base + '1.10.0/1')
    same(get(base + '1.2.x')['arn'], base + '1.2.0/1')
    refused(client().get_image, 'ResourceNotFoundException', 404,
            imageBuildVersionArn=base + '2.x.x')


@test
def _():
    """an image that is not there is 404, an ARN that is none is 400."""
    refused(client().get_image, 'ResourceNotFoundException', 404, imageBuildVersionArn=ARN)
    message = refused(client().get_image, 'InvalidRequestException', 400,
                      imageBuildVersionArn='ami-1')
    has(message, 'imageBuildVersionArn')


@test
def _():
    """an ARN of another Region is refused."""
    standin.ctl('add-image', arn=ARN)
    refused(client(region='us-west-2').get_image, 'InvalidRequestException', 400,
            imageBuildVersionArn=ARN)


@test
def _():
    """a build moves by its script, and its reason comes with the state."""
    standin.ctl('add-image', arn=ARN, script=[[0, 'PENDING'], [1, 'BUILDING'],
                                             [1.1, 'FAILED', 'SSM Agent verification failed']])
    same(get()['state'], {'status': 'PENDING'})
    until('FAILED', lambda: get()['state']['status'])
    same(get()['state']['reason'], 'SSM Agent verification failed')
    same([status for _, status in standin.ctl('state', arn=ARN)['history']],
         ['PENDING', 'BUILDING', 'FAILED'])


@test
def _():
    """a cancel lands later: the next read still shows the old state, the one after CANCELLED."""
    standin.ctl('add-image', arn=ARN)
    same(cancel()['imageBuildVersionArn'], ARN)
    same([get()['state']['status'] for _ in range(3)], ['BUILDING', 'CANCELLED', 'CANCELLED'])


@test
def _():
    """a cancel may never land, or lose the race to AVAILABLE or FAILED."""
    standin.ctl('add-image', arn=ARN, on_cancel='never')
    cancel()
    same([get()['state']['status'] for _ in range(4)], ['BUILDING'] * 4)
    for status in ('AVAILABLE', 'FAILED'):
        arn = standin.ctl('add-image', name=status.lower(),
                          on_cancel={'polls': 0, 'status': status})['arn']
        cancel(arn, status)
        same(get(arn)['state']['status'], status)


@test
def _():
    """a cancel after S seconds lands then, without being read."""
    standin.ctl('add-image', arn=ARN, on_cancel={'after_s': 1})
    cancel()
    same(standin.ctl('state', arn=ARN)['status'], 'BUILDING')
    until('CANCELLED', lambda: standin.ctl('state', arn=ARN)['status'])


@test
def _():
    """cancelling what has ended is InvalidParameterValue, what is gone ResourceNotFound."""
    for status in ('AVAILABLE', 'CANCELLED', 'FAILED', 'DEPRECATED', 'DELETED', 'DISABLED'):
        arn = standin.ctl('add-image', name='ended', status=status)['arn']
        refused(client().cancel_image_creation, 'InvalidParameterValueException', 400,
                imageBuildVersionArn=arn, clientToken='t' + status)
        same(standin.ctl('cancels', arn=arn)['cancels'], 0)
    refused(client().cancel_image_creation, 'ResourceNotFoundException', 404,
            imageBuildVersionArn=ARN, clientToken='x')


@test
def _():
    """the same cancel token twice is one cancel, with another build a mismatch."""
    standin.ctl('add-image', arn=ARN)
    other = standin.ctl('add-image', name='other')['arn']
    first, second = cancel(), cancel()
    same(first['requestId'] == second['requestId'], False)
    same(standin.ctl('cancels', arn=ARN)['cancels'], 1)
    same(standin.ctl('count', op='CancelImageCreation', arn=ARN)['count'], 2)
    refused(client().cancel_image_creation, 'IdempotentParameterMismatchException', 400,
            imageBuildVersionArn=other, clientToken='one')
    cancel(token='two')
    same(standin.ctl('cancels', arn=ARN)['cancels'], 2)


@test
def _():
    """the answer to an accepted token is the same after the build has ended."""
    standin.ctl('add-image', arn=ARN, on_cancel={'after_s': 0})
    cancel()
    same(get()['state']['status'], 'CANCELLED')
    same(cancel()['imageBuildVersionArn'], ARN)


@test
def _():
    """CreateImage makes one build per token, counts builds up and refuses a changed repetition."""
    call = dict(imageRecipeArn=RECIPE, infrastructureConfigurationArn=INFRA)
    one = client().create_image(clientToken='a', **call)
    again = client().create_image(clientToken='a', **call)
    two = client().create_image(clientToken='b', **call)
    same(one['imageBuildVersionArn'], ARN[:-1] + '1')
    same(again['imageBuildVersionArn'], one['imageBuildVersionArn'])
    same(two['imageBuildVersionArn'], ARN[:-1] + '2')
    same(one['clientToken'], 'a')
    same(get(one['imageBuildVersionArn'])['state']['status'], 'PENDING')
    refused(client().create_image, 'IdempotentParameterMismatchException', 400, clientToken='a',
            imageRecipeArn=RECIPE.replace('1.4.2', '1.4.3'), infrastructureConfigurationArn=INFRA)


@test
def _():
    """the same token serves CreateImage and CancelImageCreation side by side."""
    arn = client().create_image(clientToken='fixed', imageRecipeArn=RECIPE,
                                infrastructureConfigurationArn=INFRA)['imageBuildVersionArn']
    cancel(arn, 'fixed')
    same(standin.ctl('cancels', arn=arn)['cancels'], 1)


@test
def _():
    """CreateImage wants exactly one recipe, and a role where workflows are given."""
    refused(client().create_image, 'InvalidRequestException', 400, clientToken='a',
            infrastructureConfigurationArn=INFRA)
    refused(client().create_image, 'InvalidRequestException', 400, clientToken='a',
            infrastructureConfigurationArn=INFRA, imageRecipeArn=RECIPE,
            containerRecipeArn=RECIPE.replace('image-recipe', 'container-recipe'))


@test
def _():
    """a container recipe makes a DOCKER image."""
    made = client().create_image(
        clientToken='c', infrastructureConfigurationArn=INFRA,
        containerRecipeArn=RECIPE.replace('image-recipe', 'container-recipe'))
    image = get(made['imageBuildVersionArn'])
    same((image['type'], 'containerRecipe' in image), ('DOCKER', True))


@test
def _():
    """a running image cannot be deleted; an ended one is gone afterwards."""
    standin.ctl('add-image', arn=ARN)
    refused(client().delete_image, 'ResourceDependencyException', 400, imageBuildVersionArn=ARN)
    standin.ctl('set-image', arn=ARN, status='FAILED')
    client().delete_image(imageBuildVersionArn=ARN)
    refused(client().get_image, 'ResourceNotFoundException', 404, imageBuildVersionArn=ARN)


# Lists -------------------------------------------------------------------------------------

@test
def _():
    """ListImages pages by 25, gives versions without a state, in no useful order."""
    for number in range(60):
        for build in (1, 2):
            standin.ctl('add-image', name=f'n{number:02d}', build=build, status='AVAILABLE')
    pages = pages_of(client().list_images)
    same([len(p['imageVersionList']) for p in pages], [25, 25, 10])
    names = [v['name'] for p in pages for v in p['imageVersionList']]
    same(sorted(names), [f'n{n:02d}' for n in range(60)])
    same(names == sorted(names), False, 'sorted')
    same('state' in pages[0]['imageVersionList'][0], False)


@test
def _():
    """ListImageBuildVersions gives every build of a version with its state."""
    for number in range(30):
        standin.ctl('add-image', name='web-server', version='1.4.2',
                    status='BUILDING' if number == 3 else 'AVAILABLE')
    pages = pages_of(client().list_image_build_versions, imageVersionArn=ARN.rsplit('/', 1)[0])
    found = [s for p in pages for s in p['imageSummaryList']]
    same((len(pages), len(found)), (2, 30))
    same([s['version'] for s in found if s['state']['status'] == 'BUILDING'], ['1.4.2/4'])


@test
def _():
    """ListImageBuildVersions without an ARN lists all builds of the Region."""
    standin.ctl('add-image', name='a')
    standin.ctl('add-image', name='b')
    standin.ctl('add-image', name='c', region='us-west-2')
    status, _, text = send(*signed('POST', '/ListImageBuildVersions', b'{}'))
    same((status, len(json.loads(text)['imageSummaryList'])), (200, 2))


@test
def _():
    """a token that was made up, or made for another list, is refused."""
    for number in range(30):
        standin.ctl('add-image', name=f'n{number}', pipeline='p')
    token = client().list_images()['nextToken']
    for wrong in ('zzz', 'W10=', token[:-4]):
        refused(client().list_images, 'InvalidPaginationTokenException', 400, nextToken=wrong)
    refused(client().list_images, 'InvalidPaginationTokenException', 400, nextToken=token,
            byName=True)
    same(len(client().list_images(nextToken=token)['imageVersionList']), 5)


@test
def _():
    """filters are applied, and unknown ones refused."""
    standin.ctl('add-image', name='lin')
    standin.ctl('add-image', name='win', platform='Windows')
    found = client().list_images(filters=[{'name': 'platform', 'values': ['Windows', 'macOS']}])
    same([v['name'] for v in found['imageVersionList']], ['win'])
    refused(client().list_images, 'InvalidRequestException', 400,
            filters=[{'name': 'colour', 'values': ['red']}])


@test
def _():
    """a pipeline lists its builds; one that nobody made is 404."""
    pipeline = standin.ctl('add-pipeline', name='nightly')['arn']
    same(client().list_image_pipeline_images(imagePipelineArn=pipeline)['imageSummaryList'], [])
    standin.ctl('add-image', arn=ARN, pipeline='nightly')
    standin.ctl('add-image', name='stray')
    found = client().list_image_pipeline_images(imagePipelineArn=pipeline)['imageSummaryList']
    same([s['arn'] for s in found], [ARN])
    refused(client().list_image_pipeline_images, 'ResourceNotFoundException', 404,
            imagePipelineArn=pipeline + '-not')


@test
def _():
    """a new build is not in lists before the delay is over, and GetImage knows it at once."""
    standin.ctl('list-delay', seconds=1)
    standin.ctl('add-image', arn=ARN)
    same(get()['arn'], ARN)
    same(client().list_images()['imageVersionList'], [])
    until(1, lambda: len(client().list_images()['imageVersionList']))


@test
def _():
    """a pipeline execution makes a build of this pipeline, once per token."""
    pipeline = standin.ctl('add-pipeline', name='nightly', image_name='web-server',
                           version='1.4.2')['arn']
    start = client().start_image_pipeline_execution
    arn = start(imagePipelineArn=pipeline, clientToken='a')['imageBuildVersionArn']
    same(start(imagePipelineArn=pipeline, clientToken='a')['imageBuildVersionArn'], arn)
    same(arn, ARN[:-1] + '1')
    same(get(arn)['sourcePipelineArn'], pipeline)
    body = client().get_image_pipeline(imagePipelineArn=pipeline)['imagePipeline']
    same((body['name'], body['status']), ('nightly', 'ENABLED'))
    refused(start, 'ResourceNotFoundException', 404, imagePipelineArn=pipeline + 'x',
            clientToken='b')


@test
def _():
    """ListImagePipelines filters by name and status."""
    standin.ctl('add-pipeline', name='on')
    standin.ctl('add-pipeline', name='off', status='DISABLED')
    found = client().list_image_pipelines(filters=[{'name': 'status', 'values': ['DISABLED']}])
    same([p['name'] for p in found['imagePipelineList']], ['off'])


@test
def _():
    """tags are put, listed and taken away; the ARN travels in the path."""
    standin.ctl('add-image', arn=ARN, tags={'a': '1'})
    client().tag_resource(resourceArn=ARN, tags={'b': '2'})
    client().untag_resource(resourceArn=ARN, tagKeys=['a'])
    same(client().list_tags_for_resource(resourceArn=ARN)['tags'], {'b': '2'})


@test
def _():
    """every operation of botocore's model is known, checks its parameters and answers validly."""
    model = client().meta.service_model
    known = {'ResourceNotFoundException', 'InvalidRequestException'}
    for operation in model.operation_names:
        params = {}
        for member in model.operation_model(operation).input_shape.required_members:
            shape = model.operation_model(operation).input_shape.members[member]
            params[member] = example(member, shape)
        call = getattr(client(), botocore.xform_name(operation))
        try:
            call(**params)
        except ClientError as error:
            code = error.response['Error']['Code']
            if code not in known:
                raise AssertionError(f'{operation}: {error}') from error
    same(standin.ctl('problems')['problems'], [])
    same(standin.ctl('count', op='*', status='any')['count'], len(model.operation_names))


def example(member, shape):
    """A value that fits a required parameter."""
    if shape.type_name == 'structure':
        return {m: example(m, shape.members[m]) for m in shape.required_members}
    if shape.type_name == 'list':
        return [example(member, shape.member)]
    if shape.type_name == 'map':
        return {'k': 'v'}
    if shape.type_name in ('integer', 'long'):
        return 60
    if shape.type_name == 'boolean':
        return True
    if shape.enum:
        return shape.enum[0]
    base = f'arn:aws:imagebuilder:{REGION}:123456789012:'
    found = {'imageBuildVersionArn': ARN, 'componentBuildVersionArn': base + 'component/c/1.0.0/1',
             'componentVersionArn': base + 'component/c/1.0.0',
             'componentArn': base + 'component/c/1.0.0/1',
             'imagePipelineArn': base + 'image-pipeline/p', 'imageRecipeArn': RECIPE,
             'containerRecipeArn': RECIPE.replace('image-', 'container-'),
             'infrastructureConfigurationArn': INFRA, 'imageArn': ARN, 'resourceArn': ARN,
             'distributionConfigurationArn': base + 'distribution-configuration/d',
             'imageVersionArn': ARN[:-2], 'semanticVersion': '1.0.0', 'version': '1.0.0'}
    return found.get(member, 'some-text')


# Signatures --------------------------------------------------------------------------------

@test
def _():
    """a good signature is taken, with every parameter in the query or the body."""
    standin.ctl('add-image', arn=ARN)
    same(send(*signed())[0], 200)
    body = json.dumps({'imageBuildVersionArn': ARN, 'clientToken': 'x'}).encode()
    same(send(*signed('PUT', '/CancelImageCreation', body))[0], 200)


@test
def _():
    """a request changed after signing is refused: body, query, path, method, header, signature."""
    standin.ctl('add-image', arn=ARN)
    body = json.dumps({'imageBuildVersionArn': ARN, 'clientToken': 'x'}).encode()
    put = signed('PUT', '/CancelImageCreation', body, headers={'Content-Type': 'application/json'})
    get_image = signed()
    tampered = [
        (put[0], put[1], body.replace(b'"x"', b'"y"'), put[3]),
        (put[0], '/RetryImage', body, put[3]), ('POST', put[1], body, put[3]),
        (put[0], put[1] + '?a=b', body, put[3]),
        (put[0], put[1], body, dict(put[3], **{'Content-Type': 'text/plain'})),
        (get_image[0], get_image[1].replace('%2F7', '%2F8'), b'', get_image[3]),
        (get_image[0], get_image[1], b'', dict(get_image[3], Authorization=get_image[3][
            'Authorization'][:-1] + ('0' if get_image[3]['Authorization'][-1] != '0' else '1'))),
    ]
    for request in tampered:
        status, kind, text = send(*request)
        same((status, kind), (403, 'InvalidSignatureException'), str(request[:2]))
        has(text, 'does not match the signature you provided')
    same(standin.ctl('cancels', arn=ARN)['cancels'], 0)


@test
def _():
    """no signature, a half one, an unknown key and a wrong secret have their own errors."""
    request = signed()
    without = {k: v for k, v in request[3].items() if k != 'Authorization'}
    same(send(*request[:3], without)[:2], (403, 'MissingAuthenticationTokenException'))
    for broken in ('AWS4-HMAC-SHA256 Credential=x', 'Basic abc', 'AWS4-HMAC-SHA256 ' + 'x' * 5000,
                   request[3]['Authorization'].replace('SignedHeaders', 'Signedheaders'),
                   request[3]['Authorization'].replace('aws4_request', 'aws5_request')):
        same(send(*request[:3], dict(request[3], Authorization=broken))[:2],
             (403, 'IncompleteSignatureException'))
    refused(client(key='AKIDUNKNOWN').list_images, 'UnrecognizedClientException', 403)
    refused(client(secret='wrong').list_images, 'InvalidSignatureException', 403)


@test
def _():
    """a signature for another service, or with the host left out, is refused."""
    status, kind, text = send(*signed(service='ec2'))
    same((status, kind), (403, 'InvalidSignatureException'))
    has(text, 'correct service')
    method, target, body, headers = signed()
    headers['Authorization'] = headers['Authorization'].replace('host;', '')
    same(send(method, target, body, headers)[0], 403)


@test
def _():
    """a header of AWS that is sent but not signed is refused."""
    method, target, body, headers = signed()
    status, _, text = send(method, target, body, dict(headers, **{'X-Amz-Meta': 'x'}))
    same(status, 403)
    has(text, 'x-amz-meta')


@test
def _():
    """a clock that is off by more than five minutes is told both times."""
    standin.ctl('set-clock-skew', seconds=400)
    message = refused(client().list_images, 'InvalidSignatureException', 403)
    has(message, 'Signature expired: ')
    has(message, ' - 5 min.)')
    standin.ctl('set-clock-skew', seconds=-400)
    has(refused(client().list_images, 'InvalidSignatureException', 403),
        'Signature not yet current')
    standin.ctl('set-clock-skew', seconds=200)
    client().list_images()


@test
def _():
    """a session token must be the right one, and be there; expired ones have their own error."""
    standin.ctl('credentials', key='ASIATEST', secret='s', token='tok')
    client(key='ASIATEST', secret='s', token='tok').list_images()
    refused(client(key='ASIATEST', secret='s', token='other').list_images,
            'UnrecognizedClientException', 403)
    refused(client(key='ASIATEST', secret='s').list_images, 'UnrecognizedClientException', 403)
    standin.ctl('credentials', key='ASIATEST', secret='s', token='tok', expires_in_s=-1)
    refused(client(key='ASIATEST', secret='s', token='tok').list_images,
            'ExpiredTokenException', 403)


# Faults ------------------------------------------------------------------------------------

@test
def _():
    """a throttle strikes as often as told, with its headers, and is seen by its code."""
    standin.ctl('add-image', arn=ARN)
    standin.ctl('add-fault', op='GetImage', kind='throttle', times=2, retry_after_ms=1500)
    for _ in range(2):
        refused(client().get_image, 'CallRateLimitExceededException', 429, imageBuildVersionArn=ARN)
    get()
    same(send(*signed())[0], 200)
    same(standin.ctl('count', op='GetImage')['count'], 2)
    same(standin.ctl('count', op='GetImage', status='any')['count'], 4)


@test
def _():
    """IAM's denial comes with a capital Message, as from the real front end."""
    standin.ctl('add-fault', op='CancelImageCreation', kind='error', code='AccessDeniedException',
                status=403, message='User: x is not authorized', capital_message=True)
    standin.ctl('add-image', arn=ARN)
    same(refused(client().cancel_image_creation, 'AccessDeniedException', 403,
                 imageBuildVersionArn=ARN, clientToken='a'), 'User: x is not authorized')
    same(standin.ctl('cancels', arn=ARN)['cancels'], 0)


@test
def _():
    """a lost reply leaves the cancel in effect; the repetition with its token changes nothing."""
    standin.ctl('add-image', arn=ARN, on_cancel='never')
    standin.ctl('add-fault', op='CancelImageCreation', kind='reset', apply=True, times=1)
    client(retries={'mode': 'standard', 'max_attempts': 2}).cancel_image_creation(
        imageBuildVersionArn=ARN, clientToken='once')
    same(standin.ctl('cancels', arn=ARN)['cancels'], 1)
    found = standin.ctl('requests', op='CancelImageCreation')['requests']
    same([(r['status'], r['applied'], r['client_token']) for r in found],
         [(0, True, 'once'), (200, True, 'once')])


@test
def _():
    """an empty page with a token leads to the real ones."""
    standin.ctl('add-image', arn=ARN)
    standin.ctl('add-fault', op='ListImages', kind='empty-page', times=1)
    pages = pages_of(client().list_images)
    same([len(p['imageVersionList']) for p in pages], [0, 1])


# Credential services -----------------------------------------------------------------------

def from_sts(answer):
    got = answer['Credentials']
    return dict(key=got['AccessKeyId'], secret=got['SecretAccessKey'], token=got['SessionToken'])


@test
def _():
    """STS tells who calls, and refuses wrong signatures by the names of query services."""
    same(client('sts').get_caller_identity()['Arn'], 'arn:aws:iam::123456789012:user/monitoring')
    refused(client('sts', secret='x').get_caller_identity, 'SignatureDoesNotMatch', 403)
    refused(client('sts', key='AKIDUNKNOWN').get_caller_identity, 'InvalidClientTokenId', 403)
    refused(client('sts', signature_version=UNSIGNED).get_caller_identity,
            'MissingAuthenticationToken', 403)


ROLE = 'arn:aws:iam::210987654321:role/mon'


@test
def _():
    """a role's credentials work for Image Builder and act in the role's account."""
    who = from_sts(client('sts').assume_role(RoleArn=ROLE, RoleSessionName='mon'))
    same(client('sts', **who).get_caller_identity()['Arn'],
         'arn:aws:sts::210987654321:assumed-role/mon/mon')
    arn = client(**who).create_image(
        clientToken='t', imageRecipeArn=RECIPE,
        infrastructureConfigurationArn=INFRA)['imageBuildVersionArn']
    has(arn, ':210987654321:')
    get(arn, **who)


@test
def _():
    """a role may want an external id, or be closed; a session name must be valid."""
    standin.ctl('set-services', roles={ROLE: {'external_id': 'secret-1', 'max_duration_s': 3600},
                                       ROLE + '2': {'assumable': False}})
    call = client('sts').assume_role
    refused(call, 'AccessDenied', 403, RoleArn=ROLE, RoleSessionName='mon')
    refused(call, 'AccessDenied', 403, RoleArn=ROLE, RoleSessionName='mon', ExternalId='secret-2')
    call(RoleArn=ROLE, RoleSessionName='mon', ExternalId='secret-1')
    has(refused(call, 'AccessDenied', 403, RoleArn=ROLE + '2', RoleSessionName='mon'),
        'is not authorized to perform: sts:AssumeRole on resource: ' + ROLE)
    refused(call, 'ValidationError', 400, RoleArn=ROLE, RoleSessionName='a b',
            ExternalId='secret-1')
    refused(call, 'ValidationError', 400, RoleArn=ROLE, RoleSessionName='mon',
            ExternalId='secret-1', DurationSeconds=7200)


@test
def _():
    """credentials handed out expire when told."""
    who = from_sts(client('sts').assume_role(RoleArn=ROLE, RoleSessionName='mon'))
    client(**who).list_images()
    standin.ctl('expire-credentials')
    refused(client(**who).list_images, 'ExpiredTokenException', 403)
    refused(client('sts', **who).get_caller_identity, 'ExpiredToken', 403)


@test
def _():
    """web identity needs no signature, and a token that is accepted."""
    standin.ctl('set-services', web_identity={'token': 'jwt-1'})
    sts = client('sts', signature_version=UNSIGNED)
    who = from_sts(sts.assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName='mon',
                                                     WebIdentityToken='jwt-1'))
    client(**who).list_images()
    refused(sts.assume_role_with_web_identity, 'InvalidIdentityToken', 400, RoleArn=ROLE,
            RoleSessionName='mon', WebIdentityToken='other')


@test
def _():
    """faults strike STS in its own shape."""
    standin.ctl('add-fault', op='AssumeRoleWithWebIdentity', kind='error', status=400,
                code='IDPCommunicationError')
    refused(client('sts', signature_version=UNSIGNED).assume_role_with_web_identity,
            'IDPCommunicationError', 400, RoleArn=ROLE, RoleSessionName='mon',
            WebIdentityToken='jwt-1')


def imds():
    fetcher = InstanceMetadataFetcher(timeout=2, num_attempts=1, base_url=standin.url + '/')
    return InstanceMetadataProvider(iam_role_fetcher=fetcher).load()


@test
def _():
    """instance metadata hands out credentials by a token that was put first."""
    got = imds().get_frozen_credentials()
    client(key=got.access_key, secret=got.secret_key, token=got.token).list_images()
    ops = [r['op'] for r in standin.ctl('requests', service='imds')['requests']]
    same(ops, ['ImdsToken', 'ImdsRoleList', 'ImdsRole'])
    path = '/latest/meta-data/placement/region'
    same(standin.raw('GET', path)[0], 401)
    same(standin.raw('GET', path, headers={'X-aws-ec2-metadata-token': 'made-up'})[0], 401)
    same(standin.raw('PUT', '/latest/api/token')[0], 400)
    token = standin.raw('PUT', '/latest/api/token', headers={
        'X-aws-ec2-metadata-token-ttl-seconds': '60'})[2].decode()
    same(standin.raw('GET', path, headers={'X-aws-ec2-metadata-token': token})[2], b'eu-central-1')


@test
def _():
    """without the token call, version 1 serves when it is switched on, and not before."""
    standin.ctl('add-fault', op='ImdsToken', kind='http', status=404)
    same(imds(), None)
    standin.ctl('set-services', imds={'v1': True})
    same(imds() is None, False)


@test
def _():
    """an instance without a role, and a role that EC2 may not assume, give nothing."""
    standin.ctl('set-services', imds={'role': ''})
    same(imds(), None)
    standin.ctl('set-services', imds={'role': 'r', 'code': 'AssumeRoleUnauthorizedAccess'})
    same(imds(), None)


@test
def _():
    """a container gets credentials by the path and token it was given."""
    standin.ctl('set-services', container={'token': 'pod-token'})
    for path in ('/v1/credentials', '/v2/credentials/1234'):
        found = ContainerMetadataFetcher().retrieve_full_uri(
            standin.url + path, {'Authorization': 'pod-token'})
        client(key=found['AccessKeyId'], secret=found['SecretAccessKey'],
               token=found['Token']).list_images()
        same(standin.raw('GET', path)[0], 401)
        same(standin.raw('GET', path, headers={'Authorization': 'other'})[0], 401)
    provider = ContainerProvider(environ={
        'AWS_CONTAINER_CREDENTIALS_FULL_URI': standin.url + '/v1/credentials',
        'AWS_CONTAINER_AUTHORIZATION_TOKEN': 'pod-token'})
    same(provider.load().get_frozen_credentials().access_key, found['AccessKeyId'])


@test
def _():
    """the SSO portal gives a role's credentials for a valid access token."""
    sso = client('sso', signature_version=UNSIGNED)
    call = dict(roleName='ImageBuilderMonitor', accountId='123456789012')
    got = sso.get_role_credentials(accessToken='aoaEXAMPLE', **call)['roleCredentials']
    if not time.time() * 1000 < got['expiration'] <= (time.time() + 3700) * 1000:
        raise AssertionError(f'expiration {got["expiration"]} is not in milliseconds')
    client(key=got['accessKeyId'], secret=got['secretAccessKey'],
           token=got['sessionToken']).list_images()
    refused(sso.get_role_credentials, 'UnauthorizedException', 401, accessToken='zzz', **call)
    refused(sso.get_role_credentials, 'ForbiddenException', 403, accessToken='aoaEXAMPLE',
            roleName='Admin', accountId='123456789012')


@test
def _():
    """SSO OIDC renews an access token once per refresh token."""
    oidc = client('sso-oidc', signature_version=UNSIGNED)
    call = dict(clientId='client-EXAMPLE', clientSecret='secret-EXAMPLE', grantType='refresh_token')
    got = oidc.create_token(refreshToken='aorEXAMPLE', **call)
    client('sso', signature_version=UNSIGNED).get_role_credentials(
        accessToken=got['accessToken'], roleName='ImageBuilderMonitor', accountId='123456789012')
    refused(oidc.create_token, 'InvalidGrantException', 400, refreshToken='aorEXAMPLE', **call)
    oidc.create_token(refreshToken=got['refreshToken'], **call)
    call['clientSecret'] = 'x'
    refused(oidc.create_token, 'InvalidClientException', 401, refreshToken='z', **call)


@test
def _():
    """nothing that was answered so far broke a model."""
    standin.ctl('add-image', arn=ARN, waiting_step='Approve', status='BUILDING')
    for path, body in (('/ListWorkflowExecutions', {'imageBuildVersionArn': ARN}),
                       ('/ListWaitingWorkflowSteps', {})):
        same(send(*signed('POST', path, json.dumps(body).encode()))[0], 200)
    same(standin.ctl('problems')['problems'], [])


sys.exit(test.run(standin))
