#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A local EC2 Image Builder for tests, on 127.0.0.1 only.  See README.md."""
import sys

sys.dont_write_bytecode = True

import argparse  # noqa: E402
import ctypes  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import threading  # noqa: E402

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from ibstandin.server import serve  # noqa: E402


def write_port(path, port):
    """The port appears in the file whole or not at all."""
    temporary = f'{path}.{os.getpid()}'
    with open(temporary, 'w', encoding='ascii') as handle:
        handle.write(f'{port}\n')
    os.replace(temporary, path)


def die_with_parent(parent):
    """A test that is killed cannot clean up: Linux then ends this process."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


def account(text):
    if len(text) != 12 or not text.isdigit():
        raise argparse.ArgumentTypeError(f'{text!r} is not 12 digits')
    return text


def scale(text):
    value = float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f'{text!r} is not above 0')
    return value


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--port-file', required=True, metavar='FILE')
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--log', metavar='FILE.jsonl')
    parser.add_argument('--tls-cert', metavar='PEM')
    parser.add_argument('--tls-key', metavar='PEM')
    parser.add_argument('--connect-cert', metavar='PEM',
                        help='be an HTTPS proxy too, and any host behind it, by this certificate')
    parser.add_argument('--connect-key', metavar='PEM')
    parser.add_argument('--die-with-parent', action='store_true',
                        help='end when the process that started this one does')
    parser.add_argument('--account', type=account, default='123456789012')
    parser.add_argument('--time-scale', type=scale, default=1.0, metavar='X',
                        help='scripts, cancels and list delays run X times faster')
    parser.add_argument('--model-dir', metavar='DIR',
                        help="a directory with npm's aws-sdk (default: $IB_AWS_SDK_DIR)")
    options = parser.parse_args()
    if options.die_with_parent:
        die_with_parent(os.getppid())
    app, server = serve(options)

    def stop(_signal, _frame):
        app.stopping.set()
        threading.Thread(target=server.shutdown, daemon=True).start()
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    write_port(options.port_file, app.port)
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    # Threads that drip or keep silent are not waited for.
    sys.stdout.flush()
    os._exit(0)


if __name__ == '__main__':
    main()
