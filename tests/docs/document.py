# SPDX-License-Identifier: MIT
"""Reads examples out of documents: fenced blocks of Markdown, .EX blocks of man pages, --help."""
import os
import re
import subprocess

TOP = os.environ.get('abs_top_srcdir') or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get('abs_top_builddir') or os.path.join(TOP, 'build')
PROGRAMS = ('check_ib_image', 'ib_cancel_action', 'ib_create_action', 'ib_workflow')
MAN = tuple(f'packaging/man/{p}.8' for p in PROGRAMS) + (
    'packaging/man/ib-plugins.conf.5', 'packaging/man/ib-workflow.5')


class Block:
    """One example: which document, its first line there, its language, its text."""

    def __init__(self, document, line, language, text):
        self.document, self.line, self.language, self.text = document, line, language, text

    def __str__(self):
        return f'{self.document}:{self.line} ({self.language or "no language"})'


def read(name):
    with open(os.path.join(TOP, name), encoding='utf-8') as handle:
        return handle.read()


def dedent(lines, width):
    return ''.join(line[width:] if line[:width] == ' ' * width else line.lstrip(' ') for line in lines)


def markdown(name):
    """The fenced blocks; one inside of a list is indented."""
    blocks, inside, begun = [], None, 0
    for number, line in enumerate(read(name).splitlines(True), 1):
        fence = re.match(r'( *)```(\S*)\s*$', line)
        if fence and inside is None:
            inside, begun, indent, language = [], number + 1, len(fence.group(1)), fence.group(2)
        elif fence:
            if language != 'text':  # a drawing, no example
                blocks.append(Block(name, begun, language, dedent(inside, indent)))
            inside = None
        elif inside is not None:
            inside.append(line)
    if inside is not None:
        raise ValueError(f'{name}: the block of line {begun} is not closed')
    return blocks


def plain(roff):
    """Text of a line of an example; these have no font changes."""
    text = roff.replace('\\-', '-').replace('\\(dq', '"').replace('\\(aq', "'")
    text = text.replace('\\(ha', '^').replace('\\(ti', '~')
    if text.startswith('\\&'):
        text = text[2:]
    return text.replace('\\e', '\\')


def man_page(name):
    r"""The .EX blocks. A comment right before says their language, '.\" sh' when there is none."""
    blocks, inside, begun, language = [], None, 0, 'sh'
    for number, line in enumerate(read(name).splitlines(True), 1):
        comment = re.match(r'\.\\" (console|icinga2|nagios|ini|json|libconfig|sh|systemd|yaml)\n', line)
        if comment:
            language = comment.group(1)
        elif line.startswith('.EX'):
            inside, begun = [], number + 1
        elif line.startswith('.EE'):
            blocks.append(Block(name, begun, language, ''.join(inside)))
            inside, language = None, 'sh'
        elif inside is not None:
            inside.append(plain(line))
    return blocks


def shown_help(program):
    return subprocess.run([os.path.join(BUILD, 'plugins', program), '--help'], text=True,
                          stdout=subprocess.PIPE, check=False).stdout


def help_examples(program):
    text = shown_help(program)
    return [Block(program + ' --help', 1, 'sh', text[text.index('\nExamples\n') + 10:])]


def switched_on(text):
    """A configuration with every group that is commented out put to use."""
    return re.sub(r'(?ms)^#[a-z].*?^#}(?=[;\n])', lambda m: re.sub('(?m)^#', '', m.group(0)), text)


def shipped():
    """Configuration to copy and edit: as it is, and with its examples switched on."""
    blocks = []
    for name, language in (('conf/ib-plugins.conf', 'libconfig'), ('conf/icinga2/api-user.conf', 'icinga2'),
                           ('conf/nagios/example-services.cfg', 'nagios')):
        text = read(name)
        blocks.append(Block(name, 1, language, text))
        if switched_on(text) != text:
            blocks.append(Block(name + ' switched on', 1, language, switched_on(text)))
    return blocks


def all_blocks():
    blocks = markdown('README.md') + markdown('HACKING.md') + shipped()
    for page in MAN:
        blocks += man_page(page)
    for program in PROGRAMS:
        blocks += help_examples(program)
    return blocks
