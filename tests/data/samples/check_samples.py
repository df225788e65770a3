#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Check every sample body against botocore's Image Builder model (service-2.json).

Unknown members, wrong types, enum values, lengths, ranges and patterns are reported.
Known and wanted deviation: image 'version' is "1.0.0/1" on the wire although the
model's pattern says N.N.N (see README.md)."""
import json, os, re, sys, glob
import botocore, botocore.parsers, botocore.session
from botocore.model import ServiceModel
here = os.path.dirname(os.path.abspath(__file__))
model = botocore.session.get_session().get_service_model('imagebuilder')
raw = model._service_description['shapes']
bad = []
def walk(v, name, path, f):
    s = raw[name]; t = s['type']
    def e(m): bad.append(f'{f}: {path}: {m}')
    if t == 'structure':
        if not isinstance(v, dict): return e('not an object')
        for k in v:
            if k not in s['members']: e(f'unknown member {k}')
            else: walk(v[k], s['members'][k]['shape'], path+'.'+k, f)
        for r in s.get('required', []):
            if r not in v: e(f'required {r} missing')
    elif t == 'list':
        if not isinstance(v, list): return e('not a list')
        if len(v) < s.get('min', 0) or len(v) > s.get('max', 1 << 30): e('list size')
        for i, x in enumerate(v): walk(x, s['member']['shape'], f'{path}[{i}]', f)
    elif t == 'map':
        if not isinstance(v, dict): return e('not a map')
        if len(v) < s.get('min', 0) or len(v) > s.get('max', 1 << 30): e('map size')
        for k, x in v.items():
            walk(k, s['key']['shape'], path+'<key>', f); walk(x, s['value']['shape'], path+'.'+k, f)
    elif t == 'string':
        if not isinstance(v, str): return e('not a string')
        if len(v) < s.get('min', 0) or len(v) > s.get('max', 1 << 30): e(f'length {len(v)}')
        if 'enum' in s and v not in s['enum']: e(f'enum {v!r}')
        if 'pattern' in s and not re.search(s['pattern'], v):
            if path.endswith('.version') and re.fullmatch(r'\d+\.\d+\.\d+/\d+', v): return
            e(f'pattern {v!r} !~ {s["pattern"]}')
    elif t in ('integer', 'long'):
        if not isinstance(v, int) or isinstance(v, bool): return e('not an integer')
        if v < s.get('min', -1 << 60) or v > s.get('max', 1 << 60): e(f'range {v}')
    elif t == 'boolean':
        if not isinstance(v, bool): e('not a boolean')
    elif t == 'timestamp':
        if not isinstance(v, (int, float)): e('timestamp not a number')
OPS = {'get-image': 'GetImage', 'list-images': 'ListImages', 'list-image-build-versions': 'ListImageBuildVersions',
 'list-image-pipeline-images': 'ListImagePipelineImages', 'get-image-pipeline': 'GetImagePipeline', 'list-image-pipelines': 'ListImagePipelines',
 'create-image': 'CreateImage', 'cancel-image-creation': 'CancelImageCreation', 'start-image-pipeline-execution': 'StartImagePipelineExecution',
 'list-workflow-executions': 'ListWorkflowExecutions', 'get-workflow-execution': 'GetWorkflowExecution',
 'list-workflow-step-executions': 'ListWorkflowStepExecutions', 'get-workflow-step-execution': 'GetWorkflowStepExecution',
 'list-waiting-workflow-steps': 'ListWaitingWorkflowSteps', 'send-workflow-step-action': 'SendWorkflowStepAction'}
n = 0
for d, op in OPS.items():
    for f in sorted(glob.glob(os.path.join(here, d, '*.json'))):
        body = open(f, 'rb').read(); n += 1
        o = model.operation_model(op)
        walk(json.loads(body), o.output_shape.name, op, os.path.relpath(f, here))
        botocore.parsers.create_parser('rest-json').parse({'status_code': 200, 'headers': {}, 'body': body}, o.output_shape)
for f in sorted(glob.glob(os.path.join(here, 'requests', '*.json'))):
    op = {'create': 'CreateImage', 'cancel': 'CancelImageCreation'}.get(os.path.basename(f).split('-')[0]) or \
         ''.join(p.capitalize() for p in os.path.basename(f)[:-5].split('-'))
    n += 1; walk(json.load(open(f)), model.operation_model(op).input_shape.name, op, os.path.relpath(f, here))
for f in sorted(glob.glob(os.path.join(here, 'errors', '*.json'))):
    e = json.load(open(f)); n += 1
    hd = botocore.awsrequest.HeadersDict(e['headers'])
    p = botocore.parsers.create_parser('rest-json').parse({'status_code': e['status'], 'headers': hd, 'body': e['body'].encode()}, model.operation_model('CancelImageCreation').output_shape)
    if '-v' in sys.argv: print(f"{os.path.basename(f):42} {e['status']} -> {p['Error']}")
for f in glob.glob(os.path.join(here, '**', '*.json'), recursive=True): json.load(open(f))
sc = json.load(open(os.path.join(here, 'scenarios.json')))
for k, v in sc.items():
    if isinstance(v, list):
        for s in v:
            if not os.path.exists(os.path.join(here, s['file'])): bad.append(f'scenario {k}: no file {s["file"]}')
print('\n'.join(bad)); print(f'botocore {botocore.__version__}: {n} bodies checked, {len(bad)} problems')
sys.exit(bool(bad))
