# SPDX-License-Identifier: MIT
"""What the real tools say about a piece of configuration. Each function gives None when it is
right, else what is wrong; Missing when there is no such tool."""
import json
import os
import re
import shutil
import subprocess

from document import BUILD, TOP, read

SBIN = '/usr/sbin:/usr/bin:/sbin:/bin'


class Missing(Exception):
    pass


def tool(name):
    path = shutil.which(name, path=SBIN)
    if path is None:
        raise Missing(name + ' is not installed')
    return path


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
                          env={'PATH': SBIN, 'LC_ALL': 'C'})
    return done.returncode, done.stdout


def icinga2(world, text):
    folder = os.path.join(world.root, 'icinga')
    for name in ('etc', 'data', 'log', 'cache', 'spool', 'run'):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
    conf = os.path.join(TOP, 'conf', 'icinga2')
    path = world.file('icinga2.conf', f'''
const PluginDir = "{world.bin}"
const PluginContribDir = PluginDir
const NodeName = "master1"
const ZoneName = "master"
include <itl>
include "{conf}/ib-plugins.conf"
include "{conf}/ib-plugins-templates.conf"
object Endpoint NodeName {{ }}
object Zone ZoneName {{ endpoints = [ NodeName ] }}
{text}
''')
    user, group = run('id', '-un')[1].strip(), run('id', '-gn')[1].strip()
    command = [tool('icinga2'), 'daemon', '-C', '-c', path]
    for name, value in (('ConfigDir', 'etc'), ('DataDir', 'data'), ('LogDir', 'log'),
                        ('CacheDir', 'cache'), ('SpoolDir', 'spool'), ('InitRunDir', 'run')):
        command += ['-D', f'{name}={folder}/{value}']
    code, said = run(*command, '-D', f'RunAsUser={user}', '-D', f'RunAsGroup={group}')
    # A rule of services.conf that no host asks for is told, and is as it should be.
    problem = re.search(r'(?m)^.*(critical|warning)/(?!ApplyRule: .*ib-(unconfirmed|sweep)\b.*does not match).*$',
                        said)
    return None if code == 0 and not problem else said


def nagios(world, text):
    folder = os.path.join(world.root, 'nagios')
    os.makedirs(folder + '/checkresults', exist_ok=True)
    objects = world.file('objects.cfg', text + '''
define timeperiod {
    timeperiod_name 24x7
    alias           always
    sunday          00:00-24:00
}
define command {
    command_name    nothing
    command_line    /bin/true
}
define contact {
    contact_name                    nobody
    service_notification_period     24x7
    host_notification_period        24x7
    service_notification_options    n
    host_notification_options       n
    service_notification_commands   nothing
    host_notification_commands      nothing
}
define contactgroup {
    contactgroup_name   admins
    alias               admins
    members             nobody
}
''')
    path = world.file('nagios.cfg', f'''
nagios_user={run('id', '-un')[1].strip()}
nagios_group={run('id', '-gn')[1].strip()}
log_file={folder}/log
cfg_file={BUILD}/conf/nagios/ib-plugins.cfg
cfg_file={objects}
object_cache_file={folder}/cache
precached_object_file={folder}/precache
status_file={folder}/status
lock_file={folder}/pid
temp_file={folder}/tmp
temp_path={folder}
check_result_path={folder}/checkresults
illegal_macro_output_chars=`~$&|'"<>
''')
    code, said = run(tool('nagios4'), '-v', path)
    good = code == 0 and re.search(r'Total Warnings: +0', said) and re.search(r'Total Errors: +0', said)
    return None if good else said


def libconfig(world, text):
    path = world.file('example.conf', text)
    keys = world.file('aws-config', '[profile monitoring]\naws_access_key_id = ' + world.key +
                      '\naws_secret_access_key = ' + world.secret + '\n')
    which = '--all-targets' if re.search('(?m)^targets', text) else '-A'
    code, said = world.shell(f'check_ib_image --config {path} {which} --diagnose', AWS_CONFIG_FILE=keys)
    world.ran()
    return None if code == 0 else said


def yaml(world, text):
    name = re.search(r'workflowId: (\S+)', text).group(1)  # what commands after it call it
    path = world.file(f'{name}.arazzo.yaml', text)
    code, said = world.shell(f'ib_workflow check {path}')
    world.ran()
    return None if code == 0 else said


def ini(world, text):
    """Files of the AWS configuration: each profile of it is used."""
    path = world.file('config', text)
    for name in re.findall(r'(?m)^\[(?:profile )?(\S+)\]', text):
        code, said = world.shell(f'check_ib_image -A -r eu-central-1 --profile {name} --diagnose',
                                 AWS_CONFIG_FILE=path)
        world.ran()
        if code != 0:
            return said
    return None


def systemd(world, text):
    """A piece of a unit: a program works with the environment that it gives."""
    pairs = dict(re.findall(r'(?m)^Environment=(\w+)=(.*)$', text))
    assert re.match(r'\[Service\]\n', text) and pairs, text
    world.shell('cp credentials /etc/ib-plugins/credentials')
    code, said = world.shell('check_ib_image -A --diagnose', AWS_ACCESS_KEY_ID='', AWS_SECRET_ACCESS_KEY='',
                             **{name: world.local(value) for name, value in pairs.items()})
    world.ran()
    return None if code == 0 else said


def mermaid(world, text):
    code, said = world.shell('ib_workflow show /usr/share/ib-plugins/workflows/'
                             'cancel-running-image-build.arazzo.yaml --format mermaid')
    world.ran()
    return None if code == 0 and said == text else 'ib_workflow show draws this:\n' + said


KNOWN_ACTIONS = {'iam:PassRole', 'iam:CreateServiceLinkedRole', 'sts:AssumeRole'}


def iam(name, text):
    """A policy that AWS would take, of actions that exist; AssertionError with what is wrong."""
    operations = {line.split('\t')[0] for line in read('tests/standin/operations.tsv').splitlines()[1:]}
    known = KNOWN_ACTIONS | {f'imagebuilder:{o[:1].upper()}{o[1:]}' for o in operations}
    policy = json.loads(text)
    assert set(policy) == {'Version', 'Statement'}, f'{name}: {sorted(policy)}'
    assert policy['Version'] == '2012-10-17', name
    ids = [s['Sid'] for s in policy['Statement']]
    assert len(set(ids)) == len(ids) and all(re.fullmatch('[A-Za-z0-9]+', i) for i in ids), f'{name}: {ids}'
    for statement in policy['Statement']:
        assert set(statement) <= {'Sid', 'Effect', 'Action', 'Resource', 'Principal', 'Condition'}, name
        assert statement['Effect'] == 'Allow', name
        assert statement['Action'] and set(statement['Action']) <= known, f'{name}: {statement["Action"]}'
        assert ('Resource' in statement) != ('Principal' in statement), name
        resource = statement.get('Resource', '*')
        assert resource == '*' or re.fullmatch(
            r'arn:aws:(imagebuilder|iam):[a-z0-9*-]*:(\d{12}|\*):[a-z-]+/\S+', resource), f'{name}: {resource}'


def json_text(_, text):
    value = json.loads(text)
    if isinstance(value, dict) and 'Statement' in value:
        iam('example', text)
    return None


VALIDATORS = {'icinga2': icinga2, 'nagios': nagios, 'libconfig': libconfig, 'yaml': yaml, 'ini': ini,
              'systemd': systemd,
              'mermaid': mermaid, 'json': json_text}
